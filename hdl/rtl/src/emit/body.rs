//! The text of a module: ports, declarations, logic, registers, memories, instances, properties.

use crate::netlist::{Direction, Id, Inst, Netlist, Op};

use crate::component::DataFile;

use super::expr::Writer;
use super::literal::{bits_of, literal, range};
use super::plan::{Part, uncast};

struct Body<'n> {
    net: &'n Netlist,
    w: Writer<'n>,
    out: String,
    /// An empty line is due before the next one.
    gap: bool,
    data: Vec<DataFile>,
}

/// Words of a memory's contents that stand in the Verilog; more of them are a file beside it.
const INLINE: usize = 1024;

/// A module's text.
pub(crate) struct Text {
    /// The Verilog.
    pub verilog: String,
    /// What is declared and nothing reads.
    pub unread: Vec<String>,
    /// What the Verilog reads.
    pub data: Vec<DataFile>,
}

/// The module as a Verilog file.
pub(crate) fn module(net: &Netlist) -> Text {
    let (w, out) = (Writer::new(net), String::new());
    let mut body = Body { net, w, out, gap: false, data: vec![] };
    body.head();
    body.logic(Part::Hardware);
    for inst in &net.insts {
        body.instance(inst);
    }
    body.outputs();
    let unread = body.unread();
    body.properties();
    body.paragraph("endmodule");
    Text { verilog: body.out, unread, data: body.data }
}

