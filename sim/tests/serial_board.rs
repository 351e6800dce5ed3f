//! A whole board, pins to pins: bytes on the serial line, and the SDRAM chip outside.

mod common;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use common::around::{self, serial_board};
use sterna_firmware::compile::compile;
use sterna_firmware::device::{Device, Step, Want};
use sterna_firmware::geometry::Geometry;
use sterna_firmware::golden::Golden;
use sterna_firmware::model::Model;
use sterna_hdl::board::{BlockRam, BoardMemory, SerialBoard};
use sterna_hdl::driver::{Card, Settings, Transport};
use sterna_hdl::registers::{ID, ID_VALUE};
use sterna_hdl::sdram::SdramChip;
use sterna_model::checkpoint::Checkpoint;
use sterna_model::synth;
use sterna_rtl::{Generate, mutate};
use sterna_sim::board::SimBoard;

fn model() -> Arc<Model> {
    let directory = tempfile::tempdir().unwrap();
    let checkpoint = directory.path().join("checkpoint");
    synth::write(&around::model(), &checkpoint, &mut |_, _| ()).unwrap();
    import(&checkpoint)
}

fn import(checkpoint: &Path) -> Arc<Model> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("model.sterna");
    compile(&Checkpoint::open(checkpoint).unwrap(), &path, &mut |_| ()).unwrap();
    Model::open(&path).unwrap()
}

fn board(board: &SerialBoard) -> SimBoard {
    let sound = board.build().unwrap_or_else(|e| panic!("{e}"));
    let mutated = mutate::compiled(&sound);
    let design = mutated.as_ref().map_or(&sound, |(design, _)| design);
    let (chip, options) = (board.memory.chip(), common::options());
    let mut sim = SimBoard::of(design, chip, board.hertz, board.baud, &options).unwrap();
    if let Some((_, number)) = mutated {
        sim.hold(mutate::INPUT, number).unwrap();
    }
    sim
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

/// A model is loaded over the line, and its tokens are golden's.
#[test]
fn tokens_over_the_line_are_golden() {
    let model = model();
    for memory in [
        BoardMemory::Sdram(SdramChip::ULX3S),
        BoardMemory::Sdram(SdramChip::GW2AR_18),
        BoardMemory::Block(BlockRam::empty(1 << 16)),
    ] {
        let bytes = memory.bytes();
        let board = board(&SerialBoard { memory, ..serial_board() });
        let clocks = board.clocks();
        let mut link = board.link().unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(link.memory_bytes(), bytes);
        assert_eq!(link.read_register(ID.offset).unwrap(), ID_VALUE);
        let settings = Settings { slots: 1, ..Settings::default() };
        let mut card = Card::open(link, "uart", Arc::clone(&model), &settings)
            .unwrap_or_else(|e| panic!("{e}"));
        let loaded = clocks.load(Ordering::Relaxed);
        same_tokens(&mut card, &model, 4);
        let all = clocks.load(Ordering::Relaxed);
        println!("{bytes} bytes: {loaded} clocks to load, {} a token", (all - loaded) / 4);
        assert_eq!(card.transport().stream().broken(), 0);
    }
}

/// The tiny demo model, which `ulx3s-85f-block` is made for, and its core.
fn tiny() -> (Arc<Model>, Geometry) {
    let model =
        import(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/demo/shakespeare-tiny"));
    let geometry = Geometry { top_k: 8, ..Geometry::for_shape(64, &model.shape()) };
    (model, geometry)
}

/// Bytes of the memory of `ulx3s-85f-block`.
const BLOCK: u64 = 327_680;

/// Nothing is in it: the model is loaded over the line.
#[test]
#[ignore = "24 million clocks, a minute"]
fn an_empty_block_memory_is_loaded() {
    let (model, geometry) = tiny();
    let memory = BoardMemory::Block(BlockRam::empty(BLOCK));
    let board = board(&SerialBoard { geometry, memory, ..serial_board() });
    let clocks = board.clocks();
    let link = board.link().unwrap_or_else(|e| panic!("{e}"));
    let card = Card::open(link, "uart", Arc::clone(&model), &Settings::default());
    let mut card = card.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((card.loaded().held, card.loaded().written > 250_000), (0, true));
    println!("{} clocks to load", clocks.load(Ordering::Relaxed));
    same_tokens(&mut card, &model, 3);
    assert_eq!(card.transport().stream().broken(), 0);
}
