//! What happens to elements: the epilogue with its units, and the head.

use sterna_hdl::core::{Elements, Epilogue, Head, READ};
use sterna_hdl::units::{ACC_BITS, Glu, Mlgru, Rescale, Residual, RmsNorm, Sigmoid, TopK};
use sterna_model::numerics::formats::{PREACTIVATION_BITS, SIGMA_FRAC, STATE_BITS};

use super::Cells;
use crate::sketch::{Kind, Sketch};

/// In the order in which an accumulator meets them.
pub fn all(cells: &Cells) -> Vec<Sketch> {
    vec![epilogue(cells), rms_norm(cells), mlgru(cells), glu(cells), head(cells)]
}

fn epilogue(cells: &Cells) -> Sketch {
    use Kind::{Computes, Holds, Moves};
    let mut s = Sketch::new("epilogue", "Epilogue: accumulators to elements, V a clock", 438.0);
    s.part("groups", Holds, (20.0, 60.0, 110.0), "row groups", &["5 sums each"]);
    s.part(
        "elements",
        Moves,
        (180.0, 60.0, 130.0),
        "elements",
        &["steps of V; turns", &format!("of {} for slots", Elements::TURN)],
    );
    s.part("ways", Computes, (370.0, 60.0, 130.0), "V ways", &["one pipeline,", "by instruction"]);
    s.part("norm", Computes, (560.0, 60.0, 130.0), "rms_norm", &["sums of squares,", "maxima"]);
    s.part(
        "to",
        Moves,
        (750.0, 60.0, 130.0),
        "quantiser, issue",
        &["maxima first,", "then the sums"],
    );
    s.part(
        "memories",
        Holds,
        (370.0, 145.0, 320.0),
        "x, mix, product, state, operands",
        &[&format!("read {READ} clocks before they are met, written at the end")],
    );
    s.wire("groups.r", "elements.l", "");
    s.wire("elements.r", "ways.l", "");
    s.wire("ways.r", "norm.l", "");
    s.wire("norm.r", "to.l", "");
    s.wire("ways.b-15", "memories.t-110", "");
    s.wire("memories.t-80", "ways.b+15", "");
    // What one way makes of an accumulator, clock by clock.
    let (y, pre) = (Rescale::LATENCY, Rescale::LATENCY + 1);
    let silu = pre + Sigmoid::SILU_LATENCY;
    let sigma = pre + Sigmoid::SIGMA_LATENCY;
    let state = sigma + Mlgru::LATENCY;
    let v = silu + Mlgru::LATENCY;
    let (product, residual) = (pre + Glu::LATENCY, y + Residual::LATENCY);
    let x = |clock: u32| 110.0 + 24.0 * f64::from(clock);
    let mut clock = |row: f64, from: u32, to: u32, text: &str| {
        s.bar((x(from), 238.0 + 26.0 * row), (x(to), 258.0 + 26.0 * row), text);
    };
    clock(0.0, 0, y, "rescale");
    clock(0.0, pre, silu, "sigmoid, silu(a)");
    clock(1.0, 0, y, "rescale");
    clock(1.0, pre, sigma, "sigmoid");
    clock(1.0, sigma, state, "mlgru: h'");
    clock(2.0, 0, y, "rescale");
    clock(2.0, pre, silu, "sigmoid of h'");
    clock(2.0, silu, v, "mlgru: v");
    clock(3.0, 0, y, "rescale");
    clock(3.0, pre, silu, "gate: sigmoid, silu");
    clock(4.0, 0, y, "rescale");
    clock(4.0, pre, product, "up: glu");
    clock(5.0, 0, y, "rescale");
    clock(5.0, y, residual, "+ x");
    for (row, name) in
        ["MIX_I", "MIX_F", "MIX_G", "GLU, gate", "GLU, up", "O, DOWN"].iter().enumerate()
    {
        s.note((20.0, 252.0 + 26.0 * row as f64), name);
    }
    for (row, clocks) in [silu, state, v, silu, product, residual].iter().enumerate() {
        s.note((x(*clocks) + 8.0, 252.0 + 26.0 * row as f64), &format!("{clocks} clocks"));
    }
    s.note((20.0, 225.0), "What one way makes of an accumulator, clock by clock:");
    let way = ["way", "rescale", "sigmoid", "table_sigmoid", "mlgru", "glu", "residual"];
    s.note((20.0, 412.0), &format!("One way with its units: {}.", cells.of(&way)));
    s.note(
        (20.0, 428.0),
        &format!(
            "Elements: {}. A chain waits {} clocks behind a short turn.",
            cells.of(&["elements"]),
            Epilogue::GAP
        ),
    );
    s
}

