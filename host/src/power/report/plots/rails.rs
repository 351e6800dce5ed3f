//! Watts of each rail of a meter: while decoding, and at rest.

use sterna_power::Evidence;
use sterna_power::analysis::{MeterAnalysis, Spread};

use super::frame::{self, Key};
use super::{BLUE, GREEN};
use crate::picture::axis::{Axis, number};
use crate::picture::drawing::{Anchor, Colour, Drawing, GREY, INK};
use crate::picture::font;

const LEFT: f64 = 210.0;
const RIGHT: f64 = frame::WIDTH - 150.0;
/// Of a rail's two bars together, and of all that it takes.
const THICK: f64 = 20.0;
const PITCH: f64 = 32.0;

/// Mean watts of something, medians over the runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Watts {
    /// A rail's name; of the total, `total`.
    pub name: String,
    /// Whether it is in the total.
    pub counted: bool,
    /// While decoding, if any run has a figure.
    pub decode: Option<f64>,
    /// At rest, if that is known.
    pub idle: Option<f64>,
}

/// Each rail, and the total at last.
pub fn watts(meter: &MeterAnalysis) -> Vec<Watts> {
    let median = |all: Vec<f64>| Spread::of(&all).map(|spread| spread.median);
    let decodes = || meter.runs.iter().filter_map(|run| run.decode.known());
    let idles = || meter.runs.iter().filter_map(|run| run.idle.known());
    let rails = meter.description.rails.iter().enumerate();
    let mut all: Vec<Watts> = rails
        .map(|(n, rail)| Watts {
            name: rail.name.clone(),
            counted: rail.counted,
            decode: median(decodes().map(|window| window.rails[n].watts).collect()),
            idle: median(idles().map(|idle| idle.rails_w[n]).collect()),
        })
        .collect();
    all.push(Watts {
        name: "total".into(),
        counted: true,
        decode: median(decodes().map(|window| window.watts).collect()),
        idle: median(idles().map(|idle| idle.watts).collect()),
    });
    all
}

/// Draws the rails of a meter.
pub fn rails(name: String, label: &str, meter: &MeterAnalysis) -> Drawing {
    let mut drawing = frame::of_meter(name, "Mean power by rail", label, meter);
    let all = watts(meter);
    if all.iter().all(|watts| watts.decode.is_none() && watts.idle.is_none()) {
        frame::refused(&mut drawing, &super::tokens::why(meter));
        return drawing;
    }
    let area = if meter.description.evidence == Evidence::Model { Key::Hatched } else { Key::Area };
    frame::legend(
        &mut drawing,
        &[
            (area(BLUE), "while decoding, median of the runs"),
            (area(GREEN), "idle, median of the rests"),
        ],
    );
    let top = drawing.height + 10.0;
    let bottom = top + PITCH * all.len() as f64;
    let values = all.iter().flat_map(|watts| [watts.decode, watts.idle]).flatten();
    let x = Axis::linear(values, LEFT, RIGHT);
    frame::across(&mut drawing, &x, (top, bottom), "watts");
    for (n, watts) in all.iter().enumerate() {
        let middle = top + PITCH * (n as f64 + 0.5);
        let text = match watts.counted {
            true => watts.name.clone(),
            false => format!("({})", watts.name),
        };
        let text = font::fit(&text, frame::TEXT, LEFT - frame::EDGE - 10.0);
        let colour = if watts.counted { INK } else { GREY };
        drawing.text((LEFT - 8.0, middle + 4.0), Anchor::End, frame::TEXT, colour, &text);
        let mut y = middle - THICK / 2.0;
        let known = [(watts.decode, BLUE), (watts.idle, GREEN)];
        for (value, colour) in known {
            if let Some(value) = value {
                bar(
                    &mut drawing,
                    (x.at(0.0), y),
                    (x.at(value), y + THICK / 2.0 - 1.0),
                    colour,
                    meter,
                );
            }
            y += THICK / 2.0;
        }
        let text = |value: Option<f64>| value.map_or("not known".into(), number);
        let text = format!("{} / {} W", text(watts.decode), text(watts.idle));
        drawing.text((RIGHT + 8.0, middle + 4.0), Anchor::Start, frame::SMALL, INK, &text);
    }
    drawing.height = bottom + 44.0;
    if all.iter().any(|watts| !watts.counted) {
        frame::note(
            &mut drawing,
            "A rail in brackets is not part of the total: it lies behind another one's converter.",
        );
        drawing.height += 8.0;
    }
    drawing
}

fn bar(
    drawing: &mut Drawing,
    from: (f64, f64),
    to: (f64, f64),
    colour: Colour,
    meter: &MeterAnalysis,
) {
    match meter.description.evidence {
        Evidence::Model => drawing.hatched(from, to, colour),
        _ => drawing.rect(from, to, colour, None),
    }
}
