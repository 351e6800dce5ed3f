//! Reading recordings, whoever wrote them.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use super::{FORMAT, Line, Mark, Recording, Run, Sample, Trouble, seconds};
use crate::error::{PowerError, Result};

/// Bytes of a line, of a file, and runs that are believed.
const LINE: u64 = 1 << 20;
const FILE: u64 = 1 << 30;
const RUNS: u32 = 100_000;
/// Meters and rails of one that are believed.
const METERS: usize = 64;
const RAILS: usize = 64;
/// Seconds by which the wall's clock may drift from the other without having been set, a second.
const DRIFT: f64 = 1e-3;

impl Recording {
    /// Reads a recording; one that was broken off as far as it goes.
    ///
    /// # Errors
    /// W012 names the first line that makes no sense, W013 what the file lacks, W014 a file that
    /// cannot be read.
    pub fn read(path: &Path) -> Result<Recording> {
        let fail = || PowerError::file(path, "read");
        let file = File::open(path).map_err(fail())?;
        let whole = |why: String| PowerError::Recording { path: path.into(), why };
        if file.metadata().map_err(fail())?.len() > FILE {
            return Err(whole("has more than 1 GiB, which no recording should".into()));
        }
        let mut reader = BufReader::new(file);
        let (mut recording, mut number, mut text) = (None, 0, vec![]);
        loop {
            text.clear();
            number += 1;
            reader.by_ref().take(LINE).read_until(b'\n', &mut text).map_err(fail())?;
            if text.is_empty() {
                break;
            }
            let bad = |why: String| PowerError::Line { path: path.into(), line: number, why };
            let line = match serde_json::from_slice(&text) {
                Ok(line) => line,
                // The last line of a recording that was broken off may be half a line.
                Err(_) if text.last() != Some(&b'\n') && text.len() < LINE as usize => break,
                Err(error) => return Err(bad(format!("no line of a recording: {error}"))),
            };
            match &mut recording {
                None => recording = Some(begin(line).map_err(bad)?),
                Some(recording) => take(recording, line).map_err(bad)?,
            }
        }
        let mut recording =
            recording.ok_or_else(|| whole("is empty; it is no recording".into()))?;
        for samples in &mut recording.samples {
            samples.sort_by(|a, b| a.t.total_cmp(&b.t));
        }
        Ok(recording)
    }
}

fn begin(line: Line) -> std::result::Result<Recording, String> {
    let Line::Begin(begin) = line else {
        return Err("the first line is not that of a recording".into());
    };
    if begin.format != FORMAT {
        return Err(format!("format {}, and this program reads {FORMAT}", begin.format));
    }
    if begin.meters.len() > METERS || begin.meters.iter().any(|m| m.rails.len() > RAILS) {
        return Err(format!("more than {METERS} meters, or {RAILS} rails of one"));
    }
    for meter in &begin.meters {
        if meter.rails.is_empty() || !(meter.interval_s >= 0.0 && meter.interval_s <= 3600.0) {
            return Err(format!("{}: no rails, or an interval beyond an hour", meter.name));
        }
    }
    let samples = begin.meters.iter().map(|_| vec![]).collect();
    let (runs, troubles, end, clock_step) = (vec![], vec![], None, None);
    Ok(Recording { begin, samples, runs, troubles, end, clock_step })
}

fn take(recording: &mut Recording, line: Line) -> std::result::Result<(), String> {
    if recording.end.is_some() {
        return Err("goes on after its end".into());
    }
    match line {
        Line::Begin(_) => return Err("a second beginning".into()),
        Line::Sample { t, meter, values, spread } => {
            let rails = &rails(recording, meter)?;
            if values.len() != *rails {
                return Err(format!("{} values of a meter with {rails} rails", values.len()));
            }
            if values.iter().any(|value| value.is_nan() || value.abs() > 1e15) {
                return Err("a value beyond all measure".into());
            }
            let (t, spread) = (seconds(t), seconds(spread));
            recording.samples[meter].push(Sample { t, spread, values });
        }
        Line::Trouble { t, meter, code, message } => {
            rails(recording, meter)?;
            recording.troubles.push(Trouble { t: seconds(t), meter, code, message });
        }
        Line::Mark { t, mark, run } => {
            let run = self::run(recording, run)?;
            let moment = match mark {
                Mark::Rest => &mut run.rest,
                Mark::Load => &mut run.load,
            };
            if moment.replace(seconds(t)).is_some() {
                return Err("a run begins twice".into());
            }
        }
        Line::Token { t, run, .. } => {
            let run = self::run(recording, run)?;
            let before = run.tokens.last().copied().or(run.load);
            match before {
                None => return Err("a token before its run".into()),
                Some(before) if before > seconds(t) => return Err("time goes back".into()),
                Some(_) => run.tokens.push(seconds(t)),
            }
        }
        Line::End { t, unix } => {
            recording.end = Some(seconds(t));
            let step = unix - recording.begin.unix - seconds(t);
            let allowed = 0.01 + DRIFT * seconds(t);
            recording.clock_step = (step.abs() > allowed).then_some(step);
        }
    }
    Ok(())
}

fn rails(recording: &Recording, meter: usize) -> std::result::Result<usize, String> {
    let meters = &recording.begin.meters;
    let none = || format!("meter {meter} of {}", meters.len());
    Ok(meters.get(meter).ok_or_else(none)?.rails.len())
}

fn run(recording: &mut Recording, number: u32) -> std::result::Result<&mut Run, String> {
    if number >= RUNS {
        return Err(format!("run {number}: a recording has at most {RUNS}"));
    }
    let number = number as usize;
    if recording.runs.len() <= number {
        recording.runs.resize_with(number + 1, Run::default);
    }
    Ok(&mut recording.runs[number])
}
