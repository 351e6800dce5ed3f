//! A folder to run commands in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A file of the demo models.
pub fn demo(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/demo").join(name)
}

/// A directory to work in. All paths are relative to it, so that messages are the same
/// everywhere.
pub struct Desk(TempDir);

impl Desk {
    /// With nothing in it: commands take the built-in model.
    pub fn new() -> Desk {
        Desk(tempfile::tempdir().unwrap())
    }

    /// With the tiny checkpoint in `tiny/`, imported to `tiny.sterna`; `mute/` and
    /// `mute.sterna` are the same without a tokenizer.
    pub fn with_models() -> Desk {
        let desk = Desk::new();
        for (name, files) in [
            ("tiny", &["config.json", "model.safetensors", "tokenizer.json"][..]),
            ("mute", &["config.json", "model.safetensors"]),
        ] {
            fs::create_dir(desk.path(name)).unwrap();
            for file in files {
                let from = demo("shakespeare-tiny").join(file);
                fs::copy(from, desk.path(name).join(file)).unwrap();
            }
            desk.ok(&["import", name, "-o", &format!("{name}.sterna")]);
        }
        desk
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    /// Names of everything in the directory.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sterna"));
        // No COLUMNS, colours or thread counts from whoever runs the tests.
        command.args(args).current_dir(self.0.path()).env_clear().stdin(Stdio::null());
        command
    }

    pub fn run(&self, args: &[&str]) -> assert_cmd::assert::Assert {
        assert_cmd::Command::from_std(self.command(args)).assert()
    }

    /// Standard output and standard error of a command that succeeds.
    pub fn ok(&self, args: &[&str]) -> (String, String) {
        let output = self.run(args).success().get_output().clone();
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        (text(output.stdout), text(output.stderr))
    }

    /// The one JSON object of a command: on one line of standard output, and nothing else.
    pub fn json(&self, args: &[&str]) -> Value {
        let (out, err) = self.ok(&[args, &["--json"]].concat());
        assert_eq!(err, "", "{args:?}");
        assert_eq!(out.find('\n'), Some(out.len() - 1), "{args:?}: {out}");
        let value: Value = serde_json::from_str(&out).expect("JSON");
        assert!(value.is_object(), "{args:?}: {out}");
        value
    }

    /// Standard error of a command that fails with this code and prints nothing.
    pub fn fails(&self, args: &[&str], code: i32) -> String {
        let output = self.run(args).code(code).stdout("").get_output().clone();
        String::from_utf8(output.stderr).expect("UTF-8")
    }
}
