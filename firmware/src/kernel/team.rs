//! A team of threads that share the parts of a job.
//!
//! A pass has a hundred jobs of some tens of microseconds each, one behind the other: too many to
//! start threads for, or to wake sleeping ones. So members look for the next job for a while
//! before they sleep. And nobody waits for a member that the system has not let run yet: a job is
//! closed when its parts are given out, and who comes later has missed it.

use std::any::Any;
use std::cell::UnsafeCell;
use std::hint::spin_loop;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle, yield_now};

/// How often a member looks for a job before it sleeps, and how often somebody looks before he
/// lets others have the processor: some ten microseconds.
const LOOKS: usize = 4000;
const LOOKS_BEFORE_YIELD: usize = 400;

/// The calling thread, and others that help it.
pub struct Team {
    size: usize,
    /// Made with the first job that has parts for others.
    others: Option<Others>,
}

struct Others {
    shared: Arc<Shared>,
    handles: Vec<JoinHandle<()>>,
}

/// What the members of a team see of each other.
struct Shared {
    /// What is to be done. Written only while the job is closed and nobody is busy with it; read
    /// only by members that are.
    job: UnsafeCell<Option<Job>>,
    /// Number of the job, whether it is closed, and how many members are busy with it.
    state: AtomicUsize,
    /// Members that sleep, or are about to.
    asleep: AtomicUsize,
    gate: Mutex<()>,
    bell: Condvar,
    stop: AtomicBool,
    /// What a member panicked with.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

/// Of the state: one more busy member, the bits that count them, the closed job, the next job.
const ONE: usize = 1;
const BUSY: usize = CLOSED - 1;
const CLOSED: usize = 1 << 15;
const NEXT: usize = 1 << 16;

/// A closure that [`Others::run`] borrows until no member is busy with it.
#[derive(Clone, Copy)]
struct Job(*const (dyn Fn() + Sync));

// SAFETY: `job` is the only field that is not shared safely by itself. `Others::run` writes it
// while it is closed and no member is busy, and what it points to is `Sync`.
unsafe impl Sync for Shared {}
// SAFETY: as above.
unsafe impl Send for Shared {}

impl Team {
    /// A team of so many threads, the caller's among them; at least one.
    pub fn new(size: usize) -> Team {
        Team { size: size.clamp(1, CLOSED / 2), others: None }
    }

    /// Threads that work.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Does the parts, each by whichever thread is free; the results in the order of the parts.
    ///
    /// # Panics
    /// If `work` does.
    pub fn map<T: Send, R: Send>(&mut self, parts: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
        if self.size == 1 || parts.len() <= 1 {
            return parts.into_iter().map(work).collect();
        }
        let parts: Vec<Mutex<(Option<T>, Option<R>)>> =
            parts.into_iter().map(|part| Mutex::new((Some(part), None))).collect();
        let next = AtomicUsize::new(0);
        let share = || {
            while let Some(cell) = parts.get(next.fetch_add(1, Ordering::Relaxed)) {
                // Each cell is locked by whoever drew its number, and by nobody else.
                let part = cell.lock().unwrap_or_else(PoisonError::into_inner).0.take();
                let result = part.map(&work);
                cell.lock().unwrap_or_else(PoisonError::into_inner).1 = result;
            }
        };
        self.others.get_or_insert_with(|| Others::new(self.size - 1)).run(&share);
        let result = |cell: Mutex<(_, Option<R>)>| {
            cell.into_inner().unwrap_or_else(PoisonError::into_inner).1.expect("a part is done")
        };
        parts.into_iter().map(result).collect()
    }
}

impl Others {
    fn new(count: usize) -> Others {
        let shared = Arc::new(Shared {
            job: UnsafeCell::new(None),
            state: AtomicUsize::new(CLOSED),
            asleep: AtomicUsize::new(0),
            gate: Mutex::new(()),
            bell: Condvar::new(),
            stop: AtomicBool::new(false),
            panic: Mutex::new(None),
        });
        // Where the system has no more threads the team is smaller.
        let handles = (0..count)
            .map_while(|n| {
                let shared = Arc::clone(&shared);
                Builder::new().name(format!("golden-{n}")).spawn(move || shared.member()).ok()
            })
            .collect();
        Others { shared, handles }
    }

