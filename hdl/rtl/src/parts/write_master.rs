use super::{Fifo, Storage};
use crate::{AxiKind, AxiWidths, Generate, Module, UInt};

/// Writes a stream to a stretch of memory over AXI4.
///
/// ```text
///  s -> [ FIFO ] --------------------> m_axi_w
///          | level >= burst?
///  start, addr, beats -> [ plan ] ---> m_axi_aw
///                           ^--------- m_axi_b     one burst at a time
/// ```
///
/// A burst has up to 16 beats, never crosses 4 KiB, and is issued only when the FIFO holds all of
/// it: the memory never waits for data, even where the data depends on what is read meanwhile.
/// `start` is ignored while busy. `busy` falls when the last burst was answered; `error` is set by
/// an answer other than OKAY and stays until the next start. While `halt` is high no burst is
/// begun; the one under way is finished, then `busy` falls, and the writer has to be reset.
///
/// Latency eight clocks from a burst's last beat to `awvalid`. Cost the block FIFO, `2 * addr`
/// LUTs and registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteMaster {
    /// Widths of the memory's bus.
    pub widths: AxiWidths,
    /// Bits of a job's length in beats.
    pub length: u32,
}

/// Beats of the longest burst.
const BURST: u32 = 16;

impl WriteMaster {
    /// Beats of the longest burst.
    pub const BURST: u32 = BURST;
    /// Beats of its FIFO.
    pub const DEPTH: usize = 2 * BURST as usize;
}

impl Generate for WriteMaster {
    fn name(&self) -> String {
        let w = self.widths;
        format!("write_master_a{}_d{}_i{}_l{}", w.addr, w.data, w.id, self.length)
    }

    fn describe(&self, m: &Module) {
        let w = self.widths;
        let sound = (32..=1024).contains(&w.data) && w.data.is_power_of_two() && self.length >= 5;
        m.require("WriteMaster::widths", sound, || format!("{w:?} is not an AXI4 bus"));
        if !sound {
            return;
        }
        let bytes = w.data / 8;
        m.doc(format!("AXI4 write master: {} bits, bursts of up to {BURST} beats.", w.data));
        let start = m.input("start", UInt(1));
        let first_addr = m.input("addr", UInt(w.addr)).comment("Byte address, aligned to a beat.");
        let beats = m.input("beats", UInt(self.length)).comment("At least 1.");
        let halt = m.input("halt", UInt(1)).comment("Begin no further burst.");
        let source = m.stream_in("s", UInt(w.data), false);
        let axi = m.axi_master("m_axi", AxiKind::Write, w);

        let fifo =
            Fifo { ty: UInt(w.data), depth: Self::DEPTH, last: false, storage: Storage::Block };
        let fifo = m.instance("u_fifo", &fifo);
        let inside = fifo.stream("s");
        inside.connect(source);
        let stored = fifo.stream("m");

        let busy = m.reg("running", UInt(1)).reset(0);
        let addr = m.reg("next_addr", UInt(w.addr));
        let left = m.reg("left", UInt(self.length));
        let error = m.reg("failed", UInt(1)).reset(0);
        m.when(start & !busy & !halt, || {
            busy.set(1);
            addr.set(first_addr);
            left.set(beats);
            error.set(0);
        });

        // The next burst: to the job's end, to the page's, or 16 beats.
        let page = 4096 / bytes;
        let within = addr.slice(bytes.trailing_zeros()..12);
        let to_page = m.lit(UInt(within.width() + 1), page).wrapping_sub(within);
        let reach = to_page.lt(BURST).mux(to_page, BURST).truncate(5).register("reach");
        let length = left.lt(reach).mux(left.truncate(5), reach).register("burst");
        let planning = m.reg("planning", UInt(1)).reset(0).comment("`reach` belongs to `addr`.");
        let planned = m.reg("planned", UInt(1)).reset(0).comment("`burst` belongs to `left`.");
        let writing = m.reg("writing", UInt(1)).reset(0).comment("Between awvalid and bvalid.");
        planning.set(busy & !writing);
        planned.set(planning & !writing);
        // The level counts a beat two clocks before it has come through the FIFO.
        let held = (planned & !writing & fifo.port("level").ge(length)).named("held");
        let settled = [held.register("held_1").reset(0), m.reg("held_2", UInt(1)).reset(0)];
        settled[1].set(settled[0] & !writing);
        // What was held then is held still: the level only falls while writing.
        let begin = (busy & planned & settled[1] & !writing & !halt).named("begins");
        m.assert("held_as_it_was", !begin | held);

        let awvalid = m.reg("awvalid", UInt(1)).reset(0);
        let (awaddr, awlen) = (m.reg("awaddr", UInt(w.addr)), m.reg("awlen", UInt(8)));
        let to_send = m.reg("to_send", UInt(5)).reset(0);
        let sending = m.reg("sending", UInt(1)).reset(0).comment("`to_send` is not 0.");
        m.when(axi.get("awready"), || awvalid.set(0));
        m.when(begin, || {
            writing.set(1);
            planning.set(0);
            planned.set(0);
            sending.set(1);
            awvalid.set(1);
            awaddr.set(addr);
            awlen.set(length.wrapping_sub(1).extend(8));
            to_send.set(length);
            addr.set((addr + (length << bytes.trailing_zeros())).truncate(w.addr));
            left.set(left.wrapping_sub(length).truncate(self.length));
        });
        axi.get("wvalid").set(stored.valid & sending);
        axi.get("wdata").set(stored.data);
        axi.get("wlast").set(to_send.eq(1));
        stored.ready.set(axi.get("wready") & sending);
        m.when(stored.fires(), || {
            to_send.set(to_send.wrapping_sub(1));
            m.when(to_send.eq(1), || sending.set(0));
        });
        let answered = (writing & axi.get("bvalid")).named("answered");
        m.when(answered, || {
            writing.set(0);
            m.when(left.eq(0), || busy.set(0));
            m.when(axi.get("bresp").any(), || error.set(1));
        });
        m.when(halt & !writing, || busy.set(0));
        m.output("busy", UInt(1)).set(busy);
        m.output("error", UInt(1)).set(error);
        axi.get("awvalid").set(awvalid);
        axi.get("awaddr").set(awaddr);
        axi.get("awlen").set(awlen);
        axi.get("awsize").set(bytes.trailing_zeros());
        axi.get("awburst").set(1);
        axi.get("awcache").set(3);
        for zero in ["awid", "awlock", "awqos", "awprot"] {
            axi.get(zero).set(0);
        }
        axi.get("wstrb").set(m.lit(UInt(1), 1).repeat(bytes as usize));
        axi.get("bready").set(1);
        m.assert("a_burst_is_there", !sending | stored.valid);
    }
}
