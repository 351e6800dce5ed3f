//! The core from end to end: generated, Verilated, driven as a card, against the golden model.
//!
//! | module | what it shows |
//! |---|---|
//! | `demos` | both demo models at every bus, their text |
//! | `shapes` | made-up models of odd shapes, and of the 370M's layers |
//! | `states` | sequences that take turns, runs and their ends, states that hardly move |
//! | `faults` | damaged images and rows: no token leaves |
//! | `trouble` | memories that fail, commands that make no sense, resets in the middle |
//! | `seeded` | faults of the core itself: the comparison finds them |
//! | `timing` | every clock as predicted, from nothing but the memory's latency |
//! | `commands` | `sterna verify` and `sterna fuzz rtl` |
//!
//! Four minutes of one processor, of which the compilers take three: cores are kept below the
//! target folder, so a second run takes one.

// What is done to a core in the tests of the simulator, too.
#[allow(dead_code)]
#[path = "../../sim/tests/common/attacks/mod.rs"]
mod attacks;
#[allow(dead_code)]
#[path = "../../sim/tests/common/bench.rs"]
mod bench;
mod commands;
mod common;
mod demos;
mod faults;
mod seeded;
mod shapes;
mod states;
mod streams;
mod timing;
mod trouble;
