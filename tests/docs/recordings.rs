//! The terminals of docs/tour.md: each block's commands are run, and what they said is its picture.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anstyle_svg::{Term, WIN10_CONSOLE};
use regex::Regex;
use tempfile::TempDir;

use crate::console::{Block, blocks, root};
use crate::page::current;

/// What changes from run to run or from machine to machine, and what stands for it.
const VARIES: [(&str, &str); 8] = [
    (r"\bat [\d.]+ tokens/s", "at … tokens/s"),
    (r"[\d.]+ s, [\d.]+ tokens/s", "… s, … tokens/s"),
    (r"\bin [\d.]+ s\b", "in … s"),
    (r"peak memory [\d.]+ MiB", "peak memory … MiB"),
    (r"\bafter [\d.]+ [mu]?s\b", "after … us"),
    (r"\d+ cycles/s of", "… cycles/s of"),
    (r"[\d.]+ [kMG]B/s, measured", "… MB/s, measured"),
    (r"(?m)^  tools .*$", "  tools   …"),
];

/// These simulate; the first compilation of a core takes a minute.
const SIMULATED: [&str; 2] = ["tour-verify.svg", "tour-estimate.svg"];

/// A shell's desk in a clean clone. What was started in the background ends with it.
struct Desk {
    folder: TempDir,
    running: Vec<Child>,
}

impl Drop for Desk {
    fn drop(&mut self) {
        for child in &mut self.running {
            let _ = Command::new("kill").arg(child.id().to_string()).status();
            let _ = child.wait();
        }
    }
}

impl Desk {
    fn new() -> Desk {
        let folder = tempfile::tempdir().unwrap();
        symlink(root().join("model").canonicalize().unwrap(), folder.path().join("model")).unwrap();
        Desk { folder, running: vec![] }
    }

    /// A line, to be given to the shell; both streams in one.
    fn shell(&self, line: &str) -> Command {
        let bin = Path::new(env!("CARGO_BIN_EXE_sterna")).parent().unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("exec 2>&1; {line}")])
            .current_dir(self.folder.path())
            .env("PATH", format!("{}:{path}", bin.display()))
            .envs([("COLUMNS", "100"), ("NO_COLOR", "1"), ("STERNA_CONFIG", "")])
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        command
    }

    /// What a line prints; of one that stays in the background its first line.
    fn run(&mut self, line: &str) -> String {
        if let Some(stays) = line.strip_suffix(" &") {
            let mut child = self.shell(&format!("exec {stays}")).spawn().unwrap();
            let mut first = String::new();
            BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
            self.running.push(child);
            return first;
        }
        let output = self.shell(line).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{line}: {said}");
        said
    }

    /// The terminal after a block's commands, as a picture.
    fn record(&mut self, block: &Block) -> String {
        let mut screen = String::new();
        for command in &block.commands {
            let said = self.run(command);
            let said = VARIES.iter().fold(said, |said, (what, with)| {
                Regex::new(what).unwrap().replace_all(&said, *with).into_owned()
            });
            screen += &format!("\x1b[32m$\x1b[0m \x1b[1m{command}\x1b[0m\n");
            if !said.is_empty() {
                screen += &format!("{}\n", said.trim_end());
            }
        }
        // Shown if the picture is another one.
        println!("{screen}");
        Term::new().palette(WIN10_CONSOLE).render_svg(screen.trim_end())
    }
}

/// Records the tour, in its order, with or without what is simulated.
fn tour(simulated: bool) {
    let page = fs::read_to_string(root().join("docs/tour.md")).unwrap();
    let mut desk = Desk::new();
    let mut seen = 0;
    for block in blocks(&page) {
        let Some(name) = &block.recording else { continue };
        if SIMULATED.contains(&name.as_str()) && !simulated {
            continue;
        }
        if block.commands.iter().any(|line| line.contains("fake-card")) && !has_fuse() {
            println!("SKIPPED: {name}: there is no /dev/fuse");
            continue;
        }
        current(&format!("pictures/{name}"), &desk.record(&block));
        seen += 1;
    }
    assert!(seen >= 8, "only {seen} recordings");
}

fn has_fuse() -> bool {
    Path::new("/dev/fuse").exists()
}

/// `UPDATE_DOCS=1 cargo test -p sterna --test docs recordings` records them again.
#[test]
fn recordings_are_current() {
    tour(false);
}

/// The same with what is simulated: `-- --include-ignored`, with Verilator in the environment.
#[test]
#[ignore = "compiles two cores"]
fn recordings_with_simulations_are_current() {
    tour(true);
}
