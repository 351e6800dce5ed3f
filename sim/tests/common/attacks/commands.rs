//! Registers of any value, commands of any kind, resets at any time, addresses anywhere.

use std::ops::ControlFlow;

use sterna_firmware::device::{Device, Head, Step, Want};
use sterna_hdl::driver::Transport;
use sterna_hdl::fault::Fault;
use sterna_hdl::record;
use sterna_hdl::registers::{self as regs, Reg, command, identity, mode as modes, status};
use sterna_rtl::parts::Access;
use sterna_rtl::random::Rng;

use super::super::bench::{BLANK, Bench, TOKEN, numbers};

/// Registers say what the core is, hold what they are told, byte by byte, and nothing else is there.
pub fn registers(bench: &mut Bench, rng: &mut Rng, places: usize) {
    let geometry = bench.card.geometry().clone();
    for (reg, value) in identity(&geometry) {
        assert_eq!(bench.get(&reg), value, "{}", reg.name);
    }
    let there: Vec<u32> = regs::of(geometry.slots).map(|reg| reg.offset).collect();
    for offset in (0..0x140).step_by(4).chain([0x400, 0x800, 0xffc]) {
        let card = bench.card.transport();
        if !there.contains(&offset) {
            assert!(card.read_register(offset).is_err(), "{offset:#x}");
            assert!(card.write_register(offset, 1).is_err(), "{offset:#x}");
        }
    }
    for reg in regs::of(geometry.slots) {
        let most = u32::MAX >> (32 - reg.width);
        match reg.access {
            _ if reg == &regs::COMMAND => continue,
            Access::Write => {}
            _ => {
                let card = bench.card.transport();
                assert!(card.write_register(reg.offset, 1).is_err(), "{}", reg.name);
                continue;
            }
        }
        for _ in 0..places {
            let random = rng.next_u64() as u32 & most;
            for value in [0, most, random, most & !random] {
                bench.set(reg, value);
                assert_eq!(bench.get(reg), value, "{}", reg.name);
            }
            let strobes = rng.below(16) as u8;
            let (before, after) = (bench.get(reg), rng.next_u64() as u32);
            bench.card.transport().write_bytes(reg.offset, after, strobes).unwrap();
            let chosen = (0..4).filter(|n| strobes >> n & 1 == 1).map(|n| 0xff << (8 * n));
            let mask: u32 = chosen.sum();
            assert_eq!(bench.get(reg), (before & !mask | after & mask) & most, "{}", reg.name);
        }
    }
    bench.works();
}

