//! Title, legend, axes: what all pictures have.

use super::axis::Axis;
use super::drawing::{Anchor, Colour, Drawing, FAINT, GREY, INK, Point, dashed, pen};
use super::font;

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
pub const RED: Colour = 0xb0_2a2a;

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
