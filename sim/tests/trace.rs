//! Waveforms: only the window that was asked for, with the design's names and values.

mod common;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use fst_reader::{FstFilter, FstHierarchyEntry, FstReader, FstSignalValue};
use sterna_rtl::{Design, Generate, Module, UInt};
use sterna_sim::{Options, Simulator};

/// A register below the top.
struct Stage;

impl Generate for Stage {
    fn name(&self) -> String {
        "stage".into()
    }

    fn describe(&self, m: &Module) {
        let x = m.input("x", UInt(100));
        m.output("y", UInt(100)).set(x.register("held"));
    }
}

fn counter() -> Design {
    let m = Module::new("traced");
    let count = m.reg("count", UInt(100)).reset(0);
    count.set(count.wrapping_add(1));
    let stage = m.instance("u_stage", &Stage);
    stage.set("x", count);
    m.output("value", UInt(100)).set(stage.port("y"));
    m.build().unwrap()
}

/// Times and values of every signal by its path.
fn read(path: &Path) -> BTreeMap<String, Vec<(u64, u128)>> {
    let mut reader = FstReader::open(BufReader::new(File::open(path).unwrap())).unwrap();
    assert_eq!(reader.get_header().timescale_exponent, -9, "1 ns");
    let (mut scopes, mut names) = (vec![], BTreeMap::new());
    reader
        .read_hierarchy(|entry| match entry {
            FstHierarchyEntry::Scope { name, .. } => scopes.push(name),
            FstHierarchyEntry::UpScope => drop(scopes.pop()),
            FstHierarchyEntry::Var { name, handle, .. } => {
                // Verilator adds the range: `count [99:0]`.
                let name = name.split(' ').next().unwrap_or_default().to_string();
                let path: Vec<String> = scopes.iter().cloned().chain([name]).collect();
                names.insert(path.join("."), handle.get_index());
            }
            _ => {}
        })
        .unwrap();
    let mut changes: BTreeMap<usize, Vec<(u64, u128)>> = BTreeMap::new();
    reader
        .read_signals(&FstFilter::all(), |time, handle, value| {
            let FstSignalValue::String(digits) = value else { return Ok(()) };
            let bits = digits.iter().fold(0, |bits, d| bits << 1 | u128::from(*d == b'1'));
            changes.entry(handle.get_index()).or_default().push((time, bits));
            Ok::<(), ()>(())
        })
        .unwrap();
    let changes = |index| changes.get(&index).cloned().unwrap_or_default();
    names.into_iter().map(|(name, index)| (name, changes(index))).collect()
}

fn file(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_file(&path);
    path
}

#[test]
fn windows_hold_their_clocks() {
    let options = Options { trace: sterna_sim::Trace::Waveform, ..common::options() };
    let mut sim = Simulator::build(&counter(), &options).unwrap();
    let (first, second) = (file("first.fst"), file("second.fst"));
    sim.reset().unwrap();
    sim.steps(99).unwrap();
    assert!(!first.exists());
    sim.trace_start(&first).unwrap();
    sim.steps(10).unwrap();
    sim.trace_stop().unwrap();
    sim.steps(50).unwrap();
    sim.trace_start(&second).unwrap();
    sim.steps(300).unwrap();
    sim.trace_stop().unwrap();
    sim.steps(5).unwrap();

    for (path, from, clocks) in [(&first, 100, 10), (&second, 160, 300)] {
        let signals = read(path);
        let names: Vec<&str> = signals.keys().map(String::as_str).collect();
        let count = &signals.iter().find(|s| s.0.ends_with("dut.count")).expect("the register").1;
        assert!(names.iter().any(|n| n.ends_with("dut.u_stage.held")), "{names:?}");
        // After reset, which is clock 0, the register counts clocks.
        let expected: Vec<(u64, u128)> = (from..from + clocks + 1)
            .map(|n| (if n == from { 10 * n } else { 10 * n - 5 }, u128::from(n - 1)))
            .collect();
        assert_eq!(**count, expected);
    }
}

/// The end of a window is in its file even when nobody stops it.
#[test]
fn dropping_completes_the_file() {
    let options = Options { trace: sterna_sim::Trace::Waveform, ..common::options() };
    let mut sim = Simulator::build(&counter(), &options).unwrap();
    let path = file("dropped.fst");
    sim.trace_start(&path).unwrap();
    sim.steps(3).unwrap();
    drop(sim);
    assert!(read(&path).values().flatten().any(|(time, _)| *time == 25));
}
