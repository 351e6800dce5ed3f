//! What stands around a core, as its benches and the mutants have it, and simulators of designs that
//! may have a mutant at work ([`mutate::compiled`]).

use sterna_firmware::geometry::Geometry;
use sterna_firmware::shape::Shape;
use sterna_hdl::board::{BlockMemory, BlockRam, BoardMemory, SerialBoard};
use sterna_hdl::link::HostLink;
use sterna_hdl::sdram::{SdramChip, SdramController};
use sterna_model::synth::SynthSpec;
use sterna_rtl::parts::AxiMux;
use sterna_rtl::random::Rng;
use sterna_rtl::{AxiWidths, Design, mutate};
use sterna_sim::{Options, SimError, Simulator};

/// Of a board's memory, and of those who use it.
pub const WIDTHS: AxiWidths = AxiWidths { addr: 40, data: 64, id: 2 };
pub const MUX: AxiMux = AxiMux { widths: WIDTHS };

/// All that an address of the link reaches, but for its last piece.
pub const LINKED: u64 = (1 << 40) - PIECE;
/// Bytes of a piece that is written and read over the link.
pub const PIECE: u64 = 1 << 16;

/// Eight clocks a bit, which a simulation does quickly.
pub const LINK: HostLink = HostLink { hertz: 24_000_000, baud: 3_000_000, memory: LINKED };

pub fn controller(chip: SdramChip, hertz: u32) -> SdramController {
    SdramController { chip, widths: WIDTHS, hertz }
}

/// Of three banks of different sizes, not all of them whole.
pub const UNEVEN: u64 = 311_296;

/// A memory with random contents, a few bytes short of all, and its bytes.
pub fn block_memory(bytes: u64) -> (BlockMemory, Vec<u8>) {
    let mut rng = Rng::new(1);
    let mut all: Vec<u8> = (0..bytes - 1003).map(|_| rng.next_u64() as u8).collect();
    let ram = BlockRam { bytes, contents: all.as_slice().into() };
    // What no contents are given for is zero.
    all.resize(bytes as usize, 0);
    (BlockMemory { widths: WIDTHS, ram }, all)
}

/// The smallest model.
pub fn model() -> SynthSpec {
    SynthSpec::new(32, 1, 20)
}

/// A board with the core of the smallest model, behind a line of eight clocks a bit: the core is not
/// slower for it.
pub fn serial_board() -> SerialBoard {
    let geometry = Geometry::for_shape(64, &Shape::of(&model().config().unwrap()));
    let memory = BoardMemory::Sdram(SdramChip::ULX3S);
    SerialBoard { geometry, memory, hertz: LINK.hertz, baud: LINK.baud }
}

/// A simulator of a design, with the mutant that the environment names, if the design has it; out of
/// reset. A mutant's properties are checked.
pub fn simulator(design: &Design, options: &Options) -> Result<Simulator, SimError> {
    let mut sim = match mutate::compiled(design) {
        None => Simulator::build(design, options)?,
        Some((design, number)) => {
            let options = Options { assertions: true, ..options.clone() };
            let mut sim = Simulator::build(&design, &options)?;
            sim.poke(mutate::INPUT, number)?;
            sim
        }
    };
    sim.reset()?;
    Ok(sim)
}
