//! Geometries that no core can have, and models that are too large for one.

use std::fmt::Write;

use sterna_firmware::geometry::Geometry;
use sterna_firmware::shape::Shape;

const SHAPE: Shape = Shape { hidden: 96, inner: 96, intermediate: 256, layers: 2, vocab: 50 };

#[test]
fn what_is_not_legal_is_named() {
    let good = Geometry::for_shape(128, &SHAPE);
    good.check().unwrap();
    good.fits(&SHAPE).unwrap();
    let mut messages = String::new();
    for wrong in [
        Geometry { bus: 96, ..good.clone() },
        Geometry { ways: 8, ..good.clone() },
        Geometry { ways: 3, ..good.clone() },
        Geometry { quantisers: 32, ..good.clone() },
        Geometry { quantisers: 1, ..good.clone() },
        Geometry { ways: 4, quantisers: 2, ..good.clone() },
        Geometry { top_k: 2, ..good.clone() },
        Geometry { hidden: 100, ..good.clone() },
        Geometry { inner: 0, ..good.clone() },
        Geometry { intermediate: 16_416, ..good.clone() },
        Geometry { state: 64, ..good.clone() },
        Geometry { prefetch: 128, ..good.clone() },
    ] {
        let error = wrong.check().unwrap_err();
        writeln!(messages, "{} {error}", error.code()).unwrap();
    }
    let large = Shape { hidden: 128, layers: 3, ..SHAPE };
    let error = good.fits(&large).unwrap_err();
    writeln!(messages, "{} {error}", error.code()).unwrap();
    insta::assert_snapshot!(messages);
}

/// The hash is of the manifest's text, which is stable: a core's registers hold it for years.
#[test]
fn the_manifest_is_stable() {
    let geometry = Geometry::for_shape(512, &SHAPE);
    insta::assert_snapshot!(format!("{}{:016x}", geometry.manifest(), geometry.hash()));
}
