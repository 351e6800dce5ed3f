//! The host's side of a serial line.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use super::LinkError;
use super::protocol::{
    CRC, Decoder, Hello, Operation, PAYLOAD, PING, REPLY, Request, Status, UNIT, VERSION,
};
use crate::driver::Transport;

/// How a line is used.
pub struct SerialSettings {
    /// Bits a second, for deadlines.
    pub baud: u32,
    /// How long a reply may be late, beside the time that its bytes take.
    pub patience: Duration,
    /// How often a request is sent before the link gives up.
    pub tries: u32,
    /// How long the core may take for a command, beside the time that its memory takes.
    pub command: Duration,
    /// Time since some moment; of a simulated line the simulated time.
    pub clock: Box<dyn FnMut() -> Duration + Send>,
}

impl Default for SerialSettings {
    fn default() -> SerialSettings {
        let start = Instant::now();
        SerialSettings {
            baud: 3_000_000,
            patience: Duration::from_millis(200),
            tries: 5,
            command: Duration::from_secs(2),
            clock: Box::new(move || start.elapsed()),
        }
    }
}

/// What a link has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes to the line, and from it.
    pub sent: u64,
    /// Bytes from the line.
    pub heard: u64,
    /// Requests that were sent again.
    pub repeated: u64,
}

/// Registers and memory of a board behind a stream of bytes.
///
/// A request that is not answered in time, or whose answer is damaged, is sent again with the same
/// number; the board does not write a register twice for it. The stream's `read` has to come back
/// soon, with [`ErrorKind::WouldBlock`] or [`ErrorKind::TimedOut`] where nothing has come.
pub struct SerialLink<S> {
    stream: S,
    settings: SerialSettings,
    decoder: Decoder,
    /// Bytes that came and were not looked at.
    pending: VecDeque<u8>,
    sequence: u8,
    memory: u64,
    traffic: Traffic,
    /// When the core was given something to do, and how long it may take.
    since: Duration,
    allowed: Duration,
}

/// Bytes a second that the core moves at the very least.
const CORE_RATE: f64 = 10e6;
/// Requests that are under way at once: while one is answered, the next is on the line.
const WINDOW: usize = 2;

/// Bytes of a transfer whose requests are made at once.
const BATCH: usize = 64 * PAYLOAD;

/// One of several requests.
struct Job {
    operation: Operation,
    address: u64,
    length: usize,
    payload: Vec<u8>,
}

impl Job {
    fn describe(&self) -> String {
        let Job { operation, address, length, .. } = self;
        match operation {
            Operation::Ping => "a ping".into(),
            Operation::ReadRegister => format!("a read of register {address:#05x}"),
            Operation::WriteRegister => format!("a write of register {address:#05x}"),
            Operation::ReadMemory => format!("a read of {length} bytes at {address:#x}"),
            Operation::WriteMemory => format!("a write of {length} bytes at {address:#x}"),
        }
    }

    /// Bytes that a good reply has between operation and status.
    fn expects(&self) -> usize {
        match self.operation {
            Operation::Ping => PING,
            Operation::ReadRegister | Operation::ReadMemory => self.length,
            Operation::WriteRegister | Operation::WriteMemory => 0,
        }
    }
}

/// A request under way.
struct Sent {
    job: usize,
    sequence: u8,
    line: Vec<u8>,
    tries: u32,
}

impl<S: Read + Write> SerialLink<S> {
    /// Takes a line and asks who is there.
    ///
    /// # Errors
    /// U003 where nobody answers, U004 and U005 where somebody else does.
    pub fn open(stream: S, settings: SerialSettings) -> Result<SerialLink<S>, LinkError> {
        let mut link = SerialLink {
            stream,
            settings,
            decoder: Decoder::default(),
            pending: VecDeque::new(),
            sequence: 0,
            memory: 0,
            traffic: Traffic::default(),
            since: Duration::ZERO,
            allowed: Duration::ZERO,
        };
        let ping = Job { operation: Operation::Ping, address: 0, length: 0, payload: vec![] };
        let reply = link.one(ping)?;
        let Some(hello) = Hello::decode(&reply) else {
            return Err(LinkError::Stranger { bytes: reply });
        };
        if hello.version != VERSION || usize::from(hello.payload) < PAYLOAD {
            return Err(LinkError::Version { board: hello.version, ours: VERSION });
        }
        link.memory = hello.memory;
        Ok(link)
    }

    /// What the link has seen so far.
    pub fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// The line itself.
    pub fn stream(&mut self) -> &mut S {
        &mut self.stream
    }

    fn one(&mut self, job: Job) -> Result<Vec<u8>, LinkError> {
        let mut payload = vec![];
        self.all(&[job], &mut |_, bytes| payload = bytes.to_vec())?;
        Ok(payload)
    }

