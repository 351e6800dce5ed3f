//! Cores of several slots beside the golden model: every vector of every slot, and every clock.
//!
//! `STERNA_SEED` sets what is random.

mod common;

use sterna_firmware::device::Want;
use sterna_firmware::geometry::Geometry;
use sterna_firmware::shape::Shape;
use sterna_hdl::driver::Transport;
use sterna_hdl::fault::Fault;
use sterna_hdl::registers::{self as regs, Reg};
use sterna_model::synth::SynthSpec;
use sterna_rtl::random::Rng;
use sterna_sim::fuzz::made_up;
use sterna_sim::memory::{MemoryOptions, Stalls};
use sterna_sim::{Batch, CardOptions, Options, Session, SimCard};

/// A core of a bus and of so many slots, with a small model, and nothing in its states.
fn session(bus: u32, slots: u32, stalls: Stalls) -> (Session, SynthSpec) {
    let spec =
        SynthSpec { intermediate: Some(160), seed: common::seed(), ..SynthSpec::new(96, 2, 150) };
    let geometry = Geometry::for_shape(bus, &Shape::of(&spec.config().unwrap()));
    let geometry = Geometry { top_k: 8, ..geometry.with_slots(slots) };
    let memory = MemoryOptions { bytes: 1 << 28, latency: 30, stalls, seed: common::seed() };
    let model = Options { assertions: true, quick: true, ..common::options() };
    let options = CardOptions { memory, model, patience: 1 << 24 };
    let mut session = Session::new(&made_up(&spec).unwrap(), &geometry, &options).unwrap();
    session.clear_slots((1 << slots) - 1).unwrap();
    (session, spec)
}

fn sound(session: &mut Session) {
    let report = session.report();
    assert_eq!(report.mismatches, 0, "{:?}", report.first_mismatch);
}

/// The slots of a mask go on, by one token each or by several, separately or as a chain.
fn goes_on(bus: u32, slots: u32, stalls: Stalls) {
    let (mut session, spec) = session(bus, slots, stalls);
    let rng = &mut Rng::new(common::seed());
    for step in 0..6 {
        let mask = match step {
            0 | 1 => (1 << slots) - 1,
            2 => 1,
            _ => 1 + rng.below((1 << slots) - 1),
        };
        let mut token = |slot: u32| (mask >> slot & 1 == 1).then(|| rng.below(spec.vocab as u64));
        let tokens: Vec<_> = (0..slots).map(|slot| token(slot).map(|token| token as u32)).collect();
        let chain = step % 2 == 1;
        let want = [Want::Top, Want::Logits, Want::State][step % 3];
        let count = if step == 0 { 3 } else { 1 };
        let batch = Batch { tokens, chain, want, count, stops: vec![] };
        session.batch(&batch).unwrap();
        let report = session.report();
        assert_eq!(report.mismatches, 0, "{batch:?}: {:?}", report.first_mismatch);
    }
    for slot in 0..slots as usize {
        session.move_state(slot, slot).unwrap();
    }
    sound(&mut session);
}

#[test]
fn two_slots() {
    goes_on(64, 2, Stalls::None);
}

#[test]
fn four_slots() {
    goes_on(128, 4, Stalls::Random);
}

#[test]
fn eight_slots() {
    goes_on(64, 8, Stalls::Burst);
}

