//! A PCIe card end to end: the command over the nodes of a fake card.

#[path = "card/desk.rs"]
mod desk;

use std::process::Stdio;

use desk::{Desk, fuse};
use serde_json::Value;

#[test]
fn the_text_is_goldens() {
    let Some(desk) = fuse("the_text_is_goldens") else { return };
    for args in [
        &["run", "demo.sterna", "ROMEO:\n", "-n", "40", "--json"][..],
        &["run", "demo.sterna", "ROMEO:\n", "-n", "30", "--temp", "0.9", "--seed", "7", "--json"],
        &["run", "demo.sterna", "--tokens", "1,2,3", "-n", "70", "--ignore-eos", "--json"],
    ] {
        let tokens = |value: Value| value["tokens"].clone();
        assert_eq!(tokens(desk.json(&desk.with_card(args))), tokens(desk.json(args)), "{args:?}");
    }
    let score = ["eval", "demo.sterna", "--text", "text.txt", "--window", "32", "--json"];
    assert_eq!(desk.json(&desk.with_card(&score))["nll"], desk.json(&score)["nll"]);
}

#[test]
fn a_small_memory_is_streamed_through() {
    if !desk::has_fuse("a_small_memory_is_streamed_through") {
        return;
    }
    let mut desk = Desk::new();
    desk.start_for("demo.sterna", "128K", &[]);
    let run = ["run", "demo.sterna", "ROMEO:\n", "-n", "10"];
    let card = desk.with_card(&[&run[..], &["--card-memory", "128K"]].concat());
    let error = desk.fails(&card);
    assert!(error.starts_with("error[C005]: ") && error.contains("--stream-weights"), "{error}");
    let (text, notes) = desk.says(&[&card[..], &["--stream-weights"]].concat());
    assert_eq!(text, desk.text(&run));
    assert!(notes.starts_with("note: the card's memory is too small for the model"), "{notes}");
    assert!(notes.contains("weights sent at"), "{notes}");
}

#[test]
fn one_process_at_a_time() {
    let Some(desk) = fuse("one_process_at_a_time") else { return };
    let run = desk.with_card(&["run", "demo.sterna", "ROMEO:\n", "-n", "60"]);
    // Pinned by a text that nobody reads.
    let long = desk.with_card(&["run", "demo.sterna", "ROMEO:\n", "-n", "100000", "--ignore-eos"]);
    let mut first = desk.command(&long).stdout(Stdio::piped()).spawn().unwrap();
    let mut byte = [0];
    std::io::Read::read_exact(first.stdout.as_mut().unwrap(), &mut byte).unwrap();
    let error = desk.fails(&run);
    assert!(error.starts_with("error[X007]: ") && error.contains("xdma0_control"), "{error}");
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(desk.text(&run), desk.text(&["run", "demo.sterna", "ROMEO:\n", "-n", "60"]));
}

/// Without --device a card that can be used is used, and one that cannot is not; which is said.
#[test]
fn a_card_is_chosen_if_it_can_be_used() {
    let Some(mut desk) = fuse("a_card_is_chosen_if_it_can_be_used") else { return };
    let run = ["run", "demo.sterna", "ROMEO:\n", "-n", "10", "--root", "card"];
    let (text, notes) = desk.says(&run);
    assert!(notes.starts_with("note: the card computes") && notes.contains("[xdma]"), "{notes}");
    desk.start(&["--fault", "geometry@identify"]);
    let (again, notes) = desk.says(&run);
    assert!(notes.starts_with("note: golden computes, as the card cannot be used: "), "{notes}");
    assert!(notes.contains("error[C00") && notes.contains("[golden]"), "{notes}");
    desk.stop();
    let (last, notes) = desk.says(&run);
    assert!(!notes.contains("note:") && notes.contains("[golden]"), "{notes}");
    assert_eq!((&again, &last), (&text, &text));
}

#[test]
fn what_is_missing_is_told() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("empty")).unwrap();
    let run = ["run", "demo.sterna", "x", "--device", "xdma", "--root", "empty"];
    assert_eq!(desk.fails(&run).split(':').next(), Some("error[X002]"));
    let error = desk.fails(&["fake-card", "--mount", "nowhere"]);
    assert_eq!(error.split(':').next(), Some("error[S020]"));
}
