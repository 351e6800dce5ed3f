//! A PCIe card through the nodes of the XDMA driver.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sterna_firmware::FirmwareError;
use sterna_firmware::device::Reading;
use sterna_firmware::error::DeviceError;
use sterna_firmware::model::Model;
use sterna_hdl::driver::{Card, OnProgress, Settings, Shared, Transport};
use sterna_xdma::{Access, Files, Limits, Options, Sensor, Sysfs, XdmaCard, XdmaError, discover};

use super::memory;
use crate::error::{HostError, Result};
use crate::output;

/// Where the help lists what is about cards.
const HEADING: &str = "PCIe card";

/// Which card, and where its nodes are.
#[derive(clap::Args, Clone, Debug)]
pub struct NodeArgs {
    /// Number of the card: the N of xdmaN [default: the first that is whole]
    #[arg(long, help_heading = HEADING, value_name = "N")]
    pub card: Option<u32>,
    /// Directory of the XDMA driver's nodes
    #[arg(long, help_heading = HEADING, value_name = "DIR", default_value = "/dev")]
    pub root: PathBuf,
    /// Seconds that the card may take for anything, beside what its size takes
    #[arg(long, help_heading = HEADING, value_name = "SECONDS", default_value = "2", value_parser = seconds)]
    pub card_timeout: Duration,
}

/// A card whose memory is used.
#[derive(clap::Args, Clone, Debug)]
pub struct MemoryArgs {
    /// The card.
    #[command(flatten)]
    pub nodes: NodeArgs,
    /// Memory of the card, such as 512M or 4G [default: found by writing and reading]
    #[arg(long, help_heading = HEADING, value_name = "BYTES", value_parser = memory::size)]
    pub card_memory: Option<u64>,
}

/// A card that a model is loaded on.
#[derive(clap::Args, Clone, Debug)]
pub struct LoadArgs {
    /// The card.
    #[command(flatten)]
    pub memory: MemoryArgs,
    /// Load the model even if the card holds it, and read it back
    #[arg(long, help_heading = HEADING)]
    pub reload: bool,
}

/// A card that a model runs on.
#[derive(clap::Args, Clone, Debug)]
pub struct CardArgs {
    /// The card.
    #[command(flatten)]
    pub load: LoadArgs,
    /// Where the card's memory is too small for the model, send it for every token: the link then
    /// limits the tokens a second
    #[arg(long, help_heading = HEADING)]
    pub stream_weights: bool,
}

fn seconds(word: &str) -> std::result::Result<Duration, String> {
    let seconds: f64 = word.parse().map_err(|e| format!("{e}"))?;
    if !(0.01..=3600.0).contains(&seconds) {
        return Err("between 0.01 and 3600 seconds".into());
    }
    Ok(Duration::from_secs_f64(seconds))
}

impl NodeArgs {
    /// Takes the card without asking how much memory it has.
    ///
    /// # Errors
    /// Those of the nodes.
    pub fn take(&self) -> Result<XdmaTransport> {
        XdmaTransport::take(self.access(), self.card, self.options())
    }

    fn access(&self) -> Arc<dyn Access> {
        Arc::new(Files::new(&self.root))
    }

    fn options(&self) -> Options {
        let limits = Limits { base: self.card_timeout, ..Limits::default() };
        Options { limits, ..Options::default() }
    }
}

impl MemoryArgs {
    /// Takes the card with all its memory.
    ///
    /// # Errors
    /// Those of the nodes.
    pub fn open(&self) -> Result<XdmaTransport> {
        let nodes = &self.nodes;
        XdmaTransport::open(nodes.access(), nodes.card, nodes.options(), self.card_memory)
    }
}

impl LoadArgs {
    /// Takes the card and loads the model; with `stream` one that does not fit is not loaded, but
    /// sent for every token.
    ///
    /// # Errors
    /// Those of the nodes, and of [`Card::open_with`].
    pub fn open(
        &self,
        model: &Arc<Model>,
        slots: usize,
        stream: bool,
        progress: OnProgress<'_>,
    ) -> Result<Card<XdmaTransport>> {
        let transport = self.memory.open()?;
        let settings = Settings {
            slots,
            reuse: !self.reload,
            read_back: self.reload,
            stream,
            ..Settings::default()
        };
        let card = Card::open_with(transport, "xdma", Arc::clone(model), &settings, progress);
        Ok(card.map_err(FirmwareError::from)?)
    }
}

impl CardArgs {
    /// Whether there is any card.
    pub fn is_there(&self) -> bool {
        let access = Files::new(&self.load.memory.nodes.root);
        discover(&access).is_ok_and(|cards| !cards.is_empty())
    }

    /// Takes the card and loads the model, with a bar where that takes long.
    ///
    /// # Errors
    /// Those of the nodes, and of [`Card::open_with`].
    pub fn open(&self, model: &Arc<Model>, slots: usize) -> Result<Card<XdmaTransport>> {
        let bar = output::bar(0, "bytes");
        let card = self.load.open(model, slots, self.stream_weights, &mut |now| {
            bar.set_length(now.total);
            bar.set_position(now.done);
        });
        bar.finish_and_clear();
        let card = card?;
        if let Some(bytes) = card.streamed() {
            output::note(&format!(
                "the card's memory is too small for the model, so {} go to it for every token",
                output::mib(bytes)
            ));
        }
        Ok(card)
    }
}

