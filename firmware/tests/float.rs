//! The float device does what every device does, one sequence or several.

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

fn step(slot: usize, token: u32, want: Want) -> Step {
    Step { slot, token, want }
}

#[test]
fn sequences_that_share_a_pass_are_as_alone() {
    let model = model();
    let mut together = Float::new(Arc::clone(&model), 3).unwrap();
    let mut alone = Float::new(Arc::clone(&model), 3).unwrap();
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
        assert_eq!(logits.top[0].logit, logits.logits.iter().copied().fold(f32::MIN, f32::max));
    }
}

#[test]
fn a_state_is_saved_restored_and_cleared() {
    let model = model();
    let mut float = Float::new(Arc::clone(&model), 2).unwrap();
    assert_eq!((float.name(), float.slots(), float.saturations()), ("float", 2, 0));
    assert_eq!(float.shape(), model.shape());
    let next = |float: &mut Float, slot| {
        let head = &float.pass(&[step(slot, 9, Want::Logits)]).unwrap()[0];
        head.logits.clone()
    };
    let fresh = next(&mut float, 0);
    let state = float.save(0).unwrap();
    assert_eq!(state.elements(), model.shape().state());
    let second = next(&mut float, 0);
    assert_ne!(fresh, second, "the state matters");
    float.restore(1, &state).unwrap();
    assert_eq!(next(&mut float, 1), second);
    float.clear(1).unwrap();
    assert_eq!(next(&mut float, 1), fresh);
    let short = State::Float(vec![0.0; model.shape().state() - 1]);
    let golden = Golden::new(Arc::clone(&model), 1).unwrap().save(0).unwrap();
    for wrong in [short, golden] {
        assert_eq!(float.restore(0, &wrong).unwrap_err().code(), "F018");
    }
}
