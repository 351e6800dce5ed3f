//! `sterna fake-card`: a card that is not there, for everything that wants one.

use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::json;
use sterna_firmware::FirmwareError;
use sterna_firmware::geometry::Geometry;
use sterna_sim::fake_card::{FakeCard, Fault, Mounted};
use sterna_sim::memory::MemoryOptions;
use sterna_sim::soft_core::{Arithmetic, SoftCore};
use sterna_sim::{CardOptions, SimCard};

use crate::demo;
use crate::devices::memory;
use crate::error::Result;
use crate::output;
use crate::signals::until_interrupted;

/// Show the nodes of a card that is not there
///
/// The files in DIR behave like those of the Linux XDMA driver, with memory, registers and a core
/// behind them; any command uses them with --device xdma --root DIR. Runs until it is
/// interrupted or DIR is unmounted. Needs FUSE and the right to mount.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  sterna fake-card --mount /tmp/card &\n  \
                        sterna run --device xdma --root /tmp/card 'ROMEO:'\n\n\
                        Faults, each KIND[=VALUE]@PHASE[+SKIP][xCOUNT]:\n  \
                        --fault eio@load           the first write to memory fails\n  \
                        --fault hang=500@read+2x3  the third to fifth read hang, 500 ms each\n  \
                        --fault core=6@run         a run stops with error 6 of the core\n\
                        Kinds: short eio timeout restart gone ones hang lost-irq late-irq stuck\n  \
                        geometry image memory read-back core denied reset\n\
                        Phases: open identify load start run read close")]
pub struct Args {
    /// An empty directory to show the nodes in
    #[arg(long, value_name = "DIR")]
    mount: PathBuf,
    /// What is behind the registers
    #[arg(long, value_enum, default_value_t = Backend::Golden)]
    backend: Backend,
    /// Number of the card: the N of xdmaN
    #[arg(long, value_name = "N", default_value_t = 0)]
    index: u32,
    /// Make the core for this model [default: the built-in demo model]
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
    /// Bits of the core's memory bus: 64, 128, 256 or 512
    #[arg(long, value_name = "BITS", default_value = "512", value_parser = crate::devices::bus)]
    bus: u32,
    /// Slots of the core: 1, 2, 4 or 8
    #[arg(long, value_name = "B", default_value = "1", value_parser = crate::devices::batch)]
    batch: u32,
    /// Memory of the card, such as 512M or 4G
    #[arg(long, value_name = "BYTES", default_value = "1G", value_parser = memory::size)]
    memory: u64,
    /// Something that goes wrong; may be given several times
    #[arg(long, value_name = "FAULT")]
    fault: Vec<Fault>,
    /// Print one JSON object when it is there
    #[arg(long)]
    json: bool,
}

/// What is behind the registers.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Backend {
    /// The golden model
    Golden,
    /// The simulated core: slow
    Sim,
    /// Nothing: canned answers, at once
    Canned,
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let model = demo::open(args.model.as_deref())?;
    let geometry = Geometry::for_shape(args.bus, &model.shape()).with_slots(args.batch);
    let card = match args.backend {
        Backend::Golden | Backend::Canned => {
            let canned = args.backend == Backend::Canned;
            let arithmetic = if canned { Arithmetic::Canned } else { Arithmetic::Golden };
            FakeCard::new(SoftCore::new(&geometry, args.memory, arithmetic), args.index)
        }
        Backend::Sim => {
            let memory = MemoryOptions { bytes: args.memory, ..MemoryOptions::default() };
            let options = CardOptions { memory, ..CardOptions::default() };
            let sim = SimCard::new(&geometry, &options).map_err(FirmwareError::from)?;
            FakeCard::new(sim, args.index)
        }
    };
    args.fault.iter().for_each(|&fault| card.inject(fault));
    let mounted = Mounted::new(&card, &args.mount).map_err(FirmwareError::from)?;
    let root = args.mount.display();
    if args.json {
        output::json(&json!({ "device": "xdma", "card": args.index, "root": args.mount }))?;
    } else {
        let card = args.index;
        output::line(&format!(
            "card {card} is in {root}: sterna run --device xdma --root {root} …"
        ))?;
    }
    until_interrupted(|| mounted.is_over());
    Ok(())
}
