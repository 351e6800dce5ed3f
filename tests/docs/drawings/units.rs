//! From the image to accumulators, and what they are worth.

use sterna_hdl::core::{Embedding, FrontEnd, HeaderCheck, Issue, READ};
use sterna_hdl::units::{ACC_BITS, NormScale, Quantise, Reciprocal, TernaryUnit};
use sterna_model::numerics::formats::{
    CODE_MAX, COLUMNS_MAX, GAIN_BITS, QUANTISE_BITS, RECIPROCAL_BITS, RESCALE_BITS, SCALE_BITS,
};

use super::Cells;
use crate::sketch::{Kind, Sketch};

const BUSES: [u32; 4] = [64, 128, 256, 512];

pub fn all(cells: &Cells) -> Vec<Sketch> {
    vec![front_end(cells), embedding(cells), quantiser(cells), ternary_unit(cells), scale(cells)]
}

fn front_end(cells: &Cells) -> Sketch {
    use Kind::{Computes, Holds, Moves};
    let mut s = Sketch::new("front-end", "Front end: the image as it streams", 350.0);
    s.part("stream", Holds, (20.0, 130.0, 120.0), "prefetch FIFO", &["beats of BUS bits"]);
    s.part("crc", Computes, (220.0, 60.0, 150.0), "CRC-32C", &["a beat a clock"]);
    s.part(
        "header",
        Moves,
        (220.0, 130.0, 150.0),
        "header check",
        &["CRC, version, opcode,", "shape, geometry"],
    );
    s.part("operands", Holds, (220.0, 230.0, 150.0), "operand memories", &["a beat a clock"]);
    s.part("end", Computes, (470.0, 60.0, 150.0), "payload's end", &["checksum equal?"]);
    s.part("issue", Moves, (470.0, 130.0, 150.0), "issue", &["fields, constants", "of the scale"]);
    s.part(
        "delay",
        Moves,
        (470.0, 230.0, 150.0),
        "delay",
        &[&format!("{READ} clocks: codes are"), "read meanwhile"],
    );
    s.part(
        "ternary",
        Computes,
        (720.0, 230.0, 160.0),
        "ternary unit",
        &["weights and codes", "side by side"],
    );
    s.wire_by("stream.r", &[(180.0, 153.0), (180.0, 83.0)], "crc.l", "");
    s.wire("stream.r", "header.l", "");
    s.wire_by("stream.r", &[(180.0, 153.0), (180.0, 253.0)], "operands.l", "");
    s.path(
        &[(180.0, 253.0), (180.0, 315.0), (545.0, 315.0), (545.0, 291.0)],
        "weights, once the codes that they meet are there",
    );
    s.wire("crc.r", "end.l", "");
    s.wire("header.r", "issue.l", "accept");
    s.wire("delay.r", "ternary.l", "beat, first, last");
    s.path(&[(620.0, 75.0), (760.0, 75.0)], "fault");
    s.path(&[(620.0, 92.0), (760.0, 92.0)], "");
    s.note((770.0, 96.0), "pass_ok");
    s.note((640.0, 150.0), &format!("Header: 512/BUS beats, then {} clocks,", FrontEnd::HEADER));
    s.note((640.0, 165.0), &format!("{} of them the check. pass_ok", HeaderCheck::LATENCY));
    s.note((640.0, 180.0), &format!("{} clocks behind the last beat.", FrontEnd::SOUND));
    let cost = cells.of(&["front_end", "header_check"]);
    s.note(
        (20.0, 341.0),
        &format!("With its header check, without CRC: {cost}. CRC: {}.", cells.one("crc32c")),
    );
    s
}

fn embedding(cells: &Cells) -> Sketch {
    use Kind::{Computes, Holds, Moves};
    let mut s = Sketch::new("embedding", "Embedding: a token's row into the residual", 265.0);
    s.part(
        "token",
        Moves,
        (20.0, 80.0, 130.0),
        "address",
        &["base + token × stride", "(64-byte units)"],
    );
    s.part(
        "tail",
        Moves,
        (210.0, 60.0, 150.0),
        "1. the last unit",
        &["shift of the row,", "A, B, maxima"],
    );
    s.part(
        "row",
        Moves,
        (210.0, 150.0, 150.0),
        "2. the whole row",
        &["words of 16 bits:", "mantissa, exponent"],
    );
    s.part("crc", Computes, (430.0, 60.0, 150.0), "check", &["CRC-32C, token,", "fields"]);
    s.part(
        "shift",
        Computes,
        (430.0, 150.0, 150.0),
        "shift",
        &["by exponent + shift,", "V elements a clock"],
    );
    s.part(
        "enter",
        Moves,
        (690.0, 60.0, 170.0),
        "enter",
        &["statistics of layer 0,", "or a fault"],
    );
    s.part("residual", Holds, (690.0, 150.0, 170.0), "residual x", &["32 bits an element"]);
    s.wire("token.r-15", "tail.l-15", "");
    s.wire("token.r+15", "row.l", "");
    s.wire("tail.r-10", "crc.l-10", "");
    s.wire_by("row.r-15", &[(395.0, 165.0), (395.0, 105.0)], "crc.l+14", "");
    s.wire("row.r+10", "shift.l+10", "");
    s.wire("crc.r", "enter.l", "sound");
    s.wire("shift.r", "residual.l", "");
    s.note((20.0, 240.0), &format!("Two reads of the memory, the first {} clocks after the start, and hidden / V clocks. {}, without CRC.", Embedding::ASK, cells.of(&["embedding"])));
    s.note((20.0, 256.0), "The shift stands at the row's end, so the last unit is read first. Nothing counts before the checksum.");
    s
}

