//! What was built: as JSON for programs, and as one HTML page without anything from outside.
//!
//! Nothing in it depends on when or where it was built, so the same inputs give the same bytes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::figures::{Clock, Usage};
use super::floorplan::Floorplan;
use super::netlist::Module;
use super::open::Made;
use super::simulate::Simulated;
use super::tools::Program;
use super::top::{Hardware, Held};
use super::{Options, Sources, sha256};
use crate::board::Board;
use crate::board::fit::{Bound, Fit};
use crate::page::{escape, page, row};

/// Where a number comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Evidence {
    /// Placed and routed.
    Routed,
    /// Counted after synthesis, neither placed nor routed.
    Synthesised,
    /// From data sheets.
    Projected,
}

/// A file and its hash.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Hashed {
    /// Its name.
    pub name: String,
    /// SHA-256.
    pub sha256: String,
}

/// What was built.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Of what.
    pub board: Board,
    /// The bitstream, beside the report; null if none was made.
    pub bit: Option<String>,
    /// Hash of the core's manifest, as its registers show it: 16 hexadecimal digits.
    pub manifest_hash: String,
    /// The model that the memory holds from its start; null if none.
    pub holds: Option<Held>,
    /// Of placement.
    pub seed: u64,
    /// MHz that the board's clock has.
    pub target_mhz: f64,
    /// MHz that the slowest path allows; null if nothing was routed.
    pub fmax_mhz: Option<f64>,
    /// Nanoseconds between the slowest path and the clock; negative if it is too slow.
    pub slack_ns: Option<f64>,
    /// Look-up tables, or what the family counts in their place; null if nothing was counted.
    pub lut: Option<u64>,
    /// Every clock of the routed design.
    pub clocks: Vec<Clock>,
    /// Every kind of cell, and how many the FPGA has.
    pub usage: Vec<Usage>,
    /// Where they come from.
    pub usage_evidence: Option<Evidence>,
    /// Cells of each module.
    pub modules: Vec<Module>,
    /// Where the cells of the modules come from.
    pub modules_evidence: Option<Evidence>,
    /// What limits a token. *Projected.*
    pub bound: Bound,
    /// The models, and how fast they could be. *Projected.*
    pub models: Vec<Fit>,
    /// A token on the simulated hardware, if that was asked for. *Simulated.*
    pub simulated: Option<Simulated>,
    /// Where the cells lie, if the tools say.
    #[serde(skip)]
    pub floorplan: Option<Floorplan>,
    /// Programs and what they say of their versions.
    pub tools: Vec<(String, String)>,
    /// What was read.
    pub inputs: Vec<Hashed>,
    /// What was made.
    pub outputs: Vec<Hashed>,
}

impl Report {
    /// What is known before any tool has run.
    pub fn new(board: &Board, hardware: &Hardware, sources: &Sources, options: &Options) -> Report {
        let mut inputs: BTreeMap<&String, &String> = sources.verilog.iter().collect();
        inputs.extend(&sources.data);
        inputs.extend(&board.files);
        let hashed = |(name, text): (&String, &String)| Hashed {
            name: name.clone(),
            sha256: sha256(text.as_bytes()),
        };
        Report {
            board: board.clone(),
            bit: None,
            manifest_hash: format!("{:016x}", hardware.geometry.hash()),
            holds: hardware.holds.clone(),
            seed: options.seed,
            target_mhz: board.core_mhz,
            fmax_mhz: None,
            slack_ns: None,
            lut: None,
            clocks: Vec::new(),
            usage: Vec::new(),
            usage_evidence: None,
            modules: Vec::new(),
            modules_evidence: None,
            bound: board.bound(),
            models: board.fits(),
            simulated: options.simulated.clone(),
            floorplan: None,
            tools: Vec::new(),
            inputs: inputs.into_iter().map(hashed).collect(),
            outputs: Vec::new(),
        }
    }

    /// What the open tools made.
    pub fn made(&mut self, board: &Board, made: Made) {
        let (clock, target) = made.routed.slowest(board.core_mhz);
        self.target_mhz = target;
        self.fmax_mhz = Some(clock.reached_mhz);
        self.slack_ns = Some(1e3 / target - 1e3 / clock.reached_mhz);
        let luts = ["TRELLIS_COMB", "LUT4"].map(|kind| made.routed.used(kind));
        self.lut = luts.into_iter().max();
        (self.clocks, self.usage) = (made.routed.clocks, made.routed.usage);
        self.usage_evidence = Some(Evidence::Routed);
        self.modules = made.netlist.modules;
        self.modules_evidence = Some(Evidence::Synthesised);
        self.floorplan = Some(made.floorplan);
        self.tools = made.versions;
        self.left(&format!("board.{}", made.extension), &made.bit);
    }

