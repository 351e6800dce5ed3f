//! The whole of the link in front of slow registers, on a line whose stop bits may lack.

use sterna_hdl::link::HostLink;
use sterna_hdl::link::protocol::{Decoder, Operation, Request};
use sterna_rtl::{Generate, Interpreter, mutate};

use crate::buses::{Buses, MEMORY, NO_REGISTER};
use crate::common::seed;
use crate::line::{BAUD, BIT, HERTZ, levels};

struct Board {
    sim: Interpreter,
    buses: Buses,
    decoder: Decoder,
    /// Clocks since the start of a byte from the board, and its bits so far.
    hears: Option<(usize, u16)>,
    replies: Vec<Vec<u8>>,
}

impl Board {
    fn new() -> Board {
        let link = HostLink { hertz: HERTZ, baud: BAUD, memory: MEMORY };
        let mut sim = mutate::bench(&link.build().unwrap());
        sim.poke("rx", 1);
        sim.reset();
        let buses = Buses::new(seed());
        Board { sim, buses, decoder: Decoder::default(), hears: None, replies: vec![] }
    }

    fn clock(&mut self, level: bool) {
        self.sim.poke("rx", level);
        self.buses.drive(&mut self.sim);
        self.buses.sample(&mut self.sim);
        let tx = self.sim.u64("tx") as u16;
        if self.hears.is_none() && tx == 0 {
            self.hears = Some((0, 0));
        }
        if let Some((clocks, bits)) = &mut self.hears {
            if *clocks % BIT == BIT / 2 {
                *bits |= tx << (*clocks / BIT);
            }
            *clocks += 1;
            if *clocks == 10 * BIT - BIT / 2 + 1 {
                assert_eq!(*bits & 0x201, 0x200, "start and stop bit");
                self.replies.extend(self.decoder.push((*bits >> 1) as u8));
                self.hears = None;
            }
        }
        self.sim.step();
    }

    /// Sends bytes, each with a stop bit or without.
    fn send(&mut self, bytes: impl IntoIterator<Item = (u8, bool)>) {
        for (byte, stop) in bytes {
            levels(byte, stop).into_iter().for_each(|level| self.clock(level));
            // A line that was low has to be high before it is low again.
            (0..if stop { 0 } else { BIT }).for_each(|_| self.clock(true));
        }
    }

    /// The next reply, or none.
    fn reply(&mut self) -> Option<Vec<u8>> {
        let most = 40 * 10 * BIT;
        (0..most).find(|_| {
            self.clock(true);
            !self.replies.is_empty()
        })?;
        Some(self.replies.remove(0))
    }
}

fn frame(operation: Operation, length: u16, address: u64, payload: &[u8]) -> Vec<(u8, bool)> {
    let frame = Request { sequence: 7, operation, length, address, payload }.encode();
    frame.into_iter().map(|byte| (byte, true)).collect()
}

/// A frame in which a byte has no stop bit is not obeyed, were its checksum right without that byte
/// or with it.
#[test]
fn a_byte_without_a_stop_bit_spoils_its_frame() {
    let mut board = Board::new();
    let write = frame(Operation::WriteRegister, 4, 8, &[1, 2, 3, 4]);
    for at in [3, 12] {
        let mut extra = write.clone();
        extra.insert(at, (0x55, false));
        board.send(extra);
        let mut marked = write.clone();
        marked[at].1 = false;
        board.send(marked);
        assert_eq!(board.reply(), None);
        assert_eq!(board.buses.accessed, []);
    }
    board.send(write);
    assert_eq!(board.reply(), Some(vec![7, 3, 0]));
    assert_eq!(board.buses.accessed, [(8, Some(0x0403_0201))]);
}

/// Registers that take their time.
#[test]
fn registers_may_be_slow() {
    let mut board = Board::new();
    for (turn, address) in [4, 0x7fc, NO_REGISTER, 8].into_iter().enumerate() {
        board.buses.idle = [1, 2, 3, 1][turn];
        let status = if address < NO_REGISTER { 0 } else { 2 };
        let value = board.buses.register(address).to_le_bytes();
        board.send(frame(Operation::ReadRegister, 4, address, &[]));
        let read = [&[7, 2], &value[..4], &[status]].concat();
        assert_eq!(board.reply(), Some(read));
        board.send(frame(Operation::WriteRegister, 4, address, &[turn as u8, 0x7e, 0x7d, 9]));
        assert_eq!(board.reply(), Some(vec![7, 3, status]));
    }
    assert_eq!(board.buses.accessed.len(), 8);
    assert_eq!(board.buses.registers.len(), 3);
}

/// Memory is written and read, and each bit of a length counts.
#[test]
fn lengths_are_whole() {
    let mut board = Board::new();
    board.send(frame(Operation::WriteMemory, 8, 24, &[6; 8]));
    assert_eq!(board.reply(), Some(vec![7, 5, 0]));
    for bit in 11..16 {
        board.send(frame(Operation::ReadMemory, 1 << bit | 8, 0, &[]));
        assert_eq!(board.reply(), Some(vec![7, 4, 1]));
    }
    board.send(frame(Operation::ReadMemory, 16, 16, &[]));
    let read = [&[7, 4], &(!16u64).to_le_bytes()[..], &[6; 8], &[0]].concat();
    assert_eq!(board.reply(), Some(read));
}
