//! What became of each mutant, kept in a file: a run that was ended goes on where it was.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;

use sha2::{Digest, Sha256};
use sterna_rtl::Design;
use sterna_rtl::mutate::Mutant;

/// Who noticed a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The core beside golden.
    Lockstep,
    /// The module's own bench.
    Bench,
    /// Nobody, for it is equivalent: proved.
    Proved,
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
        let line = |line: &str| {
            let (how, mutant) = line.split_once('\t')?;
            let (how, _) = How::ALL.into_iter().find(|(_, word)| *word == how)?;
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

    pub fn knows(&self, mutant: &Mutant) -> bool {
        self.known.contains_key(&mutant.to_string())
    }

    /// Whether the bench is to be asked.
    pub fn is_left(&self, mutant: &Mutant) -> bool {
        let mutant = mutant.to_string();
        self.known.get(&mutant) == Some(&How::Left) && reason(&mutant).is_none()
    }

    /// A line for each module, and the survivors.
    pub fn table(&self, mutants: &[Mutant]) -> String {
        let mut rows = BTreeMap::<&str, [usize; 5]>::new();
        let mut survivors = String::new();
        for mutant in mutants {
            let row = rows.entry(mutant.module()).or_default();
            let name = mutant.to_string();
            let column = match self.known.get(&name) {
                Some(How::Proved) => 0,
                Some(How::Lockstep) => 2,
                Some(How::Bench) => 3,
                _ if reason(&name).is_some() => 1,
                _ => {
                    let _ = writeln!(survivors, "{name}");
                    4
                }
            };
            row[column] += 1;
        }
        let mut text = String::from(
            "| module | mutants | equivalent, proved | by reason | noticed in lockstep | by its bench | survivors | noticed |\n\
             |---|---|---|---|---|---|---|---|\n",
        );
        for (module, row) in rows {
            let [proved, reasoned, lockstep, bench, survive] = row;
            let all: usize = row.iter().sum();
            let share = 100.0 * (lockstep + bench) as f64 / (all - proved - reasoned).max(1) as f64;
            let _ = writeln!(
                text,
                "| `{module}` | {all} | {proved} | {reasoned} | {lockstep} | {bench} | {survive} | {share:.1} % |"
            );
        }
        format!("{text}\nSurvivors:\n{survivors}")
    }
}

/// Why a mutant makes no difference: `equivalent.txt` has a reason above those that it is for.
fn reason(mutant: &str) -> Option<&'static str> {
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
