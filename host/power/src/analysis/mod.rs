//! Runs, idle power, joules a token: what a recording says.
//!
//! ```text
//!   W |            ______________
//!     |           |              |
//!     |  ~~~~~~~~~|              |~~~~~~~~~
//!     +--rest-----load---T1-…-Tn-rest-------> s
//!        idle      prompt decode   idle
//! ```
//!
//! A run's *decode* window goes from its first token to its last: in it each of `n - 1` tokens was
//! computed. Its *prompt* window goes from the first token that enters to the first that comes out.
//! Idle power is that of the rests before and after it, without their first moments.

mod run;
mod summary;

use schemars::JsonSchema;
use serde::Serialize;

pub use self::run::{Idle, MIN_SAMPLES, RailEnergy, RunEnergy, Window, needed};
pub use self::summary::{MIN_RUNS, Spread, Summary};
use crate::energy::{Curve, Sensor};
use crate::meter::Description;
use crate::recording::{Begin, Recording, Trouble};

/// A figure, or why there is none.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Figure<T> {
    /// The figure.
    Known(T),
    /// Why there is none.
    Refused(String),
}

impl<T> Figure<T> {
    /// The figure, if there is one.
    pub fn known(&self) -> Option<&T> {
        match self {
            Figure::Known(known) => Some(known),
            Figure::Refused(_) => None,
        }
    }

    /// Why there is none, if so.
    pub fn refused(&self) -> Option<&str> {
        match self {
            Figure::Known(_) => None,
            Figure::Refused(why) => Some(why),
        }
    }
}

/// What a recording says.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Analysis {
    /// What was recorded, and on what.
    pub begin: Begin,
    /// Whether the recording was broken off.
    pub incomplete: bool,
    /// By how many seconds the wall's clock was set while it ran. It moves no sample of a meter of
    /// this machine.
    pub clock_step: Option<f64>,
    /// Tokens a second while decoding, over all runs.
    pub tokens_per_second: Option<Spread>,
    /// What each meter says.
    pub meters: Vec<MeterAnalysis>,
}

/// What a meter says.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct MeterAnalysis {
    /// What it is.
    pub description: Description,
    /// The label of all its figures.
    pub label: &'static str,
    /// What its total includes.
    pub includes: &'static str,
    /// Samples in the whole recording.
    pub samples: usize,
    /// Seconds between two of them, the median.
    pub spacing_s: f64,
    /// When it failed, and how.
    pub troubles: Vec<Trouble>,
    /// Each run.
    pub runs: Vec<RunEnergy>,
    /// Median and spread over the runs; or why there is none.
    pub summary: Figure<Summary>,
}

impl Analysis {
    /// Computes everything from a recording, and from nothing else.
    pub fn of(recording: &Recording) -> Analysis {
        let rates: Vec<f64> = recording.runs.iter().filter_map(run::rate).collect();
        let meters = recording.begin.meters.iter().enumerate();
        Analysis {
            begin: recording.begin.clone(),
            incomplete: recording.end.is_none(),
            clock_step: recording.clock_step,
            tokens_per_second: Spread::of(&rates),
            meters: meters.map(|(number, meter)| of_meter(recording, number, meter)).collect(),
        }
    }
}

fn of_meter(recording: &Recording, number: usize, meter: &Description) -> MeterAnalysis {
    let rails = run::rails(recording, number);
    let curve = |(rail, series)| Curve::new(series, Sensor::of(meter, rail));
    let curves: Vec<Curve> = meter.rails.iter().zip(&rails).map(curve).collect();
    let runs: Vec<RunEnergy> = (0..recording.runs.len())
        .filter_map(|run| run::of_run(recording, run, meter, &curves))
        .collect();
    MeterAnalysis {
        description: meter.clone(),
        label: meter.evidence.label(),
        includes: meter.scope.includes(),
        samples: recording.samples[number].len(),
        spacing_s: rails.first().map_or(0.0, |rail| rail.spacing()),
        troubles: recording.troubles.iter().filter(|t| t.meter == number).cloned().collect(),
        summary: Summary::of(&runs, meter.evidence),
        runs,
    }
}
