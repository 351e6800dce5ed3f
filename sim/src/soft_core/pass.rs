//! A pass: what is in memory through the golden model, and what it leaves there.

use std::ops::Range;
use std::sync::Arc;

use sterna_firmware::FirmwareError;
use sterna_firmware::device::{Step, Want, best};
use sterna_firmware::golden::Golden;
use sterna_firmware::isa::{Opcode, UNIT};
use sterna_firmware::model::Model;
use sterna_hdl::record::{HEADER, stride};
use sterna_hdl::registers::{self as regs, STOP_VALID, mode, status};

use super::ring::whole;
use super::walk::{Stop, bytes, check, start, units};
use super::{Arithmetic, Fault, SoftCore};

/// The model that the memory was found to hold.
pub(super) struct Held {
    /// Where image and rows are.
    ranges: [Range<u64>; 2],
    id: u64,
    vocab: usize,
    /// Units of a pass without the head, and with it.
    units: [u64; 2],
    /// `None` for canned answers.
    golden: Option<Golden>,
    elements: usize,
}

impl Held {
    /// Whether a stretch of memory is part of it.
    pub fn reads(&self, at: u64, length: u64) -> bool {
        self.ranges.iter().any(|range| at < range.end && range.start < at + length)
    }
}

/// What the head said: its scale and all accumulators.
type Said = ((u32, i32), Vec<i32>);

impl SoftCore {
    /// One pass of the run that is under way, or as much of its image as has come.
    pub(super) fn pass(&mut self) {
        if !self.gather() {
            return;
        }
        match self.try_pass() {
            Ok(()) => {}
            Err((fault, segment)) => self.fail(fault, segment),
        }
    }

    fn try_pass(&mut self) -> Result<(), Stop> {
        let bases = [
            self.base(&regs::IMAGE_LO, &regs::IMAGE_HI),
            self.base(&regs::EMBED_LO, &regs::EMBED_HI),
        ];
        let held = match self.held.take() {
            Some(held) if held.ranges.each_ref().map(|range| range.start) == bases => held,
            _ => self.look(bases)?,
        };
        self.image_id = held.id;
        let held = self.held.insert(held);
        let modes = self.written.get(&regs::MODE.offset).copied().unwrap_or(0);
        let head = modes & mode::NO_HEAD == 0;
        if self.units != held.units[usize::from(head)] {
            return Err((Fault::Command, 0));
        }
        if self.active.iter().any(|(_, token)| *token as usize >= held.vocab) {
            return Err((Fault::Row, 0));
        }
        let (id, vocab) = (held.id, held.vocab as u32);
        if let Some(golden) = &mut held.golden {
            let lowest = (modes & mode::CHAIN != 0).then_some(self.active[0].0);
            let want = if head { Want::Top } else { Want::State };
            let step =
                |&(slot, token): &(usize, u32)| Step { slot: lowest.unwrap_or(slot), token, want };
            let steps: Vec<Step> = self.active.iter().map(step).collect();
            let mut owners: Vec<usize> = steps.iter().map(|step| step.slot).collect();
            owners.dedup();
            for &slot in &owners {
                let state = self.states[slot].get_or_insert_default();
                state.resize(held.elements, 0);
                golden.set_state(slot, state);
            }
            let said = run(golden, &steps)?;
            for &slot in &owners {
                self.states[slot] = Some(golden.state(slot).to_vec());
            }
            self.say(id, &said, modes)?;
        } else if head {
            self.say_next(id, vocab)?;
        }
        self.arrived.clear();
        self.done += 1;
        self.left -= 1;
        if head {
            let stops = regs::STOPS.map(|reg| self.get(&reg));
            self.active.retain(|(_, token)| !stops.contains(&(token | STOP_VALID)));
        }
        if self.left == 0 || self.active.is_empty() {
            self.status = status::DONE;
        }
        Ok(())
    }

