//! Memories: one write port, any number of read ports, one clock of latency.

use std::panic::Location;

use crate::bits::Bits;
use crate::error::{At, Fault};
use crate::module::Module;
use crate::netlist::{Drive, Id, Mem, Op};
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
        self.m.problem(at, Fault::Memory { memory: self.name(), why });
    }

    fn name(self) -> String {
        self.edit(|mem| mem.name.clone())
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

    /// Contents after power-up. Those of many words become a [`DataFile`](crate::DataFile).
    #[track_caller]
    pub fn init<N: Number>(self, f: impl Fn(usize) -> N) -> Memory<'m> {
        let (at, ty) = (Location::caller(), self.ty());
        let words: Option<Vec<Bits>> =
            (0..self.depth()).map(|i| self.m.number(&f(i), ty, at)).collect();
        self.edit(|mem| mem.init = words);
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

    /// The enable and address of a port, in its order.
    fn access(self, enable: Sig<'m>, addr: Sig<'m>, at: At) -> (Id, Id) {
        let enable = self.m.truth(enable, "an enable", at);
        let what = format!("an address of `{}`", self.name());
        let addr = self.m.typed(addr, Type::UInt(self.address_width()), &what, at);
        (self.m.guarded(enable, at).id, addr.id)
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
        self.write_port([enable, addr, data], Some(bytes.id), at);
    }

    fn write_port(self, [enable, addr, data]: [Sig<'m>; 3], bytes: Option<Id>, at: At) {
        let (enable, addr) = self.access(enable, addr, at);
        let data = self.m.typed(data, self.ty(), "the data of a write", at).id;
        let op = Op::MemWrite(self.index, [enable, addr, data], bytes);
        let write = self.m.push(op, self.ty(), None, at).id;
        if self.edit(|mem| mem.write.replace(write)).is_some() {
            self.fault(at, "has a write port already; it can have one".into());
        }
    }

    /// A read port: the word at `addr` one clock after `enable`, held until the next enable.
    #[track_caller]
    pub fn read(self, enable: Sig<'m>, addr: Sig<'m>) -> Sig<'m> {
        let at = Location::caller();
        let (enable, addr) = self.access(enable, addr, at);
        let name = self.m.claim_numbered(format!("{}_q", self.name()), at);
        self.m.push(Op::MemRead(self.index, enable, addr), self.ty(), Some(name), at)
    }

    /// The same through the output register that block RAMs bring along: two clocks, faster logic.
    /// The register follows the read port at every clock.
    #[track_caller]
    pub fn read_registered(self, enable: Sig<'m>, addr: Sig<'m>) -> Sig<'m> {
        let at = Location::caller();
        let drive = Drive { when: None, value: self.read(enable, addr).id, at };
        let name = self.m.claim_numbered(format!("{}_r", self.name()), at);
        self.m.push(Op::Reg(vec![drive], None), self.ty(), Some(name), at)
    }
}

/// The promises that memories make: no read meets a write where `no_rw_check` says so, and no
/// access lies beyond a depth that is not a power of two.
pub(crate) fn promises(m: &Module) {
    let mems = m.net().mems.clone();
    for (i, mem) in mems.iter().enumerate() {
        let reads: Vec<Id> = m.net().reads(i).collect();
        let reads: Vec<_> = reads.into_iter().map(|id| access(m, id)).collect();
        let write = mem.write.map(|id| access(m, id));
        if mem.depth < 1 << index_width(mem.depth) {
            for (n, (enable, addr)) in reads.iter().copied().chain(write).enumerate() {
                m.assert(format!("{}_within_{n}", mem.name), !enable | addr.lt(mem.depth));
            }
        }
        if let (true, Some((writing, to))) = (mem.no_rw_check, write) {
            for (n, (reading, from)) in reads.into_iter().enumerate() {
                let meets = writing & reading & to.eq(from);
                m.assert(format!("{}_no_collision_{n}", mem.name), !meets);
            }
        }
    }
}

/// When and where a port of a memory is used.
fn access(m: &Module, port: Id) -> (Sig<'_>, Sig<'_>) {
    let sig = |id| Sig { m, id };
    match sig(port).op() {
        Op::MemWrite(_, [enable, addr, _], Some(bytes)) => {
            (sig(enable) & sig(bytes).any(), sig(addr))
        }
        Op::MemRead(_, enable, addr) | Op::MemWrite(_, [enable, addr, _], _) => {
            (sig(enable), sig(addr))
        }
        other => unreachable!("{} is no port of a memory", other.word()),
    }
}
