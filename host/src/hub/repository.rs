//! Names on the hub.

use std::fmt;
use std::str::FromStr;

/// A repository of models at a revision; its parts are fit for paths and addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    name: String,
    revision: String,
}

/// Characters of a name at most, owner and all.
const NAME: usize = 96;
/// Characters of a revision at most.
const REVISION: usize = 200;

impl Repository {
    /// `OWNER/NAME`; old models have no owner.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A branch, a tag, or a commit.
    pub fn revision(&self) -> &str {
        &self.revision
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.revision.as_str() {
            "main" => f.write_str(&self.name),
            revision => write!(f, "{}@{revision}", self.name),
        }
    }
}

/// Of `OWNER/NAME`, or `OWNER/NAME@REVISION`.
impl FromStr for Repository {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Repository, &'static str> {
        let (name, revision) = word.split_once('@').unwrap_or((word, "main"));
        if !is_name(name) {
            return Err("a name on the hub is OWNER/NAME, of letters, digits, `.`, `_` and `-`");
        }
        let is_part = |part: &str| is_plain(part, "._-");
        if revision.len() > REVISION || !revision.split('/').all(is_part) {
            return Err("a revision is the name of a branch or a tag, or a commit");
        }
        Ok(Repository { name: name.into(), revision: revision.into() })
    }
}

/// Whether a word can name a model on the hub.
pub fn is_name(word: &str) -> bool {
    let part = |part: &str| is_plain(part, "._-") && !part.ends_with(['.', '-']);
    word.len() <= NAME && word.split('/').count() <= 2 && word.split('/').all(part)
}

/// Whether a word is a commit.
pub fn is_commit(word: &str) -> bool {
    is_hexadecimal(word, 40)
}

/// Whether a word has so many small hexadecimal digits.
pub fn is_hexadecimal(word: &str, digits: usize) -> bool {
    word.len() == digits && word.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether a word is a part of a path that leads nowhere else and is not hidden.
fn is_plain(part: &str, marks: &str) -> bool {
    !part.is_empty()
        && !part.starts_with(['.', '-'])
        && !part.contains("..")
        && part.chars().all(|c| c.is_ascii_alphanumeric() || marks.contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_revisions() {
        let read = |word: &str| word.parse::<Repository>();
        let model = read("ridger/MMfreeLM-2.7B").unwrap();
        assert_eq!((model.name(), model.revision()), ("ridger/MMfreeLM-2.7B", "main"));
        assert_eq!(model.to_string(), "ridger/MMfreeLM-2.7B");
        let at = read("gpt2@refs/pr/1").unwrap();
        assert_eq!((at.name(), at.revision()), ("gpt2", "refs/pr/1"));
        assert_eq!(at.to_string(), "gpt2@refs/pr/1");
        for word in [
            "", "/", "a/", "/a", "a/b/c", "..", "a/..", "../a", "a/.b", "-a/b", "a/b.", "a/b..c",
            "a b", "a/é", "a\\b", "a/b@", "a/b@..", "a/b@../c", "a/b@c//d", "a/b@/c", "a/b@c@d",
            "a/b@c d", "a/b?", "a/b#c", "a/b%2e",
        ] {
            assert!(read(word).is_err(), "{word}");
        }
        assert!(read(&"a".repeat(96)).is_ok() && read(&"a".repeat(97)).is_err());
        let revision = |length| format!("a@{}", "b".repeat(length));
        assert!(read(&revision(200)).is_ok() && read(&revision(201)).is_err());
        assert!(is_commit(&"0af9".repeat(10)) && !is_commit(&"0AF9".repeat(10)));
        assert!(!is_commit("main"));
    }
}
