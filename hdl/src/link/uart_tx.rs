use sterna_rtl::{Generate, Module, UInt};

use super::{PHASE, check_rate, step};

/// A byte to the line: 8 data bits, no parity, one stop bit.
///
/// ```text
///  s -> [ 1 | byte | 0 ] -> a bit at a time -> tx
/// ```
///
/// Ten bits and a clock for a byte. Cost about 35 registers and 40 LUTs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UartTx {
    /// Clocks a second.
    pub hertz: u32,
    /// Bits a second.
    pub baud: u32,
}

impl Generate for UartTx {
    fn name(&self) -> String {
        format!("uart_tx_{}_{}", self.hertz, self.baud)
    }

    fn describe(&self, m: &Module) {
        if !check_rate(m, self.hertz, self.baud) {
            return;
        }
        m.doc(format!(
            "Sends bytes at {} baud, 8N1, from a clock of {} Hz.",
            self.baud, self.hertz
        ));
        let source = m.stream_in("s", UInt(8), false);
        let left = m.reg("left", UInt(4)).reset(0).comment("Bits still to be sent.");
        let bits = m.reg("bits", UInt(9));
        let phase = m.reg("phase", UInt(PHASE));
        let next = (phase + m.lit(UInt(PHASE), step(self.hertz, self.baud))).named("next_phase");
        let line = m.reg("line", UInt(1)).reset(1);
        let idle = left.eq(0).named("idle");
        source.ready.set(idle);
        phase.set(next.truncate(PHASE));
        m.when(!idle & next.msb(), || {
            left.set(left.wrapping_sub(1));
            line.set(bits.bit(0));
            bits.set(m.lit(UInt(1), 1).cat(bits.slice(1..9)));
        });
        m.when(source.fires(), || {
            left.set(10);
            phase.set(0);
            line.set(0);
            bits.set(m.lit(UInt(1), 1).cat(source.data));
        });
        m.output("tx", UInt(1)).set(line);
    }
}
