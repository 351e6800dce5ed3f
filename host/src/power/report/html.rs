//! The page: every figure, its bar, and where it comes from.

use std::fmt::Write as _;

use sterna_power::analysis::{MIN_RUNS, MIN_SAMPLES, MeterAnalysis, RunEnergy};
use sterna_power::{Description, Evidence};

use super::peers::{Peer, peers};
use super::plots::rails::watts;
use super::text::{barred, mean_watts, off, spread, warnings};
use super::{Recorded, Report, plots};
use crate::output::date;
use crate::page::{escape, page, row};
use crate::picture::axis::number;
use crate::picture::svg;

/// Runs and troubles that the page lists; the CSV has them all.
const LISTED: usize = 200;

const STYLE: &str = "main{max-width:66rem}h1{margin-bottom:1rem}h3{margin:1.6rem 0 .4rem;font-size:1rem}\
th{text-align:left;padding:.2rem .6rem .2rem 0;border-bottom:2px solid #ccc;vertical-align:bottom}\
.wide{overflow-x:auto;font-size:.85em}.wide td:first-child{width:auto}.wide td{overflow-wrap:normal}\
td.n,.tag{white-space:nowrap}\
svg{width:100%;height:auto;margin:.6rem 0;border:1px solid #e4e4e4}\
.tag{padding:.1rem .5rem;border-radius:.6rem;background:#e6eef8;color:#1a3d6d;font-size:.85em}\
.tag.model{background:#f8dede;color:#8a1f1f}.warn{border-left:3px solid #d9822b;padding-left:.7rem}\
.no{color:#b02a2a}@media(prefers-color-scheme:dark){svg{border-color:#333}th{border-color:#555}\
.no{color:#f09a9a}}";

/// How the numbers are to be read; in the page as it is.
const BAR: &str = "<h2>How to read the bar</h2><p>A number <i>x</i> ± <i>b</i> is at most <i>b</i> off \
to either side: <i>b</i> is no standard deviation, it is the sum of all that can go wrong, each part at \
its worst. The parts are <b>sampling</b> (between two samples the power may be anything between them, and \
where it was heading from either side), \
<b>edges</b> (the moments at which a window begins and ends are known as well as a sample's time is), \
<b>gaps</b> (where samples are missing, the power was anything that this rail ever was) and \
<b>accuracy</b> (the sensor's own, by its datasheet; 0 where that is not known). A load that rises and \
falls again between two samples of a sensor that does not average is in none of them.</p><p><b>Gross</b> \
is all energy between a run's first token and its last, by tokens. <b>Net</b> is what lies above idle \
power, which is measured while the device rests before and after the run. The median is that of the \
runs, with the smallest and the largest; its bar is the largest of a run.</p>";

impl Report {
    /// As a page.
    pub fn html(&self) -> String {
        let mut body = String::from("<h1>Power and energy</h1>");
        self.overview(&mut body);
        for (number, recorded) in self.recordings.iter().enumerate() {
            self.recording(&mut body, number, recorded);
        }
        if self.recordings.len() > 1 {
            body += "<h2>Recordings beside each other</h2>";
            body += &svg::svg(&plots::compare::compare(self));
        }
        let peers = peers();
        body += "<h2>Beside what others publish</h2>";
        body += &svg::svg(&plots::peers::peers(self, &peers));
        others(&mut body, &peers);
        body += BAR;
        let _ = write!(
            body,
            "<p>A window with fewer than {MIN_SAMPLES} samples has no figure, and fewer than \
             {MIN_RUNS} runs with a figure have no median: the reason stands in their place.</p>"
        );
        page("Power and energy", STYLE, &body)
    }

    fn overview(&self, body: &mut String) {
        *body += "<div class=\"wide\"><table><tr><th>recording</th><th>meter</th><th>label</th>\
                  <th>watts</th><th>J/token, gross</th><th>J/token, net</th><th>tokens/s</th></tr>";
        for (number, recorded) in self.recordings.iter().enumerate() {
            let rate = recorded.analysis.tokens_per_second.as_ref();
            let rate = rate.map_or("not known".into(), spread);
            for meter in &recorded.analysis.meters {
                let name = &meter.description.name;
                let _ = write!(
                    body,
                    "<tr><td>{}</td><td>{}</td><td>{}</td>",
                    escape(&self.label(number)),
                    escape(name),
                    tag(meter)
                );
                match &meter.summary.known() {
                    Some(summary) => {
                        let net = summary.net_j_per_token.as_ref().zip(summary.net_bar);
                        figure(body, &mean_watts(summary));
                        figure(body, &barred(&summary.gross_j_per_token, summary.gross_bar));
                        figure(
                            body,
                            &net.map_or("not known".into(), |(net, bar)| barred(net, bar)),
                        );
                    }
                    None => {
                        let why = meter.summary.refused().unwrap_or_default();
                        let _ = write!(body, "<td colspan=\"3\" class=\"no\">{}</td>", escape(why));
                    }
                }
                figure(body, &rate);
                *body += "</tr>";
            }
        }
        *body += "</table></div><p>Median (smallest–largest) of the runs; ± is the most that a run's \
                  figure can be off.</p>";
    }

