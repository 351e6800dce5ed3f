//! Prompt to text, token by token.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use sterna_firmware::device::{Device, Step, Want};

use crate::error::{HostError, Result};
use crate::sample::{Sampler, Sampling};

/// What to generate.
pub struct Request<'a> {
    /// Tokens of the prompt, not empty.
    pub prompt: &'a [u32],
    /// Most tokens to generate.
    pub count: usize,
    /// How to choose.
    pub sampling: Sampling,
    /// Tokens that end the text; they are not part of it.
    pub stop: &'a [u32],
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Generation {
    /// The new tokens.
    pub tokens: Vec<u32>,
    /// Whether a stop token ended it.
    pub stopped: bool,
    /// Time for the prompt, its last token's choice included.
    pub prompt_time: Duration,
    /// Time for the other tokens.
    pub decode_time: Duration,
    /// The token that was chosen last, or if none was the prompt's last: it has not entered the
    /// state.
    pub pending: Option<u32>,
}

impl Generation {
    /// Passes per second after the prompt; 0 if there were none.
    pub fn tokens_per_second(&self) -> f64 {
        let passes = (self.tokens.len() + usize::from(self.stopped)).saturating_sub(1);
        rate(passes, self.decode_time)
    }
}

/// `count / time`, 0 if nothing was counted.
pub fn rate(count: usize, time: Duration) -> f64 {
    if count == 0 { 0.0 } else { count as f64 / time.as_secs_f64().max(1e-9) }
}

/// Generates with slot 0 of a device, from an empty state; `emit` gets each token at once.
pub fn generate(
    device: &mut dyn Device,
    request: &Request<'_>,
    emit: &mut dyn FnMut(u32) -> Result<()>,
) -> Result<Generation> {
    device.clear(0)?;
    go_on(device, request, &mut Sampler::new(request.sampling), emit)
}

/// The same from the state that slot 0 has, with a sampler that has chosen before, which goes by
/// its own settings.
///
/// Afterwards everything has entered the state but the pending token. With a count of 0 that is the
/// prompt's last.
pub fn go_on(
    device: &mut dyn Device,
    request: &Request<'_>,
    sampler: &mut Sampler,
    emit: &mut dyn FnMut(u32) -> Result<()>,
) -> Result<Generation> {
    let Some((&last, before)) = request.prompt.split_last() else {
        return Err(HostError::EmptyPrompt);
    };
    let mut generation = Generation { pending: Some(last), ..Generation::default() };
    let begin = Instant::now();
    if request.count == 0 {
        device.prompt(0, before, Want::State)?;
        generation.prompt_time = begin.elapsed();
        return Ok(generation);
    }
    let head = device.prompt(0, request.prompt, Want::Top)?;
    let mut first = None;
    // What a choice means; an error of `emit` ends the loop and is the result.
    let mut take = |token: u32| -> Result<ControlFlow<()>> {
        first.get_or_insert_with(Instant::now);
        generation.pending = Some(token);
        if request.stop.contains(&token) {
            generation.stopped = true;
            return Ok(ControlFlow::Break(()));
        }
        generation.tokens.push(token);
        emit(token)?;
        Ok(ControlFlow::Continue(()))
    };
    let mut token = sampler.choose(&head.top);
    if take(token)?.is_continue() {
        let more = request.count - 1;
        if sampler.is_greedy() {
            // The device chooses the best token as well, and a core does so without the host.
            let mut failed = None;
            device.generate(0, token, more, request.stop, &mut |head| {
                failed = take(head.top[0].token).err();
                if failed.is_none() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
            if let Some(error) = failed {
                return Err(error);
            }
        } else {
            for _ in 0..more {
                let heads = device.pass(&[Step { slot: 0, token, want: Want::Top }])?;
                token = sampler.choose(&heads[0].top);
                if take(token)?.is_break() {
                    break;
                }
            }
        }
    }
    let first = first.unwrap_or_else(Instant::now);
    generation.prompt_time = first - begin;
    generation.decode_time = first.elapsed();
    Ok(generation)
}
