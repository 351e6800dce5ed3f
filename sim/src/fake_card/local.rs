//! The nodes of a fake card in this process: no file, no system call.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use sterna_xdma::{Access, Node, Window};

use super::{End, FakeCard, NODES, NodeKind, Shared, errno, error};

/// Where the nodes of a [`FakeCard`] are. Its registers can be mapped.
#[derive(Clone)]
pub struct Local {
    card: FakeCard,
}

impl Local {
    pub(super) fn new(card: FakeCard) -> Local {
        Local { card }
    }
}

impl Access for Local {
    fn names(&self) -> io::Result<Vec<OsString>> {
        let index = self.card.shared.index;
        Ok(NODES.iter().map(|(suffix, _)| format!("xdma{index}_{suffix}").into()).collect())
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn Node>> {
        let shared = Arc::clone(&self.card.shared);
        let suffix = name.strip_prefix(&format!("xdma{}_", shared.index));
        let node = NODES.iter().find(|(node, _)| Some(*node) == suffix);
        let &(_, kind) = node.ok_or(io::ErrorKind::NotFound)?;
        shared.open(kind)?;
        Ok(Arc::new(Open { shared, kind, locks: AtomicBool::new(false) }))
    }

    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from("/fake").join(name)
    }
}

struct Open {
    shared: Arc<Shared>,
    kind: NodeKind,
    locks: AtomicBool,
}

fn finish(end: End) -> io::Result<usize> {
    match end {
        End::Now(result) => result,
        End::Late(time) => {
            thread::sleep(time);
            Err(error(errno::EIO))
        }
    }
}

impl Node for Open {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        if self.kind != NodeKind::Events {
            return finish(self.shared.read(self.kind, offset, bytes));
        }
        self.shared.begin_event()?;
        while !self.shared.events.wait(Duration::from_secs(1)) {}
        let count = self.shared.events.take().to_le_bytes();
        let length = bytes.len().min(count.len());
        bytes[..length].copy_from_slice(&count[..length]);
        Ok(length)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        finish(self.shared.write(self.kind, offset, bytes))
    }

    fn ready(&self, timeout: Duration) -> io::Result<bool> {
        Ok(self.kind != NodeKind::Events || self.shared.events.wait(timeout))
    }

    fn map(&self, _: usize) -> io::Result<Box<dyn Window>> {
        match self.kind {
            NodeKind::User => Ok(Box::new(Mapped(Arc::clone(&self.shared)))),
            _ => Err(error(errno::ENODEV)),
        }
    }

    fn lock(&self) -> io::Result<bool> {
        let free = !self.shared.locked.swap(true, Ordering::SeqCst);
        self.locks.fetch_or(free, Ordering::SeqCst);
        Ok(free)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if self.locks.load(Ordering::SeqCst) {
            self.shared.locked.store(false, Ordering::SeqCst);
        }
        self.shared.close();
    }
}

/// Registers as a bus shows them: what fails reads as ones, and nobody hears of a write.
struct Mapped(Arc<Shared>);

impl Window for Mapped {
    fn read(&self, offset: u32) -> u32 {
        let mut bytes = [0; 4];
        match self.0.read_user(offset.into(), &mut bytes, false) {
            Ok(_) => u32::from_le_bytes(bytes),
            Err(_) => u32::MAX,
        }
    }

    fn write(&self, offset: u32, value: u32) {
        let _ = self.0.write_user(offset.into(), &value.to_le_bytes(), false);
    }
}
