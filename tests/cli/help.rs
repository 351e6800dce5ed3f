//! Help, manual pages, completions; and who does not read to the end.

use std::fmt::Write as _;
use std::fs;

use super::ROMEO;
use super::desk::Desk;

/// Names of a command and of those below it, and whether each can be run.
fn list(command: &clap::Command, path: &str, names: &mut Vec<(String, bool)>) {
    names.push((path.to_owned(), !command.is_subcommand_required_set()));
    for sub in command.get_subcommands() {
        let path = format!("{path} {}", sub.get_name()).trim_start().to_owned();
        list(sub, &path, names);
    }
}

#[test]
fn help_of_every_command() {
    let desk = Desk::new();
    let mut text = String::new();
    let mut root = sterna::cli::command().disable_help_subcommand(true);
    root.build();
    let mut names = Vec::new();
    list(&root, "", &mut names);
    for (name, runs) in names {
        let args: Vec<&str> = name.split_whitespace().chain(["--help"]).collect();
        let (out, err) = desk.ok(&args);
        assert_eq!(err, "");
        writeln!(text, "$ sterna {}\n{out}", args.join(" ")).unwrap();
        let json = out.lines().filter(|line| line.trim_start().starts_with("--json")).count();
        // A script for a shell is no object.
        assert_eq!(json, usize::from(runs && name != "completions"), "{name} has --json");
        assert!(!runs || out.contains("Example"), "{name} has an example");
    }
    insta::assert_snapshot!(text);
    let version = desk.ok(&["--version"]).0;
    assert_eq!(version, format!("sterna {}\n", env!("CARGO_PKG_VERSION")));
}

/// `sterna … | head -0`: not an error, and above all no panic.
#[test]
fn a_closed_pipe_is_no_error() {
    let desk = Desk::new();
    for args in [
        &["run", ROMEO, "-n", "3"][..],
        &["run", ROMEO, "-n", "3", "--json"],
        &["disasm"],
        &["inspect", "--json"],
        &["hdl", "--bus", "64"],
        &["logits", "--tokens", "1", "-o", "l.st"],
        &["bench", "-n", "1", "--repeat", "1"],
        &["--help"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = desk.command(args).stdout(writer).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{args:?}: {message}");
        assert!(!message.contains("panicked"), "{args:?}: {message}");
    }
}

/// A page for each command, with its options and examples.
#[test]
fn manual_pages() {
    let desk = Desk::new();
    let said = desk.json(&["man", "-o", "man/man1"]);
    let files: Vec<&str> =
        said["files"].as_array().unwrap().iter().map(|file| file.as_str().unwrap()).collect();
    let page = |name: &str| fs::read_to_string(desk.path("man/man1").join(name)).unwrap();
    for file in &files {
        let name = file.strip_suffix(".1").unwrap();
        let text = page(file);
        assert!(text.contains(".SH NAME") && text.contains(".SH SYNOPSIS"), "{file}");
        assert!(text.contains(&name.replace('-', "\\-")), "{file} names its command");
    }
    let known = ["sterna.1", "sterna-run.1", "sterna-power-run.1", "sterna-config-explain.1"];
    assert!(known.iter().all(|name| files.contains(name)), "{files:?}");
    assert!(page("sterna-run.1").contains("\\-\\-top\\-p"));
    assert!(page("sterna.1").contains("Exit codes"));
    let (out, _) = desk.ok(&["man", "-o", "man/man1"]);
    assert_eq!(out, format!("{} pages in man/man1\n", files.len()), "again over the same");
    desk.write("file", "");
    let message = desk.fails(&["man", "-o", "file/man1"], 1);
    assert!(message.starts_with("error[F001]: file/man1: cannot create: "), "{message}");
}

/// bash itself completes by the script.
#[test]
fn shells_complete() {
    let desk = Desk::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let (script, err) = desk.ok(&["completions", shell]);
        assert_eq!(err, "");
        assert!(script.contains("bitstream") && script.contains("top-p"), "{shell}");
    }
    desk.write("sterna.bash", desk.ok(&["completions", "bash"]).0);
    let ask = |words: &str, word: usize| {
        let ask = format!(
            "source sterna.bash; COMP_WORDS=({words}); COMP_CWORD={word}; \
             _sterna sterna \"${{COMP_WORDS[{word}]}}\" \"${{COMP_WORDS[{word}-1]}}\"; echo \"${{COMPREPLY[@]}}\""
        );
        let mut bash = std::process::Command::new("bash");
        let bash = bash.args(["-c", &ask]).current_dir(desk.path("."));
        String::from_utf8(bash.output().unwrap().stdout).unwrap()
    };
    assert_eq!(ask("sterna bits", 1), "bitstream\n");
    assert_eq!(ask("sterna run --top", 2), "--top-k --top-p\n");
    assert_eq!(ask("sterna run --device ''", 3), "golden float sim xdma uart\n");
}
