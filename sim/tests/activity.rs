//! Activity: what the recording of a design says against counts that were made beside it.

mod common;

use std::collections::BTreeMap;
use std::path::PathBuf;

use sterna_rtl::random::Rng;
use sterna_rtl::{Design, Generate, Module, SInt, UInt};
use sterna_sim::activity::{self, Bounds, Place, saif};
use sterna_sim::{Options, SimError, Simulator, Trace};

/// An adder with a register behind it.
struct Sum;

impl Generate for Sum {
    fn name(&self) -> String {
        "sum_of_two".into()
    }

    fn describe(&self, m: &Module) {
        let (a, b) = (m.input("a", UInt(9)), m.input("b", UInt(9)));
        let held = m.reg("held", UInt(9));
        held.set(a.wrapping_add(b));
        m.output("last", UInt(9)).set(held);
    }
}

/// A ROM that is read under a condition without a name.
struct Seldom;

impl Generate for Seldom {
    fn name(&self) -> String {
        "seldom_read".into()
    }

    fn describe(&self, m: &Module) {
        let (a, b) = (m.input("a", UInt(1)), m.input("b", UInt(1)));
        let at = m.input("at", UInt(6));
        let rom = m.rom("words", UInt(9), 64, |i| (i * 37) & 511);
        m.output("word", UInt(9)).set(rom.read((a & !b) | at.bit(0), at));
    }
}

/// Inputs, logic, a register below, a memory, a product; all that toggles is seen from outside.
fn design() -> Design {
    let m = Module::new("counted");
    let (x, y) = (m.input("x", UInt(9)), m.input("y", UInt(9)));
    let (put, get) = (m.input("put", UInt(1)), m.input("get", UInt(1)));
    let mix = (x ^ y).named("mix");
    let sum = m.instance("u_sum", &Sum);
    sum.set("a", x).set("b", mix);
    let seldom = m.instance("u_seldom", &Seldom);
    seldom.set("a", put).set("b", get).set("at", x.truncate(6));
    m.output("seldom", UInt(9)).set(seldom.port("word"));
    let memory = m.memory("words", UInt(9), 64);
    let enable = (put & get).named("enable");
    memory.write(enable, x.truncate(6), y);
    let word = memory.read(get, y.truncate(6));
    let (wide, narrow) = (m.reg("wide", SInt(9)), m.reg("narrow", SInt(9)));
    wide.set(x.as_sint());
    m.when(get, || narrow.set(y.as_sint()));
    let product = m.reg("product", SInt(18));
    product.set((wide * narrow).truncate(18));
    for (name, value) in
        [("mix_out", mix), ("last", sum.port("last")), ("word", word), ("enable_out", enable)]
    {
        m.output(name, UInt(value.width())).set(value);
    }
    for (name, value) in [("wide_out", wide), ("narrow_out", narrow), ("product_out", product)] {
        m.output(name, SInt(value.width())).set(value);
    }
    m.build().expect("the design is sound")
}

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// Toggles of a signal from sample to sample, the first against zero.
#[derive(Default)]
struct Counter {
    last: u64,
}

impl Counter {
    fn sample(&mut self, value: u64) -> u64 {
        let before = std::mem::replace(&mut self.last, value);
        u64::from((value ^ before).count_ones())
    }
}

#[test]
fn counts_are_those_made_beside_it() {
    let design = design();
    let options = Options { trace: Trace::Activity, ..common::options() };
    let mut sim = Simulator::build(&design, &options).unwrap();
    let mut rng = Rng::new(common::seed());
    // The recording does not begin where the simulation does.
    sim.poke("x", 5).unwrap();
    sim.steps(7).unwrap();
    let path = file("counted.saif");
    sim.trace_start(&path).unwrap();

    let inputs = [("x", 9), ("y", 9), ("put", 1), ("get", 1)];
    let logic = ["mix_out", "enable_out"];
    let clocked = ["word", "wide_out", "narrow_out", "product_out"];
    let mut expected = Place::default();
    let mut counters: BTreeMap<&str, Counter> = BTreeMap::new();
    let (mut below, mut accesses, mut seldom, mut products, mut factors) = (0, 0, 0, 0, None);
    let mut values = [0; 4];
    let clocks = 500;
    for clock in 0..=clocks {
        if clock < clocks {
            values = inputs.map(|(_, width)| rng.below(1 << width));
            for ((name, _), value) in inputs.iter().zip(values) {
                sim.poke(name, value).unwrap();
            }
        }
        for ((name, _), value) in inputs.iter().zip(values) {
            expected.logic_toggles += counters.entry(name).or_default().sample(value);
        }
        let mut sample = |name: &'static str| {
            let value = sim.peek(name).unwrap().limbs()[0];
            counters.entry(name).or_default().sample(value)
        };
        expected.logic_toggles += logic.iter().map(|name| sample(name)).sum::<u64>();
        expected.clocked_toggles += clocked.iter().map(|name| sample(name)).sum::<u64>();
        below += sample("last");
        let now = ["wide_out", "narrow_out"].map(|name| sim.peek(name).unwrap());
        products += u64::from(factors.as_ref().is_some_and(|before| *before != now));
        factors = Some(now);
        if clock < clocks {
            let [x, _, put, get] = values;
            accesses += get + (put & get);
            seldom += (put & (get ^ 1)) | (x & 1);
            sim.step().unwrap();
        }
    }
    sim.trace_stop().unwrap();

    let activity = activity::tally(&design, &path).unwrap();
    assert_eq!((activity.clocks, activity.unseen_bits), (clocks, 0));
    let [top, sum, below_seldom] = &activity.places[..] else { panic!("{activity:?}") };
    assert_eq!((top.logic_bits, top.logic_toggles), (30, expected.logic_toggles));
    assert_eq!((top.clocked_bits, top.clocked_toggles), (45, expected.clocked_toggles));
    assert_eq!((sum.path.as_str(), sum.clocked_bits, sum.clocked_toggles), ("u_sum", 9, below));
    // Its inputs are driven above, and its sum has no name.
    assert_eq!(sum.logic_bits, 0);
    assert!(sum.unnamed_toggles > 0);
    assert_eq!(top.memory_bits, Bounds { low: 9 * accesses, high: 9 * accesses });
    // Of three bits that make up a condition, the count says only so much.
    let Bounds { low, high } = below_seldom.memory_bits;
    assert!(low > 0 && low <= 9 * seldom && 9 * seldom <= high, "{low} {seldom} {high}");
    assert!(low < high && high <= 9 * clocks);
    let Bounds { low, high } = top.product_bits;
    assert!(low > 0 && low <= 81 * products && 81 * products <= high, "{low} {products} {high}");
    assert!(high <= 81 * clocks);
}

