//! An estimate of the energy of a token: a model, not a measurement.
//!
//! ```text
//!  simulated token -> counts ----------------+
//!  board -> family, memory, clock            +-> joules [low, high], by class, by unit, variants
//!  energies.toml -> picojoules [low, high] --+
//! ```
//!
//! | module | one sentence |
//! |---|---|
//! | [`energies`] | the table of energies and its sources |
//! | [`account`] | counts of a token, and what they cost |
//! | [`variants`] | other designs, by rules |
//! | [`range`] | numbers that lie between two |

pub mod account;
pub mod energies;
pub mod range;
pub mod variants;

use std::sync::Arc;

use serde::Serialize;
use sterna_firmware::geometry::Geometry;
use sterna_firmware::model::Model;
use sterna_sim::Options;
use sterna_sim::activity::{Measured, measure};

use crate::board::Board;
use crate::error::Result;
use account::{Account, Class};
use energies::{Coefficients, Energies, Used};
use range::Range;

/// What every estimate says of itself.
pub const EVIDENCE: &str = "model, not measurement";

/// What a core is estimated on.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// The board's name.
    pub board: String,
    /// Family of its FPGA, as in board.toml.
    pub family: String,
    /// Kind of its memory, as in board.toml.
    pub memory: String,
    /// Bytes a second that the memory gives; none for block RAM, which is never slower than the core.
    pub bandwidth: Option<f64>,
    /// The core.
    pub geometry: Geometry,
    /// Its clock.
    pub clock_mhz: f64,
}

impl Setting {
    /// A board as it is.
    pub fn of(board: &Board) -> Setting {
        Setting {
            board: board.name.clone(),
            family: board.family.clone(),
            memory: board.memory.kind.clone(),
            bandwidth: (board.memory.kind != "block").then(|| board.memory_bandwidth()),
            geometry: board.geometry.clone(),
            clock_mhz: board.core_mhz,
        }
    }

    /// Clocks that the memory takes for a beat.
    fn clocks_a_beat(&self) -> f64 {
        let core = f64::from(self.geometry.bus) / 8.0 * self.clock_mhz * 1e6;
        self.bandwidth.map_or(1.0, |memory| core / memory)
    }
}

/// Joules of a class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassShare {
    /// What they are spent on.
    pub class: Class,
    /// Joules a token.
    pub joules: Range,
}

/// Joules of a unit, external memory and static power left out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UnitShare {
    /// Its instance in the core, or the core's own level.
    pub unit: String,
    /// Joules a token.
    pub joules: Range,
}

/// Another design beside this one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Variant {
    /// What it is.
    pub name: &'static str,
    /// What it is compared with.
    pub against: &'static str,
    /// How it follows from what was measured.
    pub rule: &'static str,
    /// Joules a token.
    pub joules: Range,
    /// Seconds a token.
    pub seconds: f64,
    /// Joules of the variant over those of this design, with one table for both.
    pub ratio: Range,
}

/// An estimate of a token.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// [`EVIDENCE`].
    pub evidence: &'static str,
    /// The model.
    pub model: String,
    /// Its image.
    pub image_id: String,
    /// The board.
    pub board: String,
    /// Its FPGA's family.
    pub family: String,
    /// Kind of its memory.
    pub memory: String,
    /// The core.
    pub geometry: Geometry,
    /// Its clock.
    pub clock_mhz: f64,
    /// How many tokens the state had seen before.
    pub token: usize,
    /// Clocks of the token with a memory that never lets the core wait. *Simulated.*
    pub cycles: u64,
    /// Clocks of the token with the board's memory. *Projected.*
    pub clocks: f64,
    /// Seconds a token. *Projected.*
    pub seconds: f64,
    /// Joules a token.
    pub joules: Range,
    /// Of these, FPGA and memory standing still.
    pub still: Range,
    /// Watts on average.
    pub watts: Range,
    /// Joules by class; their sum is `joules`.
    pub classes: Vec<ClassShare>,
    /// Joules by unit, largest first.
    pub units: Vec<UnitShare>,
    /// Bits of nets that the simulation did not record.
    pub unseen_bits: u64,
    /// Other designs.
    pub variants: Vec<Variant>,
    /// Numbers and their sources.
    pub energies: Vec<Used>,
}

/// Estimates token number `token` of a model on a board. The simulation takes seconds for a small
/// model and core, and is not repeated.
///
/// # Errors
/// S001 without Verilator, S018 and F-codes where the model does not fit the core, H020 where the
/// table has no such family or memory, those of the simulation.
pub fn estimate(
    model: &Arc<Model>,
    setting: &Setting,
    energies: &Energies,
    token: usize,
    options: &Options,
) -> Result<Estimate> {
    // First, because the simulation takes longer.
    let coefficients = energies.select(&setting.family, &setting.memory)?;
    let measured = measure(model, &setting.geometry, token, options)?;
    Ok(judge(model, setting, &measured, &coefficients))
}

fn judge(model: &Model, setting: &Setting, measured: &Measured, c: &Coefficients) -> Estimate {
    let hertz = setting.clock_mhz * 1e6;
    let account = Account::new(measured, setting.geometry.bus, setting.clocks_a_beat(), hertz);
    let description = model.description();
    let joules = account.joules(c);
    let seconds = account.seconds();
    let classes = account.classes(c).map(|(class, joules)| ClassShare { class, joules });
    let mut still = Range::default();
    for share in &classes {
        if matches!(share.class, Class::Static | Class::Background) {
            still += share.joules;
        }
    }
    let mut units: Vec<UnitShare> = account
        .units
        .iter()
        .map(|unit| UnitShare { unit: unit.name.clone(), joules: account.unit_joules(unit, c) })
        .collect();
    units.sort_by(|a, b| b.joules.high.total_cmp(&a.joules.high));
    Estimate {
        evidence: EVIDENCE,
        model: model.path().display().to_string(),
        image_id: description.image_id.clone(),
        board: setting.board.clone(),
        family: setting.family.clone(),
        memory: setting.memory.clone(),
        geometry: setting.geometry.clone(),
        clock_mhz: setting.clock_mhz,
        token: measured.token,
        cycles: measured.activity.clocks,
        clocks: account.clocks(),
        seconds,
        joules,
        still,
        watts: joules.scaled(1.0 / seconds),
        classes: classes.into(),
        units,
        unseen_bits: measured.activity.unseen_bits,
        variants: variants(&account, description.shape.weights() as f64, c),
        energies: c.used.clone(),
    }
}

fn variants(account: &Account, weights: f64, c: &Coefficients) -> Vec<Variant> {
    let variant = |name, against, rule, other: Account| Variant {
        name,
        against,
        rule,
        joules: other.joules(c),
        seconds: other.seconds(),
        ratio: other.ratio(account, c),
    };
    vec![
        variant(
            "2-bit stream",
            "1.6-bit stream",
            "0.4 bits more a weight over memory and stream, no decoder of trits",
            account.plain(weights),
        ),
        variant(
            "batch 4",
            "batch 1",
            "projected, no such core exists: a beat is read once for four tokens, which the same \
             lanes take one after the other",
            account.batched(),
        ),
    ]
}
