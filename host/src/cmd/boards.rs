//! `sterna boards`: which boards there are, and what runs on them.

use serde_json::json;

use crate::bitstream::tools::{self, Tool};
use crate::bitstream::top;
use crate::board::{Board, Link, Toolchain, built_in};
use crate::error::{HostError, Result};
use crate::output;

/// List the boards: what each needs, its link and memory, which model fits and how fast at most
///
/// Speeds are upper bounds, projected from data sheets: the image read once for every token.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  sterna boards\n  sterna boards --board my-board")]
pub struct Args {
    /// Only this board: a name, or a folder with a board.toml
    #[arg(long, value_name = "BOARD")]
    board: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// The programs of a toolchain.
fn programs(toolchain: Toolchain) -> &'static [Tool] {
    match toolchain {
        Toolchain::Ecp5 => &[tools::YOSYS, tools::NEXTPNR_ECP5, tools::ECPPACK],
        Toolchain::Gowin => &[tools::YOSYS, tools::NEXTPNR_GOWIN, tools::GOWIN_PACK],
        Toolchain::Vivado => &[tools::VIVADO],
    }
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let names: Vec<String> = match args.board {
        Some(board) => vec![board],
        None => built_in().into_iter().map(String::from).collect(),
    };
    let boards = names.iter().map(|name| Board::open(name)).collect::<Result<Vec<_>>>()?;
    if args.json {
        let boards: Vec<_> = boards.iter().map(one).collect();
        return output::json(&json!({ "boards": boards }));
    }
    for (place, board) in boards.iter().enumerate() {
        if place > 0 {
            output::line("")?;
        }
        text(board)?;
    }
    Ok(())
}

/// Why there is no hardware for it.
fn lacking(board: &Board) -> Option<HostError> {
    top::hardware(board, None).err()
}

fn one(board: &Board) -> serde_json::Value {
    let tools: Vec<_> = programs(board.toolchain)
        .iter()
        .map(|tool| json!({ "names": tool.names, "found": tool.find(&tools::search_path()) }))
        .collect();
    json!({
        "name": board.name,
        "description": board.description,
        "page": board.page,
        "needs": board.needs,
        "part": board.part,
        "toolchain": board.toolchain,
        "tools": tools,
        "core_mhz": board.core_mhz,
        "geometry": board.geometry,
        "manifest_hash": format!("{:016x}", board.geometry.hash()),
        "host": board.host,
        "memory": board.memory,
        "memory_bytes_per_second": board.memory_bandwidth(),
        "core_bytes_per_second": board.core_bandwidth(),
        "limit": board.bound().limit,
        "meters": board.meters,
        "models": board.fits(),
        "evidence": "projected",
        "lacking": lacking(board).map(|error| output::error(&error)),
    })
}

fn text(board: &Board) -> Result<()> {
    output::line(&format!("{}: {}", board.name, board.description))?;
    let link = match &board.host {
        Link::Uart { baud, adapter } => {
            let adapter = adapter.as_ref().map_or(String::new(), |chip| format!(" through {chip}"));
            format!("serial line, {} Mbaud{adapter}", *baud as f64 / 1e6)
        }
        Link::Xdma { generation, lanes } => format!("PCIe Gen{generation} x{lanes}, XDMA"),
    };
    output::line(&format!("  link    {link}"))?;
    let memory = &board.memory;
    output::line(&format!(
        "  memory  {}, {}, {:.3} GB/s at most",
        memory.kind,
        output::mib(memory.bytes),
        board.memory_bandwidth() / 1e9
    ))?;
    output::line(&format!(
        "  core    {} bits, {} MHz, {:.3} GB/s at most",
        board.geometry.bus,
        board.core_mhz,
        board.core_bandwidth() / 1e9
    ))?;
    output::line(&format!("  needs   {}", board.needs.join("; ")))?;
    let tools: Vec<String> = programs(board.toolchain)
        .iter()
        .map(|tool| match tool.find(&tools::search_path()) {
            Some(_) => tool.names[0].to_string(),
            None => format!("{} (not on PATH)", tool.names[0]),
        })
        .collect();
    output::line(&format!("  tools   {}", tools.join(", ")))?;
    let limit = board.bound().limit;
    for fit in board.fits() {
        let what = match (fit.bound_tokens_per_second, fit.reason) {
            (Some(bound), _) => {
                format!("fits, at most {bound:.1} tokens/s (projected; the {limit} limits)")
            }
            (None, reason) => format!("no: {}", reason.unwrap_or_default()),
        };
        output::line(&format!("  {:<7} {what}", fit.model))?;
    }
    if let Some(error) = lacking(board) {
        output::line(&format!("  not yet [{}] {error}", error.code()))?;
    }
    Ok(())
}
