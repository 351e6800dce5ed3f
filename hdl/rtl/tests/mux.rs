//! The AXI multiplexer clock by clock: whose turn it is, and that all of an address, a beat and an
//! answer arrives.

use sterna_rtl::parts::AxiMux;
use sterna_rtl::random::Rng;
use sterna_rtl::{AxiWidths, Bits, Generate, Interpreter, mutate};

const WIDTHS: AxiWidths = AxiWidths { addr: 40, data: 64, id: 2 };

type Signals = &'static [(&'static str, u32)];
/// What an address, a beat and an answer consist of, the ID aside, and their bits.
const ADDRESS: Signals = &[
    ("addr", 40),
    ("prot", 3),
    ("len", 8),
    ("size", 3),
    ("burst", 2),
    ("lock", 1),
    ("cache", 4),
    ("qos", 4),
];
const BEAT: Signals = &[("data", 64), ("strb", 8), ("last", 1)];
const READ: Signals = &[("data", 64), ("resp", 2), ("last", 1)];
const WRITTEN: Signals = &[("resp", 2)];

/// One thing on a channel: an ID, where the channel has one, and the rest.
#[derive(Clone, Debug, PartialEq)]
struct Item {
    id: u64,
    rest: Vec<Bits>,
}

impl Item {
    fn random(rng: &mut Rng, signals: Signals, ids: u64) -> Item {
        let rest = signals.iter().map(|&(_, width)| rng.bits(width)).collect();
        Item { id: rng.below(ids), rest }
    }
}

/// A channel at one of the ports.
#[derive(Clone, Copy)]
struct Channel {
    port: &'static str,
    name: &'static str,
    signals: Signals,
}

impl Channel {
    fn name(&self, signal: &str) -> String {
        format!("{}_axi_{}{signal}", self.port, self.name)
    }

    fn offer(&self, sim: &mut Interpreter, item: Option<&Item>) {
        sim.poke(&self.name("valid"), item.is_some());
        let Some(item) = item else { return };
        if self.name != "w" {
            sim.poke(&self.name("id"), item.id);
        }
        for ((signal, _), value) in self.signals.iter().zip(&item.rest) {
            sim.poke(&self.name(signal), value.clone());
        }
    }

    fn offered(&self, sim: &mut Interpreter) -> Option<Item> {
        (sim.u64(&self.name("valid")) == 1).then(|| {
            let id = if self.name == "w" { 0 } else { sim.u64(&self.name("id")) };
            let rest = self.signals.iter().map(|(signal, _)| sim.peek(&self.name(signal)));
            Item { id, rest: rest.collect() }
        })
    }
}

/// The port of each master.
const MASTERS: [&str; 2] = ["s0", "s1"];

/// The item with the number of its master in the ID.
fn of_master(item: &Item, master: usize) -> Item {
    Item { id: (master as u64) << WIDTHS.id | item.id, ..item.clone() }
}

/// Whoever was not served last goes first.
fn in_turn(last: usize, wants: [bool; 2]) -> usize {
    if wants[1 - last] { 1 - last } else { last }
}

/// A master is told whether what it offers on each channel is taken.
fn check_taken(sim: &mut Interpreter, port: &str, takes: [(&str, bool, bool); 3], place: &str) {
    for (name, offered, ready) in takes {
        if offered {
            let said = sim.u64(&format!("{port}_axi_{name}ready")) == 1;
            assert_eq!(said, ready, "{name} of {port}, {place}");
        }
    }
}

/// Answers reach the master that the ID says, which says whether it takes them.
fn check_answers(sim: &mut Interpreter, rng: &mut Rng, place: &str) {
    let channel = |port, name, signals| Channel { port, name, signals };
    for (name, signals) in [("r", READ), ("b", WRITTEN)] {
        let item = (!rng.one_in(4)).then(|| Item::random(rng, signals, 8));
        channel("m", name, signals).offer(sim, item.as_ref());
        let ready = [0, 1].map(|n| {
            let ready = rng.one_in(2);
            sim.poke(&format!("{}_axi_{name}ready", MASTERS[n]), ready);
            ready
        });
        for (n, port) in (0..).zip(MASTERS) {
            let mine = item.as_ref().filter(|item| item.id >> WIDTHS.id == n);
            let mine = mine.map(|item| Item { id: item.id & 3, ..item.clone() });
            assert_eq!(channel(port, name, signals).offered(sim), mine, "{place}");
        }
        if let Some(item) = item {
            let said = sim.u64(&format!("m_axi_{name}ready")) == 1;
            assert_eq!(said, ready[(item.id >> WIDTHS.id) as usize], "{name}, {place}");
        }
    }
}

