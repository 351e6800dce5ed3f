//! Frames that arrive and frames that leave.

use std::collections::VecDeque;

use sterna_hdl::link::protocol::{Decoder, ESCAPE, FLAG, FLIP, HEADER, PAYLOAD, encode};
use sterna_hdl::link::{Replies, Requests};
use sterna_rtl::random::Rng;
use sterna_rtl::{Generate, Interpreter, mutate};

use crate::common::seed;

/// Bytes of which many are flags or escapes.
fn bytes(rng: &mut Rng, count: usize) -> Vec<u8> {
    let byte = |rng: &mut Rng| [FLAG, ESCAPE, rng.next_u64() as u8][rng.below(3) as usize];
    (0..count).map(|_| byte(rng)).collect()
}

/// A byte that arrives, and whether it has a mark.
type Marked = (u8, bool);

fn sound(line: Vec<u8>) -> Vec<Marked> {
    line.into_iter().map(|byte| (byte, false)).collect()
}

/// What arrives: a frame, most often a good one.
fn arrival(rng: &mut Rng, turn: usize) -> Vec<Marked> {
    let payload = match turn % 11 {
        0 => PAYLOAD,
        // With a checksum that is right, and too long.
        1 => PAYLOAD + [1, 7][turn / 11 % 2],
        2 => rng.below(PAYLOAD as u64 / 2) as usize,
        _ => rng.below(40) as usize,
    };
    let frame = bytes(rng, HEADER + payload);
    let line = encode(&frame);
    let inside = |rng: &mut Rng| 1 + rng.below(line.len() as u64 - 2) as usize;
    let mut marked = sound(line.clone());
    match turn % 19 {
        2 => return sound(encode(&frame[..rng.below(HEADER as u64) as usize])),
        3 => return sound(encode(&frame[..HEADER - 1])),
        4 => return sound(encode(&frame[..HEADER])),
        5 => marked[inside(rng)].0 ^= 1 << rng.below(8),
        // One byte of it is marked, or one that is marked has come into it, or the flag is.
        6 => marked[inside(rng)].1 = true,
        7 => marked.insert(inside(rng), (rng.next_u64() as u8, true)),
        8 => marked.insert(inside(rng), (FLAG, true)),
        9 => marked.last_mut().unwrap().1 = true,
        10 => marked[0].1 = true,
        11 => marked.insert(line.len() - 1, (ESCAPE, false)),
        12 => return sound(vec![FLAG; 4]),
        13 => marked.truncate(inside(rng)),
        14 => _ = marked.remove(0),
        15 => return sound(bytes(rng, 60)),
        17 => marked.insert(line.len() - 1, (ESCAPE, true)),
        // Any byte may be escaped, one that looks like an escape then as well.
        18 => {
            let line = encode(&[FLIP ^ ESCAPE; HEADER + 8]).into_iter();
            let escapes = |byte| if byte == FLIP ^ ESCAPE { vec![ESCAPE; 2] } else { vec![byte] };
            return sound(line.flat_map(escapes).collect());
        }
        16 => return [sound(vec![ESCAPE; 1 + turn % 2]), marked].concat(),
        _ => {}
    }
    marked
}

/// The request, or none, that has come with a byte.
#[derive(Default)]
struct Golden {
    decoder: Decoder,
    marked: bool,
}

impl Golden {
    fn push(&mut self, (byte, marked): Marked) -> Option<Vec<u8>> {
        self.marked |= marked;
        if marked {
            return None;
        }
        let frame = self.decoder.push(byte);
        let broken = byte == FLAG && std::mem::take(&mut self.marked);
        frame.filter(|of| !broken && (HEADER..=HEADER + PAYLOAD).contains(&of.len()))
    }
}

/// Looks at a request that is there, in some order, and takes it.
fn take(sim: &mut Interpreter, rng: &mut Rng, frame: &[u8]) {
    let field = |from: usize, to: usize| {
        frame[from..to].iter().rev().fold(0, |all, &byte| all << 8 | u64::from(byte))
    };
    let payload = &frame[HEADER..];
    let mut asked = VecDeque::from([None; 3]);
    for clock in 0..rng.below(20) + 6 + 2 * payload.len() as u64 / 8 {
        let words = payload.len() as u64 / 8;
        let at = if clock < words { clock } else { rng.below(words.max(1)) };
        sim.poke("at", at);
        asked.push_back((words > 0).then_some(at as usize));
        sim.poke("s_valid", rng.one_in(2));
        sim.poke("s_data", rng.below(512));
        assert_eq!((sim.u64("valid"), sim.u64("s_ready")), (1, 0));
        let names = ["number", "operation", "length", "address", "size"];
        let fields = [field(0, 1), field(1, 2), field(2, 4), field(4, 9), payload.len() as u64];
        assert_eq!(names.map(|name| sim.u64(name)), fields);
        if let Some(at) = asked.pop_front().flatten() {
            let word = field(HEADER + 8 * at, HEADER + 8 * at + 8);
            assert_eq!(sim.u64("word_out"), word, "word {at} of {words}");
        }
        sim.step();
    }
    sim.poke("s_valid", 0);
    sim.poke("taken", 1);
    sim.step();
    sim.poke("taken", 0);
    assert_eq!((sim.u64("valid"), sim.u64("s_ready")), (0, 1));
}

