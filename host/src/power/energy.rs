//! Joules of pieces of work, by a meter that counts them.

use std::time::Duration;

use sterna_power::Meter;
use sterna_power::meters::{Root, Spec, open};

/// A meter that counts joules, and what it counted while there was work.
pub struct Energy {
    meter: Box<dyn Meter>,
    joules: f64,
}

impl Energy {
    /// By what the processor counts of itself, if it may be read.
    pub fn of_processor() -> Option<Energy> {
        Some(Energy::new(open(&Spec::Rapl, &Root::new("/"))?.ok()?))
    }

    /// By this meter.
    pub fn new(meter: Box<dyn Meter>) -> Energy {
        Energy { meter, joules: 0.0 }
    }

    /// Does work, and adds what it took; nothing if the meter fails.
    pub fn during<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let before = joules_of(&mut *self.meter);
        let result = work();
        let after = joules_of(&mut *self.meter);
        self.joules += before.zip(after).map_or(0.0, |(before, after)| after - before);
        result
    }

    /// The sum.
    pub fn joules(&self) -> f64 {
        self.joules
    }
}

/// Joules of the rails that count, since some moment.
pub fn joules_of(meter: &mut dyn Meter) -> Option<f64> {
    let readings = meter.read(Duration::ZERO).ok()?;
    let rails = &meter.description().rails;
    let values = readings.iter().flat_map(|reading| reading.values.iter().zip(rails));
    Some(values.filter(|(_, rail)| rail.counted).map(|(joules, _)| joules).sum())
}

#[cfg(test)]
mod tests {
    use sterna_power::{Description, Reading};

    use super::*;
    use crate::power::live::tests::meter;

    /// Counts a joule more with each reading, on each of two rails.
    struct Counts {
        description: Description,
        read: u32,
    }

    impl Meter for Counts {
        fn description(&self) -> &Description {
            &self.description
        }

        fn read(&mut self, _: Duration) -> sterna_power::Result<Vec<Reading>> {
            self.read += 1;
            let joules = f64::from(self.read);
            Ok(vec![Reading { at: None, values: vec![3.0 * joules, 100.0 * joules] }])
        }
    }

    #[test]
    fn work_costs_what_was_counted_meanwhile() {
        let mut energy = Energy::new(Box::new(Counts { description: meter(), read: 0 }));
        assert_eq!(energy.during(|| 7), 7);
        assert_eq!(energy.joules(), 3.0);
        energy.during(|| ());
        assert_eq!(energy.joules(), 6.0);
    }
}
