//! The core's reader of 64 bits and the multiplexer of its port, clock by clock.

use sterna_rtl::parts::{ReadMaster, ReadMux};
use sterna_rtl::random::Rng;
use sterna_rtl::{AxiWidths, Generate, Interpreter, mutate};

const WIDTHS: AxiWidths = AxiWidths { addr: 40, data: 64, id: 1 };
const DEPTH: u64 = 512;

fn reader() -> Interpreter {
    let reader = ReadMaster { widths: WIDTHS, length: 35, depth: DEPTH as usize, number: 0 };
    let mut sim = mutate::bench(&reader.build().unwrap());
    sim.reset();
    sim.poke("m_axi_arready", 1);
    sim
}

fn start(sim: &mut Interpreter, addr: u64, beats: u64) {
    sim.poke("start", 1);
    sim.poke("addr", addr);
    sim.poke("beats", beats);
}

/// A clock, in which a burst of the memory may be asked for: its address and beats.
fn step(sim: &mut Interpreter) -> Option<(u64, u64)> {
    let asks = sim.u64("m_axi_arvalid") == 1;
    let burst = asks.then(|| (sim.u64("m_axi_araddr"), sim.u64("m_axi_arlen") + 1));
    sim.step();
    sim.poke("start", 0);
    burst
}

/// Answers so many beats; none before the last lets the reader rest.
fn answer(sim: &mut Interpreter, beats: u64) {
    sim.poke("m_axi_rvalid", 1);
    for _ in 0..beats {
        assert_eq!((sim.u64("busy"), sim.u64("m_axi_rready")), (1, 1));
        assert_eq!(step(sim), None);
    }
    sim.poke("m_axi_rvalid", 0);
    for _ in 0..5 {
        step(sim);
    }
    assert_eq!(sim.u64("busy"), 0);
}

/// A short job, which asks when it should, and for what it should.
fn short_job(sim: &mut Interpreter, addr: u64, beats: u64, what: &str) {
    sim.poke("m_ready", 1);
    start(sim, addr, beats);
    for clock in 0..ReadMaster::START + 5 {
        let due = (clock == ReadMaster::START).then_some((addr, beats));
        assert_eq!(step(sim), due, "{what}, clock {clock}");
    }
    answer(sim, beats);
}

/// Five clocks after the start, behind whatever.
#[test]
fn the_first_address_comes_in_time() {
    let mut sim = reader();
    short_job(&mut sim, 0x1000 - 8, 1, "behind a reset");
    short_job(&mut sim, 0x12_3000, 256, "behind a job");
    sim.reset();
    short_job(&mut sim, 0xff_ffff_f000, 9, "behind a reset");
    sim.poke("halt", 1);
    for _ in 0..3 {
        step(&mut sim);
    }
    sim.poke("halt", 0);
    short_job(&mut sim, 0x2000 - 24, 3, "behind a halt");
}

/// A halt ends the plan of a burst in any of its clocks, and the next job knows nothing of it.
#[test]
fn a_halt_comes_before_an_address() {
    let mut sim = reader();
    for wait in 1..ReadMaster::START {
        start(&mut sim, 0x1000 - 16, 600);
        for _ in 0..wait {
            assert_eq!(step(&mut sim), None);
        }
        sim.poke("halt", 1);
        for _ in 0..8 {
            assert_eq!(step(&mut sim), None, "{wait} clocks behind the start");
        }
        assert_eq!(sim.u64("busy"), 0);
        sim.poke("halt", 0);
        short_job(&mut sim, 0x3000 - 8 * 40, 40, "behind a halt");
    }
}

/// A start that meets a halt is none: the last job's error stands.
#[test]
fn a_halt_comes_before_a_start() {
    let mut sim = reader();
    sim.poke("m_axi_rresp", 2);
    short_job(&mut sim, 0x1000, 5, "with an error");
    sim.poke("halt", 1);
    start(&mut sim, 0x1000, 5);
    for _ in 0..10 {
        assert_eq!(step(&mut sim), None);
        assert_eq!((sim.u64("busy"), sim.u64("error")), (0, 1));
    }
}

