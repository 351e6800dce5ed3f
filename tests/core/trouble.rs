//! A memory that fails, commands that make no sense, resets in the middle: the core comes to rest,
//! says why, and works again.

use std::ops::ControlFlow;

use sterna_firmware::device::{Device, Head, Step, Want};
use sterna_hdl::fault::Fault;
use sterna_hdl::record;
use sterna_hdl::registers::{self as regs, command, mode, status};
use sterna_model::synth::SynthSpec;
use sterna_rtl::random::Rng;
use sterna_sim::fuzz::made_up;
use sterna_sim::memory::{Injection, Stalls};

use crate::bench::Bench;
use crate::common::{geometry, memory};
use crate::faults::{TOKEN, bench};

/// In a run of several passes the tokens before the fault are good, and none comes after it.
#[test]
fn a_fault_in_the_middle_of_a_run() {
    let mut bench = bench(128);
    let mut next = vec![];
    let mut keep = |head: Head| {
        next.push(head.top[0].token);
        ControlFlow::Continue(())
    };
    bench.golden.generate(0, TOKEN, 3, &[], &mut keep).unwrap();
    let stride = bench.model.shape().row_stride() as u64;
    let row = bench.card.map().embeddings + u64::from(next[1]) * stride;
    bench.memory().flip(row, 1);
    let records = bench.card.map().results;
    let third = records + 2 * record::stride(64) as u64;
    bench.blank();
    let mut got = vec![];
    let error = bench.card.generate(0, TOKEN, 5, &[], &mut |head| {
        got.push(head.top[0].token);
        ControlFlow::Continue(())
    });
    let error = error.unwrap_err();
    assert_eq!(error.code(), "C108", "{error}");
    // The row is read while the record before is written; that one counts if it was finished.
    assert!(!got.is_empty() && next[..2].starts_with(&got), "{got:?}");
    bench.stopped(&[Fault::Row], None);
    assert_eq!(bench.get(&regs::TOKENS_DONE), got.len() as u32);
    let mut bytes = [0; 64];
    bench.memory().read(third, &mut bytes);
    assert_eq!(bytes, [0xa5; 64], "a record of the pass that failed");
    bench.recover();
    // The same where the memory refuses the second record.
    let second = records + record::stride(64) as u64;
    bench.memory().inject(Injection::WriteError(second..second + 64));
    let mut got = 0;
    let error = bench.card.generate(0, TOKEN, 5, &[], &mut |_| {
        got += 1;
        ControlFlow::Continue(())
    });
    assert_eq!((error.unwrap_err().code(), got), ("C110", 1));
    assert_eq!(bench.get(&regs::TOKENS_DONE), 1);
    bench.memory().heal();
    bench.recover();
}

#[test]
fn a_memory_that_answers_with_errors() {
    for bus in [64, 512] {
        let mut bench = bench(bus);
        let map = bench.card.map().clone();
        let last = bench.image(bench.walk.last().unwrap().end()) - 1;
        let stride = bench.model.shape().row_stride() as u64;
        let row = map.embeddings + u64::from(TOKEN) * stride;
        for at in [map.image, (map.image + last) / 2, last, row, row + stride - 1] {
            bench.memory().inject(Injection::ReadError(at..at + 1));
            bench.refused(TOKEN, &[Fault::ReadResponse], None);
            bench.memory().heal();
            bench.recover();
        }
        bench.memory().inject(Injection::WriteError(map.results..map.end));
        bench.refused(TOKEN, &[Fault::WriteResponse], None);
        bench.memory().heal();
        bench.recover();
        bench.memory().inject(Injection::WriteError(map.logits + 64..map.logits + 65));
        let step = [Step { slot: 0, token: TOKEN, want: Want::Logits }];
        assert_eq!(bench.card.pass(&step).unwrap_err().code(), "C110");
        bench.stopped(&[Fault::WriteResponse], None);
        assert_eq!(bench.get(&regs::TOKENS_DONE), 0);
        bench.memory().heal();
        bench.recover();
        // States.
        bench.memory().inject(Injection::WriteError(map.states..map.results));
        assert_eq!(bench.card.state(0).unwrap_err().code(), "C110");
        bench.memory().heal();
        bench.recover();
        let state = bench.card.state(0).unwrap();
        assert_eq!(state, bench.golden.state(0));
        bench.memory().inject(Injection::ReadError(map.states..map.results));
        bench.card.set_state(0, &state).unwrap();
        let step = [Step { slot: 0, token: TOKEN, want: Want::Top }];
        assert_eq!(bench.card.pass(&step).unwrap_err().code(), "C109");
        bench.stopped(&[Fault::ReadResponse], None);
        bench.memory().heal();
        // The state in memory is not touched by it.
        bench.card.set_state(0, &state).unwrap();
        bench.right(TOKEN);
    }
}

