//! A file of results: what they are of, then a line an item.
//!
//! It is added to line by line, so that a run that was ended goes on; what was half-written is cut
//! off then.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::layout::{Data, each_line};
use super::{Task, TaskError};
use crate::error::{HostError, Result};

/// What results are of: the first line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The version of such files: 1.
    pub sterna_score: u32,
    /// The data set.
    pub task: Task,
    /// The model's image, 16 hexadecimal digits.
    pub image_id: String,
    /// `fixed` or `float`: the same on every device that has it.
    pub arithmetic: String,
    /// Layers of the model, and its width.
    pub shape: [usize; 2],
    /// The model's file, as it was opened.
    pub model: PathBuf,
    /// The questions.
    pub data: Vec<Data>,
}

impl Header {
    /// Questions of the data.
    pub fn items(&self) -> usize {
        self.data.iter().fold(0, |sum, data| sum.saturating_add(data.items))
    }

    /// The first thing in which results of this cannot be those of the other: its name, here and
    /// there.
    fn differs(&self, other: &Header) -> Option<(&'static str, String, String)> {
        let hashes = |header: &Header| -> Vec<String> {
            header.data.iter().map(|data| data.sha256.clone()).collect()
        };
        let pairs = [
            ("task", self.task.name().to_owned(), other.task.name().to_owned()),
            ("model", self.image_id.clone(), other.image_id.clone()),
            ("arithmetic", self.arithmetic.clone(), other.arithmetic.clone()),
            ("data set", hashes(self).join(" "), hashes(other).join(" ")),
        ];
        pairs.into_iter().find(|(_, a, b)| a != b)
    }
}

/// What came of an item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Its number, from 0.
    pub item: usize,
    /// What the data set calls it.
    pub id: String,
    /// Which choice is right.
    pub gold: usize,
    /// Natural logarithms of the choices' probabilities.
    pub likelihoods: Vec<f64>,
    /// Characters of the choices.
    pub characters: Vec<usize>,
    /// The likeliest, and whether it is right.
    pub chosen: usize,
    /// See `chosen`.
    pub right: bool,
    /// The likeliest for its length, and whether it is right.
    pub chosen_norm: usize,
    /// See `chosen_norm`.
    pub right_norm: bool,
}

impl Answer {
    /// Of likelihoods.
    pub fn new(
        item: usize,
        id: &str,
        gold: usize,
        characters: Vec<usize>,
        likelihoods: Vec<f64>,
    ) -> Answer {
        let by_length: Vec<f64> =
            likelihoods.iter().zip(&characters).map(|(sum, &n)| sum / n as f64).collect();
        let (chosen, chosen_norm) = (best(&likelihoods), best(&by_length));
        Answer {
            item,
            id: id.into(),
            gold,
            chosen,
            right: chosen == gold,
            chosen_norm,
            right_norm: chosen_norm == gold,
            likelihoods,
            characters,
        }
    }

    /// Whether it is one, of this number; a file may have been edited.
    fn is_sound(&self, item: usize) -> bool {
        let Answer { id, gold, likelihoods, characters, .. } = self;
        self.item == item
            && likelihoods.len() == characters.len()
            && *gold < likelihoods.len()
            && likelihoods.iter().all(|likelihood| likelihood.is_finite())
            && *self == Answer::new(item, id, *gold, characters.clone(), likelihoods.clone())
    }
}

/// The first of the largest.
fn best(values: &[f64]) -> usize {
    let mut best = 0;
    for (n, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = n;
        }
    }
    best
}

/// Results, in memory and perhaps in a file that grows with them.
pub struct Results {
    /// What they are of.
    pub header: Header,
    /// What there is, in the order of the data.
    pub answers: Vec<Answer>,
    file: Option<(PathBuf, File)>,
}

impl Results {
    /// None yet, and no file.
    pub fn new(header: Header) -> Results {
        Results { header, answers: vec![], file: None }
    }

