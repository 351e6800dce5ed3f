//! One run: its windows, the idle power around it, and the energy of a token.

use schemars::JsonSchema;
use serde::Serialize;

use super::Figure;
use crate::energy::{Bar, Curve, Energy};
use crate::meter::{Description, Evidence};
use crate::recording::{Recording, Run};
use crate::series::{Point, Series};

/// Samples of a window below which no number is reported.
pub const MIN_SAMPLES: usize = 20;
/// Samples of a rest below which there is no idle power.
const MIN_IDLE: usize = 5;
/// Share of a window that may lack samples.
const MAX_MISSING: f64 = 0.25;
/// Seconds after the end of work in which the device is not at rest yet, beside what the sensor
/// needs.
const SETTLE: f64 = 0.2;

/// Seconds of decoding and of a rest that a meter with so many seconds between its values needs to
/// have figures of both, with a little to spare.
pub fn needed(interval_s: f64) -> (f64, f64) {
    let samples = |count: usize| 1.3 * count as f64 * interval_s;
    // A rest is cut by two intervals at each end.
    (samples(MIN_SAMPLES), SETTLE + samples(MIN_IDLE + 4))
}

/// A run, as a meter saw it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RunEnergy {
    /// Counted from 0.
    pub run: usize,
    /// Tokens a second while decoding; `None` with fewer than two.
    pub tokens_per_second: Option<f64>,
    /// Power at rest, before and after.
    pub idle: Figure<Idle>,
    /// From the first token that enters to the first that comes out.
    pub prompt: Figure<Window>,
    /// From the first token that comes out to the last.
    pub decode: Figure<Window>,
}

/// Power at rest.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Idle {
    /// Watts, the mean of before and after.
    pub watts: f64,
    /// How wrong they can be: the parts of the bars, and half the difference of before and after.
    pub bar_w: f64,
    /// Before the run, if it was seen.
    pub before_w: Option<f64>,
    /// After it, if it was seen.
    pub after_w: Option<f64>,
    /// Watts of each rail by itself, in the order of the meter's.
    pub rails_w: Vec<f64>,
}

/// The energy of a rail in a window.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RailEnergy {
    /// The rail.
    pub name: String,
    /// Whether it is part of the total.
    pub counted: bool,
    /// Joules in the window.
    pub joules: f64,
    /// Mean watts.
    pub watts: f64,
}

/// The energy of a window. Bars are the most that a number can be wrong by, to either side.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Window {
    /// Seconds since the recording began.
    pub from: f64,
    /// Likewise.
    pub to: f64,
    /// Tokens that were computed in it.
    pub tokens: usize,
    /// Samples in it.
    pub samples: usize,
    /// Share of it in which samples are missing.
    pub missing: f64,
    /// Mean watts, idle power included.
    pub watts: f64,
    /// Joules, idle power included.
    pub gross_j: f64,
    /// The parts of its bar.
    pub bar: Bar,
    /// Joules a token, idle power included.
    pub gross_j_per_token: f64,
    /// Its bar.
    pub gross_bar: f64,
    /// Joules a token above idle; `None` where idle power is not known.
    pub net_j_per_token: Option<f64>,
    /// Its bar.
    pub net_bar: Option<f64>,
    /// Each rail by itself.
    pub rails: Vec<RailEnergy>,
}

/// What each rail of a meter said.
pub(super) fn rails(recording: &Recording, meter: usize) -> Vec<Series> {
    let samples = &recording.samples[meter];
    let rail = |n: usize| {
        let point =
            |s: &crate::recording::Sample| Point { t: s.t, value: s.values[n], spread: s.spread };
        Series::new(samples.iter().map(point).collect())
    };
    (0..recording.begin.meters[meter].rails.len()).map(rail).collect()
}

/// Tokens a second while decoding.
pub(super) fn rate(run: &Run) -> Option<f64> {
    let (first, last) = (run.tokens.first()?, run.tokens.last()?);
    (last > first).then(|| (run.tokens.len() - 1) as f64 / (last - first))
}

/// What a meter saw of a run; `None` of a rest after which no run came.
pub(super) fn of_run(
    recording: &Recording,
    number: usize,
    meter: &Description,
    rails: &[Curve],
) -> Option<RunEnergy> {
    let run = &recording.runs[number];
    let load = run.load?;
    let context = Context { meter, rails };
    let idle = context.idle(recording, number);
    let known = idle.known();
    let first = run.tokens.first().copied();
    let last = run.tokens.last().copied();
    let window = |to: Option<f64>, from: Option<f64>, tokens: usize| match (from, to) {
        (Some(from), Some(to)) if to > from => context.window(from, to, tokens, known),
        _ => Figure::Refused("fewer than two tokens came out: generate more".into()),
    };
    Some(RunEnergy {
        run: number,
        tokens_per_second: rate(run),
        prompt: window(first, Some(load), recording.begin.prompt_tokens),
        decode: window(last, first, run.tokens.len().saturating_sub(1)),
        idle,
    })
}