#[test]
fn masters_take_turns() {
    let design = AxiMux { widths: WIDTHS }.build().unwrap();
    let mut sim = mutate::bench(&design);
    let channel = |port, name, signals| Channel { port, name, signals };
    for seed in 0..24 {
        let mut rng = Rng::new(seed);
        let pause = [1, 2, 6, 30][seed as usize % 4];
        // On offer: addresses to read and to write, beats.
        let (mut reads, mut writes, mut beats) = ([None, None], [None, None], [None, None]);
        let (mut reader, mut waits, mut writer) = (0, false, 0);
        // Of the burst under way, the address and the last beat are to come.
        let (mut addressing, mut sending) = (false, false);
        sim.reset();
        for clock in 0..400 {
            let place = format!("seed {seed}, clock {clock}");
            for (n, port) in MASTERS.into_iter().enumerate() {
                let offers = [
                    (&mut reads[n], channel(port, "ar", ADDRESS)),
                    (&mut writes[n], channel(port, "aw", ADDRESS)),
                    (&mut beats[n], channel(port, "w", BEAT)),
                ];
                for (item, channel) in offers {
                    if item.is_none() && rng.one_in(pause) {
                        *item = Some(Item::random(&mut rng, channel.signals, 4));
                    }
                    channel.offer(&mut sim, item.as_ref());
                }
            }
            let [ready_read, ready_write, ready_beat] = ["ar", "aw", "w"].map(|name| {
                let ready = !rng.one_in(3);
                sim.poke(&format!("m_axi_{name}ready"), ready);
                ready
            });

            // Reads: without latency; what was offered stays on offer.
            let wants = [0, 1].map(|n| reads[n].is_some());
            let chosen = if waits { reader } else { in_turn(reader, wants) };
            let wanted = reads[chosen].as_ref().map(|item| of_master(item, chosen));
            assert_eq!(channel("m", "ar", ADDRESS).offered(&mut sim), wanted, "{place}");
            // Writes: a burst at a time.
            let wanted = writes[writer].as_ref().filter(|_| addressing);
            let wanted = wanted.map(|item| of_master(item, writer));
            assert_eq!(channel("m", "aw", ADDRESS).offered(&mut sim), wanted, "{place}");
            let wanted = beats[writer].as_ref().filter(|_| sending);
            let wanted = wanted.map(|item| Item { id: 0, ..item.clone() });
            assert_eq!(channel("m", "w", BEAT).offered(&mut sim), wanted, "{place}");
            for (n, port) in MASTERS.into_iter().enumerate() {
                let takes = [
                    ("ar", reads[n].is_some(), ready_read && n == chosen),
                    ("aw", writes[n].is_some(), ready_write && addressing && n == writer),
                    ("w", beats[n].is_some(), ready_beat && sending && n == writer),
                ];
                check_taken(&mut sim, port, takes, &place);
            }
            check_answers(&mut sim, &mut rng, &place);
            sim.step();

            if reads[chosen].is_some() {
                (reader, waits) = (chosen, !ready_read);
                reads[chosen].take_if(|_| ready_read);
            }
            if addressing || sending {
                if addressing && ready_write && writes[writer].take().is_some() {
                    addressing = false;
                }
                if sending
                    && ready_beat
                    && let Some(beat) = beats[writer].take()
                {
                    sending = beat.rest[2].is_zero();
                }
            } else if writes.iter().any(|item| item.is_some()) {
                writer = in_turn(writer, [0, 1].map(|n| writes[n].is_some()));
                (addressing, sending) = (true, true);
            }
        }
    }
}