/// A file with this text, read; the bits as lines of text.
fn parsed(name: &str, text: &str) -> Result<(u64, Vec<String>), SimError> {
    let path = file(&format!("{name}.saif"));
    std::fs::write(&path, text).unwrap();
    let mut bits = vec![];
    let duration = saif::read(&path, |place, net, bit| {
        bits.push(format!("{place} {net} {} {} {}", bit.index, bit.high, bit.toggles));
    })?;
    Ok((duration, bits))
}

fn refused(name: &str, text: &str) {
    let error = parsed(name, text).expect_err(name);
    let text = format!("{}: {error}", error.code());
    insta::assert_snapshot!(name, text.replace(env!("CARGO_TARGET_TMPDIR"), "TMP"));
}

/// What Verilator writes, cut down.
const GOOD: &str = r#"// Generated by verilated_saif
(SAIFILE
(SAIFVERSION "2.0")
(DIVIDER / )
(TIMESCALE 1ns)
(DURATION 100)
 (INSTANCE sterna_sim_top
  (INSTANCE dut
   (NET
    (clk (T0 100) (T1 0) (TZ 0) (TX 0) (TB 0) (TC 0))
    (data\[12\] (T0 60) (T1 40) (TZ 0) (TX 0) (TB 0) (TC 7))
   )
   (INSTANCE u_fifo
    (NET
     (ram[3]\[1\] (T0 0) (T1 100) (TZ 0) (TX 0) (TB 0) (TC 1))
    )
   )
  )
 )
)
"#;

#[test]
fn a_file_is_read_bit_by_bit() {
    let (duration, bits) = parsed("good", GOOD).unwrap();
    assert_eq!(duration, 100);
    let dut = "sterna_sim_top/dut";
    let fifo = format!("{dut}/u_fifo ram[3] 1 100 1");
    assert_eq!(bits, [format!("{dut} clk 0 0 0"), format!("{dut} data 12 40 7"), fifo]);
}

#[test]
fn files_that_verilator_did_not_write_are_refused() {
    refused("saif_empty", "");
    refused("saif_of_another_kind", "(VCDFILE (DURATION 1))");
    refused("saif_after_the_end", &format!("{GOOD}("));
    refused("saif_without_duration", "(SAIFILE (INSTANCE dut))");
    refused("saif_nets_before_the_duration", "(SAIFILE (NET (a (T0 1) (T1 0) (TC 0))))");
    refused("saif_two_durations", "(SAIFILE (DURATION 1) (DURATION 1))");
    refused("saif_wrong_times", &GOOD.replace("(T0 60)", "(T0 61)"));
    refused("saif_without_toggles", &GOOD.replace("(TC 7)", ""));
    refused("saif_no_count", &GOOD.replace("(TC 7)", "(TC seven)"));
    refused("saif_too_large_a_count", &GOOD.replace("(TC 7)", "(TC 99999999999999999999)"));
    refused("saif_times_overflow", &GOOD.replace("(T0 60)", &format!("(T0 {})", u64::MAX)));
    refused("saif_no_bit", &GOOD.replace("12", "12345678901"));
    refused("saif_bracket_for_a_name", &GOOD.replace("u_fifo", "("));
    refused("saif_a_word_among_lists", &GOOD.replace("   (INSTANCE u", "   INSTANCE u"));
}

#[test]
fn hostile_files_are_refused_in_little_memory() {
    let deep = |list: &str| format!("(SAIFILE (DURATION 1) {}", list.repeat(100_000));
    refused("saif_instances_too_deep", &deep("(INSTANCE a "));
    refused("saif_lists_too_deep", &deep("(VENDOR "));
    refused("saif_too_long_a_word", &"a".repeat(1 << 20));
    let path = file("binary.saif");
    std::fs::write(&path, b"(\xff\xfe)").unwrap();
    let error = saif::read(&path, |_, _, _| ()).unwrap_err();
    assert_eq!(error.code(), "S023");
}

/// Whatever is cut off, the reader says so, in the line where the file ends.
#[test]
fn every_beginning_of_a_file_is_refused() {
    let text = GOOD.trim_end();
    for length in 0..text.len() {
        let error = parsed("cut", &text[..length]).expect_err("a part is no whole");
        assert_eq!(error.code(), "S023", "{length} bytes: {error}");
    }
}

#[test]
fn a_recording_of_parts_of_clocks_is_refused() {
    let path = file("parts.saif");
    std::fs::write(&path, "(SAIFILE (DURATION 105))").unwrap();
    let error = activity::tally(&design(), &path).unwrap_err();
    insta::assert_snapshot!(error.to_string().replace(env!("CARGO_TARGET_TMPDIR"), "TMP"));
}
