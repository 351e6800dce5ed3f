//! A card that fails, in every way and at any point of a job: an error that says what is wrong, or
//! the right tokens, in time; and the next job is right.
//!
//! | module | what it shows |
//! |---|---|
//! | `bench` | a fake card, the job that is done on it, what golden says |
//! | `table` | every fault in every phase, within this process |
//! | `command` | the same end to end: the command, over FUSE |
//! | `processes` | several processes at once, and ones that are ended in the middle |

mod bench;
mod command;
#[path = "../card/desk.rs"]
mod desk;
mod processes;
mod table;
