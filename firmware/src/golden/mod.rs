//! The golden model: an interpreter of the image in the arithmetic of the hardware.
//!
//! It is the specification: when RTL and golden differ, one of them breaks
//! `docs/numerics.md`. A pass walks the segments as the core does; only the parallelism (row
//! groups and sequences over threads, SIMD in the ternary products) is the host's, and every
//! value is an integer, so the result is the same in every bit for any thread count.

mod epilogue;
mod sequence;

use std::sync::Arc;

use rayon::prelude::*;
use sterna_model::numerics::{Rescale, Scale, Statistics};

use crate::device::{
    Candidate, Device, Head, State, Step, TOP_K_MAX, Want, best, check_steps, select,
};
use crate::error::{FirmwareError, Result};
use crate::image::Segment;
use crate::isa::{Matrix, Opcode};
use crate::kernel::{Codes, Kernel};
use crate::model::Model;
use crate::shape::Shape;
use crate::trits::ROWS;
use epilogue::Operands;
use sequence::Sequence;

/// The golden device.
pub struct Golden {
    model: Arc<Model>,
    kernel: Kernel,
    /// Operand vectors of every segment, decoded once.
    operands: Arc<[Vec<Vec<i16>>]>,
    sequences: Vec<Sequence>,
    accumulators: Vec<[i32; ROWS]>,
}

