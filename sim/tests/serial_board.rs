//! A whole board, pins to pins: bytes on the serial line, and the SDRAM chip outside.

mod common;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use common::around::{self, LINK, serial_board};
use sterna_firmware::compile::compile;
use sterna_firmware::device::{Device, Step, Want};
use sterna_firmware::geometry::Geometry;
use sterna_firmware::golden::Golden;
use sterna_firmware::model::Model;
use sterna_hdl::board::{BlockRam, BoardMemory, SerialBoard};
use sterna_hdl::driver::{Card, Settings, Transport};
use sterna_hdl::fault::Fault;
use sterna_hdl::link::{SerialLink, SerialSettings};
use sterna_hdl::registers::{
    COMMAND, ERROR, ID, ID_VALUE, Reg, SLOT_MASK, STATE_HI, STATE_LO, STATE_UNITS, STATUS, command,
    status,
};
use sterna_hdl::sdram::SdramChip;
use sterna_model::checkpoint::Checkpoint;
use sterna_model::synth;
use sterna_rtl::{Generate, mutate};
use sterna_sim::Options;
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
    // A mutant's properties are checked.
    let options = Options { assertions: mutated.is_some(), ..common::options() };
    let chip = board.memory.chip();
    let mut sim = SimBoard::of(design, chip, board.hertz, board.baud, &options).unwrap();
    if let Some((_, number)) = mutated {
        sim.hold(mutate::INPUT, number).unwrap();
    }
    sim
}

/// A link to it that soon gives up.
fn impatient(board: SimBoard) -> SerialLink<SimBoard> {
    let clocks = board.clocks();
    let seconds = move || clocks.load(Ordering::Relaxed) as f64 / f64::from(LINK.hertz);
    let settings = SerialSettings {
        baud: LINK.baud,
        patience: Duration::from_millis(5),
        tries: 1,
        clock: Box::new(move || Duration::from_secs_f64(seconds())),
        ..SerialSettings::default()
    };
    SerialLink::open(board, settings).unwrap_or_else(|e| panic!("{e}"))
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

/// Every bit of an address and of a word, over the line; behind the end is an error.
#[test]
fn all_of_the_memory_is_reached() {
    let mut board = board(&serial_board());
    // The masks are high until the chip is initialised.
    assert_eq!(board.peek("sdram_dqm").unwrap(), 3);
    let mut link = impatient(board);
    let bytes = link.memory_bytes();
    let places: Vec<u64> =
        (3..bytes.ilog2()).map(|bit| 1 << bit).chain([0, bytes - 24, bytes - 4096 - 16]).collect();
    let word = |place: u64, n: u64| (place + n).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
    for &place in &places {
        link.write_memory(place, &word(place, 0)).unwrap_or_else(|e| panic!("{e}"));
    }
    for &place in &places {
        let mut read = [0; 8];
        link.read_memory(place, &mut read).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(read, word(place, 0), "{place:#x}");
    }
    // A whole burst, on both sides of a row's end.
    let all: Vec<u8> = (0..256).flat_map(|n| word(bytes, n)).collect();
    link.write_memory(bytes / 2 - 512, &all).unwrap_or_else(|e| panic!("{e}"));
    let mut read = vec![0; all.len()];
    link.read_memory(bytes / 2 - 512, &mut read).unwrap_or_else(|e| panic!("{e}"));
    assert!(read == all);
    assert_eq!(link.stream().peek("sdram_dqm").unwrap(), 0);
    assert_eq!(link.stream().broken(), 0);
}

/// Has the core obey a command about its state, which lies at an address; what was wrong, if anything.
fn obey(link: &mut SerialLink<SimBoard>, command: u32, state: u64) -> Option<Fault> {
    write(link, STATE_LO, state as u32);
    write(link, STATE_HI, (state >> 32) as u32);
    write(link, COMMAND, command);
    let mut now = status::BUSY;
    for _ in 0..100 {
        now = link.read_register(STATUS.offset).unwrap();
        if now & (status::BUSY | status::DRAINING) == 0 {
            break;
        }
    }
    assert_eq!(link.stream().peek("irq").unwrap(), 1);
    match now & (status::BUSY | status::DONE | status::FAILED) {
        status::DONE => None,
        status::FAILED => {
            let fault = Fault::from_code(link.read_register(ERROR.offset).unwrap() as u8);
            write(link, COMMAND, command::RESET);
            fault
        }
        _ => panic!("the core does not obey: {now:#x}"),
    }
}

fn write(link: &mut SerialLink<SimBoard>, reg: Reg, value: u32) {
    link.write_register(reg.offset, value).unwrap_or_else(|e| panic!("{e}"));
}

/// The core reaches all of the memory: its state goes from place to place. The memory's errors come to
/// it, for each bit of an address that lies behind the end; the registers' come to the host.
#[test]
fn the_core_reaches_all_of_the_memory() {
    let mut link = impatient(board(&serial_board()));
    assert_eq!(link.stream().peek("irq").unwrap(), 0);
    write(&mut link, SLOT_MASK, 1);
    write(&mut link, STATE_UNITS, 2);
    let state: Vec<u8> = (0..32i32).flat_map(|n| (n * 1009 - 16_000).to_le_bytes()).collect();
    link.write_memory(1 << 12, &state).unwrap_or_else(|e| panic!("{e}"));
    for bit in 12..24 {
        assert_eq!(obey(&mut link, command::LOAD, 1 << bit), None, "bit {bit}");
        assert_eq!(obey(&mut link, command::SAVE, 2 << bit), None, "bit {bit}");
    }
    let mut read = vec![0; state.len()];
    link.read_memory(1 << 24, &mut read).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(read, state);
    for bit in 25..40 {
        let fault = obey(&mut link, command::LOAD, 1 << bit);
        assert_eq!(fault, Some(Fault::ReadResponse), "bit {bit}");
        write(&mut link, COMMAND, command::CLEAR);
        let fault = obey(&mut link, command::SAVE, 1 << bit);
        assert_eq!(fault, Some(Fault::WriteResponse), "bit {bit}");
    }
    assert!(link.read_register(0xffc).is_err());
    assert!(link.write_register(0xffc, 0).is_err());
    assert!(link.write_register(ID.offset, 0).is_err());
    assert_eq!(link.read_register(ID.offset).unwrap(), ID_VALUE);
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
