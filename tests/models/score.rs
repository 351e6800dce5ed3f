//! `sterna score`: layouts, likelihoods, results that are gone on with.

use std::fmt::Write as _;
use std::fs;
use std::sync::Arc;

use safetensors::SafeTensors;
use serde_json::{Value, json};
use sterna::devices::xdma::XdmaTransport;
use sterna::tasks::{self, Encoded, Item, Task, encode, likelihoods};
use sterna_firmware::device::Device;
use sterna_firmware::float::Float;
use sterna_firmware::geometry::Geometry;
use sterna_firmware::golden::Golden;
use sterna_firmware::model::Model;
use sterna_hdl::driver::{Card, Settings};
use sterna_model::Tokenizer;
use sterna_sim::fake_card::FakeCard;
use sterna_sim::soft_core::{Arithmetic, SoftCore};
use sterna_xdma::Options;

use crate::desk::{Desk, demo};

/// Questions of every task, made up, in the layouts that are published; the right answer's number.
fn published() -> Vec<(Task, &'static str, Value, usize)> {
    let choices = json!([
        { "text": "a crown", "label": "A" },
        { "text": "the sea", "label": "B" },
        { "text": "my lord of York", "label": "C" },
    ]);
    let columns =
        json!({ "text": ["a crown", "the sea", "my lord of York"], "label": ["1", "2", "3"] });
    vec![
        (
            Task::ArcEasy,
            "arc",
            json!({ "id": "M_1", "question": { "stem": "What does a king wear?", "choices": choices }, "answerKey": "A" }),
            0,
        ),
        (
            Task::ArcChallenge,
            "arc-columns",
            json!({ "id": "M_2", "question": "Who comes?", "choices": columns, "answerKey": "3" }),
            2,
        ),
        (
            Task::OpenBookQa,
            "openbook",
            json!({ "id": "7-1", "question": { "stem": "The ships are on ", "choices": choices }, "answerKey": " B" }),
            1,
        ),
        (
            Task::OpenBookQa,
            "openbook-columns",
            json!({ "id": "7-2", "question_stem": "The king has", "choices": columns, "answerKey": "1" }),
            0,
        ),
        (
            Task::HellaSwag,
            "hellaswag",
            json!({ "ind": 24, "activity_label": "Hunting", "ctx_a": "The duke rides [substeps] out.",
                "ctx_b": "he", "ctx": "ignored", "split": "val", "label": 3,
                "endings": ["shoots.", "[title] sleeps long", "sings  a song.", "meets the [x] king of France."] }),
            3,
        ),
        (
            Task::Piqa,
            "piqa",
            json!({ "goal": "Open the gate", "sol1": "Turn the key.", "sol2": "Call the sea to come.", "label": 1 }),
            1,
        ),
        (
            Task::WinoGrande,
            "winogrande",
            json!({ "qID": "3D-1", "sentence": "Romeo kills Tybalt, because _ is angry.",
                "option1": "Romeo", "option2": "Tybalt", "answer": "1" }),
            0,
        ),
    ]
}

/// A desk with the tiny model and a file of each of those, named after it.
fn desk() -> Desk {
    let desk = Desk::new();
    let tiny = demo("shakespeare-tiny");
    desk.ok(&["import", tiny.to_str().unwrap(), "-o", "tiny.sterna"]);
    for (_, name, value, _) in published() {
        fs::write(desk.path(&format!("{name}.jsonl")), format!("{value}\n")).unwrap();
    }
    desk
}

fn tokenizer() -> Tokenizer {
    Tokenizer::from_json(&fs::read(demo("shakespeare-tiny/tokenizer.json")).unwrap(), 512).unwrap()
}

