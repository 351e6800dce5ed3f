use sterna_firmware::geometry::Geometry;
use sterna_rtl::parts::Access;
use sterna_rtl::{AxiKind, Generate, Instance, Module, Sig, UInt};

use super::engine::reports;
use super::{Control, Engine, memory_widths};
use crate::{probe, registers};

/// The core: AXI4 master `m_axi` to the memory, AXI4-Lite slave `s_axi` to its registers, `irq`.
///
/// ```text
///  s_axi -> [ registers ] <-> [ control ] <-> [ engine ] <-> m_axi
///                                  | clear       |
///                                  +-------------+--> probe (left open in hardware)
/// ```
///
/// The engine alone is reset by a soft reset or after a fault, and only once its memory owes
/// nothing; registers and control live on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Core {
    /// Rates and sizes.
    pub geometry: Geometry,
}

/// A base address, from its two registers.
fn base<'m>(bank: Instance<'m>, name: &str) -> Sig<'m> {
    bank.port(&format!("{name}_hi")).cat(bank.port(&format!("{name}_lo")))
}

impl Generate for Core {
    fn name(&self) -> String {
        "sterna_core".into()
    }

    fn describe(&self, m: &Module) {
        if let Err(error) = self.geometry.check() {
            return m.require("Core::geometry", false, || error.to_string());
        }
        let g = &self.geometry;
        m.doc(format!(
            "Sterna core, {} bits. Manifest {:016x}.\n{}",
            g.bus,
            g.hash(),
            g.manifest()
        ));
        let registers = registers::bank(g.slots);
        let widths = registers.widths();
        let slave = m.axi_slave("s_axi", AxiKind::Lite, widths);
        let memory = m.axi_master("m_axi", AxiKind::Full, memory_widths(g.bus));

        let bank = m.instance("u_registers", &registers);
        bank.axi("s_axi", AxiKind::Lite, widths).connect(&slave);
        let control = m.instance("u_control", &Control { geometry: g.clone() });
        let engine = m.instance("u_engine", &Engine { geometry: g.clone() });
        // So many registers hang on it that it has to come from one.
        let reset = m.reg("engine_reset", UInt(1)).reset(1);
        reset.set(control.port("clear"));
        engine.reset_by(reset);
        memory.connect(&engine.axi("m_axi", AxiKind::Full, memory_widths(g.bus)));

        // ----- registers -----
        let constants = registers::identity(g);
        let engine_says = ["image_id_lo", "image_id_hi"];
        for r in registers::of(g.slots).filter(|r| r.access == Access::Read) {
            let port = r.port();
            let value = match constants.iter().find(|(reg, _)| reg == r) {
                Some((_, value)) => m.lit(UInt(r.width), *value),
                None if engine_says.contains(&port.as_str()) => engine.port(&port),
                None => control.port(&port),
            };
            bank.set(&port, value);
        }
        let to_control = [
            "command",
            "mode",
            "count",
            "slot_mask",
            "stop_0",
            "stop_1",
            "stop_2",
            "stop_3",
            "watchdog",
            "image_units",
            "row_units",
            "state_units",
        ];
        for name in to_control {
            control.set(name, bank.port(name));
        }
        for token in &registers::TOKENS[..g.slots as usize] {
            control.set(&token.port(), bank.port(&token.port()));
        }
        control.set("result", base(bank, "result"));
        for name in ["image_units", "image_owed", "image_ring", "row_units", "state_units"] {
            engine.set(name, bank.port(name));
        }
        for name in ["image", "embed", "state", "logits"] {
            engine.set(&format!("{name}_base"), base(bank, name));
        }

        // ----- control and engine -----
        for name in [
            "begins",
            "save",
            "load",
            "token",
            "no_head",
            "logits",
            "fresh",
            "index",
            "record_addr",
            "halt",
        ] {
            engine.set(name, control.port(name));
        }
        if g.slots > 1 {
            for name in ["mask", "lowest", "highest", "chain"] {
                engine.set(name, control.port(name));
            }
        }
        for (name, _) in reports(g) {
            control.set(name, engine.port(name));
        }
        m.output("irq", UInt(1)).comment("Done or failed.").set(control.port("irq"));
        for (name, ty) in probe::ports(g) {
            m.output(name, ty).set(engine.port(name));
        }
    }
}