/// A slot that stops leaves the run, and the others go on.
#[test]
fn slots_stop_by_themselves() {
    let (mut session, spec) = session(64, 2, Stalls::None);
    let vocab = spec.vocab as u32;
    let run = |session: &mut Session, stops: Vec<u32>| {
        session.clear_slots(3).unwrap();
        let tokens = vec![Some(1), Some(vocab - 1)];
        let batch = Batch { tokens, chain: false, want: Want::Top, count: 6, stops };
        let best = session.batch(&batch).unwrap();
        sound(session);
        best
    };
    // What each says in its first pass and in its last.
    session.clear_slots(3).unwrap();
    let first = |token| Batch {
        tokens: vec![Some(1), Some(token)],
        chain: false,
        want: Want::Top,
        count: 1,
        stops: vec![],
    };
    let [a, b] = session.batch(&first(vocab - 1)).unwrap()[..] else { panic!("two slots") };
    let last = run(&mut session, vec![]);
    assert_eq!(run(&mut session, vec![a.unwrap()])[0], a, "slot 0 stops at once");
    assert_eq!(run(&mut session, vec![b.unwrap()])[1], b, "slot 1 stops at once");
    assert_eq!(run(&mut session, vec![a.unwrap(), b.unwrap()]), [a, b], "both do");
    assert_eq!(run(&mut session, vec![vocab]), last, "none does");
}

/// Masks, chains and states that a core cannot obey.
#[test]
fn what_cannot_be_obeyed_is_refused() {
    let (mut session, _) = session(64, 2, Stalls::None);
    let card = session.card().transport();
    let mut faults = String::new();
    // What is written, the command, and what states are valid before: cleared by this mask.
    let mut give = |what: &str, cleared: u32, [mode, count, mask]: [u32; 3], command: u32| {
        let set = |card: &mut SimCard, reg: &Reg, value| {
            card.write_register(reg.offset, value).unwrap();
        };
        let obey = |card: &mut SimCard, command| {
            set(card, &regs::COMMAND, command);
            loop {
                let status = card.read_register(regs::STATUS.offset).unwrap();
                if status & (regs::status::BUSY | regs::status::DRAINING) == 0 {
                    return status;
                }
                assert!(card.wait(0).unwrap());
            }
        };
        obey(card, regs::command::RESET);
        if cleared > 0 {
            set(card, &regs::SLOT_MASK, cleared);
            obey(card, regs::command::CLEAR);
        }
        for (reg, value) in [(&regs::MODE, mode), (&regs::COUNT, count), (&regs::SLOT_MASK, mask)] {
            set(card, reg, value);
        }
        for token in &regs::TOKENS[..2] {
            set(card, token, 5);
        }
        let before = card.read_register(regs::STATUS.offset).unwrap();
        let status = obey(card, command);
        let error = card.read_register(regs::ERROR.offset).unwrap();
        let fault = Fault::from_code(error as u8);
        faults += &format!(
            "{what}: {}, state valid {} -> {}\n",
            fault.map_or("obeyed".into(), |fault| format!("{fault:?}")),
            before >> 3 & 1,
            status >> 3 & 1,
        );
    };
    use regs::command::{CLEAR, LOAD, RUN, SAVE};
    let chain = regs::mode::CHAIN;
    give("both of two", 3, [0, 1, 3], RUN);
    give("no slot", 3, [0, 1, 0], RUN);
    give("a slot that is not there", 3, [0, 1, 4], RUN);
    give("one that is, and one that is not", 3, [0, 1, 5], RUN);
    give("clear of no slot", 3, [0, 1, 0], CLEAR);
    give("clear of one that is not there", 3, [0, 1, 0x80], CLEAR);
    give("save of no slot", 3, [0, 1, 0], SAVE);
    give("load of one that is not there", 3, [0, 1, 4], LOAD);
    give("a chain of two passes", 3, [chain, 2, 3], RUN);
    give("two passes", 3, [0, 2, 3], RUN);
    give("slot 1 without a state", 1, [0, 1, 3], RUN);
    give("slot 0 without a state", 2, [0, 1, 3], RUN);
    give("slot 0 alone", 1, [0, 1, 1], RUN);
    give("slot 1 alone", 2, [0, 1, 2], RUN);
    give("a chain whose first has a state", 1, [chain, 1, 3], RUN);
    give("a chain whose second has one", 2, [chain, 1, 3], RUN);
    give("save of the first that has one", 1, [0, 1, 3], SAVE);
    give("save of the first that has none", 2, [0, 1, 3], SAVE);
    insta::assert_snapshot!(faults);
}
