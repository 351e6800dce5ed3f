//! `sterna power estimate`: the table of energies, the arithmetic, the variants, the command.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use sterna::board::schema;
use sterna::power::estimate::account::{Account, Class};
use sterna::power::estimate::energies::{Coefficients, Energies};
use sterna::power::estimate::range::Range;
use sterna_firmware::device::Counters;
use sterna_firmware::geometry::Geometry;
use sterna_firmware::model::Model;
use sterna_rtl::random::Rng;
use sterna_sim::Options;
use sterna_sim::activity::{Activity, Bounds, Measured, Place, measure};

// ----- the table -----

/// A table with round numbers.
const TABLE: &str = r#"
[source.a]
title = "A"
url = ""
checked = false
note = "made up"

[fpga.ecp5]
what = "made up"
toggle_pj = { range = [1, 2], source = ["a"] }
clock_pj = { range = [0.5, 1], source = ["a"] }
memory_bit_pj = { range = [2, 4], source = ["a"] }
product_bit_pj = { range = [0.25, 0.5], source = ["a"] }
static_w = { range = [0.5, 1], source = ["a"] }

[memory.sdr]
what = "made up"
bit_pj = { range = [100, 200], source = ["a"] }
background_w = { range = [0.25, 0.5], source = ["a"] }
"#;

fn read(text: &str) -> sterna::Result<Energies> {
    Energies::read(Path::new("table.toml"), text)
}

fn coefficients() -> Coefficients {
    read(TABLE).unwrap().select("ecp5", "sdr").unwrap()
}

#[test]
fn the_built_in_table_has_every_board() {
    let energies = Energies::built_in();
    let kinds = schema::find("memory", "kind").unwrap().kind;
    let schema::Kind::Choice(kinds) = kinds else { panic!("a kind of memory is a choice") };
    for family in schema::FAMILIES {
        for kind in kinds {
            let c = energies.select(family, kind).unwrap();
            assert!(c.toggle.low > 0.0 && c.static_watts.low > 0.0, "{family}");
            assert!(c.external_bit.low > 0.0, "{kind}");
            assert_eq!(c.background_watts.high == 0.0, *kind == "block");
            assert!(c.used.iter().all(|number| !number.sources.is_empty()));
        }
    }
}

