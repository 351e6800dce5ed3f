//! No damage goes unnoticed at any of three fences: the container's checksums, the image's own
//! headers and checksums, and the bytes that only a pass looks at.

mod common;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use common::{Desk, PAGE, Parts, Random, seal, seal_file, seal_header, set_word, word};
use sterna_firmware::FirmwareError;
use sterna_firmware::compile::compile;
use sterna_firmware::device::{Device, Step, Want};
use sterna_firmware::file::SectionKind;
use sterna_firmware::float::Float;
use sterna_firmware::golden::Golden;
use sterna_firmware::isa::{Opcode, UNIT};
use sterna_firmware::kernel::Kernel;
use sterna_firmware::model::Model;
use sterna_firmware::trits;
use sterna_model::checkpoint::Checkpoint;

/// Flips single bits of the good file in place; each must be refused for the right reason.
fn flip_bits(desk: &Desk, bits: impl Iterator<Item = usize>) {
    fs::write(desk.path(), &desk.good).unwrap();
    let file = OpenOptions::new().write(true).open(desk.path()).unwrap();
    let sections = Model::open(&desk.path()).unwrap().container().sections().to_vec();
    for bit in bits {
        let (at, was) = (bit / 8, desk.good[bit / 8]);
        file.write_all_at(&[was ^ 1 << (bit % 8)], at as u64).unwrap();
        let error = Model::open(&desk.path()).err().unwrap_or_else(|| panic!("bit {bit} accepted"));
        let place = sections.iter().rfind(|s| s.offset as usize <= at);
        match (&error, place) {
            (FirmwareError::NotSterna { .. }, None) if at < 8 => {}
            (FirmwareError::Checksum { what, .. }, None) => assert_eq!(what, "header"),
            (FirmwareError::Checksum { what, .. }, Some(s)) => {
                assert!(what.starts_with(&s.kind.to_string()), "bit {bit}: {error}");
            }
            _ => panic!("bit {bit}: {error}"),
        }
        file.write_all_at(&[was], at as u64).unwrap();
    }
    Model::open(&desk.path()).expect("all bits are back");
}

#[test]
fn every_bit_of_the_header_counts() {
    flip_bits(&Desk::new(), 0..PAGE * 8);
}

#[test]
fn any_bit_of_the_sections_counts() {
    let desk = Desk::new();
    let mut random = Random::seeded();
    fs::write(desk.path(), &desk.good).unwrap();
    let model = Model::open(&desk.path()).unwrap();
    let mut bits: Vec<usize> =
        (0..2000).map(|_| (PAGE + random.below(desk.good.len() - PAGE)) * 8).collect();
    for section in model.container().sections() {
        let used = (section.offset + section.length) as usize;
        let padding = used.next_multiple_of(PAGE) - used;
        bits.extend([section.offset as usize * 8, used * 8 - 8]);
        if padding > 0 {
            bits.extend((0..200).map(|_| (used + random.below(padding)) * 8));
            bits.push(used * 8);
        }
    }
    flip_bits(&desk, bits.into_iter().map(|bit| bit + random.below(8)));
}

#[test]
fn cut_or_longer_files_are_refused() {
    let desk = Desk::new();
    let mut random = Random::seeded();
    let length = desk.good.len();
    let boundaries = desk.open(&desk.good).unwrap().container().sections().to_vec();
    let mut lengths: Vec<usize> = (0..300).map(|_| random.below(length)).collect();
    lengths.extend([0, 1, 8, 64, PAGE - 1, PAGE, PAGE + 1, length - 1]);
    for section in boundaries {
        let (start, used) = (section.offset as usize, (section.offset + section.length) as usize);
        lengths.extend([start - 1, start, start + 1, used - 1, used, used + 1]);
    }
    for cut in lengths {
        let error = desk.open(&desk.good[..cut]).err().unwrap_or_else(|| panic!("cut to {cut}"));
        assert_eq!(error.code(), if cut < PAGE { "F002" } else { "F005" }, "cut to {cut}: {error}");
    }
    for more in [1, 63, PAGE, 3 * PAGE] {
        let error = desk.open(&[&desk.good[..], &vec![0; more]].concat()).err().expect("too long");
        assert_eq!(error.code(), "F005", "{more} bytes more: {error}");
    }
}

