//! When a memory pauses, and for how long: the same for the same seed.

use sterna_rtl::random::Rng;

/// How regularly a memory answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stalls {
    /// A beat a clock after the latency, without end.
    None,
    /// Every channel pauses every other clock.
    Alternate,
    /// Every channel pauses in one clock of four; latencies up to twice the stated one.
    Random,
    /// Every channel works and pauses for up to a hundred clocks in turn, as behind refreshes
    /// or a busy neighbour; some bursts take eight times the latency.
    Burst,
    /// Every channel has one of the others of its own.
    Mixed,
}

/// What a channel may be, where each has its own.
const EACH: [Stalls; 4] = [Stalls::None, Stalls::Alternate, Stalls::Random, Stalls::Burst];

/// The pauses of one channel.
#[derive(Clone)]
pub(crate) struct Pauses {
    stalls: Stalls,
    latency: u64,
    rng: Rng,
    pausing: bool,
    left: u64,
}

impl Pauses {
    pub fn new(stalls: Stalls, latency: u32, seed: u64, channel: u64) -> Pauses {
        // The seeds of neighbouring channels must not be neighbours, too.
        let seed = Rng::new(seed).next_u64().wrapping_add(channel << 32);
        let (mut rng, latency) = (Rng::new(seed), u64::from(latency.max(1)));
        let stalls = match stalls {
            Stalls::Mixed => EACH[rng.below(EACH.len() as u64) as usize],
            one => one,
        };
        Pauses { stalls, latency, rng, pausing: true, left: 0 }
    }

    /// Whether the channel pauses in the next clock.
    pub fn pause(&mut self) -> bool {
        match self.stalls {
            Stalls::None | Stalls::Mixed => false,
            Stalls::Alternate => {
                self.pausing = !self.pausing;
                self.pausing
            }
            Stalls::Random => self.rng.one_in(4),
            Stalls::Burst => {
                if self.left == 0 {
                    self.pausing = !self.pausing;
                    self.left = 1 + self.rng.below(100);
                }
                self.left -= 1;
                self.pausing
            }
        }
    }

    /// Clocks until a burst's first beat, or a write's answer.
    pub fn latency(&mut self) -> u64 {
        match self.stalls {
            Stalls::None | Stalls::Alternate | Stalls::Mixed => self.latency,
            Stalls::Random => 1 + self.rng.below(2 * self.latency),
            Stalls::Burst if self.rng.one_in(8) => 8 * self.latency,
            Stalls::Burst => self.latency,
        }
    }

    /// Which of several bursts is next: the oldest, or any where the memory stalls.
    pub fn pick(&mut self, count: usize) -> usize {
        match self.stalls {
            Stalls::None => 0,
            _ => self.rng.below(count.max(1) as u64) as usize,
        }
    }
}
