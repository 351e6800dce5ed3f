//! `docs/peers.md`: what others publish of their speed, each line with its label, and what this
//! core would do.

use sterna::board::{Board, fit};
use sterna::plan::{Memory, Plan};
use sterna::power::report::peers::Founded;

use super::{LATENCY, percent, table};

/// Published without power, so that the report of power does not list them: name, model, hardware,
/// tokens a second, label, source.
const MORE: [(&str, &str, &str, &str, Founded, &str); 6] = [
    (
        "matmulfree_KRIA",
        "MatMul-free LM 370M",
        "Kria K26",
        "30.6",
        Founded::Claimed,
        "github.com/aebarthyi/matmulfree_KRIA, a page since deleted",
    ),
    (
        "matmulfree_KRIA, four sequences",
        "MatMul-free LM 370M",
        "Kria K26",
        "43.76",
        Founded::Claimed,
        "github.com/aebarthyi/matmulfree_KRIA, a page since deleted",
    ),
    (
        "MatMul-free LM on a U250, 24 sequences",
        "MatMul-free LM 2.7B",
        "Alveo U250",
        "1943",
        Founded::Unclear,
        "github.com/eddyabban2/matmulfreellm, csv only",
    ),
    (
        "TernaryCore",
        "Qwen3-shaped ternary 0.6B",
        "Arty A7-100T",
        "0.21 to 0.35",
        Founded::Claimed,
        "github.com/Ternarycore/ternarycore",
    ),
    (
        "llama-fpga",
        "LLaMA2 7B, 4 bits",
        "Alveo U250",
        "18 to 19",
        Founded::Claimed,
        "github.com/adamgallas/llama-fpga",
    ),
    (
        "T-MAC",
        "BitNet 3B",
        "M2 Ultra, four threads",
        "54.46",
        Founded::Claimed,
        "github.com/microsoft/T-MAC",
    ),
];

/// One table, in the order of the power report, then those without power.
pub fn peers() -> String {
    let known = sterna::power::report::peers::peers();
    let mut rows: Vec<Vec<String>> = known
        .into_iter()
        .filter_map(|peer| {
            let rate = peer.tokens_per_second?.to_string();
            // The projection's watts are those of another number of cores.
            let whole = peer.joules().filter(|_| peer.evidence != Founded::Projected);
            let joules = whole.map(|(joules, derived)| {
                format!("{}{}", significant(joules), if derived { ", derived" } else { "" })
            });
            let watts = peer.watts.map(|watts| watts.to_string());
            let [watts, joules] = [watts, joules].map(Option::unwrap_or_default);
            let label = peer.evidence.label().to_string();
            Some(vec![
                peer.name,
                peer.model,
                peer.hardware,
                rate,
                watts,
                joules,
                label,
                linked(&peer.source),
            ])
        })
        .collect();
    rows.extend(MORE.map(|(name, model, hardware, rate, founded, source)| {
        let source = linked(source);
        [name, model, hardware, rate, "", "", founded.label(), &source].map(String::from).to_vec()
    }));
    table(&["what", "model", "on", "tokens/s", "W", "J/token", "label", "source"], &rows)
}

/// A source with its address behind the name of a paper or repository.
fn linked(source: &str) -> String {
    for (known, address) in
        [("arXiv ", "https://arxiv.org/abs/"), ("github.com/", "https://github.com/")]
    {
        let Some((before, rest)) = source.split_once(known) else { continue };
        let end = rest.find([',', ' ']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let shown = if known == "arXiv " { format!("{known}{name}") } else { name.into() };
        return format!("{before}[{shown}]({address}{name}){after}");
    }
    source.into()
}

/// Three digits, so that what is divided does not look exact.
fn significant(value: f64) -> String {
    let places = (2 - value.abs().log10().floor() as i32).max(0) as usize;
    let text = format!("{value:.places$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').into(),
        false => text,
    }
}

/// What the core would do on the boards for which there is a project, by the timing model.
pub fn ours() -> String {
    let mut rows = vec![];
    for model in ["370m", "1.3b", "2.7b"] {
        for name in ["nitefury2", "kcu105", "alveo-u280"] {
            let board = Board::open(name).unwrap();
            let memory = board.memory_bandwidth();
            let behind = Memory {
                latency: LATENCY,
                clock: Some(board.core_mhz),
                bandwidth: Some(memory / 1e9),
            };
            let shape = fit::shape(model).unwrap();
            let plan = Plan::new(model, shape, board.geometry.clone(), behind).unwrap();
            let rate = plan.tokens_per_second().unwrap();
            let share = rate * fit::image_bytes(&shape) as f64 / memory;
            rows.push(vec![
                model.into(),
                format!("`{name}`"),
                format!("{:.1}", memory / 1e9),
                format!("{rate:.1}"),
                percent(share),
                plan.evidence().into(),
            ]);
        }
    }
    table(
        &["shape", "board", "memory, GB/s", "tokens/s", "of the memory's bandwidth", "label"],
        &rows,
    )
}
