//! The arithmetic of the core, one unit a file. Each is equal, bit for bit, to a function of
//! `sterna_model::numerics` (docs/numerics.md), and has a fixed latency.
