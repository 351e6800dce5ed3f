//! sterna
fn main() {}
