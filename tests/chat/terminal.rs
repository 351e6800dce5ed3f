//! `sterna chat` at a terminal: editing, history, the end.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::command::{Desk, within};

/// A conversation at a terminal.
struct Terminal {
    child: Child,
    keys: File,
    screen: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Terminal {
    fn open(desk: &Desk, args: &[&str]) -> Terminal {
        let near = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&near).unwrap();
        unlockpt(&near).unwrap();
        let size = Winsize { ws_row: 40, ws_col: 200, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&near, size).unwrap();
        let name = ptsname(&near, vec![]).unwrap().into_string().unwrap();
        let far = || File::options().read(true).write(true).open(&name).unwrap();
        let mut command = desk.command(args);
        command.env("TERM", "xterm").env("XDG_STATE_HOME", desk.path("states"));
        command.stdin(Stdio::from(far())).stdout(Stdio::from(far())).stderr(Stdio::from(far()));
        let child = command.spawn().unwrap();
        let keys = File::from(near);
        let screen = Arc::new(Mutex::new(vec![]));
        let (mut shown, to) = (keys.try_clone().unwrap(), Arc::clone(&screen));
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // After the last one has closed the other end there is an error.
            while let Ok(count @ 1..) = shown.read(&mut bytes) {
                to.lock().unwrap().extend_from_slice(&bytes[..count]);
            }
        });
        Terminal { child, keys, screen, reader: Some(reader) }
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.screen.lock().unwrap()).into_owned()
    }

    /// Types when the program waits: after so many prompts.
    fn type_after(&mut self, prompts: usize, keys: &str) {
        within("a prompt", || self.shown().matches("\u{1b}[?2004h").count() >= prompts);
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    fn end(mut self) -> String {
        within("the end", || self.child.try_wait().unwrap().is_some());
        assert!(self.child.wait().unwrap().success());
        let screen = self.shown();
        drop(self.keys);
        // The reader ends with the terminal.
        let _ = self.reader.take().map(JoinHandle::join);
        screen
    }
}

#[test]
fn lines_are_edited_and_remembered() {
    let desk = Desk::new();
    let args = ["chat", "-n", "4", "--json"];
    let mut first = Terminal::open(&desk, &args);
    // A letter too many is taken back, one is put in further left.
    first.type_after(1, "Wh iss\x7f there?\x1b[D\x1b[H\x1b[C\x1b[Co\x1b[F\r");
    // The line before, by an arrow.
    first.type_after(2, "\x1b[A\r");
    // Ctrl-C leaves the line, Ctrl-D the program.
    first.type_after(3, "never said\x03");
    first.type_after(4, "\x04");
    let screen = first.end();
    let asked = screen.matches(r#""question":"Who is there?""#).count();
    assert_eq!(asked, 2, "{screen}");
    assert!(!screen.contains(r#""question":"never said""#), "{screen}");

    // Another conversation knows the lines of this one; the same line is kept once.
    let history = fs::read_to_string(desk.path("states/sterna/chat_history")).unwrap();
    assert_eq!(history.matches("Who is there?").count(), 1, "{history}");
    let mut second = Terminal::open(&desk, &args);
    second.type_after(1, "\x1b[A\r");
    second.type_after(2, "/quit\r");
    let screen = second.end();
    assert!(screen.contains(r#""question":"Who is there?""#), "{screen}");
}

#[test]
fn the_history_is_bounded() {
    let desk = Desk::new();
    fs::create_dir_all(desk.path("states/sterna")).unwrap();
    let path = desk.path("states/sterna/chat_history");
    let lines: String = (0..3000).map(|n| format!("line {n}\n")).collect();
    fs::write(&path, "#V2\n".to_owned() + &lines).unwrap();
    let mut terminal = Terminal::open(&desk, &["chat", "-n", "1"]);
    terminal.type_after(1, "/help\r");
    terminal.type_after(2, "\x04");
    let screen = terminal.end();
    assert!(screen.contains("/stats") && screen.contains("Ctrl-D ends"), "{screen}");
    let kept = fs::read_to_string(&path).unwrap();
    assert_eq!(kept.lines().count(), 1001, "a heading and a thousand lines");
    assert!(kept.ends_with("line 2999\n/help\n"), "{kept}");
    // One that cannot be written is done without.
    let file = desk.path("states");
    fs::remove_dir_all(&file).unwrap();
    fs::write(&file, "").unwrap();
    let mut terminal = Terminal::open(&desk, &["chat", "-n", "1"]);
    terminal.type_after(1, "/help\r");
    terminal.type_after(2, "\x04");
    assert!(terminal.end().contains("no history"));
}