/// Contexts and continuations are what the harness makes of the same questions.
#[test]
fn every_layout_becomes_the_harness_s_texts() {
    let desk = desk();
    let mut text = String::new();
    for (task, name, _, gold) in published() {
        let (data, items) = tasks::read(task, &desk.path(&format!("{name}.jsonl"))).unwrap();
        let [Item { id, gold: found, choices, .. }] = &items[..] else { panic!("{name}") };
        assert_eq!((data.items, *found), (1, gold), "{name}");
        writeln!(text, "{name}: {id}").unwrap();
        for choice in choices {
            let tasks::Choice { context, continuation, characters } = choice;
            writeln!(text, "  {context:?} {continuation:?} {characters}").unwrap();
        }
    }
    insta::assert_snapshot!(text);
    // Labels beside PIQA's questions, as its authors publish them.
    let (_, _, mut value, _) = published().remove(5);
    value.as_object_mut().unwrap().remove("label");
    fs::write(desk.path("valid.jsonl"), format!("{value}\n{value}\n")).unwrap();
    fs::write(desk.path("valid-labels.lst"), "1\n0\n").unwrap();
    let (data, items) = tasks::read(Task::Piqa, &desk.path("valid.jsonl")).unwrap();
    assert_eq!([items[0].gold, items[1].gold], [1, 0]);
    fs::write(desk.path("valid-labels.lst"), "0\n0\n").unwrap();
    let (other, _) = tasks::read(Task::Piqa, &desk.path("valid.jsonl")).unwrap();
    assert_ne!(data.sha256, other.sha256, "labels are part of the data");
}

#[test]
fn spaces_belong_to_the_answer() {
    let tokenizer = tokenizer();
    let of = |context: &str, continuation: &str| {
        let choice = tasks::Choice {
            context: context.into(),
            continuation: continuation.into(),
            characters: 1,
        };
        encode(&tokenizer, &choice).unwrap()
    };
    let tokens = |text: &str| tokenizer.encode(text, false).unwrap();
    let Encoded { context, continuation } = of("The king  ", " has").unwrap();
    assert_eq!(context, tokens("The king"));
    assert_eq!([&context[..], &continuation].concat(), tokens("The king   has"));
    // Where both melt into one token the context keeps its own, and the rest is predicted.
    let Encoded { context, continuation } = of("The k", "ing of the sea").unwrap();
    let whole = tokens("The king of the sea");
    assert_ne!(context, whole[..context.len()], "choose a pair that melts");
    assert_eq!((&context, &continuation[..]), (&tokens("The k"), &whole[context.len()..]));
    assert_eq!(of("", " a"), None);
    assert_eq!(of("a", ""), None);
}

/// Against `sterna logits` of the whole sequence, and a sum in the plain way.
#[test]
fn likelihoods_are_those_of_the_logits() {
    let desk = desk();
    let tokenizer = tokenizer();
    for device in ["golden", "float"] {
        for (task, name, _, _) in published() {
            let file = format!("{name}.jsonl");
            let results = format!("{name}.{device}.results.jsonl");
            let args = ["score", "--task", task.name(), "--device", device, "-o", &results];
            desk.ok(&[&args[..], &["tiny.sterna", &file]].concat());
            let text = fs::read_to_string(desk.path(&results)).unwrap();
            let answer: Value = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
            let (_, items) = tasks::read(task, &desk.path(&file)).unwrap();
            for (n, choice) in items[0].choices.iter().enumerate() {
                let Encoded { context, continuation } =
                    encode(&tokenizer, choice).unwrap().unwrap();
                let all: Vec<u32> = [&context[..], &continuation].concat();
                let list: Vec<String> = all.iter().map(u32::to_string).collect();
                let list = list.join(",");
                let logits =
                    ["logits", "tiny.sterna", "--tokens", &list, "-o", "l.st", "--device", device];
                desk.ok(&logits);
                let bytes = fs::read(desk.path("l.st")).unwrap();
                let file = SafeTensors::deserialize(&bytes).unwrap();
                let rows: Vec<f64> = file
                    .tensor("logits")
                    .unwrap()
                    .data()
                    .chunks_exact(4)
                    .map(|b| f64::from(f32::from_le_bytes(b.try_into().unwrap())))
                    .collect();
                let mut sum = 0.0;
                for at in context.len()..all.len() {
                    let row = &rows[(at - 1) * 512..at * 512];
                    let total: f64 = row.iter().map(|logit| logit.exp()).sum();
                    sum += (row[all[at] as usize].exp() / total).ln();
                }
                let got = answer["likelihoods"][n].as_f64().unwrap();
                assert!((got - sum).abs() < 1e-6, "{device} {name} {n}: {got} {sum}");
            }
        }
    }
}

