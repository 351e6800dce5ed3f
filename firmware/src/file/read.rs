//! Opening a container: nothing is believed before its checksum held.

use std::fs::File;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::map::Bytes;
use super::{ENTRY, FORMAT_VERSION, HEADER_CRC, MAGIC, PAGE, Section, SectionKind, TABLE};
use crate::error::{FirmwareError, Result};

/// An opened container, every checksum verified.
pub struct Container {
    path: PathBuf,
    bytes: Bytes,
    sections: Vec<Section>,
}

impl Container {
    /// Maps and verifies a file.
    pub fn open(path: &Path) -> Result<Container> {
        Container::map(path)?.verified()
    }

    /// Maps a file and verifies its header and one section only.
    pub fn glance(path: &Path, kind: SectionKind) -> Result<Container> {
        let container = Container::map(path)?;
        let section = container.sections.iter().find(|section| section.kind == kind);
        section.map_or(Ok(()), |section| container.check(section))?;
        Ok(container)
    }

    fn map(path: &Path) -> Result<Container> {
        let file = File::open(path).map_err(FirmwareError::io(path, "open"))?;
        let metadata = file.metadata().map_err(FirmwareError::io(path, "read"))?;
        if metadata.is_dir() {
            return Err(FirmwareError::NotSterna {
                path: path.into(),
                reason: "it is a directory".into(),
                hint: "make one of a checkpoint with `sterna import DIR -o FILE.sterna`",
            });
        }
        if metadata.len() < PAGE {
            return Err(FirmwareError::NotSterna {
                path: path.into(),
                reason: format!("it has {} bytes, the header alone has {PAGE}", metadata.len()),
                hint: "make one of a checkpoint with `sterna import DIR -o FILE.sterna`",
            });
        }
        let bytes = Bytes::map(&file).map_err(FirmwareError::io(path, "map"))?;
        Container::parse(path.into(), bytes)
    }

    /// Verifies a container that is part of the program; `name` stands in error messages.
    pub fn from_static(name: &str, bytes: &'static [u8]) -> Result<Container> {
        Container::parse(name.into(), Bytes::Static(bytes))?.verified()
    }

    /// A container in memory; `name` stands in messages.
    pub fn of_sections(name: &str, parts: &[(SectionKind, &[u8])]) -> Container {
        let (bytes, sections) = super::write::assemble(parts);
        Container { path: name.into(), bytes: Bytes::Owned(bytes), sections }
    }

    fn parse(path: PathBuf, bytes: Bytes) -> Result<Container> {
        let header = bytes.get(..PAGE as usize).unwrap_or(&[]);
        if !header.starts_with(&MAGIC) {
            return Err(FirmwareError::NotSterna {
                path,
                reason: "its first bytes are not the magic number".into(),
                hint: "make one of a checkpoint with `sterna import DIR -o FILE.sterna`",
            });
        }
        let stored = u32_at(header, HEADER_CRC);
        let computed = crc32c::crc32c(&header[..HEADER_CRC]);
        if stored != computed {
            return Err(FirmwareError::Checksum { path, what: "header".into(), stored, computed });
        }
        let found = u32_at(header, 8);
        if found != FORMAT_VERSION {
            return Err(FirmwareError::Format { path, found, supported: FORMAT_VERSION });
        }
        let sections = match table(header, bytes.len() as u64) {
            Ok(sections) => sections,
            Err((offset, reason)) => {
                return Err(FirmwareError::Layout { path, offset, reason: reason.into() });
            }
        };
        Ok(Container { path, bytes, sections })
    }

    fn verified(self) -> Result<Container> {
        self.sections.par_iter().try_for_each(|section| self.check(section))?;
        Ok(self)
    }

    fn check(&self, section: &Section) -> Result<()> {
        let end = section.end().unwrap_or(u64::MAX).min(self.bytes.len() as u64);
        let computed = crc32c::crc32c(&self.bytes[section.offset as usize..end as usize]);
        if computed == section.crc {
            return Ok(());
        }
        Err(FirmwareError::Checksum {
            path: self.path.clone(),
            what: format!("{} section (byte {})", section.kind, section.offset),
            stored: section.crc,
            computed,
        })
    }

    /// The file, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Length of the whole file in bytes.
    pub fn length(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// The sections, in the order of the file.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// The used bytes of a section, if the file has it.
    pub fn section(&self, kind: SectionKind) -> Option<&[u8]> {
        let section = self.sections.iter().find(|section| section.kind == kind)?;
        let start = section.offset as usize;
        Some(&self.bytes[start..start + section.length as usize])
    }

    /// The used bytes of a section that must be there; `hint` says what to do without.
    pub fn require(&self, kind: SectionKind, hint: &'static str) -> Result<&[u8]> {
        self.section(kind).ok_or_else(|| FirmwareError::MissingSection {
            path: self.path.clone(),
            section: kind,
            hint,
        })
    }
}

/// Reads the section table; the sections must tile the file after its header.
fn table(header: &[u8], file: u64) -> std::result::Result<Vec<Section>, (u64, &'static str)> {
    let count = u32_at(header, 12) as usize;
    if count > (HEADER_CRC - TABLE) / ENTRY {
        return Err((12, "more sections than the header has room for"));
    }
    let unused = [24..TABLE, TABLE + count * ENTRY..HEADER_CRC];
    if let Some(at) = unused.into_iter().flatten().find(|&at| header[at] != 0) {
        return Err((at as u64, "a reserved byte that is not zero"));
    }
    if u64_at(header, 16) != file {
        return Err((16, "the file is shorter or longer than its header says"));
    }
    let mut next = PAGE;
    let mut sections: Vec<Section> = Vec::with_capacity(count);
    for n in 0..count {
        let at = TABLE + n * ENTRY;
        let kind = SectionKind::from_word(u32_at(header, at))
            .ok_or((at as u64, "a section of unknown kind"))?;
        let section = Section {
            kind,
            crc: u32_at(header, at + 4),
            offset: u64_at(header, at + 8),
            length: u64_at(header, at + 16),
        };
        if u64_at(header, at + 24) != 0 {
            return Err((at as u64 + 24, "a reserved field that is not zero"));
        }
        if sections.iter().any(|other| other.kind == kind) {
            return Err((at as u64, "a section of a kind that was there before"));
        }
        if section.offset != next {
            return Err((at as u64 + 8, "a section that does not follow the one before"));
        }
        next = section.end().ok_or((at as u64 + 16, "a section longer than any file"))?;
        if next > file {
            return Err((at as u64 + 16, "a section that ends after the file"));
        }
        sections.push(section);
    }
    if next != file {
        return Err((16, "bytes that belong to no section"));
    }
    Ok(sections)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}
