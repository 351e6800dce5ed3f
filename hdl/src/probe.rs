//! What a simulation sees of every instruction: outputs of the top that hardware leaves open, so
//! that synthesis removes them.
//!
//! Each kind of event comes in the order of the pass, so that a checker needs no tags but, in a core
//! of several sequences, whose it is: `probe_codes_slot`, `probe_out_slot` and `probe_stats_slot`
//! say so, and scales and accumulators of the head have a lane for each slot, slot 0's lowest. All
//! are outputs of the core, valid in the clock in which their `valid` is high.
//!
//! | port | bits | one event |
//! |---|---|---|
//! | `probe_codes_valid` | 1 | |
//! | `probe_codes` | 8 Q | the next Q codes of the vector being quantised, padding included |
//! | `probe_scale_valid` | 1 | an instruction's scale is ready, HEAD's included |
//! | `probe_factor`, `probe_shift` | 17, 6 | its Rescale (numerics.md §9; HEAD's is not used) |
//! | `probe_mant`, `probe_exp` | 24, s12 | its Scale (§6) |
//! | `probe_out_valid` | 1 | |
//! | `probe_out` | 32 V | the next V elements: a, h', v, x, p; signed |
//! | `probe_head_valid` | 1 | |
//! | `probe_head` | s22 | the next accumulator of the head |
//! | `probe_stats_valid` | 1 | statistics of a vector are complete (not those of an embedding row) |
//! | `probe_a_mant`, `probe_a_exp`, `probe_b_mant`, `probe_b_exp` | 24, s12 | the two sums as Scales |
//! | `probe_max_0`, `probe_max_1`, `probe_max_2` | 32 | the maxima |
//! | `probe_pass_done` | 1 | a pass has ended: nothing of it comes after this |
//! | `probe_begins` | 1 | a pass begins: its first clock |
//! | `probe_beat` | 1 | a beat of the image is taken |
//! | `probe_ended` | 1 | the epilogue is done with an instruction |

use sterna_firmware::geometry::Geometry;
use sterna_rtl::Type::{self, SInt, UInt};

use crate::slots;

/// Every port, with its type.
pub fn ports(geometry: &Geometry) -> Vec<(&'static str, Type)> {
    let slots = geometry.slots;
    let each = |ty| slots::ty(ty, slots);
    let mut ports = vec![
        ("probe_codes_valid", UInt(1)),
        ("probe_codes", UInt(8 * geometry.quantisers)),
        ("probe_scale_valid", UInt(1)),
        ("probe_factor", each(UInt(17))),
        ("probe_shift", each(UInt(6))),
        ("probe_mant", each(UInt(24))),
        ("probe_exp", each(SInt(12))),
        ("probe_out_valid", UInt(1)),
        ("probe_out", UInt(32 * geometry.ways)),
        ("probe_head_valid", UInt(1)),
        ("probe_head", each(SInt(22))),
        ("probe_stats_valid", UInt(1)),
        ("probe_a_mant", UInt(24)),
        ("probe_a_exp", SInt(12)),
        ("probe_b_mant", UInt(24)),
        ("probe_b_exp", SInt(12)),
        ("probe_max_0", UInt(32)),
        ("probe_max_1", UInt(32)),
        ("probe_max_2", UInt(32)),
        ("probe_pass_done", UInt(1)),
        ("probe_begins", UInt(1)),
        ("probe_beat", UInt(1)),
        ("probe_ended", UInt(1)),
    ];
    if slots > 1 {
        let slot = UInt(slots::bits(slots));
        let names = ["probe_codes_slot", "probe_out_slot", "probe_stats_slot"];
        ports.extend(names.map(|name| (name, slot)));
    }
    ports
}
