//! Every message, and that every code is used once.

mod common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use sterna_rtl::{Design, Module, SInt, UInt};
use sterna_sim::{Model, Options, SimError, Simulator, Words};

fn design() -> Design {
    let m = Module::new("sums");
    let (a, b) = (m.input("a", UInt(8)), m.input("b", SInt(40)));
    let wide = m.input("wide", UInt(100));
    m.output("sum", UInt(9)).set(a + 1);
    m.output("kept", SInt(40)).set(b.register("held"));
    m.output("high", UInt(100)).set(!wide);
    m.build().unwrap()
}

fn sim() -> Simulator {
    Simulator::build(&design(), &common::options()).unwrap()
}

/// Snapshots a message, without what differs between machines.
fn refused<T>(name: &str, result: Result<T, SimError>) {
    let error = match result {
        Ok(_) => panic!("{name} is not refused"),
        Err(error) => error,
    };
    let mut text = error.to_string();
    assert!(text.starts_with(&format!("{}: ", error.code())), "{text}");
    match &error {
        // What other programs say is theirs to change.
        SimError::Verilator { said, .. } => text = text.replace(said, "(Verilator's own words)"),
        SimError::Load { path, why } => {
            text = text.replace(why, "(the loader's own words)");
            text = text.replace(path.to_str().unwrap(), "(the library)");
        }
        _ => {}
    }
    let text = text.replace(env!("CARGO_TARGET_TMPDIR"), "TMP");
    insta::assert_snapshot!(name, text);
}

fn nowhere() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("nowhere")
}

#[test]
fn verilator_is_missing() {
    let options = Options { verilator_root: Some(nowhere()), ..common::options() };
    refused("verilator_is_missing", Model::build(&design(), &options).map(|_| ()));
}

/// The file is there, but it is no program.
#[test]
fn verilator_does_not_start() {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-program");
    std::fs::create_dir_all(root.join("bin")).unwrap();
    std::fs::create_dir_all(root.join("include")).unwrap();
    std::fs::write(root.join("include/verilated.h"), "").unwrap();
    std::fs::write(root.join("bin/verilator_bin"), "").unwrap();
    let options = Options { verilator_root: Some(root), ..common::options() };
    let error = Model::build(&design(), &options).map(|_| ()).unwrap_err();
    assert_eq!(error.code(), "S001");
    assert!(error.to_string().contains("bin/verilator_bin: exit status: 126"), "{error}");
}

#[test]
fn compiler_is_missing() {
    let options = Options { compiler: Some("no-such-compiler".into()), ..common::options() };
    refused("compiler_is_missing", Model::build(&design(), &options).map(|_| ()));
    let options = Options { compiler: Some(nowhere()), ..common::options() };
    refused("compiler_is_not_there", Model::build(&design(), &options).map(|_| ()));
}

#[test]
fn verilog_is_broken() {
    let mut design = design();
    design.files[0].text = "module sums (input wire x)\nendmodule\n".into();
    let error = Model::build(&design, &common::options()).map(|_| ()).unwrap_err();
    let SimError::Verilator { top, said } = &error else { panic!("{error}") };
    assert_eq!(top, "sums");
    assert!(said.contains("sums.v:2:1: syntax error"), "Verilator's own words: {said}");
    refused::<()>("verilog_is_broken", Err(error));
}

#[test]
fn the_compiler_fails() {
    // It says its version, and then fails whatever it is asked.
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("failing-compiler");
    let script = "#!/bin/sh\n[ \"$1\" = --version ] && echo failing 1.0 && exit\n\
                  echo 'internal compiler error' >&2\nexit 1\n";
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .unwrap();
    let options = Options { compiler: Some(program), ..common::options() };
    refused("the_compiler_fails", Model::build(&design(), &options).map(|_| ()));
}

#[test]
fn the_cache_is_a_file() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("a-file");
    std::fs::write(&file, "").unwrap();
    let options = Options { cache: Some(file), ..Options::default() };
    refused("the_cache_is_a_file", Model::build(&design(), &options).map(|_| ()));
}

#[test]
fn a_cached_model_is_broken() {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("broken-model");
    let _ = std::fs::remove_dir_all(&cache);
    let options = Options { cache: Some(cache.clone()), ..common::options() };
    drop(Model::build(&design(), &options).unwrap());
    let mut broken = 0;
    for folder in std::fs::read_dir(cache.join("verilated")).unwrap() {
        let library = folder.unwrap().path().join("model.so");
        if library.is_file() {
            // A new file: the loader may still know the old one.
            std::fs::remove_file(&library).unwrap();
            std::fs::write(&library, "no library").unwrap();
            broken += 1;
        }
    }
    assert_eq!(broken, 1);
    refused("a_cached_model_is_broken", Model::build(&design(), &options).map(|_| ()));
}

