//! Streams under random stalls, whatever the module between their ends.

use sterna_rtl::random::Rng;
use sterna_rtl::{Bits, Interpreter};

/// Sends `beats` into stream `s` and collects as many from stream `m`, with either side idle once
/// in `idle` clocks (0: never). Returns what arrived and the clocks it took.
pub fn transfer(
    sim: &mut Interpreter,
    beats: &[(Bits, bool)],
    last: bool,
    idle: [u64; 2],
    seed: u64,
) -> (Vec<(Bits, bool)>, u64) {
    let mut rng = Rng::new(seed);
    let (mut sent, mut got, start) = (0, vec![], sim.cycle());
    let mut stuck: Option<(Bits, bool)> = None;
    let mut offered = false;
    while got.len() < beats.len() {
        assert!(
            sim.cycle() - start < 1000 + 40 * beats.len() as u64,
            "seed {seed}: the stream is stuck"
        );
        let pause = |rng: &mut Rng, idle: u64| idle > 0 && rng.one_in(idle);
        // A source may not take back what it has offered.
        offered = sent < beats.len() && (offered || !pause(&mut rng, idle[0]));
        sim.poke("s_valid", offered);
        if let Some((data, end)) = beats.get(sent) {
            sim.poke("s_data", if offered { data.clone() } else { rng.bits(data.width()) });
            if last {
                sim.poke("s_last", *end);
            }
        }
        let ready = !pause(&mut rng, idle[1]);
        sim.poke("m_ready", ready);
        let beat = (sim.peek("m_data"), last && sim.u64("m_last") == 1);
        if sim.u64("m_valid") == 1 {
            if let Some(before) = &stuck {
                assert_eq!(
                    &beat,
                    before,
                    "seed {seed}: a waiting beat changed in cycle {}",
                    sim.cycle()
                );
            }
            stuck = (!ready).then(|| beat.clone());
            if ready {
                got.push(beat);
            }
        } else {
            assert!(
                stuck.is_none(),
                "seed {seed}: valid fell before ready in cycle {}",
                sim.cycle()
            );
        }
        if offered && sim.u64("s_ready") == 1 {
            (sent, offered) = (sent + 1, false);
        }
        sim.step();
    }
    (got, sim.cycle() - start)
}

/// Random beats.
pub fn beats(width: u32, last: bool, count: usize, seed: u64) -> Vec<(Bits, bool)> {
    let mut rng = Rng::new(seed);
    (0..count).map(|_| (rng.bits(width), last && rng.one_in(4))).collect()
}
