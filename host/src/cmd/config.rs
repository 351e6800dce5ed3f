//! `sterna config`: which defaults are in force, and where they come from.

use std::env;
use std::path::Path;

use clap::{Arg, Command, Subcommand};
use serde::Serialize;
use serde_json::json;

use crate::cli;
use crate::config::{Config, is_option};
use crate::error::{HostError, Result};
use crate::nearest::nearest;
use crate::output;

/// Tell which defaults are in force
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: What,
}

#[derive(Subcommand)]
enum What {
    Explain(Explain),
}

/// Tell where the value of each option comes from
///
/// Without a command: the file of defaults, what it sets, and the environment variables that sterna
/// reads. With one: each of its options, its default, and the line of the file that sets it.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  sterna config explain\n  sterna config explain run\n  \
                        sterna config explain power run\n\n\
                        The file is ~/.config/sterna/config.toml, or what STERNA_CONFIG names:\n  \
                        threads = 2\n  device = \"golden\"\n\n  \
                        [run]\n  temp = 0.6\n  top-p = 0.4")]
struct Explain {
    /// A command, such as `run` or `power run`
    command: Vec<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Environment variables that change what sterna does, and what they are for.
pub const VARIABLES: [(&str, &str); 22] = [
    ("STERNA_CONFIG", "the file of defaults; empty for none"),
    ("STERNA_CACHE", "folder of compiled simulations"),
    ("STERNA_KEY", "key of the server"),
    ("STERNA_MODELS", "folder of pulled models"),
    ("HF_HOME", "folder of the hub's cache and token, else ~/.cache/huggingface"),
    ("HF_HUB_CACHE", "the hub's cache alone"),
    ("HF_TOKEN", "token for the hub"),
    ("HF_TOKEN_PATH", "file of the token"),
    ("HF_ENDPOINT", "another hub"),
    ("HF_HUB_OFFLINE", "1: ask no hub"),
    ("HTTPS_PROXY", "way to the hub, unless ALL_PROXY is set; else HTTP_PROXY"),
    ("NO_PROXY", "hosts that need no proxy"),
    ("SSL_CERT_FILE", "roots of certificates, else those of Mozilla"),
    ("XDG_CONFIG_HOME", "folder of sterna/config.toml, else ~/.config"),
    ("XDG_CACHE_HOME", "folder of sterna/, compiled simulations, else ~/.cache"),
    ("XDG_DATA_HOME", "folder of sterna/models, else ~/.local/share"),
    ("XDG_STATE_HOME", "folder of sterna/, what was typed into chat, else ~/.local/state"),
    ("HOME", "where those folders are"),
    ("VERILATOR_ROOT", "Verilator, else that in PATH"),
    ("CXX", "compiler of simulations, else c++ in PATH"),
    ("PATH", "where tools are looked for"),
    ("NO_COLOR", "no colours on terminals"),
];

/// Variables whose value is nobody's business.
const SECRET: [&str; 2] = ["STERNA_KEY", "HF_TOKEN"];

/// An option of a command and where its default comes from.
#[derive(Serialize)]
struct Row {
    command: String,
    option: String,
    values: Vec<String>,
    source: &'static str,
    line: Option<usize>,
}

/// Runs the command.
pub fn run(args: Args, config: &Config) -> Result<()> {
    let What::Explain(args) = args.command;
    let rows = if args.command.is_empty() { settings(config) } else { options(config, &args)? };
    let file = config.file.as_deref();
    let there = file.is_some_and(Path::exists);
    if args.json {
        return output::json(&json!({
            "file": file,
            "file_is_there": there,
            "options": rows,
            "environment": VARIABLES.map(|(name, meaning)| {
                json!({ "name": name, "value": value(name), "meaning": meaning })
            }),
        }));
    }
    output::line(&match file {
        Some(file) if there => format!("file         {}", file.display()),
        Some(file) => format!("file         {} (is not there)", file.display()),
        None => "file         none".into(),
    })?;
    for Row { command, option, values, line, .. } in &rows {
        let whose = if command.is_empty() { "" } else { " of " };
        let from = line.map_or("default".into(), |line| format!("line {line}"));
        let values = if values.is_empty() { "-".into() } else { values.join(" ") };
        output::line(&format!("{from:<12} --{option} {values}{whose}{command}"))?;
    }
    if args.command.is_empty() {
        for (name, meaning) in VARIABLES {
            let value = value(name).unwrap_or("-".into());
            output::line(&format!("{:<12} {name}={value}: {meaning}", "environment"))?;
        }
    }
    Ok(())
}

/// What a variable is set to.
fn value(name: &str) -> Option<String> {
    let value = env::var_os(name)?;
    Some(if SECRET.contains(&name) { "(set)".into() } else { value.to_string_lossy().into() })
}

/// What the file sets.
fn settings(config: &Config) -> Vec<Row> {
    let row = |setting: &crate::config::Setting| Row {
        command: setting.command.join(" "),
        option: setting.option.clone(),
        values: setting.values.clone(),
        source: "file",
        line: Some(setting.line),
    };
    config.settings.iter().map(row).collect()
}

/// The options of a command, those of every command at its end.
fn options(config: &Config, args: &Explain) -> Result<Vec<Row>> {
    let root = cli::command();
    let mut command = &root;
    for name in &args.command {
        command = command.find_subcommand(name).ok_or_else(|| unknown(command, name))?;
    }
    let row = |path: &[String], arg: &Arg| {
        let setting = config.setting(path, arg);
        let own = || {
            let values = arg.get_default_values().iter();
            values.map(|value| value.to_string_lossy().into_owned()).collect()
        };
        Row {
            command: path.join(" "),
            option: arg.get_long().expect("an option has a name").to_owned(),
            values: setting.map_or_else(own, |setting| setting.values.clone()),
            source: if setting.is_some() { "file" } else { "default" },
            line: setting.map(|setting| setting.line),
        }
    };
    let of = |path: &[String], command: &Command| -> Vec<Row> {
        let args = command.get_arguments().filter(|arg| is_option(arg));
        args.map(|arg| row(path, arg)).collect()
    };
    let mut rows = of(&args.command, command);
    rows.extend(of(&[], &root));
    Ok(rows)
}

fn unknown(command: &Command, name: &str) -> HostError {
    let names = || command.get_subcommands().map(Command::get_name);
    let hint = match nearest(name, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`sterna help` lists them".into(),
    };
    HostError::NoCommand { name: name.into(), hint }
}
