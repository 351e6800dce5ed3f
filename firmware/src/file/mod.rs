//! The `.sterna` container.
//!
//! One header page, then sections, each from a 4 KiB boundary to the next section's; the
//! sections follow one another without a gap to the end of the file, and each has a CRC-32C
//! over all of it, padding included: no bit of the file is unprotected.
//!
//! ```text
//! byte 0     magic  89 'S' 'T' 'E' 'R' 'N' 'A' 0a
//!      8     format version (u32), number of sections (u32)
//!      16    length of the file (u64)
//!      64    sections, 32 bytes each: kind (u32), CRC-32C (u32), offset (u64),
//!            length used (u64), 0 (u64); a section extends to the next multiple of 4096
//!      4092  CRC-32C of bytes 0..4092
//! ```

mod map;
mod read;
mod write;

pub use read::Container;
pub use write::{Writer, persist, temporary};

/// Alignment of sections; what the card's memory wants of a base.
pub const PAGE: u64 = 4096;

const MAGIC: [u8; 8] = *b"\x89STERNA\n";
const FORMAT_VERSION: u32 = 1;
const TABLE: usize = 64;
const ENTRY: usize = 32;
const HEADER_CRC: usize = PAGE as usize - 4;

/// What a section holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum SectionKind {
    /// JSON: shape, origin, ternarisation report (see [`crate::model::Description`]).
    Model = 1,
    /// The checkpoint's `tokenizer.json`, byte for byte.
    Tokenizer = 2,
    /// Embedding rows for the device ([`crate::rows`]).
    Embedding = 3,
    /// The image of memory channel 0.
    Image = 4,
    /// Original vectors, scales and embeddings at their stored precision (safetensors).
    Host = 5,
}

impl SectionKind {
    /// Every kind.
    pub const ALL: [SectionKind; 5] = [
        SectionKind::Model,
        SectionKind::Tokenizer,
        SectionKind::Embedding,
        SectionKind::Image,
        SectionKind::Host,
    ];

    fn from_word(word: u32) -> Option<SectionKind> {
        SectionKind::ALL.into_iter().find(|&kind| kind as u32 == word)
    }
}

impl std::fmt::Display for SectionKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            SectionKind::Model => "model",
            SectionKind::Tokenizer => "tokenizer",
            SectionKind::Embedding => "embedding",
            SectionKind::Image => "image",
            SectionKind::Host => "host",
        })
    }
}

/// A section's entry in the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section {
    /// What it holds.
    pub kind: SectionKind,
    /// CRC-32C from `offset` to the next section.
    pub crc: u32,
    /// First byte, a multiple of [`PAGE`].
    pub offset: u64,
    /// Bytes used, without the padding to the next page.
    pub length: u64,
}

impl Section {
    /// First byte after the padding.
    fn end(&self) -> Option<u64> {
        self.offset.checked_add(self.length)?.checked_next_multiple_of(PAGE)
    }
}
