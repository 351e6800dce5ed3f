//! Commands that run until somebody ends them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};

/// Waits for a signal to end, or until something is over.
pub fn until_interrupted(is_over: impl Fn() -> bool) {
    const TICK: Duration = Duration::from_millis(20);
    let ended = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        let registered = signal_hook::flag::register(signal, Arc::clone(&ended));
        registered.expect("both may be caught");
    }
    while !ended.load(Ordering::Relaxed) && !is_over() {
        std::thread::sleep(TICK);
    }
}
