//! Joules: what a token costs.
//!
//! | module | one sentence |
//! |---|---|
//! | [`estimate`] | a model of the power of a core that is only simulated |

pub mod estimate;
