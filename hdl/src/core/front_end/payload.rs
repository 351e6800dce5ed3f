//! A segment's payload: operand vectors, then row groups.

use sterna_firmware::isa::Opcode;
use sterna_rtl::{Module, Sig, UInt};

use super::State;
use super::reader::{Header, Reader};
use super::run::Run;
use crate::core::instruction::{ROW_COUNT, is};
use crate::core::{LENGTH, ROWS};

/// Where in the payload the next beat is, and what ends with it.
pub(super) struct Payload<'m> {
    /// Number of the operand vector, and how many are left with it.
    pub vector: Sig<'m>,
    vectors_left: Sig<'m>,
    /// The beats of the header, vector or row group.
    pub run: Run<'m>,
    /// Rows of a matrix, and those that are left of this one.
    part_rows: Sig<'m>,
    rows_left: Sig<'m>,
    /// No more than five are left.
    last_group: Sig<'m>,
    /// Another matrix follows: up after gate.
    another: Sig<'m>,
    /// A beat of an operand vector is taken; one of weights is.
    pub operand_fires: Sig<'m>,
    pub weight_fires: Sig<'m>,
    /// What the present run would end, if it did: all vectors, the instruction, the segment.
    pub last_vector: Sig<'m>,
    pub last_of_all: Sig<'m>,
    pub closes: Sig<'m>,
    /// A run ends: one of a vector, one of a row group.
    pub ends: Sig<'m>,
    pub vector_ends: Sig<'m>,
    pub group_ends: Sig<'m>,
    /// Beats of a vector, of a row group, and of a header.
    vector_beats: Sig<'m>,
    group_beats: Sig<'m>,
    header_beats: Sig<'m>,
}

impl<'m> Payload<'m> {
    pub fn new(
        m: &'m Module,
        reader: &Reader<'m>,
        header: &Header<'m>,
        header_beats: u32,
    ) -> Payload<'m> {
        let fires = reader.fires;
        let vector = m.reg("vector", UInt(2)).reset(0).comment("Number of the operand vector.");
        let vectors_left = m.reg("vectors_left", UInt(3)).reset(0);
        let run = Run::new(m, fires);
        let part_rows = m.reg("part_rows", UInt(ROW_COUNT));
        let rows_left = m.reg("rows_left", UInt(ROW_COUNT));
        let last_group = m.reg("last_group", UInt(1)).comment("No more than five rows are left.");
        let another = m.reg("another", UInt(1)).comment("Another matrix follows: up after gate.");

        let operand_fires = (reader.at(State::Operands) & fires).named("operand_fires");
        let weight_fires = (reader.at(State::Weights) & fires).named("weight_fires");
        let last_vector = (reader.at(State::Operands) & vectors_left.eq(1)).named("last_vector");
        let last_of_all = (reader.at(State::Weights) & last_group & !another).named("last_of_all");
        let closes = (last_of_all | (last_vector & header.starting)).named("closes");
        let ends = (fires & run.last).named("run_ends");
        let vector_ends = (ends & reader.at(State::Operands)).named("vector_ends");
        let group_ends = (ends & reader.at(State::Weights)).named("group_ends");
        let vector_beats = header.field("vector_beats").named("vector_beats");
        let group_beats = header.field("group_beats").named("group_beats");
        let header_beats = m.lit(UInt(LENGTH), header_beats);
        Payload {
            vector,
            vectors_left,
            run,
            part_rows,
            rows_left,
            last_group,
            another,
            operand_fires,
            weight_fires,
            last_vector,
            last_of_all,
            closes,
            ends,
            vector_ends,
            group_ends,
            vector_beats,
            group_beats,
            header_beats,
        }
    }

    /// Goes on to the next vector, row group or segment.
    pub fn go_on(&self, m: &'m Module, reader: &Reader<'m>) {
        let &Payload { vector, vectors_left, part_rows, rows_left, last_group, .. } = self;
        let stays = (reader.at(State::Operands) & !self.last_vector).named("another_vector");
        let &Payload { closes, header_beats, vector_beats, group_beats, .. } = self;
        let beats = closes.mux(header_beats, stays.mux(vector_beats, group_beats));
        m.when(self.ends, || self.run.begin(beats));
        m.when(self.vector_ends, || {
            vector.set(vector.wrapping_add(1));
            vectors_left.set(vectors_left.wrapping_sub(1));
        });
        m.when(self.group_ends, || {
            rows_left.set(last_group.mux(part_rows, rows_left.wrapping_sub(ROWS)));
            let few_then = rows_left.le(2 * ROWS);
            last_group.set(last_group.mux(part_rows.le(ROWS), few_then));
            m.when(last_group, || self.another.set(0));
        });
    }

    /// The payload of an accepted header begins.
    pub fn begin(&self, header: &Header<'m>, expected: Sig<'m>) {
        let rows = header.field("rows");
        self.vector.set(0);
        self.vectors_left.set(header.field("vectors"));
        self.part_rows.set(rows);
        self.rows_left.set(rows);
        self.last_group.set(rows.le(ROWS));
        self.another.set(is(expected, Opcode::Glu));
    }

    /// Its first run begins: of a vector, where it has any.
    pub fn begin_run(&self, operands: Sig<'m>) {
        self.run.begin(operands.mux(self.vector_beats, self.group_beats));
    }

    /// A header's run begins.
    pub fn begin_header(&self) {
        self.run.begin(self.header_beats);
    }
}
