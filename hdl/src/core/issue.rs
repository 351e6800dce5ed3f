use sterna_firmware::isa::Opcode;
use sterna_rtl::{Generate, Module, SInt, UInt};

use super::instruction::{GATHER, Instruction, is, is_one_of};
use crate::slots;
use crate::units::NormScale;

/// Takes an instruction from the front end, works out its scale, and hands both to the epilogue.
///
/// ```text
///  front end -> [ instruction ] -----------------> epilogue
///               constants -> [ NormScale ] -> scale, factor, shift
///                               ^ statistics: of an embedding row, or gathered by the epilogue
/// ```
///
/// A scale is begun when its statistics are there: for the instruction after one that gathers some
/// (`MIX_G`, `MIX_O`, `GLU`, `DOWN`), and for the first of a pass, not before they are complete.
/// While the epilogue works on an instruction the next one's scale is prepared here.
///
/// Of several sequences each has a scale, slot 0 first; they are handed on together.
///
/// Latency [`Issue::LATENCY`], for each sequence; cost that of [`NormScale`], and one instruction of
/// registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Issue {
    /// Sequences.
    pub slots: u32,
}

impl Issue {
    /// Clocks from the one in which a scale may be begun to the one in which it is there.
    pub const LATENCY: u32 = NormScale::LATENCY + 2;
}

/// What a scale is made of; of all sequences.
const SUMS: [(&str, u32); 5] = [("a", 77), ("b", 77), ("max_0", 32), ("max_1", 32), ("max_2", 32)];
/// The same of an embedding row, which comes alone.
const ROW: [(&str, u32); 5] =
    [("row_a", 32), ("row_b", 32), ("row_max_0", 32), ("row_max_1", 32), ("row_max_2", 32)];

impl Generate for Issue {
    fn name(&self) -> String {
        "issue".into()
    }

    fn describe(&self, m: &Module) {
        m.doc("Prepares each instruction's scale while the one before is finished.");
        let begins = m.input("begins", UInt(1)).comment("A pass starts.");
        let from = Instruction::input(m, "in");
        let constants = ["outer", "floor", "rescale"].map(|name| (name, m.input(name, UInt(32))));
        let gather = m.input("gather", UInt(1)).comment("The epilogue's sums are complete.");
        let enter = m.input("enter", UInt(1)).comment("An embedding row's are.");
        let highest = slots::input(m, "highest", self.slots);
        let entering = slots::input(m, "enter_slot", self.slots);
        let turn = slots::register(m, "turn", self.slots);
        let out = Instruction::output(m, "out");

        let unit = m.instance("u_scale", &NormScale { slots: self.slots });
        for (name, width) in
            SUMS.map(|(name, width)| (name, width * self.slots)).into_iter().chain(ROW)
        {
            unit.set(name, m.input(name, UInt(width)));
        }
        for (name, slot) in [("highest", highest), ("enter_slot", entering), ("slot", turn)] {
            if let Some(slot) = slot {
                unit.set(name, slot);
            }
        }
        unit.set("gather", gather).set("enter", enter);

        let held = m.reg("held", UInt(1)).reset(0).comment("An instruction is here.");
        let working = m.reg("working", UInt(1)).reset(0);
        let scaled = m.reg("scaled", UInt(1)).reset(0);
        let awaits =
            m.reg("awaits", UInt(1)).reset(0).comment("Statistics that are still gathered.");
        let fields = Instruction::registers(m, "held");
        let accepts = from.fires();
        for (name, sig) in constants {
            let kept = m.reg(format!("held_{name}"), UInt(32));
            m.when(accepts, || kept.set(sig));
            unit.set(name, kept);
        }
        from.ready.set(!held);
        let opcode = fields[0];
        let may = (held & !working & !scaled & !awaits & unit.port("ready")).named("may_start");
        let start = may.delay_valid("starts", 1);
        unit.set("start", start);
        let consumer = is(opcode, Opcode::MixG)
            .mux(m.lit(UInt(2), 2), is(opcode, Opcode::MixF).mux(m.lit(UInt(2), 1), 0));
        unit.set("consumer", consumer);
        let all = if self.slots == 1 { "gathered" } else { "gathered_all" };
        let entered = slots::last(enter, entering, highest);
        m.when(unit.port(all) | entered, || awaits.set(0));
        m.when(may, || working.set(1));
        m.when(unit.port("done"), || {
            working.set(0);
            match turn.zip(highest) {
                None => scaled.set(1),
                Some((turn, highest)) => {
                    turn.set(turn.wrapping_add(1));
                    m.when(turn.eq(highest), || {
                        turn.set(0);
                        scaled.set(1);
                    });
                }
            }
        });
        let taken = (out.valid & out.ready).named("taken");
        m.when(taken, || {
            held.set(0);
            scaled.set(0);
            // The next one works on what this one will gather.
            m.when(is_one_of(opcode, &GATHER), || awaits.set(1));
        });
        m.when(accepts, || {
            held.set(1);
            fields.iter().zip(from.fields).for_each(|(to, from)| to.set(from));
        });
        m.when(begins, || {
            held.set(0);
            working.set(0);
            scaled.set(0);
            awaits.set(1);
            if let Some(turn) = turn {
                turn.set(0);
            }
        });
        out.valid.set(held & scaled);
        out.fields.iter().zip(fields).for_each(|(to, from)| to.set(from));
        let scales = [
            ("mant", UInt(24)),
            ("exp", SInt(12)),
            ("factor", UInt(17)),
            ("shift", UInt(6)),
            ("clamped", UInt(1)),
        ];
        for (name, ty) in scales {
            m.output(name, slots::ty(ty, self.slots)).set(unit.port(name));
        }
        if let Some(turn) = turn {
            m.output("gathered_slot", turn.ty()).set(unit.port("gathered_slot"));
            m.output("gathered_all", UInt(1)).set(unit.port("gathered_all"));
        }
        let results = [
            ("gathered", UInt(1)),
            ("done", UInt(1)),
            ("a_mant", UInt(24)),
            ("a_exp", SInt(12)),
            ("b_mant", UInt(24)),
            ("b_exp", SInt(12)),
            ("stat_max_0", UInt(32)),
            ("stat_max_1", UInt(32)),
            ("stat_max_2", UInt(32)),
        ];
        for (name, ty) in results {
            m.output(name, ty).set(unit.port(name));
        }
    }
}
