use sterna_rtl::{Generate, Module, SInt, Sig, UInt, index_width};

use super::{ACCUMULATOR, ROWS};
use crate::slots;

/// Row groups of five accumulators to steps of V elements.
///
/// ```text
///  groups (5 rows) -> [ held: up to V + 4 accumulators ] -> V lowest -> step
///                        padding rows are left out          one alone for the head
/// ```
///
/// ```text
///  clk      _/1\_/2\_/3\_/4\_     V = 2, rows 0 to 9 in two groups
///  group    A        B
///  step     -   01  23  45  67  89
/// ```
///
/// `load` gives the rows of one matrix and how many matrices follow one another; rows are padded to
/// five in each. Step after step fills exactly whole vectors, since V divides every length but the
/// vocabulary's, which comes one by one (`single`). `may` says that a step may be used in the next
/// clock, `take` that one is: what follows from it begins at a register. A group is accepted when
/// less than V are held, so that five rows leave in every 5/V clocks.
///
/// Several sequences take turns, each with a stream of groups of its own: the same steps of slot 0,
/// of slot 1, up to that of `highest`, then the next. A turn is [`Elements::TURN`] steps, which are
/// whole groups and whole steps, or what is left of the matrix.
///
/// ```text
///  group_0  A B C         D E F
///  group_1        A B C         D E F
/// ```
///
/// Latency one clock. Cost `22 (V + 4)` registers and their multiplexers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elements {
    /// Elements of a step.
    pub ways: u32,
    /// Sequences.
    pub slots: u32,
}

impl Elements {
    /// Steps of a turn: three times five, so that a sequence's state is in its memory when the next
    /// one reads it (`Epilogue::GAP`).
    pub const TURN: u32 = 3 * ROWS;

    /// Row groups of a turn.
    pub fn groups(&self) -> u32 {
        Elements::TURN / ROWS * self.ways
    }
}

impl Generate for Elements {
    fn name(&self) -> String {
        slots::name(&format!("elements_v{}", self.ways), self.slots, self.slots)
    }

