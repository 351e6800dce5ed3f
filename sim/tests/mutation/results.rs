//! What became of each mutant, kept in `results.txt`: a run that was ended goes on where it was.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use sterna_rtl::Design;
use sterna_rtl::mutate::{INPUT, Mutant};

use crate::reasons::reason;
use crate::{MOST, SEED, all_modules};

/// Who noticed a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Nobody was asked yet.
    Unknown,
    /// The core beside golden.
    Lockstep,
    /// The core in random cases, or when it was attacked.
    Attack,
    /// The core did not; the bench was not asked yet.
    Left,
    /// The module's own bench.
    Bench,
    /// Nobody; a proof that it is equivalent was not tried yet.
    Unproved,
    /// Nobody, for it is equivalent: proved.
    Proved,
    /// Nobody, for it is equivalent: `equivalent.txt` says why.
    Reasoned,
    /// Nobody.
    Survives,
}

impl How {
    /// Those that are kept, each with its letter.
    const ALL: [(How, char); 8] = [
        (How::Unknown, '.'),
        (How::Lockstep, 'l'),
        (How::Attack, 'a'),
        (How::Left, 'n'),
        (How::Bench, 'b'),
        (How::Unproved, 'u'),
        (How::Proved, 'p'),
        (How::Survives, 's'),
    ];

    /// Those that nobody has noticed.
    const MISSED: [How; 3] = [How::Left, How::Unproved, How::Survives];

    fn letter(self) -> char {
        How::ALL.iter().find(|of| of.0 == self).map_or('.', |of| of.1)
    }

    fn of(letter: char) -> How {
        How::ALL.iter().find(|of| of.1 == letter).map_or(How::Unknown, |of| of.0)
    }
}

/// A module's mutants, and what became of each.
pub struct Module {
    pub name: String,
    /// The design that it is a module of.
    pub of: Arc<Design>,
    pub mutants: Vec<Mutant>,
    /// Of what they say, but for the numbers of lines, which move.
    digest: String,
    /// What is known of each at first: who is not in the core has its bench alone.
    first: How,
    hows: Vec<How>,
}

impl Module {
    /// What became of a mutant; a reason that stands in the list comes first.
    pub fn how(&self, n: usize) -> How {
        match reason(&self.mutants[n].to_string()) {
            Some(_) => How::Reasoned,
            None => self.hows[n],
        }
    }

    /// Those that nobody noticed, each with what it is in the Verilog.
    fn unnoticed(&self) -> String {
        let chosen = format!("({INPUT} == ");
        let mut text = String::new();
        let missed = |n: &usize| How::MISSED.contains(&self.how(*n));
        for mutant in (0..self.mutants.len()).filter(missed).map(|n| &self.mutants[n]) {
            let design =
                self.of.mutated(std::slice::from_ref(mutant)).expect("it was built before");
            let verilog = design.file(&self.name).expect("it is a module of the design");
            let _ = writeln!(text, "{mutant}");
            for line in verilog.lines().filter(|line| line.contains(&chosen)) {
                let _ = writeln!(text, "    {}", line.trim());
            }
        }
        text
    }

    /// A file of all of them, for benches that compile.
    pub fn together(&self) -> PathBuf {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("mutation/{}", self.name));
        let said: String = self.mutants.iter().map(|mutant| format!("{mutant}\n")).collect();
        if fs::read_to_string(&path).ok().as_ref() != Some(&said) {
            fs::write(&path, said).expect("the target folder is writable");
        }
        path
    }

    /// The mutants of which this became.
    pub fn those(&self, how: How) -> Vec<usize> {
        (0..self.mutants.len()).filter(|&n| self.how(n) == how).collect()
    }
}

pub struct Results {
    path: PathBuf,
    pub modules: Vec<Module>,
}

const EXPLAINED: &str = "\
# What became of each mutant, in the order in which they are drawn; written by `scripts/mutate rtl`.
# l lockstep with golden; a random cases and attacks; b the module's bench; p proved to be equivalent;
# n not noticed on the core, and the bench not asked yet; u nor by the bench, and a proof not tried yet;
# s survives; . not tried yet.
# Behind a module's name the beginning of the SHA-256 of what its mutants are.
";

/// Letters of a line.
const LINE: usize = 100;

