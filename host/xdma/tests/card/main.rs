//! A card whose nodes are plain files, or a double that fails as it is told.

mod again;
mod double;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use double::{Double, Trouble};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use sterna_xdma::{Access, Files, Limits, Options, Shared, XdmaCard, XdmaError};

const BYTES: usize = 6 << 20;

/// One file under the names of all channels: what is written through one is read through another.
fn nodes(directory: &Path) {
    let path = |name: &str| directory.join(format!("xdma0_{name}"));
    fs::write(path("h2c_0"), vec![0; BYTES]).unwrap();
    for name in ["h2c_1", "h2c_2", "h2c_3", "c2h_0", "c2h_1"] {
        fs::hard_link(path("h2c_0"), path(name)).unwrap();
    }
    fs::write(path("user"), vec![0; 4096]).unwrap();
    fs::write(path("control"), []).unwrap();
}

fn pattern(length: usize) -> Vec<u8> {
    let mut x = 1u32;
    let mut next = || {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        x as u8
    };
    (0..length).map(|_| next()).collect()
}

fn files(directory: &Path) -> Arc<dyn Access> {
    Arc::new(Files::new(directory))
}

#[test]
fn memory_is_written_and_read_over_all_channels() {
    let directory = tempfile::tempdir().unwrap();
    nodes(directory.path());
    let mut card = XdmaCard::open(files(directory.path()), None, Options::default()).unwrap();
    assert_eq!((card.found().h2c.len(), card.found().c2h.len()), (4, 2));
    assert!(card.mapped() && !card.interrupts());
    let bytes = pattern(5 << 20);
    let shared: Shared = Arc::new(bytes.clone());
    for (at, range) in
        [(0, 0..0), (0, 0..1), (4096, 0..5 << 20), (123, 7..3_000_000), ((1 << 20) - 1, 1..3)]
    {
        for copy in [false, true] {
            card.write_memory(0, &vec![0; BYTES]).unwrap();
            if copy {
                card.write_memory(at, &bytes[range.clone()]).unwrap();
            } else {
                card.write_shared(at, &shared, range.clone()).unwrap();
            }
            let mut whole = vec![1; BYTES];
            card.read_memory(0, &mut whole).unwrap();
            let (from, to) = (at as usize, at as usize + range.len());
            assert!(whole[from..to] == bytes[range.clone()], "{range:?} at {at}");
            assert!(whole[..from].iter().chain(&whole[to..]).all(|&byte| byte == 0));
        }
    }
}

/// The driver refuses the other direction; a plain file does not, so the node itself has to.
#[test]
fn nodes_are_open_in_their_direction_alone() {
    let directory = tempfile::tempdir().unwrap();
    nodes(directory.path());
    fs::write(directory.path().join("xdma0_events_0"), [1; 4]).unwrap();
    for (name, reads, writes) in [
        ("h2c_0", false, true),
        ("c2h_0", true, false),
        ("events_0", true, false),
        ("user", true, true),
    ] {
        let node = files(directory.path()).open(&format!("xdma0_{name}")).unwrap();
        assert_eq!(node.read_at(&mut [0; 4], 0).is_ok(), reads, "{name}");
        assert_eq!(node.write_at(&[2; 4], 0).is_ok(), writes, "{name}");
    }
}

#[test]
fn registers_are_the_same_mapped_and_not() {
    let directory = tempfile::tempdir().unwrap();
    nodes(directory.path());
    for unmapped in [false, true] {
        let options = Options { unmapped, ..Options::default() };
        let mut card = XdmaCard::open(files(directory.path()), Some(0), options).unwrap();
        assert_eq!(card.mapped(), !unmapped);
        let value = 0x1234_5670 + u32::from(unmapped);
        card.write_register(0x84, value).unwrap();
        assert_eq!(card.read_register(0x84).unwrap(), value);
        let user = fs::read(directory.path().join("xdma0_user")).unwrap();
        assert_eq!(user[0x84..0x88], value.to_le_bytes());
        // Ones are a value like any other, unless all are.
        card.write_register(0x88, u32::MAX).unwrap();
        assert_eq!(card.read_register(0x88).unwrap(), u32::MAX);
        card.write_register(0, u32::MAX).unwrap();
        assert_eq!(card.read_register(0x88).unwrap_err().code(), "X012");
        card.write_register(0, 0).unwrap();
    }
}

