//! A model through a memory that is too small for it.
//!
//! ```text
//!  host: chunk 4 -+    +-> chunk 1: the core reads
//!                 v    |
//!        [ 0 free | 1 | 2 | 3 ] ring
//! ```
//!
//! The image is written to the card for every pass, in chunks of a quarter of the ring: while the
//! core reads some of them, the next is under way. The core does not read what IMAGE_OWED says is
//! missing, and BEATS says what it is done with. The row of the token that enters is written alone,
//! and EMBED is where the first row would be. So a pass costs a transfer of the whole image, and
//! the link is what limits tokens a second.

use std::sync::Arc;

use sterna_firmware::file::{PAGE, SectionKind};
use sterna_firmware::isa::UNIT;

use super::bare::wide;
use super::card::Card;
use super::error::CardError;
use super::load::Section;
use super::transport::{Shared, Transport};
use crate::core::ADDRESS;
use crate::registers as regs;

/// The largest chunk: what a link takes a millisecond or so for.
const CHUNK: u64 = 4 << 20;

/// The value of IMAGE_RING for a ring of so many bytes.
pub(super) fn ring_bits(ring: u64) -> u32 {
    let all = (1 << (ADDRESS - PAGE.trailing_zeros())) - 1;
    !(ring / PAGE - 1) as u32 & all
}

/// A pass under way.
pub(super) struct Stream {
    image: Shared,
    /// Bytes of the ring, of a chunk, and of the pass.
    ring: u64,
    chunk: u64,
    total: u64,
    /// Bytes that were written.
    sent: u64,
}

impl Stream {
    /// Before a pass over so many units of the image that `token` enters; `None` where the memory
    /// holds the image.
    pub fn begin<T: Transport>(
        card: &mut Card<T>,
        token: u32,
        units: usize,
    ) -> Result<Option<Stream>, CardError> {
        let Some(ring) = card.map.ring else { return Ok(None) };
        let stride = card.model.shape().row_stride();
        let model = Arc::clone(&card.model);
        let rows = model.container().require(SectionKind::Embedding, "import it again")?;
        let first = token as usize * stride;
        card.write_memory(card.map.embeddings, &rows[first..first + stride])?;
        // Addresses wrap, in the core as here.
        let base = card.map.embeddings.wrapping_sub(first as u64) & ((1 << ADDRESS) - 1);
        card.base([&regs::EMBED_LO, &regs::EMBED_HI], base)?;
        let image: Shared = Arc::new(Section(model, SectionKind::Image));
        let chunk = (ring / 4).clamp(PAGE, CHUNK);
        let total = (units * UNIT) as u64;
        let mut stream = Stream { image, ring, chunk, total, sent: 0 };
        stream.owe(card)?;
        while stream.sent < total.min(ring) {
            stream.send(card)?;
        }
        Ok(Some(stream))
    }

    /// Writes the next chunk if there is a place for it; whether it did.
    pub fn go_on<T: Transport>(&mut self, card: &mut Card<T>) -> Result<bool, CardError> {
        if self.sent == self.total {
            return Ok(false);
        }
        let beats = wide(|reg| card.read(reg), &regs::BEATS_LO, &regs::BEATS_HI)?;
        let read = beats.saturating_mul(u64::from(card.geometry.bus / 8));
        let room = self.sent + self.chunk <= self.ring.saturating_add(read);
        if room {
            self.send(card)?;
        }
        Ok(room)
    }

    fn send<T: Transport>(&mut self, card: &mut Card<T>) -> Result<(), CardError> {
        let end = self.total.min(self.sent + self.chunk);
        let at = card.map.image + self.sent % self.ring;
        let range = self.sent as usize..end as usize;
        let result = card.transport.write_shared(at, &self.image, range);
        card.way(result)?;
        self.sent = end;
        self.owe(card)
    }

    fn owe<T: Transport>(&self, card: &mut Card<T>) -> Result<(), CardError> {
        let owed = (self.total - self.sent) / UNIT as u64;
        card.write(&regs::IMAGE_OWED, owed as u32)
    }
}

impl<T: Transport> Card<T> {
    /// Bytes that are sent for every token with a head; `None` where the memory holds the model.
    pub fn streamed(&self) -> Option<u64> {
        let image = self.model.image().bytes().len() + self.model.shape().row_stride();
        self.map.ring.map(|_| image as u64)
    }
}
