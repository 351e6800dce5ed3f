//! What a core did, and whether it was predicted.

use sterna_firmware::device::{Counters, Want};
use sterna_firmware::isa::{Instruction, Opcode};

use super::{Ideal, Pass, Run, Source, Timing, Traffic};

/// The clocks of a core's probe, of everything in the order of the passes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Passes began.
    pub begins: Vec<u64>,
    /// Beats of the image were taken.
    pub beats: Vec<u64>,
    /// Words of codes were written.
    pub codes: Vec<u64>,
    /// Instructions went to the epilogue.
    pub handed: Vec<u64>,
    /// The epilogue was done with them.
    pub ended: Vec<u64>,
    /// Passes were done.
    pub done: Vec<u64>,
}

/// A clock that was not predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Number of the pass among those that were compared.
    pub pass: usize,
    /// Number of the instruction in the image.
    pub sequence: usize,
    /// What it does.
    pub opcode: Opcode,
    /// Its layer.
    pub layer: usize,
    /// What happened: `codes written`, `beat taken`, `handed on`, `end`, `pass done`.
    pub what: &'static str,
    /// Which of them, from 0.
    pub element: usize,
    /// When, from the pass's first clock on, as predicted.
    pub expected: Option<u64>,
    /// And as seen; `None` where it never happened.
    pub got: Option<u64>,
    /// The core's clock.
    pub clock: u64,
}

impl Traffic {
    /// What passed from a clock on.
    pub fn since(&self, clock: u64) -> Traffic {
        let rest = |of: &[u64]| of[of.partition_point(|&at| at < clock)..].to_vec();
        Traffic {
            image: rest(&self.image),
            rows: rest(&self.rows),
            bursts: rest(&self.bursts),
            written: rest(&self.written),
            answered: rest(&self.answered),
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Traffic::default();
    }
}

/// A pass of a command: each slot's token, `None` for one that takes no part, and what is wanted.
pub type Tokens = (Vec<Option<u32>>, Want);

/// Predicts passes that were seen, from what passed over the bus or, with a memory, from nothing
/// but the clock of each run's beginning. Gives the sum of the counters, and what differs: at most
/// one clock of each kind and pass.
pub fn differences(
    timing: &Timing,
    passes: &[Tokens],
    seen: &Seen,
    traffic: &Traffic,
    memory: Option<Ideal>,
) -> (Counters, Vec<Difference>) {
    let mut found = vec![];
    let mut sum = Counters::default();
    let mut places = Places::default();
    let mut n = 0;
    while n < passes.len() {
        let begin = seen.begins.get(n).copied().unwrap_or_default();
        let part = traffic.since(begin);
        let source = memory.map_or(Source::Recorded(&part), Source::Ideal);
        let mut run = timing.run(source, begin);
        // A run goes on as long as each pass begins where the one before ended.
        loop {
            let (tokens, want) = &passes[n];
            run.trace = Some(vec![]);
            let pass = run.batch(tokens, *want);
            sum += pass.counters;
            places.compare(timing, n, &pass, &run, seen, &mut found);
            n += 1;
            if n == passes.len() || seen.begins.get(n) != Some(&run.next()) {
                break;
            }
        }
    }
    (sum, found)
}

/// How far the lists of what was seen have been compared.
#[derive(Default)]
struct Places {
    beats: usize,
    codes: usize,
    handed: usize,
}

impl Places {
    fn compare(
        &mut self,
        timing: &Timing,
        number: usize,
        pass: &Pass,
        run: &Run<'_>,
        seen: &Seen,
        found: &mut Vec<Difference>,
    ) {
        let before = found.len();
        let mut check = |of: usize, what, element, expected: u64, got: Option<&u64>| {
            let known = found[before..].iter().any(|d: &Difference| d.what == what);
            if got == Some(&expected) || known {
                return;
            }
            let clocks = &pass.instructions[of];
            found.push(Difference {
                pass: number,
                sequence: clocks.sequence,
                opcode: clocks.opcode,
                layer: clocks.layer,
                what,
                element,
                expected: Some(expected - pass.begin),
                got: got.map(|clock| clock.saturating_sub(pass.begin)),
                clock: got.copied().unwrap_or(expected),
            });
        };
        let trace = run.trace.as_deref().unwrap_or_default();
        let mut beat = 0;
        for (of, instruction) in timing.walk[..pass.instructions.len()].iter().enumerate() {
            let end = timing.units(instruction.end()) as usize;
            for (element, n) in (beat..end).enumerate() {
                let expected = trace.get(n).copied().unwrap_or_default();
                check(of, "beat taken", element, expected, seen.beats.get(self.beats + n));
            }
            beat = end;
        }
        self.beats += beat;
        let matrices = pass.instructions.len() - 1;
        let mut words_of = run.words.chunks((run.words.len() / matrices.max(1)).max(1));
        for (of, clocks) in pass.instructions.iter().enumerate() {
            if let Some(handed) = clocks.handed {
                for (slot, &codes) in words_of.next().unwrap_or_default().iter().enumerate() {
                    check(of, "codes written", slot, codes, seen.codes.get(self.codes));
                    self.codes += words(timing, &timing.walk[of]);
                }
                check(of, "handed on", 0, handed, seen.handed.get(self.handed));
                check(of, "end", 0, clocks.end, seen.ended.get(self.handed));
                self.handed += 1;
            }
        }
        let last = pass.instructions.len() - 1;
        check(last, "pass done", 0, pass.done, seen.done.get(number));
    }
}

/// Words of codes of an instruction.
fn words(timing: &Timing, instruction: &Instruction) -> usize {
    instruction.dimensions.1.next_multiple_of(64) / timing.geometry.quantisers as usize
}
