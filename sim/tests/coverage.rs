//! What `scripts/coverage` has a core do so that its lines run and its bits toggle: random cases on
//! cores whose rooms are filled, damage of every kind, memories that fail, states at addresses
//! anywhere. After each damage the core has to work as before. The arithmetic stands alone as well,
//! where its operands are of any size.

mod common;

use std::sync::Arc;

use sterna_firmware::device::{Device, Step, Want};
use sterna_firmware::geometry::Geometry;
use sterna_firmware::golden::Golden;
use sterna_firmware::isa::{UNIT, instructions};
use sterna_firmware::model::Model;
use sterna_firmware::shape::Shape;
use sterna_hdl::driver::{Card, Settings, Transport};
use sterna_hdl::registers::{self as regs, Reg, command, mode, status};
use sterna_hdl::units;
use sterna_model::synth::SynthSpec;
use sterna_rtl::parts::{Access, Divider, InverseRoot, Isqrt};
use sterna_rtl::random::Rng;
use sterna_rtl::{Design, Generate};
use sterna_sim::fuzz::{Case, Fuzzer, made_up};
use sterna_sim::memory::{Injection, MemoryOptions, Stalls};
use sterna_sim::{CardOptions, Options, SimCard};

/// Cores of every bus, and one of several slots; `STERNA_BUS` is the only bus, if it is set.
fn cores() -> Vec<Geometry> {
    let shape = Shape { hidden: 320, inner: 512, intermediate: 1024, layers: 3, vocab: 512 };
    let of = |bus| Geometry::for_shape(bus, &shape);
    let several = Geometry { top_k: 8, ..of(64) }.with_slots(4);
    let bus = common::setting("STERNA_BUS", 0);
    let all = [64, 128, 256, 512].map(of).into_iter().chain([several]);
    all.filter(|core| bus == 0 || u64::from(core.bus) == bus).collect()
}

fn options() -> Options {
    Options { assertions: true, ..common::options() }
}

#[test]
#[ignore = "for scripts/coverage"]
fn random_cases() {
    let (first, count) = (common::seed(), common::setting("STERNA_FUZZ", 40));
    for core in cores() {
        let mut fuzzer = Fuzzer::new(options());
        for seed in first..first + count {
            let mut case = Case::on(core.clone(), seed);
            // States are saved at the end, so that the upper bits of an address are used.
            case.memory.bytes = 1 << (28 + seed % 13);
            if let Err(why) = fuzzer.run(&case) {
                panic!("{why}\n{case}");
            }
        }
    }
}

/// What computes, with operands of any size, as the interpreter has it, which the units' own benches
/// compare with golden.
#[test]
#[ignore = "for scripts/coverage"]
fn arithmetic_alone() {
    let modules: [&dyn Generate; 11] = [
        &Divider { num: 48, den: 24 },
        &Isqrt { width: 48 },
        &InverseRoot { width: 24 },
        &units::Reciprocal,
        &units::Sigmoid,
        &units::Quantise,
        &units::Rescale,
        &units::Residual,
        &units::Mlgru,
        &units::NormScale { slots: 1 },
        &units::RmsNorm { ways: 1, slots: 1 },
    ];
    let designs: Vec<Design> = modules.iter().map(|module| module.build().unwrap()).collect();
    let options = Options { assertions: false, ..options() };
    let name = "bench_arithmetic";
    let seed = common::seed();
    let difference = common::differential::compare(name, &designs, 20_000, seed, &options);
    if let Some((_, difference)) = difference.unwrap() {
        panic!("{difference}");
    }
}

/// A card, its model, and golden beside it.
struct Bench {
    card: Card<SimCard>,
    golden: Golden,
    model: Arc<Model>,
}

const TOKEN: u32 = 7;

impl Bench {
    fn new(core: &Geometry, seed: u64) -> Bench {
        let model = made_up(&SynthSpec { seed, ..SynthSpec::new(64, 2, 101) }).unwrap();
        let memory = MemoryOptions { bytes: 1 << 40, latency: 20, stalls: Stalls::Mixed, seed };
        let card = CardOptions { memory, model: options(), patience: 1 << 16 };
        let mut sim = SimCard::new(core, &card).unwrap();
        sim.hesitate(Stalls::Mixed, seed);
        let settings = Settings { watchdog: 3000, ..Settings::default() };
        let card = Card::open(sim, "sim", Arc::clone(&model), &settings).unwrap();
        Bench { card, golden: Golden::new(Arc::clone(&model), 1).unwrap(), model }
    }

