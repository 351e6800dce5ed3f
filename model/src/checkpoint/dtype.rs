//! The number formats that weights are stored in, and their conversion to f32.

use half::f16;
use half::slice::{HalfBitsSliceExt, HalfFloatSliceExt};

/// How a tensor's elements are stored; all little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dtype {
    /// The upper half of an f32.
    BF16,
    /// IEEE 754 binary16.
    F16,
    /// IEEE 754 binary32.
    F32,
}

impl Dtype {
    /// Bytes of one element.
    pub fn size(self) -> usize {
        match self {
            Dtype::BF16 | Dtype::F16 => 2,
            Dtype::F32 => 4,
        }
    }

    /// The format of a safetensors type, if weights come in it.
    pub(super) fn from_safetensors(dtype: safetensors::Dtype) -> Option<Dtype> {
        match dtype {
            safetensors::Dtype::BF16 => Some(Dtype::BF16),
            safetensors::Dtype::F16 => Some(Dtype::F16),
            safetensors::Dtype::F32 => Some(Dtype::F32),
            _ => None,
        }
    }

    /// Appends the elements that `bytes` hold to `out`, exactly (every format fits in f32).
    /// A last incomplete element is left out.
    pub fn extend_f32(self, bytes: &[u8], out: &mut Vec<f32>) {
        match self {
            Dtype::BF16 => out.extend(bytes.chunks_exact(2).map(|b| {
                let bits = u16::from_le_bytes([b[0], b[1]]);
                f32::from_bits(u32::from(bits) << 16)
            })),
            Dtype::F16 => extend_f16(bytes, out),
            Dtype::F32 => {
                out.extend(
                    bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])),
                );
            }
        }
    }
}

/// In pieces that stay in the cache, because `half` converts slices with the processor's
/// instructions but single numbers by hand.
fn extend_f16(bytes: &[u8], out: &mut Vec<f32>) {
    const PIECE: usize = 1024;
    let mut bits = [0u16; PIECE];
    let mut floats = [0f32; PIECE];
    for piece in bytes.chunks(2 * PIECE) {
        let count = piece.len() / 2;
        for (to, from) in bits.iter_mut().zip(piece.chunks_exact(2)) {
            *to = u16::from_le_bytes([from[0], from[1]]);
        }
        let halves: &[f16] = bits[..count].reinterpret_cast();
        halves.convert_to_f32_slice(&mut floats[..count]);
        out.extend_from_slice(&floats[..count]);
    }
}

#[cfg(test)]
mod tests {
    use half::bf16;

    use super::*;

    /// All 65,536 patterns of both 16-bit formats against `half`'s scalar conversion.
    #[test]
    fn conversion_is_exact_for_every_pattern() {
        let bytes: Vec<u8> = (0..=u16::MAX).flat_map(u16::to_le_bytes).collect();
        for (dtype, reference) in [
            (Dtype::BF16, (|b| bf16::from_bits(b).to_f32()) as fn(u16) -> f32),
            (Dtype::F16, |b| f16::from_bits(b).to_f32()),
        ] {
            let mut out = Vec::new();
            dtype.extend_f32(&bytes, &mut out);
            assert_eq!(out.len(), 65_536);
            for (bits, value) in (0..=u16::MAX).zip(out) {
                let expected = reference(bits);
                assert!(
                    value == expected || value.is_nan() && expected.is_nan(),
                    "{dtype:?} {bits:#06x}: {value} instead of {expected}"
                );
            }
        }
    }
}
