//! The text of a module: ports, declarations, logic, registers, memories, instances, properties.

use std::fmt::Write;

use crate::netlist::{Direction, FormalKind, Id, Inst, Mem, Netlist, Op};
use crate::types::Type;

use super::Written;
use super::expr::Writer;
use super::literal::{literal, part, range};

/// Which part of the text a node belongs to.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Hardware,
    Formal,
}

struct Body<'n> {
    net: &'n Netlist,
    w: Writer<'n>,
    out: String,
}

/// The module as a Verilog file.
pub(crate) fn module(net: &Netlist) -> Written {
    let mut body = Body { net, w: Writer::new(net), out: String::new() };
    body.head();
    body.logic(Part::Hardware);
    for inst in &net.insts {
        body.instance(inst);
    }
    body.outputs();
    let unread = body.unread();
    body.properties();
    body.out += "\nendmodule\n";
    Written { text: body.out, unread }
}

impl Body<'_> {
    fn line(&mut self, text: impl AsRef<str>) {
        self.out += text.as_ref();
        self.out.push('\n');
    }

    fn comment(&mut self, indent: &str, text: &str) {
        for line in text.trim_end().lines() {
            let line = format!("{indent}// {line}");
            self.line(line.trim_end());
        }
    }

    fn head(&mut self) {
        let net = self.net;
        self.comment("", &net.doc);
        let implicit = net.implicit().into_iter();
        let mut ports: Vec<(String, String)> =
            implicit.map(|name| (format!("  input  wire {name}"), String::new())).collect();
        for port in &net.ports {
            let direction = if port.direction == Direction::Input { "input " } else { "output" };
            let text = format!("  {direction} wire {}{}", range(net.ty(port.node)), port.name);
            ports.push((text, net.node(port.node).comment.clone().unwrap_or_default()));
        }
        self.line(format!("module {} (", net.name));
        let last = ports.len().saturating_sub(1);
        for (i, (text, comment)) in ports.iter().enumerate() {
            self.comment("  ", comment);
            self.line(format!("{text}{}", if i == last { "" } else { "," }));
        }
        self.line(");");
    }

    fn of(&self, id: Id, part: Part) -> bool {
        let plan = &self.w.plan;
        match part {
            Part::Hardware => plan.live[id.0 as usize],
            Part::Formal => plan.formal[id.0 as usize],
        }
    }

    fn is_port(&self, id: Id) -> bool {
        self.net.ports.iter().any(|p| p.node == id)
    }

    /// Declarations first, since Verilog wants them before use, then wires in dependency order,
    /// then everything with a clock.
    fn logic(&mut self, part: Part) {
        let net = self.net;
        let mine: Vec<Id> = net.ids().filter(|&id| self.of(id, part)).collect();
        let mems: Vec<&Mem> = net.mems.iter().filter(|m| self.mem_part(m) == Some(part)).collect();
        self.declarations(&mine, &mems, part);
        let order: Vec<Id> =
            self.w.plan.order.iter().copied().filter(|&id| self.of(id, part)).collect();
        let mut first = true;
        for id in order {
            if self.w.plan.declared(id) && !self.is_port(id) {
                self.wire(id, &mut first);
            }
        }
        for &id in mine.iter().filter(|&&id| net.node(id).op == Op::Reg) {
            self.register(id);
        }
        for mem in mems {
            self.memory(mem, part);
        }
    }

    fn mem_part(&self, mem: &Mem) -> Option<Part> {
        let any = |part| mem.reads.iter().any(|r| self.of(r.out, part));
        if any(Part::Hardware) {
            return Some(Part::Hardware);
        }
        any(Part::Formal).then_some(Part::Formal)
    }

    fn declarations(&mut self, mine: &[Id], mems: &[&Mem], part: Part) {
        let net = self.net;
        let mut lines: Vec<(Option<String>, String)> = vec![];
        for &id in mine {
            let node = net.node(id);
            let text = match node.op {
                Op::Reg => format!("  reg {}{};", range(node.ty), self.w.name(id)),
                Op::MemRead(..) if self.of(id, part) => {
                    format!("  reg {}{};", range(node.ty), self.w.name(id))
                }
                _ => continue,
            };
            lines.push((node.comment.clone(), text));
        }
        for mem in mems {
            let mut attributes = vec![];
            if mem.no_rw_check {
                attributes.push("no_rw_check".to_string());
            }
            if let Some(style) = &mem.ram_style {
                attributes.push(format!("ram_style = \"{style}\""));
            }
            let attributes = if attributes.is_empty() {
                String::new()
            } else {
                format!("(* {} *) ", attributes.join(", "))
            };
            let text =
                format!("  {attributes}reg {}{} [0:{}];", range(mem.ty), mem.name, mem.depth - 1);
            lines.push((mem.comment.clone(), text));
        }
        if part == Part::Hardware {
            // Outputs of instances exist whether or not they are read: a port left open is a warning.
            for id in net.ids().filter(|&id| matches!(net.node(id).op, Op::InstOut(..))) {
                lines.push((None, format!("  wire {}{};", range(net.ty(id)), self.w.name(id))));
            }
        }
        if !lines.is_empty() {
            self.line("");
        }
        for (comment, text) in lines {
            self.comment("  ", &comment.unwrap_or_default());
            self.line(text);
        }
    }

    /// A declared expression: `wire` with its value, or a `case`.
    fn wire(&mut self, id: Id, first: &mut bool) {
        let node = self.net.node(id);
        if matches!(node.op, Op::Input | Op::Reg | Op::MemRead(..) | Op::InstOut(..)) {
            return;
        }
        if std::mem::take(first) {
            self.line("");
        }
        self.comment("  ", node.comment.as_deref().unwrap_or_default());
        let (range, name) = (range(node.ty), self.w.name(id).to_string());
        match &node.op {
            Op::Switch(on, arms, default) => {
                let keys = self.net.ty(*on);
                self.line(format!("  reg {range}{name};"));
                self.line("  always @*");
                let on = self.w.expr(*on);
                self.line(format!("    case ({on})"));
                for (key, value) in arms {
                    let value = self.w.expr(*value);
                    self.line(format!("      {}: {name} = {value};", literal(key, keys)));
                }
                let default = self.w.expr(*default);
                self.line(format!("      default: {name} = {default};"));
                self.line("    endcase");
            }
            Op::Wire if self.net.drives(id).len() > 2 => {
                let chain = self.w.chain(id, "\n    ");
                self.line(format!("  wire {range}{name} =\n    {chain};"));
            }
            _ => {
                let value = self.w.made(id).text;
                self.line(format!("  wire {range}{name} = {value};"));
            }
        }
    }

    fn register(&mut self, id: Id) {
        let net = self.net;
        let name = self.w.name(id).to_string();
        self.line("\n  always @(posedge clk)");
        let mut lead = "    ";
        if let Some(reset) = &net.regs[&id] {
            self.line(format!("{lead}if (rst) {name} <= {};", literal(reset, net.ty(id))));
            lead = "    else ";
        }
        for drive in net.drives(id).iter().rev() {
            let when = drive.when.map(|when| format!("if ({}) ", self.w.expr(when)));
            let value = self.w.expr(drive.value);
            self.line(format!("{lead}{}{name} <= {value};", when.unwrap_or_default()));
            lead = "    else ";
        }
    }

    fn memory(&mut self, mem: &Mem, part: Part) {
        let name = &mem.name;
        if let Some(words) = &mem.init {
            self.line("\n  initial begin");
            for (i, word) in words.iter().enumerate() {
                self.line(format!("    {name}[{i}] = {};", literal(word, mem.ty)));
            }
            self.line("  end");
        }
        self.line("\n  always @(posedge clk) begin");
        if let Some(write) = &mem.write {
            let (enable, addr) = (self.w.expr(write.enable), self.w.expr(write.addr));
            match write.bytes {
                None => {
                    let data = self.w.expr(write.data);
                    self.line(format!("    if ({enable}) {name}[{addr}] <= {data};"));
                }
                Some(bytes) => {
                    self.line(format!("    if ({enable}) begin"));
                    let data = super::plan::uncast(self.net, write.data);
                    let bytes = super::plan::uncast(self.net, bytes);
                    for i in 0..mem.ty.width() / 8 {
                        let byte = self.w.bits(bytes, i, 1);
                        let from = self.w.bits(data, 8 * i, 8);
                        let to = part_of_word(name, &addr, mem.ty, 8 * i);
                        self.line(format!("      if ({byte}) {to} <= {from};"));
                    }
                    self.line("    end");
                }
            }
        }
        for read in &mem.reads {
            if !self.of(read.out, part) {
                continue;
            }
            let (enable, addr) = (self.w.expr(read.enable), self.w.expr(read.addr));
            let out = self.w.name(read.out).to_string();
            self.line(format!("    if ({enable}) {out} <= {name}[{addr}];"));
        }
        self.line("  end");
    }

    fn instance(&mut self, inst: &Inst) {
        self.line("");
        self.comment("  ", inst.comment.as_deref().unwrap_or_default());
        let implicit = inst.of.implicit().iter();
        let mut pins: Vec<String> = implicit.map(|name| format!(".{name}({name})")).collect();
        for (port, &pin) in inst.of.net().ports.iter().zip(&inst.pins) {
            let text = match port.direction {
                Direction::Input => self.w.expr(pin),
                Direction::Output => self.w.name(pin).to_string(),
            };
            pins.push(format!(".{}({text})", port.name));
        }
        self.line(format!("  {} {} (", inst.of.name(), inst.name));
        self.line(format!("    {}", pins.join(",\n    ")));
        self.line("  );");
    }

    fn outputs(&mut self) {
        let net = self.net;
        self.line("");
        for port in net.ports.iter().filter(|p| p.direction == Direction::Output) {
            let long = net.drives(port.node).len() > 2;
            let value = self.w.chain(port.node, if long { "\n    " } else { " " });
            let gap = if long { "\n    " } else { " " };
            self.line(format!("  assign {} ={gap}{value};", port.name));
        }
    }

    /// Gathers the bits that nothing reads into one net whose name tells lint that this is meant.
    /// Its value is constant, so no tool keeps it.
    fn unread(&mut self) -> Vec<String> {
        let net = self.net;
        let mut parts = vec![];
        for id in net.ids().filter(|&id| self.w.plan.declared(id)) {
            let own = matches!(net.node(id).op, Op::Input | Op::InstOut(..));
            let output = net.ports.iter().any(|p| p.node == id && p.direction == Direction::Output);
            if !(own || self.of(id, Part::Hardware)) || output {
                continue;
            }
            let (read, whole) = (self.w.read[id.0 as usize].clone(), net.width(id));
            let mut lo = 0;
            while lo < whole {
                let run = (lo..whole).take_while(|&i| read.bit(i) == read.bit(lo)).count() as u32;
                if !read.bit(lo) {
                    parts.push(part(self.w.name(id), whole, lo, run));
                }
                lo += run;
            }
        }
        // Registers that nothing reads are not written, and may leave these two behind.
        let silent = |uses: [&str; 2]| !uses.iter().any(|u| self.out.contains(u));
        if net.needs_clock() && silent(["posedge clk", ".clk(clk)"]) {
            parts.push("clk".into());
        }
        if net.reset.is_none() && net.needs_reset() && silent(["if (rst)", ".rst(rst)"]) {
            parts.push("rst".into());
        }
        if !parts.is_empty() {
            self.line("\n  // Not read on purpose.");
            self.line(format!("  wire _unused_ok = &{{1'b0, {}, 1'b0}};", parts.join(", ")));
        }
        parts
    }

    fn properties(&mut self) {
        let net = self.net;
        if net.formals.is_empty() {
            return;
        }
        self.line("\n`ifdef FORMAL");
        self.w.counting = false;
        self.logic(Part::Formal);
        for formal in &net.formals {
            let keyword = match formal.kind {
                FormalKind::Assert => "assert",
                FormalKind::Assume => "assume",
                FormalKind::Cover => "cover",
            };
            let cond = self.w.expr(formal.cond);
            let edge = if net.needs_clock() { "always @(posedge clk)" } else { "always @*" };
            let reset = if net.needs_reset() { "if (!rst) " } else { "" };
            let mut text = String::new();
            let _ = write!(text, "  {edge} {reset}{keyword} ({cond}); // {}", formal.name);
            self.line(text);
        }
        self.line("`endif");
    }
}

/// A byte of a memory's word, where a word of one byte has no part select.
fn part_of_word(name: &str, addr: &str, ty: Type, lo: u32) -> String {
    part(&format!("{name}[{addr}]"), ty.width(), lo, 8)
}
