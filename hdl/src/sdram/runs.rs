use sterna_rtl::{AxiWidths, Generate, Module, Sig, UInt};

use super::chip::BANKS;
use super::{SdramChip, SdramController};

/// A run: beats that lie side by side in one row.
///
/// ```text
///  end | left | column | bank | row | id | write | outside        (lowest first)
/// ```
///
/// `left` is the number of beats minus one, `column` that of the first beat in its row; `end` says
/// that the run is the last of its burst, `outside` that the burst lies behind the chip's end.
#[derive(Clone, Copy)]
pub(super) struct Run<'m> {
    pub end: Sig<'m>,
    pub left: Sig<'m>,
    pub column: Sig<'m>,
    pub bank: Sig<'m>,
    pub row: Sig<'m>,
    pub id: Sig<'m>,
    pub write: Sig<'m>,
    pub outside: Sig<'m>,
}

impl<'m> Run<'m> {
    fn widths(controller: &SdramController) -> [u32; 8] {
        let (chip, column) = (&controller.chip, controller.column_bits());
        [1, column, column, BANKS.ilog2(), chip.row, controller.widths.id, 1, 1]
    }

    /// Bits of a run.
    pub fn width(controller: &SdramController) -> u32 {
        Run::widths(controller).iter().sum()
    }

    pub fn unpack(word: Sig<'m>, controller: &SdramController) -> Run<'m> {
        let mut at = 0;
        let [end, left, column, bank, row, id, write, outside] =
            Run::widths(controller).map(|width| {
                at += width;
                word.slice(at - width..at)
            });
        Run { end, left, column, bank, row, id, write, outside }
    }

    pub fn pack(self, m: &'m Module) -> Sig<'m> {
        let Run { end, left, column, bank, row, id, write, outside } = self;
        m.cat(&[outside, write, id, row, bank, column, left, end])
    }
}

/// Bursts of the bus, cut at the ends of rows.
///
/// ```text
///  read  (ar) -+                        at the end of its row
///              +-> turns -> [ burst ] -> cut --------------> [ run ] -> engine
///  write (aw) -+              ^----- the rest of it -----+
/// ```
///
/// ```text
///  clk       _/1\_/2\_/3\_/4\_
///  arvalid   1   0
///  run       -   -   A   B        a burst that crosses into another row
/// ```
///
/// Reads and writes take turns where both wait; within a kind the order stays. A write counts as
/// waiting when its first beat is on offer, so that a slow writer does not stop the reads.
/// Latency two clocks from address to run; cost some `3 * address` registers and LUTs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SdramRuns {
    /// The controller that it is a part of.
    pub controller: SdramController,
}

impl Generate for SdramRuns {
    fn name(&self) -> String {
        format!("sdram_runs_{}", self.controller.suffix())
    }

    fn describe(&self, m: &Module) {
        let AxiWidths { addr, data, id } = self.controller.widths;
        let chip: &SdramChip = &self.controller.chip;
        m.doc("Bursts of the bus, cut at the ends of the chip's rows.");
        let [read, write] = ["ar", "aw"].map(|channel| {
            let input = |name: &str, width| m.input(format!("{channel}{name}"), UInt(width));
            (input("valid", 1), input("addr", addr), input("len", 8), input("id", id))
        });
        let data_waits =
            m.input("wvalid", UInt(1)).comment("The first beat of the write is there.");
        let out = m.stream_out("run", UInt(Run::width(&self.controller)), false);

        // Beats of the chip: row, bank and column.
        let shift = (data / 8).trailing_zeros();
        let bits = chip.address_bits() - (data / chip.data).trailing_zeros();
        let busy = m.reg("busy", UInt(1)).reset(0);
        let at = m.reg("at", UInt(bits)).comment("Number of the next beat.");
        let left = m.reg("left", UInt(8)).comment("Beats that follow it.");
        let (writes, outside) = (m.reg("writes", UInt(1)), m.reg("outside", UInt(1)));
        let number = m.reg("number", UInt(id));

        let valid = m.reg("valid", UInt(1)).reset(0);
        let run = m.reg("run", UInt(Run::width(&self.controller)));
        let moves = (busy & (!valid | out.ready)).named("moves");
        let column_bits = self.controller.column_bits();
        let column = at.truncate(column_bits);
        // To the end of the row, or of the burst.
        let room = (!column).extend(column_bits.max(8)).named("room");
        let ends = left.le(room).named("ends");
        let length = ends.mux(left, room.truncate(8.min(room.width()))).named("length");
        let bank = BANKS.ilog2();
        let cut = Run {
            end: ends,
            left: length.extend(length.width().max(column_bits)).truncate(column_bits),
            column,
            bank: at.slice(column_bits..column_bits + bank),
            row: at.slice(column_bits + bank..bits),
            id: number,
            write: writes,
            outside,
        };
        m.when(out.ready, || valid.set(0));
        m.when(moves, || {
            valid.set(1);
            run.set(cut.pack(m));
            at.set((at + length + 1).truncate(bits));
            left.set(left.wrapping_sub(length).wrapping_sub(1));
            m.when(ends, || busy.set(0));
        });

        let turn = m.reg("turn", UInt(1)).reset(0).comment("It is a write's turn.");
        let writable = write.0 & data_waits;
        let choose = (writable & (turn | !read.0)).named("choose_write");
        let idle = (!busy).named("idle");
        let (take_read, take_write) = (idle & !choose & read.0, idle & choose);
        m.when(take_read | take_write, || {
            let first = choose.mux(write.1, read.1).named("first");
            busy.set(1);
            at.set(first.slice(shift..shift + bits));
            left.set(choose.mux(write.2, read.2));
            number.set(choose.mux(write.3, read.3));
            writes.set(choose);
            turn.set(!choose);
            let beyond = shift + bits;
            outside.set(if beyond < addr {
                first.slice(beyond..addr).any()
            } else {
                m.lit(UInt(1), 0)
            });
        });
        m.output("arready", UInt(1)).set(idle & !choose);
        m.output("awready", UInt(1)).set(idle & choose);
        out.valid.set(valid);
        out.data.set(run);
        m.cover("both_wait", writable & read.0);
    }
}