/// The environment belongs to a whole process, so this test starts itself in another.
#[test]
fn there_is_no_cache() {
    const FOLDERS: [&str; 3] = ["STERNA_CACHE", "XDG_CACHE_HOME", "HOME"];
    if FOLDERS.iter().all(|name| std::env::var_os(name).is_none()) {
        let options = Options { cache: None, ..common::options() };
        return refused("there_is_no_cache", Model::build(&design(), &options).map(|_| ()));
    }
    let mut itself = Command::new(std::env::current_exe().unwrap());
    itself.args(["--exact", "there_is_no_cache"]);
    FOLDERS.iter().for_each(|name| _ = itself.env_remove(name));
    assert!(itself.status().unwrap().success());
}

#[test]
fn ports_are_wrong() {
    let mut sim = sim();
    refused("no_such_port", sim.input::<u64>("c"));
    refused("output_as_input", sim.input::<u64>("sum"));
    refused("input_as_output", sim.output::<u64>("a"));
    refused("the_clock", sim.input::<u64>("clk"));
    refused("signed_as_unsigned", sim.input::<u64>("b"));
    refused("unsigned_as_signed", sim.output::<i64>("sum"));
    refused("too_wide_for_u64", sim.output::<u64>("high"));
    refused("eight_bits_are_no_bool", sim.input::<bool>("a"));
    refused("poke_of_an_output", sim.poke("sum", 1));
}

#[test]
fn values_are_wrong() {
    let mut sim = sim();
    let (a, b) = (sim.input::<u64>("a").unwrap(), sim.input::<i64>("b").unwrap());
    let (wide, words) = (sim.input::<u128>("wide").unwrap(), sim.input::<Words>("wide").unwrap());
    refused("256_in_8_bits", sim.set(a, 256));
    refused("below_40_bits", sim.set(b, -(1 << 39) - 1));
    refused("101_bits", sim.set(wide, 1 << 100));
    refused("101_bits_as_words", sim.set_words(words, &[0, 0, 0, 16]));
    refused("three_words", sim.set_words(words, &[0; 3]));
    refused("poke_below_zero", sim.poke("a", -1));
    let high = sim.output::<Words>("high").unwrap();
    refused("five_words", sim.get_words(high, &mut [0; 5]));
    // None of these changed anything.
    assert!(sim.peek("high").unwrap().not().is_zero());
}

#[test]
fn a_handle_of_another_design() {
    let m = Module::new("other");
    let x = m.input("x", UInt(8));
    m.output("y", UInt(8)).set(!x);
    let other = Simulator::build(&m.build().unwrap(), &common::options()).unwrap();
    let x = other.input::<u64>("x").unwrap();
    refused("a_handle_of_another_design", sim().set(x, 1));
}

#[test]
fn waveforms_are_wrong() {
    let mut sim = sim();
    refused("no_waveforms", sim.trace_start("never.fst"));
    refused("no_waveforms_to_stop", sim.trace_stop());
    let options = Options { trace: true, ..common::options() };
    let mut sim = Simulator::build(&design(), &options).unwrap();
    refused("no_folder_for_the_waveform", sim.trace_start(nowhere().join("x.fst")));
    sim.step().unwrap();
}

#[test]
fn an_assertion_fails() {
    let m = Module::new("watched");
    let count = m.reg("count", UInt(8)).reset(0);
    count.set(count.wrapping_add(1));
    m.output("value", UInt(8)).set(count);
    m.assert("never_five", count.ne(5));
    let design = m.build().unwrap();

    let options = Options { assertions: true, ..common::options() };
    let mut sim = Simulator::build(&design, &options).unwrap();
    sim.reset().unwrap();
    sim.steps(5).unwrap();
    refused("an_assertion_fails", sim.step());
    refused("it_stays_stopped", sim.step());
    let mut unwatched = Simulator::build(&design, &common::options()).unwrap();
    unwatched.reset().unwrap();
    unwatched.steps(300).unwrap();
}

#[test]
fn codes_are_unique() {
    let text = include_str!("../src/error.rs");
    let codes: Vec<&str> = text
        .split("error(")
        .skip(1)
        .filter_map(|t| {
            let at = t.find("\"S")?;
            t.get(at + 1..at + 5)
        })
        .collect();
    let unique: BTreeSet<&str> = codes.iter().copied().collect();
    assert_eq!(codes.len(), 15, "{codes:?}");
    assert_eq!(unique.len(), codes.len(), "{codes:?}");
}
