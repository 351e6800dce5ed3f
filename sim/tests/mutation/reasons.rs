//! Mutants that can make no difference, with the reason: `equivalent.txt`.

use std::sync::Arc;

use sterna_rtl::Design;

use crate::all_modules;

/// Reasons, each a line behind `# `, above the mutants that it is for; `…` stands for anything.
const REASONED: &str = include_str!("equivalent.txt");

/// Why a mutant makes no difference.
pub fn reason(mutant: &str) -> Option<&'static str> {
    let mut reason = None;
    for line in REASONED.lines() {
        match line.strip_prefix("# ") {
            Some(words) => reason = Some(words),
            None if is_like(mutant, line) => return reason,
            None => {}
        }
    }
    None
}

/// Whether a text is what a pattern says.
fn is_like(text: &str, pattern: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('…') else { return text == pattern };
    let Some(text) = text.strip_prefix(first) else { return false };
    let places = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    places.into_iter().any(|at| is_like(&text[at..], rest))
}

#[test]
fn a_pattern_is_the_whole_of_a_mutant() {
    assert!(is_like("glu: `a_1` of glu.rs:3: inverted", "glu: `…` of glu.rs:3: …"));
    assert!(is_like("glu: `a` of glu.rs:3: inverted", "glu: `a` of glu.rs:3: inverted…"));
    assert!(!is_like("glu: `a` of glu.rs:3: inverted", "glu: `a` of glu.rs:3"));
    assert!(!is_like("glu: `a` of glu.rs:3: inverted", "`a`…"));
    assert!(!is_like("glu: `a` of glu.rs:3: inverted", "glu: `…` of glu.rs:4: …"));
}

/// A reason of which the code has gone would say something of other code one day.
#[test]
fn every_reason_is_of_a_mutant() {
    let of = |(design, module): (Arc<Design>, String)| design.mutants(&module, usize::MAX, 0);
    let mutants: Vec<String> =
        all_modules().into_iter().flat_map(of).map(|mutant| mutant.to_string()).collect();
    let patterns = REASONED.lines().filter(|line| !line.starts_with("# "));
    let stale = patterns.filter(|line| !mutants.iter().any(|mutant| is_like(mutant, line)));
    assert_eq!(stale.collect::<Vec<_>>(), [""; 0]);
}
