//! The library from end to end on small modules: description, Verilog, interpretation.

use sterna_rtl::{Design, Generate, Interpreter, Module, SInt, UInt};

fn counter() -> Design {
    let m = Module::new("counter");
    m.doc("Counts while `en` is high.");
    let en = m.input("en", UInt(1));
    let clear = m.input("clear", UInt(1));
    let count = m.reg("count", UInt(8)).reset(0u8).comment("How often `en` was seen.");
    m.when(clear, || count.set(0)).elsewhen(en, || count.set(count.wrapping_add(1)));
    m.output("value", UInt(8)).set(count);
    m.output("wide", UInt(9)).set(count + 1);
    m.output("low", UInt(4)).set((count + 3).truncate(4));
    m.assert("never_200", count.ne(200));
    m.build().unwrap()
}

#[test]
fn counter_counts() {
    let design = counter();
    insta::assert_snapshot!(design.verilog());
    let mut sim = Interpreter::new(&design);
    sim.reset();
    sim.poke("en", 1);
    for i in 0..199u64 {
        assert_eq!(sim.u64("value"), i);
        assert_eq!(sim.u64("wide"), i + 1);
        assert_eq!(sim.u64("low"), (i + 3) % 16);
        sim.step();
    }
    sim.step();
    assert_eq!(sim.try_step().unwrap_err().name, "never_200");
    sim.poke("clear", 1);
    sim.step();
    assert_eq!(sim.u64("value"), 0);
}

struct Mac {
    width: u32,
}

impl Generate for Mac {
    fn name(&self) -> String {
        format!("mac_w{}", self.width)
    }

    fn describe(&self, m: &Module) {
        let (a, b) = (m.input("a", SInt(self.width)), m.input("b", SInt(self.width)));
        let acc = m.reg("acc", SInt(2 * self.width + 4)).reset(0);
        let sum = (acc + a * b).named("sum");
        acc.set(sum.saturate(acc.ty()));
        m.output("rounded", SInt(self.width))
            .set(acc.round_half_away_shift(4).saturate(SInt(self.width)));
        m.output("shifted", SInt(self.width))
            .set(((a >> 2) + (b >> a.as_uint())).truncate(self.width));
        m.output("below", UInt(1)).set(a.lt(-5) & b.ge(a));
    }
}

#[test]
fn instances_are_shared() {
    let m = Module::new("pair");
    let (a, b) = (m.input("a", SInt(8)), m.input("b", SInt(8)));
    let first = m.instance("u_first", &Mac { width: 8 });
    first.set("a", a).set("b", b);
    let second = m.instance("u_second", &Mac { width: 8 });
    second.set("a", b).set("b", first.port("rounded"));
    m.output("y", SInt(9)).set(first.port("shifted") + second.port("rounded"));
    let op = a.slice(0..2);
    m.output("z", UInt(8)).set(op.switch(b.as_uint()).case(0, 7).case(2, a.as_uint()).end());
    let design = m.build().unwrap();
    insta::assert_snapshot!(design.verilog());
    assert_eq!(design.files.len(), 2);
    let mut sim = Interpreter::new(&design);
    sim.reset();
    sim.poke("a", -128);
    sim.poke("b", 127);
    sim.step();
    assert_eq!(sim.i64("u_first.acc"), -128 * 127);
}

#[test]
fn memory_reads_old_words() {
    let m = Module::new("ram");
    let (we, wa, wd) = (m.input("we", UInt(1)), m.input("wa", UInt(4)), m.input("wd", UInt(16)));
    let (be, re, ra) = (m.input("be", UInt(2)), m.input("re", UInt(1)), m.input("ra", UInt(4)));
    let ram = m.memory("store", UInt(16), 16).init(|i| i * 3).ram_style("block").no_rw_check();
    ram.write_bytes(we, wa, wd, be);
    m.output("q", UInt(16)).set(ram.read(re, ra));
    m.output("r", UInt(16)).set(ram.read_registered(re, ra));
    let design = m.build().unwrap();
    insta::assert_snapshot!(design.verilog());
    let mut sim = Interpreter::new(&design);
    for (name, value) in [("we", 1), ("wa", 2), ("wd", 0xabcd), ("be", 2), ("re", 1), ("ra", 5)] {
        sim.poke(name, value);
    }
    sim.step();
    assert_eq!(sim.u64("q"), 15);
    sim.poke("ra", 2);
    sim.poke("we", 0);
    sim.step();
    assert_eq!(sim.u64("q"), 0xab06);
    assert_eq!(sim.u64("r"), 15);
    sim.poke("we", 1);
    assert_eq!(sim.try_step().unwrap_err().name, "store_no_collision_0");
}

