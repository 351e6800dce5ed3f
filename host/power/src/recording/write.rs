//! Writing recordings, from several threads at once.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Begin, Line, Mark, Recording, nanoseconds};
use crate::error::{PowerError, Result};

/// A recording that is being written: to `PATH.part`, which becomes `PATH` when it is whole.
///
/// What is recorded is on its way to the file within a second, so that whoever reads it meanwhile,
/// or after a crash, has it. A file that cannot be written is an error at the end.
pub struct Recorder {
    path: PathBuf,
    state: Mutex<State>,
}

struct State {
    file: BufWriter<File>,
    failed: Option<io::Error>,
    flushed: Duration,
}

/// How long a line may wait for the file.
const WAIT: Duration = Duration::from_millis(500);

impl Recorder {
    /// Begins a recording.
    ///
    /// # Errors
    /// W013 where there is such a file, W014 where it cannot be written.
    pub fn create(path: &Path, begin: Begin) -> Result<Recorder> {
        let part = part(path);
        for file in [path, &part] {
            if file.exists() {
                let why = "is there already; delete it, or name another file".into();
                return Err(PowerError::Recording { path: file.into(), why });
            }
        }
        let file = File::create_new(&part).map_err(PowerError::file(&part, "write"))?;
        let state = State { file: BufWriter::new(file), failed: None, flushed: Duration::ZERO };
        let recorder = Recorder { path: path.into(), state: Mutex::new(state) };
        recorder.line(Duration::ZERO, &Line::Begin(begin));
        Ok(recorder)
    }

    /// Where it is while it is being written.
    pub fn part(&self) -> PathBuf {
        part(&self.path)
    }

    /// What a meter said at `t`, give or take `spread`.
    pub fn sample(&self, t: Duration, meter: usize, values: Vec<f64>, spread: Duration) {
        let (at, spread) = (nanoseconds(t), nanoseconds(spread));
        self.line(t, &Line::Sample { t: at, meter, values, spread });
    }

    /// A meter failed.
    pub fn trouble(&self, t: Duration, meter: usize, error: &PowerError) {
        let (code, message) = (error.code().into(), error.to_string());
        self.line(t, &Line::Trouble { t: nanoseconds(t), meter, code, message });
    }

    /// Work begins or ends.
    pub fn mark(&self, t: Duration, mark: Mark, run: u32) {
        self.line(t, &Line::Mark { t: nanoseconds(t), mark, run });
    }

    /// A token came out.
    pub fn token(&self, t: Duration, run: u32, token: u32) {
        self.line(t, &Line::Token { t: nanoseconds(t), run, token });
    }

    /// Ends the recording: it has its name from now on.
    ///
    /// # Errors
    /// W014 if any line could not be written; what could be is in `PATH.part`.
    pub fn finish(self, t: Duration, unix: Duration) -> Result<()> {
        self.line(t, &Line::End { t: nanoseconds(t), unix: unix.as_secs_f64() });
        let part = self.part();
        let mut state = self.lock();
        let flushed = state.file.flush();
        state.failed.take().map_or(flushed, Err).map_err(PowerError::file(&part, "write"))?;
        fs::rename(&part, &self.path).map_err(PowerError::file(&self.path, "write"))
    }

    fn line(&self, t: Duration, line: &Line) {
        let mut text = serde_json::to_vec(line).expect("a line is plain data");
        text.push(b'\n');
        let mut state = self.lock();
        let mut result = state.file.write_all(&text);
        if t.saturating_sub(state.flushed) >= WAIT || matches!(line, Line::Begin(_)) {
            state.flushed = t;
            result = result.and_then(|()| state.file.flush());
        }
        if let Err(error) = result {
            // The first is the reason, whatever follows from it.
            state.failed.get_or_insert(error);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A thread that panicked has written whole lines.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn part(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

/// The samples of a recording as CSV: a line each, in order of time, with an empty field for each
/// rail of another meter.
pub fn csv_of(recording: &Recording) -> String {
    let mut writer = csv::Writer::from_writer(vec![]);
    let meters = &recording.begin.meters;
    let mut head = vec!["time_s".to_string()];
    for (number, meter) in meters.iter().enumerate() {
        head.extend(meter.rails.iter().map(|rail| {
            let unit = match rail.quantity {
                crate::meter::Quantity::Power => "w",
                crate::meter::Quantity::Energy => "j",
            };
            format!("{number}:{}:{}_{unit}", meter.name, rail.name)
        }));
    }
    let width = head.len();
    let mut rows: Vec<(f64, usize, &[f64])> = vec![];
    let mut column = 1;
    for (meter, samples) in meters.iter().zip(&recording.samples) {
        rows.extend(samples.iter().map(|sample| (sample.t, column, &sample.values[..])));
        column += meter.rails.len();
    }
    rows.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    writer.write_record(&head).expect("memory takes all");
    for (t, column, values) in rows {
        let mut row = vec![String::new(); width];
        row[0] = format!("{t:.9}");
        for (field, value) in row[column..].iter_mut().zip(values) {
            *field = value.to_string();
        }
        writer.write_record(&row).expect("memory takes all");
    }
    String::from_utf8(writer.into_inner().expect("memory takes all")).expect("it was text")
}
