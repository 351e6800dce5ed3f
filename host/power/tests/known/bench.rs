//! A load whose energy is known, a sensor that looks at it, and a clock that obeys.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::RngCore;
use sterna_power::recording::{Begin, Mark};
use sterna_power::{
    Analysis, Clock, Description, Evidence, Meter, PowerError, Quantity, Rail, Reading, Recorder,
    Recording, Result, Scope, sample,
};

/// Power as straight lines: `(seconds, watts)`, with two points at a moment for a step.
#[derive(Clone, Debug)]
pub struct Load(pub Vec<(f64, f64)>);

impl Load {
    /// Watts at a moment.
    pub fn watts(&self, t: f64) -> f64 {
        let at = self.0.partition_point(|p| p.0 <= t);
        match (self.0.get(at.wrapping_sub(1)), self.0.get(at)) {
            (Some(a), Some(b)) => a.1 + (b.1 - a.1) * (t - a.0) / (b.0 - a.0),
            (Some(only), None) | (None, Some(only)) => only.1,
            (None, None) => 0.0,
        }
    }

    /// Joules from the first point to `t`, exactly.
    fn until(&self, t: f64) -> f64 {
        let mut joules = 0.0;
        for pair in self.0.windows(2) {
            let (a, b) = (pair[0], pair[1]);
            let end = b.0.min(t);
            if end > a.0 {
                let last = a.1 + (b.1 - a.1) * (end - a.0) / (b.0 - a.0);
                joules += (end - a.0) * (a.1 + last) / 2.0;
            }
        }
        let last = self.0.last().unwrap();
        joules + (t - last.0).max(0.0) * last.1
    }

    /// Joules between two moments, exactly.
    pub fn joules(&self, from: f64, to: f64) -> f64 {
        self.until(to) - self.until(from)
    }
}

/// Time that passes when somebody sleeps, and a little more each time.
pub struct Bench {
    now: Mutex<(f64, ChaCha8Rng)>,
    jitter: f64,
}

impl Bench {
    pub fn new(jitter: f64, random: ChaCha8Rng) -> Bench {
        Bench { now: Mutex::new((0.0, random)), jitter }
    }

    /// Lets some time pass, at most `most`.
    pub fn pass(&self, most: f64) {
        let mut now = self.now.lock().unwrap();
        now.0 += unit(&mut now.1) * most;
    }
}

/// Evenly in `[0, 1)`.
pub fn unit(random: &mut ChaCha8Rng) -> f64 {
    f64::from(random.next_u32()) / 2f64.powi(32)
}

impl Clock for Bench {
    fn now(&self) -> Duration {
        Duration::from_secs_f64(self.now.lock().unwrap().0)
    }

    fn sleep_until(&self, moment: Duration) {
        let mut now = self.now.lock().unwrap();
        now.0 = now.0.max(moment.as_secs_f64()) + unit(&mut now.1) * self.jitter;
    }

    fn unix(&self) -> Duration {
        Duration::from_secs(1_790_000_000) + self.now()
    }
}

/// How a sensor looks at a load.
#[derive(Clone, Debug)]
pub struct Sensor {
    /// Seconds between two conversions, and when the first is.
    pub interval: f64,
    pub phase: f64,
    /// The mean of an interval, or the power at its end.
    pub averages: bool,
    pub quantity: Quantity,
    /// Seconds that a reading takes, at most.
    pub takes: f64,
    /// When it fails.
    pub fails: Vec<(f64, f64)>,
}

/// A sensor of a load, until `end`.
pub struct Watcher<'a> {
    pub load: &'a Load,
    pub sensor: Sensor,
    pub clock: &'a Bench,
    pub end: f64,
    pub stop: &'a AtomicBool,
    pub description: Description,
}

