//! A team of threads that share the parts of a job.
//!
//! A pass has a hundred jobs of some tens of microseconds each, one behind the other: too many to
//! start threads for, or to wake sleeping ones. So members look for the next job for a while
//! before they sleep.

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
    /// What is to be done. Written only while `busy` is 0, read only by members that are busy.
    job: UnsafeCell<Option<Job>>,
    /// Counts the jobs; a member that sees a new number is busy.
    number: AtomicUsize,
    /// Members that have not yet finished the job.
    busy: AtomicUsize,
    /// Members that sleep, or are about to.
    asleep: AtomicUsize,
    gate: Mutex<()>,
    bell: Condvar,
    stop: AtomicBool,
    /// What a member panicked with.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

/// A closure that [`Others::run`] borrows until every member is done with it.
#[derive(Clone, Copy)]
struct Job(*const (dyn Fn() + Sync));

// SAFETY: `job` is the only field that is not shared safely by itself. `Others::run` writes it
// while no member is busy, and what it points to is `Sync`.
unsafe impl Sync for Shared {}
// SAFETY: as above.
unsafe impl Send for Shared {}

impl Team {
    /// A team of so many threads, the caller's among them; at least one.
    pub fn new(size: usize) -> Team {
        Team { size: size.max(1), others: None }
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
            number: AtomicUsize::new(0),
            busy: AtomicUsize::new(0),
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

    /// Has every thread call `job` once, this one too, and waits for all.
    fn run(&mut self, job: &(dyn Fn() + Sync)) {
        let shared = &*self.shared;
        // SAFETY: of the pointer's lifetime: `run` returns only after every member has said that
        // it is done, and none looks at the job again. Of the write: no member is busy.
        unsafe {
            let job = std::mem::transmute::<&(dyn Fn() + Sync), &'static (dyn Fn() + Sync)>(job);
            *shared.job.get() = Some(Job(job));
        }
        shared.busy.store(self.handles.len(), Ordering::Relaxed);
        shared.announce();
        let own = catch_unwind(AssertUnwindSafe(job));
        let mut looks = 0;
        while shared.busy.load(Ordering::Acquire) > 0 {
            look(&mut looks);
        }
        let theirs = shared.panic.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(panic) = own.err().or(theirs) {
            resume_unwind(panic);
        }
    }
}

impl Shared {
    /// Counts a new job, and wakes who sleeps.
    fn announce(&self) {
        self.number.fetch_add(1, Ordering::SeqCst);
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
            seen = self.wait(seen);
            if self.stop.load(Ordering::Acquire) {
                return;
            }
            // SAFETY: a new number says that `run` has written the job, and `run` waits for this
            // member before it returns or writes again.
            let job = unsafe { (*self.job.get()).map(|Job(job)| &*job) };
            if let Some(Err(panic)) = job.map(|job| catch_unwind(AssertUnwindSafe(job))) {
                *self.panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic);
            }
            self.busy.fetch_sub(1, Ordering::Release);
        }
    }

    /// Waits for a job after number `seen`: awake for a while, then asleep.
    fn wait(&self, seen: usize) -> usize {
        let mut looks = 0;
        while looks < LOOKS {
            let number = self.number.load(Ordering::Acquire);
            if number != seen {
                return number;
            }
            look(&mut looks);
        }
        let mut gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        self.asleep.fetch_add(1, Ordering::SeqCst);
        while self.number.load(Ordering::SeqCst) == seen {
            gate = self.bell.wait(gate).unwrap_or_else(PoisonError::into_inner);
        }
        self.asleep.fetch_sub(1, Ordering::SeqCst);
        self.number.load(Ordering::SeqCst)
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
        self.shared.announce();
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
            team.map(vec![(); 3], |()| barrier.wait().is_leader());
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
