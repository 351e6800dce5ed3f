//! Interrupts: counted until somebody reads.

use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

/// Called once, when an interrupt is there.
type Call = Box<dyn FnOnce() + Send>;

#[derive(Default)]
pub(super) struct Events {
    state: Mutex<State>,
    came: Condvar,
}

#[derive(Default)]
struct State {
    count: u32,
    calls: Vec<Call>,
}

impl Events {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics under this lock")
    }

    /// An interrupt.
    pub fn raise(&self) {
        let mut state = self.state();
        state.count += 1;
        let calls = std::mem::take(&mut state.calls);
        drop(state);
        self.came.notify_all();
        calls.into_iter().for_each(|call| call());
    }

    /// Whether there is one.
    pub fn pending(&self) -> bool {
        self.state().count > 0
    }

    /// How many there were since the last time; 0 if none.
    pub fn take(&self) -> u32 {
        std::mem::take(&mut self.state().count)
    }

    /// Waits for one.
    pub fn wait(&self, timeout: Duration) -> bool {
        let end = Instant::now() + timeout;
        let mut state = self.state();
        while state.count == 0 {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.came.wait_timeout(state, left).expect("nothing panics here").0;
        }
        true
    }

    /// Has something called when there is one; at once if there is.
    pub fn when(&self, call: Call) {
        let mut state = self.state();
        if state.count == 0 {
            state.calls.push(call);
            return;
        }
        drop(state);
        call();
    }
}
