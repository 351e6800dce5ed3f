//! What Sterna makes of measured power.
//!
//! | module | one sentence |
//! |---|---|
//! | [`report`] | recordings as a page, plots, JSON and CSV |

pub mod report;
