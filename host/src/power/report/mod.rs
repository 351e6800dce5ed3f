//! Recordings as a page, plots, JSON and CSV.
//!
//! ```text
//! DIR/report.html              all of it, in one file without anything from outside
//!     report.json, report.csv  every figure; docs/power-report.schema.json describes the JSON
//!     samples-N.csv            what the meters of recording N said
//!     power-N-M.svg, .png      power over time, of meter M of recording N
//!     tokens-N-M.svg, .png     joules a token by run
//!     rails-N-M.svg, .png      watts by rail
//!     compare.svg, .png        recordings beside each other, of more than one
//!     peers.svg, .png          beside what others publish
//! ```
//!
//! Everything comes from the recordings alone: nothing in it depends on when, where or by whom it
//! is made, so the same recordings give the same bytes.
//!
//! | module | one sentence |
//! |---|---|
//! | [`plots`] | the plots |
//! | [`peers`] | what others publish |
//! | `table` | one line a run: CSV |
//! | `text` | the table on a terminal |
//! | `html` | the page |
//! | `files` | the folder |
//!
//! Plots are drawings of [`crate::picture`].

mod files;
mod html;
pub mod peers;
pub mod plots;
mod table;
mod text;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest, Sha256};
use sterna_power::{Analysis, PowerError, Recording};

pub use self::files::Folder;
use crate::error::Result;
use crate::picture::drawing::Drawing;

/// The format of the JSON.
pub const FORMAT: u32 = 1;

/// What some recordings say.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Report {
    /// Of this JSON: 1.
    pub format: u32,
    /// In the order in which they were named.
    pub recordings: Vec<Recorded>,
}

/// What one recording says.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Recorded {
    /// The name of its file, without its folder.
    pub file: String,
    /// Of its file.
    pub sha256: String,
    /// Every figure.
    pub analysis: Analysis,
    /// Power over time, a drawing a meter.
    #[serde(skip)]
    #[schemars(skip)]
    pub power: Vec<Drawing>,
}

impl Report {
    /// Reads recordings, one at a time; `each` gets the number of each, from 1, and what is in it.
    ///
    /// # Errors
    /// W012 to W014 of a file that is no recording; those of `each`.
    pub fn read(
        paths: &[PathBuf],
        mut each: impl FnMut(usize, &Recording) -> Result<()>,
    ) -> Result<Report> {
        let mut report = Report { format: FORMAT, recordings: vec![] };
        for (number, path) in paths.iter().enumerate() {
            let sha256 = sha256(path)?;
            let recording = Recording::read(path)?;
            each(number + 1, &recording)?;
            let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
            let label = label(paths.len(), number, &file);
            let analysis = Analysis::of(&recording);
            let draw = |meter: usize| {
                let name = format!("power-{}-{}", number + 1, meter + 1);
                plots::power::power(name, &label, &recording, &analysis, meter)
            };
            let power = (0..analysis.meters.len()).map(draw).collect();
            report.recordings.push(Recorded { file, sha256, analysis, power });
        }
        Ok(report)
    }

    /// What a recording is called where there may be several, some of the same name.
    pub fn label(&self, number: usize) -> String {
        label(self.recordings.len(), number, &self.recordings[number].file)
    }

    /// As JSON, one key a line.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a report is plain data") + "\n"
    }

    /// What its JSON looks like.
    pub fn schema() -> String {
        let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
        let schema = settings.into_generator().into_root_schema_for::<Report>();
        serde_json::to_string_pretty(&schema).expect("a schema is plain data") + "\n"
    }

    /// All plots, in the order of the page.
    pub fn drawings(&self) -> Vec<Drawing> {
        let mut all = vec![];
        for (number, recorded) in self.recordings.iter().enumerate() {
            all.extend(recorded.power.iter().cloned());
            let label = self.label(number);
            for (n, meter) in recorded.analysis.meters.iter().enumerate() {
                let name = |what: &str| format!("{what}-{}-{}", number + 1, n + 1);
                all.push(plots::tokens::tokens(name("tokens"), &label, meter));
                all.push(plots::rails::rails(name("rails"), &label, meter));
            }
        }
        if self.recordings.len() > 1 {
            all.push(plots::compare::compare(self));
        }
        all.push(plots::peers::peers(self, &peers::peers()));
        all
    }
}

fn label(of: usize, number: usize, file: &str) -> String {
    if of > 1 { format!("{} {file}", number + 1) } else { file.into() }
}

/// SHA-256 of a file, in hexadecimal digits.
fn sha256(path: &Path) -> Result<String> {
    let fail = |source| PowerError::File { path: path.into(), action: "read", source };
    let mut file = File::open(path).map_err(fail)?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer).map_err(fail)? {
            0 => break,
            n => hash.update(&buffer[..n]),
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
