//! Many at once, among them those who do not behave.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use serde_json::{Value, json};
use sterna_firmware::model::Model;

use crate::client::{Server, agent, completion, text};
use crate::models::Reference;

/// Clients at once.
const CLIENTS: usize = 64;
/// Different questions; each is asked many times.
const QUESTIONS: usize = 40;

/// A question and its answer.
struct Question {
    prompt: String,
    count: usize,
    seed: Option<u64>,
    answer: String,
}

fn questions(golden: &mut Reference, random: &mut ChaCha8Rng) -> Vec<Question> {
    let words = ["ROMEO:", " to be", "\n", "é", " the king", " or not", "JULIET: what", ", "];
    (0..QUESTIONS)
        .map(|_| {
            let length = 1 + random.next_u32() as usize % 40;
            let prompt: String =
                (0..length).map(|_| words[random.next_u32() as usize % words.len()]).collect();
            let count = 1 + random.next_u32() as usize % 24;
            let seed = random.next_u32().is_multiple_of(2).then(|| u64::from(random.next_u32()));
            let answer = golden.text(&prompt, count, seed);
            Question { prompt, count, seed, answer }
        })
        .collect()
}

/// What came of the requests.
#[derive(Default)]
struct Tally {
    right: AtomicUsize,
    wrong: AtomicUsize,
    lost: AtomicUsize,
    later: AtomicUsize,
    left: AtomicUsize,
    garbage: AtomicUsize,
}

fn add(to: &AtomicUsize) {
    to.fetch_add(1, Ordering::Relaxed);
}

impl Tally {
    fn judge(&self, question: &Question, said: &str) {
        add(if said == question.answer { &self.right } else { &self.wrong });
    }

    /// Asks until it is taken; the answer has to come.
    fn ask(&self, server: &Server, agent: &ureq::Agent, question: &Question, user: &str) {
        let mut asked = completion(&question.prompt, question.count, question.seed);
        asked["user"] = json!(user);
        loop {
            let Ok(mut response) = agent.post(server.url("/v1/completions")).send_json(&asked)
            else {
                return add(&self.lost);
            };
            if response.status() == 429 {
                let after = response.headers()["retry-after"].to_str().unwrap().parse::<u64>();
                assert!((1..=60).contains(&after.unwrap()));
                add(&self.later);
                std::thread::sleep(Duration::from_millis(50));
                continue;
            }
            return match response.body_mut().read_json::<Value>() {
                Ok(value) if response.status() == 200 => self.judge(question, text(&value)),
                _ => add(&self.lost),
            };
        }
    }

    /// Asks for a stream over a connection of its own, and reads it slowly or leaves.
    fn odd(&self, server: &Server, question: &Question, leaves: bool) {
        let mut asked = completion(&question.prompt, question.count, question.seed);
        asked["stream"] = json!(true);
        asked["user"] = json!("odd");
        let body = asked.to_string();
        let mut connection = server.connect();
        let head = "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
                    Content-Type: application/json";
        write!(connection, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        if leaves {
            return add(&self.left);
        }
        let (mut all, mut some) = (vec![], [0; 64]);
        while let Ok(count @ 1..) = connection.read(&mut some) {
            all.extend_from_slice(&some[..count]);
            std::thread::sleep(Duration::from_micros(500));
        }
        let all = String::from_utf8(all).unwrap();
        if all.starts_with("HTTP/1.1 429") {
            return add(&self.later);
        }
        let objects = all.lines().filter_map(|line| line.strip_prefix("data: "));
        let objects = objects.take_while(|data| *data != "[DONE]");
        let said: String =
            objects.map(|data| text(&serde_json::from_str(data).unwrap()).to_string()).collect();
        self.judge(question, &said);
    }
}

fn garbage(server: &Server, random: &mut ChaCha8Rng) {
    let mut bytes = vec![0; random.next_u32() as usize % 300];
    random.fill_bytes(&mut bytes);
    if random.next_u32().is_multiple_of(2) {
        let length = bytes.len();
        let head = "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
                    Content-Type: application/json";
        bytes = [format!("{head}\r\nContent-Length: {length}\r\n\r\n").as_bytes(), &bytes].concat();
    }
    let mut connection = server.connect();
    let _ = connection.write_all(&bytes);
    let _ = connection.shutdown(std::net::Shutdown::Write);
    let _ = connection.read_to_end(&mut vec![]);
}

fn load(requests: usize) {
    const SEED: u64 = 20;
    println!("seed {SEED}");
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--slots", "8", "--queue", "8"]);
    let model = Model::open(&folder.path().join("tiny.sterna")).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let questions = questions(&mut Reference::new(&model), &mut random);
    let (next, tally) = (AtomicUsize::new(0), Tally::default());
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (next, tally, questions, server) = (&next, &tally, &questions, &server);
            scope.spawn(move || {
                let mut random = ChaCha8Rng::seed_from_u64(SEED + 1 + client as u64);
                let (agent, user) = (agent(), format!("client {}", client % 5));
                while next.fetch_add(1, Ordering::Relaxed) < requests {
                    let question = &questions[random.next_u32() as usize % QUESTIONS];
                    match random.next_u32() % 16 {
                        0 => tally.odd(server, question, true),
                        1 => tally.odd(server, question, false),
                        2 => {
                            garbage(server, &mut random);
                            add(&tally.garbage);
                        }
                        _ => tally.ask(server, &agent, question, &user),
                    }
                }
            });
        }
    });
    let Tally { right, wrong, lost, later, left, garbage } = tally;
    let [right, wrong, lost, later, left, garbage] =
        [right, wrong, lost, later, left, garbage].map(AtomicUsize::into_inner);
    println!(
        "{requests} requests of {CLIENTS} at once: {right} right, {wrong} wrong, {lost} lost; \
         {left} left, {garbage} were garbage; {later} times told to come back"
    );
    assert_eq!((wrong, lost), (0, 0));
    assert!(right > requests / 2 && left > 0 && garbage > 0);
    // Nothing is left behind: no slot, nobody in the queue.
    let begin = std::time::Instant::now();
    while server.metric("sterna_running") + server.metric("sterna_waiting") > 0.0 {
        assert!(begin.elapsed() < Duration::from_secs(60), "somebody still has a slot");
        std::thread::sleep(Duration::from_millis(10));
    }
    let counted: BTreeMap<String, f64> = [("200", "right"), ("500", "failed")]
        .map(|(status, name)| {
            let line = format!(
                "sterna_requests_total{{endpoint=\"/v1/completions\",status=\"{status}\"}}"
            );
            (name.to_string(), server.metric(&line))
        })
        .into();
    assert_eq!(counted["failed"], 0.0);
    assert!(counted["right"] >= right as f64, "{counted:?}");
}

#[test]
fn sixty_four_clients_get_goldens_answers() {
    load(400);
}

#[test]
#[ignore = "a minute"]
fn ten_thousand_requests_get_goldens_answers() {
    load(10_000);
}
