//! Where an answer ends by its text.

/// Holds back what may be the beginning of a text that ends the answer.
pub struct Until<'a> {
    stop: Option<&'a str>,
    held: String,
}

impl<'a> Until<'a> {
    /// Nothing held; without a stop everything passes.
    pub fn new(stop: Option<&'a str>) -> Until<'a> {
        Until { stop: stop.filter(|stop| !stop.is_empty()), held: String::new() }
    }

    /// Takes a piece; gives what is certainly part of the answer, and whether it ends there.
    pub fn push(&mut self, piece: &str) -> (String, bool) {
        self.held.push_str(piece);
        let Some(stop) = self.stop else { return (std::mem::take(&mut self.held), false) };
        if let Some(at) = self.held.find(stop) {
            self.held.truncate(at);
            return (std::mem::take(&mut self.held), true);
        }
        let kept = (1..stop.len())
            .rev()
            .find(|&n| stop.is_char_boundary(n) && self.held.ends_with(&stop[..n]));
        let rest = self.held.split_off(self.held.len() - kept.unwrap_or(0));
        (std::mem::replace(&mut self.held, rest), false)
    }

    /// What is still held: part of the answer after all.
    pub fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However it is cut into pieces, the answer is the same.
    #[test]
    fn pieces_do_not_matter() {
        for (text, want) in [
            ("no stop", ("no stop", false)),
            ("a\nUser: b", ("a", true)),
            ("a\n\nUser:", ("a\n", true)),
            ("a\nUse\nUser", ("a\nUse\nUser", false)),
            ("é\nUsé\nUser:\nUser:", ("é\nUsé", true)),
            ("\nUser:", ("", true)),
        ] {
            let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).skip(1).collect();
            for cuts in 0..1u32 << ends.len().min(12) {
                let mut until = Until::new(Some("\nUser:"));
                let (mut got, mut ended, mut from) = (String::new(), false, 0);
                let chosen = ends.iter().enumerate().filter(|(n, _)| cuts >> n & 1 == 1);
                for to in chosen.map(|(_, &at)| at).chain([text.len()]) {
                    let (piece, hit) = until.push(&text[from..to]);
                    got += &piece;
                    from = to;
                    if hit {
                        ended = true;
                        break;
                    }
                }
                if !ended {
                    got += &until.finish();
                }
                assert_eq!((got.as_str(), ended), want, "{text:?} cut at {cuts:b}");
            }
        }
        let mut until = Until::new(None);
        assert_eq!(until.push("\nUser:"), ("\nUser:".into(), false));
    }
}
