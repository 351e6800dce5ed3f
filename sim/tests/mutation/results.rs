//! What became of each mutant, kept in a file: a run that was ended goes on where it was.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;

use sha2::{Digest, Sha256};
use sterna_rtl::Design;
use sterna_rtl::mutate::Mutant;

use crate::{MOST, SEED};

/// Who noticed a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The core beside golden.
    Lockstep,
    /// The module's own bench.
    Bench,
    /// Nobody, for it is equivalent: proved.
    Proved,
    /// Nobody, for it is equivalent: `equivalent.txt` says why.
    Reasoned,
    /// The core beside golden did not; the bench was not asked yet.
    Left,
    /// Nobody.
    Survives,
}

impl How {
    const ALL: [(How, &str); 5] = [
        (How::Lockstep, "lockstep"),
        (How::Bench, "bench"),
        (How::Proved, "proved"),
        (How::Left, "left"),
        (How::Survives, "survives"),
    ];
}

pub struct Results {
    known: HashMap<String, How>,
    file: File,
}

/// Mutants that can make no difference, with the reason.
const REASONED: &str = include_str!("equivalent.txt");

impl Results {
    /// Those of a core, so far.
    pub fn open(core: &Design) -> Results {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("mutation");
        fs::create_dir_all(&folder).expect("the target folder is writable");
        let digest = Sha256::digest(core.verilog());
        let name: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let path = folder.join(name + ".txt");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let again = std::env::var_os("AGAIN").is_some();
        let line = |line: &str| {
            let (how, mutant) = line.split_once('\t')?;
            let (how, _) = How::ALL.into_iter().find(|(_, word)| *word == how)?;
            // There may be better tests now.
            let how = if how == How::Survives && again { How::Left } else { how };
            Some((mutant.to_string(), how))
        };
        let known = text.lines().filter_map(line).collect();
        eprintln!("results are in {}", path.display());
        let file = OpenOptions::new().create(true).append(true).open(&path);
        Results { known, file: file.expect("the target folder is writable") }
    }

    pub fn add(&mut self, mutant: &Mutant, how: How) {
        let mutant = mutant.to_string();
        let word = How::ALL.iter().find(|of| of.0 == how).map_or("", |of| of.1);
        writeln!(self.file, "{word}\t{mutant}").expect("the target folder is writable");
        self.known.insert(mutant, how);
    }

    /// What became of it, if anything did; a reason that stands in the list comes first.
    pub fn known(&self, mutant: &Mutant) -> Option<How> {
        let mutant = mutant.to_string();
        if reason(&mutant).is_some() {
            Some(How::Reasoned)
        } else {
            self.known.get(&mutant).copied()
        }
    }

    /// A line for each module of which all is known, and the survivors.
    pub fn table(&self, core: &Design, modules: &[String]) -> String {
        let mut text = String::from(
            "| module | mutants | equivalent: proved | by reason | noticed in lockstep | by its bench | survivors | noticed |\n\
             |---|---|---|---|---|---|---|---|\n",
        );
        let mut survivors = String::new();
        for module in modules {
            let mutants = core.mutants(module, MOST, SEED);
            let count = |how| mutants.iter().filter(|m| self.known(m) == Some(how)).count();
            let [proved, reasoned, lockstep, bench, survive] =
                [How::Proved, How::Reasoned, How::Lockstep, How::Bench, How::Survives].map(count);
            let all = mutants.len();
            if proved + reasoned + lockstep + bench + survive < all {
                let _ = writeln!(
                    text,
                    "| `{module}` | {all} | not finished: {lockstep} in lockstep, {bench} by its bench |"
                );
                continue;
            }
            let share = 100.0 * (lockstep + bench) as f64 / (all - proved - reasoned).max(1) as f64;
            let _ = writeln!(
                text,
                "| `{module}` | {all} | {proved} | {reasoned} | {lockstep} | {bench} | {survive} | {share:.1} % |"
            );
            for mutant in mutants.iter().filter(|m| self.known(m) == Some(How::Survives)) {
                let _ = writeln!(survivors, "{mutant}");
            }
        }
        format!("{text}\nSurvivors:\n{survivors}")
    }
}

/// Why a mutant makes no difference: `equivalent.txt` has a reason above those that it is for.
pub fn reason(mutant: &str) -> Option<&'static str> {
    let mut reason = None;
    for line in REASONED.lines() {
        match line.strip_prefix("# ") {
            Some(words) => reason = Some(words),
            None if line == mutant => return reason,
            None => {}
        }
    }
    None
}
