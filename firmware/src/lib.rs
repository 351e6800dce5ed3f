//! Sterna firmware