/// What one instruction did for one sequence, for lockstep checks.
pub struct Observation<'a> {
    /// The instruction.
    pub segment: &'a Segment,
    /// The sequence.
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
        let sequences = (0..slots).map(|_| Sequence::new(&shape)).collect();
        Ok(Golden { model, kernel, operands, sequences, accumulators: Vec::new() })
    }

    /// The recurrent state of a sequence, `[layers, inner]`, in each layer's unit.
    pub fn state(&self, slot: usize) -> &[i32] {
        self.sequences[slot].state()
    }

    /// Gives a sequence a state that it had before, `[layers, inner]`.
    ///
    /// # Panics
    /// If it has another length than the model's states.
    pub fn set_state(&mut self, slot: usize, state: &[i32]) {
        self.sequences[slot].set_state(state);
    }

    /// [`Device::pass`] that also reports what every instruction did.
    pub fn observe(&mut self, steps: &[Step], observer: Observer<'_>) -> Result<Vec<Head>> {
        self.run(steps, Some(observer))
    }

    fn run(&mut self, steps: &[Step], mut observer: Option<Observer<'_>>) -> Result<Vec<Head>> {
        let shape = self.model.shape();
        check_steps(steps, self.sequences.len(), shape.vocab)?;
        for step in steps {
            self.sequences[step.slot].enter(&self.model.row(step.token)?);
        }
        let model = Arc::clone(&self.model);
        let image = model.image();
        let mut operands = Operands::default();
        let mut heads = vec![Head::default(); steps.len()];
        let (head, layers) = image.segments().split_last().expect("a pass ends with the head");
        let vectors = Arc::clone(&self.operands);
        let all: Vec<usize> = steps.iter().map(|step| step.slot).collect();
        for (segment, vectors) in layers.iter().zip(&vectors[..]) {
            operands.load(segment.instruction.opcode, vectors);
            if let Some(matrix) = segment.matrix() {
                self.execute(segment, matrix, &operands, &all, &mut observer)?;
            }
        }
        let matrix = head.matrix().expect("the head is a matrix");
        self.head(head, matrix, &operands, steps, &mut heads, &mut observer)?;
        Ok(heads)
    }

    /// Quantises, multiplies and hands the accumulators to the epilogue.
    fn execute(
        &mut self,
        segment: &Segment,
        matrix: &Matrix,
        operands: &Operands<'_>,
        slots: &[usize],
        observer: &mut Option<Observer<'_>>,
    ) -> Result<()> {
        self.multiply(segment, matrix, operands, slots)?;
        let batch = slots.len();
        let accumulators = &self.accumulators;
        let mut active = select(&mut self.sequences, slots);
        active.par_iter_mut().for_each(|(n, sequence)| {
            let column = epilogue::Column { accumulators, batch, n: *n };
            sequence.finish(segment, matrix, operands, column);
        });
        if let Some(observer) = observer {
            for (n, sequence) in &active {
                observer(sequence.observation(segment, slots[*n]));
            }
        }
        Ok(())
    }

    fn multiply(
        &mut self,
        segment: &Segment,
        matrix: &Matrix,
        operands: &Operands<'_>,
        slots: &[usize],
    ) -> Result<()> {
        let mut active = select(&mut self.sequences, slots);
        active.par_iter_mut().for_each(|(_, sequence)| sequence.quantise(matrix, operands));
        let codes: Vec<&Codes> = active.iter().map(|(_, sequence)| sequence.codes()).collect();
        let model = &self.model;
        model.multiply(self.kernel, &segment.instruction, &codes, &mut self.accumulators)
    }

    /// The head, for the sequences that want it.
    fn head(
        &mut self,
        segment: &Segment,
        matrix: &Matrix,
        operands: &Operands<'_>,
        steps: &[Step],
        heads: &mut [Head],
        observer: &mut Option<Observer<'_>>,
    ) -> Result<()> {
        let wanted: Vec<usize> =
            (0..steps.len()).filter(|&n| steps[n].want != Want::State).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let slots: Vec<usize> = wanted.iter().map(|&n| steps[n].slot).collect();
        self.multiply(segment, matrix, operands, &slots)?;
        let vocab = segment.instruction.dimensions.0;
        for (n, &step) in wanted.iter().enumerate() {
            let column =
                epilogue::Column { accumulators: &self.accumulators, batch: slots.len(), n };
            let logits: Vec<i32> = column.rows(0, vocab).collect();
            let sequence = &mut self.sequences[slots[n]];
            let scale = sequence.scale(matrix).to_f64();
            let value = |accumulator: i32| (f64::from(accumulator) * scale) as f32;
            heads[step].top = best(&logits, TOP_K_MAX, |a, b| a > b)
                .into_iter()
                .map(|token| Candidate { token: token as u32, logit: value(logits[token]) })
                .collect();
            if steps[step].want == Want::Logits {
                heads[step].logits = logits.iter().copied().map(value).collect();
            }
            if let Some(observer) = observer {
                let observation = sequence.observation(segment, slots[n]);
                observer(Observation { output: &logits, ..observation });
            }
        }
        Ok(())
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
        self.sequences.len()
    }

    fn clear(&mut self, slot: usize) -> Result<()> {
        let slots = self.slots();
        let sequence = self.sequences.get_mut(slot).ok_or(FirmwareError::Slot { slot, slots })?;
        sequence.clear();
        Ok(())
    }

    fn pass(&mut self, steps: &[Step]) -> Result<Vec<Head>> {
        self.run(steps, None)
    }

    fn save(&mut self, slot: usize) -> Result<State> {
        let slots = self.slots();
        let sequence = self.sequences.get(slot).ok_or(FirmwareError::Slot { slot, slots })?;
        Ok(State::Fixed(sequence.state().to_vec()))
    }

    fn restore(&mut self, slot: usize, state: &State) -> Result<()> {
        let slots = self.slots();
        let sequence = self.sequences.get_mut(slot).ok_or(FirmwareError::Slot { slot, slots })?;
        let elements = sequence.state().len();
        match state {
            State::Fixed(state) if state.len() == elements => sequence.set_state(state),
            _ => return Err(FirmwareError::state(state, elements, true)),
        }
        Ok(())
    }

    fn saturations(&self) -> u64 {
        self.sequences.iter().map(Sequence::saturations).sum()
    }
}

/// Whether the operands of an opcode's epilogue gather statistics for a later quantiser.
fn gathers(opcode: Opcode) -> bool {
    matches!(opcode, Opcode::MixG | Opcode::MixO | Opcode::Glu | Opcode::Down)
}
