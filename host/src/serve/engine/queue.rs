//! Who is next: clients in turn, and of one client the first that came.

use std::collections::VecDeque;

/// A queue of bounded length in which no client waits for another's backlog.
///
/// ```text
///  turn ->  a: 1 4 5     next(): a1, b2, c3, a4, b6, a5
///           b: 2 6
///           c: 3
/// ```
pub struct Fair<T> {
    /// Clients that wait, the next one first, none twice and none without anything.
    turns: VecDeque<(String, VecDeque<T>)>,
    each: usize,
    all: usize,
    length: usize,
}

impl<T> Fair<T> {
    /// Holds up to `each` of a client, and up to `all` in all.
    pub fn new(each: usize, all: usize) -> Fair<T> {
        Fair { turns: VecDeque::new(), each, all, length: 0 }
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Whether so many more of a client fit.
    pub fn fits(&self, client: &str, more: usize) -> bool {
        let held = self.turns.iter().find(|(name, _)| name == client);
        let held = held.map_or(0, |(_, items)| items.len());
        held + more <= self.each && self.length + more <= self.all
    }

    /// Puts one behind the others of its client; whether it [`fits`](Fair::fits) is the caller's.
    pub fn push(&mut self, client: &str, item: T) {
        self.length += 1;
        match self.turns.iter_mut().find(|(name, _)| name == client) {
            Some((_, items)) => items.push_back(item),
            None => self.turns.push_back((client.to_string(), VecDeque::from([item]))),
        }
    }

    /// The next one.
    pub fn pop(&mut self) -> Option<T> {
        let (client, mut items) = self.turns.pop_front()?;
        let item = items.pop_front();
        if !items.is_empty() {
            self.turns.push_back((client, items));
        }
        self.length -= usize::from(item.is_some());
        item
    }

    /// Drops those that nobody waits for any more.
    pub fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        self.turns.iter_mut().for_each(|(_, items)| items.retain(&keep));
        self.turns.retain(|(_, items)| !items.is_empty());
        self.length = self.turns.iter().map(|(_, items)| items.len()).sum();
    }

    /// All that wait, who wait no longer.
    pub fn drain(&mut self) -> impl Iterator<Item = T> {
        self.length = 0;
        std::mem::take(&mut self.turns).into_iter().flat_map(|(_, items)| items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_take_turns() {
        let mut queue = Fair::new(9, 9);
        for (client, item) in [("a", 1), ("b", 2), ("c", 3), ("a", 4), ("a", 5), ("b", 6)] {
            queue.push(client, item);
        }
        let order: Vec<i32> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(order, [1, 2, 3, 4, 6, 5]);
        assert!(queue.is_empty());
    }

    #[test]
    fn a_client_and_all_together_are_bounded() {
        let mut queue = Fair::new(2, 3);
        assert!(queue.fits("a", 2) && !queue.fits("a", 3));
        queue.push("a", 1);
        queue.push("a", 2);
        assert!(!queue.fits("a", 1) && queue.fits("b", 1) && !queue.fits("b", 2));
        queue.push("b", 3);
        assert!(!queue.fits("c", 1));
        assert_eq!(queue.pop(), Some(1));
        assert!(queue.fits("c", 1));
    }

    #[test]
    fn those_who_left_take_no_turn() {
        let mut queue = Fair::new(9, 9);
        for (client, item) in [("a", 1), ("b", 2), ("a", 3)] {
            queue.push(client, item);
        }
        queue.retain(|&item| item != 2);
        assert_eq!(queue.len(), 2);
        assert_eq!(queue.drain().collect::<Vec<_>>(), [1, 3]);
        assert_eq!((queue.len(), queue.pop()), (0, None));
    }
}
