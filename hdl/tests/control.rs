//! Commands, passes, faults and counters, with an engine that only says what an engine would.

mod common;

use std::collections::BTreeMap;

use common::engine::{Bench, LEVELS, RESULT, SHAPE, STATE_UNITS};
use common::parts::geometry;
use sterna_hdl::core::Control;
use sterna_hdl::fault::Fault;
use sterna_hdl::record;
use sterna_hdl::registers::command::{CLEAR, LOAD, RESET, RUN, SAVE};
use sterna_hdl::registers::{STOP_VALID, mode, status};
use sterna_rtl::Generate;

/// What each command asks of the registers.
#[test]
fn legal_commands() {
    let mut bench = Bench::new();
    bench.done(CLEAR);
    let illegal: [(u32, &[(&str, u64)]); 22] = [
        (RUN, &[("count", 0)]),
        (RUN, &[("slot_mask", 0)]),
        (RUN, &[("slot_mask", 2)]),
        (RUN, &[("slot_mask", 3)]),
        (RUN, &[("slot_mask", 0x81)]),
        (RUN, &[("image_units", 0)]),
        (RUN, &[("row_units", 0)]),
        (RUN, &[("row_units", 1)]),
        (RUN, &[("mode", 1), ("count", 2)]),
        (RUN, &[("mode", 3), ("count", 0)]),
        (RUN, &[("mode", 4), ("count", 2)]),
        (SAVE, &[("state_units", 0)]),
        (SAVE, &[("state_units", STATE_UNITS + 1)]),
        (LOAD, &[("state_units", 0)]),
        (LOAD, &[("state_units", STATE_UNITS + 1)]),
        (LOAD, &[("state_units", (1 << 19) - 1)]),
        (CLEAR, &[("slot_mask", 0)]),
        (CLEAR, &[("slot_mask", 5)]),
        (RUN | CLEAR, &[]),
        (SAVE | LOAD, &[]),
        (RUN | SAVE, &[]),
        (RUN | CLEAR | SAVE | LOAD, &[]),
    ];
    for (command, registers) in illegal {
        bench.registers(registers);
        bench.refused(command, Fault::Command);
        assert!(bench.state_valid());
    }
    // What one command does not use it does not mind.
    let legal: [(u32, &[(&str, u64)]); 7] = [
        (CLEAR, &[("count", 0), ("state_units", 0), ("image_units", 0), ("row_units", 0)]),
        (RUN, &[("state_units", 0)]),
        (RUN, &[("row_units", 2), ("count", 3)]),
        (RUN, &[("mode", 3)]),
        (RUN, &[("mode", 4), ("count", 1)]),
        (SAVE, &[("count", 0), ("slot_mask", 0), ("state_units", 1)]),
        (LOAD, &[("count", 0), ("slot_mask", 0), ("state_units", STATE_UNITS)]),
    ];
    for (command, registers) in legal {
        bench.registers(registers);
        bench.done(command);
    }
    insta::assert_snapshot!(
        "control",
        Control { geometry: geometry(64, 1, &SHAPE) }.build().unwrap().file("control").unwrap()
    );
}

