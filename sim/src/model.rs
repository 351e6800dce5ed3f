//! Models: compiled designs, from which simulators are made.

use std::fs;
use std::marker::PhantomData;
use std::path::PathBuf;
use std::sync::Arc;

use sterna_rtl::{Design, Direction, Type};

use crate::compile;
use crate::error::SimError;
use crate::ffi::{Instance, Library};
use crate::port::{self, Carrier, Handle};
use crate::simulator::Simulator;

/// What a model can record; each slows it down even while nothing is recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trace {
    /// Nothing.
    #[default]
    Off,
    /// Waveforms: FST, every change of every signal.
    Waveform,
    /// Activity: SAIF, how often each bit toggled and how long it was high, see
    /// [`activity`](crate::activity).
    Activity,
}

/// How a model is made. `Options::default()` is the fastest.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What it can record.
    pub trace: Trace,
    /// The design's properties are checked at every clock; one that fails is a
    /// [`SimError::Stopped`].
    pub assertions: bool,
    /// The model is compiled in less time and runs slower: for many designs and few clocks.
    pub quick: bool,
    /// Folder of compiled models, instead of `STERNA_CACHE` or the user's cache folder.
    pub cache: Option<PathBuf>,
    /// Folder of Verilator, instead of `VERILATOR_ROOT` or the one on `PATH`.
    pub verilator_root: Option<PathBuf>,
    /// The C++ compiler, instead of `CXX` or the one on `PATH`.
    pub compiler: Option<PathBuf>,
}

pub(crate) struct Port {
    pub name: String,
    pub direction: Direction,
    pub ty: Type,
}

pub(crate) struct Shared {
    pub top: String,
    pub ports: Vec<Port>,
    pub reset: Option<usize>,
    pub trace: Trace,
    /// Where simulators leave what they covered, in files that begin with the model's hash.
    pub coverage: Option<PathBuf>,
    /// Tells the handles of different models apart.
    pub id: u64,
    clock: Option<usize>,
    fresh: bool,
    /// Holds the Verilog, too.
    folder: PathBuf,
    library: Arc<Library>,
}

/// A compiled design, from which any number of simulators are made. Cloning is cheap.
#[derive(Clone)]
pub struct Model(pub(crate) Arc<Shared>);

impl Model {
    /// Finds the design's model in the cache, or Verilates and compiles it (seconds), and loads it.
    ///
    /// # Errors
    /// S001 to S006: a tool is missing, Verilator or the compiler fails, a file cannot be written.
    pub fn build(design: &Design, options: &Options) -> Result<Model, SimError> {
        let compiled = compile::compile(design, options)?;
        let load = |e: libloading::Error| SimError::Load {
            path: compiled.library(),
            // The loader's own words are a level below.
            why: std::error::Error::source(&e).map_or(e.to_string(), |source| source.to_string()),
        };
        let library = Arc::new(Library::load(&compiled.library()).map_err(load)?);
        let port = |p: &sterna_rtl::Port| Port {
            name: p.name.clone(),
            direction: p.direction,
            ty: if p.signed { Type::SInt(p.width) } else { Type::UInt(p.width) },
        };
        let position = |name: &Option<String>| {
            let name = name.as_deref()?;
            design.ports.iter().position(|p| p.name == name)
        };
        Ok(Model(Arc::new(Shared {
            top: design.top.clone(),
            ports: design.ports.iter().map(port).collect(),
            clock: position(&design.clock),
            reset: position(&design.reset),
            trace: options.trace,
            fresh: compiled.fresh,
            coverage: compiled.coverage.map(|folder| folder.join(&compiled.hash)),
            // Sixteen hexadecimal digits always are a number.
            id: u64::from_str_radix(&compiled.hash[..16], 16).unwrap_or_default(),
            folder: compiled.folder,
            library,
        })))
    }

    /// Whether this `build` compiled, rather than find the model in the cache.
    pub fn is_fresh(&self) -> bool {
        self.0.fresh
    }

    /// A simulator with all inputs, registers and memories without a value of their own at zero.
    ///
    /// # Errors
    /// S006, where there is not enough memory.
    pub fn simulator(&self) -> Result<Simulator, SimError> {
        let shared = &self.0;
        let widths = shared.ports.iter().map(|p| p.ty.width());
        let instance = Instance::new(&shared.library, widths).ok_or_else(|| SimError::Load {
            path: PathBuf::from(&shared.top),
            why: "the model cannot be made".into(),
        })?;
        Ok(Simulator::new(self.clone(), instance))
    }

    /// The handle of a port of the wanted direction that suits `T`.
    pub(crate) fn handle<T: Carrier>(
        &self,
        name: &str,
        wanted: Direction,
    ) -> Result<Handle<T>, SimError> {
        let shared = &self.0;
        let (top, port) = (shared.top.clone(), name.to_string());
        let Some(index) = shared.ports.iter().position(|p| p.name == name) else {
            let names: Vec<&str> = shared.ports.iter().map(|p| p.name.as_str()).collect();
            return Err(SimError::NoPort { top, port, ports: names.join(", ") });
        };
        let Port { direction, ty, .. } = shared.ports[index];
        let word = |d| if d == Direction::Input { "input" } else { "output" };
        if direction != wanted {
            return Err(SimError::Direction {
                top,
                port,
                is: word(direction),
                wanted: word(wanted),
            });
        }
        if shared.clock == Some(index) {
            return Err(SimError::Clock { top, port });
        }
        if !T::suits(ty) {
            let instead = port::suitable(ty);
            return Err(SimError::Unsuitable { port, ty, number: T::NAME, instead });
        }
        Ok(Handle { index, design: shared.id, number: PhantomData })
    }

    /// What the model says of a stop, with the line of Verilog that it names: the emitter writes
    /// the property's name there.
    pub(crate) fn cite(&self, said: String) -> String {
        let line = || {
            let (_, place) = said.rsplit_once(" at ")?;
            let (file, line) = place.rsplit_once(':')?;
            let text = fs::read_to_string(self.0.folder.join(file)).ok()?;
            let line = text.lines().nth(line.parse::<usize>().ok()?.checked_sub(1)?)?;
            Some(line.trim().to_string())
        };
        match line() {
            Some(line) => format!("{said}: {line}"),
            None => said,
        }
    }
}
