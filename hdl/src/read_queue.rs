//! The read channel of a memory behind AXI4.

use sterna_rtl::parts::{Fifo, Storage};
use sterna_rtl::{Axi, AxiWidths, Module, Sig, UInt, index_width};

/// Beats that were read and wait for the bus.
///
/// ```text
///  valid, data -> [ FIFO ] -> axi r
///                    ^ free: a place that no read was promised
/// ```
///
/// A read takes a place when it is promised, not when its beat comes, so that every beat has one
/// (asserted).
pub(crate) struct ReadQueue<'m> {
    m: &'m Module,
    credit: Sig<'m>,
    depth: usize,
}

impl<'m> ReadQueue<'m> {
    /// Of so many beats.
    pub fn new(m: &'m Module, depth: usize) -> ReadQueue<'m> {
        let credit = m.reg("credit", UInt(index_width(depth + 1))).reset(depth);
        let credit = credit.comment("Places of the FIFO that nobody was promised.");
        ReadQueue { m, credit, depth }
    }

    /// There is a place that nobody was promised.
    pub fn free(&self) -> Sig<'m> {
        self.credit.ne(0)
    }

    /// Gives the bus what comes: from the high bits down, whether the beat lies behind the end of
    /// the memory (SLVERR), whether it is its burst's last, the burst's ID, the beat.
    pub fn give(
        &self,
        axi: &Axi<'m>,
        w: AxiWidths,
        valid: Sig<'m>,
        data: Sig<'m>,
        promised: Sig<'m>,
    ) {
        let (m, ty, depth) = (self.m, UInt(2 + w.id + w.data), self.depth);
        let reads = Fifo { ty, depth, last: false, storage: Storage::Registers };
        let reads = m.instance("u_reads", &reads);
        reads.set("s_valid", valid).set("s_data", data);
        m.assert("a_place_for_every_beat", !valid | reads.port("s_ready"));
        let out = reads.stream("m");
        axi.get("rvalid").set(out.valid);
        axi.get("rdata").set(out.data.truncate(w.data));
        axi.get("rid").set(out.data.slice(w.data..w.data + w.id));
        axi.get("rlast").set(out.data.bit(w.data + w.id));
        axi.get("rresp").set(out.data.msb().cat(m.lit(UInt(1), 0)));
        out.ready.set(axi.get("rready"));
        let left = (self.credit + out.fires()).wrapping_sub(promised);
        self.credit.set(left.truncate(self.credit.width()));
    }
}
