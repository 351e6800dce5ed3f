//! A thread for each DMA channel, so that one that hangs does not take the caller with it.

use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::access::Node;
use crate::dma::Shared;
use crate::error::{Action, Result, XdmaError, errno};
use crate::raw::Buffer;

/// The bytes of a piece.
pub(crate) enum Data {
    /// To be filled.
    Read(Buffer),
    /// To be written.
    Write(Buffer),
    /// To be written from where they are.
    Shared(Shared, Range<usize>),
}

impl Data {
    pub fn len(&self) -> usize {
        match self {
            Data::Read(buffer) | Data::Write(buffer) => buffer.len(),
            Data::Shared(_, range) => range.len(),
        }
    }

    pub fn action(&self) -> Action {
        if matches!(self, Data::Read(_)) { Action::Read } else { Action::Write }
    }
}

/// A piece of a transfer.
pub(crate) struct Piece {
    /// Which piece it is.
    pub number: usize,
    /// Card address.
    pub at: u64,
    pub data: Data,
}

/// A piece that was carried, or not.
pub(crate) struct Done {
    /// Number of the engine.
    pub engine: usize,
    pub piece: Piece,
    pub result: Result<()>,
}

/// A channel with its thread.
pub(crate) struct Engine {
    jobs: Sender<(Piece, Sender<Done>)>,
    path: PathBuf,
}

impl Engine {
    /// Starts the thread. It ends when the engine is dropped and its last piece is carried.
    ///
    /// `retries` counts the pieces that were tried again.
    pub fn start(
        number: usize,
        node: Arc<dyn Node>,
        path: PathBuf,
        retries: Arc<AtomicU64>,
    ) -> Engine {
        let (jobs, queue) = channel();
        let channel = Channel { number, node, path: path.clone(), retries };
        thread::Builder::new()
            .name(format!("dma-{number}"))
            .spawn(move || channel.work(&queue))
            .expect("the system has room for a thread");
        Engine { jobs, path }
    }

    pub fn path(&self) -> &PathBuf {
        &self.path
    }

    /// Hands over a piece; what becomes of it arrives at `reply`.
    pub fn carry(&self, piece: Piece, reply: &Sender<Done>) {
        self.jobs.send((piece, reply.clone())).expect("the thread lives as long as its queue");
    }
}

/// How long a thread looks for what may come at once before it sleeps: to be woken takes as long.
const LOOK: Duration = Duration::from_micros(20);

/// Receives what comes, soon or before a limit; `None` if nothing does, or nobody sends any more.
pub(crate) fn receive<T>(from: &Receiver<T>, limit: Duration) -> Option<T> {
    let begin = Instant::now();
    while begin.elapsed() < LOOK.min(limit) {
        match from.try_recv() {
            Ok(value) => return Some(value),
            Err(TryRecvError::Empty) => thread::yield_now(),
            Err(TryRecvError::Disconnected) => return None,
        }
    }
    from.recv_timeout(limit.saturating_sub(begin.elapsed())).ok()
}

struct Channel {
    number: usize,
    node: Arc<dyn Node>,
    path: PathBuf,
    retries: Arc<AtomicU64>,
}

/// Times that a piece is tried again. The memory on the card does not mind being written twice.
const RETRIES: u32 = 2;
/// Interruptions of one call before the driver counts as one that only interrupts.
const INTERRUPTIONS: u32 = 1000;

impl Channel {
    fn work(&self, queue: &Receiver<(Piece, Sender<Done>)>) {
        while let Some((mut piece, reply)) = receive(queue, Duration::MAX) {
            let result = self.carry(&mut piece);
            // Nobody waits any more for what came too late.
            let _ = reply.send(Done { engine: self.number, piece, result });
        }
    }

    fn carry(&self, piece: &mut Piece) -> Result<()> {
        let action = piece.data.action();
        let (length, offset) = (piece.data.len(), piece.at);
        let (mut done, mut retries, mut interruptions) = (0, 0, 0);
        while done < length {
            let at = offset + done as u64;
            let result = match &mut piece.data {
                Data::Read(buffer) => self.node.read_at(&mut buffer[done..], at),
                Data::Write(buffer) => self.node.write_at(&buffer[done..], at),
                Data::Shared(bytes, range) => {
                    self.node.write_at(&(**bytes).as_ref()[range.clone()][done..], at)
                }
            };
            let path = || self.path.clone();
            match result {
                Ok(0) => {
                    return Err(XdmaError::Short { path: path(), action, offset, length, done });
                }
                Ok(count) => {
                    // More than was asked for is all of it.
                    done = done.saturating_add(count);
                    interruptions = 0;
                }
                Err(error)
                    if error.kind() == io::ErrorKind::Interrupted
                        && interruptions < INTERRUPTIONS =>
                {
                    interruptions += 1;
                }
                Err(error) if XdmaError::is_loss(&error) => {
                    let how = "the driver has no device behind this node";
                    return Err(XdmaError::Gone { path: path(), how });
                }
                Err(error) if retries < RETRIES && passing(&error) => {
                    retries += 1;
                    self.retries.fetch_add(1, Ordering::Relaxed);
                }
                Err(source) => {
                    return Err(XdmaError::Io {
                        path: path(),
                        action,
                        offset,
                        length,
                        done,
                        source,
                    });
                }
            }
        }
        Ok(())
    }
}

/// Whether an error may not be there the next time.
fn passing(error: &io::Error) -> bool {
    use errno::*;
    matches!(error.raw_os_error(), Some(EIO | EAGAIN | ETIMEDOUT | ERESTARTSYS))
}
