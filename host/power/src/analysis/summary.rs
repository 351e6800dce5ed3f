//! Several runs: median and spread.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Figure, RunEnergy, Window};
use crate::meter::Evidence;

/// Runs below which there is no median.
pub const MIN_RUNS: usize = 5;

/// Median and spread of some numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Spread {
    /// The middle one; of an even number the mean of the middle two.
    pub median: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

impl Spread {
    /// Of at least one number.
    pub fn of(values: &[f64]) -> Option<Spread> {
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        let (&min, &max) = (values.first()?, values.last()?);
        let (low, high) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
        Some(Spread { median: (low + high) / 2.0, min, max })
    }
}

/// The runs of a recording together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Summary {
    /// Runs that have a figure.
    pub runs: usize,
    /// Mean watts while decoding; `None` of a model, whose tokens come at another device's pace.
    pub watts: Option<Spread>,
    /// Joules a token, idle power included.
    pub gross_j_per_token: Spread,
    /// The largest bar of a run.
    pub gross_bar: f64,
    /// Joules a token above idle, if each run has it.
    pub net_j_per_token: Option<Spread>,
    /// The largest bar of a run.
    pub net_bar: Option<f64>,
    /// Joules a token of the prompt, idle power included, if each run has it.
    pub prompt_j_per_token: Option<Spread>,
}

impl Summary {
    /// Over the runs that have a figure; they must be enough.
    pub(super) fn of(runs: &[RunEnergy], evidence: Evidence) -> Figure<Summary> {
        let known: Vec<&Window> = runs.iter().filter_map(|run| run.decode.known()).collect();
        if known.len() < MIN_RUNS {
            let mut why = format!(
                "{} of {} runs have a figure, and a median needs {MIN_RUNS}",
                known.len(),
                runs.len()
            );
            let refused = runs.iter().find_map(|run| match &run.decode {
                Figure::Refused(why) => Some(why),
                Figure::Known(_) => None,
            });
            if let Some(first) = refused {
                why += &format!("; the first without: {first}");
            }
            return Figure::Refused(why);
        }
        let of = |f: fn(&Window) -> f64| -> Vec<f64> { known.iter().map(|w| f(w)).collect() };
        let all = |f: fn(&Window) -> Option<f64>| -> Option<Vec<f64>> {
            known.iter().map(|w| f(w)).collect()
        };
        let spread = |values: Vec<f64>| Spread::of(&values).expect("there are some");
        let most = |values: Vec<f64>| values.into_iter().fold(0.0, f64::max);
        let prompts: Vec<f64> =
            runs.iter().filter_map(|run| Some(run.prompt.known()?.gross_j_per_token)).collect();
        Figure::Known(Summary {
            runs: known.len(),
            watts: (evidence != Evidence::Model).then(|| spread(of(|w| w.watts))),
            gross_j_per_token: spread(of(|w| w.gross_j_per_token)),
            gross_bar: most(of(|w| w.gross_bar)),
            net_j_per_token: all(|w| w.net_j_per_token).map(spread),
            net_bar: all(|w| w.net_bar).map(most),
            prompt_j_per_token: if prompts.len() == runs.len() {
                Spread::of(&prompts)
            } else {
                None
            },
        })
    }
}
