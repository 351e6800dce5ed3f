//! Floors of the forget gates, one for each layer and channel.

/// From the stored logits `[layers, hidden]` (row by row) to the bounds of the same shape.
///
/// With `p = softmax(logits)` over the layers of each channel, `bound[n] = Σ p[1..=n]`: 0 in
/// the first layer, never falling with depth, in `[0, 1]` (1 only by rounding). Computed
/// once at import, in f64, and rounded once.
///
/// Source: `modeling_hgrn_bit.py`:231-238, which writes it as `cumsum(p) - p[0]`.
///
/// # Panics
/// If `logits` does not have `layers × hidden` elements: the caller has read another tensor.
pub fn lower_bounds(logits: &[f32], layers: usize, hidden: usize) -> Vec<f32> {
    assert_eq!(logits.len(), layers * hidden, "logits must be [layers, hidden]");
    let mut bounds = vec![0f32; logits.len()];
    for channel in 0..hidden {
        let column = || logits.iter().skip(channel).step_by(hidden).map(|&x| f64::from(x));
        // Softmax does not change when all logits shift; this one keeps exp from overflowing.
        let max = column().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = column().map(|x| libm::exp(x - max)).sum();
        let mut sum = 0.0;
        for (layer, x) in column().enumerate().skip(1) {
            sum += libm::exp(x - max);
            bounds[layer * hidden + channel] = (sum / total) as f32;
        }
    }
    bounds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_logits_rise_evenly() {
        let bounds = lower_bounds(&[0.7; 8], 4, 2);
        assert_eq!(bounds, [0.0, 0.0, 0.25, 0.25, 0.5, 0.5, 0.75, 0.75]);
    }

    #[test]
    fn extreme_logits_stay_in_range() {
        let bounds = lower_bounds(&[-3e38, 3e38, 3e38, -3e38], 2, 2);
        assert_eq!(bounds, [0.0, 0.0, 1.0, 0.0]);
        assert_eq!(lower_bounds(&[5.0], 1, 1), [0.0]);
    }
}