#[test]
fn one_process_has_a_card() {
    let directory = tempfile::tempdir().unwrap();
    nodes(directory.path());
    let open = || XdmaCard::open(files(directory.path()), None, Options::default());
    for _ in 0..2 {
        let _card = open().unwrap();
        assert_eq!(open().map(|_| ()).unwrap_err().code(), "X007");
    }
    fs::remove_file(directory.path().join("xdma0_control")).unwrap();
    let _card = open().unwrap();
    assert_eq!(open().map(|_| ()).unwrap_err().code(), "X007");
}

/// Short deadlines.
fn options() -> Options {
    let limits = Limits { base: Duration::from_millis(150), rate: 100_000_000 };
    Options { limits, unmapped: false }
}

#[test]
fn a_hang_ends_at_the_deadline() {
    let double = Double::new(BYTES);
    let mut card = XdmaCard::open(Arc::new(double.clone()), None, options()).unwrap();
    let bytes = pattern(4 << 20);
    for node in ["h2c_0", "h2c_3", "h2c"] {
        double.trouble(Trouble::Hang, node, 4);
        let begin = Instant::now();
        let error = card.write_memory(0, &bytes).unwrap_err();
        assert_eq!(error.code(), "X011", "{error}");
        assert!(begin.elapsed() < Duration::from_millis(900), "{:?}", begin.elapsed());
        // The first that hangs is named.
        let first = if node == "h2c" { "h2c_0" } else { node };
        assert!(error.to_string().contains(&format!("/double/xdma0_{first}")), "{error}");
        // What hangs is left to itself, and the next transfer is right.
        double.heal();
        card.write_memory(0, &bytes).unwrap();
        let mut back = vec![0; bytes.len()];
        card.read_memory(0, &mut back).unwrap();
        assert!(back == bytes);
    }
}

#[test]
fn interrupts_are_waited_for() {
    let double = Double::new(BYTES);
    let mut card = XdmaCard::open(Arc::new(double.clone()), None, options()).unwrap();
    assert!(card.interrupts());
    assert!(!card.wait(Duration::from_millis(5)).unwrap());
    double.interrupt();
    assert!(card.wait(Duration::from_millis(5)).unwrap());
    assert!(!card.wait(Duration::from_millis(5)).unwrap());
    double.trouble(Trouble::Errno(5), "events", 1);
    double.interrupt();
    assert!(!card.wait(Duration::from_millis(5)).unwrap());
    assert!(card.wait(Duration::from_millis(5)).unwrap());
}

/// Of a node of the kernel's: whether it is ready is what `poll` says.
#[test]
fn a_node_is_ready_when_there_is_something_to_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("xdma0_events_0");
    mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let mut driver = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let node = files(directory.path()).open("xdma0_events_0").unwrap();
    assert!(!node.ready(Duration::from_millis(5)).unwrap());
    driver.write_all(&1u32.to_le_bytes()).unwrap();
    assert!(node.ready(Duration::from_millis(5)).unwrap());
}

/// Shared bytes go from where they are if they lie in their page as their address does in a page of
/// the card's; anything else is copied first.
#[test]
fn shared_bytes_are_copied_only_where_they_have_to_be() {
    const PAGE: usize = 4096;
    let double = Double::new(BYTES);
    let mut card = XdmaCard::open(Arc::new(double.clone()), None, options()).unwrap();
    let bytes = pattern(4 << 20);
    let begin = bytes.as_ptr() as usize;
    let inside = begin..begin + bytes.len();
    let shared: Shared = Arc::new(bytes);
    let bytes = (*shared).as_ref();
    for (at, place, length, copied) in [
        (0, 0, 3 << 20, false),
        (8192 + 100, 100, 2_500_000, false),
        (100, 101, 70_000, true),
        (0, 100, 70_000, true),
    ] {
        // The first byte at such a place of a page, of the second page on.
        let from = PAGE + (PAGE + place - begin % PAGE) % PAGE;
        card.write_memory(0, &vec![0; BYTES]).unwrap();
        double.sources();
        card.write_shared(at, &shared, from..from + length).unwrap();
        let sources = double.sources();
        let from_there = sources.iter().all(|source| inside.contains(source));
        assert_eq!(from_there, !copied, "{length} bytes of place {place} to {at}");
        let mut back = vec![0; length];
        card.read_memory(at, &mut back).unwrap();
        assert!(back == bytes[from..from + length], "{length} bytes of place {place} to {at}");
    }
}

