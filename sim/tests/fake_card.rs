//! The nodes of a fake card, in this process and as files.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sterna_firmware::geometry::Geometry;
use sterna_firmware::shape::Shape;
use sterna_hdl::registers::{self as regs, command, status};
use sterna_sim::fake_card::{FakeCard, Mounted};
use sterna_sim::soft_core::{Arithmetic, SoftCore};
use sterna_xdma::{Access, Files, Options, XdmaCard};

fn fake() -> FakeCard {
    let shape = Shape { hidden: 64, inner: 64, intermediate: 64, layers: 1, vocab: 2 };
    FakeCard::new(SoftCore::new(&Geometry::for_shape(64, &shape), 8 << 20, Arithmetic::Golden), 3)
}

/// Every way to a card, by name. Where there is no FUSE the one is skipped, and says so.
fn each(test: impl Fn(&str, Arc<dyn Access>)) {
    let card = fake();
    test("local", Arc::new(card.local()));
    if !Path::new("/dev/fuse").exists() {
        println!("SKIPPED: the nodes as files: there is no /dev/fuse");
        return;
    }
    let (card, directory) = (fake(), tempfile::tempdir().unwrap());
    let mounted = Mounted::new(&card, directory.path()).unwrap();
    test("files", Arc::new(Files::new(directory.path())));
    drop(mounted);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

fn open(access: &Arc<dyn Access>) -> XdmaCard {
    XdmaCard::open(Arc::clone(access), None, Options::default()).unwrap()
}

#[test]
fn it_is_what_the_driver_shows() {
    each(|name, access| {
        let mut card = open(&access);
        assert_eq!(card.found().index, 3);
        assert_eq!((card.found().h2c.len(), card.found().c2h.len()), (4, 4));
        assert_eq!(card.mapped(), name == "local");
        assert!(card.interrupts());
        let again = XdmaCard::open(Arc::clone(&access), None, Options::default());
        assert_eq!(again.map(|_| ()).unwrap_err().code(), "X007");
        assert_eq!(card.read_register(0).unwrap(), regs::ID_VALUE);
        let bytes: Vec<u8> = (0..3_000_001u32).map(|n| (n ^ n >> 9) as u8).collect();
        for at in [0, 4096, 77] {
            card.write_memory(at, &bytes).unwrap();
            let mut back = vec![0; bytes.len()];
            card.read_memory(at, &mut back).unwrap();
            assert!(back == bytes, "{name} at {at}");
        }
        // Behind the memory there is nothing.
        assert_eq!(card.write_memory((8 << 20) - 1, &[0; 2]).unwrap_err().code(), "X009");
        drop(card);
        drop(open(&access));
    });
}

#[test]
fn the_end_of_a_command_is_an_interrupt() {
    each(|name, access| {
        let mut card = open(&access);
        let short = Duration::from_millis(20);
        assert!(!card.wait(short).unwrap(), "{name}");
        card.write_register(regs::SLOT_MASK.offset, 1).unwrap();
        for _ in 0..3 {
            let begin = Instant::now();
            card.write_register(regs::COMMAND.offset, command::CLEAR).unwrap();
            assert!(card.wait(Duration::from_secs(5)).unwrap());
            assert!(begin.elapsed() < Duration::from_secs(1));
            let done = status::DONE | status::STATE_VALID;
            assert_eq!(card.read_register(regs::STATUS.offset).unwrap(), done);
            assert!(!card.wait(short).unwrap());
        }
        // One that works for a while: it fails, as there is no image.
        for (reg, value) in [(regs::COUNT, 1), (regs::IMAGE_UNITS, 5)] {
            card.write_register(reg.offset, value).unwrap();
        }
        card.write_register(regs::COMMAND.offset, command::RUN).unwrap();
        assert!(card.wait(Duration::from_secs(5)).unwrap());
        assert_eq!(card.read_register(regs::STATUS.offset).unwrap(), status::FAILED);
    });
}

#[test]
fn a_directory_left_behind_is_taken_over() {
    if !Path::new("/dev/fuse").exists() {
        println!("SKIPPED: the nodes as files: there is no /dev/fuse");
        return;
    }
    let (card, directory) = (fake(), tempfile::tempdir().unwrap());
    let user = directory.path().join("xdma3_user");
    let mounted = Mounted::new(&card, directory.path()).unwrap();
    // An open file outlives the directory.
    let file = fs::File::open(&user).unwrap();
    drop(mounted);
    assert!(!user.exists());
    let mut id = [0; 4];
    file.read_exact_at(&mut id, 0).unwrap();
    assert_eq!(u32::from_le_bytes(id), regs::ID_VALUE);
    drop(file);
    let _mounted = Mounted::new(&card, directory.path()).unwrap();
    assert!(user.exists());
}

#[test]
fn what_cannot_be_mounted_is_told() {
    let error = Mounted::new(&fake(), Path::new("no/such/directory")).map(|_| ()).unwrap_err();
    insta::assert_snapshot!(format!("{}: {error}", error.code()));
}
