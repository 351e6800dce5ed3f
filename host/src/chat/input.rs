//! Lines from a terminal, with editing and history, or from anything else.

use std::env;
use std::fs;
use std::io::{BufRead, IsTerminal, Read};
use std::path::{Path, PathBuf};

use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{Config, Editor};

use crate::error::{HostError, Result};
use crate::output;

/// Lines that the history keeps.
const LINES: usize = 1000;
/// Bytes of a history that is read, and of a line that is read or kept in it.
const MOST: u64 = 1 << 20;
const LONGEST: usize = 4096;

/// What was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A line, without its end.
    Text(String),
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D, or the end of the file.
    End,
}

/// Where lines come from.
pub enum Input {
    /// A terminal.
    Terminal(Box<Terminal>),
    /// A pipe or a file.
    Plain,
}

/// A terminal with its history.
pub struct Terminal {
    editor: Editor<(), FileHistory>,
    history: Option<PathBuf>,
}

impl Input {
    /// Standard input, whatever it is.
    ///
    /// # Errors
    /// Those of a terminal that cannot be set up.
    pub fn open() -> Result<Input> {
        if !std::io::stdin().is_terminal() {
            return Ok(Input::Plain);
        }
        let config = Config::builder().max_history_size(LINES).map_err(wrap)?;
        let config = config.history_ignore_dups(true).map_err(wrap)?.build();
        let mut editor = Editor::with_config(config).map_err(wrap)?;
        let history = history_file();
        // Without a history, or with a damaged one, lines can be typed all the same.
        if let Some(path) = history.as_deref().filter(|path| is_small(path)) {
            let _ = editor.load_history(path);
        }
        Ok(Input::Terminal(Box::new(Terminal { editor, history })))
    }

    /// Whether somebody types.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Input::Terminal(_))
    }

    /// The next line.
    ///
    /// # Errors
    /// Those of reading; of a line that is no UTF-8, or longer than a megabyte.
    pub fn line(&mut self) -> Result<Line> {
        match self {
            Input::Terminal(terminal) => terminal.line(),
            Input::Plain => plain(),
        }
    }
}

impl Terminal {
    fn line(&mut self) -> Result<Line> {
        let line = match self.editor.readline("> ") {
            Ok(line) => line,
            Err(ReadlineError::Eof) => return Ok(Line::End),
            Err(ReadlineError::Interrupted) => return Ok(Line::Interrupt),
            Err(error) => return Err(wrap(error)),
        };
        if !line.trim().is_empty() && line.len() <= LONGEST {
            let _ = self.editor.add_history_entry(line.as_str());
            if let Some(path) = &self.history {
                let _ = path.parent().map(fs::create_dir_all);
                if let Err(error) = self.editor.save_history(path) {
                    output::note(&format!("{}: no history: {error}", path.display()));
                    self.history = None;
                }
            }
        }
        Ok(Line::Text(line))
    }
}

/// A line of a pipe or file.
fn plain() -> Result<Line> {
    let path = Path::new("standard input");
    let mut bytes = vec![];
    let mut input = std::io::stdin().lock().take(MOST + 1);
    input.read_until(b'\n', &mut bytes).map_err(HostError::io(path, "read"))?;
    if bytes.len() as u64 > MOST {
        // A line of more than a megabyte.
        return Err(HostError::io(path, "read")(std::io::ErrorKind::FileTooLarge.into()));
    }
    if bytes.is_empty() {
        return Ok(Line::End);
    }
    let text = String::from_utf8(bytes).map_err(|error| HostError::NotUtf8 {
        path: path.into(),
        offset: error.utf8_error().valid_up_to(),
    })?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Line::Text(text.strip_suffix('\r').unwrap_or(text).into()))
}

/// `chat_history` in `sterna` of `XDG_STATE_HOME`, else of `~/.local/state`.
fn history_file() -> Option<PathBuf> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let states =
        absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    Some(states.join("sterna/chat_history"))
}

/// Whether a file is a plain one of a sensible size.
fn is_small(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() <= MOST)
}

/// An error of the terminal.
fn wrap(error: ReadlineError) -> HostError {
    HostError::io(Path::new("the terminal"), "read")(std::io::Error::other(error.to_string()))
}
