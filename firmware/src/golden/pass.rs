//! A pass: the segments one after the other, each shared among the threads.

use std::sync::Arc;

use super::entry::Entry;
use super::operands::Operands;
use super::part::{BadByte, Job, Part, Work, gathered};
use super::{Golden, Observer};
use crate::device::{Candidate, Head, Step, TOP_K_MAX, Want, best, select};
use crate::error::Result;
use crate::image::Segment;
use crate::isa::{Matrix, Opcode};
use crate::trits::ROWS;

/// Bytes of weights times entries that are worth waking another thread for.
const ENOUGH: usize = 1 << 16;

/// Parts for each thread, so that one that is held up does not hold up the others.
const PARTS: usize = 4;

impl Golden {
    /// Executes a pass whose steps were checked and whose entries have their rows.
    pub(super) fn execute(
        &mut self,
        steps: &[Step],
        mut observer: Option<Observer<'_>>,
    ) -> Result<Vec<Head>> {
        let model = Arc::clone(&self.model);
        let vectors = Arc::clone(&self.operands);
        let segments = model.image().segments();
        let mut operands = Operands::default();
        let all: Vec<usize> = (0..steps.len()).collect();
        let wanted: Vec<usize> =
            (0..steps.len()).filter(|&n| steps[n].want != Want::State).collect();
        // Without an observer in between, matrices of one source are done together.
        let together = |_: &Segment, next: &Segment| {
            let opcode = next.instruction.opcode;
            observer.is_none() && matches!(opcode, Opcode::MixF | Opcode::MixG)
        };
        for group in segments.chunk_by(together).collect::<Vec<_>>() {
            for segment in group {
                let instruction = &segment.instruction;
                operands.load(instruction.opcode, &vectors[instruction.sequence]);
            }
            let last = &group[group.len() - 1];
            let entries = match last.instruction.opcode {
                Opcode::Start => continue,
                Opcode::Head => &wanted,
                _ => &all,
            };
            self.matrices(group, &operands, entries)?;
            if let Some(observer) = &mut observer {
                entries.iter().for_each(|&n| observer(self.entries[n].observation(last, n)));
            }
        }
        let mut heads = vec![Head::default(); steps.len()];
        for n in wanted {
            heads[n] = head(&self.entries[n], steps[n].want);
        }
        Ok(heads)
    }

    /// Matrix instructions of one source: quantises, multiplies and finishes.
    fn matrices(
        &mut self,
        group: &[Segment],
        operands: &Operands<'_>,
        entries: &[usize],
    ) -> Result<()> {
        let shape = self.model.shape();
        let image = self.model.image();
        let kernel = self.kernel;
        let mut entries: Vec<&mut Entry> =
            select(&mut self.entries, entries).into_iter().map(|(_, entry)| entry).collect();
        if entries.is_empty() {
            return Ok(());
        }
        let matrices: Vec<&Matrix> = group.iter().filter_map(Segment::matrix).collect();
        self.team.map(entries.iter_mut().collect(), |entry| {
            matrices.iter().for_each(|matrix| entry.quantise(kernel, matrix, operands));
        });

        let instruction = &group[0].instruction;
        let opcode = group[group.len() - 1].instruction.opcode;
        let bytes = group.len() * instruction.opcode.parts() * instruction.part_bytes();
        let enough = self.team.size() > 1 && bytes * entries.len() >= ENOUGH;
        let parts = if enough { self.team.size() * PARTS } else { 1 };
        let rows = instruction.dimensions.0;
        let step = rows.div_ceil(ROWS).div_ceil(parts) * ROWS;
        let mut parts: Vec<Part<'_>> = (0..rows)
            .step_by(step)
            .map(|first| Part { first, results: vec![], states: vec![] })
            .collect();

        // Entries of one sequence follow one another.
        let slots: Vec<usize> = entries.iter().map(|entry| entry.slot).collect();
        let mut own = slots.clone();
        own.dedup();
        let owners: Vec<usize> = slots
            .iter()
            .map(|slot| own.iter().position(|other| other == slot).expect("it is one of them"))
            .collect();
        if matrices.iter().any(|matrix| matrix.opcode == Opcode::MixF) {
            let layer = instruction.layer * shape.inner;
            for (_, state) in select(&mut self.states, &own) {
                let rows = state[layer..layer + shape.inner].chunks_mut(step);
                parts.iter_mut().zip(rows).for_each(|(part, rows)| part.states.push(rows));
            }
        }
        let mut works: Vec<Work<'_>> = group
            .iter()
            .zip(&matrices)
            .map(|(segment, &matrix)| Work { segment, matrix, codes: vec![], rescales: vec![] })
            .collect();
        for entry in &mut entries {
            let (inputs, result) = entry.split(opcode, &shape);
            for work in &mut works {
                let input = &inputs[work.matrix.opcode.consumer()];
                work.codes.push(&input.codes);
                work.rescales.push(input.rescale);
            }
            let rows = result.chunks_mut(step);
            parts.iter_mut().zip(rows).for_each(|(part, rows)| part.results.push(rows));
        }
        let job = Job { kernel, image, operands, works: &works, owners: &owners };
        let results = self.team.map(parts, |part| part.run(&job));
        let found = gathered(results, entries.len())
            .map_err(|BadByte| self.model.bad_byte(group.iter().map(|of| &of.instruction)))?;
        entries.iter_mut().zip(found).for_each(|(entry, found)| entry.found(opcode, found));
        Ok(())
    }
}

/// What the head says of an entry's logits.
fn head(entry: &Entry, want: Want) -> Head {
    let (logits, scale) = entry.logits();
    let value = |accumulator: i32| (f64::from(accumulator) * scale) as f32;
    let top = best(logits, TOP_K_MAX, |a, b| a > b)
        .into_iter()
        .map(|token| Candidate { token: token as u32, logit: value(logits[token]) })
        .collect();
    let all = if want == Want::Logits { logits } else { &[] };
    Head { top, logits: all.iter().copied().map(value).collect() }
}
