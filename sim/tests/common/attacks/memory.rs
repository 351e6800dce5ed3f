//! A memory that fails, that says nothing, or that is late.

use sterna_firmware::device::{Device, Step, Want};
use sterna_firmware::isa::{Opcode, UNIT};
use sterna_hdl::fault::Fault;
use sterna_hdl::registers::{self as regs, command, status};
use sterna_rtl::random::Rng;
use sterna_sim::memory::Injection;

use super::super::bench::{Bench, TOKEN};

pub fn failing_memory(bench: &mut Bench, rng: &mut Rng, places: usize) {
    bench.mend();
    for n in 0..places {
        failure(bench, rng, n);
    }
    bench.works();
}

/// How many places of a memory fail in their turn, two of them at random.
pub const FAILURES: usize = 10;

/// The memory fails in one of these places, and the core says so; then the model is as it should be.
pub fn failure(bench: &mut Bench, rng: &mut Rng, n: usize) {
    let map = bench.card.map().clone();
    let image = bench.walk.last().unwrap().end() as u64;
    let (row, stride) = (bench.row(), bench.stride());
    let read = |at: u64| (Injection::ReadError(at..at + 1), Fault::ReadResponse);
    let (injection, fault) = match n % FAILURES {
        0 => read(map.image),
        1 => read(map.image + image - 1),
        2 => read(row),
        3 => read(row + stride - 1),
        4 => (Injection::WriteError(map.results..map.end), Fault::WriteResponse),
        5 => (Injection::WriteError(map.logits + 64..map.logits + 65), Fault::WriteResponse),
        6 => (Injection::WriteError(map.states..map.results), Fault::WriteResponse),
        7 => (Injection::ReadError(map.states..map.results), Fault::ReadResponse),
        _ => read(map.image + rng.below(image)),
    };
    match n % FAILURES {
        5 => {
            bench.memory().inject(injection);
            let step = [Step { slot: 0, token: TOKEN, want: Want::Logits }];
            assert_eq!(bench.card.pass(&step).unwrap_err().code(), "C110");
            bench.stopped(&[fault], None);
            assert_eq!(bench.get(&regs::TOKENS_DONE), 0);
            bench.mend();
        }
        6 => {
            bench.right(Want::Top);
            bench.memory().inject(injection);
            assert_eq!(bench.card.state(0).unwrap_err().code(), "C110");
            bench.stopped(&[fault], None);
            bench.mend();
        }
        7 => {
            bench.right(Want::Top);
            let state = bench.card.state(0).unwrap();
            assert_eq!(state, bench.golden.state(0));
            bench.memory().inject(injection);
            bench.card.set_state(0, &state).unwrap();
            let step = [Step { slot: 0, token: TOKEN, want: Want::Top }];
            assert_eq!(bench.card.pass(&step).unwrap_err().code(), "C109");
            bench.stopped(&[fault], None);
            bench.memory().heal();
            // The state in memory is not touched by it.
            bench.card.set_state(0, &state).unwrap();
            bench.right(Want::Top);
            bench.mend();
        }
        _ => {
            bench.memory().inject(injection);
            bench.refused(&[fault], None);
        }
    }
}

/// Clocks of a pass in which nothing moves beyond those of the watchdog.
const LATE: u32 = 3;

/// The watchdog tells when it should, the core waits until it is owed nothing, and works again.
pub fn silence(bench: &mut Bench, rng: &mut Rng, places: usize) {
    let map = bench.card.map().clone();
    let image = bench.walk.last().unwrap().offset as u64;
    for n in 0..places {
        bench.mend();
        bench.blank();
        let at = match n % 3 {
            0 => map.image,
            1 => bench.row(),
            _ => map.image + rng.below(image),
        };
        bench.memory().inject(Injection::Silence(at..at + 1));
        let watchdog = 900 + rng.below(200) as u32;
        if n % 3 == 0 {
            // Nothing moves at all.
            bench.memory().inject(Injection::Silence(map.image..map.end));
        }
        bench.command(command::CLEAR);
        bench.set(&regs::WATCHDOG, watchdog);
        bench.begin_run(1);
        // From the last thing that moved on; every pass moves until then.
        while bench.get(&regs::STATUS) & status::FAILED == 0 {
            bench.steps(20);
            assert!(bench.get(&regs::CYCLES_LO) < 1 << 14, "the watchdog sleeps");
        }
        let cycles = bench.get(&regs::CYCLES_LO);
        assert!(
            cycles > watchdog && (n % 3 > 0 || cycles == watchdog + LATE),
            "{n}: {cycles} of {watchdog}"
        );
        let draining = status::FAILED | status::BUSY | status::DRAINING;
        assert_eq!(bench.get(&regs::STATUS), draining);
        assert_eq!(bench.get(&regs::ERROR), Fault::Watchdog as u32);
        // A reset waits for the memory as well.
        bench.set(&regs::COMMAND, command::RESET);
        bench.steps(200);
        assert_eq!(bench.get(&regs::STATUS), status::BUSY | status::DRAINING);
        bench.memory().heal();
        bench.steps(4000);
        assert_eq!((bench.get(&regs::STATUS), bench.get(&regs::TOKENS_DONE)), (0, 0));
        assert!(bench.is_blank());
        bench.works();
    }
    // And never, if it is told so.
    bench.memory().inject(Injection::Silence(map.image..map.image + 1));
    bench.command(command::CLEAR);
    bench.set(&regs::WATCHDOG, 0);
    bench.set(&regs::COMMAND, command::RUN);
    bench.steps(4000);
    assert_eq!(bench.get(&regs::STATUS), status::BUSY | status::STATE_VALID);
    bench.memory().heal();
    bench.card.reset().unwrap();
    bench.works();
}

/// The row is there long before the image, or before what follows START's header: nothing is taken
/// for there that the core still has of another model. And codes long before the weights they meet.
pub fn late_image(bench: &mut Bench, rng: &mut Rng, places: usize) {
    let start = bench.segment(Opcode::Start);
    for n in 0..places {
        // A gain that is another's.
        let first = bench.image(start.payload_offset());
        let mut gain = bench.bytes(first, start.operands_bytes());
        for gain in gain.chunks_exact_mut(2) {
            gain[1] ^= 1 << (1 + rng.below(4));
        }
        let crc = crc32c::crc32c(&gain);
        bench.memory().write(first, &gain);
        bench.header(&start, |words| words[3] = crc);
        assert!(!bench.bears(), "gains are whatever they are");
        bench.command(command::CLEAR);
        let from = match n {
            0 => first,
            1 => first - UNIT as u64,
            n => bench.image(bench.walk[1 + (n - 2) % (bench.walk.len() - 1)].weights_offset()),
        };
        bench.memory().inject(Injection::Silence(from..from + 1));
        bench.begin_run(1);
        bench.steps(600);
        bench.memory().heal();
        while bench.get(&regs::STATUS) & status::BUSY != 0 {
            bench.steps(100);
            assert!(bench.get(&regs::CYCLES_LO) < 1 << 14, "it stands still");
        }
        assert_eq!(bench.get(&regs::STATUS), status::DONE | status::STATE_VALID);
        bench.entered();
        bench.works();
    }
}
