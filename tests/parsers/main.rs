//! Whatever a file says, reading it ends in a value or an error: no panic, and no more memory than
//! twice the file and 64 MiB.
//!
//! A mutational fuzzer on stable Rust. Its feedback is what is said: an input whose error, without
//! its numbers and names, was never said before is kept and mutated further.
//!
//! `scripts/fuzz-parsers SECONDS` gives each parser that long, from a seed that it prints; what it keeps
//! goes to `corpus/`, from which every run begins.

mod corpus;
mod memory;
mod mutate;
mod targets;

use std::collections::HashMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use mutate::mutate;
use sterna_rtl::random::Rng;
use targets::Target;

/// Bytes that may be in use beside twice the file.
const ROOM: usize = 64 << 20;
/// Inputs longer than this are not kept: the seeds are made anew each time.
const KEPT: usize = 1 << 16;
/// And no more of them.
const MOST: usize = 200;

/// When to stop.
#[derive(Clone, Copy)]
enum Budget {
    Cases(u64),
    Time(Duration),
}

impl Budget {
    fn lasts(self, cases: u64, since: Instant) -> bool {
        match self {
            Budget::Cases(most) => cases < most,
            Budget::Time(most) => since.elapsed() < most,
        }
    }
}

/// What an error says, without what differs from input to input: numbers, and what is quoted.
fn gist(said: &str) -> String {
    let quote = ['`', '"'];
    // What is quoted may hold quotes itself.
    let (before, rest) = said.split_once(quote).unwrap_or((said, ""));
    let own = format!("{before} {}", rest.rsplit_once(quote).map_or("", |(_, after)| after));
    let word = |word: &&str| word.chars().all(|c| c.is_ascii_alphabetic() || ",.:;-_'".contains(c));
    own.split_whitespace().filter(word).take(16).collect::<Vec<_>>().join(" ")
}

/// Memory is counted for the whole process, so one at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// Fuzzes one parser; a failure leaves its input behind and says where.
fn fuzz(target: &mut dyn Target, seed: u64, budget: Budget) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let rng = &mut Rng::new(seed);
    let name = target.name();
    let mut corpus = target.seeds();
    corpus.extend(corpus::read(name));
    let mut known: HashMap<String, u64> = HashMap::new();
    let (mut cases, mut most, since) = (0, 0, Instant::now());
    let seeds = corpus.len() as u64;
    while budget.lasts(cases, since) {
        // The seeds themselves first: what they are is no mutation's doing.
        let input = match corpus.get(cases as usize).filter(|_| cases < seeds) {
            Some(seed) => seed.clone(),
            None => mutate(rng, &corpus, target.words()),
        };
        let before = memory::start();
        let result = catch_unwind(AssertUnwindSafe(|| target.read(&input)));
        let used = memory::peak().saturating_sub(before);
        let bound = 2 * input.len() + ROOM;
        let trouble = match &result {
            Err(_) => Some("it panicked".to_string()),
            Ok(_) if used > bound => Some(format!("it took {used} bytes, more than {bound}")),
            Ok(_) => None,
        };
        if let Some(trouble) = trouble {
            let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{seed}.fail"));
            fs::write(&path, &input).unwrap();
            panic!("{name}, seed {seed}, case {cases}: {trouble}; its input is {}", path.display());
        }
        most = most.max(used);
        let said = gist(&result.unwrap_or_default());
        let count = known.entry(said).or_insert(0);
        *count += 1;
        if *count == 1 && cases >= seeds && input.len() <= KEPT && corpus.len() < MOST {
            if let Budget::Time(_) = budget {
                corpus::keep(name, &input);
            }
            corpus.push(input);
        }
        cases += 1;
    }
    let seconds = since.elapsed().as_secs();
    let (kinds, kept, mebibytes) = (known.len(), corpus.len(), most >> 20);
    println!(
        "| {name} | {seed} | {seconds} s | {cases} | {kinds} | {kept} | {mebibytes} MiB | 0 |"
    );
    assert!(kinds > 3, "{name}: only {kinds} kinds of answers, so little was looked at");
}

/// Each parser whose name contains `only`.
fn all(only: &str, seed: u64, budget: Budget) {
    // Panics that a parser itself catches are no news.
    std::panic::set_hook(Box::new(|_| ()));
    println!("| parser | seed | time | cases | kinds of answers | corpus | most memory | panics |");
    println!("|---|---|---|---|---|---|---|---|");
    let failed = catch_unwind(|| {
        for mut target in targets::all() {
            if target.name().contains(only) {
                fuzz(&mut *target, seed, budget);
            }
        }
    });
    let _ = std::panic::take_hook();
    if let Err(why) = failed {
        std::panic::resume_unwind(why);
    }
}

#[test]
fn no_parser_panics() {
    all("", 1, Budget::Cases(1500));
}

/// `STERNA_FUZZ=SEED,SECONDS` and `ONLY`, as `scripts/fuzz-parsers` sets them.
#[test]
#[ignore = "as long as it is told: scripts/fuzz-parsers"]
fn no_parser_panics_for_long() {
    let said = std::env::var("STERNA_FUZZ").unwrap_or("1,60".into());
    let (seed, seconds) = said.split_once(',').expect("STERNA_FUZZ is SEED,SECONDS");
    let seconds = Duration::from_secs(seconds.parse().expect("a number of seconds"));
    let only = std::env::var("ONLY").unwrap_or_default();
    all(&only, seed.parse().expect("a number"), Budget::Time(seconds));
}

/// A parser that believes what it reads.
struct Naive;

impl Target for Naive {
    fn name(&self) -> &'static str {
        "naive"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        vec![vec![8, 0, 0, 0, 0, 0, 0, 0]]
    }

    fn words(&self) -> &'static [&'static str] {
        &[]
    }

    fn read(&mut self, input: &[u8]) -> String {
        let length = u32::from_le_bytes(input[..4].try_into().unwrap()) as usize;
        let room: Vec<u8> = Vec::with_capacity(length);
        format!("{}", room.capacity() > 0)
    }
}

#[test]
fn a_parser_that_believes_is_found() {
    assert!(catch_unwind(|| fuzz(&mut Naive, 1, Budget::Cases(1000))).is_err());
}
