//! What was probably meant by a word that is not known.

/// Beyond so many characters no name is meant.
const LONGEST: usize = 40;

/// The nearest of some words, if a third of the word's letters or two make it.
pub fn nearest<'a>(word: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word: String = word.chars().take(LONGEST).collect();
    let best = words.map(|other| (strsim::levenshtein(&word, other), other)).min()?;
    (best.0 <= 2.max(word.len() / 3)).then_some(best.1)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn near_and_far() {
        let of = |word| nearest(word, ["reset", "quit"].into_iter());
        assert_eq!((of("rest"), of("exit"), of("banana")), (Some("reset"), Some("quit"), None));
        assert_eq!(of(&"x".repeat(1 << 20)), None);
        assert_eq!(nearest("x", [].into_iter()), None);
    }
}
