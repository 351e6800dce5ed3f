//! What plots of meters have beside title, legend and axes.

use sterna_power::analysis::MeterAnalysis;
use sterna_power::{Evidence, Scope};

use crate::picture::drawing::{Drawing, INK, pen};
use crate::picture::font;
pub use crate::picture::frame::{
    EDGE, Key, RED, SMALL, TEXT, WIDTH, across, head, legend, line, note, upwards,
};

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
