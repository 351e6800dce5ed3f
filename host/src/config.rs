//! The user's file of defaults: for every command, or for one.
//!
//! A key is the long name of an option. Above the first table it is the default of every command that
//! has the option; in a table it is that of one command, `[run]` or `[power.run]`, and comes first.
//! What stands on the command line wins over both.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, Command};
use toml::de::{DeTable, DeValue};

use crate::error::{HostError, Result};
use crate::nearest::nearest;
use crate::output::{line_of, read_text};

/// Names the file; empty for none.
pub const VARIABLE: &str = "STERNA_CONFIG";
/// Bytes of a file at most.
const MOST: u64 = 1 << 20;

/// A default that the file sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The command, word by word; empty for every command.
    pub command: Vec<String>,
    /// Long name of the option.
    pub option: String,
    /// Its values; several only for an option that may be given several times.
    pub values: Vec<String>,
    /// Line in the file, from 1.
    pub line: usize,
}

/// What the file says.
#[derive(Debug, Default)]
pub struct Config {
    /// The file; `None` where there is none to look for.
    pub file: Option<PathBuf>,
    /// Its settings, in order.
    pub settings: Vec<Setting>,
}

impl Config {
    /// Reads the file that `STERNA_CONFIG` names, else `sterna/config.toml` in `XDG_CONFIG_HOME` or
    /// `~/.config`, which need not exist.
    ///
    /// # Errors
    /// F001, H007, H060 to H062.
    pub fn read(command: &Command) -> Result<Config> {
        let named = env::var_os(VARIABLE);
        let must = named.is_some();
        let Some(file) = place(named, env::var_os("XDG_CONFIG_HOME"), env::var_os("HOME")) else {
            return Ok(Config::default());
        };
        let size = match fs::metadata(&file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !must => {
                return Ok(Config { file: Some(file), settings: Vec::new() });
            }
            found => found.map_err(HostError::io(&file, "read"))?.len(),
        };
        if size > MOST {
            let reason = format!("{size} bytes, at most {MOST} are read");
            return Err(HostError::ConfigSyntax { file, line: 1, reason });
        }
        let text = read_text(&file)?;
        Config::parse(file, &text, command)
    }

    /// Reads the text of a file, and checks it against the commands.
    ///
    /// # Errors
    /// H060 to H062, with the line.
    pub fn parse(file: PathBuf, text: &str, command: &Command) -> Result<Config> {
        let syntax = |error: toml::de::Error| HostError::ConfigSyntax {
            file: file.clone(),
            line: line_of(text, error.span().map_or(0, |span| span.start)),
            reason: error.message().trim().replace('\n', ", "),
        };
        let table = DeTable::parse(text).map_err(syntax)?;
        let mut reader = Reader { file: &file, text, root: command, settings: Vec::new() };
        reader.table(table.get_ref(), command, &[])?;
        let mut settings = reader.settings;
        settings.sort_by_key(|setting| setting.line);
        Ok(Config { file: Some(file), settings })
    }

    /// The default that the file has for an option of a command.
    pub fn setting(&self, command: &[String], arg: &Arg) -> Option<&Setting> {
        let option = arg.get_long().filter(|_| is_option(arg))?;
        let of = |path: &[String]| {
            let mut named = self.settings.iter().filter(|setting| setting.option == option);
            named.find(|setting| setting.command == path)
        };
        of(command).or_else(|| of(&[]))
    }

    /// The commands with these defaults.
    pub fn apply(&self, command: Command) -> Command {
        self.apply_below(command, &[])
    }

    fn apply_below(&self, command: Command, path: &[String]) -> Command {
        let command = command.mut_args(|arg| match self.setting(path, &arg) {
            Some(setting) => arg.required(false).default_values(setting.values.clone()),
            None => arg,
        });
        let names: Vec<String> =
            command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
        names.iter().fold(command, |command, name| {
            let path = [path, std::slice::from_ref(name)].concat();
            command.mut_subcommand(name, |sub| self.apply_below(sub, &path))
        })
    }
}

/// Where the file is, by three environment variables.
fn place(
    named: Option<OsString>,
    config: Option<OsString>,
    home: Option<OsString>,
) -> Option<PathBuf> {
    if let Some(named) = named {
        return (!named.is_empty()).then(|| named.into());
    }
    // A relative path is to be ignored (XDG Base Directory Specification).
    let absolute = |name: OsString| Some(PathBuf::from(name)).filter(|path| path.is_absolute());
    let folder = config.and_then(absolute);
    let folder = folder.or_else(|| Some(home.and_then(absolute)?.join(".config")))?;
    Some(folder.join("sterna/config.toml"))
}

/// Whether a file may set it: no positional argument, and nothing that ends the program.
pub fn is_option(arg: &Arg) -> bool {
    let action = arg.get_action();
    arg.get_long().is_some()
        && matches!(action, ArgAction::Set | ArgAction::Append | ArgAction::SetTrue)
}

struct Reader<'a> {
    file: &'a Path,
    text: &'a str,
    root: &'a Command,
    settings: Vec<Setting>,
}

