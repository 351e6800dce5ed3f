//! `sterna plan`: the budget of a token, and its picture.

use std::fs;

use serde_json::Value;

use super::Desk;

/// A file, its shape alone, and a slower memory.
#[test]
fn plans_of_a_token() {
    let desk = Desk::with_models();
    let (of_file, err) = desk.ok(&["plan", "tiny.sterna", "--bus", "64"]);
    assert_eq!(err, "");
    let (of_shape, _) = desk.ok(&["plan", "--shape", "tiny", "--bus", "64"]);
    assert_eq!(of_file.split_once(':').unwrap().1, of_shape.split_once(':').unwrap().1);
    let slow = ["plan", "--shape", "370m", "--clock", "250", "--bandwidth", "10"];
    insta::assert_snapshot!("plans", of_file + "\n" + &desk.ok(&slow).0);

    let plan = desk.json(&["plan", "--shape", "370m"]);
    let int = |of: &Value, key: &str| of[key].as_u64().unwrap();
    let parts = ["beats", "starved", "blocked", "idle"];
    assert_eq!(int(&plan, "cycles"), parts.iter().map(|key| int(&plan, key)).sum::<u64>());
    let kinds = plan["instructions"].as_array().unwrap();
    for key in ["cycles", "beats", "starved", "blocked", "idle"] {
        assert_eq!(int(&plan, key), kinds.iter().map(|kind| int(kind, key)).sum::<u64>(), "{key}");
    }
    assert_eq!(plan["evidence"], "simulated-exact timing model");
    assert_eq!(plan["tokens_per_second"], Value::Null);
    assert!(plan["utilisation"].as_f64().unwrap() > 0.97, "{}", plan["utilisation"]);
}

/// The picture of a token: the same bytes each time, with the figures that the text has.
#[test]
fn timelines_of_a_token() {
    let desk = Desk::with_models();
    let draw = |file: &str, more: &[&str]| {
        let args = [&["plan", "tiny.sterna", "--bus", "64", "--svg", file][..], more].concat();
        let plan = desk.json(&args);
        assert_eq!(plan["svg"], file);
        (plan, fs::read_to_string(desk.path(file)).unwrap())
    };
    let (plan, picture) = draw("one.svg", &[]);
    assert_eq!(picture, draw("two.svg", &[]).1);
    assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n"));
    for text in [
        &format!("{} clocks", plan["cycles"]) as &str,
        "simulated-exact timing model",
        "Layer 1;",
        ">MIX_I<",
        ">DOWN<",
    ] {
        assert!(picture.contains(text), "{text}");
    }
    let slow = ["--clock", "100", "--bandwidth", "0.4"];
    let (plan, picture) = draw("one.svg", &slow);
    let rate = format!("{:.2} tokens/s", plan["tokens_per_second"].as_f64().unwrap());
    assert!(picture.contains(&rate) && picture.contains("(projected)"), "{rate}");
    assert!(!picture.contains("simulated"));
}
