//! From samples to joules, and how wrong that can be.
//!
//! ```text
//!  W  ^        o---o---o            o  samples, at the moments that they are true of
//!     |       /|       |\           between them the power is taken as a straight line
//!     |  o---o |       | o---o
//!     +--------a-------b---------> s
//! ```
//!
//! A sensor that is asked at `t` answers with a value up to one interval old; one that averages
//! tells the mean of the interval before that. So a value is put half an interval back, or a whole
//! one, and may be off by half an interval to either side.
//!
//! The bar is the sum of what can go wrong, each part at its worst:
//!
//! | part | bound |
//! |---|---|
//! | `sampling` | between two samples the power may be anything between them, and between where it was heading from either side: half that range × their distance |
//! | `edges` | the window's two ends may be off by the timing of a sample: that × the change of power near them, and from one to the other |
//! | `gaps` | where samples are missing, the power was anything that this rail ever was |
//! | `accuracy` | the sensor's own, by its datasheet |
//!
//! What `sampling` cannot see is a load that changes and changes back between two samples of a
//! sensor that does not average.

use schemars::JsonSchema;
use serde::Serialize;

use crate::meter::{Accuracy, Description, Quantity, Rail};
use crate::series::{Point, Series, range};

/// Distances between samples from which on some are missing, in intervals.
const GAP: f64 = 3.0;

/// What of a sensor matters here.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sensor {
    /// What the numbers are.
    pub quantity: Quantity,
    /// Seconds between two new values.
    pub interval: f64,
    /// Whether a value is the mean over the interval.
    pub averages: bool,
    /// By its datasheet.
    pub accuracy: Option<Accuracy>,
}

impl Sensor {
    /// That of a rail of a meter.
    pub fn of(meter: &Description, rail: &Rail) -> Sensor {
        let Description { interval_s, averages, accuracy, .. } = *meter;
        Sensor { quantity: rail.quantity, interval: interval_s, averages, accuracy }
    }
}

/// The parts of a bar, in joules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Bar {
    /// What may have happened between two samples.
    pub sampling: f64,
    /// The timing of the window's ends.
    pub edges: f64,
    /// Missing samples.
    pub gaps: f64,
    /// The sensor; 0 if it is not known.
    pub accuracy: f64,
}

impl Bar {
    /// All parts at their worst.
    pub fn total(&self) -> f64 {
        self.sampling + self.edges + self.gaps + self.accuracy
    }
}

impl std::ops::AddAssign for Bar {
    fn add_assign(&mut self, other: Bar) {
        self.sampling += other.sampling;
        self.edges += other.edges;
        self.gaps += other.gaps;
        self.accuracy += other.accuracy;
    }
}

/// The energy of a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Energy {
    /// Joules.
    pub joules: f64,
    /// How wrong they can be.
    pub bar: Bar,
    /// Samples in the window.
    pub samples: usize,
    /// Share of the window in which samples are missing.
    pub missing: f64,
}

/// What a rail said, made ready once for the energy of any number of windows.
#[derive(Clone, Debug)]
pub struct Curve {
    sensor: Sensor,
    /// Of power with each value at the moment that it is true of.
    series: Series,
    /// Smallest and largest power, of a counter between two values.
    range: (f64, f64),
    /// Distance between two points from which on samples are missing.
    limit: f64,
}

impl Curve {
    /// Of what a sensor said.
    pub fn new(series: &Series, sensor: Sensor) -> Curve {
        let (series, range) = match sensor.quantity {
            Quantity::Power => {
                let series = settled(series, &sensor);
                let range = series.range();
                (series, range)
            }
            Quantity::Energy => (series.clone(), series.rates().range()),
        };
        let limit = GAP * sensor.interval.max(series.spacing());
        Curve { sensor, series, range: range.unwrap_or_default(), limit }
    }

    /// The energy of `[from, to]`; `None` of a series without two points, or of an empty window.
    pub fn energy(&self, from: f64, to: f64) -> Option<Energy> {
        if to <= from || self.series.points().len() < 2 {
            return None;
        }
        Some(match self.sensor.quantity {
            Quantity::Power => of_power(self, from, to),
            Quantity::Energy => of_counter(self, from, to),
        })
    }
}

/// The series with each value at the moment that it is true of.
fn settled(series: &Series, sensor: &Sensor) -> Series {
    let age = sensor.interval * if sensor.averages { 1.0 } else { 0.5 };
    let off = sensor.interval / 2.0;
    let settle = |p: &Point| Point { t: p.t - age, value: p.value, spread: p.spread + off };
    Series::new(series.points().iter().map(settle).collect())
}

