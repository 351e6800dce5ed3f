//! The server from outside.

use std::io::Write;
use std::process::Command;
use std::time::Duration;

use insta::assert_snapshot;
use serde_json::{Value, json};
use sterna_firmware::model::Model;

use crate::client::{Server, agent, completion, text};
use crate::models::{Reference, tiny};

/// A server in a folder of its own.
fn server(more: &[&str]) -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), more);
    (folder, server)
}

fn reference(folder: &tempfile::TempDir) -> Reference {
    Reference::new(&Model::open(&folder.path().join("tiny.sterna")).unwrap())
}

#[test]
fn completions_are_goldens_whole_and_in_pieces() {
    let (folder, server) = server(&[]);
    let mut golden = reference(&folder);
    for (prompt, count, seed) in [("ROMEO:", 20, None), ("To be", 30, Some(7)), ("x", 1, Some(0))] {
        let wanted = golden.text(prompt, count, seed);
        let whole = server.complete(prompt, count, seed);
        assert_eq!(text(&whole), wanted, "{prompt}");
        assert_eq!(whole["choices"][0]["finish_reason"], "length");
        assert_eq!(whole["usage"]["completion_tokens"], count);
        assert_eq!(whole["usage"]["prompt_tokens"], golden.encode(prompt).len());
        let mut asked = completion(prompt, count, seed);
        asked["stream_options"] = json!({ "include_usage": true });
        let mut pieces = server.stream("/v1/completions", &asked);
        let last = pieces.pop().unwrap();
        assert_eq!(last["choices"], json!([]));
        assert_eq!(last["usage"]["total_tokens"], whole["usage"]["total_tokens"]);
        assert!(pieces.iter().all(|piece| piece["usage"].is_null()));
        assert_eq!(pieces.iter().map(text).collect::<String>(), wanted);
        assert_eq!(pieces.last().unwrap()["choices"][0]["finish_reason"], "length");
    }
}

#[test]
fn tokens_several_prompts_and_several_answers() {
    let (folder, server) = server(&[]);
    let mut golden = reference(&folder);
    let mut asked = completion("", 6, Some(5));
    asked["prompt"] = json!([[1, 2, 3], [4]]);
    asked["n"] = json!(2);
    let answer = server.ask("/v1/completions", &asked);
    let texts: Vec<&str> =
        answer["choices"].as_array().unwrap().iter().map(|c| c["text"].as_str().unwrap()).collect();
    let mut alone = |prompt: &[u32], seed| {
        let tokens = golden.tokens(prompt, 6, Some(seed));
        let mut asked = completion("", 6, Some(seed));
        asked["prompt"] = json!(prompt);
        let one = server.ask("/v1/completions", &asked);
        assert_eq!(one["usage"]["completion_tokens"], tokens.len());
        text(&one).to_string()
    };
    let wanted = [alone(&[1, 2, 3], 5), alone(&[1, 2, 3], 6), alone(&[4], 5), alone(&[4], 6)];
    assert_eq!(texts, wanted);
    assert_eq!(answer["usage"]["prompt_tokens"], 4, "a prompt counts once");
    assert_eq!(answer["usage"]["completion_tokens"], 24);
}

#[test]
fn a_text_stops_it_and_the_prompt_is_repeated_if_wanted() {
    let (folder, server) = server(&[]);
    let full = reference(&folder).text("ROMEO:", 40, None);
    let stop: String = full.chars().skip(9).take(3).collect();
    let cut = &full[..full.find(&stop).unwrap()];
    let mut asked = completion("ROMEO:", 40, None);
    asked["stop"] = json!(stop);
    asked["echo"] = json!(true);
    let answer = server.ask("/v1/completions", &asked);
    assert_eq!(text(&answer), format!("ROMEO:{cut}"));
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    let pieces = server.stream("/v1/completions", &asked);
    assert_eq!(pieces.iter().map(text).collect::<String>(), format!("ROMEO:{cut}"));
    asked["stop"] = json!(["never\u{1}said"]);
    assert_eq!(text(&server.ask("/v1/completions", &asked)), format!("ROMEO:{full}"));
}

