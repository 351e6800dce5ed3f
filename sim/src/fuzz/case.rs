//! A case: a core, a model, a memory, commands, all by one number.

use std::fmt;

use sterna_firmware::geometry::Geometry;
use sterna_firmware::shape::Shape;
use sterna_model::config::{MAX_LAYERS, MAX_VOCAB};
use sterna_model::numerics::formats::COLUMNS_MAX;
use sterna_model::synth::{Channels, SynthSpec, Weights};
use sterna_rtl::random::Rng;

use super::action::Action;
use super::shrink::Change;
use crate::memory::{MemoryOptions, Stalls};

/// Numbers of one geometry.
const SHARED: u64 = 1 << 16;
/// Bits of codes that a beat meets at most: what takes a C++ compiler a minute, not several.
const WIDEST: u32 = 1024;
/// The least of every width.
const LEAST: usize = 32;
/// The widest residual stream of a model: one of [`COLUMNS_MAX`] has 10⁹ weights in a layer. The
/// other widths, layers and vocabulary go to their ends.
const HIDDEN: usize = 320;
/// Weights of a model that runs for many tokens.
const LIGHT: u64 = 200_000;

/// One case.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its number.
    pub seed: u64,
    /// The core.
    pub geometry: Geometry,
    /// The model.
    pub spec: SynthSpec,
    /// The memory.
    pub memory: MemoryOptions,
    /// How the port of the registers pauses.
    pub registers: Stalls,
    pub(super) actions: Vec<Action>,
    /// What makes it smaller than the case of its number.
    pub(super) changes: Vec<Change>,
}

fn choose<T: Copy>(rng: &mut Rng, of: &[T]) -> T {
    of[rng.below(of.len() as u64) as usize]
}

/// A multiple of 32 up to `most`, in one case of three that itself, in one of six the least.
fn width(rng: &mut Rng, most: usize) -> usize {
    match rng.below(6) {
        0 | 1 => most,
        2 => LEAST,
        _ => 32 * (1 + rng.below(most as u64 / 32) as usize),
    }
}

/// What a core has room for: hidden, inner, intermediate, state.
fn room(rng: &mut Rng) -> [usize; 4] {
    let hidden = width(rng, HIDDEN);
    let inner = hidden * choose(rng, &[1, 1, 2]);
    let intermediate = 32 * (1 + rng.below(16) as usize);
    let state = inner * (1 + rng.below(3) as usize) + 32 * rng.below(3) as usize;
    match rng.below(10) {
        0 => [LEAST; 4],
        1 => [LEAST, COLUMNS_MAX, intermediate, COLUMNS_MAX],
        2 => [hidden, inner, COLUMNS_MAX, state],
        3 => [LEAST, LEAST, intermediate, LEAST * MAX_LAYERS as usize],
        4 => [COLUMNS_MAX, COLUMNS_MAX, COLUMNS_MAX, COLUMNS_MAX * MAX_LAYERS as usize],
        _ => [hidden, inner, intermediate, state],
    }
}

fn geometry(seed: u64) -> Geometry {
    let rng = &mut Rng::new(Rng::new(seed ^ 0x6765_6f6d).next_u64());
    let bus = choose(rng, &[64, 128, 256, 512]);
    let ways: Vec<u32> = [1, 2, 4, 8].into_iter().filter(|&n| n <= bus / 32).collect();
    let [hidden, inner, intermediate, state] = room(rng);
    let burst = (4096 / (bus as usize / 8)).min(256);
    let ways = choose(rng, &ways);
    let legal = |&n: &u32| (ways..=bus / 8).contains(&n);
    let slots: Vec<u32> = [1, 1, 1, 2, 4, 8].into_iter().filter(|&n| n * bus <= WIDEST).collect();
    let quantisers: Vec<u32> = [2, 4, 8, 16, 32].into_iter().filter(legal).collect();
    let (quantisers, top_k) = (choose(rng, &quantisers), choose(rng, &[1, 8, 64]));
    let (prefetch, slots) = (burst << rng.below(3), choose(rng, &slots));
    Geometry { bus, ways, quantisers, top_k, slots, hidden, inner, intermediate, state, prefetch }
}

