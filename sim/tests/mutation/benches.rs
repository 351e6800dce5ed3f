//! The modules' own benches, each with the mutant that an environment variable names: the tests of
//! `sterna-rtl` and `sterna-hdl`, which run in the interpreter, and those of `sterna-sim`, which
//! compile all of a module's mutants once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use sterna_rtl::mutate::{BROKEN, Mutant, TOGETHER, VARIABLE};

/// A bench that takes so many times as long as it should, and ten seconds, has noticed something.
const PATIENCE: (u32, Duration) = (20, Duration::from_secs(10));

/// A test of a bench.
#[derive(Clone, Debug)]
struct Test {
    binary: PathBuf,
    name: String,
    takes: Duration,
    compiles: bool,
}

pub struct Benches {
    /// Which tests run which module, the shortest first.
    tests: BTreeMap<String, Vec<Test>>,
    /// Those that have compiled which module's mutants.
    compiled: Mutex<BTreeSet<(String, String)>>,
}

impl Benches {
    /// Compiles the benches and has each say what it runs; what was said stays in a file, for as long
    /// as no bench is newer.
    pub fn find() -> Benches {
        let binaries = binaries();
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutation/benches.txt");
        let age = |path: &Path| path.metadata().and_then(|data| data.modified()).ok();
        let newest = binaries.iter().filter_map(|(binary, _)| age(binary)).max();
        if age(&path) < newest {
            let folder = path.parent().expect("it is in a folder");
            std::fs::create_dir_all(folder).expect("the target folder is writable");
            let said = binaries.iter().flat_map(|(binary, compiles)| runs(binary, *compiles));
            let said: Vec<String> = said.collect();
            std::fs::write(&path, said.concat()).expect("the target folder is writable");
        }
        let mut benches = BTreeMap::<String, Vec<Test>>::new();
        for line in std::fs::read_to_string(&path).expect("it was written").lines() {
            let [millis, compiles, binary, name, modules] =
                line.split('\t').collect::<Vec<_>>()[..]
            else {
                continue;
            };
            let takes = Duration::from_millis(millis.parse().expect("it was written so"));
            let compiles = compiles == COMPILES;
            let test = Test { binary: binary.into(), name: name.into(), takes, compiles };
            for module in modules.split(' ').filter(|module| test.is_for(module)) {
                benches.entry(module.to_string()).or_default().push(test.clone());
            }
        }
        benches.values_mut().for_each(|tests| tests.sort_by_key(|test| test.takes));
        Benches { tests: benches, compiled: Mutex::default() }
    }

    /// The name of the test that fails with a mutant; who compiles has those of a file together.
    pub fn notice(&self, mutant: &Mutant, together: &Path) -> Option<String> {
        let tests = self.tests.get(mutant.module())?;
        let fails = |test: &&Test| {
            if test.compiles {
                self.compile(test, mutant.module(), together);
            }
            test.fails(mutant, together)
        };
        tests.iter().find(fails).map(|test| test.name.clone())
    }

    /// Has a test compile the mutants, if it has not, for which no patience is too long; with all of
    /// them at rest it has to pass.
    fn compile(&self, test: &Test, module: &str, together: &Path) {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if compiled.insert((test.name.clone(), module.into())) {
            let mut sound = test.command(&format!("{module}: none"), together);
            let sound = sound.output().expect("the bench starts");
            let said = String::from_utf8_lossy(&sound.stdout);
            assert!(sound.status.success(), "{} without a mutant: {said}", test.name);
        }
    }
}

/// Benches of something whole, which take long, and the module that they are asked for.
const WHOLE: [(&str, &str); 2] =
    [("core-", "sterna_core"), ("serial_board-", "sterna_serial_board")];

/// Tests that take long for what they say of a module, or have it at another rate as well.
const SLOW: [&str; 5] = [
    "a_bad_line_is_slow_and_right",
    "most_of_the_line_is_payload",
    "twenty_clocks_a_bit",
    "a_bit_of_no_whole_number_of_clocks",
    "a_usual_rate",
];

impl Test {
    /// Whether it is to be asked for a module that it runs.
    fn is_for(&self, module: &str) -> bool {
        let file = self.binary.file_name().unwrap_or_default().to_string_lossy();
        let whole = WHOLE.iter().all(|(whole, top)| !file.starts_with(whole) || module == *top);
        whole && !SLOW.contains(&self.name.as_str())
    }