fn quantiser(cells: &Cells) -> Sketch {
    use Kind::{Computes, Holds, Moves};
    let mut s = Sketch::new("quantiser", "Quantiser: vectors to codes, ahead of the matrix", 340.0);
    s.part("maxima", Moves, (20.0, 60.0, 130.0), "maximum", &["of the vector,", "of rms_norm"]);
    s.part(
        "reciprocal",
        Computes,
        (220.0, 60.0, 190.0),
        "reciprocal",
        &[
            &format!("⌊127 · 2^33 / m⌋, {RECIPROCAL_BITS} bits"),
            &format!("{} clocks: 5, then a bit each", Reciprocal::LATENCY),
        ],
    );
    s.part(
        "vector",
        Holds,
        (20.0, 170.0, 130.0),
        "x, v or p",
        &["Q elements of", "32 bits a clock"],
    );
    s.part("gain", Holds, (20.0, 255.0, 130.0), "gain", &[&format!("{GAIN_BITS} bits each")]);
    s.part("gained", Computes, (220.0, 195.0, 120.0), "× gain", &["round >> 15", "magnitude"]);
    s.part(
        "normal",
        Computes,
        (400.0, 195.0, 120.0),
        "normalise",
        &["by the bits of", &format!("the maximum: {QUANTISE_BITS}")],
    );
    s.part(
        "times",
        Computes,
        (580.0, 195.0, 120.0),
        "× reciprocal",
        &["round >> 33,", &format!("at most {CODE_MAX}")],
    );
    s.part(
        "codes",
        Holds,
        (760.0, 180.0, 120.0),
        "codes",
        &["8 bits, with sign", "two buffers, read", "by the matrix"],
    );
    s.frame((205.0, 165.0), (715.0, 275.0), &format!("Q ways, each {} clocks", Quantise::LATENCY));
    s.wire("maxima.r", "reciprocal.l", "");
    s.wire("reciprocal.r", "times.t", "R");
    s.wire("vector.r+20", "gained.l-5", "");
    s.wire_by("gain.r", &[(180.0, 278.0), (180.0, 236.0)], "gained.l+10", "");
    s.wire("gained.r", "normal.l", "");
    s.wire("normal.r", "times.l", "");
    s.wire("times.r", "codes.l", "");
    s.note(
        (20.0, 318.0),
        &format!(
            "Maxima to first codes: {} + {READ} + {} + a few clocks. A way: {}.",
            Reciprocal::LATENCY,
            Quantise::LATENCY,
            cells.one("quantise")
        ),
    );
    s.note((20.0, 333.0), &format!("Order of a pass: i, f, g, o, GLU, DOWN; f's and g's codes are made behind the matrix before. The rest: {}.", cells.of(&["quantiser", "reciprocal"])));
    s
}

