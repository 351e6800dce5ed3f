//! The file of defaults, and how much is told.

use std::fmt::Write as _;

use super::ROMEO;
use super::desk::Desk;

const FILE: &str = "\
threads = 1
device = 'golden'

[run]
count = 3
ignore-eos = true

[power.run]
runs = 2
";

/// What a command says with a file of defaults: standard output and standard error.
fn with(desk: &Desk, file: &str, args: &[&str]) -> (Option<i32>, String, String) {
    desk.write("config.toml", file);
    let output = desk.command(args).env("STERNA_CONFIG", "config.toml").output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_default_is_as_if_it_were_typed() {
    let desk = Desk::with_models();
    let of = |args: &[&str]| {
        let (code, out, err) = with(&desk, FILE, &[args, &["--json"]].concat());
        assert_eq!((code, &*err), (Some(0), ""), "{args:?}");
        let said: serde_json::Value = serde_json::from_str(&out).unwrap();
        (said["tokens"].as_array().unwrap().len(), said["device"].as_str().unwrap().to_owned())
    };
    assert_eq!(of(&["run", "tiny.sterna", ROMEO]), (3, "golden".into()));
    let typed = ["run", "tiny.sterna", ROMEO, "-n", "2", "--device", "float"];
    assert_eq!(of(&typed), (2, "float".into()), "what is typed wins");
    assert_eq!(desk.json(&["run", "tiny.sterna", ROMEO])["tokens"].as_array().unwrap().len(), 128);
    // One of a command wins over one of all.
    let file = "seed = 1\n[run]\nseed = 2\n";
    let text = |file: &str| with(&desk, file, &["run", "tiny.sterna", ROMEO, "--temp", "1"]).1;
    assert_eq!(text(file), text("seed = 2"));
    assert_ne!(text(file), text("seed = 1"));
    // What is required may stand there.
    let (code, out, _) = with(&desk, "[import]\noutput = 'new.sterna'", &["import", "tiny"]);
    assert_eq!(code, Some(0), "{out}");
    assert!(desk.path("new.sterna").is_file());
}

#[test]
fn the_file_is_where_the_system_says() {
    let desk = Desk::new();
    std::fs::create_dir_all(desk.path("home/.config/sterna")).unwrap();
    std::fs::create_dir_all(desk.path("xdg/sterna")).unwrap();
    desk.write("home/.config/sterna/config.toml", "threads = 3");
    desk.write("xdg/sterna/config.toml", "threads = 4");
    let explain = |set: &[(&str, &str)]| {
        let mut command = desk.command(&["config", "explain", "--json"]);
        for (name, value) in set {
            let absolute = desk.path(value);
            command.env(name, if value.is_empty() { std::path::Path::new("") } else { &absolute });
        }
        let said: serde_json::Value =
            serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
        (said["file_is_there"].as_bool().unwrap(), said["options"][0]["values"][0].clone())
    };
    assert_eq!(explain(&[]), (false, serde_json::Value::Null));
    assert_eq!(explain(&[("HOME", "home")]), (true, "3".into()));
    assert_eq!(explain(&[("HOME", "home"), ("XDG_CONFIG_HOME", "xdg")]), (true, "4".into()));
    assert!(!explain(&[("HOME", "home"), ("STERNA_CONFIG", "")]).0);
    assert_eq!(explain(&[("HOME", "nobody")]), (false, serde_json::Value::Null));
}

#[test]
fn what_is_wrong_with_it_is_told_with_its_line() {
    let desk = Desk::new();
    let mut messages = String::new();
    for file in [
        "threads = ",
        "threads = 1\nthreads = 2",
        "thread = 1",
        "flavour = 'strange'",
        "\n[rum]\ncount = 1",
        "[power.rum]\nruns = 1",
        "[run]\nthreads = 1",
        "[run]\ncounts = 1",
        "[run]\ncount = -1",
        "[run]\ntemp = 'hot'",
        "[run]\ncount = [1, 2]",
        "[run]\ncount = []",
        "[run]\ncount = [[1]]",
        "[run]\ncount = 1979-05-27",
        "[run]\nignore-eos = 'perhaps'",
        "[run.deeper]\ncount = 1",
        "device = 'gpu'",
        "help = true",
        "address = 'here'",
    ] {
        let (code, out, err) = with(&desk, file, &["run", ROMEO]);
        assert_eq!((code, &*out), (Some(1), ""), "{file}");
        writeln!(messages, "{}\n{err}", file.escape_debug()).unwrap();
    }
    let large = "#".repeat((1 << 20) + 1);
    writeln!(messages, "2^20 + 1 bytes\n{}", with(&desk, &large, &["run", ROMEO]).2).unwrap();
    let mut command = desk.command(&["run", ROMEO]);
    let missing = command.env("STERNA_CONFIG", "nowhere.toml").output().unwrap();
    assert_eq!(missing.status.code(), Some(1));
    messages += &String::from_utf8(missing.stderr).unwrap();
    messages += &desk.fails(&["config", "explain", "rum"], 1);
    messages += &desk.fails(&["config", "explain", "power", "walk-the-dog"], 1);
    insta::assert_snapshot!(messages);
}

/// Each value and where it comes from; secrets stay secret.
#[test]
fn defaults_are_explained() {
    let desk = Desk::new();
    let mut text = with(&desk, FILE, &["config", "explain", "run"]).1;
    text += "\n";
    desk.write("config.toml", FILE);
    let mut command = desk.command(&["config", "explain"]);
    let command = command.env("STERNA_CONFIG", "config.toml").env("STERNA_KEY", "top-secret-key");
    text += &String::from_utf8(command.output().unwrap().stdout).unwrap();
    insta::assert_snapshot!(text);
    assert!(!text.contains("top-secret"));
}

/// The list of environment variables is that of the code.
#[test]
fn every_variable_is_listed() {
    let mut found = Vec::new();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for folder in ["host/src", "model/src", "firmware/src", "hdl/src", "sim/src", "host/power/src"]
    {
        rust_files(&root.join(folder), &mut |text| {
            let text = text.split("#[cfg(test)]").next().unwrap();
            for call in text.split("env::var").skip(1) {
                let argument = call.trim_start_matches("_os").trim_start_matches("(\"");
                if argument.len() < call.trim_start_matches("_os").len() {
                    found.push(argument.split('"').next().unwrap().to_owned());
                }
            }
        });
    }
    found.sort_unstable();
    found.dedup();
    assert!(found.len() > 5, "{found:?}");
    // For who measures coverage of the hardware, not for users.
    found.retain(|name| name != "STERNA_COVERAGE");
    // By way of a function of their own.
    let by_name = ["HF_HOME", "HF_HUB_CACHE", "HF_TOKEN", "HF_TOKEN_PATH", "HF_ENDPOINT"];
    found.extend(by_name.map(str::to_owned));
    found.extend(["HF_HUB_OFFLINE", "SSL_CERT_FILE"].map(str::to_owned));
    found.extend(["STERNA_MODELS", "XDG_DATA_HOME"].map(str::to_owned));
    let listed = sterna::cmd::config::VARIABLES;
    let missing: Vec<_> =
        found.iter().filter(|name| listed.iter().all(|(known, _)| known != name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

fn rust_files(folder: &std::path::Path, visit: &mut dyn FnMut(&str)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, visit);
        } else if path.extension().is_some_and(|end| end == "rs") {
            visit(&std::fs::read_to_string(path).unwrap());
        }
    }
}

/// Quiet tells results and errors, verbose what is done; colours are for terminals alone.
#[test]
fn how_much_is_told() {
    let desk = Desk::with_models();
    let run = ["run", "tiny.sterna", ROMEO, "-n", "2"];
    let (text, usual) = desk.ok(&run);
    assert!(usual.contains("prompt tokens at"), "{usual}");
    let (quiet, nothing) = desk.ok(&[&["-q"][..], &run].concat());
    assert_eq!((&*quiet, &*nothing), (&*text, ""));
    let (same, more) = desk.ok(&[&run[..], &["--verbose"]].concat());
    assert_eq!(same, text);
    assert!(more.contains("tiny.sterna: image ") && more.contains("device golden"), "{more}");
    assert!(desk.fails(&["-q", "run", "none.sterna", ROMEO], 1).starts_with("error[H072]"));
    desk.fails(&["-q", "-v", "doctor"], 2);
    for (file, typed, told) in [
        ("quiet = true", "", false),
        ("quiet = true", "-v", true),
        ("verbose = true", "-q", false),
        ("quiet = true\nverbose = true", "", true),
    ] {
        let typed = Some(typed).filter(|typed| !typed.is_empty());
        let args: Vec<&str> = typed.into_iter().chain(run).collect();
        let (_, _, err) = with(&desk, file, &args);
        assert_eq!(err.contains("prompt tokens at"), told, "{file}, {typed:?}: {err}");
    }
}

#[test]
fn colours_are_for_terminals() {
    let desk = Desk::new();
    let escape = "\u{1b}[";
    let doctor = |set: &[(&str, &str)]| {
        let mut command = desk.command(&["doctor", "--sysroot", "."]);
        set.iter().for_each(|(name, value)| _ = command.env(name, value));
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    assert!(!doctor(&[]).contains(escape));
    let forced = doctor(&[("CLICOLOR_FORCE", "1")]);
    assert!(forced.contains(escape), "{forced}");
    assert!(!doctor(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]).contains(escape));
    let mut command = desk.command(&["run", "none.sterna", ROMEO]);
    let said = command.env("CLICOLOR_FORCE", "1").output().unwrap().stderr;
    assert!(String::from_utf8(said).unwrap().starts_with("\u{1b}[1m\u{1b}[31merror[H072]"));
}
