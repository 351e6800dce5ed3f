//! Axes: from values to places, ticks at round numbers, and numbers for people.

/// An axis with its values and its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axis {
    /// The value at `from`.
    low: f64,
    /// The value at `to`.
    high: f64,
    from: f64,
    to: f64,
    logarithmic: bool,
}

impl Axis {
    /// A straight one that has room for all values, and 0.
    pub fn linear(values: impl IntoIterator<Item = f64>, from: f64, to: f64) -> Axis {
        let (low, high) = values
            .into_iter()
            .fold((0.0f64, 0.0f64), |(low, high), value| (low.min(value), high.max(value)));
        let room = 0.06 * (high - low);
        let high = if high > low { high + room } else { 1.0 };
        Axis { low: if low < 0.0 { low - room } else { 0.0 }, high, from, to, logarithmic: false }
    }

    /// One from 0 to exactly some value.
    pub fn until(high: f64, from: f64, to: f64) -> Axis {
        let high = if high > 0.0 { high } else { 1.0 };
        Axis { low: 0.0, high, from, to, logarithmic: false }
    }

    /// A logarithmic one of whole decades around all values above 0.
    pub fn logarithmic(values: impl IntoIterator<Item = f64>, from: f64, to: f64) -> Axis {
        let logs = values.into_iter().filter(|v| *v > 0.0).map(f64::log10);
        let (low, high) = logs.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), log| {
            (low.min(log), high.max(log))
        });
        let (low, high) = if low <= high { (low, high) } else { (0.0, 0.0) };
        let low = (low - 0.05).floor();
        let high = (high + 0.05).ceil().max(low + 1.0);
        Axis { low, high, from, to, logarithmic: true }
    }

    /// Where a value is.
    pub fn at(&self, value: f64) -> f64 {
        let value = if self.logarithmic { value.log10() } else { value };
        self.from + (value - self.low) / (self.high - self.low) * (self.to - self.from)
    }

    /// Where it ends.
    pub fn end(&self) -> f64 {
        self.to
    }

    /// Where it begins.
    pub fn begin(&self) -> f64 {
        self.from
    }

    /// About as many round values as wanted, each with its text; of a logarithmic axis the decades.
    pub fn ticks(&self, wanted: usize) -> Vec<(f64, String)> {
        if self.logarithmic {
            let decades = self.low as i32..=self.high as i32;
            return decades.map(|n| 10f64.powi(n)).map(|v| (v, number(v))).collect();
        }
        let rough = (self.high - self.low) / wanted.max(1) as f64;
        let decade = 10f64.powf(rough.log10().floor());
        let factor = [1.0, 2.0, 5.0].into_iter().find(|f| f * decade >= rough * 0.999);
        let step = factor.unwrap_or(10.0) * decade;
        let decimals = (-step.log10().floor()).clamp(0.0, 12.0) as usize;
        let first = (self.low / step - 1e-9).ceil() as i64;
        let last = (self.high / step + 1e-9).floor() as i64;
        let text = |value: f64| match value.abs() {
            v if v >= 1e6 || (v > 0.0 && v < 1e-3) => number(value),
            _ => format!("{value:.decimals$}"),
        };
        (first..=last).map(|n| n as f64 * step).map(|v| (v, text(v))).collect()
    }

    /// Of a logarithmic axis: 2 to 9 times each decade, for lines without text.
    pub fn between(&self) -> Vec<f64> {
        let decades = self.low as i32..self.high as i32;
        decades.flat_map(|n| (2..10).map(move |k| f64::from(k) * 10f64.powi(n))).collect()
    }
}

/// A number with four digits that count.
pub fn number(value: f64) -> String {
    digits(value, 4)
}

/// How far off a number may be: two digits, rounded up, since a bound that is rounded down is none.
pub fn bound(value: f64) -> String {
    if value.is_nan() || value <= 0.0 {
        return "0".into();
    }
    let step = 10f64.powf(value.log10().floor() - 1.0);
    // What is two digits already stays: a division is not exact.
    digits((value / step - 1e-6).ceil() * step, 2)
}

/// A number with so many digits that count.
pub fn digits(value: f64, count: usize) -> String {
    let fixed = |decimals: usize| {
        let text = format!("{value:.decimals$}");
        match text.contains('.') {
            true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
            false => text,
        }
    };
    match value.abs() {
        0.0 => "0".into(),
        v if !(1e-4..1e7).contains(&v) => {
            let text = format!("{value:.*e}", count.saturating_sub(1));
            match text.split_once('e') {
                Some((digits, power)) if digits.contains('.') => {
                    format!("{}e{power}", digits.trim_end_matches('0').trim_end_matches('.'))
                }
                _ => text,
            }
        }
        v => fixed((count as f64 - 1.0 - v.log10().floor()).clamp(0.0, 16.0) as usize),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(axis: &Axis) -> Vec<String> {
        axis.ticks(5).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(ticks(&Axis::until(1.0, 0.0, 1.0)), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(ticks(&Axis::until(73.0, 0.0, 1.0)), ["0", "20", "40", "60"]);
        assert_eq!(ticks(&Axis::linear([-1.0, 2.0], 0.0, 1.0)), ["-1", "0", "1", "2"]);
        assert_eq!(ticks(&Axis::until(0.0, 0.0, 1.0)).len(), 6);
        assert_eq!(ticks(&Axis::logarithmic([0.03, 4.0], 0.0, 1.0)), ["0.01", "0.1", "1", "10"]);
        assert_eq!(ticks(&Axis::logarithmic([], 0.0, 1.0)).len(), 3);
        assert_eq!(ticks(&Axis::until(1e15, 0.0, 1.0))[1], "2e14");
    }

    #[test]
    fn values_have_places() {
        let axis = Axis::logarithmic([0.1, 10.0], 0.0, 4.0);
        assert_eq!([0.01, 0.1, 1.0, 100.0].map(|v| axis.at(v).round()), [0.0, 1.0, 2.0, 4.0]);
        let axis = Axis::until(10.0, 100.0, 0.0);
        assert_eq!([0.0, 2.5, 10.0].map(|v| axis.at(v)), [100.0, 75.0, 0.0]);
    }

    #[test]
    fn bounds_are_rounded_up() {
        let all = [0.0, 0.006214, 0.0062, 0.09951, 1.0, 0.15931, 12.1, 123.0, 2.0e-5].map(bound);
        assert_eq!(all, ["0", "0.0063", "0.0062", "0.1", "1", "0.16", "13", "130", "2e-5"]);
    }

    #[test]
    fn numbers_have_four_digits() {
        let all = [0.0, 1.0, 0.28415, 12.3456, 12345.6, -0.5, 2.5e-5, 1.23456e9, 1e15].map(number);
        let text = ["0", "1", "0.2842", "12.35", "12346", "-0.5", "2.5e-5", "1.235e9", "1e15"];
        assert_eq!(all, text);
        assert_eq!(digits(38.99999999999999, 9), "39");
        assert_eq!(digits(0.31028635177010594, 9), "0.310286352");
    }
}
