//! The commands that look after a card, end to end: over the nodes of a fake card, and over copies
//! of what Linux shows in `/sys`.

#[path = "../card/desk.rs"]
mod desk;
mod doctor;
mod look;
mod tree;
mod validate;
