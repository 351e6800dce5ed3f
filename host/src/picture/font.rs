//! The font of pictures: built in, so that they are the same on every machine.

use std::sync::LazyLock;

use ttf_parser::{Face, OutlineBuilder};

static FACE: LazyLock<Face<'static>> =
    LazyLock::new(|| Face::parse(dejavu::sans::regular(), 0).expect("the built-in font is one"));

/// Units of length for letters of a size.
fn scale(size: f64) -> f64 {
    size / f64::from(FACE.units_per_em())
}

/// How wide a letter is, in the font's units, and which it is.
fn glyph(letter: char) -> (ttf_parser::GlyphId, f64) {
    let id = FACE.glyph_index(letter).unwrap_or_default();
    (id, f64::from(FACE.glyph_hor_advance(id).unwrap_or(0)))
}

/// How wide a line of text is.
pub fn width(text: &str, size: f64) -> f64 {
    text.chars().map(|letter| glyph(letter).1).sum::<f64>() * scale(size)
}

/// The text, cut so that it is not wider.
pub fn fit(text: &str, size: f64, most: f64) -> String {
    let (mut x, mut cut) = (0.0, 0);
    for (at, letter) in text.char_indices() {
        x += glyph(letter).1 * scale(size);
        if x > most {
            return text[..cut].trim_end().to_string() + "…";
        }
        if x + width("…", size) <= most {
            cut = at + letter.len_utf8();
        }
    }
    text.into()
}

/// The text in lines that are not wider, unless a word is.
pub fn wrap(text: &str, size: f64, most: f64) -> Vec<String> {
    let mut lines: Vec<String> = vec![];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(&format!("{line} {word}"), size) <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(fit(word, size, most)),
        }
    }
    lines
}

/// Draws the outlines of a line of text. `letter` gets where each begins, and by how much the
/// font's units are to be multiplied.
pub fn outline<B: OutlineBuilder>(
    text: &str,
    size: f64,
    sink: &mut B,
    letter: impl Fn(&mut B, f64, f64),
) {
    let mut x = 0.0;
    for character in text.chars() {
        let (id, advance) = glyph(character);
        letter(sink, x, scale(size));
        FACE.outline_glyph(id, sink);
        x += advance * scale(size);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_as_wide_as_its_letters() {
        assert_eq!(width("", 12.0), 0.0);
        assert!((width("WW", 12.0) - 2.0 * width("W", 12.0)).abs() < 1e-9);
        assert!(width("W", 12.0) > 2.0 * width("i", 12.0));
        assert!((width("W", 24.0) - 2.0 * width("W", 12.0)).abs() < 1e-9);
    }

    #[test]
    fn what_is_too_wide_is_cut_or_wrapped() {
        let text = "a line of some words";
        assert_eq!(fit(text, 10.0, 1000.0), text);
        let cut = fit(text, 10.0, 60.0);
        assert!(cut.ends_with('…') && width(&cut, 10.0) <= 60.0, "{cut}");
        assert_eq!(fit(text, 10.0, 0.0), "…");
        let lines = wrap(text, 10.0, 60.0);
        assert!(lines.len() > 1 && lines.iter().all(|line| width(line, 10.0) <= 60.0));
        assert_eq!(lines.join(" "), text);
    }
}
