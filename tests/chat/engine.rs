//! The conversation itself, on a device that writes down what enters.

use std::cell::Cell;
use std::path::Path;
use std::sync::{Arc, Mutex};

use sterna::HostError;
use sterna::chat::{Chat, Ended, Turn};
use sterna::sample::Sampling;
use sterna::template::{Message, Role, Template};
use sterna_firmware::Result;
use sterna_firmware::compile::compile;
use sterna_firmware::device::{Candidate, Device, Head, State, Step, Want};
use sterna_firmware::golden::Golden;
use sterna_firmware::model::Model;
use sterna_firmware::shape::Shape;
use sterna_model::Checkpoint;

/// What entered since the last clear, and how often that was.
#[derive(Default)]
struct Log {
    tokens: Vec<u32>,
    clears: usize,
}

struct Recorder {
    golden: Golden,
    log: Arc<Mutex<Log>>,
}

impl Device for Recorder {
    fn name(&self) -> &'static str {
        self.golden.name()
    }

    fn shape(&self) -> Shape {
        self.golden.shape()
    }

    fn slots(&self) -> usize {
        self.golden.slots()
    }

    fn clear(&mut self, slot: usize) -> Result<()> {
        let log = &mut *self.log.lock().unwrap();
        log.tokens.clear();
        log.clears += 1;
        self.golden.clear(slot)
    }

    fn pass(&mut self, steps: &[Step]) -> Result<Vec<Head>> {
        self.log.lock().unwrap().tokens.extend(steps.iter().map(|step| step.token));
        self.golden.pass(steps)
    }

    fn prompt(&mut self, slot: usize, tokens: &[u32], want: Want) -> Result<Head> {
        self.log.lock().unwrap().tokens.extend(tokens);
        self.golden.prompt(slot, tokens, want)
    }

    fn save(&mut self, slot: usize) -> Result<State> {
        self.golden.save(slot)
    }

    fn restore(&mut self, slot: usize, state: &State) -> Result<()> {
        self.golden.restore(slot, state)
    }

    fn saturations(&self) -> u64 {
        self.golden.saturations()
    }
}

fn demo() -> Arc<Model> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/demo");
    Model::open(&folder.join("shakespeare-5m.sterna")).unwrap()
}

/// The tiny demo with a template.
fn with_template(template: &str, eos: Option<&str>) -> Arc<Model> {
    let folder = tempfile::tempdir().unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/demo/shakespeare-tiny");
    for file in ["config.json", "model.safetensors", "tokenizer.json"] {
        std::fs::copy(from.join(file), folder.path().join(file)).unwrap();
    }
    let config = serde_json::json!({ "chat_template": template, "eos_token": eos });
    std::fs::write(folder.path().join("tokenizer_config.json"), config.to_string()).unwrap();
    let path = folder.path().join("model.sterna");
    compile(&Checkpoint::open(folder.path()).unwrap(), &path, &mut |_| ()).unwrap();
    Model::open(&path).unwrap()
}

fn chat(model: &Arc<Model>, sampling: Sampling, system: Option<&str>) -> (Chat, Arc<Mutex<Log>>) {
    let log = Arc::new(Mutex::new(Log::default()));
    let golden = Golden::new(Arc::clone(model), 1).unwrap();
    let device = Box::new(Recorder { golden, log: Arc::clone(&log) });
    let chat = Chat::new(Arc::clone(model), device, sampling, system.map(str::to_owned)).unwrap();
    (chat, log)
}

/// Asks; what was emitted is the answer.
fn ask(chat: &mut Chat, question: &str, count: usize) -> Turn {
    let mut emitted = String::new();
    let mut emit = |piece: &str| {
        emitted.push_str(piece);
        Ok(())
    };
    let turn = chat.ask(question, count, &|| false, &mut emit).unwrap();
    assert_eq!(emitted, turn.text);
    turn
}

