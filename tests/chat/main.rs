//! Conversations: what enters the device, commands, and a terminal.

mod command;
mod engine;
mod terminal;
