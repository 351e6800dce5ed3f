//! A board on a serial line end to end: the command over the terminal of a fake board.

#[path = "card/desk.rs"]
mod desk;

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use desk::Desk;

/// A fake board, as long as it is wanted.
struct Board(Child);

impl Board {
    fn start(desk: &Desk) -> Board {
        let args = ["fake-board", "--port", "board", "--model", "demo.sterna"];
        let mut child = desk.command(&args).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("a board is at board"), "{line}");
        Board(child)
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        let _ = self.0.kill();
        self.0.wait().unwrap();
    }
}

fn with_board<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [args, &["--device", "uart", "--port", "board"]].concat()
}

#[test]
fn the_text_is_goldens() {
    let desk = Desk::new();
    let _board = Board::start(&desk);
    for args in [
        &["run", "demo.sterna", "ROMEO:\n", "-n", "20", "--json"][..],
        &["run", "demo.sterna", "ROMEO:\n", "-n", "9", "--temp", "0.9", "--seed", "7", "--json"],
    ] {
        let tokens = |args: &[&str]| desk.json(args)["tokens"].clone();
        assert_eq!(tokens(&with_board(args)), tokens(args), "{args:?}");
    }
}

/// A board that was killed leaves its path behind; the next one takes it over.
#[test]
fn a_board_comes_back() {
    let desk = Desk::new();
    let run = ["run", "demo.sterna", "ROMEO:\n", "-n", "5"];
    drop(Board::start(&desk));
    assert!(desk.fails(&with_board(&run)).starts_with("error[U012]: "));
    let _board = Board::start(&desk);
    assert_eq!(desk.text(&with_board(&run)), desk.text(&run));
}

#[test]
fn what_is_wrong_with_a_port_is_told() {
    let desk = Desk::new();
    let run = ["run", "demo.sterna", "x", "--device", "uart"];
    let mut said = desk.fails(&run);
    let mut port = |name: &str| said += &desk.fails(&[&run[..], &["--port", name]].concat());
    port("nowhere");
    fs::write(desk.path("text"), "no port").unwrap();
    port("text");
    let _board = Board::start(&desk);
    let held = File::options().read(true).write(true).open(desk.path("board")).unwrap();
    held.lock().unwrap();
    port("board");
    said += &desk.fails(&["fake-board", "--port", "no/such/folder"]);
    insta::assert_snapshot!(said);
}
