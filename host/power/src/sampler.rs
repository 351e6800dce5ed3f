//! A thread a meter, at the meter's own rate.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::clock::Clock;
use crate::error::PowerError;
use crate::meter::Meter;
use crate::recording::Recorder;

/// Who takes what meters say.
pub trait Sink: Send + Sync {
    /// Meter `meter` said this at `t`, give or take `spread`.
    fn sample(&self, t: Duration, meter: usize, values: Vec<f64>, spread: Duration);

    /// It failed.
    fn trouble(&self, t: Duration, meter: usize, error: &PowerError);
}

impl Sink for Recorder {
    fn sample(&self, t: Duration, meter: usize, values: Vec<f64>, spread: Duration) {
        Recorder::sample(self, t, meter, values, spread);
    }

    fn trouble(&self, t: Duration, meter: usize, error: &PowerError) {
        Recorder::trouble(self, t, meter, error);
    }
}

/// Meters at work; they stop when this is stopped or dropped.
pub struct Sampler {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// Seconds between two looks at whether to stop, at most.
const NAP: Duration = Duration::from_millis(50);
/// Between two samples, at least: a sensor that is quicker is not asked more often.
const FASTEST: Duration = Duration::from_millis(1);

impl Sampler {
    /// Sets the meters to work, each by its place as its number.
    pub fn start(
        meters: Vec<Box<dyn Meter>>,
        sink: &Arc<impl Sink + 'static>,
        clock: &Arc<dyn Clock>,
    ) -> Sampler {
        let stop = Arc::new(AtomicBool::new(false));
        let spawn = |(number, mut meter): (usize, Box<dyn Meter>)| {
            let (sink, clock, stop) = (sink.clone(), clock.clone(), stop.clone());
            std::thread::spawn(move || sample(&mut meter, number, &*sink, &*clock, &stop))
        };
        Sampler { threads: meters.into_iter().enumerate().map(spawn).collect(), stop: stop.clone() }
    }

    /// Stops them, and waits until they have.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // A meter that panicked has said so on standard error; its samples so far are there.
            let _ = thread.join();
        }
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.end();
    }
}

/// Asks a meter at its rate until `stop`. A reading is of the middle of the time that it took, give
/// or take the half; a failure is recorded once, until the meter speaks again.
pub fn sample(
    meter: &mut dyn Meter,
    number: usize,
    sink: &impl Sink,
    clock: &dyn Clock,
    stop: &AtomicBool,
) {
    let interval = Duration::from_secs_f64(meter.description().interval_s).max(FASTEST);
    let mut due = clock.now();
    let mut failed = None;
    while !stop.load(Ordering::Relaxed) {
        let before = clock.now();
        let result = meter.read(before);
        let after = clock.now();
        let half = after.saturating_sub(before) / 2;
        match result {
            Ok(readings) => {
                for reading in readings {
                    let (at, spread) =
                        reading.at.map_or((before + half, half), |at| (at, Duration::ZERO));
                    sink.sample(at, number, reading.values, spread);
                    failed = None;
                }
            }
            Err(error) if failed != Some(error.code()) => {
                sink.trouble(after, number, &error);
                failed = Some(error.code());
            }
            Err(_) => {}
        }
        // Moments that have passed are left out, not made up for.
        due = (due + interval).max(after.saturating_sub(interval));
        while clock.now() < due && !stop.load(Ordering::Relaxed) {
            clock.sleep_until(due.min(clock.now() + NAP));
        }
    }
}
