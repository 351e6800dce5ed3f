//! Recordings as a meter and a device would have written them, without either.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::RngCore;
use serde_json::{Value, json};

/// A recording in the making.
pub struct Made {
    lines: Vec<Value>,
    meters: usize,
    runs: u32,
    /// Seconds from the beginning up to which something was recorded.
    pub now: f64,
}

/// What a meter says of itself; more is changed by its key.
pub fn meter(name: &str, evidence: &str, scope: &str, interval: f64, rails: &[&str]) -> Value {
    let rail = |name: &&str| {
        let quantity = if name.ends_with("energy") { "energy" } else { "power" };
        json!({ "name": name, "quantity": quantity, "counted": !name.starts_with("aux") })
    };
    json!({
        "name": name,
        "provenance": format!("made by a test, as {name}"),
        "scope": scope,
        "evidence": evidence,
        "rails": rails.iter().map(rail).collect::<Vec<_>>(),
        "interval_s": interval,
        "averages": false,
        "accuracy": null,
        "range_w": null,
    })
}

impl Made {
    pub fn new(model: &str, runs: u32, meters: &[Value]) -> Made {
        let begin = json!({
            "kind": "begin",
            "format": 1,
            "program": "sterna test",
            "unix": 1_790_000_000.0,
            "device": "golden",
            "model": model,
            "image_id": "0123456789abcdef",
            "prompt_tokens": 8,
            "runs": runs,
            "meters": meters,
            "absent": [],
        });
        Made { lines: vec![begin], meters: meters.len(), runs: 0, now: 0.0 }
    }

    /// A meter that would have been there.
    pub fn absent(&mut self, why: &str) {
        self.lines[0]["absent"] = json!([why]);
    }

    fn line(&mut self, t: f64, mut line: Value) {
        line["t"] = json!((t * 1e9).round() as u64);
        self.lines.push(line);
    }

    /// Rests for `rest`, then computes the prompt and one token more than `tokens`, each in `each`.
    pub fn run(&mut self, rest: f64, tokens: u32, each: f64) {
        let run = self.runs;
        self.runs += 1;
        self.line(self.now, json!({ "kind": "mark", "mark": "rest", "run": run }));
        let load = self.now + rest;
        self.line(load, json!({ "kind": "mark", "mark": "load", "run": run }));
        for token in 0..=tokens {
            self.now = load + 8.0 * each + f64::from(token) * each;
            self.line(self.now, json!({ "kind": "token", "run": run, "token": token }));
        }
    }

    /// Rests after the last run.
    pub fn rest(&mut self, seconds: f64) {
        self.line(self.now, json!({ "kind": "mark", "mark": "rest", "run": self.runs }));
        self.now += seconds;
    }

    /// What a meter said from the beginning until now; at some moments nothing.
    pub fn samples(&mut self, meter: usize, interval: f64, says: impl Fn(f64) -> Option<Vec<f64>>) {
        assert!(meter < self.meters);
        let count = (self.now / interval) as u32;
        for t in (0..count).map(|n| f64::from(n) * interval) {
            if let Some(values) = says(t) {
                let sample = json!({ "kind": "sample", "meter": meter, "values": values });
                self.line(t, sample);
            }
        }
    }

    /// A meter failed.
    pub fn trouble(&mut self, t: f64, meter: usize, message: &str) {
        let (kind, code) = ("trouble", "W004");
        self.line(t, json!({ "kind": kind, "meter": meter, "code": code, "message": message }));
    }

    /// The end; the wall's clock was set by `step` seconds meanwhile.
    pub fn end(&mut self, step: f64) {
        let unix = 1_790_000_000.0 + self.now + step;
        self.line(self.now, json!({ "kind": "end", "unix": unix }));
    }

    /// As the file has it.
    pub fn text(&self) -> String {
        self.lines.iter().map(|line| format!("{line}\n")).collect()
    }
}

/// Whether a device that rests for `rest` of every `period` seconds works at `t`.
fn works(t: f64, rest: f64, period: f64) -> bool {
    t % period >= rest
}

