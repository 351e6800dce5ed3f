//! A folder to work in, with a home of its own, so that nobody's models and caches are touched.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::hub::Hub;

pub struct Desk {
    folder: TempDir,
    /// What is in the environment, beside `HOME`.
    pub environment: BTreeMap<&'static str, String>,
}

impl Desk {
    pub fn new() -> Desk {
        Desk { folder: tempfile::tempdir().unwrap(), environment: BTreeMap::new() }
    }

    /// With a hub that has a checkpoint of `synth`, and a tokenizer, as `ridger/Tiny-0.1B`.
    pub fn with_hub() -> (Desk, Hub) {
        let mut desk = Desk::new();
        desk.ok(&["synth", "--hidden", "64", "--layers", "2", "--vocab", "512", "-o", "tiny"]);
        fs::copy(demo("shakespeare-tiny/tokenizer.json"), desk.path("tiny/tokenizer.json"))
            .unwrap();
        let hub = Hub::start("ridger/Tiny-0.1B", &desk.path("tiny"));
        desk.environment.insert("HF_ENDPOINT", hub.address.clone());
        (desk, hub)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sterna"));
        command.args(args).current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        command.env("HOME", self.path("home")).envs(&self.environment);
        command
    }

    /// Standard output of a command that succeeds.
    pub fn ok(&self, args: &[&str]) -> String {
        let output = self.command(args).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.ok(&[args, &["--json"]].concat())).unwrap()
    }

    /// Standard error of a command that fails with 1; addresses of this machine are taken out.
    pub fn fails(&self, args: &[&str]) -> String {
        let output = self.command(args).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?}: {error}");
        let mut error = error.replace(&self.folder.path().display().to_string(), "DESK");
        while let Some(at) = error.find("127.0.0.1:") {
            let digits = error[at + 10..].bytes().take_while(u8::is_ascii_digit).count();
            error.replace_range(at..at + 10 + digits, "HUB");
        }
        error.trim_end().into()
    }

    /// Every file and link below a folder.
    pub fn tree(&self, name: &str) -> Vec<String> {
        let mut found = vec![];
        let mut left = vec![self.path(name)];
        while let Some(path) = left.pop() {
            if path.is_dir() && !path.is_symlink() {
                left.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            } else if path.exists() {
                let path = path.strip_prefix(self.folder.path()).unwrap();
                found.push(path.display().to_string());
            }
        }
        found.sort_unstable();
        found
    }
}

pub fn demo(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/demo").join(name)
}