/// The documentation of the format suffices to write a file, and sections may come in any order.
#[test]
fn the_container_is_as_documented() {
    let desk = Desk::new();
    let mut parts = desk.parts();
    assert_eq!(parts.bytes(), desk.good);
    parts.sections.reverse();
    assert_ne!(parts.bytes(), desk.good);
    desk.open(&parts.bytes()).expect("sections in another order");
}

/// Refusals as one text.
struct Table<'a> {
    desk: &'a Desk,
    text: String,
}

impl Table<'_> {
    fn refused(&mut self, case: &str, file: &[u8]) {
        let error = self.desk.open(file).err().unwrap_or_else(|| panic!("{case}: accepted"));
        writeln!(self.text, "{case}\n  {}", self.desk.message(&error)).unwrap();
    }

    /// A file with other sections and right checksums.
    fn parts(&mut self, case: &str, change: impl FnOnce(&mut Parts)) {
        let mut parts = self.desk.parts();
        change(&mut parts);
        self.refused(case, &parts.bytes());
    }

    /// A file with another header, whose checksum is right.
    fn header(&mut self, case: &str, change: impl FnOnce(&mut [u8])) {
        let mut file = self.desk.good.clone();
        change(&mut file);
        seal_file(&mut file);
        self.refused(case, &file);
    }

    /// A file whose segment `n` has other words in its header, with right checksums.
    fn words(&mut self, case: &str, n: usize, words: &[(usize, u32)]) {
        let instruction = self.desk.walk()[n];
        self.parts(case, |parts| {
            let image = parts.section(SectionKind::Image);
            for &(word, value) in words {
                set_word(image, instruction.offset + 4 * word, value);
            }
            seal_header(image, &instruction);
        });
    }
}

#[test]
fn containers_that_lie() {
    use SectionKind::{Embedding, Host, Image, Model, Tokenizer};
    let desk = Desk::new();
    let length = desk.good.len() as u32;
    let mut t = Table { desk: &desk, text: String::new() };
    t.refused("an empty file", &[]);
    t.refused("another file of some length", &[b'x'; 5000]);
    t.parts("format version 2", |p| p.version = 2);
    t.header("125 sections, the most", |f| set_word(f, 12, 125));
    t.header("126 sections", |f| set_word(f, 12, 126));
    t.parts("a section of kind 0", |p| p.sections.push((0, vec![1])));
    t.parts("a section of kind 6", |p| p.sections.push((6, vec![1])));
    t.parts("a section twice", |p| p.sections.push((Host as u32, vec![1])));
    t.parts("no sections", |p| p.sections.clear());
    for kind in [Model, Embedding, Image] {
        t.parts(&format!("no {kind} section"), |p| p.remove(kind));
    }
    t.parts("image and embedding under each other's name", |p| {
        for (kind, _) in &mut p.sections {
            *kind = match *kind {
                k if k == Image as u32 => Embedding as u32,
                k if k == Embedding as u32 => Image as u32,
                k => k,
            };
        }
    });
    t.header("swapped sections", |file| {
        let [a, b] = [64, 96].map(|at| word(file, at + 8) as usize);
        for n in 0..64 {
            file.swap(a + n, b + n);
        }
    });
    t.header("more sections than fit", |file| set_word(file, 12, 126));
    t.header("one section less", |file| {
        let count = word(file, 12);
        set_word(file, 12, count - 1);
    });
    t.header("a greater length", |file| set_word(file, 16, length + PAGE as u32));
    t.header("a length beyond 32 bits", |file| set_word(file, 20, 1));
    t.header("a gap before a section", |file| set_word(file, 96 + 8, length));
    t.header("a section onto the header", |file| set_word(file, 64 + 8, 0));
    t.header("a section past the end", |file| set_word(file, 64 + 16, length));
    t.header("a section longer than any file", |file| {
        set_word(file, 64 + 16, u32::MAX);
        set_word(file, 64 + 20, u32::MAX);
    });
    t.parts("model: no JSON", |p| *p.section(Model) = b"\x00garbage".to_vec());
    t.parts("model: other JSON", |p| *p.section(Model) = b"{\"shape\": 3}".to_vec());
    t.parts("model: nothing", |p| p.section(Model).clear());
    t.parts("model: nested without end", |p| *p.section(Model) = vec![b'['; 100_000]);
    t.parts("model: another shape", |p| {
        let json = String::from_utf8(p.section(Model).clone()).unwrap();
        *p.section(Model) = json.replacen("\"vocab\": 11", "\"vocab\": 12", 1).into_bytes();
    });
    t.parts("embedding: a row too few", |p| p.section(Embedding).truncate(128 * 10));
    t.parts("embedding: a byte too many", |p| p.section(Embedding).push(0));
    insta::assert_snapshot!(t.text);

    // Not needed to open: refused by those who use them.
    let mut parts = desk.parts();
    parts.sections.push((Tokenizer as u32, b"{}".to_vec()));
    assert_eq!(desk.open(&parts.bytes()).unwrap().tokenizer().err().unwrap().code(), "M060");
}