impl Meter for Watcher<'_> {
    fn description(&self) -> &Description {
        &self.description
    }

    fn read(&mut self, now: Duration) -> Result<Vec<Reading>> {
        self.clock.pass(self.sensor.takes / 2.0);
        let t = self.clock.now().as_secs_f64();
        self.clock.pass(self.sensor.takes / 2.0);
        if t > self.end {
            self.stop.store(true, Ordering::Relaxed);
            return Ok(vec![]);
        }
        if self.sensor.fails.iter().any(|&(from, to)| (from..to).contains(&now.as_secs_f64())) {
            let source = std::io::ErrorKind::NotFound.into();
            return Err(PowerError::Sensor { path: "power1_input".into(), source });
        }
        let Sensor { interval, phase, averages, quantity, .. } = self.sensor;
        // The last conversion that was complete.
        let done = ((t - phase) / interval).floor() * interval + phase;
        let value = match (quantity, averages) {
            (Quantity::Energy, _) => self.load.joules(self.load.0[0].0, done),
            (Quantity::Power, true) => self.load.joules(done - interval, done) / interval,
            (Quantity::Power, false) => self.load.watts(done),
        };
        Ok(vec![Reading::now(vec![value])])
    }
}

/// Seconds of a run: rest, prompt, decode.
pub const REST: f64 = 2.0;
pub const PROMPT: f64 = 0.5;
pub const DECODE: f64 = 4.0;
pub const TOKENS: usize = 41;

/// When a run begins to rest, its prompt enters, its first and its last token come out.
pub fn moments(run: u32) -> [f64; 4] {
    let begin = f64::from(run) * (REST + PROMPT + DECODE);
    [begin, begin + REST, begin + REST + PROMPT, begin + REST + PROMPT + DECODE]
}

/// Records `runs` runs of a load and analyses the recording, which is read from its file.
pub fn analyse(load: &Load, sensor: &Sensor, runs: u32, clock: &Bench) -> Analysis {
    let all: Vec<[f64; 4]> = (0..runs).map(moments).collect();
    record(load, sensor, &all, moments(runs)[1], clock)
}

/// The same of one run with its own times, and a rest after it.
pub fn analyse_run(
    load: &Load,
    sensor: &Sensor,
    times: [f64; 4],
    rest: f64,
    clock: &Bench,
) -> Analysis {
    record(load, sensor, &[times], times[3] + rest, clock)
}

fn record(load: &Load, sensor: &Sensor, all: &[[f64; 4]], end: f64, clock: &Bench) -> Analysis {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run.jsonl");
    let description = describe(sensor);
    let runs = all.len() as u32;
    let recorder = Recorder::create(&path, begin(vec![description.clone()], runs)).unwrap();
    let second = Duration::from_secs_f64;
    for (run, &[rest, load, first, last]) in (0..).zip(all) {
        recorder.mark(second(rest), Mark::Rest, run);
        recorder.mark(second(load), Mark::Load, run);
        for token in 0..TOKENS {
            let share = token as f64 / (TOKENS - 1) as f64;
            recorder.token(second(first + share * (last - first)), run, token as u32);
        }
    }
    recorder.mark(second(all[all.len() - 1][3]), Mark::Rest, runs);
    let stop = AtomicBool::new(false);
    let sensor = sensor.clone();
    let mut watcher = Watcher { load, sensor, clock, end, stop: &stop, description };
    sample(&mut watcher, 0, &recorder, clock, &stop);
    recorder.finish(second(end), second(end + 1.79e9)).unwrap();
    Analysis::of(&Recording::read(&path).unwrap())
}

pub fn describe(sensor: &Sensor) -> Description {
    Description {
        name: "bench".into(),
        provenance: "a load whose energy is known".into(),
        scope: Scope::Card,
        evidence: Evidence::Measured,
        rails: vec![Rail { name: "board".into(), quantity: sensor.quantity, counted: true }],
        interval_s: sensor.interval,
        averages: sensor.averages,
        accuracy: None,
        range_w: None,
    }
}

pub fn begin(meters: Vec<Description>, runs: u32) -> Begin {
    Begin {
        format: 1,
        program: "sterna test".into(),
        unix: 1.79e9,
        device: "golden".into(),
        model: "tiny".into(),
        image_id: "0123456789abcdef".into(),
        prompt_tokens: 5,
        runs,
        meters,
        absent: vec![],
    }
}
