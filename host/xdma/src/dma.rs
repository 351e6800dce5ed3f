//! A transfer: pieces over all channels of a direction, until a deadline.

use std::io::ErrorKind;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::time::Instant;

use crate::access::{Access, Node};
use crate::engine::{Data, Done, Engine, Piece, receive};
use crate::error::{Action, Result, XdmaError};
use crate::limits::Limits;
use crate::raw::{Buffer, PAGE};

/// Bytes that are written from where they are, without a copy, as they outlive any transfer.
pub type Shared = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// Bytes of a piece; its last address is a multiple of it.
const PIECE: usize = 1 << 20;
/// Pieces that an engine has at a time: one in hand, one in its queue.
const QUEUE: usize = 2;

/// The channels of one direction.
pub(crate) struct Dma {
    access: Arc<dyn Access>,
    /// Names of the nodes.
    names: Vec<String>,
    action: Action,
    /// Those that are open.
    engines: Vec<Option<Engine>>,
    /// Those that transfers use, by place in `names`.
    used: Range<usize>,
    spare: Vec<Buffer>,
    /// Pieces that were tried again.
    retries: Arc<AtomicU64>,
}

impl Dma {
    pub fn new(access: Arc<dyn Access>, names: Vec<String>, action: Action) -> Dma {
        let engines = names.iter().map(|_| None).collect();
        let used = 0..names.len();
        Dma { access, names, action, engines, used, spare: vec![], retries: Arc::default() }
    }

    /// Has transfers use one channel, by place, or all of them.
    pub fn restrict(&mut self, channel: Option<usize>) {
        let all = 0..self.names.len();
        self.used = channel.filter(|n| all.contains(n)).map_or(all, |n| n..n + 1);
    }

    /// How often a piece was tried again, since this was made.
    pub fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    /// Opens the first channel, so that what is wrong with it is known early.
    pub fn open(&mut self) -> Result<()> {
        self.engine(0).map(|_| ())
    }

    /// Forgets every open node.
    pub fn close(&mut self) {
        self.engines.iter_mut().for_each(|engine| *engine = None);
    }

    fn engine(&mut self, n: usize) -> Result<&Engine> {
        let name = &self.names[n];
        let engine = match self.engines[n].take() {
            Some(engine) => engine,
            None => {
                let node = open(&*self.access, name)?;
                Engine::start(n, node, self.access.path(name), Arc::clone(&self.retries))
            }
        };
        Ok(self.engines[n].insert(engine))
    }

    fn buffer(&mut self, length: usize) -> Buffer {
        match self.spare.pop() {
            Some(mut buffer) if buffer.capacity() >= length => {
                buffer.resize(length);
                buffer
            }
            _ => Buffer::new(length),
        }
    }

    fn keep(&mut self, buffer: Buffer) {
        if self.spare.len() < QUEUE * self.names.len() {
            self.spare.push(buffer);
        }
    }

    /// Reads the card's memory.
    pub fn read(&mut self, at: u64, bytes: &mut [u8], limits: &Limits) -> Result<()> {
        let parts = parts(at, bytes.len());
        let make = |dma: &mut Dma, part: &Range<usize>| Data::Read(dma.buffer(part.len()));
        self.transfer(at, parts, limits, make, &mut |part, data| {
            if let Data::Read(buffer) = data {
                bytes[part].copy_from_slice(buffer);
            }
        })
    }

    /// Writes the card's memory.
    pub fn write(&mut self, at: u64, bytes: &[u8], limits: &Limits) -> Result<()> {
        let parts = parts(at, bytes.len());
        let make = |dma: &mut Dma, part: &Range<usize>| {
            let mut buffer = dma.buffer(part.len());
            buffer.copy_from_slice(&bytes[part.clone()]);
            Data::Write(buffer)
        };
        self.transfer(at, parts, limits, make, &mut |_, _| ())
    }

    /// Writes part of `bytes` to the card's memory, without a copy where its pages allow that.
    pub fn write_shared(
        &mut self,
        at: u64,
        bytes: &Shared,
        range: Range<usize>,
        limits: &Limits,
    ) -> Result<()> {
        let slice = &(**bytes).as_ref()[range.clone()];
        // Pieces end at round card addresses: they begin at pages if the first does.
        let place = slice.as_ptr() as usize;
        if place % PAGE != at as usize % PAGE {
            return self.write(at, slice, limits);
        }
        let parts = parts(at, slice.len());
        let make = |_: &mut Dma, part: &Range<usize>| {
            Data::Shared(Arc::clone(bytes), range.start + part.start..range.start + part.end)
        };
        self.transfer(at, parts, limits, make, &mut |_, _| ())
    }