#[test]
fn images_that_lie() {
    let desk = Desk::new();
    let walk = desk.walk();
    let image = SectionKind::Image;
    let good = desk.parts().section(image).clone();
    let at = |n: usize, w: usize| word(&good, walk[n].offset + 4 * w);
    let (start, mix_i, mix_f, glu) = (0, 1, 2, 5);
    assert_eq!(walk[glu].opcode, Opcode::Glu);
    let mut t = Table { desk: &desk, text: String::new() };
    t.parts("nothing", |p| p.section(image).clear());
    t.parts("half a header", |p| p.section(image).truncate(UNIT / 2));
    t.parts("a unit too few", |p| p.section(image).truncate(good.len() - UNIT));
    t.parts("a unit too many", |p| p.section(image).extend([0; UNIT]));
    t.parts("no START", |p| drop(p.section(image).drain(..walk[1].offset)));
    t.parts("a damaged header", |p| p.section(image)[walk[mix_f].offset + 9] ^= 1);
    t.parts("a damaged payload", |p| p.section(image)[walk[glu].end() - 1] ^= 1);
    t.words("another payload checksum", glu, &[(3, at(glu, 3) ^ 1)]);
    t.words("ISA version 2", mix_i, &[(0, at(mix_i, 0) + 0x100)]);
    t.words("ISA version 2 of START", start, &[(0, at(start, 0) + 0x100)]);
    t.words("opcode 0", mix_i, &[(0, at(mix_i, 0) & !0xff)]);
    t.words("opcode 9", mix_i, &[(0, at(mix_i, 0) & !0xff | 9)]);
    t.words("MIX_F in place of MIX_I", mix_i, &[(0, at(mix_i, 0) + 1)]);
    t.words("START in place of MIX_I", mix_i, &(0..15).map(|w| (w, at(0, w))).collect::<Vec<_>>());
    t.words("a sequence number twice", mix_f, &[(1, 1)]);
    t.words("sequence numbers from 1", start, &[(1, 1)]);
    t.words("another layer", mix_i, &[(0, at(mix_i, 0) + 0x1_0000)]);
    t.words("a row more", mix_i, &[(4, 33)]);
    t.words("no rows", mix_i, &[(4, 0)]);
    t.words("other columns", mix_i, &[(5, 64)]);
    t.words("no columns", mix_i, &[(5, 0)]);
    t.words("a longer payload", mix_i, &[(2, at(mix_i, 2) + 1)]);
    t.words("a payload longer than any image", mix_i, &[(2, u32::MAX)]);
    t.words("fewer operands", mix_f, &[(5, 32)]);
    t.words("more operands than payload", mix_f, &[(5, 32 | 0xffff << 16)]);
    t.words("two channels", start, &[(6, 2 << 16)]);
    t.words("channel 1 of 1", start, &[(6, 1 | 1 << 16)]);
    t.words("no channels", start, &[(6, 0)]);
    t.words("every second row group", mix_i, &[(6, 2 << 16)]);
    t.words("row groups from 1 in steps of 1", mix_i, &[(6, 1 | 1 << 16)]);
    for (case, w, bit) in [("opcode", 0, 16), ("word 7", 7, 24), ("word 14", 14, 0)] {
        t.words(&format!("a reserved bit of START: {case}"), start, &[(w, at(0, w) ^ 1 << bit)]);
    }
    for (w, bit) in [(7, 16), (7, 31), (11, 0), (12, 5), (13, 31), (14, 7)] {
        let value = at(mix_i, w) ^ 1 << bit;
        t.words(&format!("a reserved bit of MIX_I: word {w}"), mix_i, &[(w, value)]);
    }
    for w in [8, 9, 10] {
        t.words(&format!("a scale that is not normalised: word {w}"), mix_i, &[(w, 1)]);
    }
    t.words("21 fraction bits of a", mix_i, &[(7, at(mix_i, 7) & !0xff | 21)]);
    t.words("-1 fraction bits of the state", mix_f, &[(7, at(mix_f, 7) | 0xff00)]);
    t.words("21 fraction bits of the gate", glu, &[(7, 21)]);
    let operand_units = at(start, 5) & 0xffff_0000;
    t.words("hidden 48", start, &[(5, operand_units | 48)]);
    t.words("hidden 16416", start, &[(5, operand_units | 16_416)]);
    t.words("hidden 16384, the most", start, &[(5, operand_units | 16_384)]);
    t.words("hidden 0", start, &[(5, operand_units)]);
    t.words("hidden 64", start, &[(5, operand_units | 64)]);
    t.words("hidden 64 and its rows", start, &[(5, operand_units | 64), (13, 192)]);
    t.words("inner 33", start, &[(8, at(start, 8) + 1)]);
    t.words("intermediate 16416", start, &[(8, 32 | 16_416 << 16)]);
    t.words("no inner width", start, &[(8, at(start, 8) & !0xffff)]);
    t.words("no intermediate width", start, &[(8, at(start, 8) & 0xffff)]);
    t.words("no layers", start, &[(7, at(start, 7) & !0xffff)]);
    t.words("513 layers", start, &[(7, at(start, 7) & !0xffff | 513)]);
    t.words("512 layers, the most", start, &[(7, at(start, 7) & !0xffff | 512)]);
    t.words("a vocabulary of one", start, &[(4, 1)]);
    t.words("a vocabulary of 2^20 + 1", start, &[(4, (1 << 20) + 1)]);
    t.words("a vocabulary of 2^20, the most", start, &[(4, 1 << 20)]);
    t.words("another row stride", start, &[(13, 64)]);
    t.words("a segment more", start, &[(9, at(start, 9) + 1)]);
    t.words("a unit more", start, &[(10, at(start, 10) + 1)]);
    insta::assert_snapshot!(t.text);
}

