//! Which core, for the commands that make or simulate one.

use std::path::PathBuf;

use sterna_firmware::geometry::Geometry;
use sterna_firmware::shape::Shape;

use crate::devices::{batch, bus};
use crate::error::{HostError, Result};
use crate::output;

/// The `--bus`, `--batch` and `--geometry` options.
#[derive(clap::Args, Clone)]
pub struct Choice {
    /// Bits of the memory bus, 64, 128, 256 or 512: a core whose rates suit it [default: 512]
    #[arg(long, value_name = "BITS", value_parser = bus, conflicts_with = "geometry")]
    bus: Option<u32>,
    /// Sequences on chip that share each beat of weights: 1, 2, 4 or 8
    #[arg(long, value_name = "B", default_value = "1", value_parser = batch, conflicts_with = "geometry")]
    batch: u32,
    /// A manifest: a core with these rates and sizes
    #[arg(long, value_name = "FILE.json")]
    geometry: Option<PathBuf>,
}

impl Choice {
    /// The geometry of the manifest, or one that suits bus and shape.
    pub fn resolve(&self, shape: &Shape) -> Result<Geometry> {
        let Some(path) = &self.geometry else {
            let geometry = Geometry::for_shape(self.bus.unwrap_or(512), shape);
            return Ok(geometry.with_slots(self.batch));
        };
        let text = output::read_text(path)?;
        let refuse =
            |e: serde_json::Error| HostError::Manifest { path: path.into(), reason: e.to_string() };
        let geometry: Geometry = serde_json::from_str(&text).map_err(refuse)?;
        geometry.check()?;
        Ok(geometry)
    }
}