    fn recording(&self, body: &mut String, number: usize, recorded: &Recorded) {
        let analysis = &recorded.analysis;
        let begin = &analysis.begin;
        let _ = write!(body, "<h2>{}</h2>", escape(&self.label(number)));
        for warning in warnings(recorded) {
            let _ = write!(body, "<p class=\"warn\">{}</p>", escape(&warning));
        }
        *body += "<table>";
        row(body, "device", &begin.device);
        row(body, "model", &begin.model);
        row(body, "image", &begin.image_id);
        row(body, "runs", &format!("{}, of {} tokens of prompt", begin.runs, begin.prompt_tokens));
        let rate = analysis.tokens_per_second.as_ref();
        row(body, "tokens/s", &rate.map_or("not known".into(), spread));
        row(body, "recorded by", &begin.program);
        row(body, "began", &date(begin.unix));
        row(body, "file, SHA-256", &recorded.sha256);
        let samples = format!("samples-{}.csv", number + 1);
        row(body, "samples", &format!("{samples}, beside this page"));
        *body += "</table>";
        for (n, meter) in analysis.meters.iter().enumerate() {
            let name = escape(&meter.description.name);
            let _ = write!(body, "<h3>{name} {}</h3>", tag(meter));
            facts(body, meter);
            let label = self.label(number);
            *body += &svg::svg(&recorded.power[n]);
            let name = |what: &str| format!("{what}-{}-{}", number + 1, n + 1);
            *body += &svg::svg(&plots::tokens::tokens(name("tokens"), &label, meter));
            runs(body, meter);
            *body += &svg::svg(&plots::rails::rails(name("rails"), &label, meter));
            rails(body, meter);
            troubles(body, meter);
        }
    }
}

fn cell(body: &mut String, text: &str) {
    let _ = write!(body, "<td>{}</td>", escape(text));
}

/// A cell with a figure, which stays on one line.
fn figure(body: &mut String, text: &str) {
    let _ = write!(body, "<td class=\"n\">{}</td>", escape(text));
}

fn tag(meter: &MeterAnalysis) -> String {
    let class = match meter.description.evidence {
        Evidence::Model => "tag model",
        Evidence::Measured | Evidence::Replayed => "tag",
    };
    format!("<span class=\"{class}\">{}</span>", escape(meter.label))
}

fn facts(body: &mut String, meter: &MeterAnalysis) {
    let Description { provenance, interval_s, averages, accuracy, range_w, .. } =
        &meter.description;
    *body += "<table>";
    row(body, "sensor", provenance);
    row(body, "includes", meter.includes);
    let how = if *averages { "each the mean over it" } else { "each the power at one moment" };
    let text = format!(
        "{}, one in {} s by the sensor, in {} s as recorded; {how}",
        meter.samples,
        number(*interval_s),
        number(meter.spacing_s)
    );
    row(body, "samples", &text);
    let text = match accuracy {
        Some(of) => {
            format!("{} % of the value and {} W", number(100.0 * of.gain), number(of.offset_w))
        }
        None => "not known, and in no bar".into(),
    };
    row(body, "accuracy", &text);
    if let Some([low, high]) = range_w {
        row(body, "range of a rail", &format!("{} to {} W", number(*low), number(*high)));
    }
    match meter.summary.known() {
        Some(summary) => {
            row(body, "watts, decoding", &mean_watts(summary));
            let gross = barred(&summary.gross_j_per_token, summary.gross_bar);
            row(body, "J/token, gross", &gross);
            let net = summary.net_j_per_token.as_ref().zip(summary.net_bar);
            let net = net.map_or("not known: idle power is not".into(), |(net, b)| barred(net, b));
            row(body, "J/token, net", &net);
            let prompt = summary.prompt_j_per_token.as_ref();
            let prompt = prompt.map_or("not known of each run".into(), spread);
            row(body, "J/token of the prompt", &prompt);
        }
        None => {
            row(body, "median", &format!("none: {}", meter.summary.refused().unwrap_or_default()))
        }
    }
    *body += "</table>";
}

