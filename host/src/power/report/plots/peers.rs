//! What others publish, beside what was recorded; each kind of evidence has a marker of its own.

use sterna_power::{Evidence, Scope};

use super::BLUE;
use super::frame::{self, Key};
use crate::picture::axis::{Axis, number};
use crate::picture::drawing::{Anchor, Colour, Drawing, FAINT, GREY, INK, Point, pen};
use crate::picture::font;
use crate::power::report::Report;
use crate::power::report::peers::{Founded, Peer};

const LEFT: f64 = 306.0;
/// For names, before that.
const ROOM: f64 = LEFT - frame::EDGE - 14.0;
/// Where joules end, and where watts begin and end.
const JOULES: f64 = 590.0;
const WATTS: f64 = 670.0;
const RIGHT: f64 = frame::WIDTH - 66.0;
const PITCH: f64 = 34.0;
/// Lines for what was recorded.
const ROWS: usize = 40;
const WHITE: Colour = 0xff_ffff;
const DARK: Colour = 0x44_4444;
const RED: Colour = 0xb0_2a2a;

/// Whose a number is.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Recorded: measured or replayed.
    Ours,
    /// Recorded: a model's.
    Modelled,
    /// Somebody else's.
    Theirs(Founded),
}

impl Kind {
    fn label(self) -> &'static str {
        match self {
            Kind::Ours => "this report",
            Kind::Modelled => "this report: model, not measurement",
            Kind::Theirs(founded) => founded.label(),
        }
    }

    fn colour(self) -> Colour {
        match self {
            Kind::Ours => BLUE,
            Kind::Modelled | Kind::Theirs(Founded::Projected) => RED,
            Kind::Theirs(_) => INK,
        }
    }

    /// How it is drawn at a point.
    fn marker(self) -> fn(&mut Drawing, Point) {
        match self {
            Kind::Ours => |drawing, at| drawing.area(diamond(at), BLUE, None),
            Kind::Modelled => |drawing, at| {
                drawing.area(diamond(at), WHITE, Some(pen(RED, 1.6)));
            },
            Kind::Theirs(Founded::Measured) => |drawing, at| drawing.circle(at, 4.5, DARK, None),
            Kind::Theirs(Founded::Claimed) => |drawing, at| {
                drawing.circle(at, 4.5, WHITE, Some(pen(DARK, 1.6)));
            },
            Kind::Theirs(Founded::Secondhand) => |drawing, at| {
                drawing.circle(at, 4.5, WHITE, Some(pen(DARK, 1.2)));
                drawing.circle(at, 1.6, DARK, None);
            },
            Kind::Theirs(Founded::Unclear) => |drawing, (x, y)| {
                let pen = Some(pen(DARK, 1.4));
                drawing.rect((x - 4.0, y - 4.0), (x + 4.0, y + 4.0), WHITE, pen);
            },
            Kind::Theirs(Founded::Projected) => |drawing, (x, y)| {
                for side in [-1.0, 1.0] {
                    let ends = vec![(x - 4.5, y - 4.5 * side), (x + 4.5, y + 4.5 * side)];
                    drawing.line(ends, pen(RED, 1.8));
                }
            },
        }
    }
}

fn diamond((x, y): Point) -> Vec<Point> {
    vec![(x - 6.0, y), (x, y - 6.0), (x + 6.0, y), (x, y + 6.0)]
}

/// A line of the plot.
struct Row {
    name: String,
    what: String,
    scope: Option<Scope>,
    joules: Option<(f64, bool)>,
    watts: Option<f64>,
    kind: Kind,
}

