//! The table on a terminal.

use std::fmt::Write as _;

use sterna_power::Evidence;
use sterna_power::analysis::{MeterAnalysis, Spread, Summary};

use super::{Recorded, Report};
use crate::picture::axis::{bound, number};

/// What stands above the meters.
const HEAD: [&str; 5] = ["meter", "watts", "J/token, gross", "J/token, net", "label"];

impl Report {
    /// The figures of each meter, or why there are none.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for (number, recorded) in self.recordings.iter().enumerate() {
            let _ = writeln!(out, "{}: {}", self.label(number), head(recorded));
            for warning in warnings(recorded) {
                let _ = writeln!(out, "  note: {warning}");
            }
            let mut lines = vec![HEAD.map(String::from)];
            lines.extend(recorded.analysis.meters.iter().flat_map(lines_of));
            table(&mut out, &lines);
            for meter in &recorded.analysis.meters {
                remarks(&mut out, meter);
            }
            out.push('\n');
        }
        out + "Median (smallest–largest) of the runs; ± is the most that a run's figure can be off.\n"
    }
}

fn head(recorded: &Recorded) -> String {
    let analysis = &recorded.analysis;
    let rate = match &analysis.tokens_per_second {
        Some(rate) => format!("{} tokens/s", spread(rate)),
        None => "no rate: no run has two tokens".into(),
    };
    format!("{} on {}; {rate}", analysis.begin.model, analysis.begin.device)
}

/// What makes a recording less than it could be.
pub fn warnings(recorded: &Recorded) -> Vec<String> {
    let analysis = &recorded.analysis;
    let mut all = vec![];
    if analysis.incomplete {
        all.push("the recording was broken off; what is here is of what there is".into());
    }
    if let Some(step) = analysis.clock_step {
        all.push(format!(
            "the wall's clock was set by {} s while it ran: a meter whose file has times since \
             1970 may be off by that",
            number(step)
        ));
    }
    all.extend(analysis.begin.absent.iter().map(|absent| format!("not measured: {absent}")));
    all
}

/// A median and what it lies between.
pub fn spread(spread: &Spread) -> String {
    let Spread { median, min, max } = spread;
    format!("{} ({}–{})", number(*median), number(*min), number(*max))
}

/// Watts while decoding; a model's tokens come at another device's pace.
pub fn mean_watts(summary: &Summary) -> String {
    summary.watts.as_ref().map_or("–".into(), spread)
}

/// A median, its bar, and what it lies between.
pub fn barred(spread: &Spread, bar: f64) -> String {
    let Spread { median, min, max } = spread;
    format!("{} ± {} ({}–{})", number(*median), bound(bar), number(*min), number(*max))
}

/// A figure and its bar.
pub fn off(value: f64, bar: f64) -> String {
    format!("{} ± {}", number(value), bound(bar))
}

/// The line of a meter; without a median one of each run that has a figure.
fn lines_of(meter: &MeterAnalysis) -> Vec<[String; 5]> {
    let name = &meter.description.name;
    let label = || meter.label.to_string();
    let none = || "not known".to_string();
    if let Some(summary) = meter.summary.known() {
        let net = summary.net_j_per_token.as_ref().zip(summary.net_bar);
        return vec![[
            name.clone(),
            mean_watts(summary),
            barred(&summary.gross_j_per_token, summary.gross_bar),
            net.map_or_else(none, |(net, bar)| barred(net, bar)),
            label(),
        ]];
    }
    let known = meter.runs.iter().filter_map(|run| Some((run.run, run.decode.known()?)));
    let mut lines: Vec<[String; 5]> = known
        .map(|(run, window)| {
            let net = window.net_j_per_token.zip(window.net_bar);
            [
                format!("{name}, run {run}"),
                number(window.watts),
                off(window.gross_j_per_token, window.gross_bar),
                net.map_or_else(none, |(net, bar)| off(net, bar)),
                label(),
            ]
        })
        .collect();
    if lines.is_empty() {
        let refused = || "refused".to_string();
        lines.push([name.clone(), refused(), refused(), refused(), label()]);
    }
    lines
}

/// Why a meter has no figure, and what went wrong with it.
fn remarks(out: &mut String, meter: &MeterAnalysis) {
    let name = &meter.description.name;
    if let Some(why) = meter.summary.refused() {
        let _ = writeln!(out, "  {name}: no median: {why}");
    }
    let model = meter.description.evidence == Evidence::Model;
    if meter.description.accuracy.is_none() && !model {
        let _ = writeln!(out, "  {name}: the sensor's own error is not known, and not in ±");
    }
    if let Some(why) = meter.runs.iter().find_map(|run| run.idle.refused()) {
        let _ = writeln!(out, "  {name}: no idle power: {why}");
    }
    if let Some(first) = meter.troubles.first() {
        let times = match meter.troubles.len() {
            1 => "once".into(),
            n => format!("{n} times, first"),
        };
        let _ = writeln!(
            out,
            "  {name}: failed {times} at {} s: {}: {}",
            number(first.t),
            first.code,
            first.message
        );
    }
}

/// Columns as wide as their widest field.
fn table(out: &mut String, lines: &[[String; 5]]) {
    let wide = |column: usize| {
        lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default()
    };
    let widths: [usize; 5] = std::array::from_fn(wide);
    for line in lines {
        let fields: Vec<String> =
            line.iter().zip(widths).map(|(field, wide)| format!("{field:wide$}")).collect();
        let _ = writeln!(out, "  {}", fields.join("  ").trim_end());
    }
}
