//! A meter that prints lines, and the user's pattern of them.

use std::io::{ErrorKind, Read};
use std::time::Duration;

use regex::Regex;

use crate::error::{PowerError, Result};
use crate::meter::{Description, Evidence, Meter, Quantity, Rail, Reading, Scope};

/// Bytes of a line, and of a reading, that are believed.
const LINE: usize = 4096;
const MOST: usize = 1 << 16;
/// Lines without a match after which something must be wrong.
const PATIENCE: u64 = 50;

/// A regular expression with groups that say what a line holds.
#[derive(Clone, Debug)]
pub struct Pattern {
    regex: Regex,
    groups: Groups,
}

#[derive(Clone, Copy, Debug)]
enum Groups {
    /// One number, so many of which are a watt, or a joule.
    One(&'static str, Quantity, f64),
    /// Volts, and amperes or milliamperes.
    Product(&'static str, f64),
}

impl Pattern {
    /// Groups named `watts`, `milliwatts`, `joules` (of a counter), or `volts` with `amps` or
    /// `milliamps`.
    ///
    /// # Errors
    /// W009.
    pub fn new(pattern: &str) -> Result<Pattern> {
        let bad = |why: String| PowerError::Pattern { pattern: pattern.into(), why };
        let regex = Regex::new(pattern).map_err(|error| {
            // The last line of the message says what, the others draw where.
            bad(error.to_string().lines().last().unwrap_or_default().trim().into())
        })?;
        let has = |name: &str| regex.capture_names().flatten().any(|group| group == name);
        let ones = [
            ("watts", Quantity::Power, 1.0),
            ("milliwatts", Quantity::Power, 1e3),
            ("joules", Quantity::Energy, 1.0),
        ];
        let one = ones.into_iter().find(|(name, ..)| has(name));
        let amps = [("amps", 1.0), ("milliamps", 1e3)].into_iter().find(|(name, _)| has(name));
        let groups = match (one, amps) {
            (Some((name, quantity, one)), _) => Groups::One(name, quantity, one),
            (None, Some((name, one))) if has("volts") => Groups::Product(name, one),
            _ => return Err(bad("lacks the group".into())),
        };
        Ok(Pattern { regex, groups })
    }

    fn quantity(&self) -> Quantity {
        match self.groups {
            Groups::One(_, quantity, _) => quantity,
            Groups::Product(..) => Quantity::Power,
        }
    }

    /// The number of a line, if it has one.
    fn value(&self, line: &str) -> Option<f64> {
        let found = self.regex.captures(line)?;
        let number = |name| {
            let value: f64 = found.name(name)?.as_str().trim().parse().ok()?;
            (value.abs() <= 1e9).then_some(value)
        };
        Some(match self.groups {
            Groups::One(name, _, one) => number(name)? / one,
            Groups::Product(amps, one) => number("volts")? * number(amps)? / one,
        })
    }
}

/// A source of lines: a serial port, mostly. Reading it must not block for long.
pub struct Lines<R> {
    description: Description,
    source: R,
    pattern: Pattern,
    begun: Vec<u8>,
    lines: u64,
    matched: bool,
}

impl<R: Read + Send> Lines<R> {
    /// A meter called `name` that prints a line every `interval` seconds.
    pub fn new(name: &str, source: R, pattern: Pattern, interval: f64) -> Lines<R> {
        let quantity = pattern.quantity();
        let description = Description {
            name: name.into(),
            provenance: format!("lines that match `{}`", pattern.regex),
            scope: Scope::External,
            evidence: Evidence::Measured,
            rails: vec![Rail { name: "meter".into(), quantity, counted: true }],
            interval_s: interval,
            averages: true,
            accuracy: None,
            range_w: None,
        };
        let (begun, lines, matched) = (vec![], 0, false);
        Lines { description, source, pattern, begun, lines, matched }
    }

    fn failed(&self, source: std::io::Error) -> PowerError {
        PowerError::Sensor { path: self.description.name.clone().into(), source }
    }

    /// The value of the last whole line that matches.
    fn newest(&mut self) -> Result<Option<f64>> {
        let mut value = None;
        let mut last = None;
        while let Some(end) = self.begun.iter().position(|&byte| byte == b'\n' || byte == b'\r') {
            let line: Vec<u8> = self.begun.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line).trim().to_string();
            if !line.is_empty() {
                self.lines += 1;
                value = self.pattern.value(&line).or(value);
                last = Some(line);
            }
        }
        self.matched |= value.is_some();
        if let (false, true, Some(last)) = (self.matched, self.lines >= PATIENCE, last) {
            let (name, lines) = (self.description.name.clone(), self.lines);
            let last = last.chars().take(60).collect();
            return Err(PowerError::Unmatched { name, lines, last });
        }
        Ok(value)
    }
}

impl<R: Read + Send> Meter for Lines<R> {
    fn description(&self) -> &Description {
        &self.description
    }

    fn read(&mut self, _now: Duration) -> Result<Vec<Reading>> {
        let mut bytes = [0; 1024];
        let mut taken = 0;
        while taken < MOST {
            match self.source.read(&mut bytes) {
                // The end of a port is that of its device.
                Ok(0) => return Err(self.failed(ErrorKind::UnexpectedEof.into())),
                Ok(count) => {
                    taken += count;
                    self.begun.extend(&bytes[..count]);
                }
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    break;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failed(error)),
            }
        }
        let value = self.newest()?;
        // What has no end is no line.
        if self.begun.len() > LINE {
            self.begun.clear();
        }
        Ok(value.into_iter().map(|value| Reading::now(vec![value])).collect())
    }
}
