use super::{Fifo, Storage};
use crate::{AxiKind, AxiWidths, Generate, Module, Sig, UInt, index_width};

/// Reads a stretch of memory over AXI4 and gives it out as a stream.
///
/// ```text
///  start, addr, beats -> [ plan: length of the next burst ] -> [ ar ] -> m_axi_ar
///                 owed --------^
///                              ^ credit: places of the FIFO not spoken for
///                              |
///                         m_data <- [ FIFO ] <- m_axi_r
/// ```
///
/// ```text
///  clk      _/1\_/2\_/3\_/4\_/5\_/6\_/7\_/8\_/9\_/10\_ ...
///  start    1   0
///  busy     0   1   1   1   1   1   1   1   1   1      until the last beat has left
///  arvalid  0   0   0   0   0   1   0   0   0   1      a burst every four clocks while there is credit
/// ```
///
/// A burst is `min(beats left, 4 KiB, 256 beats)` long, never crosses 4 KiB, and is issued only when
/// the FIFO has places for all of it: `rready` therefore never falls while data is under way, and
/// readers that share a memory cannot block each other. As many bursts are outstanding as fit.
/// `start` is ignored while busy; `addr` is aligned to a beat, `beats` at least 1. `error` is set by
/// a response other than OKAY and stays until the next start; the data is given out all the same.
/// `owed` beats at the job's end are not in memory yet and not asked for: it begins at a 4 KiB
/// boundary, where bursts end too, and only falls while the reader is busy; 0 where all is there.
/// Bits of the address that are set in `ring` stay what they are in `addr`: all above a ring of a
/// power of two, at least 8 KiB, which the job goes round; 0 where memory is straight.
/// While `halt` is high nothing is asked for, and what was asked for arrives and is dropped: once
/// `busy` has fallen the memory owes nothing, and the reader may be reset.
///
/// Latency: five clocks from `start` to `arvalid`, three from `rvalid` to `m_valid`. Cost: the block
/// FIFO, and some `2 * addr` LUTs and registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadMaster {
    /// Widths of the memory's bus.
    pub widths: AxiWidths,
    /// Bits of a job's length in beats.
    pub length: u32,
    /// Beats of the FIFO: a power of two, at least as long as a burst.
    pub depth: usize,
    /// The ID of its transactions.
    pub number: u32,
}

impl ReadMaster {
    /// Clocks from `start` to the first `arvalid`.
    pub const START: u32 = Self::PLAN + 1;
    /// Clocks from one burst to the next, at least.
    pub const PLAN: u32 = 4;
    /// Clocks from the one in which a beat leaves the FIFO to a burst that its place allows.
    pub const CREDIT: u32 = 2;

    fn bytes(&self) -> u32 {
        self.widths.data / 8
    }

    /// Beats of the longest burst.
    pub fn burst(&self) -> u32 {
        (4096 / self.bytes().max(1)).min(256)
    }

    fn fifo(&self) -> Fifo {
        Fifo { ty: UInt(self.widths.data), depth: self.depth, last: false, storage: Storage::Block }
    }

    /// Beats from `addr` to the end of its burst's furthest reach.
    fn reach<'m>(&self, addr: Sig<'m>) -> Sig<'m> {
        let page = 4096 / self.bytes();
        let within = addr.slice(self.bytes().trailing_zeros()..12);
        let to_page = within.module().lit(UInt(within.width() + 1), page).wrapping_sub(within);
        to_page.lt(self.burst()).mux(to_page, self.burst())
    }
}

impl Generate for ReadMaster {
    fn name(&self) -> String {
        let w = self.widths;
        let (length, depth, number) = (self.length, self.depth, self.number);
        format!("read_master_a{}_d{}_i{}_l{length}_f{depth}_n{number}", w.addr, w.data, w.id)
    }

