//! An SDR SDRAM chip at its pins, clock by clock, and every rule that a controller may break.
//!
//! ```text
//!  pins -> command -> checks: state of the bank, times since earlier commands
//!                  -> [ burst ] -> cells -> DQ, `cas` - 1 clocks later
//! ```
//!
//! The chip's clock lags a quarter behind the controller's: a command counts in the clock in
//! which the pins show it, and the first word of a read is on DQ `cas` - 1 clocks later, until the
//! end of its clock. Times are compared in picoseconds, as the data sheet states them, and not in
//! clocks as a controller counts them. Bursts that cut off others, automatic precharge, burst
//! stop, masked reads and power-down are refused or left out: no controller here uses them.

mod port;
mod rule;

use std::fmt;

use sterna_hdl::sdram::{BANKS, Cell, MODE_CLOCKS, POWER_UP, SdramChip, WRITE_CLOCKS, command};

pub use port::SdramPort;
pub use rule::Rule;

use crate::memory::store::Store;

/// What a controller shows in a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pins {
    /// Clock enable.
    pub cke: bool,
    /// One of [`command`]; [`command::NOTHING`] where the chip is not selected.
    pub command: u32,
    /// Bank.
    pub ba: u32,
    /// Address.
    pub a: u32,
    /// A set bit keeps a byte of the word from being written.
    pub dqm: u32,
    /// The word on DQ, where the controller drives it.
    pub dq: Option<u32>,
}

impl Default for Pins {
    fn default() -> Pins {
        Pins { cke: true, command: command::NOTHING, ba: 0, a: 0, dqm: 0, dq: None }
    }
}

/// A rule that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Which.
    pub rule: Rule,
    /// In which clock since power-up.
    pub clock: u64,
    /// What the pins showed.
    pub pins: Pins,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Pins { command, ba, a, .. } = self.pins;
        let names = ["MODE", "REFRESH", "PRECHARGE", "ACTIVATE", "WRITE", "READ", "STOP", "none"];
        let name = names.get(command as usize).unwrap_or(&"none");
        let Broken { rule, clock, .. } = self;
        write!(f, "clock {clock}, command {name}, bank {ba}, address {a:#x}: {rule}")
    }
}

/// A bank, with the clocks of its last commands.
#[derive(Clone, Copy, Default)]
struct Bank {
    row: Option<u32>,
    activated: Option<u64>,
    precharged: Option<u64>,
    /// Clock of the last word of the last read and write.
    read: Option<u64>,
    written: Option<u64>,
}

/// A burst under way.
#[derive(Clone, Copy)]
struct Burst {
    cell: Cell,
    /// Clock of its first word on DQ.
    from: u64,
    write: bool,
}

/// Words read and refreshes made since power-up, by a chip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Words on DQ from the chip.
    pub words_read: u64,
    /// Words on DQ to the chip, masked or not.
    pub words_written: u64,
    /// Refreshes.
    pub refreshes: u64,
    /// Rows opened.
    pub activates: u64,
}

/// A chip.
pub struct Sdram {
    chip: SdramChip,
    period: u64,
    store: Store,
    banks: [Bank; BANKS as usize],
    /// Words of a burst, once the mode is set.
    burst: Option<u64>,
    bursts: Vec<Burst>,
    clock: u64,
    last_column: Option<u64>,
    last_activate: Option<u64>,
    last_refresh: Option<u64>,
    last_mode: Option<u64>,
    closed_all: bool,
    /// Picoseconds until the cells have lost something; grows with refreshes.
    credit: i128,
    dq: Option<u32>,
    drove: bool,
    counts: Counts,
}

/// Refreshes that may be late.
const LATE: u64 = 8;

impl Sdram {
    /// A chip at power-up, whose clock has so many cycles a second.
    pub fn new(chip: &SdramChip, hertz: u32) -> Sdram {
        Sdram {
            chip: *chip,
            period: 1_000_000_000_000 / u64::from(hertz.max(1)),
            store: Store::new(chip.bytes()),
            banks: [Bank::default(); BANKS as usize],
            burst: None,
            bursts: vec![],
            clock: 0,
            last_column: None,
            last_activate: None,
            last_refresh: None,
            last_mode: None,
            closed_all: false,
            credit: 0,
            dq: None,
            drove: false,
            counts: Counts::default(),
        }
    }

    /// Clocks since power-up.
    pub fn clocks(&self) -> u64 {
        self.clock
    }

