//! A model is compiled once, whoever asks, and however many ask at once.

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread;

use sterna_rtl::{Design, Module, UInt};
use sterna_sim::{Model, Options};

fn design(add: u64) -> Design {
    let m = Module::new("cached");
    let x = m.input("x", UInt(8));
    m.output("y", UInt(9)).set(x + m.lit(UInt(8), add));
    m.build().unwrap()
}

/// A cache of its own in an empty folder.
fn empty(name: &str) -> Options {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    Options { cache: Some(folder), ..common::options() }
}

/// A Verilator that writes down how it is called before it does what it should.
fn spy(folder: &Path) -> PathBuf {
    let real = common::verilator_root();
    let root = folder.join("spy");
    fs::create_dir_all(root.join("bin")).unwrap();
    std::os::unix::fs::symlink(real.join("include"), root.join("include")).unwrap();
    let program = root.join("bin/verilator_bin");
    let (log, real) = (folder.join("log"), real.join("bin/verilator_bin"));
    let text =
        format!("#!/bin/sh\necho \"$@\" >>'{}'\nexec '{}' \"$@\"\n", log.display(), real.display());
    fs::write(&program, text).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    root
}

#[test]
fn the_second_build_does_not_verilate() {
    let options = empty("once");
    let folder = options.cache.clone().unwrap();
    fs::create_dir_all(&folder).unwrap();
    let options = Options { verilator_root: Some(spy(&folder)), ..options };
    let runs = || {
        let log = fs::read_to_string(folder.join("log")).unwrap();
        log.lines().filter(|line| line.contains("--cc")).count()
    };

    assert!(Model::build(&design(1), &options).unwrap().is_fresh());
    assert_eq!(runs(), 1);
    let again = Model::build(&design(1), &options).unwrap();
    assert!(!again.is_fresh());
    assert_eq!(runs(), 1);
    let mut sim = again.simulator().unwrap();
    sim.poke("x", 255).unwrap();
    assert_eq!(sim.peek("y").unwrap().to_u64(), 256);

    assert!(Model::build(&design(2), &options).unwrap().is_fresh(), "another design");
    let traced = Options { trace: sterna_sim::Trace::Waveform, ..options.clone() };
    assert!(Model::build(&design(1), &traced).unwrap().is_fresh(), "other options");
    assert_eq!(runs(), 3);
    assert!(!Model::build(&design(1), &options).unwrap().is_fresh(), "the first is still there");
}

#[test]
fn builds_at_once_make_one_model() {
    let options = empty("at_once");
    let build = || Model::build(&design(3), &options).unwrap().is_fresh();
    let fresh = thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(build)).collect();
        threads.into_iter().map(|t| t.join().unwrap()).filter(|fresh| *fresh).count()
    });
    assert_eq!(fresh, 1);
    let left: Vec<_> = fs::read_dir(options.cache.unwrap().join("verilated"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(left.len(), 2, "the model and Verilator's run time, nothing half-made: {left:?}");
}

#[test]
fn a_failed_build_leaves_nothing() {
    let options = empty("failed");
    let mut broken = design(4);
    broken.files[0].text = "module cached (".into();
    assert!(Model::build(&broken, &options).is_err());
    let mut left: Vec<_> =
        fs::read_dir(options.cache.clone().unwrap().join("verilated")).unwrap().collect();
    left.retain(|entry| entry.as_ref().unwrap().path().is_dir());
    assert_eq!(left.len(), 0);
    assert!(Model::build(&design(4), &options).unwrap().is_fresh());
}
