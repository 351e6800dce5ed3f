//! The time of recordings: it begins with the recording, and nobody can set it.

use std::time::{Duration, Instant, SystemTime};

/// A clock that only goes forward.
pub trait Clock: Send + Sync {
    /// Since the recording began.
    fn now(&self) -> Duration;

    /// Sleeps until this moment; returns at once if it has passed.
    fn sleep_until(&self, moment: Duration);

    /// The wall's clock, since 1970. It may be set while a recording runs.
    fn unix(&self) -> Duration;
}

/// The system's monotonic clock.
#[derive(Debug)]
pub struct SystemClock {
    begin: Instant,
}

impl SystemClock {
    /// Begins now.
    pub fn start() -> SystemClock {
        SystemClock { begin: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.begin.elapsed()
    }

    fn sleep_until(&self, moment: Duration) {
        std::thread::sleep(moment.saturating_sub(self.now()));
    }

    fn unix(&self) -> Duration {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
    }
}
