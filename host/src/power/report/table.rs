//! One line a run, as each meter saw it: CSV.

use sterna_power::analysis::{MeterAnalysis, RunEnergy};

use super::Report;
use crate::picture::axis::digits;

/// The columns. What is not known is empty; `refused` says why.
const COLUMNS: [&str; 24] = [
    "recording",
    "file",
    "meter",
    "evidence",
    "includes",
    "run",
    "tokens",
    "tokens_per_second",
    "from_s",
    "to_s",
    "samples",
    "missing",
    "watts",
    "gross_j",
    "gross_j_per_token",
    "gross_bar",
    "net_j_per_token",
    "net_bar",
    "idle_w",
    "idle_bar_w",
    "prompt_j_per_token",
    "prompt_bar",
    "refused",
    "idle_refused",
];

impl Report {
    /// The figures of each recording, meter and run as CSV, with a head.
    pub fn csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(vec![]);
        writer.write_record(COLUMNS).expect("memory takes all");
        for (number, recorded) in self.recordings.iter().enumerate() {
            for meter in &recorded.analysis.meters {
                for run in &meter.runs {
                    let mut fields = vec![(number + 1).to_string(), recorded.file.clone()];
                    fields.extend(of_run(meter, run));
                    writer.write_record(&fields).expect("memory takes all");
                }
            }
        }
        String::from_utf8(writer.into_inner().expect("memory takes all")).expect("it was text")
    }
}

fn of_run(meter: &MeterAnalysis, run: &RunEnergy) -> Vec<String> {
    let (decode, idle, prompt) = (run.decode.known(), run.idle.known(), run.prompt.known());
    // Nine digits are more than any sensor has; the JSON has them all.
    let text = |value: Option<f64>| value.map(|value| digits(value, 9)).unwrap_or_default();
    let count = |value: Option<usize>| value.map(|value| value.to_string()).unwrap_or_default();
    vec![
        meter.description.name.clone(),
        meter.label.into(),
        meter.includes.into(),
        run.run.to_string(),
        count(decode.map(|window| window.tokens)),
        text(run.tokens_per_second),
        text(decode.map(|window| window.from)),
        text(decode.map(|window| window.to)),
        count(decode.map(|window| window.samples)),
        text(decode.map(|window| window.missing)),
        text(decode.map(|window| window.watts)),
        text(decode.map(|window| window.gross_j)),
        text(decode.map(|window| window.gross_j_per_token)),
        text(decode.map(|window| window.gross_bar)),
        text(decode.and_then(|window| window.net_j_per_token)),
        text(decode.and_then(|window| window.net_bar)),
        text(idle.map(|idle| idle.watts)),
        text(idle.map(|idle| idle.bar_w)),
        text(prompt.map(|window| window.gross_j_per_token)),
        text(prompt.map(|window| window.gross_bar)),
        run.decode.refused().unwrap_or_default().into(),
        run.idle.refused().unwrap_or_default().into(),
    ]
}
