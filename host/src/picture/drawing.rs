//! A drawing: plain shapes in order, which become SVG and PNG alike.
//!
//! ```text
//!               +--> svg      the text that a browser draws
//!   Drawing ----+
//!               +--> raster   the same shapes as pixels, text by the font that is built in
//! ```

/// 0xRRGGBB.
pub type Colour = u32;

/// Text and lines.
pub const INK: Colour = 0x1a1a1a;
/// Text that is less important.
pub const GREY: Colour = 0x66_6666;
/// Lines of a grid.
pub const FAINT: Colour = 0xe2_e2e2;

/// A point of the page; x to the right, y downwards.
pub type Point = (f64, f64);

/// A line's looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pen {
    /// Its colour.
    pub colour: Colour,
    /// Its width.
    pub width: f64,
    /// Lengths of dash and gap; 0 is a whole line.
    pub dash: f64,
}

/// A line of some width.
pub fn pen(colour: Colour, width: f64) -> Pen {
    Pen { colour, width, dash: 0.0 }
}

/// A dashed line of some width.
pub fn dashed(colour: Colour, width: f64) -> Pen {
    Pen { colour, width, dash: 4.0 }
}

/// Where a text lies from its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// It begins there.
    Start,
    /// Its middle is there.
    Middle,
    /// It ends there.
    End,
}

/// What is drawn.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// A line from point to point; closed if it is filled.
    Path {
        /// Its points.
        points: Vec<Point>,
        /// The colour inside.
        fill: Option<Colour>,
        /// The line itself.
        pen: Option<Pen>,
    },
    /// A disc.
    Circle {
        /// Its centre.
        centre: Point,
        /// Its radius.
        radius: f64,
        /// The colour inside.
        fill: Colour,
        /// The line around.
        pen: Option<Pen>,
    },
    /// A line of text.
    Text {
        /// On the line on which its letters stand.
        at: Point,
        /// Where it lies from there.
        anchor: Anchor,
        /// Of its letters.
        size: f64,
        /// Of its letters.
        colour: Colour,
        /// Whether it runs from below to above.
        upright: bool,
        /// What it says.
        text: String,
    },
}

/// A drawing on white.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawing {
    /// What its files are called, without an ending.
    pub name: String,
    /// What it shows.
    pub title: String,
    /// Units of width; a pixel each in a browser.
    pub width: f64,
    /// Units of height.
    pub height: f64,
    /// In the order in which they are drawn.
    pub shapes: Vec<Shape>,
}

impl Drawing {
    /// One without anything.
    pub fn new(name: String, title: String, width: f64) -> Drawing {
        Drawing { name, title, width, height: 0.0, shapes: vec![] }
    }

    /// A line from point to point.
    pub fn line(&mut self, points: Vec<Point>, pen: Pen) {
        self.shapes.push(Shape::Path { points, fill: None, pen: Some(pen) });
    }

    /// A filled shape.
    pub fn area(&mut self, points: Vec<Point>, fill: Colour, pen: Option<Pen>) {
        self.shapes.push(Shape::Path { points, fill: Some(fill), pen });
    }

    /// A filled rectangle, whichever corners are given.
    pub fn rect(&mut self, (x, y): Point, (to_x, to_y): Point, fill: Colour, pen: Option<Pen>) {
        self.area(vec![(x, y), (to_x, y), (to_x, to_y), (x, to_y)], fill, pen);
    }

    /// A rectangle with a line around it and slanted lines inside: no measured thing.
    pub fn hatched(&mut self, (x, y): Point, (to_x, to_y): Point, colour: Colour) {
        let (left, right) = (x.min(to_x), x.max(to_x));
        let (top, bottom) = (y.min(to_y), y.max(to_y));
        self.rect((left, top), (right, bottom), 0xff_ffff, Some(pen(colour, 1.0)));
        // Lines of x + y = sum, cut at the edges.
        let mut sum = left + top + 5.0;
        while sum < right + bottom {
            let from =
                if sum - bottom >= left { (sum - bottom, bottom) } else { (left, sum - left) };
            let to = if sum - top <= right { (sum - top, top) } else { (right, sum - right) };
            self.line(vec![from, to], pen(colour, 0.8));
            sum += 5.0;
        }
    }

    /// A disc.
    pub fn circle(&mut self, centre: Point, radius: f64, fill: Colour, pen: Option<Pen>) {
        self.shapes.push(Shape::Circle { centre, radius, fill, pen });
    }

    /// A line of text.
    pub fn text(&mut self, at: Point, anchor: Anchor, size: f64, colour: Colour, text: &str) {
        let (upright, text) = (false, text.to_string());
        self.shapes.push(Shape::Text { at, anchor, size, colour, upright, text });
    }

    /// A text that runs upwards, its middle at the point.
    pub fn upright(&mut self, at: Point, size: f64, colour: Colour, text: &str) {
        let (anchor, upright, text) = (Anchor::Middle, true, text.to_string());
        self.shapes.push(Shape::Text { at, anchor, size, colour, upright, text });
    }
}