/// When the state counts as valid, and when as zero.
#[test]
fn state() {
    let mut bench = Bench::new();
    let fresh = |bench: &mut Bench| bench.sim.u64("fresh") == 1;
    assert_eq!(bench.status(), 0);
    for command in [RUN, SAVE] {
        bench.refused(command, Fault::StateInvalid);
    }
    // An illegal command says so first.
    bench.registers(&[("count", 0)]);
    bench.refused(RUN, Fault::Command);
    bench.registers(&[]);
    bench.done(CLEAR);
    assert!(bench.state_valid() && fresh(&mut bench));
    bench.done(SAVE);
    assert!(bench.state_valid() && fresh(&mut bench), "zeros are saved");
    bench.registers(&[("count", 3)]);
    bench.done(RUN);
    assert_eq!(bench.passes.iter().map(|p| p.1).collect::<Vec<_>>(), [1, 0, 0], "zero but once");
    assert!(bench.state_valid() && !fresh(&mut bench));
    bench.done(RUN);
    assert!(bench.passes.iter().all(|p| p.1 == 0));
    bench.done(CLEAR);
    bench.command(LOAD);
    (0..2).for_each(|_| bench.clock());
    assert!(!bench.state_valid(), "neither the old state nor the new one");
    bench.wait();
    assert!(bench.state_valid() && !fresh(&mut bench));
    bench.registers(&[("mode", 1)]);
    bench.done(CLEAR);
    bench.done(RUN);
    assert!(bench.state_valid() && !fresh(&mut bench), "without a head, too");
    // A load makes valid what a fault has not.
    bench.command(RESET);
    bench.wait();
    assert_eq!(bench.status(), 0);
    bench.refused(SAVE, Fault::StateInvalid);
    bench.done(LOAD);
    assert!(bench.state_valid());
}

/// Tokens go round, records follow one another, stop tokens end a run.
#[test]
fn runs() {
    let mut bench = Bench::new();
    bench.done(CLEAR);
    let stride = record::stride(64) as u64;
    for turn in 0..60u64 {
        // One run is so long that the upper bits of its count move.
        let longest = turn == 0;
        let count = if longest { 600 } else { 1 + bench.rng.below(20) };
        let tokens: Vec<u64> = (0..count).map(|_| bench.rng.below(6)).collect();
        let first = bench.rng.below(1 << 20);
        // Stop registers with and without their bit; tokens beyond the others' are never best.
        let stops: Vec<u64> = (0..4)
            .map(|_| {
                let token =
                    [bench.rng.below(6), 6 + bench.rng.below(1 << 19)][bench.rng.below(2) as usize];
                let stops = !longest && bench.rng.one_in(2);
                token | if stops { u64::from(STOP_VALID) } else { 0 }
            })
            .collect();
        let ends = |token: &u64| stops.contains(&(token | u64::from(STOP_VALID)));
        let passes = tokens.iter().position(ends).map_or(count, |n| n as u64 + 1);
        let logits = turn % 2;
        bench.registers(&[
            ("mode", logits * u64::from(mode::LOGITS)),
            ("count", count),
            ("token_0", first),
            ("stop_0", stops[0]),
            ("stop_1", stops[1]),
            ("stop_2", stops[2]),
            ("stop_3", stops[3]),
        ]);
        bench.tokens.clone_from(&tokens);
        bench.passes.clear();
        bench.command(RUN);
        let (mut records, mut recorded) = (0, false);
        let is_recorded =
            |due: Option<&Vec<(&str, u64)>>| due.is_some_and(|due| due.contains(&("recorded", 1)));
        while bench.status() & status::BUSY != 0 {
            assert_eq!(bench.sim.u64("logits"), logits);
            assert_eq!(bench.sim.u64("no_head"), 0);
            if bench.passes.is_empty() {
                bench.clock();
                continue;
            }
            assert_eq!(bench.sim.u64("index"), records);
            assert_eq!(bench.sim.u64("record_addr"), RESULT + records * stride);
            assert_eq!(bench.sim.u64("tokens_done"), records);
            let due = bench.plan.get(&bench.sim.cycle());
            // It counts in the clock after the next.
            records += u64::from(std::mem::replace(&mut recorded, is_recorded(due)));
            bench.clock();
        }
        assert_eq!(bench.status() & 7, status::DONE, "{:?}", bench.fault());
        assert_eq!((bench.sim.u64("tokens_done"), records), (passes, passes));
        assert_eq!(bench.sim.u64("last_token"), tokens[passes as usize - 1]);
        let entered: Vec<u64> = bench.passes.iter().map(|pass| pass.0).collect();
        let want = [&[first], &tokens[..passes as usize - 1]].concat();
        assert_eq!(entered, want, "each token enters the next pass");
        bench.check_counters();
        // Nothing counts between runs.
        (0..10).for_each(|_| bench.clock());
        bench.check_counters();
    }
}

