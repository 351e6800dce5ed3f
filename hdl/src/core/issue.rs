use sterna_firmware::isa::Opcode;
use sterna_rtl::{Generate, Module, SInt, UInt};

use super::instruction::{GATHER, Instruction, is, is_one_of};
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
/// Latency that of [`NormScale`]; cost that, and one instruction of registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Issue;

/// What a scale is made of.
const SUMS: [(&str, u32); 5] = [("a", 77), ("b", 77), ("max_0", 32), ("max_1", 32), ("max_2", 32)];
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
        let out = Instruction::output(m, "out");

        let unit = m.instance("u_scale", &NormScale);
        for (name, width) in SUMS.into_iter().chain(ROW) {
            unit.set(name, m.input(name, UInt(width)));
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
        let start = (held & !working & !scaled & !awaits & unit.port("ready")).named("starts");
        unit.set("start", start);
        let consumer = is(opcode, Opcode::MixG)
            .mux(m.lit(UInt(2), 2), is(opcode, Opcode::MixF).mux(m.lit(UInt(2), 1), 0));
        unit.set("consumer", consumer);
        m.when(unit.port("gathered") | enter, || awaits.set(0));
        m.when(start, || working.set(1));
        m.when(unit.port("done"), || {
            working.set(0);
            scaled.set(1);
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
        });
        out.valid.set(held & scaled);
        out.fields.iter().zip(fields).for_each(|(to, from)| to.set(from));
        let results = [
            ("mant", UInt(24)),
            ("exp", SInt(12)),
            ("factor", UInt(17)),
            ("shift", UInt(6)),
            ("clamped", UInt(1)),
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
