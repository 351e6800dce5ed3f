//! Where everything lies in a card's memory.

use sterna_firmware::file::PAGE;
use sterna_firmware::geometry::Geometry;
use sterna_firmware::isa::{Instruction, Opcode, UNIT};
use sterna_firmware::shape::Shape;

use super::error::CardError;
use crate::record;

/// Addresses of everything that the core reads and writes, each a multiple of 4096.
///
/// ```text
/// label | image | embedding rows | a state per slot | result records | accumulators of all tokens
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryMap {
    /// What the memory holds ([`load`](super::load)).
    pub label: u64,
    /// The image.
    pub image: u64,
    /// The embedding rows.
    pub embeddings: u64,
    /// State of slot 0.
    pub states: u64,
    /// Bytes from one slot's state to the next.
    pub state_stride: u64,
    /// Result records.
    pub results: u64,
    /// Records that fit.
    pub records: u32,
    /// Accumulators of all tokens.
    pub logits: u64,
    /// First address that is free.
    pub end: u64,
}

/// Passes of the longest run.
const RECORDS: u32 = 64;

impl MemoryMap {
    /// Plans the memory for a model and so many sequences.
    ///
    /// # Errors
    /// [`CardError::Memory`] where it does not fit `bytes`.
    pub fn plan(
        shape: &Shape,
        walk: &[Instruction],
        geometry: &Geometry,
        slots: usize,
        bytes: u64,
    ) -> Result<MemoryMap, CardError> {
        let mut end = 0u64;
        let mut take = |bytes: u64| {
            let start = end;
            end = end.saturating_add(bytes).next_multiple_of(PAGE);
            start
        };
        let label = take(PAGE);
        let image = take(walk.last().map_or(0, Instruction::end) as u64);
        let embeddings = take((shape.row_stride() * shape.vocab) as u64);
        let state_stride = (4 * shape.state() as u64).next_multiple_of(PAGE);
        let states = take(state_stride.saturating_mul(slots as u64));
        let results = take(u64::from(RECORDS) * record::stride(geometry.top_k) as u64);
        let logits = take((4 * shape.vocab as u64).next_multiple_of(UNIT as u64));
        if end > bytes {
            return Err(CardError::Memory { needed: end, slots, bytes });
        }
        let records = RECORDS;
        Ok(MemoryMap {
            label,
            image,
            embeddings,
            states,
            state_stride,
            results,
            records,
            logits,
            end,
        })
    }

    /// State of a slot.
    pub fn state(&self, slot: usize) -> u64 {
        self.states + self.state_stride * slot as u64
    }
}

/// Units of 64 bytes before the head: what a pass without it reads.
pub(super) fn headless_units(walk: &[Instruction]) -> usize {
    let head = walk.iter().find(|instruction| instruction.opcode == Opcode::Head);
    head.map_or(0, |instruction| instruction.offset / UNIT)
}

/// Units of the whole image.
pub(super) fn image_units(walk: &[Instruction]) -> usize {
    walk.last().map_or(0, |instruction| instruction.end() / UNIT)
}
