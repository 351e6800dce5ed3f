use crate::{Generate, Module, Sig, UInt};

/// Grants one of several requests, each in its turn.
///
/// ```text
///  request -+------------------> lowest -+
///           +-- & [ not yet ] -> lowest -+-> grant (one-hot)
///                    ^--- those above the last grant, after `take`
/// ```
///
/// ```text
///  clk      _/1\_/2\_/3\_/4\_
///  request  111 111 101 101
///  grant    001 010 100 001       with `take` high in every clock
/// ```
///
/// A grant that is not taken may change with the requests. Whoever asks is granted after at most
/// `count - 1` grants to others. No latency: `grant` follows `request` within the clock. Cost about
/// `4 * count` LUTs, `count` registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoundRobin {
    /// Number of requests, at least 2.
    pub count: u32,
}

/// The lowest set bit alone.
fn lowest(x: Sig<'_>) -> Sig<'_> {
    let m = x.module();
    x & m.lit(x.ty(), 0u8).wrapping_sub(x)
}

impl Generate for RoundRobin {
    fn name(&self) -> String {
        format!("round_robin_{}", self.count)
    }

    fn describe(&self, m: &Module) {
        m.require("RoundRobin::count", self.count >= 2, || "one request needs no arbiter".into());
        m.doc(format!("Round-robin arbiter of {} requests.", self.count));
        let ty = UInt(self.count);
        let request = m.input("request", ty);
        let take = m.input("take", UInt(1)).comment("The grant is used in this clock.");
        let later = m.reg("later", ty).reset(0).comment("Those above the last one granted.");
        let waiting = (request & later).named("waiting");
        let grant = waiting.any().mux(lowest(waiting), lowest(request)).named("chosen");
        // All bits above the only one in `grant`: below and at it, the difference is ones.
        let above = !(grant | grant.wrapping_sub(1));
        m.when(take & request.any(), || later.set(above));
        m.output("grant", ty).set(grant);
        m.assert("one_at_most", (grant & grant.wrapping_sub(1)).eq(0));
        m.assert("only_who_asks", (grant & !request).eq(0));
        m.assert("someone_who_asks", request.any().eq(grant.any()));
    }
}