/// A command that is refused for what a register says.
type Refused = (u32, &'static Reg, u32);

/// Commands that are refused by a core whose states have so many units; `nobody` is the mask of a slot
/// that is not there.
pub fn not_obeyed(state: u32, nobody: u32) -> [Refused; 11] {
    [
        (command::RUN | command::CLEAR, &regs::COUNT, 1),
        (command::SAVE | command::LOAD, &regs::COUNT, 1),
        (command::RUN, &regs::COUNT, 0),
        (command::RUN, &regs::SLOT_MASK, 0),
        (command::RUN, &regs::SLOT_MASK, nobody),
        (command::CLEAR, &regs::SLOT_MASK, nobody | 1),
        (command::RUN, &regs::IMAGE_UNITS, 0),
        (command::RUN, &regs::ROW_UNITS, 1),
        (command::SAVE, &regs::STATE_UNITS, 0),
        (command::SAVE, &regs::STATE_UNITS, state + 1),
        (command::LOAD, &regs::STATE_UNITS, state + 1),
    ]
}

pub fn wrong_commands(bench: &mut Bench, _: &mut Rng, _: usize) {
    bench.works();
    let units = bench.get(&regs::IMAGE_UNITS);
    let state = bench.card.geometry().state as u32 / 16;
    bench.blank();
    for (command, reg, value) in not_obeyed(state, 0x80) {
        let before = bench.get(reg);
        bench.set(reg, value);
        // Nothing was begun, so the state is what it was. It is that of the slots that are asked for.
        let status = bench.command(command);
        let other = if reg == &regs::SLOT_MASK { status::STATE_VALID } else { 0 };
        let what = format!("{command:#x} with {} = {value}", reg.name);
        assert_eq!(status | other, status::FAILED | status::STATE_VALID, "{what}");
        assert_eq!(bench.get(&regs::ERROR), Fault::Command as u32, "{what}");
        bench.set(reg, before);
        assert_eq!(bench.get(&regs::STATUS), status::FAILED | status::STATE_VALID, "{what}");
    }
    let mode = bench.get(&regs::MODE);
    bench.set(&regs::MODE, modes::NO_HEAD);
    bench.set(&regs::COUNT, 2);
    bench.command(command::RUN);
    bench.stopped_with_state(Fault::Command);
    assert!(bench.is_blank());
    // The driver writes no register twice: they are to hold what it wrote.
    bench.set(&regs::MODE, mode);
    bench.set(&regs::COUNT, 1);
    bench.right(Want::Top);
    // More of the image than a pass without its head uses, which no header tells.
    bench.set(&regs::MODE, modes::NO_HEAD);
    bench.set(&regs::IMAGE_UNITS, units);
    bench.command(command::RUN);
    bench.stopped(&[Fault::Command], None);
    // Without a state.
    for command in [command::RUN, command::SAVE] {
        bench.card.reset().unwrap();
        bench.set(&regs::MODE, 0);
        bench.set(&regs::COUNT, 1);
        bench.command(command);
        bench.stopped(&[Fault::StateInvalid], None);
    }
    bench.works();
    // Those that come while one is obeyed are ignored.
    bench.set(&regs::COMMAND, command::RUN);
    bench.steps(100);
    assert_eq!(bench.get(&regs::STATUS), status::BUSY | status::STATE_VALID);
    assert!(!bench.card.transport().interrupts().unwrap());
    bench.set(&regs::COMMAND, command::CLEAR);
    let status = bench.command(command::RUN | command::SAVE);
    assert_eq!(status, status::DONE | status::STATE_VALID);
    assert!(bench.card.transport().interrupts().unwrap());
    let step = [Step { slot: 0, token: TOKEN, want: Want::Top }];
    bench.golden.pass(&step).unwrap();
    bench.right(Want::State);
    bench.right(Want::Logits);
    // What a run left is told until the next one, and a fault until the next command.
    let told = |bench: &mut Bench| [&regs::CYCLES_LO, &regs::LAST_TOKEN].map(|reg| bench.get(reg));
    let before = told(bench);
    bench.set(&regs::COUNT, 0);
    bench.command(command::RUN);
    bench.stopped_with_state(Fault::Command);
    bench.set(&regs::COUNT, 1);
    assert_eq!(bench.command(command::CLEAR), status::DONE | status::STATE_VALID);
    let after = [&regs::ERROR, &regs::ERROR_SEGMENT, &regs::TOKENS_DONE].map(|reg| bench.get(reg));
    assert_eq!(after, [0; 3]);
    assert_eq!(told(bench)[1], before[1]);
    bench.works();
    let before = told(bench);
    bench.base_of_state();
    bench.command(command::SAVE);
    assert_eq!(told(bench), before);
    bench.works();
}

/// Stops in each of the four registers, and a fault in the middle of a run: the tokens before it are
/// good, none comes after it.
pub fn runs(bench: &mut Bench, _: &mut Rng, _: usize) {
    bench.mend();
    let mut next = vec![];
    let mut keep = |head: Head| {
        next.push(head.top[0].token);
        ControlFlow::Continue(())
    };
    bench.golden.generate(0, TOKEN, 4, &[], &mut keep).unwrap();
    let others: Vec<u32> = (0..101).filter(|token| !next.contains(token)).take(3).collect();
    let at = next.iter().position(|&token| token == next[1]).unwrap() + 1;
    for place in 0..4 {
        bench.card.clear(0).unwrap();
        let stops = [&others[..place], &next[1..2], &others[place..]].concat();
        let mut got = vec![];
        let mut keep = |head: Head| {
            got.push(head.top[0].token);
            ControlFlow::Continue(())
        };
        bench.card.generate(0, TOKEN, 4, &stops, &mut keep).unwrap();
        assert_eq!(got, next[..at]);
        assert_eq!(bench.get(&regs::TOKENS_DONE), at as u32);
        assert_eq!(bench.get(&regs::LAST_TOKEN), next[1]);
    }
    // Of more passes than there is time for: every bit of their number counts.
    for count in [0x8002, 0x4002] {
        bench.mend();
        bench.command(command::CLEAR);
        regs::STOPS.iter().for_each(|stop| bench.set(stop, 0));
        bench.begin_run(count);
        while bench.get(&regs::TOKENS_DONE) < 3 {
            bench.steps(200);
            assert_eq!(bench.get(&regs::STATUS), status::BUSY | status::STATE_VALID);
        }
    }
    bench.mend();
    bench.blank();
    let top_k = bench.card.geometry().top_k;
    let row = bench.card.map().embeddings + u64::from(next[1]) * bench.stride();
    bench.memory().flip(row, 1);
    let third = bench.card.map().results + 2 * record::stride(top_k) as u64;
    let mut got = vec![];
    let failed = bench.card.generate(0, TOKEN, 5, &[], &mut |head| {
        got.push(head.top[0].token);
        ControlFlow::Continue(())
    });
    if TOKEN != next[1] && next[0] != next[1] {
        assert_eq!(failed.unwrap_err().code(), "C108");
        assert!(!got.is_empty() && next[..2].starts_with(&got), "{got:?}");
        bench.stopped(&[Fault::Row], None);
        assert_eq!(bench.get(&regs::TOKENS_DONE), got.len() as u32);
        let mut bytes = [0; 64];
        bench.memory().read(third, &mut bytes);
        assert_eq!(bytes, [0xa5; 64], "a record of the pass that failed");
    }
    bench.works();
}

/// A state is saved when it is said to be, and loaded; an empty one is zero.
pub fn states(bench: &mut Bench, _: &mut Rng, _: usize) {
    bench.works();
    bench.saves();
    let run = |bench: &mut Bench| {
        bench.set(&regs::TOKENS[0], TOKEN);
        bench.obeys(command::RUN, 0, 1);
        bench.entered();
    };
    bench.obeys(command::LOAD, 0, 1);
    bench.scribble();
    run(bench);
    bench.obeys(command::CLEAR, 0, 1);
    bench.golden.clear(0).unwrap();
    bench.saves();
    run(bench);
    bench.works();
}

/// In any clock of a pass, of a save and of a load.
pub fn resets(bench: &mut Bench, rng: &mut Rng, places: usize) {
    bench.works();
    let clocks = bench.card.counters().unwrap().cycles + 100;
    for n in 0..places {
        bench.base_of_state();
        let (command, clocks) = match n % 4 {
            2 => (command::SAVE, 100),
            3 => (command::LOAD, 100),
            _ => (command::RUN, clocks),
        };
        let before = bench.get(&regs::LAST_TOKEN);
        bench.set(&regs::COMMAND, command);
        bench.steps(rng.below(clocks));
        if bench.get(&regs::TOKENS_DONE) == 0 && bench.get(&regs::STATUS) & status::DONE == 0 {
            assert_eq!(bench.get(&regs::LAST_TOKEN), before, "of a pass that has not ended");
        }
        if n % 8 == 5 {
            bench.restart();
        }
        bench.card.reset().unwrap();
        assert_eq!((bench.get(&regs::STATUS), bench.get(&regs::ERROR)), (0, 0));
        bench.card.clear(0).unwrap();
        bench.golden.clear(0).unwrap();
        bench.right(Want::Top);
        if n % 4 == 2 {
            assert_eq!(bench.card.state(0).unwrap(), bench.golden.state(0));
        }
    }
    bench.works();
}

/// Commands that nobody should give, at any time.
pub fn random_commands(bench: &mut Bench, rng: &mut Rng, places: usize) {
    // The one base that a reset of the driver does not write; it has to be a multiple of a page.
    bench.set(&regs::STATE_LO, 0x7654_3000);
    bench.set(&regs::STATE_HI, 0);
    let slots = 1 << bench.card.geometry().slots;
    for n in 0..places {
        Device::reset(&mut bench.card).unwrap();
        bench.set(&regs::SLOT_MASK, 1 + rng.below(slots - 1) as u32);
        bench.set(&regs::COMMAND, command::CLEAR);
        bench.card.transport().wait(0).unwrap();
        bench.set(&regs::MODE, rng.below(8) as u32 & if n % 2 == 0 { modes::CHAIN } else { 7 });
        bench.set(&regs::COUNT, rng.below(4) as u32);
        bench.set(&regs::SLOT_MASK, rng.below(2 * slots) as u32 & 0xff);
        bench.set(&regs::COMMAND, rng.below(16) as u32);
        for _ in 0..1 + rng.below(40) {
            bench.card.transport().wait(0).unwrap();
        }
        bench.set(&regs::COMMAND, rng.below(32) as u32);
        bench.card.transport().wait(0).unwrap();
    }
    bench.works();
    assert_eq!(bench.get(&regs::STATUS) & status::FAILED, 0);
}

/// Image, rows, records, logits and states anywhere in a memory of 2⁴⁰ bytes, then the image in a ring
/// that it does not fill, owed at first: the same record.
pub fn addresses(bench: &mut Bench, rng: &mut Rng, places: usize) {
    bench.mend();
    let map = bench.card.map().clone();
    let mut keep = |_| ControlFlow::Continue(());
    bench.card.generate(0, TOKEN, 2, &[], &mut keep).unwrap();
    let length = 2 * record::stride(bench.card.geometry().top_k);
    let records = bench.bytes(map.results, length);
    bench.card.clear(0).unwrap();
    let step = [Step { slot: 0, token: TOKEN, want: Want::Logits }];
    bench.card.pass(&step).unwrap();
    let state = bench.card.state(0).unwrap();
    let logits = bench.bytes(map.logits, 4 * 101);
    // Nothing of that is copied.
    bench.blank();
    bench.scribble();
    let bytes = bench.bytes(map.image, (map.end - map.image) as usize);
    let mut pattern = 0;
    for n in 0..places {
        // Every bit of a page's number is set in one of two places in a row, and not in the other.
        pattern = if n % 2 == 0 { rng.next_u64() } else { !pattern };
        let base = (pattern & 0xff_ffff_f000).min((1 << 40) - (1 << 21));
        let moved = |address: u64| base + (address - map.image);
        assert!(bench.memory().write(base, &bytes));
        for (low, high, address) in [
            (&regs::IMAGE_LO, &regs::IMAGE_HI, map.image),
            (&regs::EMBED_LO, &regs::EMBED_HI, map.embeddings),
            (&regs::RESULT_LO, &regs::RESULT_HI, map.results),
            (&regs::LOGITS_LO, &regs::LOGITS_HI, map.logits),
            (&regs::STATE_LO, &regs::STATE_HI, map.state(0)),
        ] {
            bench.set(low, moved(address) as u32);
            bench.set(high, (moved(address) >> 32) as u32);
        }
        bench.set(&regs::SLOT_MASK, 1);
        bench.obeys(command::CLEAR, 0, 1);
        bench.obeys(command::RUN, 0, 2);
        bench.obeys(command::CLEAR, 0, 1);
        assert_eq!(bench.bytes(moved(map.results), length), records, "at {base:#x}");
        bench.obeys(command::RUN, modes::LOGITS, 1);
        bench.obeys(command::SAVE, 0, 1);
        bench.obeys(command::LOAD, 0, 1);
        assert_eq!(bench.bytes(moved(map.logits), 4 * 101), logits, "at {base:#x}");
        let saved = bench.bytes(moved(map.state(0)), 4 * state.len());
        assert_eq!(numbers(&saved), state, "at {base:#x}");
        // The bits that all addresses of the image share.
        let differ = base ^ (base + bytes.len() as u64);
        let ring = u64::MAX.checked_shl(64 - differ.leading_zeros()).unwrap_or(0);
        bench.set(&regs::IMAGE_RING, (ring << 24 >> 36) as u32);
        bench.obeys(command::CLEAR, 0, 1);
        assert!(bench.memory().write(moved(map.results), &vec![BLANK; length]));
        bench.set(&regs::COUNT, 2);
        bench.set(&regs::IMAGE_OWED, u32::MAX);
        bench.set(&regs::COMMAND, command::RUN);
        bench.set(&regs::IMAGE_OWED, 0);
        assert_eq!(bench.settled(), status::DONE | status::STATE_VALID, "ring at {base:#x}");
        assert_eq!(bench.bytes(moved(map.results), length), records, "ring at {base:#x}");
        bench.set(&regs::IMAGE_RING, 0);
    }
    Device::reset(&mut bench.card).unwrap();
    bench.works();
}
