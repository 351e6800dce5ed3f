//! Checksums, division, roots, tables, arbitration: against plain Rust.

use sterna_rtl::parts::{Crc32c, Divider, InverseRoot, Isqrt, LinearTable, RoundRobin};
use sterna_rtl::random::Rng;
use sterna_rtl::{Generate, Interpreter, SInt, UInt, mutate};

#[test]
fn crc32c() {
    for width in [8, 64, 128, 256, 512] {
        let mut sim = mutate::bench(&Crc32c { width }.build().unwrap());
        sim.reset();
        let mut rng = Rng::new(u64::from(width));
        let mut bytes: Vec<u8> = vec![];
        let mut expected = vec![];
        for cycle in 0..300usize {
            let (valid, first) = (cycle == 0 || !rng.one_in(3), cycle == 0 || rng.one_in(9));
            let data = rng.bits(width);
            sim.poke("valid", valid);
            sim.poke("first", first);
            sim.poke("data", data.clone());
            if valid {
                if first {
                    bytes.clear();
                }
                bytes.extend((0..width / 8).map(|i| data.slice(8 * i, 8).to_u64() as u8));
            }
            expected.push((valid, u64::from(crc32c::crc32c(&bytes))));
            // Behind the reset nothing is valid before the first beat is through.
            let due = cycle.checked_sub(2).map(|cycle| expected[cycle]);
            let valid = due.is_some_and(|(valid, _)| valid);
            assert_eq!(sim.u64("crc_valid"), u64::from(valid), "cycle {cycle}");
            if let Some((_, crc)) = due {
                assert_eq!(sim.u64("crc"), crc, "width {width}, cycle {cycle}");
            }
            sim.step();
        }
    }
    insta::assert_snapshot!("crc32c", Crc32c { width: 8 }.build().unwrap().verilog());
}

/// Starts a unit, disturbs its inputs meanwhile, and counts the clocks until it is done.
fn run(sim: &mut Interpreter, inputs: &[(&str, u64)]) -> u32 {
    sim.poke("start", 1);
    inputs.iter().for_each(|(name, value)| sim.poke(name, *value));
    let mut clocks = 0;
    while clocks == 0 || sim.u64("done") == 0 {
        assert_eq!(sim.u64("busy"), u64::from(clocks > 0));
        sim.step();
        clocks += 1;
        inputs.iter().for_each(|(name, _)| sim.poke(name, 1));
        sim.poke("start", clocks % 2);
    }
    sim.poke("start", 0);
    clocks
}

#[test]
fn divider() {
    let small = Divider { num: 6, den: 4 };
    let mut sim = mutate::bench(&small.build().unwrap());
    sim.reset();
    for num in 0..64u64 {
        for den in 0..16 {
            assert_eq!(run(&mut sim, &[("num", num), ("den", den)]), small.latency());
            let quotient = num.checked_div(den).unwrap_or(63);
            assert_eq!(sim.u64("quotient"), quotient, "{num} / {den}");
            if den > 0 {
                assert_eq!(sim.u64("remainder"), num % den, "{num} / {den}");
            }
        }
    }
    for (num, den) in [(1, 1), (40, 24), (48, 24), (17, 30), (64, 1), (64, 64)] {
        let unit = Divider { num, den };
        let mut sim = mutate::bench(&unit.build().unwrap());
        sim.reset();
        let mut rng = Rng::new(u64::from(num));
        for _ in 0..100 {
            let (a, b) = (rng.bits(num).to_u64(), rng.bits(den).to_u64().max(1));
            assert_eq!(run(&mut sim, &[("num", a), ("den", b)]), unit.latency());
            // The results stand until the next start.
            for clock in 0..3 {
                let got = (sim.u64("quotient"), sim.u64("remainder"));
                assert_eq!(got, (a / b, a % b), "{a} / {b}, {clock} clocks later");
                sim.step();
            }
        }
    }
    insta::assert_snapshot!("divider", Divider { num: 40, den: 24 }.build().unwrap().verilog());
}

