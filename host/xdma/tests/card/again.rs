//! What is tried again, how often, and what is opened anew.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sterna_xdma::{Limits, Options, XdmaCard};

use crate::double::{Double, Trouble};
use crate::{BYTES, options, pattern};

#[test]
fn passing_troubles_pass() {
    let double = Double::new(BYTES);
    let mut card = XdmaCard::open(Arc::new(double.clone()), None, options()).unwrap();
    let bytes = pattern(4 << 20);
    let mut back = vec![0; bytes.len()];
    for trouble in [
        Trouble::Half,
        Trouble::Errno(4),
        Trouble::Errno(5),
        Trouble::Errno(11),
        Trouble::Errno(110),
        Trouble::Errno(512),
    ] {
        double.trouble(trouble, "h2c", 2);
        card.write_memory(5, &bytes).unwrap();
        double.trouble(trouble, "c2h", 2);
        back.fill(0);
        card.read_memory(5, &mut back).unwrap();
        assert!(back == bytes, "{trouble:?}");
    }
    assert_eq!(card.retries(), 16, "four errors, twice each way");
    for times in 1..9 {
        double.trouble(Trouble::Errno(4), "user", times);
        card.write_register(8, times).unwrap();
        double.trouble(Trouble::Errno(4), "user", times);
        assert_eq!(card.read_register(8).unwrap(), times);
    }
    // A read that is lost, from a card that is there.
    card.write_register(0, 1).unwrap();
    for (offset, value) in [(8, 8), (0, 1)] {
        double.trouble(Trouble::Ones, "user", 1);
        assert_eq!(card.read_register(offset).unwrap(), value);
    }
}

/// A driver that is interrupted whenever it is called.
#[test]
fn interruptions_without_end_end() {
    let double = Double::new(BYTES);
    let mut card = XdmaCard::open(Arc::new(double.clone()), None, options()).unwrap();
    double.trouble(Trouble::Errno(4), "", u32::MAX);
    let begin = Instant::now();
    let codes = [
        card.read_register(8).unwrap_err().code(),
        card.write_register(8, 9).unwrap_err().code(),
        card.read_memory(0, &mut [0; 8]).unwrap_err().code(),
        card.write_memory(0, &[0; 8]).unwrap_err().code(),
    ];
    assert_eq!(codes, ["X009"; 4]);
    assert!(begin.elapsed() < Duration::from_millis(1600), "{:?}", begin.elapsed());
}

/// A call is made again a thousand times, and no more.
#[test]
fn a_thousand_interruptions_are_survived() {
    let double = Double::new(BYTES);
    let mut card = XdmaCard::open(Arc::new(double.clone()), None, Options::default()).unwrap();
    double.trouble(Trouble::Errno(4), "h2c", 1000);
    card.write_memory(0, &[1; 8]).unwrap();
    double.trouble(Trouble::Errno(4), "h2c", 1001);
    assert_eq!(card.write_memory(0, &[2; 8]).unwrap_err().code(), "X009");
}

#[test]
fn what_was_lost_may_come_back() {
    let double = Double::new(BYTES);
    let mut card = XdmaCard::open(Arc::new(double.clone()), None, options()).unwrap();
    double.trouble(Trouble::Errno(19), "", 1000);
    assert_eq!(card.write_memory(0, &[1]).unwrap_err().code(), "X012");
    assert_eq!(card.reopen().unwrap_err().code(), "X012");
    double.heal();
    card.reopen().unwrap();
    card.write_memory(0, &[1]).unwrap();
}

/// A transfer is tried again twice, a register is read again once.
#[test]
fn what_does_not_pass_is_told() {
    let double = Double::new(BYTES);
    let mut card = XdmaCard::open(Arc::new(double.clone()), None, options()).unwrap();
    double.trouble(Trouble::Errno(5), "h2c", 2);
    card.write_memory(0, &[1; 8]).unwrap();
    double.trouble(Trouble::Errno(5), "h2c", 3);
    assert_eq!(card.write_memory(0, &[1; 8]).unwrap_err().code(), "X009");
    double.trouble(Trouble::Errno(5), "user", 1);
    card.read_register(8).unwrap();
    double.trouble(Trouble::Errno(5), "user", 2);
    assert_eq!(card.read_register(8).unwrap_err().code(), "X009");
}

/// A call that a signal interrupts is made again until its time is over; that is not one more try.
#[test]
fn without_time_an_interruption_is_told() {
    let double = Double::new(BYTES);
    let limits = Limits { base: Duration::ZERO, ..options().limits };
    let options = Options { limits, ..options() };
    let mut card = XdmaCard::open(Arc::new(double.clone()), None, options).unwrap();
    assert_eq!(card.limits(), &limits);
    double.trouble(Trouble::Errno(4), "user", 1);
    assert_eq!(card.read_register(8).unwrap_err().code(), "X009");
    card.read_register(8).unwrap();
}

/// A card that was gone has new nodes: those that were open lead nowhere.
#[test]
fn every_node_is_opened_anew() {
    let double = Double::new(BYTES);
    let mut card = XdmaCard::open(Arc::new(double.clone()), None, options()).unwrap();
    let bytes = pattern(4 << 20);
    let mut back = vec![0; bytes.len()];
    card.write_memory(0, &bytes).unwrap();
    card.read_memory(0, &mut back).unwrap();
    double.replug();
    assert_eq!(card.read_register(8).unwrap_err().code(), "X012");
    card.reopen().unwrap();
    card.write_register(8, 7).unwrap();
    assert_eq!(card.read_register(8).unwrap(), 7);
    card.write_memory(0, &bytes).unwrap();
    back.fill(0);
    card.read_memory(0, &mut back).unwrap();
    assert!(back == bytes);
    double.interrupt();
    assert!(card.wait(Duration::from_millis(5)).unwrap());
}
