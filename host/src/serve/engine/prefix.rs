//! States of prompts that may begin alike: a conversation goes on without being read again.

use sterna_firmware::device::State;

/// States by the tokens that led to them; those that were not used longest are forgotten first.
pub struct Prefixes {
    /// The one used last is at the end.
    entries: Vec<(Vec<u32>, State)>,
    bytes: usize,
    most: usize,
}

impl Prefixes {
    /// Keeps up to `most` bytes.
    pub fn new(most: usize) -> Prefixes {
        Prefixes { entries: vec![], bytes: 0, most }
    }

    /// The longest that a prompt begins with, and its length. Never all of the prompt, whose last
    /// token has to enter the device for the next to come out.
    pub fn longest(&mut self, prompt: &[u32]) -> Option<(usize, &State)> {
        let fits = |tokens: &[u32]| tokens.len() < prompt.len() && prompt.starts_with(tokens);
        let entries = self.entries.iter().enumerate().filter(|(_, (tokens, _))| fits(tokens));
        let (at, _) = entries.max_by_key(|(_, (tokens, _))| tokens.len())?;
        let entry = self.entries.remove(at);
        self.entries.push(entry);
        self.entries.last().map(|(tokens, state)| (tokens.len(), state))
    }

    /// Whether a state after these tokens would be new here, and is small enough to be kept.
    pub fn wants(&self, tokens: &[u32], elements: usize) -> bool {
        let known = self.entries.iter().any(|(known, _)| known == tokens);
        !known && !tokens.is_empty() && size(tokens.len(), elements) <= self.most
    }

    /// Keeps a state.
    pub fn keep(&mut self, tokens: &[u32], state: State) {
        if !self.wants(tokens, state.elements()) {
            return;
        }
        self.bytes += size(tokens.len(), state.elements());
        self.entries.push((tokens.to_vec(), state));
        while self.bytes > self.most {
            let (tokens, state) = self.entries.remove(0);
            self.bytes -= size(tokens.len(), state.elements());
        }
    }
}

/// Bytes of an entry.
fn size(tokens: usize, elements: usize) -> usize {
    4 * (tokens + elements)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(mark: i32) -> State {
        State::Fixed(vec![mark; 10])
    }

    #[test]
    fn the_longest_is_found_but_never_the_whole_prompt() {
        let mut of = Prefixes::new(1000);
        of.keep(&[1, 2], state(2));
        of.keep(&[1, 2, 3, 4], state(4));
        of.keep(&[2], state(1));
        assert_eq!(of.longest(&[1, 2, 3, 4, 5]), Some((4, &state(4))));
        assert_eq!(of.longest(&[1, 2, 3, 4]), Some((2, &state(2))));
        assert_eq!(of.longest(&[1, 2]), None);
        assert_eq!(of.longest(&[3, 2]), None);
    }

    #[test]
    fn what_was_not_used_is_forgotten_first() {
        let mut of = Prefixes::new(2 * size(1, 10));
        of.keep(&[1], state(1));
        of.keep(&[2], state(2));
        assert!(of.longest(&[1, 9]).is_some());
        of.keep(&[3], state(3));
        assert_eq!(of.longest(&[2, 9]), None);
        assert!(of.longest(&[1, 9]).is_some() && of.longest(&[3, 9]).is_some());
    }

    #[test]
    fn nothing_is_kept_twice_or_beyond_the_bound() {
        let mut of = Prefixes::new(2 * size(1, 10));
        of.keep(&[1], state(1));
        assert!(!of.wants(&[1], 10) && of.wants(&[2], 10) && !of.wants(&[2], 1000));
        of.keep(&[1], state(7));
        assert_eq!(of.longest(&[1, 2]), Some((1, &state(1))));
        of.keep(&[], state(0));
        assert_eq!((of.entries.len(), of.bytes), (1, size(1, 10)));
        assert!(!Prefixes::new(0).wants(&[1], 10));
    }
}
