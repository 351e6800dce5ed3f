//! The golden model: an interpreter of the image in the arithmetic of the hardware.
//!
//! It is the specification: when RTL and golden differ, one of them breaks
//! `docs/numerics.md`. A pass walks the segments as the core does; only the parallelism (rows and
//! entries over threads, SIMD) is the host's, and every value is an integer, so the result is the
//! same in every bit for any kernel and any number of threads.
//!
//! A pass takes a batch of steps, each with an entry of its own: of several sequences, or several
//! tokens of one. The latter meet in the recurrence alone, which takes them one after the other.

mod entry;
mod operands;
mod part;
mod pass;

use std::sync::Arc;

use sterna_model::numerics::{Rescale, Scale, Statistics};

use crate::device::{Device, Head, State, Step, Want, check_prompt, check_steps};
use crate::error::{FirmwareError, Result};
use crate::image::Segment;
use crate::isa::Opcode;
use crate::kernel::Kernel;
use crate::kernel::team::Team;
use crate::model::Model;
use crate::shape::Shape;
use entry::Entry;

/// The golden device.
pub struct Golden {
    model: Arc<Model>,
    kernel: Kernel,
    /// Operand vectors of every segment, decoded once.
    operands: Arc<[Vec<Vec<i16>>]>,
    /// Recurrent state of each sequence, `[layers, inner]`.
    states: Vec<Vec<i32>>,
    /// One a step of the largest pass so far.
    entries: Vec<Entry>,
    team: Team,
}

/// Tokens of a prompt that share a pass over the weights.
const CHUNK: usize = 32;

/// What one instruction did for one step of a pass, for lockstep checks.
pub struct Observation<'a> {
    /// The instruction.
    pub segment: &'a Segment,
    /// Which of the pass's steps.
    pub step: usize,
    /// Its sequence.
    pub slot: usize,
    /// Codes that entered the matrix, padding included.
    pub codes: &'a [i8],
    /// Scale of the accumulators; the head's logits use it as it is.
    pub scale: Scale,
    /// The same as the epilogue's multiplier has it.
    pub rescale: Rescale,
    /// What it produced: a, state, v, residual, p, or the head's accumulators.
    pub output: &'a [i32],
    /// Statistics of the output, where a later instruction uses them.
    pub statistics: Option<Statistics>,
}

