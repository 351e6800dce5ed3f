//! SAIF, as Verilator writes it: a reader that keeps no more than the line of instances it is in.
//!
//! ```text
//! (SAIFILE (SAIFVERSION "2.0") ... (DURATION 1000)
//!  (INSTANCE dut
//!   (NET (valid (T0 600) (T1 400) (TZ 0) (TX 0) (TB 0) (TC 7)) ... (data\[3\] (T0 ...) ...))
//!   (INSTANCE u_fifo ...)))
//! ```

use std::io::BufRead;
use std::path::Path;

use crate::error::SimError;

/// Instances within instances, lists within lists.
const DEEPEST: usize = 64;
/// Bytes of a word.
const LONGEST: usize = 4096;

/// What a bit of a net did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bit {
    /// Which one.
    pub index: u32,
    /// Units of time in which it was high.
    pub high: u64,
    /// How often it changed.
    pub toggles: u64,
}

/// Reads a file and hands on every bit: the instances from the top down, with `/` between them,
/// the net, and what the bit did. The result is the duration.
///
/// # Errors
/// S004 where the file cannot be read, S023 where it is not what Verilator writes, or where the
/// times of a bit are not the duration.
pub fn read(path: &Path, each: impl FnMut(&str, &str, Bit)) -> Result<u64, SimError> {
    let file = std::fs::File::open(path).map_err(SimError::file("read the activity", path))?;
    let words = Words { from: std::io::BufReader::new(file), path, line: 1, peeked: None };
    let reader = Reader { words, instances: vec![], path: String::new(), duration: None, each };
    reader.file()
}

#[derive(Debug, PartialEq, Eq)]
enum Word {
    Open,
    Close,
    Text(String),
}

struct Words<'p, R> {
    from: R,
    path: &'p Path,
    line: u64,
    peeked: Option<Word>,
}

impl<R: BufRead> Words<'_, R> {
    fn wrong(&self, why: impl Into<String>) -> SimError {
        SimError::Activity { path: self.path.into(), line: self.line, why: why.into() }
    }

    fn byte(&mut self) -> Result<Option<u8>, SimError> {
        let io = SimError::file("read the activity", self.path);
        Ok(self.from.fill_buf().map_err(io)?.first().copied())
    }

    fn take(&mut self, byte: u8) {
        self.from.consume(1);
        self.line += u64::from(byte == b'\n');
    }

    /// The next word; `None` at the end of the file.
    fn next(&mut self) -> Result<Option<Word>, SimError> {
        if let Some(word) = self.peeked.take() {
            return Ok(Some(word));
        }
        while let Some(byte) = self.byte()? {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => self.take(byte),
                b'(' | b')' => {
                    self.take(byte);
                    return Ok(Some(if byte == b'(' { Word::Open } else { Word::Close }));
                }
                b'/' => {
                    let text = self.text()?;
                    if !text.starts_with("//") {
                        return Ok(Some(Word::Text(text)));
                    }
                    while let Some(byte) = self.byte()?.filter(|&byte| byte != b'\n') {
                        self.take(byte);
                    }
                }
                _ => return self.text().map(|text| Some(Word::Text(text))),
            }
        }
        Ok(None)
    }

    /// A word up to a space or bracket; a backslash makes any byte part of it.
    fn text(&mut self) -> Result<String, SimError> {
        let mut bytes = vec![];
        let mut escaped = false;
        while let Some(byte) = self.byte()? {
            let ends = matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'(' | b')');
            if ends && !escaped {
                break;
            }
            if bytes.len() == LONGEST {
                return Err(self.wrong(format!("a word of more than {LONGEST} bytes")));
            }
            self.take(byte);
            escaped = byte == b'\\' && !escaped;
            bytes.push(byte);
        }
        String::from_utf8(bytes).map_err(|_| self.wrong("a word that is not UTF-8"))
    }

    fn peek(&mut self) -> Result<Option<&Word>, SimError> {
        if self.peeked.is_none() {
            self.peeked = self.next()?;
        }
        Ok(self.peeked.as_ref())
    }

    fn ended(&self) -> SimError {
        self.wrong("the file ends too early")
    }

    fn open(&mut self) -> Result<(), SimError> {
        match self.next()? {
            Some(Word::Open) => Ok(()),
            Some(word) => Err(self.wrong(format!("`(` is missing before {}", shown(&word)))),
            None => Err(self.ended()),
        }
    }

    fn close(&mut self) -> Result<(), SimError> {
        match self.next()? {
            Some(Word::Close) => Ok(()),
            Some(word) => Err(self.wrong(format!("`)` is missing before {}", shown(&word)))),
            None => Err(self.ended()),
        }
    }

    fn word(&mut self) -> Result<String, SimError> {
        match self.next()? {
            Some(Word::Text(text)) => Ok(text),
            Some(_) => Err(self.wrong("a bracket where a word should be")),
            None => Err(self.ended()),
        }
    }

    fn number(&mut self) -> Result<u64, SimError> {
        let word = self.word()?;
        word.parse().map_err(|_| self.wrong(format!("`{word}` is no count")))
    }

    /// The rest of a list that says nothing here.
    fn skip(&mut self) -> Result<(), SimError> {
        let mut depth = 1;
        while depth > 0 {
            match self.next()? {
                Some(Word::Open) if depth == DEEPEST => {
                    return Err(self.wrong(format!("lists more than {DEEPEST} deep")));
                }
                Some(Word::Open) => depth += 1,
                Some(Word::Close) => depth -= 1,
                Some(Word::Text(_)) => {}
                None => return Err(self.ended()),
            }
        }
        Ok(())
    }
}

