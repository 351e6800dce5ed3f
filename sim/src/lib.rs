//! Built designs, run by Verilator inside the test's own process.
//!
//! ```no_run
//! use sterna_rtl::{Module, UInt};
//! use sterna_sim::{Options, Simulator};
//!
//! let m = Module::new("counter");
//! let en = m.input("en", UInt(1));
//! let count = m.reg("count", UInt(8)).reset(0);
//! m.when(en, || count.set(count.wrapping_add(1)));
//! m.output("value", UInt(8)).set(count);
//! let design = m.build()?;
//!
//! let mut sim = Simulator::build(&design, &Options::default())?;
//! let (en, value) = (sim.input::<bool>("en")?, sim.output::<u64>("value")?);
//! sim.reset()?;
//! sim.set(en, true)?;
//! sim.steps(3)?;
//! assert_eq!(sim.get(value)?, 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What happens
//!
//! [`Model::build`] hashes the Verilog, the options and the versions of Verilator, of the compiler
//! and of the code around the model. A model of that hash is loaded from the cache; otherwise
//! Verilator translates the design to C++ and the compiler makes a shared object of it. Verilator's
//! own run time is compiled once per version. [`Model::simulator`] makes independent instances.
//!
//! Verilator is found through `VERILATOR_ROOT` or on `PATH`, the compiler through `CXX` or on
//! `PATH`; neither Perl nor make nor a system library is needed. What is missing is
//! [`SimError::MissingTool`].
//!
//! # Why not `marlin`
//!
//! `marlin` 0.21.1 drives Verilator from Rust, too. With the Verilator 5.48.0 of the Python
//! registry it does not start: it wants `verilator --version` to begin with `Verilator 5.`, and
//! that package says ` rev vUNKNOWN-built20260516-4e853d8`. It also reads a port whose name is
//! known at run time only by looking up a symbol of a formatted name at every access, where here
//! it is one load; and it leaves Verilator's handlers of `$stop` and fatal errors as they are,
//! which end the process.
//!
//! # From one file to the next
//!
//! ```text
//! tools, cache     where the programs are; results by hash
//! shim, compile    what is put around a design; Verilog -> shared object
//! ffi              the shared object behind safe functions
//! port             handles, and the numbers that pass through them
//! model            a compiled design
//! simulator        a running one
//! memory, bus      an AXI4 memory; ports of a design joined to it
//! sdram            an SDRAM chip at its pins, and its rules
//! uart             a serial line at a design's pins
//! card             the core with both, as a card that `sterna_hdl::driver` drives
//! soft_core        a core that is golden, for cards without hardware
//! ecp5             models of an FPGA's cells, for netlists
//! board            boards on a serial line: Verilated pins to pins, or soft
//! fake_card        the nodes of a PCIe card with any core behind them, and its faults
//! session, verify  card and golden model side by side
//! fuzz             random cores, models, memories and commands
//! activity         what toggles, and how often, while a token is made
//! lockstep         every intermediate vector against the golden model's
//! timing           the clock of everything that a pass does, without its data
//! ```
pub mod activity;
pub mod board;
mod bus;
mod cache;
mod card;
mod compile;
pub mod ecp5;
mod error;
pub mod fake_card;
mod ffi;
pub mod fuzz;
mod lite;
pub mod lockstep;
pub mod memory;
mod model;
mod port;
pub mod sdram;
mod session;
mod shim;
mod simulator;
pub mod soft_core;
pub mod timing;
mod tools;
mod uart;
mod verify;

pub use bus::MemoryPort;
pub use card::{CardOptions, SimCard, Window};
pub use error::SimError;
pub use model::{Model, Options, Trace};
pub use port::{Carrier, Input, Number, Output, Words};
pub use session::{Batch, Interrupt, Session, Under};
pub use simulator::Simulator;
pub use tools::toolchain;
pub use uart::Uart;
pub use verify::{Verified, VerifyOptions, verify, verify_design};
