use sterna_firmware::geometry::Geometry;
use sterna_rtl::{Generate, Module, Sig, UInt};

use super::ADDRESS;
use crate::fault::Fault;
use crate::record;
use crate::registers::{STOP_VALID, command, mode};

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
/// Cost five counters of 48 bits, some 200 registers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// Rates and sizes.
    pub geometry: Geometry,
}

#[derive(Clone, Copy)]
enum State {
    Idle,
    /// A command's registers are checked.
    Check,
    /// A pass runs.
    Pass,
    /// The last record is written.
    Record,
    Save,
    Load,
    Drain,
    /// One clock of engine reset.
    Clear,
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
        let (slot_mask, token_0) = (input("slot_mask", 8), input("token_0", 20));
        let stops: Vec<Sig<'_>> = (0..4).map(|i| input(&format!("stop_{i}"), 21)).collect();
        let watchdog = input("watchdog", 32);
        let (image_units, row_units) = (input("image_units", 32), input("row_units", 10));
        let state_units = input("state_units", 20);
        let result = input("result", ADDRESS);
        // ----- the engine -----
        let pass_ok = m.input("pass_ok", UInt(1));
        let layers_ended = m.input("layers_ended", UInt(1)).comment("The last DOWN is done.");
        let best_given = m.input("best_given", UInt(1));
        let best = m.input("best", UInt(20));
        let (recorded, head_idle) = (m.input("recorded", UInt(1)), m.input("head_idle", UInt(1)));
        let mover_busy = m.input("mover_busy", UInt(1));
        let (image_busy, row_busy, writer_busy) = (
            m.input("image_busy", UInt(1)),
            m.input("row_busy", UInt(1)),
            m.input("writer_busy", UInt(1)),
        );
        let (valid, want) = (m.input("image_valid", UInt(1)), m.input("image_want", UInt(1)));
        let moves = m.input("moves", UInt(1)).comment("Anything else made progress.");
        let clamps = m.input("clamps", UInt(4));
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
        let valid_state = m.reg("state_valid", UInt(1)).reset(0);
        let fresh = m.reg("fresh_now", UInt(1)).reset(0).comment("The state is zero.");
        let error = m.reg("error_now", UInt(8)).reset(0);
        let error_segment = m.reg("error_segment_now", UInt(32)).reset(0);
        let token = m.reg("token_now", UInt(20));
        let left = m.reg("passes_left", UInt(16));
        let index = m.reg("pass_index", UInt(16)).reset(0);
        let tokens_done = m.reg("tokens_done_now", UInt(16)).reset(0);
        let last_token = m.reg("last_token_now", UInt(20)).reset(0);
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
            & slot_mask.eq(1)
            & image_units.ne(0)
            & row_units.ge(2)
            & (!(no_head | chain) | passes.eq(1)))
        .named("run_fits");
        let legal = only_one & (!run | run_fits) & (!(saves | loads) | state_fits);
        let legal = (legal & (!clears | slot_mask.eq(1))).named("legal");
        let refuse = (at(State::Check) & !legal).named("refuses");
        let stale = (at(State::Check) & legal & (run | saves) & !valid_state).named("stale");
        m.when(at(State::Check) & legal & !stale, || {
            m.when(clears, || {
                valid_state.set(1);
                fresh.set(1);
                done.set(1);
                go(State::Idle);
            });
            m.when(saves, || {
                save.set(1);
                go(State::Save);
            });
            m.when(loads, || {
                load.set(1);
                valid_state.set(0);
                go(State::Load);
            });
            m.when(run, || {
                begins.set(1);
                token.set(token_0);
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
        let pass_ends = (at(State::Pass) & (best_given | state_only)).named("pass_ends");
        let unread = (pass_ends & image_busy).named("image_unread");
        let stops_here: Vec<Sig<'_>> =
            stops.iter().map(|stop| stop.eq(best.extend(21) | STOP_VALID)).collect();
        let over = (no_head | left.eq(1) | m.cat(&stops_here).any()).named("over");
        m.when(pass_ends, || {
            fresh.set(0);
            left.set(left.wrapping_sub(1));
            m.when(!no_head, || last_token.set(best));
            m.when(over, || go(State::Record)).otherwise(|| {
                begins.set(1);
                token.set(best);
                sound.set(0);
                layers_done.set(0);
            });
        });
        // After a fault the writer comes to rest as well, its record written or not.
        let written = at(State::Pass) | at(State::Record);
        m.when(recorded & written & !bad_write, || {
            tokens_done.set(tokens_done.wrapping_add(1));
            index.set(index.wrapping_add(1));
            let stride = record::stride(self.geometry.top_k) as u32;
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
        let moved = !mover_busy & !save & !load & !writer_busy & !row_busy;
        m.when(at(State::Save) & moved, finish);
        m.when(at(State::Load) & moved, || {
            valid_state.set(1);
            fresh.set(0);
            finish();
        });

        // ----- faults and reset -----
        let busy = (!at(State::Idle)).named("busy");
        let working = (busy & !at(State::Drain) & !at(State::Clear)).named("working");
        let image_fires = (valid & want).named("image_fires");
        let quiet = m.reg("quiet", UInt(32)).reset(0).comment("Clocks without progress.");
        let progress = image_fires | moves | !working;
        quiet.set(progress.mux(m.lit(UInt(32), 0), quiet.wrapping_add(1)));
        let late = (working & watchdog.ne(0) & quiet.ge(watchdog)).named("late");
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
        let place = front_fault.any().mux(front_segment, bad_trit.mux(trit_segment, segment));
        m.when(working & found.any(), || {
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
        let drained = !image_busy & !row_busy & !writer_busy;
        m.when(draining & drained & !reset, || go(State::Clear));
        m.when(at(State::Clear) & !reset, || go(State::Idle));
        m.output("halt", UInt(1)).set(draining);
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
            m.when(counting & what, || counter.set(counter.wrapping_add(1)));
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
        m.output("token", UInt(20)).set(token);
        m.output("no_head", UInt(1)).set(no_head);
        m.output("logits", UInt(1)).set(mode_bits.bit(mode::LOGITS.trailing_zeros()) & !no_head);
        m.output("fresh", UInt(1)).set(fresh);
        m.output("index", UInt(16)).set(index);
        m.output("record_addr", UInt(ADDRESS)).set(record_addr);
        // Who reads right after a command sees that it is being obeyed.
        let flags = [draining, valid_state, failed, done, busy | commands.any()];
        m.output("status", UInt(5)).set(m.cat(&flags));
        m.output("error", UInt(8)).set(error);
        m.output("error_segment", UInt(32)).set(error_segment);
        m.output("tokens_done", UInt(16)).set(tokens_done);
        m.output("last_token", UInt(20)).set(last_token);
        m.output("saturations", UInt(32)).set(saturations);
        m.output("irq", UInt(1)).set(done | failed);
    }
}
