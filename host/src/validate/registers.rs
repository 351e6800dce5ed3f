//! Whether the registers are the core's, hold what they should, and the interrupt comes.

use std::time::{Duration, Instant};

use serde_json::json;
use sterna_hdl::driver::{CoreState, Transport, bare, identify};
use sterna_hdl::fault::Fault;
use sterna_hdl::registers::{self as regs, Reg, command, status};
use sterna_rtl::parts::Access;

use super::{Bench, Tried, Trouble};
use crate::devices::survey;
use crate::devices::xdma::TransportError;

/// How long an interrupt may take.
const PATIENCE: Duration = Duration::from_millis(500);

/// The steps.
pub fn steps(bench: &mut Bench<'_>) {
    bench.step("core", |bench| {
        let geometry = identify(&mut bench.transport)?;
        let text = survey::core(&geometry);
        let figures = json!({ "manifest": format!("{:016x}", geometry.hash()) });
        bench.geometry = Some(geometry);
        Ok((text, figures))
    });
    bench.step("reset", |bench| {
        bench.core()?;
        let before = CoreState::read(&mut bench.transport)?;
        bare::reset(&mut bench.transport)?;
        let after = CoreState::read(&mut bench.transport)?;
        let figures = json!({ "before": before.status, "after": after.status });
        if after.status != 0 || after.error != 0 {
            let text = format!(
                "STATUS reads {:#04x} and ERROR {} after a reset",
                after.status, after.error
            );
            return Err(Trouble::Wrong(text, figures));
        }
        Ok((format!("STATUS was {:#04x}", before.status), figures))
    });
    bench.step("registers read", |bench| {
        let slots = bench.core()?.slots;
        read_only(bench, slots)
    });
    bench.step("registers hold", |bench| {
        let slots = bench.core()?.slots;
        hold(bench, slots)
    });
    bench.step("interrupt", |bench| {
        bench.core()?;
        interrupt(bench)
    });
}

/// Registers that are only read are inside their width, the constant ones the same every time,
/// and STATUS and ERROR are such as there are.
fn read_only(bench: &mut Bench<'_>, slots: u32) -> Tried {
    let transport = &mut bench.transport;
    let mut count = 0;
    for reg in of(slots, Access::Read) {
        let value = transport.read_register(reg.offset)?;
        let wrong = |what: &str| {
            let figures = json!({ "register": reg.name, "read": value });
            Err(Trouble::Wrong(format!("{} reads {value:#010x}, {what}", reg.name), figures))
        };
        if value & !mask(reg) != 0 {
            return wrong(&format!("more than its {} bits", reg.width));
        }
        if reg.offset < regs::IMAGE_LO.offset {
            for _ in 0..16 {
                if transport.read_register(reg.offset)? != value {
                    return wrong("and then something else");
                }
            }
        }
        let busy = status::BUSY | status::DRAINING;
        if reg.name == regs::STATUS.name && value & busy != 0 {
            return wrong("which is busy, though nothing was asked for");
        }
        let known = u8::try_from(value).ok().and_then(Fault::from_code).is_some();
        if reg.name == regs::ERROR.name && value != 0 && !known {
            return wrong("which is no fault");
        }
        count += 1;
    }
    Ok((format!("{count} registers"), json!({ "registers": count })))
}

/// Registers that are written hold every bit by itself and every bit but one, none changes
/// another, and all are as before afterwards.
fn hold(bench: &mut Bench<'_>, slots: u32) -> Tried {
    let transport = &mut bench.transport;
    let registers: Vec<&Reg> = of(slots, Access::Write).collect();
    let mut before = vec![];
    for reg in &registers {
        before.push(transport.read_register(reg.offset)?);
    }
    let result = patterns(transport, &registers);
    // Also after an error: what can be restored is.
    for (reg, value) in registers.iter().zip(&before) {
        transport.write_register(reg.offset, *value)?;
    }
    let count = result?;
    let figures = json!({ "registers": registers.len(), "patterns": count });
    Ok((format!("{} registers, {count} patterns", registers.len()), figures))
}

fn patterns<T: Transport>(transport: &mut T, registers: &[&Reg]) -> Result<usize, Trouble>
where
    Trouble: From<T::Error>,
{
    let mut count = 0;
    let mut check = |transport: &mut T, reg: &Reg, expected: u32| -> Result<(), Trouble> {
        let read = transport.read_register(reg.offset)?;
        count += 1;
        if read == expected {
            return Ok(());
        }
        let figures = json!({ "register": reg.name, "written": expected, "read": read });
        let text = format!(
            "{} reads {read:#010x} after {expected:#010x} was written: bits {:#010x} do not hold",
            reg.name,
            read ^ expected
        );
        Err(Trouble::Wrong(text, figures))
    };
    for reg in registers {
        for bit in 0..reg.width {
            for value in [1 << bit, !(1 << bit) & mask(reg)] {
                transport.write_register(reg.offset, value)?;
                check(transport, reg, value)?;
            }
        }
    }
    // Each another value, all of them written before any is read.
    for flip in [0, u32::MAX] {
        let value =
            |n: usize, reg: &Reg| ((n as u32 + 1).wrapping_mul(0x9e37_79b9) ^ flip) & mask(reg);
        for (n, reg) in registers.iter().enumerate() {
            transport.write_register(reg.offset, value(n, reg))?;
        }
        for (n, reg) in registers.iter().enumerate() {
            check(transport, reg, value(n, reg))?;
        }
    }
    Ok(count)
}

/// The interrupt of a command that is over at once. A driver that polls does without; one that
/// waits for an interrupt that never comes is slow.
fn interrupt(bench: &mut Bench<'_>) -> Tried {
    let transport = &mut bench.transport;
    if !transport.card().interrupts() {
        return Err(Trouble::Skip("there is no events node: the status is polled"));
    }
    transport.write_register(regs::SLOT_MASK.offset, 1)?;
    // Those that are left of something earlier.
    for _ in 0..16 {
        if !transport.card().wait(Duration::ZERO).map_err(TransportError)? {
            break;
        }
    }
    let begin = Instant::now();
    transport.write_register(regs::COMMAND.offset, command::CLEAR)?;
    let came = transport.card().wait(PATIENCE).map_err(TransportError)?;
    let seconds = begin.elapsed().as_secs_f64();
    let status = transport.read_register(regs::STATUS.offset)?;
    let figures = json!({ "seconds": seconds, "status": status });
    if status & status::DONE == 0 {
        let text =
            format!("STATUS reads {status:#04x} after a clear, not done: run `sterna reset`");
        return Err(Trouble::Wrong(text, figures));
    }
    if !came {
        let text = "the core is done, but no interrupt came: is its irq at user interrupt 0?";
        return Err(Trouble::Wrong(text.into(), figures));
    }
    Ok((format!("after {:.0} us", seconds * 1e6), figures))
}

fn of(slots: u32, access: Access) -> impl Iterator<Item = &'static Reg> {
    regs::of(slots).filter(move |reg| reg.access == access)
}

fn mask(reg: &Reg) -> u32 {
    u32::MAX >> (32 - reg.width)
}
