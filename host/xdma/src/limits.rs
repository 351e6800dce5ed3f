//! How long something may take.

use std::time::Duration;

/// Deadlines: so much for anything, and more by the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// What even a transfer of nothing may take.
    pub base: Duration,
    /// Bytes a second that a link makes at the very least.
    pub rate: u64,
}

impl Default for Limits {
    /// Two seconds, and 20 MB/s: a tenth of what the slowest link of one lane makes.
    fn default() -> Limits {
        Limits { base: Duration::from_secs(2), rate: 20_000_000 }
    }
}

impl Limits {
    /// How long so many bytes may take.
    pub fn of(&self, bytes: u64) -> Duration {
        let extra = bytes as f64 / self.rate.max(1) as f64;
        self.base.saturating_add(Duration::try_from_secs_f64(extra).unwrap_or(Duration::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_bytes_may_take_longer() {
        let limits = Limits { base: Duration::from_millis(100), rate: 1000 };
        assert_eq!(limits.of(0), Duration::from_millis(100));
        assert_eq!(limits.of(2500), Duration::from_millis(2600));
        assert!(Limits { rate: 0, ..limits }.of(u64::MAX) > Duration::from_secs(1 << 50));
    }
}
