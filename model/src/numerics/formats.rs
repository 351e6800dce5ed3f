//! Widths, fraction bits and limits of every value in the core.
//!
//! A *unit* is the weight of a value's lowest bit. Units marked "model" or "layer" are powers
//! of two that the compiler chooses from a proven bound (see `sterna-firmware`'s `bounds`),
//! so that nothing saturates; they reach the core folded into the scales of the image, never
//! as a parameter of the hardware.

/// Activation codes: signed, ±127 (−128 never occurs).
pub const CODE_BITS: u32 = 8;
/// Largest magnitude of an activation code.
pub const CODE_MAX: i32 = 127;

/// Ternary accumulator: exact. `127 · 2 · 16384 < 2²²`, so 23 signed bits hold even the
/// intermediate sum of `code × (trit + 1)`.
pub const ACCUMULATOR_BITS: u32 = 23;
/// Most columns of a matrix (hidden, hidden × expand, intermediate).
pub const COLUMNS_MAX: usize = 16_384;

/// Residual stream: signed, unit per model.
pub const RESIDUAL_BITS: u32 = 32;
/// Most fraction bits that the compiler gives the residual.
pub const RESIDUAL_FRAC_MAX: i32 = 24;

/// Outputs of the i, g, gate and up projections: signed, unit per matrix.
pub const PREACTIVATION_BITS: u32 = 24;
/// Most fraction bits that the compiler gives a pre-activation.
pub const PREACTIVATION_FRAC_MAX: i32 = 20;

/// Recurrent state: signed, in the unit of its layer's i projection.
pub const STATE_BITS: u32 = 24;

/// Gated vector of the mixer (v) and product of the GLU (p): signed, unit per layer.
pub const PRODUCT_BITS: u32 = 32;
/// Right shift from a 24 × 24 bit product to [`PRODUCT_BITS`].
pub const PRODUCT_SHIFT: u32 = 16;

/// Norm gains: signed mantissas with one exponent a vector.
pub const GAIN_BITS: u32 = 16;
/// Right shift after a multiplication by a gain; keeps the magnitude of the other factor.
pub const GAIN_SHIFT: u32 = 15;

/// Lower bound of the forget gate: unsigned 16 bits of fraction, so that `1 − lb` is
/// `65536 − code`: it holds 1.0 exactly and is never 0.
pub const LOWER_BOUND_FRAC: u32 = 16;

/// Fraction bits of the sigmoid's argument.
pub const SIGMA_ARG_FRAC: u32 = 16;
/// The sigmoid's argument is clamped to ±2^this.
pub const SIGMA_ARG_INT: u32 = 4;
/// Segments of the sigmoid's table per unit of its argument, as a power of two.
pub const SIGMA_SEGMENT_LOG2: u32 = 5;
/// Fraction bits of the sigmoid's result and of `1 − f`.
pub const SIGMA_FRAC: u32 = 24;

/// Mantissa bits of a [`Scale`](super::Scale).
pub const SCALE_BITS: u32 = 24;
/// Mantissa bits of the factor that multiplies an accumulator.
pub const RESCALE_BITS: u32 = 17;
/// Largest right shift that follows that multiplication.
pub const RESCALE_SHIFT_MAX: u32 = 63;
/// Bits to which a vector is normalised by its maximum before it is quantised.
///
/// 24 rather than 17 halves the divergence from `float` on random models with outliers;
/// more bits here or in any other format no longer do.
pub const QUANTISE_BITS: u32 = 24;
/// Bits of the reciprocal that multiplies it.
pub const RECIPROCAL_BITS: u32 = 17;

/// Epsilon of every BitLinear's own norm (docs/model.md §3: the fused kernel's default).
pub const BITLINEAR_EPS: f64 = 1e-6;
