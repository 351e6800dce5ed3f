//! The host-only section: what the `float` device needs beside the image.
//!
//! Safetensors with the checkpoint's own names, shapes and dtypes for everything that is not
//! ternary, and `NAME.t` (f32) for the scale of each ternary matrix NAME.

use serde_json::{Map, Value, json};
use sterna_model::checkpoint::Checkpoint;
use sterna_model::layout::{self, Role};

use super::matrix::Compiled;
use crate::error::Result;
use crate::file::{SectionKind, Writer};

/// Bytes copied at a time.
const CHUNK: usize = 8 << 20;

/// Writes the section.
pub fn write(checkpoint: &Checkpoint, compiled: &[Compiled], writer: &mut Writer) -> Result<()> {
    let vectors: Vec<_> = layout::tensors(checkpoint.config())
        .into_iter()
        .filter(|tensor| tensor.role != Role::Ternary)
        .collect();
    let mut header = Map::new();
    let mut offset = 0usize;
    let mut entry = |name: String, dtype: &str, shape: Value, bytes: usize| {
        let range = [offset, offset + bytes];
        header.insert(name, json!({ "dtype": dtype, "shape": shape, "data_offsets": range }));
        offset += bytes;
    };
    for tensor in &vectors {
        let dtype = checkpoint.dtype(&tensor.name)?;
        let bytes = tensor.shape.iter().product::<usize>() * dtype.size();
        entry(tensor.name.clone(), &format!("{dtype:?}"), json!(tensor.shape), bytes);
    }
    let scales: Vec<_> = compiled.iter().filter_map(|c| c.report.as_ref()).collect();
    for report in &scales {
        entry(format!("{}.t", report.name), "F32", json!([]), 4);
    }
    let mut json = serde_json::to_vec(&header).expect("a header is plain data");
    // The format wants the data aligned to eight bytes.
    json.resize(json.len().next_multiple_of(8), b' ');

    let section = writer.reserve(SectionKind::Host, (8 + json.len() + offset) as u64);
    writer.write(section, 0, &(json.len() as u64).to_le_bytes())?;
    writer.write(section, 8, &json)?;
    let mut at = 8 + json.len() as u64;
    for tensor in &vectors {
        let rows = tensor.shape[0];
        let row_bytes =
            tensor.shape[1..].iter().product::<usize>() * checkpoint.dtype(&tensor.name)?.size();
        let step = (CHUNK / row_bytes).max(1);
        for first in (0..rows).step_by(step) {
            let bytes = checkpoint.read_raw(&tensor.name, first..(first + step).min(rows))?;
            writer.write(section, at, &bytes)?;
            at += bytes.len() as u64;
        }
    }
    for report in &scales {
        writer.write(section, at, &report.t.to_le_bytes())?;
        at += 4;
    }
    Ok(())
}
