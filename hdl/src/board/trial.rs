use sterna_rtl::{Direction, Generate, Module, Sig, UInt};

/// A module by itself in an FPGA, so that its own clock can be found.
///
/// ```text
///  x -> [ a bit of shift register for every bit of input ] -> module
///  module -> [ reg ] -> [ xor into a shift register, a bit for every bit of output ] -> y
/// ```
///
/// Two data pins, clock and reset, whatever the module has, so it does not matter where the pins
/// are; every path of the module begins and ends in a register, its reset's as well. Ports named
/// `probe_` are left open, as in hardware. Cost a register a bit of input, two a bit of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trial<T> {
    /// The module.
    pub of: T,
}

impl<T: Generate> Generate for Trial<T> {
    fn name(&self) -> String {
        format!("trial_of_{}", self.of.name())
    }

    fn describe(&self, m: &Module) {
        let unit = self.of.component();
        let design = match unit.design() {
            Ok(design) => design,
            Err(error) => return m.require("Trial::of", false, || error.to_string()),
        };
        m.doc(format!("{} by itself: inputs from a shift register, outputs into one.", design.top));
        let reset = m.reg("reset", UInt(1)).reset(1);
        reset.set(0);
        let instance = m.instance_of("u_unit", &unit);
        instance.reset_by(reset);
        let mut into = m.input("x", UInt(1));
        let mut out_of = m.lit(UInt(1), 0);
        let left_out = |name: &str| ["clk", "rst"].contains(&name) || name.starts_with("probe_");
        for port in design.ports.iter().filter(|port| !left_out(&port.name)) {
            let name = &port.name;
            let pin = instance.port(name);
            match port.direction {
                Direction::Input => {
                    let (reg, on) = shifted(m, format!("to_{name}"), port.width, into);
                    reg.set(on);
                    into = reg.msb();
                    pin.set(if port.signed { reg.as_sint() } else { reg });
                }
                Direction::Output => {
                    let (reg, on) = shifted(m, format!("from_{name}"), port.width, out_of);
                    reg.set(on ^ pin.as_uint().register(format!("kept_{name}")));
                    out_of = reg.msb();
                }
            }
        }
        m.output("y", UInt(1)).set(out_of);
    }
}

/// A register, and what it holds next if a bit comes in at the bottom and one leaves at the top.
fn shifted<'m>(m: &'m Module, name: String, bits: u32, from: Sig<'m>) -> (Sig<'m>, Sig<'m>) {
    let reg = m.reg(name, UInt(bits));
    (reg, reg.cat(from).truncate(bits))
}
