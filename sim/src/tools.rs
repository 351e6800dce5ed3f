//! Where Verilator and the C++ compiler are, and which versions.
//!
//! Verilator's `verilator` is a Perl script around `verilator_bin`, and its makefiles want Python;
//! starting `verilator_bin` and the compiler directly needs neither Perl nor make.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::SimError;
use crate::model::Options;

/// The two programs that make a model.
pub(crate) struct Tools {
    verilator: PathBuf,
    root: PathBuf,
    compiler: PathBuf,
    /// What both say of their versions: part of every model's hash.
    pub versions: String,
}

impl Tools {
    /// Finds both: what the options name, else `VERILATOR_ROOT` and `CXX`, else what is on `PATH`.
    pub fn find(options: &Options) -> Result<Tools, SimError> {
        let (verilator, root) = verilator(options)?;
        let compiler = compiler(options)?;
        let mut tools = Tools { verilator, root, compiler, versions: String::new() };
        let verilator = version(tools.verilator())
            .map_err(|why| missing("Verilator", format!("{}: {why}", tools.verilator.display())))?;
        let compiler = version(tools.compiler()).map_err(|why| {
            missing("the C++ compiler", format!("{}: {why}", tools.compiler.display()))
        })?;
        tools.versions = format!("{verilator}\n{compiler}\n");
        Ok(tools)
    }

    /// `verilator_bin`, with as much stack as the system gives: deep expressions recurse.
    pub fn verilator(&self) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit -s unlimited 2>/dev/null; exec \"$0\" \"$@\""]);
        command.arg(&self.verilator).env("VERILATOR_ROOT", &self.root);
        command
    }

    /// The C++ compiler, which is the linker, too.
    pub fn compiler(&self) -> Command {
        Command::new(&self.compiler)
    }

    /// Headers and sources of Verilator's run time.
    pub fn include(&self) -> PathBuf {
        self.root.join("include")
    }
}

/// What Verilator and the C++ compiler say of their versions, a line each.
///
/// # Errors
/// S001 where one of them is missing or does not start.
pub fn toolchain() -> Result<String, SimError> {
    let tools = Tools::find(&Options::default())?;
    Ok(tools.versions.trim_end().into())
}

/// The first line of what a program says of its version, or why it says none.
fn version(mut command: Command) -> Result<String, String> {
    let output = command.arg("--version").output().map_err(|e| e.to_string())?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{}: {}", output.status, said.trim()));
    }
    let said = String::from_utf8_lossy(&output.stdout);
    Ok(said.trim().lines().next().unwrap_or_default().to_string())
}

fn missing(tool: &'static str, why: String) -> SimError {
    SimError::MissingTool { tool, why }
}

/// `verilator_bin` and the folder that holds `include/`.
fn verilator(options: &Options) -> Result<(PathBuf, PathBuf), SimError> {
    let given = options.verilator_root.clone();
    if let Some(root) = given.or_else(|| env::var_os("VERILATOR_ROOT").map(PathBuf::from)) {
        let program = root.join("bin/verilator_bin");
        // A distribution's package may keep the program elsewhere than the headers.
        let program = if program.is_file() { Some(program) } else { on_path("verilator_bin") };
        return match program {
            Some(program) if is_root(&root) => Ok((program, root)),
            _ => Err(missing(
                "Verilator",
                format!("VERILATOR_ROOT={} has no Verilator", root.display()),
            )),
        };
    }
    let program = on_path("verilator_bin").ok_or_else(|| {
        missing("Verilator", "VERILATOR_ROOT is not set and PATH has no `verilator_bin`".into())
    })?;
    let real = program.canonicalize().unwrap_or_else(|_| program.clone());
    let above = real.ancestors().nth(2).unwrap_or(Path::new("/"));
    let roots = [above.to_path_buf(), above.join("share/verilator")];
    match roots.into_iter().find(|root| is_root(root)) {
        Some(root) => Ok((program, root)),
        None => Err(missing(
            "Verilator",
            format!("{} has no headers beside it and VERILATOR_ROOT is not set", real.display()),
        )),
    }
}

fn is_root(root: &Path) -> bool {
    root.join("include/verilated.h").is_file()
}

fn compiler(options: &Options) -> Result<PathBuf, SimError> {
    let given = options.compiler.clone().or_else(|| env::var_os("CXX").map(PathBuf::from));
    let found = match &given {
        Some(path) if path.components().count() > 1 => path.is_file().then(|| path.clone()),
        Some(name) => on_path(name),
        None => ["c++", "g++", "clang++"].into_iter().find_map(on_path),
    };
    found.ok_or_else(|| {
        missing(
            "the C++ compiler",
            match given {
                Some(given) => format!("there is no `{}`", given.display()),
                None => "PATH has neither `c++` nor `g++` nor `clang++`".into(),
            },
        )
    })
}

fn on_path(name: impl AsRef<OsStr>) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).map(|f| f.join(name.as_ref())).find(|f| f.is_file())
}
