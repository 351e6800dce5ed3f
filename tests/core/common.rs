//! Models, cores and cards that the tests share.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sterna_firmware::compile::compile;
use sterna_firmware::device::{Device, Head};
use sterna_firmware::geometry::Geometry;
use sterna_firmware::model::Model;
use sterna_firmware::shape::Shape;
use sterna_hdl::driver::{Card, Settings};
use sterna_model::checkpoint::Checkpoint;
use sterna_sim::memory::{MemoryOptions, Stalls};
use sterna_sim::{CardOptions, Options, SimCard, Verified, VerifyOptions, verify};

pub fn demo(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/demo").join(name)
}

/// The demo model of 0.6 M parameters.
pub fn tiny() -> Arc<Model> {
    let directory = tempfile::tempdir().unwrap();
    import(&demo("shakespeare-tiny"), directory.path())
}

/// The demo model of 5 M parameters.
pub fn five() -> Arc<Model> {
    Model::open(&demo("shakespeare-5m.sterna")).unwrap()
}

pub fn import(checkpoint: &Path, directory: &Path) -> Arc<Model> {
    let path = directory.join("model.sterna");
    compile(&Checkpoint::open(checkpoint).unwrap(), &path, &mut |_| ()).unwrap();
    Model::open(&path).unwrap()
}

/// One core a bus for every model of these tests, so that Verilator compiles four: rates as for
/// the larger demo model, memories for the largest model.
pub fn geometry(bus: u32) -> Geometry {
    let demo = Shape { hidden: 256, inner: 256, intermediate: 768, layers: 6, vocab: 512 };
    let rates = Geometry::for_shape(bus, &demo);
    match bus {
        512 => Geometry { hidden: 1024, inner: 1024, intermediate: 2816, state: 2048, ..rates },
        _ => Geometry { hidden: 320, inner: 512, intermediate: 1024, state: 1536, ..rates },
    }
}

/// Compiled in little time, kept below the target folder, properties of the design checked.
pub fn options() -> Options {
    let cache = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cache");
    Options { quick: true, assertions: true, cache: Some(cache), ..Options::default() }
}

/// A memory of 256 MiB.
pub fn memory(stalls: Stalls, seed: u64) -> MemoryOptions {
    MemoryOptions { bytes: 1 << 28, stalls, seed, ..MemoryOptions::default() }
}

pub fn card_options(memory: MemoryOptions) -> CardOptions {
    CardOptions { memory, model: options(), patience: 1 << 26 }
}

/// A model on a card.
pub fn card(
    model: &Arc<Model>,
    geometry: &Geometry,
    memory: MemoryOptions,
    settings: &Settings,
) -> Card<SimCard> {
    let sim = SimCard::new(geometry, &card_options(memory)).unwrap();
    Card::open(sim, "sim", Arc::clone(model), settings).unwrap()
}

/// What the device's own loop brings.
pub fn run(
    device: &mut dyn Device,
    slot: usize,
    token: u32,
    count: usize,
    stops: &[u32],
) -> Vec<Head> {
    let mut heads = vec![];
    let mut keep = |head| {
        heads.push(head);
        ControlFlow::Continue(())
    };
    device.generate(slot, token, count, stops, &mut keep).unwrap();
    heads
}

/// Compares every vector of so many greedy tokens.
pub fn compare(model: &Arc<Model>, geometry: &Geometry, tokens: usize, memory: MemoryOptions) {
    let options = VerifyOptions { tokens, prompt: false, card: card_options(memory), wave: None };
    let Verified { report, cycles, sim_cycles_per_second, .. } =
        verify(model, geometry, &options).unwrap();
    let what = format!("{} at {} bits, {memory:?}", model.path().display(), geometry.bus);
    assert_eq!((report.mismatches, report.first_mismatch), (0, None), "{what}");
    assert_eq!(report.tokens, tokens as u64);
    println!("{what}: {tokens} tokens, {cycles} cycles, {sim_cycles_per_second:.0} cycles/s");
}
