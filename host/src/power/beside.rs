//! What is drawn while a device works, for who only wants to know it beside.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sterna_firmware::device::Device;
use sterna_firmware::model::Model;
use sterna_power::{Clock, Meter, Sampler, SystemClock};

use super::live::{Live, View};
use super::meters::MeterArgs;
use super::workload::Workload;
use crate::devices::Choice;
use crate::error::{HostError, Result};

/// Meters at work, and the tokens beside them.
pub struct Power {
    live: Arc<Live>,
    clock: Arc<dyn Clock>,
    tokens: Arc<AtomicU64>,
    /// Of the first meter.
    meter: Option<Named>,
    _sampler: Sampler,
}

/// Whose figures they are.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Named {
    /// The meter.
    pub meter: String,
    /// What kind of evidence that is.
    pub evidence: &'static str,
    /// What is included.
    pub includes: &'static str,
}

impl Power {
    /// Sets to work what was named, or all that there is; also says why others do not measure where
    /// none does. A model's joules are told if they are asked for by name, never in place of a meter.
    ///
    /// # Errors
    /// Those of [`MeterArgs::open`] but H016.
    pub fn open(
        args: &MeterArgs,
        device: &Choice,
        model: &Arc<Model>,
    ) -> Result<(Power, Vec<String>)> {
        let tokens = Arc::new(AtomicU64::new(0));
        let workload = Workload { model: Arc::clone(model), prompt: vec![] };
        let counted = args.names_activity().then_some(&tokens);
        let (meters, missing) = match args.open(device, &workload, counted) {
            Ok(found) => (found.meters, vec![]),
            Err(HostError::NoMeter { missing }) => (vec![], missing),
            Err(error) => return Err(error),
        };
        Ok((Power::start(meters, tokens), missing))
    }

    /// Sets meters to work, which may be none; `tokens` is what a model of the activity counts by.
    pub fn start(meters: Vec<Box<dyn Meter>>, tokens: Arc<AtomicU64>) -> Power {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let meter = meters.first().map(|meter| {
            let of = meter.description();
            Named {
                meter: of.name.clone(),
                evidence: of.evidence.label(),
                includes: of.scope.includes(),
            }
        });
        let live = meters.iter().map(|meter| meter.description().clone()).collect();
        let live = Arc::new(Live::new(live));
        let sampler = Sampler::start(meters, &live, &clock);
        Power { live, clock, tokens, meter, _sampler: sampler }
    }

    /// The meter that joules are of.
    pub fn meter(&self) -> Option<&Named> {
        self.meter.as_ref()
    }

    /// The moment.
    pub fn now(&self) -> Duration {
        self.clock.now()
    }

    /// Joules from one moment to another, both of the last minute, if a meter says.
    pub fn between(&self, from: Duration, to: Duration) -> Option<f64> {
        self.live.joules(from.as_secs_f64(), to.as_secs_f64())
    }

    /// So many tokens entered the device.
    pub fn entered(&self, tokens: usize) {
        self.tokens.fetch_add(tokens as u64, Ordering::Relaxed);
    }

    /// A token came out.
    pub fn token(&self) {
        self.live.token(self.now());
    }

    /// Asks the device about itself.
    pub fn look(&self, device: &mut dyn Device) {
        // What cannot be read is not shown; a device that does not work says so in its passes.
        self.live.device(device.counters().ok().flatten(), device.sensors());
    }

    /// What there is to see.
    pub fn view(&self) -> View {
        self.live.view(self.now())
    }
}
