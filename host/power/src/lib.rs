//! Watts and joules: meters, what they said while a device worked, and what that makes of a token.
//!
//! ```text
//!  hwmon, rapl, cms, xbutil, ina226, serial, file     tokens, marks
//!                      |                                   |
//!                   Sampler ----------> Recorder <---------+
//!                                          |
//!                                     RUN.jsonl  (a recording: all that was seen)
//!                                          |
//!                                      Analysis  (joules a token, with error bars)
//! ```
//!
//! Everything that is reported is computed from the recording alone, so that a recording which is
//! read again gives the same report, byte for byte.
//!
//! # From one file to the next
//!
//! ```text
//! meter      what a meter is, and what it says of itself
//! meters/    one meter a file, how a user names one, and which there are
//! clock      the time of recordings, which nobody can set
//! sampler    a thread a meter, at the meter's own rate
//! recording/ what was seen, as lines of JSON; samples as CSV
//! series     what one rail said over time
//! energy     from samples to joules, and how wrong that can be
//! analysis   runs, idle power, joules a token, median and spread
//! error      everything that can go wrong, with the next step
//! ```

pub mod analysis;
mod clock;
pub mod energy;
mod error;
mod meter;
pub mod meters;
pub mod recording;
mod sampler;
mod series;

pub use analysis::Analysis;
pub use clock::{Clock, SystemClock};
pub use error::{PowerError, Result};
pub use meter::{Accuracy, Description, Evidence, Meter, Quantity, Rail, Reading, Scope};
pub use recording::{Recorder, Recording};
pub use sampler::{Sampler, Sink, sample};
pub use series::{Point, Series};