/// A pass that only advances the state ends when it was sound and its last layer is through.
#[test]
fn passes_without_a_head() {
    let mut bench = Bench::new();
    bench.done(CLEAR);
    bench.registers(&[]);
    bench.tokens = vec![55];
    bench.done(RUN);
    for flags in [1, 3] {
        for _ in 0..12 {
            bench.registers(&[("mode", flags), ("token_0", 77), ("stop_0", 77 | 1 << 20)]);
            bench.passes.clear();
            bench.command(RUN);
            let (mut sound, mut through) = (false, false);
            while bench.status() & status::BUSY != 0 {
                let due = bench.plan.get(&bench.sim.cycle()).cloned().unwrap_or_default();
                sound |= due.contains(&("pass_ok", 1));
                through |= due.contains(&("layers_ended", 1));
                assert_eq!((bench.sim.u64("no_head"), bench.sim.u64("logits")), (1, 0));
                bench.clock();
                assert!(bench.status() & status::DONE == 0 || (sound && through));
            }
            assert_eq!(bench.status() & 7, status::DONE);
            assert_eq!(bench.passes, [(77, 0)]);
            assert_eq!((bench.sim.u64("tokens_done"), bench.sim.u64("last_token")), (1, 55));
            bench.check_counters();
        }
    }
}

/// Runs until something is under way that the command is about; returns false if it has ended.
fn into(bench: &mut Bench, command: u32, clocks: u64) -> bool {
    bench.registers(&[("count", if command == RUN { 3 } else { 1 })]);
    bench.done(CLEAR);
    bench.passes.clear();
    bench.command(command);
    (0..clocks).for_each(|_| bench.clock());
    bench.status() & status::BUSY != 0
}

/// Each fault at any moment of each command, alone and with others.
#[test]
fn faults() {
    let mut bench = Bench::new();
    let ports = [
        ("bad_write", Fault::WriteResponse),
        ("bad_read", Fault::ReadResponse),
        ("bad_row", Fault::Row),
        ("bad_trit", Fault::TritBlock),
    ];
    let front = [
        Fault::HeaderCrc,
        Fault::Version,
        Fault::Opcode,
        Fault::Field,
        Fault::Geometry,
        Fault::PayloadCrc,
    ];
    let mut seen = BTreeMap::new();
    for turn in 0..400u64 {
        let command = [RUN, RUN, SAVE, LOAD][turn as usize % 4];
        let clocks = 2 + bench.rng.below(if command == RUN { 250 } else { 30 });
        if !into(&mut bench, command, clocks) {
            continue;
        }
        let segments = [0; 3].map(|_| bench.rng.below(1 << 32));
        for (name, segment) in ["segment", "trit_segment", "front_segment"].iter().zip(segments) {
            bench.sim.poke(name, segment);
        }
        // Later ones of the list are more particular.
        let mut want = None;
        for (name, fault) in ports {
            if bench.rng.one_in(3) {
                bench.at(0, name, 1);
                want = Some((fault, segments[usize::from(fault == Fault::TritBlock)]));
            }
        }
        if want.is_none() || bench.rng.one_in(5) {
            let fault = front[bench.rng.below(6) as usize];
            bench.at(0, "front_fault", fault as u64);
            want = Some((fault, segments[2]));
        }
        // The pass may end in the very clock; it has failed all the same.
        let was = bench.clears;
        bench.clock();
        let want = want.unwrap();
        assert_eq!((bench.fault(), bench.sim.u64("error_segment")), (Some(want.0), want.1));
        let draining = status::BUSY | status::FAILED | status::DRAINING;
        assert_eq!(bench.status(), draining, "turn {turn}");
        // The first one stands, and nothing begins any more.
        bench.passes.clear();
        bench.at(0, "bad_row", 1);
        bench.at(0, "front_fault", 2);
        bench.command(RUN | CLEAR);
        // A record that the writer ends now is of a pass that has failed.
        let tokens_done = bench.sim.u64("tokens_done");
        while bench.status() & status::BUSY != 0 {
            bench.at(0, "recorded", 1);
            assert_eq!(bench.sim.u64("tokens_done"), tokens_done);
            assert_eq!(bench.sim.u64("begins") + bench.sim.u64("save") + bench.sim.u64("load"), 0);
            assert_eq!(bench.fault(), Some(want.0));
            bench.clock();
        }
        assert_eq!(bench.status(), status::FAILED, "no state, nothing under way");
        assert_eq!((bench.fault(), bench.clears), (Some(want.0), was + 1));
        bench.check_counters();
        // At rest a fault means nothing.
        bench.at(0, "bad_trit", 1);
        bench.clock();
        assert_eq!(bench.fault(), Some(want.0));
        *seen.entry(want.0).or_insert(0) += 1;
        bench.refused(RUN, Fault::StateInvalid);
    }
    println!("{seen:?}");
    assert_eq!(seen.len(), 10, "every fault of the engine");
}

