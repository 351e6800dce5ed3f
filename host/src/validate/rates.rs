//! How fast each DMA channel is, and whether it carries what it is given.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use sterna_xdma::Shared;

use super::memory::compare;
use super::{Bench, Tried};
use crate::devices::xdma::TransportError;

/// Bytes of a transfer, at most.
const SIZE: u64 = 16 << 20;
const PAGE: usize = 4096;
/// A rate is taken over so long or so many transfers, whichever ends first.
const TIME: Duration = Duration::from_millis(100);
const COUNT: u32 = 64;

/// The steps.
pub fn steps(bench: &mut Bench<'_>) {
    let found = bench.transport.card().found().clone();
    for (direction, channels) in [("h2c", found.h2c), ("c2h", found.c2h)] {
        let each = channels.iter().enumerate().map(|(n, number)| (Some(n), number.to_string()));
        // All of one is that one.
        let all = (channels.len() > 1).then(|| (None, "all".into()));
        for (seed, (channel, name)) in (1..).zip(each.chain(all)) {
            bench.step(format!("{direction} {name}"), |bench| {
                let bytes = bench.bytes()?;
                let size = (SIZE.min(bytes) as usize).next_multiple_of(PAGE).min(bytes as usize);
                let result = match direction {
                    "h2c" => to_card(bench, channel, size, seed),
                    _ => from_card(bench, channel, size, seed + 100),
                };
                bench.transport.card().use_channels(None, None);
                result
            });
        }
    }
}

fn to_card(bench: &mut Bench<'_>, channel: Option<usize>, size: usize, seed: u64) -> Tried {
    let bytes = random(size + PAGE, seed);
    // From the first page on, so that nothing is copied on the way.
    let start = bytes.as_ptr().align_offset(PAGE).min(PAGE);
    let expected = bytes[start..start + size].to_vec();
    let bytes: Shared = Arc::new(bytes);
    let card = bench.transport.card();
    card.use_channels(channel, None);
    let rate = measure(size, || card.write_shared(0, &bytes, start..start + size))?;
    card.use_channels(None, None);
    let mut read = vec![0; size];
    card.read_memory(0, &mut read).map_err(TransportError)?;
    compare(0, &expected, &read)?;
    Ok(passed(rate, size))
}

fn from_card(bench: &mut Bench<'_>, channel: Option<usize>, size: usize, seed: u64) -> Tried {
    let expected = random(size, seed);
    let card = bench.transport.card();
    card.write_memory(0, &expected).map_err(TransportError)?;
    card.use_channels(None, channel);
    let mut read = vec![0; size];
    let rate = measure(size, || card.read_memory(0, &mut read))?;
    compare(0, &expected, &read)?;
    Ok(passed(rate, size))
}

/// Bytes a second of a transfer that is repeated.
fn measure(
    size: usize,
    mut transfer: impl FnMut() -> sterna_xdma::Result<()>,
) -> Result<f64, TransportError> {
    let begin = Instant::now();
    let mut count = 0;
    while count < COUNT && begin.elapsed() < TIME {
        transfer()?;
        count += 1;
    }
    Ok(size as f64 * f64::from(count) / begin.elapsed().as_secs_f64())
}

fn passed(rate: f64, size: usize) -> super::Passed {
    let text = format!("{:.0} MB/s, measured", rate / 1e6);
    (text, json!({ "bytes_per_second": rate, "transfer_bytes": size }))
}

/// Bytes that are the same for the same seed.
fn random(length: usize, seed: u64) -> Vec<u8> {
    use rand_chacha::rand_core::{RngCore, SeedableRng};
    let mut bytes = vec![0; length];
    rand_chacha::ChaCha8Rng::seed_from_u64(seed).fill_bytes(&mut bytes);
    bytes
}
