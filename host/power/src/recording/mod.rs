//! What was seen, as lines of JSON: one file, written while it happens.
//!
//! ```text
//! {"kind":"begin","format":1,"device":"golden","meters":[…],…}
//! {"kind":"mark","t":0,"mark":"rest","run":0}
//! {"kind":"sample","t":101523,"meter":0,"values":[3.51],"spread":4100}
//! {"kind":"mark","t":2000512345,"mark":"load","run":0}
//! {"kind":"token","t":2010512345,"run":0,"token":15}
//! {"kind":"trouble","t":2010812345,"meter":0,"code":"W004","message":"…"}
//! {"kind":"end","t":9000512345,"unix":1790000009}
//! ```
//!
//! Times are nanoseconds since the recording began, on a clock that nobody can set. A file that
//! ends before its `end` is that of a run which was broken off; it is read as far as it goes.

mod csv;
mod read;
mod write;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::csv::{Follow, Stamp};
pub use self::write::{Recorder, csv_of};
use crate::meter::Description;

/// The format that this program writes, and the only one that it reads.
pub const FORMAT: u32 = 1;

/// What was recorded, and on what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Begin {
    /// [`FORMAT`].
    pub format: u32,
    /// The program and its version.
    pub program: String,
    /// Seconds since 1970 at time 0.
    pub unix: f64,
    /// The device that worked: `golden`, `xdma`, ….
    pub device: String,
    /// The file of the model, or the name of the built-in one.
    pub model: String,
    /// Its image.
    pub image_id: String,
    /// Tokens of each run's prompt.
    pub prompt_tokens: usize,
    /// Runs that were wanted.
    pub runs: u32,
    /// The meters, by number.
    pub meters: Vec<Description>,
    /// Meters that there would have been, and why they did not measure.
    #[serde(default)]
    pub absent: Vec<String>,
}

/// Where a run begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// From here on the device rests: before run `run`.
    Rest,
    /// From here on it works: the prompt of run `run` enters.
    Load,
}

/// A line of a recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Line {
    /// The first.
    Begin(Begin),
    /// What a meter said.
    Sample {
        /// When.
        t: u64,
        /// Which meter.
        meter: usize,
        /// One a rail: watts, or joules since some moment.
        values: Vec<f64>,
        /// By how much `t` may be off to either side.
        #[serde(default)]
        spread: u64,
    },
    /// A meter failed.
    Trouble {
        /// When.
        t: u64,
        /// Which meter.
        meter: usize,
        /// The code of the error.
        code: String,
        /// Its message.
        message: String,
    },
    /// Work begins or ends.
    Mark {
        /// When.
        t: u64,
        /// Which of both.
        mark: Mark,
        /// The run.
        run: u32,
    },
    /// A token came out.
    Token {
        /// When.
        t: u64,
        /// The run.
        run: u32,
        /// The token.
        token: u32,
    },
    /// The last.
    End {
        /// When.
        t: u64,
        /// Seconds since 1970.
        unix: f64,
    },
}

/// A value of all rails of a meter.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Seconds since the recording began.
    pub t: f64,
    /// Seconds by which `t` may be off to either side.
    pub spread: f64,
    /// One value a rail.
    pub values: Vec<f64>,
}

/// A failure of a meter.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Trouble {
    /// Seconds since the recording began.
    pub t: f64,
    /// Which meter.
    pub meter: usize,
    /// The code of the error.
    pub code: String,
    /// Its message.
    pub message: String,
}

/// What happened in a run, in seconds since the recording began.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    /// When the device began to rest before it.
    pub rest: Option<f64>,
    /// When its prompt entered.
    pub load: Option<f64>,
    /// When each token came out.
    pub tokens: Vec<f64>,
}

/// A recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// What was recorded.
    pub begin: Begin,
    /// Samples by meter, in order of time.
    pub samples: Vec<Vec<Sample>>,
    /// The runs by number; a rest after the last one is a run without a load.
    pub runs: Vec<Run>,
    /// What failed.
    pub troubles: Vec<Trouble>,
    /// When the recording ended, if it did.
    pub end: Option<f64>,
    /// By how many seconds the wall's clock was set while it ran.
    pub clock_step: Option<f64>,
}

/// Nanoseconds of a moment.
pub(crate) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Seconds of nanoseconds.
pub(crate) fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}
