//! Events against expectations, and the account of it.

use sterna_firmware::isa::Opcode;

use super::pass::{Expected, Pass};
use super::{Mismatch, Report};
use crate::timing::Difference;

/// What a probe says in a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// The next codes.
    Codes(&'a [i8]),
    /// A scale: factor, shift, mantissa, exponent.
    Scale([i64; 4]),
    /// The next elements of an output.
    Output(&'a [i32]),
    /// The next accumulator of the head.
    Head(i32),
    /// Statistics: mantissa and exponent of both sums, three maxima.
    Statistics([i64; 7]),
}

/// The kinds of events; each has a place of its own in the pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Codes,
    Scale,
    Output,
    Head,
    Statistics,
}

const KINDS: [Kind; 5] = [Kind::Codes, Kind::Scale, Kind::Output, Kind::Head, Kind::Statistics];

impl Kind {
    /// Elements that an instruction has of it.
    fn length(self, of: &Expected) -> usize {
        match self {
            Kind::Codes => of.codes.len(),
            Kind::Scale => 1,
            Kind::Output if of.opcode == Opcode::Head => 0,
            Kind::Head if of.opcode != Opcode::Head => 0,
            Kind::Output | Kind::Head => of.output.len(),
            Kind::Statistics => of.statistics.is_some().into(),
        }
    }

    fn name(self, of: &Expected) -> &'static str {
        match self {
            Kind::Codes => "codes",
            Kind::Scale => "scale",
            Kind::Output | Kind::Head => of.output_name(),
            Kind::Statistics => "statistics",
        }
    }
}

/// A slot, and its pass.
type Of<'a> = (usize, &'a Pass);

/// How far a kind has come: instruction, element.
type Place = (usize, usize);

/// What golden did in a pass, of each slot; `None` for one that takes no part, whose events mean
/// nothing.
pub type Passes = Vec<Option<Pass>>;

/// Compares the events of one pass after the other.
#[derive(Clone, Debug, Default)]
pub struct Checker {
    /// Of each slot.
    places: Vec<[Place; 5]>,
    /// Passes that have ended.
    passes: u64,
    report: Report,
}

impl Checker {
    /// What was compared so far.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Passes that have ended.
    pub fn passes(&self) -> u64 {
        self.passes
    }

    /// Takes an event of a slot in the pass that is under way; `None` if none is expected.
    pub fn event(&mut self, passes: Option<&Passes>, slot: usize, event: Event<'_>, clock: u64) {
        let Some(slots) = passes else { return self.unexpected(clock) };
        match slots.get(slot) {
            Some(Some(pass)) => self.of_slot((slot, pass), event, clock),
            // It goes the same way without taking part.
            Some(None) => {}
            None => self.unexpected(clock),
        }
    }

    fn of_slot(&mut self, pass: Of<'_>, event: Event<'_>, clock: u64) {
        match event {
            Event::Codes(codes) => {
                for &code in codes {
                    self.element(pass, Kind::Codes, code.into(), clock);
                }
            }
            Event::Output(values) => {
                for &value in values {
                    self.element(pass, Kind::Output, value.into(), clock);
                }
            }
            Event::Head(value) => self.element(pass, Kind::Head, value.into(), clock),
            Event::Scale(got) => self.scale(pass, got, clock),
            Event::Statistics(got) => self.statistics(pass, got, clock),
        }
    }

    /// Something came that no pass expects.
    pub fn unexpected(&mut self, clock: u64) {
        self.differs(Mismatch {
            token: self.passes,
            slot: 0,
            instruction: 0,
            opcode: "none",
            layer: 0,
            vector: "event",
            element: 0,
            expected: None,
            got: None,
            clock,
        });
    }

    /// A pass has ended: everything must have come.
    pub fn end(&mut self, passes: &Passes, clock: u64) {
        for (slot, pass) in passes.iter().enumerate() {
            let Some(pass) = pass else { continue };
            for kind in KINDS {
                if let Some((of, element)) = self.next((slot, pass), kind) {
                    let mut missing = kind.length(of) - element;
                    let later = &pass.instructions[self.places[slot][kind as usize].0 + 1..];
                    missing += later.iter().map(|of| kind.length(of)).sum::<usize>();
                    let expected = value(kind, of, element);
                    self.found((slot, of), kind.name(of), element, expected, None, clock);
                    self.report.mismatches += missing as u64 - 1;
                }
            }
            self.report.tokens += 1;
            self.report.instructions += pass.instructions.len() as u64;
        }
        self.places.clear();
        self.passes += 1;
    }

    /// Forgets a pass that is under way; what was compared of it counts.
    pub fn abandon(&mut self) {
        self.places.clear();
    }

    /// Compares a number that is no event of an instruction, at the end of the pass before.
    pub fn number(
        &mut self,
        vector: &'static str,
        element: usize,
        expected: Option<i64>,
        got: Option<i64>,
        clock: u64,
    ) {
        self.number_of(0, vector, element, (expected, got), clock);
    }

    /// The same of a slot: what is expected, and what was got.
    pub fn number_of(
        &mut self,
        slot: usize,
        vector: &'static str,
        element: usize,
        (expected, got): (Option<i64>, Option<i64>),
        clock: u64,
    ) {
        if expected != got {
            self.differs(Mismatch {
                token: self.passes.saturating_sub(1),
                slot,
                instruction: 0,
                opcode: "none",
                layer: 0,
                vector,
                element,
                expected,
                got,
                clock,
            });
        }
    }

