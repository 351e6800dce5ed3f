//! The serial link: both sides, bit by bit on a simulated line that loses and changes bytes.

mod common;

use std::io::{ErrorKind, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use common::around::{LINK, LINKED, PIECE, simulator};
use sterna_hdl::core::memory_widths;
use sterna_hdl::driver::Transport;
use sterna_hdl::link::protocol::{Decoder, FLAG, Operation, Request, Status};
use sterna_hdl::link::{BUS, HostLink, LinkError, SerialLink, SerialSettings};
use sterna_rtl::parts::{Access, LiteRegisters, Register};
use sterna_rtl::random::Rng;
use sterna_rtl::{AxiKind, Design, Module, UInt};
use sterna_sim::memory::{Injection, Memory, MemoryOptions, Stalls};
use sterna_sim::{MemoryPort, Output, Simulator, Uart};

/// A link in front of four registers: one read, one written, one of pulses and their number.
fn design(link: &HostLink) -> Design {
    let m = Module::new(format!("link_bench_{}_{}", link.hertz, link.baud));
    let link = m.instance("u_link", link);
    let register = |name: &str, offset, access| Register {
        name: name.into(),
        offset,
        width: 32,
        access,
        reset: 0,
        doc: name.into(),
    };
    let bank = LiteRegisters {
        name: "bench".into(),
        addr: 12,
        registers: vec![
            register("magic", 0, Access::Read),
            register("kept", 4, Access::Write),
            register("pulse", 8, Access::Pulse),
            register("pulses", 0xffc, Access::Read),
        ],
    };
    let widths = bank.widths();
    let bank = m.instance("u_bank", &bank);
    let lite = link.axi("m_lite", AxiKind::Lite, widths);
    bank.axi("s_axi", AxiKind::Lite, widths).connect(&lite);
    let pulses = m.reg("pulses", UInt(32)).reset(0);
    m.when(bank.port("pulse").any(), || pulses.set(pulses.wrapping_add(1)));
    bank.set("magic", m.lit(UInt(32), 0x7e7d_5e5du32)).set("pulses", pulses);
    m.output("kept", UInt(32)).set(bank.port("kept"));
    m.output("count", UInt(32)).set(pulses);
    let widths = memory_widths(BUS);
    let axi = m.axi_master("m_axi", AxiKind::Full, widths);
    axi.connect(&link.axi("m_axi", AxiKind::Full, widths));
    link.set("rx", m.input("rx", UInt(1)));
    m.output("tx", UInt(1)).set(link.port("tx"));
    m.build().unwrap_or_else(|e| panic!("{e}"))
}

/// What becomes of a byte: its direction, its number since the fault was set, the byte.
type Fault = Box<dyn FnMut(bool, u64, u8) -> Vec<u8> + Send>;

/// The board, and the line to it.
struct Board {
    sim: Simulator,
    memory: Memory,
    port: MemoryPort,
    uart: Uart,
    now: Arc<AtomicU64>,
    fault: Fault,
    passed: [u64; 2],
    count: Output<u64>,
    kept: Output<u64>,
}

const TO_BOARD: bool = true;

fn sound() -> Fault {
    Box::new(|_, _, byte| vec![byte])
}

impl Board {
    fn new(link: &HostLink, stalls: Stalls) -> Board {
        let mut sim = simulator(&design(link), &common::options()).unwrap();
        let uart = Uart::find(&mut sim, ["rx", "tx"], link.hertz, link.baud).unwrap();
        sim.reset().unwrap();
        let options = MemoryOptions { bytes: LINKED, latency: 20, stalls, seed: 1 };
        Board {
            port: MemoryPort::find(&sim, "m_axi", AxiKind::Full, BUS).unwrap(),
            count: sim.output("count").unwrap(),
            kept: sim.output("kept").unwrap(),
            sim,
            memory: Memory::new(BUS, &options),
            uart,
            now: Arc::default(),
            fault: sound(),
            passed: [0; 2],
        }
    }

    fn clocks(&mut self, clocks: u64) {
        for _ in 0..clocks {
            self.uart.clock(&mut self.sim).unwrap();
            self.port.clock(&mut self.sim, &mut self.memory).unwrap();
            self.sim.step().unwrap();
        }
        self.now.fetch_add(clocks, Ordering::Relaxed);
    }

    /// The line is low for so long, as no byte is, and high again.
    fn low(&mut self, clocks: u64) {
        self.levels([(false, clocks), (true, 1000)]);
    }

    /// A byte without a stop bit.
    fn unstopped(&mut self, byte: u8) {
        let bits = (0..10).map(|n| (u32::from(byte) << 1 >> n & 1 == 1, 8));
        self.levels(bits.chain([(true, 16)]));
    }

    /// The line is low or high for so many clocks each.
    fn levels(&mut self, levels: impl IntoIterator<Item = (bool, u64)>) {
        for (level, clocks) in levels {
            self.sim.poke("rx", u64::from(level)).unwrap();
            for _ in 0..clocks {
                self.port.clock(&mut self.sim, &mut self.memory).unwrap();
                self.sim.step().unwrap();
            }
            self.now.fetch_add(clocks, Ordering::Relaxed);
        }
    }

    /// Until all is sent that is to be.
    fn until_sent(&mut self) {
        while !self.uart.is_idle() {
            self.clocks(100);
        }
    }

    fn set(&mut self, fault: Fault) {
        (self.fault, self.passed) = (fault, [0; 2]);
    }

    fn damaged(&mut self, to_board: bool, byte: u8) -> Vec<u8> {
        let passed = &mut self.passed[usize::from(to_board)];
        *passed += 1;
        (self.fault)(to_board, *passed - 1, byte)
    }

    fn counted(&mut self) -> (u64, u64) {
        (self.sim.get(self.count).unwrap(), self.sim.get(self.kept).unwrap())
    }
}

impl Read for Board {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        self.clocks(50);
        let mut count = 0;
        while count < bytes.len()
            && let Some(byte) = self.uart.from_design.pop_front()
        {
            for byte in self.damaged(!TO_BOARD, byte) {
                bytes[count] = byte;
                count += 1;
            }
        }
        if count == 0 { Err(ErrorKind::WouldBlock.into()) } else { Ok(count) }
    }
}

