//! A token's timeline: every instruction, one layer of them, and the waits in it clock by clock.

use sterna_firmware::isa::Opcode;
use sterna_sim::timing::Clocks;

use super::waits::{Wait, layer, waits};
use super::{Plan, share};
use crate::picture::axis::Axis;
use crate::picture::drawing::{Anchor, Colour, Drawing, GREY, INK, dashed, pen};
use crate::picture::font;
use crate::picture::frame::{self, EDGE, Key, SMALL, TEXT, WIDTH};

const LEFT: f64 = EDGE + 46.0;
const RIGHT: f64 = WIDTH - EDGE;
/// Where the waits begin.
const GUTTER: f64 = EDGE + 110.0;
/// Of the bars of instructions.
const BAR: f64 = 26.0;

/// Beats.
const BEATS: Colour = 0x9b_b7d9;
/// No beat is there.
const STARVED: Colour = 0xb0_2a2a;
/// The core is not ready.
const BLOCKED: Colour = 0xd9_822b;
/// Both.
const IDLE: Colour = 0xb3_b3b3;

/// Each kind of instruction and its colour, in the order of a pass.
const KINDS: [(Opcode, Colour); 8] = [
    (Opcode::Start, 0x4a_4a4a),
    (Opcode::MixI, 0x35_67a8),
    (Opcode::MixF, 0x6f_a3c8),
    (Opcode::MixG, 0x7c_6bb0),
    (Opcode::MixO, 0xb0_8fc7),
    (Opcode::Glu, 0x3d_8b5f),
    (Opcode::Down, 0x9c_c9ae),
    (Opcode::Head, 0xc9_a227),
];

/// The picture of a token.
pub fn timeline(plan: &Plan) -> Drawing {
    let beats = plan.beats();
    let what = match plan.tokens() {
        1 => "a token".into(),
        tokens => format!("a pass of {tokens} tokens"),
    };
    let title = format!("Timeline of {what} · {}, {} bits", plan.name, plan.geometry.bus);
    let mut drawing = frame::head("timeline".into(), &title);
    let spent = &plan.pass.counters;
    let rate = plan.tokens_per_second().map(|rate| format!(", {rate:.2} tokens/s"));
    let text = format!(
        "{} clocks, a beat in {:.1} % of them; weights ÷ lanes ÷ clocks {:.1} %{} ({})",
        spent.cycles,
        100.0 * share(spent.beats, spent.cycles),
        100.0 * plan.utilisation(),
        rate.unwrap_or_default(),
        plan.evidence()
    );
    frame::line(&mut drawing, &text, INK);
    frame::note(&mut drawing, &format!("Memory: {}.", plan.behind()));
    let keys: Vec<_> =
        KINDS.iter().map(|(opcode, colour)| (Key::Area(*colour), opcode.name())).collect();
    frame::legend(&mut drawing, &keys);
    whole(&mut drawing, plan);
    let all = waits(plan, &beats, layer(plan));
    one_layer(&mut drawing, plan, &beats, &all);
    clock_by_clock(&mut drawing, plan, &beats, &all);
    drawing
}

fn colour(opcode: Opcode) -> Colour {
    KINDS.iter().find(|(kind, _)| *kind == opcode).map_or(GREY, |(_, colour)| *colour)
}

/// Of text on that colour.
fn over(opcode: Opcode) -> Colour {
    let bytes = colour(opcode).to_be_bytes().map(u32::from);
    if bytes.iter().sum::<u32>() > 0x180 { INK } else { 0xff_ffff }
}

/// A line of text over a part of the picture.
fn heading(drawing: &mut Drawing, text: &str) {
    drawing.height += 14.0;
    frame::line(drawing, text, INK);
    drawing.height += 6.0;
}

