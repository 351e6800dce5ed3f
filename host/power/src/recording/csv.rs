//! What another program recorded: CSV, or lines of JSON with the same names.
//!
//! ```text
//! time_s,board_w            unix_s,vccint_v,vccint_a,package_j
//! 0.000,3.51                1790000000.25,0.85,4.2,1034.5
//! ```
//!
//! The first column is the time: `time_s` since the recording began, or `unix_s` since 1970. Each
//! other name ends in its unit: `_w`, `_j` for a counter of joules, or `_v` and `_a`, which come as
//! a pair. The file may grow while it is read.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::error::{PowerError, Result};
use crate::meter::Rail;

/// What the times of a file count from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamp {
    /// The beginning of the recording.
    Recording,
    /// 1970.
    Unix,
}

/// Where a rail's value comes from.
#[derive(Clone, Debug, PartialEq)]
enum Column {
    One(usize),
    Product(usize, usize),
}

/// A file of samples, read as it grows.
pub struct Follow {
    path: PathBuf,
    file: BufReader<File>,
    /// The names of the columns, in CSV their order.
    names: Vec<String>,
    json: bool,
    stamp: Stamp,
    rails: Vec<Rail>,
    columns: Vec<Column>,
    line: u64,
    last: f64,
}

/// Bytes of a line that are believed.
const LINE: u64 = 1 << 16;

impl Follow {
    /// Opens a file, of which the first line must be there.
    ///
    /// # Errors
    /// W012 where the first line makes no sense, W014 where the file cannot be read.
    pub fn open(path: &Path) -> Result<Follow> {
        let file = File::open(path).map_err(PowerError::file(path, "read"))?;
        let mut follow = Follow {
            path: path.into(),
            file: BufReader::new(file),
            names: vec![],
            json: false,
            stamp: Stamp::Recording,
            rails: vec![],
            columns: vec![],
            line: 0,
            last: f64::NEG_INFINITY,
        };
        let Some(first) = follow.text()? else {
            return Err(follow.bad("there is no whole line yet, which would name the columns"));
        };
        follow.json = first.starts_with('{');
        follow.names = if follow.json {
            follow.object(&first)?.into_iter().map(|(name, _)| name).collect()
        } else {
            follow.fields(&first)?
        };
        follow.layout()?;
        if follow.json {
            // The first object is a sample, too.
            follow.file.seek(SeekFrom::Start(0)).map_err(PowerError::file(path, "read"))?;
            follow.line = 0;
        }
        Ok(follow)
    }

    /// What the file has numbers of.
    pub fn rails(&self) -> &[Rail] {
        &self.rails
    }

    /// What its times count from.
    pub fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// The next sample, time and values; `None` as long as there is no whole line.
    ///
    /// # Errors
    /// W012 where the line makes no sense, W014.
    pub fn sample(&mut self) -> Result<Option<(f64, Vec<f64>)>> {
        let Some(text) = self.text()? else { return Ok(None) };
        let fields: Vec<f64> = if self.json {
            let object = self.object(&text)?;
            let find = |name: &String| object.iter().find(|(of, _)| of == name).map(|(_, v)| *v);
            let all: Option<Vec<f64>> = self.names.iter().map(find).collect();
            all.ok_or_else(|| self.bad("lacks a name of the first line"))?
        } else {
            let fields = self.fields(&text)?;
            if fields.len() != self.names.len() {
                let (have, want) = (fields.len(), self.names.len());
                return Err(self.bad(&format!("{have} fields under {want} names")));
            }
            let number = |word: &String| {
                let value = word.trim().parse::<f64>().ok().filter(|v| v.abs() <= 1e15);
                value.ok_or_else(|| self.bad(&format!("`{word}` is no number")))
            };
            fields.iter().map(number).collect::<Result<_>>()?
        };
        let t = fields[self.time()];
        if t <= self.last {
            return Err(self.bad(&format!("time goes from {} to {t}", self.last)));
        }
        self.last = t;
        let value = |column: &Column| match *column {
            Column::One(at) => fields[at],
            Column::Product(a, b) => fields[a] * fields[b],
        };
        Ok(Some((t, self.columns.iter().map(value).collect())))
    }

