//! Many designs in one model, compared clock by clock with the interpreter.

use std::collections::BTreeMap;
use std::fmt::Write;

use sterna_rtl::random::{RESET_CLOCKS, Rng};
use sterna_rtl::{Bits, Design, Direction, Interpreter, Port, VerilogFile};
use sterna_sim::{Input, Options, Output, SimError, Simulator, Words};

/// All designs side by side below one module, so that they are compiled together. The ports of
/// design `i` are called `d<i>_<port>`; clock and reset are shared.
pub fn side_by_side(name: &str, designs: &[Design]) -> Design {
    let mut files = BTreeMap::new();
    let bit = |name: &str| Port {
        name: name.into(),
        direction: Direction::Input,
        width: 1,
        signed: false,
    };
    let mut ports = vec![bit("clk"), bit("rst")];
    let mut instances = String::new();
    for (i, design) in designs.iter().enumerate() {
        files.extend(design.files.iter().map(|f| (f.name.clone(), f.clone())));
        let mut pins = vec![];
        for port in &design.ports {
            let shared =
                [&design.clock, &design.reset].iter().any(|s| s.as_ref() == Some(&port.name));
            let outer = if shared { port.name.clone() } else { format!("d{i}_{}", port.name) };
            pins.push(format!(".{}({outer})", port.name));
            if !shared {
                ports.push(Port { name: outer, ..port.clone() });
            }
        }
        let _ = writeln!(instances, "  {} u{i} ({});", design.top, pins.join(", "));
    }
    let declare = |p: &Port| {
        let direction = if p.direction == Direction::Input { "input" } else { "output" };
        let sign = if p.signed { "signed " } else { "" };
        format!("  {direction} wire {sign}[{}:0] {}", p.width - 1, p.name)
    };
    let declared: Vec<String> = ports.iter().map(declare).collect();
    let text = format!("module {name} (\n{}\n);\n{instances}endmodule\n", declared.join(",\n"));
    files.insert(name.into(), VerilogFile { name: format!("{name}.v"), text });
    let mut all = designs[0].clone();
    all.top = name.into();
    all.files = files.into_values().collect();
    all.ports = ports;
    (all.clock, all.reset) = (Some("clk".into()), Some("rst".into()));
    all
}

/// One of the designs: its interpreter, and its ports in the model.
struct Side<'a> {
    design: &'a Design,
    interpreter: Interpreter,
    inputs: Vec<(&'a Port, Input<Words>)>,
    outputs: Vec<(&'a Port, Output<Words>)>,
    rng: Rng,
}

impl<'a> Side<'a> {
    fn new(i: usize, design: &'a Design, sim: &Simulator, seed: u64) -> Result<Side<'a>, SimError> {
        let (mut inputs, mut outputs) = (vec![], vec![]);
        for port in &design.ports {
            let outer = format!("d{i}_{}", port.name);
            match port.direction {
                _ if port.name == "clk" || port.name == "rst" => {}
                Direction::Input => inputs.push((port, sim.input(&outer)?)),
                Direction::Output => outputs.push((port, sim.output(&outer)?)),
            }
        }
        let (interpreter, rng) = (Interpreter::new(design), Rng::new(seed));
        Ok(Side { design, interpreter, inputs, outputs, rng })
    }

    fn drive(&mut self, sim: &mut Simulator) -> Result<(), SimError> {
        for (port, handle) in &self.inputs {
            let value = self.rng.bits(port.width);
            sim.set_words(*handle, &words(&value))?;
            self.interpreter.poke(&port.name, value);
        }
        Ok(())
    }

    /// The first output that differs, if any.
    fn check(&mut self, sim: &mut Simulator, when: &str) -> Result<Option<String>, SimError> {
        for (port, handle) in &self.outputs {
            let expected = self.interpreter.peek(&port.name);
            let mut got = vec![0; port.width.div_ceil(32) as usize];
            sim.get_words(*handle, &mut got)?;
            if got != words(&expected) {
                let digits: String = got.iter().rev().map(|w| format!("{w:08x}")).collect();
                let clock = self.interpreter.cycle();
                let inputs = self.inputs.iter().map(|(input, _)| {
                    format!("  {} = {}\n", input.name, self.interpreter.peek(&input.name))
                });
                return Ok(Some(format!(
                    "{}.{} {when} clock {clock}: Verilator has {}'h{digits}, the interpreter \
                     {expected}, at\n{}{}",
                    self.design.top,
                    port.name,
                    port.width,
                    inputs.collect::<String>(),
                    self.design.verilog()
                )));
            }
        }
        Ok(None)
    }
}

fn words(bits: &Bits) -> Vec<u32> {
    let words = bits.limbs().into_iter().flat_map(|limb| [limb as u32, (limb >> 32) as u32]);
    words.take(bits.width().div_ceil(32) as usize).collect()
}

/// Runs the designs for so many clocks after reset, with inputs that follow from the seed.
/// `Some` is the first difference, with the number of its design.
pub fn compare(
    name: &str,
    designs: &[Design],
    clocks: u32,
    seed: u64,
    options: &Options,
) -> Result<Option<(usize, String)>, SimError> {
    let mut sim = Simulator::build(&side_by_side(name, designs), options)?;
    let rst = sim.input::<bool>("rst")?;
    let side = |(i, design)| Side::new(i, design, &sim, seed.wrapping_add(i as u64));
    let mut sides: Vec<Side<'_>> =
        designs.iter().enumerate().map(side).collect::<Result<_, _>>()?;
    for clock in 0..RESET_CLOCKS + clocks {
        let reset = clock < RESET_CLOCKS;
        sim.set(rst, reset)?;
        for side in &mut sides {
            side.interpreter.poke("rst", u8::from(reset));
            side.drive(&mut sim)?;
        }
        // State without a reset is equal, too: both start at zero.
        for (i, side) in sides.iter_mut().enumerate() {
            if let Some(difference) = side.check(&mut sim, "before")? {
                return Ok(Some((i, difference)));
            }
        }
        sim.step()?;
        for side in &mut sides {
            // Random memories may meet at an address; properties are not what is compared.
            let _ = side.interpreter.try_step();
        }
    }
    for (i, side) in sides.iter_mut().enumerate() {
        if let Some(difference) = side.check(&mut sim, "after")? {
            return Ok(Some((i, difference)));
        }
    }
    Ok(None)
}