/// Of a count and of the watchdog's clocks, each bit alone.
#[test]
fn every_bit_of_a_number_counts() {
    let mut bench = Bench::new();
    let counts = (0..16).map(|bit| ("count", 1 << bit));
    for register in counts.chain((8..32).map(|bit| ("watchdog", 1 << bit))) {
        bench.registers(&[]);
        bench.done(CLEAR);
        bench.registers(&[register]);
        bench.moves = false;
        bench.command(RUN);
        // The engine begins, and nothing moves.
        (0..3).for_each(|_| bench.clock());
        assert_eq!(bench.passes.len(), 1, "{register:?}");
        bench.plan.clear();
        (0..200).for_each(|_| bench.clock());
        assert_eq!(bench.status() & !status::STATE_VALID, status::BUSY, "{register:?}");
        bench.command(RESET);
        bench.wait();
        bench.passes.clear();
    }
}

/// Records are counted with every bit, and lie one behind the other: here one is written a clock.
#[test]
fn every_record_counts() {
    let mut bench = Bench::new();
    bench.done(CLEAR);
    bench.moves = false;
    bench.command(RUN);
    (0..3).for_each(|_| bench.clock());
    bench.sim.poke("recorded", 1);
    // The first counts in the clock after the next.
    bench.sim.step();
    let stride = record::stride(64) as u64;
    for records in 0..0xffff {
        let (index, at) = (bench.sim.u64("index"), bench.sim.u64("record_addr"));
        assert_eq!((index, at), (records, (RESULT + records * stride) & ((1 << 40) - 1)));
        assert_eq!(bench.sim.u64("tokens_done"), records);
        bench.sim.step();
    }
}

/// An image that is longer than its last segment leaves beats behind.
#[test]
fn an_image_that_is_not_read_to_its_end() {
    let mut bench = Bench::new();
    bench.registers(&[("count", 2)]);
    bench.done(CLEAR);
    bench.command(RUN);
    while bench.passes.is_empty() {
        bench.clock();
    }
    // The reader is busy for longer than the pass.
    for due in bench.plan.values_mut() {
        due.retain(|&(signal, value)| (signal, value) != ("image_busy", 0));
    }
    bench.wait();
    assert_eq!(bench.fault(), Some(Fault::Command));
    assert!(!bench.state_valid(), "a pass has run");
    assert_eq!(bench.passes.len(), 1);
}

