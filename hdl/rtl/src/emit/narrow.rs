//! Sums that only live to be cut are computed at the width that is kept: `(a + b)[7:0]` becomes
//! `a + b` of 8 bits, which is what one would write by hand.

use crate::fold;
use crate::netlist::{Id, Netlist, Op};
use crate::types::Type;

use super::plan::uses;

/// Rewrites `Slice(a op b, 0)`, where nothing else looks at the operator.
pub(crate) fn narrow(net: &mut Netlist) {
    let mut uses = uses(net, |_| true);
    let mut work: Vec<Id> = net.ids().collect();
    while let Some(id) = work.pop() {
        let Op::Slice(of, 0) = net.node(id).op else { continue };
        let (inner, cut) = (net.node(of).clone(), net.node(id).clone());
        let Op::Bin(bin, a, b) = inner.op else { continue };
        let seen = uses[of.index()] != 1 || inner.name.is_some() || inner.comment.is_some();
        if seen || !bin.is_modular() {
            continue;
        }
        let ty = Type::UInt(cut.ty.width());
        let a = fold::node(net, Op::Slice(a, 0), ty, cut.at);
        let b = fold::node(net, Op::Slice(b, 0), ty, cut.at);
        net.nodes[id.index()].op = Op::Bin(bin, a, b);
        uses.resize(net.nodes.len(), 1);
        work.extend([a, b]);
    }
}
