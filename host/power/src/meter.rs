//! What a meter is, and what it says of itself.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Result;

/// Something that says how much power is drawn, or how much energy was.
pub trait Meter: Send {
    /// What it is. Never changes.
    fn description(&self) -> &Description;

    /// What it says now; `now` is the time of the recording. Mostly one reading; none if there is
    /// nothing new, several if it kept some.
    ///
    /// # Errors
    /// Those of the sensor. The meter is asked again later all the same.
    fn read(&mut self, now: Duration) -> Result<Vec<Reading>>;
}

impl Meter for Box<dyn Meter> {
    fn description(&self) -> &Description {
        (**self).description()
    }

    fn read(&mut self, now: Duration) -> Result<Vec<Reading>> {
        (**self).read(now)
    }
}

/// What all rails of a meter said at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// When, if the meter knows better than who reads it.
    pub at: Option<Duration>,
    /// One value a rail, in the unit of its quantity.
    pub values: Vec<f64>,
}

impl Reading {
    /// Of this moment.
    pub fn now(values: Vec<f64>) -> Reading {
        Reading { at: None, values }
    }
}

/// What a rail's numbers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Quantity {
    /// Watts.
    Power,
    /// Joules since some moment; they never decrease.
    Energy,
}

/// One of the things that a meter watches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rail {
    /// What it is called.
    pub name: String,
    /// What its numbers are.
    pub quantity: Quantity,
    /// Whether it is part of the meter's total. A rail behind another one's converter is not.
    pub counted: bool,
}

impl Rail {
    /// A rail of watts, in the total.
    pub fn power(name: impl Into<String>) -> Rail {
        Rail { name: name.into(), quantity: Quantity::Power, counted: true }
    }

    /// A rail of joules, in the total.
    pub fn energy(name: impl Into<String>) -> Rail {
        Rail { name: name.into(), quantity: Quantity::Energy, counted: true }
    }

    /// The same outside the total.
    pub fn uncounted(self) -> Rail {
        Rail { counted: false, ..self }
    }
}

/// What a number includes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// The whole card or board at its input, conversion losses included.
    Card,
    /// Some rails of a card, without the losses of their converters.
    Rails,
    /// The host's processor package, with or without its memory.
    Host,
    /// Not known to the program: what the meter is wired to.
    External,
    /// Logic, memory and static power by a model.
    Model,
}

impl Scope {
    /// What is in a number and what is not, for people.
    pub fn includes(self) -> &'static str {
        match self {
            Scope::Card => "the whole card at its input, conversion losses included; not the host",
            Scope::Rails => {
                "the rails that are listed; neither their converters' losses nor the host"
            }
            Scope::Host => "the host's processor package; neither the card nor the power supply",
            Scope::External => "what the meter is wired to",
            Scope::Model => "logic, memory and static power by a model; no measurement at all",
        }
    }
}

/// Where a number comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Evidence {
    /// A sensor said it.
    Measured,
    /// A file says that a sensor said it.
    Replayed,
    /// A model says it: never a measurement.
    Model,
}

impl Evidence {
    /// The label of everything that comes of it.
    pub fn label(self) -> &'static str {
        match self {
            Evidence::Measured => "measured",
            Evidence::Replayed => "replayed from a file",
            Evidence::Model => "model, not measurement",
        }
    }
}

/// How wrong a sensor may be, by its datasheet.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Accuracy {
    /// Share of the value: 0.01 is one per cent.
    pub gain: f64,
    /// Beside it, in watts.
    pub offset_w: f64,
}

/// What a meter is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Description {
    /// As the user names it: `hwmon:ina226`.
    pub name: String,
    /// Which sensor, where, read how.
    pub provenance: String,
    /// What its total includes.
    pub scope: Scope,
    /// Where its numbers come from.
    pub evidence: Evidence,
    /// What it watches.
    pub rails: Vec<Rail>,
    /// Seconds between two new values of the sensor, which is how often it is read.
    pub interval_s: f64,
    /// Whether a value is the mean over the interval, and not the power at one moment.
    pub averages: bool,
    /// How wrong its values may be; `None` if that is not known.
    pub accuracy: Option<Accuracy>,
    /// Smallest and largest watts that it can say, of each rail; `None` if that is not known.
    pub range_w: Option<[f64; 2]>,
}
