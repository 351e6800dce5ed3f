//! A fake card, the job that is done on it, and what golden says.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use sterna::devices::xdma::XdmaTransport;
use sterna_firmware::device::{Device, Head, Step, Want};
use sterna_firmware::geometry::Geometry;
use sterna_firmware::golden::Golden;
use sterna_firmware::model::Model;
use sterna_hdl::driver::{Card, Settings};
use sterna_model::synth::SynthSpec;
use sterna_sim::fake_card::FakeCard;
use sterna_sim::fuzz::made_up;
use sterna_sim::soft_core::{Arithmetic, SoftCore};
use sterna_xdma::{Limits, Options};

/// How long the card may take for anything.
pub const DEADLINE: Duration = Duration::from_millis(500);
const BYTES: u64 = 1 << 20;
/// So that a load takes several.
const CHUNK: u32 = 4096;

/// How the nodes are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// In this process, with mapped registers.
    Mapped,
    /// In this process, registers by calls; the size of the memory is found.
    Calls,
}

impl Way {
    pub const ALL: [Way; 2] = [Way::Mapped, Way::Calls];
}

/// A model, and what the job should bring.
pub struct Bench {
    pub model: Arc<Model>,
    right: Vec<Head>,
}

/// A fake card with a way to it.
pub struct Desk {
    pub fake: FakeCard,
    way: Way,
}

/// Runs of the core's own loop, states that are saved and loaded, all accumulators.
fn work(device: &mut dyn Device, heads: &mut Vec<Head>) -> sterna_firmware::Result<()> {
    let mut keep = |head: Head| {
        heads.push(head);
        ControlFlow::Continue(())
    };
    device.clear(0)?;
    device.clear(1)?;
    device.generate(0, 3, 6, &[], &mut keep)?;
    let step = |slot, token, want| Step { slot, token, want };
    for steps in [
        &[step(1, 5, Want::State)][..],
        &[step(0, 7, Want::Logits), step(1, 8, Want::Top)],
        &[step(0, 9, Want::Top)],
    ] {
        heads.extend(device.pass(steps)?);
    }
    Ok(())
}

impl Bench {
    pub fn new() -> Bench {
        let model = made_up(&SynthSpec::new(64, 1, 101)).unwrap();
        let mut right = vec![];
        work(&mut Golden::new(Arc::clone(&model), 2).unwrap(), &mut right).unwrap();
        Bench { model, right }
    }

    /// A card that has not been used yet.
    pub fn desk(&self, way: Way) -> Desk {
        let geometry = Geometry::for_shape(128, &self.model.shape());
        let core = SoftCore::new(&geometry, BYTES, Arithmetic::Golden);
        Desk { fake: FakeCard::new(core, 0), way }
    }

    /// Takes the card and loads the model.
    pub fn open(&self, desk: &Desk) -> Result<Card<XdmaTransport>, &'static str> {
        let limits = Limits { base: DEADLINE, ..Limits::default() };
        let options = Options { limits, unmapped: desk.way == Way::Calls };
        let memory = (desk.way != Way::Calls).then_some(BYTES);
        let access = Arc::new(desk.fake.local());
        let transport = XdmaTransport::open(access, None, options, memory);
        let transport = transport.map_err(|error| error.code())?;
        let settings = Settings { slots: 2, chunk: CHUNK, ..Settings::default() };
        let card = Card::open(transport, "xdma", Arc::clone(&self.model), &settings);
        card.map_err(|error| error.code())
    }

    /// Does the job on a card that was taken.
    ///
    /// # Panics
    /// With an answer that is not golden's, be it before an error.
    pub fn work(&self, card: &mut Card<XdmaTransport>) -> Result<(), &'static str> {
        let mut heads = vec![];
        let result = work(card, &mut heads);
        assert!(heads == self.right[..heads.len()], "a wrong token");
        assert!(result.is_err() || heads.len() == self.right.len(), "a token is missing");
        assert_eq!(card.saturations(), 0, "wrong statistics");
        result.map_err(|error| error.code())
    }
}
