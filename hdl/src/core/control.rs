use sterna_firmware::geometry::Geometry;
use sterna_rtl::{Generate, Module, Sig, UInt};

use super::ADDRESS;
use crate::fault::Fault;
use crate::record;
use crate::registers::{LAST_TOKENS, STOP_VALID, TOKENS, command, mode};
use crate::slots;

/// Obeys commands: runs passes, token after token, moves state, stops at faults.
///
/// ```text
///  command -> check -> [ pass ] -> best token -> stop? -> next pass ... -> record written -> done
///                   -> [ move ] -> done
///  fault, reset    -> [ drain: nothing asked for, all that was asked for arrives ] -> clear
/// ```
///
/// After a fault the engine is reset when the memory owes nothing and is owed nothing, so that the
/// bus stays in order; until then `draining` stands. The recurrent state is invalid from then on.
/// Commands other than reset are ignored while one is obeyed.
///
/// Several sequences each have a token, a state that is valid or not, and stops that take the slot
/// out of what is left of a run. A chain of tokens has one state, that of its lowest slot.
///
/// Cost five counters of 48 bits, some 270 registers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// Rates and sizes.
    pub geometry: Geometry,
}

#[derive(Clone, Copy)]
enum State {
    Idle,
    /// A command's registers are checked, and a clock later it is obeyed or refused.
    Check,
    /// A pass runs.
    Pass,
    /// The last record is written.
    Record,
    Save,
    Load,
    Drain,
    /// The engine is reset in the clock after this.
    Clear,
}

impl Control {
    /// Clocks from a pass's best token, or without a head from the last of what it waits for, to the
    /// last clock of the pass.
    pub const LAST: u32 = 2;
}

/// Which of several sequences are meant, a bit each.
struct Several<'m> {
    /// SLOT_MASK, as far as there are slots, and the lowest of them.
    asked: Sig<'m>,
    asked_lowest: Sig<'m>,
    /// It names one at least, and none that is not there.
    exist: Sig<'m>,
    /// Those that take part in what is obeyed, and the lowest.
    mask: Sig<'m>,
    lowest: Sig<'m>,
    /// Those whose state changes: of a chain the lowest.
    owners: Sig<'m>,
}

impl<'m> Several<'m> {
    fn new(m: &'m Module, slots: u32, slot_mask: Sig<'m>, chain: Sig<'m>) -> Several<'m> {
        let lowest = |mask: Sig<'m>| mask & m.lit(UInt(slots), 0).wrapping_sub(mask);
        let asked = slot_mask.slice(0..slots).named("asked");
        let exist = match slots {
            8 => asked.any(),
            _ => asked.any() & !slot_mask.slice(slots..8).any(),
        };
        let mask = m.reg("mask_now", UInt(slots)).reset(0);
        let own = lowest(mask).named("lowest_of_mask");
        Several {
            asked,
            asked_lowest: lowest(asked).named("asked_lowest"),
            exist: exist.named("slots_exist"),
            mask,
            lowest: own,
            owners: chain.mux(own, mask).named("owners"),
        }
    }
}

/// Bits of a counter: at 1 GHz three days.
const COUNTER: u32 = 48;

impl Generate for Control {
    fn name(&self) -> String {
        "control".into()
    }

