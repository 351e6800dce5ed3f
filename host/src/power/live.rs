//! The last minute of some meters and a device, to look at while it passes.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use sterna_firmware::device::{Counters, Reading};
use sterna_power::energy::{Curve, Sensor};
use sterna_power::{Description, Point, PowerError, Series, Sink};

/// Seconds that are kept.
pub const KEPT: f64 = 60.0;
/// Seconds of a rate, and of joules a token.
const RECENT: f64 = 5.0;
/// Samples and tokens that are kept at most, however quick.
const MOST: usize = 200_000;

/// What meters and tokens said lately. Bounded, however long it is looked at.
pub struct Live {
    meters: Vec<Description>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By meter, then by time: one value a rail.
    samples: Vec<VecDeque<(f64, f64, Vec<f64>)>>,
    tokens: VecDeque<f64>,
    total: u64,
    troubles: Vec<Option<String>>,
    counters: Option<Counters>,
    sensors: Vec<Reading>,
}

/// What a meter says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MeterView {
    /// Its name.
    pub name: String,
    /// The label of its figures.
    pub label: &'static str,
    /// Watts now, all rails that are counted; `None` without samples.
    pub watts: Option<f64>,
    /// Mean watts of each second, the last one last.
    #[serde(skip)]
    pub history: Vec<f64>,
    /// Joules a token, idle power included, over the last seconds.
    pub joules_per_token: Option<f64>,
    /// What is wrong with it now.
    pub trouble: Option<String>,
}

/// What there is to see at a moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct View {
    /// Seconds since the beginning.
    pub seconds: f64,
    /// Tokens since then.
    pub tokens: u64,
    /// Over the last seconds.
    pub tokens_per_second: f64,
    /// Each meter.
    pub meters: Vec<MeterView>,
    /// What the device's sensors of temperature say, in °C.
    pub temperatures: Vec<(String, f64)>,
    /// Clocks of the last run by what they went to, as shares: beats, starved, blocked, idle.
    pub clocks: Option<[f64; 4]>,
}

impl Live {
    /// Of these meters, by number.
    pub fn new(meters: Vec<Description>) -> Live {
        let state = State {
            samples: meters.iter().map(|_| VecDeque::new()).collect(),
            troubles: vec![None; meters.len()],
            ..State::default()
        };
        Live { meters, state: Mutex::new(state) }
    }

    /// A token came out.
    pub fn token(&self, t: Duration) {
        let mut state = self.lock();
        state.total += 1;
        state.tokens.push_back(t.as_secs_f64());
        trim(&mut state.tokens, |&t| t);
    }

    /// What the device says of itself.
    pub fn device(&self, counters: Option<Counters>, sensors: Vec<Reading>) {
        let mut state = self.lock();
        (state.counters, state.sensors) = (counters, sensors);
    }

    /// What there is to see now.
    pub fn view(&self, now: Duration) -> View {
        let (state, now) = (self.lock(), now.as_secs_f64());
        let recent = state.tokens.iter().filter(|&&t| t > now - RECENT).count();
        let meters = self.meters.iter().enumerate();
        View {
            seconds: now,
            tokens: state.total,
            tokens_per_second: recent as f64 / RECENT.min(now.max(1e-3)),
            meters: meters.map(|(n, meter)| state.meter(n, meter, now)).collect(),
            temperatures: state
                .sensors
                .iter()
                .filter(|sensor| sensor.unit == "°C")
                .map(|sensor| (sensor.name.clone(), sensor.value))
                .collect(),
            clocks: state.counters.filter(|counters| counters.cycles > 0).map(|c| {
                [c.beats, c.starved, c.blocked, c.idle].map(|part| part as f64 / c.cycles as f64)
            }),
        }
    }

