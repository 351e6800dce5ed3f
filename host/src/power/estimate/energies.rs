//! The table of energies: a TOML file, built in, or one that was calibrated on a board.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::range::Range;
use crate::error::{HostError, Result};

/// The table that is built in.
const BUILT_IN: &str = include_str!("energies.toml");
/// What errors call it.
const NAME: &str = "energies.toml (built in)";

/// Where a number comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Authors, title, place in it.
    pub title: String,
    /// Its address; empty where there is none.
    pub url: String,
    /// Whether the numbers were read there.
    pub checked: bool,
    /// Which numbers, and what of them is from memory.
    pub note: String,
}

/// A number with its range and sources.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Number {
    range: [f64; 2],
    source: Vec<String>,
}

impl Number {
    /// The range.
    pub fn range(&self) -> Range {
        self.range.into()
    }
}

/// A family of FPGAs.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fpga {
    /// Which part the static power is of, its process and voltage.
    pub what: String,
    /// Picojoules of a toggle of a net.
    pub toggle_pj: Number,
    /// Picojoules of a clock at a bit of a register.
    pub clock_pj: Number,
    /// Picojoules of a bit of an access to memory on chip.
    pub memory_bit_pj: Number,
    /// Picojoules of a product, for each pair of bits of its factors.
    pub product_bit_pj: Number,
    /// Watts, configured and still.
    pub static_w: Number,
}

/// A kind of external memory.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// Chips, wires and voltage.
    pub what: String,
    /// Picojoules of a bit read or written.
    pub bit_pj: Number,
    /// Watts of standby and refresh.
    pub background_w: Number,
}

/// The table.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Energies {
    source: BTreeMap<String, Source>,
    fpga: BTreeMap<String, Fpga>,
    memory: BTreeMap<String, Memory>,
    #[serde(skip)]
    file: String,
}

impl Energies {
    /// The table of the binary.
    pub fn built_in() -> Energies {
        Energies::read(Path::new(NAME), BUILT_IN).expect("a test reads it")
    }

    /// A table from the text of a file.
    ///
    /// # Errors
    /// H020: not TOML, a key too many or too few, a number without source or with one that is not
    /// in the table, a range that is none.
    pub fn read(file: &Path, text: &str) -> Result<Energies> {
        let refuse = |reason: String| HostError::Energies { file: file.into(), reason };
        let mut energies: Energies = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let line = 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count();
            refuse(format!("line {line}: {}", error.message().trim().replace('\n', ", ")))
        })?;
        energies.file = file.display().to_string();
        for (place, number) in energies.numbers() {
            let [low, high] = number.range;
            if !(low.is_finite() && high.is_finite() && 0.0 <= low && low <= high) {
                return Err(refuse(format!("{place}: [{low}, {high}] is no range from 0 up")));
            }
            if number.source.is_empty() {
                return Err(refuse(format!("{place}: a number needs a source")));
            }
            if let Some(name) = number.source.iter().find(|s| !energies.source.contains_key(*s)) {
                return Err(refuse(format!("{place}: there is no [source.{name}]")));
            }
        }
        Ok(energies)
    }

    /// Every number, with its place in the file.
    pub fn numbers(&self) -> Vec<(String, &Number)> {
        let fpga = self.fpga.iter().flat_map(|(name, fpga)| {
            let Fpga { toggle_pj, clock_pj, memory_bit_pj, product_bit_pj, static_w, .. } = fpga;
            [
                (format!("fpga.{name}.toggle_pj"), toggle_pj),
                (format!("fpga.{name}.clock_pj"), clock_pj),
                (format!("fpga.{name}.memory_bit_pj"), memory_bit_pj),
                (format!("fpga.{name}.product_bit_pj"), product_bit_pj),
                (format!("fpga.{name}.static_w"), static_w),
            ]
        });
        let memory = self.memory.iter().flat_map(|(name, memory)| {
            [
                (format!("memory.{name}.bit_pj"), &memory.bit_pj),
                (format!("memory.{name}.background_w"), &memory.background_w),
            ]
        });
        fpga.chain(memory).collect()
    }

    /// The coefficients of a family with a kind of memory, and what they come from.
    ///
    /// # Errors
    /// H020 where the table has no such family or memory.
    pub fn select(&self, family: &str, kind: &str) -> Result<Coefficients> {
        let missing = |what: String| HostError::Energies {
            file: self.file.clone().into(),
            reason: format!("there is no [{what}]"),
        };
        let fpga = self.fpga.get(family).ok_or_else(|| missing(format!("fpga.{family}")))?;
        let mut numbers = vec![
            ("toggle_pj", &fpga.toggle_pj),
            ("clock_pj", &fpga.clock_pj),
            ("memory_bit_pj", &fpga.memory_bit_pj),
            ("product_bit_pj", &fpga.product_bit_pj),
            ("static_w", &fpga.static_w),
        ];
        // Block RAM is memory on chip, and has no standby of its own.
        let (external, background) = if kind == "block" {
            (fpga.memory_bit_pj.range(), Range::default())
        } else {
            let memory = self.memory.get(kind).ok_or_else(|| missing(format!("memory.{kind}")))?;
            numbers.push(("bit_pj", &memory.bit_pj));
            numbers.push(("background_w", &memory.background_w));
            (memory.bit_pj.range(), memory.background_w.range())
        };
        let used = |(name, number): (&'static str, &Number)| Used {
            name,
            range: number.range(),
            sources: number.source.iter().map(|s| self.source[s].clone()).collect(),
        };
        Ok(Coefficients {
            toggle: fpga.toggle_pj.range().scaled(PICO),
            clock: fpga.clock_pj.range().scaled(PICO),
            memory_bit: fpga.memory_bit_pj.range().scaled(PICO),
            product_bit: fpga.product_bit_pj.range().scaled(PICO),
            external_bit: external.scaled(PICO),
            static_watts: fpga.static_w.range(),
            background_watts: background,
            used: numbers.into_iter().map(used).collect(),
        })
    }
}

const PICO: f64 = 1e-12;

/// What one board's counts are multiplied with: joules and watts.
#[derive(Clone, Debug, PartialEq)]
pub struct Coefficients {
    /// Of a toggle.
    pub toggle: Range,
    /// Of a clock at a bit.
    pub clock: Range,
    /// Of a bit of an access to memory on chip.
    pub memory_bit: Range,
    /// Of a product, for each pair of bits.
    pub product_bit: Range,
    /// Of a bit over the memory's wires.
    pub external_bit: Range,
    /// Of the FPGA.
    pub static_watts: Range,
    /// Of the memory.
    pub background_watts: Range,
    /// The numbers as they stand in the table.
    pub used: Vec<Used>,
}

/// A number of the table that an estimate used.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Used {
    /// Its key.
    pub name: &'static str,
    /// As in the table: picojoules or watts.
    pub range: Range,
    /// Where it comes from.
    pub sources: Vec<Source>,
}
