//! The pictures of docs/architecture.md, with latencies from the code's constants and cells from
//! docs/results.json.

mod core;
mod elements;
mod memory;
mod units;
mod whole;

use serde_json::Value;

use crate::page::current;

/// What synthesis made for ECP5, as docs/results.json has it.
pub struct Cells(Value);

impl Cells {
    fn read() -> Cells {
        Cells(serde_json::from_str(include_str!("../../../docs/results.json")).unwrap())
    }

    fn core(&self, shape: &str, bus: u32) -> &Value {
        let wanted =
            |run: &&Value| run["shape"] == shape && run["bus"] == bus && run["family"] == "ecp5";
        self.0.as_array().unwrap().iter().find(wanted).unwrap()
    }

    /// Places of a LUT4 for each lane of the ternary unit.
    pub fn lane(&self, bus: u32) -> String {
        let core = self.core("370m", bus);
        let places = core["ternary_unit"]["places"].as_f64().unwrap();
        format!("{:.1}", places / core["lanes"].as_f64().unwrap())
    }

    /// `61 LUT4, 255 FF, 4 DSP (synthesised)`, without what is 0: of all instances of these modules
    /// in the core of 64 bits for the 5m demo.
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
        said(KEYS.map(|key| (module[key].as_f64().unwrap() / instances).round()))
    }

    /// A module, and the variants that its parameters make, such as `glu` or `crc32c_w64`.
    fn modules(&self, name: &str) -> Vec<&Value> {
        let of_name = |module: &&Value| {
            let rest = module["name"].as_str().unwrap().strip_prefix(name);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
        };
        let core = self.core("5m", 64);
        let modules: Vec<_> = core["modules"].as_array().unwrap().iter().filter(of_name).collect();
        assert!(!modules.is_empty(), "no module {name} in docs/results.json");
        modules
    }
}

const KEYS: [&str; 5] = ["lut", "carry", "ff", "ram", "dsp"];

fn said(counts: [f64; 5]) -> String {
    let units = ["LUT4", "CCU2C", "FF", "RAM", "DSP"];
    let parts = counts.iter().zip(units).filter(|(count, _)| **count > 0.0);
    let parts = parts.map(|(count, unit)| format!("{count} {unit}")).collect::<Vec<_>>();
    parts.join(", ") + " (synthesised)"
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
