//! Both devices in software do what every device does, one sequence or several.

mod common;

use std::sync::Arc;

use common::Desk;
use sterna_firmware::device::{Device, State, Step, Want};
use sterna_firmware::float::Float;
use sterna_firmware::golden::Golden;
use sterna_firmware::model::Model;
use sterna_model::synth::SynthSpec;

fn model() -> Arc<Model> {
    let desk = Desk::of(&SynthSpec { intermediate: Some(96), ..SynthSpec::new(64, 2, 203) });
    desk.open(&desk.good).unwrap()
}

fn devices(model: &Arc<Model>, slots: usize) -> [Box<dyn Device>; 2] {
    [
        Box::new(Golden::new(Arc::clone(model), slots).unwrap()),
        Box::new(Float::new(Arc::clone(model), slots).unwrap()),
    ]
}

fn step(slot: usize, token: u32, want: Want) -> Step {
    Step { slot, token, want }
}

#[test]
fn sequences_that_share_a_pass_are_as_alone() {
    let model = model();
    for (mut together, mut alone) in devices(&model, 3).into_iter().zip(devices(&model, 3)) {
        for n in 0..5 {
            let steps = [
                step(2, 7 * n + 1, Want::Logits),
                step(0, 11 * n + 2, Want::State),
                step(1, 13 * n + 3, Want::Top),
            ];
            let heads = together.pass(&steps).unwrap();
            for (step, head) in steps.iter().zip(&heads) {
                assert_eq!(&alone.pass(&[*step]).unwrap()[0], head);
            }
            let [logits, state, top] = &heads[..] else { panic!("three steps") };
            assert!(state.top.is_empty() && state.logits.is_empty() && top.logits.is_empty());
            assert_eq!((logits.logits.len(), logits.top.len(), top.top.len()), (203, 64, 64));
            assert!(logits.top.is_sorted_by(|a, b| a.logit >= b.logit));
            let most = logits.logits.iter().copied().fold(f32::MIN, f32::max);
            assert_eq!(logits.top[0].logit, most);
        }
    }
}

#[test]
fn a_state_is_saved_restored_and_cleared() {
    let model = model();
    let next = |device: &mut dyn Device, slot| {
        device.pass(&[step(slot, 9, Want::Logits)]).unwrap()[0].logits.clone()
    };
    let mut states = vec![];
    for mut device in devices(&model, 2) {
        let device = &mut *device;
        assert_eq!((device.slots(), device.saturations()), (2, 0));
        assert_eq!(device.shape(), model.shape());
        let fresh = next(device, 0);
        let state = device.save(0).unwrap();
        assert_eq!(state.elements(), model.shape().state());
        let second = next(device, 0);
        assert_ne!(fresh, second, "the state matters");
        device.restore(1, &state).unwrap();
        assert_eq!(next(device, 1), second);
        device.clear(1).unwrap();
        assert_eq!(next(device, 1), fresh);
        states.push(state);
    }
    // Neither takes the other's, nor one of another length.
    let short = model.shape().state() - 1;
    let wrong = [
        [states[1].clone(), State::Fixed(vec![0; short])],
        [states[0].clone(), State::Float(vec![0.0; short])],
    ];
    for ((mut device, wrong), name) in
        devices(&model, 2).into_iter().zip(wrong).zip(["golden", "float"])
    {
        assert_eq!(device.name(), name);
        let before = device.save(0).unwrap();
        for state in wrong {
            assert_eq!(device.restore(0, &state).unwrap_err().code(), "F018");
            assert_eq!(device.restore(2, &before).unwrap_err().code(), "F012");
            assert_eq!(device.save(0).unwrap(), before);
        }
        assert_eq!(device.save(2).unwrap_err().code(), "F012");
    }
}
