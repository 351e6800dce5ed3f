//! Units of several sequences do to each what a unit of one does.

mod common;

use std::collections::VecDeque;

use common::parts::{lanes, pulse, signed_lanes};
use common::{seed, signed};
use sterna_firmware::trits::{self, ROWS};
use sterna_hdl::core::Elements;
use sterna_hdl::units::{ACC_BITS, RmsNorm, TernaryUnit};
use sterna_rtl::random::Rng;
use sterna_rtl::{Bits, Generate, Interpreter, mutate};

fn interpreter(unit: &impl Generate) -> Interpreter {
    let mut sim = mutate::bench(&unit.build().unwrap());
    sim.reset();
    sim
}

/// Lanes of equal width, the first lowest.
fn joined(parts: &[Bits]) -> Bits {
    parts.iter().cloned().reduce(|low, high| high.concat(&low)).expect("a lane")
}

#[test]
fn codes_of_each_slot_meet_the_same_weights() {
    let rng = &mut Rng::new(seed());
    for (bus, slots) in [(16, 2), (64, 4), (32, 8)] {
        let mut all = interpreter(&TernaryUnit { bus, slots });
        let one = |_| interpreter(&TernaryUnit { bus, slots: 1 });
        let mut ones: Vec<Interpreter> = (0..slots).map(one).collect();
        for _ in 0..300 {
            let byte = |_| i64::from(trits::TABLES.bytes[rng.below(243) as usize]);
            let beat = lanes(8, (0..bus / 8).map(byte));
            let flags = ["valid", "last"].map(|name| (name, u64::from(!rng.one_in(3))));
            let codes: Vec<Bits> = (0..slots).map(|_| rng.bits(bus)).collect();
            let poke = |sim: &mut Interpreter, codes: Bits| {
                sim.poke("beat", beat.clone());
                flags.iter().for_each(|&(name, value)| sim.poke(name, value));
                sim.poke("codes", codes);
            };
            poke(&mut all, joined(&codes));
            for (n, one) in ones.iter_mut().enumerate() {
                poke(one, codes[n].clone());
            }
            for (n, one) in ones.iter_mut().enumerate() {
                assert_eq!(all.u64("sums_valid"), one.u64("sums_valid"));
                assert_eq!(all.u64("bad"), one.u64("bad"));
                if one.u64("sums_valid") == 1 {
                    let width = ROWS as u32 * ACC_BITS;
                    let got = all.peek("sums").slice(width * n as u32, width);
                    assert_eq!(got, one.peek("sums"), "slot {n} of {slots}");
                }
                one.step();
            }
            all.step();
        }
    }
}

#[test]
fn statistics_of_each_slot_are_its_own() {
    let rng = &mut Rng::new(seed());
    for (ways, slots) in [(1, 2), (2, 4), (4, 8)] {
        let mut all = interpreter(&RmsNorm { ways, slots });
        let one = |_| interpreter(&RmsNorm { ways, slots: 1 });
        let mut ones: Vec<Interpreter> = (0..slots).map(one).collect();
        for vector in 0..4 {
            // What is between vectors is longer than the unit.
            for clock in 0..120 {
                let (slot, valid) = (rng.below(slots.into()), clock < 80 && !rng.one_in(4));
                let inputs: Vec<(String, Bits)> = [("value", 32), ("other", 32), ("side", 16)]
                    .into_iter()
                    .chain([("gain_0", 16), ("gain_1", 16), ("gain_2", 16)])
                    .map(|(name, width)| {
                        let values: Vec<i64> = (0..ways)
                            .map(|_| signed(rng, width).max(1 - (1 << (width - 1))))
                            .collect();
                        (name.into(), lanes(width, values))
                    })
                    .collect();
                let poke = |sim: &mut Interpreter, valid: bool| {
                    sim.poke("clear", clock == 0);
                    sim.poke("valid", valid && clock > 0);
                    sim.poke("a_gained", vector % 2 == 0);
                    inputs.iter().for_each(|(name, value)| sim.poke(name, value.clone()));
                };
                poke(&mut all, valid);
                all.poke("slot", slot);
                for (n, one) in ones.iter_mut().enumerate() {
                    poke(one, valid && slot == n as u64);
                    for name in ["a", "b", "max_0", "max_1", "max_2"] {
                        let want = one.peek(name);
                        let width = want.width();
                        let got = all.peek(name).slice(width * n as u32, width);
                        assert_eq!(got, want, "{name} of slot {n} of {slots}, clock {clock}");
                    }
                    one.step();
                }
                all.step();
            }
        }
    }
}

