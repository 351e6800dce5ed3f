//! The structural checks: everything driven, nothing in a circle, and which inputs an output sees.

use crate::error::{Fault, Problem};
use crate::netlist::{Direction, Id, Netlist, Op, PortDecl};

/// Wires, outputs and registers without a drive, and wires without a default.
pub(crate) fn driven(net: &Netlist, known: &[Problem]) -> Vec<Problem> {
    let mut problems = vec![];
    for id in net.ids() {
        let node = net.node(id);
        if !matches!(node.op, Op::Wire | Op::Reg) {
            continue;
        }
        let signal = net.describe(id);
        let fault = match net.drives(id).first() {
            None => Fault::Undriven { signal },
            Some(drive) if drive.when.is_some() && node.op == Op::Wire => {
                Fault::NoDefault { signal }
            }
            Some(_) => continue,
        };
        problems.push(Problem { module: net.name.clone(), at: node.at, fault });
    }
    // After a refused expression, what is missing may only be its consequence.
    let refused = known.iter().any(|p| p.module == net.name);
    if refused { vec![] } else { problems }
}

/// All nodes, each after those that it depends on within a clock, or the loop that forbids it.
pub(crate) fn order(net: &Netlist) -> Result<Vec<Id>, Box<Problem>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let mut marks = vec![Mark::New; net.nodes.len()];
    let mut order = Vec::with_capacity(net.nodes.len());
    // Depth first without recursion: chains of operators may be longer than the stack is deep.
    for root in net.ids() {
        if marks[root.0 as usize] != Mark::New {
            continue;
        }
        let mut stack = vec![(root, net.fan_in(root), 0)];
        marks[root.0 as usize] = Mark::Open;
        while let Some((id, fan_in, next)) = stack.last_mut() {
            let Some(&child) = fan_in.get(*next) else {
                marks[id.0 as usize] = Mark::Done;
                order.push(*id);
                stack.pop();
                continue;
            };
            *next += 1;
            match marks[child.0 as usize] {
                Mark::Done => {}
                Mark::New => {
                    marks[child.0 as usize] = Mark::Open;
                    stack.push((child, net.fan_in(child), 0));
                }
                Mark::Open => {
                    let from = stack.iter().position(|f| f.0 == child).unwrap_or(0);
                    let path: Vec<Id> = stack[from..].iter().map(|f| f.0).collect();
                    return Err(Box::new(circle(net, &path)));
                }
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
    let at = net.node(shown[0]).at;
    Problem { module: net.name.clone(), at, fault: Fault::Loop { path: names.join(" -> ") } }
}

/// For each port, the indices of the input ports that it depends on within a clock.
pub(crate) fn paths(net: &Netlist) -> Vec<Vec<usize>> {
    let of_port = |port: &PortDecl| {
        if port.direction == Direction::Input {
            return vec![];
        }
        let seen = net.reach([port.node], false);
        let on = |p: &PortDecl| p.direction == Direction::Input && seen[p.node.0 as usize];
        (0..net.ports.len()).filter(|&i| on(&net.ports[i])).collect()
    };
    net.ports.iter().map(of_port).collect()
}
