//! What a design is made of, seen through its hierarchy.

use sterna_rtl::{Condition, Generate, Module, NetKind, SInt, UInt};

/// A register behind an adder, with its sum on another port under another name.
struct Inner;

impl Generate for Inner {
    fn name(&self) -> String {
        "inner".into()
    }

    fn describe(&self, m: &Module) {
        let (a, b) = (m.input("a", UInt(8)), m.input("b", UInt(8)));
        let sum = a.wrapping_add(b).named("sum");
        let held = m.reg("held", UInt(8)).reset(0);
        held.set(sum);
        m.output("now", UInt(8)).set(sum);
        m.output("last", UInt(8)).set(held);
    }
}

fn outer() -> sterna_rtl::Design {
    let m = Module::new("outer");
    let (x, y) = (m.input("x", UInt(8)), m.input("y", UInt(8)));
    let (go, stop) = (m.input("go", UInt(1)), m.input("stop", UInt(1)));
    let inner = m.instance("u_inner", &Inner);
    inner.set("a", x).set("b", y);
    let memory = m.memory("words", UInt(8), 16);
    memory.write(go & !stop, x.truncate(4), inner.port("last"));
    let word = memory.read(x.bit(3), y.truncate(4));
    let small = x.truncate(5).as_sint();
    let product = m.reg("product", SInt(13)).reset(0);
    product.set(small * y.as_sint());
    m.output("total", UInt(8)).set(inner.port("now"));
    m.output("word_out", UInt(8)).set(word);
    m.output("product_out", SInt(13)).set(product);
    m.build().expect("the design is sound")
}

#[test]
fn a_signal_is_one_net_at_its_driver() {
    let found = outer().resources();
    let paths: Vec<&str> = found.places.iter().map(|place| place.path.as_str()).collect();
    assert_eq!(paths, ["", "u_inner"]);
    let net = |name: &str| found.names[name];
    // The sum is driven inside, and passes two ports on its way out.
    assert_eq!(net("u_inner/sum"), net("u_inner/now"));
    assert_eq!(net("u_inner/sum"), net("u_inner_now"));
    assert_eq!(net("u_inner/sum"), net("total"));
    // What enters comes from the top's ports.
    assert_eq!(net("u_inner/a"), net("x"));
    let kinds = ["x", "u_inner/sum", "u_inner/held", "words_q", "product"].map(|name| {
        let net = found.nets[net(name)];
        (net.instance, net.kind, net.width)
    });
    let expected = [
        (0, NetKind::Input, 8),
        (1, NetKind::Logic, 8),
        (1, NetKind::Register, 8),
        (0, NetKind::Read, 8),
        (0, NetKind::Register, 13),
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn memories_and_products_say_when_they_work() {
    let found = outer().resources();
    let bit = |name: &str, bit| Condition::Bit(found.names[name], bit);
    let [memory] = &found.memories[..] else { panic!("one memory, not {:?}", found.memories) };
    assert_eq!((memory.width, memory.depth), (8, 16));
    let not_stopped = Condition::Not(Box::new(bit("stop", 0)));
    assert_eq!(memory.write, Condition::And(Box::new([bit("go", 0), not_stopped])));
    assert_eq!(memory.reads, [bit("x", 3)]);
    let [product] = &found.products[..] else { panic!("one product, not {:?}", found.products) };
    assert_eq!(product.widths, [5, 8]);
    // Of one factor three bits are cut off: wiring, but with a name in the Verilog.
    let factors = product.factors.iter().map(|&net| (found.nets[net].kind, found.nets[net].width));
    assert_eq!(factors.collect::<Vec<_>>(), [(NetKind::Wiring, 5), (NetKind::Input, 8)]);
    assert!(product.factors.iter().all(|factor| product.sources.contains(factor)));
}
