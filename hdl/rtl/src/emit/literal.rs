//! Literals and declarations as Verilog spells them.

use crate::bits::Bits;
use crate::types::Type;

/// A sized literal: decimal up to 32 bits, where people read numbers, hexadecimal beyond.
pub(super) fn literal(bits: &Bits, ty: Type) -> String {
    let width = ty.width();
    let sign = if ty.is_signed() { "s" } else { "" };
    // The most negative value has no positive counterpart to put a minus before.
    let lowest = ty.is_signed() && bits.bit(width - 1) && bits.count_ones() == 1;
    if width > 32 || lowest {
        return format!("{width}'{sign}h{bits:x}");
    }
    let value = if ty.is_signed() { bits.to_i64() } else { bits.to_u64() as i64 };
    let minus = if value < 0 { "-" } else { "" };
    format!("{minus}{width}'{sign}d{}", value.abs())
}

/// What stands between `wire` or `reg` and the name, with a trailing blank unless empty.
pub(super) fn range(ty: Type) -> String {
    let signed = if ty.is_signed() { "signed " } else { "" };
    match ty.width() {
        1 => signed.to_string(),
        w => format!("{signed}[{}:0] ", w - 1),
    }
}

/// `name[hi:lo]` in its shortest spelling, of a signal of `whole` bits.
pub(super) fn bits_of(name: &str, whole: u32, lo: u32, width: u32) -> String {
    match (lo, width) {
        (0, w) if w == whole => name.to_string(),
        (_, 1) => format!("{name}[{lo}]"),
        _ => format!("{name}[{}:{lo}]", lo + width - 1),
    }
}
