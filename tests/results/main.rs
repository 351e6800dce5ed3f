//! `docs/results.md`: its tables are what `docs/results.json` says.

#[path = "../common/page.rs"]
mod page;

use std::collections::BTreeMap;
use std::fs;

use page::{current, docs, grouped, put, table};
use sterna::area::{Area, Count, Family};

/// What `scripts/results` recorded.
fn recorded() -> Vec<Area> {
    let text = fs::read_to_string(docs("results.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn family(of: Family) -> &'static str {
    match of {
        Family::Ecp5 => "ECP5",
        Family::Xc7 => "7-series",
        Family::Xcup => "UltraScale+",
    }
}

/// What a family calls its places for LUTs and the cells of its carry chains.
fn cells(of: Family) -> (&'static str, &'static str) {
    match of {
        Family::Ecp5 => ("LUT4", "CCU2C"),
        Family::Xc7 => ("LUT6", "CARRY4"),
        Family::Xcup => ("LUT6", "CARRY8"),
    }
}

/// Half a block is said as such.
fn blocks(ram: f64) -> String {
    if ram.fract() == 0.0 { grouped(ram as u64) } else { format!("{ram:.1}") }
}

fn figures(of: &Count) -> Vec<String> {
    let Count { lut, carry, places, ff, ram, dsp } = *of;
    vec![grouped(lut), grouped(carry), grouped(places), grouped(ff), blocks(ram), grouped(dsp)]
}

const FIGURES: [&str; 6] = ["LUT", "carry", "places", "FF", "RAM", "DSP"];

fn head(first: &[&'static str]) -> Vec<&'static str> {
    first.iter().copied().chain(FIGURES).collect()
}

/// The whole core.
fn core(all: &[Area]) -> String {
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|area| {
            let mut row =
                vec![family(area.family).into(), area.shape.clone(), area.bus.to_string()];
            row.extend(figures(&area.core));
            row
        })
        .collect();
    table(&head(&["FPGA", "shape", "bits"]), &rows)
}

/// The largest core of each family and bus: what is alone depends on no shape.
fn alone(all: &[Area]) -> Vec<&Area> {
    let each = all.iter().map(|area| ((area.family, area.bus), area));
    BTreeMap::from_iter(each).into_values().collect()
}

/// The ternary unit and what a lane of it costs.
fn lanes(all: &[Area]) -> String {
    let rows: Vec<Vec<String>> = alone(all)
        .iter()
        .map(|area| {
            let unit = &area.ternary_unit;
            let each = |n: u64| format!("{:.1}", n as f64 / f64::from(area.lanes));
            let mut row = vec![family(area.family).into(), area.bus.to_string()];
            row.push(area.lanes.to_string());
            row.extend([unit.lut, unit.carry, unit.places, unit.ff].map(grouped));
            row.push(each(unit.lut));
            row.push(format!("**{}** {}", each(unit.places), cells(area.family).0));
            row.push(each(unit.ff));
            row
        })
        .collect();
    let titles = [
        "FPGA",
        "bits",
        "lanes",
        "LUT",
        "carry",
        "places",
        "FF",
        "LUT a lane",
        "places a lane",
        "FF a lane",
    ];
    table(&titles, &rows)
}

/// One of the two checksum units.
fn checksums(all: &[Area]) -> String {
    let rows: Vec<Vec<String>> = alone(all)
        .iter()
        .map(|area| {
            let share = 2.0 * area.crc.places as f64 / area.core.places as f64;
            vec![
                family(area.family).into(),
                area.bus.to_string(),
                grouped(area.crc.lut),
                grouped(area.crc.ff),
                format!("{:.1} %", 100.0 * share),
            ]
        })
        .collect();
    table(&["FPGA", "bits", "LUT", "FF", "both, of the core"], &rows)
}

/// Where a core was placed and routed.
fn clocks(all: &[Area]) -> String {
    let mut rows = vec![];
    for area in all {
        for placed in &area.placed {
            let used = |kind: &str| {
                let (used, most) = placed.cells.get(kind).copied().unwrap_or((0, 1));
                format!("{} ({:.0} %)", grouped(used), 100.0 * used as f64 / most as f64)
            };
            rows.push(vec![
                format!("{}-{}", placed.part, placed.speed),
                area.shape.clone(),
                area.bus.to_string(),
                placed.seed.to_string(),
                format!("{}", placed.asked_mhz),
                format!("**{:.1}**", placed.reached_mhz),
                used("TRELLIS_COMB"),
                used("TRELLIS_FF"),
                used("DP16KD"),
                used("MULT18X18D"),
            ]);
        }
    }
    let titles = [
        "FPGA",
        "shape",
        "bits",
        "seed",
        "MHz asked",
        "MHz",
        "TRELLIS_COMB",
        "TRELLIS_FF",
        "DP16KD",
        "MULT18X18D",
    ];
    table(&titles, &rows)
}

/// The modules that take most of a core on ECP5.
fn largest(all: &[Area]) -> String {
    let mut rows = vec![];
    for area in all.iter().filter(|area| area.family == Family::Ecp5) {
        for part in area.modules.iter().take(10) {
            let share = part.count.places as f64 / area.core.places as f64;
            rows.push(vec![
                format!("{}, {}", area.shape, area.bus),
                format!("`{}`", part.name),
                part.instances.to_string(),
                grouped(part.count.places),
                format!("{:.1} %", 100.0 * share),
            ]);
        }
    }
    table(&["shape, bits", "module", "instances", "places", "of the core"], &rows)
}

/// Every module of the cores of one shape and bus, a family beside the other.
fn modules(all: &[Area]) -> String {
    let mut groups: Vec<(&str, u32)> = vec![];
    for area in all {
        if !groups.contains(&(&area.shape, area.bus)) {
            groups.push((&area.shape, area.bus));
        }
    }
    let mut text = String::new();
    for (shape, bus) in groups {
        let of: Vec<&Area> =
            all.iter().filter(|area| area.shape == shape && area.bus == bus).collect();
        let mut titles = vec!["module".to_string(), "instances".into()];
        for area in &of {
            let name = family(area.family);
            titles.extend(["places", "FF", "RAM", "DSP"].map(|what| format!("{name} {what}")));
        }
        let four = |of: &Count| {
            [grouped(of.places), grouped(of.ff), blocks(of.ram), grouped(of.dsp)].to_vec()
        };
        let mut rows = vec![];
        for part in &of[0].modules {
            let mut row = vec![format!("`{}`", part.name), part.instances.to_string()];
            for area in &of {
                let found = area.modules.iter().find(|other| other.name == part.name);
                row.extend(four(&found.map(|found| found.count).unwrap_or_default()));
            }
            rows.push(row);
        }
        let mut row = vec!["**the core**".into(), "1".into()];
        of.iter().for_each(|area| row.extend(four(&area.core)));
        rows.push(row);
        let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
        text += &format!("### {shape}, {bus} bits\n\n{}\n", table(&titles, &rows));
    }
    text.trim_end().to_string() + "\n"
}

/// Versions, commands.
fn made_with(all: &[Area]) -> String {
    let mut rows: Vec<Vec<String>> = vec![];
    for area in all {
        // What Yosys says of its own compiler is in results.json.
        let version = |text: &String| match text.split_once(", Release") {
            Some((begin, _)) => format!("{begin})"),
            None => text.clone(),
        };
        let tools: Vec<String> = area.tools.values().map(version).collect();
        let commands = area.placed.iter().map(|placed| format!("`{}`", placed.command));
        let commands: Vec<String> =
            [format!("`{}`", area.command)].into_iter().chain(commands).collect();
        rows.push(vec![
            format!("{}, {}, {}", family(area.family), area.shape, area.bus),
            tools.join("; "),
            commands.join("; "),
        ]);
    }
    table(&["core", "tools", "commands"], &rows)
}

/// `UPDATE_DOCS=1 cargo test -p sterna --test results` writes the page from the figures.
#[test]
fn the_tables_are_current() {
    let all = recorded();
    let mut page = fs::read_to_string(docs("results.md")).unwrap();
    for (name, table) in [
        ("core", core(&all)),
        ("lanes", lanes(&all)),
        ("checksums", checksums(&all)),
        ("clocks", clocks(&all)),
        ("largest", largest(&all)),
        ("modules", modules(&all)),
        ("made with", made_with(&all)),
    ] {
        page = put(&page, name, &table);
    }
    current("results.md", &page);
}

/// What was attributed to the modules is what the whole core has.
#[test]
fn modules_add_up_to_the_core() {
    for area in recorded() {
        let sum: Count = area.modules.iter().map(|part| part.count).sum();
        assert_eq!(sum, area.core, "{:?}, {} bits, {}", area.family, area.bus, area.shape);
    }
}

/// Every bus on every family, the aims of a lane, and the clock where it was found.
#[test]
fn everything_is_there() {
    let all = recorded();
    for family in [Family::Ecp5, Family::Xc7, Family::Xcup] {
        for bus in [64, 128, 256, 512] {
            let found = all.iter().find(|area| area.family == family && area.bus == bus);
            let area = found.unwrap_or_else(|| panic!("{family:?}, {bus} bits is missing"));
            let most = if family == Family::Ecp5 { 30.0 } else { 20.0 };
            let each = area.ternary_unit.places as f64 / f64::from(area.lanes);
            assert!(each <= most, "{family:?}, {bus} bits: {each:.1} places a lane");
        }
    }
    assert!(all.iter().any(|area| !area.placed.is_empty()), "no core was placed and routed");
}