/// The image needs no container: this is all that the core itself has.
#[test]
fn any_bit_of_the_image_counts_under_a_right_container() {
    let desk = Desk::new();
    let mut random = Random::seeded();
    let mut parts = desk.parts();
    for _ in 0..2000 {
        let image = parts.section(SectionKind::Image);
        let (at, mask) = (random.below(image.len()), 1 << random.below(8));
        image[at] ^= mask;
        let file = parts.bytes();
        parts.section(SectionKind::Image)[at] ^= mask;
        let error = desk.open(&file).err().unwrap_or_else(|| panic!("byte {at}: accepted"));
        let segment = desk.walk().iter().rposition(|i| i.offset <= at).unwrap();
        let in_header = at < desk.walk()[segment].payload_offset();
        match error {
            FirmwareError::Header { segment: s, .. } => assert_eq!((s, true), (segment, in_header)),
            FirmwareError::Segment { segment: s, .. } => {
                assert_eq!((s, false), (segment, in_header));
            }
            error => panic!("byte {at}: {error}"),
        }
    }
}

fn step(token: u32, want: Want) -> [Step; 1] {
    [Step { slot: 0, token, want }]
}

#[test]
fn every_bit_of_an_embedding_row_counts() {
    let desk = Desk::new();
    let stride = desk.shape.row_stride();
    for bit in 0..stride * 8 {
        let mut parts = desk.parts();
        // All rows but the first, which must still be read.
        for row in parts.section(SectionKind::Embedding).chunks_exact_mut(stride).skip(1) {
            row[bit / 8] ^= 1 << (bit % 8);
        }
        let model = desk.open(&parts.bytes()).unwrap();
        model.row(0).unwrap();
        for token in 1..desk.shape.vocab as u32 {
            let error = model.row(token).err().unwrap_or_else(|| panic!("bit {bit}: accepted"));
            assert_eq!(error.code(), "F010");
        }
    }
}

