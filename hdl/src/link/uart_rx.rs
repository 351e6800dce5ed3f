use sterna_rtl::{Generate, Module, UInt};

use super::{PHASE, check_rate, step};

/// A byte from the line: 8 data bits, no parity, one stop bit.
///
/// ```text
///  rx -> [ ][ ] -> [ majority of three ] -> start? -> phase -> [ shift ] -> data
/// ```
///
/// ```text
///  rx    ~~\___/=0=X=1=X ... X=7=/~~~~
///  bit     start  ^   ^        ^  ^ stop      looked at in the middle of each
///  valid ________________________/1\__
/// ```
///
/// A start that is over by the middle of its bit is taken for a glitch. A stop bit that is low
/// gives `bad` instead of `valid`, and nothing more is heard until the line is high again.
/// Cost about 40 registers and 50 LUTs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UartRx {
    /// Clocks a second.
    pub hertz: u32,
    /// Bits a second.
    pub baud: u32,
}

impl Generate for UartRx {
    fn name(&self) -> String {
        format!("uart_rx_{}_{}", self.hertz, self.baud)
    }

    fn describe(&self, m: &Module) {
        if !check_rate(m, self.hertz, self.baud) {
            return;
        }
        m.doc(format!(
            "Receives bytes at {} baud, 8N1, from a clock of {} Hz.",
            self.baud, self.hertz
        ));
        let rx = m.input("rx", UInt(1)).comment("Asynchronous; high when idle.");
        let heard: Vec<_> = (1..=4)
            .scan(rx, |last, n| {
                let reg = m.reg(format!("rx_{n}"), UInt(1)).reset(1);
                reg.set(*last);
                *last = reg;
                Some(reg)
            })
            .collect();
        let [a, b, c] = [heard[1], heard[2], heard[3]];
        let level = m.reg("level", UInt(1)).reset(1);
        level.set((a & b) | (b & c) | (a & c));

        let busy = m.reg("busy", UInt(1)).reset(0);
        let broken = m.reg("broken", UInt(1)).reset(0).comment("The line has to be high first.");
        let phase = m.reg("phase", UInt(PHASE));
        let next = (phase + m.lit(UInt(PHASE), step(self.hertz, self.baud))).named("next_phase");
        let looks = (busy & next.msb()).named("looks");
        let bit = m.reg("place", UInt(4)).comment("0 start, 1 to 8 data, 9 stop.");
        let data = m.reg("shift", UInt(8));
        let (valid, bad) = (m.reg("is_valid", UInt(1)).reset(0), m.reg("is_bad", UInt(1)).reset(0));
        valid.set(looks & bit.eq(9) & level);
        bad.set(looks & bit.eq(9) & !level);
        phase.set(next.truncate(PHASE));
        m.when(level, || broken.set(0));
        m.when(!busy & !level & !broken, || {
            busy.set(1);
            // Half a bit later is the middle of the start bit.
            phase.set(1u32 << (PHASE - 1));
            bit.set(0);
        });
        m.when(looks, || {
            bit.set(bit.wrapping_add(1));
            m.when(bit.eq(0) & level, || busy.set(0));
            m.when(bit.eq(9), || {
                busy.set(0);
                broken.set(!level);
            })
            .elsewhen(bit.ne(0), || data.set(level.cat(data.slice(1..8))));
        });
        m.output("valid", UInt(1)).comment("For one clock.").set(valid);
        m.output("bad", UInt(1)).comment("For one clock, without a stop bit.").set(bad);
        m.output("data", UInt(8)).set(data);
    }
}
