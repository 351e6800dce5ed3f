//! Vectors and scales of the host-only section.

use safetensors::SafeTensors;
use sterna_model::checkpoint::Dtype;
use sterna_model::layout;
use sterna_model::lower_bounds::lower_bounds;

use crate::error::Result;
use crate::file::SectionKind;
use crate::model::{Model, fault};

/// Norms of one layer.
pub struct Layer {
    pub attn_norm: Vec<f32>,
    pub g_norm: Vec<f32>,
    pub mlp_norm: Vec<f32>,
    /// Zero where the model has none.
    pub lower_bounds: Vec<f32>,
}

/// Everything that is not ternary, save the embeddings, which are read by row.
pub struct Weights {
    pub eps: f32,
    pub layers: Vec<Layer>,
    pub final_norm: Vec<f32>,
    /// By segment: BitLinear's gain and t; empty for `START`.
    pub linear: Vec<(Vec<f32>, f32)>,
}

impl Weights {
    pub fn read(model: &Model) -> Result<Weights> {
        let host = model.host()?;
        let description = model.description();
        let shape = description.shape;
        let vector = |name: &str, length: usize| read(model, &host, name, 0, length);
        let bounds = if description.lower_bounds {
            let logits = vector(layout::LOWER_BOUNDS, shape.layers * shape.hidden)?;
            lower_bounds(&logits, shape.layers, shape.hidden)
        } else {
            vec![0.0; shape.layers * shape.inner]
        };
        let layer = |n: usize| -> Result<Layer> {
            Ok(Layer {
                attn_norm: vector(&layout::layer(n, "attn_norm.weight"), shape.hidden)?,
                g_norm: vector(&layout::layer(n, "attn.g_norm.weight"), shape.inner)?,
                mlp_norm: vector(&layout::layer(n, "mlp_norm.weight"), shape.hidden)?,
                lower_bounds: bounds[n * shape.inner..][..shape.inner].to_vec(),
            })
        };
        let linear = model.image().segments().iter().map(|segment| {
            let Some((name, norm)) = crate::compile::tensors(&segment.instruction) else {
                return Ok((Vec::new(), 0.0));
            };
            let gain = vector(&norm, segment.instruction.dimensions.1)?;
            Ok((gain, vector(&format!("{name}.t"), 1)?[0]))
        });
        Ok(Weights {
            eps: description.rms_norm_eps,
            linear: linear.collect::<Result<_>>()?,
            layers: (0..shape.layers).map(layer).collect::<Result<_>>()?,
            final_norm: vector(layout::FINAL_NORM, shape.hidden)?,
        })
    }

    /// The embedding of a token at its stored precision.
    pub fn embedding(&self, model: &Model, token: u32) -> Result<Vec<f32>> {
        let hidden = model.shape().hidden;
        read(model, &model.host()?, layout::EMBEDDING, token as usize * hidden, hidden)
    }
}

/// Elements `first..first + count` of a tensor as `f32`.
fn read(
    model: &Model,
    host: &SafeTensors<'_>,
    name: &str,
    first: usize,
    count: usize,
) -> Result<Vec<f32>> {
    let fail =
        |reason: String| fault(model.container(), SectionKind::Host, format!("{name}: {reason}"));
    let tensor = host.tensor(name).map_err(|error| fail(error.to_string()))?;
    let dtype = match tensor.dtype() {
        safetensors::Dtype::F32 => Dtype::F32,
        safetensors::Dtype::F16 => Dtype::F16,
        safetensors::Dtype::BF16 => Dtype::BF16,
        other => return Err(fail(format!("dtype {other:?}"))),
    };
    let bytes = tensor
        .data()
        .get(first * dtype.size()..(first + count) * dtype.size())
        .ok_or_else(|| fail("it is too short".into()))?;
    let mut values = Vec::with_capacity(count);
    dtype.extend_f32(bytes, &mut values);
    Ok(values)
}