    /// Sends requests, some ahead of the replies, and hands each reply's payload over.
    fn all(&mut self, jobs: &[Job], done: &mut dyn FnMut(usize, &[u8])) -> Result<(), LinkError> {
        let mut waiting: VecDeque<Sent> = VecDeque::new();
        let (mut next, heard) = (0, self.traffic.heard);
        let damaged = self.decoder.damaged();
        let mut deadline = Duration::ZERO;
        while next < jobs.len() || !waiting.is_empty() {
            while waiting.len() < WINDOW
                && let Some(job) = jobs.get(next)
            {
                let sequence = self.sequence;
                self.sequence = sequence.wrapping_add(1);
                let line = Request {
                    sequence,
                    operation: job.operation,
                    length: job.length as u16,
                    address: job.address,
                    payload: &job.payload,
                }
                .encode();
                self.send(&line)?;
                waiting.push_back(Sent { job: next, sequence, line, tries: 1 });
                next += 1;
                deadline = self.deadline(&waiting, jobs);
            }
            let frame = self.hear()?.unwrap_or_default();
            let at = waiting.iter().position(|sent| answers(&frame, sent, jobs));
            if let Some(sent) = at.and_then(|at| waiting.remove(at)) {
                done(sent.job, payload(&frame, &jobs[sent.job])?);
                deadline = self.deadline(&waiting, jobs);
            } else if (self.settings.clock)() >= deadline {
                for sent in &mut waiting {
                    sent.tries += 1;
                    if sent.tries > self.settings.tries {
                        return Err(LinkError::Silent {
                            what: jobs[sent.job].describe(),
                            tries: sent.tries - 1,
                            heard: self.traffic.heard - heard,
                            damaged: self.decoder.damaged() - damaged,
                        });
                    }
                    self.traffic.repeated += 1;
                    self.send(&sent.line)?;
                }
                deadline = self.deadline(&waiting, jobs);
            }
        }
        Ok(())
    }

    /// Until when a reply has to come, if one does: twice the time that everything under way
    /// takes on the line, if every byte has to be escaped.
    fn deadline(&mut self, waiting: &VecDeque<Sent>, jobs: &[Job]) -> Duration {
        let reply = |sent: &Sent| 2 * (jobs[sent.job].expects() + REPLY + CRC + 1);
        let bytes: usize = waiting.iter().map(|sent| sent.line.len() + reply(sent)).sum();
        let line = 2.0 * 10.0 * bytes as f64 / f64::from(self.settings.baud.max(1));
        (self.settings.clock)() + Duration::from_secs_f64(line) + self.settings.patience
    }

    fn send(&mut self, line: &[u8]) -> Result<(), LinkError> {
        let failed = |source| LinkError::Line { what: "written", source };
        self.traffic.sent += line.len() as u64;
        self.stream.write_all(line).and_then(|()| self.stream.flush()).map_err(failed)
    }

    /// A sound frame, if one has come; reads at most once.
    fn hear(&mut self) -> Result<Option<Vec<u8>>, LinkError> {
        if self.pending.is_empty() {
            let mut bytes = [0; 4096];
            match self.stream.read(&mut bytes) {
                Ok(0) => return Err(LinkError::Closed),
                Ok(count) => {
                    self.traffic.heard += count as u64;
                    self.pending.extend(&bytes[..count]);
                }
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {}
                    _ => return Err(LinkError::Line { what: "read", source: error }),
                },
            }
        }
        while let Some(byte) = self.pending.pop_front() {
            if let Some(frame) = self.decoder.push(byte) {
                return Ok(Some(frame));
            }
        }
        Ok(None)
    }

    fn inside(&self, address: u64, length: usize) -> Result<(), LinkError> {
        let end = address.checked_add(length as u64);
        if end.is_some_and(|end| end <= self.memory) {
            return Ok(());
        }
        Err(LinkError::Outside { address, length, bytes: self.memory })
    }

    /// Reads whole units.
    fn read_units(&mut self, address: u64, bytes: &mut [u8]) -> Result<(), LinkError> {
        for (batch, at) in bytes.chunks_mut(BATCH).zip((address..).step_by(BATCH)) {
            let job = |(chunk, address): (&[u8], u64)| Job {
                operation: Operation::ReadMemory,
                address,
                length: chunk.len(),
                payload: vec![],
            };
            let jobs: Vec<Job> =
                batch.chunks(PAYLOAD).zip((at..).step_by(PAYLOAD)).map(job).collect();
            self.all(&jobs, &mut |n, payload| {
                batch[n * PAYLOAD..][..payload.len()].copy_from_slice(payload);
            })?;
        }
        Ok(())
    }

    /// Writes whole units.
    fn write_units(&mut self, address: u64, bytes: &[u8]) -> Result<(), LinkError> {
        for (batch, at) in bytes.chunks(BATCH).zip((address..).step_by(BATCH)) {
            let job = |(chunk, address): (&[u8], u64)| Job {
                operation: Operation::WriteMemory,
                address,
                length: chunk.len(),
                payload: chunk.to_vec(),
            };
            let jobs: Vec<Job> =
                batch.chunks(PAYLOAD).zip((at..).step_by(PAYLOAD)).map(job).collect();
            self.all(&jobs, &mut |_, _| {})?;
        }
        Ok(())
    }
}

