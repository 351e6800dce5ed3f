//! The nodes of a fake card as files, through FUSE.
//!
//! Every file bypasses the page cache: what a program reads and writes arrives as it was asked,
//! at the offset that it named. Such files cannot be mapped for sharing, as ENODEV says, and
//! `poll` works. Error 512 cannot pass the kernel's FUSE and becomes EINTR. A process that is killed
//! while a transfer of its hangs is gone when that is over: FUSE waits for the answer.

use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use fuser::{
    BackgroundSession, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags,
    Generation, INodeNo, KernelConfig, LockOwner, MountOption, OpenFlags, PollEvents, PollFlags,
    PollNotifier, ReplyAttr, ReplyData, ReplyDirectory, ReplyEmpty, ReplyEntry, ReplyOpen,
    ReplyPoll, ReplyWrite, Request, WriteFlags,
};
use rustix::mount::{UnmountFlags, unmount};

use super::{End, FakeCard, NODES, NodeKind, Shared, errno};
use crate::error::SimError;

/// A card whose nodes are files, until it is dropped.
pub struct Mounted {
    session: BackgroundSession,
    path: PathBuf,
}

/// Threads that serve requests: a transfer on each channel, and registers meanwhile.
const THREADS: usize = 5;
/// How long the kernel believes what it was told of a file.
const TTL: Duration = Duration::from_secs(1);

impl Mounted {
    /// Shows the nodes of a card in an empty directory.
    ///
    /// # Errors
    /// S020 where there is no FUSE, no permission, or no directory.
    pub fn new(card: &FakeCard, path: &Path) -> Result<Mounted, SimError> {
        let fail = |source| SimError::Mount { path: path.into(), source };
        // What a process that was killed left: nothing answers there.
        if path.metadata().is_err_and(|error| error.raw_os_error() == Some(errno::ENOTCONN)) {
            unmount(path, UnmountFlags::DETACH).map_err(|error| fail(error.into()))?;
        }
        let metadata = path.metadata().map_err(fail)?;
        let owner = (metadata.uid(), metadata.gid());
        let mut config = Config::default();
        config.mount_options =
            vec![MountOption::FSName("sterna-fake-card".into()), MountOption::NoAtime];
        config.n_threads = Some(THREADS);
        config.clone_fd = true;
        let files = Files { shared: Arc::clone(&card.shared), owner };
        let session = fuser::spawn_mount(files, path, &config).map_err(fail)?;
        Ok(Mounted { session, path: path.into() })
    }

    /// Whether somebody unmounted it.
    pub fn is_over(&self) -> bool {
        self.session.guard.is_finished()
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Programs that have a file open keep it; nobody opens another.
        if !self.is_over() {
            let _ = unmount(&self.path, UnmountFlags::DETACH);
        }
    }
}

struct Files {
    shared: Arc<Shared>,
    owner: (u32, u32),
}

/// What a DMA node is longer than at any address.
const LENGTH: u64 = 1 << 62;
/// Inode of the first node; the root is 1.
const FIRST: u64 = 2;

impl Files {
    fn attributes(&self, inode: u64) -> FileAttr {
        let root = inode == 1;
        // A write that makes a file longer shuts out every other one until it is over: nobody
        // could use the card while one hangs.
        let dma = matches!(node(INodeNo(inode)), Some(NodeKind::H2c | NodeKind::C2h));
        let time = SystemTime::UNIX_EPOCH;
        FileAttr {
            ino: INodeNo(inode),
            size: if dma { LENGTH } else { 0 },
            blocks: 0,
            atime: time,
            mtime: time,
            ctime: time,
            crtime: time,
            kind: if root { FileType::Directory } else { FileType::RegularFile },
            perm: if root { 0o755 } else { 0o600 },
            nlink: 1,
            uid: self.owner.0,
            gid: self.owner.1,
            rdev: 0,
            blksize: 4096,
            flags: 0,
        }
    }

    fn name(&self, suffix: &str) -> String {
        format!("xdma{}_{suffix}", self.shared.index)
    }
}

fn node(inode: INodeNo) -> Option<NodeKind> {
    let n = inode.0.checked_sub(FIRST)?;
    NODES.get(n as usize).map(|(_, kind)| *kind)
}

