//! What every device does by itself, as far as it does not do it in its own way.

mod common;

use std::ops::ControlFlow;

use common::{Desk, seal_header, set_word, word};
use sterna_firmware::device::{Device, Head, State, Step, Want};
use sterna_firmware::file::SectionKind;
use sterna_firmware::golden::Golden;
use sterna_model::synth::SynthSpec;

fn golden(slots: usize) -> Golden {
    let desk = Desk::of(&SynthSpec::new(64, 2, 50));
    Golden::new(desk.open(&desk.good).unwrap(), slots).unwrap()
}

/// The best tokens, one pass each.
fn by_hand(golden: &mut Golden, slot: usize, token: u32, count: usize) -> Vec<u32> {
    let mut token = token;
    let next = |_| {
        token = golden.pass(&[Step { slot, token, want: Want::Top }]).unwrap()[0].top[0].token;
        token
    };
    (0..count).map(next).collect()
}

/// What a device gives out for each start, by its place.
fn told(
    golden: &mut Golden,
    starts: &[(usize, u32)],
    count: usize,
    stops: &[u32],
) -> Vec<Vec<u32>> {
    let mut tokens = vec![vec![]; starts.len()];
    let mut emit = |n: usize, head: Head| {
        tokens[n].push(head.top[0].token);
        ControlFlow::Continue(())
    };
    golden.generate_all(starts, count, stops, &mut emit).unwrap();
    tokens
}

#[test]
fn the_best_token_enters_next() {
    let mut golden = golden(3);
    let (a, b) = (by_hand(&mut golden, 0, 7, 12), by_hand(&mut golden, 1, 9, 12));
    golden.reset().unwrap();
    assert_eq!(told(&mut golden, &[(2, 7), (0, 9)], 12, &[]), [a.clone(), b.clone()]);
    golden.reset().unwrap();
    let mut tokens = vec![];
    let mut emit = |head: Head| {
        tokens.push(head.top[0].token);
        ControlFlow::Continue(())
    };
    golden.generate(1, 7, 12, &[], &mut emit).unwrap();
    assert_eq!(tokens, a);
    // After the end of one the others go on; the token that ends it is given out.
    golden.reset().unwrap();
    let stop = a[4];
    let until = |tokens: &[u32]| {
        let end = tokens.iter().position(|&token| token == stop).map_or(12, |at| at + 1);
        tokens[..end].to_vec()
    };
    assert_eq!(told(&mut golden, &[(0, 7), (1, 9)], 12, &[49, stop]), [until(&a), until(&b)]);
    assert!(told(&mut golden, &[], 12, &[]).is_empty());
    assert_eq!(told(&mut golden, &[(0, 7)], 0, &[]), [vec![0; 0]]);
}

#[test]
fn who_has_enough_breaks_off() {
    let mut golden = golden(2);
    let mut left = 3;
    let mut emit = |_: usize, _: Head| {
        left -= 1;
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    golden.generate_all(&[(0, 1), (1, 2)], 50, &[], &mut emit).unwrap();
    assert_eq!(left, 0);
}

#[test]
fn starts_are_checked_before_anything_changes() {
    let mut golden = golden(2);
    by_hand(&mut golden, 0, 7, 3);
    let before = golden.save(0).unwrap();
    let mut emit = |_: usize, _: Head| panic!("nothing may come");
    for (starts, code) in
        [([(0, 1), (2, 1)], "F012"), ([(0, 1), (0, 2)], "F013"), ([(0, 1), (1, 50)], "F011")]
    {
        let error = golden.generate_all(&starts, 2, &[], &mut emit).unwrap_err();
        assert_eq!(error.code(), code);
        // Even if nothing is to come of them.
        assert_eq!(golden.generate_all(&starts, 0, &[], &mut emit).unwrap_err().code(), code);
        assert_eq!(golden.save(0).unwrap(), before);
    }
}

#[test]
fn golden_shows_and_takes_a_bare_state() {
    let mut golden = golden(2);
    by_hand(&mut golden, 0, 7, 3);
    let state = golden.state(0).to_vec();
    assert_eq!(golden.save(0).unwrap(), State::Fixed(state.clone()));
    golden.set_state(1, &state);
    assert_eq!(golden.state(1), state);
    assert_eq!(by_hand(&mut golden, 0, 7, 3), by_hand(&mut golden, 1, 7, 3));
}

#[test]
fn reset_clears_every_sequence() {
    let mut golden = golden(3);
    let fresh = golden.save(0).unwrap();
    for slot in 0..3 {
        by_hand(&mut golden, slot, 7, 2);
        assert_ne!(golden.save(slot).unwrap(), fresh);
    }
    golden.reset().unwrap();
    for slot in 0..3 {
        assert_eq!(golden.save(slot).unwrap(), fresh);
    }
    assert_eq!(golden.retries(), 0);
}

/// A scale that is 2^20 times too large makes every sequence clamp what it mixes in.
#[test]
fn what_is_clamped_is_counted() {
    let desk = Desk::of(&SynthSpec::new(64, 2, 50));
    let mut parts = desk.parts();
    let image = parts.section(SectionKind::Image);
    let mix_i = &desk.walk()[1];
    let rescale = mix_i.offset + 40;
    let scale = word(image, rescale);
    set_word(image, rescale, scale.wrapping_add(20 << 24));
    seal_header(image, mix_i);
    let model = desk.open(&parts.bytes()).unwrap();
    let mut golden = Golden::new(model, 3).unwrap();
    by_hand(&mut golden, 0, 7, 1);
    let one = golden.saturations();
    assert!((1..=64).contains(&one), "{one} of 64 values");
    by_hand(&mut golden, 1, 7, 1);
    assert_eq!(golden.saturations(), 2 * one);
    golden.clear(0).unwrap();
    assert_eq!(golden.saturations(), 2 * one, "since it was made");
}

#[test]
fn threads_are_as_many_as_asked_for() {
    let mut one = golden(1).with_threads(0);
    let mut three = golden(1).with_threads(3);
    assert_eq!((one.threads(), three.threads()), (1, 3));
    assert_eq!(by_hand(&mut one, 0, 7, 5), by_hand(&mut three, 0, 7, 5));
}