/// Whether a frame is the reply to a request.
fn answers(frame: &[u8], sent: &Sent, jobs: &[Job]) -> bool {
    let asked = [sent.sequence, jobs[sent.job].operation as u8];
    frame.len() >= REPLY && frame[..2] == asked
}

/// What a reply carries, where it says that all went well.
fn payload<'a>(frame: &'a [u8], job: &Job) -> Result<&'a [u8], LinkError> {
    let (status, bytes) = (frame[frame.len() - 1], &frame[2..frame.len() - 1]);
    match Status::from_byte(status) {
        Some(Status::Done) if bytes.len() == job.expects() => Ok(bytes),
        _ if job.operation == Operation::Ping => Err(LinkError::Stranger { bytes: bytes.to_vec() }),
        Some(Status::Refused) => Err(LinkError::Refused { what: job.describe() }),
        Some(Status::Register) => Err(LinkError::Register { offset: job.address as u32 }),
        Some(Status::Memory) => Err(LinkError::Memory { address: job.address }),
        _ => Err(LinkError::Reply { what: job.describe(), bytes: bytes.len(), status }),
    }
}

impl<S: Read + Write> Transport for SerialLink<S> {
    type Error = LinkError;

    fn memory_bytes(&self) -> u64 {
        self.memory
    }

    fn read_register(&mut self, offset: u32) -> Result<u32, LinkError> {
        let operation = Operation::ReadRegister;
        let job = Job { operation, address: offset.into(), length: 4, payload: vec![] };
        let bytes = self.one(job)?;
        Ok(bytes.iter().rev().fold(0, |value, &byte| value << 8 | u32::from(byte)))
    }

    fn write_register(&mut self, offset: u32, value: u32) -> Result<(), LinkError> {
        let operation = Operation::WriteRegister;
        let payload = value.to_le_bytes().to_vec();
        self.one(Job { operation, address: offset.into(), length: 4, payload }).map(|_| ())
    }

    fn read_memory(&mut self, address: u64, bytes: &mut [u8]) -> Result<(), LinkError> {
        self.inside(address, bytes.len())?;
        let before = (address % UNIT as u64) as usize;
        if before == 0 && bytes.len().is_multiple_of(UNIT) {
            return self.read_units(address, bytes);
        }
        let mut whole = vec![0; (before + bytes.len()).next_multiple_of(UNIT)];
        self.read_units(address - before as u64, &mut whole)?;
        bytes.copy_from_slice(&whole[before..before + bytes.len()]);
        Ok(())
    }

    fn write_memory(&mut self, address: u64, bytes: &[u8]) -> Result<(), LinkError> {
        self.inside(address, bytes.len())?;
        let before = (address % UNIT as u64) as usize;
        if before == 0 && bytes.len().is_multiple_of(UNIT) {
            return self.write_units(address, bytes);
        }
        // What shares the first and the last unit stays as it is.
        let (start, length) = (address - before as u64, before + bytes.len());
        let mut whole = vec![0; length.next_multiple_of(UNIT)];
        let last = whole.len() - UNIT;
        self.read_units(start, &mut whole[..UNIT])?;
        self.read_units(start + last as u64, &mut whole[last..])?;
        whole[before..length].copy_from_slice(bytes);
        self.write_units(start, &whole)
    }

    fn expect(&mut self, bytes: u64) {
        let extra = Duration::from_secs_f64(bytes as f64 / CORE_RATE);
        self.allowed = self.settings.command + extra;
    }

    fn recover(&mut self) -> Result<(), LinkError> {
        // Frames that come late have other numbers; all that is kept is half a frame.
        self.decoder.reset();
        Ok(())
    }

    fn wait(&mut self, polls: u64) -> Result<bool, LinkError> {
        // Reading the status takes its time; no other waiting is needed.
        let now = (self.settings.clock)();
        if polls == 0 {
            self.since = now;
        }
        Ok(now.saturating_sub(self.since) < self.allowed.max(self.settings.command))
    }
}