struct Context<'a> {
    meter: &'a Description,
    rails: &'a [Curve],
}

impl Context<'_> {
    /// The energy of each rail; `None` without samples.
    fn energies(&self, from: f64, to: f64) -> Option<Vec<Energy>> {
        self.rails.iter().map(|rail| rail.energy(from, to)).collect()
    }

    /// The total of the rails that are counted; `None` if none is.
    fn total(&self, energies: &[Energy]) -> Option<Energy> {
        let rails = self.meter.rails.iter().zip(energies).filter(|(rail, _)| rail.counted);
        rails.map(|(_, energy)| *energy).reduce(|mut total, energy| {
            total.joules += energy.joules;
            total.bar += energy.bar;
            total.samples = total.samples.min(energy.samples);
            total.missing = total.missing.max(energy.missing);
            total
        })
    }

    fn window(&self, from: f64, to: f64, tokens: usize, idle: Option<&Idle>) -> Figure<Window> {
        let Some(energies) = self.energies(from, to) else {
            return Figure::Refused("the meter gave no samples".into());
        };
        let Some(total) = self.total(&energies) else {
            return Figure::Refused("none of the meter's rails is part of a total".into());
        };
        let Energy { joules, bar, samples, missing } = total;
        let seconds = to - from;
        if samples < MIN_SAMPLES {
            let Description { interval_s, .. } = self.meter;
            return Figure::Refused(format!(
                "{samples} samples in {seconds:.2} s, and fewer than {MIN_SAMPLES} say nothing: a \
                 sample takes {interval_s} s, so generate for {:.1} s at least",
                1.2 * MIN_SAMPLES as f64 * interval_s
            ));
        }
        if missing > MAX_MISSING {
            return Figure::Refused(format!(
                "the meter was silent for {:.0} % of the window",
                100.0 * missing
            ));
        }
        let each = 1.0 / tokens.max(1) as f64;
        let rails = self.meter.rails.iter().zip(&energies);
        Figure::Known(Window {
            from,
            to,
            tokens,
            samples,
            missing,
            watts: joules / seconds,
            gross_j: joules,
            bar,
            gross_j_per_token: joules * each,
            gross_bar: bar.total() * each,
            net_j_per_token: idle.map(|idle| (joules - idle.watts * seconds) * each),
            net_bar: idle.map(|idle| (bar.total() + idle.bar_w * seconds) * each),
            rails: rails
                .map(|(rail, energy)| RailEnergy {
                    name: rail.name.clone(),
                    counted: rail.counted,
                    joules: energy.joules,
                    watts: energy.joules / seconds,
                })
                .collect(),
        })
    }

    /// Idle power around a run.
    fn idle(&self, recording: &Recording, number: usize) -> Figure<Idle> {
        if self.meter.evidence == Evidence::Model {
            return Figure::Refused("model, not measurement: it knows tokens, and no rest".into());
        }
        let run = &recording.runs[number];
        let next = recording.runs.get(number + 1);
        let end = next.and_then(|next| next.load).or(recording.end);
        let before = self.rest(run.rest, run.load);
        let after = self.rest(next.and_then(|next| next.rest), end);
        let (before_w, after_w) =
            (before.as_ref().map(|rest| rest.watts), after.as_ref().map(|rest| rest.watts));
        let Rest { watts, bar_w, rails_w } = match (before, after) {
            (None, None) => {
                return Figure::Refused(format!(
                    "no rest with {MIN_IDLE} samples before or after the run: rest longer, with \
                     --idle"
                ));
            }
            (Some(one), None) | (None, Some(one)) => one,
            (Some(a), Some(b)) => Rest {
                watts: (a.watts + b.watts) / 2.0,
                bar_w: a.bar_w.max(b.bar_w) + (a.watts - b.watts).abs() / 2.0,
                rails_w: a.rails_w.iter().zip(&b.rails_w).map(|(a, b)| (a + b) / 2.0).collect(),
            },
        };
        Figure::Known(Idle { watts, bar_w, before_w, after_w, rails_w })
    }

    /// Mean power of a rest, without the moments in which it begins and ends.
    fn rest(&self, from: Option<f64>, to: Option<f64>) -> Option<Rest> {
        let settle = 2.0 * self.meter.interval_s;
        let (from, to) = (from? + SETTLE + settle, to? - settle);
        let energies = self.energies(from, to)?;
        let (total, seconds) = (self.total(&energies)?, to - from);
        let enough = total.samples >= MIN_IDLE && total.missing <= MAX_MISSING;
        enough.then(|| Rest {
            watts: total.joules / seconds,
            bar_w: total.bar.total() / seconds,
            rails_w: energies.iter().map(|energy| energy.joules / seconds).collect(),
        })
    }
}

/// Mean power of one rest.
struct Rest {
    watts: f64,
    bar_w: f64,
    rails_w: Vec<f64>,
}
