//! What a pass leaves in the card's memory, believed only after it was checked.

use std::ops::Range;

use sterna_firmware::device::{TOP_K_MAX, best};
use sterna_model::numerics::formats::ACCUMULATOR_BITS;

use super::card::{Card, word};
use super::error::CardError;
use super::transport::Transport;
use crate::record::{Record, stride};

/// What the head of a pass said, in the core's own numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The record.
    pub record: Record,
    /// Every accumulator, where they were asked for.
    pub accumulators: Vec<i32>,
}

impl Answer {
    /// The best tokens with their accumulators: of all accumulators where there are more in them
    /// than in the record.
    pub(super) fn top(&self) -> Vec<(u32, i32)> {
        let most = TOP_K_MAX.min(self.accumulators.len());
        if self.record.top.len() >= most {
            return self.record.top.clone();
        }
        let order = best(&self.accumulators, most, |a, b| a > b);
        order.into_iter().map(|n| (n as u32, self.accumulators[n])).collect()
    }
}

impl<T: Transport> Card<T> {
    /// Reads the records of passes of the last run, those of all slots at once.
    pub(super) fn records(&mut self, passes: Range<u32>) -> Result<Vec<u8>, CardError> {
        let length = stride(self.geometry.top_k) * self.geometry.slots as usize;
        let mut bytes = vec![0; length * passes.len()];
        let at = self.map.results + u64::from(passes.start) * length as u64;
        self.read_twice(at, &mut bytes)?;
        Ok(bytes)
    }

    /// The record of pass `n` of a run for a seat, among those of the passes from `first` on;
    /// believed only after it was checked.
    pub(super) fn record(
        &self,
        records: &[u8],
        first: u32,
        n: u32,
        seat: usize,
    ) -> Result<Record, CardError> {
        let length = stride(self.geometry.top_k);
        let at = (n - first) as usize * self.geometry.slots as usize + seat;
        let bytes = &records[at * length..][..length];
        let refuse = |reason: String| Err(CardError::Record { index: n, reason });
        let Some(record) = Record::decode(bytes) else {
            return refuse("its best token or number of candidates contradicts its list".into());
        };
        let vocab = self.model.shape().vocab;
        let wanted = (self.geometry.top_k as usize).min(vocab);
        if record.index != n {
            return refuse(format!("it says that it is record {}", record.index));
        }
        let id = self.model.image().start().id;
        if record.image_id != id {
            let reason = format!("it is of image {:016x}, not {id:016x}", record.image_id);
            return refuse(reason);
        }
        if record.top.len() != wanted {
            return refuse(format!("it has {} candidates, not {wanted}", record.top.len()));
        }
        if let Some((token, _)) = record.top.iter().find(|(token, _)| *token as usize >= vocab) {
            return refuse(format!("token {token} is none of {vocab}"));
        }
        for (index, &(_, value)) in record.top.iter().enumerate() {
            accumulator(index, value)?;
        }
        let order = |pair: &[(u32, i32)]| {
            let ((a, x), (b, y)) = (pair[0], pair[1]);
            x > y || (x == y && a < b)
        };
        if !record.top.windows(2).all(order) {
            return refuse("its candidates are not in order".into());
        }
        Ok(record)
    }

    /// Reads all accumulators of the last pass, which `record` is of.
    pub(super) fn accumulators(&mut self, record: &Record) -> Result<Vec<i32>, CardError> {
        let mut bytes = vec![0; 4 * self.model.shape().vocab];
        self.read_twice(self.map.logits, &mut bytes)?;
        let all: Vec<i32> = bytes.chunks_exact(4).map(word).collect();
        for (index, &value) in all.iter().enumerate() {
            accumulator(index, value)?;
        }
        let refuse = |reason: String| Err(CardError::Record { index: record.index, reason });
        if let Some((token, value)) =
            record.top.iter().find(|(token, value)| all[*token as usize] != *value)
        {
            return refuse(format!(
                "token {token} has {value} in it, and {} among all accumulators",
                all[*token as usize]
            ));
        }
        let order = best(&all, record.top.len(), |a, b| a > b);
        match order.iter().zip(&record.top).find(|(best, (token, _))| **best != *token as usize) {
            None => Ok(all),
            Some((best, (token, _))) => {
                refuse(format!("token {token} stands where {best} should by all accumulators"))
            }
        }
    }
}

fn accumulator(index: usize, value: i32) -> Result<(), CardError> {
    // One bit less than the sum with digits instead of trits needs.
    let bits = ACCUMULATOR_BITS - 1;
    let most = 1 << (bits - 1);
    if (-most..most).contains(&value) {
        return Ok(());
    }
    Err(CardError::Number { what: "accumulator", index, value, bits })
}
