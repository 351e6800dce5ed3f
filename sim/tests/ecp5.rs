//! The models of ECP5's cells, each alone, against what the manuals say of it written down again.

mod common;

use std::collections::BTreeMap;
use std::fmt::Write;

use sterna_rtl::random::Rng;
use sterna_rtl::{Design, Module, UInt};
use sterna_sim::{Model, SimError, Simulator, ecp5};

/// A design of these ports around Verilog of ours and the cells' models.
fn design(top: &str, inputs: &[(&str, u32)], outputs: &[(String, u32)], text: String) -> Design {
    let m = Module::new(top);
    let all: Vec<_> = inputs.iter().map(|(name, width)| m.input(*name, UInt(*width))).collect();
    // Something with a clock, and something that reads each port.
    let any = all.iter().fold(m.lit(UInt(1), 0), |any, sig| any | sig.any()).register("any");
    for (name, width) in outputs {
        m.output(name, UInt(*width)).set(any.extend(*width));
    }
    let mut design = m.build().unwrap_or_else(|e| panic!("{e}"));
    design.files[0].text = text;
    design.files.extend(ecp5::models());
    design
}

/// Pins of a bus: `.DIA17(dia[17]), ...`.
fn pins(prefix: &str, count: usize, signal: &str) -> String {
    (0..count).map(|n| format!(".{prefix}{n}({signal}[{n}]), ")).collect()
}

/// A block RAM as one test has it.
#[derive(Clone, Copy)]
struct Ram {
    widths: [usize; 2],
    mode: &'static str,
    outreg: bool,
    reset: &'static str,
    /// Instantiated as PDPW16KD.
    pseudo: bool,
}

const RAMS: [Ram; 14] = [
    ram(1, 1, "NORMAL", false, "SYNC"),
    ram(2, 2, "READBEFOREWRITE", false, "ASYNC"),
    ram(4, 4, "WRITETHROUGH", false, "SYNC"),
    ram(9, 9, "NORMAL", true, "SYNC"),
    ram(9, 9, "READBEFOREWRITE", false, "SYNC"),
    ram(9, 18, "WRITETHROUGH", false, "ASYNC"),
    ram(18, 18, "NORMAL", false, "ASYNC"),
    ram(18, 18, "READBEFOREWRITE", true, "ASYNC"),
    ram(1, 18, "READBEFOREWRITE", false, "SYNC"),
    ram(18, 4, "NORMAL", false, "SYNC"),
    ram(36, 36, "NORMAL", false, "ASYNC"),
    ram(36, 9, "NORMAL", true, "SYNC"),
    ram(18, 36, "NORMAL", false, "SYNC"),
    Ram { pseudo: true, ..ram(36, 36, "NORMAL", false, "SYNC") },
];

const fn ram(a: usize, b: usize, mode: &'static str, outreg: bool, reset: &'static str) -> Ram {
    Ram { widths: [a, b], mode, outreg, reset, pseudo: false }
}

/// What drives every memory in a clock; two ports.
#[derive(Clone, Copy, Default)]
struct Inputs {
    ce: [bool; 2],
    oce: [bool; 2],
    we: [bool; 2],
    rst: [bool; 2],
    cs: [u32; 2],
    ad: [usize; 2],
    di: [u32; 2],
}

/// One memory as the manual has it: 2048 bytes of nine bits.
struct Soft {
    ram: Ram,
    bits: Vec<bool>,
    latch: [Vec<bool>; 2],
    out: [Vec<bool>; 2],
}

impl Soft {
    fn new(ram: Ram, bits: Vec<bool>) -> Soft {
        let empty = || ram.widths.map(|width| vec![false; width]);
        Soft { ram, bits, latch: empty(), out: empty() }
    }

    fn is_pseudo(&self) -> bool {
        self.ram.widths.contains(&36)
    }

    /// Where the bits of a port's word are, the lowest first.
    fn place(&self, port: usize, ad: usize) -> Vec<usize> {
        let width = self.ram.widths[port];
        match width {
            9 | 18 | 36 => {
                let bytes = width / 9;
                let first = (ad >> 3) / bytes * bytes;
                (9 * first..9 * (first + bytes)).collect()
            }
            _ => {
                // The ninth bit of a byte is out of reach.
                let first = ad / width * width;
                (first..first + width).map(|bit| bit / 8 * 9 + bit % 8).collect()
            }
        }
    }

