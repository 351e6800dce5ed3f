use sterna_rtl::parts::{Fifo, SkidBuffer, Storage};
use sterna_rtl::{AxiKind, AxiWidths, Generate, Module, UInt};

use super::{SdramChip, SdramEngine, SdramRuns};
use crate::read_queue::ReadQueue;

/// An SDR SDRAM behind an AXI4 slave port.
///
/// ```text
///  s_axi_ar, aw -> [ SdramRuns ] -- run --> [ SdramEngine ] <-> pins (dq split in, out, enable)
///  s_axi_w ------> [ register slice ] ---------^   |   |
///  s_axi_r <------ [ FIFO of 8 ] <--- beats -------+   |
///  s_axi_b <------ [ FIFO of 4 ] <--- answers ---------+
/// ```
///
/// Incrementing bursts of whole beats. Accesses are made in the order in which they are accepted,
/// so a read that follows an answered write sees it. An address behind the chip's end answers
/// SLVERR: reads give anything, writes do nothing. Whoever writes offers the beats of a burst
/// without waiting for anything else; what comes later waits behind them.
///
/// The pins are meant for a chip whose clock lags a quarter behind `clk`: it takes a command
/// within the clock in which the pins show it, and its words are taken at the end of the clock in
/// which they appear. After reset it initialises the chip, which takes 200 µs and a little.
///
/// From an address to its first beat, at 60 MHz and CAS 2, it takes 10 clocks if the row is open, 11
/// if the bank has none, 13 if it has another one. A stream stops for refreshes only, some 9 clocks
/// of 468 at 60 MHz.
/// Cost, synthesised for ECP5 at 64 bits: 1,296 LUT4, 1,132 registers, half of them the FIFO's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SdramController {
    /// The chip.
    pub chip: SdramChip,
    /// Widths of the bus; a beat is 2, 4 or 8 of the chip's words.
    pub widths: AxiWidths,
    /// Clocks a second.
    pub hertz: u32,
}

/// Beats that wait for the bus.
const READ: usize = 8;
/// Answers that wait for the bus.
const ANSWERS: usize = 4;

impl SdramController {
    /// Outputs to the chip, `sdram_` before each; `sdram_dq_in` is the only input.
    pub const PINS: [&'static str; 10] =
        ["cke", "cs_n", "ras_n", "cas_n", "we_n", "ba", "a", "dqm", "dq_out", "dq_oe"];

    /// Words of a beat: what one command moves.
    pub(super) fn burst(&self) -> u32 {
        self.widths.data / self.chip.data.max(1)
    }

    /// Bits of a beat's number within a row.
    pub(super) fn column_bits(&self) -> u32 {
        self.chip.column - self.burst().ilog2()
    }

    /// What names of modules end in.
    pub(super) fn suffix(&self) -> String {
        let (chip, w) = (&self.chip, &self.widths);
        let SdramChip { data, row, column, cas, .. } = chip;
        let mhz = self.hertz / 1_000_000;
        format!("d{}_i{}_{data}x{row}x{column}_c{cas}_{mhz}m", w.data, w.id)
    }

    /// The first thing that is wrong with the parameters.
    fn refusal(&self) -> Option<(&'static str, String)> {
        let (chip, w) = (&self.chip, &self.widths);
        let geometry = matches!(chip.data, 8 | 16 | 32)
            && (11..=13).contains(&chip.row)
            && (7..=10).contains(&chip.column)
            && matches!(chip.cas, 2 | 3);
        if !geometry {
            return Some(("chip", format!("{chip:?} is no SDR SDRAM")));
        }
        if !matches!(self.burst(), 2 | 4 | 8) || w.data != self.burst() * chip.data {
            let why = format!("{} bits are not 2, 4 or 8 words of {}", w.data, chip.data);
            return Some(("widths", why));
        }
        if chip.bytes().ilog2() > w.addr || w.addr > 64 || w.id == 0 {
            return Some(("widths", format!("{w:?} does not reach {} bytes", chip.bytes())));
        }
        let clock = (10_000_000..=166_000_000).contains(&self.hertz);
        (!clock).then(|| ("hertz", format!("{} Hz is outside 10 to 166 MHz", self.hertz)))
    }
}

impl Generate for SdramController {
    fn name(&self) -> String {
        format!("sdram_{}", self.suffix())
    }

    fn describe(&self, m: &Module) {
        if let Some((what, why)) = self.refusal() {
            return m.require(&format!("SdramController::{what}"), false, || why);
        }
        let (chip, w, mhz) = (&self.chip, self.widths, self.hertz / 1_000_000);
        m.doc(format!("SDR SDRAM of {} MB behind AXI4, {mhz} MHz.", chip.bytes() >> 20));
        let axi = m.axi_slave("s_axi", AxiKind::Full, w);
        let runs = m.instance("u_runs", &SdramRuns { controller: *self });
        let engine = m.instance("u_engine", &SdramEngine { controller: *self });
        for channel in ["ar", "aw"] {
            for signal in ["valid", "addr", "len", "id"].map(|s| format!("{channel}{s}")) {
                runs.set(&signal, axi.get(&signal));
            }
            let ready = format!("{channel}ready");
            axi.get(&ready).set(runs.port(&ready));
            let get = |signal: &str| axi.get(&format!("{channel}{signal}"));
            let whole = get("burst").eq(1) & get("size").eq((w.data / 8).trailing_zeros());
            m.assert(format!("{channel}_of_whole_beats"), !get("valid") | whole);
        }
        engine.stream("run").connect(runs.stream("run"));

        // The register slice cuts the way from the bus through the engine's decision and back.
        let beat = UInt(w.data + w.data / 8);
        let writes = m.instance("u_writes", &SkidBuffer { ty: beat, last: false });
        writes.set("s_valid", axi.get("wvalid"));
        writes.set("s_data", axi.get("wstrb").cat(axi.get("wdata")));
        axi.get("wready").set(writes.port("s_ready"));
        engine.stream("w").connect(writes.stream("m"));
        runs.set("wvalid", writes.port("m_valid"));

        let answer = UInt(1 + w.id);
        let answers = Fifo { ty: answer, depth: ANSWERS, last: false, storage: Storage::Registers };
        let answers = m.instance("u_answers", &answers);
        answers.set("s_valid", engine.port("b_valid")).set("s_data", engine.port("b_data"));
        engine.set("b_ready", answers.port("s_ready"));
        let out = answers.stream("m");
        axi.get("bvalid").set(out.valid);
        axi.get("bid").set(out.data.truncate(w.id));
        axi.get("bresp").set(out.data.msb().cat(m.lit(UInt(1), 0)));
        out.ready.set(axi.get("bready"));

        let reads = ReadQueue::new(m, READ);
        let [valid, data, promised] =
            ["r_valid", "r_data", "r_promised"].map(|name| engine.port(name));
        reads.give(&axi, w, valid, data, promised);
        engine.set("r_free", reads.free());

        for name in SdramController::PINS {
            let pin = engine.port(name);
            m.output(format!("sdram_{name}"), pin.ty()).set(pin);
        }
        engine.set("dq_in", m.input("sdram_dq_in", UInt(chip.data)));
    }
}
