//! What a meter that counts joules says.

use std::time::Duration;

use sterna_power::Meter;

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
    fn rails_that_count_are_added() {
        let mut meter = Counts { description: meter(), read: 0 };
        assert_eq!(joules_of(&mut meter), Some(3.0));
        assert_eq!(joules_of(&mut meter), Some(6.0));
    }
}