    /// What of the inputs reaches this memory: the others are tied off around it.
    fn tied(&self, mut i: Inputs) -> Inputs {
        for port in 0..2 {
            if self.ram.outreg {
                i.rst[port] = false;
            }
            i.we[port] &= !i.rst[port];
            if self.ram.mode == "WRITETHROUGH" && self.ram.widths[port] >= 18 {
                i.ad[port] |= 3;
            }
        }
        if self.is_pseudo() {
            i.we[1] = false;
        }
        if self.ram.pseudo {
            (i.we[0], i.rst[0]) = (true, false);
        }
        i
    }

    fn clock(&mut self, i: &Inputs) {
        let i = self.tied(*i);
        let mut bits = self.bits.clone();
        let mut changes = [vec![], vec![]];
        let on = [0, 1].map(|port| i.ce[port] && i.cs[port] == 0);
        for port in 0..2 {
            if !(on[port] && i.we[port]) {
                continue;
            }
            let width = self.ram.widths[port];
            let data = match width {
                36 => u64::from(i.di[1]) << 18 | u64::from(i.di[0]),
                _ => u64::from(i.di[port]),
            };
            for (n, &at) in self.place(port, i.ad[port]).iter().enumerate() {
                if width < 18 || i.ad[port] >> (n / 9) & 1 == 1 {
                    bits[at] = data >> n & 1 == 1;
                    changes[port].push(at);
                }
            }
        }
        for port in 0..2 {
            if i.oce[port] {
                self.out[port] = self.latch[port].clone();
            }
            let place = self.place(port, i.ad[port]);
            if i.rst[port] {
                self.latch[port].fill(false);
            } else if on[port] && i.we[port] && self.ram.mode != "NORMAL" {
                let from = if self.ram.mode == "WRITETHROUGH" { &bits } else { &self.bits };
                self.latch[port] = place.iter().map(|&at| from[at]).collect();
            } else if on[port] && !i.we[port] {
                // What the other port changes is the opposite of what it was.
                let lost = |at: &usize| changes[1 - port].contains(at);
                self.latch[port] = place.iter().map(|at| self.bits[*at] ^ lost(at)).collect();
            }
        }
        self.bits = bits;
    }

    /// The pins, A's and B's.
    fn pins(&self) -> [u64; 2] {
        let shown = if self.ram.outreg { &self.out } else { &self.latch };
        let number = |bits: &[bool]| bits.iter().rev().fold(0, |n, &bit| n << 1 | u64::from(bit));
        let [a, b] = shown;
        match (self.is_pseudo(), self.ram.widths[1]) {
            (true, 36) => [number(&b[..18]), number(&b[18..])],
            (true, _) => [0, number(b)],
            _ => [number(a), number(b)],
        }
    }
}

