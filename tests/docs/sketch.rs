//! Block pictures: boxes at their places, arrows between their sides, one style for all.
//!
//! ```text
//!  part("a", ...)  +-----+   wire("a.r", "b.l", "codes")   +-----+
//!                  |  a  |---------------- codes --------->|  b  |
//!                  +-----+                                 +-----+
//! ```
//!
//! A text that is wider than its box, a box over another or off the page, and an arrow that runs
//! slantwise are problems, which [`Sketch::finish`] lists.

use std::collections::BTreeMap;

use sterna::picture::drawing::{Anchor, Colour, Drawing, GREY, INK, Point, dashed, pen};
use sterna::picture::font;
use sterna::picture::svg::svg;

const WIDTH: f64 = 900.0;
const HEAD: f64 = 13.0;
const TEXT: f64 = 11.0;
const LINE: f64 = 15.0;
const ROOM: f64 = 8.0;

/// What a box stands for; its colours.
#[derive(Clone, Copy)]
pub enum Kind {
    /// It moves or orders.
    Moves,
    /// It computes.
    Computes,
    /// It holds: a memory, a file.
    Holds,
    /// It is not of the hardware: the host, a tool, a chip beside.
    Outside,
}

impl Kind {
    fn colours(self) -> (Colour, Colour) {
        match self {
            Kind::Moves => (0xef_f1f3, 0x4a_4a4a),
            Kind::Computes => (0xe1_ecf7, 0x35_67a8),
            Kind::Holds => (0xfa_f1d6, 0x9a_7a12),
            Kind::Outside => (0xff_ffff, 0x7c_6bb0),
        }
    }
}

#[derive(Clone, Copy)]
struct Rect {
    x: f64,
    y: f64,
    w: f64,
    h: f64,
}

/// A picture under construction.
pub struct Sketch {
    drawing: Drawing,
    boxes: BTreeMap<&'static str, Rect>,
    problems: Vec<String>,
}

/// The side of a box that an arrow meets.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Left,
    Right,
    Top,
    Bottom,
}

/// The place on a side that makes the arrow straight, if it is near.
fn snapped(at: f64, wanted: f64) -> f64 {
    if (at - wanted).abs() <= 22.0 { wanted } else { at }
}

impl Sketch {
    /// An empty one; its file is `pictures/NAME.svg`.
    pub fn new(name: &str, title: &str, height: f64) -> Sketch {
        let mut drawing = Drawing::new(name.into(), title.into(), WIDTH);
        drawing.height = height;
        drawing.text((20.0, 28.0), Anchor::Start, 16.0, INK, title);
        Sketch { drawing, boxes: BTreeMap::new(), problems: vec![] }
    }

    /// A box with its upper left corner at a place, so wide, as high as its lines need.
    pub fn part(
        &mut self,
        id: &'static str,
        kind: Kind,
        (x, y, w): (f64, f64, f64),
        title: &str,
        lines: &[&str],
    ) {
        let h = 2.0 * ROOM + LINE * (lines.len() as f64 + 1.0);
        let rect = Rect { x, y, w, h };
        if x < 0.0 || x + w > WIDTH || y + h > self.drawing.height {
            self.problem(format!("{id} is off the page"));
        }
        let apart =
            |of: &Rect| x + w <= of.x || of.x + of.w <= x || y + h <= of.y || of.y + of.h <= y;
        if let Some((other, _)) = self.boxes.iter().find(|(_, of)| !apart(of)) {
            self.problem(format!("{id} lies on {other}"));
        }
        let (fill, edge) = kind.colours();
        let line = match kind {
            Kind::Outside => dashed(edge, 1.4),
            _ => pen(edge, 1.4),
        };
        self.drawing.rect((x, y), (x + w, y + h), fill, Some(line));
        let middle = x + w / 2.0;
        for (n, text) in [title].iter().chain(lines).enumerate() {
            let (size, colour) = if n == 0 { (HEAD, edge) } else { (TEXT, INK) };
            let wide = font::width(text, size);
            if wide > w - 6.0 {
                self.problem(format!("{text:?} takes {wide:.0} of {w}"));
            }
            let base = y + ROOM + LINE * (n as f64 + 0.8);
            self.drawing.text((middle, base), Anchor::Middle, size, colour, text);
        }
        assert!(self.boxes.insert(id, rect).is_none(), "two boxes {id}");
    }

    /// An arrow from one side to another: `"a.r"` is the middle of a's right, `"a.b-30"` thirty
    /// pixels left of the middle of its bottom. It turns as often as it has to.
    pub fn wire(&mut self, from: &str, to: &str, label: &str) {
        let ((start, out), (mut end, into)) = (self.end(from), self.end(to));
        let across = |side| matches!(side, Side::Left | Side::Right);
        let mut points = vec![start];
        if across(out) && across(into) && out != into {
            end.1 = snapped(end.1, start.1);
        }
        if !across(out) && !across(into) && out != into {
            end.0 = snapped(end.0, start.0);
        }
        match (across(out), across(into)) {
            (true, true) if out == into => {
                let x = match out {
                    Side::Right => start.0.max(end.0) + 18.0,
                    _ => start.0.min(end.0) - 18.0,
                };
                points.extend([(x, start.1), (x, end.1)]);
            }
            (false, false) if out == into => {
                let y = match out {
                    Side::Bottom => start.1.max(end.1) + 18.0,
                    _ => start.1.min(end.1) - 18.0,
                };
                points.extend([(start.0, y), (end.0, y)]);
            }
            (true, true) if start.1 != end.1 => {
                let x = f64::midpoint(start.0, end.0);
                points.extend([(x, start.1), (x, end.1)]);
            }
            (false, false) if start.0 != end.0 => {
                let y = f64::midpoint(start.1, end.1);
                points.extend([(start.0, y), (end.0, y)]);
            }
            (true, false) => points.push((end.0, start.1)),
            (false, true) => points.push((start.0, end.1)),
            _ => {}
        }
        points.push(end);
        self.path(&points, label);
    }

