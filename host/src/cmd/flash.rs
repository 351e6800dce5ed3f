//! `sterna flash`: a bitstream into a board, by openFPGALoader.

use std::fs::File;
use std::path::PathBuf;

use serde_json::json;

use crate::bitstream::tools::{self, LOADER};
use crate::board::{Board, BoardError};
use crate::error::{HostError, Result};
use crate::output;

/// Write a bitstream into a board with openFPGALoader
///
/// Its output is passed on as it comes. Without `--keep` the bitstream is gone when the board is
/// switched off.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  sterna flash --board ulx3s-85f ulx3s/board.bit\n  \
                        sterna flash --board ulx3s-85f --keep ulx3s/board.bit")]
pub struct Args {
    /// A board's name, or a folder with a board.toml
    #[arg(long, value_name = "BOARD")]
    board: String,
    /// What `sterna bitstream` made: board.bit or board.fs
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Write it into the board's flash, so that it stays
    #[arg(long)]
    keep: bool,
    /// Print one JSON object; the loader's output goes to standard error
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let board = Board::open(&args.board)?;
    if board.flash.is_empty() {
        let instead = "write board.mcs with Vivado's hardware manager, or give [flash] arguments \
                       in a board.toml of your own"
            .into();
        return Err(BoardError::NoLoader { board: board.name, instead }.into());
    }
    // Said here, and not after a search for cables.
    File::open(&args.file).map_err(HostError::io(&args.file, "open"))?;
    let loader = LOADER.need(&tools::search_path())?;
    let mut command = loader.command();
    command.args(&board.flash);
    if args.keep {
        command.arg("--write-flash");
    }
    if args.json {
        command.stdout(std::io::stderr());
    }
    let status = command.arg(&args.file).status().map_err(HostError::io(&args.file, "flash"))?;
    if status.success() {
        let said = json!({ "board": board.name, "file": args.file, "kept": args.keep });
        return if args.json { output::json(&said) } else { Ok(()) };
    }
    let status = status.to_string();
    Err(BoardError::Loader { board: board.name, status }.into())
}
