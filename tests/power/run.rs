//! `sterna power run`, `watch` and `meters`, from outside.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::Value;

/// A system with a sensor of 3.51 W that has a new value every 5 ms, and a folder to work in.
struct Desk(tempfile::TempDir);

const WATTS: f64 = 3.51;

impl Desk {
    fn new() -> Desk {
        let desk = Desk(tempfile::tempdir().unwrap());
        let chip = desk.path("tree/sys/class/hwmon/hwmon0");
        fs::create_dir_all(&chip).unwrap();
        for (name, text) in
            [("name", "ina226"), ("power1_input", "3510000"), ("update_interval", "5")]
        {
            fs::write(chip.join(name), format!("{text}\n")).unwrap();
        }
        desk
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn sterna(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_sterna"))
            .args(args)
            .current_dir(self.0.path())
            .output()
            .unwrap()
    }

    /// Output of a command that succeeds.
    fn text(&self, args: &[&str]) -> String {
        let output = self.sterna(args);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.text(args)).unwrap()
    }
}

/// Quick runs on golden.
const RUN: [&str; 9] =
    ["power", "run", "--device", "golden", "--seconds", "0.6", "--idle", "0.35", "-o"];

fn figure<'a>(value: &'a Value, key: &str) -> &'a Value {
    &value["recordings"][0]["analysis"]["meters"][0]["summary"]["known"][key]
}

#[test]
fn a_device_is_measured_by_a_sensor() {
    let desk = Desk::new();
    let more = ["run.jsonl", "--sysroot", "tree", "--meter", "hwmon:ina226", "--json"];
    let report = desk.json(&[&RUN[..], &more].concat());
    let number = |key: &str| figure(&report, key)["median"].as_f64().expect("a figure");
    assert!((number("watts") - WATTS).abs() < 1e-9, "{report}");
    assert!(number("net_j_per_token").abs() < 1e-9);
    // Joules a token times tokens a second are watts, in every run.
    let meter = &report["recordings"][0]["analysis"]["meters"][0];
    assert_eq!(meter["label"], "measured");
    let runs = meter["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 5);
    for run in runs {
        let joules = run["decode"]["known"]["gross_j_per_token"].as_f64().unwrap();
        let rate = run["tokens_per_second"].as_f64().unwrap();
        assert!((joules * rate / WATTS - 1.0).abs() < 1e-6, "{run}");
    }
    // The recording says the same again.
    assert!(desk.path("run.jsonl").exists() && !desk.path("run.jsonl.part").exists());
    assert_eq!(desk.json(&["power", "report", "run.jsonl", "--json"]), report);
    let again = desk.sterna(&[&RUN[..], &["run.jsonl", "--meter", "rapl"]].concat());
    assert_eq!(again.status.code(), Some(1));
}

/// `--root` with a whole system in it is where sensors are looked for, too.
#[test]
fn a_root_with_a_sys_is_the_system() {
    let desk = Desk::new();
    let report = desk.json(&[&RUN[..], &["run.jsonl", "--root", "tree", "--json"]].concat());
    assert!((figure(&report, "watts")["median"].as_f64().unwrap() - WATTS).abs() < 1e-9);
    let absent = report["recordings"][0]["analysis"]["begin"]["absent"].as_array().unwrap();
    assert!(absent.iter().any(|why| why.as_str().unwrap().starts_with("rapl: ")), "{absent:?}");
}

#[test]
fn a_file_is_played() {
    let desk = Desk::new();
    let lines = (0..4000)
        .map(|n| format!("{:.3},5.0,{}\n", n as f64 * 0.005, 0.4 + 0.2 * f64::from(n % 2)));
    let text = "time_s,usb_v,usb_a\n".to_string() + &lines.collect::<String>();
    fs::write(desk.path("bench.csv"), text).unwrap();
    let report =
        desk.json(&[&RUN[..], &["run.jsonl", "--meter", "file:bench.csv", "--json"]].concat());
    let watts = figure(&report, "watts")["median"].as_f64().unwrap();
    assert!((watts - 2.5).abs() < 0.05, "{watts} W, and half an ampere at 5 V is 2.5 W");
    let meter = &report["recordings"][0]["analysis"]["meters"][0];
    assert_eq!(meter["label"], "replayed from a file");
}

/// A meter that prints lines, at the other end of a terminal.
#[test]
fn a_meter_that_prints_lines_is_read() {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    fcntl_setfl(&terminal, OFlags::NONBLOCK).unwrap();
    let port = ptsname(&terminal, vec![]).unwrap().into_string().unwrap();
    // Held, so that the terminal lives until the command has opened it.
    let _held = fs::OpenOptions::new().read(true).write(true).open(&port).unwrap();
    let over = AtomicBool::new(false);
    let desk = Desk::new();
    let report = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut meter = fs::File::from(terminal);
            while !over.load(Ordering::Relaxed) {
                // While nobody reads, its lines are lost, as those of a real one are.
                let _ = meter.write(b"U= 5.02 V, I= 700 mA\r\n");
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let pattern = "U= *(?<volts>[0-9.]+) V, I= *(?<milliamps>[0-9]+) mA";
        let meter = format!("serial:{port},interval=0.005,pattern={pattern}");
        let report = desk.sterna(&[&RUN[..], &["run.jsonl", "--meter", &meter, "--json"]].concat());
        over.store(true, Ordering::Relaxed);
        report
    });
    let error = String::from_utf8_lossy(&report.stderr);
    assert!(report.status.success(), "{error}");
    let report: Value = serde_json::from_slice(&report.stdout).unwrap();
    let watts = figure(&report, "watts")["median"].as_f64();
    assert!(watts.is_some_and(|watts| (watts - 3.514).abs() < 1e-9), "{report}");
    let name = &report["recordings"][0]["analysis"]["meters"][0]["description"]["name"];
    assert_eq!(name, &Value::from(format!("serial:{port}")));
}