#[test]
fn likelihoods_are_told_as_far_as_the_candidates_go() {
    let (_folder, server) = server(&[]);
    let mut asked = completion("ROMEO:", 5, None);
    asked["logprobs"] = json!(3);
    let whole = server.ask("/v1/completions", &asked);
    let logprobs = &whole["choices"][0]["logprobs"];
    let tokens = logprobs["tokens"].as_array().unwrap();
    assert_eq!(tokens.len(), 5);
    let joined: String = tokens.iter().map(|token| token.as_str().unwrap()).collect();
    assert_eq!(joined, text(&whole));
    for n in 0..5 {
        let top = logprobs["top_logprobs"][n].as_object().unwrap();
        let own = logprobs["token_logprobs"][n].as_f64().unwrap();
        let best = top.values().map(|value| value.as_f64().unwrap()).fold(f64::MIN, f64::max);
        assert!(top.len() == 3 && own == best && own < 0.0, "{logprobs}");
    }
    let pieces = server.stream("/v1/completions", &asked);
    let offsets: Vec<&Value> = pieces
        .iter()
        .filter(|piece| !piece["choices"][0]["logprobs"].is_null())
        .map(|piece| &piece["choices"][0]["logprobs"]["text_offset"][0])
        .collect();
    assert_eq!(json!(offsets), logprobs["text_offset"]);
    let chat = json!({
        "model": "tiny", "messages": [{ "role": "user", "content": "Hi" }],
        "max_tokens": 3, "temperature": 0, "logprobs": true, "top_logprobs": 2,
    });
    let chat = server.ask("/v1/chat/completions", &chat);
    let content = chat["choices"][0]["logprobs"]["content"].as_array().unwrap();
    assert_eq!(content.len(), 3);
    assert_eq!(content[0]["top_logprobs"][0]["token"], content[0]["token"]);
    assert_eq!(content[0]["top_logprobs"].as_array().unwrap().len(), 2);
}

#[test]
fn a_conversation_goes_on_where_it_was() {
    let (folder, server) = server(&[]);
    let mut messages = vec![json!({ "role": "system", "content": "A play.".repeat(20) })];
    let mut rendered = format!("{}\n\n", "A play.".repeat(20));
    for (turn, question) in ["Who is there?", "Why?"].into_iter().enumerate() {
        messages.push(json!({ "role": "user", "content": [{ "type": "text", "text": question }] }));
        let asked = json!({
            "model": "tiny", "messages": messages, "max_tokens": 12, "temperature": 0.0,
        });
        let answer = server.ask("/v1/chat/completions", &asked);
        let said = answer["choices"][0]["message"]["content"].as_str().unwrap();
        if turn > 0 {
            rendered += "\n";
        }
        rendered += &format!("User: {question}\nAssistant:");
        let wanted = reference(&folder).text(&rendered, 12, None);
        let wanted = wanted.split("\nUser:").next().unwrap();
        assert_eq!(said, wanted, "turn {turn}");
        let cached = answer["usage"]["prompt_tokens_details"]["cached_tokens"].as_u64().unwrap();
        assert_eq!(cached > 64, turn > 0, "{answer}");
        let pieces = server.stream("/v1/chat/completions", &asked);
        assert_eq!(pieces[0]["choices"][0]["delta"]["role"], "assistant");
        let streamed: String = pieces
            .iter()
            .filter_map(|piece| piece["choices"][0]["delta"]["content"].as_str())
            .collect();
        assert_eq!(streamed, wanted);
        messages.push(json!({ "role": "assistant", "content": said }));
        rendered += &if said.starts_with(char::is_whitespace) || said.is_empty() {
            said.to_string()
        } else {
            format!(" {said}")
        };
    }
}

