//! `sterna hdl`: the core as Verilog.

use std::path::PathBuf;

use serde_json::json;
use sterna_firmware::shape::Shape;
use sterna_hdl::core::Core;
use sterna_rtl::Generate;

use super::geometry::Choice;
use crate::cli::published;
use crate::error::{HostError, Result};
use crate::output;

/// Write the core as Verilog, one file a module, with its manifest
///
/// DIR gets the modules, `files.f` (their names, for the tools' command lines) and
/// `geometry.json` (the manifest, whose hash the core's registers show).
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  sterna hdl --bus 512 -o core\n  \
                  sterna hdl --geometry core/geometry.json -o again")]
pub struct Args {
    #[command(flatten)]
    geometry: Choice,
    /// On-chip memories for this published shape: 370m, 1.3b or 2.7b
    #[arg(long, default_value = "370m", conflicts_with = "geometry")]
    shape: String,
    /// Directory to write; made if it does not exist
    #[arg(short, long, value_name = "DIR", default_value = "sterna_core")]
    output: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let spec = published("hdl", &args.shape);
    let geometry = args.geometry.resolve(&Shape::of(&spec.config()?))?;
    let design = Core { geometry: geometry.clone() }.build()?;
    let dir = &args.output;
    std::fs::create_dir_all(dir).map_err(HostError::io(dir, "create"))?;
    let mut list = String::new();
    for file in &design.files {
        output::write_file(&dir.join(&file.name), file.text.as_bytes())?;
        list += &format!("{}\n", file.name);
    }
    output::write_file(&dir.join("files.f"), list.as_bytes())?;
    output::write_file(&dir.join("geometry.json"), geometry.manifest().as_bytes())?;
    let lines: usize = design.files.iter().map(|file| file.text.lines().count()).sum();
    let hash = format!("{:016x}", geometry.hash());
    if args.json {
        let names: Vec<&String> = design.files.iter().map(|file| &file.name).collect();
        return output::json(&json!({
            "dir": dir,
            "top": design.top,
            "files": names,
            "lines": lines,
            "geometry": geometry,
            "manifest": hash,
        }));
    }
    output::line(&format!(
        "{}: top {}, {} modules, {lines} lines, manifest {hash}",
        dir.display(),
        design.top,
        design.files.len()
    ))
}
