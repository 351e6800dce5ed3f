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
/// label | one embedding row | states | records | accumulators | ring
/// ```
///
/// The second is for a memory that is too small for the first: image and row are written for every
/// token, the image round and round the ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryMap {
    /// What the memory holds ([`load`](super::load)).
    pub label: u64,
    /// The image, or the ring.
    pub image: u64,
    /// Bytes of the ring, a power of two, and `image` a multiple of it; `None` where the whole
    /// image is there.
    pub ring: Option<u64>,
    /// The embedding rows, or the one.
    pub embeddings: u64,
    /// State of slot 0.
    pub states: u64,
    /// Bytes from one slot's state to the next.
    pub state_stride: u64,
    /// Result records.
    pub results: u64,
    /// Passes whose records fit.
    pub records: u32,
    /// Accumulators of all tokens.
    pub logits: u64,
    /// First address that is free.
    pub end: u64,
}

/// Passes of the longest run.
const RECORDS: u32 = 64;
/// The largest ring that is of use: some milliseconds of a fast link.
const RING: u64 = 1 << 25;
/// The smallest that wraps.
const LEAST_RING: u64 = 2 * PAGE;

impl MemoryMap {
    /// Plans the memory for a model and so many sequences; one that is too small for it gets a
    /// ring if `stream` allows that.
    ///
    /// # Errors
    /// [`CardError::Memory`] where it does not fit `bytes`.
    pub fn plan(
        shape: &Shape,
        walk: &[Instruction],
        geometry: &Geometry,
        slots: usize,
        bytes: u64,
        stream: bool,
    ) -> Result<MemoryMap, CardError> {
        let image = (image_units(walk) * UNIT) as u64;
        let rows = (shape.row_stride() * shape.vocab) as u64;
        let whole = MemoryMap::of(shape, geometry, slots, image, rows);
        if whole.end <= bytes {
            return Ok(whole);
        }
        let mut map = MemoryMap::of(shape, geometry, slots, 0, shape.row_stride() as u64);
        let place = |ring: &u64| map.end.checked_next_multiple_of(*ring).unwrap_or(u64::MAX);
        let mut rings = std::iter::successors(Some(RING), |ring| Some(ring / 2));
        let ring = rings
            .by_ref()
            .take_while(|&ring| ring >= LEAST_RING)
            .find(|ring| place(ring).saturating_add(*ring) <= bytes);
        match ring {
            Some(ring) if stream => {
                let image = place(&ring);
                map = MemoryMap { image, ring: Some(ring), end: image + ring, ..map };
                Ok(map)
            }
            _ => Err(CardError::Memory { needed: whole.end, slots, bytes }),
        }
    }

    /// Everything in a row.
    fn of(shape: &Shape, geometry: &Geometry, slots: usize, image: u64, rows: u64) -> MemoryMap {
        let mut end = 0u64;
        let mut take = |bytes: u64| {
            let start = end;
            end = end.saturating_add(bytes).next_multiple_of(PAGE);
            start
        };
        let label = take(PAGE);
        let image = take(image);
        let embeddings = take(rows);
        let state_stride = (4 * shape.state() as u64).next_multiple_of(PAGE);
        let states = take(state_stride.saturating_mul(slots as u64));
        let records = u64::from(RECORDS) * u64::from(geometry.slots);
        let results = take(records * record::stride(geometry.top_k) as u64);
        let logits = take((4 * shape.vocab as u64).next_multiple_of(UNIT as u64));
        MemoryMap {
            label,
            image,
            ring: None,
            embeddings,
            states,
            state_stride,
            results,
            records: RECORDS,
            logits,
            end,
        }
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
