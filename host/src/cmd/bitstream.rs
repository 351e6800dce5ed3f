//! `sterna bitstream`: from a board to what goes into its FPGA.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use serde_json::json;
use sterna_firmware::model::Model;
use sterna_firmware::shape::Shape;

use crate::bitstream::{self, Options, simulate, tools, top};
use crate::board::{Board, BoardError, fit, schema};
use crate::cli::usage_error;
use crate::demo;
use crate::error::Result;
use crate::output;

/// Build a board's bitstream: Verilog, constraints, synthesis, placement, routing, report
///
/// With open tools for ECP5 and Gowin; for AMD's FPGAs a Vivado project, which is run if `vivado`
/// is on PATH. Where the memory is in the FPGA, a .sterna file is in it from the start, so that
/// nothing has to be loaded. The same board, core and seed give the same bytes. What slower tools
/// say goes to DIR/logs, what was built stands in DIR/report.html.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  sterna bitstream --board ulx3s-85f -o ulx3s\n  \
                        sterna bitstream --board ulx3s-85f-block --model tiny.sterna -o tiny\n  \
                        sterna bitstream --board alveo-u280 --model 1.3b -o u280\n  \
                        sterna bitstream --board ./my-board -o mine --seed 7\n  \
                        sterna bitstream --board ulx3s-85f --simulate -o ulx3s")]
pub struct Args {
    /// A board's name, or a folder with a board.toml
    #[arg(long, value_name = "BOARD")]
    board: String,
    /// Memories on chip for this model instead: tiny, 5m, 370m, 1.3b, 2.7b, or a .sterna file
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// Directory to write; made if it does not exist
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Simulate a token on the hardware and report its cycles: of --model's file, else of the
    /// built-in demo model; takes some minutes
    #[arg(long)]
    simulate: bool,
    /// Of placement [default: the board's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32))]
    seed: Option<u32>,
    /// Keep a bitstream that is slower than the board's clock
    #[arg(long)]
    allow_timing_failure: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// A model by name, or by file: its shape, and what is in the file.
fn model(name: &str) -> Result<(Shape, Option<Arc<Model>>)> {
    match fit::shape(name).filter(|_| schema::MODELS.contains(&name)) {
        Some(shape) => Ok((shape, None)),
        None => {
            let model = demo::open(Some(Path::new(name)))?;
            Ok((model.shape(), Some(model)))
        }
    }
}

/// B010 if it does not fit.
fn fits(board: &Board, model: &str, shape: &Shape) -> Result<()> {
    match board.fit(model, shape).reason {
        None => Ok(()),
        Some(reason) => {
            let (board, model) = (board.name.clone(), model.into());
            Err(BoardError::Model { board, model, reason }.into())
        }
    }
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let start = Instant::now();
    let mut board = Board::open(&args.board)?;
    let mut weights = None;
    if let Some(name) = &args.model {
        let (shape, file) = model(name)?;
        board = board.with_core_for(&shape);
        fits(&board, name, &shape)?;
        if args.simulate && file.is_none() {
            let why = format!("--simulate: {name} is a shape without weights; name a .sterna file");
            usage_error("bitstream", &why);
        }
        weights = file;
    } else if args.simulate {
        let model = demo::open(None)?;
        fits(&board, demo::NAME, &model.shape())?;
        weights = Some(model);
    }
    // A model that is simulated and no more is not in the hardware.
    let held = weights.as_deref().filter(|_| args.model.is_some());
    let hardware = top::hardware(&board, held)?;
    let weights = weights.filter(|_| args.simulate);
    let simulated =
        weights.map(|model| simulate::simulate(&board, &hardware, &model)).transpose()?;
    let options = Options {
        seed: args.seed.map_or(board.seed, u64::from),
        allow_timing_failure: args.allow_timing_failure,
        path: tools::search_path(),
        simulated,
    };
    let built = bitstream::build(&board, &hardware, &args.output, &options)?;
    let report = &built.report;
    if args.json {
        return output::json(&json!({
            "board": board.name,
            "dir": args.output,
            "bit": built.bit,
            "report": built.html,
            "fmax_mhz": report.fmax_mhz,
            "target_mhz": report.target_mhz,
            "slack_ns": report.slack_ns,
            "lut": report.lut,
            "usage": report.usage,
            "simulated": report.simulated,
            "manifest_hash": report.manifest_hash,
            "geometry": board.geometry,
            "holds": report.holds,
            "seed": report.seed,
            "outputs": report.outputs,
            "tools": report.tools,
            "seconds": start.elapsed().as_secs_f64(),
        }));
    }
    match (&built.bit, report.fmax_mhz) {
        (Some(bit), Some(fmax)) => output::line(&format!(
            "{}: {fmax:.2} MHz of {:.2} (synthesised, routed), manifest {}",
            bit.display(),
            report.target_mhz,
            report.manifest_hash
        ))?,
        _ => output::line(&format!(
            "{}: a Vivado project, not run; manifest {}",
            args.output.join("work").display(),
            report.manifest_hash
        ))?,
    }
    if let Some(held) = &report.holds {
        output::line(&format!("its memory holds image {} from the start", held.image_id))?;
    }
    if let Some(simulated) = &report.simulated {
        output::line(&format!(
            "{} cycles a token, {:.1} tokens/s at {} MHz, {:.1} % of the bound (simulated)",
            simulated.cycles_per_token,
            simulated.tokens_per_second,
            board.core_mhz,
            100.0 * simulated.share_of_bound
        ))?;
    }
    output::line(&format!("{}", built.html.display()))
}
