//! Writes the core, or one of its parts, in a trial: `trial DIR [5m|370m] [BUS] [MODULE]`.

use std::path::PathBuf;

use sterna_firmware::geometry::Geometry;
use sterna_firmware::shape::Shape;
use sterna_hdl::board::Trial;
use sterna_hdl::core::{
    Control, Core, Embedding, Epilogue, FrontEnd, Head, HeaderCheck, Issue, MemoryPort, Quantiser,
    StateMover, Way,
};
use sterna_hdl::units::{NormScale, Quantise, Reciprocal, RmsNorm, Sigmoid, TernaryUnit, TopK};
use sterna_rtl::{Design, Generate, RtlError};

fn trial(of: impl Generate) -> Result<Design, RtlError> {
    Trial { of }.build()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let folder = PathBuf::from(words.next().ok_or("which folder?")?);
    let shape = match words.next().as_deref() {
        Some("370m") => {
            Shape { hidden: 1024, inner: 1024, intermediate: 2816, layers: 24, vocab: 32000 }
        }
        _ => Shape { hidden: 256, inner: 256, intermediate: 768, layers: 6, vocab: 512 },
    };
    let bus: u32 = words.next().map_or(Ok(64), |word| word.parse())?;
    let geometry = Geometry::for_shape(bus, &shape);
    let module = words.next().unwrap_or("core".into());
    let design = match module.as_str() {
        "core" => trial(Core { geometry }),
        "control" => trial(Control { geometry }),
        "embedding" => trial(Embedding { geometry }),
        "epilogue" => trial(Epilogue { geometry }),
        "front_end" => trial(FrontEnd { geometry }),
        "head" => trial(Head { geometry }),
        "header_check" => trial(HeaderCheck { geometry }),
        "issue" => trial(Issue { slots: geometry.slots }),
        "memory_port" => trial(MemoryPort { geometry }),
        "quantiser" => trial(Quantiser { geometry }),
        "state_mover" => trial(StateMover { geometry }),
        "way" => trial(Way),
        "norm_scale" => trial(NormScale { slots: geometry.slots }),
        "quantise" => trial(Quantise),
        "reciprocal" => trial(Reciprocal),
        "rms_norm" => trial(RmsNorm { ways: geometry.ways, slots: geometry.slots }),
        "sigmoid" => trial(Sigmoid),
        "ternary_unit" => trial(TernaryUnit { bus, slots: geometry.slots }),
        "top_k" => trial(TopK { k: geometry.top_k }),
        other => return Err(format!("no module {other}").into()),
    }?;
    std::fs::create_dir_all(&folder)?;
    for file in &design.files {
        std::fs::write(folder.join(&file.name), &file.text)?;
    }
    for file in &design.data {
        std::fs::write(folder.join(&file.name), &file.text)?;
    }
    Ok(())
}
