//! A file that another program writes while it measures, or wrote before.

use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::error::Result;
use crate::meter::{Description, Evidence, Meter, Reading, Scope};
use crate::recording::{Follow, Stamp};

/// Seconds between two looks at the file, and between two samples of one that tells no other.
const INTERVAL: f64 = 0.1;
/// Samples that tell how far apart they are.
const ENOUGH: usize = 100;
/// Samples that one look may bring: those of a file of long ago come over several.
const MOST: usize = 100_000;

/// A file of samples, at their own times: `time_s` counts from the first reading, `unix_s` is the
/// time of a clock that must agree with this machine's.
pub struct FileMeter {
    description: Description,
    file: Follow,
    /// The file's time at the beginning of the recording; known from the first reading on.
    zero: Option<f64>,
    /// A sample whose moment has not come.
    ahead: Option<(f64, Vec<f64>)>,
}

impl FileMeter {
    /// Opens a file.
    ///
    /// # Errors
    /// W012 where its first lines make no sense, W014 where it cannot be read.
    pub fn open(path: &Path) -> Result<FileMeter> {
        let interval_s = spacing(path)?;
        let file = Follow::open(path)?;
        let name = path.file_name().map_or_else(|| path.into(), std::path::PathBuf::from);
        let description = Description {
            name: format!("file:{}", name.display()),
            provenance: format!("samples of {}, by their own times", name.display()),
            scope: Scope::External,
            evidence: Evidence::Replayed,
            rails: file.rails().to_vec(),
            interval_s,
            averages: false,
            accuracy: None,
            range_w: None,
        };
        Ok(FileMeter { description, file, zero: None, ahead: None })
    }
}

/// Seconds between two samples, the median of the first ones.
fn spacing(path: &Path) -> Result<f64> {
    let mut file = Follow::open(path)?;
    let mut times = vec![];
    while times.len() < ENOUGH
        && let Some((t, _)) = file.sample()?
    {
        times.push(t);
    }
    let mut gaps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    gaps.sort_by(f64::total_cmp);
    Ok(gaps.get(gaps.len() / 2).map_or(INTERVAL, |gap| gap.clamp(1e-6, 3600.0)))
}

impl Meter for FileMeter {
    fn description(&self) -> &Description {
        &self.description
    }

    fn read(&mut self, now: Duration) -> Result<Vec<Reading>> {
        let now = now.as_secs_f64();
        let zero = *self.zero.get_or_insert_with(|| match self.file.stamp() {
            Stamp::Recording => -now,
            Stamp::Unix => {
                let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
                unix.unwrap_or_default().as_secs_f64() - now
            }
        });
        let mut readings = vec![];
        while readings.len() < MOST {
            let next = match self.ahead.take() {
                Some(sample) => Some(sample),
                None => self.file.sample()?,
            };
            let Some((t, values)) = next else { break };
            let at = t - zero;
            if at > now {
                self.ahead = Some((t, values));
                break;
            }
            // What was before the recording is none of its.
            if at >= 0.0 {
                readings.push(Reading { at: Some(Duration::from_secs_f64(at)), values });
            }
        }
        Ok(readings)
    }
}
