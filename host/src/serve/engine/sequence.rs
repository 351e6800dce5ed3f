//! An answer that is being made.

use std::time::{Duration, Instant};

use sterna_firmware::device::{Candidate, Head};
use sterna_model::tokenizer::{TextStream, Tokenizer};
use tokio::sync::mpsc::UnboundedSender;

use crate::error::Result;
use crate::sample::{Sampler, Sampling};
use crate::stop::Stops;

/// What is asked of the engine.
pub struct Job {
    /// Tokens of the prompt: not empty, all of the vocabulary.
    pub prompt: Vec<u32>,
    /// Most tokens of the answer, at least 1.
    pub most: usize,
    /// How each is chosen.
    pub sampling: Sampling,
    /// Tokens that end the answer.
    pub ends: Vec<u32>,
    /// Texts that end the answer.
    pub stops: Vec<String>,
    /// How many candidates are told of each token, if any are.
    pub candidates: Option<usize>,
    /// Who gets it. Bounded by [`Job::most`], so a slow reader holds no slot; one that is gone
    /// frees it.
    pub reply: UnboundedSender<(usize, Event)>,
    /// Which of the answers to a question it is.
    pub index: usize,
    /// When it was asked.
    pub asked: Instant,
}

impl Job {
    /// Tells that the device failed; one who is gone does not hear it.
    pub fn fail(&self, message: &str) {
        let _ = self.reply.send((self.index, Event::Failed(message.into())));
    }
}

/// What comes of a job, in this order: pieces, then an end or a failure.
#[derive(Debug)]
pub enum Event {
    /// A token, and the text that became certain by it.
    Piece(Piece),
    /// All was said.
    End(End),
    /// The device failed; a message for the log and the client.
    Failed(String),
}

/// A token, and the text that became certain by it, which may be none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Piece {
    /// Text.
    pub text: String,
    /// The token, where there is one and candidates were asked for.
    pub choice: Option<Choice>,
}

/// A token with its likelihood among the candidates.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The token.
    pub token: u32,
    /// Natural logarithm of its share among the candidates that a device tells, before temperature.
    pub logprob: f64,
    /// The best ones, best first, in the same measure.
    pub best: Vec<(u32, f64)>,
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// By a token or a text that ends it.
    Stop,
    /// It has as many tokens as were asked for.
    Length,
}

/// The end of an answer, and what it took.
#[derive(Clone, Debug, PartialEq)]
pub struct End {
    /// Why.
    pub reason: Reason,
    /// Tokens of the prompt.
    pub prompt: usize,
    /// Those of them whose state was kept from before.
    pub cached: usize,
    /// Tokens of the answer; one that ends it is none.
    pub completion: usize,
    /// From the question to a slot.
    pub waited: Duration,
    /// From the slot to the first token; with the answer's last one if there was none.
    pub first: Duration,
    /// From the slot to the end.
    pub whole: Duration,
    /// Its share of what the device drew, if a meter is there.
    pub joules: Option<f64>,
}

/// Tokens as text.
enum Text<'t> {
    By(TextStream<'t>),
    /// Without a tokenizer: numbers with commas between.
    Numbers,
}

/// A job with a slot.
pub struct Sequence<'t> {
    job: Job,
    sampler: Sampler,
    text: Text<'t>,
    stops: Stops,
    /// Prompt and answer.
    tokens: Vec<u32>,
    /// How many of them the device's state holds; never all.
    entered: usize,
    cached: usize,
    begun: Instant,
    first: Option<Duration>,
    /// Tokens that entered since energy was last shared out.
    pub steps: u64,
    /// Its share so far.
    pub joules: Option<f64>,
}

