//! A simulated card with half a core in it: registers, memory, the driver, waveforms.

mod common;

use std::path::Path;
use std::sync::Arc;

use common::reader::Reader;
use sterna_firmware::compile::compile;
use sterna_firmware::device::{Device, Step, Want};
use sterna_firmware::geometry::Geometry;
use sterna_firmware::model::Model;
use sterna_hdl::driver::{Card, Settings, Transport};
use sterna_hdl::registers::{self as regs};
use sterna_model::checkpoint::Checkpoint;
use sterna_model::synth::{self, SynthSpec};
use sterna_rtl::Generate;
use sterna_sim::memory::{Injection, MemoryOptions, Stalls};
use sterna_sim::{CardOptions, Options, SimCard, Window};

fn model() -> Arc<Model> {
    let directory = tempfile::tempdir().unwrap();
    let checkpoint = directory.path().join("checkpoint");
    synth::write(&SynthSpec::new(96, 2, 50), &checkpoint, &mut |_, _| ()).unwrap();
    let path = directory.path().join("model.sterna");
    compile(&Checkpoint::open(&checkpoint).unwrap(), &path, &mut |_| ()).unwrap();
    Model::open(&path).unwrap()
}

fn options(stalls: Stalls) -> CardOptions {
    CardOptions {
        memory: MemoryOptions { bytes: 1 << 20, latency: 30, stalls, seed: 1 },
        model: common::options(),
        patience: 1 << 20,
    }
}

fn sim(geometry: &Geometry, options: &CardOptions) -> SimCard {
    let design = Reader { geometry: geometry.clone() }.build().unwrap();
    SimCard::of(&design, geometry.bus, options).unwrap()
}

const STEP: Step = Step { slot: 0, token: 3, want: Want::State };

#[test]
fn passes_take_the_clocks_of_their_beats() {
    let model = model();
    let bytes = model.image().segments().last().unwrap().instruction.offset as u64;
    for bus in [64, 512] {
        let geometry = Geometry::for_shape(bus, &model.shape());
        for stalls in [Stalls::None, Stalls::Random, Stalls::Burst] {
            let sim = sim(&geometry, &options(stalls));
            let settings = Settings { slots: 2, watchdog: 0, ..Settings::default() };
            let mut card = Card::open(sim, "half", Arc::clone(&model), &settings).unwrap();
            assert_eq!(card.geometry(), &geometry);
            card.pass(&[STEP]).unwrap();
            let counters = card.counters().unwrap();
            let beats = bytes / u64::from(bus / 8);
            assert_eq!(counters.beats, beats);
            // The memory saw the image pass, and little else.
            let traffic = card.transport().memory().traffic();
            assert_eq!((traffic.read, traffic.written), (beats, 0));
            let ideal = counters.cycles - beats < 45;
            assert_eq!(ideal, stalls == Stalls::None, "{stalls:?}: {counters:?}");
            // The head is left out of these passes; slots take turns.
            card.pass(&[STEP, Step { slot: 1, ..STEP }]).unwrap();
            assert_eq!(card.counters().unwrap().beats, beats);
        }
    }
}

#[test]
fn a_memory_that_fails_fails_the_pass() {
    let model = model();
    let geometry = Geometry::for_shape(128, &model.shape());
    let sim = sim(&geometry, &options(Stalls::Random));
    let mut card = Card::open(sim, "half", Arc::clone(&model), &Settings::default()).unwrap();
    card.transport().memory().inject(Injection::ReadError(4096..4097));
    assert_eq!(card.pass(&[STEP]).unwrap_err().code(), "C109");
    card.transport().memory().heal();
    assert_eq!(card.pass(&[STEP]).unwrap_err().code(), "C011");
    card.clear(0).unwrap();
    card.pass(&[STEP]).unwrap();
    // Without an answer and a watchdog the driver gives up, and says what the core was doing.
    card.transport().memory().inject(Injection::Silence(0..1 << 20));
    let error = card.pass(&[STEP]).unwrap_err();
    assert_eq!(error.code(), "C006");
    assert!(error.to_string().contains("STATUS reads 0x09"), "{error}");
}