    fn describe(&self, m: &Module) {
        m.doc("Obeys commands: passes, state, faults.");
        let input = |name: &str, width: u32| m.input(name, UInt(width));
        // ----- registers -----
        let commands = input("command", 5);
        let (mode_bits, passes) = (input("mode", 3), input("count", 16));
        let slots = self.geometry.slots;
        let slot_mask = input("slot_mask", 8);
        let first_tokens: Vec<Sig<'_>> =
            TOKENS[..slots as usize].iter().map(|reg| input(&reg.port(), reg.width)).collect();
        let stops: Vec<Sig<'_>> = (0..4).map(|i| input(&format!("stop_{i}"), 21)).collect();
        let watchdog = input("watchdog", 32);
        let (image_units, row_units) = (input("image_units", 32), input("row_units", 10));
        let state_units = input("state_units", 20);
        let result = input("result", ADDRESS);
        // ----- the engine -----
        let pass_ok = m.input("pass_ok", UInt(1));
        let layers_ended = m.input("layers_ended", UInt(1)).comment("The last DOWN is done.");
        // A clock for the comparison with the stops, and one for what follows from it.
        let best_given =
            m.input("best_given", UInt(1)).delay_valid("best_came", Self::LAST as usize);
        let best = slots::lanes(m.input("best", UInt(20 * slots)), slots);
        let (recorded, head_idle) = (m.input("recorded", UInt(1)), m.input("head_idle", UInt(1)));
        let mover_busy = m.input("mover_busy", UInt(1));
        let (image_busy, row_busy, writer_busy) = (
            m.input("image_busy", UInt(1)),
            m.input("row_busy", UInt(1)),
            m.input("writer_busy", UInt(1)),
        );
        let (valid, want) = (m.input("image_valid", UInt(1)), m.input("image_want", UInt(1)));
        let moves = m.input("moves", UInt(1)).comment("Anything else made progress.");
        let clamps = m.input("clamps", UInt(if slots == 1 { 4 } else { 5 }));
        // ----- faults -----
        let front_fault = m.input("front_fault", UInt(8));
        let front_segment = m.input("front_segment", UInt(32));
        let bad_trit = m.input("bad_trit", UInt(1));
        let trit_segment = m.input("trit_segment", UInt(32));
        let (bad_row, bad_read, bad_write) = (
            m.input("bad_row", UInt(1)),
            m.input("bad_read", UInt(1)),
            m.input("bad_write", UInt(1)),
        );
        let segment = m.input("segment", UInt(32));

        let state = m.reg("state", UInt(3)).reset(State::Idle as u8);
        let at = |s: State| state.eq(s as u8);
        let go = |s: State| state.set(s as u8);
        let pulse = |name: &str| {
            let reg = m.reg(name, UInt(1)).reset(0);
            reg.set(0);
            reg
        };
        let begins = pulse("begins_now");
        let (save, load) = (pulse("saves_now"), pulse("loads_now"));
        let command_now = m.reg("command_now", UInt(5)).reset(0);
        let asked = |bit: u32| command_now.bit(bit.trailing_zeros());
        let no_head = mode_bits.bit(mode::NO_HEAD.trailing_zeros());
        let chain = mode_bits.bit(mode::CHAIN.trailing_zeros());
        let done = m.reg("done", UInt(1)).reset(0);
        let failed = m.reg("failed", UInt(1)).reset(0);
        let valid_state = m.reg("state_valid", UInt(slots)).reset(0);
        let fresh = m.reg("fresh_now", UInt(slots)).reset(0).comment("The state is zero.");
        let error = m.reg("error_now", UInt(8)).reset(0);
        let error_segment = m.reg("error_segment_now", UInt(32)).reset(0);
        let each = |name: &str| -> Vec<Sig<'_>> {
            (0..slots).map(|n| m.reg(slots::name(name, slots, n), UInt(20))).collect()
        };
        let tokens = each("token_now");
        let left = m.reg("passes_left", UInt(16));
        let index = m.reg("pass_index", UInt(16)).reset(0);
        let tokens_done = m.reg("tokens_done_now", UInt(16)).reset(0);
        let last_tokens = each("last_token_now");
        last_tokens.iter().for_each(|token| {
            token.reset(0);
        });
        let several = (slots > 1).then(|| Several::new(m, slots, slot_mask, chain));
        // Marks states as something, those of some slots.
        let mark = |of: Sig<'_>, slots: Option<Sig<'_>>, value: bool| match slots {
            None => of.set(u8::from(value)),
            Some(slots) if value => of.set(of | slots),
            Some(slots) => of.set(of & !slots),
        };
        let some = several.as_ref();
        let record_addr = m.reg("record_at", UInt(ADDRESS));
        let sound = m.reg("sound", UInt(1)).reset(0);
        let layers_done = m.reg("layers_done", UInt(1)).reset(0);