/// Bursts end at a page's end and have 256 beats at most; where nobody takes what comes, no more
/// beats are asked for than there are places.
#[test]
fn bursts_have_a_place_and_a_page() {
    let mut sim = reader();
    for to_page in [1, 2, 3, 128, 254, 255, 256, 257, 258, 300, 511, 512] {
        let addr = 0x10_0000 - 8 * to_page;
        let mut due = vec![];
        let mut next = addr;
        loop {
            let beats = ((4096 - next % 4096) / 8).min(256);
            if (next - addr) / 8 + beats > DEPTH {
                break;
            }
            due.push((next, beats));
            next += 8 * beats;
        }
        sim.poke("m_ready", 0);
        start(&mut sim, addr, (1 << 34) + 1);
        let asked: Vec<_> = (0..60).filter_map(|_| step(&mut sim)).collect();
        assert_eq!(asked, due, "{to_page} beats before a page's end");
        sim.poke("halt", 1);
        answer(&mut sim, (next - addr) / 8);
        sim.poke("halt", 0);
    }
}

/// Addresses from whom the port has chosen, until they are taken; answers to whom they belong.
#[test]
fn a_mux_passes_on_every_signal() {
    let mut sim = mutate::bench(&ReadMux { widths: WIDTHS }.build().unwrap());
    sim.reset();
    let mut rng = Rng::new(5);
    // Both ask as soon as the reset is over, and nobody was chosen before.
    let (mut offers, mut waits) = ([true; 2], None);
    for clock in 0..500 {
        for offer in &mut offers {
            *offer |= rng.one_in(3);
        }
        let chosen: usize = waits.unwrap_or(usize::from(offers[1]));
        let (taken, answers) = (rng.one_in(2), rng.one_in(2));
        let to = rng.below(2);
        sim.poke("m_axi_arready", taken);
        sim.poke("m_axi_rvalid", answers);
        sim.poke("m_axi_rid", to);
        let address = ["addr", "prot", "id", "len", "size", "burst", "lock", "cache", "qos"];
        let bits = [40, 3, 1, 8, 3, 2, 1, 4, 4];
        for (signal, bits) in address.into_iter().zip(bits) {
            let values = [(); 2].map(|()| rng.bits(bits));
            for (n, value) in values.iter().enumerate() {
                sim.poke(&format!("s{n}_axi_ar{signal}"), value.clone());
            }
            for (n, &offer) in offers.iter().enumerate() {
                sim.poke(&format!("s{n}_axi_arvalid"), offer);
            }
            let got = sim.peek(&format!("m_axi_ar{signal}"));
            assert_eq!(got, values[chosen], "ar{signal}, clock {clock}");
        }
        assert_eq!(sim.u64("m_axi_arvalid") == 1, offers[chosen], "clock {clock}");
        let answer = [("data", 64), ("resp", 2), ("last", 1)];
        let answer = answer.map(|(signal, bits)| (signal, rng.bits(bits)));
        for (signal, value) in &answer {
            sim.poke(&format!("m_axi_r{signal}"), value.clone());
        }
        let ready = [(); 2].map(|()| rng.below(2));
        for (n, &ready) in ready.iter().enumerate() {
            sim.poke(&format!("s{n}_axi_rready"), ready);
            let mut bit = |signal: &str| sim.u64(&format!("s{n}_axi_{signal}"));
            assert_eq!(bit("arready") == 1, taken && chosen == n, "clock {clock}");
            assert_eq!(bit("rvalid") == 1, answers && to == n as u64, "clock {clock}");
            assert_eq!(bit("rid"), to, "clock {clock}");
            for (signal, value) in &answer {
                assert_eq!(sim.peek(&format!("s{n}_axi_r{signal}")), *value, "r{signal}");
            }
        }
        assert_eq!(sim.u64("m_axi_rready"), ready[to as usize], "clock {clock}");
        waits = (offers[chosen] && !taken).then_some(chosen);
        offers[chosen] &= !taken;
        sim.step();
    }
}
