//! `sterna pull` and `sterna models` with a hub that is as it should be.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use sterna_firmware::model::Description;
use sterna_model::ChatTemplate;

use crate::desk::Desk;
use crate::hub::{Answer, COMMIT, Hub, git, sha256};

const NAME: &str = "ridger/Tiny-0.1B";
const CACHE: &str = "home/.cache/huggingface/hub";
const MODEL: &str = "home/.local/share/sterna/models/ridger/Tiny-0.1B.sterna";

/// Files of which bytes were asked for, with the first byte.
fn fetched(hub: &Hub) -> Vec<(String, u64)> {
    let log = hub.log().into_iter().filter(|request| request.method == "GET");
    let mut files: Vec<_> =
        log.map(|request| (request.file().to_owned(), request.range.unwrap_or(0))).collect();
    // A large file is asked for twice: of the hub, and where that sends.
    files.dedup();
    files
}

#[test]
fn a_model_is_fetched_imported_and_found_by_its_name() {
    let (desk, hub) = Desk::with_hub();
    let report = desk.json(&["pull", NAME]);
    let sizes = ["config.json", "tokenizer.json", "model.safetensors"]
        .map(|file| fs::metadata(desk.path("tiny").join(file)).unwrap().len());
    assert_eq!(report["fetched_bytes"], sizes.iter().sum::<u64>());
    let told = ["repository", "revision", "commit"].map(|key| report[key].as_str().unwrap());
    assert_eq!(told, [NAME, "main", COMMIT]);
    assert_eq!(report["file"], desk.path(MODEL).display().to_string());

    // The cache is laid out as the hub's own tools have it.
    let folder = format!("{CACHE}/models--ridger--Tiny-0.1B");
    let bytes = fs::read(desk.path("tiny/model.safetensors")).unwrap();
    let config = fs::read(desk.path("tiny/config.json")).unwrap();
    let link = fs::read_link(desk.path(&format!("{folder}/snapshots/{COMMIT}/config.json")));
    assert_eq!(link.unwrap().to_str(), Some(&format!("../../blobs/{}", git(&config))[..]));
    assert_eq!(fs::read(desk.path(&format!("{folder}/blobs/{}", sha256(&bytes)))).unwrap(), bytes);
    assert_eq!(fs::read_to_string(desk.path(&format!("{folder}/refs/main"))).unwrap(), COMMIT);

    // The model is that of the checkpoint, but for what it says of where it is from.
    let imported = desk.json(&["import", "tiny", "-o", "tiny.sterna"]);
    assert_eq!(report["image_id"], imported["image_id"]);
    let by_name = desk.json(&["run", NAME, "--tokens", "1,2,3", "-n", "8"]);
    let by_file = desk.json(&["run", "tiny.sterna", "--tokens", "1,2,3", "-n", "8"]);
    assert_eq!(by_name["tokens"], by_file["tokens"]);
    desk.ok(&["state", "save", NAME, "ROMEO:", "-o", "a.state"]);
    desk.ok(&["run", "--state", "a.state", NAME, "-n", "2"]);
    // A clone of the repository beside it is no file.
    fs::create_dir_all(desk.path(NAME)).unwrap();
    desk.ok(&["inspect", NAME]);

    // Again: everything is in the cache, and checked.
    hub.log();
    let again = desk.json(&["pull", NAME]);
    assert_eq!((&again["fetched_bytes"], fetched(&hub)), (&json!(0), vec![]));
    // Of a commit nothing is remembered under another name.
    desk.ok(&["pull", &format!("{NAME}@{COMMIT}"), "-o", "here.sterna"]);
    desk.ok(&["pull", &format!("{NAME}@refs/pr/1"), "-o", "here.sterna"]);
    assert_eq!(fs::read(desk.path("here.sterna")).unwrap(), fs::read(desk.path(MODEL)).unwrap());
    let refs = desk.tree(&format!("{folder}/refs"));
    assert_eq!(refs, ["main", "refs/pr/1"].map(|name| format!("{folder}/refs/{name}")));
}