fn ternary_unit(cells: &Cells) -> Sketch {
    use Kind::{Computes, Holds, Moves};
    let mut s = Sketch::new("ternary-unit", "Ternary unit: no multiplier, no multiplexer", 330.0);
    s.part(
        "beat",
        Moves,
        (20.0, 65.0, 130.0),
        "beat of weights",
        &["BUS/8 bytes: columns", "of 5 rows each"],
    );
    s.part("codes", Holds, (20.0, 196.0, 130.0), "codes", &["BUS/8 × 8 bits"]);
    s.part(
        "decode",
        Computes,
        (215.0, 65.0, 140.0),
        "trit decode",
        &["byte to 5 digits", "16 LUT4; 13 refused"],
    );
    s.part("reg", Holds, (215.0, 196.0, 140.0), "register", &["of a lane's code"]);
    s.part("sign", Holds, (420.0, 73.0, 120.0), "signs", &["beside, a bit"]);
    s.part(
        "tree",
        Computes,
        (420.0, 188.0, 150.0),
        "tree of ±",
        &["log₂(BUS/8) levels,", "a register each"],
    );
    s.part(
        "acc",
        Computes,
        (640.0, 188.0, 120.0),
        "± accumulator",
        &[&format!("{ACC_BITS} bits, exact,"), "one a row"],
    );
    s.part("sums", Moves, (810.0, 188.0, 80.0), "5 sums", &["at last"]);
    s.wire("beat.r", "decode.l", "");
    s.wire("codes.r", "reg.l", "");
    s.wire("decode.b-45", "reg.t-45", "0 clears it");
    s.wire("decode.r", "sign.l", "±");
    s.wire("sign.b", "tree.t-25", "add or subtract");
    s.wire("reg.r", "tree.l", "");
    s.wire("tree.r", "acc.l", "");
    s.wire("acc.r", "sums.l", "");
    s.frame((200.0, 178.0), (780.0, 262.0), "");
    s.note((640.0, 173.0), "five times, a set a row");
    let latencies: Vec<String> = BUSES
        .iter()
        .map(|bus| format!("{} ({bus} bits)", TernaryUnit { bus: *bus, slots: 1 }.latency()))
        .collect();
    s.note(
        (20.0, 288.0),
        &format!(
            "Clocks from the last beat to the sums: {}. No sum of {COLUMNS_MAX} columns overflows.",
            latencies.join(", ")
        ),
    );
    s.note(
        (20.0, 304.0),
        &format!("64 bits, 40 lanes: {}.", cells.of(&["ternary_unit", "add_sub"])),
    );
    let lane = BUSES.map(|bus| cells.lane(bus)).join(", ");
    s.note(
        (20.0, 320.0),
        &format!("Places of a LUT4 a lane: {lane}, with 64 to 512 bits (synthesised, ECP5)."),
    );
    s
}

fn scale(cells: &Cells) -> Sketch {
    use Kind::{Computes, Holds, Moves};
    let mut s = Sketch::new("scale", "Issue and norm_scale: one scale an instruction", 350.0);
    s.part(
        "front",
        Moves,
        (20.0, 60.0, 130.0),
        "front end",
        &["an instruction,", "three constants"],
    );
    s.part("stats", Holds, (20.0, 170.0, 130.0), "statistics", &["A, B, maxima", "of the vector"]);
    s.part(
        "held",
        Holds,
        (220.0, 60.0, 130.0),
        "instruction",
        &["held until the", "epilogue is free"],
    );
    s.part("epilogue", Moves, (740.0, 60.0, 140.0), "epilogue", &["instruction, factor,", "shift"]);
    s.part(
        "norm",
        Computes,
        (220.0, 170.0, 130.0),
        "normaliser",
        &["top bit to the top:", &format!("{SCALE_BITS}-bit Scales")],
    );
    s.part("mul", Computes, (420.0, 150.0, 110.0), "x · y", &["24 × 24"]);
    s.part("add", Computes, (420.0, 228.0, 110.0), "x + y", &["align, add"]);
    s.part("root", Computes, (595.0, 220.0, 110.0), "1/√x", &["a root, a division", "74 clocks"]);
    s.part(
        "out",
        Computes,
        (760.0, 185.0, 120.0),
        "to 17 bits",
        &[&format!("{RESCALE_BITS}-bit factor,"), "shift 0 to 63"],
    );
    s.frame((205.0, 125.0), (725.0, 295.0), "one multiplier, one adder, one root, in turn");
    s.wire("front.r", "held.l", "");
    s.wire("held.r", "epilogue.l", "handed on together");
    s.wire("stats.r", "norm.l", "");
    s.wire("norm.r-10", "mul.l", "");
    s.wire("norm.r+20", "add.l", "");
    s.wire("mul.b-20", "add.t-20", "B · outer");
    s.wire("add.r", "root.l", "D");
    s.wire_by("root.t", &[(650.0, 188.0)], "mul.r+13", "1/√D");
    s.wire_by("mul.r-12", &[(740.0, 163.0), (740.0, 215.0)], "out.l", "max · 1/√D · rescale");
    s.wire("out.t", "epilogue.b+10", "");
    s.note(
        (20.0, 312.0),
        "D = (A + B · outer) + floor;  scale = (max · 1/√D) · rescale  (numerics.md, section 6).",
    );
    s.note(
        (20.0, 328.0),
        &format!(
            "Statistics to Scales: {} clocks; the scale: {}, with its way in and out {}.",
            NormScale::gather_latency(1),
            NormScale::LATENCY,
            Issue::LATENCY
        ),
    );
    s.note(
        (20.0, 343.0),
        &format!(
            "norm_scale: {}; root and division: {}.",
            cells.of(&["norm_scale"]),
            cells.of(&["isqrt", "divider"])
        ),
    );
    s
}
