//! The nodes of a netlist: operators, and what drives a wire or register.

use derive_more::Display;
use strum::IntoStaticStr;

use crate::bits::Bits;
use crate::error::At;
use crate::types::Type;

/// Index of a node in its netlist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id(pub u32);

impl Id {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

macro_rules! operators {
    ($($(#[$doc:meta])* $bin:ident $word:literal $verilog:literal;)*) => {
        /// Operators of two operands. Comparisons give `UInt(1)`, shifts take any `UInt` as their
        /// second operand; otherwise operands and result have one width.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Bin {
            $($(#[$doc])* $bin,)*
        }

        impl Bin {
            /// What generated names call it, and how Verilog spells it.
            pub fn spelling(self) -> (&'static str, &'static str) {
                match self {
                    $(Bin::$bin => ($word, $verilog),)*
                }
            }
        }
    };
}
operators! {
    Add "sum" "+";
    Sub "difference" "-";
    Mul "product" "*";
    And "and" "&";
    Or "or" "|";
    Xor "xor" "^";
    Eq "compare" "==";
    Ne "compare" "!=";
    Lt "compare" "<";
    Le "compare" "<=";
    Gt "compare" ">";
    Ge "compare" ">=";
    Shl "shift" "<<";
    /// Arithmetic for `SInt`.
    Shr "shift" ">>";
}

impl Bin {
    /// Whether low bits of the result depend on low bits of the operands alone.
    pub fn is_modular(self) -> bool {
        matches!(self, Bin::Add | Bin::Sub | Bin::Mul | Bin::And | Bin::Or | Bin::Xor)
    }

    /// Whether the result is a truth value.
    pub fn is_comparison(self) -> bool {
        matches!(self, Bin::Eq | Bin::Ne | Bin::Lt | Bin::Le | Bin::Gt | Bin::Ge)
    }
}

/// Reductions to `UInt(1)`.
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq)]
pub(crate) enum Red {
    #[display("&")]
    All,
    #[display("|")]
    Any,
    #[display("^")]
    Parity,
}

/// How a node's value comes about.
#[derive(Clone, Debug, PartialEq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub(crate) enum Op {
    /// A port, or the reset.
    Input,
    #[strum(serialize = "literal")]
    Const(Bits),
    Bin(Bin, Id, Id),
    Not(Id),
    Reduce(Red, Id),
    Mux(Id, Id, Id),
    /// Selector, arms with distinct constants, default.
    Switch(Id, Vec<(Bits, Id)>, Id),
    /// Most significant first.
    Cat(Vec<Id>),
    /// As many bits as the node's type has, from a constant position.
    Slice(Id, u32),
    /// To the node's wider type, by the operand's sign.
    Extend(Id),
    /// Other signedness, same bits.
    Cast(Id),
    /// Another name for the same signal.
    Alias(Id),
    /// A wire, an output or an input of an instance, with what drives it.
    Wire(Vec<Drive>),
    /// What drives it at the clock edge, and the literal that it is in reset.
    Reg(Vec<Drive>, Option<Id>),
    /// A read port: its memory, enable and address; the word of the last enabled clock edge.
    #[strum(serialize = "read")]
    MemRead(usize, Id, Id),
    /// A write port, without a value: its memory; enable, address and data; for words that are
    /// written by bytes, one bit for each.
    MemWrite(usize, [Id; 3], Option<Id>),
    /// Port `.1` of instance `.0`.
    #[strum(serialize = "instance_output")]
    InstOut(usize, usize),
    /// Stands for an expression that was refused.
    #[strum(serialize = "refused")]
    Poison,
}

impl Op {
    /// The same to be changed, in the same order.
    pub fn slots(&mut self) -> Vec<&mut Id> {
        match self {
            Op::Bin(_, a, b) | Op::MemRead(_, a, b) => vec![a, b],
            Op::Not(a) | Op::Reduce(_, a) | Op::Slice(a, _) => vec![a],
            Op::Extend(a) | Op::Cast(a) | Op::Alias(a) => vec![a],
            Op::Mux(c, a, b) => vec![c, a, b],
            Op::Switch(on, arms, default) => {
                [on].into_iter().chain(arms.iter_mut().map(|a| &mut a.1)).chain([default]).collect()
            }
            Op::Cat(parts) => parts.iter_mut().collect(),
            Op::Wire(drives) => drive_slots(drives).collect(),
            Op::Reg(drives, reset) => drive_slots(drives).chain(reset).collect(),
            Op::MemWrite(_, ids, bytes) => ids.iter_mut().chain(bytes).collect(),
            Op::Input | Op::Const(_) | Op::InstOut(..) | Op::Poison => vec![],
        }
    }

    /// Whether the operands are sampled at the clock edge.
    pub fn is_clocked(&self) -> bool {
        matches!(self, Op::Reg(..) | Op::MemRead(..) | Op::MemWrite(..))
    }

    /// The nodes of this module that the operator reads, now or at the clock edge.
    pub fn operands(&self) -> Vec<Id> {
        self.clone().slots().into_iter().map(|id| *id).collect()
    }

    /// The same operator on other nodes.
    pub fn mapped(&self, f: impl Fn(Id) -> Id) -> Op {
        let mut op = self.clone();
        op.slots().into_iter().for_each(|id| *id = f(*id));
        op
    }

    /// What messages and generated names call it.
    pub fn word(&self) -> &'static str {
        match self {
            Op::Bin(bin, ..) => bin.spelling().0,
            op => op.into(),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub ty: Type,
    pub op: Op,
    pub name: Option<String>,
    pub comment: Option<String>,
    pub at: At,
}

/// One `set()`: the last whose condition holds wins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Drive {
    pub when: Option<Id>,
    pub value: Id,
    pub at: At,
}

fn drive_slots(drives: &mut [Drive]) -> impl Iterator<Item = &mut Id> {
    drives.iter_mut().flat_map(|d| d.when.iter_mut().chain([&mut d.value]))
}
