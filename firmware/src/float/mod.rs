//! The float device: the published model in `f32`, from the same ternary matrices.
//!
//! It computes docs/model.md's formulas one after the other, without the algebra that the
//! hardware uses, with the norms and embeddings at their stored precision: the difference
//! between `float` and `golden` is what fixed point costs.

pub mod ops;
mod weights;

use std::sync::Arc;

use rayon::prelude::*;

use crate::device::{
    Candidate, Device, Head, State, Step, TOP_K_MAX, Want, best, check_steps, select,
};
use crate::error::{FirmwareError, Result};
use crate::image::Segment;
use crate::isa::Opcode;
use crate::kernel::{Codes, Kernel};
use crate::model::Model;
use crate::shape::Shape;
use crate::trits::ROWS;
use ops::{rms_norm, sigmoid, silu};
use weights::Weights;

/// The float device.
pub struct Float {
    model: Arc<Model>,
    kernel: Kernel,
    weights: Weights,
    /// Recurrent state by slot, `[layers, inner]`.
    states: Vec<Vec<f32>>,
}

impl Float {
    /// A device with `slots` sequences.
    pub fn new(model: Arc<Model>, slots: usize) -> Result<Float> {
        if slots == 0 {
            return Err(FirmwareError::NoSlots);
        }
        let weights = Weights::read(&model)?;
        let states = vec![vec![0.0; model.shape().state()]; slots];
        Ok(Float { model, kernel: Kernel::detect(), weights, states })
    }

    /// BitLinear of a batch: norm, codes, ternary product, scale. Output `[batch][rows]`.
    fn linear(&self, segment: &Segment, inputs: &[Vec<f32>]) -> Result<Vec<Vec<f32>>> {
        let instruction = &segment.instruction;
        let (gain, t) = &self.weights.linear[instruction.sequence];
        let quantised: Vec<(Codes, f32)> = inputs
            .par_iter()
            .map(|x| {
                let (codes, s) = ops::quantise(x, gain);
                let mut padded = Codes::default();
                padded.fill(codes.into_iter());
                (padded, s)
            })
            .collect();
        let codes: Vec<&Codes> = quantised.iter().map(|(codes, _)| codes).collect();
        let mut accumulators = Vec::new();
        self.model.multiply(self.kernel, instruction, &codes, &mut accumulators)?;
        let (rows, batch) = (instruction.dimensions.0, inputs.len());
        let stride = rows.next_multiple_of(ROWS);
        let outputs = quantised.par_iter().enumerate().map(|(n, (_, s))| {
            let parts = accumulators.chunks(stride * batch);
            let columns = parts.flat_map(|accumulators| &accumulators[n * stride..][..rows]);
            columns.map(|&acc| acc as f32 / s / t).collect()
        });
        Ok(outputs.collect())
    }

    fn layer(
        &mut self,
        segments: &[Segment],
        layer: usize,
        slots: &[usize],
        x: &mut [Vec<f32>],
    ) -> Result<()> {
        let segment = |opcode: Opcode| {
            segments.iter().find(|s| s.instruction.opcode == opcode).expect("six opcodes a layer")
        };
        let inner = self.model.shape().inner;
        let norms = &self.weights.layers[layer];
        let normed = |x: &[Vec<f32>], gain: &[f32]| -> Vec<Vec<f32>> {
            x.par_iter().map(|x| rms_norm(x, gain, self.weights.eps)).collect()
        };
        let hidden = normed(x, &norms.attn_norm);
        let a = self.linear(segment(Opcode::MixI), &hidden)?;
        let b = self.linear(segment(Opcode::MixF), &hidden)?;
        let g = self.linear(segment(Opcode::MixG), &hidden)?;
        let gated: Vec<Vec<f32>> = select(&mut self.states, slots)
            .into_par_iter()
            .map(|(n, state)| {
                let state = &mut state[layer * inner..][..inner];
                let mut u = rms_norm(&g[n], &norms.g_norm, self.weights.eps);
                for k in 0..inner {
                    let lower = norms.lower_bounds[k];
                    let f = lower + (1.0 - lower) * sigmoid(b[n][k]);
                    state[k] = f * state[k] + silu(a[n][k]) * (1.0 - f);
                    u[k] *= silu(state[k]);
                }
                u
            })
            .collect();
        add(x, &self.linear(segment(Opcode::MixO), &gated)?);
        let hidden = normed(x, &norms.mlp_norm);
        let both = self.linear(segment(Opcode::Glu), &hidden)?;
        let product: Vec<Vec<f32>> = both
            .par_iter()
            .map(|both| {
                let (gate, up) = both.split_at(both.len() / 2);
                gate.iter().zip(up).map(|(&gate, up)| silu(gate) * up).collect()
            })
            .collect();
        add(x, &self.linear(segment(Opcode::Down), &product)?);
        Ok(())
    }
}

fn add(x: &mut [Vec<f32>], y: &[Vec<f32>]) {
    for (x, y) in x.iter_mut().zip(y) {
        x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
    }
}

impl Device for Float {
    fn name(&self) -> &'static str {
        "float"
    }

    fn shape(&self) -> Shape {
        self.model.shape()
    }

    fn slots(&self) -> usize {
        self.states.len()
    }

    fn clear(&mut self, slot: usize) -> Result<()> {
        let slots = self.slots();
        self.states.get_mut(slot).ok_or(FirmwareError::Slot { slot, slots })?.fill(0.0);
        Ok(())
    }

    fn pass(&mut self, steps: &[Step]) -> Result<Vec<Head>> {
        check_steps(steps, self.slots(), self.shape().vocab)?;
        let model = Arc::clone(&self.model);
        let segments = model.image().segments();
        let slots: Vec<usize> = steps.iter().map(|step| step.slot).collect();
        let mut x = steps
            .iter()
            .map(|step| self.weights.embedding(&self.model, step.token))
            .collect::<Result<Vec<_>>>()?;
        let (head, layers) = segments.split_last().expect("a pass ends with the head");
        for (layer, segments) in layers[1..].chunks(6).enumerate() {
            self.layer(segments, layer, &slots, &mut x)?;
        }
        let wanted: Vec<usize> =
            (0..steps.len()).filter(|&n| steps[n].want != Want::State).collect();
        let hidden: Vec<Vec<f32>> = wanted
            .par_iter()
            .map(|&n| rms_norm(&x[n], &self.weights.final_norm, self.weights.eps))
            .collect();
        let logits = self.linear(head, &hidden)?;
        let mut heads = vec![Head::default(); steps.len()];
        for (&n, logits) in wanted.iter().zip(logits) {
            heads[n].top = best(&logits, TOP_K_MAX, |a, b| a > b)
                .into_iter()
                .map(|token| Candidate { token: token as u32, logit: logits[token] })
                .collect();
            if steps[n].want == Want::Logits {
                heads[n].logits = logits;
            }
        }
        Ok(heads)
    }

    fn save(&mut self, slot: usize) -> Result<State> {
        let slots = self.slots();
        let state = self.states.get(slot).ok_or(FirmwareError::Slot { slot, slots })?;
        Ok(State::Float(state.clone()))
    }

    fn restore(&mut self, slot: usize, state: &State) -> Result<()> {
        let slots = self.slots();
        let own = self.states.get_mut(slot).ok_or(FirmwareError::Slot { slot, slots })?;
        match state {
            State::Float(state) if state.len() == own.len() => own.copy_from_slice(state),
            _ => return Err(FirmwareError::state(state, own.len(), false)),
        }
        Ok(())
    }

    fn saturations(&self) -> u64 {
        0
    }
}