/// The instance and its contents; two bits of twenty are not the memory's.
fn instance(n: usize, ram: &Ram, rng: &mut Rng) -> (String, Vec<bool>) {
    let (mut bits, mut init) = (vec![], String::new());
    for slice in 0..64 {
        let mut digits = String::new();
        for _ in 0..16 {
            let word = rng.below(1 << 20);
            bits.extend((0..18).map(|bit| word >> bit & 1 == 1));
            digits.insert_str(0, &format!("{word:05x}"));
        }
        let _ = write!(init, ", .INITVAL_{slice:02X}(320'h{digits})");
    }
    let Ram { widths: [a, b], mode, outreg, reset, pseudo } = *ram;
    let (reg, soft) = (if outreg { "OUTREG" } else { "NOREG" }, Soft::new(*ram, vec![]));
    let rst = |port: &str| if outreg { "1'b0".into() } else { format!("rst{port}") };
    let we = |port: &str| match (port, soft.is_pseudo()) {
        ("b", true) => "1'b0".into(),
        _ => format!("we{port} && !{}", rst(port)),
    };
    let text = if pseudo {
        format!(
            "wire [35:0] do_{n};\n\
             PDPW16KD #(.DATA_WIDTH_R({b}), .REGMODE(\"{reg}\"), .RESETMODE(\"{reset}\"), \
             .ASYNC_RESET_RELEASE(\"{reset}\"), .GSR(\"DISABLED\"){init}) u_{n} (\
             {}{}{}{}.BE0(ada[0]), .BE1(ada[1]), .BE2(ada[2]), .BE3(ada[3]), \
             .CEW(cea), .CLKW(clk), .CSW0(csa[0]), .CSW1(csa[1]), .CSW2(csa[2]), .CER(ceb), \
             .OCER(oceb), .CLKR(clk), .CSR0(csb[0]), .CSR1(csb[1]), .CSR2(csb[2]), .RST({}));\n\
             assign doa_{n} = do_{n}[35:18];\nassign dob_{n} = do_{n}[17:0];\n",
            pins("DI", 36, "dib_dia"),
            pins("ADW", 9, "ada_high"),
            pins("ADR", 14, "adb"),
            pins("DO", 36, &format!("do_{n}")),
            rst("b")
        )
    } else {
        let mut ports = String::new();
        for (port, low, width) in [("A", "a", a), ("B", "b", b)] {
            let ad = if width >= 18 && mode == "WRITETHROUGH" { "_full" } else { "" };
            ports += &pins(&format!("DI{port}"), 18, &format!("di{low}"));
            ports += &pins(&format!("AD{port}"), 14, &format!("ad{low}{ad}"));
            ports += &pins(&format!("DO{port}"), 18, &format!("do{low}_{n}"));
            ports += &pins(&format!("CS{port}"), 3, &format!("cs{low}"));
            let _ = write!(
                ports,
                ".CE{port}(ce{low}), .OCE{port}(oce{low}), .CLK{port}(clk), .WE{port}({}), \
                 .RST{port}({}), ",
                we(low),
                rst(low)
            );
        }
        format!(
            "DP16KD #(.DATA_WIDTH_A({a}), .DATA_WIDTH_B({b}), .WRITEMODE_A(\"{mode}\"), \
             .WRITEMODE_B(\"{mode}\"), .REGMODE_A(\"{reg}\"), .REGMODE_B(\"{reg}\"), \
             .RESETMODE(\"{reset}\"), .ASYNC_RESET_RELEASE(\"{reset}\"), .GSR(\"DISABLED\"){init}) \
             u_{n} ({});\n",
            ports.trim_end_matches(", ")
        )
    };
    (text, bits)
}

#[test]
fn block_rams() {
    let mut rng = Rng::new(common::seed());
    let inputs: Vec<(&str, u32)> = [("ce", 1), ("oce", 1), ("we", 1), ("rst", 1)]
        .into_iter()
        .chain([("cs", 3), ("ad", 14), ("di", 18)])
        .flat_map(|(name, width)| ["a", "b"].map(|port| (&*format!("{name}{port}").leak(), width)))
        .collect();
    let outputs: Vec<(String, u32)> = (0..RAMS.len())
        .flat_map(|n| ["a", "b"].map(|port| (format!("do{port}_{n}"), 18)))
        .collect();
    let mut text = String::from("module rams (input wire clk");
    for (name, width) in &inputs {
        let _ = write!(text, ", input wire [{}:0] {name}", width - 1);
    }
    for (name, width) in &outputs {
        let _ = write!(text, ", output wire [{}:0] {name}", width - 1);
    }
    text += ");\nwire [35:0] dib_dia = {dib, dia};\nwire [8:0] ada_high = ada[13:5];\n\
             wire [13:0] ada_full = ada | 14'd3;\nwire [13:0] adb_full = adb | 14'd3;\n";
    let mut softs = vec![];
    for (n, ram) in RAMS.iter().enumerate() {
        let (instance, bits) = instance(n, ram, &mut rng);
        text += &instance;
        softs.push(Soft::new(*ram, bits));
    }
    text += "endmodule\n";
    let design = design("rams", &inputs, &outputs, text);
    let mut sim = Simulator::build(&design, &common::options()).unwrap_or_else(|e| panic!("{e}"));
    let mut meetings = 0;
    for clock in 0..40_000 {
        // Few rows, so that what was written is read; long stretches without a reset.
        let rows = if rng.one_in(3) { 1 << 14 } else { 1 << 7 };
        let mut i = Inputs::default();
        for port in 0..2 {
            i.ce[port] = !rng.one_in(4);
            i.oce[port] = !rng.one_in(3);
            i.we[port] = rng.one_in(2);
            i.rst[port] = rng.one_in(50);
            i.cs[port] = if rng.one_in(6) { 1 << rng.below(3) } else { 0 };
            i.ad[port] = rng.below(rows) as usize;
            i.di[port] = rng.below(1 << 18) as u32;
        }
        // Two writes to one row are refused.
        i.we[1] &= i.ad[0] >> 5 != i.ad[1] >> 5 || !i.we[0];
        meetings += u32::from(i.ad[0] >> 5 == i.ad[1] >> 5 && i.we[0] != i.we[1]);
        let numbers: BTreeMap<&str, [u64; 2]> = BTreeMap::from([
            ("ce", i.ce.map(u64::from)),
            ("oce", i.oce.map(u64::from)),
            ("we", i.we.map(u64::from)),
            ("rst", i.rst.map(u64::from)),
            ("cs", i.cs.map(u64::from)),
            ("ad", i.ad.map(|ad| ad as u64)),
            ("di", i.di.map(u64::from)),
        ]);
        for (name, values) in numbers {
            for (port, value) in ["a", "b"].into_iter().zip(values) {
                sim.poke(&format!("{name}{port}"), value).unwrap();
            }
        }
        sim.step().unwrap_or_else(|e| panic!("clock {clock}: {e}"));
        for (n, soft) in softs.iter_mut().enumerate() {
            soft.clock(&i);
            let got = ["a", "b"].map(|port| sim.peek(&format!("do{port}_{n}")).unwrap().to_u64());
            assert_eq!(got, soft.pins(), "clock {clock}, memory {n}");
        }
    }
    assert!(meetings > 1000, "{meetings}");
}

