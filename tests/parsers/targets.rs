//! The parsers, each with good inputs to begin with.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use sterna::HostError;
use sterna::state::{Conversation, Saved};
use sterna::tasks::{self, Answer, Data, Header, Report, Results, Task};
use sterna::template::{Message, Role, Template};
use sterna_firmware::compile::compile;
use sterna_firmware::device::{Device, State, Step, Want};
use sterna_firmware::file::{PAGE, SectionKind};
use sterna_firmware::geometry::Geometry;
use sterna_firmware::golden::Golden;
use sterna_firmware::isa::{Instruction, UNIT, instructions};
use sterna_firmware::model::Model;
use sterna_model::checkpoint::Checkpoint;
use sterna_model::synth::{self, SynthSpec};
use sterna_model::{ChatTemplate, Config, Tokenizer};

/// Something that reads what others wrote.
pub trait Target {
    fn name(&self) -> &'static str;
    /// Inputs that it accepts.
    fn seeds(&self) -> Vec<Vec<u8>>;
    /// What its inputs are made of.
    fn words(&self) -> &'static [&'static str];
    /// Reads an input and goes as far as a user would; what was said.
    fn read(&mut self, input: &[u8]) -> String;
}

/// A small model in all its forms.
struct Small {
    /// With the checkpoint below it.
    folder: tempfile::TempDir,
    file: Vec<u8>,
    model: Arc<Model>,
}

impl Small {
    fn new() -> Small {
        let folder = room();
        let checkpoint = folder.path().join("checkpoint");
        synth::write(&SynthSpec::new(32, 1, 20), &checkpoint, &mut |_, _| ()).unwrap();
        let path = folder.path().join("model.sterna");
        compile(&Checkpoint::open(&checkpoint).unwrap(), &path, &mut |_| ()).unwrap();
        let (file, model) = (fs::read(&path).unwrap(), Model::open(&path).unwrap());
        Small { folder, file, model }
    }

    fn checkpoint(&self, name: &str) -> Vec<u8> {
        fs::read(self.folder.path().join("checkpoint").join(name)).unwrap()
    }
}

/// A folder in memory where there is one: files are written by the thousand.
fn room() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn demo(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/demo/shakespeare-tiny");
    fs::read(folder.join(name)).unwrap()
}

fn said<T, E: std::fmt::Display>(result: Result<T, E>) -> String {
    result.map_or_else(|error| error.to_string(), |_| "read".into())
}

/// `config.json`.
struct ConfigText(Small);

impl Target for ConfigText {
    fn name(&self) -> &'static str {
        "config"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        vec![self.0.checkpoint("config.json"), demo("config.json")]
    }

    fn words(&self) -> &'static [&'static str] {
        &["\"hidden_size\":", "\"num_heads\":", "\"expand_ratio\":", "\"vocab_size\":", "null,"]
    }

    fn read(&mut self, input: &[u8]) -> String {
        said(Config::from_json("config.json".as_ref(), &String::from_utf8_lossy(input)))
    }
}

/// `model.safetensors` beside a good `config.json`, imported as a whole.
struct Weights(Small);

impl Target for Weights {
    fn name(&self) -> &'static str {
        "safetensors"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        vec![self.0.checkpoint("model.safetensors")]
    }

    fn words(&self) -> &'static [&'static str] {
        &[
            "\"dtype\":\"F32\"",
            "\"BF16\"",
            "\"F64\"",
            "\"shape\":[",
            "\"data_offsets\":[0,",
            "\"__metadata__\":{",
        ]
    }

    fn read(&mut self, input: &[u8]) -> String {
        let folder = self.0.folder.path();
        let checkpoint = folder.join("checkpoint");
        fs::write(checkpoint.join("model.safetensors"), input).unwrap();
        match Checkpoint::open(&checkpoint) {
            Ok(checkpoint) => said(compile(&checkpoint, &folder.join("out.sterna"), &mut |_| ())),
            Err(error) => error.to_string(),
        }
    }
}

/// `tokenizer.json`, used where it is accepted.
struct TokenizerText;

impl Target for TokenizerText {
    fn name(&self) -> &'static str {
        "tokenizer"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        vec![demo("tokenizer.json")]
    }

    fn words(&self) -> &'static [&'static str] {
        &[
            "\"type\":\"BPE\"",
            "\"merges\":[",
            "\"vocab\":{",
            "\"pre_tokenizer\":",
            "\"id\":",
            "\"special\":true",
            "\"pattern\":{\"Regex\":\"(a+)+$\"}",
        ]
    }

    fn read(&mut self, input: &[u8]) -> String {
        let tokenizer = match Tokenizer::from_json(input, 512) {
            Ok(tokenizer) => tokenizer,
            Err(error) => return error.to_string(),
        };
        match tokenizer.encode("ROMEO:\nÄ \u{1f600}\0 what light", true) {
            Ok(ids) => said(tokenizer.decode(&ids)),
            Err(error) => error.to_string(),
        }
    }
}

