//! Smaller variants of a case that fails.

use std::fmt;
use std::str::FromStr;

use sterna_firmware::geometry::Geometry;
use sterna_firmware::shape::Shape;
use sterna_model::synth::{Channels, Weights};

use super::{Case, Fuzzer};
use crate::memory::Stalls;

/// A way to make a case smaller; `layers=1` as a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The first so many commands.
    Commands(usize),
    /// A memory that answers at once, and that never pauses, and registers that do not.
    Calm,
    /// Weights and embeddings of no special class.
    Normal,
    /// So many layers.
    Layers(usize),
    /// So wide a residual stream.
    Hidden(usize),
    /// A recurrence that many times as wide.
    Expand(usize),
    /// So wide a GLU.
    Intermediate(usize),
    /// So many tokens.
    Vocab(usize),
    /// The core that `sterna hdl` would make for the model and bus.
    Plain,
}

use Change::*;

/// What calm is: of the memory, its latency, the registers.
const QUIET: (Stalls, u32, Stalls) = (Stalls::None, 1, Stalls::None);

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Commands(n) => write!(f, "commands={n}"),
            Calm => write!(f, "calm"),
            Normal => write!(f, "normal"),
            Layers(n) => write!(f, "layers={n}"),
            Hidden(n) => write!(f, "hidden={n}"),
            Expand(n) => write!(f, "expand={n}"),
            Intermediate(n) => write!(f, "intermediate={n}"),
            Vocab(n) => write!(f, "vocab={n}"),
            Plain => write!(f, "plain"),
        }
    }
}

impl FromStr for Change {
    type Err = String;

    fn from_str(word: &str) -> Result<Change, String> {
        let number = || word.split_once('=')?.1.parse().ok();
        let change = match (word.split('=').next(), number()) {
            (Some("calm"), None) => Some(Calm),
            (Some("normal"), None) => Some(Normal),
            (Some("plain"), None) => Some(Plain),
            (Some("commands"), Some(n)) => Some(Commands(n)),
            (Some("layers"), Some(n)) => Some(Layers(n)),
            (Some("hidden"), Some(n)) => Some(Hidden(n)),
            (Some("expand"), Some(n)) => Some(Expand(n)),
            (Some("intermediate"), Some(n)) => Some(Intermediate(n)),
            (Some("vocab"), Some(n)) => Some(Vocab(n)),
            _ => None,
        };
        // What is printed is what is read.
        change.filter(|change| change.to_string() == word).ok_or_else(|| {
            "a change is commands=N, calm, normal, layers=N, hidden=N, expand=N, intermediate=N, \
             vocab=N or plain"
                .into()
        })
    }
}

impl Case {
    /// The case with a change; `None` where that does not make it smaller, or not legal.
    pub fn with(&self, change: Change) -> Option<Case> {
        let mut case = self.clone();
        let (spec, memory) = (&mut case.spec, &mut case.memory);
        let width = |n: usize, now: usize| n < now && n >= 32 && n.is_multiple_of(32);
        match change {
            Commands(n) if (1..case.actions.len()).contains(&n) => case.actions.truncate(n),
            Calm if (memory.stalls, memory.latency, case.registers) != QUIET => {
                (memory.stalls, memory.latency, case.registers) = QUIET;
            }
            Normal if (spec.weights, spec.channels) != (Weights::Normal, Channels::Even) => {
                (spec.weights, spec.channels) = (Weights::Normal, Channels::Even);
            }
            Layers(n) if (1..spec.layers).contains(&n) => spec.layers = n,
            // Heads change no result, and have to divide the width.
            Hidden(n) if width(n, spec.hidden) => (spec.hidden, spec.heads) = (n, 1),
            Expand(n) if (1..spec.expand).contains(&n) => (spec.expand, spec.heads) = (n, 1),
            Intermediate(n) if width(n, spec.intermediate.unwrap_or(0)) => {
                spec.intermediate = Some(n);
            }
            Vocab(n) if (2..spec.vocab).contains(&n) => {
                spec.vocab = n;
                case.actions.iter_mut().for_each(|action| action.limit(n as u32));
            }
            Plain => {
                let shape = Shape::of(&spec.config().ok()?);
                let geometry = Geometry::for_shape(case.geometry.bus, &shape);
                let geometry = geometry.with_slots(case.geometry.slots);
                if geometry == case.geometry {
                    return None;
                }
                case.geometry = geometry;
            }
            _ => return None,
        }
        // The last of a kind says it all, but tokens are what every vocabulary left of them.
        let kind = std::mem::discriminant::<Change>;
        case.changes.retain(|c| matches!(c, Vocab(_)) || kind(c) != kind(&change));
        case.changes.push(change);
        Some(case)
    }

