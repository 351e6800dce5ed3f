//! Models by name, fetched from a hub that is made up, and what is measured of them.

mod desk;
mod hostile;
mod hub;
mod pull;
mod score;
mod tls;
