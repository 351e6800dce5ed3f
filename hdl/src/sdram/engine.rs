use sterna_rtl::{Generate, Module, Sig, UInt, index_width};

use super::chip::{BANKS, MODE_CLOCKS, POWER_UP, WRITE_CLOCKS, command};
use super::runs::Run;
use super::{SdramChip, SdramController};

/// Commands and data at the chip's pins.
///
/// ```text
///  run -> [ current ] -- its row open? --> READ or WRITE, every BURST clocks -+
///   |                                                                         +-> [ pins ]
///   +---- the next one's row open? ------> PRECHARGE, ACTIVATE in between ----+
///                                          refresh before either
///  w ------ [ shift ] -> dq_out            dq_in -> [ q ] -> [ shift ] -> r
/// ```
///
/// ```text
///  clk    _/1\_/2\_/3\_/4\_/5\_/6\_/7\_/8\_/9\_      bursts of 4, CAS 2
///  pins     RD  -   ACT -   RD  -   -   -            ACT: the row of the next run
///  dq       -   a0  a1  a2  a3  b0  b1  b2           the chip's clock lags by 90 degrees:
///  r        -   -   -   -   -   -   a   -            it sees RD, and answers, within a clock
/// ```
///
/// One column command moves one beat of the bus, as a burst of 2, 4 or 8 words, which leaves the
/// slots between for rows; so a sequential stream stops for refreshes only. Four banks are kept
/// open; a bank's two timers say when its row may be used or opened (`wait`) and closed (`keep`).
/// All outputs are registers. `dq_oe` is low for a clock between the chip's words and ours.
///
/// Trusts that `r` always has a place: the controller counts them. Latency `cas` + burst + 1
/// clocks from a command's decision to its beat. Cost three registers of a beat, those of four
/// banks, and two comparators of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SdramEngine {
    /// The controller that it is a part of.
    pub controller: SdramController,
}

/// A timer that is 0 when something is allowed; it counts down by itself.
#[derive(Clone, Copy)]
struct Timer<'m>(Sig<'m>);

impl<'m> Timer<'m> {
    fn new(m: &'m Module, name: impl Into<String>, most: u32) -> Timer<'m> {
        let timer = m.reg(name, UInt(index_width(most as usize + 1))).reset(0);
        m.when(timer.ne(0), || timer.set(timer.wrapping_sub(1)));
        Timer(timer)
    }

    fn over(self) -> Sig<'m> {
        self.0.eq(0)
    }

    /// What was done in this clock is allowed again so many clocks later.
    fn start(self, clocks: u32) {
        self.0.set(clocks.saturating_sub(1));
    }

    /// The same, unless it runs for longer already.
    fn at_least(self, clocks: u32) {
        let clocks = clocks.saturating_sub(1);
        let m = self.0.module();
        m.when(self.0.le(clocks), || self.0.set(clocks));
    }
}

/// A bank: the row that is open, and what may be done.
struct Bank<'m> {
    open: Sig<'m>,
    row: Sig<'m>,
    /// Until it may be activated, or its row used.
    wait: Timer<'m>,
    /// Until it may be precharged.
    keep: Timer<'m>,
}

/// Something of every bank.
fn each<'m>(banks: &[Bank<'m>], of: impl Fn(&Bank<'m>) -> Sig<'m>) -> Vec<Sig<'m>> {
    banks.iter().map(of).collect()
}

/// Of the bank of a run: is its row open, is any, may it be used or opened, may it be closed.
fn look<'m>(banks: &[Bank<'m>], name: &str, run: &Run<'m>) -> [Sig<'m>; 4] {
    let row = run.bank.select(&each(banks, |b| b.row));
    let open = run.bank.select(&each(banks, |b| b.open)).named(format!("{name}_open"));
    let hit = (open & row.eq(run.row)).named(format!("{name}_hit"));
    let ready = run.bank.select(&each(banks, |b| b.wait.over()));
    [hit, open, ready, run.bank.select(&each(banks, |b| b.keep.over()))]
}

