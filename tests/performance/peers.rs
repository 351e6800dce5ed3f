//! What others publish of their speed, each line with its label.

use sterna::power::report::peers::Founded;

use super::table;

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
            let label = peer.evidence.label().to_string();
            Some(vec![peer.name, peer.model, peer.hardware, rate, label, peer.source])
        })
        .collect();
    rows.extend(MORE.map(|(name, model, hardware, rate, founded, source)| {
        [name, model, hardware, rate, founded.label(), source].map(String::from).to_vec()
    }));
    table(&["what", "model", "on", "tokens/s", "label", "source"], &rows)
}
