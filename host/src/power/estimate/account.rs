//! Counts of a token, and what they cost.

use serde::Serialize;
use sterna_sim::activity::{Measured, Place};

use super::energies::Coefficients;
use super::range::Range;

/// What a joule is spent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Toggles of operators and the wires behind them.
    Logic,
    /// Toggles of registers and read ports, and the wires behind them.
    Registers,
    /// The clock at every register, in every clock.
    Clock,
    /// Bits read from and written to memory on chip.
    Memories,
    /// Products.
    Products,
    /// Bits over the external memory's wires.
    External,
    /// The external memory's standby and refresh, while the token takes.
    Background,
    /// The FPGA, configured and still, while the token takes.
    Static,
}

impl Class {
    /// All of them.
    pub const ALL: [Class; 8] = [
        Class::Logic,
        Class::Registers,
        Class::Clock,
        Class::Memories,
        Class::Products,
        Class::External,
        Class::Background,
        Class::Static,
    ];

    /// What a table calls it.
    pub fn label(self) -> &'static str {
        match self {
            Class::Logic => "logic",
            Class::Registers => "registers",
            Class::Clock => "clock",
            Class::Memories => "memories on chip",
            Class::Products => "products",
            Class::External => "external memory",
            Class::Background => "memory standby",
            Class::Static => "static",
        }
    }
}

/// Counts of a unit, or of all of a core.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counts {
    /// Toggles of logic.
    pub logic: Range,
    /// Toggles of registers and read ports.
    pub registers: f64,
    /// Bits that the clock reaches.
    pub clocked_bits: f64,
    /// Bits of accesses to memory on chip.
    pub memory_bits: Range,
    /// Products times the pairs of bits of their factors.
    pub product_bits: Range,
}

impl Counts {
    fn of(place: &Place) -> Counts {
        let logic = place.logic_toggles as f64;
        Counts {
            // Whether an operator without a name becomes a net of its own is not known.
            logic: Range { low: logic, high: logic + place.unnamed_toggles as f64 },
            registers: place.clocked_toggles as f64,
            clocked_bits: place.clocked_bits as f64,
            memory_bits: place.memory_bits.into(),
            product_bits: place.product_bits.into(),
        }
    }

    /// All activity so many times; the registers stay as many.
    pub fn scaled(self, by: f64) -> Counts {
        Counts {
            logic: self.logic.scaled(by),
            registers: self.registers * by,
            clocked_bits: self.clocked_bits,
            memory_bits: self.memory_bits.scaled(by),
            product_bits: self.product_bits.scaled(by),
        }
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.logic += other.logic;
        self.registers += other.registers;
        self.clocked_bits += other.clocked_bits;
        self.memory_bits += other.memory_bits;
        self.product_bits += other.product_bits;
    }
}

/// A part of the core whose activity follows one thing.
#[derive(Clone, Debug, PartialEq)]
pub struct Unit {
    /// Its instance in the core, or the core's own level.
    pub name: String,
    /// What it did, without the decoders of trits in it.
    pub counts: Counts,
    /// What the decoders in it did.
    pub decoders: Counts,
}

/// Everything that a token costs, in counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// The units, in the order of the design.
    pub units: Vec<Unit>,
    /// Bits of the image over the memory's wires.
    pub image_bits: f64,
    /// Other bits over them: the embedding's row, the results.
    pub other_bits: f64,
    /// Clocks of the core in which it does not take a beat.
    pub other_cycles: f64,
    /// Beats of the image that the core takes, one a clock.
    pub beats: f64,
    /// Clocks that the memory needs for a beat; less than 1 where the core is slower.
    pub clocks_a_beat: f64,
    /// Clocks a second.
    pub hertz: f64,
}

/// Name of the part of the core that a place belongs to.
fn unit(path: &str) -> &str {
    let mut names = path.split('/');
    let first = names.next().unwrap_or_default();
    let name = if first == "u_engine" { names.next().unwrap_or(first) } else { first };
    if name.is_empty() { "ports" } else { name.strip_prefix("u_").unwrap_or(name) }
}

