//! What boards could do, by the timing model with the board's clock and bandwidth.

use sterna::board::{Board, built_in, fit};
use sterna::plan::{Memory, Plan};

use super::{LATENCY, percent, table};

/// Published models where one fits, else the largest that does.
pub fn boards() -> String {
    let mut rows = vec![];
    for name in built_in() {
        let board = Board::open(name).unwrap();
        let mut models: Vec<_> = board.fits().into_iter().filter(|fit| fit.fits).collect();
        let published = |model: &str| !matches!(model, "tiny" | "5m");
        match models.iter().any(|fit| published(&fit.model)) {
            true => models.retain(|fit| published(&fit.model)),
            false => drop(models.drain(..models.len().saturating_sub(1))),
        }
        for of in models {
            let (memory, core) = (board.memory_bandwidth(), board.core_bandwidth());
            let shape = fit::shape(&of.model).unwrap();
            let behind = Memory {
                latency: LATENCY,
                clock: Some(board.core_mhz),
                bandwidth: Some(memory / 1e9),
            };
            let plan = Plan::new(&of.model, shape, board.geometry.clone(), behind).unwrap();
            let bound = of.bound_tokens_per_second.unwrap();
            let rate = plan.tokens_per_second().unwrap();
            rows.push(vec![
                format!("`{name}`"),
                format!("{} bits, {} MHz: {:.2}", board.geometry.bus, board.core_mhz, core / 1e9),
                match board.memory.kind.as_str() {
                    "block" => "block RAM".into(),
                    kind => format!("{kind}: {:.2}", memory / 1e9),
                },
                of.model,
                format!("{:.2}", memory / of.image_bytes as f64),
                format!("{bound:.2}"),
                format!("{rate:.2}"),
                percent(rate / bound),
                board.bound().limit.into(),
                plan.evidence().into(),
            ]);
        }
    }
    table(
        &[
            "board",
            "core, GB/s",
            "memory, GB/s",
            "model",
            "bound of the memory",
            "bound of both",
            "tokens/s",
            "of the bound",
            "limit",
            "label",
        ],
        &rows,
    )
}
