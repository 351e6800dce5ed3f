//! From units to the three constants of a matrix instruction.
//!
//! Every integer of the core stands for `integer × 2^−frac`. Dividing the norm's formula by
//! the unit of its sum of squares leaves
//!
//! ```text
//! scale = max · √K · 2^(frac_out + frac_a − frac_z) / (127 · t)
//!             / √( A + B·ε_b·2^(2·frac_a − 2·frac_b) + K·floor·2^(2·frac_a) )
//! ```
//!
//! with A, B the sums of squares of integers with `frac_a`, `frac_b` fraction bits and max
//! the largest integer with `frac_z`.

use sterna_model::numerics::formats::{
    BITLINEAR_EPS, CODE_MAX, GAIN_SHIFT, PRODUCT_SHIFT, SIGMA_ARG_FRAC,
};
use sterna_model::numerics::{GainVector, NormConstants, Scale};

use super::gains::{Gains, Pair};
use crate::isa::{Instruction, Opcode};

/// Fraction bits of a layer's values.
#[derive(Clone, Copy, Debug, Default)]
pub struct LayerUnits {
    /// Pre-activation a and the recurrent state.
    pub state: i32,
    /// The g projection.
    pub g: i32,
    /// The gate and up projections.
    pub glu: i32,
}

/// Fraction bits of everything.
#[derive(Clone, Debug, Default)]
pub struct Units {
    /// Residual stream.
    pub residual: i32,
    /// By layer.
    pub layers: Vec<LayerUnits>,
}

/// What a source vector's statistics mean.
struct Source {
    frac_a: i32,
    frac_z: i32,
    /// Fraction bits of B and ε_n, where there is an outer norm.
    outer: Option<(i32, f64)>,
}

impl Units {
    /// Fraction bits of an instruction's output, and of the layer's state where it needs it.
    pub fn output(&self, instruction: &Instruction) -> (i32, i32) {
        let layer = self.layers.get(instruction.layer).copied().unwrap_or_default();
        match instruction.opcode {
            Opcode::MixI => (layer.state, layer.state),
            Opcode::MixF => (SIGMA_ARG_FRAC as i32, layer.state),
            Opcode::MixG => (layer.g, layer.state),
            Opcode::Glu => (layer.glu, 0),
            Opcode::MixO | Opcode::Down => (self.residual, 0),
            Opcode::Start | Opcode::Head => (0, 0),
        }
    }

    /// Constants of a matrix instruction; `None` if one does not fit its word.
    ///
    /// `eps` is the model's `rms_norm_eps`; a dequantised weight is `trit / t`.
    pub fn constants(
        &self,
        instruction: &Instruction,
        gains: &Gains,
        eps: f64,
        t: f32,
    ) -> Option<NormConstants> {
        let source = self.source(instruction, gains, eps);
        let columns = instruction.dimensions.1 as f64;
        let exp2 = |n: i32| libm::exp2(f64::from(n));
        let (outer, floor) = match source.outer {
            Some((frac_b, eps)) => {
                (BITLINEAR_EPS * exp2(2 * (source.frac_a - frac_b)), BITLINEAR_EPS * eps)
            }
            None => (0.0, BITLINEAR_EPS),
        };
        let frac_out = self.output(instruction).0;
        let rescale = columns.sqrt() * exp2(frac_out + source.frac_a - source.frac_z)
            / (f64::from(CODE_MAX) * f64::from(t));
        Some(NormConstants {
            outer: Scale::from_f64(outer)?,
            floor: Scale::from_f64(columns * floor * exp2(2 * source.frac_a))?,
            rescale: Scale::from_f64(rescale)?,
        })
    }

    fn source(&self, instruction: &Instruction, gains: &Gains, eps: f64) -> Source {
        let layer = || (&gains.layers[instruction.layer], self.layers[instruction.layer]);
        // A multiplication by a gain drops GAIN_SHIFT bits and adds the gain's own.
        let gained = |frac: i32, gain: &GainVector| frac + gain.frac - GAIN_SHIFT as i32;
        let pair = |pair: &Pair, consumer: usize| Source {
            frac_a: gained(self.residual, &pair.outer),
            frac_z: gained(self.residual, &pair.products[consumer]),
            outer: Some((self.residual, eps)),
        };
        let opcode = instruction.opcode;
        match opcode {
            Opcode::MixI | Opcode::MixF | Opcode::MixG => pair(&layer().0.mix, opcode.consumer()),
            Opcode::MixO => {
                let (gains, units) = layer();
                let v = gained(units.g, &gains.w_g) + units.state - PRODUCT_SHIFT as i32;
                Source { frac_a: v, frac_z: gained(v, &gains.w_o), outer: Some((units.g, eps)) }
            }
            Opcode::Glu => pair(&layer().0.mlp, 0),
            Opcode::Down => {
                let (gains, units) = layer();
                let p = 2 * units.glu - PRODUCT_SHIFT as i32;
                Source { frac_a: p, frac_z: gained(p, &gains.w_d), outer: None }
            }
            Opcode::Start | Opcode::Head => pair(&gains.head, 0),
        }
    }
}
