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
        Geometry { slots: 3, ..good.clone() },
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

/// Each sequence brings as many row groups, and one epilogue finishes all of them.
#[test]
fn more_sequences_get_more_ways() {
    let m370 = Shape { hidden: 1024, inner: 1024, intermediate: 2816, layers: 24, vocab: 32_000 };
    let of = |bus, shape: &Shape| {
        [1, 2, 4, 8].map(|slots| {
            let geometry = Geometry::for_shape(bus, shape).with_slots(slots);
            geometry.check().unwrap();
            geometry.fits(shape).unwrap();
            assert_eq!(geometry.slots, slots);
            geometry.ways
        })
    };
    assert_eq!(of(512, &m370), [1, 1, 2, 4]);
    assert_eq!(of(512, &SHAPE), [4, 8, 8, 8]);
    // A bus of 64 bits has room for two.
    assert_eq!(of(64, &SHAPE), [1, 1, 2, 2]);
    // More than are needed are kept.
    let many = Geometry { ways: 8, ..Geometry::for_shape(512, &m370) };
    assert_eq!(many.with_slots(4).ways, 8);
}

/// Each bound is legal, what lies beyond it is not.
#[test]
fn the_ends_are_legal() {
    let of = |bus| Geometry::for_shape(bus, &SHAPE);
    let (narrow, wide) = (of(64), of(512));
    for legal in [
        Geometry { ways: 2, quantisers: 2, ..narrow.clone() },
        Geometry { quantisers: 8, ..narrow.clone() },
        Geometry { prefetch: 256, ..narrow.clone() },
        Geometry { ways: 8, quantisers: 8, ..wide.clone() },
        Geometry { ways: 1, quantisers: 32, ..wide.clone() },
        Geometry { prefetch: 64, ..wide.clone() },
        Geometry { prefetch: 1 << 16, ..wide.clone() },
        Geometry { hidden: 32, inner: 32, intermediate: 32, state: 32, ..wide.clone() },
        Geometry { hidden: 16_384, intermediate: 16_384, ..wide.clone() },
        Geometry { inner: 16_384, state: 512 * 16_384, ..wide.clone() },
        Geometry { state: wide.inner, ..wide.clone() },
    ] {
        legal.check().unwrap();
    }
    for (field, wrong) in [
        ("ways", Geometry { ways: 4, quantisers: 8, ..narrow.clone() }),
        ("ways", Geometry { ways: 16, quantisers: 32, ..wide.clone() }),
        ("ways", Geometry { ways: 0, ..wide.clone() }),
        ("quantisers", Geometry { quantisers: 16, ..narrow.clone() }),
        ("quantisers", Geometry { quantisers: 64, ..wide.clone() }),
        ("quantisers", Geometry { ways: 1, quantisers: 1, ..wide.clone() }),
        ("quantisers", Geometry { ways: 8, quantisers: 4, ..wide.clone() }),
        ("quantisers", Geometry { ways: 1, quantisers: 3, ..wide.clone() }),
        ("prefetch", Geometry { prefetch: 128, ..narrow.clone() }),
        ("prefetch", Geometry { prefetch: 32, ..wide.clone() }),
        ("prefetch", Geometry { prefetch: 1 << 17, ..wide.clone() }),
        ("prefetch", Geometry { prefetch: 96, ..wide.clone() }),
        ("state", Geometry { state: wide.inner - 32, ..wide.clone() }),
        ("state", Geometry { state: wide.inner + 16, ..wide.clone() }),
        ("state", Geometry { state: 512 * 16_384 + 32, ..wide.clone() }),
    ] {
        let message = wrong.check().unwrap_err().to_string();
        assert!(message.contains(field), "{field}: {message}");
    }
    for exact in [SHAPE, Shape { vocab: 1 << 20, ..SHAPE }] {
        of(128).fits(&exact).unwrap();
    }
    for (field, larger) in [
        ("hidden", Shape { hidden: SHAPE.hidden + 32, ..SHAPE }),
        ("inner", Shape { inner: SHAPE.inner + 32, layers: 1, ..SHAPE }),
        ("intermediate", Shape { intermediate: SHAPE.intermediate + 32, ..SHAPE }),
        ("state", Shape { layers: SHAPE.layers + 1, ..SHAPE }),
    ] {
        let message = of(128).fits(&larger).unwrap_err().to_string();
        assert!(message.contains(&format!("{field}: the model needs")), "{message}");
    }
}

/// What is chosen for a model by itself.
#[test]
fn a_model_has_its_geometry() {
    let mut text = String::new();
    let m370 = Shape { hidden: 1024, inner: 1024, intermediate: 2816, layers: 24, vocab: 32_000 };
    for shape in [SHAPE, m370] {
        for bus in [64, 128, 256, 512] {
            let geometry = Geometry::for_shape(bus, &shape);
            assert_eq!(geometry.columns(), bus as usize / 8);
            writeln!(text, "{geometry:?}").unwrap();
        }
    }
    insta::assert_snapshot!(text);
}