/// A whole model file; its header's checksum is made right, so that what it says is read.
struct File(Small);

impl Target for File {
    fn name(&self) -> &'static str {
        "model_file"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        vec![self.0.file.clone()]
    }

    fn words(&self) -> &'static [&'static str] {
        &[]
    }

    fn read(&mut self, input: &[u8]) -> String {
        let mut input = input.to_vec();
        let page = PAGE as usize;
        if input.len() >= page {
            let crc = crc32c::crc32c(&input[..page - 4]);
            input[page - 4..page].copy_from_slice(&crc.to_le_bytes());
        }
        let path = self.0.folder.path().join("fuzzed.sterna");
        fs::write(&path, input).unwrap();
        said(Model::open(&path))
    }
}

/// Image and embedding rows as a card's memory has them, all checksums made right; what is accepted
/// computes a token.
struct Image(Small);

impl Image {
    fn walk(&self) -> Vec<Instruction> {
        instructions(&self.0.model.shape())
    }
}

impl Target for Image {
    fn name(&self) -> &'static str {
        "image"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        vec![self.0.model.image().bytes().to_vec()]
    }

    fn words(&self) -> &'static [&'static str] {
        &[]
    }

    fn read(&mut self, input: &[u8]) -> String {
        let mut image = input.to_vec();
        for of in self.walk() {
            if of.end() <= image.len() {
                let payload = crc32c::crc32c(&image[of.payload_offset()..of.end()]);
                image[of.offset + 12..of.offset + 16].copy_from_slice(&payload.to_le_bytes());
                let header = crc32c::crc32c(&image[of.offset..of.offset + UNIT - 4]);
                let at = of.offset + UNIT - 4;
                image[at..at + 4].copy_from_slice(&header.to_le_bytes());
            }
        }
        let rows = self.0.model.container().section(SectionKind::Embedding).unwrap();
        let pass = Model::of_memory("fuzzed", &image, rows).and_then(|model| {
            let step = Step { slot: 0, token: 1, want: Want::Logits };
            Golden::new(model, 1)?.pass(&[step])
        });
        said(pass)
    }
}

/// The manifest of a geometry.
struct Manifest;

impl Target for Manifest {
    fn name(&self) -> &'static str {
        "manifest"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let shape = Small::new().model.shape();
        [64, 512].map(|bus| Geometry::for_shape(bus, &shape).manifest().into_bytes()).into()
    }

    fn words(&self) -> &'static [&'static str] {
        &["\"bus\":", "\"slots\":", "\"hidden\":", "\"state\":", "\"prefetch\":", "\"top_k\":"]
    }

    fn read(&mut self, input: &[u8]) -> String {
        match serde_json::from_slice::<Geometry>(input) {
            Ok(geometry) => said(geometry.check()),
            Err(error) => error.to_string(),
        }
    }
}

/// A recurrent state with a conversation.
struct StateFile(tempfile::TempDir);

impl Target for StateFile {
    fn name(&self) -> &'static str {
        "state"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let path = self.0.path().join("good.state");
        let saved = |state, conversation| Saved {
            image_id: "0123456789abcdef".into(),
            shape: [1, 2],
            state,
            entered: 3,
            pending: Some(4),
            draws: 5,
            conversation,
        };
        let conversation = Conversation {
            messages: vec![Message::new(Role::User, "Who?")],
            text: "User: Who?\nAssistant:".into(),
            next: String::new(),
        };
        [
            saved(State::Fixed(vec![-1, 7]), Some(conversation)),
            saved(State::Float(vec![0.5, -0.0]), None),
        ]
        .map(|saved| {
            saved.write(&path).unwrap();
            fs::read(&path).unwrap()
        })
        .into()
    }

    fn words(&self) -> &'static [&'static str] {
        &[
            "\"U8\"",
            "\"F32\"",
            "\"pending\":\"",
            "\"version\":\"1\"",
            "\"shape\":[",
            "\"crc32c\":\"",
        ]
    }

    fn read(&mut self, input: &[u8]) -> String {
        let path = self.0.path().join("input.state");
        fs::write(&path, input).unwrap();
        let read = Saved::open(&path);
        let Err(HostError::StateChecksum { stored, computed, .. }) = &read else {
            return said(read);
        };
        // What is behind the checksum is to be read, too.
        let mut words = input.windows(stored.len().max(1));
        let Some(at) = words.position(|word| word == stored.as_bytes()) else {
            return said(read);
        };
        let rest = &input[at + stored.len()..];
        fs::write(&path, [&input[..at], computed.as_bytes(), rest].concat()).unwrap();
        said(Saved::open(&path))
    }
}

/// `tokenizer_config.json`, and a conversation by what it holds.
struct TokenizerConfig;

