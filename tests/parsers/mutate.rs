//! Inputs from inputs.

use sterna_rtl::random::Rng;

/// Numbers at which lengths and offsets go wrong.
const NUMBERS: [u64; 12] = [
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    1 << 40,
    u64::MAX >> 1,
    u64::MAX,
];
/// The same as text, and what JSON has beside numbers.
const TEXTS: [&str; 16] = [
    "0",
    "1",
    "-1",
    "1e999",
    "0.5",
    "4294967296",
    "18446744073709551615",
    "18446744073709551616",
    "null",
    "true",
    "[]",
    "{}",
    "\"\"",
    "\"\\u0000\"",
    "[[[[[[[[",
    "\u{fffd}",
];
/// Bytes of the longest input.
const LONGEST: usize = 1 << 20;

/// One of the corpus, changed in up to eight places, most often near its beginning, where headers
/// are.
pub fn mutate(rng: &mut Rng, corpus: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
    let any = |rng: &mut Rng| &corpus[rng.below(corpus.len() as u64) as usize];
    let mut input = any(rng).clone();
    for _ in 0..1 + rng.below(8) {
        let length = input.len() as u64;
        let reach = if rng.one_in(3) { length } else { length.min(512) };
        let at = rng.below(reach + 1) as usize;
        let span = (rng.below(32) as usize).min(input.len() - at);
        match rng.below(9) {
            0 if at < input.len() => input[at] ^= 1 << rng.below(8),
            1 if at < input.len() => input[at] = rng.next_u64() as u8,
            2 => _ = input.drain(at..at + span),
            3 => {
                let copy = input[at..at + span].to_vec();
                input.splice(at..at, copy);
            }
            4 => {
                let number = NUMBERS[rng.below(12) as usize].to_le_bytes();
                let width = [1, 2, 4, 8][rng.below(4) as usize].min(input.len() - at);
                input[at..at + width].copy_from_slice(&number[..width]);
            }
            5 => replace_number(rng, &mut input, at),
            6 if !words.is_empty() => {
                let word = words[rng.below(words.len() as u64) as usize];
                input.splice(at..at + span, word.bytes());
            }
            7 => input.truncate(at),
            _ => {
                let other = any(rng);
                let from = rng.below(other.len() as u64 + 1) as usize;
                let end = (from + rng.below(256) as usize).min(other.len());
                input.splice(at..at + span, other[from..end].iter().copied());
            }
        }
    }
    input.truncate(LONGEST);
    input
}

/// The first decimal number behind a place becomes another, or something else that JSON has.
fn replace_number(rng: &mut Rng, input: &mut Vec<u8>, at: usize) {
    let digit = |byte: &u8| byte.is_ascii_digit();
    let Some(first) = input[at..].iter().position(digit).map(|n| at + n) else { return };
    let count = input[first..].iter().take_while(|byte| digit(byte)).count();
    let text = TEXTS[rng.below(16) as usize];
    input.splice(first..first + count, text.bytes());
}