/// A card's nodes as the driver wants them.
pub struct XdmaTransport {
    card: XdmaCard,
    memory: u64,
    /// When the core was given something to do, and how long it may take.
    since: Instant,
    patience: Duration,
}

/// What went wrong on the way.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct TransportError(#[from] pub XdmaError);

impl DeviceError for TransportError {
    fn code(&self) -> &'static str {
        self.0.code()
    }
}

impl From<TransportError> for HostError {
    fn from(error: TransportError) -> HostError {
        HostError::Firmware(FirmwareError::Device(Box::new(error)))
    }
}

/// Looks at the status before the first wait for an interrupt: a small model is done by then.
const EAGER: u64 = 8;
/// How long an interrupt is waited for before the status is looked at anyway: at first, and after
/// ever longer waits at the most, which is what a lost one costs.
const SHORTEST: Duration = Duration::from_micros(50);
const LONGEST: Duration = Duration::from_millis(10);
/// Bytes a second that the slowest memory gives the core at the very least.
const CORE_RATE: f64 = 50e6;

impl XdmaTransport {
    /// Takes a card, as if it had no memory.
    ///
    /// # Errors
    /// Those of the nodes.
    pub fn take(
        access: Arc<dyn Access>,
        index: Option<u32>,
        options: Options,
    ) -> Result<XdmaTransport> {
        let card = XdmaCard::open(access, index, options).map_err(TransportError)?;
        let patience = options.limits.base;
        Ok(XdmaTransport { card, memory: 0, since: Instant::now(), patience })
    }

    /// Takes a card; without `memory`, finds out how much it has.
    ///
    /// # Errors
    /// Those of the nodes.
    pub fn open(
        access: Arc<dyn Access>,
        index: Option<u32>,
        options: Options,
        memory: Option<u64>,
    ) -> Result<XdmaTransport> {
        let mut transport = XdmaTransport::take(access, index, options)?;
        transport.measure(memory)?;
        Ok(transport)
    }

    /// Finds out how much memory it has, unless that is `known`.
    ///
    /// # Errors
    /// Those of the nodes.
    pub fn measure(&mut self, known: Option<u64>) -> std::result::Result<u64, TransportError> {
        self.memory = match known {
            Some(bytes) => bytes,
            None => memory::probe(&mut self.card)?,
        };
        Ok(self.memory)
    }

    /// The nodes.
    pub fn card(&mut self) -> &mut XdmaCard {
        &mut self.card
    }
}

impl Transport for XdmaTransport {
    type Error = TransportError;

    fn memory_bytes(&self) -> u64 {
        self.memory
    }

    fn read_register(&mut self, offset: u32) -> std::result::Result<u32, TransportError> {
        Ok(self.card.read_register(offset)?)
    }

    fn write_register(
        &mut self,
        offset: u32,
        value: u32,
    ) -> std::result::Result<(), TransportError> {
        Ok(self.card.write_register(offset, value)?)
    }

    fn read_memory(
        &mut self,
        at: u64,
        bytes: &mut [u8],
    ) -> std::result::Result<(), TransportError> {
        Ok(self.card.read_memory(at, bytes)?)
    }

    fn write_memory(&mut self, at: u64, bytes: &[u8]) -> std::result::Result<(), TransportError> {
        Ok(self.card.write_memory(at, bytes)?)
    }

    fn write_shared(
        &mut self,
        at: u64,
        bytes: &Shared,
        range: Range<usize>,
    ) -> std::result::Result<(), TransportError> {
        Ok(self.card.write_shared(at, bytes, range)?)
    }

    fn expect(&mut self, bytes: u64) {
        let extra = Duration::from_secs_f64(bytes as f64 / CORE_RATE);
        self.patience = self.card.limits().base + extra;
    }

    fn sensors(&mut self) -> Vec<Reading> {
        let device = Sysfs::new("/sys").card(self.card.found().index);
        let sensors = device.map(|device| device.sensors).unwrap_or_default();
        let reading = |Sensor { quantity, label, value }| Reading {
            name: label,
            value,
            unit: quantity.unit(),
        };
        sensors.into_iter().map(reading).collect()
    }

    fn retries(&self) -> u64 {
        self.card.retries()
    }

    fn recover(&mut self) -> std::result::Result<(), TransportError> {
        Ok(self.card.reopen()?)
    }

    fn wait(&mut self, polls: u64) -> std::result::Result<bool, TransportError> {
        if polls == 0 {
            self.since = Instant::now();
        }
        let left = self.patience.saturating_sub(self.since.elapsed());
        if left.is_zero() {
            return Ok(false);
        }
        match polls.checked_sub(EAGER) {
            None => std::hint::spin_loop(),
            Some(waits) => {
                let nap = SHORTEST.saturating_mul(1 << waits.min(16));
                self.card.wait(left.min(nap).min(LONGEST))?;
            }
        }
        Ok(true)
    }
}