    /// Checks what is in memory, or what came through it.
    fn look(&self, [image, rows]: [u64; 2]) -> Result<Held, Stop> {
        let at_start = |fault| (fault, 0);
        let streams = self.get(&regs::IMAGE_RING) != 0;
        let memory = |at, length| bytes(&self.memory, at, length).map_err(at_start);
        let start = match streams {
            true => start(&self.arrived[..UNIT])?,
            false => start(&memory(image, UNIT)?)?,
        };
        let shape = start.shape;
        if self.geometry.fits(&shape).is_err() {
            return Err((Fault::Geometry, 0));
        }
        let units = units(&start);
        let length = units[1] * UNIT as u64;
        let stretch = shape.row_stride() * shape.vocab;
        // What streams is looked at anew in every pass.
        let ranges = match streams {
            true => [0..0, 0..0],
            false => [image..image + length, rows..rows + stretch as u64],
        };
        let mut held = Held {
            ranges,
            id: start.id,
            vocab: shape.vocab,
            units,
            golden: None,
            elements: shape.state(),
        };
        if self.arithmetic == Arithmetic::Golden {
            let (image, rows) = match streams {
                true => (self.arrived.clone(), self.only_rows(rows, &shape)?),
                false => (memory(image, length as usize)?, memory(rows, stretch)?),
            };
            check(&image, &start)?;
            let image = whole(image, &start);
            let model = Model::of_memory("the card's memory", &image, &rows);
            let golden = model.and_then(|model| Golden::new(Arc::clone(&model), self.states.len()));
            held.golden = Some(golden.map_err(|_| (Fault::Field, 0))?);
        }
        Ok(held)
    }

    /// Writes the records, and the accumulators of the last slot if they are wanted.
    fn say(&mut self, id: u64, said: &[Said], modes: u32) -> Result<(), Stop> {
        let most = self.geometry.top_k as usize;
        for (n, (scale, all)) in said.iter().enumerate() {
            let best = best(all, most, |a, b| a > b);
            let top: Vec<(u32, i32)> = best.into_iter().map(|n| (n as u32, all[n])).collect();
            self.record(n, id, *scale, &top)?;
        }
        if let (true, Some((_, all))) = (modes & mode::LOGITS != 0, said.last()) {
            let mut words: Vec<u32> = all.iter().map(|&value| value as u32).collect();
            words.resize(words.len().next_multiple_of(16), 0);
            let at = self.base(&regs::LOGITS_LO, &regs::LOGITS_HI);
            self.words(at, &words).map_err(|fault| (fault, 0))?;
        }
        Ok(())
    }

    /// The answer of a core that does not compute.
    fn say_next(&mut self, id: u64, vocab: u32) -> Result<(), Stop> {
        let count = self.geometry.top_k.min(vocab);
        for n in 0..self.active.len() {
            let token = self.active[n].1;
            let top: Vec<(u32, i32)> =
                (0..count).map(|n| ((token + 1 + n) % vocab, -(n as i32))).collect();
            self.record(n, id, (1, 0), &top)?;
        }
        Ok(())
    }

    /// Writes the record of the `n`th slot that takes part, whose best token enters next.
    fn record(
        &mut self,
        n: usize,
        id: u64,
        scale: (u32, i32),
        top: &[(u32, i32)],
    ) -> Result<(), Stop> {
        let length = stride(self.geometry.top_k);
        let mut words = vec![0; length / 4];
        let best = top[0].0;
        let count = top.len() as u32;
        let head =
            [self.done, best, count, scale.0, scale.1 as u32, 0, id as u32, (id >> 32) as u32];
        words[..8].copy_from_slice(&head);
        for (pair, &(token, value)) in words[HEADER / 4..].chunks_exact_mut(2).zip(top) {
            pair.copy_from_slice(&[token, value as u32]);
        }
        let (slot, token) = &mut self.active[n];
        let slot = *slot;
        (*token, self.last_tokens[slot]) = (best, best);
        let number = u64::from(self.done) * u64::from(self.geometry.slots) + slot as u64;
        let at = self.base(&regs::RESULT_LO, &regs::RESULT_HI) + number * length as u64;
        self.words(at, &words).map_err(|fault| (fault, 0))
    }
}

/// Golden's pass, and what the heads of its steps said.
fn run(golden: &mut Golden, steps: &[Step]) -> Result<Vec<Said>, Stop> {
    let mut said = vec![];
    let result = golden.observe(steps, &mut |seen| {
        if seen.segment.instruction.opcode == Opcode::Head {
            said.push(((seen.scale.mant(), seen.scale.exp()), seen.output.to_vec()));
        }
    });
    match result {
        Ok(_) => Ok(said),
        Err(FirmwareError::TritBlock { segment, .. }) => Err((Fault::TritBlock, segment as u32)),
        Err(_) => Err((Fault::Row, 0)),
    }
}
