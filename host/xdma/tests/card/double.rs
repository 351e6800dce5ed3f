//! The nodes of a card in this process, with trouble on demand.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sterna_xdma::{Access, Node, Window};

/// What a node does instead of its work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Trouble {
    /// Half of it.
    Half,
    /// Nothing, which is no error.
    Nothing,
    /// An error.
    Errno(i32),
    /// It does not return for long.
    Hang,
    /// Reads are ones.
    Ones,
    /// It cannot be locked.
    Lock,
}

/// The card; a clone is the same one.
#[derive(Clone)]
pub struct Double(Arc<State>);

pub struct State {
    memory: Mutex<Vec<u8>>,
    registers: Mutex<Vec<u8>>,
    interrupt: AtomicBool,
    /// How often it was plugged in: nodes of an earlier time lead nowhere.
    plugged: AtomicU32,
    /// Where the bytes of each write lay in this process.
    sources: Mutex<Vec<usize>>,
    /// What, at nodes of which name, how often.
    trouble: Mutex<Option<(Trouble, String, u32)>>,
}

const NAMES: [&str; 9] =
    ["h2c_0", "h2c_1", "h2c_2", "h2c_3", "c2h_0", "c2h_1", "user", "control", "events_0"];

impl Double {
    pub fn new(bytes: usize) -> Double {
        Double(Arc::new(State {
            memory: Mutex::new(vec![0; bytes]),
            registers: Mutex::new(vec![0; 4096]),
            interrupt: AtomicBool::new(false),
            plugged: AtomicU32::new(0),
            sources: Mutex::new(vec![]),
            trouble: Mutex::new(None),
        }))
    }

    pub fn trouble(&self, trouble: Trouble, node: &str, times: u32) {
        *self.0.trouble.lock().unwrap() = Some((trouble, node.into(), times));
    }

    pub fn heal(&self) {
        *self.0.trouble.lock().unwrap() = None;
    }

    /// Where the bytes of each write since the last time lay.
    pub fn sources(&self) -> Vec<usize> {
        std::mem::take(&mut *self.0.sources.lock().unwrap())
    }

    pub fn interrupt(&self) {
        self.0.interrupt.store(true, Ordering::SeqCst);
    }

    /// The card leaves, and is there again under the same names.
    pub fn replug(&self) {
        self.0.plugged.fetch_add(1, Ordering::SeqCst);
    }

    fn meet(&self, node: &str) -> io::Result<Option<Trouble>> {
        let mut slot = self.0.trouble.lock().unwrap();
        let Some((trouble, name, times)) = &mut *slot else { return Ok(None) };
        if !node.starts_with(name.as_str()) || *times == 0 {
            return Ok(None);
        }
        *times -= 1;
        match *trouble {
            Trouble::Errno(errno) => Err(io::Error::from_raw_os_error(errno)),
            other => Ok(Some(other)),
        }
    }
}

struct Open {
    double: Double,
    name: String,
    /// When it was opened.
    plugged: u32,
}

impl Open {
    fn meet(&self) -> io::Result<Option<Trouble>> {
        if self.plugged != self.double.0.plugged.load(Ordering::SeqCst) {
            return Err(io::Error::from_raw_os_error(19));
        }
        self.double.meet(&self.name)
    }
}

/// Whether a call goes on, and with how many bytes.
fn share(trouble: Option<Trouble>, length: usize) -> usize {
    match trouble {
        Some(Trouble::Half) => length.div_ceil(2).max(length.min(2)),
        Some(Trouble::Nothing) => 0,
        Some(Trouble::Hang) => {
            std::thread::sleep(Duration::from_millis(1500));
            length
        }
        _ => length,
    }
}

impl Node for Open {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        let trouble = self.meet()?;
        let length = share(trouble, bytes.len());
        if self.name.starts_with("events") {
            self.double.0.interrupt.store(false, Ordering::SeqCst);
            return Ok(length);
        }
        let user = self.name == "user";
        let from = if user { &self.double.0.registers } else { &self.double.0.memory };
        bytes[..length].copy_from_slice(&from.lock().unwrap()[offset as usize..][..length]);
        if trouble == Some(Trouble::Ones) {
            bytes.fill(0xff);
        }
        Ok(if user && trouble == Some(Trouble::Half) { 2 } else { length })
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.double.0.sources.lock().unwrap().push(bytes.as_ptr() as usize);
        let length = share(self.meet()?, bytes.len());
        let user = self.name == "user";
        let to = if user { &self.double.0.registers } else { &self.double.0.memory };
        to.lock().unwrap()[offset as usize..][..length].copy_from_slice(&bytes[..length]);
        Ok(length)
    }

    fn ready(&self, timeout: Duration) -> io::Result<bool> {
        if !self.double.0.interrupt.load(Ordering::SeqCst)
            && self.double.0.trouble.lock().unwrap().is_none()
        {
            std::thread::sleep(timeout);
        }
        Ok(self.double.0.interrupt.load(Ordering::SeqCst)
            || self.double.0.trouble.lock().unwrap().is_some())
    }

    fn map(&self, _: usize) -> io::Result<Box<dyn Window>> {
        Err(io::Error::from_raw_os_error(19))
    }

    fn lock(&self) -> io::Result<bool> {
        match self.meet()? {
            Some(Trouble::Lock) => Err(io::Error::from_raw_os_error(38)),
            _ => Ok(true),
        }
    }
}

impl Access for Double {
    fn names(&self) -> io::Result<Vec<OsString>> {
        Ok(NAMES.iter().map(|name| format!("xdma0_{name}").into()).collect())
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn Node>> {
        let name = name.trim_start_matches("xdma0_").to_string();
        // A lock is tried on a node that could be opened.
        let lock = matches!(*self.0.trouble.lock().unwrap(), Some((Trouble::Lock, ..)));
        if !lock {
            self.meet(&name)?;
        }
        let plugged = self.0.plugged.load(Ordering::SeqCst);
        Ok(Arc::new(Open { double: self.clone(), name, plugged }))
    }

    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from("/double").join(name)
    }
}
