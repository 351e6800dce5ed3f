//! Loading a model, as far as the card does not hold it already.
//!
//! The first page of the card's memory is a label: of which model the memory is, and how far a
//! load got. It is void while a load begins, and says `done` chunks after each chunk, so a load
//! that was ended goes on where it was, and a model that is there is not loaded again. A label is
//! believed after some pages were read back and compared; what they do not show, the core's own
//! checksums do in a pass at [`Card::open`].

use std::ops::Range;
use std::sync::Arc;

use sterna_firmware::file::{PAGE, SectionKind};
use sterna_firmware::geometry::Geometry;
use sterna_firmware::isa::instructions;
use sterna_firmware::model::Model;

use super::card::{Card, Settings};
use super::error::CardError;
use super::map::MemoryMap;
use super::transport::{Shared, Transport};
use crate::fault::Fault;

/// How far a load is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that the card has.
    pub done: u64,
    /// Bytes of the model.
    pub total: u64,
}

/// Told how far a load is, from its first byte to its last.
pub type OnProgress<'a> = &'a mut dyn FnMut(Progress);

/// What a load found and did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Bytes that were there already.
    pub held: u64,
    /// Bytes that were written.
    pub written: u64,
}

const MAGIC: [u8; 8] = *b"STRNLOAD";
const VERSION: u32 = 1;
/// Bytes of the label that are used.
pub(super) const LABEL: usize = 64;
/// Pages that are compared before a label is believed.
const SAMPLE: usize = 16;

/// What the label says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) image_id: u64,
    /// Bytes of image and rows, and the CRC-32C of their sections in the file.
    pub(super) lengths: [u64; 2],
    crcs: [u32; 2],
    /// Bytes of a chunk.
    chunk: u32,
    /// Chunks that are there.
    done: u32,
}

impl Label {
    /// Of a model of which so many chunks are there.
    fn of(model: &Model, chunk: u32, done: usize) -> Result<Label, CardError> {
        let sections = sections(model)?;
        let crc = |kind| {
            let mut entries = model.container().sections().iter();
            entries.find(|section| section.kind == kind).map_or(0, |section| section.crc)
        };
        Ok(Label {
            image_id: model.image().start().id,
            lengths: sections.map(|(_, bytes)| bytes.len() as u64),
            crcs: sections.map(|(kind, _)| crc(kind)),
            chunk,
            done: done as u32,
        })
    }

    fn encode(&self) -> [u8; LABEL] {
        let mut bytes = [0; LABEL];
        let mut put = |at: usize, part: &[u8]| bytes[at..at + part.len()].copy_from_slice(part);
        put(0, &MAGIC);
        put(8, &VERSION.to_le_bytes());
        put(12, &self.chunk.to_le_bytes());
        put(16, &self.image_id.to_le_bytes());
        put(24, &self.lengths[0].to_le_bytes());
        put(32, &self.lengths[1].to_le_bytes());
        put(40, &self.crcs[0].to_le_bytes());
        put(44, &self.crcs[1].to_le_bytes());
        put(48, &self.done.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..LABEL - 4]);
        bytes[LABEL - 4..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// `None` for anything that no `encode` made.
    pub(super) fn decode(bytes: &[u8; LABEL]) -> Option<Label> {
        let word = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|n| bytes[at + n]));
        let wide = |at: usize| u64::from(word(at)) | u64::from(word(at + 4)) << 32;
        let label = Label {
            image_id: wide(16),
            lengths: [wide(24), wide(32)],
            crcs: [word(40), word(44)],
            chunk: word(12),
            done: word(48),
        };
        (label.encode() == *bytes).then_some(label)
    }

    /// Bytes of the chunks that are there.
    pub(super) fn bytes_done(&self) -> u64 {
        let chunk = chunk_bytes(self.chunk) as u64;
        let mut left = u64::from(self.done);
        let part = |&length: &u64| {
            let chunks = left.min(length.div_ceil(chunk));
            left -= chunks;
            length.min(chunks.saturating_mul(chunk))
        };
        self.lengths.iter().map(part).fold(0, u64::saturating_add)
    }
}

/// Chunks begin at pages.
fn chunk_bytes(chunk: u32) -> usize {
    (chunk as usize).next_multiple_of(PAGE as usize).max(PAGE as usize)
}

