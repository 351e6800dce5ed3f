//! Joules a token of each run, with bars, and the median.

use sterna_power::Evidence;
use sterna_power::analysis::{MeterAnalysis, RunEnergy, Spread, Window};

use super::frame::{self, Key};
use super::{BLUE, ORANGE};
use crate::picture::axis::{Axis, number};
use crate::picture::drawing::{Anchor, Colour, Drawing, GREY, INK, dashed};

const LEFT: f64 = 76.0;
const RIGHT: f64 = frame::WIDTH - 130.0;
const HIGH: f64 = 260.0;
/// Runs that have a place of their own; of more, neighbours share one.
const PLACES: usize = 40;

/// What one place shows: the middle of its runs, and from the lowest to the highest end of a bar.
#[derive(Clone, Copy)]
struct Shown {
    value: f64,
    low: f64,
    high: f64,
}

impl Shown {
    fn of(windows: &[&Window], figure: impl Fn(&Window) -> Option<(f64, f64)>) -> Option<Shown> {
        let all: Vec<(f64, f64)> = windows.iter().filter_map(|window| figure(window)).collect();
        let values: Vec<f64> = all.iter().map(|(value, _)| *value).collect();
        let ends = |side: f64| all.iter().map(move |(value, bar)| value + side * bar);
        Some(Shown {
            value: Spread::of(&values)?.median,
            low: ends(-1.0).fold(f64::INFINITY, f64::min),
            high: ends(1.0).fold(f64::NEG_INFINITY, f64::max),
        })
    }
}

fn gross(window: &Window) -> Option<(f64, f64)> {
    Some((window.gross_j_per_token, window.gross_bar))
}

fn net(window: &Window) -> Option<(f64, f64)> {
    Some((window.net_j_per_token?, window.net_bar?))
}

/// Draws the runs of a meter.
pub fn tokens(name: String, label: &str, meter: &MeterAnalysis) -> Drawing {
    let mut drawing = frame::of_meter(name, "Joules a token by run", label, meter);
    if meter.runs.iter().all(|run| run.decode.known().is_none()) {
        frame::refused(&mut drawing, &why(meter));
        return drawing;
    }
    let together = meter.runs.len().div_ceil(PLACES).max(1);
    let places: Vec<&[RunEnergy]> = meter.runs.chunks(together).collect();
    let shown: Vec<[Option<Shown>; 2]> = places
        .iter()
        .map(|runs| {
            let windows: Vec<&Window> = runs.iter().filter_map(|run| run.decode.known()).collect();
            [Shown::of(&windows, gross), Shown::of(&windows, net)]
        })
        .collect();
    let summary = meter.summary.known();
    let medians = [
        summary.map(|summary| summary.gross_j_per_token.median),
        summary.and_then(|summary| Some(summary.net_j_per_token?.median)),
    ];

    let area = if meter.description.evidence == Evidence::Model { Key::Hatched } else { Key::Area };
    let mut keys = vec![
        (area(BLUE), "gross: idle power included"),
        (area(ORANGE), "net: above idle"),
        (Key::Line(INK), "how wrong it can be"),
    ];
    if summary.is_some() {
        keys.push((Key::Dashed(GREY), "median"));
    }
    frame::legend(&mut drawing, &keys);
    if together > 1 {
        let text = format!(
            "A place is {together} runs in succession: the bar is their median, the line reaches \
             from the lowest to the highest end of theirs."
        );
        frame::note(&mut drawing, &text);
    }
    if let Some(why) = meter.summary.refused() {
        frame::note(&mut drawing, &format!("No median: {why}."));
    }

    let (top, bottom) = (drawing.height + 12.0, drawing.height + 12.0 + HIGH);
    let ends = shown.iter().flatten().flatten().flat_map(|shown| [shown.low, shown.high]);
    let y = Axis::linear(ends, bottom, top);
    frame::upwards(&mut drawing, &y, (LEFT, RIGHT), "joules a token");
    let pitch = (RIGHT - LEFT) / places.len() as f64;
    let thick = (pitch * 0.36).min(34.0);
    for (place, (runs, pair)) in places.iter().zip(&shown).enumerate() {
        let middle = LEFT + pitch * (place as f64 + 0.5);
        let mut x = middle - thick;
        for (shown, colour) in pair.iter().zip([BLUE, ORANGE]) {
            if let Some(shown) = shown {
                column(&mut drawing, &y, (x, x + thick - 1.0), shown, colour, meter);
            }
            x += thick;
        }
        if pair[0].is_none() {
            drawing.upright((middle + 4.0, y.at(0.0) - 30.0), frame::SMALL, GREY, "refused");
        }
        // Every place has its number as long as there is room for it.
        let every = (26.0 / pitch).ceil() as usize;
        if place % every.max(1) == 0 {
            let text = runs[0].run.to_string();
            drawing.text((middle, bottom + 16.0), Anchor::Middle, frame::SMALL, INK, &text);
        }
    }
    let middle = (LEFT + RIGHT) / 2.0;
    drawing.text((middle, bottom + 34.0), Anchor::Middle, frame::TEXT, INK, "run");
    lines(&mut drawing, &y, medians);
    drawing.height = bottom + 46.0;
    drawing
}

fn column(
    drawing: &mut Drawing,
    y: &Axis,
    (left, right): (f64, f64),
    shown: &Shown,
    colour: Colour,
    meter: &MeterAnalysis,
) {
    let (from, to) = ((left, y.at(0.0)), (right, y.at(shown.value)));
    match meter.description.evidence {
        Evidence::Model => drawing.hatched(from, to, colour),
        _ => drawing.rect(from, to, colour, None),
    }
    let middle = (left + right) / 2.0;
    frame::upright_whisker(drawing, middle, (y.at(shown.low), y.at(shown.high)));
}

/// The medians, their texts apart from each other.
fn lines(drawing: &mut Drawing, y: &Axis, medians: [Option<f64>; 2]) {
    let mut before = f64::NEG_INFINITY;
    for (median, (colour, what)) in medians.iter().zip([(BLUE, "gross"), (ORANGE, "net")]) {
        let Some(median) = median else { continue };
        let at = y.at(*median);
        drawing.line(vec![(LEFT, at), (RIGHT, at)], dashed(colour, 1.2));
        // Net lies below gross.
        let text_at = (at + 4.0).max(before + 14.0);
        before = text_at;
        let text = format!("{what} {} J", number(*median));
        drawing.text((RIGHT + 6.0, text_at), Anchor::Start, frame::TEXT, colour, &text);
    }
}

/// Why no run has a figure.
pub fn why(meter: &MeterAnalysis) -> String {
    let refused = meter.runs.iter().find_map(|run| run.decode.refused());
    refused.unwrap_or("there was no run").to_string()
}
