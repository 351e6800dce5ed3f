//! The core.

use crate::sketch::{Kind, Sketch};

/// All that a pass runs through.
pub fn core() -> Sketch {
    use Kind::{Computes, Holds, Moves, Outside};
    let mut s = Sketch::new("core", "The core: a token's whole path", 600.0);
    let (a, b, c, d) = (20.0, 220.0, 440.0, 680.0);
    s.part("memory", Outside, (a, 60.0, 130.0), "memory", &["image, rows,", "states, records"]);
    s.part("port", Moves, (a, 180.0, 130.0), "memory port", &["AXI4: two readers,", "one writer"]);
    s.part(
        "front",
        Moves,
        (b, 60.0, 150.0),
        "front end",
        &["headers, checksums,", "operands, weights"],
    );
    s.part(
        "ternary",
        Computes,
        (c, 60.0, 150.0),
        "ternary unit",
        &["BUS/8 columns of", "5 rows a clock"],
    );
    s.part("groups", Holds, (d, 60.0, 150.0), "row groups", &["a FIFO of 8"]);
    s.part("codes", Holds, (b, 200.0, 150.0), "codes", &["8 bits, two buffers"]);
    s.part("issue", Moves, (c, 200.0, 150.0), "issue", &["the next scale"]);
    s.part(
        "epilogue",
        Computes,
        (d, 180.0, 180.0),
        "epilogue",
        &["V ways: rescale, sigmoid,", "MLGRU, GLU, residual;", "statistics of the result"],
    );
    s.part("operands", Holds, (b, 320.0, 150.0), "operands", &["16 bits: gains,", "lower bounds"]);
    s.part(
        "quantiser",
        Computes,
        (c, 320.0, 150.0),
        "quantiser",
        &["Q elements a clock,", "ahead of the matrix"],
    );
    s.part(
        "vectors",
        Holds,
        (d, 320.0, 180.0),
        "x, mix, product",
        &["32 bits: residual, v,", "the GLU's product"],
    );
    s.part("embedding", Moves, (b, 430.0, 150.0), "embedding", &["a token's row to x"]);
    s.part("mover", Moves, (c, 430.0, 150.0), "state mover", &["saves and loads"]);
    s.part("state", Holds, (d, 430.0, 180.0), "state", &["24 bits, all layers"]);
    s.part("head", Computes, (b, 520.0, 150.0), "head", &["64 best, the record"]);
    s.wire("memory.b-20", "port.t-20", "");
    s.wire("port.t+20", "memory.b+20", "");
    s.wire_by("port.r-20", &[(185.0, 195.0), (185.0, 90.0)], "front.l", "");
    s.note((150.0, 142.0), "beats");
    s.wire("front.r", "ternary.l", "weights");
    s.wire("ternary.r", "groups.l", "5 sums");
    s.wire("groups.b", "epilogue.t-15", "");
    s.wire_by("front.b+45", &[(340.0, 160.0), (490.0, 160.0)], "issue.t-25", "fields of a header");
    s.wire("issue.r", "epilogue.l", "scale");
    s.wire_by("codes.t+60", &[(355.0, 180.0), (560.0, 180.0)], "ternary.b+45", "");
    s.note((565.0, 165.0), "codes");
    s.wire_by("front.b-50", &[(245.0, 145.0), (200.0, 145.0), (200.0, 350.0)], "operands.l", "");
    s.wire("operands.r", "quantiser.l", "gains");
    s.wire_by(
        "operands.b+40",
        &[(335.0, 400.0), (640.0, 400.0), (640.0, 245.0)],
        "epilogue.l+27",
        "",
    );
    s.note((400.0, 396.0), "gains and lower bounds of the epilogue");
    s.wire_by("quantiser.t-50", &[(465.0, 290.0), (295.0, 290.0)], "codes.b", "codes");
    s.wire("vectors.l", "quantiser.r", "");
    s.wire_by("epilogue.l+10", &[(655.0, 228.0), (655.0, 275.0), (515.0, 275.0)], "issue.b", "");
    s.note((527.0, 270.0), "sums of squares");
    s.wire_by(
        "epilogue.l+30",
        &[(665.0, 248.0), (665.0, 300.0), (540.0, 300.0)],
        "quantiser.t+25",
        "maxima",
    );
    s.wire("epilogue.b", "vectors.t", "x, v, p");
    s.wire_by("state.r", &[(875.0, 453.0), (875.0, 205.0)], "epilogue.r-10", "");
    s.note((825.0, 405.0), "h, h'");
    s.wire("mover.r-8", "state.l-8", "");
    s.wire("state.l+10", "mover.r+10", "");
    s.wire("port.b-30", "embedding.l", "rows");
    s.path(&[(370.0, 445.0), (410.0, 445.0), (410.0, 415.0), (770.0, 415.0), (770.0, 381.0)], "");
    s.path(
        &[(860.0, 236.0), (890.0, 236.0), (890.0, 545.0), (370.0, 545.0)],
        "accumulators of the head",
    );
    s.path(&[(220.0, 545.0), (35.0, 545.0), (35.0, 241.0)], "");
    s.note((80.0, 540.0), "records, logits");
    s
}