/// A model that fits.
fn model(rng: &mut Rng, geometry: &Geometry) -> SynthSpec {
    let longest = rng.one_in(400);
    let hidden = if longest { LEAST } else { width(rng, geometry.hidden.min(HIDDEN)) };
    let most = geometry.inner / hidden;
    let expand = match rng.below(4) {
        // A recurrence that is wide beside a wide stream would take minutes.
        0 if hidden <= 64 => most,
        0 | 1 => most.min(2),
        _ => 1,
    };
    let inner = hidden * expand;
    let room = geometry.state / inner;
    let layers = match rng.below(8) {
        0 if hidden * inner <= 64 * 64 => room.min(MAX_LAYERS as usize),
        _ => 1 + rng.below(room.min(3) as u64) as usize,
    };
    let intermediate = match layers {
        // Nor should many layers have a GLU each that is wide.
        0..4 => width(rng, geometry.intermediate),
        _ => width(rng, geometry.intermediate.min(64)),
    };
    let divides: Vec<usize> = [1, 2, 4].into_iter().filter(|&n| inner.is_multiple_of(n)).collect();
    let vocab = match rng.below(16) {
        _ if longest => MAX_VOCAB as usize,
        0 => 2,
        _ => 2 + rng.below(700) as usize,
    };
    let kinds = [Weights::Minus, Weights::Zero, Weights::Plus, Weights::Dense, Weights::Sparse];
    SynthSpec {
        expand,
        intermediate: Some(intermediate),
        heads: choose(rng, &divides),
        eps: choose(rng, &[1e-6, 1e-5, 1e-3]),
        lower_bounds: expand == 1 && !rng.one_in(3),
        seed: rng.next_u64(),
        weights: match rng.below(8) {
            0..3 => Weights::Normal,
            3 => Weights::Mixed,
            _ => choose(rng, &kinds),
        },
        channels: match rng.below(12) {
            0..4 => Channels::Outliers,
            4 => Channels::Lone,
            5 => Channels::Zero,
            _ => Channels::Even,
        },
        ..SynthSpec::new(hidden, layers, vocab)
    }
}

const STALLS: [Stalls; 4] = [Stalls::None, Stalls::Random, Stalls::Burst, Stalls::Mixed];

impl Case {
    /// The numbers of so many cases on so many cores, core by core, as many on each as on others,
    /// or one fewer on the last ones.
    pub fn seeds(seed: u64, cases: u64, cores: u64) -> impl Iterator<Item = u64> {
        let (first, cores) = (Rng::new(seed).next_u64() >> 32, cores.clamp(1, cases.max(1)));
        (0..cores).flat_map(move |core| {
            let here = cases / cores + u64::from(core < cases % cores);
            (0..here).map(move |n| (first + core) * SHARED + n)
        })
    }

    /// The case of a number.
    pub fn new(seed: u64) -> Case {
        Case::on(geometry(seed / SHARED), seed)
    }

    /// The case of a number on a core of one's own, on which no number replays it.
    pub fn on(geometry: Geometry, seed: u64) -> Case {
        let rng = &mut Rng::new(Rng::new(seed).next_u64());
        let spec = model(rng, &geometry);
        let memory = MemoryOptions {
            bytes: 1 << 28,
            latency: 1 + rng.below(100) as u32,
            stalls: choose(rng, &STALLS),
            seed: rng.next_u64(),
        };
        let registers = choose(rng, &STALLS);
        let weights = spec.config().map(|config| Shape::of(&config).weights());
        let light = weights.is_ok_and(|weights| weights <= LIGHT);
        let actions = Action::of(rng, spec.vocab as u32, geometry.slots as usize, light);
        Case { seed, geometry, spec, memory, registers, actions, changes: vec![] }
    }
}

