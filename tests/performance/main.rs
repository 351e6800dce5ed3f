//! `docs/performance.md`: its tables and pictures are what the timing model says today.

mod boards;
mod core;
mod peers;

use std::fs;
use std::path::{Path, PathBuf};

use sterna::board::fit;
use sterna::picture::svg::svg;
use sterna::plan::timeline::timeline;
use sterna::plan::{Memory, Plan};
use sterna_firmware::geometry::Geometry;

/// Clocks to the first beat in all tables.
const LATENCY: u32 = 60;

fn docs(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)
}

/// A shape on the core that suits it, with a beat a clock.
fn plan(shape: &str, bus: u32) -> Plan {
    let memory = Memory { latency: LATENCY, clock: None, bandwidth: None };
    let shape_of = fit::shape(shape).unwrap();
    Plan::new(shape, shape_of, Geometry::for_shape(bus, &shape_of), memory).unwrap()
}

/// Compares a file with what it should be, or writes it with UPDATE_DOCS.
fn current(name: &str, wanted: &str) {
    let path = docs(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, wanted).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == wanted, "docs/{name} is stale: UPDATE_DOCS=1 writes it");
}

/// A table as Markdown.
fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let head_line = line(head.iter().map(|cell| (*cell).to_string()).collect());
    let body: String = rows.iter().cloned().map(line).collect();
    head_line + &"|---".repeat(head.len()) + "|\n" + &body
}

/// A whole number with commas.
fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// The page with a table in the place between its marks.
fn put(page: &str, name: &str, table: &str) -> String {
    let (mark, end) = (format!("<!-- {name} -->\n"), "<!-- end -->");
    let (head, rest) = page.split_once(&mark).unwrap_or_else(|| panic!("no mark of {name}"));
    let at = rest.find(end).unwrap_or_else(|| panic!("no end of {name}"));
    format!("{head}{mark}\n{table}\n{}", &rest[at..])
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
        ("peers", peers::peers()),
    ] {
        page = put(&page, name, &table);
    }
    current("performance.md", &page);
}

#[test]
fn the_pictures_are_current() {
    for (shape, bus) in [("5m", 64), ("370m", 512)] {
        let name = format!("pictures/timeline-{shape}-{bus}.svg");
        current(&name, &svg(&timeline(&plan(shape, bus))));
    }
}
