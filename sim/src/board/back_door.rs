//! A simulated board whose memory is reached beside its line.

use sterna_hdl::driver::Transport;
use sterna_hdl::link::{LinkError, SerialLink};

use super::SimBoard;

/// The line for registers, the back door for the memory, which takes no time: a large model need not
/// crawl over the line. Memory inside the FPGA has no back door.
pub struct BackDoor(SerialLink<SimBoard>);

impl BackDoor {
    /// A board, reached so.
    ///
    /// # Errors
    /// As [`SerialLink::open`].
    pub fn open(board: SimBoard) -> Result<BackDoor, LinkError> {
        board.link().map(BackDoor)
    }

    fn outside(&self, address: u64, length: usize) -> LinkError {
        LinkError::Outside { address, length, bytes: self.memory_bytes() }
    }
}

impl Transport for BackDoor {
    type Error = LinkError;

    fn memory_bytes(&self) -> u64 {
        self.0.memory_bytes()
    }

    fn read_register(&mut self, offset: u32) -> Result<u32, LinkError> {
        self.0.read_register(offset)
    }

    fn write_register(&mut self, offset: u32, value: u32) -> Result<(), LinkError> {
        self.0.write_register(offset, value)
    }

    fn read_memory(&mut self, address: u64, bytes: &mut [u8]) -> Result<(), LinkError> {
        let length = bytes.len();
        match self.0.stream().chip().map(|chip| chip.read(address, bytes)) {
            None => self.0.read_memory(address, bytes),
            Some(true) => Ok(()),
            Some(false) => Err(self.outside(address, length)),
        }
    }

    fn write_memory(&mut self, address: u64, bytes: &[u8]) -> Result<(), LinkError> {
        match self.0.stream().chip().map(|chip| chip.write(address, bytes)) {
            None => self.0.write_memory(address, bytes),
            Some(true) => Ok(()),
            Some(false) => Err(self.outside(address, bytes.len())),
        }
    }

    fn wait(&mut self, polls: u64) -> Result<bool, LinkError> {
        self.0.wait(polls)
    }
}