/// Random questions on devices of one slot and of several: the same in every bit. Golden and float
/// differ, by what fixed point costs.
#[test]
fn slots_and_order_do_not_matter() {
    let seed = 11u64;
    println!("seed {seed}");
    let mut state = seed;
    let mut draw = move |below: usize| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize % below
    };
    let model = Model::from_static("demo", leaked("shakespeare-5m.sterna")).unwrap();
    let vocab = model.shape().vocab;
    let mut tokens = |least: usize, most: usize| -> Vec<u32> {
        (0..least + draw(most - least + 1)).map(|_| draw(vocab) as u32).collect()
    };
    let items: Vec<Vec<Encoded>> = (0..6)
        .map(|n| {
            let shared = tokens(1, 12);
            (0..2 + n % 4)
                .map(|_| Encoded {
                    // The last has a context for each choice, as WinoGrande.
                    context: if n == 5 { tokens(1, 6) } else { shared.clone() },
                    continuation: tokens(1, 5),
                })
                .collect()
        })
        .collect();
    let golden = |slots, items: &[Vec<Encoded>]| {
        likelihoods(&mut Golden::new(Arc::clone(&model), slots).unwrap(), items).unwrap()
    };
    let one = golden(1, &items);
    for slots in [2, 3, 64] {
        assert_eq!(golden(slots, &items), one, "{slots} slots");
    }
    let each: Vec<Vec<f64>> =
        items.iter().map(|item| golden(4, std::slice::from_ref(item)).remove(0)).collect();
    assert_eq!(each, one, "items one by one");
    let reversed: Vec<Vec<Encoded>> =
        items.iter().map(|item| item.iter().rev().cloned().collect()).collect();
    let mut back = golden(3, &reversed);
    back.iter_mut().for_each(|sums| sums.reverse());
    assert_eq!(back, one, "the choices the other way round");
    let mut device: Box<dyn Device> = Box::new(Float::new(Arc::clone(&model), 2).unwrap());
    let float = likelihoods(device.as_mut(), &items).unwrap();
    let pairs = float.iter().flatten().zip(one.iter().flatten());
    let off = pairs.clone().map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(off > 0.0 && off < 1.0, "{off}");
    assert!(pairs.clone().all(|(a, b)| *a < 0.0 && *b < 0.0));
}

fn leaked(name: &str) -> &'static [u8] {
    fs::read(demo(name)).unwrap().leak()
}

/// Some questions, of which every run gets some right.
fn many(desk: &Desk, name: &str) {
    let words = ["the king", "a sword", "my lord", "no more", "to the sea", "of France"];
    let lines: String = (0..12)
        .map(|n| {
            let choice = |k: usize| json!({ "text": words[(n + k * k) % 6], "label": "ABCD"[k..=k].to_string() });
            let question = json!({ "stem": format!("Where is {}?", words[(n * 5) % 6]),
                "choices": [choice(0), choice(1), choice(2)] });
            let answer = ["A", "B", "C"][n % 3];
            json!({ "id": format!("q{n}"), "question": question, "answerKey": answer }).to_string() + "\n"
        })
        .collect();
    fs::write(desk.path(name), lines).unwrap();
}

