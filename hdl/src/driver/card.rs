//! A model on a card, its reset and its registers.
//!
//! After a fault the states on chip are void, and so are the sequences they belonged to; the states
//! in memory are not touched by it. The next command first resets the core. After an error on the
//! way to the card the states in memory are void as well, unless core and memory show that nobody
//! configured them anew.

use std::collections::BTreeMap;
use std::sync::Arc;

use sterna_firmware::FirmwareError;
use sterna_firmware::geometry::Geometry;
use sterna_firmware::isa::{Instruction, UNIT, instructions};
use sterna_firmware::model::Model;
use sterna_rtl::parts::Access;

use super::error::{CardError, RESET};
use super::identity::identify;
use super::load::{Loaded, OnProgress};
use super::map::{MemoryMap, image_units};
use super::seats::Place;
use super::stream::ring_bits;
use super::transport::Transport;
use crate::registers::{self as regs, Reg, command, status};

/// What a card is told once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Sequences that can be in flight.
    pub slots: usize,
    /// Clocks without any progress after which the core gives up; 0 for never.
    pub watchdog: u32,
    /// Do not load a model that the card holds.
    pub reuse: bool,
    /// Read back and compare what is loaded.
    pub read_back: bool,
    /// Bytes of a model that are written at a time: how far apart the points are from which a
    /// load can go on.
    pub chunk: u32,
    /// Send the model for every token where the card's memory is too small for it.
    pub stream: bool,
}

impl Default for Settings {
    /// One sequence; a million clocks, some milliseconds, are far above any memory's pause.
    fn default() -> Settings {
        Settings {
            slots: 1,
            watchdog: 1 << 20,
            reuse: true,
            read_back: false,
            chunk: 16 << 20,
            stream: false,
        }
    }
}

/// Times that memory is read again at most, for two in a row that agree.
const REPEATS: usize = 4;

/// A card with a model loaded.
pub struct Card<T: Transport> {
    pub(super) name: &'static str,
    pub(super) transport: T,
    pub(super) geometry: Geometry,
    pub(super) model: Arc<Model>,
    pub(super) walk: Vec<Instruction>,
    pub(super) map: MemoryMap,
    pub(super) places: Vec<Place>,
    pub(super) settings: Settings,
    /// The last command failed: the core is to be reset before the next.
    pub(super) failed: bool,
    /// The way to the card failed: it is to be mended before that.
    pub(super) detached: bool,
    /// The memory does not hold what was loaded: it is to be loaded after that.
    pub(super) damaged: bool,
    pub(super) loaded: Loaded,
    /// What the registers hold that only this program writes.
    written: BTreeMap<u32, u32>,
    /// Values clamped so far, and what the core's register said of it last.
    pub(super) saturations: (u64, u32),
}

impl<T: Transport> Card<T> {
    /// Takes over a card: identifies the core, resets it, loads the model.
    ///
    /// `name` is what the device is called to users.
    ///
    /// # Errors
    /// C001 to C004 where it is no core that this program knows, F017 where the model does not
    /// fit it, C005 where it does not fit the memory.
    pub fn open(
        transport: T,
        name: &'static str,
        model: Arc<Model>,
        settings: &Settings,
    ) -> Result<Card<T>, CardError> {
        Card::open_with(transport, name, model, settings, &mut |_| ())
    }

    /// [`Card::open`] that says how far it is with loading the model.
    ///
    /// # Errors
    /// As [`Card::open`].
    pub fn open_with(
        mut transport: T,
        name: &'static str,
        model: Arc<Model>,
        settings: &Settings,
        progress: OnProgress<'_>,
    ) -> Result<Card<T>, CardError> {
        let shape = model.shape();
        if settings.slots == 0 {
            return Err(FirmwareError::NoSlots.into());
        }
        let geometry = identify(&mut transport)?;
        geometry.fits(&shape)?;
        let walk = instructions(&shape);
        let bytes = transport.memory_bytes();
        let Settings { slots, stream, .. } = *settings;
        let map = MemoryMap::plan(&shape, &walk, &geometry, slots, bytes, stream)?;
        let mut card = Card {
            name,
            transport,
            geometry,
            model,
            walk,
            map,
            places: vec![Place::Zero; settings.slots],
            settings: *settings,
            failed: false,
            detached: false,
            damaged: false,
            loaded: Loaded::default(),
            written: BTreeMap::new(),
            saturations: (0, 0),
        };
        card.reset()?;
        card.load_missing(progress)?;
        Ok(card)
    }

    /// The core's geometry, as its registers say.
    pub fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// The model.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// Where everything lies in the card's memory.
    pub fn map(&self) -> &MemoryMap {
        &self.map
    }

    /// Gives the card up.
    pub fn into_transport(self) -> T {
        self.transport
    }

    /// The way to the card.
    pub fn transport(&mut self) -> &mut T {
        &mut self.transport
    }

