//! A conversation with a model: turn by turn, on a state that holds all before.
//!
//! | module | what it is for |
//! |---|---|
//! | [`command`] | what a line that begins with a slash asks for |
//! | [`input`] | lines from a terminal, with history, or from anything else |
//!
//! Only what is new of a turn goes through the device. That is right if the text of the whole
//! conversation, as the template renders it, begins with the text that entered the state; if it
//! does not (some templates leave out or move what was said before), the conversation is read again
//! from its start, and the turn says so. Tokens that the model chose are never tokenised again.

pub mod command;
pub mod input;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sterna_firmware::device::{Device, Step, Want};
use sterna_firmware::model::Model;
use sterna_model::Tokenizer;

use crate::error::{HostError, Result};
use crate::sample::{Sampler, Sampling};
use crate::state::{Conversation, Saved};
use crate::stop::Stops;
use crate::template::{Message, Role, Template};

/// Tokens that are read before somebody who interrupts is heard.
const CHUNK: usize = 64;

/// What ended an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// A token that ends answers.
    Token,
    /// The text that ends answers.
    Text,
    /// It has as many tokens as it may.
    Count,
    /// Somebody interrupted.
    Interrupt,
}

/// A question's answer.
#[derive(Clone, Debug)]
pub struct Turn {
    /// What the model said; what is emitted, in one piece.
    pub text: String,
    /// Tokens that entered before the first of the answer was chosen.
    pub read: usize,
    /// Tokens that the model chose.
    pub chosen: usize,
    /// What ended it.
    pub ended: Ended,
    /// Whether the conversation was read from its start although a part had been.
    pub again: bool,
    /// From the question to the answer's first token.
    pub prompt_time: Duration,
    /// From there to the end.
    pub decode_time: Duration,
}

/// A sum over turns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Answers.
    pub turns: usize,
    /// As in [`Turn`].
    pub read: usize,
    /// As in [`Turn`].
    pub chosen: usize,
    /// As in [`Turn`].
    pub prompt_time: Duration,
    /// As in [`Turn`].
    pub decode_time: Duration,
}

/// What has entered slot 0, or will before anything else.
#[derive(Clone, Debug, Default)]
struct Progress {
    /// The text that entered.
    text: String,
    /// The text of the pending token.
    next: String,
    pending: Option<u32>,
    entered: u64,
}

/// A conversation on slot 0 of a device.
pub struct Chat {
    model: Arc<Model>,
    device: Box<dyn Device>,
    tokenizer: Tokenizer,
    template: Template,
    stops: Vec<u32>,
    sampling: Sampling,
    sampler: Sampler,
    system: Option<String>,
    messages: Vec<Message>,
    /// `None`: what the state holds is not known.
    progress: Option<Progress>,
    totals: Totals,
}

impl Chat {
    /// Begins a conversation; `system` says how to answer.
    ///
    /// # Errors
    /// [`HostError::NoTokenizer`], those of the template and of the device.
    pub fn new(
        model: Arc<Model>,
        device: Box<dyn Device>,
        sampling: Sampling,
        system: Option<String>,
    ) -> Result<Chat> {
        let tokenizer =
            model.tokenizer()?.ok_or_else(|| HostError::NoTokenizer(model.path().into()))?;
        let template = Template::of(model.description())?;
        let stops = template.stop_tokens(&tokenizer, model.description())?;
        let mut chat = Chat {
            model,
            device,
            tokenizer,
            template,
            stops,
            sampling,
            sampler: Sampler::new(sampling),
            system,
            messages: vec![],
            progress: None,
            totals: Totals::default(),
        };
        chat.reset()?;
        Ok(chat)
    }

    /// Begins anew; the random sequence does so too.
    ///
    /// # Errors
    /// Those of the device.
    pub fn reset(&mut self) -> Result<()> {
        self.device.clear(0)?;
        let system = self.system.iter().map(|text| Message::new(Role::System, text));
        self.messages = system.collect();
        self.progress = Some(Progress::default());
        self.sampler = Sampler::new(self.sampling);
        Ok(())
    }

    /// The device.
    pub fn device(&mut self) -> &mut dyn Device {
        self.device.as_mut()
    }

    /// What was said.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// Tokens of the conversation so far.
    pub fn tokens(&self) -> u64 {
        self.progress.as_ref().map_or(0, |at| at.entered + u64::from(at.pending.is_some()))
    }

