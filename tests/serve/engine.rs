//! The engine, with a device that does one pass when it is told to, or fails.

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use sterna::power::beside::Power;
use sterna::serve::engine::sequence::{End, Event, Job, Reason};
use sterna::serve::engine::{Engine, Health, Limits, Refused};
use sterna::serve::http::Bounds;
use sterna::serve::metrics::Metrics;
use sterna::serve::{Settings, serve};
use sterna_firmware::FirmwareError;
use sterna_firmware::device::{Device, Head, State, Step, Want};
use sterna_firmware::golden::Golden;
use sterna_firmware::model::Model;
use sterna_firmware::shape::Shape;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::client::{agent, completion};
use crate::models::{Reference, sampling, tiny};

/// Golden with a hand on it.
struct Held {
    golden: Golden,
    hand: Arc<Hand>,
}

#[derive(Default)]
struct Hand {
    state: Mutex<Told>,
    changed: Condvar,
}

#[derive(Default)]
struct Told {
    /// Passes that may be made; `None` is any number.
    passes: Option<usize>,
    /// Passes and resets that fail from now on.
    failing: (usize, usize),
    /// Whether the next pass panics.
    panics: bool,
    /// Tokens of each pass that was made.
    made: Vec<usize>,
}

impl Hand {
    fn set(&self, of: impl FnOnce(&mut Told)) {
        of(&mut self.state.lock().unwrap());
        self.changed.notify_all();
    }
}

fn broken() -> FirmwareError {
    FirmwareError::SlotTwice(99)
}

impl Device for Held {
    fn name(&self) -> &'static str {
        "held"
    }
    fn shape(&self) -> Shape {
        self.golden.shape()
    }
    fn slots(&self) -> usize {
        self.golden.slots()
    }
    fn clear(&mut self, slot: usize) -> sterna_firmware::Result<()> {
        self.golden.clear(slot)
    }
    fn pass(&mut self, steps: &[Step]) -> sterna_firmware::Result<Vec<Head>> {
        let mut told = self.hand.state.lock().unwrap();
        while told.passes == Some(0) {
            told = self.hand.changed.wait(told).unwrap();
        }
        told.passes = told.passes.map(|passes| passes - 1);
        let panics = std::mem::take(&mut told.panics);
        if panics {
            drop(told);
            panic!("as the test wants it");
        }
        if told.failing.0 > 0 {
            told.failing.0 -= 1;
            return Err(broken());
        }
        told.made.push(steps.len());
        drop(told);
        self.golden.pass(steps)
    }
    fn prompt(&mut self, slot: usize, tokens: &[u32], want: Want) -> sterna_firmware::Result<Head> {
        self.golden.prompt(slot, tokens, want)
    }
    fn save(&mut self, slot: usize) -> sterna_firmware::Result<State> {
        self.golden.save(slot)
    }
    fn restore(&mut self, slot: usize, state: &State) -> sterna_firmware::Result<()> {
        self.golden.restore(slot, state)
    }
    fn reset(&mut self) -> sterna_firmware::Result<()> {
        let mut told = self.hand.state.lock().unwrap();
        if told.failing.1 > 0 {
            told.failing.1 -= 1;
            return Err(broken());
        }
        drop(told);
        (0..self.slots()).try_for_each(|slot| self.clear(slot))
    }
    fn saturations(&self) -> u64 {
        0
    }
}

