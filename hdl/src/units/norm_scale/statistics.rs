//! The statistics of each slot's vector, and how they become numbers with an exponent.

use sterna_model::numerics::formats::{RESIDUAL_BITS, SCALE_BITS};
use sterna_rtl::{Module, SInt, Sig, UInt};

use super::inputs::Inputs;
use super::normaliser::Normaliser;
use super::pair::Pair;
use crate::slots::{self, Slot};
use crate::units::{EXP_BITS, SQUARES_BITS};

/// The statistics, and where their normalisation is.
pub(super) struct Statistics<'m> {
    /// Of each slot the two sums of squares.
    a: Vec<Pair<'m>>,
    b: Vec<Pair<'m>>,
    /// Maxima, by consumer, then by slot.
    max: Vec<Vec<Sig<'m>>>,
    /// All of them stand.
    pub there: Sig<'m>,
    /// Those of a vector do, since this clock; and of which slot.
    gathered: Sig<'m>,
    gathered_slot: Slot<'m>,
    /// 1: a is being normalised, 2: b is, and 0: none; b, meanwhile; and of which slot.
    phase: Sig<'m>,
    waiting: Sig<'m>,
    gathering: Slot<'m>,
}

/// How far a scale is.
pub(super) struct Progress<'m> {
    /// Clocks since `start`, 0 where none is computed; whether one is.
    pub step: Sig<'m>,
    pub busy: Sig<'m>,
}

/// The next slot's statistics, where there are several.
struct Next<'m> {
    slot: Slot<'m>,
    /// Its normalisation begins.
    begins: Option<Sig<'m>>,
}

impl<'m> Statistics<'m> {
    /// Their registers, and among them those of [`Progress`].
    pub fn new(m: &'m Module, count: u32) -> (Statistics<'m>, Progress<'m>) {
        let (a, b) = (Pair::regs(m, "a", count), Pair::regs(m, "b", count));
        let of = |j| move |n| m.reg(slots::name(&format!("maximum_{j}"), count, n), UInt(32));
        let max: Vec<Vec<_>> = (0..3).map(|j| (0..count).map(of(j)).collect()).collect();
        let there = m.reg("there", UInt(1)).reset(0);
        let gathered = m.reg("gathers", UInt(1)).reset(0);
        let phase = m.reg("phase", UInt(2)).reset(0).comment("1: a is being normalised, 2: b is.");
        let waiting = m.reg("waiting", UInt(SQUARES_BITS)).comment("b, meanwhile.");
        let step = m.reg("step", UInt(7)).reset(0).comment("Clocks since start, 0: none.");
        let busy = m.reg("busy", UInt(1)).reset(0).comment("`step` is not 0.");
        let gathering = slots::register(m, "gathering", count);
        let gathered_slot = slots::register(m, "gathered_of", count);
        let statistics =
            Statistics { a, b, max, there, gathered, gathered_slot, phase, waiting, gathering };
        (statistics, Progress { step, busy })
    }

    /// Takes what comes, and normalises it; and the maximum that a scale needs, from `begin` on.
    /// Returns what the normaliser has made last, and whether it is ready.
    pub fn take(&self, m: &'m Module, inputs: &Inputs<'m>, begin: Sig<'m>) -> (Pair<'m>, Sig<'m>) {
        let &Statistics { there, gathered, phase, waiting, gathering, .. } = self;
        let second = m.wire("second_begins", UInt(1)).comment("a is normal, b is next.");
        let (normaliser, next) = self.normaliser(m, inputs, begin, second);
        let normal = normaliser.result();
        let finished = normaliser.finished;
        gathered.set(0);
        second.set(phase.eq(1) & finished);
        m.when(second, || {
            each(&self.a, gathering, normal);
            phase.set(2);
        });
        let both = (phase.eq(2) & finished).named("both_normal");
        if let (Some(another), Some(now), Some(highest)) = (next.begins, gathering, inputs.highest)
        {
            another.set(both & now.ne(highest));
        }
        m.when(both, || {
            each(&self.b, gathering, normal);
            phase.set(0);
            there.set(1);
            gathered.set(1);
            self.next_slot(m, inputs, &next, both);
        });
        m.when(inputs.gathers, || there.set(0));
        m.when(inputs.gather, || {
            phase.set(1);
            waiting.set(inputs.raw_b[0]);
            if let Some(gathering) = gathering {
                gathering.set(0);
            }
        });
        self.take_row(m, inputs);
        self.take_maxima(m, inputs);
        (normal, finished)
    }

