//! What host and board agree on; docs/uart.md says why.
//!
//! ```text
//!  FLAG | frame, with FLAG and ESCAPE escaped | FLAG
//!
//!  request  sequence | operation | length (2) | address (5) | payload | CRC-32C (4)
//!  reply    sequence | operation | payload | status | CRC-32C (4)
//! ```
//!
//! Numbers are little-endian.

/// Begins and ends a frame; never inside one.
pub const FLAG: u8 = 0x7e;
/// The byte behind it has [`FLIP`] added.
pub const ESCAPE: u8 = 0x7d;
/// What escaped bytes are changed by.
pub const FLIP: u8 = 0x20;
/// Version of the protocol.
pub const VERSION: u16 = 1;
/// Bytes of the longest payload.
pub const PAYLOAD: usize = 1024;
/// Memory is read and written in multiples of it, at multiples of it.
pub const UNIT: usize = 8;
/// Bytes of a request before its payload.
pub const HEADER: usize = 9;
/// Bytes of a checksum.
pub const CRC: usize = 4;
/// Bytes of a reply without payload and checksum.
pub const REPLY: usize = 3;
/// What [`Operation::Ping`] answers with: magic, version, longest payload, bytes of memory.
pub const PING: usize = 16;
/// The first bytes of that answer.
pub const MAGIC: [u8; 4] = *b"STRL";
/// Bytes that a board keeps of requests that it cannot look at yet.
pub const BACKLOG: usize = 2048;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Who is there?
    Ping = 1,
    /// Four bytes of the register at `address`.
    ReadRegister = 2,
    /// The payload's four bytes to the register at `address`.
    WriteRegister = 3,
    /// `length` bytes of memory from `address`.
    ReadMemory = 4,
    /// The payload's `length` bytes to memory from `address`.
    WriteMemory = 5,
}

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It was done.
    Done = 0,
    /// There is no such operation, or not of this length or alignment.
    Refused = 1,
    /// The register answered with an error: it is not there, or not to be written.
    Register = 2,
    /// The memory answered with an error: nothing is there.
    Memory = 3,
}

impl Status {
    /// The status of a byte.
    pub fn from_byte(byte: u8) -> Option<Status> {
        let all = [Status::Done, Status::Refused, Status::Register, Status::Memory];
        all.into_iter().find(|status| *status as u8 == byte)
    }
}

/// A request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// Number that its reply bears.
    pub sequence: u8,
    /// What is asked for.
    pub operation: Operation,
    /// Bytes to read or write.
    pub length: u16,
    /// Address of a register or in memory, 40 bits.
    pub address: u64,
    /// What is written.
    pub payload: &'a [u8],
}

impl Request<'_> {
    /// The bytes on the line, flags included.
    pub fn encode(&self) -> Vec<u8> {
        let mut frame = vec![self.sequence, self.operation as u8];
        frame.extend(self.length.to_le_bytes());
        frame.extend(&self.address.to_le_bytes()[..5]);
        frame.extend(self.payload);
        encode(&frame)
    }
}

/// A frame as bytes on the line: checksum, escapes and flags added.
pub fn encode(frame: &[u8]) -> Vec<u8> {
    let crc = crc32c::crc32c(frame).to_le_bytes();
    let mut line = Vec::with_capacity(frame.len() + frame.len() / 32 + 8);
    line.push(FLAG);
    for &byte in frame.iter().chain(&crc) {
        if byte == FLAG || byte == ESCAPE {
            line.extend([ESCAPE, byte ^ FLIP]);
        } else {
            line.push(byte);
        }
    }
    line.push(FLAG);
    line
}

/// Takes frames out of bytes. Whatever comes between two flags is a frame or nothing, so that
/// bytes which were lost, changed or added cost the frames that they are in.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    frame: Vec<u8>,
    escaped: bool,
    inside: bool,
    damaged: u64,
}

impl Decoder {
    /// Takes a byte; a frame, without its checksum, once it is whole and sound.
    pub fn push(&mut self, byte: u8) -> Option<Vec<u8>> {
        if byte == FLAG {
            let inside = std::mem::replace(&mut self.inside, true);
            let escaped = std::mem::take(&mut self.escaped);
            let mut frame = std::mem::take(&mut self.frame);
            if !inside || frame.is_empty() {
                return None;
            }
            let body = frame.len().saturating_sub(CRC);
            let sound = !escaped && crc32c::crc32c(&frame[..body]).to_le_bytes() == frame[body..];
            if sound {
                frame.truncate(body);
                return Some(frame);
            }
            self.damaged += 1;
        } else if !self.inside || self.frame.len() > PAYLOAD + HEADER + CRC {
            // Nothing that belongs to a frame; or too much for one, which its checksum will say.
        } else if byte == ESCAPE && !self.escaped {
            self.escaped = true;
        } else {
            let flip = if std::mem::take(&mut self.escaped) { FLIP } else { 0 };
            self.frame.push(byte ^ flip);
        }
        None
    }

    /// Forgets the frame that has begun.
    pub fn reset(&mut self) {
        *self = Decoder { damaged: self.damaged, ..Decoder::default() };
    }

    /// Frames that were damaged, so far.
    pub fn damaged(&self) -> u64 {
        self.damaged
    }
}

/// What a board says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Version of its protocol.
    pub version: u16,
    /// Longest payload that it takes.
    pub payload: u16,
    /// Bytes of memory.
    pub memory: u64,
}

impl Hello {
    /// As payload of a reply.
    pub fn encode(&self) -> [u8; PING] {
        let mut bytes = [0; PING];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4..6].copy_from_slice(&self.version.to_le_bytes());
        bytes[6..8].copy_from_slice(&self.payload.to_le_bytes());
        bytes[8..].copy_from_slice(&self.memory.to_le_bytes());
        bytes
    }

    /// From a reply's payload, if it is one.
    pub fn decode(bytes: &[u8]) -> Option<Hello> {
        let bytes: &[u8; PING] = bytes.try_into().ok()?;
        let [a, b, c, d, v, w, p, q, memory @ ..] = *bytes;
        let hello = Hello {
            version: u16::from_le_bytes([v, w]),
            payload: u16::from_le_bytes([p, q]),
            memory: u64::from_le_bytes(memory),
        };
        ([a, b, c, d] == MAGIC).then_some(hello)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_go_there_and_back() {
        let mut decoder = Decoder::default();
        for length in [0, 1, 5, 300] {
            let frame: Vec<u8> = (0..length).map(|n| [FLAG, ESCAPE, 0, n as u8][n % 4]).collect();
            let mut line = vec![ESCAPE, 9, FLAG];
            line.extend(encode(&frame));
            let frames: Vec<Vec<u8>> = line.iter().filter_map(|&b| decoder.push(b)).collect();
            assert_eq!(frames, [frame]);
        }
        // What stands before a flag is a damaged frame, but before the very first.
        assert_eq!(decoder.damaged(), 3);
    }

    #[test]
    fn hellos_go_there_and_back() {
        let hello = Hello { version: 1, payload: 1024, memory: 1 << 25 };
        assert_eq!(Hello::decode(&hello.encode()), Some(hello));
        assert_eq!(Hello::decode(&hello.encode()[1..]), None);
        assert_eq!(Hello::decode(&[0; PING]), None);
    }
}
