//! Whether the core computes: a model is loaded, the core checks every checksum of it, and passes
//! are compared with golden's, bit by bit.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use serde_json::json;
use sterna_firmware::device::{Device, Head, Step, Want};
use sterna_firmware::geometry::Geometry;
use sterna_firmware::golden::Golden;
use sterna_firmware::isa::Opcode;
use sterna_firmware::model::Model;
use sterna_hdl::driver::{Card, Settings, Transport};
use sterna_model::synth::SynthSpec;
use sterna_sim::fuzz::made_up;

use super::{Bench, Outcome, Tried, Trouble};
use crate::devices::xdma::XdmaTransport;
use crate::output;

/// Passes one by one, and passes of a run.
const PASSES: u32 = 8;
const RUN: usize = 8;

/// The steps.
pub fn steps(bench: &mut Bench<'_>, model: Option<&Arc<Model>>) {
    let mut small = None;
    let loaded = bench.step("load", |bench| {
        let geometry = bench.core()?;
        bench.bytes()?;
        let model = match model {
            Some(model) => Arc::clone(model),
            None => made_up(&spec(&geometry))?,
        };
        small = Some(Arc::clone(&model));
        load(bench, &model)
    });
    let model = small.filter(|_| loaded == Outcome::Passed);
    let model = |_: &Bench<'_>| model.clone().ok_or(Trouble::Skip("no model is loaded"));
    bench.step("checksums", |bench| {
        let model = model(bench)?;
        checksums(bench, &model)
    });
    bench.step("passes", |bench| {
        let model = model(bench)?;
        passes(bench, &model)
    });
    let several = bench.geometry.as_ref().is_some_and(|geometry| geometry.slots > 1);
    if several {
        bench.step("slots", |bench| {
            let model = model(bench)?;
            slots(bench, &model)
        });
    }
}

/// A model that fits any core.
fn spec(geometry: &Geometry) -> SynthSpec {
    let hidden = geometry.hidden.min(geometry.inner).min(128);
    let layers = (geometry.state / hidden).clamp(1, 2);
    SynthSpec {
        intermediate: Some(geometry.intermediate.min(256)),
        ..SynthSpec::new(hidden, layers, 512)
    }
}

fn open<'a>(
    bench: &'a mut Bench<'_>,
    model: &Arc<Model>,
    reuse: bool,
) -> Result<Card<&'a mut XdmaTransport>, Trouble> {
    let settings = Settings { reuse, read_back: !reuse, ..Settings::default() };
    Ok(Card::open(&mut bench.transport, "xdma", Arc::clone(model), &settings)?)
}

fn load(bench: &mut Bench<'_>, model: &Arc<Model>) -> Tried {
    let begin = Instant::now();
    let written = open(bench, model, false)?.loaded().written;
    let seconds = begin.elapsed().as_secs_f64();
    let text = format!("{} written and read back", output::mib(written));
    Ok((text, json!({ "bytes": written, "seconds": seconds })))
}

/// The core reads all of what was loaded, and checks it.
fn checksums(bench: &mut Bench<'_>, model: &Arc<Model>) -> Tried {
    let card = open(bench, model, true)?;
    let loaded = card.loaded();
    let figures = json!({ "bytes": loaded.held });
    if loaded.written > 0 {
        let text = "the memory does not hold what was loaded and read back".to_string();
        return Err(Trouble::Wrong(text, figures));
    }
    Ok((format!("{} walked by the core", output::mib(loaded.held)), figures))
}

fn passes(bench: &mut Bench<'_>, model: &Arc<Model>) -> Tried {
    let vocab = model.shape().vocab;
    let mut card = open(bench, model, true)?;
    let mut golden = Golden::new(Arc::clone(model), 1)?;
    let token = |n: u32| (n * 7919 + 1) % vocab as u32;
    let mut cycles = 0;
    for n in 0..PASSES {
        one(&mut card, &mut golden, token(n), n)?;
        let counters = card.counters()?;
        let sum = counters.beats + counters.starved + counters.blocked + counters.idle;
        if counters.cycles != sum {
            let text =
                format!("pass {n}: {} cycles, but the counters sum to {sum}", counters.cycles);
            return Err(Trouble::Wrong(text, json!({ "pass": n })));
        }
        cycles += counters.cycles;
    }
    // The state goes to memory and comes back.
    state(&mut card, &golden)?;
    let saved = card.state(0)?;
    card.set_state(0, &saved)?;
    one(&mut card, &mut golden, token(PASSES), PASSES)?;
    // The core's own loop.
    let run = |device: &mut dyn Device| -> Result<Vec<Head>, Trouble> {
        let mut heads = vec![];
        device.generate(0, token(PASSES + 1), RUN, &[], &mut |head| {
            heads.push(head);
            ControlFlow::Continue(())
        })?;
        Ok(heads)
    };
    let (got, expected) = (run(&mut card)?, run(&mut golden)?);
    let same = |(a, b): (&Head, &Head)| b.top.starts_with(&a.top);
    if got.len() != expected.len() || !got.iter().zip(&expected).all(same) {
        let text = format!("a run of {RUN} passes gives other tokens than golden");
        return Err(Trouble::Wrong(text, json!({ "passes": got.len() })));
    }
    state(&mut card, &golden)?;
    let count = u64::from(PASSES) + 1 + RUN as u64;
    let elements = model.shape().state();
    let text = format!(
        "{count} passes, {vocab} accumulators, {elements} elements of state: golden's in every \
         bit; {} cycles a pass",
        cycles / u64::from(PASSES)
    );
    let figures = json!({
        "passes": count,
        "accumulators": vocab,
        "state": elements,
        "cycles_per_pass": cycles / u64::from(PASSES),
    });
    Ok((text, figures))
}

