//! What is done to a core that has to bear it: whatever happens, it says what went wrong, lets no
//! token out, and works again.
//!
//! `coverage/` does much of it, to see what runs; `mutation/` does a little of it to each mutant, to
//! see whether that is noticed; `tests/core` does it place by place, on cores of every bus.

pub mod commands;
pub mod damage;
pub mod memory;
pub mod places;

use commands::{addresses, random_commands, registers, resets, runs, states, wrong_commands};
use damage::{any_header, damaged_headers, headers, larger, payloads, rows};
use memory::{failing_memory, late_image, silence};
use places::{names, rings};
use sterna_rtl::random::Rng;

use super::bench::Bench;

/// An attack at so many places, at which the core has to be found as it should be.
pub type Attack = fn(&mut Bench, &mut Rng, usize);

/// All of them, each with the number of places that suffice for a quick look.
pub const ATTACKS: [(&str, Attack, usize); 18] = [
    ("registers", registers, 3),
    ("commands that cannot be obeyed", wrong_commands, 1),
    ("a run that ends, or does not", runs, 1),
    ("states that are saved and loaded", states, 1),
    ("headers that contradict", headers, 32),
    ("headers of a larger core", larger, 1),
    ("headers of any value", any_header, 2),
    ("damaged headers", damaged_headers, 8),
    ("damaged payloads", payloads, 20),
    ("damaged rows", rows, 8),
    ("a memory that fails", failing_memory, 10),
    ("a memory that says nothing", silence, 3),
    ("an image that comes late", late_image, 8),
    ("resets in the middle", resets, 8),
    ("random commands", random_commands, 6),
    ("addresses of every bit", addresses, 2),
    ("rings of every size", rings, 1),
    ("images of any name", names, 1),
];