#[test]
fn a_run_that_was_ended_goes_on() {
    let desk = desk();
    many(&desk, "many.jsonl");
    let run = |output: &str, more: &[&str]| {
        let args = ["score", "tiny.sterna", "many.jsonl", "--task", "arc-easy", "-o", output];
        desk.json(&[&args[..], more].concat())
    };
    let whole = run("whole.jsonl", &[]);
    let bytes = fs::read(desk.path("whole.jsonl")).unwrap();
    assert_eq!(bytes.iter().filter(|&&b| b == b'\n').count(), 13);
    assert_eq!(run("whole.jsonl", &[]), whole, "nothing is left to do");
    assert_eq!(fs::read(desk.path("whole.jsonl")).unwrap(), bytes);

    // Some first; then all.
    let some = run("parts.jsonl", &["--limit", "5"]);
    assert_eq!((&some["tasks"][0]["items"], &some["tasks"][0]["of"]), (&json!(5), &json!(12)));
    assert_eq!(run("parts.jsonl", &[]), whole);
    assert_eq!(fs::read(desk.path("parts.jsonl")).unwrap(), bytes);
    // Fewer than there are: the table is of those.
    assert_eq!(run("parts.jsonl", &["--limit", "5"]), some);
    assert_eq!(fs::read(desk.path("parts.jsonl")).unwrap(), bytes);

    // Killed at any byte.
    let first = bytes.iter().position(|&b| b == b'\n').unwrap() + 1;
    for end in [0, 1, first - 1, first, first + 1, first + 200, bytes.len() - 1] {
        fs::write(desk.path("cut.jsonl"), &bytes[..end]).unwrap();
        assert_eq!(run("cut.jsonl", &[]), whole, "cut at {end}");
        assert_eq!(fs::read(desk.path("cut.jsonl")).unwrap(), bytes, "cut at {end}");
    }

    // By hand: what the lines say is what the table says.
    let text = String::from_utf8(bytes).unwrap();
    let answers: Vec<Value> =
        text.lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect();
    let right = answers.iter().filter(|answer| answer["right"] == true).count();
    let best = |answer: &Value, by: &dyn Fn(usize) -> f64| {
        let all = (0..answer["likelihoods"].as_array().unwrap().len()).rev();
        all.max_by(|&a, &b| by(a).total_cmp(&by(b))).unwrap()
    };
    for answer in &answers {
        let sum = |n: usize| answer["likelihoods"][n].as_f64().unwrap();
        let length = |n: usize| answer["characters"][n].as_f64().unwrap();
        assert_eq!(answer["chosen"], best(answer, &sum));
        assert_eq!(answer["chosen_norm"], best(answer, &|n| sum(n) / length(n)));
        assert_eq!(answer["right"], answer["chosen"] == answer["gold"]);
    }
    let percent = 100.0 * right as f64 / 12.0;
    assert_eq!(whole["tasks"][0]["acc"]["percent"], percent);
    assert!(right > 0 && right < 12, "choose other questions");
}