fn runs(body: &mut String, meter: &MeterAnalysis) {
    if meter.runs.is_empty() {
        *body += "<p class=\"no\">There was no run.</p>";
        return;
    }
    *body += "<div class=\"wide\"><table><tr><th>run</th><th>tokens</th><th>tokens/s</th><th>samples</th>\
              <th>watts</th><th>J/token, gross</th><th>parts of the bar, J: sampling + edges + gaps + \
              accuracy</th><th>J/token, net</th><th>idle, W</th><th>J/token of the prompt</th>\
              </tr>";
    for run in meter.runs.iter().take(LISTED) {
        one(body, run);
    }
    *body += "</table></div>";
    if meter.runs.len() > LISTED {
        let more = meter.runs.len() - LISTED;
        let _ = write!(body, "<p>{more} further runs are in report.csv.</p>");
    }
}

fn one(body: &mut String, run: &RunEnergy) {
    let _ = write!(body, "<tr><td>{}</td>", run.run);
    match run.decode.known() {
        Some(window) => {
            cell(body, &window.tokens.to_string());
            cell(body, &run.tokens_per_second.map_or("not known".into(), number));
            let missing = match window.missing {
                0.0 => String::new(),
                share => format!(", {} % missing", number(100.0 * share)),
            };
            cell(body, &format!("{}{missing}", window.samples));
            cell(body, &number(window.watts));
            figure(body, &off(window.gross_j_per_token, window.gross_bar));
            let bar = window.bar;
            let parts = [bar.sampling, bar.edges, bar.gaps, bar.accuracy].map(number);
            figure(body, &parts.join(" + "));
            let net = window.net_j_per_token.zip(window.net_bar);
            figure(body, &net.map_or("not known".into(), |(net, bar)| off(net, bar)));
        }
        None => {
            let why = run.decode.refused().unwrap_or_default();
            let _ = write!(body, "<td colspan=\"7\" class=\"no\">{}</td>", escape(why));
        }
    }
    match run.idle.known() {
        Some(idle) => figure(body, &off(idle.watts, idle.bar_w)),
        None => {
            let why = run.idle.refused().unwrap_or_default();
            let _ = write!(body, "<td class=\"no\">{}</td>", escape(why));
        }
    }
    match run.prompt.known() {
        Some(window) => figure(body, &off(window.gross_j_per_token, window.gross_bar)),
        None => {
            let why = run.prompt.refused().unwrap_or_default();
            let _ = write!(body, "<td class=\"no\">{}</td>", escape(why));
        }
    }
    *body += "</tr>";
}

fn rails(body: &mut String, meter: &MeterAnalysis) {
    *body += "<table><tr><th>rail</th><th>watts, decoding</th><th>watts, idle</th></tr>";
    for watts in watts(meter) {
        let name = match watts.counted {
            true => watts.name,
            false => format!("{} (not in the total)", watts.name),
        };
        let text = |value: Option<f64>| value.map_or("not known".into(), number);
        cell_row(body, &[&name, &text(watts.decode), &text(watts.idle)]);
    }
    *body += "</table>";
}

fn troubles(body: &mut String, meter: &MeterAnalysis) {
    if meter.troubles.is_empty() {
        return;
    }
    *body += "<p class=\"warn\">The meter failed while it was recorded:</p><table>";
    for trouble in meter.troubles.iter().take(LISTED) {
        let at = format!("{} s, {}", number(trouble.t), trouble.code);
        row(body, &at, &trouble.message);
    }
    *body += "</table>";
    if meter.troubles.len() > LISTED {
        let more = meter.troubles.len() - LISTED;
        let _ = write!(body, "<p>And {more} times more.</p>");
    }
}

fn others(body: &mut String, peers: &[Peer]) {
    *body += "<div class=\"wide\"><table><tr><th>who</th><th>model</th><th>hardware</th><th>watts</th>\
              <th>tokens/s</th><th>J/token</th><th>evidence</th><th>source</th><th>note</th></tr>";
    for peer in peers {
        let text = |value: Option<f64>| value.map(number).unwrap_or_default();
        let joules = match peer.joules() {
            Some((joules, true)) => format!("{} (derived)", number(joules)),
            Some((joules, false)) => number(joules),
            None => String::new(),
        };
        let (watts, rate) = (text(peer.watts), text(peer.tokens_per_second));
        let label = peer.evidence.label();
        cell_row(
            body,
            &[
                &peer.name,
                &peer.model,
                &peer.hardware,
                &watts,
                &rate,
                &joules,
                label,
                &peer.source,
                &peer.note,
            ],
        );
    }
    *body += "</table></div>";
}

fn cell_row(body: &mut String, cells: &[&str]) {
    *body += "<tr>";
    for text in cells {
        cell(body, text);
    }
    *body += "</tr>";
}
