//! From a question to jobs, and from what comes of them to one answer or a stream.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::Json;
use axum::response::sse::{Event as Sent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::App;
use super::error::ApiError;
use super::guard::Peer;
use super::params::{ANSWERS, Checked};
use crate::serve::engine::Refused;
use crate::serve::engine::sequence::{End, Event, Job, Piece, Reason};

/// A question that was looked at.
pub struct Question {
    /// What is common to all kinds.
    pub checked: Checked,
    /// Prompts, each checked.
    pub prompts: Vec<Vec<u32>>,
    /// Most tokens of an answer.
    pub most: usize,
    /// Candidates that are told of each token.
    pub candidates: Option<usize>,
}

/// How a kind of question is answered. `of` is the number of the answer.
pub trait Form: Send + Unpin + 'static {
    /// What every object says: its kind, as a whole and in pieces.
    const OBJECTS: (&'static str, &'static str);
    /// What an id begins with.
    const PREFIX: &'static str;

    /// What a stream begins with for an answer.
    fn opening(&mut self, of: usize) -> Option<Value>;
    /// A piece of an answer, as an entry of `choices`; none where it says nothing.
    fn piece(&mut self, of: usize, piece: Piece) -> Option<Value>;
    /// The end of an answer in a stream.
    fn end(&mut self, of: usize, reason: &'static str) -> Value;
    /// A whole answer.
    fn whole(&mut self, of: usize, pieces: Vec<Piece>, reason: &'static str) -> Value;
}

fn reason(of: Reason) -> &'static str {
    match of {
        Reason::Stop => "stop",
        Reason::Length => "length",
    }
}

/// Asks the engine, and answers as it was wanted.
pub async fn answer<F: Form>(
    app: Arc<App>,
    Peer(peer): Peer,
    question: Question,
    form: F,
) -> Result<Response, ApiError> {
    let Question { checked, prompts, most, candidates } = question;
    let count = prompts.len() * checked.n;
    if count > ANSWERS {
        let message = format!("prompts x n is {count}; this server gives {ANSWERS} answers");
        return Err(ApiError::invalid("n", message));
    }
    let (reply, events) = unbounded_channel();
    let asked = Instant::now();
    let lengths = prompts.iter().map(Vec::len).sum();
    let mut jobs = Vec::with_capacity(count);
    for prompt in prompts {
        for n in 0..checked.n {
            let mut sampling = checked.sampling;
            sampling.seed = sampling.seed.wrapping_add(n as u64);
            jobs.push(Job {
                prompt: prompt.clone(),
                most,
                sampling,
                ends: checked.ends.clone(),
                stops: checked.stops.clone(),
                candidates,
                reply: reply.clone(),
                index: jobs.len(),
                asked,
            });
        }
    }
    drop(reply);
    let id = format!("{}-{:016x}", F::PREFIX, super::drawn());
    app.engine.submit(&format!("{peer} {}", checked.user), jobs)?;
    let answering =
        Answering { app, form, id, events, open: count, usage: Usage::new(lengths, checked.n) };
    match checked.stream {
        None => answering.whole(count).await,
        Some(usage) => Ok(answering.stream(count, usage)),
    }
}

/// What the answers to a question took.
struct Usage {
    prompt: usize,
    n: usize,
    ends: Vec<(usize, End)>,
}

impl Usage {
    fn new(prompt: usize, n: usize) -> Usage {
        Usage { prompt, n, ends: vec![] }
    }

    fn json(&self, app: &App) -> Value {
        let ends = || self.ends.iter().map(|(_, end)| end);
        let completion: usize = ends().map(|end| end.completion).sum();
        // A prompt counts once, however many answers it has.
        let prompts = self.ends.iter().filter(|(of, _)| of % self.n == 0);
        let cached: usize = prompts.map(|(_, end)| end.cached).sum();
        let joules: Option<f64> = ends().map(|end| end.joules).sum();
        let longest = |of: fn(&End) -> f64| ends().map(of).fold(0.0, f64::max);
        json!({
            "prompt_tokens": self.prompt,
            "completion_tokens": completion,
            "total_tokens": self.prompt + completion,
            "prompt_tokens_details": { "cached_tokens": cached },
            "sterna": {
                "joules": joules,
                "measured_by": app.power.meter(),
                "queue_seconds": longest(|end| end.waited.as_secs_f64()),
                "first_token_seconds": longest(|end| end.first.as_secs_f64()),
                "seconds": longest(|end| end.whole.as_secs_f64()),
            },
        })
    }
}

/// Answers that are on their way.
struct Answering<F> {
    app: Arc<App>,
    form: F,
    id: String,
    events: UnboundedReceiver<(usize, Event)>,
    open: usize,
    usage: Usage,
}

impl<F: Form> Answering<F> {
    fn object(&self, kind: &str, choices: Vec<Value>) -> Value {
        json!({
            "id": self.id,
            "object": kind,
            "created": super::unix(),
            "model": self.app.model,
            "system_fingerprint": self.app.image_id,
            "choices": choices,
        })
    }

    async fn whole(mut self, count: usize) -> Result<Response, ApiError> {
        let mut pieces: Vec<Vec<Piece>> = vec![vec![]; count];
        let mut choices: Vec<Value> = vec![Value::Null; count];
        while self.open > 0 {
            let (of, event) = self.events.recv().await.ok_or(Refused::Ending)?;
            match event {
                Event::Piece(piece) => pieces[of].push(piece),
                Event::Failed(message) => return Err(ApiError::failed(&message)),
                Event::End(end) => {
                    self.open -= 1;
                    let pieces = std::mem::take(&mut pieces[of]);
                    choices[of] = self.form.whole(of, pieces, reason(end.reason));
                    self.usage.ends.push((of, end));
                }
            }
        }
        let mut object = self.object(F::OBJECTS.0, choices);
        object["usage"] = self.usage.json(&self.app);
        Ok(Json(object).into_response())
    }

    fn stream(mut self, count: usize, usage: bool) -> Response {
        let opening = (0..count).filter_map(|of| self.form.opening(of)).collect::<Vec<_>>();
        let opening = opening.into_iter().map(|choice| self.chunk(vec![choice], usage)).collect();
        let stream = Chunks { answering: self, ready: opening, told: usage, over: false };
        Sse::new(stream).keep_alive(KeepAlive::default()).into_response()
    }

    /// An object of a stream; where usage is told at the end, all before have none.
    fn chunk(&self, choices: Vec<Value>, usage: bool) -> Value {
        let mut object = self.object(F::OBJECTS.1, choices);
        if usage {
            object["usage"] = Value::Null;
        }
        object
    }
}

/// A stream of answers. When its client leaves it is dropped, and with it the channel, by which the
/// engine knows.
struct Chunks<F> {
    answering: Answering<F>,
    ready: std::collections::VecDeque<Value>,
    /// Whether the last object tells the usage.
    told: bool,
    over: bool,
}

impl<F: Form> Stream for Chunks<F> {
    type Item = Result<Sent, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(object) = self.ready.pop_front() {
                let sent = Sent::default().data(object.to_string());
                return Poll::Ready(Some(Ok(sent)));
            }
            if self.over {
                return Poll::Ready(None);
            }
            if self.answering.open == 0 {
                self.over = true;
                return Poll::Ready(Some(Ok(Sent::default().data("[DONE]"))));
            }
            match self.answering.events.poll_recv(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(event) => self.take(event),
            }
        }
    }
}

impl<F: Form> Chunks<F> {
    fn take(&mut self, event: Option<(usize, Event)>) {
        let told = self.told;
        let answering = &mut self.answering;
        match event {
            Some((of, Event::Piece(piece))) => {
                if let Some(choice) = answering.form.piece(of, piece) {
                    self.ready.push_back(answering.chunk(vec![choice], told));
                }
            }
            Some((of, Event::End(end))) => {
                let choice = answering.form.end(of, reason(end.reason));
                self.ready.push_back(answering.chunk(vec![choice], told));
                answering.open -= 1;
                answering.usage.ends.push((of, end));
                if answering.open == 0 && told {
                    let mut last = answering.chunk(vec![], told);
                    last["usage"] = answering.usage.json(&answering.app);
                    self.ready.push_back(last);
                }
            }
            Some((_, Event::Failed(message))) => self.break_off(&ApiError::failed(&message)),
            None => self.break_off(&Refused::Ending.into()),
        }
    }

    /// An error in the middle, after which nothing comes.
    fn break_off(&mut self, error: &ApiError) {
        self.ready.push_back(error.json());
        self.over = true;
    }
}
