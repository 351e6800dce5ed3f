//! Which sequences are on chip, and where.
//!
//! A core holds the states of as many sequences as it has slots; where a sequence sits there is its
//! *seat*. The others wait in the card's memory, a page-aligned area each; when one of them is to
//! go on, another is saved and that one loaded in its seat. A sequence that was only cleared has no
//! state to load: the core clears its own.

use sterna_firmware::FirmwareError;
use sterna_firmware::device::State;
use sterna_model::numerics::formats::STATE_BITS;

use super::card::{Card, word};
use super::error::CardError;
use super::transport::Transport;
use crate::registers::{self as regs, command};

/// Where a sequence's state is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Nowhere: it is zero.
    Zero,
    /// In the core, in this seat.
    OnChip(usize),
    /// In the card's memory.
    Saved,
    /// Nowhere: it went with an error.
    Lost,
}

impl<T: Transport> Card<T> {
    /// The state of a sequence, `[layers, inner]`, in each layer's unit.
    ///
    /// # Errors
    /// C011 where it was lost; faults of saving it.
    pub fn state(&mut self, slot: usize) -> Result<Vec<i32>, CardError> {
        let elements = self.model.shape().state();
        match self.mended(slot)? {
            Place::Zero => return Ok(vec![0; elements]),
            Place::Lost => return Err(CardError::StateLost { slot }),
            Place::OnChip(seat) => self.save(slot, seat)?,
            Place::Saved => {}
        }
        let mut bytes = vec![0; 4 * elements];
        self.read_twice(self.map.state(slot), &mut bytes)?;
        let state: Vec<i32> = bytes.chunks_exact(4).map(word).collect();
        let most = 1 << (STATE_BITS - 1);
        match state.iter().position(|&value| !(-most..most).contains(&value)) {
            Some(index) => Err(CardError::Number {
                what: "state element",
                index,
                value: state[index],
                bits: STATE_BITS,
            }),
            None => Ok(state),
        }
    }

    /// Restores the state of a sequence.
    ///
    /// # Errors
    /// F018 where it has another length than the model's.
    pub fn set_state(&mut self, slot: usize, state: &[i32]) -> Result<(), CardError> {
        self.place(slot)?;
        let expected = self.model.shape().state();
        if state.len() != expected {
            let state = State::Fixed(state.to_vec());
            return Err(FirmwareError::state(&state, expected, true).into());
        }
        if self.failed {
            self.reset()?;
        }
        let bytes: Vec<u8> = state.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.write_memory(self.map.state(slot), &bytes)?;
        self.places[slot] = Place::Saved;
        Ok(())
    }

    /// Sequences that can share a pass. The row of one token alone is there where the model
    /// streams through the memory.
    pub(super) fn seats(&self) -> usize {
        if self.map.ring.is_some() { 1 } else { self.geometry.slots as usize }
    }

    /// Brings sequences on chip, at most as many as there are seats, and says where each sits.
    pub(super) fn bring(&mut self, slots: &[usize]) -> Result<Vec<usize>, CardError> {
        self.mend(slots)?;
        for &slot in slots {
            if !matches!(self.places[slot], Place::OnChip(_)) {
                let stays =
                    |seat: &usize| self.occupant(*seat).is_some_and(|other| slots.contains(&other));
                let empty = (0..self.seats()).find(|&seat| self.occupant(seat).is_none());
                let seat = empty.or_else(|| (0..self.seats()).find(|seat| !stays(seat)));
                self.sit(slot, seat.expect("no more sequences than seats"))?;
            }
        }
        let seat = |slot: &usize| match self.places[*slot] {
            Place::OnChip(seat) => seat,
            _ => unreachable!("every one of them was brought"),
        };
        Ok(slots.iter().map(seat).collect())
    }

    /// Brings a sequence to the first seat, from which on all may hold its next tokens.
    pub(super) fn bring_first(&mut self, slot: usize) -> Result<(), CardError> {
        self.mend(&[slot])?;
        match self.places[slot] {
            Place::OnChip(0) => return Ok(()),
            Place::OnChip(seat) => {
                self.save(slot, seat)?;
                self.places[slot] = Place::Saved;
            }
            _ => {}
        }
        self.sit(slot, 0)
    }

    /// Gives a sequence that is not on chip a seat, whose own is saved.
    fn sit(&mut self, slot: usize, seat: usize) -> Result<(), CardError> {
        if let Some(other) = self.occupant(seat) {
            self.save(other, seat)?;
            self.places[other] = Place::Saved;
        }
        if self.places[slot] == Place::Zero {
            self.command("clear", command::CLEAR, seat)?;
        } else {
            self.base([&regs::STATE_LO, &regs::STATE_HI], self.map.state(slot))?;
            self.command("load of a state", command::LOAD, seat)?;
        }
        self.places[slot] = Place::OnChip(seat);
        Ok(())
    }

    /// Copies a state on chip to the memory.
    fn save(&mut self, slot: usize, seat: usize) -> Result<(), CardError> {
        self.base([&regs::STATE_LO, &regs::STATE_HI], self.map.state(slot))?;
        self.command("save of a state", command::SAVE, seat)
    }

    /// Who sits in a seat.
    fn occupant(&self, seat: usize) -> Option<usize> {
        self.places.iter().position(|&place| place == Place::OnChip(seat))
    }

    /// Makes sure that sequences have a state and the core is sound.
    fn mend(&mut self, slots: &[usize]) -> Result<(), CardError> {
        for &slot in slots {
            if self.mended(slot)? == Place::Lost {
                return Err(CardError::StateLost { slot });
            }
        }
        if self.damaged {
            self.load()?;
        }
        Ok(())
    }

    /// Where a sequence is, after the core was reset if it is to be: that may lose it.
    fn mended(&mut self, slot: usize) -> Result<Place, CardError> {
        if self.place(slot)? != Place::Lost && self.failed {
            self.reset()?;
        }
        self.place(slot)
    }

    /// The sequences in memory are void.
    pub(super) fn lose_saved(&mut self) {
        self.lose_where(|place| place == Place::Saved);
    }

    /// The sequences on chip are void.
    pub(super) fn lose(&mut self) {
        self.lose_where(|place| matches!(place, Place::OnChip(_)));
    }

    fn lose_where(&mut self, which: impl Fn(Place) -> bool) {
        let void = self.places.iter_mut().filter(|place| which(**place));
        void.for_each(|place| *place = Place::Lost);
    }

    pub(super) fn place(&self, slot: usize) -> Result<Place, CardError> {
        let slots = self.places.len();
        let place = self.places.get(slot).copied();
        place.ok_or_else(|| FirmwareError::Slot { slot, slots }.into())
    }
}
