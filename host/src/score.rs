//! Text through a device in windows: every position predicts the next token.

use std::ops::Range;

use sterna_firmware::device::{Device, Head, Step, Want};

use crate::error::Result;

/// One prediction.
pub struct Prediction<'a> {
    /// Which window.
    pub window: usize,
    /// Position of the input in the text.
    pub position: usize,
    /// What the head said.
    pub head: &'a Head,
    /// The token that really follows.
    pub target: u32,
}

/// Ranges of inputs: as many whole windows as fit with their last target.
///
/// The windows do not overlap and an incomplete rest is dropped (docs/model.md §9).
pub fn windows(tokens: usize, window: usize) -> Vec<Range<usize>> {
    let count = tokens.saturating_sub(1) / window.max(1);
    (0..count).map(|n| n * window..(n + 1) * window).collect()
}

/// Runs every window, each from a state of zero, as many at once as the device has slots.
///
/// `visit` sees the predictions of a window in order; windows of one batch interleave.
pub fn predictions(
    device: &mut dyn Device,
    tokens: &[u32],
    windows: &[Range<usize>],
    visit: &mut dyn FnMut(Prediction<'_>),
) -> Result<()> {
    let slots = device.slots();
    for (batch, ranges) in windows.chunks(slots).enumerate() {
        for slot in 0..ranges.len() {
            device.clear(slot)?;
        }
        let longest = ranges.iter().map(Range::len).max().unwrap_or(0);
        for at in 0..longest {
            let active: Vec<usize> = (0..ranges.len()).filter(|&n| at < ranges[n].len()).collect();
            let steps: Vec<Step> = active
                .iter()
                .map(|&n| Step { slot: n, token: tokens[ranges[n].start + at], want: Want::Logits })
                .collect();
            let heads = device.pass(&steps)?;
            for (&n, head) in active.iter().zip(&heads) {
                let position = ranges[n].start + at;
                let target = tokens[position + 1];
                visit(Prediction { window: batch * slots + n, position, head, target });
            }
        }
    }
    Ok(())
}

/// −ln softmax(logits)\[target\], in nats, computed in f64.
pub fn negative_log_likelihood(logits: &[f32], target: u32) -> f64 {
    let max = logits.iter().fold(f32::NEG_INFINITY, |m, &v| m.max(v));
    let sum: f64 = logits.iter().map(|&v| f64::from(v - max).exp()).sum();
    sum.ln() - f64::from(logits[target as usize] - max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_leave_room_for_the_last_target() {
        assert_eq!(windows(59_485, 256).len(), 232);
        assert_eq!(windows(257, 256).as_slice(), std::slice::from_ref(&(0..256)));
        assert!(windows(256, 256).is_empty());
        assert!(windows(0, 256).is_empty());
    }

    #[test]
    fn likelihood_of_a_uniform_guess() {
        assert!((negative_log_likelihood(&[3.0; 8], 5) - 8f64.ln()).abs() < 1e-12);
        assert!((negative_log_likelihood(&[1000.0, -1000.0], 1) - 2000.0).abs() < 1e-9);
    }
}
