//! What there is to count, as Prometheus reads it.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// An answered request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Answered {
    /// The path that was asked; `other` for one that is not there.
    pub endpoint: &'static str,
    /// The status of the answer.
    pub status: u16,
}

/// A kind of token.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Tokens {
    /// `prompt`, `cached` or `completion`.
    pub kind: &'static str,
}

/// Counters of a server's life.
pub struct Metrics {
    registry: Registry,
    /// Answers by endpoint and status.
    pub requests: Family<Answered, Counter>,
    /// Tokens by kind.
    pub tokens: Family<Tokens, Counter>,
    /// Seconds from a question to its slot.
    pub waited: Histogram,
    /// Seconds from a slot to the first token.
    pub first: Histogram,
    /// Seconds between two tokens of an answer, its mean.
    pub each: Histogram,
    /// Seconds from a slot to the end.
    pub whole: Histogram,
    /// Joules that the meter saw.
    pub joules: Counter<f64, AtomicU64>,
    /// Times that the device failed.
    pub failures: Counter,
    /// Transfers to a card that were tried again.
    pub retries: Gauge,
    /// Requests that wait for a slot.
    pub waiting: Gauge,
    /// Slots that are taken.
    pub running: Gauge,
    /// Slots.
    pub slots: Gauge,
}

impl Default for Metrics {
    fn default() -> Metrics {
        let seconds = || Histogram::new(exponential_buckets(0.001, 2.0, 18));
        let metrics = Metrics {
            registry: Registry::with_prefix("sterna"),
            requests: Family::default(),
            tokens: Family::default(),
            waited: seconds(),
            first: seconds(),
            each: Histogram::new(exponential_buckets(0.000_1, 2.0, 18)),
            whole: seconds(),
            joules: Counter::default(),
            failures: Counter::default(),
            retries: Gauge::default(),
            waiting: Gauge::default(),
            running: Gauge::default(),
            slots: Gauge::default(),
        };
        metrics.registered()
    }
}

impl Metrics {
    fn registered(mut self) -> Metrics {
        let to = &mut self.registry;
        to.register("requests", "Answers by endpoint and status", self.requests.clone());
        to.register("tokens", "Tokens by kind", self.tokens.clone());
        for (name, help, histogram) in [
            ("queue", "From a question to its slot", &self.waited),
            ("first_token", "From a slot to the first token", &self.first),
            ("token", "Between two tokens of an answer, its mean", &self.each),
            ("answer", "From a slot to the end", &self.whole),
        ] {
            to.register_with_unit(name, help, Unit::Seconds, histogram.clone());
        }
        to.register_with_unit("energy", "What the meter saw", Unit::Joules, self.joules.clone());
        to.register("device_failures", "Times that the device failed", self.failures.clone());
        let retries = "Transfers to the card that were tried again";
        to.register("dma_retries", retries, self.retries.clone());
        to.register("waiting", "Requests that wait for a slot", self.waiting.clone());
        to.register("running", "Slots that are taken", self.running.clone());
        to.register("slots", "Slots", self.slots.clone());
        self
    }

    /// Counts an answer.
    pub fn answered(&self, endpoint: &'static str, status: u16) {
        self.requests.get_or_create(&Answered { endpoint, status }).inc();
    }

    /// Counts tokens.
    pub fn count(&self, kind: &'static str, tokens: usize) {
        self.tokens.get_or_create(&Tokens { kind }).inc_by(tokens as u64);
    }

    /// All of it in the text format.
    pub fn text(&self) -> String {
        let mut out = String::new();
        text::encode(&mut out, &self.registry).expect("a string takes everything");
        out
    }
}