impl Account {
    /// A measured token on a bus of so many bits.
    pub fn new(measured: &Measured, bus: u32, clocks_a_beat: f64, hertz: f64) -> Account {
        let mut units: Vec<Unit> = vec![];
        for place in &measured.activity.places {
            let name = unit(&place.path);
            let at = units.iter().position(|unit| unit.name == name).unwrap_or_else(|| {
                let none = Counts::default();
                units.push(Unit { name: name.into(), counts: none, decoders: none });
                units.len() - 1
            });
            let decoder = place.module == "trit_decode";
            let unit = &mut units[at];
            let into = if decoder { &mut unit.decoders } else { &mut unit.counts };
            *into += Counts::of(place);
        }
        let image_bits = measured.counters.beats as f64 * f64::from(bus);
        let all = (measured.read_bits + measured.written_bits) as f64;
        let beats = measured.counters.beats as f64;
        Account {
            units,
            image_bits,
            other_bits: (all - image_bits).max(0.0),
            other_cycles: (measured.activity.clocks as f64 - beats).max(0.0),
            beats,
            clocks_a_beat,
            hertz,
        }
    }

    /// All units together.
    pub fn counts(&self) -> Counts {
        let mut sum = Counts::default();
        for unit in &self.units {
            sum += unit.counts;
            sum += unit.decoders;
        }
        sum
    }

    /// Clocks of a token: what is not a beat, and for each beat what the slower of core and memory
    /// takes.
    pub fn clocks(&self) -> f64 {
        self.other_cycles + self.beats * self.clocks_a_beat.max(1.0)
    }

    /// Seconds of a token.
    pub fn seconds(&self) -> f64 {
        self.clocks() / self.hertz
    }

    /// Joules of each class at one corner of all ranges.
    fn at(&self, counts: &Counts, c: &Coefficients, corner: Corner) -> [f64; 8] {
        let seconds = self.seconds();
        [
            counts.logic.end(corner.logic) * c.toggle.end(corner.toggle),
            counts.registers * c.toggle.end(corner.toggle),
            counts.clocked_bits * self.clocks() * c.clock.end(corner.clock),
            counts.memory_bits.end(corner.memory_bits) * c.memory_bit.end(corner.memory_bit),
            counts.product_bits.end(corner.product_bits) * c.product_bit.end(corner.product_bit),
            (self.image_bits + self.other_bits) * c.external_bit.end(corner.external_bit),
            seconds * c.background_watts.end(corner.background),
            seconds * c.static_watts.end(corner.fixed),
        ]
    }

    /// Joules of each class.
    pub fn classes(&self, c: &Coefficients) -> [(Class, Range); 8] {
        let counts = self.counts();
        let low = self.at(&counts, c, Corner::number(0));
        let high = self.at(&counts, c, Corner::number(u32::MAX));
        std::array::from_fn(|i| (Class::ALL[i], Range { low: low[i], high: high[i] }))
    }

    /// Joules of a token.
    pub fn joules(&self, c: &Coefficients) -> Range {
        let mut sum = Range::default();
        self.classes(c).into_iter().for_each(|(_, joules)| sum += joules);
        sum
    }

    /// Joules of one unit: what toggles in it, its registers, memories and products.
    pub fn unit_joules(&self, unit: &Unit, c: &Coefficients) -> Range {
        let mut counts = unit.counts;
        counts += unit.decoders;
        let end = |number| self.at(&counts, c, Corner::number(number))[..5].iter().sum();
        Range { low: end(0), high: end(u32::MAX) }
    }

    /// Joules of this token over those of another, over all that the table and the counts allow
    /// for both alike.
    pub fn ratio(&self, other: &Account, c: &Coefficients) -> Range {
        let (own, theirs) = (self.counts(), other.counts());
        // The ratio is monotone in each number by itself, so its ends are at corners.
        let mut range = Range { low: f64::INFINITY, high: 0.0 };
        for number in 0..1 << Corner::BITS {
            let corner = Corner::number(number);
            let sum =
                |account: &Account, counts| -> f64 { account.at(counts, c, corner).iter().sum() };
            let ratio = sum(self, &own) / sum(other, &theirs);
            if ratio.is_finite() {
                range = Range { low: range.low.min(ratio), high: range.high.max(ratio) };
            }
        }
        range
    }
}

/// Which end of each range; the same for both sides of a comparison.
#[derive(Clone, Copy)]
struct Corner {
    logic: bool,
    toggle: bool,
    clock: bool,
    memory_bits: bool,
    memory_bit: bool,
    product_bits: bool,
    product_bit: bool,
    external_bit: bool,
    background: bool,
    fixed: bool,
}

impl Corner {
    const BITS: u32 = 10;

    fn number(number: u32) -> Corner {
        let bit = |i: u32| number >> i & 1 == 1;
        Corner {
            logic: bit(0),
            toggle: bit(1),
            clock: bit(2),
            memory_bits: bit(3),
            memory_bit: bit(4),
            product_bits: bit(5),
            product_bit: bit(6),
            external_bit: bit(7),
            background: bit(8),
            fixed: bit(9),
        }
    }
}
