//! Memories: one write port, any number of read ports, one clock of latency.

use std::panic::Location;

use crate::bits::Bits;
use crate::error::{At, Fault};
use crate::module::Module;
use crate::netlist::{Drive, Mem, Op, Read, Write};
use crate::sig::Sig;
use crate::types::{Number, Type, index_width};

/// A memory of a module under construction.
///
/// A read that meets a write at the same address yields the old word, unless
/// [`no_rw_check`](Memory::no_rw_check) promises that this never happens.
#[derive(Clone, Copy)]
pub struct Memory<'m> {
    m: &'m Module,
    index: usize,
}

impl Module {
    /// A memory of `depth` words; its contents after power-up are undefined without
    /// [`Memory::init`].
    #[track_caller]
    pub fn memory(&self, name: impl Into<String>, ty: Type, depth: usize) -> Memory<'_> {
        let at = Location::caller();
        let name = self.claim(self.scoped(&name.into()), at);
        self.width_ok(&format!("a word of `{name}`"), u64::from(ty.width()), at);
        if !(2..=1 << 28).contains(&depth) {
            let why = format!("has {depth} words; a memory has 2 to 2^28");
            self.problem(at, Fault::Memory { memory: name.clone(), why });
        }
        let mut state = self.state.borrow_mut();
        state.net.mems.push(Mem {
            name,
            ty,
            depth,
            init: None,
            no_rw_check: false,
            ram_style: None,
            comment: None,
            write: None,
            reads: vec![],
        });
        Memory { m: self, index: state.net.mems.len() - 1 }
    }

    /// A memory that holds `f(address)` and is only read.
    #[track_caller]
    pub fn rom<N: Number>(
        &self,
        name: impl Into<String>,
        ty: Type,
        depth: usize,
        f: impl Fn(usize) -> N,
    ) -> Memory<'_> {
        self.memory(name, ty, depth).init(f)
    }
}

impl<'m> Memory<'m> {
    fn edit<R>(self, f: impl FnOnce(&mut Mem) -> R) -> R {
        f(&mut self.m.state.borrow_mut().net.mems[self.index])
    }

    fn fault(self, at: At, why: String) {
        let memory = self.edit(|mem| mem.name.clone());
        self.m.problem(at, Fault::Memory { memory, why });
    }

    /// The type of a word.
    pub fn ty(self) -> Type {
        self.edit(|mem| mem.ty)
    }

    /// Number of words.
    pub fn depth(self) -> usize {
        self.edit(|mem| mem.depth)
    }

    /// Width of an address.
    pub fn address_width(self) -> u32 {
        index_width(self.depth())
    }