/// Tokens of one sequence side by side, then as many sequences as there are slots.
fn slots(bench: &mut Bench<'_>, model: &Arc<Model>) -> Tried {
    let (vocab, count) = (model.shape().vocab as u32, bench.core()?.slots as usize);
    let settings = Settings { slots: count, ..Settings::default() };
    let mut card = Card::open(&mut bench.transport, "xdma", Arc::clone(model), &settings)?;
    let mut golden = Golden::new(Arc::clone(model), count)?;
    let token = |n: usize| (n as u32 * 7907 + 3) % vocab;
    let wrong = |text: String, slot: usize| {
        Err(Trouble::Wrong(text, json!({ "slots": count, "slot": slot })))
    };
    for slot in 0..count {
        // So each slot of the core is the last of a chain as well.
        let tokens: Vec<u32> = (slot..slot + count + 1 + slot).map(token).collect();
        let got = card.prompt(slot, &tokens, Want::Top)?;
        if got != golden.prompt(slot, &tokens, Want::Top)? {
            return wrong(
                format!("a prompt of {} tokens differs from golden's", tokens.len()),
                slot,
            );
        }
    }
    let starts: Vec<(usize, u32)> = (0..count).map(|slot| (slot, token(slot + 9))).collect();
    let run = |device: &mut dyn Device| -> Result<Vec<Vec<Head>>, Trouble> {
        let mut heads = vec![vec![]; count];
        device.generate_all(&starts, RUN, &[], &mut |of, head| {
            heads[of].push(head);
            ControlFlow::Continue(())
        })?;
        Ok(heads)
    };
    let (got, expected) = (run(&mut card)?, run(&mut golden)?);
    for slot in 0..count {
        let same = |(a, b): (&Head, &Head)| b.top.starts_with(&a.top);
        let (got, expected) = (&got[slot], &expected[slot]);
        if got.len() != expected.len() || !got.iter().zip(expected).all(same) {
            return wrong(format!("slot {slot} of a run gives other tokens than golden"), slot);
        }
        if card.state(slot)? != golden.state(slot) {
            return wrong(format!("the state of slot {slot} differs from golden's"), slot);
        }
    }
    let text = format!("prompts through {count} slots, runs of {count} sequences: golden's");
    Ok((text, json!({ "slots": count })))
}

/// A pass with every accumulator compared, as the core wrote it.
fn one(
    card: &mut Card<&mut XdmaTransport>,
    golden: &mut Golden,
    token: u32,
    n: u32,
) -> Result<(), Trouble> {
    let step = [Step { slot: 0, token, want: Want::Logits }];
    let mut expected = vec![];
    let heads = golden.observe(&step, &mut |seen| {
        if seen.segment.instruction.opcode == Opcode::Head {
            expected = seen.output.to_vec();
        }
    })?;
    let got = card.pass(&step)?;
    let at = card.map().logits;
    let mut bytes = vec![0; 4 * expected.len()];
    card.transport().read_memory(at, &mut bytes)?;
    let word = |b: &[u8]| i32::from_le_bytes([b[0], b[1], b[2], b[3]]);
    let read = bytes.chunks_exact(4).map(word);
    let differs = expected.iter().zip(read).position(|(&expected, read)| expected != read);
    if let Some(index) = differs {
        let read = word(&bytes[4 * index..]);
        let text = format!(
            "pass {n}: accumulator {index} is {read}, golden's {}: the core computes wrongly, or \
             its clock is too fast for it",
            expected[index]
        );
        let figures =
            json!({ "pass": n, "accumulator": index, "read": read, "golden": expected[index] });
        return Err(Trouble::Wrong(text, figures));
    }
    if got != heads {
        let text = format!("pass {n}: the record differs from golden's, the accumulators do not");
        return Err(Trouble::Wrong(text, json!({ "pass": n })));
    }
    Ok(())
}

fn state(card: &mut Card<&mut XdmaTransport>, golden: &Golden) -> Result<(), Trouble> {
    let read = card.state(0)?;
    let differs = read.iter().zip(golden.state(0)).position(|(a, b)| a != b);
    match differs {
        None => Ok(()),
        Some(index) => {
            let (read, golden) = (read[index], golden.state(0)[index]);
            let text = format!("element {index} of the state is {read}, golden's {golden}");
            Err(Trouble::Wrong(text, json!({ "element": index, "read": read, "golden": golden })))
        }
    }
}
