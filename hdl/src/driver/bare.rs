//! A card with or without a model: the state of its core, what its memory is said to hold, a reset.
//!
//! All of it needs a core that was [identified](super::identify), and nothing else: it is for
//! looking at a card, and for getting one back that another program left in the middle of
//! something.

use super::error::{CardError, RESET};
use super::load::{LABEL, Label};
use super::transport::Transport;
use crate::fault::Fault;
use crate::registers::{self as regs, Reg, command, status};
use sterna_firmware::device::Counters;

/// What the core says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoreState {
    /// STATUS.
    pub status: u32,
    /// ERROR; 0 for none.
    pub error: u32,
    /// ERROR_SEGMENT.
    pub segment: u32,
    /// TOKENS_DONE.
    pub tokens: u32,
    /// LAST_TOKEN.
    pub last_token: u32,
    /// Id of the image that was read last; 0 for none.
    pub image_id: u64,
    /// Values clamped since reset.
    pub saturations: u32,
    /// Counters of the last run.
    pub counters: Counters,
}

impl CoreState {
    /// Reads it all.
    ///
    /// # Errors
    /// Those of the way to the card.
    pub fn read<T: Transport>(transport: &mut T) -> Result<CoreState, CardError> {
        let image_id = u64::from(read(transport, &regs::IMAGE_ID_HI)?) << 32
            | u64::from(read(transport, &regs::IMAGE_ID_LO)?);
        let counters = counters(|reg| read(transport, reg))?;
        Ok(CoreState {
            status: read(transport, &regs::STATUS)?,
            error: read(transport, &regs::ERROR)?,
            segment: read(transport, &regs::ERROR_SEGMENT)?,
            tokens: read(transport, &regs::TOKENS_DONE)?,
            last_token: read(transport, &regs::LAST_TOKEN)?,
            image_id,
            saturations: read(transport, &regs::SATURATIONS)?,
            counters,
        })
    }

    /// Names of the bits of STATUS that are set; empty for a core that was reset.
    pub fn flags(&self) -> Vec<&'static str> {
        let names = [
            (status::BUSY, "busy"),
            (status::DONE, "done"),
            (status::FAILED, "failed"),
            (status::STATE_VALID, "state valid"),
            (status::DRAINING, "draining"),
        ];
        names.into_iter().filter(|(bit, _)| self.status & bit != 0).map(|(_, name)| name).collect()
    }

    /// Why it stopped; `None` if it did not, or for a code that this program does not know.
    pub fn fault(&self) -> Option<Fault> {
        u8::try_from(self.error).ok().and_then(Fault::from_code)
    }
}

/// Resets the core, whatever it is doing.
///
/// # Errors
/// C006 where it stays busy, and those of the way to the card.
pub fn reset<T: Transport>(transport: &mut T) -> Result<(), CardError> {
    let written = transport.write_register(regs::COMMAND.offset, command::RESET);
    written.map_err(CardError::transport)?;
    transport.expect(0);
    for polls in 0.. {
        let status = read(transport, &regs::STATUS)?;
        if status & (status::BUSY | status::DRAINING) == 0 {
            break;
        }
        if !transport.wait(polls).map_err(CardError::transport)? {
            return Err(CardError::Stuck { what: RESET, status });
        }
    }
    Ok(())
}

/// What the label of a card's memory says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holds {
    /// Id of the model's image.
    pub image_id: u64,
    /// Bytes of image and embedding rows that are there.
    pub bytes: u64,
    /// Bytes of all of it.
    pub total: u64,
}

/// Reads the label of a card's memory; `None` where it is void. That the memory really holds what
/// it says is not looked at.
///
/// # Errors
/// Those of the way to the card.
pub fn holds<T: Transport>(transport: &mut T) -> Result<Option<Holds>, CardError> {
    let mut bytes = [0; LABEL];
    transport.read_memory(0, &mut bytes).map_err(CardError::transport)?;
    Ok(Label::decode(&bytes).map(|label| Holds {
        image_id: label.image_id,
        bytes: label.bytes_done(),
        total: label.lengths.iter().fold(0, |sum, &length| sum.saturating_add(length)),
    }))
}

/// Makes the label of a card's memory void: the next load writes everything.
///
/// # Errors
/// Those of the way to the card.
pub fn forget<T: Transport>(transport: &mut T) -> Result<(), CardError> {
    transport.write_memory(0, &[0; LABEL]).map_err(CardError::transport)
}

fn read<T: Transport>(transport: &mut T, reg: &Reg) -> Result<u32, CardError> {
    transport.read_register(reg.offset).map_err(CardError::transport)
}

/// The counters of the last run, over any way to read a register.
pub(super) fn counters<E>(mut read: impl FnMut(&Reg) -> Result<u32, E>) -> Result<Counters, E> {
    Ok(Counters {
        cycles: wide(&mut read, &regs::CYCLES_LO, &regs::CYCLES_HI)?,
        beats: wide(&mut read, &regs::BEATS_LO, &regs::BEATS_HI)?,
        starved: wide(&mut read, &regs::STARVED_LO, &regs::STARVED_HI)?,
        blocked: wide(&mut read, &regs::BLOCKED_LO, &regs::BLOCKED_HI)?,
        idle: wide(&mut read, &regs::IDLE_LO, &regs::IDLE_HI)?,
    })
}

/// 64 bits that may carry from one half to the other between two reads.
pub(super) fn wide<E>(
    mut read: impl FnMut(&Reg) -> Result<u32, E>,
    low: &Reg,
    high: &Reg,
) -> Result<u64, E> {
    let mut top = read(high)?;
    loop {
        let bottom = read(low)?;
        let again = read(high)?;
        if again == top {
            return Ok(u64::from(top) << 32 | u64::from(bottom));
        }
        top = again;
    }
}