/// The whole token: its instructions, and of the clocks of each the share without a beat.
fn whole(drawing: &mut Drawing, plan: &Plan) {
    heading(drawing, "The whole token, a bar an instruction");
    let pass = &plan.pass;
    let x = Axis::until(pass.counters.cycles as f64, LEFT, RIGHT);
    let top = drawing.height;
    let mut at = 0;
    let mut parts = vec![];
    for clocks in &pass.instructions {
        let from = at;
        at += clocks.spent.cycles;
        parts.push((x.at(from as f64), x.at(at as f64), clocks));
        drawing.rect(
            (x.at(from as f64), top),
            (x.at(at as f64), top + BAR),
            colour(clocks.opcode),
            None,
        );
    }
    drawing.height += BAR + 8.0;
    frame::legend(
        drawing,
        &[
            (Key::Area(STARVED), "starved: no beat there"),
            (Key::Area(BLOCKED), "blocked: core not ready"),
            (Key::Area(IDLE), "idle: both"),
        ],
    );
    let lost = |clocks: &Clocks| {
        let spent = &clocks.spent;
        [spent.starved, spent.blocked, spent.idle].map(|part| 100.0 * share(part, spent.cycles))
    };
    let top = drawing.height + 12.0;
    let bottom = top + 70.0;
    let y = Axis::linear(parts.iter().map(|(_, _, of)| lost(of).iter().sum()), bottom, top);
    frame::upwards(drawing, &y, (LEFT, RIGHT), "% of clocks");
    frame::across(drawing, &x, (bottom - 4.0, bottom), "clocks");
    for (from, to, clocks) in parts {
        let mut low = 0.0;
        for (part, colour) in lost(clocks).into_iter().zip([STARVED, BLOCKED, IDLE]) {
            if part > 0.0 {
                drawing.rect((from, y.at(low)), (to, y.at(low + part)), colour, None);
                low += part;
            }
        }
    }
    drawing.height = bottom + 44.0;
}

/// One layer: its instructions with the clocks that each loses, and beats a clock.
fn one_layer(drawing: &mut Drawing, plan: &Plan, beats: &[u64], all: &[Wait]) {
    let layer = layer(plan);
    let of = |wait: &Wait| &plan.pass.instructions[wait.sequence];
    let (Some(first), Some(last)) = (all.first(), all.last()) else { return };
    let (begin, end) = (first.before + 1, of(last).read + 1);
    heading(
        drawing,
        &format!("Layer {layer}; below each instruction the clocks in which it takes no beat"),
    );
    let x = Axis::until((end - begin) as f64, LEFT, RIGHT);
    let at = |clock: u64| x.at((clock - begin) as f64);
    let top = drawing.height;
    for wait in all {
        let (from, to) = (at(wait.before + 1), at(of(wait).read + 1));
        drawing.rect((from, top), (to, top + BAR), colour(wait.opcode), None);
        let name = wait.opcode.name();
        if font::width(name, SMALL) + 6.0 < to - from {
            drawing.text((from + 4.0, top + 17.0), Anchor::Start, SMALL, over(wait.opcode), name);
        }
        let text = wait.lost().to_string();
        drawing.text((from, top + BAR + 15.0), Anchor::Start, SMALL, INK, &text);
    }
    let top = top + BAR + 24.0;
    let bottom = top + 46.0;
    let y = Axis::until(1.0, bottom, top);
    for (value, text) in [(0.0, "0"), (1.0, "1")] {
        drawing.text((LEFT - 7.0, y.at(value) + 4.0), Anchor::End, SMALL, INK, text);
    }
    drawing.upright((EDGE + 2.0, (top + bottom) / 2.0), TEXT, INK, "beats a clock");
    frame::across(drawing, &x, (top, bottom), "clocks from the layer's first");
    let taken = &beats[beats.partition_point(|&clock| clock < begin)..];
    let taken = &taken[..taken.partition_point(|&clock| clock < end)];
    drawing.area(steps(taken, (begin, end), &x, &y), BEATS, None);
    drawing.height = bottom + 44.0;
}

