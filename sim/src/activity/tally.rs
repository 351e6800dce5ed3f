//! From bits of nets to what each instance did.

use std::path::Path;

use sterna_rtl::{Condition, Design, NetKind, Resources};

use super::saif;
use super::{Activity, Bounds, Place};
use crate::error::SimError;

/// Units of time in a clock: the shim's.
const PERIOD: u64 = 10;
/// Where the design begins in the file.
const ABOVE: &str = "sterna_sim_top/dut";

/// Counts of one bit.
#[derive(Clone, Copy, Default)]
struct Count {
    seen: bool,
    /// Clocks in which it was high.
    high: u64,
    toggles: u64,
}

/// What a design did in the recording of a model of it, see
/// [`Simulator::trace_start`](crate::Simulator::trace_start).
///
/// # Errors
/// As [`saif::read`]; S023 where the duration is not of whole clocks.
pub fn tally(design: &Design, recording: &Path) -> Result<Activity, SimError> {
    let resources = design.resources();
    let mut nets: Vec<Vec<Count>> =
        resources.nets.iter().map(|net| vec![Count::default(); net.width as usize]).collect();
    let mut key = String::new();
    let duration = saif::read(recording, |path, name, bit| {
        let Some(inside) = path.strip_prefix(ABOVE) else { return };
        key.clear();
        key.push_str(inside.trim_start_matches('/'));
        if !key.is_empty() {
            key.push('/');
        }
        key.push_str(name);
        // Clock and reset are no nets, nor are small memories, which Verilator lists, too.
        let Some(&net) = resources.names.get(&key) else { return };
        if let Some(count) = nets[net].get_mut(bit.index as usize) {
            *count = Count { seen: true, high: bit.high / PERIOD, toggles: bit.toggles };
        }
    })?;
    if !duration.is_multiple_of(PERIOD) {
        let why = format!("the duration {duration} is not of whole clocks of {PERIOD}");
        return Err(SimError::Activity { path: recording.into(), line: 1, why });
    }
    Ok(Counts { clocks: duration / PERIOD, nets, resources }.activity())
}

struct Counts {
    clocks: u64,
    nets: Vec<Vec<Count>>,
    resources: Resources,
}

impl Counts {
    fn activity(&self) -> Activity {
        let place = |place: &sterna_rtl::Place| Place {
            path: place.path.clone(),
            module: place.module.clone(),
            ..Place::default()
        };
        let mut places: Vec<Place> = self.resources.places.iter().map(place).collect();
        let mut unseen_bits = 0;
        for (net, bits) in self.resources.nets.iter().zip(&self.nets) {
            let place = &mut places[net.instance];
            let toggles: u64 = bits.iter().map(|bit| bit.toggles).sum();
            match net.kind {
                NetKind::Register | NetKind::Read => {
                    place.clocked_bits += u64::from(net.width);
                    place.clocked_toggles += toggles;
                }
                NetKind::Logic | NetKind::Input => {
                    place.logic_bits += u64::from(net.width);
                    place.logic_toggles += toggles;
                }
                NetKind::Wiring => continue,
            }
            unseen_bits += bits.iter().filter(|bit| !bit.seen).count() as u64;
        }
        for (place, found) in places.iter_mut().zip(&self.resources.places) {
            let bits = place.clocked_bits + place.logic_bits;
            let toggles = u128::from(place.clocked_toggles + place.logic_toggles);
            let unnamed = u128::from(found.unnamed_bits) * toggles / u128::from(bits.max(1));
            place.unnamed_toggles = u64::try_from(unnamed).unwrap_or(u64::MAX);
        }
        for memory in &self.resources.memories {
            for access in memory.reads.iter().chain([&memory.write]) {
                let times = self.clocks_of(access);
                places[memory.instance].memory_bits += scaled(times, u64::from(memory.width));
            }
        }
        for product in &self.resources.products {
            let [a, b] = product.widths.map(u64::from);
            let changes = self.changes(&product.factors, &product.sources);
            places[product.instance].product_bits += scaled(changes, a * b);
        }
        Activity { clocks: self.clocks, places, unseen_bits }
    }

    /// Clocks in which a condition held.
    fn clocks_of(&self, condition: &Condition) -> Bounds {
        let all = self.clocks;
        match condition {
            Condition::Known(value) => exactly(if *value { all } else { 0 }),
            Condition::Bit(net, bit) => match self.nets[*net].get(*bit as usize) {
                Some(count) if count.seen => exactly(count.high.min(all)),
                _ => Bounds { low: 0, high: all },
            },
            Condition::Not(of) => {
                let Bounds { low, high } = self.clocks_of(of);
                Bounds { low: all - high, high: all - low }
            }
            Condition::And(both) => {
                let [a, b] = [&both[0], &both[1]].map(|of| self.clocks_of(of));
                // Together they hold in more clocks than there are: some of them are the same.
                let low = (a.low + b.low).saturating_sub(all);
                Bounds { low, high: a.high.min(b.high) }
            }
            Condition::Or(both) => {
                let [a, b] = [&both[0], &both[1]].map(|of| self.clocks_of(of));
                Bounds { low: a.low.max(b.low), high: (a.high + b.high).min(all) }
            }
            Condition::Other => Bounds { low: 0, high: all },
        }
    }

    /// Clocks in which a product was another than in the clock before.
    fn changes(&self, factors: &[usize], sources: &[usize]) -> Bounds {
        // One bit that toggled so often has changed its factor so often; and no change of a factor
        // is without a toggle of a bit that it comes from.
        let bits = |nets: &[usize]| nets.iter().flat_map(|&net| &self.nets[net]).copied().collect();
        let (factors, sources): (Vec<Count>, Vec<Count>) = (bits(factors), bits(sources));
        let low = factors.iter().map(|bit| bit.toggles).max().unwrap_or(0);
        let unknown = sources.iter().any(|bit| !bit.seen);
        let high = sources.iter().map(|bit| bit.toggles).sum();
        let high = if unknown { self.clocks } else { high };
        Bounds { low: low.min(self.clocks), high: high.min(self.clocks) }
    }
}

fn exactly(count: u64) -> Bounds {
    Bounds { low: count, high: count }
}

fn scaled(count: Bounds, by: u64) -> Bounds {
    Bounds { low: count.low.saturating_mul(by), high: count.high.saturating_mul(by) }
}