#[test]
fn a_bad_row_stops_golden_and_clearing_frees_it() {
    let desk = Desk::new();
    let stride = desk.shape.row_stride();
    let mut parts = desk.parts();
    let rows = parts.section(SectionKind::Embedding);
    rows[3 * stride + 7] ^= 4;
    rows.copy_within(5 * stride..6 * stride, 6 * stride);
    // Shift 17, with a right checksum.
    let row = &mut rows[7 * stride..8 * stride];
    set_word(row, stride - 12, 17);
    let crc = crc32c::crc32c(&row[..stride - 4]);
    set_word(row, stride - 4, crc);
    let model = desk.open(&parts.bytes()).unwrap();
    let mut golden = Golden::new(Arc::clone(&model), 2).unwrap();
    let mut fresh = Golden::new(model, 2).unwrap();
    let want = fresh.pass(&step(5, Want::Logits)).unwrap();
    let mut text = String::new();
    for (case, token) in [("damaged", 3), ("another token's", 6), ("field", 7), ("none", 11)] {
        golden.pass(&step(1, Want::Top)).unwrap();
        // Also when the bad row is not the pass's first.
        let steps = [(1, 2), (0, token)].map(|(slot, token)| Step { slot, token, want: Want::Top });
        let error = golden.pass(&steps).expect_err(case);
        writeln!(text, "{case}\n  {}", desk.message(&error)).unwrap();
        golden.clear(0).unwrap();
        golden.clear(1).unwrap();
        assert_eq!(golden.pass(&step(5, Want::Logits)).unwrap(), want, "after {case}");
        golden.clear(0).unwrap();
    }
    insta::assert_snapshot!(text);
}

/// Puts bytes that are no trit blocks into weights, under right checksums.
fn with_bytes(desk: &Desk, segment: usize, bytes: &[(usize, u8)]) -> Arc<Model> {
    let mut parts = desk.parts();
    let image = parts.section(SectionKind::Image);
    bytes.iter().for_each(|&(at, byte)| image[at] = byte);
    seal(image, &desk.walk()[segment]);
    desk.open(&parts.bytes()).expect("opening does not look at weights")
}

fn devices(model: &Arc<Model>) -> Vec<Box<dyn Device>> {
    let mut devices: Vec<Box<dyn Device>> =
        vec![Box::new(Float::new(Arc::clone(model), 1).unwrap())];
    for kernel in Kernel::available() {
        devices.push(Box::new(Golden::with_kernel(Arc::clone(model), 1, kernel).unwrap()));
    }
    devices
}

