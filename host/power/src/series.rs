//! What one rail said over time.

/// A value at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Seconds since the recording began.
    pub t: f64,
    /// Watts, or joules since some moment.
    pub value: f64,
    /// Seconds by which `t` may be off to either side.
    pub spread: f64,
}

/// The values of a rail in order of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series(Vec<Point>);

impl Series {
    /// Values in any order; of those at one moment, the last.
    pub fn new(mut points: Vec<Point>) -> Series {
        points.sort_by(|a, b| a.t.total_cmp(&b.t));
        points.reverse();
        points.dedup_by(|a, b| a.t == b.t);
        points.reverse();
        Series(points)
    }

    /// All of them.
    pub fn points(&self) -> &[Point] {
        &self.0
    }

    /// How many lie in `[from, to]`.
    pub fn count(&self, from: f64, to: f64) -> usize {
        self.0.partition_point(|p| p.t <= to) - self.0.partition_point(|p| p.t < from)
    }

    /// The points between two moments with the ones just before and after, where there are such.
    pub fn around(&self, from: f64, to: f64) -> &[Point] {
        let first = self.0.partition_point(|p| p.t <= from).saturating_sub(1);
        let last = (self.0.partition_point(|p| p.t < to) + 1).min(self.0.len());
        &self.0[first.min(last)..last]
    }

    /// Smallest and largest value; `None` of an empty series.
    pub fn range(&self) -> Option<(f64, f64)> {
        range(self.0.iter().map(|p| p.value))
    }

    /// Seconds between two values, the median; 0 of fewer than two.
    pub fn spacing(&self) -> f64 {
        let mut gaps: Vec<f64> = self.0.windows(2).map(|pair| pair[1].t - pair[0].t).collect();
        gaps.sort_by(f64::total_cmp);
        gaps.get(gaps.len() / 2).copied().unwrap_or(0.0)
    }

    /// Of a counter of joules: the mean power between each two values, at the middle.
    pub fn rates(&self) -> Series {
        let rate = |pair: &[Point]| Point {
            t: (pair[0].t + pair[1].t) / 2.0,
            value: (pair[1].value - pair[0].value) / (pair[1].t - pair[0].t),
            spread: pair[0].spread.max(pair[1].spread),
        };
        Series(self.0.windows(2).map(rate).collect())
    }
}

/// Smallest and largest of some numbers.
pub(crate) fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |range, v| {
        let (low, high) = range.unwrap_or((v, v));
        Some((v.min(low), v.max(high)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: &[(f64, f64)]) -> Series {
        Series::new(values.iter().map(|&(t, value)| Point { t, value, spread: 0.0 }).collect())
    }

    #[test]
    fn points_come_in_order_and_the_last_of_a_moment_counts() {
        let series = series(&[(2.0, 5.0), (1.0, 3.0), (2.0, 7.0)]);
        let values: Vec<f64> = series.points().iter().map(|p| p.value).collect();
        assert_eq!(values, [3.0, 7.0]);
        assert_eq!(series.range(), Some((3.0, 7.0)));
    }

    #[test]
    fn a_stretch_has_the_points_at_its_ends() {
        let series = series(&[(0.0, 0.0), (1.0, 1.0), (2.0, 2.0), (3.0, 3.0)]);
        let times = |from, to| series.around(from, to).iter().map(|p| p.t).collect::<Vec<_>>();
        assert_eq!(times(1.5, 1.6), [1.0, 2.0]);
        assert_eq!(times(1.0, 2.0), [1.0, 2.0]);
        assert_eq!(times(-2.0, -1.0), [0.0]);
        assert_eq!(times(5.0, 6.0), [3.0]);
        assert_eq!((series.count(1.0, 2.0), series.count(1.5, 1.6)), (2, 0));
        assert_eq!(Series::default().around(0.0, 1.0), []);
    }

    #[test]
    fn a_counter_has_rates() {
        let rates = series(&[(0.0, 10.0), (1.0, 14.0), (3.0, 15.0)]).rates();
        let all: Vec<_> = rates.points().iter().map(|p| (p.t, p.value)).collect();
        assert_eq!(all, [(0.5, 4.0), (2.0, 0.5)]);
    }
}