fn of_power(curve: &Curve, from: f64, to: f64) -> Energy {
    let Curve { sensor, series, range: (low, high), limit } = curve;
    let mut energy = Energy { samples: series.count(from, to), ..Energy::default() };
    let mut missing = 0.0;
    for [a, b] in pairs(series, from, to) {
        let (begin, end) = (a.t.max(from), b.t.min(to));
        let at = |t: f64| a.value + (b.value - a.value) * ((t - a.t) / (b.t - a.t));
        // Beyond the ends of the series the line is level, see `pairs`.
        let (p, q) = if a.t.is_finite() && b.t.is_finite() {
            (at(begin), at(end))
        } else {
            (a.value, b.value)
        };
        let seconds = end - begin;
        energy.joules += seconds * (p + q) / 2.0;
        if b.t - a.t > *limit {
            let middle = (p + q) / 2.0;
            energy.bar.gaps += seconds * (high - middle).max(middle - low);
            missing += seconds;
        } else {
            // Of a part of the way the line may be off by all of the change, of the whole by half.
            let worst = seconds.min((b.t - a.t) / 2.0);
            energy.bar.sampling += worst * hull(series, a, b);
        }
    }
    let mut ends = vec![];
    for edge in [from, to] {
        let (slack, change) = near(series, edge, *limit, sensor);
        energy.bar.edges += slack * change;
        ends.push((slack, level(series, edge)));
    }
    // All samples late by the same: what is lost at one end is not what is gained at the other.
    energy.bar.edges += ends[0].0.max(ends[1].0) * (ends[1].1 - ends[0].1).abs();
    energy.missing = missing / (to - from);
    accurate(energy, sensor, to - from)
}

/// The power at a moment, by the sample before it.
fn level(series: &Series, t: f64) -> f64 {
    series.around(t, t).first().map_or(0.0, |p| p.value)
}

/// Range of what the power may be between two neighbours: their values, and where it was heading
/// from either side, by no more than it changes between them, or on both sides of them.
fn hull(series: &Series, a: Point, b: Point) -> f64 {
    let points = series.points();
    let at = points.partition_point(|p| p.t < a.t);
    let lead = |p: &Point, q: &Point| (q.value - p.value) / (q.t - p.t) * (b.t - a.t);
    let before = at.checked_sub(1).map(|n| lead(&points[n], &a));
    let after = points.get(at + 2).map(|next| lead(&b, next));
    let sides = before.unwrap_or(0.0).abs().min(after.unwrap_or(0.0).abs());
    let most = (b.value - a.value).abs().max(sides);
    let before = before.map(|lead| a.value + lead.clamp(-most, most));
    let after = after.map(|lead| b.value - lead.clamp(-most, most));
    let values = [Some(a.value), Some(b.value), before, after].into_iter().flatten();
    range(values).map_or(0.0, |(low, high)| high - low)
}

/// How far the timing at an edge may be off, and by how much the power changes around it.
fn near(series: &Series, edge: f64, limit: f64, sensor: &Sensor) -> (f64, f64) {
    let reach = limit.max(2.0 * sensor.interval);
    let around = series.around(edge - reach, edge + reach);
    let spread = around.iter().map(|p| p.spread).fold(0.0, f64::max);
    let smear = if sensor.averages { sensor.interval / 2.0 } else { 0.0 };
    let change = range(around.iter().map(|p| p.value)).map_or(0.0, |(low, high)| high - low);
    (spread + smear, change)
}

fn of_counter(curve: &Curve, from: f64, to: f64) -> Energy {
    let Curve { sensor, series, range: (low, high), limit } = curve;
    let mut energy = Energy { samples: series.count(from, to), ..Energy::default() };
    let mut missing = 0.0;
    for [a, b] in pairs(series, from, to) {
        let (begin, end) = (a.t.max(from), b.t.min(to));
        let seconds = end - begin;
        if !(a.t.is_finite() && b.t.is_finite()) {
            // Outside of what was recorded nothing is known but the rail's range.
            energy.joules += seconds * (low + high) / 2.0;
            energy.bar.gaps += seconds * (high - low) / 2.0;
            missing += seconds;
            continue;
        }
        let share = seconds / (b.t - a.t);
        energy.joules += share * (b.value - a.value);
        // A counter loses nothing in a gap within the window, only one that an edge cuts.
        energy.bar.edges += share * (1.0 - share) * (b.t - a.t) * (high - low);
        if b.t - a.t > *limit {
            missing += seconds;
        }
    }
    for edge in [from, to] {
        let spread = series.around(edge, edge).iter().map(|p| p.spread).fold(0.0, f64::max);
        energy.bar.edges += (spread + sensor.interval) * (high - low);
    }
    energy.missing = missing / (to - from);
    accurate(energy, sensor, to - from)
}

fn accurate(mut energy: Energy, sensor: &Sensor, seconds: f64) -> Energy {
    if let Some(Accuracy { gain, offset_w }) = sensor.accuracy {
        energy.bar.accuracy = gain * energy.joules.abs() + offset_w * seconds;
    }
    energy
}

/// Neighbours that cover a window; before the first and after the last point a level line to
/// infinity, so that a window that reaches beyond the series is seen as a gap.
fn pairs(series: &Series, from: f64, to: f64) -> impl Iterator<Item = [Point; 2]> {
    let around = series.around(from, to);
    let (first, last) = (around.first().copied(), around.last().copied());
    let before = first.filter(|p| p.t > from).map(|p| [Point { t: f64::NEG_INFINITY, ..p }, p]);
    let after = last.filter(|p| p.t < to).map(|p| [p, Point { t: f64::INFINITY, ..p }]);
    let within = around.windows(2).map(|pair| [pair[0], pair[1]]);
    let touches = move |[a, b]: &[Point; 2]| a.t < to && b.t > from;
    before.into_iter().chain(within).chain(after).filter(touches)
}