    fn describe(&self, m: &Module) {
        let v = self.ways;
        let most = v + ROWS - 1;
        m.doc(format!("Groups of {ROWS} rows to steps of {v}, padding left out.\nLatency 1."));
        let load = m.input("load", UInt(1));
        let rows = m.input("rows", UInt(21)).comment("Of one matrix.");
        let parts = m.input("parts", UInt(2)).comment("Matrices that follow one another.");
        let single = m.input("single", UInt(1)).comment("One element a step.");
        let groups: Vec<_> = (0..self.slots)
            .map(|n| {
                let name = slots::name("group", self.slots, n);
                m.stream_in(&name, UInt(ROWS * ACCUMULATOR), false)
            })
            .collect();
        let highest = slots::input(m, "highest", self.slots);
        let turn = slots::register(m, "turn", self.slots);
        let may = m.input("may", UInt(1)).comment("In the next clock a step has a place.");

        let count_ty = UInt(index_width(most as usize + 1));
        let held: Vec<Sig<'_>> =
            (0..most).map(|i| m.reg(format!("held_{i}"), UInt(ACCUMULATOR))).collect();
        let count = m.reg("count", count_ty).reset(0);
        let to_come = m.reg("to_come", UInt(21)).reset(0).comment("Rows of this matrix.");
        let parts_left = m.reg("parts_left", UInt(2)).reset(0);
        let whole = m.reg("whole", UInt(21)).reset(0);
        let one = m.reg("one", UInt(1)).reset(0);

        let take = m.reg("takes", UInt(1)).reset(0);
        // What stays in this clock is enough for a step.
        let full = m.reg("full", UInt(1)).reset(0);
        let rows_come = m.reg("rows_come", UInt(1)).reset(0).comment("`to_come` is not 0.");
        let step = one.mux(m.lit(count_ty, 1), v).named("of_a_step");
        let stay = take.mux(count.wrapping_sub(step), count).named("stay");
        let ready = rows_come & !full;
        for (n, group) in groups.iter().enumerate() {
            group.ready.set(slots::only(ready, turn, n as u32));
        }
        let arrives = match turn {
            None => groups[0].fires(),
            Some(turn) => {
                let valid: Vec<Sig<'_>> = groups.iter().map(|group| group.valid).collect();
                turn.select(&valid) & ready
            }
        };
        let arrives = arrives.named("arrives");
        let data: Vec<Sig<'_>> = groups.iter().map(|group| group.data).collect();
        let data = slots::pick(turn, &data);
        let fresh = to_come.lt(ROWS).mux(to_come.truncate(3), ROWS).named("fresh");
        let none = m.lit(UInt(3), 0);
        let then = (stay + arrives.mux(fresh, none)).truncate(count_ty.width()).named("then");
        count.set(then);
        let enough = then.ge(step).named("enough");
        let takes = (may & enough).named("takes_then");
        take.set(takes);
        // By itself: whoever is alone has far to go.
        let alone = m.reg("takes_one", UInt(1)).reset(0);
        alone.set(takes & one);
        let two = then.extend(count_ty.width() + 1).ge(step << 1).named("two");
        full.set(takes.mux(two, enough));
        for (i, &slot) in held.iter().enumerate() {
            let i = i as u32;
            // What stays moves down; what arrives goes above it.
            let below = |by: u32| held.get((i + by) as usize).copied();
            let moved = one.mux(below(1).unwrap_or(slot), below(v).unwrap_or(slot));
            let kept = take.mux(moved, slot);
            let first = i.saturating_sub(ROWS - 1);
            let mut from = stay.switch(kept);
            for start in first..=i.min(v - 1) {
                from = from.case(start, data.lane(i - start, ACCUMULATOR));
            }
            // Nothing else is held by one way when a group arrives.
            let from = if v == 1 { data.lane(i, ACCUMULATOR) } else { from.end() };
            slot.set(arrives.mux(from, kept));
        }
        let rest = to_come.wrapping_sub(fresh).named("rest");
        // No more than five: the last of this matrix.
        let matrix_ends = to_come.le(ROWS).named("matrix_ends");
        let next_part = |more: &dyn Fn()| {
            m.when(matrix_ends & parts_left.ne(0), || {
                rows_come.set(1);
                to_come.set(whole);
                parts_left.set(parts_left.wrapping_sub(1));
                more();
            });
        };
        m.when(arrives, || {
            to_come.set(rest);
            rows_come.set(!matrix_ends);
            if turn.is_none() {
                next_part(&|| ());
            }
        });
        m.when(load, || {
            to_come.set(rows);
            rows_come.set(rows.ne(0));
            whole.set(rows);
            parts_left.set(parts.wrapping_sub(1));
            one.set(single);
        });
        if let Some((turn, highest)) = turn.zip(highest) {
            // Every turn goes over the same rows: those to come when the first of them began.
            let again = m.reg("again", UInt(21));
            let groups = self.groups();
            let left = m.reg("turn_left", UInt(index_width(groups as usize + 1)));
            let ends = (matrix_ends | left.eq(1)).named("turn_ends");
            m.when(arrives, || {
                left.set(left.wrapping_sub(1));
                m.when(ends, || {
                    left.set(groups);
                    m.when(turn.ne(highest), || {
                        turn.set(turn.wrapping_add(1));
                        to_come.set(again);
                        rows_come.set(1);
                    })
                    .otherwise(|| {
                        turn.set(0);
                        again.set(rest);
                        next_part(&|| again.set(whole));
                    });
                });
            });
            m.when(load, || {
                turn.set(0);
                again.set(rows);
                left.set(groups);
            });
            let first = left.eq(groups).named("turn_begins");
            m.assert("turns_do_not_mix", !(arrives & first) | stay.eq(0));
        }
        m.output("take", UInt(1)).comment("The step is used.").set(take);
        m.output("take_one", UInt(1)).comment("It is one element.").set(alone);
        let all: Vec<Sig<'_>> = held[..v as usize].iter().rev().copied().collect();
        m.output("step", UInt(v * ACCUMULATOR)).set(m.cat(&all));
        m.output("first", SInt(ACCUMULATOR)).set(held[0].as_sint());
        m.output("ended", UInt(1)).set(!rows_come & count.eq(0));
        m.assert("takes_what_is_there", !take | count.ge(step));
        m.assert("full_as_held", full.eq(stay.ge(step)));
        m.assert("room_for_every_row", (stay + fresh).le(most) | !arrives);
    }
}
