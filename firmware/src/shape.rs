//! What an image requires of whoever executes it.

use serde::{Deserialize, Serialize};
use sterna_model::config::Config;

use crate::rows;
use crate::trits::{ROWS, padded_columns};

/// Dimensions of a model; every size of an image follows from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Width of the residual stream (h), 32..=16384, a multiple of 32.
    pub hidden: usize,
    /// Width of the recurrence (d = h × expand), same range.
    pub inner: usize,
    /// Width of the GLU (I), same range.
    pub intermediate: usize,
    /// Layers, 1..=512.
    pub layers: usize,
    /// Vocabulary, 2..=1,048,576.
    pub vocab: usize,
}

impl Shape {
    /// The shape of a checked configuration.
    pub fn of(config: &Config) -> Shape {
        Shape {
            hidden: config.hidden,
            inner: config.inner,
            intermediate: config.intermediate,
            layers: config.layers,
            vocab: config.vocab,
        }
    }

    /// Ternary weights of a token's pass, padding excluded.
    pub fn weights(&self) -> u64 {
        let [h, d, i, l, v] =
            [self.hidden, self.inner, self.intermediate, self.layers, self.vocab].map(|n| n as u64);
        l * (4 * h * d + 3 * h * i) + v * h
    }

    /// Elements of one sequence's recurrent state.
    pub fn state(&self) -> usize {
        self.layers * self.inner
    }

    /// Bytes from one embedding row to the next.
    pub fn row_stride(&self) -> usize {
        rows::stride(self.hidden)
    }
}

/// Bytes of the packed weights of a matrix of `rows × columns` trits.
pub const fn packed_bytes(rows: usize, columns: usize) -> usize {
    rows.div_ceil(ROWS) * padded_columns(columns)
}