    /// Contents after power-up.
    #[track_caller]
    pub fn init<N: Number>(self, f: impl Fn(usize) -> N) -> Memory<'m> {
        let (at, ty) = (Location::caller(), self.ty());
        let words: Result<Vec<Bits>, String> =
            (0..self.depth()).map(|i| f(i).to_bits(ty).ok_or_else(|| f(i).to_string())).collect();
        match words {
            Ok(words) => self.edit(|mem| mem.init = Some(words)),
            Err(value) => self.m.problem(at, Fault::LiteralRange { value, ty }),
        }
        self
    }

    /// Promises that no read meets a write at one address, which spares the tools' logic for that
    /// case (on ECP5 five sixths of a core's LUTs). The promise becomes an assertion.
    pub fn no_rw_check(self) -> Memory<'m> {
        self.edit(|mem| mem.no_rw_check = true);
        self
    }

    /// The `ram_style` attribute: `block`, `distributed`, `ultra`, …
    pub fn ram_style(self, style: impl Into<String>) -> Memory<'m> {
        self.edit(|mem| mem.ram_style = Some(style.into()));
        self
    }

    /// A comment above the memory in the Verilog.
    pub fn comment(self, text: impl Into<String>) -> Memory<'m> {
        self.edit(|mem| mem.comment = Some(text.into()));
        self
    }

    fn address(self, addr: Sig<'m>, at: At) -> Sig<'m> {
        let what = format!("an address of `{}`", self.edit(|mem| mem.name.clone()));
        self.m.typed(addr, Type::UInt(self.address_width()), &what, at)
    }

    fn enabled(self, enable: Sig<'m>, at: At) -> Sig<'m> {
        let enable = self.m.truth(enable, "an enable", at);
        self.m.guarded(enable, at)
    }

    /// The write port: `data` goes to `addr` at the clock edge while `enable` is high.
    #[track_caller]
    pub fn write(self, enable: Sig<'m>, addr: Sig<'m>, data: Sig<'m>) {
        self.write_port([enable, addr, data], None, Location::caller());
    }

    /// The write port, with one bit of `bytes` for each byte of the word.
    #[track_caller]
    pub fn write_bytes(self, enable: Sig<'m>, addr: Sig<'m>, data: Sig<'m>, bytes: Sig<'m>) {
        let (at, width) = (Location::caller(), self.ty().width());
        if !width.is_multiple_of(8) {
            return self.fault(at, format!("has byte enables, but words of {width} bits"));
        }
        let bytes = self.m.typed(bytes, Type::UInt(width / 8), "the byte enables", at);
        self.write_port([enable, addr, data], Some(bytes), at);
    }

    fn write_port(self, [enable, addr, data]: [Sig<'m>; 3], bytes: Option<Sig<'m>>, at: At) {
        let enable = self.enabled(enable, at);
        let addr = self.address(addr, at);
        let data = self.m.typed(data, self.ty(), "the data of a write", at);
        if self.edit(|mem| mem.write.is_some()) {
            return self.fault(at, "has a write port already; it can have one".into());
        }
        let bytes = bytes.map(|b| b.id);
        self.edit(|mem| {
            mem.write = Some(Write { enable: enable.id, addr: addr.id, data: data.id, bytes })
        });
    }

    /// A read port: the word at `addr` one clock after `enable`, held until the next enable.
    #[track_caller]
    pub fn read(self, enable: Sig<'m>, addr: Sig<'m>) -> Sig<'m> {
        let at = Location::caller();
        let (enable, addr) = (self.enabled(enable, at), self.address(addr, at));
        let (name, ty, port) = self.edit(|mem| (mem.name.clone(), mem.ty, mem.reads.len()));
        let name = self.m.claim_numbered(format!("{name}_q"), at);
        let out = self.m.push(Op::MemRead(self.index, port), ty, Some(name), at);
        self.edit(|mem| mem.reads.push(Read { enable: enable.id, addr: addr.id, out: out.id }));
        out
    }

    /// The same through the output register that block RAMs bring along: two clocks, faster logic.
    /// The register follows the read port at every clock.
    #[track_caller]
    pub fn read_registered(self, enable: Sig<'m>, addr: Sig<'m>) -> Sig<'m> {
        let at = Location::caller();
        let first = self.read(enable, addr);
        let name = self.edit(|mem| mem.name.clone());
        let name = self.m.claim_numbered(format!("{name}_r"), at);
        let reg = self.m.push(Op::Reg, first.ty(), Some(name), at);
        self.m.state.borrow_mut().net.regs.insert(reg.id, None);
        let drive = Drive { when: None, value: first.id, at };
        self.m.state.borrow_mut().net.drives.insert(reg.id, vec![drive]);
        reg
    }
}

/// The promises that memories make: no read meets a write where `no_rw_check` says so, and no
/// access lies beyond a depth that is not a power of two.
pub(crate) fn promises(m: &Module) {
    let mems = m.state.borrow().net.mems.clone();
    let sig = |id| Sig { m, id };
    for mem in &mems {
        let write = mem.write.as_ref().map(|w| {
            let bytes = w.bytes.map(|b| sig(b).any());
            (bytes.map_or(sig(w.enable), |b| sig(w.enable) & b), sig(w.addr))
        });
        if mem.depth < 1 << index_width(mem.depth) {
            let reads = mem.reads.iter().map(|r| (sig(r.enable), sig(r.addr)));
            for (n, (enable, addr)) in reads.chain(write).enumerate() {
                m.assert(format!("{}_within_{n}", mem.name), !enable | addr.lt(mem.depth));
            }
        }
        if let (true, Some((writing, to))) = (mem.no_rw_check, write) {
            for (n, read) in mem.reads.iter().enumerate() {
                let meets = writing & sig(read.enable) & to.eq(sig(read.addr));
                m.assert(format!("{}_no_collision_{n}", mem.name), !meets);
            }
        }
    }
}
