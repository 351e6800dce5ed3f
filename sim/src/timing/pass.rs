//! The walk along the image.

use std::collections::VecDeque;

use sterna_firmware::device::Want;
use sterna_firmware::isa::{Instruction, Opcode};
use sterna_firmware::trits::ROWS;
use sterna_hdl::core::{
    Control, Elements, Embedding, Epilogue, FrontEnd, Head, Issue, READ, groups,
};
use sterna_hdl::record;
use sterna_hdl::units::{NormScale, TernaryUnit};

use super::port::Port;
use super::source::{Feed, Row, Source};
use super::stream::Stream;
use super::units::{Codes, Steps};
use super::writer::Writer;
use super::{Clocks, Pass, Timing};

/// Clocks from the one in which a beat is taken to the one in which it is used.
const STAGE: u64 = FrontEnd::STAGE as u64;
/// Clocks from a row group's leaving to its place's being free.
const ROOM: u64 = FrontEnd::ROOM as u64;

/// Passes of one run, one after the other.
pub struct Run<'a> {
    timing: &'a Timing,
    source: Source<'a>,
    /// First clock of the next pass.
    begin: u64,
    /// Passes so far.
    count: u64,
    /// Beats of image and rows that they have had.
    had: (usize, usize),
    writer: Writer<'a>,
    /// The first clock in which the records of the pass before are written, and whose they are.
    recording: Option<(u64, Vec<usize>)>,
    /// Clocks of all beats of the pass, if wanted.
    pub trace: Option<Vec<u64>>,
    /// Clocks of the first words of codes of the pass: of each instruction with a matrix, and of
    /// each slot.
    pub words: Vec<u64>,
}

/// A pass under way.
struct Walk<'r, 'a> {
    run: &'r mut Run<'a>,
    want: Want,
    epilogue: Epilogue,
    stream: Stream<'a>,
    codes: Codes,
    /// Slots that the pass goes through, those that take no part included, and those that do.
    slots: usize,
    active: Vec<usize>,
    /// Maxima that the next vector waits for, each slot's from this clock on.
    maxima: Vec<Option<u64>>,
    /// Statistics, from this clock on.
    statistics: u64,
    /// The last instruction was handed to the epilogue, and the epilogue is free for the next.
    handed: Option<u64>,
    free: u64,
    /// Clocks in which the latest row groups were taken.
    groups: VecDeque<u64>,
    /// Operands of START are there.
    loaded: u64,
    /// The last step, or its last results without the head.
    last: u64,
    /// The head's writer has nothing left to do, from this clock on, if it had something.
    written: Option<u64>,
}

impl<'a> Run<'a> {
    pub(super) fn new(timing: &'a Timing, source: Source<'a>, begin: u64) -> Run<'a> {
        let writer = Writer::new(source, timing.geometry.bus, begin);
        let (recording, trace, words) = (None, None, vec![]);
        Run { timing, source, begin, count: 0, had: (0, 0), writer, recording, trace, words }
    }

    /// First clock of the next pass.
    pub fn next(&self) -> u64 {
        self.begin
    }

    /// The next pass of slot 0 alone: this token, and what is wanted of it.
    pub fn pass(&mut self, token: u32, want: Want) -> Pass {
        self.batch(&[Some(token)], want)
    }

    /// The next pass: each slot's token, `None` for one that takes no part, and what is wanted of
    /// them. The slots above the last token are not gone through.
    pub fn batch(&mut self, tokens: &[Option<u32>], want: Want) -> Pass {
        let timing = self.timing;
        let (begin, geometry) = (self.begin, &timing.geometry);
        let instructions = timing.read_by(want);
        let beats = timing.units(instructions.last().map_or(0, Instruction::end));
        let unit = Embedding { geometry: geometry.clone() };
        let stride = timing.shape.row_stride() as u64;
        let feed = match self.source {
            Source::Ideal(memory) => {
                // Who takes no part goes the same way, with the row of token 0.
                let rows: Vec<u32> = tokens.iter().map(|token| token.unwrap_or(0)).collect();
                Feed::Ideal(Box::new(Port::new(memory, &unit, begin, beats, (&rows, stride))))
            }
            Source::Recorded(traffic) => {
                let row = Row::new(&unit, stride);
                let rows = traffic.rows.get(self.had.1..).unwrap_or_default();
                let image = traffic.image.get(self.had.0..).unwrap_or_default();
                self.had.0 += beats as usize;
                self.had.1 += (row.tail + row.beats) as usize * tokens.len();
                Feed::Recorded { image: image.iter(), rows: rows.iter(), row }
            }
        };
        let trace = self.trace.as_mut().map(|trace| {
            trace.clear();
            std::mem::take(trace)
        });
        self.words.clear();
        let mut walk = Walk {
            want,
            slots: tokens.len(),
            active: (0..tokens.len()).filter(|&slot| tokens[slot].is_some()).collect(),
            epilogue: Epilogue { geometry: geometry.clone() },
            stream: Stream::new(feed, begin, trace),
            codes: Codes::new(geometry.quantisers, geometry.bus, begin),
            maxima: vec![None; tokens.len()],
            statistics: 0,
            handed: None,
            free: 0,
            groups: VecDeque::new(),
            loaded: 0,
            last: 0,
            written: None,
            run: self,
        };
        let instructions: Vec<Clocks> =
            instructions.iter().map(|instruction| walk.instruction(instruction)).collect();
        let read = instructions.last().map_or(0, |clocks| clocks.read);
        let sound = read + u64::from(FrontEnd::SOUND) + 1;
        let (done, end) = walk.end(sound);
        let (tail, counters) = walk.stream.end(end);
        let trace = walk.stream.trace.take();
        self.trace = trace;
        self.begin = end + 1;
        self.count += 1;
        Pass { begin, instructions, done, end, tail, counters }
    }
}