/// An error as FUSE can pass it on.
fn errno_of(error: &io::Error) -> Errno {
    match error.raw_os_error() {
        Some(errno::ERESTARTSYS) => Errno::from_i32(errno::EINTR),
        Some(number) => Errno::from_i32(number),
        None => Errno::EIO,
    }
}

/// Has something done after some time, while others go on.
fn later(time: Duration, what: impl FnOnce() + Send + 'static) {
    thread::spawn(move || {
        thread::sleep(time);
        what();
    });
}

impl Filesystem for Files {
    fn init(&mut self, _: &Request, config: &mut KernelConfig) -> io::Result<()> {
        // As many bytes at a time as the kernel allows, which may be fewer.
        let _ = config.set_max_write(1 << 20);
        Ok(())
    }

    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let place = NODES.iter().position(|(suffix, _)| self.name(suffix).as_str() == name);
        match place {
            Some(n) if parent == INodeNo::ROOT => {
                reply.entry(&TTL, &self.attributes(FIRST + n as u64), Generation(0));
            }
            _ => reply.error(Errno::ENOENT),
        }
    }

    fn getattr(&self, _: &Request, inode: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        reply.attr(&TTL, &self.attributes(inode.0));
    }

    fn readdir(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        for (n, (suffix, _)) in NODES.iter().enumerate().skip(offset as usize) {
            let inode = INodeNo(FIRST + n as u64);
            if reply.add(inode, n as u64 + 1, FileType::RegularFile, self.name(suffix)) {
                break;
            }
        }
        reply.ok();
    }

    fn open(&self, _: &Request, inode: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        let Some(kind) = node(inode) else { return reply.error(Errno::EISDIR) };
        match self.shared.open(kind) {
            Ok(()) => {
                let flags = FopenFlags::FOPEN_DIRECT_IO | FopenFlags::FOPEN_PARALLEL_DIRECT_WRITES;
                reply.opened(FileHandle(0), flags);
            }
            Err(error) => reply.error(errno_of(&error)),
        }
    }

    fn release(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        _: OpenFlags,
        _: Option<LockOwner>,
        _: bool,
        reply: ReplyEmpty,
    ) {
        self.shared.close();
        reply.ok();
    }

    fn read(
        &self,
        _: &Request,
        inode: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let Some(kind) = node(inode) else { return reply.error(Errno::EISDIR) };
        if kind == NodeKind::Events {
            if let Err(error) = self.shared.begin_event() {
                return reply.error(errno_of(&error));
            }
            let events = Arc::clone(&self.shared.events);
            let count = Arc::clone(&events);
            return events.when(Box::new(move || reply.data(&count.take().to_le_bytes())));
        }
        let mut bytes = vec![0; size as usize];
        match self.shared.read(kind, offset, &mut bytes) {
            End::Now(Ok(length)) => reply.data(&bytes[..length]),
            End::Now(Err(error)) => reply.error(errno_of(&error)),
            End::Late(time) => later(time, move || reply.error(Errno::EIO)),
        }
    }

    fn write(
        &self,
        _: &Request,
        inode: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let Some(kind) = node(inode) else { return reply.error(Errno::EISDIR) };
        match self.shared.write(kind, offset, data) {
            End::Now(Ok(length)) => reply.written(length as u32),
            End::Now(Err(error)) => reply.error(errno_of(&error)),
            End::Late(time) => later(time, move || reply.error(Errno::EIO)),
        }
    }

    fn poll(
        &self,
        _: &Request,
        inode: INodeNo,
        _: FileHandle,
        notifier: PollNotifier,
        _: PollEvents,
        flags: PollFlags,
        reply: ReplyPoll,
    ) {
        let ready = node(inode) != Some(NodeKind::Events) || self.shared.events.pending();
        if !ready && flags.contains(PollFlags::FUSE_POLL_SCHEDULE_NOTIFY) {
            // Nobody may be waiting any more.
            self.shared.events.when(Box::new(move || drop(notifier.notify())));
        }
        reply.poll(if ready { PollEvents::POLLIN } else { PollEvents::empty() });
    }
}