    /// Has this thread call `job`, and every other one that comes before this one is through.
    fn run(&mut self, job: &(dyn Fn() + Sync)) {
        let shared = &*self.shared;
        // SAFETY: of the pointer's lifetime: `run` returns only after it has closed the job and
        // nobody is busy with it any more. Of the write: the job before was left in that state.
        unsafe {
            let job = std::mem::transmute::<&(dyn Fn() + Sync), &'static (dyn Fn() + Sync)>(job);
            *shared.job.get() = Some(Job(job));
        }
        shared.open();
        let own = catch_unwind(AssertUnwindSafe(job));
        shared.state.fetch_or(CLOSED, Ordering::AcqRel);
        let mut looks = 0;
        while shared.state.load(Ordering::Acquire) & BUSY > 0 {
            look(&mut looks);
        }
        let theirs = shared.panic.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(panic) = own.err().or(theirs) {
            resume_unwind(panic);
        }
    }
}

impl Shared {
    /// Opens the next job, and wakes who sleeps.
    fn open(&self) {
        let before = self.state.load(Ordering::Relaxed);
        self.state.store((before & !(NEXT - 1)).wrapping_add(NEXT), Ordering::SeqCst);
        if self.asleep.load(Ordering::SeqCst) > 0 {
            // With the gate a member is either asleep, and hears the bell, or has yet to look.
            drop(self.gate.lock().unwrap_or_else(PoisonError::into_inner));
            self.bell.notify_all();
        }
    }

    /// The life of a member.
    fn member(&self) {
        let mut seen = 0;
        loop {
            let mut state = self.wait(seen);
            if self.stop.load(Ordering::Acquire) {
                return;
            }
            seen = state / NEXT;
            // Joins the job, unless it is closed.
            while state & CLOSED == 0 && state / NEXT == seen {
                let joined = self.state.compare_exchange(
                    state,
                    state + ONE,
                    Ordering::AcqRel,
                    Ordering::Acquire,
                );
                match joined {
                    Ok(_) => {
                        self.work();
                        break;
                    }
                    Err(now) => state = now,
                }
            }
        }
    }

    /// Does a job that this member has joined.
    fn work(&self) {
        // SAFETY: `run` wrote the job before it opened it, and waits for this member, which is
        // counted as busy, before it returns or writes again.
        let job = unsafe { (*self.job.get()).map(|Job(job)| &*job) };
        if let Some(Err(panic)) = job.map(|job| catch_unwind(AssertUnwindSafe(job))) {
            *self.panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic);
        }
        self.state.fetch_sub(ONE, Ordering::Release);
    }

    /// Waits for a job with another number than `seen`: awake for a while, then asleep.
    fn wait(&self, seen: usize) -> usize {
        let mut looks = 0;
        while looks < LOOKS {
            let state = self.state.load(Ordering::Acquire);
            if state / NEXT != seen {
                return state;
            }
            look(&mut looks);
        }
        let mut gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        self.asleep.fetch_add(1, Ordering::SeqCst);
        while self.state.load(Ordering::SeqCst) / NEXT == seen {
            gate = self.bell.wait(gate).unwrap_or_else(PoisonError::into_inner);
        }
        self.asleep.fetch_sub(1, Ordering::SeqCst);
        self.state.load(Ordering::SeqCst)
    }
}

/// A moment between two looks; now and then another thread gets the processor.
fn look(looks: &mut usize) {
    *looks += 1;
    if looks.is_multiple_of(LOOKS_BEFORE_YIELD) { yield_now() } else { spin_loop() }
}

impl Drop for Others {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        self.shared.open();
        for handle in self.handles.drain(..) {
            // A member catches panics.
            let _ = handle.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn every_part_is_done_once_and_in_its_place() {
        for size in [1, 2, 3, 7] {
            let mut team = Team::new(size);
            for count in 0..200 {
                let mut data = vec![0; count];
                let parts: Vec<(usize, &mut i32)> = data.iter_mut().enumerate().collect();
                let results = team.map(parts, |(n, cell)| {
                    *cell += 1;
                    n * 3
                });
                assert_eq!(results, (0..count).map(|n| n * 3).collect::<Vec<_>>());
                assert!(data.iter().all(|&cell| cell == 1));
            }
        }
    }

    #[test]
    fn members_that_sleep_are_woken() {
        let mut team = Team::new(3);
        for _ in 0..5 {
            std::thread::sleep(Duration::from_millis(20));
            // Parts that need all three threads at once: nobody goes on before the others came.
            let barrier = std::sync::Barrier::new(3);
            let leaders = team.map(vec![(); 3], |()| barrier.wait().is_leader());
            assert_eq!(leaders.iter().filter(|&&leader| leader).count(), 1);
        }
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_team_goes_on() {
        let mut team = Team::new(3);
        for bad in [0, 5, 99] {
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                team.map((0..100).collect(), |n: i32| assert_ne!(n, bad, "on purpose"));
            }));
            assert!(panicked.is_err());
            assert_eq!(team.map(vec![1, 2, 3], |n| n + 1), [2, 3, 4]);
        }
    }
}