    /// Ends whatever the core does and forgets its fault. The sequences on chip are lost, the
    /// others are not.
    pub fn reset(&mut self) -> Result<(), CardError> {
        self.lose();
        self.failed = true;
        let again = self.detached;
        if again {
            let result = self.transport.recover();
            self.way(result)?;
            if identify(&mut self.transport)? != self.geometry {
                return Err(CardError::Changed);
            }
            if self.is_foreign()? {
                self.lose_saved();
            }
        }
        self.written.clear();
        self.write(&regs::COMMAND, command::RESET)?;
        let busy = status::BUSY | status::DRAINING;
        self.transport.expect(0);
        self.until(RESET, &mut |status| status & busy == 0, &mut |_| Ok(false))?;
        if again {
            self.review_memory()?;
        }
        (self.failed, self.detached) = (false, false);
        let shape = self.model.shape();
        let map = self.map.clone();
        self.base([&regs::IMAGE_LO, &regs::IMAGE_HI], map.image)?;
        self.base([&regs::EMBED_LO, &regs::EMBED_HI], map.embeddings)?;
        self.base([&regs::RESULT_LO, &regs::RESULT_HI], map.results)?;
        self.base([&regs::LOGITS_LO, &regs::LOGITS_HI], map.logits)?;
        self.write(&regs::IMAGE_UNITS, image_units(&self.walk) as u32)?;
        self.write(&regs::ROW_UNITS, (shape.row_stride() / UNIT) as u32)?;
        self.write(&regs::STATE_UNITS, (4 * shape.state()).div_ceil(UNIT) as u32)?;
        self.write(&regs::IMAGE_RING, map.ring.map_or(0, ring_bits))?;
        self.write(&regs::IMAGE_OWED, 0)?;
        // A core that waits for the host makes no progress.
        let watchdog = if map.ring.is_some() { 0 } else { self.settings.watchdog };
        self.write(&regs::WATCHDOG, watchdog)?;
        self.write(&regs::SLOT_MASK, 1)?;
        // Nobody is told of a write to a mapped register that a card on its way back has missed.
        if self.is_foreign()? {
            return Err(self.foreign("reset"));
        }
        Ok(())
    }

    pub(super) fn read(&mut self, reg: &Reg) -> Result<u32, CardError> {
        let result = self.transport.read_register(reg.offset);
        self.way(result)
    }

    /// Writes a register, unless it holds the value.
    pub(super) fn write(&mut self, reg: &Reg, value: u32) -> Result<(), CardError> {
        let keeps = reg.access == Access::Write;
        if keeps && self.written.get(&reg.offset) == Some(&value) {
            return Ok(());
        }
        self.written.remove(&reg.offset);
        let result = self.transport.write_register(reg.offset, value);
        self.way(result)?;
        if keeps {
            self.written.insert(reg.offset, value);
        }
        Ok(())
    }

    /// Whether a register holds something else than was written to it.
    pub(super) fn is_foreign(&mut self) -> Result<bool, CardError> {
        for (offset, written) in self.written.clone() {
            let result = self.transport.read_register(offset);
            if self.way(result)? != written {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Somebody else had the core: nothing is known of it, nor of the memory.
    pub(super) fn foreign(&mut self, what: &'static str) -> CardError {
        (self.failed, self.detached) = (true, true);
        CardError::Foreign { what }
    }

    /// After an error on the way to the card nothing is known of the core.
    pub(super) fn way<R>(&mut self, result: Result<R, T::Error>) -> Result<R, CardError> {
        if result.is_err() {
            (self.failed, self.detached) = (true, true);
            self.lose();
        }
        result.map_err(CardError::transport)
    }

    /// Writes an address to the two registers that hold it.
    pub(super) fn base(&mut self, [low, high]: [&Reg; 2], address: u64) -> Result<(), CardError> {
        self.write(low, address as u32)?;
        self.write(high, (address >> 32) as u32)
    }

    pub(super) fn read_memory(&mut self, at: u64, bytes: &mut [u8]) -> Result<(), CardError> {
        let result = self.transport.read_memory(at, bytes);
        self.way(result)
    }

    /// Reads memory that has no checksum until it reads the same twice in a row: a bit that
    /// changes on its way does not do so twice.
    pub(super) fn read_twice(&mut self, at: u64, bytes: &mut [u8]) -> Result<(), CardError> {
        let mut again = vec![0; bytes.len()];
        self.read_memory(at, bytes)?;
        for _ in 0..REPEATS {
            self.read_memory(at, &mut again)?;
            if again == bytes {
                return Ok(());
            }
            bytes.copy_from_slice(&again);
        }
        Err(CardError::Unsteady { address: at, length: bytes.len() })
    }

    pub(super) fn write_memory(&mut self, at: u64, bytes: &[u8]) -> Result<(), CardError> {
        let result = self.transport.write_memory(at, bytes);
        self.way(result)
    }
}

/// Four bytes as a number.
pub(super) fn word(bytes: &[u8]) -> i32 {
    i32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}