/// Receives every [`Observation`] of a pass.
pub type Observer<'a> = &'a mut dyn FnMut(Observation<'_>);

impl Golden {
    /// A device with `slots` sequences and the fastest kernel of this machine.
    pub fn new(model: Arc<Model>, slots: usize) -> Result<Golden> {
        Golden::with_kernel(model, slots, Kernel::detect())
    }

    /// A device with a kernel of choice: the result is the same in every bit.
    pub fn with_kernel(model: Arc<Model>, slots: usize, kernel: Kernel) -> Result<Golden> {
        if slots == 0 {
            return Err(FirmwareError::NoSlots);
        }
        let image = model.image();
        let operands = image
            .segments()
            .iter()
            .map(|segment| {
                let vectors = 0..segment.instruction.operands.0;
                vectors.map(|n| image.operand(&segment.instruction, n).collect()).collect()
            })
            .collect();
        let shape = model.shape();
        let states = vec![vec![0; shape.state()]; slots];
        let team = Team::new(rayon::current_num_threads());
        Ok(Golden { model, kernel, operands, states, entries: vec![], team })
    }

    /// The same with a number of threads of choice, the caller's among them: the result is the
    /// same in every bit.
    pub fn with_threads(self, threads: usize) -> Golden {
        Golden { team: Team::new(threads), ..self }
    }

    /// How many threads compute.
    pub fn threads(&self) -> usize {
        self.team.size()
    }

    /// The recurrent state of a sequence, `[layers, inner]`, in each layer's unit.
    pub fn state(&self, slot: usize) -> &[i32] {
        &self.states[slot]
    }

    /// Gives a sequence a state that it had before, `[layers, inner]`.
    ///
    /// # Panics
    /// If it has another length than the model's states.
    pub fn set_state(&mut self, slot: usize, state: &[i32]) {
        self.states[slot].copy_from_slice(state);
    }

    /// [`Device::pass`] that also reports what every instruction did, for each step in order.
    ///
    /// A slot may have several steps, one behind the other: tokens that enter it in this order. So
    /// several prompts share a pass, and every token may have a head.
    pub fn observe(&mut self, steps: &[Step], observer: Observer<'_>) -> Result<Vec<Head>> {
        self.run(steps, Some(observer))
    }

    fn run(&mut self, steps: &[Step], observer: Option<Observer<'_>>) -> Result<Vec<Head>> {
        let shape = self.model.shape();
        for step in steps {
            check_steps(std::slice::from_ref(step), self.states.len(), shape.vocab)?;
        }
        let own = steps.chunk_by(|a, b| a.slot == b.slot);
        let firsts: Vec<Step> = own.map(|steps| steps[0]).collect();
        check_steps(&firsts, self.states.len(), shape.vocab)?;
        let missing = steps.len().saturating_sub(self.entries.len());
        self.entries.extend((0..missing).map(|_| Entry::new(&shape)));
        for (entry, step) in self.entries.iter_mut().zip(steps) {
            entry.enter(step.slot, &self.model.row(step.token)?);
        }
        self.execute(steps, observer)
    }
}

impl Device for Golden {
    fn name(&self) -> &'static str {
        "golden"
    }

    fn shape(&self) -> Shape {
        self.model.shape()
    }

    fn slots(&self) -> usize {
        self.states.len()
    }

    fn clear(&mut self, slot: usize) -> Result<()> {
        let slots = self.slots();
        self.states.get_mut(slot).ok_or(FirmwareError::Slot { slot, slots })?.fill(0);
        Ok(())
    }

    fn pass(&mut self, steps: &[Step]) -> Result<Vec<Head>> {
        check_steps(steps, self.states.len(), self.model.shape().vocab)?;
        self.run(steps, None)
    }

    /// Tokens share passes over the weights, so many at a time.
    fn prompt(&mut self, slot: usize, tokens: &[u32], want: Want) -> Result<Head> {
        check_prompt(slot, tokens, self.states.len(), self.model.shape().vocab)?;
        let mut last = Head::default();
        let mut left = tokens;
        while !left.is_empty() {
            let (chunk, rest) = left.split_at(CHUNK.min(left.len()));
            let mut steps: Vec<Step> =
                chunk.iter().map(|&token| Step { slot, token, want: Want::State }).collect();
            if let Some(step) = steps.last_mut().filter(|_| rest.is_empty()) {
                step.want = want;
            }
            last = self.run(&steps, None)?.pop().unwrap_or_default();
            left = rest;
        }
        Ok(last)
    }

    fn save(&mut self, slot: usize) -> Result<State> {
        let slots = self.slots();
        let state = self.states.get(slot).ok_or(FirmwareError::Slot { slot, slots })?;
        Ok(State::Fixed(state.clone()))
    }

    fn restore(&mut self, slot: usize, state: &State) -> Result<()> {
        let slots = self.slots();
        let own = self.states.get_mut(slot).ok_or(FirmwareError::Slot { slot, slots })?;
        match state {
            State::Fixed(state) if state.len() == own.len() => own.copy_from_slice(state),
            _ => return Err(FirmwareError::state(state, own.len(), true)),
        }
        Ok(())
    }

    fn saturations(&self) -> u64 {
        self.entries.iter().map(|entry| entry.saturations).sum()
    }
}

/// Whether the operands of an opcode's epilogue gather statistics for a later quantiser.
fn gathers(opcode: Opcode) -> bool {
    matches!(opcode, Opcode::MixG | Opcode::MixO | Opcode::Glu | Opcode::Down)
}