#[test]
fn several_tasks_make_a_table() {
    let desk = desk();
    many(&desk, "many.jsonl");
    desk.ok(&[
        "score",
        "tiny.sterna",
        "many.jsonl",
        "--task",
        "arc-challenge",
        "-o",
        "a.results.jsonl",
    ]);
    let wino = ["score", "tiny.sterna", "winogrande.jsonl", "--task", "winogrande"];
    desk.ok(&[&wino[..], &["-o", "w.results.jsonl"]].concat());
    let table = desk.ok(&["score", "--report", "w.results.jsonl", "a.results.jsonl"]);
    insta::assert_snapshot!(table);
    let report = desk.json(&["score", "--report", "w.results.jsonl", "a.results.jsonl"]);
    assert_eq!(report["tasks"][1]["acc_norm"], Value::Null);
    // Of the shape of the paper's model its figures stand beside.
    for name in ["a", "w"] {
        let path = desk.path(&format!("{name}.results.jsonl"));
        let text = fs::read_to_string(&path).unwrap();
        let at = text.find("\"shape\":[").unwrap();
        let end = at + text[at..].find(']').unwrap();
        fs::write(path, format!("{}\"shape\":[24,1024{}", &text[..at], &text[end..])).unwrap();
    }
    let table = desk.ok(&["score", "--report", "w.results.jsonl", "a.results.jsonl"]);
    assert!(table.contains("paper") && table.contains("23.8") && table.contains("36.5"), "{table}");
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let desk = desk();
    many(&desk, "many.jsonl");
    let write = |name: &str, text: &str| fs::write(desk.path(name), text).unwrap();
    let (_, _, arc, _) = published().remove(0);
    let mut messages = String::new();
    let mut fails = |args: &[&str]| {
        let message = desk.fails(args);
        assert_eq!(message.lines().count(), 1, "{args:?}: {message}");
        writeln!(messages, "$ sterna {}\n{message}", args.join(" ")).unwrap();
    };
    let wrong: Vec<(&str, Task, String)> = vec![
        ("empty", Task::ArcEasy, "\n \n".into()),
        ("nojson", Task::ArcEasy, format!("{arc}\n\n{{\n")),
        ("list", Task::ArcEasy, "[]".into()),
        ("nokey", Task::ArcEasy, arc.to_string().replace("\"A\"}", "\"Q\"}").replace("\"answerKey\":\"A\"", "\"answerKey\":\"Q\"")),
        ("nostem", Task::ArcEasy, arc.to_string().replace("stem", "stump")),
        ("one", Task::ArcEasy, json!({ "question": "a", "answerKey": "A", "choices": { "text": ["x"], "label": ["A"] } }).to_string()),
        ("labels", Task::OpenBookQa, json!({ "question_stem": "a", "answerKey": "A", "choices": { "text": ["x", "y"], "label": ["A"] } }).to_string()),
        ("blank", Task::OpenBookQa, json!({ "question_stem": " ", "answerKey": "A", "choices": { "text": ["x", "y"], "label": ["A", "B"] } }).to_string()),
        ("long", Task::ArcEasy, "x".repeat((1 << 20) + 1)),
        ("gap", Task::WinoGrande, json!({ "sentence": "no gap", "option1": "a", "option2": "b", "answer": "1" }).to_string()),
        ("answer", Task::WinoGrande, json!({ "sentence": "_", "option1": "a", "option2": "b", "answer": "" }).to_string()),
        ("zero", Task::WinoGrande, json!({ "sentence": "_", "option1": "a", "option2": "b", "answer": "0" }).to_string()),
        ("third", Task::Piqa, json!({ "goal": "a", "sol1": "b", "sol2": "c", "label": 2 }).to_string()),
        ("number", Task::Piqa, json!({ "goal": 1, "sol1": "b", "sol2": "c", "label": 1 }).to_string()),
        ("unlabelled", Task::Piqa, json!({ "goal": "a", "sol1": "b", "sol2": "c" }).to_string()),
        ("few", Task::Piqa, json!({ "goal": "a", "sol1": "b", "sol2": "c" }).to_string()),
        ("more", Task::Piqa, json!({ "goal": "a", "sol1": "b", "sol2": "c" }).to_string()),
        ("other", Task::Piqa, json!({ "goal": "a", "sol1": "b", "sol2": "c" }).to_string()),
        ("endings", Task::HellaSwag, json!({ "activity_label": "a", "ctx_a": "b", "ctx_b": "c", "endings": ["x", 2], "label": "0" }).to_string()),
    ];
    write("few-labels.lst", "");
    write("more-labels.lst", "0\n1\n");
    write("other-labels.lst", "A\n");
    for (name, task, text) in &wrong {
        write(&format!("{name}.jsonl"), text);
        fails(&["score", "tiny.sterna", &format!("{name}.jsonl"), "--task", task.name()]);
    }
    fails(&["score", "tiny.sterna", "missing.jsonl", "--task", "piqa"]);
    fs::create_dir(desk.path("folder.jsonl")).unwrap();
    fails(&["score", "tiny.sterna", "folder.jsonl", "--task", "piqa"]);
    fails(&["score", "missing", "arc.jsonl", "--task", "arc-easy"]);

    // Results of something else stay as they are.
    let score = ["score", "tiny.sterna", "many.jsonl", "--task", "arc-easy", "-o"];
    desk.ok(&[&score[..], &["r.jsonl"]].concat());
    let kept = fs::read(desk.path("r.jsonl")).unwrap();
    fails(&["score", "many.jsonl", "--task", "arc-easy", "-o", "r.jsonl"]);
    fails(&["score", "tiny.sterna", "many.jsonl", "--task", "arc-challenge", "-o", "r.jsonl"]);
    fails(&["score", "tiny.sterna", "arc.jsonl", "--task", "arc-easy", "-o", "r.jsonl"]);
    fails(&[&score[..], &["r.jsonl", "--device", "float"]].concat());
    fails(&["score", "--report", "r.jsonl", "r.jsonl"]);
    let lock = fs::File::open(desk.path("r.jsonl")).unwrap();
    lock.lock().unwrap();
    fails(&[&score[..], &["r.jsonl"]].concat());
    drop(lock);
    assert_eq!(fs::read(desk.path("r.jsonl")).unwrap(), kept);
    fails(&[&score[..], &["arc.jsonl"]].concat());
    let kept = String::from_utf8(kept).unwrap();
    for (name, text) in [
        ("version", kept.replacen("\"sterna_score\":1", "\"sterna_score\":2", 1)),
        ("edited", kept.replacen("\"right\":true", "\"right\":false", 1)),
        ("order", kept.replacen("\"item\":3,", "\"item\":4,", 1)),
        ("extra", format!("{kept}{}\n", kept.lines().last().unwrap())),
        ("text", "Dear diary".into()),
    ] {
        let name = format!("{name}.results.jsonl");
        write(&name, &text);
        fails(&[&score[..], &[&name]].concat());
        assert_eq!(fs::read_to_string(desk.path(&name)).unwrap(), text);
        fails(&["score", "--report", &name]);
    }
    let header = kept.split_inclusive('\n').next().unwrap();
    write("none.results.jsonl", header);
    fails(&["score", "--report", "none.results.jsonl"]);
    insta::assert_snapshot!(messages);
    for args in [
        &["score"][..],
        &["score", "--task", "arc-easy"],
        &["score", "arc.jsonl"],
        &["score", "--task", "mmlu", "arc.jsonl"],
        &["score", "--task", "piqa", "a.txt", "b.txt", "arc.jsonl"],
        &["score", "--task", "piqa", "arc.jsonl", "tiny.sterna"],
        &["score", "--report", "tiny.sterna", "r.jsonl"],
        &["score", "--report", "r.jsonl", "--task", "piqa"],
        &["score", "--task", "piqa", "arc.jsonl", "--limit", "0"],
    ] {
        assert_eq!(desk.command(args).output().unwrap().status.code(), Some(2), "{args:?}");
    }
}

