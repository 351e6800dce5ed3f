//! `sterna chat` with lines from a pipe.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// A directory to work in.
pub struct Desk(TempDir);

impl Desk {
    pub fn new() -> Desk {
        Desk(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sterna"));
        command.args(args).current_dir(self.0.path()).env_clear();
        command
    }

    /// Standard output and standard error of a conversation.
    fn talk(&self, args: &[&str], lines: &str) -> (String, String) {
        let command = self.command(&[&["chat"], args].concat());
        let mut command = assert_cmd::Command::from_std(command);
        let output = command.write_stdin(lines).assert().success().get_output().clone();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (text(output.stdout), text(output.stderr))
    }

    /// The answers as JSON.
    fn answers(&self, args: &[&str], lines: &str) -> Vec<Value> {
        let (out, _) = self.talk(&[args, &["--json"]].concat(), lines);
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[test]
fn lines_are_answered() {
    let desk = Desk::new();
    let lines = "Who is there?\r\n\n   \nWhy?";
    for device in ["golden", "float"] {
        let args = ["-n", "12", "--device", device, "--temp", "0.7", "--seed", "2"];
        let (out, err) = desk.talk(&args, lines);
        assert_eq!(err, "");
        let answers = desk.answers(&args, lines);
        let texts: Vec<&str> = answers.iter().map(|turn| turn["text"].as_str().unwrap()).collect();
        assert_eq!(texts.len(), 2);
        assert_eq!(
            out,
            texts.iter().map(|text| text.trim_start().to_owned() + "\n").collect::<String>()
        );
        assert_eq!(answers[0]["question"], "Who is there?");
        assert_eq!(answers[1]["read_again"], false);
        let count = |turn: &Value, key: &str| turn[key].as_u64().unwrap();
        assert_eq!(
            count(&answers[0], "prompt_tokens") + 12,
            count(&answers[0], "conversation_tokens")
        );
        assert!(count(&answers[1], "prompt_tokens") < count(&answers[0], "conversation_tokens"));
    }
    // Two slashes say one.
    let said = desk.answers(&["-n", "2"], "//reset\n");
    assert_eq!(said[0]["question"], "/reset");
    // Another beginning gives another answer.
    let plain = desk.answers(&["-n", "12"], "Why?\n");
    let told = desk.answers(&["-n", "12", "--system", "A tragedy."], "Why?\n");
    assert!(told[0]["prompt_tokens"].as_u64() > plain[0]["prompt_tokens"].as_u64());
}

#[test]
fn json_keys_are_stable() {
    let desk = Desk::new();
    let answers = desk.answers(&["-n", "3"], "Why?\n");
    let keys: Vec<&String> = answers[0].as_object().unwrap().keys().collect();
    insta::assert_snapshot!(format!("{keys:?}"), @r#"["conversation_tokens", "decode_seconds", "ended", "prompt_seconds", "prompt_tokens", "question", "read_again", "text", "tokens"]"#);
}

#[test]
fn commands_are_obeyed() {
    let desk = Desk::new();
    let warm = ["-n", "8", "--temp", "1"];
    let lines = "/save a.state\nWho?\n/save a.state\n/reset\n/load a.state\n/load missing.state\n\
                 /load\n/rest\n/frobnicate now\n/stats\n/help\n/quit\nnever said\n";
    let (out, err) = desk.talk(&warm, lines);
    assert_eq!(out.trim_end().matches("never").count(), 0);
    let mut told = String::new();
    // Joules are there where the processor counts them.
    for line in err.lines().filter(|line| !line.starts_with("energy ")) {
        // Speeds are the machine's, the file's length that of the answer.
        let words = line.split(' ').map(|word| match word.parse::<f64>() {
            Ok(_) if word.contains('.') || line.contains("a.state:") => "N",
            _ => word,
        });
        writeln!(told, "{}", words.collect::<Vec<_>>().join(" ")).unwrap();
    }
    insta::assert_snapshot!(told);
    // What was kept goes on as if it had not been.
    let whole = desk.answers(&warm, "Who?\nWhy?\nAnd?\n");
    let rest = desk.answers(&warm, "/load a.state\nWhy?\nAnd?\n");
    for (a, b) in whole[1..].iter().zip(&rest) {
        assert_eq!((&a["text"], &a["prompt_tokens"]), (&b["text"], &b["prompt_tokens"]));
    }
    assert_eq!(rest.len(), 2);
    // `run` goes on from it as well.
    let run = desk.command(&["run", "--state", "a.state", "-n", "3"]);
    assert_cmd::Command::from_std(run).assert().success();
}

#[test]
fn what_is_wrong_is_told() {
    let desk = Desk::new();
    let mut told = String::new();
    for (args, lines) in [
        (&["chat", "missing.sterna"][..], &b"Who?\n"[..]),
        (&["chat"], b"caf\xe9\n"),
        (&["chat"], &[b'a'; (1 << 20) + 2]),
    ] {
        let mut command = assert_cmd::Command::from_std(desk.command(args));
        let output = command.write_stdin(lines).assert().code(1).stdout("").get_output().clone();
        told += &String::from_utf8(output.stderr).unwrap();
    }
    insta::assert_snapshot!(told);
}

/// Waits for something, for a generous time.
pub fn within(what: &str, mut happened: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !happened() {
        assert!(begin.elapsed() < Duration::from_secs(120), "not within two minutes: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// What Ctrl-C sends.
fn interrupt(child: &Child) {
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
}

#[test]
fn an_answer_is_interrupted_and_the_conversation_goes_on() {
    let desk = Desk::new();
    let mut command = desk.command(&["chat", "-n", "1000000", "--temp", "1"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    for _ in 0..2 {
        stdin.write_all(b"Who?\n").unwrap();
        let mut some = [0; 20];
        stdout.read_exact(&mut some).unwrap();
        // It may be that the answer ended by itself just before; it is a million tokens long.
        interrupt(&child);
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        assert_eq!(line, "note: interrupted\n");
        // The rest of this answer is there already, and is no sign of the next one.
        let rest = rustix::io::ioctl_fionread(&stdout).unwrap();
        stdout.read_exact(&mut vec![0; rest as usize]).unwrap();
    }
    stdin.write_all(b"/quit\n").unwrap();
    let mut rest = vec![];
    stdout.read_to_end(&mut rest).unwrap();
    assert!(child.wait().unwrap().success());
}

/// Nobody answers, so Ctrl-C ends the program as it does others.
#[test]
fn while_a_line_is_waited_for_an_interrupt_ends_it() {
    use std::os::unix::process::ExitStatusExt;
    let desk = Desk::new();
    let mut command = desk.command(&["chat", "-n", "1"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    child.stdin.as_mut().unwrap().write_all(b"Who?\n").unwrap();
    let mut answer = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut answer).unwrap();
    within("the end", || {
        interrupt(&child);
        child.try_wait().unwrap().is_some()
    });
    assert_eq!(child.wait().unwrap().signal(), Some(signal_hook::consts::SIGINT));
}