/// Every message, each with its code.
#[test]
fn errors_say_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().display().to_string();
    let mut messages = vec![];
    let mut note = |error: Option<XdmaError>| {
        let error = error.expect("an error");
        messages.push(format!("{}: {error}", error.code()).replace(&root, "ROOT"));
    };
    let open = |index| XdmaCard::open(files(directory.path()), index, options()).err();
    note(XdmaCard::open(files(&directory.path().join("none")), None, options()).err());
    note(open(None));
    assert_eq!(open(Some(0)).unwrap().code(), "X002", "of no cards none is the wrong one");
    fs::write(directory.path().join("xdma1_user"), []).unwrap();
    note(open(Some(0)));
    note(open(None));
    nodes(directory.path());
    let card = XdmaCard::open(files(directory.path()), Some(0), options()).unwrap();
    note(open(Some(0)));
    drop(card);

    let double = Double::new(BYTES);
    let open = || XdmaCard::open(Arc::new(double.clone()), None, options());
    for errno in [13, 2, 24, 19] {
        double.trouble(Trouble::Errno(errno), "c2h_0", 1);
        note(open().err());
    }
    double.trouble(Trouble::Lock, "control", 1);
    note(open().err());
    let mut card = open().unwrap();
    let bytes = vec![1; 8192];
    for trouble in [5, 14, 110, 512, 6].map(Trouble::Errno).into_iter().chain([Trouble::Nothing]) {
        double.trouble(trouble, "h2c", 9);
        note(card.write_memory(4096, &bytes).err());
        double.heal();
    }
    double.trouble(Trouble::Errno(5), "c2h", 9);
    note(card.read_memory(4096, &mut [0; 64]).err());
    double.trouble(Trouble::Hang, "c2h", 1);
    note(card.read_memory(4096, &mut [0; 64]).err());
    drop(card);
    let mut card =
        XdmaCard::open(Arc::new(double.clone()), None, Options { unmapped: true, ..options() })
            .unwrap();
    for trouble in [Trouble::Errno(5), Trouble::Half, Trouble::Errno(19), Trouble::Ones] {
        double.trouble(trouble, "user", 2);
        note(card.read_register(0xc0).err());
        double.heal();
    }
    double.trouble(Trouble::Errno(5), "user", 1);
    note(card.write_register(0xa0, 1).err());
    double.trouble(Trouble::Errno(19), "events", 1);
    note(card.wait(Duration::from_millis(1)).err());
    insta::assert_snapshot!(messages.join("\n"));
}

#[test]
fn channels_are_used_alone_or_together() {
    let double = Double::new(BYTES);
    let mut card = XdmaCard::open(Arc::new(double.clone()), None, options()).unwrap();
    let bytes = pattern(5 << 20);
    for (node, ways) in [("h2c", 4), ("c2h", 2)] {
        for broken in 0..ways {
            double.trouble(Trouble::Errno(5), &format!("{node}_{broken}"), u32::MAX);
            for used in 0..ways {
                let lanes = if node == "h2c" { (Some(used), None) } else { (None, Some(used)) };
                card.use_channels(lanes.0, lanes.1);
                let mut read = vec![0; bytes.len()];
                let written = card.write_memory(0, &bytes);
                let result = written.and_then(|()| card.read_memory(0, &mut read));
                assert_eq!(result.is_err(), used == broken, "{node}_{used}, {broken} is broken");
                assert!(used == broken || read == bytes);
            }
            // All of them, or one that is not there: the broken one is among them.
            for all in [None, Some(4)] {
                card.use_channels(all, all);
                let written = card.write_memory(0, &bytes);
                let result = written.and_then(|()| card.read_memory(0, &mut vec![0; bytes.len()]));
                assert!(result.is_err(), "{node}: {broken} is broken");
            }
            double.heal();
        }
    }
    card.use_channels(None, None);
    card.write_memory(0, &bytes).unwrap();
}