/// What of a model's file a card has.
fn sections(model: &Model) -> Result<[(SectionKind, &[u8]); 2], CardError> {
    let rows = model.container().require(SectionKind::Embedding, "import it again")?;
    Ok([(SectionKind::Image, model.image().bytes()), (SectionKind::Embedding, rows)])
}

/// What a load leaves in a memory of so many bytes, from its first byte to the model's last: for
/// memories that can hold it from their start, where a host then finds the model.
///
/// # Errors
/// [`CardError::Memory`] where it does not fit, F017 where it does not fit the core.
pub fn contents(model: &Model, geometry: &Geometry, bytes: u64) -> Result<Vec<u8>, CardError> {
    let shape = model.shape();
    geometry.fits(&shape)?;
    let Settings { slots, chunk, .. } = Settings::default();
    let map = MemoryMap::plan(&shape, &instructions(&shape), geometry, slots, bytes, false)?;
    let sections = sections(model)?;
    let chunks = sections.iter().map(|(_, bytes)| bytes.len().div_ceil(chunk_bytes(chunk))).sum();
    let mut memory = Label::of(model, chunk, chunks)?.encode().to_vec();
    for ((_, bytes), base) in sections.into_iter().zip([map.image, map.embeddings]) {
        // The plan is for this model: each begins behind the end of the one before.
        memory.resize(base as usize, 0);
        memory.extend(bytes);
    }
    Ok(memory)
}

/// A section of the file, which lives as long as somebody writes it to a card.
pub(super) struct Section(pub Arc<Model>, pub SectionKind);

impl AsRef<[u8]> for Section {
    fn as_ref(&self) -> &[u8] {
        self.0.container().section(self.1).unwrap_or_default()
    }
}

/// A piece of the model, and where it goes.
#[derive(Clone)]
struct Chunk {
    at: u64,
    bytes: Shared,
    range: Range<usize>,
}

impl Chunk {
    fn bytes(&self) -> &[u8] {
        &(*self.bytes).as_ref()[self.range.clone()]
    }
}

impl<T: Transport> Card<T> {
    /// Writes image and embedding rows to the card's memory, whatever is there.
    pub fn load(&mut self) -> Result<(), CardError> {
        self.load_from(0, &mut |_| ())
    }

    /// What the last load found and did.
    pub fn loaded(&self) -> Loaded {
        self.loaded
    }

    /// Loads what the card does not hold, and has the core check the rest.
    pub(super) fn load_missing(&mut self, progress: OnProgress<'_>) -> Result<(), CardError> {
        let held = if self.settings.reuse { self.held()?.unwrap_or(0) } else { 0 };
        self.load_from(held, progress)?;
        if held == 0 {
            return Ok(());
        }
        match self.check_walk() {
            Err(CardError::Fault { fault, .. }) if is_damage(fault) => {
                self.reset()?;
                self.load_from(0, progress)
            }
            result => result,
        }
    }

    /// The next command is to load the model before anything else.
    pub(super) fn doubt_memory(&mut self) {
        self.damaged = true;
        // For the next process; should it fail, that one finds the damage as this one did.
        let _ = self.write_memory(self.map.label, &[0; LABEL]);
    }

    /// Whether states and model are still where they were; forgets what is not.
    pub(super) fn review_memory(&mut self) -> Result<(), CardError> {
        if self.held()? != Some(self.chunks()?.len()) {
            self.damaged = true;
            self.lose_saved();
        }
        Ok(())
    }

    fn label(&self, done: usize) -> Result<Label, CardError> {
        Label::of(&self.model, self.settings.chunk, done)
    }

    /// All that is to be in memory before the first pass: nothing of a model that is streamed.
    fn chunks(&self) -> Result<Vec<Chunk>, CardError> {
        if self.map.ring.is_some() {
            return Ok(vec![]);
        }
        let chunk = chunk_bytes(self.settings.chunk);
        let mut chunks = vec![];
        for ((kind, bytes), base) in
            sections(&self.model)?.into_iter().zip([self.map.image, self.map.embeddings])
        {
            let shared: Shared = Arc::new(Section(Arc::clone(&self.model), kind));
            for start in (0..bytes.len()).step_by(chunk) {
                let range = start..bytes.len().min(start + chunk);
                chunks.push(Chunk { at: base + start as u64, bytes: Arc::clone(&shared), range });
            }
        }
        Ok(chunks)
    }

