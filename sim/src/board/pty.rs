//! A terminal of the system's with a board at its other end.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use crate::error::SimError;

/// The terminal, until it is dropped.
pub struct Pty {
    link: PathBuf,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// How long a board goes on by itself after a byte, before it waits for the next.
const AWAKE: Duration = Duration::from_millis(100);
/// The longest that it sleeps.
const NAP: Duration = Duration::from_millis(10);

impl Pty {
    /// Has a board at the other end of a terminal, which `link` leads to.
    ///
    /// # Errors
    /// S022 where the system gives no terminal, or `link` cannot be made.
    pub fn serve<B>(board: B, link: &Path) -> Result<Pty, SimError>
    where
        B: Read + Write + Send + 'static,
    {
        let fail = |source| SimError::Terminal { path: link.into(), source };
        let (near, far) = pair().map_err(fail)?;
        let name = ptsname(&near, vec![]).map_err(|error| fail(error.into()))?;
        let name = PathBuf::from(OsString::from_vec(name.into_bytes()));
        if link.symlink_metadata().is_ok_and(|data| data.is_symlink()) {
            // What a process that was killed left.
            std::fs::remove_file(link).map_err(fail)?;
        }
        symlink(name, link).map_err(fail)?;
        let ended = Arc::new(AtomicBool::new(false));
        let end = Arc::clone(&ended);
        let thread = thread::spawn(move || {
            // Held, so that the terminal outlives each of its users.
            let _far = far;
            let _ = carry(&near, board, &end);
        });
        Ok(Pty { link: link.into(), ended, thread: Some(thread) })
    }

    /// Whether the board broke, or the terminal.
    pub fn is_over(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        let _ = std::fs::remove_file(&self.link);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Both ends of a terminal that changes no byte.
fn pair() -> io::Result<(File, File)> {
    let near = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    grantpt(&near)?;
    unlockpt(&near)?;
    let name = ptsname(&near, vec![])?;
    let far = OsString::from_vec(name.into_bytes());
    let far = File::options().read(true).write(true).open(far)?;
    let mut raw = tcgetattr(&far)?;
    raw.make_raw();
    tcsetattr(&far, OptionalActions::Now, &raw)?;
    Ok((File::from(near), far))
}

fn carry<B: Read + Write>(near: &File, mut board: B, end: &AtomicBool) -> io::Result<()> {
    let (mut bytes, mut last) = ([0; 4096], Instant::now());
    let mut line = near;
    while !end.load(Ordering::Relaxed) {
        let nap = if last.elapsed() < AWAKE { Duration::ZERO } else { NAP };
        let nap = Timespec::try_from(nap).ok();
        let mut ready = [PollFd::new(near, PollFlags::IN)];
        if poll(&mut ready, nap.as_ref())? > 0 {
            let count = line.read(&mut bytes)?;
            board.write_all(&bytes[..count])?;
            last = Instant::now();
        }
        match board.read(&mut bytes) {
            Ok(count) => {
                line.write_all(&bytes[..count])?;
                last = Instant::now();
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