    fn command(&self, mutant: &str, together: &Path) -> Command {
        let mut run = command(&self.binary, &["--exact", &self.name]);
        run.env(VARIABLE, mutant).env(TOGETHER, together);
        run.stdout(Stdio::piped()).stderr(Stdio::null());
        run
    }

    fn fails(&self, mutant: &Mutant, together: &Path) -> bool {
        let mut run = self.command(&mutant.to_string(), together);
        let mut child = run.spawn().expect("the bench starts");
        let Some(status) = within(&mut child, self.takes * PATIENCE.0 + PATIENCE.1) else {
            return true;
        };
        let said = std::io::read_to_string(child.stdout.take().unwrap()).unwrap();
        assert!(!said.contains(BROKEN), "{mutant}: {said}");
        !status.success()
    }
}

/// How a process ended, if it did within this time; it is gone then in any case.
pub fn within(child: &mut Child, patience: Duration) -> Option<ExitStatus> {
    let begin = Instant::now();
    while begin.elapsed() < patience {
        if let Some(status) = child.try_wait().expect("its end can be waited for") {
            return Some(status);
        }
        sleep(Duration::from_millis(5));
    }
    child.kill().and_then(|()| child.wait()).expect("it can be ended");
    None
}

/// What stands in the line of a test that compiles.
const COMPILES: &str = "compiles";

/// A line for each test of a binary that runs modules: how long it takes, and which.
fn runs(binary: &Path, compiles: bool) -> Vec<String> {
    let listed = command(binary, &["--list", "--format", "terse"]).output().expect("it starts");
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let names = listed.lines().filter_map(|line| line.strip_suffix(": test"));
    let line = |name: &str| {
        let begin = Instant::now();
        let mut asked = command(binary, &["--exact", name, "--nocapture"]);
        let said = asked.env(VARIABLE, "?").output().expect("it starts");
        let millis = begin.elapsed().as_millis();
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        let lines = said.lines().filter_map(|line| line.strip_prefix("runs "));
        let modules: BTreeSet<&str> = lines.flat_map(str::split_whitespace).collect();
        let modules = modules.into_iter().collect::<Vec<_>>().join(" ");
        let (binary, how) = (binary.display(), if compiles { COMPILES } else { "interprets" });
        let line = || format!("{millis}\t{how}\t{binary}\t{name}\t{modules}\n");
        (!modules.is_empty()).then(line)
    };
    names.filter_map(line).collect()
}

fn command(binary: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary);
    command.args(arguments).env("INSTA_UPDATE", "no").env_remove("STERNA_SEED");
    command
}

/// Test binaries that run no module in the interpreter, but tools or drivers, often for long.
const OTHERS: [&str; 10] = [
    "bare",
    "boards",
    "boards_tools",
    "core_tools",
    "differential",
    "driver",
    "formal",
    "load",
    "tools",
    "units_tools",
];

/// Those of `sterna-sim` that are benches of a module.
const COMPILED: [&str; 5] = ["axi_mux", "block_memory", "link", "sdram", "serial_board"];

/// The test binaries, and whether they compile what they run.
fn binaries() -> Vec<(PathBuf, bool)> {
    let interpret = built(&["-p", "sterna-rtl", "-p", "sterna-hdl", "--tests"]);
    let compile = COMPILED.map(|name| built(&["-p", "sterna-sim", "--test", name])).concat();
    let interpret = interpret.into_iter().map(|binary| (binary, false));
    interpret.chain(compile.into_iter().map(|binary| (binary, true))).collect()
}

/// The test binaries of these targets.
fn built(targets: &[&str]) -> Vec<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    let output = Command::new(cargo)
        .args(["test", "--locked", "--no-run", "--message-format", "json"])
        .args(targets)
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "the benches do not compile");
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let messages = lines.lines().filter_map(|line| serde_json::from_str(line).ok());
    let binary = |message: serde_json::Value| {
        let name = message["target"]["name"].as_str()?;
        let test = message["target"]["kind"][0] == "test" && !OTHERS.contains(&name);
        message["executable"].as_str().filter(|_| test).map(PathBuf::from)
    };
    messages.filter_map(binary).collect()
}
