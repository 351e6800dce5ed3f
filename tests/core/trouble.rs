//! A memory that fails, commands that make no sense, resets in the middle: the core comes to rest,
//! says why, and works again.

use std::ops::ControlFlow;

use sterna_firmware::device::{Device, Head, Step, Want};
use sterna_hdl::fault::Fault;
use sterna_hdl::record;
use sterna_hdl::registers::{self as regs, command, status};
use sterna_model::synth::SynthSpec;
use sterna_rtl::random::Rng;
use sterna_sim::fuzz::made_up;
use sterna_sim::memory::{Injection, Stalls};

use crate::attacks::commands::{not_obeyed, wrong_commands};
use crate::attacks::memory::{FAILURES, failure};
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
        let rng = &mut Rng::new(bus.into());
        for n in 0..FAILURES {
            failure(&mut bench, rng, n);
            bench.recover();
        }
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
    let state = geometry(64).state as u32 / 16;
    bench.blank();
    // Nothing was begun, so the state is what it was. The second slot is not there.
    for (command, reg, value) in not_obeyed(state, 2) {
        let before = bench.get(reg);
        bench.set(reg, value);
        bench.command(command);
        println!("{command:#x} with {} = {value}", reg.name);
        bench.stopped_with_state(Fault::Command);
        bench.set(reg, before);
    }
    assert!(bench.is_blank());
    wrong_commands(&mut bench, &mut Rng::new(1), 1);
}

/// In any clock of a pass, of a save and of a load.
#[test]
fn resets_in_the_middle() {
    for (bus, stalls) in [(512, Stalls::None), (64, Stalls::Burst)] {
        let model = made_up(&SynthSpec::new(64, 2, 101)).unwrap();
        let mut bench = Bench::on(bus, &model, memory(stalls, 3));
        bench.begin();
        let clocks = bench.card.counters().unwrap().cycles + 100;
        bench.base_of_state();
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
