//! The modules' own benches, which run in the interpreter: the tests of `sterna-rtl` and
//! `sterna-hdl`, each with the mutant that an environment variable names.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use sterna_rtl::mutate::{BROKEN, Mutant, VARIABLE};

/// A bench that takes so much longer than it should has noticed something.
const PATIENCE: Duration = Duration::from_secs(180);

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
    /// Compiles the benches and has each say what it runs.
    pub fn find() -> Benches {
        let mut benches = BTreeMap::<String, Vec<Test>>::new();
        for binary in binaries() {
            let listed = command(&binary, &["--list", "--format", "terse"]).output().unwrap();
            let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
            for name in listed.lines().filter_map(|line| line.strip_suffix(": test")) {
                let begin = Instant::now();
                let mut asked = command(&binary, &["--exact", name, "--nocapture"]);
                let said = asked.env(VARIABLE, "?").output().unwrap();
                let said = String::from_utf8_lossy(&said.stdout).into_owned();
                let takes = begin.elapsed();
                let test = Test { binary: binary.clone(), name: name.into(), takes };
                let lines = said.lines().filter_map(|line| line.strip_prefix("runs "));
                let mut modules: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
                modules.sort_unstable();
                modules.dedup();
                for module in &modules {
                    benches.entry(module.to_string()).or_default().push(test.clone());
                }
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
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            if let Some(status) = child.try_wait().expect("the bench runs") {
                let said = std::io::read_to_string(child.stdout.take().unwrap()).unwrap();
                assert!(!said.contains(BROKEN), "{mutant}: {said}");
                return !status.success();
            }
            sleep(Duration::from_millis(5));
        }
        child.kill().and_then(|()| child.wait()).expect("the bench ends");
        true
    }
}

fn command(binary: &PathBuf, arguments: &[&str]) -> Command {
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