    /// Goes on with a file, or begins one.
    ///
    /// # Errors
    /// [`TaskError::LockedResults`], [`TaskError::Results`] if it is another kind of file, which
    /// stays as it is, [`TaskError::OtherResults`] if it is of something else; those of writing.
    pub fn open(path: &Path, header: Header) -> Result<Results> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(path);
        let mut file = file.map_err(HostError::io(path, "open"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(TaskError::LockedResults { path: path.into() }.into());
            }
            Err(TryLockError::Error(error)) => return Err(HostError::io(path, "lock")(error)),
        }
        let (found, answers, whole) = match parse(path)? {
            // Killed before the first line was out; but nobody else's file is touched.
            Parsed::Begun(begun) if line(&header).starts_with(&begun) => (None, vec![], 0),
            Parsed::Begun(_) => return Err(foreign(path, 1, "it does not begin as they do")),
            Parsed::Whole(found, answers, whole) => (Some(found), answers, whole),
        };
        let header = match found {
            Some(found) => {
                if let Some((what, found, wanted)) = found.differs(&header) {
                    let path = path.into();
                    return Err(TaskError::OtherResults { path, what, found, wanted }.into());
                }
                found
            }
            None => header,
        };
        file.set_len(whole).map_err(HostError::io(path, "write"))?;
        file.seek(SeekFrom::Start(whole)).map_err(HostError::io(path, "write"))?;
        if whole == 0 {
            file.write_all(line(&header).as_bytes()).map_err(HostError::io(path, "write"))?;
        }
        Ok(Results { header, answers, file: Some((path.into(), file)) })
    }

    /// Reads a file, which may be that of a run that goes on.
    ///
    /// # Errors
    /// [`TaskError::Results`].
    pub fn read(path: &Path) -> Result<Results> {
        match parse(path)? {
            Parsed::Whole(header, answers, _) => Ok(Results { header, answers, file: None }),
            Parsed::Begun(_) => Err(foreign(path, 1, "it does not begin as they do")),
        }
    }

    /// Takes the next answer.
    ///
    /// # Errors
    /// Those of writing.
    pub fn push(&mut self, answer: Answer) -> Result<()> {
        if let Some((path, file)) = &mut self.file {
            file.write_all(line(&answer).as_bytes()).map_err(HostError::io(path, "write"))?;
        }
        self.answers.push(answer);
        Ok(())
    }

    /// That these results are not of the same model and arithmetic as others, if so; they are for
    /// one table then.
    ///
    /// # Errors
    /// [`TaskError::OtherResults`]; `path` is for it.
    pub fn go_with(&self, others: &[Results], path: &Path) -> Result<()> {
        for other in others {
            let differs = self.header.differs(&other.header);
            let differs = differs.filter(|(what, ..)| ["model", "arithmetic"].contains(what));
            let (mine, theirs) = (self.header.task.name(), other.header.task.name());
            let twice = ("task", mine.to_owned(), "one that the table lacks".into());
            if let Some((what, found, wanted)) = differs.or((mine == theirs).then_some(twice)) {
                return Err(
                    TaskError::OtherResults { path: path.into(), what, found, wanted }.into()
                );
            }
        }
        Ok(())
    }
}

/// What a file holds.
enum Parsed {
    /// No whole first line, but this.
    Begun(String),
    /// The lines, and the bytes that the whole ones have.
    Whole(Header, Vec<Answer>, u64),
}

fn parse(path: &Path) -> Result<Parsed> {
    let mut begun = String::new();
    let mut header: Option<Header> = None;
    let (mut answers, mut whole): (Vec<Answer>, u64) = (vec![], 0);
    let read = each_line(path, &mut |number, bytes| {
        let Some(text) = bytes.strip_suffix(b"\n") else {
            // The end of a run that was killed.
            begun = String::from_utf8_lossy(bytes).into_owned();
            return Ok(());
        };
        match &header {
            None => {
                let found: Header = serde_json::from_slice(text)
                    .map_err(|_| foreign(path, number, "it does not begin as they do"))?;
                if found.sterna_score != 1 {
                    return Err(foreign(path, number, "they are of another version"));
                }
                header = Some(found);
            }
            Some(header) => {
                let wrong = "no answer to the next question";
                let answer: Answer =
                    serde_json::from_slice(text).map_err(|_| foreign(path, number, wrong))?;
                if !answer.is_sound(answers.len()) || answers.len() >= header.items() {
                    return Err(foreign(path, number, wrong));
                }
                answers.push(answer);
            }
        }
        whole += bytes.len() as u64;
        Ok(())
    });
    // A line too long, or no file: of a data set that would be its own error.
    read.map_err(|error| match error {
        HostError::Task(TaskError::Item { path, line, reason }) => {
            TaskError::Results { path, line, reason }.into()
        }
        error => error,
    })?;
    Ok(match header {
        Some(header) => Parsed::Whole(header, answers, whole),
        None => Parsed::Begun(begun),
    })
}

fn foreign(path: &Path, line: usize, reason: &str) -> HostError {
    TaskError::Results { path: path.into(), line, reason: reason.into() }.into()
}

fn line(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("results are plain data") + "\n"
}