/// Requests that cannot be answered: what is asked, and the answer.
#[test]
fn what_cannot_be_had_is_told() {
    let (_folder, server) = server(&["--max-tokens", "50", "--max-prompt", "20"]);
    let with = |key: &str, value: Value| {
        let mut asked = completion("ROMEO:", 5, None);
        asked[key] = value;
        asked
    };
    let chat = |key: &str, value: Value| {
        let mut asked = json!({
            "model": "tiny", "messages": [{ "role": "user", "content": "Hi" }], "max_tokens": 2,
        });
        asked[key] = value;
        asked
    };
    let mut told = String::new();
    let mut refused = |path: &str, asked: Value| {
        let (status, answer) = server.post(path, &asked);
        assert!((400..500).contains(&status), "{asked}: {status} {answer}");
        let error = &answer["error"];
        told += &format!(
            "{status} {} {} {}: {}\n",
            error["type"].as_str().unwrap(),
            error["code"].as_str().unwrap(),
            error["param"].as_str().unwrap_or("-"),
            error["message"].as_str().unwrap()
        );
    };
    for (key, value) in [
        ("model", json!("gpt-9")),
        ("prompt", json!("")),
        ("prompt", json!([])),
        ("prompt", json!([[1], [99_999]])),
        ("prompt", json!("long ".repeat(40))),
        ("prompt", json!(vec!["a"; 17])),
        ("max_tokens", json!(0)),
        ("max_tokens", json!(51)),
        ("max_tokens", json!("five")),
        ("temperature", json!(-1)),
        ("temperature", json!(1e9)),
        ("top_p", json!(0)),
        ("top_k", json!(65)),
        ("n", json!(17)),
        ("stop", json!("")),
        ("stop", json!(vec!["a"; 9])),
        ("logprobs", json!(21)),
        ("presence_penalty", json!(0.5)),
        ("frequency_penalty", json!(-0.5)),
        ("logit_bias", json!({ "50256": -100 })),
        ("suffix", json!("end")),
        ("best_of", json!(2)),
    ] {
        refused("/v1/completions", with(key, value));
    }
    let mut both = with("echo", json!(true));
    both["logprobs"] = json!(1);
    refused("/v1/completions", both);
    for (key, value) in [
        ("messages", json!([])),
        ("messages", json!([{ "role": "wizard", "content": "Hi" }])),
        ("messages", json!([{ "role": "user", "content": [{ "type": "image_url" }] }])),
        ("tools", json!([{ "type": "function" }])),
        ("response_format", json!({ "type": "json_object" })),
        ("top_logprobs", json!(2)),
    ] {
        refused("/v1/chat/completions", chat(key, value));
    }
    assert_snapshot!(told);
    // What asks for nothing special is no trouble, nor what nobody knows.
    for (key, value) in [
        ("presence_penalty", json!(0)),
        ("logit_bias", json!({})),
        ("best_of", json!(1)),
        ("seed", json!(-1)),
        ("temperature", json!(1e-9)),
        ("whatever", json!([1])),
        ("user", json!("me")),
    ] {
        server.ask("/v1/completions", &with(key, value));
    }
    server.ask("/v1/chat/completions", &chat("response_format", json!({ "type": "text" })));
    server.ask("/v1/chat/completions", &chat("tools", json!([])));
}

