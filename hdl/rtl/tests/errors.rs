//! Every message that a mistake can produce.

use sterna_rtl::parts::{Fifo, Storage};
use sterna_rtl::{Generate, Module, RtlError, SInt, Sig, UInt};

/// The message without line numbers, which every edit of this file moves.
fn message(error: &RtlError) -> String {
    let text = error.to_string();
    let lines = text.lines().map(|line| match line.split_once(".rs:") {
        Some((file, rest)) => {
            let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            let rest = rest.replace(file.trim(), "FILE");
            let rest = rest
                .split("FILE.rs:")
                .map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit()));
            format!("{file}.rs:N{}", rest.collect::<Vec<_>>().join("first line"))
        }
        None => line.to_string(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn wrong(describe: impl FnOnce(&Module, Sig<'_>, Sig<'_>)) -> String {
    let m = Module::new("m");
    let (a, b) = (m.input("a", UInt(8)), m.input("b", SInt(8)));
    describe(&m, a, b);
    message(&m.build().expect_err("the module is wrong"))
}

macro_rules! refused {
    ($($name:ident: $describe:expr;)*) => {$(
        #[test]
        fn $name() {
            insta::assert_snapshot!(stringify!($name), wrong($describe));
        }
    )*};
}

refused! {
    mixed_sum: |_, a, b| { let _ = a + b; };
    mixed_comparison: |_, a, b| { let _ = (a + 1).lt(b); };
    mixed_mux: |_, a, b| { let _ = a.bit(0).mux(a, b); };
    two_mistakes_without_consequences: |m, a, b| {
        m.output("y", UInt(9)).set(a + b);
        m.output("z", SInt(9)).set(b - a);
    };
    literal_does_not_fit: |_, a, _| { let _ = a + 256; };
    negative_literal: |_, a, _| { let _ = a.lt(-1); };
    untyped_literals: |_, a, _| { let _ = a.bit(0).mux(1, 0); };
    wrong_width: |m, a, _| m.output("y", UInt(8)).set(a + 1);
    wrong_sign: |m, a, _| m.output("y", SInt(8)).set(a);
    condition_of_eight_bits: |m, a, _| { let _ = m.when(a, || {}); };
    no_width: |m, _, _| { let _ = m.input("x", UInt(0)); };
    too_wide: |_, a, _| { let _ = a << 65_600u32; };
    shift_by_a_wide_signal: |_, a, _| { let _ = a << (a * a); };
    shift_by_a_signed_signal: |_, a, b| { let _ = a >> b; };
    slice_of_nothing: |_, a, _| { let _ = a.slice(4..4); };
    slice_outside: |_, a, _| { let _ = a.slice(4..9); };
    position_with_a_sign: |_, a, b| { let _ = a.slice_at(b, 1); };
    slice_at_of_nothing: |_, a, _| { let _ = a.slice_at(a, 0); };
    extended_down: |_, a, _| { let _ = a.extend(7); };
    truncated_up: |_, a, _| { let _ = a.truncate(9); };
    nothing_to_concatenate: |m, _, _| { let _ = m.cat(&[]); };
    nothing_to_select: |_, a, _| { let _ = a.select(&[]); };
    case_twice: |_, a, _| { let _ = a.switch(a).case(1, 2).case(1, 3).end(); };
    case_outside: |_, a, _| { let _ = a.switch(a).case(256, 2).end(); };
    input_driven: |_, a, _| a.set(1);
    expression_driven: |_, a, _| (a + 1).set(1);
    reset_of_an_input: |_, a, _| { let _ = a.reset(0); };
    reset_does_not_fit: |m, a, _| m.reg("r", UInt(8)).reset(-1).set(a);
    driven_twice: |m, a, _| { let y = m.output("y", UInt(8)); y.set(a); y.set(a); };
    undriven_output: |m, _, _| { let _ = m.output("y", UInt(8)); };
    undriven_register: |m, _, _| { let _ = m.reg("r", UInt(8)).reset(1); };
    no_default: |m, a, _| { let y = m.output("y", UInt(8)); m.when(a.bit(0), || y.set(a)); };
    combinational_loop: |m, a, _| {
        let (x, y) = (m.wire("x", UInt(8)), m.wire("y", UInt(8)));
        x.set(y ^ a);
        y.set((x & 15).named("masked"));
        m.output("z", UInt(8)).set(x);
    };
    loop_through_an_instance: |m, a, _| {
        let u = m.instance("u_pass", &Pass);
        u.set("x", u.port("y") ^ a.bit(0));
        m.output("z", UInt(1)).set(u.port("y"));
    };
    bad_name: |m, _, _| { let _ = m.input("Data", UInt(1)); };
    keyword: |m, _, _| { let _ = m.input("logic", UInt(1)); };
    name_taken: |m, _, _| { let _ = m.wire("a", UInt(1)); };
    clock_is_implicit: |m, _, _| { let _ = m.input("clk", UInt(1)); };
    no_such_port: |m, _, _| { let _ = m.instance("u_pass", &Pass).port("q"); };
    pin_undriven: |m, _, _| { let _ = m.instance("u_pass", &Pass); };
    pin_of_another_type: |m, a, _| { let _ = m.instance("u_pass", &Pass).set("x", a); };
    broken_instance: |m, a, _| { let _ = m.instance("u", &Broken).set("x", a); };
    module_clash: |m, a, _| {
        let other = Module::new("pass");
        other.output("y", UInt(1)).set(!other.input("x", UInt(1)));
        let first = m.instance("u_pass", &Pass).set("x", a.bit(0));
        let second = m.instance_of("u_other", &other.finish()).set("x", first.port("y"));
        m.output("z", UInt(1)).set(second.port("y"));
    };
    memory_of_one_word: |m, _, _| { let _ = m.memory("ram", UInt(8), 1); };
    memory_written_twice: |m, a, _| {
        let ram = m.memory("ram", UInt(8), 256);
        ram.write(a.bit(0), a, a);
        ram.write(a.bit(1), a, a);
    };
    memory_address: |m, a, _| { let _ = m.memory("ram", UInt(8), 32).read(a.bit(0), a); };
    memory_bytes: |m, a, _| m.memory("ram", UInt(9), 256).write_bytes(a.bit(0), a, a + 1, a.bit(0));
    rom_value: |m, _, _| { let _ = m.rom("rom", SInt(8), 256, |i| i); };
    axi_signal: |m, _, _| {
        let widths = sterna_rtl::AxiWidths { addr: 32, data: 64, id: 1 };
        let axi = m.axi_slave("s_axi", sterna_rtl::AxiKind::Read, widths);
        let _ = axi.get("awaddr");
    };
}

struct Pass;

impl Generate for Pass {
    fn name(&self) -> String {
        "pass".into()
    }

    fn describe(&self, m: &Module) {
        m.output("y", UInt(1)).set(m.input("x", UInt(1)));
    }
}

struct Broken;

impl Generate for Broken {
    fn name(&self) -> String {
        "broken".into()
    }

    fn describe(&self, m: &Module) {
        m.output("y", UInt(1)).set(m.input("x", UInt(8)));
    }
}

#[test]
fn signal_of_another_module() {
    let other = Module::new("other");
    let x = other.input("x", UInt(8));
    let m = Module::new("m");
    m.output("y", UInt(9)).set(m.input("a", UInt(8)) + x);
    insta::assert_snapshot!(message(&m.build().expect_err("the module is wrong")));
}

#[test]
fn parameters_are_checked() {
    let fifo = Fifo { ty: UInt(8), depth: 3, last: false, storage: Storage::Registers };
    insta::assert_snapshot!(message(&fifo.build().expect_err("three is no power of two")));
}

#[test]
fn components_can_be_made_once() {
    assert_eq!(Pass.component().name(), "pass");
}
