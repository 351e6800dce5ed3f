//! A chip: geometry, times, commands.

/// Banks of every chip.
pub const BANKS: u32 = 4;
/// Nanoseconds of no command after power-up.
pub const POWER_UP: u32 = 200_000;
/// Clocks from the last word written to a precharge, where `wr` asks for fewer.
pub const WRITE_CLOCKS: u32 = 2;
/// Clocks from setting the mode to the next command.
pub const MODE_CLOCKS: u32 = 2;
/// Milliseconds in which every row is refreshed.
const RETENTION: u64 = 64;

/// Least times between commands, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// Activate to read or write.
    pub rcd: u32,
    /// Precharge to activate or refresh.
    pub rp: u32,
    /// Activate to precharge.
    pub ras: u32,
    /// Activate to activate of the same bank.
    pub rc: u32,
    /// Refresh to the next command.
    pub rfc: u32,
    /// Last word written to precharge; at least [`WRITE_CLOCKS`].
    pub wr: u32,
    /// Activate to activate of another bank.
    pub rrd: u32,
}

/// A chip of four banks.
///
/// A byte address is cut, from its highest bit down, into row, bank, column and byte: what lies
/// behind the end of a row is a row of the next bank, which can be opened meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SdramChip {
    /// Bits of a word.
    pub data: u32,
    /// Bits of a row's number, 11 to 13.
    pub row: u32,
    /// Bits of a column's number, at most 10.
    pub column: u32,
    /// Clocks from a read to its first word, 2 or 3.
    pub cas: u32,
    /// Refreshes in 64 ms.
    pub refreshes: u32,
    /// Times between commands.
    pub times: Times,
}

/// A word in a chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Its bank.
    pub bank: u32,
    /// Its row.
    pub row: u32,
    /// Its column.
    pub column: u32,
}

/// Commands: the bits `ras_n`, `cas_n`, `we_n`, with the chip selected.
pub mod command {
    /// Set the mode register.
    pub const MODE: u32 = 0b000;
    /// Refresh the next row of all banks.
    pub const REFRESH: u32 = 0b001;
    /// Close a bank, or with A10 all.
    pub const PRECHARGE: u32 = 0b010;
    /// Open a row.
    pub const ACTIVATE: u32 = 0b011;
    /// Write a burst.
    pub const WRITE: u32 = 0b100;
    /// Read a burst.
    pub const READ: u32 = 0b101;
    /// End a burst; never used here.
    pub const STOP: u32 = 0b110;
    /// Nothing.
    pub const NOTHING: u32 = 0b111;
}

impl SdramChip {
    /// 32 MB on the ULX3S, 4 × 8192 × 512 × 16 bits, at up to 95 MHz. Boards were made with
    /// MT48LC16M16A2-75, IS42S16160G-7, W9825G6KH-6 or AS4C16M16SA-7: each time is that of the
    /// slowest as open controllers have them. The data sheet of the last (rev. 3.0, table 16) wants
    /// 21 ns for `rcd` and `rp`, which up to 95 MHz is as many clocks.
    pub const ULX3S: SdramChip = SdramChip {
        data: 16,
        row: 13,
        column: 9,
        cas: 2,
        refreshes: 8192,
        times: Times { rcd: 20, rp: 20, ras: 45, rc: 66, rfc: 70, wr: 15, rrd: 15 },
    };

    /// 8 MB in the package of a GW2AR-18, 4 × 2048 × 256 × 32 bits. Gowin publishes no times of
    /// it: these are those of the slowest chips of that organisation.
    pub const GW2AR_18: SdramChip = SdramChip {
        data: 32,
        row: 11,
        column: 8,
        cas: 2,
        refreshes: 4096,
        times: Times { rcd: 20, rp: 20, ras: 45, rc: 66, rfc: 70, wr: 15, rrd: 15 },
    };

    /// Size in bytes.
    pub fn bytes(&self) -> u64 {
        u64::from(self.data / 8) << self.address_bits()
    }

    /// Bits of a word's number.
    pub(super) fn address_bits(&self) -> u32 {
        self.row + self.column + BANKS.ilog2()
    }

    /// Where a byte lies.
    pub fn cell(&self, address: u64) -> Cell {
        let word = address / u64::from(self.data / 8);
        let take = |from: u32, bits: u32| (word >> from & ((1 << bits) - 1)) as u32;
        let bank = BANKS.ilog2();
        Cell {
            column: take(0, self.column),
            bank: take(self.column, bank),
            row: take(self.column + bank, self.row),
        }
    }

    /// The address of a word's first byte.
    pub fn address(&self, cell: Cell) -> u64 {
        let rows = u64::from(cell.row) << BANKS.ilog2() | u64::from(cell.bank);
        (rows << self.column | u64::from(cell.column)) * u64::from(self.data / 8)
    }

    /// Whole clocks that last at least so many nanoseconds.
    pub(super) fn clocks(nanoseconds: u32, hertz: u32) -> u32 {
        let clocks = (u64::from(nanoseconds) * u64::from(hertz)).div_ceil(1_000_000_000);
        u32::try_from(clocks).unwrap_or(u32::MAX)
    }

    /// Clocks between two refreshes, rounded down.
    pub(super) fn refresh_clocks(&self, hertz: u32) -> u32 {
        let clocks = RETENTION * u64::from(hertz) / 1000 / u64::from(self.refreshes.max(1));
        u32::try_from(clocks).unwrap_or(u32::MAX)
    }

    /// Picoseconds between two refreshes on average.
    pub fn refresh_picoseconds(&self) -> u64 {
        RETENTION * 1_000_000_000 / u64::from(self.refreshes.max(1))
    }

    /// Bits of the address pins: those of a row, and A10.
    pub fn address_pins(&self) -> u32 {
        self.row.max(11)
    }

    /// The mode register's value for bursts of so many words.
    pub fn mode(&self, burst: u32) -> u32 {
        self.cas << 4 | burst.ilog2()
    }
}
