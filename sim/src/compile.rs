//! From Verilog to a shared object.
//!
//! ```text
//!  Design -> verilator_bin -> Vdut*.cpp -+-> fast.cpp, shim  -O3 -+
//!                                        +-> slow.cpp        -O1 -+-> model.so
//!  Verilator's run time ------------------------ once, cached ----+
//! ```

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use sterna_rtl::Design;

use crate::cache;
use crate::error::SimError;
use crate::model::{Options, Trace};
use crate::shim;
use crate::tools::Tools;

/// The shared object of a design: in the cache, or made now.
pub(crate) struct Compiled {
    /// Holds the shared object and the Verilog.
    pub folder: PathBuf,
    pub hash: String,
    pub fresh: bool,
    /// Where simulators leave what they covered.
    pub coverage: Option<PathBuf>,
}

impl Compiled {
    pub fn library(&self) -> PathBuf {
        self.folder.join("model.so")
    }
}

/// Bytes of a generated C++ file at which Verilator begins another: they compile in parallel.
const SPLIT: &str = "20000";

const VERILATE: [&str; 24] = [
    "--cc",
    "--no-timing",
    "--prefix",
    "Vdut",
    "--Mdir",
    "obj",
    "--top-module",
    shim::TOP,
    "--default-language",
    "1364-2005",
    "--timescale-override",
    "1ns/1ns",
    // What is unknown in Verilog is zero here, as it is in the interpreter.
    "--x-assign",
    "0",
    "--x-initial",
    "0",
    // A comparison that is always true is worth a word to its author, but it can be simulated.
    "-Wno-CMPCONST",
    "-Wno-UNSIGNED",
    "-O3",
    // Verilator 5.048 to 5.050 add the amounts of two shifts in a row without a carry (their issue
    // 7955); the random modules found it.
    "-fno-dfg-peephole-replace-shiftl-shiftl",
    "-fno-dfg-peephole-replace-shiftr-shiftr",
    "--output-split",
    SPLIT,
    "--quiet",
];

const COMPILE: [&str; 12] = [
    "-std=c++17",
    "-w",
    "-fPIC",
    "-pthread",
    "-fvisibility=hidden",
    "-DVERILATOR=1",
    "-DVM_SC=0",
    "-DVM_TIMING=0",
    "-DVM_TRACE_VCD=0",
    // The shim has its own: the defaults end the process.
    "-DVL_USER_FINISH",
    "-DVL_USER_STOP",
    "-DVL_USER_FATAL",
];

/// Finds or makes the model of a design.
pub(crate) fn compile(design: &Design, options: &Options) -> Result<Compiled, SimError> {
    let tools = Tools::find(options)?;
    let cache = cache::folder(options)?;
    let (wrapper, ports) = (shim::wrapper(design), shim::ports(design));
    let coverage = coverage();
    let flags = flags(options, shim::clock(design), coverage.is_some());
    let mut parts = vec![tools.versions.as_str(), shim::SHIM, shim::EXPORTS, &wrapper, &ports];
    parts.extend(VERILATE.iter().chain(&COMPILE).copied());
    parts.push(flags.fast);
    parts.extend(shim::HEADERS.iter().map(|h| h.1));
    parts.extend(flags.verilator.iter().chain(&flags.compiler).map(String::as_str));
    parts.extend(design.files.iter().flat_map(|f| [f.name.as_str(), f.text.as_str()]));
    parts.extend(design.data.iter().flat_map(|f| [f.name.as_str(), f.text.as_str()]));
    // A model reads its data when it starts, wherever the process is: by the whole path, which
    // thus belongs to what the model is.
    let root = cache.to_string_lossy();
    parts.extend((!design.data.is_empty()).then_some(&*root));
    let hash = cache::hash(parts);

    let job = Job { design, tools: &tools, flags: &flags };
    let (folder, fresh) = cache::get(&cache, &hash, |work| {
        job.verilate(work, &wrapper, &cache.join(&hash))?;
        let runtime = job.runtime(&cache)?;
        job.link(work, &ports, &runtime)
    })?;
    Ok(Compiled { folder, hash, fresh, coverage })
}

/// The folder that `STERNA_COVERAGE` names: every simulator leaves a file there of the lines that ran
/// and the bits that toggled. The script that measures coverage is who sets it.
fn coverage() -> Option<PathBuf> {
    std::env::var_os("STERNA_COVERAGE").filter(|name| !name.is_empty()).map(PathBuf::from)
}