#[test]
fn too_few_samples_are_no_number() {
    let desk = Desk::new();
    fs::write(desk.path("tree/sys/class/hwmon/hwmon0/update_interval"), "100\n").unwrap();
    let text = desk.text(&[&RUN[..], &["run.jsonl", "--sysroot", "tree"]].concat());
    assert!(text.contains("refused") && text.contains("fewer than 20 say nothing"), "{text}");
}

#[test]
fn meters_are_listed() {
    let desk = Desk::new();
    let list = desk.json(&["power", "meters", "--sysroot", "tree", "--json"]);
    let meters = list["meters"].as_array().unwrap();
    let names: Vec<&str> = meters.iter().map(|meter| meter["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["hwmon", "cms", "xbutil", "rapl"]);
    assert_eq!((&meters[0]["usable"], &meters[0]["values"][0]), (&true.into(), &WATTS.into()));
    assert_eq!(meters[1]["error"]["code"], "W002");
    let text = desk.text(&["power", "meters", "--sysroot", "tree"]);
    let first: Vec<&str> = text.lines().take(3).collect();
    insta::assert_snapshot!(first.join("\n"), @r"
    +  hwmon: Linux hwmon, hwmon0 (ina226); a value every 0.005 s
         includes what the meter is wired to
         power1: 3.510 W
    ");
}

#[test]
fn watts_are_watched_without_a_terminal() {
    let desk = Desk::new();
    let watch = ["power", "watch", "--device", "golden", "--sysroot", "tree", "--seconds", "2.3"];
    let text = desk.text(&[&watch[..], &["--json"]].concat());
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!((1..=2).contains(&lines.len()), "{text}");
    let last = lines.last().unwrap();
    assert!(last["tokens"].as_u64().unwrap() > 0, "{last}");
    assert!((last["meters"][0]["watts"].as_f64().unwrap() - WATTS).abs() < 1e-9, "{last}");
    let text = desk.text(&[&watch[..], &["--no-load"]].concat());
    assert!(
        (1..=2).contains(&text.lines().count()) && text.contains("hwmon (measured): 3.51 W"),
        "{text}"
    );
}

/// Neither a meter nor Verilator: what is missing is named, and nothing is left behind.
#[test]
fn without_meter_and_model_there_is_an_error() {
    let desk = Desk::new();
    let run = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_sterna"))
            .args(args)
            .current_dir(desk.0.path())
            .env("PATH", "")
            .env_remove("VERILATOR_ROOT")
            .env("STERNA_CACHE", desk.path("cache"))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let text = String::from_utf8(output.stderr).unwrap();
        text.replace(&desk.0.path().display().to_string(), "DESK")
    };
    fs::create_dir(desk.path("empty")).unwrap();
    let mut said = run(&[&RUN[..], &["run.jsonl", "--sysroot", "empty"]].concat());
    said += &run(&["power", "watch", "--no-load", "--sysroot", "empty"]);
    said += &run(&["power", "run", "--meter", "volts"]);
    said += &run(&["power", "run", "--meter", "rapl", "--sysroot", "empty"]);
    said += &run(&["power", "run", "--meter", "serial:nowhere,pattern=(?<watts>.)"]);
    insta::assert_snapshot!(said);
    let left: Vec<_> =
        fs::read_dir(desk.0.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| Path::new(name).extension().is_some()), "{left:?}");
}
