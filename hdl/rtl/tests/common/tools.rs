//! Programs that tests run, and where.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A program on the search path or below `$VERILATOR_ROOT`; `None`, with a word about it, else.
pub fn tool(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("VERILATOR_ROOT").map(|r| Path::new(&r).join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = root.into_iter().chain(std::env::split_paths(&path));
    let found = folders.map(|f| f.join(name)).find(|f| f.is_file());
    if found.is_none() {
        // Where everything is installed, a check that did not run is a failure.
        assert!(std::env::var_os("CI").is_none(), "`{name}` is missing: run scripts/setup");
        eprintln!("skipped: `{name}` is neither on PATH nor below VERILATOR_ROOT");
    }
    found
}

/// Runs a command and returns what it printed; panics where it fails.
pub fn run(command: &mut Command) -> String {
    let out = command.output().expect("the tool starts");
    let text = String::from_utf8_lossy(&out.stdout) + String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{command:?}\n{text}");
    text.into_owned()
}

/// A folder of its own below the target folder.
pub fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("the target folder is writable");
    folder
}