#[test]
fn garbage_is_refused_and_harms_nobody() {
    let (_folder, server) = server(&[]);
    let post = |head: &str, body: &str| {
        let request = format!(
            "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{head}\r\n{body}"
        );
        let back = server.raw(request.as_bytes());
        String::from_utf8_lossy(&back).lines().next().unwrap_or_default().to_string()
    };
    let json = "Content-Type: application/json\r\n";
    for (head, body, status) in [
        ("Content-Length: 2\r\n", "{}", "415"),
        ("Content-Type: text/plain\r\nContent-Length: 2\r\n", "{}", "415"),
        (&format!("{json}Content-Length: 2\r\n"), "{}", "400"),
        (&format!("{json}Content-Length: 3\r\n"), "{\"a", "400"),
        (&format!("{json}Content-Length: 2\r\n"), "\u{e9}", "400"),
        (&format!("{json}Content-Length: 99999999\r\n"), "", "413"),
        (&format!("{json}Content-Length: x\r\n"), "", "400"),
        (&format!("{json}Transfer-Encoding: chunked\r\n"), "zz\r\n", "4"),
        (&format!("{json}Content-Length: 200000\r\n"), &"[".repeat(200_000), "400"),
        (&format!("X: {}\r\n", "x".repeat(1_000_000)), "", "431"),
    ] {
        let line = post(head, body);
        assert!(
            line.starts_with(&format!("HTTP/1.1 {status}")),
            "{}: {line}",
            &head[..20.min(head.len())]
        );
    }
    server.last(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");
    server.last(&[0; 1000]);
    server.last(b"GET");
    assert_eq!(server.get("/nothing").0, 404);
    assert_eq!(server.get("/v1/completions").0, 405);
    assert_eq!(server.get("/v1/models/other").0, 404);
    assert_eq!(server.complete("ROMEO:", 2, None)["usage"]["completion_tokens"], 2);
}

#[test]
fn what_is_there_is_told() {
    let (_folder, server) = server(&["--slots", "3"]);
    assert!(server.greeting.ends_with(": tiny on golden, 3 at a time\n"), "{}", server.greeting);
    assert_eq!(server.json("/health"), json!({ "status": "ok" }));
    let models = server.json("/v1/models");
    assert_eq!(models["data"][0], server.json("/v1/models/tiny"));
    assert_eq!(models["data"][0]["sterna"]["device"], "golden");
    server.complete("ROMEO:", 4, None);
    server.complete("ROMEO:", 4, None);
    let (_, metrics) = server.get("/metrics");
    let names: Vec<&str> = metrics.lines().filter(|line| line.starts_with("# TYPE")).collect();
    assert_snapshot!(names.join("\n"));
    assert!(metrics.ends_with("# EOF\n"));
    for (line, value) in [
        ("sterna_requests_total{endpoint=\"/v1/completions\",status=\"200\"}", 2.0),
        ("sterna_tokens_total{kind=\"completion\"}", 8.0),
        ("sterna_answer_seconds_count", 2.0),
        ("sterna_token_seconds_count", 2.0),
        ("sterna_slots", 3.0),
        ("sterna_waiting", 0.0),
    ] {
        assert_eq!(server.metric(line), value, "{line}");
    }
    let live = server.json("/live");
    assert_eq!((&live["model"], &live["slots"]), (&json!("tiny"), &json!(3)));
    assert_eq!(live["now"]["tokens"], 8);
    let page = server.get("/").1;
    assert!(page.contains("<title>Sterna</title>"));
    assert!(!page.contains("http:") && !page.contains("https:"), "nothing from elsewhere");
}

#[test]
fn a_key_is_wanted_where_others_reach_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = tiny(folder.path());
    let file = file.to_str().unwrap();
    let key = "a-key-of-some-length";
    let server = Server::with(folder.path(), &[file, "--device", "golden"], Some(key));
    let asked = completion("ROMEO:", 2, None);
    assert_eq!(server.post("/v1/completions", &asked).0, 401);
    for path in ["/v1/models", "/metrics", "/live"] {
        assert_eq!(server.get(path).0, 401, "{path}");
    }
    assert_eq!((server.get("/health").0, server.get("/").0), (200, 200));
    let with = |key: &str| {
        let request = agent().post(server.url("/v1/completions"));
        request.header("Authorization", format!("Bearer {key}")).send_json(&asked).unwrap().status()
    };
    assert_eq!((with(key).as_u16(), with("another").as_u16()), (200, 401));

    let mut told = String::new();
    let mut fails = |args: &[&str], key: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sterna"));
        command
            .arg("serve")
            .args(args)
            .arg(file)
            .current_dir(folder.path())
            .env_remove("STERNA_KEY");
        command.envs(key.map(|key| ("STERNA_KEY", key)));
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let error = String::from_utf8(output.stderr).unwrap();
        told += error.lines().last().unwrap();
        told += "\n";
    };
    fails(&["--bind", "0.0.0.0:0"], None);
    fails(&["--bind", "[::]:0"], None);
    fails(&["--bind", "127.0.0.1:0"], Some("short"));
    std::fs::write(folder.path().join("key"), "with spaces in between\n").unwrap();
    fails(&["--key-file", "key"], None);
    fails(&["--key-file", "nothing"], None);
    std::fs::write(folder.path().join("good"), format!("{key}\n")).unwrap();
    fails(&["--bind", "192.0.2.1:80", "--key-file", "good"], None);
    assert_snapshot!(told);
}

