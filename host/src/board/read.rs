//! A board.toml as values, each checked against the schema, with the line that it is on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::error::BoardError;
use super::schema::{self, KEYS, Key, Kind};
use crate::nearest::nearest;
use crate::output::line_of;

/// A value that is what its key allows.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text, address, file or choice.
    Text(String),
    /// A whole number.
    Integer(u64),
    /// A number.
    Number(f64),
    /// A list of text.
    List(Vec<String>),
}

/// The values of a file.
#[derive(Debug)]
pub struct Values {
    /// The file, as errors name it.
    pub file: PathBuf,
    values: BTreeMap<(&'static str, &'static str), (Value, usize)>,
}

impl Values {
    /// Reads a file's text.
    ///
    /// # Errors
    /// B002 to B006, with the line.
    pub fn read(file: &Path, text: &str) -> Result<Values, BoardError> {
        let table = DeTable::parse(text).map_err(|error| BoardError::Syntax {
            file: file.into(),
            line: line_of(text, error.span().map_or(0, |span| span.start)),
            reason: error.message().trim().replace('\n', ", "),
        })?;
        let mut read = Values { file: file.into(), values: BTreeMap::new() };
        for (name, value) in table.get_ref() {
            let at = line_of(text, name.span().start);
            let name: &str = name.get_ref();
            if let DeValue::Table(section) = value.get_ref()
                && schema::find("", name).is_none()
            {
                if !KEYS.iter().any(|key| key.section == name && !name.is_empty()) {
                    let sections = KEYS.iter().map(|key| key.section).filter(|s| !s.is_empty());
                    return Err(read.unknown(at, format!("[{name}]"), name, sections));
                }
                for (key, value) in section {
                    let at = line_of(text, key.span().start);
                    read.take(name, key.get_ref(), at, value.get_ref())?;
                }
            } else {
                read.take("", name, at, value.get_ref())?;
            }
        }
        for key in KEYS.iter().filter(|key| key.required) {
            if !read.values.contains_key(&(key.section, key.name)) {
                return Err(read.missing(key));
            }
        }
        Ok(read)
    }