fn shown(word: &Word) -> String {
    match word {
        Word::Open => "`(`".into(),
        Word::Close => "`)`".into(),
        Word::Text(text) => format!("`{text}`"),
    }
}

struct Reader<'p, R, F> {
    words: Words<'p, R>,
    /// Lengths of `path` before each instance that is open.
    instances: Vec<usize>,
    path: String,
    duration: Option<u64>,
    each: F,
}

impl<R: BufRead, F: FnMut(&str, &str, Bit)> Reader<'_, R, F> {
    fn file(mut self) -> Result<u64, SimError> {
        self.words.open()?;
        let first = self.words.word()?;
        if first != "SAIFILE" {
            return Err(self.words.wrong(format!("`{first}` where SAIFILE should be")));
        }
        self.lists()?;
        match self.words.next()? {
            None => {}
            Some(word) => {
                return Err(self.words.wrong(format!("{} after the end", shown(&word))));
            }
        }
        self.duration.ok_or_else(|| self.words.wrong("there is no DURATION"))
    }

    /// What is in the file or in an instance, up to its end.
    fn lists(&mut self) -> Result<(), SimError> {
        // Instances are told apart by their number alone, not by calls within calls.
        loop {
            match self.words.next()? {
                Some(Word::Open) => {}
                Some(Word::Close) => match self.instances.pop() {
                    Some(length) => {
                        self.path.truncate(length);
                        continue;
                    }
                    None => return Ok(()),
                },
                Some(word) => return Err(self.words.wrong(format!("{} in a list", shown(&word)))),
                None => return Err(self.words.ended()),
            }
            match self.words.word()?.as_str() {
                "INSTANCE" => self.instance()?,
                "NET" => self.nets()?,
                "DURATION" => {
                    let duration = self.words.number()?;
                    if self.duration.replace(duration).is_some() {
                        return Err(self.words.wrong("a second DURATION"));
                    }
                    self.words.close()?;
                }
                _ => self.words.skip()?,
            }
        }
    }

    fn instance(&mut self) -> Result<(), SimError> {
        let name = self.words.word()?;
        if self.instances.len() == DEEPEST {
            return Err(self.words.wrong(format!("instances more than {DEEPEST} deep")));
        }
        self.instances.push(self.path.len());
        if !self.path.is_empty() {
            self.path.push('/');
        }
        self.path += &name;
        Ok(())
    }

    fn nets(&mut self) -> Result<(), SimError> {
        let Some(duration) = self.duration else {
            return Err(self.words.wrong("a NET before the DURATION"));
        };
        while self.words.peek()? == Some(&Word::Open) {
            self.words.open()?;
            let name = self.words.word()?;
            let (mut high, mut toggles, mut time) = (None, None, 0u64);
            while self.words.peek()? == Some(&Word::Open) {
                self.words.open()?;
                let key = self.words.word()?;
                let number = self.words.number()?;
                self.words.close()?;
                match key.as_str() {
                    "T1" => high = Some(number),
                    "TC" => toggles = Some(number),
                    _ => {}
                }
                if matches!(key.as_str(), "T0" | "T1" | "TX" | "TZ" | "TB") {
                    time = time.saturating_add(number);
                }
            }
            self.words.close()?;
            let (Some(high), Some(toggles)) = (high, toggles) else {
                return Err(self.words.wrong(format!("`{name}` has no T1 or no TC")));
            };
            if time != duration {
                let why = format!("the times of `{name}` are {time} together, not {duration}");
                return Err(self.words.wrong(why));
            }
            let (net, index) = self.split(&name)?;
            (self.each)(&self.path, net, Bit { index, high, toggles });
        }
        self.words.close()
    }

    /// `data\[3\]` is bit 3 of `data`.
    fn split<'n>(&self, name: &'n str) -> Result<(&'n str, u32), SimError> {
        let Some((net, index)) = name.strip_suffix("\\]").and_then(|rest| rest.rsplit_once("\\["))
        else {
            return Ok((name, 0));
        };
        let index = index
            .parse()
            .map_err(|_| self.words.wrong(format!("`{index}` is no number of a bit")))?;
        Ok((net, index))
    }
}
