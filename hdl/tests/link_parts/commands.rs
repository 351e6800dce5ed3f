//! What requests ask for, in front of slow buses.

use std::collections::VecDeque;

use sterna_hdl::link::Commands;
use sterna_hdl::link::protocol::{Hello, PAYLOAD, VERSION};
use sterna_rtl::random::Rng;
use sterna_rtl::{Generate, Interpreter, mutate};

use crate::buses::{Accessed, Buses, MEMORY, NO_REGISTER, fails};
use crate::common::seed;

#[derive(Clone, Debug)]
struct Request {
    sequence: u64,
    operation: u64,
    length: u64,
    address: u64,
    size: u64,
    words: Vec<u64>,
}

impl Request {
    /// Most often one that is obeyed.
    fn any(rng: &mut Rng) -> Request {
        let kind = 1 + rng.below(5);
        // A bit of it may be another.
        let operation = if rng.one_in(12) { kind ^ 1 << rng.below(8) } else { kind };
        let memory = kind > 3;
        let length = match rng.below(if memory { 40 } else { 10 }) {
            0 => [0, 1032, 12, 0x8008, 2056, 1025][rng.below(6) as usize],
            1 => 1 << rng.below(16) | if memory { 8 } else { 4 },
            2 if memory => PAYLOAD as u64,
            _ if memory => 8 * (1 + rng.below(8)),
            _ => 4,
        };
        let most = if memory { 1 << 40 } else { 1 << 12 };
        let mut address = rng.below(most) & if memory { !7 } else { !3 };
        match rng.below(if memory { 20 } else { 10 }) {
            0 => address |= 1 << rng.below(3),
            1 => address |= 1 << rng.below(40),
            2 => address = (MEMORY - 8 * rng.below(4)) & if memory { !7 } else { 0xffc },
            _ => {}
        }
        let has = [3, 5].contains(&kind);
        let mut size = if has { length } else { 0 };
        match rng.below(16) {
            0 => size ^= 1 << rng.below(16),
            1 if has => size = 0,
            _ => {}
        }
        let words = (0..size.min(PAYLOAD as u64).div_ceil(8)).map(|_| rng.next_u64()).collect();
        Request { sequence: rng.below(256), operation, length, address, size, words }
    }

    /// Whether it is what the protocol allows.
    fn is_legal(&self) -> bool {
        let Request { operation, length, address, size, .. } = *self;
        let word = length == 4 && address % 4 == 0 && address < 1 << 12;
        let whole = (1..=PAYLOAD as u64).contains(&length) && length % 8 == 0 && address % 8 == 0;
        match operation {
            1 => size == 0,
            2 => word && size == 0,
            3 => word && size == length,
            4 => whole && size == 0,
            5 => whole && size == length,
            _ => false,
        }
    }
}

/// The module, what is asked of it, and what it has to do.
struct Bench {
    sim: Interpreter,
    buses: Buses,
    rng: Rng,
    /// Words asked for, three clocks back.
    asked: VecDeque<Option<u64>>,
    /// The sequence of the register write that was last, if that was last, and what was said to the
    /// last one that was tried.
    last: Option<u64>,
    last_status: u8,
    shown: Option<(u64, u64)>,
}

impl Bench {
    /// A clock; a byte of a reply that has moved, and whether it was the last.
    fn clock(&mut self, request: Option<&Request>) -> Option<(u8, bool)> {
        let Bench { sim, buses, rng, asked, .. } = self;
        buses.drive(sim);
        let rubbish = Request { words: vec![], ..Request::any(rng) };
        let fields = request.unwrap_or(&rubbish);
        sim.poke("valid", request.is_some());
        sim.poke("number", fields.sequence);
        sim.poke("operation", fields.operation);
        sim.poke("length", fields.length);
        sim.poke("address", fields.address);
        sim.poke("size", fields.size);
        let at = asked.pop_front().flatten().zip(request);
        let word = at.and_then(|(at, request)| request.words.get(at as usize).copied());
        sim.poke("word", word.unwrap_or_else(|| rng.next_u64()));
        sim.poke("reply_ready", buses.idle == 0 || rng.one_in(buses.idle));
        asked.push_back(request.map(|_| sim.u64("at")));
        buses.sample(sim);
        let shows = (sim.u64("reply_data"), sim.u64("reply_last"));
        let [valid, ready] = ["valid", "ready"].map(|end| sim.u64(&format!("reply_{end}")) == 1);
        assert!(self.shown.is_none_or(|shown| valid && shown == shows), "an offer has changed");
        self.shown = (valid && !ready).then_some(shows);
        let moves = (valid && ready).then_some((shows.0 as u8, shows.1 == 1));
        assert_eq!(sim.u64("taken") == 1, moves.is_some_and(|of| of.1));
        assert!(request.is_some() || (!valid && buses.is_idle()), "nothing was asked for");
        sim.step();
        moves
    }

    fn rests(&mut self, clocks: u64) {
        for _ in 0..clocks {
            assert_eq!(self.clock(None), None);
        }
    }