#[test]
fn without_a_key_it_answers_under_its_own_name_only() {
    let (_folder, server) = server(&[]);
    let status = |host: &str| {
        let back = server.raw(
            format!("GET /v1/models HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
                .as_bytes(),
        );
        String::from_utf8_lossy(&back)[9..12].to_string()
    };
    assert_eq!(status("localhost:1"), "200");
    assert_eq!(status("evil.example"), "421");
}

#[test]
fn joules_are_the_watts_times_the_time() {
    let folder = tempfile::tempdir().unwrap();
    let chip = folder.path().join("tree/sys/class/hwmon/hwmon0");
    std::fs::create_dir_all(&chip).unwrap();
    for (name, text) in [("name", "ina226"), ("power1_input", "3510000"), ("update_interval", "5")]
    {
        std::fs::write(chip.join(name), format!("{text}\n")).unwrap();
    }
    let server = Server::start(folder.path(), &["--sysroot", "tree", "--meter", "hwmon:ina226"]);
    // A second of samples, then there are watts.
    while server.json("/live")["now"]["meters"][0]["watts"].is_null() {
        std::thread::sleep(Duration::from_millis(20));
    }
    let answer = server.complete("ROMEO:", 400, None);
    let of = &answer["usage"]["sterna"];
    let (joules, seconds) = (of["joules"].as_f64().unwrap(), of["seconds"].as_f64().unwrap());
    // Apart from the moments before the first and after the last pass.
    assert!((joules / seconds / 3.51 - 1.0).abs() < 0.2, "{of}");
    assert_eq!(of["measured_by"]["evidence"], "measured");
    assert!(server.metric("sterna_energy_joules_total") >= joules * 0.99);
    let live = server.json("/live");
    assert!((live["now"]["meters"][0]["watts"].as_f64().unwrap() - 3.51).abs() < 1e-9);
}

#[test]
fn one_who_leaves_frees_the_slot() {
    let (_folder, server) = server(&["--slots", "1", "--max-tokens", "1000000"]);
    for stream in [true, false] {
        let mut asked = completion("ROMEO:", 1_000_000, None);
        asked["stream"] = json!(stream);
        let body = asked.to_string();
        let mut connection = server.connect();
        let head =
            "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json";
        write!(connection, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        while server.metric("sterna_running") != 1.0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        drop(connection);
        server.complete("ROMEO:", 2, None);
    }
}

#[test]
fn what_has_begun_is_answered_before_it_ends() {
    let (folder, mut server) = server(&["--slots", "1"]);
    let wanted = reference(&folder).text("ROMEO:", 600, None);
    let url = server.url("/v1/completions");
    let asked = || {
        let url = url.clone();
        std::thread::spawn(move || {
            let mut response =
                agent().post(url).send_json(completion("ROMEO:", 600, None)).unwrap();
            response.body_mut().read_json::<Value>().unwrap()
        })
    };
    let answers = [asked(), asked()];
    while server.metric("sterna_running") + server.metric("sterna_waiting") < 2.0 {
        std::thread::sleep(Duration::from_millis(2));
    }
    server.signal("TERM");
    for answer in answers {
        assert_eq!(text(&answer.join().unwrap()), wanted);
    }
    assert_eq!(server.wait().code(), Some(0));
    assert!(std::net::TcpStream::connect(server.address).is_err());
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let (_folder, mut server) = server(&["--max-tokens", "1000000"]);
    let body = completion("ROMEO:", 1_000_000, None).to_string();
    let mut connection = server.connect();
    let head = "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json";
    write!(connection, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    while server.metric("sterna_running") != 1.0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    server.signal("INT");
    while std::net::TcpStream::connect(server.address).is_ok() {
        std::thread::sleep(Duration::from_millis(5));
    }
    server.signal("INT");
    assert_eq!(server.wait().code(), Some(130));
    let error = server.error();
    assert!(error.starts_with("note: no joules: ") && error.lines().count() == 1, "{error}");
}

/// The shape of answers, to the key.
#[test]
fn answers_have_the_keys_that_clients_know() {
    let (_folder, server) = server(&[]);
    let chat = json!({
        "model": "tiny", "messages": [{ "role": "user", "content": "Hi" }], "max_tokens": 1,
    });
    let mut asked = completion("ROMEO:", 1, None);
    asked["logprobs"] = json!(1);
    let all = json!({
        "completion": server.ask("/v1/completions", &asked),
        "completion_pieces": server.stream("/v1/completions", &asked),
        "chat": server.ask("/v1/chat/completions", &chat),
        "chat_pieces": server.stream("/v1/chat/completions", &chat),
        "models": server.json("/v1/models"),
    });
    assert_snapshot!(serde_json::to_string_pretty(&shape(&all)).unwrap());
}

/// Values by their types, but for words that are part of the protocol.
fn shape(of: &Value) -> Value {
    match of {
        Value::Object(map) => {
            let entry = |(key, value): (&String, &Value)| {
                let kept = ["object", "finish_reason", "role"].contains(&key.as_str());
                (key.clone(), if kept { value.clone() } else { shape(value) })
            };
            Value::Object(map.iter().map(entry).collect())
        }
        Value::Array(list) => list.first().map_or(json!([]), |first| json!([shape(first)])),
        Value::String(_) => json!("string"),
        Value::Number(_) => json!("number"),
        Value::Bool(_) => json!("bool"),
        Value::Null => Value::Null,
    }
}
