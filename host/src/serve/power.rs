//! What the device draws while it serves.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sterna_firmware::device::Device;
use sterna_power::{Clock, Meter, Sampler, SystemClock};

use crate::power::live::{Live, View};

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

    /// Joules since a moment, if a meter says.
    pub fn since(&self, moment: Duration) -> Option<f64> {
        self.live.joules(moment.as_secs_f64(), self.now().as_secs_f64())
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