    /// What a request has to be answered with, and what it does to a register.
    fn due(&mut self, request: &Request) -> (Vec<u8>, Option<Accessed>) {
        let Request { sequence, operation, length, address, .. } = *request;
        let mut reply = vec![sequence as u8, operation as u8];
        let mut access = None;
        let beats = || (0..length / 8).map(|n| address + 8 * n);
        let register = if address < NO_REGISTER { 0 } else { 2 };
        let memory = || if beats().any(fails) { 3 } else { 0 };
        let status = match operation {
            _ if !request.is_legal() => 1,
            1 => {
                let payload = PAYLOAD as u16;
                reply.extend(Hello { version: VERSION, payload, memory: MEMORY }.encode());
                0
            }
            2 => {
                reply.extend(&self.buses.register(address).to_le_bytes()[..4]);
                access = Some((address, None));
                register
            }
            3 if self.last == Some(sequence) => self.last_status,
            3 => {
                access = Some((address, Some(request.words[0] & 0xffff_ffff)));
                self.last_status = register;
                self.last_status
            }
            4 => {
                beats().for_each(|at| reply.extend(self.buses.word(at).to_le_bytes()));
                memory()
            }
            _ => memory(),
        };
        self.last = (operation == 3 && request.is_legal()).then_some(sequence);
        reply.push(status);
        (reply, access)
    }

    /// Asks, and looks at all that comes of it; or ends it by a reset after so many clocks.
    fn ask(&mut self, request: &Request, end: Option<u64>) {
        let before = self.buses.accessed.len();
        let known = (self.last, self.last_status);
        let (due, access) = self.due(request);
        let mut reply = vec![];
        let patience = 2000 + 200 * request.length.min(PAYLOAD as u64);
        for clock in 0.. {
            assert!(clock < patience, "{request:x?} takes for ever");
            if end == Some(clock) {
                self.sim.poke("valid", 0);
                self.sim.reset();
                self.buses.restart();
                self.shown = None;
                (self.last, self.last_status) = (None, known.1);
                return;
            }
            if let Some((byte, last)) = self.clock(Some(request)) {
                reply.push(byte);
                if last {
                    break;
                }
            }
        }
        assert_eq!(reply, due, "{request:x?}");
        assert_eq!(self.buses.accessed[before..], *access.as_slice(), "{request:x?}");
        if request.operation == 5 && request.is_legal() {
            for (n, &word) in request.words.iter().enumerate() {
                let at = request.address + 8 * n as u64;
                assert!(fails(at) || self.buses.word(at) == word, "{at:#x} of {request:x?}");
            }
        }
    }
}

fn bench() -> Bench {
    let mut sim = mutate::bench(&Commands { memory: MEMORY }.build().unwrap());
    sim.reset();
    Bench {
        sim,
        buses: Buses::new(seed()),
        rng: Rng::new(seed() + 1),
        asked: VecDeque::from([None; 3]),
        last: None,
        last_status: 0,
        shown: None,
    }
}

/// What is but nearly an operation is none.
#[test]
fn operations_are_whole() {
    let mut bench = bench();
    for kind in 1..=5 {
        let length = if kind > 3 { 8 } else { 4 };
        let size = if [3, 5].contains(&kind) { length } else { 0 };
        let words = vec![7; usize::from(size > 0)];
        for operation in (0..8).map(|bit| kind ^ 1 << bit) {
            let words = words.clone();
            let request = Request { sequence: 1, operation, length, address: 8, size, words };
            bench.ask(&request, None);
            bench.rests(1);
        }
    }
}

/// What was done before a reset is done again behind it, with the same number as well.
#[test]
fn a_reset_forgets_what_was_done() {
    let mut bench = bench();
    let (sequence, operation, words) = (9, 3, vec![0x1_0000_0007]);
    let request = Request { sequence, operation, length: 4, address: 8, size: 4, words };
    for accesses in [1, 1, 2] {
        if accesses == 2 {
            bench.ask(&request, Some(0));
        }
        bench.ask(&request, None);
        bench.rests(1);
        assert_eq!(bench.buses.accessed.len(), accesses);
    }
}

/// Requests of all kinds, legal and not, some of them again: answers, and what is done, are what
/// they have to be, however slow the buses are. Now and then a reset comes, and all goes on.
#[test]
fn requests_are_obeyed_once() {
    let mut bench = bench();
    let mut before: Option<Request> = None;
    for turn in 0..500 {
        bench.buses.idle = [0, 2, 3, 9, 1][turn / 7 % 5];
        let again =
            before.take().filter(|of| bench.rng.one_in(if of.operation == 3 { 2 } else { 9 }));
        let mut request = again.unwrap_or_else(|| Request::any(&mut bench.rng));
        // The number alone does not make it the same request, nor does another.
        if bench.rng.one_in(8) {
            request.sequence ^= 1 << bench.rng.below(8);
        }
        if bench.rng.one_in(8)
            && let Some(last) = bench.last
        {
            request.sequence = last;
        }
        let end = (turn % 9 == 8).then(|| bench.rng.below(60));
        bench.ask(&request, end);
        let rests = [1, 2, 30][turn % 3];
        bench.rests(rests);
        before = Some(request);
    }
}