    /// What may be tried, the boldest first.
    fn proposals(&self) -> Vec<Change> {
        let (commands, spec) = (self.actions.len(), &self.spec);
        let half = |n: usize| (n / 2).next_multiple_of(32);
        let glu = spec.intermediate.unwrap_or(0);
        let others = [Commands(1), Commands(commands - 1), Calm, Normal, Layers(1), Vocab(2)];
        let halves = [Vocab(spec.vocab / 2), Layers(spec.layers / 2), Expand(spec.expand / 2)];
        let widths = [
            Hidden(32),
            Hidden(half(spec.hidden)),
            Expand(1),
            Intermediate(32),
            Intermediate(half(glu)),
        ];
        others.into_iter().chain(widths).chain(halves).collect()
    }

    /// The words that make this case of the one of its number: `calm,layers=1`.
    pub fn changes(&self) -> String {
        self.changes.iter().map(Change::to_string).collect::<Vec<_>>().join(",")
    }
}

impl Fuzzer {
    /// The smallest variant that was found to fail, too, and why it does; `None` if none was.
    pub fn shrink(&mut self, case: &Case) -> Option<(Case, String)> {
        let mut smallest: Option<(Case, String)> = None;
        loop {
            let now = smallest.as_ref().map_or(case, |(case, _)| case);
            let smaller = now.proposals().into_iter().find_map(|change| {
                let case = now.with(change)?;
                let why = self.run(&case).err()?;
                Some((case, why))
            });
            if smaller.is_none() {
                break;
            }
            smallest = smaller;
        }
        // Last, for it is another core to compile, and other changes would have to follow it.
        let now = smallest.as_ref().map_or(case, |(case, _)| case);
        let plain = now.with(Plain).and_then(|case| Some((self.run(&case).err()?, case)));
        plain.map(|(why, case)| (case, why)).or(smallest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sterna_rtl::random::Rng;

    #[test]
    fn every_variant_is_legal_smaller_and_told_by_its_words() {
        for seed in Case::seeds(9, 200, 25) {
            let mut case = Case::new(seed);
            let rng = &mut Rng::new(seed);
            loop {
                let smaller: Vec<Case> =
                    case.proposals().into_iter().filter_map(|change| case.with(change)).collect();
                let Some(last) = smaller.len().checked_sub(1) else { break };
                case = smaller[rng.below(last as u64 + 1) as usize].clone();
                let shape = Shape::of(&case.spec.config().unwrap());
                case.geometry.fits(&shape).unwrap();
            }
            let spec = &case.spec;
            assert_eq!(
                (spec.hidden, spec.expand, spec.intermediate, spec.layers, spec.vocab),
                (32, 1, Some(32), 1, 2)
            );
            assert_eq!(case.actions.len(), 1);
            let case = case.with(Plain).unwrap_or(case);
            case.geometry.check().unwrap();
            let mut again = Case::new(seed);
            for word in case.changes().split(',').filter(|word| !word.is_empty()) {
                again = again.with(word.parse().unwrap()).unwrap();
            }
            assert_eq!(again.to_string(), case.to_string());
        }
        for word in [
            "",
            "calm=1",
            "normal=0",
            "expand",
            "layers",
            "layers=x",
            "layers=01",
            "depth=1",
            "hidden=-32",
        ] {
            assert!(word.parse::<Change>().is_err(), "{word}");
        }
    }
}