impl Walk<'_, '_> {
    fn instruction(&mut self, instruction: &Instruction) -> Clocks {
        let timing = self.run.timing;
        let Instruction { sequence, opcode, layer, .. } = *instruction;
        let header = timing.units(sterna_firmware::isa::UNIT);
        let start = self.stream.take(self.run.begin + 1);
        let last = self.stream.take_all(header - 1, 0).unwrap_or(start);
        // The header is decided upon, and the next state begins.
        let ready = last + u64::from(FrontEnd::HEADER) + 1;
        let operands = timing.units(instruction.operands_bytes());
        let mut clocks = Clocks {
            sequence,
            opcode,
            layer,
            start,
            codes: None,
            handed: None,
            read: last,
            end: last,
            spent: Default::default(),
        };
        if opcode == Opcode::Start {
            clocks.read = self.stream.take_all(operands, ready).unwrap_or(last);
            clocks.end = clocks.read;
            self.loaded = clocks.read + 2;
        } else {
            self.matrix(instruction, ready, operands, &mut clocks);
        }
        clocks.spent = self.stream.settle();
        clocks
    }

    fn matrix(&mut self, of: &Instruction, ready: u64, operands: u64, clocks: &mut Clocks) {
        let first = self.handed.is_none();
        if first {
            for maxima in &mut self.maxima {
                let enters = self.stream.feed.enters();
                self.statistics = enters + 1;
                *maxima = Some((enters + 1).max(self.loaded));
            }
        }
        // `issue` takes it when the one before has been handed on, and works out its scale.
        let issued = self.handed.map_or(ready, |clock| ready.max(clock + 1));
        let scales = self.slots as u64 * u64::from(Issue::LATENCY);
        let scaled = self.statistics.max(issued + 1) + scales;
        let handed = scaled.max(self.free);
        clocks.handed = Some(handed);
        self.handed = Some(handed);
        self.stream.take_all(operands, issued + 1);

        let padded = of.dimensions.1.next_multiple_of(64) as u64;
        for maxima in &mut self.maxima {
            let first = self.codes.make(maxima.take(), padded);
            clocks.codes.get_or_insert(first);
            self.run.words.push(first);
        }
        clocks.read = self.weights(of, issued + 1, handed);
        self.codes.release(clocks.read + STAGE);

        let results = self.last + u64::from(self.epilogue.results(of.opcode));
        clocks.end = results + 1;
        self.free = clocks.end + 1;
        if matches!(of.opcode, Opcode::MixG | Opcode::MixO | Opcode::Glu | Opcode::Down) {
            let there = results - u64::from(self.epilogue.maxima_early()) + 1;
            self.maxima.fill(Some(there));
            self.statistics = results + u64::from(NormScale::gather_latency(self.slots as u32)) + 1;
        }
    }