    /// Sums since the conversation was begun by this program.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Asks, and gives the answer piece by piece to `emit`, in at most `count` tokens.
    ///
    /// `interrupted` is asked between tokens. What was said until then stays said, unless the
    /// question was still being read: then it was not asked.
    ///
    /// # Errors
    /// Those of template, tokenizer, device and `emit`; the question was then not asked.
    pub fn ask(
        &mut self,
        question: &str,
        count: usize,
        interrupted: &dyn Fn() -> bool,
        emit: &mut dyn FnMut(&str) -> Result<()>,
    ) -> Result<Turn> {
        let before = self.messages.len();
        self.messages.push(Message::new(Role::User, question));
        let result = self.answer(count, interrupted, emit);
        match &result {
            Ok(Some(turn)) => {
                self.messages.push(Message::new(Role::Assistant, &turn.text));
                self.totals.turns += 1;
                self.totals.read += turn.read;
                self.totals.chosen += turn.chosen;
                self.totals.prompt_time += turn.prompt_time;
                self.totals.decode_time += turn.decode_time;
            }
            Ok(None) | Err(_) => self.messages.truncate(before),
        }
        let nothing = Turn {
            text: String::new(),
            read: 0,
            chosen: 0,
            ended: Ended::Interrupt,
            again: false,
            prompt_time: Duration::ZERO,
            decode_time: Duration::ZERO,
        };
        Ok(result?.unwrap_or(nothing))
    }

    /// The answer; `None` if the question was interrupted.
    fn answer(
        &mut self,
        count: usize,
        interrupted: &dyn Fn() -> bool,
        emit: &mut dyn FnMut(&str) -> Result<()>,
    ) -> Result<Option<Turn>> {
        let begin = Instant::now();
        let rendered = self.rendered()?;
        // Until the end of the turn nothing is sure about the state.
        let progress = self.progress.take().unwrap_or_default();
        let (tokens, entered, again) = self.new_tokens(&progress, &rendered)?;
        if entered == 0 {
            self.device.clear(0)?;
        }
        let Some((&last, rest)) = tokens.split_last() else { return Err(HostError::EmptyPrompt) };
        for chunk in rest.chunks(CHUNK) {
            if interrupted() {
                return Ok(None);
            }
            self.device.prompt(0, chunk, Want::State)?;
        }
        let mut at = Progress {
            text: rendered,
            next: String::new(),
            pending: Some(last),
            entered: entered + rest.len() as u64,
        };
        let mut stream = self.tokenizer.stream();
        let mut stops = Stops::new(self.template.stop().map(str::to_string).into_iter().collect());
        let mut text = String::new();
        let mut give = |piece: String| {
            text.push_str(&piece);
            if piece.is_empty() { Ok(()) } else { emit(&piece) }
        };
        let (mut chosen, mut first) = (0, None);
        let ended = loop {
            if chosen >= count {
                break Ended::Count;
            }
            if interrupted() {
                break Ended::Interrupt;
            }
            let Some(token) = at.pending else { break Ended::Count };
            let step = Step { slot: 0, token, want: Want::Top };
            let head = self.device.pass(&[step])?.pop().unwrap_or_default();
            at.entered += 1;
            at.text.push_str(&std::mem::take(&mut at.next));
            let token = self.sampler.choose(&head.top);
            first.get_or_insert_with(Instant::now);
            chosen += 1;
            if self.stops.contains(&token) {
                // The template writes it where it wants it.
                at.pending = None;
                break Ended::Token;
            }
            at.pending = Some(token);
            at.next = stream.push(token)?.unwrap_or_default();
            let (piece, hit) = stops.push(&at.next);
            give(piece)?;
            if hit {
                break Ended::Text;
            }
        };
        let rest = stream.finish()?;
        if ended != Ended::Text {
            let (piece, _) = stops.push(&rest);
            give(piece)?;
            give(stops.finish())?;
        }
        let to = if at.pending.is_some() { &mut at.next } else { &mut at.text };
        to.push_str(&rest);
        let first = first.unwrap_or_else(Instant::now);
        self.progress = Some(at);
        Ok(Some(Turn {
            text,
            read: tokens.len(),
            chosen,
            ended,
            again,
            prompt_time: first - begin,
            decode_time: first.elapsed(),
        }))
    }

