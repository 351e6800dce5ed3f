//! What several test programs use.

// Each test binary uses some of it.
#![allow(dead_code)]

pub mod around;
pub mod attacks;
pub mod axi;
pub mod bench;
pub mod differential;
pub mod exaggerated;
pub mod reader;

use std::path::PathBuf;

use sterna_sim::Options;

/// Models are kept below the target folder, so that a second run is quick.
pub fn options() -> Options {
    let cache = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cache");
    Options { quick: true, cache: Some(cache), ..Options::default() }
}

/// A number from the environment.
pub fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
}

/// `STERNA_SEED`, or a fixed one; printed, so that a failure can be replayed.
pub fn seed() -> u64 {
    let seed = setting("STERNA_SEED", 1);
    eprintln!("STERNA_SEED={seed}");
    seed
}

/// Folder of the Verilator that the tests use.
pub fn verilator_root() -> PathBuf {
    if let Some(root) = std::env::var_os("VERILATOR_ROOT") {
        return root.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = std::env::split_paths(&path);
    let bin = folders.find(|f| f.join("verilator_bin").is_file()).expect("Verilator is on PATH");
    bin.parent().expect("bin has a parent").to_path_buf()
}