impl<'t> Sequence<'t> {
    /// Begins, with a state that holds the first `cached` tokens of the prompt.
    pub fn new(job: Job, tokenizer: Option<&'t Tokenizer>, cached: usize) -> Sequence<'t> {
        Sequence {
            sampler: Sampler::new(job.sampling),
            text: tokenizer.map_or(Text::Numbers, |tokenizer| Text::By(tokenizer.stream())),
            stops: Stops::new(job.stops.clone()),
            tokens: job.prompt.clone(),
            entered: cached,
            cached,
            begun: Instant::now(),
            first: None,
            steps: 0,
            joules: None,
            job,
        }
    }

    /// Whether nobody waits for it any more.
    pub fn is_left(&self) -> bool {
        self.job.reply.is_closed()
    }

    /// The tokens that the device's state holds.
    pub fn entered(&self) -> &[u32] {
        &self.tokens[..self.entered]
    }

    /// Tokens that enter before one of which the head is wanted; none while it decodes.
    pub fn prompt(&self) -> &[u32] {
        &self.tokens[self.entered..self.tokens.len() - 1]
    }

    /// The token of which the head is wanted next, once the prompt before it has entered.
    pub fn next(&self) -> Option<u32> {
        self.prompt().is_empty().then(|| self.tokens[self.entered])
    }

    /// So many tokens entered.
    pub fn enter(&mut self, count: usize) {
        self.entered += count;
        self.steps += count as u64;
    }

    /// Takes the head of the last token that entered; whether the answer ends with it.
    ///
    /// # Errors
    /// Those of the tokenizer.
    pub fn take(&mut self, head: &Head) -> Result<Option<Reason>> {
        let token = self.sampler.choose(&head.top);
        self.first.get_or_insert_with(|| self.begun.elapsed());
        if self.job.ends.contains(&token) {
            self.last()?;
            return Ok(Some(Reason::Stop));
        }
        let first = self.completion() == 0;
        let piece = match &mut self.text {
            Text::By(stream) => stream.push(token)?.unwrap_or_default(),
            Text::Numbers if first => token.to_string(),
            Text::Numbers => format!(",{token}"),
        };
        self.tokens.push(token);
        let (text, stopped) = self.stops.push(&piece);
        let choice = self.job.candidates.map(|most| choice(token, &head.top, most));
        self.send(Piece { text, choice });
        if stopped {
            return Ok(Some(Reason::Stop));
        }
        if self.completion() == self.job.most {
            self.last()?;
            return Ok(Some(Reason::Length));
        }
        Ok(None)
    }

    /// Tells the end.
    pub fn end(self, reason: Reason) -> End {
        let whole = self.begun.elapsed();
        let end = End {
            reason,
            prompt: self.job.prompt.len(),
            cached: self.cached,
            completion: self.completion(),
            waited: self.begun - self.job.asked,
            first: self.first.unwrap_or(whole),
            whole,
            joules: self.joules,
        };
        let _ = self.job.reply.send((self.job.index, Event::End(end.clone())));
        end
    }

    /// Tells that the device failed.
    pub fn fail(self, message: &str) {
        self.job.fail(message);
    }

    fn completion(&self) -> usize {
        self.tokens.len() - self.job.prompt.len()
    }

    /// Gives out what was held back.
    fn last(&mut self) -> Result<()> {
        if let Text::By(stream) = &mut self.text {
            let (text, stopped) = self.stops.push(&stream.finish()?);
            self.send(Piece { text, choice: None });
            if stopped {
                return Ok(());
            }
        }
        let text = self.stops.finish();
        self.send(Piece { text, choice: None });
        Ok(())
    }

    /// One who is gone is noticed before the next round.
    fn send(&self, piece: Piece) {
        if !piece.text.is_empty() || piece.choice.is_some() {
            let _ = self.job.reply.send((self.job.index, Event::Piece(piece)));
        }
    }
}

/// Softmax over the candidates: what a device tells is not the whole vocabulary.
fn choice(token: u32, candidates: &[Candidate], most: usize) -> Choice {
    let best = candidates.first().map_or(0.0, |best| f64::from(best.logit));
    let sum: f64 = candidates.iter().map(|c| libm::exp(f64::from(c.logit) - best)).sum();
    let logprob = |c: &Candidate| f64::from(c.logit) - best - libm::log(sum);
    let own = candidates.iter().find(|candidate| candidate.token == token);
    Choice {
        token,
        logprob: own.map_or(f64::NEG_INFINITY, logprob),
        best: candidates.iter().take(most).map(|c| (c.token, logprob(c))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    use super::*;

    fn sequence(
        stops: &[&str],
        most: usize,
    ) -> (Sequence<'static>, UnboundedReceiver<(usize, Event)>) {
        let (reply, events) = unbounded_channel();
        let job = Job {
            prompt: vec![7, 8, 9],
            most,
            sampling: Sampling::default(),
            ends: vec![0],
            stops: stops.iter().map(|stop| stop.to_string()).collect(),
            candidates: Some(2),
            reply,
            index: 0,
            asked: Instant::now(),
        };
        (Sequence::new(job, None, 1), events)
    }

    fn head(token: u32) -> Head {
        let candidate = |token, logit| Candidate { token, logit };
        Head {
            top: [(token, 1.0), (50, 0.0), (51, -1.0)].map(|(t, l)| candidate(t, l)).into(),
            logits: vec![],
        }
    }

    fn text(events: &mut UnboundedReceiver<(usize, Event)>) -> String {
        let mut text = String::new();
        while let Ok((_, event)) = events.try_recv() {
            if let Event::Piece(piece) = event {
                text += &piece.text;
            }
        }
        text
    }

    #[test]
    fn the_prompt_enters_and_then_each_token() {
        let (mut of, mut events) = sequence(&[], 3);
        assert_eq!((of.prompt(), of.next()), (&[8][..], None));
        of.enter(1);
        assert_eq!((of.entered(), of.next()), (&[7, 8][..], Some(9)));
        of.enter(1);
        assert_eq!(of.take(&head(20)).unwrap(), None);
        assert_eq!((of.entered(), of.next()), (&[7, 8, 9][..], Some(20)));
        of.enter(1);
        assert_eq!(of.take(&head(21)).unwrap(), None);
        of.enter(1);
        assert_eq!(of.take(&head(22)).unwrap(), Some(Reason::Length));
        assert_eq!(text(&mut events), "20,21,22");
        let end = of.end(Reason::Length);
        assert_eq!((end.prompt, end.cached, end.completion), (3, 1, 3));
        assert!(matches!(events.try_recv(), Ok((0, Event::End(told))) if told == end));
    }

    #[test]
    fn a_token_or_a_text_ends_it() {
        let (mut of, mut events) = sequence(&["9,"], 9);
        of.enter(2);
        assert_eq!(of.take(&head(19)).unwrap(), None);
        of.enter(1);
        assert_eq!(of.take(&head(4)).unwrap(), Some(Reason::Stop));
        assert_eq!(text(&mut events), "1");
        let (mut of, mut events) = sequence(&["9,"], 9);
        of.enter(2);
        assert_eq!(of.take(&head(19)).unwrap(), None);
        of.enter(1);
        assert_eq!(of.take(&head(0)).unwrap(), Some(Reason::Stop));
        assert_eq!(text(&mut events), "19", "what was held back is given out");
        assert_eq!(of.end(Reason::Stop).completion, 1);
    }

    #[test]
    fn likelihoods_are_shares_of_the_candidates() {
        let (mut of, mut events) = sequence(&[], 1);
        of.enter(2);
        of.take(&head(20)).unwrap();
        let Ok((0, Event::Piece(Piece { choice: Some(choice), .. }))) = events.try_recv() else {
            panic!("no choice")
        };
        assert_eq!(choice.best.iter().map(|best| best.0).collect::<Vec<_>>(), [20, 50]);
        let sum = 1.0 + (-1.0f64).exp() + (-2.0f64).exp();
        assert!((choice.logprob - (1.0 / sum).ln()).abs() < 1e-12);
        assert!((choice.best[1].1 - ((-1.0f64).exp() / sum).ln()).abs() < 1e-12);
    }

    #[test]
    fn one_who_is_gone_is_noticed() {
        let (of, events) = sequence(&[], 1);
        assert!(!of.is_left());
        drop(events);
        assert!(of.is_left());
    }
}
