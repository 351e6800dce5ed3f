//! The structural checks: everything driven, nothing in a circle, and which inputs an output sees.

use crate::error::{Fault, Problem};
use crate::netlist::{Direction, Id, Netlist, Op, PortDecl};

/// Wires, outputs and registers without a drive, and wires without a default.
pub(crate) fn driven(net: &Netlist) -> Vec<Problem> {
    let problem = |id| {
        let signal = net.describe(id);
        let fault = match &net.node(id).op {
            Op::Wire(drives) | Op::Reg(drives, _) if drives.is_empty() => {
                Fault::Undriven { signal }
            }
            Op::Wire(drives) if drives[0].when.is_some() => Fault::NoDefault { signal },
            _ => return None,
        };
        Some(net.problem(net.node(id).at, fault))
    };
    net.ids().filter_map(problem).collect()
}

/// All nodes, each after those that it depends on within a clock, or the loop that forbids it.
pub(crate) fn order(net: &Netlist) -> Result<Vec<Id>, Box<Problem>> {
    let (mut open, mut done) = (vec![false; net.nodes.len()], vec![false; net.nodes.len()]);
    let mut order = Vec::with_capacity(net.nodes.len());
    // Depth first without recursion: chains of operators may be longer than the stack is deep.
    let mut stack = vec![(None::<Id>, net.ids().collect::<Vec<_>>().into_iter())];
    while let Some((_, fan_in)) = stack.last_mut() {
        match fan_in.next() {
            None => {
                if let Some(id) = stack.pop().and_then(|(id, _)| id) {
                    done[id.index()] = true;
                    order.push(id);
                }
            }
            Some(child) if done[child.index()] => {}
            Some(child) if open[child.index()] => {
                let from = stack.iter().position(|f| f.0 == Some(child)).unwrap_or(0);
                let path: Vec<Id> = stack[from..].iter().filter_map(|f| f.0).collect();
                return Err(Box::new(circle(net, &path)));
            }
            Some(child) => {
                open[child.index()] = true;
                stack.push((Some(child), net.fan_in(child).into_iter()));
            }
        }
    }
    Ok(order)
}

/// The loop as a message: the named signals in the direction of the data, or all where none is.
fn circle(net: &Netlist, path: &[Id]) -> Problem {
    let named: Vec<Id> = path.iter().copied().filter(|&id| net.node(id).name.is_some()).collect();
    let shown = if named.is_empty() { path.to_vec() } else { named };
    let mut names: Vec<String> = shown.iter().rev().map(|&id| net.describe(id).name).collect();
    names.extend(names.first().cloned());
    net.problem(net.node(shown[0]).at, Fault::Loop { path: names.join(" -> ") })
}

/// For each port, the indices of the input ports that it depends on within a clock.
pub(crate) fn paths(net: &Netlist) -> Vec<Vec<usize>> {
    let of_port = |port: &PortDecl| {
        let seen = net.reach([port.node], false);
        let on = |p: &PortDecl| p.direction == Direction::Input && seen[p.node.index()];
        (0..net.ports.len()).filter(|&i| on(&net.ports[i])).collect()
    };
    net.ports.iter().map(of_port).collect()
}
