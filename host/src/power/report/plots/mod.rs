//! The plots, each a drawing.
//!
//! | module | one sentence |
//! |---|---|
//! | `frame` | what those of a meter have beside title, legend and axes |
//! | [`power`] | power over time, as a meter saw it |
//! | [`tokens`] | joules a token of each run |
//! | [`rails`] | watts of each rail |
//! | [`compare`] | recordings beside each other |
//! | [`peers`] | what others publish |

pub mod compare;
mod frame;
pub mod peers;
pub mod power;
pub mod rails;
pub mod tokens;

use crate::picture::drawing::Colour;

/// Work, energy with idle power.
const BLUE: Colour = 0x35_67a8;
/// Energy above idle.
const ORANGE: Colour = 0xd9_822b;
/// Things at rest.
const GREEN: Colour = 0x3d_8b5f;
/// Rails, in turn.
const RAILS: [Colour; 6] = [0x9b_b7d9, 0xe3_b98a, 0x9c_c9ae, 0xc7_a8d8, 0xd8_a0a0, 0xb3_b3b3];