impl Reader<'_> {
    fn table(&mut self, table: &DeTable<'_>, command: &Command, path: &[String]) -> Result<()> {
        for (key, value) in table {
            let at = line_of(self.text, key.span().start);
            let key: &str = key.get_ref();
            match value.get_ref() {
                DeValue::Table(table) => {
                    let Some(sub) = command.find_subcommand(key) else {
                        let names = command.get_subcommands().map(Command::get_name);
                        let key = format!("[{}]", [path, &[key.to_owned()]].concat().join("."));
                        return Err(self.unknown(at, key, "command", names));
                    };
                    self.table(table, sub, &[path, &[key.to_owned()]].concat())?;
                }
                value => self.setting(command, path, key, value, at)?,
            }
        }
        Ok(())
    }

    fn setting(
        &mut self,
        command: &Command,
        path: &[String],
        key: &str,
        value: &DeValue<'_>,
        line: usize,
    ) -> Result<()> {
        let known = if path.is_empty() { everywhere(command) } else { own(command) };
        let meant = |known: &[&Arg]| known.iter().any(|arg| arg.get_long() == Some(key));
        if !meant(&known) {
            if meant(&own(self.root)) {
                let reason = "is an option of every command; write it above the first [table]";
                return Err(self.wrong(line, key, reason.into()));
            }
            let names = known.iter().filter_map(|arg| arg.get_long());
            return Err(self.unknown(line, key.into(), "option", names));
        }
        let values = words(value).ok_or_else(|| {
            let reason = format!(
                "is of type {}; write text, a number, true, or a list of them",
                value.type_str()
            );
            self.wrong(line, key, reason)
        })?;
        let mut meant = known.iter().filter(|arg| arg.get_long() == Some(key));
        if let Some(reason) = meant.find_map(|arg| check(arg, &values)) {
            return Err(self.wrong(line, key, reason));
        }
        let command = path.to_vec();
        self.settings.push(Setting { command, option: key.into(), values, line });
        Ok(())
    }

    fn wrong(&self, line: usize, key: &str, reason: String) -> HostError {
        HostError::ConfigValue { file: self.file.into(), line, key: key.into(), reason }
    }

    fn unknown<'n>(
        &self,
        line: usize,
        key: String,
        kind: &'static str,
        known: impl Iterator<Item = &'n str>,
    ) -> HostError {
        let word = key.trim_matches(['[', ']']).rsplit('.').next().unwrap_or_default();
        let hint = match nearest(word, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`sterna config explain COMMAND` lists what there is".into(),
        };
        HostError::ConfigKey { file: self.file.into(), line, key, kind, hint }
    }
}

/// The options of a command.
fn own(command: &Command) -> Vec<&Arg> {
    command.get_arguments().filter(|arg| is_option(arg)).collect()
}

/// Those of all commands below it, too.
fn everywhere(command: &Command) -> Vec<&Arg> {
    let below = command.get_subcommands().flat_map(everywhere);
    own(command).into_iter().chain(below).collect()
}

/// A value as the words of a command line.
fn words(value: &DeValue<'_>) -> Option<Vec<String>> {
    Some(match value {
        DeValue::String(text) => vec![text.to_string()],
        DeValue::Integer(number) => vec![number.to_string()],
        DeValue::Float(number) => vec![number.to_string()],
        DeValue::Boolean(switch) => vec![switch.to_string()],
        DeValue::Array(list) => {
            let words = list.iter().map(|value| match value.get_ref() {
                DeValue::Array(_) => None,
                value => words(value),
            });
            words.collect::<Option<Vec<_>>>()?.concat()
        }
        DeValue::Table(_) | DeValue::Datetime(_) => return None,
    })
}

/// What an option has against values: what it would say of them on the command line.
fn check(arg: &Arg, values: &[String]) -> Option<String> {
    let several = matches!(arg.get_action(), ArgAction::Append)
        || arg.get_num_args().is_some_and(|range| range.max_values() > 1);
    if values.len() != 1 && !several {
        return Some(format!("has {} values; --{} takes one", values.len(), arg.get_long()?));
    }
    let long = arg.get_long()?.to_owned();
    let switch = matches!(arg.get_action(), ArgAction::SetTrue);
    let parser = arg.get_value_parser().clone();
    // Alone, as its relations to others are the command line's business.
    let alone = Arg::new("value").long(long.clone()).action(ArgAction::Append).num_args(1);
    let alone = if switch {
        alone.value_parser(clap::value_parser!(bool))
    } else {
        alone.value_parser(parser)
    };
    let command = Command::new("sterna").no_binary_name(true).arg(alone);
    let line = values.iter().map(|value| format!("--{long}={value}"));
    let error = command.try_get_matches_from(line).err()?.to_string();
    let said = error.trim_start_matches("error: ").split("\n\n").next()?;
    // Of `invalid value 'x' for '--temp <value>': reason` without the option's name.
    let said = said.replace(&format!(" for '--{long} <value>'"), "");
    Some(said.split('\n').map(str::trim).collect::<Vec<_>>().join(" "))
}
