//! Where things are, and what they are called: rings of every size, images of any name.

use sterna_firmware::device::Device;
use sterna_firmware::isa::Opcode;
use sterna_hdl::record;
use sterna_hdl::registers::{self as regs, command};
use sterna_rtl::random::Rng;

use super::super::bench::{BLANK, Bench, TOKEN};

/// An image that begins in the last page of a ring and goes on in its first: the record is the same,
/// whichever bits of an address stay.
pub fn rings(bench: &mut Bench, rng: &mut Rng, _: usize) {
    bench.works();
    let map = bench.card.map().clone();
    let length = record::stride(bench.card.geometry().top_k);
    let due = bench.bytes(map.results, length);
    let image = bench.walk.last().unwrap().end();
    let bytes = bench.bytes(map.image, image);
    let least = image.next_power_of_two().trailing_zeros().max(13);
    for size in (least..40).map(|bits| 1u64 << bits) {
        // The bits that stay are set in one of two rings, and not in the other.
        let pattern = if size.trailing_zeros() % 2 == 0 { rng.next_u64() } else { u64::MAX };
        let ring = pattern & ((1 << 40) - 1) & !(size - 1);
        // Not where the rest of the model is.
        let ring = if ring < map.end { ring | 1 << 39 } else { ring };
        let (last, first) = (ring + size - 4096, ring);
        assert!(bench.memory().write(last, &bytes[..4096]));
        assert!(bench.memory().write(first, &bytes[4096..]));
        bench.set(&regs::IMAGE_LO, last as u32);
        bench.set(&regs::IMAGE_HI, (last >> 32) as u32);
        bench.set(&regs::IMAGE_RING, (!(size - 1) << 24 >> 36) as u32);
        bench.obeys(command::CLEAR, 0, 1);
        assert!(bench.memory().write(map.results, &vec![BLANK; length]));
        bench.set(&regs::TOKENS[0], TOKEN);
        bench.obeys(command::RUN, 0, 1);
        assert_eq!(bench.bytes(map.results, length), due, "a ring of {size:#x} bytes");
    }
    bench.set(&regs::IMAGE_RING, 0);
    Device::reset(&mut bench.card).unwrap();
    bench.works();
}

/// The name of the image that was read last, whatever it is.
pub fn names(bench: &mut Bench, rng: &mut Rng, places: usize) {
    let start = bench.segment(Opcode::Start);
    let mut name = 0;
    for n in 0..2 * places {
        bench.mend();
        name = if n % 2 == 0 { rng.next_u64() } else { !name };
        bench.header(&start, |words| {
            (words[11], words[12]) = (name as u32, (name >> 32) as u32);
        });
        bench.command(command::CLEAR);
        bench.set(&regs::TOKENS[0], TOKEN);
        bench.obeys(command::RUN, 0, 1);
        let said = [&regs::IMAGE_ID_HI, &regs::IMAGE_ID_LO].map(|reg| u64::from(bench.get(reg)));
        assert_eq!(said[0] << 32 | said[1], name);
        assert!(bench.card.transport().interrupts().unwrap());
    }
    bench.works();
}
