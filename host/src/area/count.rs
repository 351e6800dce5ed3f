//! Cells of a netlist, as each family counts them.

use std::collections::BTreeMap;
use std::iter::Sum;
use std::ops::Add;

use serde::{Deserialize, Serialize};

use crate::bitstream::figures::class;

/// A family of FPGAs.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Lattice ECP5: LUTs of four inputs.
    Ecp5,
    /// AMD 7-series: LUTs of six inputs.
    Xc7,
    /// AMD UltraScale+: LUTs of six inputs.
    Xcup,
}

impl Family {
    /// Its name here and for Yosys.
    pub fn name(self) -> &'static str {
        match self {
            Family::Ecp5 => "ecp5",
            Family::Xc7 => "xc7",
            Family::Xcup => "xcup",
        }
    }

    /// Yosys' command, without the top.
    pub fn command(self) -> String {
        match self {
            Family::Ecp5 => "synth_ecp5 -abc9".into(),
            // Without the buffers of pins and clocks, which are around a core.
            _ => format!("synth_xilinx -family {} -flatten -noiopad -noclkbuf", self.name()),
        }
    }
}

/// Cells of a module or a design.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Count {
    /// LUTs of logic, LUT4 or LUT1 to LUT6.
    pub lut: u64,
    /// Cells of carry chains: CCU2C, of two places; CARRY4; CARRY8.
    pub carry: u64,
    /// Places for LUTs that it takes. On ECP5 a CCU2C takes two and 16 words of four bits of memory
    /// four, as nextpnr counts them in TRELLIS_COMB; on AMD's a carry's LUTs are among `lut`, and
    /// memories and shift registers of LUTs come to it.
    pub places: u64,
    /// Registers.
    pub ff: u64,
    /// Block RAMs: DP16KD of 18 kb; RAMB36, of which a RAMB18 is half a one.
    pub ram: f64,
    /// Multipliers: MULT18X18D; DSP48.
    pub dsp: u64,
}

impl Count {
    /// Counts cells of a family by their names.
    pub fn of(family: Family, kinds: &BTreeMap<String, u64>) -> Count {
        let mut count = Count::default();
        for (kind, &n) in kinds {
            match class(kind) {
                "lut" => (count.lut, count.places) = (count.lut + n, count.places + n),
                "carry" if family == Family::Ecp5 => {
                    (count.carry, count.places) = (count.carry + n, count.places + 2 * n);
                }
                "carry" => count.carry += n,
                "lutram" => count.places += n * lutram(kind),
                "ff" => count.ff += n,
                "ram" if kind.starts_with("RAMB18") => count.ram += n as f64 / 2.0,
                "ram" => count.ram += n as f64,
                "dsp" => count.dsp += n,
                // Multiplexers of LUTs' outputs have places of their own.
                _ => {}
            }
        }
        count
    }
}

impl Add for Count {
    type Output = Count;

    fn add(self, other: Count) -> Count {
        Count {
            lut: self.lut + other.lut,
            carry: self.carry + other.carry,
            places: self.places + other.places,
            ff: self.ff + other.ff,
            ram: self.ram + other.ram,
            dsp: self.dsp + other.dsp,
        }
    }
}

impl Sum for Count {
    fn sum<I: Iterator<Item = Count>>(counts: I) -> Count {
        counts.fold(Count::default(), Add::add)
    }
}

/// Places for LUTs that a memory or shift register of LUTs takes.
pub fn lutram(kind: &str) -> u64 {
    match kind {
        "RAM32M16" | "RAM64M8" => 8,
        "RAM32M" | "RAM64M" | "RAM128X1D" | "TRELLIS_DPR16X4" => 4,
        "RAM32X1D" | "RAM64X1D" => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(of: &[(&str, u64)]) -> BTreeMap<String, u64> {
        of.iter().map(|(kind, n)| ((*kind).to_string(), *n)).collect()
    }

    #[test]
    fn a_carry_takes_two_places_on_ecp5() {
        let cells = kinds(&[
            ("LUT4", 100),
            ("PFUMX", 7),
            ("CCU2C", 10),
            ("TRELLIS_DPR16X4", 3),
            ("TRELLIS_FF", 50),
            ("DP16KD", 2),
            ("MULT18X18D", 4),
        ]);
        let want = Count { lut: 100, carry: 10, places: 132, ff: 50, ram: 2.0, dsp: 4 };
        assert_eq!(Count::of(Family::Ecp5, &cells), want);
    }

    #[test]
    fn half_a_block_and_luts_of_memories_on_xilinx() {
        let cells = kinds(&[
            ("LUT2", 5),
            ("LUT6", 6),
            ("INV", 1),
            ("MUXF7", 9),
            ("CARRY4", 8),
            ("RAM32M", 2),
            ("SRL16E", 3),
            ("FDRE", 20),
            ("FDSE", 1),
            ("RAMB36E1", 2),
            ("RAMB18E1", 3),
            ("DSP48E1", 4),
        ]);
        let want = Count { lut: 12, carry: 8, places: 23, ff: 21, ram: 3.5, dsp: 4 };
        assert_eq!(Count::of(Family::Xc7, &cells), want);
    }
}