const WARM: Sampling = Sampling { temperature: 0.8, top_k: 64, top_p: 1.0, seed: 4 };

/// Only what is new enters, and all together is the conversation's text.
#[test]
fn turns_go_on_from_the_state() {
    let model = demo();
    let tokenizer = model.tokenizer().unwrap().unwrap();
    let (mut chat, log) = chat(&model, WARM, Some("A play."));
    let mut before = 0;
    for (n, question) in ["Who is there?", "Why?", "", "Speak again."].into_iter().enumerate() {
        let turn = ask(&mut chat, question, 20 + n);
        assert_eq!((turn.again, turn.ended, turn.chosen), (false, Ended::Count, 20 + n));
        let text = Template::plain().render(chat.messages(), false).unwrap();
        let log = log.lock().unwrap();
        assert_eq!(log.clears, 2, "when it began, and before the first question");
        // The last token of the answer has not entered yet.
        assert_eq!(log.tokens.len() as u64 + 1, chat.tokens());
        assert_eq!(log.tokens.len() - before, turn.read + turn.chosen - 1);
        before = log.tokens.len();
        let entered = tokenizer.decode(&log.tokens).unwrap();
        assert!(text.starts_with(&entered), "{text:?} does not begin with {entered:?}");
        assert!(text.len() - entered.len() < 20, "{text:?} goes far beyond {entered:?}");
    }
    let totals = chat.totals();
    assert_eq!((totals.turns, totals.chosen), (4, 20 + 21 + 22 + 23));
    chat.reset().unwrap();
    assert_eq!((chat.tokens(), chat.messages().len()), (0, 1));
}

/// The first answer is what the model says of the same text.
#[test]
fn an_answer_is_the_continuation() {
    let model = demo();
    let (mut chat, _) = chat(&model, Sampling::default(), None);
    let turn = ask(&mut chat, "Who is there?", 40);
    let tokenizer = model.tokenizer().unwrap().unwrap();
    let prompt = tokenizer.encode("User: Who is there?\nAssistant:", true).unwrap();
    let request = sterna::generate::Request {
        prompt: &prompt,
        count: 40,
        sampling: Sampling::default(),
        stop: &[],
    };
    let mut golden = Golden::new(Arc::clone(&model), 1).unwrap();
    let want = sterna::generate::generate(&mut golden, &request, &mut |_| Ok(())).unwrap();
    assert_eq!(turn.text, tokenizer.decode(&want.tokens).unwrap());
}

#[test]
fn an_interrupted_answer_stays_said() {
    let model = demo();
    let (mut chat, log) = chat(&model, Sampling::default(), None);
    let calls = Cell::new(0);
    let after = |most: usize| {
        calls.set(0);
        let calls = &calls;
        move || calls.replace(calls.get() + 1) >= most
    };
    let turn = chat.ask("Who is there?", 100, &after(6), &mut |_| Ok(())).unwrap();
    assert_eq!((turn.ended, chat.messages().len()), (Ended::Interrupt, 2));
    assert!((1..6).contains(&turn.chosen), "{}", turn.chosen);
    let whole = ask(&mut chat, "Go on.", 5);
    assert_eq!((whole.again, log.lock().unwrap().clears), (false, 2));
    // Interrupted while it is read, the question was not asked.
    let long = "and so on ".repeat(200);
    let turn = chat.ask(&long, 100, &after(1), &mut |_| Ok(())).unwrap();
    assert_eq!((turn.ended, turn.chosen, chat.messages().len()), (Ended::Interrupt, 0, 4));
    let turn = ask(&mut chat, "Again.", 5);
    assert_eq!((turn.ended, chat.messages().len()), (Ended::Count, 6));
    let entered = log.lock().unwrap().tokens.clone();
    let entered = model.tokenizer().unwrap().unwrap().decode(&entered).unwrap();
    let text = Template::plain().render(chat.messages(), false).unwrap();
    assert!(text.starts_with(&entered) && !entered.contains("and so on"), "{entered}");
}

