//! Data sets as they are published: a JSON object a line.
//!
//! Two layouts are known of those that have two: that of the authors' own files, and that of the
//! hub's viewer, in which the choices are columns.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Choice, Item, Task, TaskError};
use crate::error::{HostError, Result};
use crate::output;

/// Bytes of a line at most; published ones have some thousand.
pub const LINE: u64 = 1 << 20;
/// Questions at most; the largest set has some 70,000.
const ITEMS: usize = 1_000_000;
/// Answers of a question at most; published ones have two to five.
const CHOICES: usize = 32;

/// A file of questions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// As given.
    pub file: PathBuf,
    /// SHA-256 of its bytes, and of its labels'.
    pub sha256: String,
    /// Questions in it.
    pub items: usize,
}

/// Reads a file of questions.
///
/// # Errors
/// [`TaskError::Item`] with the line, [`TaskError::NoItems`], [`TaskError::Labels`]; those of
/// reading.
pub fn read(task: Task, path: &Path) -> Result<(Data, Vec<Item>)> {
    let mut digest = Sha256::new();
    let mut items: Vec<Item> = vec![];
    let mut labels = None;
    each_line(path, &mut |line, bytes| {
        digest.update(bytes);
        let wrong = |reason| TaskError::Item { path: path.into(), line, reason };
        if bytes.trim_ascii().is_empty() {
            return Ok(());
        }
        if items.len() == ITEMS {
            return Err(wrong(format!("more than {ITEMS} questions")).into());
        }
        let mut value: Value = serde_json::from_slice(bytes)
            .map_err(|error| wrong(format!("no JSON, from byte {} on", error.column())))?;
        if task == Task::Piqa && value.get("label").is_none() {
            let labels = match &mut labels {
                Some(labels) => labels,
                none => none.insert(Labels::beside(path)?),
            };
            value["label"] = labels.of(items.len())?.into();
        }
        items.push(item(task, line, &value).map_err(wrong)?);
        Ok(())
    })?;
    if let Some(labels) = labels {
        labels.are_those_of(items.len())?;
        digest.update(labels.text);
    }
    if items.is_empty() {
        return Err(TaskError::NoItems { path: path.into() }.into());
    }
    let sha256 = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((Data { file: path.into(), sha256, items: items.len() }, items))
}

/// Reads the lines of a file, with their ends, each of which may be 1 MiB long.
pub fn each_line(path: &Path, use_line: &mut dyn FnMut(usize, &[u8]) -> Result<()>) -> Result<()> {
    // Looked at before, as opening a pipe would wait for its writer.
    if !fs::metadata(path).map_err(HostError::io(path, "open"))?.is_file() {
        let reason = "it is no regular file".into();
        return Err(TaskError::Item { path: path.into(), line: 1, reason }.into());
    }
    let mut reader = BufReader::new(File::open(path).map_err(HostError::io(path, "open"))?);
    let mut bytes = vec![];
    for line in 1.. {
        bytes.clear();
        let read = reader.by_ref().take(LINE + 1).read_until(b'\n', &mut bytes);
        if read.map_err(HostError::io(path, "read"))? == 0 {
            break;
        }
        if bytes.len() as u64 > LINE {
            let reason = format!("the line is longer than {LINE} bytes");
            return Err(TaskError::Item { path: path.into(), line, reason }.into());
        }
        use_line(line, &bytes)?;
    }
    Ok(())
}

/// PIQA's right answers are published in a file of their own: `valid-labels.lst` is that of
/// `valid.jsonl`.
struct Labels {
    path: PathBuf,
    text: String,
    labels: Vec<u8>,
}

impl Labels {
    fn beside(path: &Path) -> Result<Labels> {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let path = path.with_file_name(format!("{stem}-labels.lst"));
        let text = output::read_text(&path)?;
        let mut labels = vec![];
        for (n, line) in text.lines().enumerate() {
            labels.push(match line.trim() {
                "0" => 0,
                "1" => 1,
                other => {
                    let reason = format!("line {}: {}", n + 1, shown(other));
                    return Err(TaskError::Labels { path, reason }.into());
                }
            });
        }
        Ok(Labels { path, text, labels })
    }