/// On cards with one slot and with two, through the driver that a real one has.
#[test]
fn a_card_scores_as_golden_does() {
    let desk = Desk::new();
    desk.ok(&["synth", "--hidden", "64", "--layers", "2", "--vocab", "101", "-o", "made"]);
    desk.ok(&["import", "made", "-o", "made.sterna"]);
    let model = Model::open(&desk.path("made.sterna")).unwrap();
    let choice = |context: &[u32], continuation: &[u32]| Encoded {
        context: context.into(),
        continuation: continuation.into(),
    };
    let items = [
        vec![
            choice(&[1, 2, 3], &[4]),
            choice(&[1, 2, 3], &[5, 6, 7]),
            choice(&[1, 2, 3], &[100, 0]),
        ],
        vec![choice(&[9], &[8, 7]), choice(&[9, 9], &[8, 7])],
    ];
    let mut golden = Golden::new(Arc::clone(&model), 3).unwrap();
    let want = likelihoods(&mut golden, &items).unwrap();
    for slots in [1, 2] {
        let geometry = Geometry::for_shape(64, &model.shape()).with_slots(slots);
        let core = SoftCore::new(&geometry, 4 << 20, Arithmetic::Golden);
        let card = Arc::new(FakeCard::new(core, 0).local());
        let transport = XdmaTransport::open(card, None, Options::default(), None).unwrap();
        let settings = Settings { slots: slots as usize, ..Settings::default() };
        let mut card = Card::open(transport, "xdma", Arc::clone(&model), &settings).unwrap();
        assert_eq!(likelihoods(&mut card, &items).unwrap(), want, "{slots} slots");
    }
}