/// The same rows of each slot, a turn at a time, up to the highest that takes part.
#[test]
fn slots_take_turns() {
    let rng = &mut Rng::new(seed());
    for (ways, slots) in [(1, 2), (2, 4), (4, 2), (8, 8)] {
        let mut sim = interpreter(&Elements { ways, slots });
        for case in 0..10 {
            let highest = rng.below(slots.into());
            let rows = 32 * (1 + rng.below(9) as usize);
            let parts = 1 + rng.below(2) as usize;
            let idle = [0, 2, 5][case % 3];
            // Rows of each part and slot, and the groups of them.
            let mut groups: Vec<VecDeque<Bits>> = vec![VecDeque::new(); slots as usize];
            let mut due: VecDeque<i64> = VecDeque::new();
            for _ in 0..parts {
                let all: Vec<Vec<i64>> =
                    (0..=highest).map(|_| (0..rows).map(|_| signed(rng, 22)).collect()).collect();
                for (slot, values) in all.iter().enumerate() {
                    for group in values.chunks(ROWS) {
                        let padding = group.len()..ROWS;
                        let padding = padding.map(|_| signed(rng, 22));
                        groups[slot].push_back(lanes(22, group.iter().copied().chain(padding)));
                    }
                }
                for turn in (0..rows).step_by((Elements::TURN * ways) as usize) {
                    let end = rows.min(turn + (Elements::TURN * ways) as usize);
                    all.iter().for_each(|values| due.extend(&values[turn..end]));
                }
            }
            sim.poke("rows", rows);
            sim.poke("parts", parts);
            sim.poke("single", 0);
            sim.poke("highest", highest);
            pulse(&mut sim, "load");
            let mut clocks = 0;
            let mut may = false;
            while !due.is_empty() {
                clocks += 1;
                assert!(clocks < 40_000, "stuck with {} to come", due.len());
                for (slot, groups) in groups.iter().enumerate() {
                    let offered = groups.front().filter(|_| idle == 0 || !rng.one_in(idle));
                    sim.poke(&format!("group_{slot}_valid"), offered.is_some());
                    let data = offered.cloned().unwrap_or_else(|| rng.bits(110));
                    sim.poke(&format!("group_{slot}_data"), data);
                }
                let might = std::mem::replace(&mut may, idle == 0 || !rng.one_in(idle));
                sim.poke("may", may);
                if sim.u64("take") == 1 {
                    assert!(might, "clock {clocks}");
                    let got = signed_lanes(22, &sim.peek("step"));
                    let want: Vec<i64> = due.drain(..ways as usize).collect();
                    assert_eq!(got, want, "{ways} ways, highest {highest}, clock {clocks}");
                }
                for (slot, groups) in groups.iter_mut().enumerate() {
                    let name = |signal: &str| format!("group_{slot}_{signal}");
                    if sim.u64(&name("valid")) == 1 && sim.u64(&name("ready")) == 1 {
                        groups.pop_front();
                    }
                }
                sim.step();
            }
            assert!(groups.iter().all(VecDeque::is_empty), "groups stay");
            (0..slots).for_each(|slot| sim.poke(&format!("group_{slot}_valid"), 0));
            sim.step();
        }
    }
}