    /// The text of the conversation up to the next answer.
    ///
    /// Some templates put a space before an answer or cut the spaces around it: if its text does
    /// not go on from what entered, but does without the answer's outer spaces, they are dropped.
    fn rendered(&mut self) -> Result<String> {
        let rendered = self.template.render(&self.messages, true)?;
        let goes_on =
            |text: &str| self.progress.as_ref().is_some_and(|at| text.starts_with(&at.text));
        let answer = self.messages.iter().rposition(|message| message.role == Role::Assistant);
        let Some(answer) = answer.filter(|_| !goes_on(&rendered)) else { return Ok(rendered) };
        let mut trimmed = self.messages.clone();
        trimmed[answer].content = trimmed[answer].content.trim().into();
        let other = self.template.render(&trimmed, true)?;
        if !goes_on(&other) {
            return Ok(rendered);
        }
        self.messages = trimmed;
        Ok(other)
    }

    /// The tokens that enter next for a text to be said, how many entered before them, and whether
    /// that is none although there were.
    fn new_tokens(&self, at: &Progress, rendered: &str) -> Result<(Vec<u32>, u64, bool)> {
        if at.entered > 0 && rendered.starts_with(&at.text) {
            let whole = at.text.len() + at.next.len();
            if rendered[at.text.len()..].starts_with(&at.next) {
                let rest = self.tail(rendered, whole)?;
                return Ok((at.pending.into_iter().chain(rest).collect(), at.entered, false));
            }
            // The token that was to come says more than was kept, such as a stop and the next word.
            return Ok((self.tail(rendered, at.text.len())?, at.entered, false));
        }
        Ok((self.template.encode(&self.tokenizer, rendered)?, 0, at.entered > 0))
    }

    /// Tokens of the end of a text, as they are in the whole of it if one begins just there.
    fn tail(&self, text: &str, from: usize) -> Result<Vec<u32>> {
        let (tokens, bytes) = self.tokenizer.encode_with_bytes(text)?;
        let mut begin = 0;
        for (n, &length) in bytes.iter().enumerate() {
            // Those of no length belong to the character before.
            if begin == from && length > 0 {
                return Ok(tokens[n..].to_vec());
            }
            begin += length;
        }
        Ok(self.tokenizer.encode(&text[from..], false)?)
    }

    /// Keeps the conversation with its state in a file; gives the file's length.
    ///
    /// # Errors
    /// [`HostError::NothingSaid`]; those of device and file.
    pub fn save(&mut self, path: &Path) -> Result<u64> {
        if !self.messages.iter().any(|message| message.role == Role::Assistant) {
            return Err(HostError::NothingSaid);
        }
        if self.progress.is_none() {
            self.read_again()?;
        }
        let at = self.progress.clone().unwrap_or_default();
        let conversation =
            Conversation { messages: self.messages.clone(), text: at.text, next: at.next };
        let saved = Saved {
            entered: at.entered,
            pending: at.pending,
            draws: self.sampler.draws(),
            conversation: Some(conversation),
            ..Saved::of(&self.model, self.device.as_mut(), 0)?
        };
        saved.write(path)
    }

    /// Brings the state to the end of what was said.
    fn read_again(&mut self) -> Result<()> {
        let text = self.template.render(&self.messages, false)?;
        let tokens = self.template.encode(&self.tokenizer, &text)?;
        self.device.clear(0)?;
        self.device.prompt(0, &tokens, Want::State)?;
        let entered = tokens.len() as u64;
        self.progress = Some(Progress { text, entered, ..Progress::default() });
        Ok(())
    }

    /// Goes on with a conversation that was kept.
    ///
    /// # Errors
    /// Those of the file, [`HostError::NoConversation`], and those of the device. Unless it is one
    /// of the device, the conversation stays what it was.
    pub fn load(&mut self, path: &Path) -> Result<()> {
        let saved = Saved::open(path)?;
        let Some(Conversation { messages, text, next }) = saved.conversation.clone() else {
            return Err(HostError::NoConversation { path: path.into() });
        };
        saved.restore(path, &self.model, self.device.as_mut(), 0)?;
        self.messages = messages;
        let (pending, entered) = (saved.pending, saved.entered);
        self.progress = Some(Progress { text, next, pending, entered });
        self.sampler = Sampler::after(self.sampling, saved.draws);
        Ok(())
    }
}
