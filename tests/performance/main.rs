//! `docs/performance.md` and `docs/peers.md`: their tables and pictures are what the timing model says
//! today.

mod boards;
mod core;
#[path = "../common/page.rs"]
mod page;
mod peers;

use std::fs;

use page::{current, docs, grouped, put, table};
use sterna::board::fit;
use sterna::picture::svg::svg;
use sterna::plan::timeline::timeline;
use sterna::plan::{Memory, Plan};
use sterna_firmware::geometry::Geometry;

/// Clocks to the first beat in all tables.
const LATENCY: u32 = 60;

/// A shape on the core that suits it, with a beat a clock.
fn plan(shape: &str, bus: u32) -> Plan {
    let memory = Memory { latency: LATENCY, clock: None, bandwidth: None };
    let shape_of = fit::shape(shape).unwrap();
    Plan::new(shape, shape_of, Geometry::for_shape(bus, &shape_of), memory).unwrap()
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// `UPDATE_DOCS=1 cargo test -p sterna --test performance` writes page and pictures.
#[test]
fn the_tables_are_current() {
    let mut page = fs::read_to_string(docs("performance.md")).unwrap();
    for (name, table) in [
        ("bounds", core::bounds()),
        ("utilisation", core::utilisation()),
        ("waits", core::losses()),
        ("boards", boards::boards()),
    ] {
        page = put(&page, name, &table);
    }
    current("performance.md", &page);
}

#[test]
fn the_peers_are_current() {
    let page = fs::read_to_string(docs("peers.md")).unwrap();
    let page = put(&page, "ours", &peers::ours());
    current("peers.md", &put(&page, "peers", &peers::peers()));
}

#[test]
fn the_pictures_are_current() {
    for (shape, bus) in [("5m", 64), ("370m", 512)] {
        let name = format!("pictures/timeline-{shape}-{bus}.svg");
        current(&name, &svg(&timeline(&plan(shape, bus))));
    }
}