    fn unknown<'a>(
        &self,
        line: usize,
        key: String,
        word: &str,
        known: impl Iterator<Item = &'a str> + Clone,
    ) -> BoardError {
        let hint = match nearest(word, known.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                let mut known: Vec<&str> = known.collect();
                known.dedup();
                format!("there are {}", known.join(", "))
            }
        };
        BoardError::UnknownKey { file: self.file.clone(), line, key, hint }
    }

    fn take(
        &mut self,
        section: &str,
        name: &str,
        line: usize,
        value: &DeValue<'_>,
    ) -> Result<(), BoardError> {
        let Some(key) = schema::find(section, name) else {
            let known = KEYS.iter().filter(|key| key.section == section).map(|key| key.name);
            return Err(self.unknown(line, schema::path(section, name), name, known));
        };
        let value = self.check(key, line, value)?;
        self.values.insert((key.section, key.name), (value, line));
        Ok(())
    }

    fn check(&self, key: &Key, line: usize, value: &DeValue<'_>) -> Result<Value, BoardError> {
        let wrong = || BoardError::Type {
            file: self.file.clone(),
            line,
            key: key.path(),
            found: value.type_str(),
            wanted: key.wanted(),
        };
        let outside = |value: String| BoardError::Range {
            file: self.file.clone(),
            line,
            key: key.path(),
            value,
            wanted: key.wanted(),
        };
        match (key.kind, value) {
            (Kind::Choice(words), DeValue::String(_) | DeValue::Integer(_)) => {
                let word = match value {
                    DeValue::String(text) => text.to_string(),
                    DeValue::Integer(number) => number.as_str().into(),
                    _ => unreachable!("the pattern above has these two"),
                };
                match words.contains(&word.as_str()) {
                    true => Ok(Value::Text(word)),
                    false => Err(outside(format!("`{word}`"))),
                }
            }
            (Kind::Text, DeValue::String(text)) => {
                let fine = !text.trim().is_empty() && !text.contains('\n');
                if fine {
                    Ok(Value::Text(text.to_string()))
                } else {
                    Err(outside(format!("{text:?}")))
                }
            }
            (Kind::Url, DeValue::String(text)) => match text.starts_with("https://") {
                true => Ok(Value::Text(text.to_string())),
                false => Err(outside(format!("{text:?}"))),
            },
            (Kind::File, DeValue::String(text)) => {
                let plain =
                    !text.is_empty() && !text.contains(['/', '\\']) && !text.starts_with('.');
                if plain {
                    Ok(Value::Text(text.to_string()))
                } else {
                    Err(outside(format!("{text:?}")))
                }
            }
            (Kind::Integer(low, high), DeValue::Integer(number)) => {
                let digits = number.as_str().replace('_', "");
                match u64::from_str_radix(&digits, number.radix()) {
                    Ok(number) if (low..=high).contains(&number) => Ok(Value::Integer(number)),
                    _ => Err(outside(number.as_str().into())),
                }
            }
            (Kind::Number(low, high), DeValue::Integer(_) | DeValue::Float(_)) => {
                let text = match value {
                    DeValue::Float(number) => number.as_str(),
                    DeValue::Integer(number) => number.as_str(),
                    _ => unreachable!("the pattern above has these two"),
                };
                match text.replace('_', "").parse::<f64>() {
                    Ok(number) if (low..=high).contains(&number) => Ok(Value::Number(number)),
                    _ => Err(outside(text.into())),
                }
            }
            (Kind::List, DeValue::Array(items)) => items
                .iter()
                .map(|item| match item.get_ref() {
                    DeValue::String(text) => Ok(text.to_string()),
                    _ => Err(wrong()),
                })
                .collect::<Result<_, _>>()
                .map(Value::List),
            _ => Err(wrong()),
        }
    }

    fn missing(&self, key: &Key) -> BoardError {
        BoardError::Missing {
            file: self.file.clone(),
            key: key.path(),
            meaning: format!("it says: {}", key.meaning),
        }
    }

    fn get(&self, section: &str, name: &str) -> Option<&Value> {
        let key = schema::find(section, name).expect("callers ask for keys of the schema");
        self.values.get(&(key.section, key.name)).map(|(value, _)| value)
    }

    /// Line of a key; 1 if it is not there.
    pub fn line(&self, section: &str, name: &str) -> usize {
        let key = schema::find(section, name).expect("callers ask for keys of the schema");
        self.values.get(&(key.section, key.name)).map_or(1, |(_, line)| *line)
    }

    /// Two keys do not go together.
    pub fn conflict(&self, section: &str, name: &str, reason: impl Into<String>) -> BoardError {
        BoardError::Conflict {
            file: self.file.clone(),
            line: self.line(section, name),
            key: schema::path(section, name),
            reason: reason.into(),
        }
    }

    /// Text, if it is there.
    pub fn text(&self, section: &str, name: &str) -> Option<String> {
        match self.get(section, name)? {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    /// A whole number, if it is there; also one of a choice of numbers.
    pub fn integer(&self, section: &str, name: &str) -> Option<u64> {
        match self.get(section, name)? {
            Value::Integer(number) => Some(*number),
            Value::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// A number, if it is there.
    pub fn number(&self, section: &str, name: &str) -> Option<f64> {
        match self.get(section, name)? {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// A list; empty if it is not there.
    pub fn list(&self, section: &str, name: &str) -> Vec<String> {
        match self.get(section, name) {
            Some(Value::List(list)) => list.clone(),
            _ => Vec::new(),
        }
    }

    /// What a kind of board has to have.
    pub fn need<T>(&self, section: &str, name: &str, value: Option<T>) -> Result<T, BoardError> {
        let key = schema::find(section, name).expect("callers ask for keys of the schema");
        value.ok_or_else(|| self.missing(key))
    }
}
