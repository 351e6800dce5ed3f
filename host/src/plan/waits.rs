//! Where the clocks without a beat are, in an instruction.
//!
//! ```text
//!  last weights'   header  operands                       weights
//!  ------------|   |-|.....|-|...........................|-|-|-|-----------
//!              |     check          result, codes            paced by the codes
//! ```

use sterna_firmware::isa::{Opcode, UNIT, instructions};
use sterna_sim::timing::Clocks;

use super::Plan;

/// An instruction, and the clocks in which it takes no beat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Number in the image.
    pub sequence: usize,
    /// What it does.
    pub opcode: Opcode,
    /// The last beat of the instruction before.
    pub before: u64,
    /// The instruction before has its last result.
    pub result: u64,
    /// The first codes are written; before `before` where nothing waits for them.
    pub codes: u64,
    /// The first beat of weights.
    pub first: u64,
    /// The last beat of the first row group.
    pub group: u64,
    /// Beats of header and operands, which come while the result is awaited.
    pub hidden: u64,
    /// Clocks lost around header and operands.
    pub check: u64,
    /// Clocks lost before the first weights.
    pub wait: u64,
    /// Clocks lost within the first row group, for the codes come more slowly than the weights.
    pub paced: u64,
    /// Clocks lost behind it.
    pub rest: u64,
}

impl Wait {
    /// All clocks without a beat.
    pub fn lost(&self) -> u64 {
        self.check + self.wait + self.paced + self.rest
    }

    /// Whether its codes are made of a result that is not there before.
    pub fn synchronises(&self) -> bool {
        self.codes > self.before
    }
}

/// The layer that is shown: the second, since the first begins with the embedding.
pub fn layer(plan: &Plan) -> usize {
    1.min(plan.shape.layers - 1)
}

/// The matrix instructions of a layer; `beats` is [`Plan::beats`].
pub fn waits(plan: &Plan, beats: &[u64], layer: usize) -> Vec<Wait> {
    let bits = plan.geometry.bus as usize;
    let mut end = 0;
    let mut found = vec![];
    let walk = instructions(&plan.shape);
    for (n, (clocks, of)) in plan.pass.instructions.iter().zip(&walk).enumerate() {
        let begin = end;
        end += clocks.spent.beats as usize;
        if of.layer != layer || matches!(of.opcode, Opcode::Start | Opcode::Head) {
            continue;
        }
        let hidden = (UNIT + of.operands_bytes()) * 8 / bits;
        let row = of.dimensions.1.next_multiple_of(64) * 8 / bits;
        found.push(one(clocks, &plan.pass.instructions[n - 1], beats, [begin, hidden, row, end]));
    }
    found
}

fn one(of: &Clocks, before: &Clocks, beats: &[u64], places: [usize; 4]) -> Wait {
    let [begin, hidden, row, end] = places;
    let (first, group) = (begin + hidden, begin + hidden + row);
    // Between the beat before a range and its last one.
    let lost = |from: usize, to: usize| match to > from {
        true => beats[to - 1] - beats[from - 1] - (to - from) as u64,
        false => 0,
    };
    Wait {
        sequence: of.sequence,
        opcode: of.opcode,
        before: beats[begin - 1],
        result: before.end,
        codes: of.codes.unwrap_or_default(),
        first: beats[first],
        group: beats[group - 1],
        hidden: hidden as u64,
        check: lost(begin, first),
        wait: lost(first, first + 1),
        paced: lost(first + 1, group),
        rest: lost(group, end),
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{RngCore, SeedableRng};
    use sterna_firmware::geometry::Geometry;
    use sterna_firmware::shape::Shape;

    use super::*;
    use crate::plan::Memory;

    /// Every clock of a layer is a beat or lost in one of four ways, and an instruction waits for
    /// a result where its vector is new.
    #[test]
    fn no_clock_is_missing() {
        let seed = std::env::var("STERNA_SEED").map_or(1, |seed| seed.parse().unwrap());
        println!("STERNA_SEED={seed}");
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut below = |most: u32| (random.next_u32() % most) as usize;
        for case in 0..40 {
            let hidden = 32 * (1 + below(12));
            let shape = Shape {
                hidden,
                inner: hidden,
                intermediate: 32 * (1 + below(20)),
                layers: 1 + below(3),
                vocab: 16 + below(500),
            };
            let bus = [64, 128, 256, 512][below(4)];
            let slow = below(2) == 1;
            let memory = Memory {
                latency: 1 + below(200) as u32,
                clock: slow.then_some(100.0),
                bandwidth: slow.then_some(0.3 + below(100) as f64 / 20.0),
            };
            println!("case {case}: {shape:?}, {bus} bits, {memory:?}");
            let plan = Plan::new("", shape, Geometry::for_shape(bus, &shape), memory).unwrap();
            let beats = plan.beats();
            assert_eq!(beats.len() as u64, plan.pass.counters.beats);
            for layer in 0..shape.layers {
                let all = waits(&plan, &beats, layer);
                assert_eq!(all.len(), 6);
                for wait in all {
                    let spent = plan.pass.instructions[wait.sequence].spent;
                    assert_eq!(wait.lost(), spent.cycles - spent.beats, "{wait:?}");
                    assert!(wait.before < wait.first && wait.codes < wait.first, "{wait:?}");
                    let of_last = matches!(
                        wait.opcode,
                        Opcode::MixI | Opcode::MixO | Opcode::Glu | Opcode::Down
                    );
                    assert!(wait.synchronises() || !of_last, "{wait:?}");
                    assert!(!of_last || wait.result < wait.codes, "{wait:?}");
                }
            }
        }
    }
}