/// A soft reset at any moment: nothing is under way afterwards, and everything works.
#[test]
fn soft_reset() {
    let mut bench = Bench::new();
    for turn in 0..150u64 {
        let command = [RUN, SAVE, LOAD, RUN, CLEAR][turn as usize % 5];
        let clocks = bench.rng.below(if command == RUN { 200 } else { 30 });
        into(&mut bench, command, clocks);
        if turn % 7 == 0 {
            bench.at(0, "bad_row", 1);
        }
        let clears = bench.clears;
        // Other bits beside it do not count; it may come again while it is obeyed.
        let beside = bench.rng.below(16) as u32;
        bench.command(RESET | beside);
        assert_eq!(bench.status(), status::BUSY | status::DRAINING);
        if turn % 3 == 0 {
            bench.clock();
            bench.command(RESET);
        }
        bench.passes.clear();
        bench.wait();
        assert_eq!((bench.status(), bench.fault()), (0, None));
        assert_eq!(bench.sim.u64("error_segment"), 0);
        assert!(bench.clears > clears && bench.passes.is_empty());
        if turn % 10 == 0 {
            bench.refused(SAVE, Fault::StateInvalid);
            bench.registers(&[("count", 4)]);
            bench.done(CLEAR);
            bench.tokens = vec![9, 8, 7, 6];
            bench.done(RUN);
            let entered: Vec<u64> = bench.passes.iter().map(|p| p.0).collect();
            assert_eq!(entered, [7, 9, 8, 7]);
            bench.check_counters();
        }
    }
}

/// Commands while one is obeyed are ignored.
#[test]
fn busy_means_busy() {
    let mut bench = Bench::new();
    for turn in 0..40 {
        into(&mut bench, RUN, 3 + turn);
        bench.tokens.clear();
        for _ in 0..5 {
            let bits = 1 + bench.rng.below(15) as u32;
            bench.command(bits);
        }
        bench.wait();
        if bench.fault().is_none() {
            assert_eq!(bench.sim.u64("tokens_done"), 3);
        } else {
            // It had ended before, so the last of them was obeyed.
            assert_eq!(bench.fault(), Some(Fault::Command));
        }
    }
}

/// After so many clocks without progress a command has failed; 0 waits for ever.
#[test]
fn watchdog() {
    let mut bench = Bench::new();
    for limit in [1, 2, 50, 300] {
        for progress in ["beat", "moves", "none"] {
            bench.registers(&[]);
            bench.done(CLEAR);
            bench.registers(&[("watchdog", limit)]);
            bench.moves = false;
            bench.command(RUN);
            while bench.sim.u64("begins") == 0 {
                bench.clock();
            }
            // An engine that begins and then stands still.
            bench.clock();
            bench.plan.clear();
            let mut quiet = 0;
            if limit > 2 {
                for _ in 0..4 {
                    (0..limit - 3).for_each(|_| bench.clock());
                    assert_eq!(bench.fault(), None);
                    match progress {
                        "beat" => {
                            bench.at(0, "image_valid", 1);
                            bench.at(0, "image_want", 1);
                        }
                        "moves" => {
                            bench.at(0, "moves", 1);
                        }
                        _ => break,
                    }
                    bench.clock();
                }
                quiet = if progress == "none" { limit - 3 } else { 0 };
            }
            while bench.fault().is_none() {
                quiet += 1;
                assert!(quiet <= limit + 3, "{progress}, limit {limit}");
                bench.clock();
            }
            assert!(quiet + 3 >= limit, "after {quiet} of {limit} clocks, {progress}");
            assert_eq!(bench.fault(), Some(Fault::Watchdog));
            bench.moves = true;
            bench.halting = false;
            for level in LEVELS {
                bench.sim.poke(level, level == "head_idle");
            }
            bench.wait();
            assert!(!bench.state_valid());
        }
    }
    bench.registers(&[]);
    bench.done(CLEAR);
    bench.moves = false;
    bench.command(RUN);
    while bench.sim.u64("begins") == 0 {
        bench.clock();
    }
    bench.clock();
    bench.plan.clear();
    (0..2000).for_each(|_| bench.clock());
    assert_eq!((bench.status() & 7, bench.fault()), (status::BUSY, None));
}
