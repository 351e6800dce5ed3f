//! Every message.

mod common;

use std::path::{Path, PathBuf};

use common::reader::Reader;
use sterna_firmware::geometry::Geometry;
use sterna_firmware::shape::Shape;
use sterna_hdl::core::memory_widths;
use sterna_hdl::driver::Transport;
use sterna_hdl::registers::ADDRESS_BITS;
use sterna_rtl::{AxiKind, AxiWidths, Design, Generate, Module, RtlError, SInt, UInt};
use sterna_sim::memory::MemoryOptions;
use sterna_sim::{CardOptions, Model, Options, SimCard, SimError, Simulator, Words};

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
    let text = format!("{}: {error}", error.code());
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
    assert!(error.to_string().starts_with("Verilator refuses `sums`:\n"));
    let first = SimError::Verilator { top: top.clone(), said: "Verilator's own words".into() };
    refused::<()>("verilog_is_broken", Err(first));
}

/// Who damaged the cache is told which file to delete.
#[test]
fn the_model_is_damaged() {
    let options = common::options();
    let m = Module::new("damaged");
    m.output("y", UInt(8)).set(m.input("x", UInt(8)));
    let design = m.build().unwrap();
    Model::build(&design, &options).unwrap();
    let cache = options.cache.clone().expect("a folder of the tests").join("verilated");
    let mut folders = std::fs::read_dir(cache).unwrap().map(|entry| entry.unwrap().path());
    let folder = folders.find(|folder| folder.join("damaged.v").exists()).expect("a model");
    let model = folder.join("model.so");
    std::fs::write(&model, "no library at all, but long enough to be read as the head of one")
        .unwrap();
    let error = Model::build(&design, &options).map(|_| ()).unwrap_err();
    let SimError::Load { path, .. } = &error else { panic!("{error}") };
    assert_eq!(path, &model.canonicalize().unwrap());
    std::fs::remove_dir_all(folder).unwrap();
    let why = "the loader's own words".into();
    refused::<()>("the_model_is_damaged", Err(SimError::Load { path: "model.so".into(), why }));
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
    let options = Options { trace: sterna_sim::Trace::Waveform, ..common::options() };
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

/// A master that takes its offer back, and a slave that never answers.
struct Rude;

impl Generate for Rude {
    fn name(&self) -> String {
        "rude".into()
    }

    fn describe(&self, m: &Module) {
        let widths = memory_widths(64);
        let axi = m.axi_master("m_axi", AxiKind::Full, widths);
        let count = m.reg("count", UInt(8)).reset(0);
        count.set(count.wrapping_add(1));
        for (name, width) in [("ar", 40), ("aw", 40)] {
            let get = |signal: &str| axi.get(&format!("{name}{signal}"));
            get("addr").set(m.cat(&[m.lit(UInt(width - 11), 0), count, m.lit(UInt(3), 0)]));
            get("size").set(3);
            get("burst").set(1);
            get("cache").set(3);
            for signal in ["id", "prot", "len", "lock", "qos"] {
                get(signal).set(0);
            }
        }
        axi.get("arvalid").set(count.ge(40));
        for name in ["awvalid", "wvalid", "wdata", "wstrb", "wlast", "rready"] {
            axi.get(name).set(0);
        }
        axi.get("bready").set(axi.get("bvalid"));
        let lite = AxiWidths { addr: ADDRESS_BITS, data: 32, id: 1 };
        let bus = m.axi_slave("s_axi", AxiKind::Lite, lite);
        for name in ["awready", "wready", "bvalid", "bresp", "arready", "rvalid", "rdata", "rresp"]
        {
            bus.get(name).set(0);
        }
    }
}

#[test]
fn designs_are_rude() {
    let model = common::options();
    let memory = MemoryOptions { bytes: 4096, ..MemoryOptions::default() };
    let options = CardOptions { memory, model, patience: 1 << 20 };
    let card = || SimCard::of(&Rude.build().unwrap(), 64, &options).unwrap();
    let mut busy = card();
    let error = (0..200).find_map(|_| busy.step().err()).expect("the memory is full at last");
    refused::<()>("an_offer_is_taken_back", Err(error));
    refused("no_such_register", registers().read_register(0x800));
    refused("a_register_that_is_only_read", registers().write_register(0, 1));
    refused("outside_the_memory", registers().read_memory(4090, &mut [0; 7]));
    refused("written_outside_the_memory", registers().write_memory(u64::MAX, &[0; 7]));
    let error = RtlError { module: "sterna_core".into(), problems: vec![] };
    refused::<()>("no_such_core", Err(SimError::Core(error)));
}

/// A card with the core's registers.
fn registers() -> SimCard {
    let shape = Shape { hidden: 32, inner: 32, intermediate: 32, layers: 1, vocab: 2 };
    let geometry = Geometry::for_shape(64, &shape);
    let memory = MemoryOptions { bytes: 4096, ..MemoryOptions::default() };
    let options = CardOptions { memory, model: common::options(), patience: 1 << 20 };
    SimCard::of(&Reader { geometry }.build().unwrap(), 64, &options).unwrap()
}