struct Bench {
    engine: Engine,
    hand: Arc<Hand>,
    metrics: Arc<Metrics>,
    model: Arc<Model>,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new(slots: usize, limits: Limits) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let model = Model::open(&tiny(folder.path())).unwrap();
        let hand = Arc::new(Hand::default());
        let metrics = Arc::new(Metrics::default());
        let (held, of) = (Arc::clone(&hand), Arc::clone(&model));
        let open = move || -> sterna::Result<Box<dyn Device>> {
            Ok(Box::new(Held { golden: Golden::new(of, slots)?, hand: held }))
        };
        let tokenizer = model.tokenizer().unwrap().map(Arc::new);
        let power = Arc::new(Power::start(vec![], Arc::default()));
        let engine = Engine::start(open, tokenizer, limits, power, Arc::clone(&metrics)).unwrap();
        Bench { engine, hand, metrics, model, _folder: folder }
    }

    fn ask(&self, client: &str, prompt: &[u32], most: usize) -> Result<Answer, Refused> {
        let (job, answer) = job(prompt, most);
        self.engine.submit(client, vec![job])?;
        Ok(answer)
    }

    fn metric(&self, line: &str) -> bool {
        self.metrics.text().lines().any(|known| known == line)
    }

    /// Waits for something that comes of the engine's own thread.
    fn until(&self, what: &str, of: impl Fn(&Bench) -> bool) {
        let begin = Instant::now();
        while !of(self) {
            assert!(begin.elapsed() < Duration::from_secs(60), "never: {what}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Lets the device go, whichever way a test ends: the engine is dropped after this, and waits for it.
impl Drop for Bench {
    fn drop(&mut self) {
        self.hand.set(|told| told.passes = None);
    }
}

fn job(prompt: &[u32], most: usize) -> (Job, Answer) {
    let (reply, events) = unbounded_channel();
    let job = Job {
        prompt: prompt.into(),
        most,
        sampling: sampling(None),
        ends: vec![],
        stops: vec![],
        candidates: Some(0),
        reply,
        index: 0,
        asked: Instant::now(),
    };
    (job, Answer(events))
}

struct Answer(UnboundedReceiver<(usize, Event)>);

impl Answer {
    /// Tokens, and the end or what failed.
    fn rest(mut self) -> (Vec<u32>, Result<End, String>) {
        let mut tokens = vec![];
        loop {
            match self.0.blocking_recv() {
                Some((_, Event::Piece(piece))) => tokens.extend(piece.choice.map(|c| c.token)),
                Some((_, Event::End(end))) => return (tokens, Ok(end)),
                Some((_, Event::Failed(message))) => return (tokens, Err(message)),
                None => return (tokens, Err("the channel closed".into())),
            }
        }
    }
}

const LIMITS: Limits = Limits { waiting: 4, prefixes: 1 << 20 };

#[test]
fn every_answer_is_goldens_whoever_else_is_there() {
    let bench = Bench::new(3, LIMITS);
    let mut reference = Reference::new(&bench.model);
    let prompts: Vec<Vec<u32>> =
        (0..12).map(|n: u32| (0..1 + n * n % 90).map(|at| (at * 7 + n) % 60).collect()).collect();
    let clients: Vec<String> = (0..12).map(|n| format!("client {}", n % 4)).collect();
    // Nobody is answered before the last one has asked.
    bench.hand.set(|told| told.passes = Some(0));
    let answers: Vec<Answer> = prompts
        .iter()
        .zip(&clients)
        .map(|(prompt, client)| bench.ask(client, prompt, 5 + prompt.len() % 9).unwrap())
        .collect();
    bench.hand.set(|told| told.passes = None);
    for (prompt, answer) in prompts.iter().zip(answers) {
        let (tokens, end) = answer.rest();
        assert_eq!(tokens, reference.tokens(prompt, 5 + prompt.len() % 9, None), "{prompt:?}");
        let end = end.unwrap();
        assert_eq!((end.reason, end.completion), (Reason::Length, tokens.len()));
        assert_eq!((end.prompt, end.joules), (prompt.len(), None));
    }
    let made = bench.hand.state.lock().unwrap().made.clone();
    assert!(made.contains(&3), "never all slots at once: {made:?}");
}

#[test]
fn a_prompt_that_begins_alike_is_not_read_again() {
    let bench = Bench::new(1, LIMITS);
    let mut reference = Reference::new(&bench.model);
    let prompt: Vec<u32> = (0..150).map(|n| n * 11 % 60).collect();
    let (first, end) = bench.ask("a", &prompt, 8).unwrap().rest();
    assert_eq!(end.unwrap().cached, 0);
    assert_eq!(first, reference.tokens(&prompt, 8, None));
    // The same again: the state after 128 tokens is there.
    let (again, end) = bench.ask("a", &prompt, 8).unwrap().rest();
    assert_eq!((again, end.unwrap().cached), (first.clone(), 128));
    // The conversation goes on after the answer, whose last token has not entered.
    let longer: Vec<u32> = [&prompt[..], &first, &[1, 2, 3]].concat();
    let (more, end) = bench.ask("b", &longer, 8).unwrap().rest();
    assert_eq!(end.unwrap().cached, 157);
    assert_eq!(more, reference.tokens(&longer, 8, None));
    assert!(bench.metric("sterna_tokens_total{kind=\"cached\"} 285"), "{}", bench.metrics.text());
    let without = Bench::new(1, Limits { prefixes: 0, ..LIMITS });
    for _ in 0..2 {
        let (tokens, end) = without.ask("a", &prompt, 8).unwrap().rest();
        assert_eq!((tokens, end.unwrap().cached), (first.clone(), 0));
    }
}

#[test]
fn a_full_queue_says_when_to_come_back_and_no_client_fills_it_for_others() {
    let bench = Bench::new(1, LIMITS);
    bench.hand.set(|told| told.passes = Some(0));
    let first = bench.ask("greedy", &[1], 2).unwrap();
    bench.until("the first has the slot", |bench| bench.metric("sterna_running 1"));
    let waiting: Vec<Answer> = (0..4).map(|_| bench.ask("greedy", &[1], 2).unwrap()).collect();
    let Err(Refused::Busy(after)) = bench.ask("greedy", &[1], 2) else { panic!("taken") };
    assert!((1..=60).contains(&after.as_secs()));
    let modest = bench.ask("modest", &[2], 2).unwrap();
    bench.hand.set(|told| told.passes = None);
    first.rest().1.unwrap();
    // The modest one waited for one of the greedy ones, not for all.
    let modest = modest.rest().1.unwrap();
    let waits: Vec<Duration> =
        waiting.into_iter().map(|answer| answer.rest().1.unwrap().waited).collect();
    assert!(waits[1..].iter().all(|waited| *waited > modest.waited), "{waits:?} {modest:?}");
}

#[test]
fn one_who_leaves_frees_the_slot_and_the_place_in_the_queue() {
    let bench = Bench::new(1, LIMITS);
    bench.hand.set(|told| told.passes = Some(3));
    let left = bench.ask("a", &[1], 1000).unwrap();
    bench.until("it runs", |bench| bench.metric("sterna_running 1"));
    let waits: Vec<Answer> = (0..4).map(|_| bench.ask("a", &[2], 1000).unwrap()).collect();
    assert!(matches!(bench.ask("a", &[3], 1), Err(Refused::Busy(_))));
    drop((left, waits));
    let next = bench.ask("a", &[3], 2).unwrap();
    bench.hand.set(|told| told.passes = Some(6));
    assert_eq!(next.rest().0.len(), 2);
    let made = bench.hand.state.lock().unwrap().made.len();
    assert!(made <= 3 + 1 + 2, "{made} passes for those who left");
}

#[test]
fn a_long_prompt_holds_nobody_up() {
    let bench = Bench::new(2, LIMITS);
    bench.hand.set(|told| told.passes = Some(1));
    let short = bench.ask("a", &[1], 40).unwrap();
    bench.until("it runs", |bench| bench.metric("sterna_running 1"));
    let long: Vec<u32> = (0..32 * 20 + 1).map(|n| n % 60).collect();
    let long = bench.ask("b", &long, 1).unwrap();
    bench.hand.set(|told| told.passes = None);
    long.rest().1.unwrap();
    short.rest().1.unwrap();
    let made = bench.hand.state.lock().unwrap().made.clone();
    let alone = made.iter().position(|&count| count == 2).expect("they met");
    // A pass of the short one after every piece of 32 tokens.
    assert!(alone >= 20, "{alone} passes while 20 pieces were read");
}

#[test]
fn a_failure_is_told_to_whom_it_concerns_and_the_next_is_right() {
    let bench = Bench::new(2, LIMITS);
    let mut reference = Reference::new(&bench.model);
    bench.hand.set(|told| told.passes = Some(0));
    // Both in one question: of two, the first might enter its pass before the second is there.
    let ((one, a), (two, b)) = (job(&[1], 9), job(&[2], 9));
    bench.engine.submit("a", vec![one, two]).unwrap();
    bench.until("both run", |bench| bench.metric("sterna_running 2"));
    let c = bench.ask("c", &[5, 6], 9).unwrap();
    bench.hand.set(|told| (told.failing, told.passes) = ((1, 0), None));
    for answer in [a, b] {
        let message = answer.rest().1.unwrap_err();
        assert!(message.starts_with("error[F013]: "), "{message}");
    }
    assert_eq!(c.rest().0, reference.tokens(&[5, 6], 9, None));
    assert_eq!(bench.engine.health(), Health::Up);
    assert!(bench.metric("sterna_device_failures_total 1"));
}

#[test]
fn a_device_that_is_gone_is_told_until_it_is_back() {
    let bench = Bench::new(1, LIMITS);
    let mut reference = Reference::new(&bench.model);
    bench.hand.set(|told| told.passes = Some(0));
    let runs = bench.ask("a", &[1], 9).unwrap();
    bench.until("it runs", |bench| bench.metric("sterna_running 1"));
    let waits = bench.ask("a", &[2], 9).unwrap();
    bench.hand.set(|told| (told.failing, told.passes) = ((1, 2), None));
    assert!(runs.rest().1.is_err() && waits.rest().1.is_err());
    bench.until("it is down", |bench| matches!(bench.engine.health(), Health::Down(_)));
    assert!(matches!(bench.ask("a", &[3], 9), Err(Refused::Down(why)) if why.contains("F013")));
    bench.until("it is back", |bench| bench.engine.health() == Health::Up);
    assert_eq!(bench.ask("a", &[3], 9).unwrap().rest().0, reference.tokens(&[3], 9, None));
}

#[test]
fn at_the_end_what_waits_is_answered_and_nothing_more_is_taken() {
    let bench = Bench::new(1, LIMITS);
    bench.hand.set(|told| told.passes = Some(0));
    let answers: Vec<Answer> = (0..3).map(|_| bench.ask("a", &[1], 3).unwrap()).collect();
    bench.engine.end();
    assert!(matches!(bench.ask("a", &[1], 3), Err(Refused::Ending)));
    bench.hand.set(|told| told.passes = None);
    for answer in answers {
        assert_eq!(answer.rest().1.unwrap().completion, 3);
    }
    bench.until("it ended", |bench| bench.engine.health() == Health::Ended);
}

#[test]
fn a_device_that_does_not_open_is_an_error() {
    let open = || Err(sterna::HostError::EmptyPrompt);
    let power = Arc::new(Power::start(vec![], Arc::default()));
    let started = Engine::start(open, None, LIMITS, power, Arc::default());
    assert_eq!(started.err().map(|error| error.code()), Some("H003"));
}

/// What never should happen is no silence: whoever waits is told, and the server ends.
#[test]
fn a_server_whose_engine_ends_by_itself_ends() {
    let folder = tempfile::tempdir().unwrap();
    let model = Model::open(&tiny(folder.path())).unwrap();
    let hand = Arc::new(Hand::default());
    hand.set(|told| told.panics = true);
    let (held, of) = (Arc::clone(&hand), Arc::clone(&model));
    let open = move || -> sterna::Result<Box<dyn Device>> {
        Ok(Box::new(Held { golden: Golden::new(of, 1)?, hand: held }))
    };
    let settings = Settings {
        address: ([127, 0, 0, 1], 0).into(),
        name: "tiny".into(),
        key: None,
        limits: LIMITS,
        bounds: Bounds { answer: 10, prompt: 10 },
        grace: Duration::from_secs(10),
    };
    let (tell, told) = std::sync::mpsc::channel();
    let power = Power::start(vec![], Arc::default());
    let server = std::thread::spawn(move || {
        serve(settings, &model, open, power, |address, _| {
            tell.send(address).unwrap();
            Ok(())
        })
    });
    let url = format!("http://{}/v1/completions", told.recv().unwrap());
    let answer = agent().post(url).send_json(completion("x", 2, None)).unwrap();
    assert_eq!(answer.status(), 503);
    let error = server.join().unwrap().unwrap_err();
    insta::assert_snapshot!(format!("error[{}]: {error}", error.code()));
}