    /// Chunks of the model that the card's memory holds, as far as a sample shows; `None` where it
    /// is not this model's.
    fn held(&mut self) -> Result<Option<usize>, CardError> {
        let mut bytes = [0; LABEL];
        self.read_memory(self.map.label, &mut bytes)?;
        let chunks = self.chunks()?;
        let Some(label) = Label::decode(&bytes) else { return Ok(None) };
        let done = label.done as usize;
        if done > chunks.len() || label != self.label(done)? {
            return Ok(None);
        }
        let page = PAGE as usize;
        let pages: Vec<(u64, &[u8])> = chunks[..done]
            .iter()
            .flat_map(|chunk| {
                let starts = (chunk.at..).step_by(page);
                starts.zip(chunk.bytes().chunks(page))
            })
            .collect();
        let mut read = vec![0; page];
        let count = SAMPLE.min(pages.len());
        for n in 0..count {
            // The first, the last, and as many between them.
            let (at, expected) = pages[n * (pages.len() - 1) / (count - 1).max(1)];
            let read = &mut read[..expected.len()];
            self.read_memory(at, read)?;
            if read != expected {
                return Ok(None);
            }
        }
        Ok(Some(done))
    }

    fn load_from(&mut self, held: usize, progress: OnProgress<'_>) -> Result<(), CardError> {
        let chunks = self.chunks()?;
        let size = |chunks: &[Chunk]| chunks.iter().map(|chunk| chunk.range.len() as u64).sum();
        let (total, mut done): (u64, u64) = (size(&chunks), size(&chunks[..held]));
        self.loaded = Loaded { held: done, written: total - done };
        progress(Progress { done, total });
        if held == 0 {
            self.write_label(0)?;
        }
        for (n, chunk) in chunks.iter().enumerate().skip(held) {
            let result = self.transport.write_shared(chunk.at, &chunk.bytes, chunk.range.clone());
            self.way(result)?;
            if self.settings.read_back {
                self.read_back(chunk)?;
            }
            self.write_label(n + 1)?;
            done += chunk.range.len() as u64;
            progress(Progress { done, total });
        }
        self.damaged = false;
        Ok(())
    }

    fn write_label(&mut self, done: usize) -> Result<(), CardError> {
        let bytes = self.label(done)?.encode();
        self.write_memory(self.map.label, &bytes)
    }

    fn read_back(&mut self, chunk: &Chunk) -> Result<(), CardError> {
        let mut read = vec![0; chunk.range.len()];
        self.read_memory(chunk.at, &mut read)?;
        match read.iter().zip(chunk.bytes()).position(|(a, b)| a != b) {
            None => Ok(()),
            Some(at) => Err(CardError::ReadBack {
                address: chunk.at + at as u64,
                written: chunk.bytes()[at],
                read: read[at],
            }),
        }
    }
}

/// Whether a fault says that the memory does not hold what was loaded.
pub(super) fn is_damage(fault: Fault) -> bool {
    use Fault::*;
    matches!(fault, HeaderCrc | Version | Opcode | Field | PayloadCrc | TritBlock | Row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_whole_or_none() {
        let label = Label {
            image_id: 0x0123_4567_89ab_cdef,
            lengths: [1 << 40, 5],
            crcs: [6, 7],
            chunk: 8,
            done: 9,
        };
        let bytes = label.encode();
        assert_eq!(Label::decode(&bytes), Some(label));
        for bit in 0..8 * LABEL {
            let mut damaged = bytes;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Label::decode(&damaged), None, "bit {bit}");
        }
        assert_eq!(Label::decode(&[0; LABEL]), None);
    }

    #[test]
    fn a_label_counts_its_bytes() {
        let page = PAGE;
        for (done, bytes) in [
            (0, 0),
            (1, page),
            (2, page + 5),
            (3, 2 * page + 5),
            (4, 3 * page + 4),
            (9, 3 * page + 4),
        ] {
            let lengths = [page + 5, 2 * page - 1];
            let label = Label { image_id: 1, lengths, crcs: [0; 2], chunk: 1, done };
            assert_eq!(label.bytes_done(), bytes, "{done} chunks");
        }
        let label = Label { image_id: 1, lengths: [u64::MAX; 2], crcs: [0; 2], chunk: 0, done: 3 };
        assert_eq!(label.bytes_done(), 3 * page);
    }
}