#[test]
fn models_are_listed_checked_and_removed() {
    let (desk, _hub) = Desk::with_hub();
    assert_eq!(desk.ok(&["models"]).lines().count(), 1, "the built-in one");
    desk.ok(&["pull", NAME]);
    let list = desk.json(&["models"]);
    let model = &list["models"][0];
    assert_eq!((&model["name"], &model["commit"]), (&json!(NAME), &json!(COMMIT)));
    assert_eq!((&model["whole"], &model["shape"]["layers"]), (&json!(true), &json!(2)));
    assert_eq!(model["bytes"], fs::metadata(desk.path(MODEL)).unwrap().len());
    assert_eq!(list["built_in"]["commit"], Value::Null);
    let text = desk.ok(&["models", "--check"]);
    let line = text.lines().nth(1).unwrap();
    let image = model["image_id"].as_str().unwrap();
    for part in [NAME, "2 x 64", image, &COMMIT[..12], "20"] {
        assert!(line.contains(part), "{part}: {line}");
    }

    // Cut off, any look tells; a bit of the weights only a check.
    let bytes = fs::read(desk.path(MODEL)).unwrap();
    let mut messages = vec![];
    fs::write(desk.path(MODEL), &bytes[..bytes.len() - 4096]).unwrap();
    messages.push(desk.fails(&["models"]));
    assert_eq!(desk.command(&["models", "--json"]).output().unwrap().status.code(), Some(1));
    let mut flipped = bytes;
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    fs::write(desk.path(MODEL), flipped).unwrap();
    desk.ok(&["models"]);
    messages.push(desk.fails(&["models", "--check"]));

    // What is no model is not looked at.
    let folder = desk.path(MODEL).parent().unwrap().to_owned();
    for name in ["notes.txt", ".sterna-x.tmp", "-x.sterna"] {
        fs::write(folder.join(name), "").unwrap();
    }
    assert_eq!(desk.ok(&["models"]).lines().count(), 2);
    for name in ["notes.txt", ".sterna-x.tmp", "-x.sterna"] {
        fs::remove_file(folder.join(name)).unwrap();
    }
    let deleted = desk.json(&["models", "remove", NAME]);
    assert_eq!(deleted["deleted"], desk.path(MODEL).display().to_string());
    assert!(!folder.exists() && folder.parent().unwrap().exists());
    messages.push(desk.fails(&["models", "remove", NAME]));
    messages.push(desk.fails(&["run", NAME, "x"]));
    messages.push(desk.fails(&["run", "../tiny", "x"]));
    let mut homeless = desk.command(&["models"]);
    let output = homeless.env_remove("HOME").output().unwrap();
    messages.push(String::from_utf8(output.stderr).unwrap());
    insta::assert_snapshot!(messages.join("\n"));
}

#[test]
fn what_broke_off_is_gone_on_with() {
    let (desk, hub) = Desk::with_hub();
    let bytes = fs::read(desk.path("tiny/model.safetensors")).unwrap();
    let third = bytes.len() / 3;
    // The connection breaks every time after a third; each time it goes on where it was.
    hub.change(move |request, mut answer| {
        if request.file() == "model.safetensors" {
            answer.body.truncate(third);
        }
        answer
    });
    desk.ok(&["pull", NAME]);
    let of_weights = |hub: &Hub| -> Vec<u64> {
        let files = fetched(hub).into_iter().filter(|(file, _)| file == "model.safetensors");
        files.map(|(_, from)| from).collect()
    };
    let third = third as u64;
    assert_eq!(of_weights(&hub)[..3], [0, third, 2 * third]);

    // A process that was killed: what it had is the beginning.
    let folder = desk.path(&format!("{CACHE}/models--ridger--Tiny-0.1B/blobs"));
    let (blob, part) = (sha256(&bytes), format!("{}.incomplete", sha256(&bytes)));
    let begin = |what: &[u8]| {
        fs::remove_file(folder.join(&blob)).unwrap();
        fs::write(folder.join(&part), what).unwrap();
    };
    hub.mend();
    begin(&bytes[..1000]);
    let report = desk.json(&["pull", NAME]);
    assert_eq!(report["fetched_bytes"], bytes.len() - 1000);
    assert_eq!(of_weights(&hub), [1000]);
    // All of it was there, only not under its name.
    begin(&bytes);
    assert_eq!(desk.json(&["pull", NAME])["fetched_bytes"], 0);
    // More than there is: from the start.
    begin(&[&bytes[..], b"x"].concat());
    assert_eq!(desk.json(&["pull", NAME])["fetched_bytes"], bytes.len());
    hub.log();
    // A server that knows no ranges sends all again, and it is taken so.
    hub.change({
        let bytes = bytes.clone();
        move |request, answer| match request.range {
            Some(_) if answer.status == 206 => {
                let length = bytes.len().to_string();
                let answer = Answer { status: 200, body: bytes.clone(), ..answer };
                answer.without("content-range").with("content-length", &length)
            }
            _ => answer,
        }
    });
    begin(&bytes[..1000]);
    assert_eq!(desk.json(&["pull", NAME])["fetched_bytes"], bytes.len());
    // What others left in the cache is looked at before it is believed.
    hub.mend();
    let mut wrong = bytes.clone();
    wrong[77] ^= 1;
    fs::write(folder.join(&blob), wrong).unwrap();
    assert_eq!(desk.json(&["pull", NAME])["fetched_bytes"], bytes.len());
    assert_eq!(fs::read(folder.join(&blob)).unwrap(), bytes);
}

