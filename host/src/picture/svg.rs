//! Drawings as SVG: a text that stands by itself, in a file or in a page.

use std::fmt::Write as _;

use super::drawing::{Anchor, Colour, Drawing, Pen, Point, Shape};
use crate::page::escape;

/// What a browser without the plots' own font takes.
const FONT: &str = "DejaVu Sans,Verdana,sans-serif";

/// The drawing as an `<svg>` element.
pub fn svg(drawing: &Drawing) -> String {
    let Drawing { title, width, height, .. } = drawing;
    let (width, height) = (number(*width), number(*height));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"{FONT}\" role=\"img\">\n\
         <title>{}</title>\n<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n",
        escape(title)
    );
    for shape in &drawing.shapes {
        one(&mut out, shape);
    }
    out + "</svg>\n"
}

fn one(out: &mut String, shape: &Shape) {
    match shape {
        Shape::Path { points, fill, pen } => {
            *out += "<path d=\"";
            for (n, point) in points.iter().enumerate() {
                let _ = write!(out, "{}{}", if n == 0 { "M" } else { "L" }, pair(*point));
            }
            if fill.is_some() {
                *out += "Z";
            }
            let fill = fill.map_or("none".into(), colour);
            let _ = writeln!(out, "\" fill=\"{fill}\"{}/>", stroke(pen.as_ref()));
        }
        Shape::Circle { centre: (x, y), radius, fill, pen } => {
            let (x, y, r) = (number(*x), number(*y), number(*radius));
            let (fill, stroke) = (colour(*fill), stroke(pen.as_ref()));
            let _ =
                writeln!(out, "<circle cx=\"{x}\" cy=\"{y}\" r=\"{r}\" fill=\"{fill}\"{stroke}/>");
        }
        Shape::Text { at, anchor, size, colour: fill, upright, text } => {
            let (x, y) = (number(at.0), number(at.1));
            let anchor = match anchor {
                Anchor::Start => "",
                Anchor::Middle => " text-anchor=\"middle\"",
                Anchor::End => " text-anchor=\"end\"",
            };
            let turn = match upright {
                true => format!(" transform=\"rotate(-90 {x} {y})\""),
                false => String::new(),
            };
            let _ = writeln!(
                out,
                "<text x=\"{x}\" y=\"{y}\" font-size=\"{}\" fill=\"{}\"{anchor}{turn}>{}</text>",
                number(*size),
                colour(*fill),
                escape(text)
            );
        }
    }
}

fn stroke(pen: Option<&Pen>) -> String {
    let Some(Pen { colour: of, width, dash }) = pen else { return String::new() };
    let mut text = format!(" stroke=\"{}\" stroke-width=\"{}\"", colour(*of), number(*width));
    if *dash > 0.0 {
        let _ = write!(text, " stroke-dasharray=\"{}\"", number(*dash));
    }
    text + " stroke-linejoin=\"round\""
}

fn colour(colour: Colour) -> String {
    format!("#{colour:06x}")
}

fn pair((x, y): Point) -> String {
    format!("{} {}", number(x), number(y))
}

/// To a hundredth of a pixel, without zeros at the end.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let all = [1.0, 1.25, 0.999, -0.001, 100.0, 0.1].map(number);
        assert_eq!(all, ["1", "1.25", "1", "0", "100", "0.1"]);
    }
}