    fn set(&mut self, reg: &Reg, value: u32) {
        self.card.transport().write_register(reg.offset, value).unwrap();
    }

    fn get(&mut self, reg: &Reg) -> u32 {
        self.card.transport().read_register(reg.offset).unwrap()
    }

    /// A pass that may fail, and the core as good as new.
    fn bears(&mut self) -> bool {
        let step = [Step { slot: 0, token: TOKEN, want: Want::Logits }];
        let failed = self.card.pass(&step).is_err();
        self.works();
        failed
    }

    fn works(&mut self) {
        let step = [Step { slot: 0, token: TOKEN, want: Want::Top }];
        self.card.transport().memory().heal();
        self.card.load().unwrap();
        Device::reset(&mut self.card).unwrap();
        self.golden.clear(0).unwrap();
        assert_eq!(self.card.pass(&step).unwrap(), self.golden.pass(&step).unwrap());
    }
}

#[test]
#[ignore = "for scripts/coverage"]
fn damage_of_every_kind() {
    let seed = common::seed();
    for core in cores() {
        let mut bench = Bench::new(&core, seed);
        let rng = &mut Rng::new(seed);
        let map = bench.card.map().clone();
        let walk = instructions(&bench.model.shape());
        // Headers whose checksum is right: every bit of every word in turn, a segment for each.
        for n in 0..480 {
            let of = walk[(n / 15) % walk.len()];
            let at = map.image + of.offset as u64;
            let mut bytes = [0; UNIT];
            bench.card.transport().memory().read(at, &mut bytes);
            let bit = n % 480;
            bytes[bit / 8] ^= 1 << (bit % 8);
            let crc = crc32c::crc32c(&bytes[..UNIT - 4]);
            bytes[UNIT - 4..].copy_from_slice(&crc.to_le_bytes());
            bench.card.transport().memory().write(at, &bytes);
            bench.bears();
        }
        // Anything, anywhere.
        let rows = bench.model.shape().row_stride() as u64 * bench.model.shape().vocab as u64;
        let row = map.embeddings + u64::from(TOKEN) * bench.model.shape().row_stride() as u64;
        let image = walk.last().unwrap().end() as u64;
        assert!(row < map.embeddings + rows);
        for n in 0..60 {
            let stride = bench.model.shape().row_stride() as u64;
            let at =
                if n % 4 == 0 { row + rng.below(stride) } else { map.image + rng.below(image) };
            bench.card.transport().memory().flip(at, 1 << rng.below(8));
            assert!(bench.bears(), "byte {at}");
        }
        // A memory that fails, and one that says nothing.
        for n in 0..24 {
            let at = rng.below(image) & !63;
            let range = map.image + at..map.image + at + 64;
            let memory = bench.card.transport().memory();
            memory.inject(match n % 4 {
                0 => Injection::Silence(range),
                1 => Injection::WriteError(map.results..map.end),
                2 => Injection::ReadError(row..row + 64),
                _ => Injection::ReadError(range),
            });
            assert!(bench.bears(), "case {n}");
        }
    }
}