#[test]
fn bytes_that_are_no_trits_are_named() {
    let desk = Desk::new();
    let mut random = Random::seeded();
    let bad: Vec<u8> = (0..=255).filter(|&byte| trits::decode(byte).is_none()).collect();
    for instruction in desk.walk().into_iter().skip(1) {
        let (start, end) = (instruction.weights_offset(), instruction.end());
        // First and last (a padding column), both ends of each part, and somewhere.
        let parts = (0..instruction.opcode.parts()).map(|n| start + n * instruction.part_bytes());
        let mut places: Vec<usize> = parts.flat_map(|at| [at, at + 31, at + 32]).collect();
        places.extend([end - 1, start + random.below(end - start)]);
        for at in places {
            let byte = bad[random.below(bad.len())];
            // Of two bytes the first is named, whatever thread sees which first.
            let other = at + random.below(end - at);
            let bytes = [(other, bad[0]), (at, byte)];
            let model = with_bytes(&desk, instruction.sequence, &bytes);
            for mut device in devices(&model) {
                let name = device.name();
                match device.pass(&step(4, Want::Top)) {
                    Err(FirmwareError::TritBlock { segment, offset, byte: named, .. }) => {
                        let got = (segment, offset, named);
                        assert_eq!(got, (instruction.sequence, at, byte), "{name}");
                    }
                    Err(error) => panic!("{name}, byte {at}: {error}"),
                    Ok(_) => panic!("{name}, byte {at}: accepted"),
                }
            }
        }
    }
}

#[test]
fn clearing_frees_a_device_from_a_bad_byte() {
    let desk = Desk::new();
    let head = desk.walk().len() - 1;
    let at = desk.walk()[head].weights_offset() + 1;
    let model = with_bytes(&desk, head, &[(at, 0xff)]);
    let mut messages = BTreeSet::new();
    for mut device in devices(&model) {
        device.pass(&step(2, Want::State)).expect("the head is not read");
        let error = device.pass(&step(3, Want::Top)).expect_err("the head is read");
        messages.insert(desk.message(&error));
        device.clear(0).unwrap();
        device.pass(&step(4, Want::State)).expect("cleared");
    }
    // The same on every device.
    insta::assert_snapshot!(messages.into_iter().collect::<Vec<_>>().join("\n"));
    let mut golden = Golden::new(Arc::clone(&model), 1).unwrap();
    golden.pass(&step(3, Want::Top)).unwrap_err();
    golden.clear(0).unwrap();
    golden.pass(&step(4, Want::State)).unwrap();
    let mut fresh = Golden::new(desk.open(&desk.good).unwrap(), 1).unwrap();
    fresh.pass(&step(4, Want::State)).unwrap();
    assert!(golden.state(0).iter().any(|&state| state != 0));
    assert_eq!(golden.state(0), fresh.state(0));
}

#[test]
fn only_float_needs_the_host_section() {
    let desk = Desk::new();
    let golden = |model: &Arc<Model>| {
        Golden::new(Arc::clone(model), 1).unwrap().pass(&step(1, Want::Logits)).unwrap()
    };
    let want = golden(&desk.open(&desk.good).unwrap());
    let mut text = String::new();
    let mut refused = |case: &str, change: &dyn Fn(&mut Parts)| {
        let mut parts = desk.parts();
        change(&mut parts);
        let model = desk.open(&parts.bytes()).unwrap();
        assert_eq!(golden(&model), want, "{case}");
        let error = Float::new(model, 1).err().expect(case);
        writeln!(text, "{case}\n  {}", desk.message(&error)).unwrap();
    };
    let rename = |from: &'static str, to: &'static str| {
        move |parts: &mut Parts| {
            let host = parts.section(SectionKind::Host);
            let at = host.windows(from.len()).position(|w| w == from.as_bytes()).expect(from);
            host[at..at + from.len()].copy_from_slice(to.as_bytes());
        }
    };
    refused("no host section", &|p| p.remove(SectionKind::Host));
    refused("nothing in it", &|p| p.section(SectionKind::Host).clear());
    refused("garbage", &|p| p.section(SectionKind::Host).fill(0xa5));
    refused("cut", &|p| {
        let host = p.section(SectionKind::Host);
        host.truncate(host.len() - 4);
    });
    refused("a tensor is missing", &rename("model.norm.weight", "model.mron.weight"));
    refused("a scale is missing", &rename("lm_head.weight.t", "lm_head.weight.u"));
    refused("another type", &rename("\"BF16\"", "\"I16\" "));
    insta::assert_snapshot!(text);
}

