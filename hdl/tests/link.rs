//! The host's side of the serial link against boards that are only made up, and a byte on the
//! line.

mod common;

use std::collections::VecDeque;
use std::io::{Error, ErrorKind, Read, Write};
use std::time::Duration;

use common::seed;
use sterna_hdl::driver::Transport;
use sterna_hdl::link::protocol::{Decoder, Hello, VERSION, encode};
use sterna_hdl::link::{LinkError, SerialLink, SerialSettings, Traffic, UartRx, UartTx};
use sterna_rtl::random::Rng;
use sterna_rtl::{Generate, mutate};

/// What a board says to a frame: the bytes of its reply on the line, or that something breaks.
type Answer = fn(&[u8]) -> Result<Vec<u8>, ErrorKind>;

/// A board without hardware.
struct Fake {
    answer: Answer,
    decoder: Decoder,
    line: VecDeque<u8>,
    broken: Option<ErrorKind>,
}

impl Read for Fake {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        if let Some(kind) = self.broken {
            return if kind == ErrorKind::UnexpectedEof { Ok(0) } else { Err(kind.into()) };
        }
        let count = self.line.len().min(bytes.len());
        for (to, byte) in bytes.iter_mut().zip(self.line.drain(..count)) {
            *to = byte;
        }
        if count > 0 { Ok(count) } else { Err(Error::from(ErrorKind::TimedOut)) }
    }
}

