//! A model through a memory that is too small for it.

use std::sync::Arc;

use sterna_firmware::device::{Device, Step, Want};
use sterna_firmware::golden::Golden;
use sterna_hdl::driver::{Settings, Transport};
use sterna_hdl::registers as regs;
use sterna_model::synth::SynthSpec;
use sterna_sim::fuzz::made_up;
use sterna_sim::memory::{Injection, MemoryOptions, Stalls};

use crate::common::{card, geometry, memory};

/// Passes with and without head through a ring of two pages, which the core goes round while the
/// host writes it; an error of the memory in the middle; golden's answers before and after.
#[test]
fn a_model_streams_through_a_ring() {
    let model = made_up(&SynthSpec::new(96, 2, 103)).unwrap();
    for (bus, stalls) in [(64, Stalls::None), (128, Stalls::Random), (512, Stalls::Burst)] {
        let memory = MemoryOptions { bytes: 64 << 10, ..memory(stalls, 7) };
        let settings = Settings { stream: true, ..Settings::default() };
        let mut card = card(&model, &geometry(bus), memory, &settings);
        let mut golden = Golden::new(Arc::clone(&model), 1).unwrap();
        let map = card.map().clone();
        let ring = map.ring.unwrap();
        assert!(card.streamed().unwrap() > 3 * ring, "the image goes round the ring");
        let pass = |n: u32| {
            let want = [Want::Top, Want::State, Want::Logits][n as usize % 3];
            [Step { slot: 0, token: n * 31 % 103, want }]
        };
        for n in 0..6 {
            assert_eq!(card.pass(&pass(n)).unwrap(), golden.pass(&pass(n)).unwrap(), "{bus}: {n}");
        }
        assert_eq!(card.transport().read_register(regs::IMAGE_OWED.offset).unwrap(), 0);
        let inside = map.image + ring / 2;
        card.transport().memory().inject(Injection::ReadError(inside..inside + 1));
        assert_eq!(card.pass(&pass(6)).unwrap_err().code(), "C109");
        card.transport().memory().heal();
        card.clear(0).unwrap();
        golden.clear(0).unwrap();
        for n in 7..10 {
            assert_eq!(card.pass(&pass(n)).unwrap(), golden.pass(&pass(n)).unwrap(), "{bus}: {n}");
        }
    }
}
