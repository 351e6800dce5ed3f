//! Random modules of every operator, registers and memories, 1 to 1,024 bits wide: the interpreter
//! against Verilator.
//!
//! `STERNA_SEED` sets where the seeds begin. A difference is printed with the command that repeats
//! it alone. `STERNA_FUZZ` sets how many modules the long run takes.

mod common;

use common::{differential, setting};
use sterna_rtl::random;
use sterna_sim::Options;

/// Modules that are compiled together.
const BATCH: u64 = 100;
/// Next to the compiler they cost nothing.
const CLOCKS: u32 = 200;

/// Runs `count` modules from the seed on, of up to `most` bits.
fn run(first: u64, count: u64, most: u32, options: &Options) {
    for start in (first..first + count).step_by(BATCH as usize) {
        let seeds = start..(start + BATCH).min(first + count);
        eprintln!("seeds {seeds:?}, modules of up to {most} bits");
        let design =
            |seed| random::design(seed, most).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        let designs: Vec<_> = seeds.map(design).collect();
        match differential::compare("fuzz", &designs, CLOCKS, start, options) {
            Ok(None) => {}
            Ok(Some((i, difference))) => panic!(
                "{difference}\nSTERNA_SEED={} STERNA_MOST={most} cargo test -p sterna-sim \
                 --test fuzz one_module -- --ignored",
                start + i as u64
            ),
            Err(error) => panic!("seed {start}: {error}"),
        }
    }
}

#[test]
fn five_hundred_modules() {
    let (seed, options) = (common::seed(), common::options());
    run(seed, 300, 64, &options);
    run(seed + 1_000_000, 100, 200, &options);
    run(seed + 2_000_000, 100, 1024, &options);
}

#[test]
#[ignore = "some minutes"]
fn ten_thousand_modules() {
    let (seed, count) = (common::seed() + 10_000_000, setting("STERNA_FUZZ", 10_000));
    // Nobody asks for these models again.
    let cache = tempfile::tempdir().unwrap();
    let options = Options { cache: Some(cache.path().into()), ..common::options() };
    run(seed, count / 2, 64, &options);
    run(seed + 1_000_000, count / 4, 200, &options);
    run(seed + 2_000_000, count - count / 2 - count / 4, 1024, &options);
}

#[test]
#[ignore = "repeats a difference"]
fn one_module() {
    run(common::seed(), 1, setting("STERNA_MOST", 64) as u32, &common::options());
}
