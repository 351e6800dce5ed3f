//! What is done to a core that has to bear it: whatever happens, it says what went wrong, lets no
//! token out, and works again.
//!
//! `coverage.rs` does much of it, to see what runs; `mutation/` does a little of it to each mutant, to
//! see whether that is noticed.

use std::ops::ControlFlow;

use sterna_firmware::device::{Device, Head, Step, Want};
use sterna_firmware::isa::{ISA_VERSION, Opcode, UNIT};
use sterna_firmware::trits;
use sterna_hdl::driver::Transport;
use sterna_hdl::fault::Fault;
use sterna_hdl::record;
use sterna_hdl::registers::{self as regs, command, identity, mode as modes, status};
use sterna_rtl::parts::Access;
use sterna_rtl::random::Rng;
use sterna_sim::memory::Injection;

use super::bench::{Bench, TOKEN};

/// An attack at so many places, at which the core has to be found as it should be.
pub type Attack = fn(&mut Bench, &mut Rng, usize);

/// All of them, each with the number of places that suffice for a quick look.
pub const ATTACKS: [(&str, Attack, usize); 15] = [
    ("registers", registers, 3),
    ("commands that cannot be obeyed", wrong_commands, 1),
    ("a run that ends, or does not", runs, 1),
    ("headers that contradict", headers, 32),
    ("headers of a larger core", larger, 1),
    ("headers of any bit", any_header, 2),
    ("damaged headers", damaged_headers, 8),
    ("damaged payloads", payloads, 20),
    ("damaged rows", rows, 8),
    ("a memory that fails", failing_memory, 10),
    ("a memory that says nothing", silence, 3),
    ("an image that comes late", late_image, 2),
    ("resets in the middle", resets, 8),
    ("random commands", random_commands, 6),
    ("addresses of every bit", addresses, 2),
];