fn rms_norm(cells: &Cells) -> Sketch {
    use Kind::{Computes, Holds, Moves};
    let mut s =
        Sketch::new("rms-norm", "rms_norm: what a vector's norm needs, while it passes", 310.0);
    s.part("value", Moves, (20.0, 110.0, 120.0), "value", &["32 bits, V a clock"]);
    s.part(
        "gain",
        Computes,
        (200.0, 60.0, 140.0),
        "× 3 gains",
        &["of the consumers,", "|round >> 15|"],
    );
    s.part("side", Computes, (200.0, 150.0, 140.0), "× w₁, or as it is", &["magnitude"]);
    s.part("other", Moves, (20.0, 225.0, 120.0), "other", &["g, of MIX_G"]);
    s.part("mag", Computes, (200.0, 225.0, 140.0), "magnitude", &["x, or g"]);
    s.part("max", Computes, (420.0, 60.0, 140.0), "max of the ways", &["a register a level"]);
    s.part("square", Computes, (420.0, 150.0, 140.0), "square, add ways", &["2 halves of 16 bits"]);
    s.part("square2", Computes, (420.0, 225.0, 140.0), "square, add ways", &["the same"]);
    s.part("maxima", Holds, (650.0, 60.0, 150.0), "max 0, 1, 2", &["32 bits, exact"]);
    s.part("a", Holds, (650.0, 150.0, 150.0), "A", &["77 bits, exact"]);
    s.part("b", Holds, (650.0, 225.0, 150.0), "B", &["77 bits, exact"]);
    s.wire_by("value.r", &[(170.0, 133.0), (170.0, 90.0)], "gain.l", "");
    s.wire_by("value.r", &[(170.0, 133.0), (170.0, 173.0)], "side.l", "");
    s.wire("other.r", "mag.l", "");
    s.wire("gain.r", "max.l", "");
    s.wire("side.r", "square.l", "");
    s.wire("mag.r", "square2.l", "");
    s.wire("max.r", "maxima.l", "");
    s.wire("square.r", "a.l", "");
    s.wire("square2.r", "b.l", "");
    let one = RmsNorm { ways: 1, slots: 1 };
    s.note(
        (20.0, 300.0),
        &format!(
            "One way: an element's maximum counts after {} clocks, its squares after {}. {}.",
            one.max_latency(),
            one.sum_latency(),
            cells.of(&["rms_norm"])
        ),
    );
    s
}

fn mlgru(cells: &Cells) -> Sketch {
    use Kind::{Computes, Moves};
    let mut s = Sketch::new("mlgru", "MLGRU: forget, remember, gate, by two multipliers", 290.0);
    s.part(
        "in",
        Moves,
        (20.0, 70.0, 170.0),
        "MIX_F brings",
        &[
            &format!("σ(−b), {SIGMA_FRAC} bits"),
            "1 − lower bound",
            &format!("v = silu(a), {PREACTIVATION_BITS} bits"),
            &format!("state h, {STATE_BITS} bits"),
        ],
    );
    s.part("in2", Moves, (20.0, 180.0, 170.0), "MIX_G brings", &["g, its gain w_g", "silu(h')"]);
    s.part(
        "first",
        Computes,
        (260.0, 90.0, 130.0),
        "first product",
        &["F: >> 16, 1 − f", "G: >> 15, gained g"],
    );
    s.part(
        "second",
        Computes,
        (460.0, 90.0, 130.0),
        "second product",
        &["F: × (v − h)", "G: × silu(h')"],
    );
    s.part("add", Computes, (660.0, 90.0, 90.0), "+", &["F: >> 24, + h", "G: >> 16"]);
    s.part("out", Moves, (800.0, 90.0, 80.0), "result", &["h', or v"]);
    s.wire("in.r", "first.l", "");
    s.wire_by("in2.r", &[(225.0, 210.0), (225.0, 135.0)], "first.l+15", "");
    s.wire("first.r", "second.l", "");
    s.wire("second.r", "add.l", "");
    s.wire("add.r", "out.l", "");
    s.note((260.0, 195.0), "h' = h + (1 − f) · (v − h), between h and v: no clamp.");
    s.note((260.0, 212.0), "v = (g · w_g) · silu(h'): the norm of g is the scale's matter.");
    s.note(
        (20.0, 270.0),
        &format!(
            "{} clocks, an element each. {}. Exact formulas: numerics.md, sections 12, 13, 15.",
            Mlgru::LATENCY,
            cells.of(&["mlgru"])
        ),
    );
    s
}