impl Write for Board {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        for &byte in bytes {
            let through = self.damaged(TO_BOARD, byte);
            self.uart.to_design.extend(through);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn settings(board: &Board, link: &HostLink, tries: u32) -> SerialSettings {
    let now = Arc::clone(&board.now);
    let nanoseconds = 1_000_000_000 / u64::from(link.hertz);
    SerialSettings {
        baud: link.baud,
        patience: Duration::from_micros(50),
        tries,
        clock: Box::new(move || Duration::from_nanos(now.load(Ordering::Relaxed) * nanoseconds)),
        ..SerialSettings::default()
    }
}

/// A fast simulation: eight clocks a bit.
fn quick(stalls: Stalls, tries: u32) -> SerialLink<Board> {
    let board = Board::new(&LINK, stalls);
    let settings = settings(&board, &LINK, tries);
    SerialLink::open(board, settings).unwrap_or_else(|e| panic!("{e}"))
}

/// A piece of memory, and what is in it.
struct Piece {
    first: u64,
    bytes: Vec<u8>,
}

/// The first piece, the last, and two between: what bits an address of the one has, the other has not.
fn pieces(rng: &mut Rng) -> [Piece; 4] {
    let one = 1 + rng.below(LINKED / PIECE - 2);
    let other = LINKED / PIECE - one;
    [0, one, other, LINKED / PIECE - 1]
        .map(|number| Piece { first: number * PIECE, bytes: vec![0; PIECE as usize] })
}

/// Registers and memory over a line of these rates.
fn moves_registers_and_memory(of: &HostLink) {
    let mut rng = Rng::new(common::seed());
    let board = Board::new(of, Stalls::Random);
    let settings = settings(&board, of, 1);
    let mut link = SerialLink::open(board, settings).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(link.memory_bytes(), LINKED);
    // A glitch, and a break.
    let bit = u64::from(of.hertz / of.baud);
    link.stream().low(bit / 3);
    link.stream().low(30 * bit);
    assert_eq!(link.read_register(0).unwrap(), 0x7e7d_5e5d);
    for value in [0x7e7e_7d7d, 5, rng.next_u64() as u32] {
        link.write_register(4, value).unwrap();
        assert_eq!(link.read_register(4).unwrap(), value);
        link.write_register(8, value).unwrap();
    }
    assert_eq!(link.read_register(0xffc).unwrap(), 3);
    for offset in [0x554, 0xaa8] {
        let refused = link.read_register(offset);
        assert!(matches!(refused, Err(LinkError::Register { .. })), "{refused:?}");
        let refused = link.write_register(offset, 7);
        assert!(matches!(refused, Err(LinkError::Register { .. })), "{refused:?}");
    }
    let mut pieces = pieces(&mut rng);
    let rounds = if of.baud == 921_600 { 12 } else { 32 };
    for round in 0..rounds {
        let most = [1, 8, 100, 3000][round % 4];
        let length = 1 + rng.below(most) as usize;
        let from = rng.below(PIECE - length as u64 + 1);
        let piece = &mut pieces[rng.below(4) as usize];
        let (at, whole) = (piece.first + from, from as usize..from as usize + length);
        if round % 4 == 3 || rng.one_in(2) {
            let kind = rng.below(3);
            let byte = |rng: &mut Rng| [FLAG, 0x7d, rng.next_u64() as u8][kind as usize];
            let bytes: Vec<u8> = (0..length).map(|_| byte(&mut rng)).collect();
            link.write_memory(at, &bytes).unwrap();
            piece.bytes[whole.clone()].copy_from_slice(&bytes);
        }
        let mut bytes = vec![1; length];
        link.read_memory(at, &mut bytes).unwrap();
        assert!(bytes == piece.bytes[whole], "{length} bytes at {at:#x}");
    }
    for piece in &pieces {
        let mut all = vec![1; PIECE as usize];
        assert!(link.stream().memory.read(piece.first, &mut all));
        assert!(all == piece.bytes, "bytes elsewhere changed");
        let range = piece.first..piece.first + 8;
        link.stream().memory.inject(Injection::ReadError(range.clone()));
        link.stream().memory.inject(Injection::WriteError(range));
        let failed = link.read_memory(piece.first, &mut [0; 8]);
        assert!(matches!(failed, Err(LinkError::Memory { .. })), "{failed:?}");
        let failed = link.write_memory(piece.first, &[1; 8]);
        assert!(matches!(failed, Err(LinkError::Memory { .. })), "{failed:?}");
        link.stream().memory.heal();
    }
    assert_eq!((link.traffic().repeated, link.stream().uart.broken), (0, 0));
}

#[test]
fn eight_clocks_a_bit() {
    moves_registers_and_memory(&LINK);
}

#[test]
fn twenty_clocks_a_bit() {
    moves_registers_and_memory(&HostLink { hertz: 60_000_000, ..LINK });
}

/// The divisor is no whole number.
#[test]
fn a_bit_of_no_whole_number_of_clocks() {
    moves_registers_and_memory(&HostLink { hertz: 65_000_000, ..LINK });
}

/// A rate that is usual, and slow.
#[test]
fn a_usual_rate() {
    moves_registers_and_memory(&HostLink { hertz: 50_000_000, baud: 921_600, ..LINK });
}

/// Every bit of a request and of its reply, flags included, and every byte lost or doubled: the
/// register is written once, and what is read is right.
#[test]
fn one_fault_is_harmless() {
    let mut link = quick(Stalls::None, 3);
    let mut pulses = 0;
    let mut tries = 0;
    for to_board in [true, false] {
        // The longest of them: a request of 17 bytes and two flags; a bit more for escapes.
        for at in 0..if to_board { 21 } else { 15 } {
            for kind in 0..10 {
                link.stream().set(Box::new(move |way, n, byte| match kind {
                    _ if way != to_board || n != at => vec![byte],
                    8 => vec![],
                    9 => vec![byte, byte],
                    bit => vec![byte ^ 1 << bit],
                }));
                let value = 0x0100_0000 + pulses;
                let repeated = link.traffic().repeated;
                link.write_register(8, value).unwrap_or_else(|e| panic!("{at} {kind}: {e}"));
                pulses += 1;
                let counted = link.stream().counted().0;
                assert_eq!(counted, u64::from(pulses), "to board {to_board}, byte {at}, {kind}");
                tries += link.traffic().repeated - repeated;
                link.stream().set(Box::new(move |way, n, byte| match kind {
                    _ if way != to_board || n != at => vec![byte],
                    8 => vec![],
                    9 => vec![byte, byte],
                    bit => vec![byte ^ 1 << bit],
                }));
                let got = link.read_register(0xffc).unwrap_or_else(|e| panic!("{at} {kind}: {e}"));
                assert_eq!(got, pulses, "to board {to_board}, byte {at}, {kind}");
            }
        }
    }
    assert!(tries > 150, "the faults were noticed: {tries}");
}

/// A line on which one byte in some hundreds is changed, lost, or comes with others.
#[test]
fn a_bad_line_is_slow_and_right() {
    let seed = common::seed();
    let mut link = quick(Stalls::Burst, 60);
    let mut rng = Rng::new(seed);
    let mut faults = Rng::new(seed + 1);
    link.stream().set(Box::new(move |_, _, byte| match faults.below(4000) {
        0 => vec![],
        1 => vec![byte, faults.next_u64() as u8],
        2 => vec![FLAG],
        3 => vec![byte ^ 1 << faults.below(8)],
        _ => vec![byte],
    }));
    let mut shadow = vec![0; PIECE as usize];
    for turn in 0..6u32 {
        let (at, length) = (8 * rng.below(200), 8 * (1 + rng.below(200)) as usize);
        let bytes: Vec<u8> = (0..length).map(|_| rng.next_u64() as u8).collect();
        link.write_memory(at, &bytes).unwrap();
        shadow[at as usize..][..length].copy_from_slice(&bytes);
        link.write_register(8, 1).unwrap();
        assert_eq!(link.stream().counted().0, u64::from(turn) + 1);
        let mut back = vec![0; 2400];
        link.read_memory(0, &mut back).unwrap();
        assert!(back == shadow[..2400], "turn {turn}");
    }
    assert!(link.traffic().repeated > 4, "{:?}", link.traffic());
}

/// Garbage and parts of frames before a frame, and silence behind a part: nothing is obeyed but
/// the frame.
#[test]
fn garbage_is_passed_over() {
    let mut board = Board::new(&LINK, Stalls::None);
    let mut rng = Rng::new(common::seed());
    let write = |value: u32, sequence| {
        let payload = value.to_le_bytes();
        let operation = Operation::WriteRegister;
        Request { sequence, operation, length: 4, address: 4, payload: &payload }.encode()
    };
    let mut decoder = Decoder::default();
    for turn in 0..40u8 {
        let frame = write(turn.into(), turn);
        let other = write(0xdead, turn ^ 0x80);
        let before: Vec<u8> = match turn % 5 {
            0 => (0..rng.below(3000)).map(|_| rng.next_u64() as u8).collect(),
            1 => other[..1 + rng.below(other.len() as u64 - 3) as usize].to_vec(),
            2 => other[2 + rng.below(other.len() as u64 - 2) as usize..].to_vec(),
            3 => vec![FLAG; 5],
            _ => vec![0x7d; 1 + turn as usize],
        };
        board.uart.to_design.extend(before);
        board.until_sent();
        board.clocks(rng.below(4000));
        assert_ne!(board.counted().1, 0xdead);
        board.uart.to_design.extend(&frame);
        for _ in 0..1000 {
            board.clocks(10);
        }
        let bytes: Vec<u8> = board.uart.from_design.drain(..).collect();
        let replies: Vec<Vec<u8>> = bytes.iter().filter_map(|&b| decoder.push(b)).collect();
        assert_eq!(replies, [vec![turn, Operation::WriteRegister as u8, 0]], "turn {turn}");
        assert_eq!(board.counted().1, u64::from(turn));
    }
    // A break: the line low for long, then as before.
    board.uart.to_design.extend([0; 3]);
    let frame = write(77, 90);
    board.uart.to_design.extend(&frame);
    board.clocks(10_000);
    assert_eq!(board.counted().1, 77);
}

/// While the memory is silent the backlog runs over: what is lost is lost frame by frame, and a
/// frame with a gap is not obeyed.
#[test]
fn the_backlog_runs_over() {
    let mut board = Board::new(&LINK, Stalls::None);
    let mut decoder = Decoder::default();
    let write = |sequence: u8| {
        let payload = [sequence; 4];
        let operation = Operation::WriteRegister;
        Request { sequence, operation, length: 4, address: 8, payload: &payload }.encode()
    };
    board.memory.inject(Injection::Silence(0..LINKED));
    let operation = Operation::ReadMemory;
    let read = Request { sequence: 0, operation, length: 8, address: 0, payload: &[] }.encode();
    board.uart.to_design.extend(read);
    let frames: Vec<Vec<u8>> = (1..=140).map(write).collect();
    board.uart.to_design.extend(frames.concat());
    board.until_sent();
    assert_eq!(board.counted().0, 0);
    board.memory.heal();
    board.clocks(400_000);
    let kept = 2048 / frames[0].len() as u64;
    let counted = board.counted().0;
    assert!((kept - 2..=kept + 1).contains(&counted), "{counted} of {kept}");
    let bytes: Vec<u8> = board.uart.from_design.drain(..).collect();
    let replies: Vec<u8> =
        bytes.iter().filter_map(|&b| decoder.push(b)).map(|reply| reply[0]).collect();
    assert_eq!(replies, (0..=counted as u8).collect::<Vec<_>>(), "in order, without a gap");
    board.uart.to_design.extend([write(200), write(201)].concat());
    board.clocks(20_000);
    // The first of them may have been joined to the gap; the second is whole.
    assert!((1..=2).contains(&(board.counted().0 - counted)));
    let last = board.uart.from_design.drain(..).filter_map(|b| decoder.push(b)).last();
    assert_eq!(last, Some(vec![201, 3, 0]));
}

/// The backlog runs over between two parts of a frame, whose checksum does not tell: that bytes were
/// lost does, whether the next one has a stop bit or not.
#[test]
fn a_gap_spoils_its_frame() {
    let mut board = Board::new(&LINK, Stalls::None);
    let payload = [5; 4];
    let write = Request {
        sequence: 1,
        operation: Operation::WriteRegister,
        length: 4,
        address: 8,
        payload: &payload,
    };
    let write = write.encode();
    let (first, second) = write.split_at(9);
    let operation = Operation::ReadMemory;
    let read = Request { sequence: 0, operation, length: 8, address: 0, payload: &[] }.encode();
    // As many fit as the backlog has places, and some more in its output; one of these is exact.
    for kept in 2048..2052 {
        for stops in [true, false] {
            board.memory.inject(Injection::Silence(0..LINKED));
            let flags = vec![FLAG; kept - first.len()];
            let lost = vec![0x55; 4];
            board.uart.to_design.extend([&read, &flags[..], first, &lost].concat());
            board.until_sent();
            board.memory.heal();
            board.clocks(8000);
            if stops {
                board.uart.to_design.push_back(second[0]);
            } else {
                board.unstopped(second[0]);
            }
            board.uart.to_design.extend(&second[1..]);
            board.until_sent();
            board.clocks(2000);
            assert_eq!(board.counted().0, 0, "{kept} bytes kept");
        }
    }
    board.uart.to_design.extend(&write);
    board.until_sent();
    board.clocks(2000);
    assert_eq!(board.counted().0, 1);
}

/// Requests that no host should send, and those that the buses refuse.
#[test]
fn what_cannot_be_done_is_said() {
    let mut board = Board::new(&LINK, Stalls::None);
    let mut decoder = Decoder::default();
    let mut ask = |board: &mut Board, operation, length, address, size: usize| {
        let payload = vec![7; size];
        let frame = Request { sequence: 9, operation, length, address, payload: &payload }.encode();
        board.uart.to_design.extend(frame);
        for _ in 0..2000 {
            board.clocks(100);
            while let Some(byte) = board.uart.from_design.pop_front() {
                if let Some(reply) = decoder.push(byte) {
                    return Status::from_byte(*reply.last().unwrap());
                }
            }
        }
        None
    };
    use Operation::*;
    let refused = Some(Status::Refused);
    for (operation, length, address, size) in [
        (Ping, 0, 0, 4),
        (ReadRegister, 8, 0, 0),
        (ReadRegister, 4, 2, 0),
        (ReadRegister, 4, 0x1000, 0),
        (WriteRegister, 4, 4, 0),
        (WriteRegister, 4, 4, 5),
        (ReadMemory, 0, 0, 0),
        (ReadMemory, 1032, 0, 0),
        (ReadMemory, 12, 0, 0),
        (ReadMemory, 8, 4, 0),
        (ReadMemory, 8, 0, 8),
        (WriteMemory, 16, 0, 8),
        (WriteMemory, 8, 0, 16),
    ] {
        let said = ask(&mut board, operation, length, address, size);
        assert_eq!(said, refused, "{operation:?} of {length} at {address:#x}, {size}");
    }
    // Too long for the buffer: as if it had not come.
    assert_eq!(ask(&mut board, WriteMemory, 1032, 0, 1032), None);
    assert_eq!(ask(&mut board, WriteMemory, 1024, 0, 1024), Some(Status::Done));
    assert_eq!(ask(&mut board, ReadRegister, 4, 12, 0), Some(Status::Register));
    assert_eq!(ask(&mut board, WriteRegister, 4, 0, 4), Some(Status::Register));
    assert_eq!(ask(&mut board, ReadMemory, 64, LINKED, 0), Some(Status::Memory));
    assert_eq!(ask(&mut board, WriteMemory, 64, LINKED, 64), Some(Status::Memory));
    assert_eq!(ask(&mut board, ReadMemory, 64, 0, 0), Some(Status::Done), "no error stays");
    assert_eq!(board.counted(), (0, 0));
}

#[test]
fn errors_of_the_board_are_typed() {
    let mut link = quick(Stalls::None, 2);
    assert!(matches!(link.read_register(12), Err(LinkError::Register { offset: 12 })));
    assert!(matches!(link.write_register(0, 1), Err(LinkError::Register { offset: 0 })));
    link.stream().memory.inject(Injection::ReadError(4096..4104));
    let mut bytes = [0; 2048];
    assert!(matches!(link.read_memory(3072, &mut bytes), Err(LinkError::Memory { address: 4096 })));
    let outside = link.write_memory(LINKED - 7, &[0; 8]);
    assert!(matches!(outside, Err(LinkError::Outside { length: 8, .. })));
    link.recover().unwrap();
    assert_eq!(link.read_register(0).unwrap(), 0x7e7d_5e5d, "it goes on");
    // A line that is cut.
    link.stream().set(Box::new(|_, _, _| vec![]));
    assert!(matches!(link.read_register(0), Err(LinkError::Silent { tries: 2, .. })));
    link.stream().set(sound());
    assert_eq!(link.read_register(0).unwrap(), 0x7e7d_5e5d);
}

/// Payload bytes per byte time; the figures are in docs/uart.md.
#[test]
fn most_of_the_line_is_payload() {
    let (hertz, baud) = (60_000_000, 3_000_000);
    let link = HostLink { hertz, baud, ..LINK };
    let board = Board::new(&link, Stalls::None);
    let settings = settings(&board, &link, 1);
    let mut link = SerialLink::open(board, settings).unwrap_or_else(|e| panic!("{e}"));
    let mut rng = Rng::new(3);
    let mut bytes: Vec<u8> = (0..24 * 1024).map(|_| rng.next_u64() as u8).collect();
    for write in [true, false] {
        let start = link.stream().sim.clocks();
        if write {
            link.write_memory(0, &bytes).unwrap();
        } else {
            link.read_memory(0, &mut bytes).unwrap();
        }
        let clocks = link.stream().sim.clocks() - start;
        let byte_times = clocks as f64 * f64::from(baud) / f64::from(hertz) / 10.0;
        let share = bytes.len() as f64 / byte_times;
        let what = if write { "written" } else { "read" };
        println!("{what}: {:.1} % of the byte times are payload", 100.0 * share);
        assert!(share > 0.94, "{what}: {share}");
    }
}
