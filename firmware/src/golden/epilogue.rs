//! What happens to each accumulator, by opcode.

use sterna_model::numerics::formats::{PREACTIVATION_BITS, RESIDUAL_BITS};
use sterna_model::numerics::sigmoid::{ARG_MAX, Sigmoid};
use sterna_model::numerics::{Rescale, Sums, gain, glu, mlgru, saturate};

use super::lane::Lane;
use crate::isa::{Matrix, Opcode};
use crate::trits::ROWS;

/// Operand vectors that are in force: each waits here from the segment that brings it to
/// the one that uses it.
#[derive(Default)]
pub struct Operands<'a> {
    mix: [&'a [i16]; 3],
    lower_bounds: &'a [i16],
    w_g: &'a [i16],
    w_o: &'a [i16],
    mlp: &'a [i16],
    w_d: &'a [i16],
    /// w₁ of the norm whose statistics the residual's epilogue gathers.
    outer: &'a [i16],
    /// Gains of those who will quantise the residual (one or three).
    next: Vec<&'a [i16]>,
}

impl<'a> Operands<'a> {
    /// Takes the operands of a segment.
    pub fn load(&mut self, opcode: Opcode, vectors: &'a [Vec<i16>]) {
        match opcode {
            Opcode::Start => self.mix = std::array::from_fn(|n| &vectors[n][..]),
            Opcode::MixF => self.lower_bounds = &vectors[0],
            Opcode::MixG => (self.w_g, self.w_o) = (&vectors[0], &vectors[1]),
            Opcode::Glu => self.w_d = &vectors[0],
            Opcode::MixO | Opcode::Down => {
                self.outer = &vectors[0];
                self.next = vectors[1..].iter().map(|v| &v[..]).collect();
                if opcode == Opcode::MixO {
                    self.mlp = &vectors[1];
                } else {
                    // Before the head there is one gain; it waits in slot 0.
                    for (slot, gains) in self.mix.iter_mut().zip(&self.next) {
                        *slot = gains;
                    }
                }
            }
            Opcode::MixI | Opcode::Head => {}
        }
    }

    /// The gain with which an instruction quantises its source.
    pub fn gain(&self, opcode: Opcode) -> &'a [i16] {
        match opcode {
            Opcode::MixO => self.w_o,
            Opcode::Glu => self.mlp,
            Opcode::Down => self.w_d,
            _ => self.mix[opcode.consumer()],
        }
    }
}

/// One lane's accumulators within a batch.
#[derive(Clone, Copy)]
pub struct Column<'a> {
    /// `[group][lane]`, five rows each.
    pub accumulators: &'a [[i32; ROWS]],
    /// Lanes in the batch.
    pub batch: usize,
    /// This one.
    pub n: usize,
}

impl<'a> Column<'a> {
    /// Rows `0..rows` of matrix number `part`, padding left out.
    pub fn rows(self, part: usize, rows: usize) -> impl Iterator<Item = i32> + 'a {
        let start = part * rows.div_ceil(ROWS) * self.batch;
        let groups = self.accumulators[start..].iter().skip(self.n).step_by(self.batch);
        groups.flatten().copied().take(rows)
    }
}

impl Lane {
    /// `MIX_I`: a.
    pub(super) fn input(&mut self, rescale: Rescale, column: Column<'_>) {
        let rows = self.mix.len();
        for (a, acc) in self.mix.iter_mut().zip(column.rows(0, rows)) {
            *a = rescale.apply_saturating(acc, PREACTIVATION_BITS, &mut self.saturations);
        }
    }

    /// `MIX_F`: what the recurrence takes, silu(a) and 1 − f.
    pub(super) fn forget(
        &mut self,
        matrix: &Matrix,
        rescale: Rescale,
        operands: &Operands<'_>,
        column: Column<'_>,
    ) {
        let sigmoid = Sigmoid::new();
        let frac = i32::from(matrix.state_frac);
        let inner = self.mix.len();
        for (k, acc) in column.rows(0, inner).enumerate() {
            // The sigmoid clamps its argument anyway: not a saturation.
            let b = rescale.apply(acc).clamp(-i64::from(ARG_MAX), i64::from(ARG_MAX)) as i32;
            self.rate[k] = mlgru::one_minus_f(sigmoid, b, operands.lower_bounds[k] as u16);
            self.mix[k] = mlgru::silu(sigmoid, self.mix[k], frac);
        }
    }

    /// The recurrence of a layer, after [`Lane::forget`]: `state` is what the token before left.
    pub(super) fn recur(&mut self, state: &mut [i32]) {
        for (k, state) in state.iter_mut().enumerate() {
            *state = mlgru::recur(*state, self.mix[k], self.rate[k]);
            self.mix[k] = *state;
        }
    }

    /// `MIX_G`: v.
    pub(super) fn output_gate(
        &mut self,
        matrix: &Matrix,
        rescale: Rescale,
        operands: &Operands<'_>,
        column: Column<'_>,
        sums: &mut Sums,
    ) {
        let sigmoid = Sigmoid::new();
        let inner = self.mix.len();
        let frac = i32::from(matrix.state_frac);
        for (k, acc) in column.rows(0, inner).enumerate() {
            let g = rescale.apply_saturating(acc, PREACTIVATION_BITS, &mut self.saturations);
            let silu_o = mlgru::silu(sigmoid, self.mix[k], frac);
            let v = mlgru::output_gate(g, operands.w_g[k], silu_o);
            sums.add(v, g, [gain::apply(v, operands.w_o[k]), 0, 0]);
            self.mix[k] = v;
        }
    }

    /// `GLU`: p. All gate rows come before all up rows.
    pub(super) fn glu(
        &mut self,
        matrix: &Matrix,
        rescale: Rescale,
        operands: &Operands<'_>,
        column: Column<'_>,
        rows: usize,
        sums: &mut Sums,
    ) {
        let sigmoid = Sigmoid::new();
        let frac = i32::from(matrix.frac);
        let both = column.rows(0, rows).zip(column.rows(1, rows));
        for (k, (gate, up)) in both.enumerate() {
            let mut value =
                |acc| rescale.apply_saturating(acc, PREACTIVATION_BITS, &mut self.saturations);
            let (gate, up) = (value(gate), value(up));
            let p = glu::product(sigmoid, gate, up, frac);
            sums.add(p, 0, [gain::apply(p, operands.w_d[k]), 0, 0]);
            self.product[k] = p;
        }
    }

    /// `MIX_O` and `DOWN`: the residual.
    pub(super) fn add(
        &mut self,
        rescale: Rescale,
        operands: &Operands<'_>,
        column: Column<'_>,
        sums: &mut Sums,
    ) {
        let rows = self.residual.len();
        let next = &operands.next;
        for (k, acc) in column.rows(0, rows).enumerate() {
            let wide = i64::from(self.residual[k]) + rescale.apply(acc);
            let x = saturate(wide, RESIDUAL_BITS) as i32;
            self.saturations += u64::from(i64::from(x) != wide);
            self.residual[k] = x;
            let z = std::array::from_fn(|j| next.get(j).map_or(0, |g| gain::apply(x, g[k])));
            sums.add(gain::apply(x, operands.outer[k]), x, z);
        }
    }
}
