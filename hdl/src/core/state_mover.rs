use sterna_firmware::geometry::Geometry;
use sterna_model::numerics::formats::STATE_BITS;
use sterna_rtl::parts::{Pack, Unpack};
use sterna_rtl::{Generate, Module, Sig, UInt, index_width};

use super::READ;

/// Saves the recurrent state to memory, and loads it, as 32-bit integers.
///
/// ```text
///  save: state memory -> sign-extend -> [ Pack ] -> writer
///  load: reader -> [ Unpack ] -> low 24 bits -> state memory
/// ```
///
/// V elements at a time: a load takes a clock for them, a save READ + 2, which is short beside what
/// a pass takes. `zero` saves zeros, for a state that was cleared and not used since.
///
/// Cost two registers of a beat and a few counters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateMover {
    /// Rates and sizes.
    pub geometry: Geometry,
}

impl StateMover {
    fn steps(&self) -> usize {
        self.geometry.state / self.geometry.ways as usize
    }
}

impl Generate for StateMover {
    fn name(&self) -> String {
        "state_mover".into()
    }

    fn describe(&self, m: &Module) {
        let (bus, v) = (self.geometry.bus, self.geometry.ways);
        m.doc("Saves and loads the recurrent state.");
        let save = m.input("save", UInt(1)).comment("Start to save.");
        let load = m.input("load", UInt(1)).comment("Start to load.");
        let steps = m.input("steps", UInt(index_width(self.steps() + 1)));
        let zero =
            m.input("zero", UInt(1)).comment("The state is zero, whatever the memory holds.");
        let state = m
            .input("state", UInt(STATE_BITS * v))
            .comment("READ clocks after `read`, until the next.");
        let (from, to) = (m.stream_in("s", UInt(bus), true), m.stream_out("m", UInt(bus), false));

        let index = m.reg("index", UInt(index_width(self.steps().max(2))));
        let left = m.reg("left", steps.ty()).reset(0);
        let some = m.reg("some", UInt(1)).reset(0).comment("`left` is not 0.");
        let (saving, loading) =
            (m.reg("saving", UInt(1)).reset(0), m.reg("loading", UInt(1)).reset(0));
        m.when(save | load, || {
            saving.set(save);
            loading.set(load);
            index.set(0);
            left.set(steps);
            some.set(steps.ne(0));
        });
        let next = || {
            index.set(index.wrapping_add(1));
            left.set(left.wrapping_sub(1));
            some.set(left.ne(1));
        };

        // Save: one step after the other through the memory's latency.
        let pack = m.instance("u_pack", &Pack { from: 32 * v, to: bus });
        let words = pack.stream("s");
        let wait = m.reg("latency", UInt(index_width(READ + 2))).reset(0);
        let read = (saving & some & wait.eq(0)).named("reads");
        m.when(read, || wait.set(READ + 1));
        m.when(wait.gt(1), || wait.set(wait.wrapping_sub(1)));
        words.valid.set(wait.eq(1));
        let lanes: Vec<Sig<'_>> = (0..v)
            .rev()
            .map(|i| state.lane(i, STATE_BITS).as_sint().extend(32).as_uint())
            .collect();
        words.data.set(zero.mux(m.lit(UInt(32 * v), 0), m.cat(&lanes)));
        if let Some(last) = words.last {
            last.set(left.eq(1));
        }
        m.when(words.fires(), || {
            wait.set(0);
            next();
        });
        let beats = pack.stream("m");
        to.valid.set(beats.valid);
        to.data.set(beats.data);
        beats.ready.set(to.ready);

        let unpack = m.instance("u_unpack", &Unpack { from: bus, to: 32 * v });
        let inside = unpack.stream("s");
        inside.valid.set(from.valid & loading);
        inside.data.set(from.data);
        from.ready.set(inside.ready & loading);
        let arriving = unpack.stream("m");
        // What is no step's is let through.
        arriving.ready.set(1);
        let write = (arriving.valid & some).named("writes");
        m.when(write, next);

        m.when((saving | loading) & !some, || {
            saving.set(0);
            loading.set(0);
        });
        m.output("busy", UInt(1)).set(saving | loading);
        m.output("read", UInt(1)).set(read);
        m.output("write", UInt(1)).set(write);
        m.output("at", index.ty()).set(index);
        let lanes: Vec<Sig<'_>> =
            (0..v).rev().map(|i| arriving.data.lane(i, 32).truncate(STATE_BITS)).collect();
        m.output("data", UInt(STATE_BITS * v)).set(m.cat(&lanes));
    }
}