    /// Takes the weights, wanted from a clock on, and has the epilogue make its steps. The clock of
    /// the last beat.
    fn weights(&mut self, of: &Instruction, payload: u64, handed: u64) -> u64 {
        let geometry = &self.run.timing.geometry;
        let beats = of.dimensions.1.next_multiple_of(64) as u64 * 8 / u64::from(geometry.bus);
        let ternary = TernaryUnit { bus: geometry.bus, slots: geometry.slots };
        let queue = groups(geometry);
        let late =
            STAGE + READ as u64 + u64::from(ternary.latency()) + u64::from(queue.storage.latency());
        let head = of.opcode == Opcode::Head;
        let mut steps = Steps::new(if head { 1 } else { geometry.ways.into() }, handed);
        if head {
            steps.pause(self.open(handed));
        }
        // Row groups that each slot takes before the next slot does; all leave the head together.
        let elements = Elements { ways: geometry.ways, slots: geometry.slots };
        let (turn, slots) = match head || geometry.slots == 1 {
            true => (1, 1),
            false => (elements.groups() as usize, self.slots),
        };
        let mut there = vec![];
        let mut read = 0;
        for part in 0..of.opcode.parts() {
            let mut rows = of.dimensions.0;
            let mut first = part == 0;
            while rows > 0 {
                let room = match self.groups.len() + there.len() < queue.depth {
                    true => 0,
                    false => self.groups.pop_front().map_or(0, |clock| clock + ROOM),
                };
                let mut from = payload.max(room);
                for beat in 0..beats {
                    if first {
                        from = from.max(self.codes.there(beat));
                    }
                    read = self.stream.take(from);
                }
                first = false;
                let fresh = rows.min(ROWS);
                rows -= fresh;
                let logits = head && self.want == Want::Logits;
                let writer = &mut self.run.writer;
                let mut left = rows + fresh;
                there.push((read + late, fresh as u64));
                if there.len() < turn && rows > 0 {
                    continue;
                }
                for slot in 0..slots {
                    for &(clock, fresh) in &there {
                        let taken = steps.group(clock, fresh, &mut |clock| {
                            left = left.saturating_sub(1);
                            if logits { writer.logit(clock, left == 0) } else { clock }
                        });
                        if slot + 1 == slots {
                            self.groups.push_back(taken);
                        }
                    }
                    if slot + 1 < slots && rows == 0 && of.opcode == Opcode::MixF {
                        steps.pause(steps.last + u64::from(Epilogue::GAP) + 1);
                    }
                }
                there.clear();
            }
            if part + 1 < of.opcode.parts() {
                steps.pause(steps.last + u64::from(Epilogue::PAUSE) + 1);
            }
        }
        self.last = steps.last;
        if head && self.want == Want::Logits {
            self.written = Some(self.run.writer.ended(steps.last + 1));
        }
        read
    }

    /// The first clock in which the head takes accumulators.
    fn open(&mut self, handed: u64) -> u64 {
        let run = &mut *self.run;
        let geometry = &run.timing.geometry;
        let stride = record::stride(geometry.top_k) as u64;
        let mut ready = handed + 1;
        if let Some((mut from, slots)) = run.recording.take() {
            // The records of the pass before go first.
            let beats = stride / (u64::from(geometry.bus) / 8);
            let begins = u64::from(Head::record_begins(geometry.slots));
            for slot in slots {
                let place = (run.count - 1) * u64::from(geometry.slots) + slot as u64;
                run.writer.start(from, place * stride, beats);
                let mut clock = from;
                for left in (0..stride / 4).rev() {
                    clock = run.writer.word(clock, left == 0) + 1;
                }
                let ended = run.writer.ended(clock);
                ready = ready.max(ended + 2);
                from = ended + 1 + begins;
            }
        }
        if self.want == Want::Logits {
            let vocab = run.timing.shape.vocab as u64;
            let beats = (4 * vocab).div_ceil(u64::from(geometry.bus) / 8);
            run.writer.start(ready + 1, 0, beats);
        }
        ready + u64::from(Head::OPEN)
    }

    /// When the pass is done, and when it ends; its last checksum counts from `sound` on.
    fn end(&mut self, sound: u64) -> (u64, u64) {
        if self.want == Want::State {
            let gathered = self.statistics - 1;
            return (gathered, sound.max(gathered + 1) + u64::from(Control::LAST));
        }
        let written = self.written.map_or(0, |clock| clock + 1);
        let decided = (self.last + u64::from(Head::BEST) - 1).max(sound).max(written);
        let begins = u64::from(Head::record_begins(self.run.timing.geometry.slots));
        self.run.recording = Some((decided + 1 + begins, std::mem::take(&mut self.active)));
        (decided + 1, decided + 1 + u64::from(Control::LAST))
    }
}
