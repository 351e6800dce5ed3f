//! The driver over a core without hardware: golden's answers, and a core's faults.

use std::ops::ControlFlow;
use std::sync::Arc;

use sterna_firmware::compile::compile;
use sterna_firmware::device::{Device, Head, Step, Want};
use sterna_firmware::geometry::Geometry;
use sterna_firmware::golden::Golden;
use sterna_firmware::model::Model;
use sterna_hdl::driver::{Card, Settings, Transport};
use sterna_hdl::fault::Fault;
use sterna_hdl::registers::{self as regs, command, mode, status};
use sterna_model::checkpoint::Checkpoint;
use sterna_model::synth::{self, SynthSpec};
use sterna_sim::soft_core::{Arithmetic, SoftCore};

const BYTES: u64 = 1 << 20;

fn model(seed: u64) -> Arc<Model> {
    let directory = tempfile::tempdir().unwrap();
    let checkpoint = directory.path().join("checkpoint");
    let spec = SynthSpec { seed, ..SynthSpec::new(64, 2, 101) };
    synth::write(&spec, &checkpoint, &mut |_, _| ()).unwrap();
    let path = directory.path().join("model.sterna");
    compile(&Checkpoint::open(&checkpoint).unwrap(), &path, &mut |_| ()).unwrap();
    Model::open(&path).unwrap()
}

fn core(model: &Model, top_k: u32, arithmetic: Arithmetic) -> SoftCore {
    let geometry = Geometry { top_k, ..Geometry::for_shape(64, &model.shape()) };
    SoftCore::new(&geometry, BYTES, arithmetic)
}

fn card(core: SoftCore, model: &Arc<Model>, slots: usize) -> Card<SoftCore> {
    let settings = Settings { slots, ..Settings::default() };
    Card::open(core, "soft", Arc::clone(model), &settings).unwrap()
}

fn step(slot: usize, token: u32, want: Want) -> Step {
    Step { slot, token, want }
}

fn generate(device: &mut dyn Device, count: usize, stops: &[u32]) -> Vec<Head> {
    let mut heads = vec![];
    device.clear(0).unwrap();
    let mut each = |head| {
        heads.push(head);
        ControlFlow::Continue(())
    };
    device.generate(0, 3, count, stops, &mut each).unwrap();
    heads
}

#[test]
fn it_is_golden() {
    let models = [model(1), model(2)];
    for top_k in [1, 64] {
        let mut core = core(&models[0], top_k, Arithmetic::Golden);
        // One model after the other in the same memory.
        for model in &models {
            let mut card = card(core, model, 3);
            let mut golden = Golden::new(Arc::clone(model), 3).unwrap();
            for n in 0..12u32 {
                let want = |k: u32| [Want::State, Want::Top, Want::Logits][((n + k) % 3) as usize];
                let steps =
                    [step(1, n * 7 % 101, want(0)), step(0, n, want(1)), step(2, 9, want(2))];
                assert_eq!(card.pass(&steps).unwrap(), golden.pass(&steps).unwrap(), "pass {n}");
            }
            for slot in 0..3 {
                assert_eq!(card.state(slot).unwrap(), golden.state(slot));
            }
            let heads = generate(&mut golden, 100, &[]);
            let best = |heads: &[Head]| heads.iter().map(|h| h.top[0].token).collect::<Vec<_>>();
            assert_eq!(best(&generate(&mut card, 100, &[])), best(&heads));
            let stop = heads[7].top[0].token;
            let expected = best(&generate(&mut golden, 100, &[stop]));
            assert_eq!(best(&generate(&mut card, 100, &[stop])), expected);
            let counters = card.counters().unwrap();
            assert!(counters.cycles > 0 && counters.cycles == counters.beats);
            core = card.into_transport();
        }
    }
}

#[test]
fn it_stops_with_the_faults_of_a_core() {
    let model = model(1);
    let mut card = card(core(&model, 64, Arithmetic::Golden), &model, 1);
    let map = card.map().clone();
    let top = [step(0, 5, Want::Top)];
    card.pass(&top).unwrap();
    let glu = model.image().segments()[5].instruction;
    for (at, code) in [
        (map.image + glu.payload_offset() as u64 + 1, "C106"),
        (map.image + glu.offset as u64 + 9, "C101"),
        (map.embeddings + 5 * model.shape().row_stride() as u64, "C108"),
    ] {
        let mut byte = [0];
        card.transport().read_memory(at, &mut byte).unwrap();
        card.transport().write_memory(at, &[byte[0] ^ 1]).unwrap();
        assert_eq!(card.pass(&top).unwrap_err().code(), code);
        card.clear(0).unwrap();
        card.pass(&top).unwrap();
    }
    // Somebody else configures it, or it stops by itself.
    card.transport().power_up();
    assert_eq!(card.pass(&top).unwrap_err().code(), "C016");
    card.clear(0).unwrap();
    card.pass(&top).unwrap();
    let core = card.transport();
    core.write_register(regs::COMMAND.offset, command::RUN).unwrap();
    assert!(core.is_busy());
    core.fail(Fault::Watchdog, 3);
    assert_eq!(core.read_register(regs::STATUS.offset).unwrap(), status::FAILED);
    assert_eq!(core.read_register(regs::ERROR.offset).unwrap(), 11);
    for (offset, value) in [(0, 1), (0x03c, 1), (regs::STATUS.offset, 0)] {
        assert_eq!(core.write_register(offset, value).unwrap_err().code(), "S017");
    }
    assert_eq!(core.read_register(0x03c).unwrap_err().code(), "S017");
    assert_eq!(core.write_memory(BYTES - 1, &[0; 2]).unwrap_err().code(), "S019");
}

