//! `sterna serve`: the engine by itself, and the whole of it from outside.

mod browser;
mod client;
mod engine;
mod http;
mod load;
mod models;
mod others;

#[path = "../common/page.rs"]
#[allow(dead_code, reason = "made for pages with tables")]
mod page;

use page::docs;