#[test]
fn wrong_tables_are_refused() {
    let change = |from: &str, to: &str| {
        assert!(TABLE.contains(from), "{from}");
        read(&TABLE.replacen(from, to, 1)).unwrap_err()
    };
    let selected = |family, kind| read(TABLE).unwrap().select(family, kind).unwrap_err();
    let errors = [
        change("[fpga.ecp5]", "[fpga.ecp5"),
        change("checked = false\n", ""),
        change("toggle_pj", "toggel_pj"),
        change("source = [\"a\"] }", "}"),
        change("source = [\"a\"] }", "source = [] }"),
        change("source = [\"a\"] }", "source = [\"b\"] }"),
        change("range = [1, 2]", "range = [2, 1]"),
        change("range = [1, 2]", "range = [-1, 2]"),
        change("range = [1, 2]", "range = [1, inf]"),
        change("range = [1, 2]", "range = [nan, 2]"),
        change("range = [1, 2]", "range = [1]"),
        selected("gw2a-18c", "sdr"),
        selected("ecp5", "hbm"),
    ];
    let lines: Vec<String> = errors.iter().map(|e| format!("{}: {e}", e.code())).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

// ----- the arithmetic -----

fn place(path: &str, module: &str) -> Place {
    let (path, module) = (path.into(), module.into());
    Place { path, module, ..Place::default() }
}

/// A token of 100 beats of 64 bits in 140 clocks, 12 words of 64 bits besides.
fn measured() -> Measured {
    let bounds = |low, high| Bounds { low, high };
    let activity = Activity {
        clocks: 140,
        places: vec![
            Place { logic_toggles: 10, logic_bits: 64, ..place("", "sterna_core") },
            Place { clocked_bits: 8, clocked_toggles: 20, ..place("u_engine", "engine") },
            Place {
                clocked_bits: 64,
                clocked_toggles: 4000,
                memory_bits: bounds(12_800, 12_800),
                ..place("u_engine/u_memory_port/u_fifo", "fifo")
            },
            Place {
                clocked_bits: 32,
                clocked_toggles: 600,
                logic_toggles: 200,
                unnamed_toggles: 100,
                product_bits: bounds(1000, 3000),
                ..place("u_engine/u_ternary_unit", "ternary_unit_w64")
            },
            Place {
                logic_toggles: 300,
                unnamed_toggles: 50,
                ..place("u_engine/u_ternary_unit/u_decode_0", "trit_decode")
            },
        ],
        unseen_bits: 0,
    };
    let counters = Counters { cycles: 130, beats: 100, starved: 10, blocked: 10, idle: 10 };
    Measured { activity, counters, read_bits: 110 * 64, written_bits: 2 * 64, token: 1 }
}

/// At 1 MHz, on a memory that brings a beat every other clock.
fn account() -> Account {
    Account::new(&measured(), 64, 2.0, 1e6)
}

fn near(range: Range, low: f64, high: f64) {
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * b.abs();
    assert!(close(range.low, low) && close(range.high, high), "{range:?}, not {low} – {high}");
}

#[test]
fn joules_are_counts_times_energies() {
    let (account, c) = (account(), coefficients());
    // 40 clocks without a beat, 100 beats of two clocks each.
    assert_eq!((account.clocks(), account.seconds()), (240.0, 240e-6));
    let classes = account.classes(&c);
    let of = |wanted: Class| classes.iter().find(|(class, _)| *class == wanted).unwrap().1;
    near(of(Class::Logic), 510e-12, 660.0 * 2e-12);
    near(of(Class::Registers), 4620e-12, 4620.0 * 2e-12);
    near(of(Class::Clock), 104.0 * 240.0 * 0.5e-12, 104.0 * 240.0 * 1e-12);
    near(of(Class::Memories), 12_800.0 * 2e-12, 12_800.0 * 4e-12);
    near(of(Class::Products), 1000.0 * 0.25e-12, 3000.0 * 0.5e-12);
    near(of(Class::External), 112.0 * 64.0 * 100e-12, 112.0 * 64.0 * 200e-12);
    near(of(Class::Background), 0.25 * 240e-6, 0.5 * 240e-6);
    near(of(Class::Static), 0.5 * 240e-6, 1.0 * 240e-6);
    let sum = |high| classes.iter().map(|(_, joules)| joules.end(high)).sum();
    near(account.joules(&c), sum(false), sum(true));
}

#[test]
fn units_share_what_is_not_static_or_outside() {
    let (account, c) = (account(), coefficients());
    let names: Vec<&str> = account.units.iter().map(|unit| unit.name.as_str()).collect();
    assert_eq!(names, ["ports", "engine", "memory_port", "ternary_unit"]);
    let mut units = Range::default();
    account.units.iter().for_each(|unit| units += account.unit_joules(unit, &c));
    let inside = &account.classes(&c)[..5];
    let sum = |high| inside.iter().map(|(_, joules)| joules.end(high)).sum();
    near(units, sum(false), sum(true));
}

#[test]
fn a_core_that_waits_for_nothing_takes_a_clock_a_beat() {
    let account = Account::new(&measured(), 64, 0.25, 1e6);
    assert_eq!(account.clocks(), 140.0);
}

// ----- the variants -----

#[test]
fn two_bits_a_weight_are_more_beats_and_no_decoder() {
    let plain = account().plain(4000.0);
    // 4000 weights take 1600 bits more; the image had 6400.
    assert_eq!((plain.image_bits, plain.beats), (8000.0, 125.0));
    assert_eq!(plain.clocks(), 40.0 + 125.0 * 2.0);
    assert_eq!(plain.other_bits, account().other_bits);
    let unit = |name: &str| plain.units.iter().find(|unit| unit.name == name).unwrap();
    assert_eq!(unit("memory_port").counts.registers, 5000.0);
    assert_eq!(unit("memory_port").counts.clocked_bits, 64.0);
    near(unit("memory_port").counts.memory_bits, 16_000.0, 16_000.0);
    assert_eq!(unit("ternary_unit").counts, account().units[3].counts);
    assert_eq!(unit("ternary_unit").decoders, Default::default());
}

#[test]
fn a_batch_reads_once_and_works_four_times() {
    let batched = account().batched();
    assert_eq!(batched.image_bits, 1600.0);
    assert_eq!(batched.other_bits, account().other_bits);
    // The lanes now are the slower ones.
    assert_eq!(batched.clocks(), 140.0);
    assert_eq!(batched.units[2].counts.registers, 1000.0);
    assert_eq!(batched.units[3].counts, account().units[3].counts);
    near(batched.units[3].decoders.logic, 75.0, 87.5);
    // A memory that is slower still goes on to limit them.
    assert_eq!(Account::new(&measured(), 64, 8.0, 1e6).batched().clocks(), 240.0);
}

#[test]
fn a_ratio_holds_for_every_table_within_the_ranges() {
    let (account, c) = (account(), coefficients());
    near(account.ratio(&account, &c), 1.0, 1.0);
    let seed = std::env::var("STERNA_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    eprintln!("STERNA_SEED={seed}");
    let mut rng = Rng::new(seed);
    for other in [account.plain(4000.0), account.batched()] {
        let range = other.ratio(&account, &c);
        let (own, theirs) = (other.joules(&c), account.joules(&c));
        // Crosswise the ends would say next to nothing.
        assert!(range.low > own.low / theirs.high && range.high < own.high / theirs.low);
        for _ in 0..500 {
            let mut within = |range: Range| {
                let part = rng.below(1001) as f64 / 1000.0;
                Range::exactly(range.low + part * (range.high - range.low))
            };
            let exact = Coefficients {
                toggle: within(c.toggle),
                clock: within(c.clock),
                memory_bit: within(c.memory_bit),
                product_bit: within(c.product_bit),
                external_bit: within(c.external_bit),
                static_watts: within(c.static_watts),
                background_watts: within(c.background_watts),
                used: vec![],
            };
            for high in [false, true] {
                let ratio = other.joules(&exact).end(high) / account.joules(&exact).end(high);
                let slack = 1e-9 * ratio;
                assert!(range.low - slack <= ratio && ratio <= range.high + slack, "{ratio}");
            }
        }
    }
}

// ----- the command -----

/// A folder with a small model in it; results are kept in a cache of this test alone.
struct Desk(tempfile::TempDir);

impl Desk {
    fn with_model() -> Desk {
        let desk = Desk(tempfile::tempdir().unwrap());
        let sizes = ["--hidden", "32", "--layers", "1", "--vocab", "40"];
        desk.run(&[&["synth"], &sizes[..], &["-o", "made"]].concat());
        desk.run(&["import", "made", "-o", "small.sterna"]);
        desk
    }

    fn cache(&self) -> PathBuf {
        self.0.path().join("cache")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sterna"));
        command.args(args).current_dir(self.0.path()).env("STERNA_CACHE", self.cache());
        command
    }

    fn run(&self, args: &[&str]) -> String {
        let output = self.command(args).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }
}

/// Numbers and their prefixes as `#`: they follow from the hardware as it is.
fn without_numbers(text: &str) -> String {
    let words = text.split_inclusive(char::is_whitespace).map(|word| {
        let digits = word.trim_end();
        if digits.parse::<f64>().is_ok() { word.replace(digits, "#") } else { word.to_string() }
    });
    let text: String = words.collect();
    let units = ["J", "W", "s"].iter().flat_map(|unit| {
        ["", "m", "µ", "n", "p"].map(|prefix| (format!("# {prefix}{unit}"), format!("# {unit}")))
    });
    units.fold(text, |text, (from, to)| text.replace(&from, &to))
}

/// Paragraphs of equal rows in the order of the alphabet: largest first would change with the
/// hardware.
fn sorted(text: &str) -> String {
    let paragraph = |paragraph: &str| {
        let mut lines: Vec<&str> = paragraph.lines().collect();
        if lines[0].contains("by unit") {
            lines[1..].sort_unstable();
        }
        lines.join("\n")
    };
    text.split("\n\n").map(paragraph).collect::<Vec<_>>().join("\n\n")
}

/// What was kept agrees with what the core itself counted.
fn every_beat_passes_the_fifo(desk: &Desk) {
    let model = Model::open(&desk.0.path().join("small.sterna")).unwrap();
    let geometry = Geometry::for_shape(64, &model.shape());
    let options = Options { cache: Some(desk.cache()), ..Options::default() };
    let Measured { activity, counters, read_bits, .. } =
        measure(&model, &geometry, 1, &options).unwrap();
    assert!(activity.clocks >= counters.cycles);
    let image = counters.beats * 64;
    // The row of the embedding is read, too: 32 elements of 16 bits, and what they come with.
    assert!(image < read_bits && read_bits < image + 4096, "{image} {read_bits}");
    let fifo = activity.places.iter().find(|place| place.path.ends_with("u_image/u_fifo")).unwrap();
    assert_eq!(fifo.memory_bits, Bounds { low: 2 * image, high: 2 * image });
}

#[test]
fn a_small_model_is_estimated_once() {
    let desk = Desk::with_model();
    let args = ["power", "estimate", "small.sterna", "--sim-bus", "64"];
    let text = desk.run(&args);
    insta::assert_snapshot!("estimate", sorted(&without_numbers(&text)));
    // The second time it is not simulated, so it needs no Verilator.
    let kept = desk.cache().join("verilated");
    for entry in fs::read_dir(&kept).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        }
    }
    let blind = |args: &[&str]| {
        let mut command = desk.command(args);
        command.env_remove("VERILATOR_ROOT").env("PATH", "").output().unwrap()
    };
    let again = blind(&args);
    assert_eq!(String::from_utf8_lossy(&again.stdout), text);
    let with_sources = desk.run(&[&args[..], &["--sources"]].concat());
    insta::assert_snapshot!("estimate_sources", with_sources.strip_prefix(&text).unwrap());

    let json: Value = serde_json::from_str(&desk.run(&[&args[..], &["--json"]].concat())).unwrap();
    assert_eq!(json["evidence"], "model, not measurement");
    assert_eq!(json["unseen_bits"], 0);
    let end = |value: &Value, end: &str| value[end].as_f64().unwrap();
    for side in ["low", "high"] {
        let classes = json["classes"].as_array().unwrap().iter();
        let sum: f64 = classes.map(|share| end(&share["joules"], side)).sum();
        assert!((sum / end(&json["joules"], side) - 1.0).abs() < 1e-9);
    }
    every_beat_passes_the_fifo(&desk);

    // A slower clock is a longer token, which stands still for longer.
    let args = [&args[..], &["--clock", "30", "--json"]].concat();
    let slow: Value = serde_json::from_str(&desk.run(&args)).unwrap();
    assert!(end(&slow["still"], "low") > 1.2 * end(&json["still"], "low"));
    assert_eq!(slow["cycles"], json["cycles"]);

    // The model as a meter: the same number, by way of a recording, under the same label.
    fs::create_dir(desk.0.path().join("empty")).unwrap();
    let run = ["power", "run", "small.sterna", "--device", "sim", "--sim-bus", "64"];
    let more = ["--sysroot", "empty", "--seconds", "1", "--idle", "0.1", "--json"];
    let report: Value = serde_json::from_str(&desk.run(&[&run[..], &more].concat())).unwrap();
    let meter = &report["recordings"][0]["analysis"]["meters"][0];
    assert_eq!(meter["label"], "model, not measurement");
    let summary = &meter["summary"]["known"];
    let joules = summary["gross_j_per_token"]["median"].as_f64().expect("a figure");
    let middle = (end(&json["joules"], "low") + end(&json["joules"], "high")) / 2.0;
    assert!((joules / middle - 1.0).abs() < 0.2, "{joules} J, and {middle} J estimated");
    assert_eq!((&summary["watts"], &summary["net_j_per_token"]), (&Value::Null, &Value::Null));

    // Another token was not simulated yet.
    let other = blind(&["power", "estimate", "small.sterna", "--sim-bus", "64", "--token", "2"]);
    let error = String::from_utf8_lossy(&other.stderr);
    assert!(!other.status.success() && error.starts_with("error[S001]"), "{error}");
}

#[test]
fn a_wrong_table_is_named_by_the_command() {
    let desk = Desk::with_model();
    fs::write(desk.0.path().join("mine.toml"), TABLE.replace("[1, 2]", "[2, 1]")).unwrap();
    let args = ["power", "estimate", "small.sterna", "--energies", "mine.toml"];
    let output = desk.command(&args).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!("estimate_wrong_table", String::from_utf8_lossy(&output.stderr));
}