/// Draws what was recorded, then the table of others.
pub fn peers(report: &Report, peers: &[Peer]) -> Drawing {
    let mut drawing = frame::head("peers".into(), "Beside what others publish");
    frame::note(
        &mut drawing,
        "Other models, other hardware, other ways to measure, and numbers that include other \
         things: an order of magnitude, no ranking. Logarithmic axes.",
    );
    let mut rows = recorded(report);
    let more = rows.len().saturating_sub(ROWS);
    if more > 0 {
        frame::note(&mut drawing, &format!("{more} further meters are in the tables only."));
        rows.truncate(ROWS);
    }
    let own = rows.len();
    rows.extend(peers.iter().filter_map(of_peer));

    let ours = [Kind::Ours, Kind::Modelled].into_iter();
    let ours = ours.filter(|kind| rows.iter().any(|row| row.kind == *kind));
    let kinds = ours.chain(Founded::ALL.map(Kind::Theirs));
    let keys: Vec<(Key, &str)> =
        kinds.map(|kind| (Key::Marker(kind.marker()), kind.label())).collect();
    frame::legend(&mut drawing, &keys);

    let top = drawing.height + 10.0;
    let bottom = top + PITCH * rows.len() as f64;
    let joules = rows.iter().filter_map(|row| Some(row.joules?.0));
    let joules = Axis::logarithmic(joules, LEFT, JOULES);
    let watts = Axis::logarithmic(rows.iter().filter_map(|row| row.watts), WATTS, RIGHT);
    for axis in [&joules, &watts] {
        for value in axis.between() {
            let x = axis.at(value);
            drawing.line(vec![(x, top), (x, bottom)], pen(0xf3_f3f3, 1.0));
        }
    }
    frame::across(&mut drawing, &joules, (top, bottom), "joules a token, gross");
    frame::across(&mut drawing, &watts, (top, bottom), "watts");
    for (n, row) in rows.iter().enumerate() {
        let middle = top + PITCH * (n as f64 + 0.5);
        if n == own && own > 0 {
            let y = top + PITCH * n as f64;
            drawing.line(vec![(frame::EDGE, y), (RIGHT, y)], pen(GREY, 0.8));
        }
        one(&mut drawing, row, middle, &joules, &watts);
    }
    drawing.height = bottom + 46.0;
    frame::scopes(&mut drawing, rows.iter().filter_map(|row| row.scope));
    frame::note(
        &mut drawing,
        "Of others, what a number includes is in the table of the page as far as it is known. \
         Derived: watts by tokens a second.",
    );
    drawing.height += 8.0;
    drawing
}

/// What was recorded and has a median.
fn recorded(report: &Report) -> Vec<Row> {
    let mut rows = vec![];
    for (number, recorded) in report.recordings.iter().enumerate() {
        for meter in &recorded.analysis.meters {
            let Some(summary) = meter.summary.known() else { continue };
            let model = meter.description.evidence == Evidence::Model;
            let begin = &recorded.analysis.begin;
            rows.push(Row {
                name: format!("{} · {} on {}", report.label(number), begin.model, begin.device),
                what: frame::meter(meter, ROOM),
                scope: Some(meter.description.scope),
                joules: Some((summary.gross_j_per_token.median, false)),
                watts: summary.watts.map(|watts| watts.median),
                kind: if model { Kind::Modelled } else { Kind::Ours },
            });
        }
    }
    rows
}

/// A peer that says anything of energy.
fn of_peer(peer: &Peer) -> Option<Row> {
    let joules = peer.joules();
    (joules.is_some() || peer.watts.is_some()).then(|| Row {
        name: peer.name.clone(),
        what: format!("{}, {}", peer.model, peer.hardware),
        scope: None,
        joules,
        watts: peer.watts,
        kind: Kind::Theirs(peer.evidence),
    })
}

fn one(drawing: &mut Drawing, row: &Row, middle: f64, joules: &Axis, watts: &Axis) {
    for (text, size, y, colour) in
        [(&row.name, frame::TEXT, -2.0, row.kind.colour()), (&row.what, frame::SMALL, 11.0, GREY)]
    {
        let text = font::fit(text, size, ROOM);
        drawing.text((LEFT - 12.0, middle + y), Anchor::End, size, colour, &text);
    }
    drawing.line(vec![(joules.begin(), middle), (watts.end(), middle)], pen(FAINT, 0.6));
    let derived = row.joules.is_some_and(|(_, derived)| derived);
    for (value, axis, unit) in [
        (row.joules.map(|(value, _)| value), joules, if derived { "J, derived" } else { "J" }),
        (row.watts, watts, "W"),
    ] {
        // A logarithmic axis has no place for what is not above 0.
        let Some(value) = value.filter(|value| *value > 0.0) else { continue };
        let x = axis.at(value);
        (row.kind.marker())(drawing, (x, middle));
        let text = format!("{} {unit}", number(value));
        let wide = font::width(&text, frame::SMALL);
        // Behind the marker, or before it where the axis is at its end.
        let behind = x + 10.0 + wide <= axis.end() + 62.0;
        let (from, anchor) =
            if behind { (x + 10.0, Anchor::Start) } else { (x - 10.0, Anchor::End) };
        let left = if behind { from } else { from - wide };
        drawing.rect((left - 2.0, middle - 6.0), (left + wide + 2.0, middle + 6.0), WHITE, None);
        drawing.text((from, middle + 4.0), anchor, frame::SMALL, row.kind.colour(), &text);
    }
}