/// What the manual says of masks, chains and valid states.
#[test]
fn slots_have_states_of_their_own() {
    let model = model(1);
    let geometry = Geometry::for_shape(64, &model.shape()).with_slots(2);
    // The driver leaves the model in memory, and the registers that say where.
    let mut core =
        card(SoftCore::new(&geometry, BYTES, Arithmetic::Golden), &model, 1).into_transport();
    // STATUS and ERROR after a command.
    let mut give = |mask: u32, modes: u32, count: u32, command: u32| {
        for (reg, value) in [(regs::SLOT_MASK, mask), (regs::MODE, modes), (regs::COUNT, count)] {
            core.write_register(reg.offset, value).unwrap();
        }
        core.write_register(regs::COMMAND.offset, command).unwrap();
        while core.is_busy() {
            core.wait(0).unwrap();
        }
        let read = [regs::STATUS, regs::ERROR].map(|reg| core.read_register(reg.offset).unwrap());
        (read[0], read[1] as u8)
    };
    let (done, valid, failed) = (status::DONE, status::STATE_VALID, status::FAILED);
    let (illegal, stale) = (Fault::Command as u8, Fault::StateInvalid as u8);
    let (run, clear, save) = (command::RUN, command::CLEAR, command::SAVE);
    give(1, 0, 1, command::RESET);
    for (mask, modes, count, command, expected) in [
        // Slots that are not there, or none.
        (0, 0, 1, clear, (failed, illegal)),
        (4, 0, 1, clear, (failed, illegal)),
        (7, 0, 1, run, (failed, illegal)),
        (1, 0, 1, run, (failed, stale)),
        (1, 0, 1, clear, (done | valid, 0)),
        // One of two has no state, and then none has.
        (3, 0, 1, run, (failed, stale)),
        (1, 0, 1, run, (failed, stale)),
        (1, 0, 1, clear, (done | valid, 0)),
        // A chain has one pass, and a state in its lowest slot.
        (3, mode::CHAIN, 2, run, (failed, illegal)),
        (1, 0, 2, run, (done | valid, 0)),
        (3, mode::CHAIN, 1, run, (done, 0)),
        (1, 0, 1, save, (done | valid, 0)),
        (2, mode::CHAIN, 1, run, (failed, stale)),
        (3, 0, 1, clear, (done | valid, 0)),
        (2, mode::CHAIN, 1, run, (done | valid, 0)),
        (3, 0, 3, run, (done | valid, 0)),
        (2, 0, 1, save, (done | valid, 0)),
    ] {
        let found = give(mask, modes, count, command);
        assert_eq!(found, expected, "mask {mask}, mode {modes}, {count} passes, command {command}");
    }
    // A core of one slot has no registers of a second.
    let mut one = self::core(&model, 64, Arithmetic::Golden);
    for reg in [regs::TOKEN_1, regs::LAST_TOKEN_1] {
        assert!(core.read_register(reg.offset).is_ok());
        assert_eq!(one.read_register(reg.offset).unwrap_err().code(), "S017");
    }
}

#[test]
fn canned_answers_come_at_once() {
    let model = model(1);
    let mut card = card(core(&model, 64, Arithmetic::Canned), &model, 1);
    let best: Vec<u32> =
        generate(&mut card, 100, &[]).iter().map(|head| head.top[0].token).collect();
    assert_eq!(best, (4..104).map(|n| n % 101).collect::<Vec<_>>());
    assert_eq!(generate(&mut card, 100, &[7]).len(), 4);
    card.pass(&[step(0, 1, Want::State)]).unwrap();
    assert_eq!(card.pass(&[step(0, 1, Want::Top)]).unwrap()[0].top[0].token, 2);
}

/// A memory that is too small for the model: whatever the ring, golden's answers.
#[test]
fn a_model_streams_through_a_small_memory() {
    let model = model(3);
    let geometry = Geometry::for_shape(64, &model.shape());
    for (bytes, ring) in [(64 << 10, 8 << 10), (80 << 10, 16 << 10)] {
        let core = SoftCore::new(&geometry, bytes, Arithmetic::Golden);
        let refused = Card::open(core, "soft", Arc::clone(&model), &Settings::default());
        assert_eq!(refused.map(|_| ()).unwrap_err().code(), "C005");
        let core = SoftCore::new(&geometry, bytes, Arithmetic::Golden);
        let settings = Settings { slots: 2, stream: true, ..Settings::default() };
        let mut card = Card::open(core, "soft", Arc::clone(&model), &settings).unwrap();
        assert_eq!(card.map().ring, Some(ring));
        let mut golden = Golden::new(Arc::clone(&model), 2).unwrap();
        for n in 0..9u32 {
            let want = |k: u32| [Want::State, Want::Top, Want::Logits][((n + k) % 3) as usize];
            let steps = [step(1, n * 7 % 101, want(0)), step(0, 100 - n, want(1))];
            assert_eq!(card.pass(&steps).unwrap(), golden.pass(&steps).unwrap(), "pass {n}");
        }
        assert_eq!(generate(&mut card, 70, &[5]), generate(&mut golden, 70, &[5]));
        let sent = card.streamed().unwrap();
        assert!(sent > ring && sent > model.image().bytes().len() as u64);
        card.reset().unwrap();
        let golden_again = generate(&mut golden, 3, &[]);
        assert_eq!(generate(&mut card, 3, &[]), golden_again);
    }
    // One that is large enough is not streamed through.
    let core = SoftCore::new(&geometry, BYTES, Arithmetic::Golden);
    let settings = Settings { stream: true, ..Settings::default() };
    let card = Card::open(core, "soft", model, &settings).unwrap();
    assert_eq!((card.map().ring, card.streamed()), (None, None));
}