#[test]
fn isqrt() {
    for width in [1, 2, 3, 12, 13] {
        let unit = Isqrt { width };
        let mut sim = mutate::bench(&unit.build().unwrap());
        sim.reset();
        for x in 0..1u64 << width {
            assert_eq!(run(&mut sim, &[("x", x)]), unit.latency());
            let root = x.isqrt();
            assert_eq!((sim.u64("root"), sim.u64("rest")), (root, x - root * root), "sqrt {x}");
        }
    }
    for width in [47, 48, 64] {
        let mut sim = mutate::bench(&Isqrt { width }.build().unwrap());
        sim.reset();
        let mut rng = Rng::new(u64::from(width));
        for _ in 0..200 {
            let x = rng.bits(width).to_u64();
            run(&mut sim, &[("x", x)]);
            let root = x.isqrt();
            for clock in 0..3 {
                let got = (sim.u64("root"), sim.u64("rest"));
                assert_eq!(got, (root, x - root * root), "sqrt {x}, {clock} clocks later");
                sim.step();
            }
        }
    }
    insta::assert_snapshot!("isqrt", Isqrt { width: 32 }.build().unwrap().verilog());
}

#[test]
fn inverse_root() {
    let check = |sim: &mut Interpreter, unit: InverseRoot, mant: u64, odd: u64| {
        let clocks = run(sim, &[("mant", mant), ("odd", odd)]);
        assert_eq!(clocks, unit.latency());
        let root = (mant << (u64::from(unit.width) - odd)).isqrt();
        let inverse = (1 << (2 * unit.width - 1)) / root;
        assert_eq!((sim.u64("root"), sim.u64("inverse")), (root, inverse), "{mant}, odd {odd}");
    };
    for width in [1, 2, 5, 9, 24] {
        let unit = InverseRoot { width };
        let mut sim = mutate::bench(&unit.build().unwrap());
        sim.reset();
        let top = 1u64 << (width - 1);
        let mut rng = Rng::new(u64::from(width));
        let some: Vec<u64> = match width {
            24 => {
                // One below a square, of either exponent, and the ends.
                let corners = [top + 2, 2 * top - 2, top, 2 * top - 1];
                (0..200).map(|_| rng.bits(23).to_u64() | top).chain(corners).collect()
            }
            _ => (top..2 * top).collect(),
        };
        for mant in some {
            check(&mut sim, unit, mant, 0);
            check(&mut sim, unit, mant, 1);
        }
    }
    let design = InverseRoot { width: 24 }.build().unwrap();
    insta::assert_snapshot!("inverse_root", design.file(&design.top).unwrap());
}

#[test]
fn linear_table() {
    let sigmoid = |i: usize| (65536.0 / (1.0 + (4.0 - i as f64 / 2.0).exp())).round() as i64;
    let falling = |i: usize| 100 - 25 * i as i64 - i64::from(i == 3);
    let tables = [
        LinearTable::of("sigmoid", 4, 5, UInt(17), sigmoid),
        LinearTable::of("falling", 3, 1, SInt(8), falling),
        LinearTable::of("flat", 1, 8, UInt(1), |_| 1),
    ];
    for table in &tables {
        let mut sim = mutate::bench(&table.build().unwrap());
        sim.reset();
        let all = 1u64 << (table.index + table.fraction);
        let late = u64::from(LinearTable::LATENCY);
        for cycle in 0..all + late {
            sim.poke("x", cycle % all);
            sim.poke("valid", cycle % 3 == 0);
            if cycle >= late {
                let y = sim.peek("y");
                let y = if table.ty.is_signed() { y.to_i64() } else { y.to_u64() as i64 };
                assert_eq!(y, table.eval(cycle - late), "{} of {}", table.name(), cycle - late);
                assert_eq!(sim.u64("y_valid") == 1, (cycle - late) % 3 == 0);
            }
            sim.step();
        }
    }
    insta::assert_snapshot!("linear_table", tables[1].build().unwrap().verilog());
}

#[test]
fn round_robin() {
    for count in [2, 3, 4, 8] {
        let mut sim = mutate::bench(&RoundRobin { count }.build().unwrap());
        sim.reset();
        let mut rng = Rng::new(u64::from(count));
        let mut last = count - 1;
        for _ in 0..2000 {
            let (request, take) = (rng.bits(count), rng.one_in(2));
            sim.poke("request", request.clone());
            sim.poke("take", take);
            let turn = (1..=count).map(|n| (last + n) % count);
            let chosen = turn.clone().find(|&i| request.bit(i));
            assert_eq!(sim.u64("grant"), chosen.map_or(0, |i| 1 << i), "{request} after {last}");
            if take {
                last = chosen.unwrap_or(last);
            }
            sim.step();
        }
    }
    insta::assert_snapshot!("round_robin", RoundRobin { count: 4 }.build().unwrap().verilog());
}
