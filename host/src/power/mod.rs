//! Joules: what a token costs.
//!
//! | module | one sentence |
//! |---|---|
//! | [`meters`] | which meters measure, as the user names them |
//! | [`energy`] | joules of pieces of work, by a meter that counts them |
//! | [`workload`] | what a device does meanwhile |
//! | [`live`] | the last minute, to look at |
//! | [`dashboard`] | what `watch` shows |
//! | [`estimate`] | a model of the power of a core that is only simulated |
//! | [`activity`] | that model as a meter |
//! | [`report`] | recordings as a page, plots, JSON and CSV |

pub mod activity;
pub mod beside;
pub mod dashboard;
pub mod energy;
pub mod estimate;
pub mod live;
pub mod meters;
pub mod report;
pub mod workload;
