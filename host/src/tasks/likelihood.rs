//! How likely a model takes answers for.

use sterna_firmware::device::{Device, State, Step, Want};
use sterna_model::Tokenizer;

use super::{Choice, layout};
use crate::error::Result;
use crate::score::negative_log_likelihood;

/// A choice in tokens; neither part is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// What enters first.
    pub context: Vec<u32>,
    /// What is predicted.
    pub continuation: Vec<u32>,
}

/// A choice's tokens, without a begin token. Spaces at the context's end belong to the answer; both
/// are encoded together, and what the context alone does not have is the answer's.
///
/// `None` if either has no tokens.
///
/// # Errors
/// Those of the tokenizer.
pub fn encode(tokenizer: &Tokenizer, choice: &Choice) -> Result<Option<Encoded>> {
    let context = choice.context.trim_end_matches(layout::is_space);
    let whole = format!("{}{}", choice.context, choice.continuation);
    let whole = tokenizer.encode(&whole, false)?;
    let context = tokenizer.encode(context, false)?;
    let continuation = whole.get(context.len()..).unwrap_or_default().to_vec();
    let is_empty = context.is_empty() || continuation.is_empty();
    Ok((!is_empty).then_some(Encoded { context, continuation }))
}

/// What is left of a choice after its first token, and the state that it goes on from.
struct Rest<'a> {
    item: usize,
    choice: usize,
    state: usize,
    tokens: &'a [u32],
}

/// The natural logarithms of the choices' probabilities, item by item.
///
/// A context enters once for all choices that have it, with as many of its tokens a pass as the
/// device takes. Its last logits are those of every choice's first token; from its state the
/// choices go on, as many side by side as the device has slots. No value depends on how many.
///
/// # Errors
/// Those of the device.
pub fn likelihoods(device: &mut dyn Device, items: &[Vec<Encoded>]) -> Result<Vec<Vec<f64>>> {
    let mut sums: Vec<Vec<f64>> = items.iter().map(|item| vec![0.0; item.len()]).collect();
    let mut states: Vec<State> = vec![];
    let mut rests = vec![];
    for (item, choices) in items.iter().enumerate() {
        let mut logits = vec![];
        let mut state = None;
        for (choice, Encoded { context, continuation }) in choices.iter().enumerate() {
            if choice == 0 || choices[choice - 1].context != *context {
                device.clear(0)?;
                logits = device.prompt(0, context, Want::Logits)?.logits;
                state = None;
            }
            sums[item][choice] = -negative_log_likelihood(&logits, continuation[0]);
            if continuation.len() > 1 {
                if state.is_none() {
                    states.push(device.save(0)?);
                    state = Some(states.len() - 1);
                }
                let state = state.expect("saved above");
                rests.push(Rest { item, choice, state, tokens: continuation });
            }
        }
    }
    for batch in rests.chunks(device.slots()) {
        for (slot, rest) in batch.iter().enumerate() {
            device.restore(slot, &states[rest.state])?;
        }
        let longest = batch.iter().map(|rest| rest.tokens.len()).max().unwrap_or(0);
        for at in 1..longest {
            let active = batch.iter().enumerate().filter(|(_, rest)| at < rest.tokens.len());
            let active: Vec<(usize, &Rest)> = active.collect();
            let step = |&(slot, rest): &(usize, &Rest)| Step {
                slot,
                token: rest.tokens[at - 1],
                want: Want::Logits,
            };
            let steps: Vec<Step> = active.iter().map(step).collect();
            for ((_, rest), head) in active.iter().zip(device.pass(&steps)?) {
                let likelihood = -negative_log_likelihood(&head.logits, rest.tokens[at]);
                sums[rest.item][rest.choice] += likelihood;
            }
        }
    }
    Ok(sums)
}
