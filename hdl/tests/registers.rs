//! The core's registers on their bus, at every address, with anything in them: a simulation of the
//! core never sees most of their bits at work.

mod common;

use std::collections::BTreeMap;

use common::seed;
use sterna_hdl::registers::{self as regs, Reg};
use sterna_rtl::parts::Access;
use sterna_rtl::random::Rng;
use sterna_rtl::{Generate, Interpreter, mutate};

const SLVERR: u64 = 2;

/// One access; what is offered, and taken, is late or not. Data and response.
fn access(sim: &mut Interpreter, rng: &mut Rng, channels: &[&str], answer: &str) -> (u64, u64) {
    let late: Vec<u64> = channels.iter().map(|_| rng.below(3)).collect();
    let mut taken = vec![false; channels.len()];
    let willing = rng.below(4);
    for clock in 0..20 {
        for ((channel, late), taken) in channels.iter().zip(&late).zip(&mut taken) {
            sim.poke(&format!("s_axi_{channel}valid"), !*taken && clock >= *late);
        }
        sim.poke(&format!("s_axi_{answer}ready"), clock >= willing);
        for (channel, taken) in channels.iter().zip(&mut taken) {
            let fires = ["valid", "ready"].map(|end| sim.u64(&format!("s_axi_{channel}{end}")));
            *taken |= fires == [1, 1];
        }
        let valid = sim.u64(&format!("s_axi_{answer}valid")) == 1;
        assert!(!valid || taken.iter().all(|&taken| taken), "an answer to nothing");
        if valid && clock >= willing {
            let data = if answer == "r" { sim.u64("s_axi_rdata") } else { 0 };
            let response = sim.u64(&format!("s_axi_{answer}resp"));
            sim.step();
            return (data, response);
        }
        sim.step();
    }
    panic!("no answer");
}

fn read(sim: &mut Interpreter, rng: &mut Rng, offset: u32) -> (u64, u64) {
    sim.poke("s_axi_araddr", offset);
    access(sim, rng, &["ar"], "r")
}

fn write(sim: &mut Interpreter, rng: &mut Rng, offset: u32, value: u64, strobes: u64) -> u64 {
    sim.poke("s_axi_awaddr", offset);
    sim.poke("s_axi_wdata", value);
    sim.poke("s_axi_wstrb", strobes);
    let response = access(sim, rng, &["aw", "w"], "b").1;
    // What is on the bus without being valid is nothing.
    sim.poke("s_axi_wdata", !value as u32);
    sim.poke("s_axi_wstrb", 15);
    sim.step();
    response
}

/// Each bit of each register is read as it is and written as it should be, and no other is.
#[test]
fn every_bit_of_every_register() {
    for slots in [1, 8] {
        let mut sim = mutate::bench(&regs::bank(slots).build().unwrap());
        let rng = &mut Rng::new(seed());
        sim.reset();
        let there: BTreeMap<u32, &Reg> = regs::of(slots).map(|reg| (reg.offset, reg)).collect();
        let most = |reg: &Reg| u64::MAX >> (64 - reg.width);
        let mut held: BTreeMap<u32, u64> = BTreeMap::new();
        // In the last rounds nothing but what is written is set, and then nothing else.
        for round in 0..8 {
            let all = [(6, u64::from(u32::MAX)), (7, 0)].into_iter().find(|all| all.0 == round);
            for (&offset, reg) in there.iter().filter(|of| of.1.access == Access::Read) {
                // Each bit both ways, and neighbours that differ.
                let value = match round {
                    6 => 0,
                    _ if round % 2 == 0 => rng.next_u64(),
                    _ => !held[&offset],
                };
                held.insert(offset, value & most(reg));
                sim.poke(&reg.port(), value & most(reg));
            }
            let far = [0x200, 0x400, 0x800].map(|bit| bit + 4 * rng.below(0x60) as u32);
            for offset in (0..0x180).step_by(4).chain(far) {
                let random = (rng.below(1 << 32), rng.below(16));
                let (value, strobes) = all.map_or(random, |(_, value)| (value, 15));
                let known = there.get(&offset);
                let allowed = known.is_some_and(|reg| reg.access != Access::Read);
                let response = write(&mut sim, rng, offset, value, strobes);
                assert_eq!(response, if allowed { 0 } else { SLVERR }, "{slots}: {offset:#x}");
                if let Some(reg) = known.filter(|reg| reg.access == Access::Write) {
                    let bytes = (0..4).filter(|n| strobes >> n & 1 == 1).map(|n| 0xff << (8 * n));
                    let mask: u64 = bytes.sum();
                    let before = held.get(&offset).copied().unwrap_or(0);
                    held.insert(offset, (before & !mask | value & mask) & most(reg));
                }
                let expected = match known {
                    Some(_) => (held.get(&offset).copied().unwrap_or(0), 0),
                    None => (0, SLVERR),
                };
                assert_eq!(read(&mut sim, rng, offset), expected, "{slots}: {offset:#x}");
            }
            // Nothing of all that has touched another.
            for (&offset, reg) in &there {
                let value = held.get(&offset).copied().unwrap_or(0);
                assert_eq!(read(&mut sim, rng, offset), (value, 0), "{slots}: {}", reg.name);
                if reg.access == Access::Write {
                    assert_eq!(sim.u64(&reg.port()), value, "{}", reg.name);
                }
            }
        }
        // A reset takes all that was written.
        sim.reset();
        for reg in there.values().filter(|reg| reg.access == Access::Write) {
            assert_eq!(read(&mut sim, rng, reg.offset), (0, 0), "{} behind a reset", reg.name);
        }
    }
}

/// A command is there for one clock, with the bytes that were written.
#[test]
fn commands_last_one_clock() {
    let mut sim = mutate::bench(&regs::bank(1).build().unwrap());
    let rng = &mut Rng::new(seed());
    sim.reset();
    for _ in 0..60 {
        let (value, strobes) = (rng.below(1 << 32), rng.below(16));
        sim.poke("s_axi_awaddr", regs::COMMAND.offset);
        sim.poke("s_axi_wdata", value);
        sim.poke("s_axi_wstrb", strobes);
        let late = rng.below(3);
        let mut seen = vec![];
        let (mut addressed, mut sent) = (false, false);
        for clock in 0..8 {
            sim.poke("s_axi_awvalid", !addressed && clock >= late);
            sim.poke("s_axi_wvalid", !sent);
            sim.poke("s_axi_bready", clock >= 5);
            addressed |= sim.u64("s_axi_awvalid") & sim.u64("s_axi_awready") == 1;
            sent |= sim.u64("s_axi_wready") == 1;
            seen.extend(Some(sim.u64("command")).filter(|&command| command != 0));
            sim.step();
        }
        let expected = if strobes & 1 == 1 { value & 31 } else { 0 };
        let expected: Vec<u64> =
            Some(expected).filter(|&command| command != 0).into_iter().collect();
        assert_eq!(seen, expected);
        assert_eq!(sim.u64("s_axi_bvalid"), 0);
    }
}
