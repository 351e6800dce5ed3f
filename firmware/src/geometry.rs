//! The geometry of a core: one typed manifest, from which the hardware is generated and with
//! which the runtime compares what an image requires.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{FirmwareError, Result};
use crate::shape::Shape;

/// Rates and on-chip sizes of one core.
///
/// Every count of elements is of one vector; on-chip memories are as large as they say and no
/// larger. The manifest is this struct as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Geometry {
    /// Bits of a beat: 64, 128, 256 or 512. A beat of weights is `bus / 8` columns of five rows.
    pub bus: u32,
    /// Elements a clock of the epilogue: 1, 2, 4 or 8, at most `bus / 32`.
    pub ways: u32,
    /// Elements a clock of the quantiser: 2 to 32, a power of two, at most `bus / 8`, at least
    /// `ways`. Fewer than the columns of a beat suit a memory that is slower than the bus.
    pub quantisers: u32,
    /// Candidates that the head reports: 1, 8 or 64.
    pub top_k: u32,
    /// Sequences on chip, which share each beat of weights: 1, 2, 4 or 8.
    pub slots: u32,
    /// Most elements of the residual stream.
    pub hidden: usize,
    /// Most elements of the recurrence of one layer.
    pub inner: usize,
    /// Most elements of the GLU.
    pub intermediate: usize,
    /// Most elements of recurrent state of one sequence, all layers together.
    pub state: usize,
    /// Beats of the prefetch FIFO: a power of two that holds at least one burst.
    pub prefetch: usize,
}

/// Most sequences on chip of any core.
pub const SLOTS_MAX: usize = 8;

/// Bytes of the image that the reader keeps under way: above latency times bandwidth of the
/// memories this is for (600 ns x 19.2 GB/s is 11.5 kB at 512 bits).
const PREFETCH_BYTES: usize = 16 * 1024;

impl Geometry {
    /// Rates that suit a bus, and memories that fit one shape; one sequence.
    pub fn for_shape(bus: u32, shape: &Shape) -> Geometry {
        let geometry = Geometry {
            bus,
            ways: 1,
            quantisers: (bus / 8).min(16),
            top_k: 64,
            slots: 1,
            hidden: shape.hidden,
            inner: shape.inner,
            intermediate: shape.intermediate,
            state: shape.state(),
            prefetch: (PREFETCH_BYTES / (bus as usize / 8)).min(512),
        };
        geometry.with_slots(1)
    }

    /// The same for so many sequences, 1, 2, 4 or 8, with as many more `ways` as it takes.
    ///
    /// That is what keeps the epilogue, through which one sequence goes after the other, ahead of
    /// the narrowest matrix (docs/core.md), as far as the bus allows.
    pub fn with_slots(self, slots: u32) -> Geometry {
        let narrowest = self.hidden.min(self.inner).min(self.intermediate).next_multiple_of(64);
        let rows = 5 * slots as usize * self.columns();
        let ways = rows.div_ceil(narrowest.max(1)).next_power_of_two();
        let ways = self.ways.max(ways.min(8) as u32).min(self.bus / 32).min(8);
        Geometry { slots, ways, ..self }
    }

    /// Says what of the geometry itself is not legal.
    pub fn check(&self) -> Result<()> {
        let refuse =
            |field: &'static str, reason: String| Err(FirmwareError::Geometry { field, reason });
        if ![64, 128, 256, 512].contains(&self.bus) {
            return refuse("bus", format!("{} bits; a beat has 64, 128, 256 or 512", self.bus));
        }
        let most = 8.min(self.bus / 32);
        if !self.ways.is_power_of_two() || self.ways > most {
            return refuse(
                "ways",
                format!("{}; with {} bits 1 to {most}, a power of two", self.ways, self.bus),
            );
        }
        let (least, most) = (2.max(self.ways), 32.min(self.bus / 8));
        if !self.quantisers.is_power_of_two() || !(least..=most).contains(&self.quantisers) {
            return refuse(
                "quantisers",
                format!(
                    "{}; with {} bits and {} for ways {least} to {most}, a power of two",
                    self.quantisers, self.bus, self.ways
                ),
            );
        }
        if ![1, 8, 64].contains(&self.top_k) {
            return refuse("top_k", format!("{}; it is 1, 8 or 64", self.top_k));
        }
        if ![1, 2, 4, 8].contains(&self.slots) {
            return refuse("slots", format!("{}; it is 1, 2, 4 or 8", self.slots));
        }
        let most = sterna_model::numerics::formats::COLUMNS_MAX;
        for (field, n) in
            [("hidden", self.hidden), ("inner", self.inner), ("intermediate", self.intermediate)]
        {
            if n % 32 != 0 || !(32..=most).contains(&n) {
                return refuse(field, format!("{n}; it is a multiple of 32 from 32 to {most}"));
            }
        }
        if !self.state.is_multiple_of(32) || !(self.inner..=512 * most).contains(&self.state) {
            return refuse(
                "state",
                format!("{}; it is a multiple of 32, at least inner", self.state),
            );
        }
        let burst = (4096 / (self.bus as usize / 8)).min(256);
        if !self.prefetch.is_power_of_two() || !(burst..=1 << 16).contains(&self.prefetch) {
            return refuse(
                "prefetch",
                format!("{}; it is a power of two of at least a burst, {burst}", self.prefetch),
            );
        }
        Ok(())
    }

    /// Whether a model of this shape fits; names everything that does not.
    pub fn fits(&self, shape: &Shape) -> Result<()> {
        let needs = [
            ("hidden", shape.hidden, self.hidden),
            ("inner", shape.inner, self.inner),
            ("intermediate", shape.intermediate, self.intermediate),
            ("state", shape.state(), self.state),
        ];
        let short: Vec<String> = needs
            .iter()
            .filter(|(_, needed, has)| needed > has)
            .map(|(name, needed, has)| {
                format!("{name}: the model needs {needed}, the core has {has}")
            })
            .collect();
        if short.is_empty() { Ok(()) } else { Err(FirmwareError::TooSmall(short.join("; "))) }
    }

    /// The manifest: stable JSON, one field a line.
    pub fn manifest(&self) -> String {
        serde_json::to_string_pretty(self).expect("a geometry is plain data") + "\n"
    }

    /// First eight bytes of the manifest's SHA-256: what the core's registers show.
    pub fn hash(&self) -> u64 {
        let digest = Sha256::digest(self.manifest());
        u64::from_be_bytes(digest[..8].try_into().expect("eight bytes"))
    }

    /// Columns of a beat of weights.
    pub fn columns(&self) -> usize {
        self.bus as usize / 8
    }
}
