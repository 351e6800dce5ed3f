//! Sterna model
