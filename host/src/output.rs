//! What is printed, and where: results on standard output, everything else on standard error.

use std::fs;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::OnceLock;

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use sterna_firmware::file::{persist, temporary};

use crate::error::{HostError, Result};

/// How much is told beside results and errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing.
    Quiet,
    /// What a user has to know, statistics, progress.
    Usual,
    /// Also what is done, and how long it takes.
    Verbose,
}

static LEVEL: OnceLock<Level> = OnceLock::new();

/// Chooses how much is told; the first choice stays.
pub fn tell(level: Level) {
    let _ = LEVEL.set(level);
}

fn told(level: Level) -> bool {
    LEVEL.get().unwrap_or(&Level::Usual) >= &level
}

const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
const GREEN: Style = AnsiColor::Green.on_default().bold();
const CYAN: Style = AnsiColor::Cyan.on_default().bold();

/// Prints one JSON object on a line of its own.
pub fn json(value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string(value).expect("a report is plain data");
    line(&text)
}

/// Prints a line.
pub fn line(text: &str) -> Result<()> {
    print(text)?;
    print("\n")
}

/// Prints text as it is, at once.
pub fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(HostError::Output)
}

/// How something that was looked at is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// As it should be.
    Good,
    /// Not quite, or not looked at.
    Doubtful,
    /// Wrong.
    Bad,
}

/// Prints a line that begins with a word on how something is, in colour on a terminal.
pub fn marked(mark: Mark, word: &str, text: &str) -> Result<()> {
    let style = match mark {
        Mark::Good => GREEN,
        Mark::Doubtful => YELLOW,
        Mark::Bad => RED,
    };
    let mut out = anstream::stdout().lock();
    writeln!(out, "{style}{word}{style:#}{text}")
        .and_then(|()| out.flush())
        .map_err(HostError::Output)
}

/// Tells of an error, on standard error.
pub fn failure(error: &HostError) {
    anstream::eprintln!("{RED}error[{}]{RED:#}: {error}", error.code());
}

/// Tells something that a user has to know beside the result, on standard error.
pub fn note(text: &str) {
    if told(Level::Usual) {
        anstream::eprintln!("{CYAN}note{CYAN:#}: {text}");
    }
}

/// Tells how far a long piece of work is, or what it took, on standard error.
pub fn aside(text: &str) {
    if told(Level::Usual) {
        eprintln!("{text}");
    }
}

/// Tells what is done, to who asked for it with `--verbose`, on standard error.
pub fn detail(text: &str) {
    if told(Level::Verbose) {
        eprintln!("{text}");
    }
}

/// A progress bar on a terminal's standard error; nothing elsewhere, or for who wants quiet.
pub fn bar(total: u64, unit: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() || !told(Level::Usual) {
        return ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
    }
    let template = match unit {
        "bytes" => "{bar:32} {percent:>3} %  {bytes}/{total_bytes}  {bytes_per_sec}  {eta}  {msg}",
        _ => "{bar:32} {percent:>3} %  {pos}/{len}  {per_sec}  {eta}  {msg}",
    };
    let style = ProgressStyle::with_template(template).expect("the template is a constant");
    ProgressBar::new(total).with_style(style)
}

/// Writes a file by renaming a finished temporary one into place.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = temporary(path)?;
    file.write_all(bytes).map_err(HostError::io(path, "write"))?;
    Ok(persist(file, path)?)
}

/// Reads a UTF-8 text file.
pub fn read_text(path: &Path) -> Result<String> {
    let bytes = fs::read(path).map_err(HostError::io(path, "read"))?;
    String::from_utf8(bytes).map_err(|error| HostError::NotUtf8 {
        path: path.into(),
        offset: error.utf8_error().valid_up_to(),
    })
}

/// Line of a byte of a text, from 1.
pub fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

/// Largest resident memory of this process so far in bytes, where the system tells.
pub fn peak_memory() -> Option<u64> {
    of_status("VmHWM:")
}

/// Resident memory of this process now in bytes, where the system tells.
pub fn memory() -> Option<u64> {
    of_status("VmRSS:")
}

fn of_status(name: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

/// Bytes for people.
pub fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

/// An error as part of a JSON object.
pub fn error(error: &HostError) -> serde_json::Value {
    serde_json::json!({ "code": error.code(), "message": error.to_string() })
}

/// The error of a meter as part of a JSON object.
pub fn meter_error(error: &sterna_power::PowerError) -> serde_json::Value {
    serde_json::json!({ "code": error.code(), "message": error.to_string() })
}

/// A moment, seconds since 1970: `2026-09-21 14:13:20 UTC`.
pub fn date(unix: f64) -> String {
    // Whoever wrote the file chose the number: a million years are enough.
    let seconds = unix.clamp(0.0, 3.0e13) as i64;
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Days since March of the year 0, so that a leap day ends its year.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, month) = (day - (153 * month + 2) / 5 + 1, (month + 2) % 12 + 1);
    let year = year + 400 * era + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date(0.0), "1970-01-01 00:00:00 UTC");
        assert_eq!(date(951_782_400.0), "2000-02-29 00:00:00 UTC");
        assert_eq!(date(1_790_000_000.5), "2026-09-21 14:13:20 UTC");
        assert_eq!(date(4_107_542_400.0), "2100-03-01 00:00:00 UTC");
        assert_eq!(date(f64::NAN), "1970-01-01 00:00:00 UTC");
        assert!(date(1e300).ends_with("UTC"));
    }
}
