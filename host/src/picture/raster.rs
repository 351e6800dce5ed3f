//! Drawings as PNG, by a rasteriser in software: the same pixels on every machine.

use tiny_skia::{
    Color, FillRule, LineJoin, Paint, Path, PathBuilder, Pixmap, Stroke, StrokeDash, Transform,
};
use ttf_parser::OutlineBuilder;

use super::drawing::{Anchor, Colour, Drawing, Pen, Shape};
use super::font;

/// Pixels of a unit, so that text is sharp.
pub const SCALE: f64 = 2.0;

/// The drawing as the bytes of a PNG file.
pub fn png(drawing: &Drawing) -> Vec<u8> {
    let size = |units: f64| ((units * SCALE).round() as u32).max(1);
    let mut pixels = Pixmap::new(size(drawing.width), size(drawing.height))
        .expect("plots have at most some thousand units");
    pixels.fill(Color::WHITE);
    let scale = Transform::from_scale(SCALE as f32, SCALE as f32);
    for shape in &drawing.shapes {
        match shape {
            Shape::Path { points, fill, pen } => {
                let mut path = PathBuilder::new();
                for (n, (x, y)) in points.iter().enumerate() {
                    match n {
                        0 => path.move_to(*x as f32, *y as f32),
                        _ => path.line_to(*x as f32, *y as f32),
                    }
                }
                if fill.is_some() {
                    path.close();
                }
                paint(&mut pixels, path.finish(), *fill, *pen, scale);
            }
            Shape::Circle { centre, radius, fill, pen } => {
                let mut path = PathBuilder::new();
                path.push_circle(centre.0 as f32, centre.1 as f32, *radius as f32);
                paint(&mut pixels, path.finish(), Some(*fill), *pen, scale);
            }
            Shape::Text { at, anchor, size, colour, upright, text } => {
                let back = match anchor {
                    Anchor::Start => 0.0,
                    Anchor::Middle => font::width(text, *size) / 2.0,
                    Anchor::End => font::width(text, *size),
                };
                let turn = if *upright { -90.0 } else { 0.0 };
                let place = Transform::from_translate(-back as f32, 0.0)
                    .post_concat(Transform::from_rotate(turn))
                    .post_translate(at.0 as f32, at.1 as f32)
                    .post_concat(scale);
                let mut letters = Letters { path: PathBuilder::new(), x: 0.0, scale: 1.0 };
                font::outline(text, *size, &mut letters, |letters, x, scale| {
                    (letters.x, letters.scale) = (x as f32, scale as f32);
                });
                paint(&mut pixels, letters.path.finish(), Some(*colour), None, place);
            }
        }
    }
    pixels.encode_png().expect("memory takes all")
}

fn paint(
    pixels: &mut Pixmap,
    path: Option<Path>,
    fill: Option<Colour>,
    pen: Option<Pen>,
    place: Transform,
) {
    // Nothing to draw: a text of spaces, or a line of one point.
    let Some(path) = path else { return };
    if let Some(fill) = fill {
        pixels.fill_path(&path, &solid(fill), FillRule::Winding, place, None);
    }
    if let Some(Pen { colour, width, dash }) = pen {
        let dash = (dash > 0.0).then(|| StrokeDash::new(vec![dash as f32; 2], 0.0)).flatten();
        let (width, line_join) = (width as f32, LineJoin::Round);
        let stroke = Stroke { width, dash, line_join, ..Stroke::default() };
        pixels.stroke_path(&path, &solid(colour), &stroke, place, None);
    }
}

fn solid(colour: Colour) -> Paint<'static> {
    let [_, red, green, blue] = colour.to_be_bytes();
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color_rgba8(red, green, blue, 255);
    paint
}

/// Takes the outlines of letters, which grow upwards, to where they belong in a line.
struct Letters {
    path: PathBuilder,
    x: f32,
    scale: f32,
}

impl Letters {
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        (self.x + x * self.scale, -y * self.scale)
    }
}

impl OutlineBuilder for Letters {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.at(x1, y1), self.at(x, y));
        self.path.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.at(x1, y1), self.at(x2, y2), self.at(x, y));
        self.path.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.path.close();
    }
}