/// Good frames and all kinds of others: those that are good are given out, and nothing is else.
#[test]
fn good_frames_are_requests() {
    let mut sim = mutate::bench(&Requests.build().unwrap());
    let rng = &mut Rng::new(seed());
    let mut requests = 0;
    for round in 0..6 {
        sim.reset();
        let mut golden = Golden::default();
        // What was inside a frame at the reset is not behind it.
        let mut line: VecDeque<Marked> = sound(encode(&bytes(rng, 20))).into();
        line.drain(..[1, 5, 0][round % 3]);
        let mut left = if round == 0 { 38 } else { 19 };
        let idle = [0, 2, 9][round % 3];
        loop {
            if line.is_empty() && left > 0 {
                left -= 1;
                // One flag is enough between two frames.
                let arrival = arrival(rng, left + 19 * round);
                let shares = arrival.first() == Some(&(FLAG, false)) && rng.one_in(2);
                line.extend(&arrival[usize::from(shares)..]);
            }
            let Some(&next) = line.front() else { break };
            assert_eq!((sim.u64("valid"), sim.u64("s_ready")), (0, 1));
            let gap = idle > 0 && rng.one_in(idle);
            sim.poke("s_valid", !gap);
            sim.poke("s_data", u64::from(next.1) << 8 | u64::from(next.0));
            sim.step();
            if gap {
                continue;
            }
            line.pop_front();
            let request = golden.push(next);
            sim.poke("s_valid", 1);
            sim.poke("s_data", rng.below(512));
            let mut waits = 0;
            while [sim.u64("valid"), sim.u64("s_ready")] == [0, 0] {
                waits += 1;
                sim.step();
            }
            assert!(waits == 0 || waits == 3, "{waits} clocks for a checksum");
            assert_eq!(sim.u64("valid") == 1, request.is_some());
            if let Some(frame) = request {
                requests += 1;
                take(&mut sim, rng, &frame);
            }
        }
        // Part of a frame is inside when the reset comes.
        let part = encode(&[FLAG; 20]);
        let part = &part[..part.len() - [1, 9, 0][round % 3]];
        for &byte in part {
            sim.poke("s_valid", 1);
            sim.poke("s_data", byte);
            sim.step();
        }
        sim.poke("s_valid", 0);
    }
    assert!(requests > 30, "{requests}");
}

/// Frames leave with flags, escapes and checksum, whoever is slow; a reset ends one in the middle.
#[test]
fn replies_are_frames() {
    let mut sim = mutate::bench(&Replies.build().unwrap());
    let rng = &mut Rng::new(seed());
    sim.reset();
    for turn in 0..90 {
        let length = if turn % 40 == 20 { PAYLOAD + 3 } else { 1 + rng.below(30) as usize };
        let mut frame = bytes(rng, length);
        // A checksum that ends with an escape, before which the reset comes.
        while turn % 20 == 9 && encode(&frame).iter().nth_back(2) != Some(&ESCAPE) {
            frame = bytes(rng, length);
        }
        let mut line = VecDeque::from(encode(&frame));
        let mut source = VecDeque::from(frame);
        // Both at once, or one of them or both slow.
        let [slow_source, slow_sink] = [turn % 4 > 1, turn % 2 == 1];
        let (mut offered, mut shown) = (false, None);
        let until = match turn % 20 {
            9 => 3,
            19 => 1 + rng.below(line.len() as u64 - 1) as usize,
            _ => 0,
        };
        let mut waits = 0;
        while line.len() > until {
            offered = !source.is_empty() && (offered || !slow_source || rng.one_in(3));
            sim.poke("s_valid", offered);
            sim.poke("s_data", source.front().map_or(rng.next_u64() as u8, |&byte| byte));
            sim.poke("s_last", if offered { source.len() == 1 } else { rng.one_in(2) });
            let takes = !slow_sink || rng.one_in(3);
            sim.poke("m_ready", takes);
            let valid = sim.u64("m_valid") == 1;
            let data = sim.u64("m_data") as u8;
            assert!(shown.is_none_or(|shown| valid && shown == data), "an offer has changed");
            shown = (valid && !takes).then_some(data);
            if valid && takes {
                assert_eq!(Some(data), line.pop_front());
            }
            if offered && sim.u64("s_ready") == 1 {
                source.pop_front();
                offered = false;
            }
            waits += u64::from(!valid && source.is_empty());
            sim.step();
        }
        assert!(until > 0 || waits == 3, "{waits} clocks for a checksum");
        sim.poke("s_valid", 0);
        sim.poke("m_ready", 1);
        if until > 0 {
            sim.reset();
        }
        assert!(until > 0 || source.is_empty());
        for _ in 0..turn % 3 {
            assert_eq!(sim.u64("m_valid"), 0);
            sim.step();
        }
    }
}
