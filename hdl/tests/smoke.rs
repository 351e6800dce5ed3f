//! Builds.
use sterna_firmware::geometry::Geometry;
use sterna_firmware::shape::Shape;
use sterna_hdl::core::*;
use sterna_rtl::Generate;
fn ok(of: &impl Generate) {
    match of.build() {
        Ok(d) => {
            println!("{}: {} lines", of.name(), d.verilog().lines().count())
        }
        Err(e) => {
            println!("{e}");
            panic!("{}", of.name())
        }
    }
}
#[test]
fn builds() {
    let shape = Shape { hidden: 256, inner: 256, intermediate: 768, layers: 6, vocab: 512 };
    for bus in [64, 128, 256, 512] {
        let geometry = Geometry::for_shape(bus, &shape);
        geometry.check().unwrap();
        let g = || geometry.clone();
        ok(&FrontEnd { geometry: g() });
        ok(&Quantiser { geometry: g() });
        ok(&Issue);
        ok(&Epilogue { geometry: g() });
        ok(&Embedding { geometry: g() });
        ok(&Head { geometry: g() });
        ok(&StateMover { geometry: g() });
        ok(&Control { geometry: g() });
        ok(&Engine { geometry: g() });
        ok(&Core { geometry: g() });
    }
}
