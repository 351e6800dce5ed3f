//! Cards that are wrong in one way each, and the steps that say so.

use std::sync::Arc;

use sterna_firmware::geometry::Geometry;
use sterna_firmware::shape::Shape;
use sterna_sim::SimError;
use sterna_sim::fake_card::FakeCard;
use sterna_sim::soft_core::{Arithmetic, SoftCore};
use sterna_xdma::Options;

use super::*;
use sterna_hdl::record::{HEADER, stride};
use sterna_hdl::registers::{self as regs, Reg};

/// What is wrong.
#[derive(Clone, Copy, Debug)]
enum Defect {
    None,
    /// A register reads as something else.
    Reads(Reg, fn(u32) -> u32),
    /// A register reads as something else from the third time on.
    Changes(Reg, fn(u32) -> u32),
    /// Bits of a register that cannot be written.
    Dead(Reg, u32),
    /// Writing a register writes another one as well.
    Both(Reg, Reg),
    /// A byte after the address in a register reads with a bit turned over.
    Flipped(Reg, u64),
}

struct Wrong {
    core: SoftCore,
    defect: Defect,
    reads: u32,
}

impl Transport for Wrong {
    type Error = SimError;

    fn memory_bytes(&self) -> u64 {
        self.core.memory_bytes()
    }

    fn read_register(&mut self, offset: u32) -> Result<u32, SimError> {
        let value = self.core.read_register(offset)?;
        Ok(match self.defect {
            Defect::Reads(reg, change) if reg.offset == offset => change(value),
            Defect::Changes(reg, change) if reg.offset == offset => {
                self.reads += 1;
                if self.reads > 2 { change(value) } else { value }
            }
            _ => value,
        })
    }

    fn write_register(&mut self, offset: u32, value: u32) -> Result<(), SimError> {
        match self.defect {
            Defect::Dead(reg, bits) if reg.offset == offset => {
                self.core.write_register(offset, value & !bits)
            }
            Defect::Both(reg, other) if reg.offset == offset => {
                self.core.write_register(other.offset, value)?;
                self.core.write_register(offset, value)
            }
            _ => self.core.write_register(offset, value),
        }
    }

    fn read_memory(&mut self, at: u64, bytes: &mut [u8]) -> Result<(), SimError> {
        self.core.read_memory(at, bytes)?;
        if let Defect::Flipped(reg, after) = self.defect {
            let base = u64::from(self.core.read_register(reg.offset)?);
            let place = (base + after).checked_sub(at);
            if let Some(byte) = place.and_then(|n| bytes.get_mut(n as usize))
                && base > 0
            {
                *byte ^= 1;
            }
        }
        Ok(())
    }

    fn write_memory(&mut self, at: u64, bytes: &[u8]) -> Result<(), SimError> {
        self.core.write_memory(at, bytes)
    }

    fn wait(&mut self, polls: u64) -> Result<bool, SimError> {
        self.core.wait(polls)
    }
}

fn failed(slots: u32, defect: Defect) -> Vec<String> {
    let shape = Shape { hidden: 64, inner: 64, intermediate: 64, layers: 2, vocab: 2 };
    let geometry = Geometry::for_shape(64, &shape).with_slots(slots);
    let core = SoftCore::new(&geometry, 4 << 20, Arithmetic::Golden);
    let card = FakeCard::new(Wrong { core, defect, reads: 0 }, 0);
    let transport = XdmaTransport::take(Arc::new(card.local()), None, Options::default()).unwrap();
    let plan = Plan { memory: None, full: false, model: None };
    let mut told = 0;
    let steps = validate(transport, &plan, &mut |_| told += 1);
    assert_eq!(steps.len(), told);
    let failed = steps.into_iter().filter(|step| step.outcome == Outcome::Failed);
    failed.map(|step| step.name).collect()
}

#[test]
fn every_defect_fails_its_step() {
    for (defect, expected) in [
        (Defect::None, &[][..]),
        (Defect::Reads(regs::ISA, |_| 9), &["core"]),
        (Defect::Reads(regs::ERROR, |_| 200), &["reset", "registers read"]),
        (
            Defect::Reads(regs::TOKENS_DONE, |value| value | 1 << 16),
            &["registers read", "checksums", "passes"],
        ),
        (Defect::Changes(regs::MANIFEST_LO, |value| value ^ 4), &["registers read", "load"]),
        (Defect::Dead(regs::STOP_3, 1 << 20), &["registers hold"]),
        (Defect::Both(regs::STOP_1, regs::STOP_0), &["registers hold"]),
        (Defect::Reads(regs::CYCLES_LO, |value| value + 1), &["passes"]),
        // The accumulator of a token that is none of the best is looked at by nobody else.
        (Defect::Flipped(regs::LOGITS_LO, 4 * 77), &["passes"]),
        (Defect::Flipped(regs::STATE_LO, 0), &["passes"]),
        (Defect::Flipped(regs::RESULT_LO, HEADER as u64 + 4), &["passes"]),
    ] {
        assert_eq!(failed(1, defect), expected, "{defect:?}");
    }
}

/// What a pass of one sequence does not show.
#[test]
fn every_slot_is_looked_at() {
    for (defect, expected) in [
        (Defect::None, &[][..]),
        (Defect::Dead(regs::TOKEN_3, 4), &["registers hold", "slots"]),
        (Defect::Both(regs::TOKEN_2, regs::TOKEN_1), &["registers hold", "slots"]),
        (Defect::Dead(regs::SLOT_MASK, 8), &["registers hold", "slots"]),
        // The record of the last of four.
        (Defect::Flipped(regs::RESULT_LO, 3 * stride(64) as u64 + 4), &["slots"]),
    ] {
        assert_eq!(failed(4, defect), expected, "{defect:?}");
    }
}
