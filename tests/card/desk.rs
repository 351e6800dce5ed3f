//! A directory to work in, with a small model and, where there is FUSE, the nodes of a fake card.

// Each test binary uses some of it.
#![allow(dead_code)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The directory; the card goes with it.
pub struct Desk {
    directory: TempDir,
    card: Option<Child>,
}

/// A desk with a card, or `None`, said aloud, where there is no FUSE.
pub fn fuse(test: &str) -> Option<Desk> {
    let mut desk = fuse_without_card(test)?;
    desk.start(&[]);
    Some(desk)
}

/// The same before the card is started.
pub fn fuse_without_card(test: &str) -> Option<Desk> {
    has_fuse(test).then(Desk::new)
}

/// Whether there is FUSE; a test that is skipped for it names itself.
pub fn has_fuse(test: &str) -> bool {
    let there = Path::new("/dev/fuse").exists();
    if !there {
        println!("SKIPPED: {test}: there is no /dev/fuse");
    }
    there
}

fn demo(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/demo").join(name)
}

impl Desk {
    /// With nothing on it.
    pub fn bare() -> Desk {
        Desk { directory: tempfile::tempdir().unwrap(), card: None }
    }

    /// With the tiny model as `demo.sterna` and a text, but no card.
    pub fn new() -> Desk {
        let desk = Desk::bare();
        let tiny = demo("shakespeare-tiny");
        desk.text(&["import", tiny.to_str().unwrap(), "-o", "demo.sterna"]);
        let text = fs::read_to_string(demo("validation.txt")).unwrap();
        fs::write(desk.path("text.txt"), text.chars().take(600).collect::<String>()).unwrap();
        desk
    }

    /// Starts a fake card for the model and waits until it is ready.
    pub fn start(&mut self, more: &[&str]) {
        self.start_for("demo.sterna", "16M", more);
    }

    /// The same for another model.
    pub fn start_for(&mut self, model: &str, memory: &str, more: &[&str]) {
        self.stop();
        let _ = fs::create_dir(self.path("card"));
        let card = ["fake-card", "--mount", "card", "--model", model, "--memory", memory];
        let mut child =
            self.command(&[&card[..], more].concat()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("card 0 is in card"), "{line}");
        self.card = Some(child);
    }

    /// Ends the card.
    pub fn stop(&mut self) {
        if let Some(mut card) = self.card.take() {
            let killed = Command::new("kill").arg(card.id().to_string()).status();
            if !killed.is_ok_and(|status| status.success()) {
                let _ = card.kill();
            }
            card.wait().unwrap();
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Arguments that choose the card.
    pub fn with_card<'a>(&self, args: &[&'a str]) -> Vec<&'a str> {
        [args, &["--device", "xdma", "--root", "card"]].concat()
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sterna"));
        command.args(args).current_dir(self.directory.path()).stderr(Stdio::piped());
        command
    }

    fn output(&self, args: &[&str], succeeds: bool) -> (String, String) {
        let output = self.command(args).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let (out, err) = (text(output.stdout), text(output.stderr));
        assert_eq!(output.status.success(), succeeds, "{args:?}: {err}");
        (out, err)
    }

    /// What a command prints, and what it says beside.
    pub fn says(&self, args: &[&str]) -> (String, String) {
        self.output(args, true)
    }

    /// What a command prints.
    pub fn text(&self, args: &[&str]) -> String {
        self.output(args, true).0
    }

    pub fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.text(args)).unwrap()
    }

    /// What a command that fails says.
    pub fn fails(&self, args: &[&str]) -> String {
        self.output(args, false).1
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.stop();
    }
}
