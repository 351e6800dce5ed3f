use crate::{Generate, Module, UInt, index_width};

/// Exact integer square root, one bit of the root a clock.
///
/// ```text
///  x -> [ shift ] --two bits--> [ rest, bits ] - [ root, 01 ] -> >= 0 ? -> bit of the root
/// ```
///
/// ```text
///  clk     _/1\_/2\_ ... _/n+1\_/n+2\_      n = bits of the root
///  start   1   0              0
///  busy    0   1              1      0
///  done    0   0              0      1     results stand from here to the next start
/// ```
///
/// `root = floor(sqrt(x))`, `rest = x - root^2`. `start` is ignored while busy.
/// Latency `n + 1` clocks, always. Cost about `4 n` LUTs and `5 n` registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isqrt {
    /// Bits of `x`.
    pub width: u32,
}

impl Isqrt {
    /// Bits of the root.
    pub fn root(&self) -> u32 {
        self.width.div_ceil(2)
    }

    /// Clocks from `start` to `done`.
    pub fn latency(&self) -> u32 {
        self.root() + 1
    }
}

impl Generate for Isqrt {
    fn name(&self) -> String {
        format!("isqrt_w{}", self.width)
    }

    fn describe(&self, m: &Module) {
        m.doc(format!("floor(sqrt(x)) of {} bits.\nLatency {}.", self.width, self.latency()));
        let n = self.root();
        let start = m.input("start", UInt(1));
        let x = m.input("x", UInt(self.width));

        let running = m.reg("running", UInt(1)).reset(0);
        let finished = m.reg("finished", UInt(1)).reset(0);
        let left = m.reg("left", UInt(index_width(n as usize)));
        let shift = m.reg("shift", UInt(2 * n));
        // The rest never exceeds twice the root, which is one bit more than the root has.
        let rest = m.reg("rest_now", UInt(n + 1));
        let root = m.reg("root_now", UInt(n));

        let partial = rest.cat(shift.slice(2 * n - 2..2 * n)).named("partial");
        let trial = root.cat(m.lit(UInt(2), 1)).named("trial");
        let fits = partial.ge(trial).named("fits");
        let less = partial.wrapping_sub(trial).truncate(n + 1);
        finished.set(0);
        m.when(running, || {
            rest.set(fits.mux(less, partial.truncate(n + 1)));
            root.set((root << 1 | fits).truncate(n));
            shift.set((shift << 2).truncate(2 * n));
            left.set(left.wrapping_sub(1));
            m.when(left.eq(0), || {
                running.set(0);
                finished.set(1);
            });
        })
        .elsewhen(start, || {
            running.set(1);
            left.set(n - 1);
            shift.set(x.extend(2 * n));
            rest.set(0);
            root.set(0);
        });
        m.output("busy", UInt(1)).set(running);
        m.output("done", UInt(1)).set(finished);
        m.output("root", UInt(n)).set(root);
        m.output("rest", UInt(n + 1)).set(rest);
        m.assert("rest_within", rest.le(root << 1));
    }
}