    /// Joules that the first meter saw from one moment to another, in seconds, both within what is
    /// kept; after its last sample as much a second as in the second before that. `None` before
    /// it said anything.
    pub fn joules(&self, from: f64, to: f64) -> Option<f64> {
        let (state, meter) = (self.lock(), self.meters.first()?);
        let last = state.samples[0].back()?.0;
        let known = state.curves(0, meter, from.min(last) - 1.0);
        let seen = if from < last { joules(&known, from, to.min(last))? } else { 0.0 };
        let unseen = to - from.max(last);
        Some(if unseen > 0.0 { seen + unseen * joules(&known, last - 1.0, last)? } else { seen })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for Live {
    fn sample(&self, t: Duration, meter: usize, values: Vec<f64>, spread: Duration) {
        let mut state = self.lock();
        state.troubles[meter] = None;
        let samples = &mut state.samples[meter];
        samples.push_back((t.as_secs_f64(), spread.as_secs_f64(), values));
        trim(samples, |sample| sample.0);
    }

    fn trouble(&self, _t: Duration, meter: usize, error: &PowerError) {
        self.lock().troubles[meter] = Some(format!("error[{}]: {error}", error.code()));
    }
}

impl State {
    fn meter(&self, number: usize, meter: &Description, now: f64) -> MeterView {
        let curves = self.curves(number, meter, f64::NEG_INFINITY);
        let joules = |from: f64, to: f64| -> Option<f64> {
            // Before its first sample a meter has said nothing.
            let begun = self.samples[number].front().is_some_and(|sample| sample.0 <= from);
            if begun { joules(&curves, from, to) } else { None }
        };
        let second = now.floor();
        let history = (1..=KEPT as usize).rev();
        let history =
            history.filter_map(|ago| joules(second - ago as f64, second - ago as f64 + 1.0));
        let from = now - RECENT;
        let tokens = self.tokens.iter().filter(|&&t| t > from).count();
        MeterView {
            name: meter.name.clone(),
            label: meter.evidence.label(),
            watts: joules(now - 1.0, now),
            history: history.collect(),
            joules_per_token: joules(from, now).filter(|_| tokens > 0).map(|j| j / tokens as f64),
            trouble: self.troubles[number].clone(),
        }
    }

    /// The rails of a meter that are counted, by the samples since a moment and the one before it.
    fn curves(&self, number: usize, meter: &Description, since: f64) -> Vec<Curve> {
        let rails = meter.rails.iter().enumerate().filter(|(_, rail)| rail.counted);
        let samples = &self.samples[number];
        let begin = samples.partition_point(|sample| sample.0 < since).saturating_sub(1);
        let series = |rail: usize| {
            let point = |(t, spread, values): &(f64, f64, Vec<f64>)| Point {
                t: *t,
                value: values[rail],
                spread: *spread,
            };
            Series::new(samples.range(begin..).map(point).collect())
        };
        rails.map(|(rail, what)| Curve::new(&series(rail), Sensor::of(meter, what))).collect()
    }
}

/// Of all rails together; `None` without one, or without samples.
fn joules(curves: &[Curve], from: f64, to: f64) -> Option<f64> {
    let all = curves.iter().map(|curve| Some(curve.energy(from, to)?.joules));
    if curves.is_empty() { None } else { all.sum() }
}

/// Forgets what is older than is kept, or more.
fn trim<T>(kept: &mut VecDeque<T>, time: impl Fn(&T) -> f64) {
    let last = kept.back().map_or(0.0, &time);
    while kept.len() > MOST || kept.front().is_some_and(|first| time(first) < last - KEPT - 2.0) {
        kept.pop_front();
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use sterna_power::{Evidence, Rail, Scope};

    /// A bench's meter of two rails, of which one counts.
    pub fn meter() -> Description {
        Description {
            name: "bench".into(),
            provenance: "a test".into(),
            scope: Scope::Card,
            evidence: Evidence::Measured,
            rails: vec![Rail::power("board"), Rail::power("core").uncounted()],
            interval_s: 0.1,
            averages: false,
            accuracy: None,
            range_w: None,
        }
    }

    #[test]
    fn the_last_minute_is_seen_and_no_more_is_kept() {
        let live = Live::new(vec![meter()]);
        let ms = Duration::from_millis;
        assert_eq!(live.view(ms(0)).meters[0].watts, None);
        for tenth in 0..1200 {
            let watts = if tenth < 600 { 3.0 } else { 5.0 };
            live.sample(ms(100 * tenth), 0, vec![watts, 1.0], ms(0));
            live.token(ms(100 * tenth));
        }
        let view = live.view(ms(119_950));
        assert_eq!((view.tokens, view.tokens_per_second), (1200, 10.0));
        let seen = &view.meters[0];
        assert!((seen.watts.unwrap() - 5.0).abs() < 1e-9);
        assert!((seen.joules_per_token.unwrap() - 0.5).abs() < 0.02);
        // The step is a minute ago.
        assert_eq!(seen.history.len(), 60);
        assert!(seen.history.iter().all(|watts| (2.9..5.1).contains(watts)), "{:?}", seen.history);
        assert!(live.lock().samples[0].len() < 650 && live.lock().tokens.len() < 650);
    }

    #[test]
    fn joules_between_two_moments_go_on_after_the_last_sample() {
        let live = Live::new(vec![meter()]);
        assert_eq!(live.joules(0.0, 1.0), None);
        for tenth in 0..=100 {
            let watts = if tenth < 50 { 3.0 } else { 5.0 };
            live.sample(Duration::from_millis(100 * tenth), 0, vec![watts, 1.0], Duration::ZERO);
        }
        let near = |from, to, wanted: f64| {
            let seen = live.joules(from, to).unwrap();
            assert!((seen - wanted).abs() < 1e-6, "{from} to {to}: {seen}, not {wanted}");
        };
        near(1.0, 2.0, 3.0);
        near(7.0, 9.5, 12.5);
        near(9.0, 12.0, 15.0);
        near(11.0, 12.0, 5.0);
        assert_eq!(Live::new(vec![]).joules(0.0, 1.0), None);
    }

    #[test]
    fn trouble_is_seen_until_it_is_over() {
        let live = Live::new(vec![meter()]);
        let error =
            PowerError::Sensor { path: "x".into(), source: std::io::ErrorKind::NotFound.into() };
        live.trouble(Duration::ZERO, 0, &error);
        let trouble = live.view(Duration::ZERO).meters[0].trouble.clone().unwrap();
        assert!(trouble.starts_with("error[W004]: x: "), "{trouble}");
        live.sample(Duration::ZERO, 0, vec![1.0, 1.0], Duration::ZERO);
        assert_eq!(live.view(Duration::ZERO).meters[0].trouble, None);
    }

    #[test]
    fn clocks_are_shares() {
        let live = Live::new(vec![]);
        assert_eq!(live.view(Duration::ZERO).clocks, None);
        let counters = Counters { cycles: 200, beats: 150, starved: 30, blocked: 10, idle: 10 };
        let hot = Reading { name: "FPGA".into(), value: 45.5, unit: "°C" };
        let volts = Reading { name: "VCC".into(), value: 0.85, unit: "V" };
        live.device(Some(counters), vec![hot, volts]);
        let view = live.view(Duration::ZERO);
        assert_eq!(view.clocks, Some([0.75, 0.15, 0.05, 0.05]));
        assert_eq!(view.temperatures, [("FPGA".to_string(), 45.5)]);
    }
}