impl Write for Fake {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        for &byte in bytes {
            if let Some(frame) = self.decoder.push(byte) {
                match (self.answer)(&frame) {
                    Ok(line) => self.line.extend(line),
                    Err(kind) if kind == ErrorKind::WriteZero => return Err(kind.into()),
                    Err(kind) => self.broken = Some(kind),
                }
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn open(answer: Answer) -> Result<SerialLink<Fake>, LinkError> {
    let fake = Fake { answer, decoder: Decoder::default(), line: VecDeque::new(), broken: None };
    // Each look at the clock is 10 ms later.
    let mut now = Duration::ZERO;
    let clock = move || {
        now += Duration::from_millis(10);
        now
    };
    let settings = SerialSettings { tries: 3, clock: Box::new(clock), ..SerialSettings::default() };
    SerialLink::open(fake, settings)
}

/// A reply to this frame.
fn reply(frame: &[u8], payload: &[u8], status: u8) -> Vec<u8> {
    encode(&[&frame[..2], payload, &[status]].concat())
}

fn hello(frame: &[u8]) -> Vec<u8> {
    let hello = Hello { version: VERSION, payload: 1024, memory: 1 << 20 };
    reply(frame, &hello.encode(), 0)
}

/// Every message.
#[test]
fn messages() {
    let mut messages = String::new();
    let mut note = |what: &str, error: Option<LinkError>| {
        let error = error.unwrap_or_else(|| panic!("{what} is no error"));
        messages += &format!("{what}\n  {}: {error}\n", error.code());
    };
    note("nobody", open(|_| Ok(vec![])).err());
    note("noise", open(|_| Ok(b"~login: ~~hello~".to_vec())).err());
    note("another board", open(|frame| Ok(reply(frame, b"GRBL", 0))).err());
    note("another board, as long", open(|frame| Ok(reply(frame, &[7; 16], 0))).err());
    note(
        "another version",
        open(|frame| {
            let hello = Hello { version: 9, payload: 1024, memory: 8 };
            Ok(reply(frame, &hello.encode(), 0))
        })
        .err(),
    );
    note("unplugged while writing", open(|_| Err(ErrorKind::WriteZero)).err());
    note("unplugged while reading", open(|_| Err(ErrorKind::BrokenPipe)).err());
    note("closed", open(|_| Err(ErrorKind::UnexpectedEof)).err());
    let with = |answer: Answer| open(answer).unwrap_or_else(|e| panic!("{e}"));
    let refuses: Answer = |f| Ok(if f[1] == 1 { hello(f) } else { reply(f, &[], 1) });
    let registers: Answer = |f| Ok(if f[1] == 1 { hello(f) } else { reply(f, &[0; 4], 2) });
    let memory: Answer = |f| Ok(if f[1] == 1 { hello(f) } else { reply(f, &[0; 8], 3) });
    let short: Answer = |f| Ok(if f[1] == 1 { hello(f) } else { reply(f, &[0; 3], 0) });
    let strange: Answer = |f| Ok(if f[1] == 1 { hello(f) } else { reply(f, &[0; 4], 200) });
    note("a refusal", with(refuses).write_register(0xa0, 1).err());
    note("a register", with(registers).read_register(0xa0).err());
    note("memory", with(memory).read_memory(4096, &mut [0; 8]).err());
    note("a short reply", with(short).read_register(0xa0).err());
    note("a strange status", with(strange).read_register(0xa0).err());
    note("outside", with(memory).write_memory((1 << 20) - 8, &[0; 9]).err());
    note("far outside", with(memory).read_memory(u64::MAX, &mut [0; 9]).err());
    insta::assert_snapshot!(messages);
}

/// Replies that come late, twice, or of other requests change nothing.
#[test]
fn stray_replies_are_passed_over() {
    let strays: Answer = |frame| {
        if frame[1] == 1 {
            return Ok(hello(frame));
        }
        let other = [frame[0].wrapping_sub(1), frame[1]];
        let wrong = [frame[0], frame[1] + 1];
        let value = [frame[4], 0, 0, 0];
        Ok([
            reply(&other, &[9; 4], 0),
            reply(&wrong, &[9; 4], 0),
            encode(&[frame[0]]),
            reply(frame, &value, 0),
            reply(frame, &[9; 4], 0),
        ]
        .concat())
    };
    let mut link = open(strays).unwrap_or_else(|e| panic!("{e}"));
    for offset in (0..200).step_by(4) {
        assert_eq!(link.read_register(offset).unwrap(), offset);
    }
    let Traffic { repeated, .. } = link.traffic();
    assert_eq!(repeated, 0);
}

/// A core that does not end what it was told to: the wait ends.
#[test]
fn waiting_ends() {
    let mut link = open(|frame| Ok(hello(frame))).unwrap_or_else(|e| panic!("{e}"));
    link.expect(1_000_000);
    let polls = (0..).take_while(|&n| link.wait(n).unwrap()).count();
    // Two seconds and what a megabyte takes, at 10 ms a look.
    assert!((205..215).contains(&polls), "{polls}");
    assert!(link.wait(0).unwrap(), "a new command has all the time");
}

/// All bytes through both units, at rates up to 2.5 % off.
#[test]
fn bytes_on_the_line() {
    let (hertz, baud) = (60_000_000u32, 3_000_000u32);
    let mut rng = Rng::new(seed());
    for off in [-25i64, 0, 25] {
        let sender = UartTx { hertz, baud: (i64::from(baud) * (1000 + off) / 1000) as u32 };
        let mut tx = mutate::bench(&sender.build().unwrap());
        let mut rx = mutate::bench(&UartRx { hertz, baud }.build().unwrap());
        tx.reset();
        rx.reset();
        let mut bytes: VecDeque<u8> = (0..=255).collect();
        let mut got = vec![];
        for clock in 0..256 * 340 {
            let offers = !bytes.is_empty() && (clock % 1000 < 700 || tx.u64("s_ready") == 0);
            tx.poke("s_valid", offers);
            tx.poke("s_data", bytes.front().copied().unwrap_or(0));
            if offers && tx.u64("s_ready") == 1 {
                bytes.pop_front();
            }
            // A spike of a clock now and then is outvoted.
            let spike = rng.one_in(97);
            rx.poke("rx", tx.u64("tx") ^ u64::from(spike && clock % 7 == 0));
            assert_eq!(rx.u64("bad"), 0);
            if rx.u64("valid") == 1 {
                got.push(rx.u64("data") as u8);
            }
            tx.step();
            rx.step();
        }
        assert_eq!(got, (0..=255).collect::<Vec<u8>>(), "{off} per mille");
    }
    let design = UartRx { hertz, baud }.build().unwrap();
    insta::assert_snapshot!("uart_rx", design.file(&design.top).unwrap());
}

/// Rates that a clock cannot make are refused.
#[test]
fn rates() {
    for (hertz, baud) in [(20_000_000, 3_000_000), (1000, 0)] {
        assert!(UartRx { hertz, baud }.build().is_err());
        assert!(UartTx { hertz, baud }.build().is_err());
    }
    assert!(UartRx { hertz: 24_000_000, baud: 3_000_000 }.build().is_ok());
}
