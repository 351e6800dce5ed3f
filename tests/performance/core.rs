//! Tables of the core alone: what it reads, how busy it is, what it waits for.

use sterna::board::fit::{image_bytes, shape};
use sterna::plan::share;
use sterna::plan::waits::{layer, waits};

use super::{grouped, percent, plan, table};

const PUBLISHED: [&str; 3] = ["370m", "1.3b", "2.7b"];

/// Bytes a token and tokens a second at most.
pub fn bounds() -> String {
    let rows: Vec<Vec<String>> = PUBLISHED
        .iter()
        .map(|name| {
            let shape = shape(name).unwrap();
            // Five weights a byte.
            let packed = shape.weights() as f64 / 5.0;
            let megabytes = |bytes: f64| format!("{:.1}", bytes / 1e6);
            let mut row = vec![
                (*name).to_string(),
                format!("{:.1}", shape.weights() as f64 / 1e6),
                megabytes(packed),
                megabytes(image_bytes(&shape) as f64),
            ];
            row.extend([1.6, 19.2, 460.8].map(|rate| format!("{:.1}", rate * 1e9 / packed)));
            row
        })
        .collect();
    table(
        &[
            "shape",
            "ternary weights, millions",
            "at 1.6 bits, MB",
            "image, MB",
            "DDR3-800 x16, 1.6 GB/s",
            "DDR4-2400 x64, 19.2 GB/s",
            "HBM2, 460.8 GB/s",
        ],
        &rows,
    )
}

/// How many of the lanes work.
pub fn utilisation() -> String {
    let cases = [("5m", 64), ("370m", 64), ("370m", 512), ("1.3b", 512), ("2.7b", 512)];
    let rows: Vec<Vec<String>> = cases
        .iter()
        .map(|(name, bus)| {
            let plan = plan(name, *bus);
            let spent = plan.pass.counters;
            vec![
                (*name).to_string(),
                bus.to_string(),
                grouped(spent.cycles),
                grouped(spent.beats),
                grouped(spent.starved + spent.blocked + spent.idle),
                percent(share(spent.beats, spent.cycles)),
                format!("**{}**", percent(plan.utilisation())),
            ]
        })
        .collect();
    table(
        &[
            "shape",
            "bits",
            "clocks a token",
            "beats",
            "clocks without one",
            "beats ÷ clocks",
            "weights ÷ lanes ÷ clocks",
        ],
        &rows,
    )
}

/// What a layer loses, and where.
pub fn losses() -> String {
    let mut rows = vec![];
    for (name, bus) in [("5m", 64), ("370m", 512), ("2.7b", 512)] {
        let plan = plan(name, bus);
        let (mut all, mut lost) = (0, 0);
        let beats = plan.beats();
        let first = &waits(&plan, &beats, 0)[..1];
        let layer = waits(&plan, &beats, layer(&plan));
        for wait in first.iter().chain(&layer) {
            let spent = plan.pass.instructions[wait.sequence].spent;
            let opening = wait.sequence == first[0].sequence;
            if !opening {
                all += spent.cycles;
                lost += wait.lost();
            }
            let ends = [wait.before, wait.result, wait.codes, wait.first];
            let chain = match wait.synchronises() && !opening {
                true => [0, 1, 2].map(|n| (ends[n + 1] - ends[n]).to_string()),
                false => ["–"; 3].map(String::from),
            };
            let name_of = if opening { "MIX_I of layer 0" } else { wait.opcode.name() };
            let mut row = vec![format!("{name}, {bus}"), name_of.into(), grouped(spent.cycles)];
            row.extend(chain);
            row.extend(
                [wait.hidden, wait.check, wait.wait, wait.paced, wait.rest, wait.lost()]
                    .map(grouped),
            );
            rows.push(row);
        }
        let mut row = vec![format!("{name}, {bus}"), "the layer".into(), grouped(all)];
        row.extend(["", "", "", "", "", "", "", ""].map(String::from));
        row.push(format!("**{lost}**, {:.2} %", 100.0 * share(lost, all)));
        rows.push(row);
    }
    table(
        &[
            "shape, bits",
            "instruction",
            "clocks",
            "to the result",
            "to its codes",
            "to the weights",
            "beats meanwhile",
            "lost: header",
            "lost: wait",
            "lost: first rows",
            "lost: later",
            "lost",
        ],
        &rows,
    )
}
