//! Driving: what a wire or register is set to, under which conditions, and what it is in reset.

use std::panic::Location;

use crate::error::{At, Fault, place};
use crate::module::Module;
use crate::netlist::{Bin, Drive, Op};
use crate::sig::{Operand, Sig};
use crate::types::Number;

impl<'m> Sig<'m> {
    /// Drives an output, a wire, a register (at the clock edge) or an input of an instance. The
    /// types must be equal. Under [`Module::when`] the drive holds only then, and overrides those
    /// before it; without a condition it must be the first.
    #[track_caller]
    pub fn set(self, value: impl Operand<'m>) {
        let (m, at, ty, signal) = (self.m, Location::caller(), self.ty(), self.describe());
        let op = self.op();
        let (Op::Wire(before) | Op::Reg(before, _)) = &op else {
            if op != Op::Poison {
                m.problem(at, Fault::NotDrivable { signal });
            }
            return;
        };
        let value = m.typed(value.resolve(m, ty, at), ty, &format!("`{}`", signal.name), at).id;
        // A wire that was made under the open conditions exists only there.
        let born = m.state.borrow().born.get(&self.id).copied();
        let made_here = |open| matches!(op, Op::Wire(_)) && born == Some(open);
        let when = m.open().map(|open| open.id).filter(|&open| !made_here(open));
        if let (Some(first), None) = (before.first(), when) {
            m.problem(at, Fault::DrivenTwice { signal, first: place(first.at) });
        }
        if let Op::Wire(drives) | Op::Reg(drives, _) = &mut m.net().nodes[self.id.index()].op {
            drives.push(Drive { when, value, at });
        }
    }

    /// The value that a register takes while `rst` is high.
    #[track_caller]
    pub fn reset(self, value: impl Number) -> Sig<'m> {
        let at = Location::caller();
        match self.op() {
            Op::Poison => {}
            Op::Reg(drives, _) => {
                let reset = self.m.literal(self.ty(), &value, at).id;
                self.m.net().nodes[self.id.index()].op = Op::Reg(drives, Some(reset));
            }
            _ => self.m.problem(at, Fault::NotRegister { signal: self.describe() }),
        }
        self
    }

    /// A register, without reset, that takes this signal at every clock.
    #[track_caller]
    pub fn register(self, name: impl Into<String>) -> Sig<'m> {
        let reg = self.m.reg(name, self.ty());
        reg.set(self);
        reg
    }

    /// The signal `clocks` clocks later, through as many registers `name_1`, `name_2`, …
    #[track_caller]
    pub fn delay(self, name: &str, clocks: usize) -> Sig<'m> {
        (1..=clocks).fold(self, |sig, n| sig.register(format!("{name}_{n}")))
    }

    /// The same through registers that are zero after reset: the `valid` beside a pipeline.
    #[track_caller]
    pub fn delay_valid(self, name: &str, clocks: usize) -> Sig<'m> {
        (1..=clocks).fold(self, |sig, n| sig.register(format!("{name}_{n}")).reset(0))
    }
}

impl Module {
    /// Runs `body` so that each `set()`, memory access and assertion in it happens only while
    /// `condition`, a `UInt(1)`, holds.
    #[track_caller]
    pub fn when<'m>(&'m self, condition: Sig<'m>, body: impl FnOnce()) -> When<'m> {
        let at = Location::caller();
        let condition = self.truth(condition, "when()", at);
        self.under(condition, body, at);
        When { rest: !condition }
    }

    fn under<'m>(&'m self, condition: Sig<'m>, body: impl FnOnce(), at: At) {
        let whole = self.guarded(condition, at);
        self.state.borrow_mut().conditions.push(whole.id);
        body();
        self.state.borrow_mut().conditions.pop();
    }

    /// The condition of the `when`s that are open; always true where there is none.
    pub(crate) fn open(&self) -> Option<Sig<'_>> {
        self.state.borrow().conditions.last().map(|&id| Sig { m: self, id })
    }

    /// `condition` and that of the open `when`s.
    pub(crate) fn guarded<'m>(&'m self, condition: Sig<'m>, at: At) -> Sig<'m> {
        match self.open() {
            Some(open) => self.op(Op::Bin(Bin::And, open.id, condition.id), condition.ty(), at),
            None => condition,
        }
    }
}

/// The rest of a [`Module::when`]: what happens while its conditions do not hold.
pub struct When<'m> {
    rest: Sig<'m>,
}

impl<'m> When<'m> {
    /// `body`, while none of the earlier conditions and `condition` holds.
    #[track_caller]
    pub fn elsewhen(self, condition: Sig<'m>, body: impl FnOnce()) -> When<'m> {
        let (m, at) = (self.rest.m, Location::caller());
        let condition = m.truth(condition, "elsewhen()", at);
        m.under(self.rest & condition, body, at);
        When { rest: self.rest & !condition }
    }

    /// `body`, while none of the earlier conditions holds.
    #[track_caller]
    pub fn otherwise(self, body: impl FnOnce()) {
        self.rest.m.under(self.rest, body, Location::caller());
    }
}