/// Flags that depend on the design or the options.
struct Flags {
    verilator: Vec<String>,
    compiler: Vec<String>,
    /// The compiler's level for what runs in every clock.
    fast: &'static str,
    /// Its level for Verilator's run time.
    runtime: &'static str,
    trace: Trace,
    coverage: bool,
}

/// What says in C++ which recording there is.
fn macros(trace: Trace, coverage: bool) -> [String; 4] {
    let flag = |name, on| format!("-D{name}={}", i32::from(on));
    [
        flag("VM_COVERAGE", coverage),
        flag("VM_TRACE", trace != Trace::Off),
        flag("VM_TRACE_FST", trace == Trace::Waveform),
        flag("VM_TRACE_SAIF", trace == Trace::Activity),
    ]
}

fn flags(options: &Options, clock: Option<String>, coverage: bool) -> Flags {
    let mut flags = Flags {
        verilator: vec![],
        fast: if options.quick { "-O1" } else { "-O3" },
        runtime: if options.quick { "-O0" } else { "-O2" },
        trace: options.trace,
        coverage,
        compiler: macros(options.trace, coverage).into(),
    };
    flags.verilator.extend(match options.trace {
        Trace::Off => None,
        Trace::Waveform => Some("--trace-fst".into()),
        Trace::Activity => Some("--trace-saif".into()),
    });
    if options.assertions {
        // Assertions are no Verilog-2005; `FORMAL` hides them from the other tools.
        flags.verilator.extend(["--assert", "-sv", "-DFORMAL"].map(String::from));
    }
    if coverage {
        // A beat of the widest bus counts, a memory does not.
        let all = ["--coverage-line", "--coverage-toggle", "--coverage-max-width", "2048"];
        flags.verilator.extend(all.map(String::from));
    }
    flags.compiler.extend(clock);
    flags
}

struct Job<'a> {
    design: &'a Design,
    tools: &'a Tools,
    flags: &'a Flags,
}

impl Job<'_> {
    /// Translates the design in `work`, which will be at `place`.
    fn verilate(&self, work: &Path, wrapper: &str, place: &Path) -> Result<(), SimError> {
        let mut names = vec![format!("{}.v", shim::TOP)];
        write(&work.join(&names[0]), wrapper)?;
        for file in &self.design.files {
            let mut text = file.text.clone();
            for data in &self.design.data {
                let there = place.join(&data.name);
                text = text.replace(
                    &format!("$readmemh(\"{}\"", data.name),
                    &format!("$readmemh(\"{}\"", there.display()),
                );
            }
            write(&work.join(&file.name), &text)?;
            names.push(file.name.clone());
        }
        for data in &self.design.data {
            write(&work.join(&data.name), &data.text)?;
        }
        let mut command = self.tools.verilator();
        command.args(VERILATE).args(&self.flags.verilator).args(names).current_dir(work);
        run(command, "Verilator").and_then(|result| match result {
            Ok(()) => Ok(()),
            Err(said) => Err(SimError::Verilator { top: self.design.top.clone(), said }),
        })
    }

    /// The objects of Verilator's run time, the same for every design with the same options.
    fn runtime(&self, cache: &Path) -> Result<PathBuf, SimError> {
        let trace = self.flags.trace;
        let mut names = vec!["verilated", "verilated_threads"];
        names.extend(match trace {
            Trace::Off => None,
            Trace::Waveform => Some("verilated_fst_c"),
            Trace::Activity => Some("verilated_saif_c"),
        });
        let parts = [self.tools.versions.as_str(), self.flags.runtime].into_iter();
        names.extend(self.flags.coverage.then_some("verilated_cov"));
        let parts = parts.chain(COMPILE).chain(names.iter().copied());
        let hash = cache::hash(parts.chain(shim::HEADERS.iter().map(|h| h.1)));
        let (folder, _) = cache::get(cache, &hash, |work| {
            for (name, text) in shim::HEADERS {
                write(&work.join(name), text)?;
            }
            let unit = |name: &&str| {
                let source = self.tools.include().join(format!("{name}.cpp"));
                let mut command = self.compiler(self.flags.runtime, work);
                command
                    .args(macros(trace, self.flags.coverage))
                    .arg("-c")
                    .arg(source)
                    .arg("-o")
                    .arg(format!("{name}.o"));
                command
            };
            self.all(names.iter().map(unit).collect())
        })?;
        Ok(folder)
    }

    fn compiler(&self, level: &str, work: &Path) -> Command {
        let include = self.tools.include();
        let mut command = self.tools.compiler();
        command.arg(level).args(COMPILE).args(["-I.", "-Iobj"]).arg("-I").arg(&include);
        command.arg("-I").arg(include.join("vltstd")).current_dir(work);
        command
    }

    fn link(&self, work: &Path, ports: &str, runtime: &Path) -> Result<(), SimError> {
        write(&work.join("ports.h"), ports)?;
        write(&work.join("exports.map"), shim::EXPORTS)?;
        let units = units(work, self.flags.fast)?;
        // With the model's own code, so that the compiler sees both.
        write(&work.join("shim.cpp"), shim::SHIM)?;
        let mut commands = vec![];
        for (name, text, level) in &units {
            write(&work.join(name), text)?;
            let mut command = self.compiler(level, work);
            command.args(&self.flags.compiler).args(["-c", name, "-o"]).arg(format!("{name}.o"));
            commands.push(command);
        }
        self.all(commands)?;
        let mut command = self.tools.compiler();
        command.args(["-shared", "-pthread", "-Wl,--version-script=exports.map", "-o", "model.so"]);
        command.args(units.iter().map(|u| format!("{}.o", u.0))).current_dir(work);
        command.args(objects(runtime)?);
        self.all(vec![command])?;
        // What the model is made of is not needed again; the Verilog stays, for whoever looks.
        fs::remove_dir_all(work.join("obj")).map_err(SimError::file("delete", work))?;
        for name in units.iter().flat_map(|u| [u.0.clone(), format!("{}.o", u.0)]) {
            fs::remove_file(work.join(name)).map_err(SimError::file("delete", work))?;
        }
        Ok(())
    }

    /// Runs compilers, as many at once as there are processors.
    fn all(&self, commands: Vec<Command>) -> Result<(), SimError> {
        let workers = thread::available_parallelism().map_or(1, |n| n.get()).min(commands.len());
        let queue = std::sync::Mutex::new(commands);
        let work = || {
            // The guard is gone before the compiler starts.
            while let Some(command) = { queue.lock().ok().and_then(|mut q| q.pop()) } {
                if let Err(said) = run(command, "the C++ compiler")? {
                    return Err(SimError::Compiler { top: self.design.top.clone(), said });
                }
            }
            Ok(())
        };
        thread::scope(|scope| {
            let threads: Vec<_> = (1..workers).map(|_| scope.spawn(work)).collect();
            let own = work();
            let others = threads.into_iter().filter_map(|t| t.join().ok());
            others.fold(own, |result, other| result.and(other))
        })
    }
}

