//! Examples: each command of a `console` block is recorded for the tour, run here by trycmd, or
//! listed with the reason why not. A command is run as it stands, in a folder that has what the
//! page speaks of, with small things under large names.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use trycmd::TestCases;
use trycmd::schema::Bin;

use crate::console::{blocks, pages, root};

const SET_UP: &str = "sets the machine up, for minutes";
const VERILATOR: &str = "compiles a core; tests/core and sim/tests run it";
const CARD: &str = "needs a card; tests/card, tests/faults and the tour do it with a fake one";
const MINUTES: &str = "takes minutes or gigabytes";
const STAYS: &str = "stays until it is interrupted; tests/serve and tests/card run it";
const MACHINE: &str = "says what is wrong with the machine, and exits by it; tests/card_commands";
const METER: &str = "needs a meter or its recording; tests/power runs it";
const HUB: &str = "wants what a hub has; tests/models runs it with one that is made up";
const OTHERS: &str = "is not ours";

/// Commands that are not run, and why.
const NOT_RUN: &[(&str, &str)] = &[
    ("scripts/demo", SET_UP),
    ("scripts/test", SET_UP),
    ("scripts/setup", SET_UP),
    ("source .tools/env", SET_UP),
    ("cargo build --release", SET_UP),
    ("export PATH=\"$PWD/target/release:$PATH\"", SET_UP),
    ("sterna synth --shape 370m -o random-370m", MINUTES),
    ("sterna pull ridger/MMfreeLM-370M", HUB),
    ("sterna score --task piqa ridger/MMfreeLM-370M valid.jsonl -o piqa.results.jsonl", HUB),
    ("sterna serve", STAYS),
    ("sterna serve 370m.sterna --device xdma --slots 8", STAYS),
    ("sterna run 'ROMEO:' --device sim", VERILATOR),
    ("sterna verify --bus 64 -n 4 --stall random", VERILATOR),
    ("sterna fuzz rtl --cases 20 --seed 1", VERILATOR),
    ("sterna bench core --bus 64", VERILATOR),
    ("sterna bench core --bus 64 --batch 4", VERILATOR),
    ("sterna bitstream --board nitefury2 -o nitefury2", MINUTES),
    ("sterna bitstream --board ulx3s-85f -o ulx3s", MINUTES),
    ("sterna bitstream --board ulx3s-85f-block --model tiny.sterna -o tiny", MINUTES),
    ("sterna flash --board ulx3s-85f ulx3s/board.bit", "needs a board"),
    ("sterna power run -o run.jsonl", METER),
    ("sterna power report run.jsonl -o report", METER),
    ("sterna power estimate --board ulx3s-85f", VERILATOR),
    ("sterna doctor", MACHINE),
    ("sterna validate", CARD),
    ("sterna run 'ROMEO:' --device xdma", CARD),
    ("cd dma_ip_drivers/XDMA/linux-kernel/xdma && make && sudo make install", OTHERS),
    ("sudo modprobe xdma", OTHERS),
    ("ls /dev/xdma0_*", OTHERS),
    ("sudo cp scripts/60-sterna.rules /etc/udev/rules.d/", OTHERS),
    ("mkdir /tmp/nodes", OTHERS),
    ("sterna fake-card --mount /tmp/nodes &", STAYS),
    ("sterna run 'ROMEO:' --device xdma --root /tmp/nodes", CARD),
    ("cargo nextest run -E 'binary(reference) | binary(validation)' --no-capture", MINUTES),
    (
        "perf record -e cpu-clock -F 2999 sterna --threads 1 bench golden 370m.sterna -n 256 --prompt 1 --repeat 5",
        OTHERS,
    ),
    (
        "perf record -e cpu-clock -F 2999 sterna --threads 1 bench golden 370m.sterna -n 1 --prompt 512 --repeat 5",
        OTHERS,
    ),
    ("perf report --stdio --no-children -s symbol", OTHERS),
    ("scripts/compare-llama", MINUTES),
    ("sterna import DIR -o shakespeare-5m.sterna", "names no folder; the tour imports one"),
    (
        "curl localhost:8080/v1/completions -H 'Content-Type: application/json' -d '{\"model\":\"shakespeare-5m\",\"prompt\":\"ROMEO:\",\"max_tokens\":64}'",
        STAYS,
    ),
];

/// What a page's commands find: the tiny checkpoint under a published one's name, and the beginning
/// of the validation text.
fn desk(folder: &Path) {
    let tiny = root().join("model/demo/shakespeare-tiny");
    for name in ["MMfreeLM-370M", "model/demo/shakespeare-tiny"] {
        let copy = folder.join(name);
        fs::create_dir_all(&copy).unwrap();
        for file in ["config.json", "model.safetensors", "tokenizer.json"] {
            fs::copy(tiny.join(file), copy.join(file)).unwrap();
        }
    }
    let text = fs::read_to_string(root().join("model/demo/validation.txt")).unwrap();
    fs::write(folder.join("model/demo/validation.txt"), &text[..2000]).unwrap();
}

#[test]
fn examples_run() {
    let mut reasons: BTreeSet<&str> = NOT_RUN.iter().map(|(command, _)| *command).collect();
    assert_eq!(reasons.len(), NOT_RUN.len(), "a command has two reasons");
    let cases = tempfile::tempdir().unwrap();
    let mut run = 0;
    for (name, page) in pages() {
        let mut script = String::new();
        for block in blocks(&page) {
            for command in block.commands.iter().filter(|_| block.recording.is_none()) {
                if NOT_RUN.iter().any(|(listed, _)| listed == command) {
                    reasons.remove(command.as_str());
                    continue;
                }
                let ours = command.starts_with("sterna ") && !command.ends_with('&');
                assert!(ours, "{name}: `{command}` is neither run nor listed with a reason");
                script += &format!("```console\n$ {command}\n...\n```\n");
                run += 1;
            }
        }
        if !script.is_empty() {
            let stem = name.replace(['/', '.'], "-");
            fs::write(cases.path().join(format!("{stem}.trycmd")), script).unwrap();
            desk(&cases.path().join(format!("{stem}.in")));
        }
    }
    assert!(reasons.is_empty(), "no page shows {reasons:?}");
    assert!(run >= 10, "only {run} commands are run");
    TestCases::new()
        .register_bin("sterna", Bin::Path(env!("CARGO_BIN_EXE_sterna").into()))
        .env("STERNA_CONFIG", "")
        .timeout(Duration::from_secs(120))
        .case(cases.path().join("*.trycmd"))
        .run();
}
