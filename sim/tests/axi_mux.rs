//! Two masters on one memory: each reads what it wrote, whatever the other does, and neither waits
//! for ever.

mod common;

use common::around::{MUX, simulator};
use common::axi::{Burst, Bus, beats};
use sterna_rtl::random::Rng;
use sterna_rtl::{AxiKind, Generate};
use sterna_sim::MemoryPort;
use sterna_sim::memory::{Memory, MemoryOptions, Stalls};

/// Pages of both masters together, anywhere in the memory.
const PAGES: u64 = 16;
/// Bytes of the memory: all that an address reaches, but for what is an error.
const BYTES: u64 = (1 << 40) - (1 << 20);

#[test]
fn two_masters_share_a_memory() {
    let seed = common::seed();
    let design = MUX.build().unwrap();
    for (stalls, idle) in
        [(Stalls::None, 0), (Stalls::Random, 0), (Stalls::Random, 4), (Stalls::Burst, 9)]
    {
        let mut rng = Rng::new(seed);
        let mut sim = simulator(&design, &common::options()).unwrap();
        let options = MemoryOptions { bytes: BYTES, latency: 12, stalls, seed };
        let mut memory = Memory::new(64, &options);
        let mut port = MemoryPort::find(&sim, "m_axi", AxiKind::Full, 64).unwrap();
        // Each has every second page for itself; of the other's it knows nothing.
        let mut masters = ["s0_axi", "s1_axi"]
            .map(|prefix| Bus::find(&mut sim, prefix, vec![0; 4096 * PAGES as usize]).unwrap());
        // The lowest bits are the page's number, so that no two are the same.
        let pages: Vec<u64> =
            (0..PAGES).map(|page| (rng.below(BYTES >> 16) * PAGES + page) * 4096).collect();
        for master in &mut masters {
            (master.idle, master.pages) = (idle, pages.clone());
        }
        let (mut left, mut clocks) = ([150u32; 2], [0; 2]);
        let start = sim.clocks();
        while left != [0; 2] || masters.iter().any(|master| !master.is_idle()) {
            assert!(sim.clocks() - start < 400_000, "stuck, {left:?}");
            for (n, master) in masters.iter_mut().enumerate() {
                let mine = pages[(2 * rng.below(PAGES / 2)) as usize + n];
                let page = if rng.one_in(20) { BYTES } else { mine };
                let most = [1, 16, 256][rng.below(3) as usize];
                let count = 1 + rng.below(most);
                let addr = page + 8 * rng.below(512 - count + 1);
                // Answers to writes of one ID keep their order.
                let write = rng.one_in(3);
                let id = if write { n as u64 } else { rng.below(4) };
                let one = Burst { addr, beats: count, id };
                let waits = master.to_read.len() + master.to_write.len() > 4;
                if left[n] > 0 && !waits && !master.meets(&one, write) {
                    left[n] -= 1;
                    if write {
                        let data = beats(&mut rng, count);
                        master.to_write.push_back((one, data));
                    } else {
                        master.to_read.push_back(one);
                    }
                }
                if !master.is_idle() || left[n] > 0 {
                    clocks[n] = sim.clocks() - start;
                }
                master.drive(&mut sim, &mut rng).unwrap();
            }
            port.clock(&mut sim, &mut memory).unwrap();
            masters.iter_mut().for_each(|master| master.sample(&mut sim).unwrap());
            sim.step().unwrap();
        }
        // Neither was kept waiting until the other had ended.
        let (few, many) = (clocks[0].min(clocks[1]), clocks[0].max(clocks[1]));
        assert!(5 * few > 3 * many, "{stalls:?}: {clocks:?} clocks");
        for (n, master) in masters.iter().enumerate() {
            for (place, &page) in pages.iter().enumerate().skip(n).step_by(2) {
                let mut bytes = vec![0; 4096];
                assert!(memory.read(page, &mut bytes));
                assert!(bytes == master.shadow[4096 * place..][..4096], "page {page:#x}");
            }
        }
    }
    insta::assert_snapshot!(design.file(&design.top).unwrap());
}
