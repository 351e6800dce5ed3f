//! Which cards there are, and what each has.

use std::collections::BTreeMap;

use crate::access::Access;
use crate::error::{Result, XdmaError};

/// The nodes of a card.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The N of `xdmaN`.
    pub index: u32,
    /// Channels from host to card, by number.
    pub h2c: Vec<u32>,
    /// Channels from card to host, by number.
    pub c2h: Vec<u32>,
    /// Whether the design's registers are there.
    pub user: bool,
    /// Whether the DMA's registers are there.
    pub control: bool,
    /// Interrupts, by number.
    pub events: Vec<u32>,
}

impl Found {
    /// Name of a node: `user`, `h2c_0`, ….
    pub fn node(&self, suffix: &str) -> String {
        format!("xdma{}_{suffix}", self.index)
    }

    /// The nodes that a card cannot be used without and that it does not have, by suffix.
    pub fn missing(&self) -> Vec<&'static str> {
        let needed =
            [("user", self.user), ("h2c_0", !self.h2c.is_empty()), ("c2h_0", !self.c2h.is_empty())];
        needed.into_iter().filter(|(_, there)| !there).map(|(name, _)| name).collect()
    }
}

/// All cards of a place, by index; names that are no node of the driver are passed over.
///
/// # Errors
/// X001 where the place cannot be read.
pub fn discover(access: &dyn Access) -> Result<Vec<Found>> {
    let names =
        access.names().map_err(|source| XdmaError::Root { path: access.path(""), source })?;
    let mut cards = BTreeMap::<u32, Found>::new();
    for name in names {
        let Some((index, suffix)) = name.to_str().and_then(split) else { continue };
        let card = cards.entry(index).or_insert_with(|| Found { index, ..Found::default() });
        match suffix.rsplit_once('_') {
            None if suffix == "user" => card.user = true,
            None if suffix == "control" => card.control = true,
            Some(("h2c", n)) => card.h2c.extend(number(n)),
            Some(("c2h", n)) => card.c2h.extend(number(n)),
            Some(("events", n)) => card.events.extend(number(n)),
            _ => {}
        }
    }
    let sorted = |mut card: Found| {
        for list in [&mut card.h2c, &mut card.c2h, &mut card.events] {
            list.sort_unstable();
        }
        card
    };
    Ok(cards.into_values().map(sorted).collect())
}

/// `xdma3_h2c_0` is `h2c_0` of card 3.
fn split(name: &str) -> Option<(u32, &str)> {
    let (index, suffix) = name.strip_prefix("xdma")?.split_once('_')?;
    Some((number(index)?, suffix))
}

/// A number as the driver writes it.
fn number(text: &str) -> Option<u32> {
    let number: u32 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Files;

    #[test]
    fn nodes_are_sorted_into_cards() {
        let directory = tempfile::tempdir().unwrap();
        let names = [
            "xdma1_c2h_0",
            "xdma1_bypass",
            "xdma0_h2c_1",
            "xdma0_h2c_0",
            "xdma0_c2h_0",
            "xdma0_user",
            "null",
            "xdma0_control",
            "xdma0_events_10",
            "xdma0_events_2",
            "xdma",
            "xdma_user",
            "xdma0_bypass",
            "xdma01_user",
            "xdma0_h2c_x",
            "xdma0_h2c_+2",
        ];
        for name in names {
            std::fs::write(directory.path().join(name), []).unwrap();
        }
        let found = discover(&Files::new(directory.path())).unwrap();
        let zero = Found {
            index: 0,
            h2c: vec![0, 1],
            c2h: vec![0],
            user: true,
            control: true,
            events: vec![2, 10],
        };
        let one = Found { index: 1, c2h: vec![0], ..Found::default() };
        assert_eq!(found, [zero.clone(), one.clone()]);
        assert_eq!((zero.missing(), one.missing()), (vec![], vec!["user", "h2c_0"]));
        assert_eq!(zero.node("h2c_1"), "xdma0_h2c_1");
    }
}