/// One line: what to reproduce it by hand from.
impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (g, s, m) = (&self.geometry, &self.spec, &self.memory);
        write!(
            f,
            "case {}: bus {}, slots {}, ways {}, quantisers {}, top_k {}, prefetch {}, \
             room {} x {} x {} and {}; model {} x {} x {:?}, {} layers, {} tokens{}, weights {:?}, \
             channels {:?}; {:?}, latency {}, registers {:?}; {:?}",
            self.seed,
            g.bus,
            g.slots,
            g.ways,
            g.quantisers,
            g.top_k,
            g.prefetch,
            g.hidden,
            g.inner,
            g.intermediate,
            g.state,
            s.hidden,
            s.hidden * s.expand,
            s.intermediate.unwrap_or_default(),
            s.layers,
            s.vocab,
            if s.lower_bounds { ", lower bounds" } else { "" },
            s.weights,
            s.channels,
            m.stalls,
            m.latency,
            self.registers,
            self.actions
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::session::{Interrupt, Under};

    #[test]
    fn every_case_is_legal_and_the_same_again() {
        let mut kinds = BTreeSet::new();
        for seed in Case::seeds(3, 800, 100) {
            let case = Case::new(seed);
            case.geometry.check().unwrap();
            let shape = Shape::of(&case.spec.config().unwrap());
            case.geometry.fits(&shape).unwrap();
            assert_eq!(case.to_string(), Case::new(seed).to_string());
            assert_eq!(case.geometry, Case::new(seed - seed % SHARED).geometry);
            let depth = (case.spec.expand.min(3), case.spec.layers.min(4));
            kinds.insert((case.geometry.bus, depth));
        }
        for bus in [64, 128, 256, 512] {
            for (expand, layers) in [(1, 1), (1, 2), (1, 3), (1, 4), (2, 1), (2, 2), (3, 1)] {
                assert!(kinds.contains(&(bus, (expand, layers))), "{bus} {expand} {layers}");
            }
        }
    }

    #[test]
    fn numbers_are_spread_over_cores() {
        let cores = |cases, cores| {
            let mut counts = std::collections::BTreeMap::new();
            for seed in Case::seeds(7, cases, cores) {
                *counts.entry(seed / SHARED).or_insert(0) += 1;
            }
            counts.into_values().collect::<Vec<_>>()
        };
        assert_eq!(cores(50, 4), [13, 13, 12, 12]);
        assert_eq!(cores(3, 8), [1, 1, 1]);
        assert_eq!(cores(0, 2), [0; 0]);
        assert_eq!(Case::seeds(7, 2, 1).next(), Case::seeds(7, 900, 30).next());
    }

    /// Everything that the fuzzer is to try is tried, among as many cases as a long run has.
    #[test]
    fn every_class_and_every_end_is_there() {
        let mut seen = BTreeSet::new();
        for seed in Case::seeds(1, 2000, 50) {
            let Case { geometry: g, spec, memory, registers, actions, .. } = Case::new(seed);
            let mut note = |what: &str| seen.insert(what.to_string());
            for (name, n) in [
                ("hidden", g.hidden),
                ("inner", g.inner),
                ("intermediate", g.intermediate),
                ("state", g.state),
            ] {
                note(&format!("room for {name} {n}"));
            }
            note(&format!("bus {}", g.bus));
            note(&format!("slots {}", g.slots));
            note(&format!("ways {}", g.ways));
            note(&format!("quantisers {}", g.quantisers));
            note(&format!("top_k {}", g.top_k));
            let burst = (4096 / (g.bus as usize / 8)).min(256);
            note(&format!("prefetch {} bursts", g.prefetch / burst));
            note(&format!("hidden {}", spec.hidden));
            note(&format!("inner {}", spec.hidden * spec.expand));
            note(&format!("intermediate {}", spec.intermediate.unwrap()));
            note(&format!("layers {}", spec.layers));
            note(&format!("vocab {}", spec.vocab));
            note(&format!("vocab of {} mod 5", spec.vocab % 5));
            note(&format!("intermediate of {} mod 5", spec.intermediate.unwrap() % 5));
            note(&format!("weights {:?}", spec.weights));
            note(&format!("channels {:?}", spec.channels));
            note(&format!("lower bounds {}", spec.lower_bounds));
            note(&format!("memory {:?}", memory.stalls));
            note(&format!("registers {registers:?}"));
            for action in actions {
                note(&match action {
                    Action::Pass(want, token) => format!("pass {want:?} {}", token.is_some()),
                    Action::Run(count, stops) => {
                        format!("run {} {}", count > 8, stops.len())
                    }
                    Action::SaveAndLoad => "save and load".into(),
                    Action::Batch(of) => {
                        format!("batch {:?} {} {}", of.want, of.chain, of.count > 8)
                    }
                    Action::Move(from, to) => format!("move {}", from == to),
                    Action::Clear(_) => "clear".into(),
                    Action::Reset(Interrupt { under, pin, .. }) => match under {
                        Under::Run(_) => format!("reset in a run, pin {pin}"),
                        Under::Save(_) => format!("reset in a save, pin {pin}"),
                        Under::Load(_) => format!("reset in a load, pin {pin}"),
                    },
                });
            }
        }
        let expected = "room for hidden 32|room for hidden 16384|room for inner 32|\
            room for inner 16384|room for intermediate 32|room for intermediate 16384|\
            room for state 32|room for state 8388608|bus 64|bus 128|bus 256|bus 512|slots 1|\
            slots 2|slots 4|slots 8|ways 1|ways 2|ways 4|ways 8|quantisers 2|quantisers 4|\
            quantisers 8|quantisers 16|quantisers 32|top_k 1|top_k 8|top_k 64|\
            prefetch 1 bursts|prefetch 2 bursts|prefetch 4 bursts|hidden 32|hidden 320|inner 32|\
            inner 16384|intermediate 32|intermediate 16384|layers 1|layers 512|vocab 2|\
            vocab 1048576|vocab of 0 mod 5|vocab of 1 mod 5|vocab of 2 mod 5|vocab of 3 mod 5|\
            vocab of 4 mod 5|intermediate of 1 mod 5|intermediate of 2 mod 5|\
            intermediate of 3 mod 5|intermediate of 4 mod 5|weights Normal|weights Minus|\
            weights Zero|weights Plus|weights Dense|weights Sparse|weights Mixed|channels Even|\
            channels Outliers|channels Lone|channels Zero|lower bounds true|lower bounds false|\
            memory None|memory Random|memory Burst|memory Mixed|registers None|\
            registers Random|registers Burst|registers Mixed|pass Top true|pass Top false|\
            pass Logits false|pass State true|run true 0|run false 4|save and load|\
            batch Top false false|batch Top false true|batch Top true false|\
            batch Logits true false|batch State false false|move true|move false|clear|\
            reset in a run, pin true|reset in a run, pin false|reset in a save, pin true|\
            reset in a save, pin false|reset in a load, pin true|reset in a load, pin false";
        let missing: Vec<&str> = expected.split('|').filter(|&what| !seen.contains(what)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
