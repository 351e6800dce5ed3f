//! Inputs that were found worth keeping, a folder a parser, a file an input, named by its SHA-256.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

fn folder(parser: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/parsers/corpus").join(parser)
}

/// Those of a parser, in the order of their names.
pub fn read(parser: &str) -> Vec<Vec<u8>> {
    let Ok(entries) = fs::read_dir(folder(parser)) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort_unstable();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Keeps another.
pub fn keep(parser: &str, input: &[u8]) {
    let name: String =
        Sha256::digest(input)[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    fs::create_dir_all(folder(parser)).unwrap();
    fs::write(folder(parser).join(name), input).unwrap();
}