    /// The normaliser, with what is loaded into it when.
    fn normaliser(
        &self,
        m: &'m Module,
        inputs: &Inputs<'m>,
        begin: Sig<'m>,
        second: Sig<'m>,
    ) -> (Normaliser<'m>, Next<'m>) {
        let &Inputs { gather, turn, consumer, ref raw_a, .. } = inputs;
        let of_turn: Vec<_> = self.max.iter().map(|of| slots::pick(turn, of)).collect();
        let most = consumer.select(&of_turn).extend(SQUARES_BITS);
        let mut loaded = gather.mux(raw_a[0], begin.mux(most, self.waiting));
        let mut load = gather | second | begin;
        let slot = self.gathering.map(|now| now.wrapping_add(1).named("gathering_next"));
        let begins = slot.map(|next| {
            let another = m.wire("another_begins", UInt(1));
            load = load | another;
            loaded = another.mux(next.select(raw_a), loaded);
            another
        });
        (Normaliser::new(m, load, loaded), Next { slot, begins })
    }

    /// Where there are several, the next slot's turn comes when both sums of one are normal.
    fn next_slot(&self, m: &'m Module, inputs: &Inputs<'m>, next: &Next<'m>, both: Sig<'m>) {
        let &Statistics { there, phase, waiting, .. } = self;
        if let (Some(now), Some(then), Some(done)) = (self.gathering, next.slot, self.gathered_slot)
        {
            done.set(now);
            now.set(then);
            m.when(next.begins.unwrap_or(both), || {
                phase.set(1);
                there.set(0);
                waiting.set(then.select(&inputs.raw_b));
            });
        }
    }

    /// Takes the sums of an embedding row, which are normal.
    fn take_row(&self, m: &'m Module, inputs: &Inputs<'m>) {
        m.when(inputs.enter, || {
            self.phase.set(0);
            self.there.set(1);
            each(&self.a, inputs.entering, Pair::unpack(inputs.row_a));
            each(&self.b, inputs.entering, Pair::unpack(inputs.row_b));
        });
    }

    /// Takes maxima, of a vector or a row.
    fn take_maxima(&self, m: &'m Module, inputs: &Inputs<'m>) {
        let &Inputs { gather, enter, entering, .. } = inputs;
        for ((max, raw), row) in self.max.iter().zip(&inputs.raw_max).zip(&inputs.row_max) {
            for (n, (max, raw)) in max.iter().zip(raw).enumerate() {
                m.when(gather, || max.set(*raw))
                    .elsewhen(slots::only(enter, entering, n as u32), || max.set(*row));
            }
        }
    }

    /// The two sums of a slot.
    pub fn sums(&self, of: Slot<'m>) -> (Pair<'m>, Pair<'m>) {
        (Pair::pick(of, &self.a), Pair::pick(of, &self.b))
    }

    /// Ports that show what was gathered last.
    pub fn show(&self, m: &'m Module, ready: Sig<'m>, highest: Slot<'m>) {
        let &Statistics { gathered, gathered_slot, .. } = self;
        let (a, b) = self.sums(gathered_slot);
        let max = self.max.iter().map(|of| slots::pick(gathered_slot, of));
        let pairs = [("a_mant", "a_exp", a), ("b_mant", "b_exp", b)];
        m.output("ready", UInt(1)).set(ready);
        m.output("gathered", UInt(1)).set(gathered);
        if let (Some(slot), Some(highest)) = (gathered_slot, highest) {
            m.output("gathered_slot", slot.ty()).set(slot);
            m.output("gathered_all", UInt(1)).set(gathered & slot.eq(highest));
        }
        for (mant, exp, pair) in pairs.into_iter() {
            m.output(mant, UInt(SCALE_BITS)).set(pair.mant);
            m.output(exp, SInt(EXP_BITS)).set(pair.exp);
        }
        for (j, max) in max.enumerate() {
            m.output(format!("stat_max_{j}"), UInt(RESIDUAL_BITS)).set(max);
        }
    }
}

/// Sets that of a slot.
fn each<'m>(of: &[Pair<'m>], slot: Slot<'m>, to: Pair<'m>) {
    match slot {
        None => of[0].set(to),
        Some(slot) => of.iter().enumerate().for_each(|(n, pair)| {
            slot.module().when(slot.eq(n), || pair.set(to));
        }),
    }
}