    /// A wire that turns at these points, between two sides.
    pub fn wire_by(&mut self, from: &str, by: &[Point], to: &str, label: &str) {
        let ends = [(self.end(from), by[0]), (self.end(to), by[by.len() - 1])];
        let [start, end] = ends.map(|((at, side), turn)| match side {
            Side::Left | Side::Right => (at.0, snapped(at.1, turn.1)),
            Side::Top | Side::Bottom => (snapped(at.0, turn.0), at.1),
        });
        let points: Vec<Point> = [start].iter().chain(by).copied().chain([end]).collect();
        self.path(&points, label);
    }

    /// An arrow along points, its label at its longest stretch.
    pub fn path(&mut self, points: &[Point], label: &str) {
        for pair in points.windows(2) {
            if pair[0].0 != pair[1].0 && pair[0].1 != pair[1].1 {
                self.problem(format!("{label:?} runs slantwise, {pair:?}"));
            }
        }
        self.drawing.line(points.to_vec(), pen(INK, 1.2));
        let [.., from, tip] = points else { return };
        self.head(*from, *tip);
        let length = |pair: &[Point]| (pair[0].0 - pair[1].0).abs() + (pair[0].1 - pair[1].1).abs();
        let longest = points.windows(2).max_by(|a, b| length(a).total_cmp(&length(b))).unwrap();
        let (a, b) = (longest[0], longest[1]);
        let middle = (f64::midpoint(a.0, b.0), f64::midpoint(a.1, b.1));
        for (n, line) in label.lines().enumerate() {
            let down = n as f64 * 13.0;
            if a.1 == b.1 {
                let up = 13.0 * (label.lines().count() - 1) as f64;
                let at = (middle.0, middle.1 - 5.0 - up + down);
                self.drawing.text(at, Anchor::Middle, TEXT, GREY, line);
            } else {
                let at = (middle.0 + 5.0, middle.1 + 4.0 + down);
                self.drawing.text(at, Anchor::Start, TEXT, GREY, line);
            }
        }
    }

    /// A line of text.
    pub fn note(&mut self, at: Point, text: &str) {
        if at.0 + font::width(text, TEXT) > WIDTH {
            self.problem(format!("{text:?} is off the page"));
        }
        self.drawing.text(at, Anchor::Start, TEXT, GREY, text);
    }

    /// A frame around parts, with a name at its upper left.
    pub fn frame(&mut self, (x, y): Point, (to_x, to_y): Point, name: &str) {
        let corners = vec![(x, y), (to_x, y), (to_x, to_y), (x, to_y), (x, y)];
        self.drawing.line(corners, dashed(GREY, 1.0));
        self.drawing.text((x + 6.0, y + 14.0), Anchor::Start, TEXT, GREY, name);
    }

    /// A bar from one corner to another, its text inside.
    pub fn bar(&mut self, from: Point, to: Point, text: &str) {
        let (fill, edge) = Kind::Computes.colours();
        self.drawing.rect(from, to, fill, Some(pen(edge, 1.0)));
        if font::width(text, TEXT) > to.0 - from.0 {
            self.problem(format!("{text:?} leaves its bar"));
        }
        let at = (f64::midpoint(from.0, to.0), to.1 - 6.0);
        self.drawing.text(at, Anchor::Middle, TEXT, INK, text);
    }

    /// The file's name within docs/, its text, and what is wrong with it.
    pub fn finish(self) -> (String, String, Vec<String>) {
        (format!("pictures/{}.svg", self.drawing.name), svg(&self.drawing), self.problems)
    }

    fn problem(&mut self, what: String) {
        self.problems.push(format!("{}: {what}", self.drawing.name));
    }

    fn head(&mut self, from: Point, tip: Point) {
        let (x, y) = ((tip.0 - from.0).signum(), (tip.1 - from.1).signum());
        let wings = match tip.1 == from.1 {
            true => [(tip.0 - 8.0 * x, tip.1 - 4.0), (tip.0 - 8.0 * x, tip.1 + 4.0)],
            false => [(tip.0 - 4.0, tip.1 - 8.0 * y), (tip.0 + 4.0, tip.1 - 8.0 * y)],
        };
        self.drawing.area(vec![tip, wings[0], wings[1]], INK, None);
    }

    /// Where `"a.r-8"` is, and on which side.
    fn end(&self, word: &str) -> (Point, Side) {
        let (id, rest) = word.split_once('.').unwrap_or_else(|| panic!("no side in {word:?}"));
        let Rect { x, y, w, h } =
            *self.boxes.get(id).unwrap_or_else(|| panic!("{}: no box {id}", self.drawing.name));
        let (side, along) = rest.split_at(1);
        let along: f64 = if along.is_empty() { 0.0 } else { along.parse().expect(word) };
        let (across, down) = (x + w / 2.0 + along, y + h / 2.0 + along);
        match side {
            "l" => ((x, down), Side::Left),
            "r" => ((x + w, down), Side::Right),
            "t" => ((across, y), Side::Top),
            "b" => ((across, y + h), Side::Bottom),
            _ => panic!("no side {side:?} in {word:?}"),
        }
    }
}
