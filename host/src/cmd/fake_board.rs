//! `sterna fake-board`: a board on a serial line that is not there.

use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::json;
use sterna_firmware::FirmwareError;
use sterna_firmware::geometry::Geometry;
use sterna_hdl::board::{BoardMemory, SerialBoard};
use sterna_hdl::sdram::SdramChip;
use sterna_sim::Options;
use sterna_sim::board::{Pty, SimBoard, SoftBoard};
use sterna_sim::soft_core::{Arithmetic, SoftCore};

use crate::demo;
use crate::error::Result;
use crate::output;
use crate::signals::until_interrupted;

/// Show a serial board that is not there
///
/// PORT becomes a terminal with the board at its other end: a ULX3S with 32 MiB of memory; any
/// command uses it with --device uart --port PORT. Runs until it is interrupted.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  sterna fake-board --port /tmp/board &\n  \
                        sterna run --device uart --port /tmp/board 'ROMEO:'")]
pub struct Args {
    /// Where the terminal will be: a path that does not exist
    #[arg(long, value_name = "PORT")]
    port: PathBuf,
    /// What is at its other end
    #[arg(long, value_enum, default_value_t = Backend::Golden)]
    backend: Backend,
    /// Make the core for this model [default: the built-in demo model]
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
    /// Print one JSON object when it is there
    #[arg(long)]
    json: bool,
}

/// What is at the other end.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Backend {
    /// The golden model behind the link's protocol
    Golden,
    /// The whole board with its SDRAM chip, simulated pins to pins: a thousand bytes a second, so
    /// tell the commands that use it --baud 10000
    Sim,
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let model = demo::open(args.model.as_deref())?;
    let geometry = Geometry::for_shape(64, &model.shape());
    let chip = SdramChip::ULX3S;
    let pty = match args.backend {
        Backend::Golden => {
            let core = SoftCore::new(&geometry, chip.bytes(), Arithmetic::Golden);
            Pty::serve(SoftBoard::new(core), &args.port)
        }
        Backend::Sim => {
            let memory = BoardMemory::Sdram(chip);
            let board = SerialBoard { geometry, memory, hertz: 60_000_000, baud: 3_000_000 };
            SimBoard::new(&board, &Options::default())
                .and_then(|board| Pty::serve(board, &args.port))
        }
    };
    let pty = pty.map_err(FirmwareError::from)?;
    if args.json {
        output::json(&json!({ "device": "uart", "port": args.port }))?;
    } else {
        let port = args.port.display();
        output::line(&format!("a board is at {port}: sterna run --device uart --port {port} …"))?;
    }
    until_interrupted(|| pty.is_over());
    Ok(())
}