#[test]
fn multipliers() {
    let mut rng = Rng::new(common::seed());
    let inputs = [("a", 18), ("b", 18), ("sa", 1), ("sb", 1)];
    let text = format!(
        "module product (input wire clk, input wire [17:0] a, input wire [17:0] b, input wire sa, \
         input wire sb, output wire [35:0] p);\nMULT18X18D u_product ({}{}{}{}.SIGNEDA(sa), \
         .SIGNEDB(sb), .SOURCEA(1'b0), .SOURCEB(1'b0));\nendmodule\n",
        pins("A", 18, "a"),
        pins("B", 18, "b"),
        pins("C", 18, "a"),
        pins("P", 36, "p")
    );
    let design = design("product", &inputs, &[("p".into(), 36)], text);
    let mut sim = Simulator::build(&design, &common::options()).unwrap_or_else(|e| panic!("{e}"));
    let edges = [0, 1, (1 << 17) - 1, 1 << 17, (1 << 18) - 1];
    for n in 0..4_000 {
        let mut factor = || match rng.one_in(3) {
            true => edges[rng.below(5) as usize],
            false => rng.below(1 << 18),
        };
        let (a, b) = (factor(), factor());
        let signed = [n & 1, n >> 1 & 1];
        for (name, value) in [("a", a), ("b", b), ("sa", signed[0]), ("sb", signed[1])] {
            sim.poke(name, value).unwrap();
        }
        let value = |raw: u64, signed: u64| match signed == 1 && raw >= 1 << 17 {
            true => raw as i64 - (1 << 18),
            false => raw as i64,
        };
        let wanted = (value(a, signed[0]) * value(b, signed[1])) as u64 & ((1 << 36) - 1);
        assert_eq!(sim.peek("p").unwrap().to_u64(), wanted, "{a} * {b}, signed {signed:?}");
    }
}

