//! Which devices there are, and which one is used.

pub mod memory;
pub mod survey;
pub mod uart;
pub mod xdma;

use std::sync::Arc;
use std::time::Instant;

use clap::ValueEnum;
use sterna_firmware::FirmwareError;
use sterna_firmware::device::Device;
use sterna_firmware::float::Float;
use sterna_firmware::geometry::Geometry;
use sterna_firmware::golden::Golden;
use sterna_firmware::model::Model;
use sterna_firmware::shape::Shape;
use sterna_hdl::driver::{Card, Settings};
use sterna_sim::{CardOptions, SimCard};

use self::uart::UartArgs;
use self::xdma::CardArgs;
use crate::error::Result;
use crate::output;

/// A device by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// The hardware's fixed-point arithmetic in software
    Golden,
    /// The published model in 32-bit floating point
    Float,
    /// The hardware itself, simulated clock by clock: slow
    Sim,
    /// A PCIe card through the Linux XDMA driver
    Xdma,
    /// A board on a serial line
    Uart,
}

/// The `--device` option, the same on every command.
#[derive(clap::Args, Clone)]
pub struct Choice {
    /// Device to run on [default: a card that can be used, else golden]
    #[arg(long, value_name = "DEVICE")]
    device: Option<Kind>,
    /// Bits of the simulated core's memory bus: 64, 128, 256 or 512
    #[arg(long, value_name = "BITS", default_value = "512", value_parser = bus)]
    sim_bus: u32,
    /// Tokens that share each beat in the simulated core: 1, 2, 4 or 8
    #[arg(long, value_name = "B", default_value = "1", value_parser = batch)]
    sim_batch: u32,
    #[command(flatten)]
    card: CardArgs,
    #[command(flatten)]
    board: UartArgs,
}

/// Bits of a memory bus.
pub fn bus(word: &str) -> std::result::Result<u32, String> {
    match word.parse() {
        Ok(bits @ (64 | 128 | 256 | 512)) => Ok(bits),
        _ => Err("a bus has 64, 128, 256 or 512 bits".into()),
    }
}

/// Slots of a core.
pub fn batch(word: &str) -> std::result::Result<u32, String> {
    match word.parse() {
        Ok(slots @ (1 | 2 | 4 | 8)) => Ok(slots),
        _ => Err("a core has 1, 2, 4 or 8 slots".into()),
    }
}

impl Choice {
    /// The core that is simulated for a shape, if the simulator was chosen.
    pub fn simulated(&self, shape: &Shape) -> Option<Geometry> {
        (self.device == Some(Kind::Sim)).then(|| self.core(shape))
    }

    /// The directory of a card's nodes.
    pub fn nodes(&self) -> &std::path::Path {
        &self.card.load.memory.nodes.root
    }

    /// Opens the chosen device, or one by itself, with `slots` sequences.
    pub fn open(&self, model: &Arc<Model>, slots: usize) -> Result<Box<dyn Device>> {
        let begin = Instant::now();
        let device: Box<dyn Device> = match self.device {
            None => self.best(model, slots)?,
            Some(Kind::Golden) => Box::new(Golden::new(Arc::clone(model), slots)?),
            Some(Kind::Float) => Box::new(Float::new(Arc::clone(model), slots)?),
            Some(Kind::Sim) => Box::new(self.simulate(model, slots)?),
            Some(Kind::Xdma) => Box::new(self.card.open(model, slots)?),
            Some(Kind::Uart) => {
                Box::new(self.board.open(model, slots, self.card.stream_weights)?)
            }
        };
        output::detail(&format!(
            "device {}: {} slots, {:.2} s",
            device.name(),
            device.slots(),
            begin.elapsed().as_secs_f64()
        ));
        Ok(device)
    }

    /// A card if there is one that can be used, else golden; says which if there is a card at all.
    fn best(&self, model: &Arc<Model>, slots: usize) -> Result<Box<dyn Device>> {
        if self.card.is_there() {
            match self.card.open(model, slots) {
                Ok(card) => {
                    output::note("the card computes (--device xdma)");
                    return Ok(Box::new(card));
                }
                Err(error) => output::note(&format!(
                    "golden computes, as the card cannot be used: error[{}]: {error}",
                    error.code()
                )),
            }
        }
        Ok(Box::new(Golden::new(Arc::clone(model), slots)?))
    }

    /// The core that is simulated for a shape, if one is.
    fn core(&self, shape: &Shape) -> Geometry {
        Geometry::for_shape(self.sim_bus, shape).with_slots(self.sim_batch)
    }

    /// A simulated core that fits the model. No more sequences than it has on chip: they would take
    /// turns, and each turn costs the clocks to save and load a state.
    fn simulate(&self, model: &Arc<Model>, slots: usize) -> Result<Card<SimCard>> {
        let geometry = self.core(&model.shape());
        let sim = SimCard::new(&geometry, &CardOptions::default()).map_err(FirmwareError::from)?;
        let settings =
            Settings { slots: slots.min(geometry.slots as usize), ..Settings::default() };
        let card = Card::open(sim, "sim", Arc::clone(model), &settings);
        Ok(card.map_err(FirmwareError::from)?)
    }
}
