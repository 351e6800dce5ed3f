//! A whole board, pins to pins: bytes on the serial line, and the SDRAM chip outside.

mod common;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sterna_firmware::compile::compile;
use sterna_firmware::device::{Counters, Device, Step, Want};
use sterna_firmware::geometry::Geometry;
use sterna_firmware::golden::Golden;
use sterna_firmware::model::Model;
use sterna_hdl::board::SerialBoard;
use sterna_hdl::driver::{Card, Settings, Transport};
use sterna_hdl::link::{LinkError, SerialLink, SerialSettings};
use sterna_hdl::registers::{ID, ID_VALUE};
use sterna_hdl::sdram::SdramChip;
use sterna_model::checkpoint::Checkpoint;
use sterna_model::synth::{self, SynthSpec};
use sterna_sim::board::SimBoard;

fn compiled(checkpoint: &Path) -> Arc<Model> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("model.sterna");
    compile(&Checkpoint::open(checkpoint).unwrap(), &path, &mut |_| ()).unwrap();
    Model::open(&path).unwrap()
}

fn model() -> Arc<Model> {
    let directory = tempfile::tempdir().unwrap();
    let checkpoint = directory.path().join("checkpoint");
    synth::write(&SynthSpec::new(32, 1, 20), &checkpoint, &mut |_, _| ()).unwrap();
    compiled(&checkpoint)
}

/// A file or folder of the demo models.
fn demo(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/demo").join(name)
}

/// A link, its board's clocks, and how many there have been.
fn link(board: &SerialBoard) -> (SerialLink<SimBoard>, Arc<AtomicU64>) {
    let stream = SimBoard::new(board, &common::options()).unwrap_or_else(|e| panic!("{e}"));
    let (clocks, hertz) = (stream.clocks(), f64::from(board.hertz));
    let now = Arc::clone(&clocks);
    let clock = move || Duration::from_secs_f64(now.load(Ordering::Relaxed) as f64 / hertz);
    let settings =
        SerialSettings { baud: board.baud, clock: Box::new(clock), ..SerialSettings::default() };
    (SerialLink::open(stream, settings).unwrap_or_else(|e| panic!("{e}")), clocks)
}

/// Greedy tokens from a card and from golden, which have to be the same.
fn same_tokens<T: Transport>(card: &mut Card<T>, model: &Arc<Model>, count: u32) {
    let mut golden = Golden::new(Arc::clone(model), 1).unwrap();
    let mut token = 7;
    for n in 0..count {
        let step = [Step { slot: 0, token, want: Want::Top }];
        let got = card.pass(&step).unwrap_or_else(|e| panic!("{e}"));
        let wanted = golden.pass(&step).unwrap();
        assert_eq!(got[0].top, wanted[0].top, "token {n}");
        token = got[0].top[0].token;
    }
}

/// The line for registers, the back door for memory: a large model need not crawl over the line.
struct BackDoor(SerialLink<SimBoard>);

impl Transport for BackDoor {
    type Error = LinkError;

    fn memory_bytes(&self) -> u64 {
        self.0.memory_bytes()
    }

    fn read_register(&mut self, offset: u32) -> Result<u32, LinkError> {
        self.0.read_register(offset)
    }

    fn write_register(&mut self, offset: u32, value: u32) -> Result<(), LinkError> {
        self.0.write_register(offset, value)
    }

    fn read_memory(&mut self, address: u64, bytes: &mut [u8]) -> Result<(), LinkError> {
        assert!(self.0.stream().chip().read(address, bytes));
        Ok(())
    }

    fn write_memory(&mut self, address: u64, bytes: &[u8]) -> Result<(), LinkError> {
        assert!(self.0.stream().chip().write(address, bytes));
        Ok(())
    }

    fn wait(&mut self, polls: u64) -> Result<bool, LinkError> {
        self.0.wait(polls)
    }
}

/// The demo model on the ULX3S: its tokens, and the clocks of one.
#[test]
fn the_demo_runs_on_the_ulx3s() {
    let model = Model::open(&demo("shakespeare-5m.sterna")).unwrap();
    let geometry = Geometry::for_shape(64, &model.shape());
    let (hertz, baud, chip) = (60_000_000, 3_000_000, SdramChip::ULX3S);
    let share = share_of_a_word(SerialBoard { geometry, chip, hertz, baud }, &model, 2);
    assert!(share > 0.95, "{share} of a word a clock");
}

/// Both demo models on the core and the memory of a Tang Nano 20K. Its two quantisers wait longer
/// between matrices, of which the tiny model's are short.
#[test]
fn the_demos_run_on_the_tang_nano() {
    let large = Model::open(&demo("shakespeare-5m.sterna")).unwrap();
    let core = Geometry::for_shape(64, &large.shape());
    let geometry = Geometry { top_k: 1, quantisers: 2, ..core };
    let (hertz, baud, chip) = (54_000_000, 3_000_000, SdramChip::GW2AR_18);
    let board = SerialBoard { geometry, chip, hertz, baud };
    for (model, tokens, least) in [(compiled(&demo("shakespeare-tiny")), 8, 0.9), (large, 1, 0.95)]
    {
        let share = share_of_a_word(board.clone(), &model, tokens);
        assert!(share > least, "{share} of a word a clock, not {least}");
    }
}

/// Tokens of a model on a board are golden's; of a word of its memory a clock, how much a token
/// takes.
fn share_of_a_word(board: SerialBoard, model: &Arc<Model>, tokens: u32) -> f64 {
    let (link, _) = link(&board);
    let settings = Settings { slots: 1, ..Settings::default() };
    let card = Card::open(BackDoor(link), "uart", Arc::clone(model), &settings);
    let mut card = card.unwrap_or_else(|e| panic!("{e}"));
    same_tokens(&mut card, model, common::setting("STERNA_TOKENS", tokens.into()) as u32);
    let Counters { cycles, beats, .. } = card.counters().unwrap();
    let share = f64::from(64 / board.chip.data) * beats as f64 / cycles as f64;
    println!("{cycles} clocks a token, {:.1} % of a word a clock", 100.0 * share);
    share
}

/// A model is loaded over the line, and its tokens are golden's.
#[test]
fn tokens_over_the_line_are_golden() {
    let model = model();
    let geometry = Geometry::for_shape(64, &model.shape());
    // Eight clocks a bit: the core is not slower for it, and the line is faster.
    let (hertz, baud) = (24_000_000, 3_000_000);
    for chip in [SdramChip::ULX3S, SdramChip::GW2AR_18] {
        let geometry = geometry.clone();
        let (mut link, clocks) = link(&SerialBoard { geometry, chip, hertz, baud });
        assert_eq!(link.memory_bytes(), chip.bytes());
        assert_eq!(link.read_register(ID.offset).unwrap(), ID_VALUE);
        let settings = Settings { slots: 1, ..Settings::default() };
        let mut card = Card::open(link, "uart", Arc::clone(&model), &settings)
            .unwrap_or_else(|e| panic!("{e}"));
        let loaded = clocks.load(Ordering::Relaxed);
        same_tokens(&mut card, &model, 4);
        let all = clocks.load(Ordering::Relaxed);
        println!("{} bits: {loaded} clocks to load, {} a token", chip.data, (all - loaded) / 4);
        assert_eq!(card.transport().stream().broken(), 0);
    }
}