const TRIMS: &str = "{% for m in messages %}{{ m.role + ': ' + m.content | trim + '\n' }}\
                     {% endfor %}{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}";

/// Many templates cut the spaces around an answer; what the model said had some.
#[test]
fn templates_that_trim_are_gone_on_with() {
    let model = with_template(TRIMS, None);
    let (mut chat, log) = chat(&model, WARM, None);
    for question in ["Who?", "What?", "Where?"] {
        let turn = ask(&mut chat, question, 12);
        let log = log.lock().unwrap();
        let entered = model.tokenizer().unwrap().unwrap().decode(&log.tokens).unwrap();
        // An answer that begins or ends with spaces may be written otherwise later.
        assert!(!turn.again || turn.read > 12, "{entered}");
    }
    // Written differently each time: only the last question.
    let last = "{{ messages[-1].content }} {% if add_generation_prompt %}{{ '-' }}{% endif %}";
    let model = with_template(last, None);
    let (mut chat, log) = self::chat(&model, WARM, None);
    assert!(!ask(&mut chat, "Who?", 5).again);
    let turn = ask(&mut chat, "What?", 5);
    assert!(turn.again);
    let log = log.lock().unwrap();
    let entered = model.tokenizer().unwrap().unwrap().decode(&log.tokens).unwrap();
    assert!(entered.starts_with("What? -") && log.clears == 3, "{entered}");
}

/// The template's own end token ends an answer, and is not part of it.
#[test]
fn an_end_token_ends_an_answer() {
    let model = with_template(TRIMS, Some("e"));
    let tokenizer = model.tokenizer().unwrap().unwrap();
    let end = tokenizer.encode("e", false).unwrap();
    assert_eq!(end.len(), 1);
    let (mut chat, log) = chat(&model, Sampling { seed: 1, ..WARM }, None);
    let ended = (0..40).any(|_| {
        let turn = ask(&mut chat, "Who?", 40);
        turn.ended == Ended::Token && {
            // All of it entered but the end token.
            assert_eq!(log.lock().unwrap().tokens.len() as u64, chat.tokens());
            true
        }
    });
    assert!(ended, "of 1600 tokens one is an e");
    assert!(!ask(&mut chat, "What?", 3).text.is_empty());
}

/// Kept, loaded by another program, and gone on with: the same answers, also random ones.
#[test]
fn a_conversation_is_kept_and_resumed() {
    let model = demo();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.state");
    let (mut first, _) = chat(&model, WARM, Some("A play."));
    assert_eq!(first.save(&path).unwrap_err().code(), "H039");
    ask(&mut first, "Who is there?", 20);
    let bytes = first.save(&path).unwrap();
    assert_eq!(bytes, std::fs::metadata(&path).unwrap().len());
    let (mut second, log) = chat(&model, WARM, None);
    second.load(&path).unwrap();
    assert_eq!((second.messages(), second.tokens()), (first.messages(), first.tokens()));
    for question in ["Why?", "And then?"] {
        let [a, b] = [&mut first, &mut second].map(|chat| ask(chat, question, 15));
        assert_eq!((a.text, a.read, b.again), (b.text, b.read, false));
    }
    assert_eq!(log.lock().unwrap().clears, 1, "nothing was read again");
    // What cannot be loaded changes nothing.
    let messages: Vec<Message> = second.messages().to_vec();
    std::fs::write(folder.path().join("bad.state"), "x").unwrap();
    assert_eq!(second.load(&folder.path().join("bad.state")).unwrap_err().code(), "H033");
    assert_eq!(second.messages(), messages);
    // A state without a conversation is for `run`.
    let mut golden = Golden::new(Arc::clone(&model), 1).unwrap();
    let bare = sterna::state::Saved::of(&model, &mut golden, 0).unwrap();
    bare.write(&path).unwrap();
    let error = second.load(&path).unwrap_err();
    assert!(matches!(error, HostError::NoConversation { .. }), "{error}");
    assert_eq!(ask(&mut second, "Well?", 3).text, ask(&mut first, "Well?", 3).text);
}

