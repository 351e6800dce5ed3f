//! A small model, taken apart so that each part can be damaged, and put together again.

// Each test file uses a part of it.
#![allow(dead_code)]

use std::env;
use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sterna_firmware::compile::compile;
use sterna_firmware::file::SectionKind;
use sterna_firmware::isa::{Instruction, UNIT, instructions};
use sterna_firmware::model::Model;
use sterna_firmware::shape::Shape;
use sterna_firmware::{FirmwareError, Result};
use sterna_model::checkpoint::Checkpoint;
use sterna_model::synth::{self, SynthSpec};
use tempfile::TempDir;

pub const PAGE: usize = 4096;

/// SplitMix64, whose seed is new each time, printed, and replayed if `STERNA_SEED` has it.
pub struct Random(u64);

impl Random {
    pub fn seeded() -> Random {
        let fresh = || RandomState::new().build_hasher().finish();
        let seed = match env::var("STERNA_SEED") {
            Ok(seed) => seed.parse().expect("STERNA_SEED is a number"),
            Err(_) => fresh(),
        };
        println!("seed {seed}: replay with STERNA_SEED={seed}");
        Random(seed)
    }

    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end as u64) as usize
    }
}

/// A file of the demo models' folder.
pub fn demo(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/demo").join(name)
}

/// The small trained model, compiled.
pub fn tiny() -> Arc<Model> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tiny.sterna");
    let checkpoint = Checkpoint::open(&demo("shakespeare-tiny")).unwrap();
    compile(&checkpoint, &path, &mut |_| ()).unwrap();
    Model::open(&path).unwrap()
}

/// A directory with a compiled model of the least size.
pub struct Desk {
    pub dir: TempDir,
    /// The model's file.
    pub good: Vec<u8>,
    pub shape: Shape,
}

impl Desk {
    pub fn new() -> Desk {
        Desk::of(&SynthSpec::new(32, 1, 11))
    }

    /// The same with another model.
    pub fn of(spec: &SynthSpec) -> Desk {
        let dir = tempfile::tempdir().unwrap();
        let checkpoint = dir.path().join("checkpoint");
        synth::write(spec, &checkpoint, &mut |_, _| ()).unwrap();
        let path = dir.path().join("good.sterna");
        let checkpoint = Checkpoint::open(&checkpoint).unwrap();
        let shape = compile(&checkpoint, &path, &mut |_| ()).unwrap().shape;
        Desk { good: fs::read(path).unwrap(), dir, shape }
    }

    /// What the model was compiled from.
    pub fn checkpoint(&self) -> PathBuf {
        self.dir.path().join("checkpoint")
    }

    /// The file that the next model is written to.
    pub fn path(&self) -> PathBuf {
        self.dir.path().join("m.sterna")
    }

    pub fn open(&self, bytes: &[u8]) -> Result<Arc<Model>> {
        fs::write(self.path(), bytes).unwrap();
        Model::open(&self.path())
    }

    pub fn parts(&self) -> Parts {
        Parts::of(&self.good)
    }

    pub fn walk(&self) -> Vec<Instruction> {
        instructions(&self.shape)
    }

    /// Code and message, without the directory and without checksums: these are many and say
    /// nothing to a reader.
    pub fn message(&self, error: &FirmwareError) -> String {
        let dir = format!("{}/", self.dir.path().display());
        let message = format!("{} {}", error.code(), error.to_string().replace(&dir, ""));
        let mut parts = message.split("0x");
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            match part.split_at_checked(8) {
                Some((crc, rest)) if crc.chars().all(|c| c.is_ascii_hexdigit()) => {
                    text.extend(["0x…", rest]);
                }
                _ => text.extend(["0x", part]),
            }
        }
        text
    }
}

/// A container's sections by kind; written as `file`'s documentation says, not by its code.
#[derive(Clone, Debug, PartialEq)]
pub struct Parts {
    pub version: u32,
    pub sections: Vec<(u32, Vec<u8>)>,
}

impl Parts {
    pub fn of(file: &[u8]) -> Parts {
        let u64_at = |at: usize| u64::from_le_bytes(file[at..at + 8].try_into().unwrap()) as usize;
        let sections = (0..word(file, 12) as usize).map(|n| {
            let at = 64 + 32 * n;
            let (offset, length) = (u64_at(at + 8), u64_at(at + 16));
            (word(file, at), file[offset..offset + length].to_vec())
        });
        Parts { version: word(file, 8), sections: sections.collect() }
    }

    pub fn section(&mut self, kind: SectionKind) -> &mut Vec<u8> {
        &mut self.sections.iter_mut().find(|(k, _)| *k == kind as u32).unwrap().1
    }

    pub fn remove(&mut self, kind: SectionKind) {
        self.sections.retain(|(k, _)| *k != kind as u32);
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut file = vec![0; PAGE];
        file[..8].copy_from_slice(b"\x89STERNA\n");
        set_word(&mut file, 8, self.version);
        set_word(&mut file, 12, self.sections.len() as u32);
        for (n, (kind, bytes)) in self.sections.iter().enumerate() {
            let (at, offset) = (64 + 32 * n, file.len());
            file.extend(bytes);
            file.resize(file.len().next_multiple_of(PAGE), 0);
            let crc = crc32c::crc32c(&file[offset..]);
            set_word(&mut file, at, *kind);
            set_word(&mut file, at + 4, crc);
            set_word(&mut file, at + 8, offset as u32);
            set_word(&mut file, at + 16, bytes.len() as u32);
        }
        let length = file.len() as u32;
        set_word(&mut file, 16, length);
        seal_file(&mut file);
        file
    }
}

pub fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

pub fn set_word(bytes: &mut [u8], at: usize, word: u32) {
    bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
}

/// Makes the checksum of the container's header right.
pub fn seal_file(file: &mut [u8]) {
    let crc = crc32c::crc32c(&file[..PAGE - 4]);
    set_word(file, PAGE - 4, crc);
}

/// Makes the checksum of a segment's header right.
pub fn seal_header(image: &mut [u8], instruction: &Instruction) {
    let at = instruction.offset;
    let crc = crc32c::crc32c(&image[at..at + UNIT - 4]);
    set_word(image, at + UNIT - 4, crc);
}

/// Makes the checksums of a segment's payload and header right.
pub fn seal(image: &mut [u8], instruction: &Instruction) {
    let crc = crc32c::crc32c(&image[instruction.payload_offset()..instruction.end()]);
    set_word(image, instruction.offset + 12, crc);
    seal_header(image, instruction);
}