    fn describe(&self, m: &Module) {
        let w = self.widths;
        let sound = (32..=1024).contains(&w.data)
            && w.data.is_power_of_two()
            && (13..=64).contains(&w.addr);
        m.require("ReadMaster::widths", sound, || format!("{w:?} is not an AXI4 bus"));
        let fits = self.depth >= self.burst() as usize && self.depth.is_power_of_two();
        m.require("ReadMaster::depth", fits, || {
            format!(
                "{} does not hold a burst of {}, or is no power of two",
                self.depth,
                self.burst()
            )
        });
        if !sound || !fits {
            return;
        }
        m.doc(format!(
            "AXI4 read master: {} bits, bursts of up to {} beats, FIFO of {} beats.",
            w.data,
            self.burst(),
            self.depth
        ));
        let start = m.input("start", UInt(1));
        let first_addr = m.input("addr", UInt(w.addr)).comment("Byte address, aligned to a beat.");
        let beats = m.input("beats", UInt(self.length)).comment("At least 1.");
        let owed = m.input("owed", UInt(self.length)).comment("Beats not there yet, at the end.");
        let ring = m.input("ring", UInt(w.addr)).comment("Bits of the address that stay.");
        let halt = m.input("halt", UInt(1)).comment("Ask for nothing, drop what comes.");
        let axi = m.axi_master("m_axi", AxiKind::Read, w);
        let out = m.stream_out("m", UInt(w.data), true);

        // The job: what is still to be asked for, and what is still to be given out.
        let busy = m.reg("running", UInt(1)).reset(0);
        let addr = m.reg("next_addr", UInt(w.addr));
        let to_ask = m.reg("to_ask", UInt(self.length)).reset(0);
        let to_give = m.reg("to_give", UInt(self.length)).reset(0);
        let begin = (start & !busy & !halt).named("begins");

        // A burst is planned in three clocks and issued in the next, so that no path is long: how far
        // it may reach, how long it is, whether there is credit for it.
        let planning = m.reg("planning", UInt(3)).reset(0).comment("A clock of the plan each.");
        let planned = m.reg("planned", UInt(1)).reset(0);
        let arvalid = m.reg("arvalid", UInt(1)).reset(0);
        let araddr = m.reg("araddr", UInt(w.addr));
        let count = UInt(index_width(self.burst() as usize + 1));
        let (length, arlen) = (m.reg("burst_beats", count), m.reg("arlen", UInt(8)));
        let credit = m.reg("credit", UInt(index_width(self.depth + 1)));
        let credit =
            credit.reset(self.depth).comment("Places of the FIFO that nobody was promised.");
        // Looked at as long as a burst is planned, so one clock behind is early enough.
        let there = m.reg("there", UInt(1));
        there.set(to_ask.gt(owed));
        // Credit only grows while a burst is planned.
        let fits = credit.ge(length).register("fits");
        let issue = (planned & !arvalid & fits & there & !halt).named("issue");
        let leaves = m.wire("leaves", UInt(1)).comment("A beat leaves the FIFO.");

        let reach = self.reach(addr).register("reach");
        let some = to_ask.ne(0).register("some");
        let next = to_ask.lt(reach).mux(to_ask, reach).saturate(count);
        m.when(begin, || {
            busy.set(1);
            addr.set(first_addr);
            to_ask.set(beats);
            to_give.set(beats);
        });
        planning.set(planning.truncate(2).cat(begin | issue));
        m.when(planning.bit(1), || length.set(next));
        m.when(planning.bit(2) & some, || planned.set(1));
        m.when(axi.get("arready"), || arvalid.set(0));
        m.when(issue, || {
            planned.set(0);
            arvalid.set(1);
            araddr.set(addr);
            arlen.set(length.wrapping_sub(1).extend(9).truncate(8));
            let on = (addr + (length << self.bytes().trailing_zeros())).truncate(w.addr);
            addr.set((addr & ring) | (on & !ring));
            to_ask.set(to_ask.wrapping_sub(length).truncate(self.length));
        });
        m.when(halt, || {
            planning.set(0);
            planned.set(0);
            to_ask.set(0);
        });
        let promised = issue.mux(length, 0);
        credit.set((credit + leaves).wrapping_sub(promised).truncate(credit.width()));

        let fifo = m.instance("u_fifo", &self.fifo());
        let arriving = fifo.stream("s");
        arriving.valid.set(axi.get("rvalid"));
        arriving.data.set(axi.get("rdata"));
        axi.get("rready").set(arriving.ready);
        m.assert("a_place_for_every_beat", !axi.get("rvalid") | arriving.ready);

        let leaving = fifo.stream("m");
        out.valid.set(leaving.valid & !halt);
        out.data.set(leaving.data);
        leaving.ready.set(out.ready | halt);
        leaves.set(leaving.fires());
        let ends = to_give.eq(1).named("ends");
        if let Some(last) = out.last {
            last.set(ends);
        }
        m.when(out.fires(), || {
            to_give.set(to_give.wrapping_sub(1));
            m.when(ends, || busy.set(0));
        });
        m.when(halt & !arvalid & credit.msb(), || busy.set(0));

        let error = m.reg("failed", UInt(1)).reset(0);
        m.when(begin, || error.set(0));
        m.when(axi.get("rvalid") & axi.get("rready") & axi.get("rresp").any(), || error.set(1));
        m.output("busy", UInt(1)).set(busy);
        m.output("error", UInt(1)).set(error);
        self.constants(&axi);
        axi.get("arvalid").set(arvalid);
        axi.get("araddr").set(araddr);
        axi.get("arlen").set(arlen);
    }
}

impl ReadMaster {
    /// What never changes: incrementing bursts of whole beats, normal memory, one ID.
    fn constants(&self, axi: &crate::Axi<'_>) {
        axi.get("arid").set(self.number);
        axi.get("arsize").set(self.bytes().trailing_zeros());
        axi.get("arburst").set(1);
        axi.get("arlock").set(0);
        axi.get("arcache").set(3);
        axi.get("arqos").set(0);
        axi.get("arprot").set(0);
    }
}
