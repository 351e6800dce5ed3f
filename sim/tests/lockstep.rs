//! The checker, with events by hand.

use sterna_firmware::isa::Opcode;
use sterna_model::numerics::{Rescale, Scale, Statistics};
use sterna_sim::lockstep::{Checker, Event, Expected, Pass, Report};

fn pass() -> Pass {
    let of = |sequence, opcode, codes: &[i8], output: &[i32], statistics| Expected {
        sequence,
        opcode,
        layer: 0,
        codes: codes.to_vec(),
        scale: Scale::from_int(3),
        rescale: Rescale::new(Scale::from_int(3)),
        output: output.to_vec(),
        statistics,
    };
    let statistics = Statistics { a: Scale::from_int(5), b: Scale::ZERO, max: [7, 8, 9] };
    Pass {
        instructions: vec![
            of(1, Opcode::MixI, &[1, 2, 3, 4], &[10, -20], None),
            of(6, Opcode::Down, &[5, 6], &[30, 40], Some(statistics)),
            of(7, Opcode::Head, &[7, 8], &[50, 60, 70], None),
        ],
        layers: 1,
    }
}

fn scale() -> Event<'static> {
    Event::Scale([3 << 15, 15, 3 << 22, -22])
}

fn statistics(maxima: [i64; 3]) -> Event<'static> {
    let [x, y, z] = maxima;
    Event::Statistics([5 << 21, -21, 0, 0, x, y, z])
}

/// What a core without a fault says.
fn sound() -> Vec<Event<'static>> {
    vec![
        scale(),
        Event::Codes(&[1, 2]),
        Event::Codes(&[3, 4]),
        Event::Output(&[10, -20]),
        scale(),
        // Codes of the next instruction before the outputs of this one.
        Event::Codes(&[5, 6]),
        Event::Output(&[30]),
        Event::Output(&[40]),
        // The last layer has one maximum.
        statistics([7, 0, 0]),
        Event::Scale([0, 0, 3 << 22, -22]),
        Event::Codes(&[7, 8]),
        Event::Head(50),
        Event::Head(60),
        Event::Head(70),
    ]
}

fn check(events: &[Event<'_>]) -> Report {
    let (passes, mut checker) = (vec![Some(pass())], Checker::default());
    for (clock, &event) in events.iter().enumerate() {
        checker.event(Some(&passes), 0, event, clock as u64);
    }
    checker.end(&passes, 99);
    checker.report().clone()
}

#[test]
fn a_sound_core_passes() {
    let report = check(&sound());
    let counts = (report.tokens, report.instructions, report.vectors, report.mismatches);
    assert_eq!(counts, (1, 3, 3 + 3 + 3 + 1, 0), "{report:?}");
}

#[test]
fn the_first_difference_is_named() {
    // Which event, in its place, and what is said: vector, element, expected, got, count.
    type Found = (&'static str, usize, Option<i64>, Option<i64>, u64);
    let cases: [(usize, Event<'_>, Found); 7] = [
        (2, Event::Codes(&[3, -4]), ("codes", 3, Some(4), Some(-4), 1)),
        (3, Event::Output(&[11, -21]), ("a", 0, Some(10), Some(11), 2)),
        (7, Event::Output(&[41]), ("residual", 1, Some(40), Some(41), 1)),
        (0, Event::Scale([3 << 15, 16, 3 << 22, -22]), ("rescale", 1, Some(15), Some(16), 1)),
        (9, Event::Scale([0, 0, 3 << 22, -21]), ("scale", 1, Some(-22), Some(-21), 1)),
        (8, statistics([6, 0, 0]), ("statistics", 4, Some(7), Some(6), 1)),
        (12, Event::Head(61), ("accumulators", 1, Some(60), Some(61), 1)),
    ];
    for (at, event, (vector, element, expected, got, count)) in cases {
        let mut events = sound();
        events[at] = event;
        let report = check(&events);
        let first = report.first_mismatch.unwrap();
        let found = (first.vector, first.element, first.expected, first.got, first.clock);
        assert_eq!(found, (vector, element, expected, got, at as u64));
        assert_eq!(report.mismatches, count);
    }
}

#[test]
fn what_is_missing_or_too_much_is_a_mismatch() {
    let mut events = sound();
    events.remove(13);
    let first = check(&events).first_mismatch.unwrap();
    let found = (first.vector, first.element, first.expected, first.got, first.clock);
    assert_eq!(found, ("accumulators", 2, Some(70), None, 99));
    let mut events = sound();
    events.remove(5);
    // The head's codes come in the place of the missing ones.
    let report = check(&events);
    assert_eq!(report.mismatches, 4, "{report:?}");
    let mut events = sound();
    events.push(Event::Head(80));
    let report = check(&events);
    let first = report.first_mismatch.unwrap();
    assert_eq!(
        (first.opcode, first.element, first.expected, first.got),
        ("HEAD", 3, None, Some(80))
    );
    assert_eq!(report.mismatches, 1);
    // Nothing at all.
    assert_eq!(check(&[]).mismatches, 8 + 3 + 4 + 3 + 1);
}
