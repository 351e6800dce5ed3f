//! Texts that end an answer.

/// Holds text back while it may be the beginning of one that ends the answer.
#[derive(Clone, Debug, Default)]
pub struct Stops {
    stops: Vec<String>,
    held: String,
}

impl Stops {
    /// Ends with the first of these to be complete, of several the longest; none is empty.
    pub fn new(stops: Vec<String>) -> Stops {
        Stops { stops, held: String::new() }
    }

    /// Takes a piece; returns the text that has become certain, and whether the answer ends after
    /// it. What ends it is no part of it.
    pub fn push(&mut self, piece: &str) -> (String, bool) {
        self.held.push_str(piece);
        // By its end, so that it does not matter how the text was cut into pieces.
        let found = self.stops.iter().filter_map(|stop| {
            let at = self.held.find(stop)?;
            Some((at + stop.len(), at))
        });
        if let Some((_, at)) = found.min() {
            self.held.truncate(at);
            return (std::mem::take(&mut self.held), true);
        }
        let begun = self.stops.iter().map(|stop| begun(&self.held, stop)).max().unwrap_or(0);
        let certain = self.held.len() - begun;
        let rest = self.held.split_off(certain);
        (std::mem::replace(&mut self.held, rest), false)
    }

    /// What is still held back; the answer ended otherwise.
    pub fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }
}

/// Length of the longest end of a text that a stop begins with.
fn begun(text: &str, stop: &str) -> usize {
    let lengths = stop.char_indices().map(|(at, _)| at).skip(1);
    lengths.filter(|&length| text.ends_with(&stop[..length])).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(stops: &[&str], pieces: &[&str]) -> (Vec<String>, bool, String) {
        let mut of = Stops::new(stops.iter().map(|stop| stop.to_string()).collect());
        let mut out = vec![];
        for piece in pieces {
            let (text, ended) = of.push(piece);
            out.push(text);
            if ended {
                return (out, true, of.finish());
            }
        }
        (out, false, of.finish())
    }

    #[test]
    fn a_stop_over_pieces_is_found_and_nothing_of_it_is_given_out() {
        let (out, ended, rest) = split(&["\nUser:"], &["Hi", " there\n", "Us", "er", ": no"]);
        assert_eq!((out.concat().as_str(), ended, rest.as_str()), ("Hi there", true, ""));
        assert_eq!(out, ["Hi", " there", "", "", ""]);
    }

    #[test]
    fn what_only_begins_like_one_comes_later() {
        let (out, ended, rest) = split(&["aab"], &["a", "a", "a", "c", "aa"]);
        assert_eq!(out, ["", "", "a", "aac", ""]);
        assert_eq!((ended, rest.as_str()), (false, "aa"));
    }

    #[test]
    fn the_first_that_is_complete_wins() {
        assert_eq!(split(&["c", "bc"], &["abcd"]).0, ["a"]);
        assert_eq!(split(&["c", "bcd"], &["abcd"]).0, ["ab"]);
        assert_eq!(split(&["é", "ü"], &["aü", "é"]).0, ["a"]);
    }

    #[test]
    fn without_any_all_text_is_certain() {
        assert_eq!(split(&[], &["a", "b"]), (vec!["a".into(), "b".into()], false, String::new()));
    }

    /// Against the plain way: join everything, cut at the stop that ends first.
    #[test]
    fn pieces_do_not_matter() {
        let mut random = 7u64;
        let mut draw = |below: usize| {
            random = random.wrapping_mul(6364136223846793005).wrapping_add(1);
            (random >> 33) as usize % below
        };
        for _ in 0..2000 {
            let word = |draw: &mut dyn FnMut(usize) -> usize, most: usize| -> String {
                (0..1 + draw(most)).map(|_| ["a", "b", "é"][draw(3)]).collect()
            };
            let stops: Vec<String> = (0..draw(3)).map(|_| word(&mut draw, 4)).collect();
            let pieces: Vec<String> = (0..draw(6)).map(|_| word(&mut draw, 3)).collect();
            let text = pieces.concat();
            let ends = |stop: &String| Some((text.find(stop)? + stop.len(), text.find(stop)?));
            let cut = stops.iter().filter_map(ends).min().map(|(_, at)| at);
            let stops: Vec<&str> = stops.iter().map(String::as_str).collect();
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            let (out, ended, rest) = split(&stops, &pieces);
            let wanted = &text[..cut.unwrap_or(text.len())];
            assert_eq!(out.concat() + &rest, wanted, "{stops:?} {pieces:?}");
            assert_eq!(ended, cut.is_some(), "{stops:?} {pieces:?}");
        }
    }
}
