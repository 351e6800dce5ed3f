//! The pictures of docs/architecture.md, with latencies from the code's constants and cells from
//! docs/results.json.

mod core;
mod elements;
mod memory;
mod units;
mod whole;

use serde_json::Value;

use crate::page::current;

/// What modules of the 64-bit core for the 5m demo take of an ECP5, as it was synthesised.
pub struct Cells(Value);

impl Cells {
    fn read() -> Cells {
        let all: Value = serde_json::from_str(include_str!("../../../docs/results.json")).unwrap();
        let core =
            |run: &&Value| run["shape"] == "5m" && run["bus"] == 64 && run["family"] == "ecp5";
        Cells(all.as_array().unwrap().iter().find(core).unwrap()["modules"].clone())
    }

    /// `61 LUT4, 255 FF, 4 DSP`, without what is 0: of all instances of these modules.
    pub fn of(&self, names: &[&str]) -> String {
        let mut sums = [0.0; 5];
        for module in names.iter().flat_map(|name| self.modules(name)) {
            for (sum, key) in sums.iter_mut().zip(KEYS) {
                *sum += module[key].as_f64().unwrap();
            }
        }
        said(sums)
    }

    /// The same of one instance.
    pub fn one(&self, name: &str) -> String {
        let [module] = self.modules(name)[..] else { panic!("{name} is several modules") };
        let instances = module["instances"].as_f64().unwrap();
        said(KEYS.map(|key| module[key].as_f64().unwrap() / instances))
    }

    /// A module, and the variants that its parameters make, such as `glu` or `crc32c_w64`.
    fn modules(&self, name: &str) -> Vec<&Value> {
        let of_name = |module: &&Value| {
            let rest = module["name"].as_str().unwrap().strip_prefix(name);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
        };
        let modules: Vec<_> = self.0.as_array().unwrap().iter().filter(of_name).collect();
        assert!(!modules.is_empty(), "no module {name} in docs/results.json");
        modules
    }
}

const KEYS: [&str; 5] = ["lut", "carry", "ff", "ram", "dsp"];

fn said(counts: [f64; 5]) -> String {
    let units = ["LUT4", "CCU2C", "FF", "RAM", "DSP"];
    let parts = counts.iter().zip(units).filter(|(count, _)| **count > 0.0);
    parts.map(|(count, unit)| format!("{count} {unit}")).collect::<Vec<_>>().join(", ")
}

/// `UPDATE_DOCS=1 cargo test -p sterna --test docs drawings` draws them again.
#[test]
fn the_drawings_are_current() {
    let cells = Cells::read();
    let mut all = vec![whole::whole(), whole::crates(), core::core()];
    all.extend(units::all(&cells));
    all.extend(elements::all(&cells));
    all.extend(memory::all(&cells));
    let mut problems = vec![];
    for sketch in all {
        let (name, svg, wrong) = sketch.finish();
        problems.extend(wrong);
        current(&name, &svg);
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
