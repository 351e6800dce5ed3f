//! Title, legend, axes: what all plots have.

use sterna_power::analysis::MeterAnalysis;
use sterna_power::{Evidence, Scope};

use crate::power::report::axis::Axis;
use crate::power::report::drawing::{
    Anchor, Colour, Drawing, FAINT, GREY, INK, Point, dashed, pen,
};
use crate::power::report::font;

/// Units of width of every plot.
pub const WIDTH: f64 = 920.0;
/// Free space at the left and right edge.
pub const EDGE: f64 = 20.0;
/// Of a plot's title.
const TITLE: f64 = 17.0;
/// Of most text.
pub const TEXT: f64 = 12.0;
/// Of notes.
pub const SMALL: f64 = 10.5;
/// What says that nothing was measured.
const RED: Colour = 0xb0_2a2a;

/// What a plot shows of a meter: which recording, which meter, and where the numbers come from.
pub fn of_meter(name: String, what: &str, recording: &str, meter: &MeterAnalysis) -> Drawing {
    let title = format!("{what} · {recording}");
    let mut drawing = head(name, &title);
    let description = &meter.description;
    let warning = description.evidence == Evidence::Model;
    let text = format!("{}: {}", description.name, meter.label);
    line(&mut drawing, &text, if warning { RED } else { INK });
    note(&mut drawing, &format!("Includes {}.", meter.includes));
    drawing
}

/// A drawing with a title; its height grows with what is put below.
pub fn head(name: String, title: &str) -> Drawing {
    let mut drawing = Drawing::new(name, title.into(), WIDTH);
    let text = font::fit(title, TITLE, WIDTH - 2.0 * EDGE);
    drawing.text((EDGE, 30.0), Anchor::Start, TITLE, INK, &text);
    drawing.height = 38.0;
    drawing
}

/// A line of text below what there is.
pub fn line(drawing: &mut Drawing, text: &str, colour: Colour) {
    for text in font::wrap(text, TEXT, WIDTH - 2.0 * EDGE) {
        drawing.height += 17.0;
        drawing.text((EDGE, drawing.height - 4.0), Anchor::Start, TEXT, colour, &text);
    }
}

/// A note below what there is.
pub fn note(drawing: &mut Drawing, text: &str) {
    for text in font::wrap(text, SMALL, WIDTH - 2.0 * EDGE) {
        drawing.height += 15.0;
        drawing.text((EDGE, drawing.height - 4.0), Anchor::Start, SMALL, GREY, &text);
    }
}

/// A meter where there are several: its name, cut so that the rest has its room, then what it
/// includes in a word, and its label, which is never cut.
pub fn meter(meter: &MeterAnalysis, room: f64) -> String {
    let rest = format!(" ({}): {}", word(meter.description.scope), meter.label);
    let room = room - font::width(&rest, SMALL);
    font::fit(&meter.description.name, SMALL, room) + &rest
}

/// Notes that say what the words of [`meter`] include, each once.
pub fn scopes(drawing: &mut Drawing, meters: impl Iterator<Item = Scope>) {
    let mut said = vec![];
    for scope in meters {
        if !said.contains(&scope) {
            said.push(scope);
            note(drawing, &format!("({}) includes {}.", word(scope), scope.includes()));
        }
    }
}

fn word(scope: Scope) -> &'static str {
    match scope {
        Scope::Card => "card",
        Scope::Rails => "rails",
        Scope::Host => "host",
        Scope::External => "external",
        Scope::Model => "model",
    }
}

/// How a legend shows something.
#[derive(Clone, Copy)]
pub enum Key {
    /// A filled area.
    Area(Colour),
    /// An area that is no measured thing.
    Hatched(Colour),
    /// A line.
    Line(Colour),
    /// A dashed line.
    Dashed(Colour),
    /// A tick.
    Tick(Colour),
    /// A marker, drawn by the plot's own function.
    Marker(fn(&mut Drawing, Point)),
}

