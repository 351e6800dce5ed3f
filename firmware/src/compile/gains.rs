//! Norm gains as the core wants them.

use sterna_model::checkpoint::Checkpoint;
use sterna_model::config::Config;
use sterna_model::layout;
use sterna_model::numerics::GainVector;

use crate::error::Result;

/// A block's norm and the BitLinear norms behind it.
pub struct Pair {
    /// w₁: the block's norm; gathers Σ(x·w₁)².
    pub outer: GainVector,
    /// w₁·w₂ for each projection that reads the vector.
    pub products: Vec<GainVector>,
}

/// The gains of a layer.
pub struct Layer {
    /// In front of i, f and g.
    pub mix: Pair,
    /// g_norm: multiplies the g projection.
    pub w_g: GainVector,
    /// o_proj's norm.
    pub w_o: GainVector,
    /// In front of gate and up.
    pub mlp: Pair,
    /// down_proj's norm.
    pub w_d: GainVector,
}

/// Every gain of a model: small, (9h + I) values a layer.
pub struct Gains {
    /// By layer.
    pub layers: Vec<Layer>,
    /// In front of the head.
    pub head: Pair,
}

impl Gains {
    /// Reads and rounds them all.
    pub fn read(checkpoint: &Checkpoint, config: &Config) -> Result<Gains> {
        let pair = |outer: &str, inner: &[&str]| -> Result<Pair> {
            let w1 = checkpoint.read(outer)?;
            let product = |name: &&str| -> Result<GainVector> {
                let w2 = checkpoint.read(name)?;
                let z: Vec<f64> =
                    w1.iter().zip(&w2).map(|(a, b)| f64::from(*a) * f64::from(*b)).collect();
                Ok(GainVector::quantise(&z))
            };
            let products = inner.iter().map(product).collect::<Result<_>>()?;
            Ok(Pair { outer: quantise(&w1), products })
        };
        let layer = |n: usize| -> Result<Layer> {
            let name = |tail: &str| layout::layer(n, tail);
            let single = |tail: &str| {
                Ok::<_, crate::FirmwareError>(quantise(&checkpoint.read(&name(tail))?))
            };
            let [i, f, g] = ["i", "f", "g"].map(|p| name(&format!("attn.{p}_proj.norm.weight")));
            Ok(Layer {
                mix: pair(&name("attn_norm.weight"), &[&i, &f, &g])?,
                w_g: single("attn.g_norm.weight")?,
                w_o: single("attn.o_proj.norm.weight")?,
                mlp: pair(&name("mlp_norm.weight"), &[&name("mlp.gate_proj.norm.weight")])?,
                w_d: single("mlp.down_proj.norm.weight")?,
            })
        };
        Ok(Gains {
            layers: (0..config.layers).map(layer).collect::<Result<_>>()?,
            head: pair(layout::FINAL_NORM, &[layout::HEAD_NORM])?,
        })
    }

    /// What the down projection of a layer prepares: the next layer's mixer, or the head.
    pub fn after_down(&self, layer: usize) -> &Pair {
        self.layers.get(layer + 1).map_or(&self.head, |next| &next.mix)
    }
}

fn quantise(values: &[f32]) -> GainVector {
    GainVector::quantise(&values.iter().map(|&v| f64::from(v)).collect::<Vec<_>>())
}
