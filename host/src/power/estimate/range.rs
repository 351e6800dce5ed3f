//! Numbers that lie between two.

use serde::{Deserialize, Serialize};

/// From `low` to `high`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// At least.
    pub low: f64,
    /// At most.
    pub high: f64,
}

impl Range {
    /// Of no width.
    pub fn exactly(value: f64) -> Range {
        Range { low: value, high: value }
    }

    /// The end that is asked for.
    pub fn end(self, high: bool) -> f64 {
        if high { self.high } else { self.low }
    }

    /// A number at each end times this one.
    pub fn scaled(self, by: f64) -> Range {
        Range { low: self.low * by, high: self.high * by }
    }
}

impl From<[f64; 2]> for Range {
    fn from([low, high]: [f64; 2]) -> Range {
        Range { low, high }
    }
}

impl From<sterna_sim::activity::Bounds> for Range {
    fn from(bounds: sterna_sim::activity::Bounds) -> Range {
        Range { low: bounds.low as f64, high: bounds.high as f64 }
    }
}

impl std::ops::AddAssign for Range {
    fn add_assign(&mut self, other: Range) {
        self.low += other.low;
        self.high += other.high;
    }
}
