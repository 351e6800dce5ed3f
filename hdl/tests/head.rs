//! The best tokens of a vocabulary against a sort.

mod common;

use common::{seed, signed, unsigned};
use sterna_hdl::units::TopK;
use sterna_rtl::random::Rng;
use sterna_rtl::{Generate, Interpreter, mutate};

/// What the unit says is best.
fn best(sim: &mut Interpreter) -> Option<(i64, u64)> {
    (sim.u64("best_valid") == 1).then(|| (sim.i64("best_acc"), sim.u64("best_token")))
}

fn pulse(sim: &mut Interpreter, name: &str) {
    sim.poke(name, 1);
    sim.step();
    sim.poke(name, 0);
}

/// Candidates into a cleared list, the best looked at after each, and all of them read out.
fn list(sim: &mut Interpreter, rng: &mut Rng, k: u32, accs: &[i64], idle: u64) {
    pulse(sim, "clear");
    // The best of all candidates up to each of the last clocks.
    let mut history = vec![None; TopK::LATENCY as usize];
    let check = |sim: &mut Interpreter, history: &[Option<(i64, u64)>]| {
        let want = history[history.len() - TopK::LATENCY as usize];
        assert_eq!(best(sim), want, "k {k}, cycle {}", sim.cycle());
    };
    for (token, &acc) in accs.iter().enumerate() {
        let mut top: Option<(i64, u64)> = *history.last().expect("history");
        while idle > 0 && rng.one_in(idle) {
            sim.poke("valid", 0);
            sim.poke("acc", signed(rng, 22));
            sim.poke("token", rng.below(1 << 20));
            sim.step();
            history.push(top);
            check(sim, &history);
        }
        sim.poke("valid", 1);
        sim.poke("acc", acc);
        sim.poke("token", token);
        sim.step();
        sim.poke("valid", 0);
        if top.is_none_or(|(most, _)| acc > most) {
            top = Some((acc, token as u64));
        }
        history.push(top);
        check(sim, &history);
    }
    for _ in 1..TopK::LATENCY + TopK::SETTLES {
        sim.step();
    }
    let mut order: Vec<(i64, u64)> = accs.iter().copied().zip(0..).collect();
    order.sort_by_key(|&(acc, token)| (-acc, token));
    order.truncate(k as usize);
    for &want in &order {
        assert_eq!(best(sim), Some(want), "k {k}, {} candidates", accs.len());
        if rng.one_in(3) {
            sim.step();
        }
        pulse(sim, "shift");
        let next = best(sim);
        sim.step();
        assert_eq!(best(sim), next, "it stays");
    }
    assert_eq!(best(sim), None, "nothing is left");
}

#[test]
fn top_k() {
    let mut rng = Rng::new(seed());
    for k in [1, 8, 64] {
        let mut sim = mutate::bench(&TopK { k }.build().unwrap());
        sim.reset();
        assert_eq!(best(&mut sim), None);
        for turn in 0..20 {
            let count = [1, 2, k as usize, 3 * k as usize, 150][turn % 5];
            // Few values, so that many are equal; rising, falling, or anything.
            let accs: Vec<i64> = (0..count as i64)
                .map(|n| match turn / 5 {
                    0 => rng.below(7) as i64 - 3,
                    1 => n,
                    2 => -n,
                    _ => signed(&mut rng, 22),
                })
                .collect();
            list(&mut sim, &mut rng, k, &accs, [0, 3][turn % 2]);
        }
        // Cleared in the middle: what was before is not seen again.
        pulse(&mut sim, "clear");
        sim.poke("valid", 1);
        sim.poke("acc", (1 << 21) - 1);
        sim.step();
        sim.poke("valid", 0);
        (1..TopK::LATENCY).for_each(|_| sim.step());
        list(&mut sim, &mut rng, k, &[-(1 << 21), 5, 5], 0);
    }
    insta::assert_snapshot!("top_k", TopK { k: 2 }.build().unwrap().verilog());
}

/// Candidates that agree in some of the thirds in which they are compared, many of them at once.
#[test]
fn candidates_that_agree_in_part() {
    let mut rng = Rng::new(seed());
    let mut sim = mutate::bench(&TopK { k: 8 }.build().unwrap());
    sim.reset();
    for turn in 0..60 {
        let thirds: [[u64; 3]; 3] =
            [8, 7, 7].map(|width| std::array::from_fn(|_| unsigned(&mut rng, width)));
        let accs: Vec<i64> = (0..8 + turn / 2)
            .map(|_| {
                let [top, middle, low] = thirds.map(|of| of[rng.below(3) as usize]);
                i64::from(top as i8) << 14 | (middle << 7 | low) as i64
            })
            .collect();
        list(&mut sim, &mut rng, 8, &accs, [0, 0, 3][turn % 3]);
    }
}

/// At once behind some that are better, so many, each is better than the one before it.
#[test]
fn candidates_that_rise_below_the_best() {
    let mut rng = Rng::new(seed());
    let mut sim = mutate::bench(&TopK { k: 8 }.build().unwrap());
    sim.reset();
    for better in 0..=8 {
        let accs: Vec<i64> = (0..better).map(|n| 100 - n).chain(0..12).collect();
        list(&mut sim, &mut rng, 8, &accs, 0);
    }
}
