//! `sterna bench host`: what a token and a load cost beside the card.

use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rayon::prelude::*;
use serde::Serialize;
use serde_json::json;
use sterna_firmware::FirmwareError;
use sterna_firmware::device::{Device, Step, Want};
use sterna_firmware::file::SectionKind;
use sterna_firmware::geometry::Geometry;
use sterna_firmware::model::Model;
use sterna_hdl::driver::{Card, Settings};
use sterna_sim::fake_card::{FakeCard, Mounted};
use sterna_sim::soft_core::{Arithmetic, SoftCore};
use sterna_xdma::{Access, Files, Node, Options};

use super::median;
use crate::demo;
use crate::devices::xdma::XdmaTransport;
use crate::error::{HostError, Result};
use crate::output;

/// Measure what a token and a load cost beside the card
///
/// A fake card answers at once and computes nothing, so what is left is the runtime, the calls to
/// the system and the fake itself: once with its nodes in this process and its registers mapped,
/// as a driver maps them, and once as files through FUSE, where every access is a call to another
/// thread. A run is 64 tokens that the card chooses by itself, a pass one that the host chooses.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  sterna bench host 370m.sterna")]
pub struct Args {
    /// A .sterna file or a pulled model [default: the built-in demo model]
    model: Option<PathBuf>,
    /// Runs and passes of which the median is taken
    #[arg(long, default_value_t = 200, value_name = "N",
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=100_000))]
    repeat: usize,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Tokens of a run.
const RUN: usize = 64;
/// Bytes that a rate is taken of, at least.
const ENOUGH: u64 = 1 << 26;
/// Bytes of a raw `pwrite`.
const PIECE: usize = 1 << 20;
/// How often a load and the raw writes take turns.
const TURNS: usize = 5;

/// What was measured over one kind of nodes.
#[derive(Serialize)]
struct Figures {
    nodes: &'static str,
    /// Median microseconds of a token in a run, and of a pass.
    run_us_per_token: f64,
    pass_us: f64,
    /// Median bytes a second of a load, of plain writes to the same nodes, and of the turns the
    /// median of one by the other.
    load_bytes_per_second: f64,
    raw_bytes_per_second: f64,
    load_share_of_raw: f64,
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let model = demo::open(args.model.as_deref())?;
    let mut all = vec![];
    let card = fake(&model);
    all.push(measure("in process, registers mapped", Arc::new(card.local()), &model, &args)?);
    if Path::new("/dev/fuse").exists() {
        let directory =
            tempfile::tempdir().map_err(HostError::io(&std::env::temp_dir(), "write to"))?;
        let card = fake(&model);
        let _mounted = Mounted::new(&card, directory.path()).map_err(FirmwareError::from)?;
        let nodes = Arc::new(Files::new(directory.path()));
        all.push(measure("files through FUSE", nodes, &model, &args)?);
    } else {
        output::note("there is no /dev/fuse: the nodes as files are not measured");
    }
    if args.json {
        return output::json(&json!({
            "model": model.path(),
            "evidence": "measured",
            "nodes": all,
        }));
    }
    output::line("measured on this machine with a fake card that computes nothing")?;
    for of in all {
        output::line(&format!(
            "{}: {:.1} us a token in a run, {:.1} us a pass; load {:.0} MB/s, {:.0} % of {:.0} MB/s",
            of.nodes,
            of.run_us_per_token,
            of.pass_us,
            of.load_bytes_per_second / 1e6,
            100.0 * of.load_share_of_raw,
            of.raw_bytes_per_second / 1e6,
        ))?;
    }
    Ok(())
}

fn fake(model: &Model) -> FakeCard {
    let bytes = 2 * (model.image().bytes().len() as u64).next_power_of_two().max(1 << 26);
    let geometry = Geometry::for_shape(512, &model.shape());
    FakeCard::new(SoftCore::new(&geometry, bytes, Arithmetic::Canned), 0)
}

fn measure(
    nodes: &'static str,
    access: Arc<dyn Access>,
    model: &Arc<Model>,
    args: &Args,
) -> Result<Figures> {
    let transport = XdmaTransport::open(Arc::clone(&access), None, Options::default(), None)?;
    let card = Card::open(transport, "xdma", Arc::clone(model), &Settings::default());
    let mut card = card.map_err(FirmwareError::from)?;
    let (mut runs, mut passes) = (vec![], vec![]);
    // The first of each pays for what is opened late.
    for _ in 0..=args.repeat {
        runs.push(run_of_tokens(&mut card)? / RUN as f64);
        passes
            .push(timed(|| card.pass(&[Step { slot: 0, token: 1, want: Want::Top }]).map(|_| ()))?);
    }
    let (mut loads, mut raws, mut shares) = (vec![], vec![], vec![]);
    for _ in 0..TURNS {
        let loaded = card.loaded();
        let bytes = loaded.held + loaded.written;
        let times = ENOUGH.div_ceil(bytes);
        let load = timed(|| (0..times).try_for_each(|_| card.load().map_err(FirmwareError::from)))?;
        let raw = raw(&*access, model, times)?;
        loads.push((bytes * times) as f64 / load);
        raws.push((bytes * times) as f64 / raw);
        shares.push(raw / load);
    }
    Ok(Figures {
        nodes,
        run_us_per_token: 1e6 * median(&mut runs),
        pass_us: 1e6 * median(&mut passes),
        load_bytes_per_second: median(&mut loads),
        raw_bytes_per_second: median(&mut raws),
        load_share_of_raw: median(&mut shares),
    })
}

fn run_of_tokens(card: &mut Card<XdmaTransport>) -> Result<f64> {
    card.clear(0)?;
    timed(|| card.generate(0, 1, RUN, &[], &mut |_| ControlFlow::Continue(())))
}

/// Seconds that something takes.
fn timed(what: impl FnOnce() -> sterna_firmware::Result<()>) -> Result<f64> {
    let begin = Instant::now();
    what()?;
    Ok(begin.elapsed().max(Duration::from_nanos(1)).as_secs_f64())
}

/// Seconds that plain writes of the same bytes take, over as many channels as are the fastest.
fn raw(access: &dyn Access, model: &Model, times: u64) -> Result<f64> {
    let names = [0, 1, 2, 3].map(|n| format!("xdma0_h2c_{n}"));
    let path = access.path(&names[0]);
    let failed = |action| HostError::io(&path, action);
    let channels: Vec<Arc<dyn Node>> = names
        .iter()
        .map(|name| access.open(name))
        .collect::<io::Result<_>>()
        .map_err(failed("open"))?;
    let rows = model.container().require(SectionKind::Embedding, "import it again")?;
    let sections = [model.image().bytes(), rows];
    let mut best = f64::INFINITY;
    for count in [1, 2, 4] {
        let write = |channel: usize| -> io::Result<()> {
            for section in (0..times).flat_map(|_| sections) {
                let pieces = section.chunks(PIECE).enumerate().skip(channel).step_by(count);
                for (n, piece) in pieces {
                    let done = channels[channel].write_at(piece, (n * PIECE) as u64)?;
                    if done != piece.len() {
                        return Err(io::ErrorKind::WriteZero.into());
                    }
                }
            }
            Ok(())
        };
        let begin = Instant::now();
        let results: io::Result<Vec<()>> = (0..count).into_par_iter().map(write).collect();
        results.map_err(failed("write"))?;
        best = best.min(begin.elapsed().as_secs_f64());
    }
    Ok(best)
}