/// Explains colours and lines, below what there is.
pub fn legend(drawing: &mut Drawing, keys: &[(Key, &str)]) {
    drawing.height += 22.0;
    let mut x = EDGE;
    for (key, text) in keys {
        let text = font::fit(text, SMALL, (WIDTH - 2.0 * EDGE) / 2.0);
        let wide = 22.0 + font::width(&text, SMALL) + 18.0;
        if x > EDGE && x + wide > WIDTH - EDGE {
            x = EDGE;
            drawing.height += 17.0;
        }
        let y = drawing.height - 10.0;
        match *key {
            Key::Area(colour) => drawing.rect((x, y - 5.0), (x + 16.0, y + 5.0), colour, None),
            Key::Hatched(colour) => drawing.hatched((x, y - 5.0), (x + 16.0, y + 5.0), colour),
            Key::Line(colour) => drawing.line(vec![(x, y), (x + 16.0, y)], pen(colour, 2.0)),
            Key::Dashed(colour) => drawing.line(vec![(x, y), (x + 16.0, y)], dashed(colour, 1.5)),
            Key::Tick(colour) => {
                drawing.line(vec![(x + 8.0, y - 4.0), (x + 8.0, y + 4.0)], pen(colour, 1.0));
            }
            Key::Marker(draw) => draw(drawing, (x + 8.0, y)),
        }
        drawing.text((x + 22.0, y + 4.0), Anchor::Start, SMALL, INK, &text);
        x += wide;
    }
}

/// Lines and numbers of an axis from left to right; the lines reach from `top` to `bottom`.
pub fn across(drawing: &mut Drawing, axis: &Axis, (top, bottom): (f64, f64), unit: &str) {
    let wanted = ((axis.end() - axis.begin()) / 60.0).round() as usize;
    for (value, text) in axis.ticks(wanted) {
        let x = axis.at(value);
        let colour = if value == 0.0 { GREY } else { FAINT };
        drawing.line(vec![(x, top), (x, bottom)], pen(colour, 1.0));
        drawing.text((x, bottom + 16.0), Anchor::Middle, SMALL, INK, &text);
    }
    let middle = (axis.begin() + axis.end()) / 2.0;
    drawing.text((middle, bottom + 34.0), Anchor::Middle, TEXT, INK, unit);
}

/// Lines and numbers of an axis from below to above; the lines reach from `left` to `right`.
pub fn upwards(drawing: &mut Drawing, axis: &Axis, (left, right): (f64, f64), unit: &str) {
    for (value, text) in axis.ticks(5) {
        let y = axis.at(value);
        let colour = if value == 0.0 { GREY } else { FAINT };
        drawing.line(vec![(left, y), (right, y)], pen(colour, 1.0));
        drawing.text((left - 7.0, y + 4.0), Anchor::End, SMALL, INK, &text);
    }
    let middle = (axis.begin() + axis.end()) / 2.0;
    drawing.upright((EDGE + 2.0, middle), TEXT, INK, unit);
}

/// A line with caps: from where to where a number may lie, on an axis to the right.
pub fn whisker(drawing: &mut Drawing, (from, to): (f64, f64), y: f64) {
    drawing.line(vec![(from, y), (to, y)], pen(INK, 1.2));
    for x in [from, to] {
        drawing.line(vec![(x, y - 3.5), (x, y + 3.5)], pen(INK, 1.2));
    }
}

/// The same on an axis upwards.
pub fn upright_whisker(drawing: &mut Drawing, x: f64, (from, to): (f64, f64)) {
    drawing.line(vec![(x, from), (x, to)], pen(INK, 1.2));
    for y in [from, to] {
        drawing.line(vec![(x - 3.5, y), (x + 3.5, y)], pen(INK, 1.2));
    }
}

/// In place of a plot: why there is none.
pub fn refused(drawing: &mut Drawing, why: &str) {
    drawing.height += 14.0;
    line(drawing, &format!("No figure: {why}."), RED);
    drawing.height += 14.0;
}
