//! The embedding table: its maxima first, its rows when the residual's unit is known.

use sha2::Digest;
use sterna_model::checkpoint::Checkpoint;
use sterna_model::layout;
use sterna_model::numerics::{Sums, gain};

use super::gains::Pair;
use super::{Compiler, Meter};
use crate::error::Result;
use crate::file::SectionKind;
use crate::rows::{self, Row};

/// Rows read at a time.
const ROWS: usize = 512;

/// Largest |embedding| of each channel.
pub fn channel_maxima(checkpoint: &Checkpoint, meter: &mut Meter<'_>) -> Result<Vec<f64>> {
    let config = checkpoint.config();
    let mut maxima = vec![0.0f64; config.hidden];
    for first in (0..config.vocab).step_by(ROWS) {
        let rows = first..(first + ROWS).min(config.vocab);
        let block = checkpoint.read_rows(layout::EMBEDDING, rows)?;
        for row in block.chunks(config.hidden) {
            maxima.iter_mut().zip(row).for_each(|(m, v)| *m = m.max(f64::from(v.abs())));
        }
        meter.advance(block.len(), layout::EMBEDDING);
    }
    Ok(maxima)
}

/// Writes the table.
pub fn write(compiler: &mut Compiler<'_>, residual_frac: i32) -> Result<()> {
    let Compiler { checkpoint, shape, gains, writer, meter, digest, .. } = compiler;
    let stride = rows::stride(shape.hidden);
    let section = writer.reserve(SectionKind::Embedding, (stride * shape.vocab) as u64);
    let unit = libm::exp2(f64::from(residual_frac));
    for first in (0..shape.vocab).step_by(ROWS) {
        let block =
            checkpoint.read_rows(layout::EMBEDDING, first..(first + ROWS).min(shape.vocab))?;
        let mut bytes = Vec::with_capacity(ROWS * stride);
        for (n, embedding) in block.chunks(shape.hidden).enumerate() {
            let exact: Vec<i32> =
                embedding.iter().map(|v| (f64::from(*v) * unit).round() as i32).collect();
            let (values, shift) = Row::quantise(&exact);
            let mut row =
                Row { values, shift, statistics: Default::default(), token: (first + n) as u32 };
            row.statistics = sums(&row, &gains.layers[0].mix).finish();
            row.encode(&mut bytes);
        }
        writer.write(section, (first * stride) as u64, &bytes)?;
        digest.update(&bytes);
        meter.advance(block.len(), layout::EMBEDDING);
    }
    Ok(())
}

/// What an epilogue would have gathered, had the row come out of one.
fn sums(row: &Row, mix: &Pair) -> Sums {
    let mut sums = Sums::default();
    for k in 0..row.values.len() {
        let x = row.residual(k);
        let z = [0, 1, 2].map(|j| gain::apply(x, mix.products[j].mants[k]));
        sums.add(gain::apply(x, mix.outer.mants[k]), x, z);
    }
    sums
}
