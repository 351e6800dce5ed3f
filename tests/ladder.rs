//! The workspace as a whole: who may use whom, and that its map is complete.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, MetadataCommand};

/// Each crate and the crates of this workspace that it may use, tests included.
///
/// One way only: what a model computes must not depend on how it is stored, what an image
/// means not on the hardware that executes it, and neither on who asks. So each of them can
/// be read, tested and trusted without the ones below.
const LADDER: &[(&str, &[&str])] = &[
    ("sterna-model", &[]),
    ("sterna-firmware", &["sterna-model"]),
    ("sterna-rtl", &[]),
    ("sterna-hdl", &["sterna-model", "sterna-firmware", "sterna-rtl"]),
    ("sterna-xdma", &[]),
    ("sterna-power", &[]),
    ("sterna-sim", &["sterna-model", "sterna-firmware", "sterna-rtl", "sterna-hdl", "sterna-xdma"]),
    (
        "sterna",
        &[
            "sterna-model",
            "sterna-firmware",
            "sterna-rtl",
            "sterna-hdl",
            "sterna-xdma",
            "sterna-power",
            "sterna-sim",
        ],
    ),
];

/// Files above this are split.
const LINES: usize = 600;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn metadata() -> Metadata {
    let manifest = root().join("Cargo.toml");
    MetadataCommand::new().manifest_path(manifest).no_deps().exec().unwrap()
}

#[test]
fn crates_use_only_those_above() {
    let metadata = metadata();
    let packages = metadata.workspace_packages();
    let names: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let listed: BTreeSet<&str> = LADDER.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, listed, "the workspace's crates, and those of the table");
    for (place, (name, allowed)) in LADDER.iter().enumerate() {
        let above: Vec<&str> = LADDER[..place].iter().map(|(name, _)| *name).collect();
        assert!(allowed.iter().all(|name| above.contains(name)), "{name} looks down");
        let package = packages.iter().find(|package| package.name == *name).unwrap();
        for dependency in &package.dependencies {
            let ours = dependency.path.is_some() || names.contains(dependency.name.as_str());
            let fits = !ours || allowed.contains(&dependency.name.as_str());
            assert!(fits, "{name} must not use {}", dependency.name);
        }
    }
}

#[test]
fn the_readme_lists_every_folder() {
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md");
    let entries = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap());
    let folders = entries.filter(|entry| entry.file_type().unwrap().is_dir());
    let names = folders.map(|entry| entry.file_name().into_string().unwrap());
    // What git ignores is nobody's business; what is hidden explains itself.
    let missing: Vec<String> = names
        .filter(|name| !name.starts_with('.') && name != "target")
        .filter(|name| !readme.contains(&format!("`{name}/`")))
        .collect();
    assert!(missing.is_empty(), "README.md has no sentence on {missing:?}");
}

#[test]
fn no_file_is_too_long() {
    let mut seen = 0;
    for package in metadata().workspace_packages() {
        let source = package.manifest_path.parent().unwrap().join("src");
        let mut folders = vec![source.into_std_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if entry.is_dir() {
                    folders.push(entry);
                    continue;
                }
                let lines = fs::read_to_string(&entry).unwrap().lines().count();
                assert!(lines <= LINES, "{} has {lines} lines", entry.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 50, "only {seen} files found");
}
