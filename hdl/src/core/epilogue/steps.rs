//! Elements a step at a time: whose turn it is, where in the vector, and what ends when.

use sterna_firmware::isa::Opcode;
use sterna_rtl::{Instance, Module, Sig, UInt, index_width};

use super::Epilogue;
use super::inputs::Inputs;
use super::now::Held;
use super::pipe::Pipe;
use crate::core::instruction::{ROW_COUNT, is};
use crate::core::{Elements, LENGTH};
use crate::slots::{self, Slot};

/// The steps of the instruction that is inside.
pub(super) struct Steps<'m> {
    /// The accumulators of a step, a lane for each way.
    pub accs: Sig<'m>,
    /// One is made; one of the head's is, of an accumulator of each slot: these.
    take: Sig<'m>,
    pub in_head: Sig<'m>,
    pub firsts: Vec<Sig<'m>>,
    /// Whose it is, and how many elements are before it.
    pub turn: Slot<'m>,
    pub count: Sig<'m>,
    /// It is the instruction's last.
    pub last: Sig<'m>,
}

impl<'m> Steps<'m> {
    /// Makes a step whenever there are accumulators and a place for what comes of them.
    pub fn new(m: &'m Module, ways: u32, inputs: &Inputs<'m>, held: &Held<'m>) -> Steps<'m> {
        let slots = inputs.groups.len() as u32;
        let now = &held.now;
        let elements = m.instance("u_elements", &Elements { ways, slots });
        let parts = is(held.opcode(), Opcode::Glu).mux(m.lit(UInt(2), 2), 1);
        let is_head = is(held.opcode(), Opcode::Head);
        elements.set("rows", held.rows()).set("parts", parts);
        let pause = Pause::new(m);
        let may = (!pause.follows & (!now.head | inputs.head_ready)).named("may_step");
        let turn = slots::register(m, "turn", slots);
        let Source { take, in_head, firsts } = match inputs.highest {
            None => Source::of_one(elements, inputs, held, (is_head, may)),
            Some(highest) => Source::of_several(m, elements, inputs, held, (is_head, may), highest),
        };
        let place = Place::new(m, ways, take, held);
        let ended = pause.count(m);
        m.when(ended, || held.part.set(1));
        let (part_ends, gap) = match turn.zip(inputs.highest) {
            None => (place.part_ends(m, held), None),
            Some((turn, highest)) => place.turns(m, turn, highest, held),
        };
        let last = (part_ends & !now.gate).named("last_step");
        let count = place.count;
        m.when(part_ends | held.load_2, || count.set(0));
        let gate_ends = (part_ends & now.gate).named("gate_ends");
        pause.begin(m, gate_ends, gap, ended);
        Steps { accs: elements.port("step"), take, in_head, firsts, turn, count, last }
    }

    /// The steps on their way through the ways; the head's do not go there.
    pub fn pipe(&self, ways: u32) -> Pipe<'m> {
        let step_bits = ways.trailing_zeros();
        let in_matrix = (self.take & !self.in_head).named("in_matrix");
        let index = self.count.slice(step_bits..LENGTH).named("index");
        Pipe::new(in_matrix, self.last, index, self.turn)
    }
}

/// Clocks in which no step is made: between gate and up, until the pipeline is empty, and behind a
/// turn that is too short for the next one.
struct Pause<'m> {
    /// How many are left, and whether any are.
    left: Sig<'m>,
    some: Sig<'m>,
    /// The next clock is one of them: what `some` will be.
    follows: Sig<'m>,
}

impl<'m> Pause<'m> {
    fn new(m: &'m Module) -> Pause<'m> {
        Pause {
            left: m.reg("pause", UInt(index_width(Epilogue::PAUSE as usize + 1))).reset(0),
            some: m.reg("pauses", UInt(1)).reset(0).comment("`pause` is not 0."),
            follows: m.wire("pausing", UInt(1)),
        }
    }

    /// Counts them; returns whether this is the last.
    fn count(&self, m: &'m Module) -> Sig<'m> {
        let &Pause { left, some, .. } = self;
        m.when(some, || left.set(left.wrapping_sub(1)));
        left.eq(1).named("paused")
    }

    /// Begins one where the gate ends, or at a gap; `ended` is what [`Pause::count`] returned.
    fn begin(&self, m: &'m Module, gate_ends: Sig<'m>, gap: Option<Sig<'m>>, ended: Sig<'m>) {
        m.when(gate_ends, || self.left.set(Epilogue::PAUSE));
        let mut begins = gate_ends;
        if let Some(gap) = gap {
            m.when(gap, || self.left.set(Epilogue::GAP));
            begins = begins | gap;
        }
        self.follows.set(begins | (self.some & !ended));
        self.some.set(self.follows);
    }
}

/// Where elements come from.
struct Source<'m> {
    /// A step is made.
    take: Sig<'m>,
    /// Of the head: of each slot one accumulator, these.
    in_head: Sig<'m>,
    firsts: Vec<Sig<'m>>,
}

impl<'m> Source<'m> {
    /// Of one sequence all come from the same place, the head's one at a time.
    fn of_one(
        elements: Instance<'m>,
        inputs: &Inputs<'m>,
        held: &Held<'m>,
        (is_head, may): (Sig<'m>, Sig<'m>),
    ) -> Source<'m> {
        elements.stream("group").connect(inputs.groups[0]);
        elements.set("load", held.load_1).set("single", is_head).set("may", may);
        let (take, in_head) = (elements.port("take"), elements.port("take_one"));
        Source { take, in_head, firsts: vec![elements.port("first")] }
    }