/// A memory that does not answer, and does at last: the watchdog tells, the core waits until it is
/// owed nothing, and works again.
#[test]
fn a_memory_that_never_answers() {
    let mut bench = bench(128);
    let map = bench.card.map().clone();
    let middle = map.image + bench.walk.last().unwrap().offset as u64 / 2;
    let row = map.embeddings + u64::from(TOKEN) * bench.model.shape().row_stride() as u64;
    for at in [map.image, middle, row] {
        bench.memory().inject(Injection::Silence(at..at + 1));
        bench.blank();
        let step = [Step { slot: 0, token: TOKEN, want: Want::Top }];
        let error = bench.card.pass(&step).unwrap_err();
        assert_eq!(error.code(), "C006", "{error}");
        let draining = status::FAILED | status::BUSY | status::DRAINING;
        assert_eq!(bench.get(&regs::STATUS), draining);
        assert_eq!(bench.get(&regs::ERROR), Fault::Watchdog as u32);
        // A reset waits for the memory as well.
        assert_eq!(bench.card.reset().unwrap_err().code(), "C006");
        bench.memory().heal();
        bench.steps(2000);
        assert_eq!(bench.get(&regs::STATUS) & (status::BUSY | status::DRAINING), 0);
        assert_eq!(bench.get(&regs::TOKENS_DONE), 0);
        assert!(bench.is_blank());
        bench.recover();
    }
    // The fault is still told when the memory has answered.
    bench.memory().inject(Injection::Silence(middle..middle + 1));
    let step = [Step { slot: 0, token: TOKEN, want: Want::Top }];
    assert_eq!(bench.card.pass(&step).unwrap_err().code(), "C006");
    bench.memory().heal();
    bench.steps(2000);
    bench.stopped(&[Fault::Watchdog], None);
    bench.recover();
}

#[test]
fn commands_that_cannot_be_obeyed() {
    let mut bench = bench(64);
    let units = bench.get(&regs::IMAGE_UNITS);
    let state = geometry(64).state as u32 / 16;
    let commands = [
        (command::RUN | command::CLEAR, &regs::COUNT, 1),
        (command::SAVE | command::LOAD, &regs::COUNT, 1),
        (command::RUN, &regs::COUNT, 0),
        (command::RUN, &regs::SLOT_MASK, 0),
        (command::RUN, &regs::SLOT_MASK, 2),
        (command::CLEAR, &regs::SLOT_MASK, 3),
        (command::RUN, &regs::IMAGE_UNITS, 0),
        (command::RUN, &regs::ROW_UNITS, 1),
        (command::SAVE, &regs::STATE_UNITS, 0),
        (command::SAVE, &regs::STATE_UNITS, state + 1),
        (command::LOAD, &regs::STATE_UNITS, state + 1),
    ];
    bench.blank();
    for (command, reg, value) in commands {
        let before = bench.get(reg);
        bench.set(reg, value);
        bench.set(&regs::COMMAND, command);
        bench.steps(200);
        let what = format!("{command:#x} with {} = {value}", reg.name);
        // Nothing was begun, so the state is what it was.
        let expected = status::FAILED | status::STATE_VALID;
        assert_eq!(bench.get(&regs::STATUS), expected, "{what}");
        assert_eq!(bench.get(&regs::ERROR), Fault::Command as u32, "{what}");
        bench.set(reg, before);
    }
    bench.set(&regs::MODE, mode::NO_HEAD);
    bench.set(&regs::COUNT, 2);
    bench.set(&regs::COMMAND, command::RUN);
    bench.steps(200);
    assert_eq!(bench.get(&regs::ERROR), Fault::Command as u32);
    assert!(bench.is_blank());
    // The driver writes no register twice: they are to hold what it wrote.
    bench.set(&regs::MODE, 0);
    bench.set(&regs::COUNT, 1);
    bench.right(TOKEN);
    // More of the image than a pass without its head uses, which no header tells.
    bench.set(&regs::MODE, mode::NO_HEAD);
    bench.set(&regs::IMAGE_UNITS, units);
    bench.set(&regs::COMMAND, command::RUN);
    bench.steps(20_000);
    bench.stopped(&[Fault::Command], None);
    bench.card.reset().unwrap();
    bench.recover();
    // Without a state.
    bench.card.reset().unwrap();
    for command in [command::RUN, command::SAVE] {
        bench.set(&regs::COMMAND, command);
        bench.steps(200);
        bench.stopped(&[Fault::StateInvalid], None);
        bench.card.reset().unwrap();
    }
    bench.recover();
    // Those that come while one is obeyed are ignored.
    bench.set(&regs::COMMAND, command::RUN);
    bench.steps(500);
    assert_eq!(bench.get(&regs::STATUS) & status::BUSY, status::BUSY);
    bench.set(&regs::COMMAND, command::CLEAR);
    bench.set(&regs::COMMAND, command::RUN | command::SAVE);
    bench.steps(20_000);
    assert_eq!(bench.get(&regs::STATUS), status::DONE | status::STATE_VALID);
    let step = [Step { slot: 0, token: TOKEN, want: Want::Top }];
    bench.golden.pass(&step).unwrap();
    bench.right(TOKEN);
}

/// In any clock of a pass, of a save and of a load.
#[test]
fn resets_in_the_middle() {
    for (bus, stalls) in [(512, Stalls::None), (64, Stalls::Burst)] {
        let model = made_up(&SynthSpec::new(64, 2, 101)).unwrap();
        let mut bench = Bench::new(&model, bus, memory(stalls, 3));
        bench.begin();
        let clocks = bench.card.counters().unwrap().cycles + 100;
        let state = bench.card.map().state(0);
        bench.set(&regs::STATE_LO, state as u32);
        bench.set(&regs::STATE_HI, (state >> 32) as u32);
        let rng = &mut Rng::new(bus.into());
        for n in 0..24 {
            let (command, clocks) = match n % 6 {
                4 => (command::SAVE, 300),
                5 => (command::LOAD, 300),
                _ => (command::RUN, clocks),
            };
            let wait = rng.below(clocks);
            println!("{n}: {command:#x}, reset after {wait} clocks");
            bench.set(&regs::COMMAND, command);
            bench.steps(wait);
            bench.card.reset().unwrap();
            assert_eq!(bench.get(&regs::STATUS), 0);
            assert_eq!(bench.get(&regs::ERROR), 0);
            bench.begin();
        }
        bench.recover();
    }
}