/// Times in clocks.
struct Clocks {
    rcd: u32,
    rp: u32,
    ras: u32,
    rfc: u32,
    rrd: u32,
    /// Write command to precharge.
    wr: u32,
    refresh: u32,
    power_up: u32,
}

impl SdramEngine {
    fn clocks(&self) -> Clocks {
        let SdramController { chip, hertz, .. } = &self.controller;
        let clocks = |nanoseconds| SdramChip::clocks(nanoseconds, *hertz).max(1);
        let times = &chip.times;
        let rp = clocks(times.rp);
        Clocks {
            rcd: clocks(times.rcd),
            rp,
            ras: clocks(times.ras).max(clocks(times.rc).saturating_sub(rp)),
            rfc: clocks(times.rfc),
            rrd: clocks(times.rrd),
            wr: clocks(times.wr).max(WRITE_CLOCKS) + self.controller.burst() - 1,
            refresh: chip.refresh_clocks(*hertz),
            power_up: clocks(POWER_UP),
        }
    }

    /// The clocks after power-up: wait, close all, refresh eight times, set the mode. Says when
    /// that is over, and what is to be commanded before.
    fn start_up<'m>(&self, m: &'m Module, t: &Clocks) -> (Sig<'m>, [Sig<'m>; 3]) {
        const REFRESHES: u32 = 8;
        let pause = m.reg("pause", UInt(index_width(t.power_up as usize + 1))).reset(t.power_up);
        let step = m.reg("step", UInt(4)).reset(0).comment("Close, refresh, mode, running.");
        let running = m.reg("running", UInt(1)).reset(0);
        let acts = (pause.eq(0) & !running).named("starts");
        m.when(pause.ne(0), || pause.set(pause.wrapping_sub(1)));
        let (close, mode) = (step.eq(0), step.eq(REFRESHES + 1));
        m.when(acts, || {
            step.set(step.wrapping_add(1));
            pause.set(t.rfc.max(t.rp).max(MODE_CLOCKS) - 1);
            m.when(step.eq(REFRESHES + 2), || running.set(1));
        });
        let refresh = step.ge(1) & step.le(REFRESHES);
        (running, [acts & close, acts & refresh, acts & mode])
    }
}

impl Generate for SdramEngine {
    fn name(&self) -> String {
        format!("sdram_engine_{}", self.controller.suffix())
    }