    /// The column of the time.
    fn time(&self) -> usize {
        self.names.iter().position(|name| name == "time_s" || name == "unix_s").unwrap_or(0)
    }

    fn layout(&mut self) -> Result<()> {
        let at = |name: &str| self.names.iter().position(|of| of == name);
        self.stamp = match (at("time_s"), at("unix_s")) {
            (Some(_), None) => Stamp::Recording,
            (None, Some(_)) => Stamp::Unix,
            _ => return Err(self.bad("has to name one of time_s and unix_s")),
        };
        let (mut rails, mut columns) = (vec![], vec![]);
        for (number, name) in self.names.iter().enumerate() {
            let Some((rail, unit)) = name.rsplit_once('_') else {
                return Err(self.bad(&format!("`{name}` does not end in _w, _j, _v or _a")));
            };
            match unit {
                "s" if number == self.time() => continue,
                "w" => {
                    rails.push(Rail::power(rail));
                    columns.push(Column::One(number));
                }
                "j" => {
                    rails.push(Rail::energy(rail));
                    columns.push(Column::One(number));
                }
                "v" => {
                    let other = at(&format!("{rail}_a"));
                    let other = other.ok_or_else(|| self.bad(&format!("no {rail}_a")))?;
                    rails.push(Rail::power(rail));
                    columns.push(Column::Product(number, other));
                }
                "a" if at(&format!("{rail}_v")).is_some() => {}
                _ => return Err(self.bad(&format!("`{name}` is not understood"))),
            }
        }
        if rails.is_empty() {
            return Err(self.bad("names nothing but a time"));
        }
        (self.rails, self.columns) = (rails, columns);
        Ok(())
    }

    /// The next line that ends and is not empty.
    fn text(&mut self) -> Result<Option<String>> {
        loop {
            let fail = || PowerError::file(&self.path, "read");
            let begin = self.file.stream_position().map_err(fail())?;
            let mut bytes = vec![];
            let count = self.file.by_ref().take(LINE).read_until(b'\n', &mut bytes);
            let count = count.map_err(fail())? as u64;
            if bytes.last() != Some(&b'\n') {
                if count == LINE {
                    self.line += 1;
                    return Err(self.bad("has more than 64 KiB"));
                }
                // The rest may come yet.
                self.file.seek(SeekFrom::Start(begin)).map_err(fail())?;
                return Ok(None);
            }
            self.line += 1;
            let text = String::from_utf8(bytes).map_err(|_| self.bad("is no UTF-8"))?;
            let text = text.trim();
            if !text.is_empty() {
                return Ok(Some(text.into()));
            }
        }
    }

    fn fields(&self, text: &str) -> Result<Vec<String>> {
        let mut reader = csv::ReaderBuilder::new();
        let mut reader =
            reader.has_headers(false).trim(csv::Trim::All).from_reader(text.as_bytes());
        let record = reader.records().next().transpose();
        let record = record.map_err(|error| self.bad(&error.to_string()))?;
        Ok(record.unwrap_or_default().iter().map(String::from).collect())
    }

    fn object(&self, text: &str) -> Result<Vec<(String, f64)>> {
        let object: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(text).map_err(|error| self.bad(&error.to_string()))?;
        let pair = |(name, value): (String, serde_json::Value)| match value.as_f64() {
            Some(value) => Ok((name, value)),
            None => Err(self.bad(&format!("{name}: not a number"))),
        };
        object.into_iter().map(pair).collect()
    }

    fn bad(&self, why: &str) -> PowerError {
        PowerError::Line { path: self.path.clone(), line: self.line.max(1), why: why.into() }
    }
}
