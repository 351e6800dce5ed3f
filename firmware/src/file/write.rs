//! Writing a container: to a temporary file beside the target, renamed when it is whole.

use std::fs::{File, Permissions};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::{ENTRY, FORMAT_VERSION, HEADER_CRC, MAGIC, PAGE, Section, SectionKind, TABLE};
use crate::error::{FirmwareError, Result};

/// A container that is being written. Dropping it leaves nothing behind.
pub struct Writer {
    path: PathBuf,
    file: NamedTempFile,
    sections: Vec<Section>,
}

/// Bytes read at a time for the checksums.
const CHUNK: usize = 1 << 20;

impl Writer {
    /// Starts a container that will become `path`.
    pub fn create(path: &Path) -> Result<Writer> {
        Ok(Writer { path: path.into(), file: temporary(path)?, sections: Vec::new() })
    }

    /// Reserves the next section; returns its number.
    pub fn reserve(&mut self, kind: SectionKind, length: u64) -> usize {
        let offset = self.end();
        self.sections.push(Section { kind, crc: 0, offset, length });
        self.sections.len() - 1
    }

    /// Writes into a reserved section at a byte offset from its start.
    pub fn write(&mut self, section: usize, at: u64, bytes: &[u8]) -> Result<()> {
        let Section { offset, length, .. } = self.sections[section];
        assert!(at + bytes.len() as u64 <= length, "a write past the section's end");
        let file = self.file.as_file();
        file.write_all_at(bytes, offset + at).map_err(FirmwareError::io(&self.path, "write"))
    }

    /// Adds a section whose bytes are at hand.
    pub fn section(&mut self, kind: SectionKind, bytes: &[u8]) -> Result<()> {
        let section = self.reserve(kind, bytes.len() as u64);
        self.write(section, 0, bytes)
    }

    /// Computes the checksums, writes the header and renames the file into place.
    pub fn finish(mut self) -> Result<()> {
        let length = self.end();
        let path = self.path.clone();
        let file = self.file.as_file();
        file.set_len(length).map_err(FirmwareError::io(&path, "write"))?;
        for section in &mut self.sections {
            section.crc = checksum(file, section, &path)?;
        }
        let header = header(&self.sections, length);
        file.write_all_at(&header, 0).map_err(FirmwareError::io(&path, "write"))?;
        file.sync_all().map_err(FirmwareError::io(&path, "write"))?;
        persist(self.file, &path)
    }

    fn end(&self) -> u64 {
        self.sections.last().map_or(PAGE, |s| s.end().expect("a file of less than 2⁶⁴ bytes"))
    }
}

/// The bytes of a container whose sections are at hand.
pub(super) fn assemble(parts: &[(SectionKind, &[u8])]) -> (Vec<u8>, Vec<Section>) {
    let mut bytes = vec![0; PAGE as usize];
    let mut sections = vec![];
    for &(kind, part) in parts {
        let offset = bytes.len();
        bytes.extend_from_slice(part);
        bytes.resize(bytes.len().next_multiple_of(PAGE as usize), 0);
        let (crc, length) = (crc32c::crc32c(&bytes[offset..]), part.len() as u64);
        sections.push(Section { kind, crc, offset: offset as u64, length });
    }
    let header = header(&sections, bytes.len() as u64);
    bytes[..header.len()].copy_from_slice(&header);
    (bytes, sections)
}

/// A file beside `path` that [`persist`] makes `path`, or that vanishes.
pub fn temporary(path: &Path) -> Result<NamedTempFile> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    tempfile::Builder::new()
        .prefix(".sterna-")
        .suffix(".tmp")
        // The process's umask applies, as for any file that a user makes.
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(directory)
        .map_err(FirmwareError::io(path, "write"))
}

/// Renames a finished temporary file into place.
pub fn persist(file: NamedTempFile, path: &Path) -> Result<()> {
    file.persist(path).map_err(|error| FirmwareError::io(path, "rename")(error.error))?;
    Ok(())
}

fn checksum(file: &File, section: &Section, path: &Path) -> Result<u32> {
    let end = section.end().expect("checked when reserved");
    let mut buffer = vec![0; CHUNK];
    let (mut at, mut crc) = (section.offset, 0);
    while at < end {
        let chunk = &mut buffer[..CHUNK.min((end - at) as usize)];
        file.read_exact_at(chunk, at).map_err(FirmwareError::io(path, "read back"))?;
        crc = crc32c::crc32c_append(crc, chunk);
        at += chunk.len() as u64;
    }
    Ok(crc)
}

fn header(sections: &[Section], length: u64) -> Vec<u8> {
    let mut header = vec![0; PAGE as usize];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &MAGIC);
    put(8, &FORMAT_VERSION.to_le_bytes());
    put(12, &(sections.len() as u32).to_le_bytes());
    put(16, &length.to_le_bytes());
    for (n, section) in sections.iter().enumerate() {
        let at = TABLE + n * ENTRY;
        put(at, &(section.kind as u32).to_le_bytes());
        put(at + 4, &section.crc.to_le_bytes());
        put(at + 8, &section.offset.to_le_bytes());
        put(at + 16, &section.length.to_le_bytes());
    }
    let crc = crc32c::crc32c(&header[..HEADER_CRC]);
    header[HEADER_CRC..].copy_from_slice(&crc.to_le_bytes());
    header
}