        // ----- commands -----
        let reset = commands.bit(command::RESET.trailing_zeros());
        let obey = (at(State::Idle) & commands.any() & !reset).named("obeys");
        m.when(obey, || {
            command_now.set(commands);
            done.set(0);
            failed.set(0);
            error.set(0);
            error_segment.set(0);
            tokens_done.set(0);
            go(State::Check);
        });
        let (run, clears) = (asked(command::RUN), asked(command::CLEAR));
        let (saves, loads) = (asked(command::SAVE), asked(command::LOAD));
        let only_one = command_now.slice(0..4);
        let only_one = (only_one & only_one.wrapping_sub(1)).eq(0).named("one_command");
        let most_units = (self.geometry.state / 16) as u32;
        let state_fits = (state_units.ne(0) & state_units.le(most_units)).named("state_fits");
        let run_fits = (passes.ne(0)
            & several.as_ref().map_or(slot_mask.eq(1), |several| several.exist)
            & image_units.ne(0)
            & row_units.ge(2)
            & (!(no_head | chain) | passes.eq(1)))
        .named("run_fits");
        let legal = only_one & (!run | run_fits) & (!(saves | loads) | state_fits);
        let legal = match &several {
            None => legal & (!clears | slot_mask.eq(1)),
            Some(several) => legal & several.exist,
        };
        let legal = legal.register("legal");
        let checked = m.reg("checked", UInt(1)).reset(0).comment("`legal` is of this command.");
        checked.set(at(State::Check) & !checked);
        let decide = (at(State::Check) & checked).named("decides");
        let refuse = (decide & !legal).named("refuses");
        let there = match &several {
            None => valid_state,
            Some(several) => {
                let all = (saves | chain).mux(several.asked_lowest, several.asked);
                (valid_state | !all).all()
            }
        };
        let absent = ((run | saves) & !there).register("state_absent");
        let stale = (decide & legal & absent).named("stale");
        m.when(decide & legal & !stale, || {
            if let Some(several) = &several {
                several.mask.set(several.asked);
            }
            m.when(clears, || {
                mark(valid_state, some.map(|several| several.asked), true);
                mark(fresh, some.map(|several| several.asked), true);
                done.set(1);
                go(State::Idle);
            });
            m.when(saves, || {
                save.set(1);
                go(State::Save);
            });
            m.when(loads, || {
                load.set(1);
                mark(valid_state, some.map(|several| several.asked_lowest), false);
                go(State::Load);
            });
            m.when(run, || {
                begins.set(1);
                tokens.iter().zip(&first_tokens).for_each(|(to, from)| to.set(*from));
                left.set(passes);
                index.set(0);
                record_addr.set(result);
                sound.set(0);
                layers_done.set(0);
                go(State::Pass);
            });
        });

