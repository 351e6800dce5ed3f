//! `sterna power report`: every figure with its label, and the same bytes each time.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::Value;
use sterna::picture::svg::svg;
use sterna::power::report::Report;
use tempfile::TempDir;

use crate::made::{self, Made};
use crate::page;
use crate::schema::differs;

/// A folder with recordings.
struct Desk {
    dir: TempDir,
}

impl Desk {
    fn new(recordings: &[(&str, Made)]) -> Desk {
        let desk = Desk { dir: tempfile::tempdir().unwrap() };
        for (name, made) in recordings {
            fs::write(desk.path(name), made.text()).unwrap();
        }
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Exit code, standard output, standard error.
    fn run(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let mut command = Command::cargo_bin("sterna").unwrap();
        let output = command.current_dir(self.dir.path()).args(["power", "report"]).args(args);
        let output = output.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    /// The report of recordings, without files.
    fn report(&self, names: &[&str]) -> Report {
        let paths: Vec<PathBuf> = names.iter().map(|name| self.path(name)).collect();
        Report::read(&paths, |_, _| Ok(())).unwrap()
    }

    fn ok(&self, args: &[&str]) -> String {
        let (code, out, err) = self.run(args);
        assert_eq!((code, err.as_str()), (Some(0), ""), "{args:?}");
        out
    }
}

fn all() -> Desk {
    Desk::new(&[
        ("steady.jsonl", made::steady()),
        ("ramp.jsonl", made::ramp()),
        ("few.jsonl", made::few()),
    ])
}

const ALL: [&str; 3] = ["steady.jsonl", "ramp.jsonl", "few.jsonl"];

/// Every file of a folder.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect()
}

/// Every plot as SVG, by its name.
fn svgs(report: &Report) -> BTreeMap<String, String> {
    report.drawings().into_iter().map(|drawing| (drawing.name.clone(), svg(&drawing))).collect()
}

#[test]
fn the_text_says_every_figure_or_why_not() {
    let desk = all();
    insta::assert_snapshot!("text", desk.ok(&ALL));
    let one = desk.ok(&["few.jsonl"]);
    assert!(one.starts_with("few.jsonl: tiny on golden"), "{one}");
}

#[test]
fn the_csv_has_a_line_a_run() {
    let desk = all();
    let csv = desk.ok(&[&ALL[..], &["--csv"]].concat());
    // Six runs by three meters, five by one, two by one.
    assert_eq!(csv.lines().count(), 1 + 18 + 5 + 2);
    insta::assert_snapshot!("csv", csv);
}

#[test]
fn the_json_is_as_its_schema_says() {
    let desk = all();
    let json: Value = serde_json::from_str(&desk.ok(&[&ALL[..], &["--json"]].concat())).unwrap();
    let schema: Value = serde_json::from_str(&Report::schema()).unwrap();
    assert_eq!(differs(&schema, &schema, &json), None);
    // The check is one: a key that is missing, one too many, a wrong type.
    let mut bad = json.clone();
    bad["recordings"][0].as_object_mut().unwrap().remove("sha256");
    assert!(differs(&schema, &schema, &bad).unwrap().contains("keys"));
    let mut bad = json.clone();
    bad["recordings"][0]["analysis"]["extra"] = Value::Null;
    assert!(differs(&schema, &schema, &bad).unwrap().contains("keys"));
    let mut bad = json.clone();
    bad["recordings"][1]["analysis"]["clock_step"] = Value::String("an hour".into());
    assert!(differs(&schema, &schema, &bad).is_some());
    let bytes = fs::read(desk.path("few.jsonl")).unwrap();
    assert_eq!(json["recordings"][2]["sha256"], sterna::bitstream::sha256(&bytes));
}

/// The same recordings in another folder, at another time: the same bytes in every file.
#[test]
fn a_report_is_the_same_again() {
    let (here, there) = (all(), all());
    let mut reports = vec![];
    for desk in [&here, &there] {
        let out = desk.ok(&[&ALL[..], &["-o", "out"]].concat());
        assert!(out.ends_with("out/report.html\n"), "{out}");
        reports.push(files(&desk.path("out")));
        // Nothing is left beside it.
        assert_eq!(fs::read_dir(desk.dir.path()).unwrap().count(), ALL.len() + 1);
    }
    let names: Vec<&String> = reports[0].keys().collect();
    let mut list = String::new();
    for (name, bytes) in &reports[0] {
        assert!(reports[1].get(name) == Some(bytes), "{name} differs");
        let _ = writeln!(list, "{name}");
        let text = String::from_utf8_lossy(bytes);
        let folder = here.dir.path().to_string_lossy();
        assert!(!text.contains(folder.as_ref()), "{name} says where it was made");
    }
    assert_eq!(names.len(), reports[1].len());
    insta::assert_snapshot!("files", list);
}

#[test]
fn the_page_stands_by_itself() {
    let page = all().report(&ALL).html();
    page::check(&page).unwrap();
    let loads = ["src=", "href=", "<script", "<link", "@import", "url("];
    assert!(loads.iter().all(|load| !page.contains(load)));
    // The one address is the name of SVG's format, which nobody loads.
    let addresses = page.matches("http").count();
    assert_eq!(addresses, page.matches("xmlns=\"http://www.w3.org/2000/svg\"").count());
    // What the user named is text, not markup.
    assert!(page.contains("demo &lt;5m&gt; &amp; &quot;more&quot;"));
    for text in [
        "the wall's clock was set by -3600 s",
        "the recording was broken off",
        "not measured: hwmon: no power sensor",
        "it is still away",
        "How to read the bar",
        "20 say nothing",
        "projected, not measured",
    ] {
        assert!(page.contains(text), "the page lacks `{text}`");
    }
}

/// Wherever a model's figure is, it says that it is no measurement.
#[test]
fn a_model_is_labelled_everywhere() {
    let report = all().report(&ALL);
    let label = "model, not measurement";
    let svgs = svgs(&report);
    for name in ["power-1-3", "tokens-1-3", "rails-1-3"] {
        assert!(svgs[name].contains("estimate: model, not measurement"), "{name}");
    }
    for name in ["compare", "peers"] {
        assert!(svgs[name].contains("estimate (model): model, not measurement"), "{name}");
    }
    for name in ["power-1-1", "tokens-1-1", "rails-1-1"] {
        assert!(!svgs[name].contains(label), "{name}");
        assert!(svgs[name].contains("hwmon:ina226: measured"), "{name}");
        assert!(svgs[name].contains("Includes the whole card at its input"), "{name}");
    }
    let lines = [report.text(), report.csv()];
    for line in lines.iter().flat_map(|text| text.lines()).filter(|l| l.contains("estimate")) {
        assert!(line.contains(label), "{line}");
    }
    let page = report.html();
    for row in page.split("<tr>").filter(|row| row.contains("<td>estimate</td>")) {
        assert!(row.contains(label), "{row}");
    }
    assert!(page.contains("<h3>estimate <span class=\"tag model\">model, not measurement</span>"));
}

#[test]
fn plots_are_svg_and_png_of_one_size() {
    let desk = all();
    desk.ok(&[&ALL[..], &["-o", "out"]].concat());
    let files = files(&desk.path("out"));
    let mut plots = 0;
    for (name, png) in files.iter().filter(|(name, _)| name.ends_with(".png")) {
        plots += 1;
        let svg = String::from_utf8(files[&name.replace(".png", ".svg")].clone()).unwrap();
        page::check(&svg).unwrap_or_else(|why| panic!("{name}: {why}"));
        assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n", "{name}");
        let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
        let size = |key: &str| -> f64 {
            let text = svg.split_once(&format!(" {key}=\"")).unwrap().1;
            text.split_once('"').unwrap().0.parse().unwrap()
        };
        assert_eq!(f64::from(number(16)), 2.0 * size("width"), "{name}");
        assert_eq!(f64::from(number(20)), (2.0 * size("height")).round(), "{name}");
    }
    // Three a meter, and those of all.
    assert_eq!(plots, 3 * 5 + 2);
}

/// An hour has no more points than a minute, and keeps its only peak.
#[test]
fn a_long_recording_makes_a_small_plot() {
    let desk = Desk::new(&[("long.jsonl", made::long())]);
    let report = desk.report(&["long.jsonl"]);
    let svgs = svgs(&report);
    let svg = &svgs["power-1-1"];
    assert!(svg.len() < 200_000, "{} bytes", svg.len());
    assert!(svg.contains("Marks of tokens that would touch another one are left out."));
    // Its tick at 15 W is there only for the peak: else the axis would end at 6 W.
    assert!(svg.contains(">15</text>"), "the peak is lost");
    assert!(svgs["tokens-1-1"].contains("A place is 8 runs in succession"));
    assert!(report.html().contains("100 further runs are in report.csv"));
}

#[test]
fn what_cannot_be_reported_is_told() {
    let good = made::few().text();
    let first = good.lines().next().unwrap();
    let mut text = String::new();
    let cases: [(&str, Option<String>); 8] = [
        ("none.jsonl", None),
        ("empty.jsonl", Some(String::new())),
        ("words.jsonl", Some("hello\n".into())),
        ("headless.jsonl", Some(good.lines().skip(1).map(|l| format!("{l}\n")).collect())),
        ("future.jsonl", Some(format!("{}\n", first.replace("\"format\":1", "\"format\":2")))),
        ("torn.jsonl", Some(good.replacen("\"kind\":\"token\"", "\"kind\":\"tok", 1))),
        ("twice.jsonl", Some(format!("{first}\n{first}\n"))),
        ("rails.jsonl", Some(good.replacen("\"values\":[20.0,5.0]", "\"values\":[20.0]", 1))),
    ];
    let desk = Desk::new(&[("good.jsonl", made::few())]);
    for (name, content) in cases {
        if let Some(content) = content {
            fs::write(desk.path(name), content).unwrap();
        }
        let (code, out, err) = desk.run(&["good.jsonl", name, "-o", "out"]);
        assert_eq!((code, out.as_str()), (Some(1), ""), "{name}");
        let _ = write!(text, "{err}");
        assert!(!desk.path("out").exists(), "{name}: half a report");
    }
    fs::create_dir(desk.path("full")).unwrap();
    fs::write(desk.path("full/mine.txt"), "mine").unwrap();
    for dir in ["full", "good.jsonl"] {
        let (code, _, err) = desk.run(&["good.jsonl", "-o", dir]);
        assert_eq!(code, Some(1));
        text += &err;
    }
    assert_eq!(files(&desk.path("full")).len(), 1);
    insta::assert_snapshot!("errors", text);
    // A folder that is there and empty is as good as none.
    fs::create_dir(desk.path("empty")).unwrap();
    desk.ok(&["good.jsonl", "-o", "empty"]);
    assert!(desk.path("empty/report.html").is_file());
}

/// A meter of which no rail is counted has no total, and so no figure: not one of 0 J.
#[test]
fn without_a_total_there_is_no_figure() {
    let beside = made::meter("hwmon:x", "measured", "rails", 0.02, &["aux 1", "aux 2"]);
    let mut made = Made::new("tiny", 1, &[beside]);
    made.run(2.0, 40, 0.05);
    made.rest(2.0);
    made.samples(0, 0.02, |_| Some(vec![1.0, 2.0]));
    made.end(0.0);
    let report = Desk::new(&[("beside.jsonl", made)]).report(&["beside.jsonl"]);
    let run = &report.recordings[0].analysis.meters[0].runs[0];
    assert_eq!(run.decode.refused(), Some("none of the meter's rails is part of a total"));
    assert!(run.idle.known().is_none());
}

/// Recordings of meters and devices that behave as none should: a report all the same, or an error.
#[test]
fn odd_recordings_make_no_odd_pages() {
    let seed = std::env::var("STERNA_SEED").map_or(1, |seed| seed.parse().unwrap());
    println!("STERNA_SEED={seed}");
    let schema: Value = serde_json::from_str(&Report::schema()).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut reported = 0;
    for case in 0..60 {
        let desk = Desk::new(&[("odd.jsonl", made::odd(&mut random))]);
        let Ok(report) = Report::read(&[desk.path("odd.jsonl")], |_, _| Ok(())) else { continue };
        reported += 1;
        page::check(&report.html()).unwrap_or_else(|why| panic!("case {case}: {why}"));
        let json = serde_json::from_str(&report.json()).unwrap();
        assert_eq!(differs(&schema, &schema, &json), None, "case {case}");
        for drawing in report.drawings() {
            let svg = svg(&drawing);
            let odd = ["NaN", "inf"].iter().any(|word| svg.contains(&format!("\"{word}")));
            assert!(!odd, "case {case}: {}", drawing.name);
            assert!(svg.len() < 1_000_000, "case {case}: {} is too long", drawing.name);
        }
        assert!(!report.csv().is_empty() && !report.text().is_empty());
    }
    assert!(reported > 20, "{reported} were read");
}