/// Contents of many words are a file beside the Verilog, and belong to what a module is.
#[test]
fn long_contents_are_a_file() {
    let store = |first: usize| {
        let m = Module::new("long");
        let (x, on) = (m.input("x", UInt(11)), m.lit(UInt(1), 1));
        let words = m.rom("words", UInt(13), 2048, move |i| i * first % 8191);
        m.output("y", UInt(13)).set(words.read(on, x));
        m.finish()
    };
    let design = store(5).design().unwrap();
    assert!(design.verilog().contains("initial $readmemh(\"long_words.hex\", words);"));
    let [data] = &design.data[..] else { panic!("{:?}", design.data) };
    assert_eq!(data.name, "long_words.hex");
    let lines: Vec<&str> = data.text.lines().collect();
    assert_eq!((lines.len(), lines[0], lines[3]), (2048, "0000", "000f"));
    assert_eq!(lines[2047], format!("{:04x}", 2047 * 5 % 8191));
    let mut sim = Interpreter::new(&design);
    sim.poke("x", 1000);
    sim.step();
    assert_eq!(sim.u64("y"), 5000);

    let m = Module::new("two");
    let x = m.input("x", UInt(11));
    for (n, first) in [5, 6].into_iter().enumerate() {
        let one = m.instance_of(format!("u_{n}"), &store(first));
        one.set("x", x);
        m.output(format!("y_{n}"), UInt(13)).set(one.port("y"));
    }
    let error = m.build().expect_err("two modules of one name");
    assert!(error.to_string().contains("`long`"), "{error}");
}

/// A read port that only a property uses belongs to the property, not to the hardware.
#[test]
fn properties_read_memories() {
    let m = Module::new("watched");
    let (x, on) = (m.input("x", UInt(4)), m.lit(UInt(1), 1));
    let table = m.rom("table_of", UInt(8), 16, |i| i);
    m.output("y", UInt(8)).set(table.read(on, x));
    m.assert("small", table.read(on, !x).lt(16));
    let design = m.build().unwrap();
    let (hardware, formal) = design.file("watched").unwrap().split_once("`ifdef FORMAL").unwrap();
    assert!(hardware.contains("if (1'd1) table_of_q <= table_of[x];"));
    assert!(!hardware.contains("table_of_q_1"));
    assert!(formal.contains("table_of_q_1 <= table_of["));
    assert_eq!(design.verilog().matches("initial").count(), 1);
}

/// A stage made under a condition holds while it is low, the output register of a memory does not.
#[test]
fn stages_stall() {
    let m = Module::new("stages");
    let (x, go) = (m.input("x", UInt(4)), m.input("go", UInt(1)));
    let squares = m.rom("squares", UInt(8), 16, |i| i * i);
    let on = m.lit(UInt(1), 1);
    m.when(go, || {
        m.output("kept", UInt(4)).set(x.register("stage"));
        m.output("square", UInt(8)).set(squares.read_registered(on, x));
    });
    let mut sim = Interpreter::new(&m.build().unwrap());
    for (x, go, kept, square) in [(5, 1, 0, 0), (6, 0, 5, 0), (7, 1, 5, 25), (8, 0, 7, 25)] {
        sim.poke("x", x);
        sim.poke("go", go);
        assert_eq!((sim.u64("kept"), sim.u64("square")), (kept, square), "before {x}");
        sim.step();
    }
    assert_eq!((sim.u64("kept"), sim.u64("square")), (7, 49));
}

/// Folding must not take a sign-extended value that is read as unsigned for a small one.
#[test]
fn foregone_comparisons() {
    let m = Module::new("foregone");
    let a = m.input("a", SInt(8));
    let u = a.extend(20).truncate(12).as_uint();
    m.output("above", UInt(1)).set(u.gt(200));
    m.output("never", UInt(1)).set(m.input("b", UInt(1)).extend(9).gt(1));
    let design = m.build().unwrap();
    assert!(design.verilog().contains("assign never = 1'd0;"));
    let mut sim = Interpreter::new(&design);
    for value in -128..128i64 {
        sim.poke("a", value);
        assert_eq!(sim.u64("above") == 1, (value & 0xfff) > 200, "{value}");
    }
}

#[test]
fn an_instance_can_have_a_reset_of_its_own() {
    let part = Module::new("part");
    let count = part.reg("count", UInt(4)).reset(3);
    count.set(count.wrapping_add(1));
    part.output("value", UInt(4)).set(count);
    let part = part.finish();

    let m = Module::new("whole");
    let clear = m.input("clear", UInt(1));
    let cleared = m.instance_of("u_cleared", &part).reset_by((clear | m.rst()).named("restart"));
    let plain = m.instance_of("u_plain", &part);
    m.output("cleared", UInt(4)).set(cleared.port("value"));
    m.output("plain", UInt(4)).set(plain.port("value"));
    let design = m.build().unwrap();
    assert!(design.file("whole").unwrap().contains(".rst(restart)"));

    let mut sim = Interpreter::new(&design);
    sim.reset();
    sim.step();
    assert_eq!((sim.u64("cleared"), sim.u64("plain")), (4, 4));
    sim.poke("clear", 1);
    sim.step();
    assert_eq!((sim.u64("cleared"), sim.u64("plain")), (3, 5));
}
