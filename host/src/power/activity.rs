//! The model as a meter: a counter of joules that moves with each token by what the model says a
//! token costs. What comes of it is the model's number again, in a recording, under its label.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sterna_power::{Accuracy, Description, Evidence, Meter, Rail, Reading, Result, Scope};

use super::estimate::Estimate;

/// Seconds between two looks at the tokens.
const INTERVAL: f64 = 0.02;

/// Joules of the tokens so far, by an estimate.
pub struct Activity {
    description: Description,
    joules: f64,
    tokens: Arc<AtomicU64>,
}

impl Activity {
    /// Of what `estimate` says a token costs, as `tokens` counts them.
    pub fn new(estimate: &Estimate, tokens: Arc<AtomicU64>) -> Activity {
        let (low, high) = (estimate.joules.low, estimate.joules.high);
        // The middle, and as its accuracy the way to either end.
        let joules = (low + high) / 2.0;
        let description = Description {
            name: "activity".into(),
            provenance: format!(
                "a model of a core of {} bits on {} at {} MHz, by what toggles in a simulated token \
                 and a table of energies",
                estimate.geometry.bus, estimate.board, estimate.clock_mhz
            ),
            scope: Scope::Model,
            evidence: Evidence::Model,
            rails: vec![Rail::energy("estimate")],
            interval_s: INTERVAL,
            averages: false,
            accuracy: Some(Accuracy { gain: (high - low) / (high + low), offset_w: 0.0 }),
            range_w: None,
        };
        Activity { description, joules, tokens }
    }
}

impl Meter for Activity {
    fn description(&self) -> &Description {
        &self.description
    }

    fn read(&mut self, _now: Duration) -> Result<Vec<Reading>> {
        let tokens = self.tokens.load(Ordering::Relaxed);
        Ok(vec![Reading::now(vec![tokens as f64 * self.joules])])
    }
}