fn glu(cells: &Cells) -> Sketch {
    use Kind::{Computes, Holds, Moves};
    let mut s = Sketch::new("glu", "GLU and sigmoid: the channel mixer's elements", 330.0);
    s.part("x", Moves, (20.0, 80.0, 110.0), "value", &["24 bits, F given"]);
    s.part(
        "arg",
        Computes,
        (190.0, 60.0, 130.0),
        "argument",
        &["to 16 fraction bits,", "clamped at ±16"],
    );
    s.part(
        "table",
        Holds,
        (380.0, 60.0, 140.0),
        "table of σ",
        &["512 chords, 2 RAM", "tails relatively exact"],
    );
    s.part("sigma", Computes, (580.0, 60.0, 110.0), "σ", &["y, or 2^24 − y"]);
    s.part("times", Computes, (580.0, 145.0, 110.0), "× value", &["round >> 24"]);
    s.part("silu", Moves, (770.0, 145.0, 110.0), "silu", &["in value's unit"]);
    s.wire("x.r", "arg.l", "");
    s.wire("arg.r", "table.l", "");
    s.wire("table.r", "sigma.l", "");
    s.wire("sigma.b", "times.t", "");
    s.wire_by("x.b", &[(75.0, 168.0)], "times.l", "");
    s.wire("times.r", "silu.l", "");
    s.part("gate", Holds, (20.0, 225.0, 150.0), "gate, silu taken", &["from the product memory"]);
    s.part("up", Moves, (230.0, 225.0, 110.0), "up", &["24 bits"]);
    s.part("product", Computes, (420.0, 225.0, 130.0), "gate · up", &["round >> 16"]);
    s.part("p", Holds, (650.0, 225.0, 150.0), "p", &["over the gate, in place"]);
    s.wire("up.r", "product.l", "");
    s.wire_by("gate.b", &[(95.0, 287.0), (485.0, 287.0)], "product.b", "");
    s.wire("product.r", "p.l", "");
    s.note(
        (20.0, 306.0),
        &format!(
            "Sigmoid: σ after {} clocks, silu after {}; {}.",
            Sigmoid::SIGMA_LATENCY,
            Sigmoid::SILU_LATENCY,
            cells.of(&["sigmoid", "table_sigmoid"])
        ),
    );
    s.note((20.0, 321.0), &format!("Product: {} clocks; {}.", Glu::LATENCY, cells.of(&["glu"])));
    s
}

fn head(cells: &Cells) -> Sketch {
    use Kind::{Computes, Holds, Moves};
    let mut s = Sketch::new("head", "Head: the best tokens, in order, as they come", 330.0);
    s.part(
        "acc",
        Moves,
        (20.0, 60.0, 140.0),
        "accumulators",
        &[&format!("{ACC_BITS} bits, one a clock,"), "a token each"],
    );
    s.part(
        "compare",
        Computes,
        (230.0, 60.0, 160.0),
        "compare",
        &["with every holder,", "in thirds, two clocks"],
    );
    s.part(
        "places",
        Holds,
        (460.0, 60.0, 170.0),
        "64 places, in order",
        &["who is better enters,", "those behind move on"],
    );
    s.part(
        "words",
        Holds,
        (460.0, 160.0, 170.0),
        "words",
        &["accumulator, token;", "they stay where they are"],
    );
    s.part(
        "best",
        Moves,
        (720.0, 60.0, 150.0),
        "best",
        &["next token, once the", "last checksum is right"],
    );
    s.part(
        "record",
        Moves,
        (720.0, 160.0, 150.0),
        "record",
        &["pass, scale, image id,", "64 tokens with sums"],
    );
    s.part("logits", Moves, (20.0, 160.0, 140.0), "all logits", &["if they are wanted"]);
    s.part("writer", Moves, (720.0, 250.0, 150.0), "writer", &["words of 32 bits"]);
    s.wire("acc.r", "compare.l", "");
    s.wire("compare.r", "places.l", "");
    s.wire("places.b", "words.t", "which word");
    s.wire("places.r", "best.l", "");
    s.wire("words.r", "record.l", "shift");
    s.wire("acc.b", "logits.t", "");
    s.wire_by("logits.b", &[(90.0, 273.0)], "writer.l", "integers: their scale is in the record");
    s.wire("record.b", "writer.t", "");
    s.note((20.0, 306.0), &format!("A candidate counts after {} clocks; from the last step to the best token {}; equal ones: lowest token first.", TopK::LATENCY, Head::BEST));
    s.note(
        (20.0, 321.0),
        &format!(
            "Of 64 places: {}; head around it: {}.",
            cells.of(&["top_k"]),
            cells.of(&["head"])
        ),
    );
    s
}