#[test]
fn shards_templates_and_offline() {
    let (mut desk, hub) = Desk::with_hub();
    let shard = "model-00001-of-00001.safetensors";
    let weights = fs::read(desk.path("tiny/model.safetensors")).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&weights).unwrap();
    let map: Value =
        tensors.names().into_iter().map(|name| (name.to_owned(), json!(shard))).collect();
    hub.remove("model.safetensors");
    hub.put(shard, &weights);
    hub.put("model.safetensors.index.json", json!({ "weight_map": map }).to_string().as_bytes());
    hub.put("chat_template.jinja", b"{{ messages[0].content }}");
    hub.put("tokenizer_config.json", br#"{"chat_template": "old", "eos_token": "x"}"#);

    // Offline there is nothing yet; then there is.
    desk.environment.insert("HF_HUB_OFFLINE", "1".into());
    let before = desk.fails(&["pull", NAME]);
    insta::assert_snapshot!(before);
    desk.environment.remove("HF_HUB_OFFLINE");
    let report = desk.json(&["pull", NAME]);
    let first = fs::read(desk.path(MODEL)).unwrap();
    let chat = Description::read(&desk.path(MODEL)).unwrap().chat;
    assert_eq!(chat, ChatTemplate::new("{{ messages[0].content }}", None, Some("x")));

    hub.log();
    desk.environment.insert("HF_HUB_OFFLINE", "true".into());
    for name in [NAME.into(), format!("{NAME}@{COMMIT}")] {
        let offline = desk.json(&["pull", &name]);
        assert_eq!(offline["image_id"], report["image_id"]);
        assert_eq!(fs::read(desk.path(MODEL)).unwrap(), first);
    }
    assert!(desk.fails(&["pull", &format!("{NAME}@other")]).starts_with("error[H058]"));
    assert_eq!(hub.log().len(), 0);
}

#[test]
fn folders_tokens_and_proxies_are_those_of_the_environment() {
    let (mut desk, hub) = Desk::with_hub();
    let tokens = |hub: &Hub, desk: &Desk| {
        hub.log();
        desk.ok(&["pull", NAME, "-o", "a.sterna"]);
        let log = hub.log();
        let store = log.iter().filter(|request| request.target == "/model.safetensors");
        assert!(store.clone().all(|request| request.token.is_none()), "only the hub may see it");
        log[0].token.clone()
    };
    assert_eq!(tokens(&hub, &desk), None);
    let home = desk.path("home/.cache/huggingface");
    fs::write(home.join("token"), "hf_file\n").unwrap();
    assert_eq!(tokens(&hub, &desk).as_deref(), Some("Bearer hf_file"));
    fs::write(desk.path("other"), "hf_other").unwrap();
    desk.environment.insert("HF_TOKEN_PATH", "other".into());
    assert_eq!(tokens(&hub, &desk).as_deref(), Some("Bearer hf_other"));
    desk.environment.insert("HF_TOKEN", " hf_own ".into());
    assert_eq!(tokens(&hub, &desk).as_deref(), Some("Bearer hf_own"));

    let with = |pairs: &[(&'static str, &str)], args: &[&str]| -> Command {
        let mut command = desk.command(args);
        command.envs(pairs.iter().copied());
        command
    };
    let pull = ["pull", NAME];
    let run = |command: &mut Command| {
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    run(&mut with(&[("HF_HOME", "hf"), ("STERNA_MODELS", "models")], &pull));
    run(&mut with(&[("HF_HUB_CACHE", "cache"), ("XDG_DATA_HOME", "data")], &pull));
    run(&mut with(&[("XDG_CACHE_HOME", "xdg")], &pull));
    for folder in ["hf/hub", "cache", "xdg/huggingface/hub"] {
        assert!(desk.path(folder).join("models--ridger--Tiny-0.1B/refs/main").exists(), "{folder}");
    }
    for folder in ["models", "data/sterna/models"] {
        assert!(desk.path(folder).join("ridger/Tiny-0.1B.sterna").exists(), "{folder}");
    }

    // The hub's name is nobody's here, so whoever reaches it went by the proxy.
    let hidden = ("HF_ENDPOINT", "http://hub.invalid");
    for variable in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "https_proxy"] {
        hub.log();
        // Large files are where no proxy is needed.
        run(&mut with(&[hidden, (variable, &hub.address), ("NO_PROXY", "127.0.0.1")], &pull));
        let asked = &hub.log()[0];
        assert_eq!((&asked.method[..], &asked.target[..]), ("CONNECT", "hub.invalid:80"));
    }
    // A proxy that is not there is not asked for hosts that need none.
    let nobody = ("HTTPS_PROXY", "http://127.0.0.1:1");
    run(&mut with(&[nobody, ("NO_PROXY", "127.0.0.1")], &pull));
    assert!(!with(&[nobody], &pull).status().unwrap().success());
}
