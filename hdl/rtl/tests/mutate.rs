//! Faults that an input chooses: what rests is as it was, what is at work differs, and a bench that
//! looks at too little is found out.

use sterna_rtl::mutate::INPUT;
use sterna_rtl::random::{self, Rng};
use sterna_rtl::{Design, Direction, Interpreter, Module, SInt, UInt};

/// Adds to or subtracts from a number, and counts how often.
fn design() -> Design {
    let m = Module::new("tally");
    let (add, minus) = (m.input("add", UInt(1)), m.input("minus", UInt(1)));
    let by = m.input("by", SInt(8));
    let (sum, count) = (m.reg("sum", SInt(9)).reset(0), m.reg("count", UInt(4)).reset(0));
    m.when(add, || {
        let change = minus.mux(sum.wrapping_sub(by), sum.wrapping_add(by));
        sum.set(change);
        count.set(count.wrapping_add(1));
    });
    m.output("total", SInt(9)).set(sum);
    m.output("times", UInt(4)).set(count);
    m.build().unwrap()
}

/// Random clocks of the mutated design beside the sound one; whether an output was seen to differ.
fn notices(sound: &Design, mutated: &Design, number: u64, looks_at: &[&str]) -> bool {
    let (mut sound, mut faulty) = (Interpreter::new(sound), Interpreter::new(mutated));
    faulty.poke(INPUT, number);
    let mut rng = Rng::new(7);
    for clock in 0..200u64 {
        let by = rng.bits(8).to_i64();
        let inputs = [("add", rng.below(2)), ("minus", rng.below(2)), ("rst", (clock < 2).into())];
        for sim in [&mut sound, &mut faulty] {
            inputs.iter().for_each(|(name, value)| sim.poke(name, *value));
            sim.poke("by", by);
        }
        if clock > 1 && looks_at.iter().any(|name| sound.peek(name) != faulty.peek(name)) {
            return true;
        }
        sound.step();
        faulty.step();
    }
    false
}

#[test]
fn every_fault_is_noticed_by_who_looks_at_everything() {
    let sound = design();
    let mutants = sound.mutants("tally", 200, 1);
    let mutated = sound.mutated(&mutants).unwrap();
    let missed = |looks_at: &[&str]| -> Vec<String> {
        let missed = |n: &usize| !notices(&sound, &mutated, *n as u64 + 1, looks_at);
        (0..mutants.len()).filter(missed).map(|n| mutants[n].to_string()).collect()
    };
    let all: Vec<String> = mutants.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!("mutants", all.join("\n"));
    assert!(!notices(&sound, &mutated, 0, &["total", "times"]), "all at rest");
    assert_eq!(missed(&["total", "times"]), [""; 0]);
    // Who does not look at the count misses what is wrong with it, and nothing else.
    let weak = missed(&["total"]);
    let counts = |said: &String| said.contains("count") || said.contains("mutate.rs:17");
    assert!(weak.len() > 5 && weak.iter().all(counts), "{weak:#?}");
}

/// Faults of every operator there is can be built, are chosen alike each time, and rest.
#[test]
fn random_modules() {
    // What some of them compute does not come out.
    let mut seen = 0;
    for seed in 0..20 {
        let sound = random::design(seed, 70).unwrap();
        let mutants = sound.mutants(&sound.top, 300, seed);
        assert!(mutants.len() > 20, "{}", mutants.len());
        let again = sound.mutants(&sound.top, 300, seed);
        assert!(mutants.iter().map(ToString::to_string).eq(again.iter().map(ToString::to_string)));
        let mutated = sound.mutated(&mutants).unwrap();
        let (mut one, mut other) = (Interpreter::new(&sound), Interpreter::new(&mutated));
        let mut differ = 0;
        let mut rng = Rng::new(seed);
        for clock in 0..60 {
            let at_work = if clock < 30 { 0 } else { 1 + rng.below(mutants.len() as u64) };
            other.poke(INPUT, at_work);
            for port in sound.ports.iter().filter(|p| p.direction == Direction::Input) {
                if port.name == "clk" {
                    continue;
                }
                let value = rng.bits(port.width);
                one.poke(&port.name, value.clone());
                other.poke(&port.name, value);
            }
            for port in sound.ports.iter().filter(|p| p.direction == Direction::Output) {
                let same = one.peek(&port.name) == other.peek(&port.name);
                assert!(same || at_work > 0, "{} in clock {clock} of seed {seed}", port.name);
                differ += usize::from(!same);
            }
            let _ = (one.try_step(), other.try_step());
        }
        seen += usize::from(differ > 0);
    }
    assert!(seen > 10, "{seen} of 20");
}
