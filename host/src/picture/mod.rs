//! Pictures: drawings of plain shapes, as SVG and PNG.
//!
//! | module | one sentence |
//! |---|---|
//! | [`drawing`] | shapes, of which a picture is made |
//! | [`font`] | the font, built in |
//! | [`svg`], [`raster`] | drawings as SVG and as PNG |
//! | [`axis`] | axes, ticks, numbers for people |
//! | [`frame`] | title, legend, axes: what all pictures have |
//!
//! Drawn by a few hundred lines here and by `tiny-skia`, not by a plotting library: SVG and PNG
//! come from one list of shapes, lines are smooth in both, a model's numbers can be hatched, and
//! the font is measured where it is drawn, so that no text runs into another.

pub mod axis;
pub mod drawing;
pub mod font;
pub mod frame;
pub mod raster;
pub mod svg;