    fn of(&self, item: usize) -> Result<u8> {
        let label = self.labels.get(item).copied();
        label.ok_or_else(|| self.wrong(format!("it ends before line {}", item + 1)))
    }

    fn are_those_of(&self, items: usize) -> Result<()> {
        match self.labels.len() {
            labels if labels == items => Ok(()),
            labels => Err(self.wrong(format!("{labels} lines for {items} questions"))),
        }
    }

    fn wrong(&self, reason: String) -> HostError {
        TaskError::Labels { path: self.path.clone(), reason }.into()
    }
}

type Parsed<T> = std::result::Result<T, String>;

/// A question of a task.
fn item(task: Task, line: usize, value: &Value) -> Parsed<Item> {
    let (contexts, texts, gold): (Vec<String>, Vec<String>, usize) = match task {
        Task::ArcEasy | Task::ArcChallenge => {
            let (stem, texts, gold) = labelled(value, "question")?;
            (vec![question(stem)], texts, gold)
        }
        Task::OpenBookQa => {
            let (stem, texts, gold) = labelled(value, "question_stem")?;
            (vec![stem.into()], texts, gold)
        }
        Task::Piqa => {
            let texts = ["sol1", "sol2"].map(|key| text(value, key).map(str::to_owned));
            let texts = texts.into_iter().collect::<Parsed<Vec<_>>>()?;
            (vec![question(text(value, "goal")?)], texts, number(value, "label")?)
        }
        Task::HellaSwag => {
            let [label, before, after] =
                ["activity_label", "ctx_a", "ctx_b"].map(|key| text(value, key));
            let context = format!("{}: {} {}", label?, before?, capitalised(after?));
            let endings = value.get("endings").ok_or("there is no endings")?;
            let endings = endings.as_array().ok_or("endings is no list")?;
            let endings = endings
                .iter()
                .map(|ending| Ok(without_brackets(ending.as_str().ok_or("an ending is no text")?)));
            let endings = endings.collect::<Parsed<Vec<String>>>()?;
            (vec![without_brackets(&context)], endings, number(value, "label")?)
        }
        Task::WinoGrande => {
            let sentence = text(value, "sentence")?;
            let (before, after) = sentence.split_once('_').ok_or("the sentence has no gap `_`")?;
            let contexts = ["option1", "option2"]
                .map(|key| Ok(format!("{before}{}", text(value, key)?)))
                .into_iter()
                .collect::<Parsed<Vec<_>>>()?;
            let rest = trimmed(after).to_owned();
            let gold = number(value, "answer")?.checked_sub(1).ok_or("answer is 0, not 1 or 2")?;
            (contexts, vec![rest.clone(), rest], gold)
        }
    };
    if !(2..=CHOICES).contains(&texts.len()) {
        return Err(format!("{} answers, not 2 to {CHOICES}", texts.len()));
    }
    if gold >= texts.len() {
        return Err(format!("the right one would be number {} of {}", gold + 1, texts.len()));
    }
    if contexts.iter().any(|context| trimmed(context).is_empty()) {
        return Err("nothing stands before the answers".into());
    }
    // One context is that of every answer.
    let contexts = contexts.iter().cycle();
    let choices = texts.iter().zip(contexts).map(|(text, context)| Choice {
        context: context.clone(),
        continuation: format!(" {text}"),
        characters: text.chars().count(),
    });
    let id = match value.get("id").or(value.get("qID")).or(value.get("ind")) {
        Some(Value::String(id)) => id.chars().take(100).collect(),
        Some(Value::Number(id)) => id.to_string(),
        _ => line.to_string(),
    };
    Ok(Item { id, line, choices: choices.collect(), gold })
}

fn question(stem: &str) -> String {
    format!("Question: {stem}\nAnswer:")
}