/// Registers say what the core is, hold what they are told, byte by byte, and nothing else is there.
fn registers(bench: &mut Bench, rng: &mut Rng, places: usize) {
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

fn wrong_commands(bench: &mut Bench, _: &mut Rng, _: usize) {
    bench.works();
    let units = bench.get(&regs::IMAGE_UNITS);
    let state = bench.card.geometry().state as u32 / 16;
    let commands = [
        (command::RUN | command::CLEAR, &regs::COUNT, 1),
        (command::SAVE | command::LOAD, &regs::COUNT, 1),
        (command::RUN, &regs::COUNT, 0),
        (command::RUN, &regs::SLOT_MASK, 0),
        (command::RUN, &regs::SLOT_MASK, 0x80),
        (command::CLEAR, &regs::SLOT_MASK, 0x81),
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
fn runs(bench: &mut Bench, _: &mut Rng, _: usize) {
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
        bench.set(&regs::MODE, 0);
        bench.set(&regs::TOKENS[0], TOKEN);
        regs::STOPS.iter().for_each(|stop| bench.set(stop, 0));
        bench.set(&regs::COUNT, count);
        bench.set(&regs::COMMAND, command::RUN);
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

type Edit = fn(&mut [u32; UNIT / 4]);

/// Headers whose checksum is right and that say something else than they should.
fn headers(bench: &mut Bench, _: &mut Rng, places: usize) {
    let version: Edit = |words| words[0] += 0x100 * u32::from(ISA_VERSION);
    let common: [(Fault, Edit); 7] = [
        (Fault::Version, version),
        (Fault::Opcode, |words| words[0] = words[0] & !0xff | 9),
        (Fault::Opcode, |words| words[0] &= !0xff),
        (Fault::Field, |words| words[1] += 1),
        (Fault::Field, |words| words[5] += 1 << 16),
        (Fault::Field, |words| words[6] = 0x0002_0000),
        (Fault::Field, |words| words[14] = 1),
    ];
    let matrix: [(Fault, Edit); 9] = [
        // Another instruction, and one of another layer.
        (Fault::Opcode, |words| words[0] = words[0] & !0xff | ((words[0] & 0xff) % 8 + 1)),
        (Fault::Field, |words| words[0] += 1 << 16),
        (Fault::Field, |words| words[4] += 1),
        (Fault::Field, |words| words[4] -= 5),
        (Fault::Field, |words| words[5] += 32),
        (Fault::Field, |words| words[7] |= 1 << 31),
        (Fault::Field, |words| words[8] = 0x0012_3456),
        (Fault::Field, |words| words[10] = 1),
        (Fault::Field, |words| words[12] = 1),
    ];
    let start: [(Fault, Edit); 7] = [
        (Fault::Field, |words| words[4] = 1),
        (Fault::Field, |words| words[5] += 32),
        (Fault::Field, |words| words[7] += 1),
        (Fault::Field, |words| words[8] += 1),
        (Fault::Field, |words| words[9] -= 1),
        (Fault::Field, |words| words[10] += 1),
        (Fault::Field, |words| words[13] += 64),
    ];
    bench.mend();
    let all = common.len() + matrix.len() + start.len();
    let walk = bench.walk.clone();
    for n in 0..places {
        let (edit, far) = (n % all, 5 * n);
        let of = match edit {
            0..7 => walk[far % walk.len()],
            7..16 => walk[1 + far % (walk.len() - 1)],
            _ => walk[0],
        };
        let (fault, edit) = match edit {
            0..7 => common[edit],
            7..16 => matrix[edit - 7],
            _ => start[edit - 16],
        };
        bench.header(&of, edit);
        bench.refused(&[fault], Some(of.sequence));
    }
    bench.works();
}

/// A model that is larger than the core.
fn larger(bench: &mut Bench, _: &mut Rng, _: usize) {
    let start = bench.segment(Opcode::Start);
    let core = bench.card.geometry().clone();
    let most = |n: usize| (n + 32) as u32;
    bench.header(&start, |words| words[8] = words[8] & 0xffff | most(core.intermediate) << 16);
    bench.refused(&[Fault::Geometry], Some(0));
    bench.header(&start, |words| words[8] = words[8] & !0xffff | most(core.inner));
    bench.refused(&[Fault::Geometry], Some(0));
    let layers = (core.state / 32 + 1) as u32;
    bench.header(&start, |words| {
        words[7] = words[7] & !0xffff | layers;
        words[9] = 6 * layers + 2;
    });
    bench.refused(&[Fault::Geometry], Some(0));
    bench.works();
}

/// Every bit in turn, under a checksum that is right: that of a scale may be.
fn any_header(bench: &mut Bench, rng: &mut Rng, places: usize) {
    let first = rng.below(480) as usize;
    for n in 0..places {
        let (of, bit) = (bench.walk[n % bench.walk.len()], (first + 97 * n) % 480);
        bench.header(&of, |words| words[bit / 32] ^= 1 << (bit % 32));
        bench.bears();
    }
    bench.works();
}

fn damaged_headers(bench: &mut Bench, rng: &mut Rng, places: usize) {
    bench.mend();
    for n in 0..places {
        let of = bench.walk[n % bench.walk.len()];
        let at = bench.image(of.offset) + rng.below(UNIT as u64);
        bench.memory().flip(at, 1 << rng.below(8));
        bench.refused(&[Fault::HeaderCrc], Some(of.sequence));
    }
    bench.works();
}

/// Bits that are damaged, and bytes that are no trits under checksums that are right; the last beat
/// of a payload is the hard one.
fn payloads(bench: &mut Bench, rng: &mut Rng, places: usize) {
    bench.mend();
    let mut bytes = (0..=255).filter(|&byte| trits::decode(byte).is_none()).cycle();
    for n in 0..places {
        // From the last segment on, whose weights are the head's.
        let of = bench.walk[bench.walk.len() - 1 - n % (bench.walk.len() - 1)];
        let (first, length) = (of.operands_bytes(), of.payload_bytes());
        let place = match n % 3 {
            0 => length - 1 - rng.below(8) as usize,
            1 => first + rng.below(8) as usize,
            _ => first + rng.below((length - first) as u64) as usize,
        };
        if n % 4 == 3 {
            // The first operand: what zero trits turn into may be legal, or not.
            let place = if of.operands.0 > 0 { rng.below(2) as usize } else { place };
            let at = bench.image(of.payload_offset()) + place as u64;
            bench.memory().flip(at, 1);
            let faults = [Fault::PayloadCrc, Fault::TritBlock];
            bench.refused(&faults[..1 + usize::from(place >= first)], Some(of.sequence));
        } else {
            bench.payload(&of, place, bytes.next().unwrap());
            bench.refused(&[Fault::TritBlock], Some(of.sequence));
        }
    }
    // The last beat of a pass that has no head.
    let of = bench.walk[bench.walk.len() - 2];
    let last = bench.image(of.end()) - 1;
    bench.memory().flip(last, 1);
    let faults = [Fault::PayloadCrc, Fault::TritBlock];
    bench.refused_where(Want::State, &faults, Some(of.sequence));
    bench.works();
}

/// Rows that are damaged, of another token, or of fields that no compiler writes.
fn rows(bench: &mut Bench, rng: &mut Rng, places: usize) {
    bench.mend();
    let (at, stride) = (bench.row(), bench.stride());
    let fields = [(5, 6), (0, 0x0000_0001), (1, 0x0040_0000)];
    for n in 0..places {
        let mut row = vec![0; stride as usize];
        match n % 8 {
            0 => {
                bench.memory().read(at + stride, &mut row);
                bench.memory().write(at, &row);
            }
            n if n <= fields.len() => {
                let (word, value) = fields[n - 1];
                bench.memory().read(at, &mut row);
                let place = stride as usize - 32 + 4 * word;
                row[place..place + 4].copy_from_slice(&u32::to_le_bytes(value));
                let crc = crc32c::crc32c(&row[..stride as usize - 4]);
                row[stride as usize - 4..].copy_from_slice(&crc.to_le_bytes());
                bench.memory().write(at, &row);
            }
            _ => _ = bench.memory().flip(at + rng.below(stride), 1 << rng.below(8)),
        }
        bench.refused(&[Fault::Row], None);
    }
    bench.works();
}

fn failing_memory(bench: &mut Bench, rng: &mut Rng, places: usize) {
    bench.mend();
    let map = bench.card.map().clone();
    let image = bench.walk.last().unwrap().end() as u64;
    for n in 0..places {
        let (row, stride) = (bench.row(), bench.stride());
        let read = |at: u64| (Injection::ReadError(at..at + 1), Fault::ReadResponse);
        let (injection, fault) = match n % 10 {
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
        match n % 10 {
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
    bench.works();
}

/// Clocks of a pass in which nothing moves beyond those of the watchdog.
const LATE: u32 = 3;

/// The watchdog tells when it should, the core waits until it is owed nothing, and works again.
fn silence(bench: &mut Bench, rng: &mut Rng, places: usize) {
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
        bench.set(&regs::TOKENS[0], TOKEN);
        bench.set(&regs::MODE, 0);
        bench.set(&regs::COUNT, 1);
        bench.set(&regs::COMMAND, command::RUN);
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
/// for there that the core still has of another model.
fn late_image(bench: &mut Bench, rng: &mut Rng, places: usize) {
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
        let from = if n % 2 == 0 { first } else { first - UNIT as u64 };
        bench.memory().inject(Injection::Silence(from..from + 1));
        bench.set(&regs::TOKENS[0], TOKEN);
        bench.set(&regs::MODE, 0);
        bench.set(&regs::COUNT, 1);
        bench.set(&regs::COMMAND, command::RUN);
        bench.steps(600);
        bench.memory().heal();
        while bench.get(&regs::STATUS) & status::BUSY != 0 {
            bench.steps(100);
            assert!(bench.get(&regs::CYCLES_LO) < 1 << 14, "it stands still");
        }
        assert_eq!(bench.get(&regs::STATUS), status::DONE | status::STATE_VALID);
        let step = [Step { slot: 0, token: TOKEN, want: Want::Top }];
        let best = bench.golden.pass(&step).unwrap()[0].top[0].token;
        assert_eq!(bench.get(&regs::LAST_TOKEN), best);
        bench.base_of_state();
        bench.obeys(command::SAVE, 0, 1);
        let (at, length) = (bench.card.map().state(0), bench.golden.state(0).len());
        assert_eq!(numbers(&bench.bytes(at, 4 * length)), bench.golden.state(0));
        bench.works();
    }
}

/// In any clock of a pass, of a save and of a load.
fn resets(bench: &mut Bench, rng: &mut Rng, places: usize) {
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
fn random_commands(bench: &mut Bench, rng: &mut Rng, places: usize) {
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

/// Image, rows, records, logits and states anywhere in a memory of 2⁴⁰ bytes: the same record.
fn addresses(bench: &mut Bench, rng: &mut Rng, places: usize) {
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
    }
    Device::reset(&mut bench.card).unwrap();
    bench.works();
}

fn numbers(bytes: &[u8]) -> Vec<i32> {
    bytes.chunks_exact(4).map(|b| i32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}
