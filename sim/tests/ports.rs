//! Ports of every layout, in and out, plain and signed.

mod common;

use sterna_rtl::random::Rng;
use sterna_rtl::{Bits, Module, SInt, UInt};
use sterna_sim::{Model, Options, Simulator, Words};

const WIDTHS: [u32; 13] = [1, 8, 9, 16, 31, 32, 33, 63, 64, 65, 128, 512, 1024];

#[test]
fn every_width_passes() {
    let m = Module::new("widths");
    for w in WIDTHS {
        let (u, s) = (m.input(format!("u{w}"), UInt(w)), m.input(format!("s{w}"), SInt(w)));
        m.output(format!("not_u{w}"), UInt(w)).set(!u);
        m.output(format!("twice_s{w}"), SInt(w + 1)).set(s + s);
        m.output(format!("kept_u{w}"), UInt(w)).set(u.register(format!("r{w}")));
    }
    // As the fast models are compiled.
    let options = Options { quick: false, ..common::options() };
    let mut sim = Simulator::build(&m.build().unwrap(), &options).unwrap();
    let mut rng = Rng::new(common::seed());
    for round in 0..40 {
        let values: Vec<[Bits; 2]> = WIDTHS.iter().map(|&w| [rng.bits(w), rng.bits(w)]).collect();
        for (w, [u, s]) in WIDTHS.iter().zip(&values) {
            sim.poke(&format!("u{w}"), u.clone()).unwrap();
            sim.poke(&format!("s{w}"), s.clone()).unwrap();
        }
        for (w, [u, s]) in WIDTHS.iter().zip(&values) {
            assert_eq!(sim.peek(&format!("not_u{w}")).unwrap(), u.not(), "round {round}");
            let twice = s.resize(w + 1, true).shift_left(1);
            assert_eq!(sim.peek(&format!("twice_s{w}")).unwrap(), twice, "round {round}");
        }
        sim.step().unwrap();
        for (w, [u, _]) in WIDTHS.iter().zip(&values) {
            assert_eq!(&sim.peek(&format!("kept_u{w}")).unwrap(), u, "round {round}");
        }
    }
}

#[test]
fn handles_carry_numbers() {
    let m = Module::new("numbers");
    let x = m.input("x", SInt(8));
    m.output("y", SInt(9)).set(-x);
    let wide = m.input("wide", UInt(100));
    m.output("high", UInt(128)).set(wide.extend(128).wrapping_shl(m.lit(UInt(5), 28)));
    let flag = m.input("flag", UInt(1));
    m.output("not_flag", UInt(1)).set(!flag);
    let mut sim = Simulator::build(&m.build().unwrap(), &common::options()).unwrap();

    let (x, y) = (sim.input::<i64>("x").unwrap(), sim.output::<i128>("y").unwrap());
    for value in [-128, -1, 0, 1, 127] {
        sim.set(x, value).unwrap();
        assert_eq!(sim.get(y).unwrap(), i128::from(-value));
    }
    let (wide, high) = (sim.input::<u128>("wide").unwrap(), sim.output::<u128>("high").unwrap());
    sim.set(wide, (1 << 100) - 3).unwrap();
    assert_eq!(sim.get(high).unwrap(), ((1 << 100) - 3) << 28);
    let (flag, not) = (sim.input("flag").unwrap(), sim.output::<bool>("not_flag").unwrap());
    sim.set(flag, true).unwrap();
    assert!(!sim.get(not).unwrap());
    let words = sim.output::<Words>("high").unwrap();
    let mut four = [0; 4];
    sim.get_words(words, &mut four).unwrap();
    assert_eq!(four, [0xd000_0000, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff]);
}

/// One is deleted while the other runs, which goes to another thread.
#[test]
fn instances_are_independent() {
    let m = Module::new("independent");
    let count = m.reg("count", UInt(40)).reset(7);
    count.set(count.wrapping_add(1));
    m.output("value", UInt(40)).set(count);
    let design = m.build().unwrap();
    let model = Model::build(&design, &common::options()).unwrap();
    let (mut a, mut b) = (model.simulator().unwrap(), model.simulator().unwrap());
    drop(model);
    let value = a.output::<u64>("value").unwrap();
    a.reset().unwrap();
    a.steps(5).unwrap();
    b.reset().unwrap();
    b.step().unwrap();
    assert_eq!((a.get(value).unwrap(), b.get(value).unwrap()), (12, 8));
    drop(a);
    let b = std::thread::spawn(move || {
        b.steps(1000).unwrap();
        b
    });
    assert_eq!(b.join().unwrap().get(value).unwrap(), 1008);
}
