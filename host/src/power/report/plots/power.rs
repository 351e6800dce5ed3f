//! Power over time, as a meter saw it, with what the device did meanwhile.
//!
//! A recording of hours has more samples than a plot has pixels. Of each column of pixels the
//! first, the smallest, the largest and the last sample are drawn, so that no peak is lost and the
//! drawing has a bounded size; token marks are drawn if they are two pixels apart.

use sterna_power::analysis::{Analysis, MeterAnalysis, Spread};
use sterna_power::{Evidence, Quantity, Rail, Recording};

use super::frame::{self, Key};
use super::{BLUE, GREEN, RAILS};
use crate::picture::axis::{Axis, number};
use crate::picture::drawing::{Colour, Drawing, GREY, Pen, Point, dashed, pen};

/// Where the plot lies.
const LEFT: f64 = 76.0;
const RIGHT: f64 = frame::WIDTH - 24.0;
const HIGH: f64 = 280.0;
/// Behind a prompt, and behind decoding.
const PROMPT: Colour = 0xfc_eeda;
const DECODE: Colour = 0xe6_eef8;
/// Distances between samples from which on the line is broken, in intervals; as for energy.
const GAP: f64 = 3.0;
/// Pixels between two token marks.
const APART: f64 = 2.0;

/// Draws what a meter saw.
pub fn power(
    name: String,
    label: &str,
    recording: &Recording,
    analysis: &Analysis,
    meter: usize,
) -> Drawing {
    let of = &analysis.meters[meter];
    let mut drawing = frame::of_meter(name, "Power over time", label, of);
    let rows = rows(recording, meter);
    if rows.is_empty() {
        frame::refused(&mut drawing, "the meter gave no samples");
        return drawing;
    }
    let rails = &of.description.rails;
    let total = |values: &[f64]| -> f64 {
        values.iter().zip(rails).filter(|(_, rail)| rail.counted).map(|(value, _)| value).sum()
    };
    let counted = rails.iter().any(|rail| rail.counted);
    // A rail that is the whole total needs no line of its own.
    let whole = rails.iter().filter(|rail| rail.counted).count() == 1;
    let mut lines: Vec<usize> =
        (0..rails.len()).filter(|n| !(whole && rails[*n].counted)).collect();
    let more = lines.len().saturating_sub(RAILS.len());
    lines.truncate(RAILS.len());
    let idle = idle(of);
    let idle_text = idle.map(|watts| format!("idle, median: {} W", number(watts)));

    let mut keys = vec![(Key::Area(PROMPT), "prompt"), (Key::Area(DECODE), "decoding")];
    if counted {
        let key = if of.description.evidence == Evidence::Model { Key::Dashed } else { Key::Line };
        keys.push((key(BLUE), "total"));
    }
    if let Some(text) = &idle_text {
        keys.push((Key::Line(GREEN), text));
    }
    keys.push((Key::Tick(GREY), "a token came out"));
    let coloured = || lines.iter().copied().zip(RAILS);
    keys.extend(coloured().map(|(n, colour)| (Key::Line(colour), rails[n].name.as_str())));
    frame::legend(&mut drawing, &keys);
    if more > 0 {
        frame::note(&mut drawing, &format!("{more} further rails are in the tables only."));
    }

    let (top, bottom) = (drawing.height + 12.0, drawing.height + 12.0 + HIGH);
    let x = Axis::until(last(recording, &rows), LEFT, RIGHT);
    let values = rows.iter().flat_map(|(_, values)| {
        lines.iter().map(|n| values[*n]).chain(counted.then(|| total(values)))
    });
    let y = Axis::linear(values.chain(idle), bottom, top);
    shade(&mut drawing, recording, &x, (top, bottom));
    frame::upwards(&mut drawing, &y, (LEFT, RIGHT), "watts");
    frame::across(&mut drawing, &x, (bottom, bottom), "seconds since the recording began");
    if let Some(watts) = idle {
        let y = y.at(watts);
        drawing.line(vec![(LEFT, y), (RIGHT, y)], pen(GREEN, 1.0));
    }
    for (n, colour) in coloured() {
        let points = rows.iter().map(|(t, values)| (*t, values[n]));
        curve(&mut drawing, points, &x, &y, of, pen(colour, 1.0));
    }
    if counted {
        let points = rows.iter().map(|(t, values)| (*t, total(values)));
        let looks = match of.description.evidence {
            Evidence::Model => dashed(BLUE, 1.5),
            _ => pen(BLUE, 1.4),
        };
        curve(&mut drawing, points, &x, &y, of, looks);
    }
    drawing.height = bottom + 44.0;
    if ticks(&mut drawing, recording, &x, bottom) {
        frame::note(&mut drawing, "Marks of tokens that would touch another one are left out.");
        drawing.height += 8.0;
    }
    drawing
}

/// Idle power of the runs that have it, the median.
fn idle(meter: &MeterAnalysis) -> Option<f64> {
    let all: Vec<f64> = meter.runs.iter().filter_map(|r| Some(r.idle.known()?.watts)).collect();
    Some(Spread::of(&all)?.median)
}