    /// What has been done since power-up.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The word that the chip drives on DQ in the clock that is now.
    pub fn dq(&self) -> Option<u32> {
        self.dq
    }

    /// Reads bytes behind the pins' back; `false` where the stretch is not inside.
    pub fn read(&self, address: u64, out: &mut [u8]) -> bool {
        let inside = self.store.holds(address, out.len() as u64);
        if inside {
            self.store.read(address, out);
        }
        inside
    }

    /// Writes bytes behind the pins' back; `false` where the stretch is not inside.
    pub fn write(&mut self, address: u64, bytes: &[u8]) -> bool {
        let inside = self.store.holds(address, bytes.len() as u64);
        if inside {
            self.store.write(address, bytes);
        }
        inside
    }

    /// Ends a clock in which the pins showed this, and begins the next.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn clock(&mut self, pins: &Pins) -> Result<(), Broken> {
        let broken = |rule| Broken { rule, clock: self.clock, pins: *pins };
        self.check(pins).map_err(broken)?;
        self.obey(pins);
        self.data(pins).map_err(|rule| Broken { rule, clock: self.clock, pins: *pins })?;
        self.clock += 1;
        self.drove = self.dq.is_some();
        self.dq = self.output();
        Ok(())
    }

    /// Whether so many nanoseconds have passed since a clock, if it ever was.
    fn passed(&self, since: Option<u64>, nanoseconds: u32) -> bool {
        since
            .is_none_or(|clock| (self.clock - clock) * self.period >= u64::from(nanoseconds) * 1000)
    }

    fn clocks_passed(&self, since: Option<u64>, clocks: u32) -> bool {
        since.is_none_or(|clock| self.clock >= clock + u64::from(clocks))
    }

    /// What is wrong with a command, if anything, before it is obeyed.
    fn check(&self, pins: &Pins) -> Result<(), Rule> {
        let hold = |holds: bool, rule: Rule| if holds { Ok(()) } else { Err(rule) };
        hold(pins.cke || self.burst.is_none(), Rule::ClockEnable)?;
        let allowed = i128::from(LATE) * i128::from(self.chip.refresh_picoseconds());
        hold(self.burst.is_none() || self.credit + allowed >= 0, Rule::Refresh)?;
        if pins.command == command::NOTHING {
            return Ok(());
        }
        hold(self.passed(Some(0), POWER_UP), Rule::PowerUp)?;
        hold(self.passed(self.last_refresh, self.chip.times.rfc), Rule::Rfc)?;
        hold(self.clocks_passed(self.last_mode, MODE_CLOCKS), Rule::Mrd)?;
        let all = pins.a >> 10 & 1 == 1;
        let concerned = |n: u32| n == pins.ba || (all && pins.command == command::PRECHARGE);
        let banks = self.banks.iter().zip(0..).filter(|(_, n)| concerned(*n)).map(|(bank, _)| bank);
        let closed = self.banks.iter().all(|bank| bank.row.is_none());
        let times = &self.chip.times;
        let running = self.burst.is_some();
        for bank in banks {
            match pins.command {
                command::ACTIVATE => {
                    hold(running, Rule::Initialisation)?;
                    hold(bank.row.is_none(), Rule::OpenBank)?;
                    hold(pins.a < 1 << self.chip.row, Rule::Row)?;
                    hold(self.passed(bank.precharged, times.rp), Rule::Rp)?;
                    hold(self.passed(bank.activated, times.rc), Rule::Rc)?;
                    hold(self.passed(self.last_activate, times.rrd), Rule::Rrd)?;
                }
                command::PRECHARGE if bank.row.is_some() => {
                    hold(self.passed(bank.activated, times.ras), Rule::Ras)?;
                    // Strict: with a CAS latency of more than 1 the last words would still come.
                    hold(bank.read.is_none_or(|last| self.clock > last), Rule::Burst)?;
                    let settled = self.passed(bank.written, times.wr)
                        && self.clocks_passed(bank.written, WRITE_CLOCKS);
                    hold(settled, Rule::Wr)?;
                }
                command::READ | command::WRITE => {
                    hold(bank.row.is_some(), Rule::ClosedBank)?;
                    hold(self.passed(bank.activated, times.rcd), Rule::Rcd)?;
                    hold(!all, Rule::Unknown)?;
                    hold(pins.a < 1 << self.chip.column, Rule::Column)?;
                    let burst = self.burst.unwrap_or(1) as u32;
                    hold(self.clocks_passed(self.last_column, burst), Rule::Burst)?;
                }
                _ => {}
            }
        }
        match pins.command {
            command::REFRESH | command::MODE => {
                hold(self.closed_all, Rule::Initialisation)?;
                hold(closed, Rule::BanksClosed)?;
                let precharged = |bank: &Bank| self.passed(bank.precharged, times.rp);
                hold(self.banks.iter().all(precharged), Rule::Rp)?;
                if pins.command == command::MODE {
                    hold(self.counts.refreshes >= 2, Rule::Initialisation)?;
                    let bursts = (0..4).map(|n| self.chip.mode(1 << n));
                    hold(bursts.into_iter().any(|mode| mode == pins.a), Rule::Mode)?;
                }
            }
            command::STOP => return Err(Rule::Unknown),
            _ => {}
        }
        Ok(())
    }

    /// What the command does, once it is known to be sound.
    fn obey(&mut self, pins: &Pins) {
        let Some(bank) = self.banks.get_mut(pins.ba as usize) else { return };
        let now = Some(self.clock);
        self.credit -= i128::from(self.period);
        match pins.command {
            command::ACTIVATE => {
                (bank.row, bank.activated, self.last_activate) = (Some(pins.a), now, now);
                self.counts.activates += 1;
            }
            command::PRECHARGE => {
                let all = pins.a >> 10 & 1 == 1;
                self.closed_all |= all;
                for (n, bank) in (0..).zip(&mut self.banks) {
                    if all || n == pins.ba {
                        (bank.row, bank.precharged) = (None, now);
                    }
                }
            }
            command::REFRESH => {
                self.last_refresh = now;
                self.counts.refreshes += 1;
                let each = i128::from(self.chip.refresh_picoseconds());
                // Those made early count for eight at most.
                self.credit = (self.credit + each).min(i128::from(LATE) * each);
            }
            command::MODE => {
                (self.last_mode, self.burst) = (now, Some(1 << (pins.a & 7)));
                self.credit = 0;
            }
            command::READ | command::WRITE => {
                let (write, words) = (pins.command == command::WRITE, self.burst.unwrap_or(1));
                let from = self.clock + if write { 0 } else { u64::from(self.chip.cas) - 1 };
                let cell = Cell { bank: pins.ba, row: bank.row.unwrap_or(0), column: pins.a };
                let last = self.clock + words - 1;
                if write {
                    bank.written = Some(last)
                } else {
                    bank.read = Some(last)
                }
                self.last_column = now;
                self.bursts.push(Burst { cell, from, write });
            }
            _ => {}
        }
    }

    /// The word of a burst that is on DQ in the clock that is now, if it is.
    fn word(&self, burst: &Burst) -> Option<u64> {
        let (words, at) = (self.burst.unwrap_or(1), self.clock.checked_sub(burst.from)?);
        // A burst wraps within its own length.
        let column = u64::from(burst.cell.column);
        let wrapped = (column & !(words - 1)) | ((column + at) & (words - 1));
        let cell = Cell { column: wrapped as u32, ..burst.cell };
        (at < words).then(|| self.chip.address(cell))
    }

    fn data(&mut self, pins: &Pins) -> Result<(), Rule> {
        let driven = self.dq.is_some() || self.drove;
        if driven && pins.dq.is_some() {
            return Err(Rule::Contention);
        }
        let writing = self.bursts.iter().filter(|burst| burst.write);
        if let Some(address) = writing.filter_map(|burst| self.word(burst)).next() {
            let word = pins.dq.ok_or(Rule::NoData)?;
            self.counts.words_written += 1;
            for n in 0..u64::from(self.chip.data / 8) {
                if pins.dqm >> n & 1 == 0 {
                    self.store.write(address + n, &[(word >> (8 * n)) as u8]);
                }
            }
        }
        let (now, words) = (self.clock, self.burst.unwrap_or(1));
        self.bursts.retain(|burst| now + 1 < burst.from + words);
        Ok(())
    }

    /// What the chip drives in the clock that begins.
    fn output(&mut self) -> Option<u32> {
        let reading = self.bursts.iter().filter(|burst| !burst.write);
        let address = reading.filter_map(|burst| self.word(burst)).next()?;
        let mut bytes = [0; 4];
        self.store.read(address, &mut bytes[..self.chip.data as usize / 8]);
        self.counts.words_read += 1;
        Some(u32::from_le_bytes(bytes))
    }
}
