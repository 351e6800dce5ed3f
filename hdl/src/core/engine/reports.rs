//! What control and a simulation are told.

use sterna_firmware::geometry::Geometry;
use sterna_firmware::isa::Opcode;
use sterna_rtl::{Module, Sig, UInt};

use super::Units;
use crate::core::READ;
use crate::core::instruction::is;
use crate::probe;
use crate::units::TernaryUnit;

/// Ports that tell the control how things stand, of the same name on both.
pub(crate) fn reports(g: &Geometry) -> impl Iterator<Item = (&'static str, u32)> {
    let slots = g.slots;
    REPORTS.into_iter().map(move |(name, width)| match name {
        "best" => (name, width * slots),
        // As many scales may be clamped at once, beside as many elements.
        "clamps" if slots > 1 => (name, width + 1),
        _ => (name, width),
    })
}

const REPORTS: [(&str, u32); 22] = [
    ("pass_ok", 1),
    ("layers_ended", 1),
    ("best_given", 1),
    ("best", 20),
    ("recorded", 1),
    ("head_idle", 1),
    ("mover_busy", 1),
    ("image_busy", 1),
    ("row_busy", 1),
    ("writer_busy", 1),
    ("image_valid", 1),
    ("image_want", 1),
    ("moves", 1),
    ("clamps", 4),
    ("front_fault", 8),
    ("front_segment", 32),
    ("bad_trit", 1),
    ("trit_segment", 32),
    ("bad_row", 1),
    ("bad_read", 1),
    ("bad_write", 1),
    ("segment", 32),
];

/// Bits of a segment's number: there are at most 6 · 512 + 2.
const SEGMENT: u32 = 12;

/// Drives [`REPORTS`].
/// Returns the pulse that ends the layers of a pass.
pub(super) fn to_control<'m>(
    m: &'m Module,
    g: &Geometry,
    u: &Units<'m>,
    (begins, mask): (Sig<'m>, Option<Sig<'m>>),
) -> Sig<'m> {
    // The layers have ended when the last one's statistics stand.
    let closing = m.reg("closing", UInt(1)).reset(0);
    let gathered = if g.slots == 1 { "gathered" } else { "gathered_all" };
    let layers_ended = (closing & u.issue.port(gathered)).named("layers_end");
    m.when(layers_ended | begins, || closing.set(0));
    m.when(u.epilogue.port("ended") & u.epilogue.port("ended_last"), || closing.set(1));
    // A scale beyond the multiplier counts where it is used.
    let (handed, opcode) = u.handed();
    let scale_clamps = match mask {
        None => handed & u.issue.port("clamped") & !is(opcode, Opcode::Head),
        Some(mask) => {
            let used = (handed & !is(opcode, Opcode::Head)).repeat(g.slots as usize);
            let clamped = u.issue.port("clamped") & mask & used;
            let none = m.lit(UInt(5), 0);
            (0..g.slots).fold(none, |sum, n| (sum + clamped.bit(n)).truncate(5))
        }
    };
    let segment = u.front.port("segment");
    let late = READ + TernaryUnit::BAD_LATENCY as usize;
    let moves = [u.port.stream("row").fires(), u.port.stream("result").fires()];
    for (name, width) in reports(g) {
        let value = match name {
            "layers_ended" => layers_ended,
            "best_given" | "best" | "recorded" => u.head.port(name),
            "head_idle" => u.head.port("idle"),
            "mover_busy" => u.mover.port("busy"),
            "image_busy" | "row_busy" => u.port.port(name),
            "writer_busy" => u.port.port("result_busy"),
            "image_valid" => u.port.stream("image").valid,
            "image_want" => u.front.port("want"),
            "moves" => moves[0] | moves[1] | u.epilogue.port("ended"),
            "clamps" => (u.epilogue.port("clamps") + scale_clamps).truncate(width),
            "front_fault" => u.front.port("fault"),
            "front_segment" => u.front.port("fault_segment"),
            "bad_trit" => u.ternary.port("bad"),
            "trit_segment" => segment.truncate(SEGMENT).delay("segment", late).extend(32),
            "bad_row" => u.embedding.port("fault"),
            "bad_read" => u.port.port("read_error"),
            "bad_write" => u.port.port("write_error"),
            _ => u.front.port(name),
        };
        m.output(name, UInt(width)).set(value);
    }
    for name in ["image_id_lo", "image_id_hi"] {
        m.output(name, UInt(32)).set(u.front.port(name));
    }
    layers_ended
}

/// Drives the ports of [`probe`]; `ended` ends a pass without a head.
pub(super) fn to_probe<'m>(
    m: &'m Module,
    g: &Geometry,
    u: &Units<'m>,
    (begins, ended): (Sig<'m>, Sig<'m>),
) {
    let (handed, _) = u.handed();
    for (name, ty) in probe::ports(g) {
        let from = match name {
            "probe_codes_valid" => u.quantiser.port("code_write"),
            "probe_codes" => u.quantiser.port("codes"),
            "probe_scale_valid" => handed,
            "probe_out_valid" => u.epilogue.port("shown_valid"),
            "probe_out" => u.epilogue.port("shown"),
            "probe_head_valid" => u.epilogue.port("head_valid"),
            "probe_head" => u.epilogue.port("head_acc"),
            "probe_stats_valid" => u.issue.port("gathered"),
            "probe_pass_done" => u.head.port("best_given") | ended,
            "probe_begins" => begins,
            "probe_beat" => u.port.stream("image").fires(),
            "probe_ended" => u.epilogue.port("ended"),
            "probe_codes_slot" => u.quantiser.port("code_slot"),
            "probe_out_slot" => u.epilogue.port("shown_slot"),
            "probe_stats_slot" => u.issue.port("gathered_slot"),
            _ => {
                let own = name.trim_start_matches("probe_");
                let statistic = own.starts_with("max_");
                u.issue.port(&if statistic { format!("stat_{own}") } else { own.into() })
            }
        };
        m.output(name, ty).set(from);
    }
}