impl Results {
    /// Those of these modules so far, each with the design that it is of; the first is the core's.
    /// What is kept of a module whose mutants have changed is not known any more.
    pub fn open(modules: Vec<(Arc<Design>, String)>) -> Results {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mutation/results.txt");
        let core = modules.first().map(|(of, _)| Arc::clone(of));
        let module = |(of, name): (Arc<Design>, String)| {
            let mutants = of.mutants(&name, MOST, SEED);
            let said: String =
                mutants.iter().map(|mutant| unnumbered(&mutant.to_string())).collect();
            let digest = Sha256::digest(said);
            let digest = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
            let in_core = core.as_ref().is_some_and(|core| Arc::ptr_eq(core, &of));
            let first = if in_core { How::Unknown } else { How::Left };
            let hows = vec![first; mutants.len()];
            Module { name, of, mutants, digest, first, hows }
        };
        let mut results = Results { path, modules: modules.into_iter().map(module).collect() };
        results.read();
        if std::env::var_os("AGAIN").is_some() {
            // There may be better tests now.
            for Module { first, hows, .. } in &mut results.modules {
                let missed = hows.iter_mut().filter(|how| How::MISSED.contains(how));
                missed.for_each(|how| *how = *first);
            }
        }
        results
    }

    /// Takes over what is kept.
    fn read(&mut self) {
        let kept = fs::read_to_string(&self.path).unwrap_or_default();
        for module in &mut self.modules {
            let head = format!("{} {}", module.name, module.digest);
            let lines = kept.lines().skip_while(|&line| line != head).skip(1);
            let letters = lines.take_while(|line| line.starts_with("  ")).flat_map(str::chars);
            let hows = letters.filter(|letter| *letter != ' ').map(How::of);
            module.hows.iter_mut().zip(hows).for_each(|(to, how)| *to = how);
        }
    }

    /// Keeps what became of a mutant of a module. Another run may keep others beside it.
    pub fn set(&mut self, module: usize, mutant: usize, how: How) {
        self.read();
        self.modules[module].hows[mutant] = how;
        let mut text = String::from(EXPLAINED);
        for Module { name, digest, hows, .. } in &self.modules {
            let _ = writeln!(text, "{name} {digest}");
            for some in hows.chunks(LINE) {
                let letters: String = some.iter().map(|how| how.letter()).collect();
                let _ = writeln!(text, "  {letters}");
            }
        }
        let fresh = self.path.with_extension("new");
        let written = fs::write(&fresh, text).and_then(|()| fs::rename(&fresh, &self.path));
        written.expect("the folder of the tests is writable");
    }

    /// A line for each of these modules, and what nobody noticed.
    pub fn table(&self, modules: &[usize]) -> String {
        let mut text = String::from(
            "| module | mutants | equivalent: proved | by reason | noticed in lockstep | \
             by attacks | by its bench | not asked yet | not proved yet | survivors | noticed |\n\
             |---|---|---|---|---|---|---|---|---|---|---|\n",
        );
        let mut unnoticed = String::new();
        let mut untried = String::new();
        for module in modules.iter().map(|&n| &self.modules[n]) {
            let (name, all) = (&module.name, module.mutants.len());
            unnoticed += &module.unnoticed();
            if !module.those(How::Unknown).is_empty() {
                let _ = write!(untried, " `{name}`");
                continue;
            }
            let count = |how| module.those(how).len();
            let [proved, reasoned] = [How::Proved, How::Reasoned].map(count);
            let [lockstep, attack, bench] = [How::Lockstep, How::Attack, How::Bench].map(count);
            let [left, unproved, survive] = [How::Left, How::Unproved, How::Survives].map(count);
            let noticed = lockstep + attack + bench;
            let share = 100.0 * noticed as f64 / (all - proved - reasoned).max(1) as f64;
            let least = if left + unproved > 0 { "≥ " } else { "" };
            let _ = writeln!(
                text,
                "| `{name}` | {all} | {proved} | {reasoned} | {lockstep} | {attack} | {bench} | \
                 {left} | {unproved} | {survive} | {least}{share:.1} % |"
            );
        }
        format!("{text}\nNot tried, or not all:{untried}\n\nNot noticed:\n{unnoticed}")
    }
}

/// What a mutant says, without the numbers of lines.
fn unnumbered(said: &str) -> String {
    let mut pieces = said.split(".rs:");
    let first = pieces.next().unwrap_or_default().to_string();
    pieces.fold(first, |text, piece| {
        text + ".rs" + piece.trim_start_matches(|digit: char| digit.is_ascii_digit())
    })
}

#[test]
fn lines_may_move() {
    let said = "front_end: `a` of hdl/src/core/front_end.rs:83: `!=` for `==`, 12";
    assert_eq!(unnumbered(said), "front_end: `a` of hdl/src/core/front_end.rs: `!=` for `==`, 12");
}

/// Who was noticed makes a difference, whatever a reason says.
#[test]
fn no_reason_is_of_a_mutant_that_was_noticed() {
    let results = Results::open(all_modules());
    let wrong = results.modules.iter().flat_map(|module| {
        let seen = [How::Lockstep, How::Attack, How::Bench];
        let seen = (0..module.hows.len()).filter(move |&n| seen.contains(&module.hows[n]));
        seen.map(|n| module.mutants[n].to_string()).filter(|said| reason(said).is_some())
    });
    assert_eq!(wrong.collect::<Vec<_>>(), [""; 0]);
}