    /// What Yosys counted, where Vivado is not here.
    pub fn counted(&mut self, yosys: &Program, lut: u64, usage: Vec<Usage>, modules: Vec<Module>) {
        self.lut = Some(lut);
        (self.usage, self.modules) = (usage, modules);
        self.usage_evidence = Some(Evidence::Synthesised);
        self.modules_evidence = Some(Evidence::Synthesised);
        self.tools = vec![(yosys.name(), yosys.version())];
    }

    /// What Vivado made.
    pub fn vendor(
        &mut self,
        (vivado, version): (String, String),
        reached: f64,
        used: Option<u64>,
        usage: Vec<Usage>,
        bit: &[u8],
    ) {
        self.fmax_mhz = Some(reached);
        self.slack_ns = Some(1e3 / self.target_mhz - 1e3 / reached);
        (self.lut, self.usage) = (used, usage);
        self.usage_evidence = Some(Evidence::Routed);
        self.tools = vec![(vivado, version)];
        self.left("board.bit", bit);
    }

    /// The bitstream.
    fn left(&mut self, name: &str, bytes: &[u8]) {
        self.bit = Some(name.into());
        self.outputs = vec![Hashed { name: name.into(), sha256: sha256(bytes) }];
    }

    /// As JSON, one key a line.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a report is plain data") + "\n"
    }

    /// As a page.
    pub fn html(&self) -> String {
        let mut body = String::new();
        let b = &self.board;
        let _ = write!(body, "<h1>{}</h1><p>{}</p>", escape(&b.name), escape(&b.description));
        self.speed(&mut body);
        self.tokens(&mut body);
        if let Some(held) = &self.holds {
            body += "<h2>In the memory from its start</h2><table>";
            row(&mut body, "image", &held.image_id);
            row(&mut body, "bytes", &held.bytes.to_string());
            row(&mut body, "SHA-256", &held.sha256);
            body += "</table>";
        }
        self.cells(&mut body);
        body += "<h2>Core</h2><table>";
        let geometry = serde_json::to_value(&b.geometry).expect("plain data");
        for (key, value) in geometry.as_object().into_iter().flatten() {
            row(&mut body, key, &value.to_string());
        }
        row(&mut body, "manifest", &self.manifest_hash);
        body += "</table><h2>Tools</h2><table>";
        for (tool, version) in &self.tools {
            row(&mut body, tool, version);
        }
        row(&mut body, "seed", &self.seed.to_string());
        body += "</table>";
        for (title, files) in [("Outputs", &self.outputs), ("Inputs", &self.inputs)] {
            let _ = write!(body, "<h2>{title}, SHA-256</h2><table class=hash>");
            for file in files {
                row(&mut body, &file.name, &file.sha256);
            }
            body += "</table>";
        }
        page(&b.name, STYLE, &body)
    }

    fn speed(&self, body: &mut String) {
        *body += "<h2>Speed</h2><table>";
        row(body, "clock", &format!("{:.2} MHz", self.target_mhz));
        match (self.fmax_mhz, self.slack_ns) {
            (Some(fmax), Some(slack)) => {
                row(body, "slowest path allows", &format!("{fmax:.2} MHz (synthesised, routed)"));
                row(body, "slack", &format!("{slack:+.2} ns"));
            }
            _ => row(body, "slowest path allows", "not known: nothing was placed and routed"),
        }
        for clock in self.clocks.iter().filter(|_| self.clocks.len() > 1) {
            let text = format!("{:.2} MHz of {:.2}", clock.reached_mhz, clock.wanted_mhz);
            row(body, &clock.net, &text);
        }
        *body += "</table>";
    }

    fn cells(&self, body: &mut String) {
        let how = match self.usage_evidence {
            Some(Evidence::Routed) => "synthesised, routed",
            _ => "synthesised, unrouted; without memory controller and PCIe",
        };
        if !self.usage.is_empty() {
            let _ = write!(body, "<h2>Cells of the FPGA ({how})</h2><table>");
            for usage in &self.usage {
                let share = 100.0 * usage.used as f64 / usage.available.max(1) as f64;
                let text = format!("{} of {} ({share:.1} %)", usage.used, usage.available);
                bar(body, &usage.kind, share, &text);
            }
            *body += "</table>";
        }
        if let Some(plan) = &self.floorplan {
            *body += "<h2>Floorplan (synthesised, routed)</h2><p>A square is a tile: its colour the \
                      part with most cells in it, its strength how full it is. Dark core: block \
                      RAM; dark line: multiplier.</p>";
            *body += &plan.svg();
            *body += "<p>";
            for (n, part) in plan.parts().iter().enumerate() {
                let _ = write!(
                    body,
                    "<span class=part><i style=\"background:{}\"></i>{} {}</span>",
                    plan.colour(n),
                    escape(&part.name),
                    part.cells
                );
            }
            *body += "</p>";
        }
        if self.modules.is_empty() {
            return;
        }
        *body += "<h2>Modules (synthesised, unrouted)</h2><p>Each module without those in it, all its \
                  instances together. A look-up table counts to the module of the nearest register, \
                  memory or multiplier that it feeds, and a module that has none to its \
                  neighbours.</p><table>";
        let luts = |module: &Module| module.cells.get("lut").copied().unwrap_or(0);
        let most = self.modules.iter().map(luts).max().unwrap_or(0).max(1);
        for module in &self.modules {
            let cells: Vec<String> =
                module.cells.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
            let share = 100.0 * luts(module) as f64 / most as f64;
            let name = match module.instances {
                1 => module.name.clone(),
                n => format!("{} × {n}", module.name),
            };
            bar(body, &name, share, &cells.join(", "));
        }
        *body += "</table>";
    }

    fn tokens(&self, body: &mut String) {
        let mhz = self.board.core_mhz;
        *body += "<h2>Token budget</h2><table>";
        match &self.simulated {
            Some(s) => {
                let text = format!("{} at {mhz} MHz (simulated)", s.cycles_per_token);
                row(body, "cycles of a token", &text);
                let share = 100.0 * s.share_of_bound;
                let text = format!(
                    "{:.1}, which is {share:.1} % of the bound (simulated)",
                    s.tokens_per_second
                );
                row(body, "tokens/s", &text);
                let Simulated { beats, starved, blocked, idle, .. } = s;
                let text = format!(
                    "{beats} beats of the image taken, {starved} without one, {blocked} in which \
                     one waited, {idle} idle"
                );
                row(body, "cycles", &text);
                row(body, "simulated was", s.with);
                row(body, "image", &s.image_id);
            }
            None => row(
                body,
                "cycles of a token",
                "not known: build with --simulate to have them counted in simulation",
            ),
        }
        let _ = write!(
            body,
            "</table><h2>Upper bound (projected)</h2><p>A token reads the image once: {:.1} MB a \
             second at most, which the {} limits.</p><table>",
            self.bound.bytes_per_second / 1e6,
            self.bound.limit
        );
        for fit in &self.models {
            let beats = fit.image_bytes.div_ceil(u64::from(self.board.geometry.bus) / 8);
            let text = match (fit.bound_tokens_per_second, &fit.reason) {
                (Some(bound), _) => format!("at most {bound:.1} tokens/s; {beats} beats a token"),
                (None, reason) => reason.clone().unwrap_or_else(|| "does not fit".into()),
            };
            row(body, &fit.model, &text);
        }
        *body += "</table>";
    }
}

const STYLE: &str = ".hash td{font:12px/1.5 ui-monospace,monospace}.bar{background:#e9eef5;\
height:.5rem}.bar i{display:block;height:100%;background:#3567a8}.plan{width:100%;\
background:#f3f3f3}.plan path{stroke-width:1.02;fill:none}.plan .ram{stroke:#0009;stroke-width:.5}\
.plan .dsp{stroke:#0009;stroke-width:.25}.part{display:inline-block;margin-right:1rem}\
.part i{display:inline-block;width:.8em;height:.8em;margin-right:.3em}\
@media(prefers-color-scheme:dark){.bar{background:#2a3038}.plan{background:#22252b}}";

fn bar(body: &mut String, name: &str, share: f64, text: &str) {
    let _ = write!(
        body,
        "<tr><td>{}</td><td>{}<div class=bar><i style=\"width:{:.1}%\"></i></div></td></tr>",
        escape(name),
        escape(text),
        share.clamp(0.0, 100.0)
    );
}