    /// Of several the head's have places of their own, so that each gives one a clock.
    fn of_several(
        m: &'m Module,
        elements: Instance<'m>,
        inputs: &Inputs<'m>,
        held: &Held<'m>,
        (is_head, may): (Sig<'m>, Sig<'m>),
        highest: Sig<'m>,
    ) -> Source<'m> {
        let slots = inputs.groups.len() as u32;
        let (load_1, now) = (held.load_1, &held.now);
        elements.set("load", load_1 & !is_head).set("single", 0);
        elements.set("may", may & !now.head).set("highest", highest);
        let each = |n: u32| {
            let name = slots::name("u_head_elements", slots, n);
            let one = m.instance(name, &Elements { ways: 1, slots: 1 });
            one.set("load", load_1 & is_head & highest.ge(n));
            one.set("rows", held.rows()).set("parts", 1).set("single", 1);
            one.set("may", may & now.head);
            let (from, own) = (inputs.groups[n as usize], one.stream("group"));
            let turns = elements.stream(&slots::name("group", slots, n));
            for to in [own, turns] {
                to.data.set(from.data);
            }
            own.valid.set(from.valid & now.head);
            turns.valid.set(from.valid & !now.head);
            from.ready.set(own.ready | turns.ready);
            one
        };
        let all: Vec<Instance<'m>> = (0..slots).map(each).collect();
        let take = (all[0].port("take") | elements.port("take")).named("take");
        let in_head = all[0].port("take_one");
        Source { take, in_head, firsts: all.iter().map(|one| one.port("first")).collect() }
    }
}

/// Where in a part the steps are: a matrix, or of a GLU a half.
struct Place<'m> {
    take: Sig<'m>,
    /// Elements of this part so far; those that a step has; and so far with this step.
    count: Sig<'m>,
    by: Sig<'m>,
    after: Sig<'m>,
}

impl<'m> Place<'m> {
    fn new(m: &'m Module, ways: u32, take: Sig<'m>, held: &Held<'m>) -> Place<'m> {
        let count = m.reg("count", UInt(ROW_COUNT)).comment("Elements of this part so far.");
        let by = held.now.head.mux(m.lit(count.ty(), 1), ways);
        let after = count.wrapping_add(by).named("count_after");
        m.when(take, || count.set(after));
        Place { take, count, by, after }
    }

    /// Whether this step ends a part: known from the one before.
    fn part_ends(&self, m: &'m Module, held: &Held<'m>) -> Sig<'m> {
        let (by, rows) = (self.by, held.rows());
        let left = m.reg("left", UInt(ROW_COUNT)).comment("Elements of this part.");
        let last_of_part = m.reg("last_of_part", UInt(1));
        let part_ends = (self.take & last_of_part).named("part_ends");
        m.when(self.take, || {
            left.set(left.wrapping_sub(by));
            last_of_part.set(left.eq(by << 1));
        });
        m.when(part_ends | held.load_2, || {
            left.set(rows);
            last_of_part.set(rows.eq(by));
        });
        part_ends
    }

    /// The same of several sequences, which take turns; and whether a gap begins, since a turn was
    /// too short for the next one.
    fn turns(
        &self,
        m: &'m Module,
        turn: Sig<'m>,
        highest: Sig<'m>,
        held: &Held<'m>,
    ) -> (Sig<'m>, Option<Sig<'m>>) {
        let &Place { take, count, after, .. } = self;
        let now = &held.now;
        let all_rows = after.eq(held.rows());
        let last_turn = now.head | turn.eq(highest);
        let part_ends = (take & all_rows & last_turn).named("part_ends");
        // Each turn goes over the steps since `again`.
        let again = m.reg("again", count.ty());
        let steps = m.reg("turn_steps", UInt(index_width(Elements::TURN as usize)));
        let full = steps.eq(Elements::TURN - 1);
        let turn_ends = (take & !now.head & (full | all_rows)).named("turn_ends");
        m.when(take, || steps.set(steps.wrapping_add(1)));
        m.when(turn_ends, || {
            steps.set(0);
            m.when(turn.eq(highest), || {
                turn.set(0);
                again.set(after);
            })
            .otherwise(|| {
                turn.set(turn.wrapping_add(1));
                count.set(again);
            });
        });
        m.when(part_ends | held.load, || {
            turn.set(0);
            steps.set(0);
            again.set(0);
        });
        (part_ends, Some((turn_ends & all_rows & now.mix_f).named("gap_begins")))
    }
}