impl Body<'_> {
    fn line(&mut self, text: impl AsRef<str>) {
        if std::mem::take(&mut self.gap) {
            self.out.push('\n');
        }
        self.out += text.as_ref();
        self.out.push('\n');
    }

    fn paragraph(&mut self, text: impl AsRef<str>) {
        self.gap = true;
        self.line(text);
    }

    fn comment(&mut self, indent: &str, text: Option<&str>) {
        for line in text.unwrap_or_default().trim_end().lines() {
            self.line(format!("{indent}// {line}").trim_end());
        }
    }

    fn head(&mut self) {
        let net = self.net;
        self.comment("", Some(&net.doc));
        self.line(format!("module {} (", net.name));
        let implicit = net.implicit().into_iter().map(|name| (format!("input  wire {name}"), None));
        let declared = net.ports.iter().map(|port| {
            let (direction, range): (&str, _) = (port.direction.into(), range(net.ty(port.node)));
            let text = format!("{direction:<6} wire {range}{}", port.name);
            (text, net.node(port.node).comment.as_deref())
        });
        let ports: Vec<_> = implicit.chain(declared).collect();
        for (i, (text, comment)) in ports.iter().enumerate() {
            self.comment("  ", *comment);
            let comma = if i + 1 == ports.len() { "" } else { "," };
            self.line(format!("  {text}{comma}"));
        }
        self.line(");");
    }

    fn of(&self, id: Id, part: Part) -> bool {
        self.w.plan.part[id.index()] == part
    }

    /// Declarations first, since Verilog wants them before use, then wires in dependency order,
    /// then everything with a clock.
    fn logic(&mut self, part: Part) {
        let net = self.net;
        let mine: Vec<Id> = net.ids().filter(|&id| self.of(id, part)).collect();
        self.gap = true;
        for &id in mine.iter().filter(|&&id| net.node(id).op.is_clocked()) {
            if self.w.plan.declared(id) {
                self.declare("reg", id);
            }
        }
        for (i, mem) in net.mems.iter().enumerate() {
            if self.mem_part(i) != part {
                continue;
            }
            let check = mem.no_rw_check.then(|| "no_rw_check".to_string());
            let style = mem.ram_style.as_ref().map(|style| format!("ram_style = \"{style}\""));
            let attributes = check.into_iter().chain(style).collect::<Vec<_>>().join(", ");
            let attributes =
                if attributes.is_empty() { attributes } else { format!("(* {attributes} *) ") };
            self.comment("  ", mem.comment.as_deref());
            let (range, last) = (range(mem.ty), mem.depth - 1);
            self.line(format!("  {attributes}reg {range}{} [0:{last}];", mem.name));
        }
        if part == Part::Hardware {
            // Outputs of instances exist whether or not they are read: a port left open is a warning.
            for id in net.ids().filter(|&id| matches!(net.node(id).op, Op::InstOut(..))) {
                self.declare("wire", id);
            }
        }
        self.gap = true;
        for id in self.w.plan.order.clone() {
            let port = net.ports.iter().any(|p| p.node == id);
            if self.of(id, part) && self.w.plan.declared(id) && !port {
                self.wire(id);
            }
        }
        for &id in mine.iter().filter(|&&id| matches!(net.node(id).op, Op::Reg(..))) {
            self.register(id);
        }
        for mem in 0..net.mems.len() {
            self.memory(mem, part);
        }
    }

    fn mem_part(&self, mem: usize) -> Part {
        let reads = self.net.reads(mem).map(|read| self.w.plan.part[read.index()]);
        reads.max().unwrap_or(Part::Unwritten)
    }

    fn declare(&mut self, kind: &str, id: Id) {
        let node = self.net.node(id);
        self.comment("  ", node.comment.as_deref());
        self.line(format!("  {kind} {}{};", range(node.ty), self.w.name(id)));
    }

    /// A declared expression: `wire` with its value, or a `case`.
    fn wire(&mut self, id: Id) {
        let node = self.net.node(id);
        let (range, name) = (range(node.ty), self.w.name(id).to_string());
        match &node.op {
            Op::Input | Op::Reg(..) | Op::MemRead(..) | Op::InstOut(..) => {}
            Op::Switch(on, arms, default) => {
                self.declare("reg", id);
                self.line("  always @*");
                self.line(format!("    case ({})", self.w.expr(*on)));
                for (key, value) in arms {
                    let (key, value) = (literal(key, self.net.ty(*on)), self.w.expr(*value));
                    self.line(format!("      {key}: {name} = {value};"));
                }
                self.line(format!("      default: {name} = {};", self.w.expr(*default)));
                self.line("    endcase");
            }
            _ => {
                self.comment("  ", node.comment.as_deref());
                self.line(format!("  wire {range}{name} ={};", self.value(id)));
            }
        }
    }

    /// What a wire is assigned, on lines of its own where there are several conditions.
    fn value(&self, id: Id) -> String {
        let gap = if self.net.drives(id).len() > 2 { "\n    " } else { " " };
        match self.net.node(id).op {
            Op::Wire(_) => format!("{gap}{}", self.w.chain(id, gap)),
            _ => format!(" {}", self.w.made(id).text),
        }
    }

    fn register(&mut self, id: Id) {
        let net = self.net;
        let name = self.w.name(id).to_string();
        self.paragraph("  always @(posedge clk)");
        let mut lead = "    ";
        if let Op::Reg(_, Some(reset)) = &net.node(id).op {
            self.line(format!("{lead}if (rst) {name} <= {};", self.w.expr(*reset)));
            lead = "    else ";
        }
        for drive in net.drives(id).iter().rev() {
            let when = drive.when.map(|when| format!("if ({}) ", self.w.expr(when)));
            let value = self.w.expr(drive.value);
            self.line(format!("{lead}{}{name} <= {value};", when.unwrap_or_default()));
            lead = "    else ";
        }
    }

    fn memory(&mut self, index: usize, part: Part) {
        let (net, mem) = (self.net, &self.net.mems[index]);
        let name = &mem.name;
        // What only a property reads is read within `FORMAL`, whoever owns the memory.
        let owned = self.mem_part(index) == part;
        let reads: Vec<Id> = net.reads(index).filter(|&read| self.of(read, part)).collect();
        if reads.is_empty() {
            return;
        }
        match mem.init.as_ref().filter(|_| owned) {
            Some(words) if words.len() > INLINE => {
                let file = format!("{}_{name}.hex", net.name);
                self.paragraph(format!("  initial $readmemh(\"{file}\", {name});"));
                let digits = mem.ty.width().div_ceil(4) as usize;
                let text = words.iter().map(|word| format!("{word:0>digits$x}\n")).collect();
                self.data.push(DataFile { name: file, text });
            }
            Some(words) => {
                self.paragraph("  initial begin");
                for (i, word) in words.iter().enumerate() {
                    self.line(format!("    {name}[{i}] = {};", literal(word, mem.ty)));
                }
                self.line("  end");
            }
            None => {}
        }
        self.paragraph("  always @(posedge clk) begin");
        for port in mem.write.filter(|_| owned).into_iter().chain(reads) {
            let op = &net.node(port).op;
            let (Op::MemRead(_, enable, addr) | Op::MemWrite(_, [enable, addr, _], _)) = op else {
                continue;
            };
            let lead = format!("    if ({})", self.w.expr(*enable));
            let word = format!("{name}[{}]", self.w.expr(*addr));
            match *op {
                Op::MemWrite(_, [.., data], Some(bytes)) => {
                    self.line(format!("{lead} begin"));
                    let (data, bytes) = (uncast(net, data), uncast(net, bytes));
                    for i in 0..mem.ty.width() / 8 {
                        let byte = self.w.bits(bytes, i, 1);
                        let from = self.w.bits(data, 8 * i, 8);
                        let to = bits_of(&word, mem.ty.width(), 8 * i, 8);
                        self.line(format!("      if ({byte}) {to} <= {from};"));
                    }
                    self.line("    end");
                }
                Op::MemWrite(_, [.., data], None) => {
                    self.line(format!("{lead} {word} <= {};", self.w.expr(data)))
                }
                _ => self.line(format!("{lead} {} <= {word};", self.w.name(port))),
            }
        }
        self.line("  end");
    }

    fn instance(&mut self, inst: &Inst) {
        self.gap = true;
        self.comment("  ", inst.comment.as_deref());
        let mut pins = vec![];
        for name in &inst.of.built.implicit {
            let by = inst.reset.filter(|_| *name == "rst").map(|reset| self.w.expr(reset));
            pins.push(format!(".{name}({})", by.as_deref().unwrap_or(name)));
        }
        for (port, &pin) in inst.of.built.net.ports.iter().zip(&inst.pins) {
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
        self.gap = true;
        for port in self.net.ports.iter().filter(|p| p.direction == Direction::Output) {
            self.line(format!("  assign {} ={};", port.name, self.value(port.node)));
        }
    }

    /// Gathers the bits that nothing reads into one net whose name tells lint that this is meant.
    /// Its value is constant, so no tool keeps it.
    fn unread(&mut self) -> Vec<String> {
        let net = self.net;
        let mut parts = vec![];
        for id in net.ids().filter(|&id| self.w.plan.declared(id)) {
            let own = matches!(net.node(id).op, Op::Input | Op::InstOut(..));
            let output = net.ports(Direction::Output).any(|port| port == id);
            if !(own || self.of(id, Part::Hardware)) || output {
                continue;
            }
            let (read, whole) = (&self.w.read.borrow()[id.index()], net.width(id));
            let bits: Vec<u32> = (0..whole).collect();
            let runs = bits.chunk_by(|&a, &b| read.bit(a) == read.bit(b));
            for run in runs.filter(|run| !read.bit(run[0])) {
                parts.push(bits_of(self.w.name(id), whole, run[0], run.len() as u32));
            }
        }
        // Registers that nothing reads are not written, and may leave these two behind.
        let silent = |uses: [&str; 2]| !uses.iter().any(|u| self.out.contains(u));
        if net.needs("clk") && silent(["posedge clk", ".clk(clk)"]) {
            parts.push("clk".into());
        }
        if net.reset.is_none() && net.needs("rst") && silent(["if (rst)", ".rst(rst)"]) {
            parts.push("rst".into());
        }
        if !parts.is_empty() {
            self.paragraph("  // Not read on purpose.");
            self.line(format!("  wire _unused_ok = &{{1'b0, {}, 1'b0}};", parts.join(", ")));
        }
        parts
    }

    fn properties(&mut self) {
        let net = self.net;
        if net.formals.is_empty() {
            return;
        }
        self.paragraph("`ifdef FORMAL");
        self.logic(Part::Formal);
        self.gap = false;
        let edge = if net.needs("clk") { "always @(posedge clk)" } else { "always @*" };
        let reset = if net.needs("rst") { "if (!rst) " } else { "" };
        for formal in &net.formals {
            let (kind, cond, name) = (formal.kind, self.w.expr(formal.cond), &formal.name);
            self.line(format!("  {edge} {reset}{kind} ({cond}); // {name}"));
        }
        self.line("`endif");
    }
}
