//! Hubs that are broken, or mean harm: a typed error each, and nothing half-written.

use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use serde_json::json;
use sterna::hub::{Settings, Snapshot, snapshot};

use crate::desk::Desk;
use crate::hub::{Answer, COMMIT, Hub, Request};

const NAME: &str = "ridger/Tiny-0.1B";

fn weights(request: &Request) -> bool {
    request.file() == "model.safetensors"
}

/// What is wrong, and what the hub then does.
type Case = (&'static str, Box<dyn Fn(&Request, Answer) -> Answer + Send + Sync>);

fn case(
    name: &'static str,
    change: impl Fn(&Request, Answer) -> Answer + Send + Sync + 'static,
) -> Case {
    (name, Box::new(change))
}

/// The status of every answer.
fn always(name: &'static str, status: u16) -> Case {
    case(name, move |_, _| Answer::status(status))
}

/// A header of the answer about the weights.
fn header(name: &'static str, header: &'static str, value: &'static str) -> Case {
    case(name, move |request, answer| match weights(request) && request.method == "HEAD" {
        true => answer.with(header, value),
        false => answer,
    })
}

/// The bytes of the weights, where they are kept.
fn body(name: &'static str, change: fn(&Request, Answer) -> Answer) -> Case {
    case(name, move |request, answer| match weights(request) && answer.status < 300 {
        true => change(request, answer),
        false => answer,
    })
}

#[test]
fn every_harm_is_told_and_nothing_is_left() {
    let (desk, hub) = Desk::with_hub();
    let mut messages = String::new();
    for (name, change) in [
        always("a token is wanted", 401),
        always("the token is not enough", 403),
        always("too many requests", 429),
        always("broken", 500),
        always("away", 503),
        always("no such path", 404),
        always("a status that nobody knows", 418),
        case("nonsense", |_, answer| Answer { status: 200, headers: vec![], ..answer }),
        header("a commit that is a path", "x-repo-commit", "../../../../tmp"),
        header("a checksum that is a path", "x-linked-etag", "\"../../../x\""),
        header("another commit", "x-repo-commit", "ffffffffffffffffffffffffffffffffffffffff"),
        header("no number of bytes", "x-linked-size", "-1"),
        header("more bytes than such a model has", "x-linked-size", "999999999999"),
        case("a redirection in a circle", |request, _| {
            Answer::status(302).with("location", &request.target)
        }),
        case("a redirection to nowhere", |_, _| Answer::status(302)),
        case("a redirection to a file", |_, _| {
            Answer::status(302).with("location", "file:///etc/passwd")
        }),
        case("a large config.json", |request, answer| match request.file() {
            "config.json" => answer.with("content-length", "2000000000"),
            _ => answer,
        }),
        body("the weights are denied", |_, _| Answer::status(403)),
        body("other bytes", |_, mut answer| {
            answer.body[100] ^= 1;
            answer
        }),
        body("a length that is not that of the hub", |_, answer| {
            answer.with("content-length", "77")
        }),
        body("a byte too many", |_, mut answer| {
            answer.body.push(0);
            answer.without("content-length").with("connection", "close")
        }),
        body("a byte too few, always", |request, mut answer| {
            // Whoever goes on gets nothing.
            answer.body.truncate(if request.range.is_some() { 0 } else { 50_000 });
            answer
        }),
        body("another range", |request, answer| match request.range {
            Some(_) => answer.with("content-range", "bytes 0-9/10"),
            None => Answer { body: answer.body[..50_000].into(), ..answer },
        }),
        body("no such range", |request, answer| match request.range {
            Some(_) => Answer::status(416),
            None => Answer { body: answer.body[..50_000].into(), ..answer },
        }),
    ] {
        hub.change(change);
        let message = desk.fails(&["pull", NAME]);
        assert!(message.starts_with("error[H05"), "{name}: {message}");
        assert_eq!(message.lines().count(), 1, "{name}: {message}");
        writeln!(messages, "{name}\n  {message}").unwrap();
        assert!(desk.tree("home/.local").is_empty(), "{name}");
        let blobs = desk.tree("home/.cache/huggingface/hub/models--ridger--Tiny-0.1B/blobs");
        let weights = crate::hub::sha256(&fs::read(desk.path("tiny/model.safetensors")).unwrap());
        assert!(!blobs.iter().any(|blob| blob.ends_with(&weights)), "{name}");
    }
    // Whatever was, an honest hub mends it.
    hub.mend();
    desk.ok(&["pull", NAME]);
    insta::assert_snapshot!(messages);
}

#[test]
fn what_a_repository_has_is_not_trusted() {
    let (desk, hub) = Desk::with_hub();
    let mut messages = String::new();
    let mut fails = |name: &str, hub: &Hub, files: &[(&str, &[u8])]| {
        for (file, bytes) in files {
            hub.put(file, bytes);
        }
        let message = desk.fails(&["pull", NAME]);
        writeln!(messages, "{name}\n  {message}").unwrap();
        assert!(desk.tree("home/.local").is_empty(), "{name}");
    };
    hub.remove("model.safetensors");
    let config = fs::read(desk.path("tiny/config.json")).unwrap();
    fails("no weights", &hub, &[]);
    const INDEX: &str = "model.safetensors.index.json";
    let index = |shard: &str| json!({ "weight_map": { "a": shard } }).to_string();
    for shard in ["../../../../x", "/etc/passwd", "a/b", "..", "", "a\\b"] {
        fails("a shard elsewhere", &hub, &[(INDEX, index(shard).as_bytes())]);
    }
    fails("a shard that is not there", &hub, &[(INDEX, index("x y.safetensors").as_bytes())]);
    let many: serde_json::Map<_, _> =
        (0..1001).map(|n| (n.to_string(), json!(n.to_string()))).collect();
    let many = json!({ "weight_map": many }).to_string();
    fails("more shards than anybody has", &hub, &[(INDEX, many.as_bytes())]);
    fails("an index that is none", &hub, &[(INDEX, b"[]")]);
    fails("another kind of model", &hub, &[("config.json", br#"{"model_type": "llama"}"#)]);
    fails("no config", &hub, &[("config.json", b"no")]);
    hub.put("config.json", &config);
    hub.remove("config.json");
    fails("no model", &hub, &[]);
    hub.put("config.json", &config);

    let none = desk.fails(&["pull", "ridger/None"]);
    let revision = desk.fails(&["pull", &format!("{NAME}@v9")]);
    let mut command = desk.command(&["pull", NAME]);
    let output = command.env("HF_ENDPOINT", "hub.example").output().unwrap();
    let endpoint = String::from_utf8(output.stderr).unwrap();
    let mut command = desk.command(&["pull", NAME]);
    // Nobody listens on this port, as this listener only keeps it.
    let output = command.env("HF_ENDPOINT", "http://127.0.0.1:1").output().unwrap();
    let nobody = String::from_utf8(output.stderr).unwrap().replace("127.0.0.1:1", "NOBODY");
    for (name, message) in [
        ("no such model", none),
        ("no such revision", revision),
        ("no address", endpoint),
        ("nobody there", nobody),
    ] {
        writeln!(messages, "{name}\n  {}", message.trim_end()).unwrap();
    }
    insta::assert_snapshot!(messages);
    for word in ["../x", "a/b/c", "a b", "x@..", "-x"] {
        let output = desk.command(&["pull", "--", word]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{word}");
    }
}

/// The settings of a desk, for calls without the command.
fn settings(desk: &Desk, hub: &Hub) -> Settings {
    Settings {
        endpoint: hub.address.clone(),
        cache: desk.path("cache"),
        token: None,
        offline: false,
        roots: None,
        patience: Duration::from_millis(300),
    }
}

#[test]
fn silence_comes_to_an_end() {
    let (desk, hub) = Desk::with_hub();
    let pull = || snapshot(&settings(&desk, &hub), &NAME.parse().unwrap(), &ProgressBar::hidden());
    let begin = Instant::now();
    let code = |result: sterna::Result<Snapshot>| result.unwrap_err().code();
    hub.change(|_, _| Answer { hangs: true, ..Answer::default() });
    assert_eq!(code(pull()), "H053");
    hub.change(|request, mut answer| {
        if weights(request) && answer.status == 200 {
            answer.body.truncate(1000);
            answer.hangs = true;
        }
        if weights(request) && answer.status == 206 {
            answer.body.clear();
            answer.hangs = true;
        }
        answer
    });
    assert_eq!(code(pull()), "H055");
    assert!(begin.elapsed() < Duration::from_secs(60));
    hub.mend();
    let snapshot = pull().unwrap();
    assert_eq!(snapshot.commit, COMMIT);
    let bytes = fs::metadata(desk.path("tiny/model.safetensors")).unwrap().len();
    assert_eq!(snapshot.fetched, bytes - 1000, "what came before is kept");
}

#[test]
fn two_do_not_fetch_one_file() {
    let (desk, hub) = Desk::with_hub();
    let pull = || snapshot(&settings(&desk, &hub), &NAME.parse().unwrap(), &ProgressBar::hidden());
    pull().unwrap();
    let weights = crate::hub::sha256(&fs::read(desk.path("tiny/model.safetensors")).unwrap());
    let lock = format!("cache/.locks/models--ridger--Tiny-0.1B/{weights}.lock");
    let lock = fs::File::open(desk.path(&lock)).unwrap();
    lock.lock().unwrap();
    let error = pull().unwrap_err();
    let message = error.to_string().replace(&desk.path("").display().to_string(), "DESK/");
    insta::assert_snapshot!(format!("error[{}]: {message}", error.code()));
    drop(lock);
    pull().unwrap();
}

/// The file changes while it is fetched: its checksum is another, so it is another file.
#[test]
fn a_file_that_changes_is_another() {
    let (desk, hub) = Desk::with_hub();
    let bytes = fs::read(desk.path("tiny/model.safetensors")).unwrap();
    let mut other = bytes.clone();
    *other.last_mut().unwrap() ^= 1;
    // Half of it comes; what it is gone on with is of the new one, as if a cache were in between.
    let half = bytes.len() / 2;
    let put = other.clone();
    hub.change(move |request, mut answer| {
        if weights(request) && answer.status == 200 {
            answer.body.truncate(half);
        }
        if weights(request) && answer.status == 206 {
            answer.body = put[half..].into();
        }
        answer
    });
    let pull = || snapshot(&settings(&desk, &hub), &NAME.parse().unwrap(), &ProgressBar::hidden());
    let error = pull().unwrap_err();
    assert_eq!(error.code(), "H056");
    hub.mend();
    hub.put("model.safetensors", &other);
    let snapshot = pull().unwrap();
    assert_eq!(snapshot.fetched, bytes.len() as u64);
    assert_eq!(fs::read(snapshot.dir.join("model.safetensors")).unwrap(), other);
}