/// Six runs of a card beside its host and a model of it: power in steps, with a ripple.
pub fn steady() -> Made {
    let mut card = meter("hwmon:ina226", "measured", "card", 0.02, &["12 V input", "aux 3.3 V"]);
    card["accuracy"] = json!({ "gain": 0.01, "offset_w": 0.005 });
    let host = meter("rapl", "measured", "host", 0.05, &["package energy", "memory energy"]);
    let mut model = meter("estimate", "model", "model", 0.05, &["logic", "memory", "static"]);
    model["averages"] = json!(true);
    let mut made = Made::new("370m.sterna", 6, &[card, host, model]);
    for _ in 0..6 {
        made.run(1.5, 42, 0.05);
    }
    made.rest(1.5);
    let busy = |t: f64| works(t, 1.5, 4.0);
    made.samples(0, 0.02, |t| {
        // A triangle: a sine's last bits are another machine's own.
        let ripple = 0.12 * (4.0 * ((t / 0.31).fract() - 0.5).abs() - 1.0);
        let drift = 0.01 * t;
        Some(if busy(t) { vec![6.2 + ripple + drift, 1.1] } else { vec![3.8 + ripple / 4.0, 0.7] })
    });
    made.samples(1, 0.05, |t| {
        let work = (t / 4.0).floor() * 2.5 + (t % 4.0 - 1.5).max(0.0);
        Some(vec![14.0 * t + 22.0 * work, 2.0 * t + work])
    });
    made.samples(2, 0.05, |t| {
        Some(if busy(t) { vec![2.1, 1.4, 0.9] } else { vec![0.2, 0.3, 0.9] })
    });
    made.end(0.0);
    made
}

/// Five runs on a ramp, by a serial meter that falls silent in one of them, while the clock is set.
pub fn ramp() -> Made {
    let plug = meter("serial:ttyUSB0", "replayed", "external", 0.05, &["plug"]);
    let mut made = Made::new("demo <5m> & \"more\"", 5, &[plug]);
    made.absent("hwmon: no power sensor; see docs/power.md");
    for _ in 0..5 {
        made.run(2.0, 52, 0.05);
    }
    made.rest(2.0);
    made.samples(0, 0.05, |t| (!(8.0..9.9).contains(&t)).then(|| vec![5.0 + 0.1 * t]));
    made.trouble(8.0, 0, "ttyUSB0: cannot read the sensor: it went away");
    made.trouble(9.0, 0, "ttyUSB0: cannot read the sensor: it is still away");
    made.end(-3600.0);
    made
}

/// Two short runs with a slow meter: nothing that could be reported, and no end.
pub fn few() -> Made {
    let slow = meter("cms:0", "measured", "rails", 1.0, &["vccint", "aux hbm"]);
    let mut made = Made::new("tiny", 2, &[slow]);
    made.run(1.0, 20, 0.1);
    made.run(1.0, 20, 0.1);
    made.samples(0, 1.0, |_| Some(vec![20.0, 5.0]));
    made
}

/// Hundreds of runs and many samples.
pub fn long() -> Made {
    let fast = meter("i2c:1", "measured", "card", 0.01, &["12 V input"]);
    let mut made = Made::new("tiny", 300, &[fast]);
    for _ in 0..300 {
        made.run(0.5, 30, 0.01);
    }
    made.rest(0.5);
    made.samples(0, 0.01, |t| {
        let peak = if (t - 100.0).abs() < 0.005 { 9.0 } else { 0.0 };
        Some(vec![if works(t, 0.5, 0.88) { 6.0 + peak } else { 4.0 }])
    });
    made.end(0.0);
    made
}

/// Whatever a file may say: values without measure, moments that coincide, runs without samples.
pub fn odd(random: &mut ChaCha8Rng) -> Made {
    let mut pick = |n: u32| random.next_u32() % n;
    let evidence = ["measured", "replayed", "model"];
    let intervals = [0.0, 1e-9, 0.01, 3600.0];
    let meters: Vec<Value> = (0..=pick(3))
        .map(|n| {
            let rails = ["a", "aux b", "c energy", "aux d energy", "e"];
            let from = pick(4) as usize;
            let interval = intervals[pick(4) as usize];
            let rails = &rails[from..=from + pick(5 - from as u32) as usize];
            meter(&format!("<{n}&>"), evidence[pick(3) as usize], "rails", interval, rails)
        })
        .collect();
    let mut made = Made::new("odd", pick(4), &meters);
    for _ in 0..pick(9) {
        let each = [0.0, 1e-9, 0.02, 1e5][pick(4) as usize];
        made.run([0.0, 0.5, 2.0][pick(3) as usize], pick(40), each);
    }
    made.rest(f64::from(pick(3)));
    let values = [0.0, -1.0, 5.0, 5.1, 1e-300, 1e15, -1e15];
    for (n, meter) in meters.iter().enumerate() {
        let rails = meter["rails"].as_array().unwrap().len();
        // All of one kind, or all kinds.
        let (from, kinds) = [(0, 1), (2, 2), (0, 7)][pick(3) as usize];
        for _ in 0..pick(400) {
            let t = made.now * f64::from(pick(1000)) / 999.0;
            let all: Vec<f64> = (0..rails).map(|_| values[from + pick(kinds) as usize]).collect();
            let sample = json!({ "kind": "sample", "meter": n, "values": all, "spread": pick(9) });
            made.line(t, sample);
        }
    }
    if pick(2) == 0 {
        made.end(0.0);
    }
    made
}
