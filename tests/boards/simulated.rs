//! The serial boards as they are in `constraints/`, simulated pins to pins, with the demo models.

use std::sync::Arc;

use sterna::bitstream::top::{Hardware, hardware};
use sterna::board::Board;
use sterna_firmware::device::{Device, Step, Want};
use sterna_firmware::golden::Golden;
use sterna_firmware::model::Model;
use sterna_hdl::driver::{Card, Settings, Transport};
use sterna_sim::board::{BackDoor, SimBoard};

use super::common::{five, options, tiny};

fn named(name: &str, model: Option<&Model>) -> Hardware {
    hardware(&Board::open(name).unwrap(), model).unwrap_or_else(|e| panic!("{e}"))
}

fn simulated(hardware: &Hardware) -> SimBoard {
    SimBoard::new(hardware.serial.as_ref().unwrap(), &options()).unwrap_or_else(|e| panic!("{e}"))
}

/// Greedy tokens are golden's, one after the other; prints the clocks of one.
fn same_tokens<T: Transport>(way: T, model: &Arc<Model>, count: u32) -> Card<T> {
    let card = Card::open(way, "uart", Arc::clone(model), &Settings::default());
    let mut card = card.unwrap_or_else(|e| panic!("{e}"));
    let mut golden = Golden::new(Arc::clone(model), 1).unwrap();
    let mut token = model.description().bos.unwrap_or(7);
    for n in 0..count {
        let step = [Step { slot: 0, token, want: Want::Top }];
        let got = card.pass(&step).unwrap_or_else(|e| panic!("{e}"));
        let wanted = golden.pass(&step).unwrap();
        assert_eq!(got[0].top, wanted[0].top[..got[0].top.len()], "token {n}");
        token = got[0].top[0].token;
    }
    let counters = card.counters().unwrap();
    println!("{} clocks a token for {} beats", counters.cycles, counters.beats);
    card
}

/// Its memory is filled by the back door: over the line the model would take 6 s of the board's
/// time. That a model can be loaded over the line, tests of smaller boards show.
#[test]
fn the_ulx3s_computes_eight_tokens_of_the_demo() {
    let board = simulated(&named("ulx3s-85f", None));
    same_tokens(BackDoor::open(board).unwrap_or_else(|e| panic!("{e}")), &five(), 8);
}

#[test]
fn the_tang_nano_computes_both_demos() {
    let hardware = named("tangnano20k", None);
    for (model, count) in [(tiny(), 8), (five(), 1)] {
        let board = simulated(&hardware);
        same_tokens(BackDoor::open(board).unwrap_or_else(|e| panic!("{e}")), &model, count);
    }
}

/// The tiny demo model is in the FPGA from the start, and every byte goes over the line, which is
/// faster than the board's: the host reads a sample of the model.
#[test]
fn the_ulx3s_without_sdram_computes_the_tiny_demo() {
    let model = tiny();
    let mut hardware = named("ulx3s-85f-block", Some(&model));
    let serial = hardware.serial.as_mut().unwrap();
    serial.baud = serial.hertz / 8;
    let board = simulated(&hardware);
    let mut card = same_tokens(board.link().unwrap_or_else(|e| panic!("{e}")), &model, 8);
    assert_eq!((card.loaded().written, card.loaded().held > 250_000), (0, true));
    assert_eq!(card.transport().stream().broken(), 0);
}
