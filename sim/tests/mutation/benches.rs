//! The modules' own benches, which run in the interpreter: the tests of `sterna-rtl` and
//! `sterna-hdl`, each with the mutant that an environment variable names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use sterna_rtl::mutate::{BROKEN, Mutant, VARIABLE};

/// A bench that takes so many times as long as it should, and a minute, has noticed something.
const PATIENCE: (u32, Duration) = (20, Duration::from_secs(60));

/// A test of a bench.
#[derive(Clone, Debug)]
struct Test {
    binary: PathBuf,
    name: String,
    takes: Duration,
}

/// Which tests run which module, the shortest first.
pub struct Benches(BTreeMap<String, Vec<Test>>);

impl Benches {
    /// Compiles the benches and has each say what it runs; what was said stays in a file, for as long
    /// as no bench is newer.
    pub fn find() -> Benches {
        let binaries = binaries();
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutation/benches.txt");
        let age = |path: &Path| path.metadata().and_then(|data| data.modified()).ok();
        let newest = binaries.iter().filter_map(|binary| age(binary)).max();
        if age(&path) < newest {
            let folder = path.parent().expect("it is in a folder");
            std::fs::create_dir_all(folder).expect("the target folder is writable");
            let said: Vec<String> = binaries.iter().flat_map(|binary| runs(binary)).collect();
            std::fs::write(&path, said.concat()).expect("the target folder is writable");
        }
        let mut benches = BTreeMap::<String, Vec<Test>>::new();
        for line in std::fs::read_to_string(&path).expect("it was written").lines() {
            let [millis, binary, name, modules] = line.split('\t').collect::<Vec<_>>()[..] else {
                continue;
            };
            let takes = Duration::from_millis(millis.parse().expect("it was written so"));
            let test = Test { binary: binary.into(), name: name.into(), takes };
            for module in modules.split(' ') {
                benches.entry(module.to_string()).or_default().push(test.clone());
            }
        }
        benches.values_mut().for_each(|tests| tests.sort_by_key(|test| test.takes));
        Benches(benches)
    }

    /// The name of the test that fails with a mutant.
    pub fn notice(&self, mutant: &Mutant) -> Option<String> {
        let tests = self.0.get(mutant.module())?;
        tests.iter().find(|test| test.fails(mutant)).map(|test| test.name.clone())
    }
}

impl Test {
    fn fails(&self, mutant: &Mutant) -> bool {
        let mut run = command(&self.binary, &["--exact", &self.name]);
        run.env(VARIABLE, mutant.to_string()).stdout(Stdio::piped()).stderr(Stdio::null());
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

/// A line for each test of a binary that runs modules: how long it takes, and which.
fn runs(binary: &Path) -> Vec<String> {
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
        let binary = binary.display();
        (!modules.is_empty()).then(|| format!("{millis}\t{binary}\t{name}\t{modules}\n"))
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

/// The test binaries of the two crates.
fn binaries() -> Vec<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    let output = Command::new(cargo)
        .args(["test", "--locked", "--no-run", "--message-format", "json"])
        .args(["-p", "sterna-rtl", "-p", "sterna-hdl", "--tests"])
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