        // ----- passes -----
        m.when(pass_ok, || sound.set(1));
        m.when(layers_ended, || layers_done.set(1));
        let state_only =
            (at(State::Pass) & no_head & sound & layers_done & !begins).named("state_only_ends");
        let state_only = state_only.delay_valid("state_only", Self::LAST as usize);
        let pass_ends = (at(State::Pass) & (best_given | state_only)).named("pass_ends");
        let unread = (pass_ends & image_busy).delay_valid("image_unread", 1);
        let stops_here = best.iter().enumerate().map(|(n, best)| {
            let stops: Vec<Sig<'_>> =
                stops.iter().map(|stop| stop.eq(best.extend(21) | STOP_VALID)).collect();
            let name = slots::name("stops_here", slots, n as u32);
            m.cat(&stops).register(name).any()
        });
        let stops_here: Vec<Sig<'_>> = stops_here.collect();
        // Who goes on, where there are several.
        let others = several.as_ref().map(|several| several.mask & !slots::join(m, &stops_here));
        let ended = others.map_or(stops_here[0], |others| !others.any());
        let over = (no_head | left.eq(1) | ended).register("over");
        m.when(pass_ends, || {
            mark(fresh, some.map(|several| several.owners), false);
            left.set(left.wrapping_sub(1));
            m.when(!no_head, || {
                for (n, (last, best)) in last_tokens.iter().zip(&best).enumerate() {
                    match &several {
                        None => last.set(*best),
                        Some(several) => {
                            m.when(several.mask.bit(n as u32), || last.set(*best));
                        }
                    }
                }
            });
            m.when(over | image_busy, || go(State::Record)).otherwise(|| {
                begins.set(1);
                tokens.iter().zip(&best).for_each(|(to, from)| to.set(*from));
                if let Some((several, others)) = several.as_ref().zip(others) {
                    several.mask.set(others);
                }
                sound.set(0);
                layers_done.set(0);
            });
        });
        // After a fault the writer comes to rest as well, its record written or not.
        let written = at(State::Pass) | at(State::Record);
        let recorded = recorded.delay_valid("was_recorded", 1);
        m.when(recorded & written & !bad_write, || {
            tokens_done.set(tokens_done.wrapping_add(1));
            index.set(index.wrapping_add(1));
            let stride = record::stride(self.geometry.top_k) as u32 * slots;
            record_addr.set((record_addr + stride).truncate(ADDRESS));
        });
        let finish = || {
            done.set(1);
            go(State::Idle);
        };
        m.when(at(State::Record) & head_idle & !best_given, || {
            m.when(no_head, || tokens_done.set(1));
            finish();
        });
        let moves_state = at(State::Save) | at(State::Load);
        let moved = moves_state & !mover_busy & !save & !load & !writer_busy & !row_busy;
        let moved = moved.delay_valid("moved", 1);
        m.when(at(State::Save) & moved, finish);
        m.when(at(State::Load) & moved, || {
            mark(valid_state, some.map(|several| several.lowest), true);
            mark(fresh, some.map(|several| several.lowest), false);
            finish();
        });

        // ----- faults and reset -----
        let busy = (!at(State::Idle)).named("busy");
        let working = (busy & !at(State::Drain) & !at(State::Clear)).named("working");
        let image_fires = (valid & want).named("image_fires");
        let quiet = m.reg("quiet", UInt(32)).reset(0).comment("Clocks without progress.");
        let progress = image_fires | moves | !working | at(State::Check);
        let progress = progress.register("progressed").reset(1);
        quiet.set(progress.mux(m.lit(UInt(32), 0), quiet.wrapping_add(1)));
        let late = (working & watchdog.ne(0) & quiet.ge(watchdog)).register("late").reset(0);
        let code = |fault: Fault| m.lit(UInt(8), fault as u8);
        let kinds = [
            (refuse, Fault::Command),
            (stale, Fault::StateInvalid),
            (late, Fault::Watchdog),
            (unread, Fault::Command),
            (bad_write, Fault::WriteResponse),
            (bad_read, Fault::ReadResponse),
            (bad_row, Fault::Row),
            (bad_trit, Fault::TritBlock),
        ];
        // Later ones are more particular, and count where two come together.
        let found = kinds
            .iter()
            .fold(m.lit(UInt(8), 0), |found, &(here, fault)| here.mux(code(fault), found));
        let found = front_fault.any().mux(front_fault, found).named("found");
        // By itself, for so much hangs on it.
        let mut fails: Vec<Sig<'_>> = kinds.iter().map(|&(here, _)| here).collect();
        fails.push(front_fault.any());
        let fails = (working & m.cat(&fails).any()).named("fails");
        let place = front_fault.any().mux(front_segment, bad_trit.mux(trit_segment, segment));
        m.when(fails, || {
            failed.set(1);
            done.set(0);
            error.set(found);
            error_segment.set(place);
            // A command that was never begun has not touched the state.
            m.when(!refuse, || valid_state.set(0));
            begins.set(0);
            save.set(0);
            load.set(0);
            go(State::Drain);
        });
        m.when(reset, || {
            done.set(0);
            failed.set(0);
            error.set(0);
            error_segment.set(0);
            valid_state.set(0);
            begins.set(0);
            save.set(0);
            load.set(0);
            go(State::Drain);
        });
        let draining = at(State::Drain).named("draining");
        // Whoever was started in the first of its clocks is busy in the third.
        let settled = [draining.register("drains_1").reset(0), m.reg("drains_2", UInt(1)).reset(0)];
        settled[1].set(draining & settled[0]);
        let drained = settled[1] & !image_busy & !row_busy & !writer_busy;
        m.when(draining & drained & !reset, || go(State::Clear));
        m.when(at(State::Clear) & !reset, || go(State::Idle));
        m.output("halt", UInt(1)).set(draining | at(State::Clear));
        m.output("clear", UInt(1)).comment("Resets the engine.").set(at(State::Clear));