/// Registers written with anything, read back, and commands that nobody should give.
#[test]
#[ignore = "for scripts/coverage"]
fn registers_and_commands() {
    let seed = common::seed();
    for core in cores() {
        let mut bench = Bench::new(&core, seed);
        let rng = &mut Rng::new(seed);
        for reg in regs::of(core.slots).filter(|reg| reg.access == Access::Write) {
            if reg == &regs::COMMAND {
                continue;
            }
            let most = u32::MAX >> (32 - reg.width);
            let random = rng.next_u64() as u32 & most;
            for value in [0, most, 0, random, most & !random] {
                bench.set(reg, value);
                assert_eq!(bench.get(reg), value, "{}", reg.name);
            }
        }
        // The one base that a reset of the driver does not write; it has to be a multiple of a page.
        bench.set(&regs::STATE_LO, 0x7654_3000);
        bench.set(&regs::STATE_HI, 0);
        for n in 0..60 {
            Device::reset(&mut bench.card).unwrap();
            let slots = 1 << core.slots;
            bench.set(&regs::SLOT_MASK, 1 + rng.below(slots - 1) as u32);
            bench.set(&regs::COMMAND, command::CLEAR);
            bench.card.transport().wait(0).unwrap();
            bench.set(&regs::MODE, rng.below(8) as u32 & if n % 2 == 0 { mode::CHAIN } else { 7 });
            bench.set(&regs::COUNT, rng.below(4) as u32);
            bench.set(&regs::SLOT_MASK, rng.below(2 * slots) as u32 & 0xff);
            bench.set(&regs::COMMAND, rng.below(16) as u32);
            for _ in 0..1 + rng.below(40) {
                bench.card.transport().wait(0).unwrap();
            }
            bench.set(&regs::COMMAND, rng.below(32) as u32);
            bench.card.transport().wait(0).unwrap();
        }
        bench.works();
        assert_eq!(bench.get(&regs::STATUS) & status::FAILED, 0);
    }
}

/// Image, rows, records, logits and states anywhere in a memory of 2⁴⁰ bytes, the image in a ring that
/// it does not fill and owed at first: the same record.
#[test]
#[ignore = "for scripts/coverage"]
fn addresses_of_every_bit() {
    let seed = common::seed();
    for core in cores() {
        let mut bench = Bench::new(&core, seed);
        let rng = &mut Rng::new(seed);
        let map = bench.card.map().clone();
        let step = [Step { slot: 0, token: TOKEN, want: Want::Logits }];
        let (mut record, mut fresh) = (vec![0; 64], vec![0; 64]);
        bench.card.pass(&step).unwrap();
        assert!(bench.card.transport().memory().read(map.results, &mut record));
        let mut bytes = vec![0; (map.end - map.image) as usize];
        assert!(bench.card.transport().memory().read(map.image, &mut bytes));
        let mut pattern = 0;
        for n in 0..10 {
            // Every bit of a page's number is set in one of two places in a row, and not in the other.
            pattern = if n % 2 == 0 { rng.next_u64() } else { !pattern };
            let base = (pattern & 0xff_ffff_f000).min((1 << 40) - (1 << 21));
            let moved = |address: u64| base + (address - map.image);
            assert!(bench.card.transport().memory().write(base, &bytes));
            for (low, high, address) in [
                (&regs::IMAGE_LO, &regs::IMAGE_HI, map.image),
                (&regs::EMBED_LO, &regs::EMBED_HI, map.embeddings),
                (&regs::RESULT_LO, &regs::RESULT_HI, map.results),
                (&regs::LOGITS_LO, &regs::LOGITS_HI, map.logits),
                (&regs::STATE_LO, &regs::STATE_HI, map.state(0)),
            ] {
                bench.set(low, moved(address) as u32);
                bench.set(high, (moved(address) >> 32) as u32);
            }
            // The bits that all addresses of it share.
            let ring =
                u64::MAX.checked_shl(64 - (base ^ (base + bytes.len() as u64)).leading_zeros());
            bench.set(&regs::IMAGE_RING, (ring.unwrap_or(0) << 24 >> 36) as u32);
            for bits in [command::CLEAR, command::RUN, command::SAVE, command::LOAD] {
                bench.set(&regs::SLOT_MASK, 1);
                bench.set(&regs::IMAGE_OWED, u32::MAX);
                bench.set(&regs::COMMAND, bits);
                bench.set(&regs::IMAGE_OWED, 0);
                while bench.get(&regs::STATUS) & status::BUSY != 0 {
                    assert!(bench.card.transport().wait(0).unwrap());
                }
                assert_eq!(bench.get(&regs::ERROR), 0, "at {base:#x}");
            }
            assert!(bench.card.transport().memory().read(moved(map.results), &mut fresh));
            assert_eq!(fresh, record, "at {base:#x}");
        }
        Device::reset(&mut bench.card).unwrap();
        bench.works();
    }
}