impl Target for TokenizerConfig {
    fn name(&self) -> &'static str {
        "tokenizer_config"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let template = "{% for m in messages %}{{ '<|' ~ m['role'] + '|>' + m.content | trim }}\
                        {% endfor %}{% if add_generation_prompt %}{{ bos_token }}{% endif %}";
        let plain = serde_json::json!({ "chat_template": template, "bos_token": "<s>" });
        let list = serde_json::json!({
            "chat_template": [{ "name": "default", "template": template }],
            "eos_token": { "content": "</s>" },
        });
        vec![plain.to_string().into(), list.to_string().into()]
    }

    fn words(&self) -> &'static [&'static str] {
        &[
            "{% for x in messages %}",
            "{% endfor %}",
            "{{",
            "}}",
            " + ",
            " ~ ",
            "messages",
            " * ",
            ".split(",
        ]
    }

    fn read(&mut self, input: &[u8]) -> String {
        let text = String::from_utf8_lossy(input);
        match ChatTemplate::from_json("tokenizer_config.json".as_ref(), &text, None) {
            Ok(Some(chat)) => {
                let messages = [Message::new(Role::User, "Who?")];
                said(Template::new(&chat).and_then(|template| template.render(&messages, true)))
            }
            other => said(other),
        }
    }
}

/// Questions with several answers, as every task reads them.
struct Questions(tempfile::TempDir);

impl Target for Questions {
    fn name(&self) -> &'static str {
        "questions"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let choices =
            serde_json::json!([{ "text": "x", "label": "A" }, { "text": "y", "label": "B" }]);
        let columns = serde_json::json!({ "text": ["x", "y"], "label": ["A", "B"] });
        let lines = [
            serde_json::json!({ "id": "1", "question": { "stem": "a", "choices": choices }, "answerKey": "A" }),
            serde_json::json!({ "question": "a", "question_stem": "a", "choices": columns, "answerKey": " B" }),
            serde_json::json!({ "activity_label": "a", "ctx_a": "b [x] c", "ctx_b": "ßd", "endings": ["[title] e", "f"], "label": "1" }),
            serde_json::json!({ "goal": "a", "sol1": "b", "sol2": "c", "label": 1 }),
            serde_json::json!({ "sentence": "a _ b", "option1": "c", "option2": "d", "answer": "2" }),
        ];
        lines.map(|line| format!("{line}\n{line}\n").into_bytes()).into()
    }

    fn words(&self) -> &'static [&'static str] {
        &["\"label\":", "\"choices\":{", "\"answerKey\":", "\n", "[", "]", "_", "\"endings\":["]
    }

    fn read(&mut self, input: &[u8]) -> String {
        let path = self.0.path().join("questions.jsonl");
        fs::write(&path, input).unwrap();
        let tasks =
            [Task::ArcEasy, Task::OpenBookQa, Task::HellaSwag, Task::Piqa, Task::WinoGrande];
        tasks.map(|task| said(tasks::read(task, &path))).join("; ")
    }
}

/// Results of such questions.
struct ResultsFile(tempfile::TempDir);

impl Target for ResultsFile {
    fn name(&self) -> &'static str {
        "results"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let path = self.0.path().join("good.jsonl");
        let header = Header {
            sterna_score: 1,
            task: Task::Piqa,
            image_id: "0123456789abcdef".into(),
            arithmetic: "fixed".into(),
            shape: [24, 1024],
            model: "a.sterna".into(),
            data: vec![Data { file: "a.jsonl".into(), sha256: "00".into(), items: 2 }],
        };
        let mut results = Results::open(&path, header).unwrap();
        for item in 0..2 {
            results.push(Answer::new(item, "a", item, vec![3, 0], vec![-1.5, -0.25])).unwrap();
        }
        vec![fs::read(path).unwrap()]
    }

    fn words(&self) -> &'static [&'static str] {
        &["\"items\":", "\"item\":1,", "\"likelihoods\":[", "1e308", "\n", "\"gold\":"]
    }

    fn read(&mut self, input: &[u8]) -> String {
        let path = self.0.path().join("input.jsonl");
        fs::write(&path, input).unwrap();
        match Results::read(&path) {
            Ok(results) if results.answers.is_empty() => "no answer".into(),
            Ok(results) => {
                // Its numbers are as many as there are files.
                Report::new(&[results]).text();
                "a table".into()
            }
            Err(error) => error.to_string(),
        }
    }
}

pub fn all() -> Vec<Box<dyn Target>> {
    vec![
        Box::new(Questions(room())),
        Box::new(ResultsFile(room())),
        Box::new(ConfigText(Small::new())),
        Box::new(Weights(Small::new())),
        Box::new(TokenizerText),
        Box::new(TokenizerConfig),
        Box::new(StateFile(room())),
        Box::new(File(Small::new())),
        Box::new(Image(Small::new())),
        Box::new(Manifest),
    ]
}
