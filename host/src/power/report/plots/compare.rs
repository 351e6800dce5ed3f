//! Recordings beside each other: joules a token, and tokens a second.

use sterna_power::analysis::{Spread, Summary};
use sterna_power::{Evidence, Scope};

use super::frame::{self, Key};
use super::{BLUE, GREEN, ORANGE};
use crate::picture::axis::{Axis, number};
use crate::picture::drawing::{Anchor, Colour, Drawing, GREY, INK};
use crate::picture::font;
use crate::power::report::Report;

const LEFT: f64 = 290.0;
/// For names, before that.
const ROOM: f64 = LEFT - frame::EDGE - 12.0;
/// Where joules end, and where tokens a second begin and end.
const JOULES: f64 = 590.0;
const RATES: f64 = 668.0;
const RIGHT: f64 = frame::WIDTH - 80.0;
const PITCH: f64 = 40.0;
const THICK: f64 = 22.0;
/// Lines that one drawing has.
const ROWS: usize = 60;

/// A meter of a recording.
struct Row<'a> {
    recording: String,
    meter: String,
    scope: Scope,
    model: bool,
    summary: Result<&'a Summary, &'a str>,
    rate: Option<&'a Spread>,
}

/// Draws all recordings that have a median, and says of the others why they have none.
pub fn compare(report: &Report) -> Drawing {
    let mut drawing = frame::head("compare".into(), "Recordings beside each other");
    let mut rows = vec![];
    for (number, recorded) in report.recordings.iter().enumerate() {
        for meter in &recorded.analysis.meters {
            let description = &meter.description;
            rows.push(Row {
                recording: report.label(number),
                meter: frame::meter(meter, ROOM),
                scope: description.scope,
                model: description.evidence == Evidence::Model,
                summary: meter.summary.known().ok_or(meter.summary.refused().unwrap_or_default()),
                rate: recorded.analysis.tokens_per_second.as_ref(),
            });
        }
    }
    frame::note(
        &mut drawing,
        "Medians of the runs. The line reaches from the lowest to the highest run, and as far beyond \
         as the largest bar.",
    );
    let more = rows.len().saturating_sub(ROWS);
    if more > 0 {
        frame::note(&mut drawing, &format!("{more} further meters are in the tables only."));
        rows.truncate(ROWS);
    }
    let mut keys = vec![
        (Key::Area(BLUE), "gross: idle power included"),
        (Key::Area(ORANGE), "net: above idle"),
        (Key::Area(GREEN), "tokens a second, decoding"),
    ];
    if rows.iter().any(|row| row.model) {
        keys.push((Key::Hatched(BLUE), "model, not measurement"));
    }
    frame::legend(&mut drawing, &keys);

    let top = drawing.height + 10.0;
    let bottom = top + PITCH * rows.len().max(1) as f64;
    let known = || rows.iter().filter_map(|row| row.summary.ok());
    let joules = known().flat_map(|summary| {
        let [gross, net] = both(summary);
        [gross, net]
            .into_iter()
            .flatten()
            .flat_map(|(spread, bar)| [spread.max + bar, spread.min - bar])
    });
    let joules = Axis::linear(joules, LEFT, JOULES);
    let rates = Axis::linear(rows.iter().filter_map(|row| Some(row.rate?.max)), RATES, RIGHT);
    frame::across(&mut drawing, &joules, (top, bottom), "joules a token");
    frame::across(&mut drawing, &rates, (top, bottom), "tokens a second");
    for (n, row) in rows.iter().enumerate() {
        one(&mut drawing, row, top + PITCH * (n as f64 + 0.5), &joules, &rates);
    }
    drawing.height = bottom + 46.0;
    frame::scopes(&mut drawing, rows.iter().map(|row| row.scope));
    drawing.height += 8.0;
    drawing
}

fn both(summary: &Summary) -> [Option<(Spread, f64)>; 2] {
    let net = summary.net_j_per_token.zip(summary.net_bar);
    [Some((summary.gross_j_per_token, summary.gross_bar)), net]
}

fn one(drawing: &mut Drawing, row: &Row, middle: f64, joules: &Axis, rates: &Axis) {
    for (text, size, y, colour) in
        [(&row.recording, frame::TEXT, -3.0, INK), (&row.meter, frame::SMALL, 11.0, GREY)]
    {
        let text = font::fit(text, size, ROOM);
        drawing.text((LEFT - 10.0, middle + y), Anchor::End, size, colour, &text);
    }
    match row.summary {
        Ok(summary) => {
            let mut y = middle - THICK / 2.0;
            for (figure, colour) in both(summary).into_iter().zip([BLUE, ORANGE]) {
                if let Some((spread, bar)) = figure {
                    let (from, to) = (spread.min - bar, spread.max + bar);
                    let place = (y, y + THICK / 2.0 - 1.0);
                    measure(drawing, joules, place, (from, spread.median, to), colour, row.model);
                }
                y += THICK / 2.0;
            }
        }
        Err(why) => {
            let room = JOULES - LEFT - 12.0;
            let mut lines = font::wrap(&format!("No median: {why}"), frame::SMALL, room);
            if lines.len() > 2 {
                let rest = lines.split_off(1).join(" ");
                lines.push(font::fit(&rest, frame::SMALL, room));
            }
            for (n, text) in lines.into_iter().enumerate() {
                let at = (LEFT + 6.0, middle - 2.0 + 13.0 * n as f64);
                drawing.text(at, Anchor::Start, frame::SMALL, GREY, &text);
            }
        }
    }
    if let Some(rate) = row.rate {
        let place = (middle - THICK / 4.0, middle + THICK / 4.0);
        measure(drawing, rates, place, (rate.min, rate.median, rate.max), GREEN, false);
    }
}

/// A bar, its line, and its number behind it.
fn measure(
    drawing: &mut Drawing,
    x: &Axis,
    (top, bottom): (f64, f64),
    (low, value, high): (f64, f64, f64),
    colour: Colour,
    model: bool,
) {
    let (from, to) = ((x.at(0.0), top), (x.at(value), bottom));
    match model {
        true => drawing.hatched(from, to, colour),
        false => drawing.rect(from, to, colour, None),
    }
    let middle = (top + bottom) / 2.0;
    frame::whisker(drawing, (x.at(low), x.at(high)), middle);
    let at = (x.at(high.max(value)) + 8.0, middle + 4.0);
    drawing.text(at, Anchor::Start, frame::SMALL, INK, &number(value));
}