    fn describe(&self, m: &Module) {
        let c = &self.controller;
        let (chip, burst, bus, t) = (&c.chip, c.burst(), c.widths.data, self.clocks());
        m.doc(format!(
            "Commands and data of an SDR SDRAM: 4 x {} x {} x {} bits, CAS {}, bursts of {burst}.",
            1 << chip.row,
            1 << chip.column,
            chip.data,
            chip.cas
        ));
        let source = m.stream_in("run", UInt(Run::width(c)), false);
        let written = m.stream_in("w", UInt(bus + bus / 8), false);
        let answer_free = m.input("b_ready", UInt(1)).comment("A place for an answer.");
        let read_free =
            m.input("r_free", UInt(1)).comment("A place for a beat nobody is promised.");

        let (running, [close, refreshes, mode]) = self.start_up(m, &t);
        let tick = m.reg("tick", UInt(index_width(t.refresh as usize))).reset(0);
        let due = m.reg("due", UInt(1)).reset(0).comment("A refresh is to be made.");
        let wraps = tick.eq(t.refresh - 1).named("wraps");
        tick.set(wraps.mux(m.lit(tick.ty(), 0), tick.wrapping_add(1)));
        m.assert("every_refresh_in_time", !(wraps & due & running));

        // ----- banks -----
        let read_keep = burst;
        let longest = t.ras.max(t.wr).max(read_keep);
        let banks: Vec<Bank<'_>> = (0..BANKS)
            .map(|n| Bank {
                open: m.reg(format!("open_{n}"), UInt(1)).reset(0),
                row: m.reg(format!("row_{n}"), UInt(chip.row)),
                wait: Timer::new(m, format!("wait_{n}"), t.rcd.max(t.rp).max(t.rfc)),
                keep: Timer::new(m, format!("keep_{n}"), longest),
            })
            .collect();
        let apart = Timer::new(m, "apart", t.rrd);
        let slot = Timer::new(m, "slot", burst);
        let turn = Timer::new(m, "turn", chip.cas + burst);
        // ----- the run under way -----
        let busy = m.reg("busy", UInt(1)).reset(0);
        let word = m.reg("current", UInt(Run::width(c)));
        let column = m.reg("column", UInt(c.column_bits()));
        let left = m.reg("left", UInt(c.column_bits()));
        let (now, next) = (Run::unpack(word, c), Run::unpack(source.data, c));
        let [hit, open, ready, closable] = look(&banks, "current", &now);
        let calm = (running & !due).named("calm");
        let row_there = (now.outside | (hit & ready)).named("row_there");
        let data_there =
            now.write.mux(written.valid & turn.over() & answer_free, read_free).named("data_there");
        let go = (busy & calm & slot.over() & row_there & data_there).named("go");
        let (reads, writes) = ((go & !now.write).named("reads"), (go & now.write).named("writes"));
        written.ready.set(writes);
        let over = (go & left.eq(0)).named("run_over");
        source.ready.set(!busy | over);
        m.when(go, || {
            column.set(column.wrapping_add(1));
            left.set(left.wrapping_sub(1));
        });
        m.when(over, || busy.set(0));
        m.when(source.fires(), || {
            let first = Run::unpack(source.data, c);
            busy.set(1);
            word.set(source.data);
            column.set(first.column);
            left.set(first.left);
        });

        // ----- rows, for the run under way or else for the next one -----
        let [next_hit, next_open, next_ready, next_closable] = look(&banks, "next", &next);
        let own = (busy & !now.outside & !hit).named("own_row");
        let ahead = source.valid & !next.outside & !next_hit;
        let ahead = (ahead & !(busy & !now.outside & next.bank.eq(now.bank))).named("next_row");
        let row_is_open = own.mux(open, next_open);
        let may_open = !row_is_open & own.mux(ready, next_ready) & apart.over();
        let may_close = row_is_open & own.mux(closable, next_closable);
        let free = calm & !go & (own | ahead);
        let opens = (free & may_open).named("opens");
        let closes = (free & may_close).named("closes");
        let row_bank = own.mux(now.bank, next.bank).named("row_bank");
        let row = own.mux(now.row, next.row).named("row_wanted");

        // ----- refresh -----
        let any_open = m.cat(&each(&banks, |b| b.open)).any().named("any_open");
        let all_closable = m.cat(&each(&banks, |b| b.keep.over())).all().named("all_closable");
        let all_ready = m.cat(&each(&banks, |b| b.wait.over())).all().named("all_ready");
        let storm = (running & due).named("refresh_due");
        let closes_all = (close | (storm & any_open & all_closable)).named("closes_all");
        let refresh = (refreshes | (storm & !any_open & all_ready)).named("refreshes");
        m.when(wraps & running, || due.set(1));
        m.when(refresh, || due.set(0));

        for (n, bank) in (0..).zip(&banks) {
            let here = now.bank.eq(n) & !now.outside;
            m.when(reads & here, || bank.keep.at_least(read_keep));
            m.when(writes & here, || bank.keep.at_least(t.wr));
            m.when(opens & row_bank.eq(n), || {
                bank.open.set(1);
                bank.row.set(row);
                bank.wait.start(t.rcd);
                bank.keep.start(t.ras);
            });
            m.when((closes & row_bank.eq(n)) | closes_all, || {
                bank.open.set(0);
                bank.wait.start(t.rp);
            });
            m.when(refresh, || bank.wait.start(t.rfc));
        }
        m.when(opens, || apart.start(t.rrd));
        m.when(go, || slot.start(burst));
        m.when(reads, || turn.start(chip.cas + burst));

        // ----- pins -----
        let lit = |value: u32| m.lit(UInt(3), value);
        let column_command = now.write.mux(lit(command::WRITE), lit(command::READ));
        let moves = (go & !now.outside).named("moves");
        let chosen = [
            (moves, column_command),
            (opens, lit(command::ACTIVATE)),
            (closes | closes_all, lit(command::PRECHARGE)),
            (refresh, lit(command::REFRESH)),
            (mode, lit(command::MODE)),
        ];
        let command = m.reg("command", UInt(3)).reset(command::NOTHING);
        command.set(
            chosen.iter().rev().fold(lit(command::NOTHING), |rest, (when, c)| when.mux(*c, rest)),
        );
        let pins = chip.address_pins();
        let a = m.reg("address", UInt(pins)).reset(0);
        let words = column.cat(m.lit(UInt(burst.ilog2()), 0)).extend(pins);
        a.set(moves.mux(
            words,
            opens.mux(
                row.extend(pins),
                mode.mux(
                    m.lit(UInt(pins), chip.mode(burst)),
                    closes_all.mux(m.lit(UInt(pins), 1 << 10), m.lit(UInt(pins), 0)),
                ),
            ),
        ));
        let ba = m.reg("bank", UInt(BANKS.ilog2())).reset(0);
        ba.set(mode.mux(m.lit(ba.ty(), 0), go.mux(now.bank, row_bank)));
        m.output("cke", UInt(1)).set(1);
        m.output("cs_n", UInt(1)).set(0);
        for (n, name) in (0..).zip(["we_n", "cas_n", "ras_n"]) {
            m.output(name, UInt(1)).set(command.bit(n));
        }
        m.output("ba", ba.ty()).set(ba);
        m.output("a", a.ty()).set(a);

        self.write_pins(m, writes & !now.outside, written.data, running);
        self.read_pins(m, reads, &now, left.eq(0));
        let answers = (writes & left.eq(0) & now.end).named("answers");
        m.output("b_valid", UInt(1)).set(answers);
        m.output("b_data", UInt(1 + c.widths.id)).set(now.outside.cat(now.id));
        m.output("r_promised", UInt(1)).comment("A read was commanded.").set(reads);
        m.cover("opened_ahead", opens & busy & hit);
    }
}

