//! A board without hardware: the link's protocol over registers and memory of any kind.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Result, Write};

use sterna_hdl::driver::Transport;
use sterna_hdl::link::protocol::{
    Decoder, HEADER, Hello, Operation, PAYLOAD, Status, UNIT, VERSION, encode,
};

/// The board as a stream of bytes; its core works while somebody listens.
pub struct SoftBoard<T> {
    inner: T,
    decoder: Decoder,
    line: VecDeque<u8>,
    /// Sequence and status of the last request, if that wrote a register.
    written: Option<(u8, Status)>,
    polls: u64,
}

impl<T: Transport> SoftBoard<T> {
    /// A board with these registers and this memory.
    pub fn new(inner: T) -> SoftBoard<T> {
        let (decoder, line) = (Decoder::default(), VecDeque::new());
        SoftBoard { inner, decoder, line, written: None, polls: 0 }
    }

    /// Answers a frame that is sound; one that is too short to be a request is passed over.
    fn answer(&mut self, frame: &[u8]) {
        if frame.len() < HEADER {
            return;
        }
        let (header, payload) = frame.split_at(HEADER);
        let (sequence, operation) = (header[0], header[1]);
        let length = usize::from(u16::from_le_bytes([header[2], header[3]]));
        let address = header[4..].iter().rev().fold(0, |sum, &byte| sum << 8 | u64::from(byte));
        let before = self.written.take();
        let mut bytes = vec![];
        let status = match (operation, length, payload.len()) {
            (PING, _, 0) => {
                let memory = self.inner.memory_bytes();
                let hello = Hello { version: VERSION, payload: PAYLOAD as u16, memory };
                bytes.extend(hello.encode());
                Status::Done
            }
            (READ_REGISTER, 4, 0) => match self.inner.read_register(address as u32) {
                Ok(value) => {
                    bytes.extend(value.to_le_bytes());
                    Status::Done
                }
                Err(_) => {
                    bytes.extend([0; 4]);
                    Status::Register
                }
            },
            (WRITE_REGISTER, 4, 4) => {
                let status = match before {
                    Some((number, status)) if number == sequence => status,
                    _ => {
                        let value = [0, 1, 2, 3].map(|n| payload[n]);
                        let value = u32::from_le_bytes(value);
                        let result = self.inner.write_register(address as u32, value);
                        result.map_or(Status::Register, |()| Status::Done)
                    }
                };
                self.written = Some((sequence, status));
                status
            }
            (READ_MEMORY, _, 0) if is_whole(address, length) => {
                bytes.resize(length, 0);
                let result = self.inner.read_memory(address, &mut bytes);
                result.map_or(Status::Memory, |()| Status::Done)
            }
            (WRITE_MEMORY, _, _) if length == payload.len() && is_whole(address, length) => {
                let result = self.inner.write_memory(address, payload);
                result.map_or(Status::Memory, |()| Status::Done)
            }
            _ => Status::Refused,
        };
        let reply = [&[sequence, operation], &bytes[..], &[status as u8]].concat();
        self.line.extend(encode(&reply));
    }
}

const PING: u8 = Operation::Ping as u8;
const READ_REGISTER: u8 = Operation::ReadRegister as u8;
const WRITE_REGISTER: u8 = Operation::WriteRegister as u8;
const READ_MEMORY: u8 = Operation::ReadMemory as u8;
const WRITE_MEMORY: u8 = Operation::WriteMemory as u8;

fn is_whole(address: u64, length: usize) -> bool {
    (UNIT..=PAYLOAD).contains(&length)
        && length.is_multiple_of(UNIT)
        && address.is_multiple_of(UNIT as u64)
}

impl<T: Transport> Read for SoftBoard<T> {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize> {
        let count = self.line.len().min(bytes.len());
        if count == 0 {
            // The core does some of its work, and fails as a core does.
            let _ = self.inner.wait(self.polls);
            self.polls += 1;
            return Err(ErrorKind::WouldBlock.into());
        }
        for (to, byte) in bytes.iter_mut().zip(self.line.drain(..count)) {
            *to = byte;
        }
        Ok(count)
    }
}

impl<T: Transport> Write for SoftBoard<T> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        for &byte in bytes {
            if let Some(frame) = self.decoder.push(byte) {
                self.answer(&frame);
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}
