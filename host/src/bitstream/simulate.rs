//! Cycles of a token, counted on the simulated hardware of a board.

use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;
use sterna_firmware::FirmwareError;
use sterna_firmware::device::{Counters, Device, Step, Want};
use sterna_firmware::model::Model;
use sterna_hdl::driver::{Card, Settings, Transport};
use sterna_sim::board::{BackDoor, SimBoard};
use sterna_sim::{CardOptions, Options, SimCard};

use super::top::Hardware;
use crate::board::{Board, fit};
use crate::error::Result;
use crate::output;

/// A token on the simulated board. *Simulated.*
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Simulated {
    /// Identity of the model's image.
    pub image_id: String,
    /// Clocks from a token to the next.
    pub cycles_per_token: u64,
    /// Of these, clocks in which a beat of the image was taken.
    pub beats: u64,
    /// The core could have taken a beat and had none.
    pub starved: u64,
    /// A beat waited for the core.
    pub blocked: u64,
    /// Neither.
    pub idle: u64,
    /// Tokens a second at the board's clock.
    pub tokens_per_second: f64,
    /// The least that a token could take, ÷ what it takes.
    pub share_of_bound: f64,
    /// What was simulated, and with which memory.
    pub with: &'static str,
}

/// Clocks from an address to the first beat of a memory that is not simulated itself.
const LATENCY: u32 = 60;
const WHOLE: &str = "the whole board, pins to pins, with its memory";
const CORE: &str = "the core; its memory delivers a beat a clock, 60 clocks after it was asked, \
                    without refreshes or other pauses";

/// Has the simulated board compute a token, and counts.
///
/// # Errors
/// Those of the simulation and of the driver.
pub fn simulate(board: &Board, hardware: &Hardware, model: &Arc<Model>) -> Result<Simulated> {
    let start = Instant::now();
    output::aside(&format!("simulation: a token of {} …", model.path().display()));
    let counted = match &hardware.serial {
        Some(serial) => {
            let sim = SimBoard::new(serial, &Options::default()).map_err(FirmwareError::from)?;
            let way = BackDoor::open(sim).map_err(FirmwareError::from)?;
            (count(way, model)?, WHOLE)
        }
        None => {
            let mut options = CardOptions::default();
            (options.memory.bytes, options.memory.latency) = (board.memory.bytes, LATENCY);
            let sim = SimCard::new(&board.geometry, &options).map_err(FirmwareError::from)?;
            (count(sim, model)?, CORE)
        }
    };
    output::aside(&format!("simulation: {:.1} s", start.elapsed().as_secs_f64()));
    let (Counters { cycles, beats, starved, blocked, idle }, with) = counted;
    let tokens_per_second = board.core_mhz * 1e6 / cycles.max(1) as f64;
    let bound = board.bound().bytes_per_second / fit::image_bytes(&model.shape()) as f64;
    Ok(Simulated {
        image_id: model.description().image_id.clone(),
        cycles_per_token: cycles,
        beats,
        starved,
        blocked,
        idle,
        tokens_per_second,
        share_of_bound: tokens_per_second / bound,
        with,
    })
}

/// Counters of one pass. Another differs only by where refreshes fall, if the memory has any.
fn count<T: Transport>(way: T, model: &Arc<Model>) -> sterna_firmware::Result<Counters> {
    let mut card = Card::open(way, "sim", Arc::clone(model), &Settings::default())?;
    card.pass(&[Step { slot: 0, token: model.description().bos.unwrap_or(0), want: Want::Top }])?;
    Ok(card.counters()?)
}
