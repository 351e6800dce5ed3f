//! Nothing of an image or of golden's arithmetic changes unnoticed.
//!
//! Files and cores outlive a version of this crate: what is printed here may differ only where
//! docs/image-format.md or docs/numerics.md does.

mod common;

use std::fmt::Write;
use std::fs;
use std::sync::Arc;

use common::Desk;
use safetensors::SafeTensors;
use sterna_firmware::compile::{Progress, compile};
use sterna_firmware::device::{Device, Head, State, Step, Want};
use sterna_firmware::golden::{Golden, Observation};
use sterna_firmware::inspect::Report;
use sterna_firmware::model::Model;
use sterna_model::Checkpoint;
use sterna_model::synth::{Channels, SynthSpec};

/// The trained demo, and one with what it has not: no lower bounds, an inner width of its own,
/// a vocabulary that fills no group and has more rows than are read at a time, and channels far
/// above the others.
fn models() -> [(&'static str, Arc<Model>); 2] {
    let desk = Desk::of(&SynthSpec {
        expand: 2,
        intermediate: Some(96),
        lower_bounds: false,
        channels: Channels::Outliers,
        ..SynthSpec::new(64, 3, 603)
    });
    [("tiny", common::tiny()), ("synthetic", desk.open(&desk.good).unwrap())]
}

#[test]
fn an_image_keeps_its_bytes() {
    let mut text = String::new();
    for (name, model) in models() {
        let report = Report { file: name.into(), ..Report::new(&model, 10.0) };
        writeln!(text, "{report}\n").unwrap();
    }
    insta::assert_snapshot!(text);
}

/// Checksums of all that golden shows, an opcode a line, over a few passes of two sequences.
#[test]
fn golden_keeps_its_bits() {
    let mut text = String::new();
    for (name, model) in models() {
        let vocab = model.shape().vocab as u32;
        let mut golden = Golden::new(Arc::clone(&model), 2).unwrap();
        let mut seen: Vec<(&str, u32)> = vec![];
        let mut observer = |of: Observation<'_>| {
            let opcode = of.segment.instruction.opcode.name();
            let at = seen.iter().position(|(name, _)| *name == opcode).unwrap_or(seen.len());
            if at == seen.len() {
                seen.push((opcode, 0));
            }
            let Observation { step, slot, codes, scale, rescale, output, statistics, .. } = of;
            let all =
                format!("{step} {slot} {codes:?} {scale:?} {rescale:?} {output:?} {statistics:?}");
            seen[at].1 = crc32c::crc32c_append(seen[at].1, all.as_bytes());
        };
        let mut heads: Vec<Head> = vec![];
        for n in 0..12 {
            let step = |slot: usize| Step {
                slot,
                token: (n * 37 + slot as u32 * 11 + 1) % vocab,
                want: if n == 11 { Want::Logits } else { Want::State },
            };
            let steps = [step(0), step(1)];
            heads = golden.observe(&steps[..1 + n as usize % 2], &mut observer).unwrap();
        }
        writeln!(text, "{name}").unwrap();
        for (opcode, crc) in seen {
            writeln!(text, "  {opcode:<6} {crc:08x}").unwrap();
        }
        for (slot, head) in heads.iter().enumerate() {
            let best: Vec<(u32, f32)> = head.top[..5].iter().map(|c| (c.token, c.logit)).collect();
            let bytes: Vec<u8> = head.logits.iter().flat_map(|l| l.to_le_bytes()).collect();
            let logits = crc32c::crc32c(&bytes);
            let State::Fixed(state) = golden.save(slot).unwrap() else { panic!("not golden's") };
            let bytes: Vec<u8> = state.iter().flat_map(|v| v.to_le_bytes()).collect();
            let state = crc32c::crc32c(&bytes);
            writeln!(text, "  sequence {slot}: state {state:08x}, logits {logits:08x}").unwrap();
            writeln!(text, "    best {best:?}").unwrap();
        }
        writeln!(text, "  {} clamped", golden.saturations()).unwrap();
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_compilation_says_how_far_it_is() {
    let desk = Desk::of(&SynthSpec::new(32, 2, 603));
    let checkpoint = Checkpoint::open(&desk.checkpoint()).unwrap();
    let mut told = vec![];
    let mut note = |of: Progress<'_>| told.push((of.done, of.total));
    let shape = compile(&checkpoint, &desk.path(), &mut note).unwrap().shape;
    // Every matrix once, the table twice: for its maxima and for its rows.
    let total = shape.weights() + 2 * 603 * 32;
    assert!(told.iter().all(|(_, of)| *of == total));
    assert!(told.is_sorted_by(|a, b| a.0 < b.0) && told[0].0 == 512 * 32);
    assert_eq!(told.last().unwrap().0, total);
}

/// What each layer may add counts: the deeper a model, the coarser the unit of its residual.
#[test]
fn a_deep_model_has_a_coarser_residual() {
    let of = |layers| {
        let desk = Desk::of(&SynthSpec::new(32, layers, 11));
        // Gains that let a layer say much: 50 each, in bf16.
        let path = desk.checkpoint().join("model.safetensors");
        let mut bytes = fs::read(&path).unwrap();
        let (header, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
        for (name, tensor) in metadata.tensors() {
            if name.ends_with("down_proj.norm.weight") {
                let (from, to) = tensor.data_offsets;
                bytes[8 + header + from..8 + header + to]
                    .chunks_exact_mut(2)
                    .for_each(|gain| gain.copy_from_slice(&0x4248u16.to_le_bytes()));
            }
        }
        fs::write(&path, bytes).unwrap();
        let checkpoint = Checkpoint::open(&desk.checkpoint()).unwrap();
        compile(&checkpoint, &desk.path(), &mut |_| ()).unwrap().residual_frac
    };
    assert_eq!([40, 200].map(of), [21, 20]);
}