/// After a question that was interrupted the state is made anew before it is kept.
#[test]
fn a_lost_state_is_kept_too() {
    let model = demo();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.state");
    let (mut one, _) = chat(&model, Sampling::default(), None);
    ask(&mut one, "Who is there?", 10);
    let long = "and so on ".repeat(50);
    one.ask(&long, 10, &|| true, &mut |_| Ok(())).unwrap();
    one.save(&path).unwrap();
    let (mut other, _) = chat(&model, Sampling::default(), None);
    other.load(&path).unwrap();
    assert_eq!(other.messages().len(), 2);
    assert_eq!(other.messages()[0], Message::new(Role::User, "Who is there?"));
    assert!(!ask(&mut other, "Why?", 5).again);
}

/// A model that says what it is told to, and writes down what enters.
struct Script {
    shape: Shape,
    says: Vec<u32>,
    log: Arc<Mutex<Log>>,
}

impl Device for Script {
    fn name(&self) -> &'static str {
        "script"
    }

    fn shape(&self) -> Shape {
        self.shape
    }

    fn slots(&self) -> usize {
        1
    }

    fn clear(&mut self, _: usize) -> Result<()> {
        self.log.lock().unwrap().tokens.clear();
        Ok(())
    }

    fn pass(&mut self, steps: &[Step]) -> Result<Vec<Head>> {
        self.log.lock().unwrap().tokens.extend(steps.iter().map(|step| step.token));
        let choose = |step: &Step| match step.want {
            Want::State => Head::default(),
            _ => {
                let token = if self.says.is_empty() { 0 } else { self.says.remove(0) };
                Head { top: vec![Candidate { token, logit: 0.0 }], logits: vec![] }
            }
        };
        Ok(steps.iter().map(choose).collect())
    }

    fn save(&mut self, _: usize) -> Result<State> {
        Ok(State::Fixed(vec![0; self.shape.state()]))
    }

    fn restore(&mut self, _: usize, _: &State) -> Result<()> {
        Ok(())
    }

    fn saturations(&self) -> u64 {
        0
    }
}

/// The answer ends where the next question would begin, which then goes on from just there,
/// however the tokens are cut.
#[test]
fn an_answer_ends_before_the_next_question() {
    let model = demo();
    let tokenizer = model.tokenizer().unwrap().unwrap();
    let one_by_one = |text: &str| -> Vec<u32> {
        text.chars().flat_map(|c| tokenizer.encode(&c.to_string(), false).unwrap()).collect()
    };
    let whole = |text: &str| tokenizer.encode(text, false).unwrap();
    for says in [
        one_by_one("\nA bird.\nUse\n\nUser: and more"),
        whole("\nA bird.\nUse\n\nUser: and more"),
        [one_by_one("\nA bird.\nUse\n\nUser"), whole(": \n")].concat(),
    ] {
        let log = Arc::new(Mutex::new(Log::default()));
        let device = Script { shape: model.shape(), says, log: Arc::clone(&log) };
        let sampling = Sampling::default();
        let mut chat = Chat::new(Arc::clone(&model), Box::new(device), sampling, None).unwrap();
        let turn = ask(&mut chat, "Who?", 100);
        assert_eq!((turn.text.as_str(), turn.ended), ("\nA bird.\nUse\n", Ended::Text));
        let turn = chat.ask("Why?", 1, &|| false, &mut |_| Ok(())).unwrap();
        assert!(!turn.again);
        let entered = tokenizer.decode(&log.lock().unwrap().tokens).unwrap();
        assert_eq!(entered, "User: Who?\nAssistant:\nA bird.\nUse\n\nUser: Why?\nAssistant:");
    }
}