impl SdramEngine {
    /// A beat is shifted out word by word, and its strobes with it.
    fn write_pins<'m>(&self, m: &'m Module, load: Sig<'m>, word: Sig<'m>, running: Sig<'m>) {
        let (width, bus) = (self.controller.chip.data, self.controller.widths.data);
        let burst = self.controller.burst();
        let data = m.reg("out_data", UInt(bus));
        let mask = m.reg("out_mask", UInt(bus / 8)).reset(0);
        let (enable, left) = (
            m.reg("out_enable", UInt(1)).reset(0),
            m.reg("out_left", UInt(index_width(burst as usize))).reset(0),
        );
        data.set(data >> width);
        mask.set(mask >> (width / 8));
        enable.set(left.ne(0));
        m.when(left.ne(0), || left.set(left.wrapping_sub(1)));
        m.when(load, || {
            data.set(word.truncate(bus));
            mask.set(!word.slice(bus..bus + bus / 8));
            enable.set(1);
            left.set(burst - 1);
        });
        m.output("dq_out", UInt(width)).set(data.truncate(width));
        m.output("dq_oe", UInt(1)).set(enable);
        // Data sheets want the masks high until the chip is initialised.
        let quiet = (!running).named("quiet").repeat((width / 8) as usize);
        m.output("dqm", UInt(width / 8)).set(mask.truncate(width / 8) | quiet);
    }

    /// Words are gathered into a beat; what belongs to it travels beside them.
    fn read_pins<'m>(&self, m: &'m Module, reads: Sig<'m>, now: &Run<'m>, last: Sig<'m>) {
        let (width, bus) = (self.controller.chip.data, self.controller.widths.data);
        let delay = (self.controller.chip.cas + self.controller.burst()) as usize;
        let q = m.input("dq_in", UInt(width)).register("q");
        let gathered = m.reg("gathered", UInt(bus));
        let beat = q.cat(gathered.slice(width..bus)).named("beat");
        gathered.set(beat);
        let tag = m.cat(&[now.outside, now.end & last, now.id]);
        let tag = tag.delay("tag", delay);
        let valid = reads.delay_valid("reading", delay);
        m.output("r_valid", UInt(1)).set(valid);
        m.output("r_data", UInt(tag.width() + bus)).set(tag.cat(beat));
    }
}