/// The outline of the beats a clock, the mean of each pixel.
fn steps(taken: &[u64], (begin, end): (u64, u64), x: &Axis, y: &Axis) -> Vec<(f64, f64)> {
    let columns = ((x.end() - x.begin()) as u64).min(end - begin).max(1);
    let mut points = vec![(x.begin(), y.begin())];
    let mut latest = None;
    for column in 0..columns {
        let place = |column: u64| begin + (end - begin) * column / columns;
        let (from, to) = (place(column), place(column + 1));
        let count = taken.partition_point(|&clock| clock < to)
            - taken.partition_point(|&clock| clock < from);
        let height = y.at(share(count as u64, to - from));
        if latest != Some(height) {
            let at = x.at((from - begin) as f64);
            points.extend(latest.map(|latest| (at, latest)));
            points.push((at, height));
            latest = Some(height);
        }
    }
    points.extend(latest.map(|latest| (x.end(), latest)));
    points.push((x.end(), y.begin()));
    points
}

/// The instructions that wait for a result, from the last beat before to the first row group.
fn clock_by_clock(drawing: &mut Drawing, plan: &Plan, beats: &[u64], all: &[Wait]) {
    heading(
        drawing,
        "The same layer's waits, clock by clock; beats in the colour of their instruction",
    );
    let waits: Vec<&Wait> = all.iter().filter(|wait| wait.synchronises()).collect();
    let longest = waits.iter().map(|wait| wait.group - wait.before).max().unwrap_or(1);
    let x = Axis::until(longest as f64 + 16.0, GUTTER, RIGHT);
    for wait in &waits {
        let top = drawing.height;
        let at = |clock: u64| x.at((clock + 8 - wait.before) as f64);
        let name = wait.opcode.name();
        drawing.text((EDGE, top + 13.0), Anchor::Start, TEXT, INK, name);
        let before = plan.pass.instructions[wait.sequence - 1].opcode;
        let from = beats.partition_point(|&clock| clock + 8 < wait.before);
        let to = beats.partition_point(|&clock| clock <= wait.group);
        for run in beats[from..to].chunk_by(|a, b| a + 1 == *b && (*a != wait.before)) {
            let colour = colour(if run[0] <= wait.before { before } else { wait.opcode });
            let (from, to) = (at(run[0]), at(run[run.len() - 1] + 1));
            drawing.rect((from, top), (to, top + 18.0), colour, None);
        }
        let marks = [wait.before, wait.result, wait.codes, wait.first];
        let what = ["result", "maxima, reciprocal", "codes"];
        let y = top + 26.0;
        for (ends, what) in marks.windows(2).zip(what) {
            if ends[1] <= ends[0] {
                continue;
            }
            let (from, to) = (at(ends[0]), at(ends[1]));
            drawing.line(vec![(from, top), (from, y + 4.0)], dashed(GREY, 0.8));
            drawing.line(vec![(from, y), (to, y)], pen(GREY, 1.0));
            let long = format!("{what} {}", ends[1] - ends[0]);
            let short = (ends[1] - ends[0]).to_string();
            let fits = |text: &&String| font::width(text, SMALL) + 4.0 < to - from;
            if let Some(text) = [&long, &short].into_iter().find(fits) {
                let place = ((from + to) / 2.0, y + 12.0);
                drawing.text(place, Anchor::Middle, SMALL, INK, text);
            }
        }
        let end = at(wait.first);
        drawing.line(vec![(end, top), (end, y + 4.0)], dashed(GREY, 0.8));
        let text = format!("lost {} + {}", wait.check + wait.wait, wait.paced);
        drawing.text((EDGE, y + 5.0), Anchor::Start, SMALL, INK, &text);
        drawing.height = y + 24.0;
    }
    let text = "result: from the last weights to the last result of the matrix before. maxima, \
                reciprocal: to the first codes of the result. codes: to the first weights. Header \
                and operands are read meanwhile. lost: clocks without a beat up to the first \
                weights, and in the first row group, for which codes come more slowly than weights.";
    frame::note(drawing, text);
    drawing.height += 10.0;
}