/// The generated C++ as a few units, each with its level of optimisation: name, text, level.
fn units(
    work: &Path,
    level: &'static str,
) -> Result<Vec<(String, String, &'static str)>, SimError> {
    let obj = work.join("obj");
    let mut names: Vec<String> = fs::read_dir(&obj)
        .map_err(SimError::file("list", &obj))?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".cpp"))
        .collect();
    names.sort();
    // Start-up and waveform set-up run once: `__Slow` in Verilator's names.
    let (slow, fast): (Vec<_>, Vec<_>) = names.into_iter().partition(|n| n.contains("Slow"));
    let mut units = vec![];
    for (kind, names, level) in [("fast", fast, level), ("slow", slow, "-O0")] {
        // Every unit reads the same long headers, so there are a few units of many files.
        for (i, some) in names.chunks(8).enumerate() {
            let shim = (i == 0 && kind == "fast").then_some("shim.cpp".to_string());
            let files = some.iter().chain(&shim);
            let text = files.map(|name| format!("#include \"{name}\"\n")).collect();
            units.push((format!("{kind}{i}.cpp"), text, level));
        }
    }
    Ok(units)
}

fn objects(folder: &Path) -> Result<Vec<PathBuf>, SimError> {
    let entries = fs::read_dir(folder).map_err(SimError::file("list", folder))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut objects: Vec<_> = paths.filter(|p| p.extension().is_some_and(|e| e == "o")).collect();
    objects.sort();
    Ok(objects)
}

fn write(path: &Path, text: &str) -> Result<(), SimError> {
    fs::write(path, text).map_err(SimError::file("write", path))
}

/// Runs a program; the inner error is what it said when it failed.
fn run(mut command: Command, tool: &'static str) -> Result<Result<(), String>, SimError> {
    let output =
        command.output().map_err(|e| SimError::MissingTool { tool, why: e.to_string() })?;
    if output.status.success() {
        return Ok(Ok(()));
    }
    let said = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
    let said = if said.trim().is_empty() { output.status.to_string() } else { said.to_string() };
    Ok(Err(said.trim_end().to_string()))
}