/// What the models do not know is refused when a design is made.
#[test]
fn modes_that_are_not_modelled_are_refused() {
    let mut said = String::new();
    let good = ".GSR(\"DISABLED\")";
    for (n, text) in [
        format!("DP16KD #({good}, .DATA_WIDTH_A(8)) u (.CLKA(clk));"),
        format!("DP16KD #({good}, .DATA_WIDTH_B(72)) u (.CLKA(clk));"),
        format!("DP16KD #({good}, .CLKAMUX(\"INV\")) u (.CLKA(clk));"),
        format!("DP16KD #({good}, .CSDECODE_B(\"0b001\")) u (.CLKA(clk));"),
        format!("DP16KD #({good}, .WRITEMODE_A(\"THROUGH\")) u (.CLKA(clk));"),
        format!("DP16KD #({good}, .REGMODE_B(\"REG\")) u (.CLKA(clk));"),
        "DP16KD u (.CLKA(clk));".into(),
        format!("DP16KD #({good}, .RESETMODE(\"ASYNC\")) u (.CLKA(clk));"),
        format!("PDPW16KD #({good}, .DATA_WIDTH_W(18)) u (.CLKW(clk));"),
        format!("PDPW16KD #({good}, .CLKRMUX(\"INV\")) u (.CLKW(clk));"),
        "PDPW16KD u (.CLKW(clk));".into(),
        "MULT18X18D #(.REG_OUTPUT_CLK(\"CLK0\")) u (.A0(x));".into(),
        "MULT18X18D #(.MULT_BYPASS(\"ENABLED\")) u (.A0(x));".into(),
        "MULT18X18D u (.SRIA0(x));".into(),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("refused_{n}");
        let verilog = format!(
            "{QUIET}module {name} (input wire clk, input wire x, output wire y);\n{text}\n\
             assign y = x;\nendmodule\n"
        );
        let design = design(&name, &[("x", 1)], &[("y".into(), 1)], verilog);
        let error = match Simulator::build(&design, &common::options()) {
            Err(SimError::Verilator { said, .. }) => said,
            Err(other) => panic!("{text}: {other}"),
            Ok(_) => panic!("{text}: it is modelled"),
        };
        let told = |line: &&str| line.contains("%Error: ") || line.contains("USERFATAL: ");
        let line = error.lines().find(told).unwrap_or_default();
        // Without the place, which moves with the model's text.
        let words = line.splitn(3, ": ").last().unwrap_or_default();
        let _ = writeln!(said, "{}\n  {words}", text.replace(good, "…"));
    }
    insta::assert_snapshot!(said);
}

/// Pins that are left open are low.
const QUIET: &str = "// verilator lint_off PINMISSING\n";

/// And what only a running design does, when it happens.
#[test]
fn what_is_not_modelled_stops() {
    let good = ".GSR(\"DISABLED\")";
    let on = ".CLKA(clk), .CLKB(clk), .CEA(1'b1), .CEB(1'b1)";
    let cases = [
        format!("DP16KD #({good}) u_0 ({on}, .WEA(1'b1), .RSTA(x[0]));"),
        format!("DP16KD #({good}, .REGMODE_B(\"OUTREG\")) u_1 ({on}, .RSTB(x[1]));"),
        format!(
            "DP16KD #({good}, .WRITEMODE_A(\"WRITETHROUGH\")) u_2 ({on}, .WEA(x[2]), .ADA0(1'b1));"
        ),
        format!("DP16KD #({good}) u_3 ({on}, .WEA(1'b1), .WEB(x[3]));"),
        format!("DP16KD #({good}, .DATA_WIDTH_A(36)) u_4 ({on}, .WEB(x[4]));"),
        "MULT18X18D u_5 (.SOURCEA(x[5]));".into(),
    ];
    let count = cases.len() as u32;
    let text = format!(
        "{QUIET}module stops (input wire clk, input wire [{}:0] x, output wire y);\n{}\n\
         assign y = x[0];\nendmodule\n",
        count - 1,
        cases.join("\n")
    );
    let design = design("stops", &[("x", count)], &[("y".into(), 1)], text);
    let model = Model::build(&design, &common::options()).unwrap_or_else(|e| panic!("{e}"));
    let mut said = String::new();
    for (n, text) in cases.iter().enumerate() {
        let mut sim = model.simulator().unwrap();
        sim.steps(3).unwrap_or_else(|e| panic!("{text}: {e}"));
        sim.poke("x", 1u64 << n).unwrap();
        let error = sim.steps(3).expect_err(text);
        assert!(matches!(error, SimError::Stopped { .. }), "{error}");
        let words = error.to_string();
        let words = words.rsplit_once("// ").map_or(&*words, |words| words.1);
        let _ = writeln!(said, "{}\n  {words}", text.replace(good, "…").replace(on, "…"));
    }
    insta::assert_snapshot!(said);
}

/// A Yosys without its data is told with its name.
#[test]
fn cells_that_are_not_there_are_told() {
    let error = ecp5::cells("nowhere/bin/yosys".as_ref()).expect_err("there is none");
    assert_eq!(error.code(), "S004");
    assert!(error.to_string().contains("nowhere/bin/yosys"), "{error}");
    let design = design("none", &[("x", 1)], &[("y".into(), 1)], String::new());
    let error = ecp5::netlist(&design, "", "nowhere".as_ref()).expect_err("there is none");
    assert_eq!(error.code(), "S004");
}