/// Watts of each rail, sample by sample. Of a counter it is the mean since the sample before.
fn rows(recording: &Recording, meter: usize) -> Vec<(f64, Vec<f64>)> {
    let rails: &[Rail] = &recording.begin.meters[meter].rails;
    let samples = &recording.samples[meter];
    if rails.iter().all(|rail| rail.quantity == Quantity::Power) {
        return samples.iter().map(|sample| (sample.t, sample.values.clone())).collect();
    }
    let pairs = samples.windows(2).filter(|pair| pair[1].t > pair[0].t);
    pairs
        .map(|pair| {
            let seconds = pair[1].t - pair[0].t;
            let watts = |n: usize| match rails[n].quantity {
                Quantity::Power => pair[1].values[n],
                Quantity::Energy => (pair[1].values[n] - pair[0].values[n]) / seconds,
            };
            (pair[1].t - seconds / 2.0, (0..rails.len()).map(watts).collect())
        })
        .collect()
}

/// The last moment of which something is known.
fn last(recording: &Recording, rows: &[(f64, Vec<f64>)]) -> f64 {
    let runs = recording.runs.iter().flat_map(|run| {
        let marks = run.rest.into_iter().chain(run.load);
        marks.chain(run.tokens.last().copied())
    });
    let samples = rows.last().map(|(t, _)| *t).into_iter();
    samples.chain(recording.end).chain(runs).fold(0.0, f64::max)
}

/// Colours what the device did, a column of pixels at a time where runs are that short.
fn shade(drawing: &mut Drawing, recording: &Recording, x: &Axis, (top, bottom): (f64, f64)) {
    let mut stretch = |colour, stretches: &mut dyn Iterator<Item = (f64, f64)>| {
        let mut open: Option<(f64, f64)> = None;
        for (from, to) in stretches {
            let (from, to) = (x.at(from), x.at(to));
            match &mut open {
                // Less than a pixel lies between: as one.
                Some((_, end)) if from - *end < 0.5 && to - *end < 1.0 => *end = end.max(to),
                _ => {
                    if let Some((from, to)) = open.replace((from, to)) {
                        drawing.rect((from, top), (to, bottom), colour, None);
                    }
                }
            }
        }
        if let Some((from, to)) = open {
            drawing.rect((from, top), (to, bottom), colour, None);
        }
    };
    let runs = &recording.runs;
    stretch(PROMPT, &mut runs.iter().filter_map(|run| Some((run.load?, *run.tokens.first()?))));
    stretch(
        DECODE,
        &mut runs.iter().filter_map(|run| Some((*run.tokens.first()?, *run.tokens.last()?))),
    );
}

/// Marks tokens; whether some had no place.
fn ticks(drawing: &mut Drawing, recording: &Recording, x: &Axis, bottom: f64) -> bool {
    let (mut before, mut thinned) = (f64::NEG_INFINITY, false);
    for token in recording.runs.iter().flat_map(|run| &run.tokens) {
        let x = x.at(*token);
        if x < before + APART {
            thinned = true;
            continue;
        }
        before = x;
        drawing.line(vec![(x, bottom - 7.0), (x, bottom)], pen(GREY, 0.7));
    }
    thinned
}

/// What of the samples in a column of pixels is drawn.
#[derive(Clone, Copy)]
struct Column {
    number: i64,
    first: Point,
    low: Point,
    high: Point,
    last: Point,
}

/// Draws a line through samples that is broken where some are missing.
fn curve(
    drawing: &mut Drawing,
    points: impl Iterator<Item = Point>,
    x: &Axis,
    y: &Axis,
    meter: &MeterAnalysis,
    looks: Pen,
) {
    let limit = GAP * meter.description.interval_s.max(meter.spacing_s);
    let mut columns: Vec<Column> = vec![];
    for point in points {
        let number = x.at(point.0).floor() as i64;
        match columns.last_mut() {
            Some(column) if column.number == number => {
                column.last = point;
                if point.1 < column.low.1 {
                    column.low = point;
                }
                if point.1 > column.high.1 {
                    column.high = point;
                }
            }
            _ => {
                columns.push(Column { number, first: point, low: point, high: point, last: point })
            }
        }
    }
    let mut line: Vec<Point> = vec![];
    let mut before = f64::NEG_INFINITY;
    let mut end = |line: &mut Vec<Point>| match line.len() {
        0 => {}
        1 => drawing.circle(line[0], looks.width, looks.colour, None),
        _ => drawing.line(std::mem::take(line), looks),
    };
    for Column { first, low, high, last, .. } in columns {
        if first.0 - before > limit {
            end(&mut line);
            line.clear();
        }
        let mut all = [first, low, high, last];
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (t, value) in all {
            let point = (x.at(t), y.at(value));
            if line.last() != Some(&point) {
                line.push(point);
            }
        }
        before = last.0;
    }
    end(&mut line);
}