    /// Takes a clock that was not predicted, in a pass after the first of its command.
    pub fn clock(&mut self, first: u64, found: &Difference) {
        let number = |clock: Option<u64>| clock.and_then(|clock| i64::try_from(clock).ok());
        self.differs(Mismatch {
            token: first + found.pass as u64,
            slot: 0,
            instruction: found.sequence,
            opcode: found.opcode.name(),
            layer: found.layer,
            vector: found.what,
            element: found.element,
            expected: number(found.expected),
            got: number(found.got),
            clock: found.clock,
        });
    }

    /// Counts a vector that was compared by [`Checker::number`].
    pub fn compared(&mut self) {
        self.report.vectors += 1;
    }

    /// The next element of a kind: its instruction, and its number there.
    fn next<'a>(&mut self, (slot, pass): Of<'a>, kind: Kind) -> Option<(&'a Expected, usize)> {
        if self.places.len() <= slot {
            self.places.resize(slot + 1, Default::default());
        }
        let (instruction, element) = &mut self.places[slot][kind as usize];
        loop {
            let of = pass.instructions.get(*instruction)?;
            if *element < kind.length(of) {
                return Some((of, *element));
            }
            (*instruction, *element) = (*instruction + 1, 0);
        }
    }

    fn advance(&mut self, slot: usize, of: &Expected, kind: Kind) {
        let element = &mut self.places[slot][kind as usize].1;
        *element += 1;
        if *element == kind.length(of) {
            self.report.vectors += 1;
        }
    }

    fn element(&mut self, pass: Of<'_>, kind: Kind, got: i64, clock: u64) {
        let Some((of, element)) = self.next(pass, kind) else {
            return self.beyond(pass, kind, got, clock);
        };
        let expected = value(kind, of, element);
        if expected != Some(got) {
            self.found((pass.0, of), kind.name(of), element, expected, Some(got), clock);
        }
        self.advance(pass.0, of, kind);
    }

    fn scale(&mut self, pass: Of<'_>, got: [i64; 4], clock: u64) {
        let Some((of, _)) = self.next(pass, Kind::Scale) else {
            return self.beyond(pass, Kind::Scale, got[0], clock);
        };
        let (scale, rescale) = (of.scale, of.rescale);
        let expected = [
            rescale.mant().into(),
            rescale.shift().into(),
            scale.mant().into(),
            scale.exp().into(),
        ];
        for n in 0..4 {
            // The head's accumulators are compared as they are.
            let used = n >= 2 || of.opcode != Opcode::Head;
            if used && expected[n] != got[n] {
                let vector = if n < 2 { "rescale" } else { "scale" };
                self.found((pass.0, of), vector, n % 2, Some(expected[n]), Some(got[n]), clock);
            }
        }
        self.advance(pass.0, of, Kind::Scale);
    }

    fn statistics(&mut self, pass: Of<'_>, got: [i64; 7], clock: u64) {
        let Some((of, _)) = self.next(pass, Kind::Statistics) else {
            return self.beyond(pass, Kind::Statistics, got[0], clock);
        };
        let s = of.statistics.unwrap_or_default();
        let sums = [s.a.mant().into(), s.a.exp().into(), s.b.mant().into(), s.b.exp().into()];
        let maxima = s.max.map(i64::from);
        let used = 4 + of.maxima(pass.1.layers);
        for (n, (expected, got)) in sums.into_iter().chain(maxima).zip(got).enumerate().take(used) {
            if expected != got {
                self.found((pass.0, of), "statistics", n, Some(expected), Some(got), clock);
            }
        }
        self.advance(pass.0, of, Kind::Statistics);
    }

    /// An event after the last of its kind.
    fn beyond(&mut self, pass: Of<'_>, kind: Kind, got: i64, clock: u64) {
        let of = pass.1.instructions.iter().rfind(|of| kind.length(of) > 0);
        match of.or(pass.1.instructions.last()) {
            Some(of) => {
                self.found((pass.0, of), kind.name(of), kind.length(of), None, Some(got), clock);
            }
            None => self.unexpected(clock),
        }
    }

    fn found(
        &mut self,
        (slot, of): (usize, &Expected),
        vector: &'static str,
        element: usize,
        expected: Option<i64>,
        got: Option<i64>,
        clock: u64,
    ) {
        self.differs(Mismatch {
            token: self.passes,
            slot,
            instruction: of.sequence,
            opcode: of.opcode.name(),
            layer: of.layer,
            vector,
            element,
            expected,
            got,
            clock,
        });
    }

    fn differs(&mut self, mismatch: Mismatch) {
        self.report.mismatches += 1;
        self.report.first_mismatch.get_or_insert(mismatch);
    }
}

/// What golden has for an element; the kinds of several numbers show their first.
fn value(kind: Kind, of: &Expected, element: usize) -> Option<i64> {
    match kind {
        Kind::Codes => of.codes.get(element).map(|&v| v.into()),
        Kind::Output | Kind::Head => of.output.get(element).map(|&v| v.into()),
        Kind::Scale => Some(of.scale.mant().into()),
        Kind::Statistics => of.statistics.map(|s| s.a.mant().into()),
    }
}
