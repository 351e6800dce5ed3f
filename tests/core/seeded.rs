//! Cores that were damaged on purpose: the comparison with the golden model finds each, and says
//! where.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sterna_firmware::device::Want;
use sterna_firmware::geometry::Geometry;
use sterna_firmware::model::Model;
use sterna_hdl::core::Core;
use sterna_model::synth::SynthSpec;
use sterna_rtl::{Design, Generate};
use sterna_sim::fuzz::made_up;
use sterna_sim::memory::Stalls;
use sterna_sim::{
    Batch, CardOptions, Interrupt, Options, Session, Under, VerifyOptions, verify_design,
};

use crate::common::{card_options, memory};

/// A small model.
pub fn small() -> SynthSpec {
    SynthSpec { intermediate: Some(96), ..SynthSpec::new(32, 2, 101) }
}

/// A core for it, which is compiled in little time.
pub fn core(model: &Model) -> Geometry {
    Geometry { top_k: 8, ..Geometry::for_shape(64, &model.shape()) }
}

/// The core with a piece of a module's Verilog replaced, wherever it stands in it.
pub fn damaged(geometry: &Geometry, module: &str, from: &str, to: &str) -> Design {
    let mut design = Core { geometry: geometry.clone() }.build().unwrap();
    let mut hits = 0;
    for file in design.files.iter_mut().filter(|file| file.name.starts_with(module)) {
        hits += file.text.matches(from).count();
        file.text = file.text.replace(from, to);
    }
    assert!(hits > 0, "there is no `{from}` in {module}");
    design
}

/// Damaged cores have a folder of their own, so that none is ever taken for a sound one.
pub fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("damaged")
}

/// What is found: opcode, layer, vector.
type Found = (&'static str, usize, &'static str);

fn finds(module: &str, from: &str, to: &str, expected: Found) {
    let model = made_up(&small()).unwrap();
    finds_in(&core(&model), &model, (module, from, to), expected);
}

fn finds_in(
    geometry: &Geometry,
    model: &Arc<Model>,
    (module, from, to): (&str, &str, &str),
    expected: Found,
) {
    let design = damaged(geometry, module, from, to);
    let traced = Options {
        trace: sterna_sim::Trace::Waveform,
        quick: true,
        cache: Some(cache()),
        ..Options::default()
    };
    let card = CardOptions { model: traced, ..card_options(memory(Stalls::Random, 1)) };
    let waves = tempfile::tempdir().unwrap();
    let options = VerifyOptions { tokens: 3, prompt: false, card, wave: Some(waves.path().into()) };
    let verified = verify_design(&design, model, geometry, &options).unwrap();
    let first = verified.report.first_mismatch.expect("a difference");
    println!("{module}: {first:?}");
    assert_eq!((first.opcode, first.layer, first.vector), expected, "{module}: {first:?}");
    assert_ne!(first.expected, first.got);
    // A thousand clocks before it and a hundred after.
    let wave = verified.wave.expect("a waveform");
    let name = wave.file_name().unwrap().to_str().unwrap().to_string();
    assert!(name.contains(expected.0) && name.ends_with(".fst"), "{name}");
    let length = fs::metadata(&wave).unwrap().len();
    assert!(length > 10_000, "{name}: {length} bytes");
}

#[test]
fn a_code_that_is_rounded_down() {
    let (from, to) = ("product[32] ^ negative_7}", "negative_7}");
    finds("quantise.v", from, to, ("MIX_I", 0, "codes"));
}

#[test]
fn a_row_of_accumulators_off_by_one() {
    let (from, to) =
        ("row3_sum <= row3_u_total_sum[21:0]", "row3_sum <= row3_u_total_sum[21:0] + 22'sd1");
    finds("ternary_unit", from, to, ("MIX_I", 0, "a"));
}

#[test]
fn a_forget_gate_off_by_one() {
    let (from, to) = ("17'd65536 - {1'd0, lower}", "17'd65535 - {1'd0, lower}");
    finds("mlgru", from, to, ("MIX_F", 0, "state"));
}

#[test]
fn an_output_gate_that_is_not_rounded() {
    let (from, to) = ("second[23] : second[15]", "second[23] : 1'd0");
    finds("mlgru", from, to, ("MIX_G", 0, "v"));
}

#[test]
fn a_sum_of_squares_that_forgets() {
    let (from, to) = ("{1'd0, b_sum_low} + ", "40'd0 + ");
    finds("rms_norm", from, to, ("MIX_G", 0, "statistics"));
}

/// All values are right, and every beat is taken when it should be: only the timing model knows.
#[test]
fn a_quantiser_that_rests_a_clock_longer() {
    let (from, to) = ("flush <= 6'd19;", "flush <= 6'd20;");
    finds("quantiser", from, to, ("MIX_F", 0, "codes written"));
}

#[test]
fn a_candidate_that_is_overlooked() {
    // One token of eight never enters a place; everything before the record is right.
    let (from, to) = ("= valid_1 & better_", "= (token_in_3[2:0] != 3'd7) & valid_1 & better_");
    let model = made_up(&small()).unwrap();
    let geometry = Geometry { top_k: 64, ..core(&model) };
    finds_in(&geometry, &model, ("top_k", from, to), ("none", 0, "top"));
}

/// A machine that a reset leaves where it is works as long as nobody resets it in the middle.
#[test]
fn a_reset_that_forgets() {
    let model = made_up(&small()).unwrap();
    let geometry = core(&model);
    let (from, to) = ("if (rst) state <= 3'd0;", "if (1'b0) state <= 3'd0;");
    let forgets = damaged(&geometry, "front_end", from, to);
    let sound = Core { geometry: geometry.clone() }.build().unwrap();
    // What of two tokens differs, with a reset between them.
    let found = |design: &Design, pin: bool, after: u32| {
        let quick = Options { quick: true, cache: Some(cache()), ..Options::default() };
        let options = CardOptions { model: quick, ..card_options(memory(Stalls::Mixed, 3)) };
        let options = CardOptions { patience: 1 << 18, ..options };
        let mut session = Session::of(design, &model, &geometry, &options).unwrap();
        session.card().transport().hesitate(Stalls::Mixed, 4);
        session.pass(Want::Top).unwrap();
        let tokens = vec![Some(7)];
        let batch = Batch { tokens, chain: false, want: Want::Top, count: 1, stops: vec![] };
        let interrupt = Interrupt { under: Under::Run(batch), after, pin };
        let ended = session.interrupt(&interrupt).and_then(|()| session.pass(Want::Top));
        ended.is_err() || session.report().mismatches > 0
    };
    for pin in [false, true] {
        for after in [300, 600] {
            assert!(!found(&sound, pin, after), "sound, pin {pin}, after {after}");
            assert!(found(&forgets, pin, after), "damaged, pin {pin}, after {after}");
        }
    }
}