#[test]
fn one_seed_is_one_simulation() {
    let model = model();
    let geometry = Geometry::for_shape(64, &model.shape());
    let clocks = [1, 1, 2].map(|seed| {
        let mut options = options(Stalls::Random);
        options.memory.seed = seed;
        let sim = sim(&geometry, &options);
        let mut card = Card::open(sim, "half", Arc::clone(&model), &Settings::default()).unwrap();
        card.pass(&[STEP]).unwrap();
        (card.transport().clocks(), card.counters().unwrap())
    });
    assert_eq!(clocks[0], clocks[1]);
    assert_ne!(clocks[0].1, clocks[2].1);
}

#[test]
fn a_window_of_clocks_is_recorded() {
    let geometry = Geometry::for_shape(64, &model().shape());
    let mut options = options(Stalls::None);
    options.model = Options { trace: sterna_sim::Trace::Waveform, ..options.model };
    let mut card = sim(&geometry, &options);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("window.fst");
    let _ = std::fs::remove_file(&path);
    let from = card.clocks() + 20;
    card.record(Window { from, to: from + 30, path: path.clone() });
    assert_eq!(card.read_register(regs::ID.offset).unwrap(), regs::ID_VALUE);
    assert!(!path.exists());
    for _ in 0..100 {
        card.step().unwrap();
    }
    let file = std::io::BufReader::new(std::fs::File::open(&path).unwrap());
    let header = fst_reader::FstReader::open(file).unwrap().get_header();
    assert_eq!((header.start_time, header.end_time), (10 * from, 10 * (from + 30)));
}

/// Late offers and late answers change nothing but the clocks.
#[test]
fn registers_that_hesitate() {
    let geometry = Geometry::for_shape(64, &model().shape());
    let mut taken = vec![];
    for stalls in [Stalls::None, Stalls::Alternate, Stalls::Random, Stalls::Burst, Stalls::Mixed] {
        let mut sim = sim(&geometry, &options(Stalls::None));
        sim.hesitate(stalls, 5);
        let (begin, values) = (sim.clocks(), 0x1000..0x1040);
        for value in values {
            sim.write_register(regs::EMBED_LO.offset, value << 12).unwrap();
            sim.write_register(regs::COUNT.offset, value).unwrap();
            assert_eq!(sim.read_register(regs::EMBED_LO.offset).unwrap(), value << 12);
            assert_eq!(sim.read_register(regs::COUNT.offset).unwrap(), value);
        }
        assert_eq!(sim.read_register(0xffc).unwrap_err().code(), "S017");
        taken.push(sim.clocks() - begin);
    }
    assert!(taken[1..].iter().all(|&clocks| clocks > taken[0]), "{taken:?}");
    assert_eq!(taken.iter().collect::<std::collections::BTreeSet<_>>().len(), 5, "{taken:?}");
}

/// In whatever clock core and memory are reset: registers are at their first values, nothing comes
/// of what was under way, and the model is still there.
#[test]
fn core_and_memory_restart() {
    let model = model();
    let geometry = Geometry::for_shape(64, &model.shape());
    let settings = Settings { watchdog: 0, ..Settings::default() };
    for clocks in [1, 20, 75, 300] {
        let sim = sim(&geometry, &options(Stalls::Mixed));
        let mut card = Card::open(sim, "half", Arc::clone(&model), &settings).unwrap();
        card.pass(&[STEP]).unwrap();
        let beats = card.counters().unwrap().beats;
        let sim = card.transport();
        sim.write_register(regs::COMMAND.offset, regs::command::RUN).unwrap();
        (0..clocks).for_each(|_| sim.step().unwrap());
        let before = sim.clocks();
        sim.restart().unwrap();
        assert!(sim.clocks() > before);
        assert!(sim.memory().is_idle());
        assert_eq!(sim.read_register(regs::STATUS.offset).unwrap(), 0);
        assert_eq!(sim.read_register(regs::IMAGE_LO.offset).unwrap(), 0);
        (0..500).for_each(|_| sim.step().unwrap());
        assert!(sim.memory().is_idle());
        Device::reset(&mut card).unwrap();
        card.pass(&[STEP]).unwrap();
        assert_eq!(card.counters().unwrap().beats, beats);
    }
}