    /// Deals pieces to the engines, and takes them back, until all are done or the time is over.
    fn transfer(
        &mut self,
        at: u64,
        parts: Vec<Range<usize>>,
        limits: &Limits,
        make: impl Fn(&mut Dma, &Range<usize>) -> Data,
        take: &mut dyn FnMut(Range<usize>, &Data),
    ) -> Result<()> {
        let length = parts.last().map_or(0, |part| part.end);
        let (begin, limit) = (Instant::now(), limits.of(length as u64));
        let (reply, replies) = channel();
        // Pieces that each engine has, and the number of the next one.
        let mut inside = vec![0; self.names.len()];
        let used: Vec<usize> = self.used.clone().take(parts.len()).collect();
        let mut next = 0;
        let mut give = |dma: &mut Dma, n: usize| -> Result<usize> {
            let Some(part) = parts.get(next) else { return Ok(0) };
            dma.engine(n)?;
            let data = make(dma, part);
            let piece = Piece { number: next, at: at + part.start as u64, data };
            dma.engine(n)?.carry(piece, &reply);
            next += 1;
            Ok(1)
        };
        let mut failed = None;
        for &n in used.iter().cycle().take(QUEUE * used.len()) {
            match give(self, n) {
                Ok(given) => inside[n] += given,
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        while inside.iter().any(|&pieces| pieces > 0) {
            let left = limit.saturating_sub(begin.elapsed());
            let Some(Done { engine, piece, result }) = receive(&replies, left) else {
                let path = self.abandon(&inside).expect("one that has pieces is open");
                let action = self.action;
                let error = XdmaError::Deadline { path, action, offset: at, length, limit };
                return Err(failed.unwrap_or(error));
            };
            inside[engine] -= 1;
            if result.is_ok() {
                take(parts[piece.number].clone(), &piece.data);
            }
            if let Data::Read(buffer) | Data::Write(buffer) = piece.data {
                self.keep(buffer);
            }
            let more = match (&failed, result) {
                (None, Ok(())) => give(self, engine),
                (None, Err(error)) => Err(error),
                (Some(_), _) => Ok(0),
            };
            match more {
                Ok(given) => inside[engine] += given,
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            None => Ok(()),
            Some(error) => {
                if matches!(error, XdmaError::Gone { .. }) {
                    self.close();
                }
                Err(error)
            }
        }
    }

    /// Leaves engines that have pieces to themselves; says which was the first.
    fn abandon(&mut self, inside: &[usize]) -> Option<PathBuf> {
        let mut first = None;
        for (engine, _) in self.engines.iter_mut().zip(inside).filter(|(_, pieces)| **pieces > 0) {
            let path = engine.take().map(|engine| engine.path().clone());
            first = first.or(path);
        }
        first
    }
}

/// A stretch at a card address in pieces that end at round addresses.
fn parts(at: u64, length: usize) -> Vec<Range<usize>> {
    let mut parts = Vec::with_capacity(length / PIECE + 2);
    let mut start = 0;
    while start < length {
        let room = PIECE - (at as usize).wrapping_add(start) % PIECE;
        let end = length.min(start + room);
        parts.push(start..end);
        start = end;
    }
    parts
}

/// Opens a node, with what can be wrong with it told apart.
pub(crate) fn open(access: &dyn Access, name: &str) -> Result<Arc<dyn Node>> {
    access.open(name).map_err(|source| {
        let path = access.path(name);
        match source.kind() {
            ErrorKind::NotFound => XdmaError::Missing { path },
            ErrorKind::PermissionDenied => XdmaError::Denied { path },
            _ if XdmaError::is_loss(&source) => {
                XdmaError::Gone { path, how: "the driver has no device behind this node" }
            }
            _ => XdmaError::Open { path, source },
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Files;

    #[test]
    fn pieces_end_at_round_addresses() {
        assert_eq!(parts(7, 0), []);
        assert_eq!(parts(7, 5), vec![0..5; 1]);
        let piece = PIECE as u64;
        assert_eq!(parts(piece - 10, 20), [0..10, 10..20]);
        assert_eq!(
            parts(3 * piece, 2 * PIECE + 1),
            [0..PIECE, PIECE..2 * PIECE, 2 * PIECE..2 * PIECE + 1]
        );
    }

    fn plain(directory: &std::path::Path) -> Dma {
        let names: Vec<String> = (0..3).map(|n| format!("xdma0_h2c_{n}")).collect();
        for name in &names {
            std::fs::write(directory.join(name), []).unwrap();
        }
        Dma::new(Arc::new(Files::new(directory)), names, Action::Write)
    }

    #[test]
    fn buffers_are_used_again_and_not_hoarded() {
        let directory = tempfile::tempdir().unwrap();
        let mut dma = plain(directory.path());
        dma.keep(Buffer::new(3 * PAGE));
        let buffer = dma.buffer(5);
        assert_eq!((buffer.len(), buffer.capacity()), (5, 3 * PAGE));
        dma.keep(buffer);
        let buffer = dma.buffer(3 * PAGE + 1);
        assert_eq!(buffer.len(), 3 * PAGE + 1);
        for _ in 0..9 {
            dma.keep(Buffer::new(1));
        }
        assert_eq!(dma.spare.len(), 6, "two for each of three");
    }

    #[test]
    fn a_channel_has_two_pieces_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        for (used, pieces) in [(Some(1), 2), (None, 6)] {
            let mut dma = plain(directory.path());
            dma.restrict(used);
            dma.write(0, &vec![1; 9 * PIECE], &Limits::default()).unwrap();
            assert_eq!(dma.spare.len(), pieces);
        }
    }
}