/// A slot that a device does not have, and two steps of one slot.
#[test]
fn slots_are_checked() {
    let desk = Desk::new();
    let model = desk.open(&desk.good).unwrap();
    let mut text = String::new();
    for mut device in devices(&model) {
        let one = Step { slot: 0, token: 1, want: Want::Top };
        let errors = [
            device.pass(&[one, one]).unwrap_err(),
            device.pass(&[Step { slot: 1, ..one }]).unwrap_err(),
            device.clear(1).unwrap_err(),
        ];
        for error in errors {
            writeln!(text, "{}: {}", device.name(), desk.message(&error)).unwrap();
        }
    }
    let none = [Golden::new(Arc::clone(&model), 0).err(), Float::new(model, 0).err()];
    for error in none {
        writeln!(text, "{}", desk.message(&error.unwrap())).unwrap();
    }
    // One golden device a kernel, and machines differ in kernels.
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.dedup();
    insta::assert_snapshot!(lines.join("\n"));
}

/// Overwrites the last element of a tensor of bf16 with a value.
fn set_last(desk: &Desk, tensor: &str, value: u16) {
    let path = desk.dir.path().join("checkpoint/model.safetensors");
    let mut file = fs::read(&path).unwrap();
    let header = 8 + word(&file, 0) as usize;
    let json: serde_json::Value = serde_json::from_slice(&file[8..header]).unwrap();
    let end = header + json[tensor]["data_offsets"][1].as_u64().unwrap() as usize;
    file[end - 2..end].copy_from_slice(&value.to_le_bytes());
    fs::write(path, file).unwrap();
}

#[test]
fn an_interrupted_import_leaves_everything_as_it_was() {
    let desk = Desk::new();
    let out = desk.dir.path().join("out");
    fs::create_dir(&out).unwrap();
    let names = || -> Vec<_> {
        let entries = fs::read_dir(&out).unwrap();
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    };
    let mut text = String::new();
    // The head is the last matrix that an import reads. With an embedding of 1e38 the residual
    // has no unit, which is known only when all matrices are written.
    for (tensor, value) in [("lm_head.weight", 0x7fc0), ("model.embeddings.weight", 0x7e96)] {
        set_last(&desk, tensor, value);
        for old in [None, Some(b"an older model")] {
            let target = out.join("model.sterna");
            if let Some(old) = old {
                fs::write(&target, old).unwrap();
            }
            let before = names();
            let mut seen = 0;
            let checkpoint = Checkpoint::open(&desk.dir.path().join("checkpoint")).unwrap();
            let error = compile(&checkpoint, &target, &mut |_| seen = seen.max(names().len()))
                .expect_err(tensor);
            assert_eq!(seen, before.len() + 1, "nothing was begun");
            assert_eq!(names(), before, "{tensor}");
            if let Some(old) = old {
                assert_eq!(fs::read(&target).unwrap(), old);
                fs::remove_file(&target).unwrap();
            } else {
                writeln!(text, "{}", desk.message(&error)).unwrap();
            }
        }
        set_last(&desk, tensor, 0x3f80);
    }
    insta::assert_snapshot!(text);
    let checkpoint = Checkpoint::open(&desk.dir.path().join("checkpoint")).unwrap();
    compile(&checkpoint, &out.join("model.sterna"), &mut |_| ()).expect("whole again");
    assert_eq!(names(), ["model.sterna"]);
}