        // ----- counters -----
        let counting = at(State::Pass).named("counting");
        let counted = [
            ("cycles", m.lit(UInt(1), 1)),
            ("beats", image_fires),
            ("starved", want & !valid),
            ("blocked", valid & !want),
            ("idle", !valid & !want),
        ];
        let restart = at(State::Check) & run;
        for (name, what) in counted {
            let counter = m.reg(format!("{name}_so_far"), UInt(COUNTER)).reset(0);
            let what = (counting & what).register(format!("{name}_more")).reset(0);
            m.when(what, || counter.set(counter.wrapping_add(1)));
            m.when(restart, || counter.set(0));
            m.output(format!("{name}_lo"), UInt(32)).set(counter.slice(0..32));
            m.output(format!("{name}_hi"), UInt(32)).set(counter.slice(32..COUNTER).extend(32));
        }
        let saturations = m.reg("saturations_now", UInt(32)).reset(0);
        saturations.set((saturations + clamps).truncate(32));

        // ----- out -----
        m.output("begins", UInt(1)).set(begins);
        m.output("save", UInt(1)).set(save);
        m.output("load", UInt(1)).set(load);
        let entering: Vec<Sig<'_>> = match &several {
            None => tokens,
            // Who takes no part goes the same way, with a row that is sure to be there.
            Some(several) => {
                let all = tokens.iter().enumerate();
                all.map(|(n, token)| several.mask.bit(n as u32).mux(*token, 0)).collect()
            }
        };
        m.output("token", UInt(20 * slots)).set(slots::join(m, &entering));
        m.output("no_head", UInt(1)).set(no_head);
        m.output("logits", UInt(1)).set(mode_bits.bit(mode::LOGITS.trailing_zeros()) & !no_head);
        match &several {
            None => m.output("fresh", UInt(1)).set(fresh),
            Some(several) => {
                m.output("fresh", UInt(slots)).set(fresh & several.owners);
                m.output("chain", UInt(1)).set(chain);
                m.output("mask", UInt(slots)).set(several.mask);
                let numbers = [
                    ("lowest", slots::lowest(several.mask)),
                    ("highest", slots::highest(several.mask)),
                ];
                for (name, number) in numbers {
                    m.output(name, number.ty()).set(number);
                }
            }
        }
        m.output("index", UInt(16)).set(index);
        m.output("record_addr", UInt(ADDRESS)).set(record_addr);
        // Who reads right after a command sees that it is being obeyed.
        let all_valid =
            several.as_ref().map_or(valid_state, |several| (valid_state | !several.asked).all());
        let flags = [draining, all_valid, failed, done, busy | commands.any()];
        m.output("status", UInt(5)).set(m.cat(&flags));
        m.output("error", UInt(8)).set(error);
        m.output("error_segment", UInt(32)).set(error_segment);
        m.output("tokens_done", UInt(16)).set(tokens_done);
        for (reg, last) in LAST_TOKENS.iter().zip(last_tokens) {
            m.output(reg.port(), UInt(20)).set(last);
        }
        m.output("saturations", UInt(32)).set(saturations);
        m.output("irq", UInt(1)).set(done | failed);
    }
}
