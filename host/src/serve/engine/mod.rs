//! One device, several answers at once: a thread that owns the device, and the queue before it.
//!
//! ```text
//!  submit() -> queue, a turn a client -> slots 0 .. n-1 -> events of each job
//!                                        |
//!                    a round: one piece of a prompt, then one pass of all
//! ```
//!
//! A round takes at most [`PIECE`] tokens of one prompt, so no prompt holds the others up for
//! longer than that. No token depends on who else is there: that is what devices promise of a pass.

mod queue;
mod round;
pub mod sequence;

mod prefix;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use sterna_firmware::device::Device;
use sterna_model::Tokenizer;
use tokio::sync::watch;

use self::queue::Fair;
use self::round::Rounds;
use self::sequence::Job;
use super::metrics::Metrics;
use crate::error::Result;
use crate::power::beside::Power;

/// Tokens of a prompt in a round.
pub const PIECE: usize = 32;

/// How much an engine takes on.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Answers of one client that may wait for a slot; of all clients four times as many.
    pub waiting: usize,
    /// Bytes of states that are kept for prompts that begin alike.
    pub prefixes: usize,
}

/// Why a job was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Too many wait; there may be room after so long.
    Busy(Duration),
    /// The server is ending.
    Ending,
    /// The device does not work, and why.
    Down(String),
}

/// How the device is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// It works, as far as is known.
    #[default]
    Up,
    /// It failed, and did not come to rest since.
    Down(String),
    /// The engine ended.
    Ended,
}

struct Waiting {
    jobs: Fair<Job>,
    ending: bool,
    /// Mean seconds of a slot for a job, of late.
    seconds: f64,
}

/// What the engine's thread and its callers share.
struct Shared {
    waiting: Mutex<Waiting>,
    wake: Condvar,
    health: watch::Sender<Health>,
    metrics: Arc<Metrics>,
    slots: usize,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A device at work.
pub struct Engine {
    shared: Arc<Shared>,
    name: &'static str,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// A message, however the thread ends.
struct Ended(Arc<Shared>);

impl Drop for Ended {
    fn drop(&mut self) {
        let mut waiting = self.0.lock();
        waiting.ending = true;
        // Whoever waits for them sees that nobody answers any more.
        waiting.jobs.drain().for_each(drop);
        self.0.health.send_replace(Health::Ended);
    }
}

impl Engine {
    /// Opens a device in a thread of its own and sets it to work.
    ///
    /// # Errors
    /// Those of `open`.
    pub fn start(
        open: impl FnOnce() -> Result<Box<dyn Device>> + Send + 'static,
        tokenizer: Option<Arc<Tokenizer>>,
        limits: Limits,
        power: Arc<Power>,
        metrics: Arc<Metrics>,
    ) -> Result<Engine> {
        let (tell, told) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let mut device = match open() {
                Ok(device) => device,
                Err(error) => return drop(tell.send(Err(error))),
            };
            let slots = device.slots();
            metrics.slots.set(slots as i64);
            let waiting = Waiting {
                jobs: Fair::new(limits.waiting, 4 * limits.waiting),
                ending: false,
                seconds: 1.0,
            };
            let shared = Arc::new(Shared {
                waiting: Mutex::new(waiting),
                wake: Condvar::new(),
                health: watch::Sender::new(Health::Up),
                metrics,
                slots,
            });
            let _ended = Ended(Arc::clone(&shared));
            let _ = tell.send(Ok((device.name(), Arc::clone(&shared))));
            Rounds::new(device.as_mut(), tokenizer.as_deref(), limits, &power, &shared).work();
        });
        let (name, shared) = told.recv().expect("it tells in any case")?;
        Ok(Engine { shared, name, thread: Mutex::new(Some(thread)) })
    }

    /// The device's name.
    pub fn device(&self) -> &'static str {
        self.name
    }

    /// Answers that are made at once.
    pub fn slots(&self) -> usize {
        self.shared.slots
    }

    /// How the device is.
    pub fn health(&self) -> Health {
        self.shared.health.borrow().clone()
    }

    /// Puts the jobs of a client's question behind those that it has there, all or none.
    ///
    /// # Errors
    /// [`Refused`]; nothing was taken then.
    pub fn submit(&self, client: &str, jobs: Vec<Job>) -> std::result::Result<(), Refused> {
        match self.health() {
            Health::Up => {}
            Health::Down(why) => return Err(Refused::Down(why)),
            Health::Ended => return Err(Refused::Ending),
        }
        let mut waiting = self.shared.lock();
        if waiting.ending {
            return Err(Refused::Ending);
        }
        if !waiting.jobs.fits(client, jobs.len()) {
            // Those who left make room.
            waiting.jobs.retain(|job| !job.reply.is_closed());
        }
        if !waiting.jobs.fits(client, jobs.len()) {
            let rounds = waiting.jobs.len() as f64 / self.shared.slots as f64;
            let seconds = (rounds * waiting.seconds).ceil().clamp(1.0, 60.0);
            return Err(Refused::Busy(Duration::from_secs_f64(seconds)));
        }
        for job in jobs {
            waiting.jobs.push(client, job);
        }
        self.shared.metrics.waiting.set(waiting.jobs.len() as i64);
        drop(waiting);
        self.shared.wake.notify_one();
        Ok(())
    }

    /// Takes nothing more; what is there is still answered. Returns at once.
    pub fn end(&self) {
        self.shared.lock().ending = true;
        self.shared.wake.notify_one();
    }

    /// Waits until the thread has ended, by [`Engine::end`] or by itself.
    pub async fn ended(&self) {
        let mut health = self.shared.health.subscribe();
        let _ = health.wait_for(|health| *health == Health::Ended).await;
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.end();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A panic there has said so on standard error.
            let _ = thread.join();
        }
    }
}