/// Stem, answers and which is right, of ARC and OpenBookQA: the stem under `key` and the choices
/// as columns, or both under `question` and the choices as objects.
fn labelled<'a>(value: &'a Value, key: &str) -> Parsed<(&'a str, Vec<String>, usize)> {
    let texts = |list: &Value, key: &str| -> Parsed<Vec<String>> {
        let list = list.as_array().ok_or("choices are no lists")?;
        let one = |entry: &Value| match key {
            "" => entry.as_str().map(str::to_owned),
            key => entry.get(key)?.as_str().map(str::to_owned),
        };
        let texts = list.iter().map(|entry| one(entry).ok_or("a choice without a text".into()));
        texts.collect()
    };
    let (stem, texts, labels) = match value.get("question") {
        Some(question @ Value::Object(_)) => {
            let choices = question.get("choices").ok_or("there is no choices")?;
            (text(question, "stem")?, texts(choices, "text")?, texts(choices, "label")?)
        }
        _ => {
            let choices = value.get("choices").ok_or("there is no choices")?;
            let column = |key| choices.get(key).ok_or(format!("choices has no {key}"));
            (text(value, key)?, texts(column("text")?, "")?, texts(column("label")?, "")?)
        }
    };
    if texts.len() != labels.len() {
        return Err(format!("{} choices and {} labels", texts.len(), labels.len()));
    }
    let answer = text(value, "answerKey")?.trim_start();
    let gold = labels.iter().position(|label| label == answer);
    Ok((stem, texts, gold.ok_or(format!("no choice is labelled {}", shown(answer)))?))
}

fn text<'a>(value: &'a Value, key: &str) -> Parsed<&'a str> {
    let found = value.get(key).ok_or(format!("there is no {key}"))?;
    found.as_str().ok_or(format!("{key} is no text"))
}

/// At most 40 characters of what a file says.
fn shown(text: &str) -> String {
    format!("{:?}", text.chars().take(40).collect::<String>())
}

/// A small number, as one or as a text.
fn number(value: &Value, key: &str) -> Parsed<usize> {
    let found = value.get(key).ok_or(format!("there is no {key}"))?;
    let number = match found {
        Value::String(text) => text.parse().ok(),
        number => number.as_u64().and_then(|number| usize::try_from(number).ok()),
    };
    number.filter(|number| *number <= CHOICES).ok_or(format!("{key} is no number of an answer"))
}

/// What Python takes for white space.
pub fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// The first letter large, all others small.
fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return String::new() };
    // Of a letter that becomes two, such as ß, only the first is large.
    let upper: String = first.to_uppercase().collect();
    let mut upper = upper.chars();
    let first = upper.next().unwrap_or(first);
    format!("{first}{}{}", upper.as_str().to_lowercase(), chars.as_str().to_lowercase())
}

/// HellaSwag's texts from WikiHow have marks in brackets, which are taken out.
fn without_brackets(text: &str) -> String {
    let text = trimmed(text).replace(" [title]", ". ");
    let mut kept = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(open) = rest.find('[') {
        let (before, mark) = rest.split_at(open);
        kept += before;
        // Not over the end of a line.
        match mark.find([']', '\n']).filter(|&end| mark[end..].starts_with(']')) {
            Some(end) => rest = &mark[end + 1..],
            None => {
                kept.push('[');
                rest = &mark[1..];
            }
        }
    }
    kept += rest;
    kept.replace("  ", " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Python's `re` and `str` make of the same.
    #[test]
    fn texts_are_cleaned_as_by_python() {
        for (text, want) in [
            (" a [title] b ", "a.  b".replace("  ", " ").as_str()),
            ("[header] Do it [step] now", " Do it now"),
            ("a [x\ny] b", "a [x\ny] b"),
            ("a [[b] c] d", "a c] d"),
            ("[ [b] c", " c"),
            ("a]b[", "a]b["),
            ("a    b", "a  b"),
        ] {
            assert_eq!(without_brackets(text), want, "{text:?}");
        }
        for (text, want) in [
            ("", ""),
            ("the DOG Ate.", "The dog ate."),
            ("ßX", "Ssx"),
            ("éA", "Éa"),
            (" aB", " ab"),
        ] {
            assert_eq!(capitalised(text), want);
        }
        assert_eq!(trimmed("\u{1f} a\u{a0}"), "a");
    }
}
