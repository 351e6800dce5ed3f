//! Several processes at once, and ones that are ended in the middle.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use sterna_rtl::random::Rng;

use crate::desk::{Desk, fuse, fuse_without_card};

#[test]
fn who_comes_second_is_told_at_once() {
    let Some(desk) = fuse("who_comes_second_is_told_at_once") else { return };
    let long = ["run", "demo.sterna", "ROMEO:\n", "-n", "3000", "--ignore-eos"];
    let first = desk.command(&desk.with_card(&long)).stdout(Stdio::piped()).spawn().unwrap();
    let mut first = Some(first);
    let mut byte = [0];
    let out = first.as_mut().and_then(|first| first.stdout.as_mut()).unwrap();
    out.read_exact(&mut byte).unwrap();
    let run = desk.with_card(&["run", "demo.sterna", "ROMEO:\n", "-n", "5"]);
    for _ in 0..3 {
        let begin = Instant::now();
        let error = desk.fails(&run);
        assert!(error.starts_with("error[X007]: "), "{error}");
        assert!(begin.elapsed() < Duration::from_secs(1));
    }
    let mut first = first.take().unwrap();
    assert!(first.try_wait().unwrap().is_none(), "it was over before the others came");
    let output = first.wait_with_output().unwrap();
    let text = [&byte[..], &output.stdout].concat();
    assert!(output.status.success() && text == desk.text(&long).into_bytes());
}

#[test]
fn many_at_once_are_right_or_told() {
    let Some(desk) = fuse("many_at_once_are_right_or_told") else { return };
    let prompt = ["run", "demo.sterna", "ROMEO:\n", "-n", "8"];
    let (right, run) = (desk.text(&prompt), desk.with_card(&prompt));
    let (mut served, mut told) = (0, 0);
    for _ in 0..5 {
        let spawn = |_| desk.command(&run).stdout(Stdio::piped()).spawn().unwrap();
        for child in (0..8).map(spawn).collect::<Vec<Child>>() {
            let output = child.wait_with_output().unwrap();
            let err = String::from_utf8_lossy(&output.stderr);
            if output.status.success() {
                assert_eq!(String::from_utf8_lossy(&output.stdout), right);
                served += 1;
            } else {
                assert!(err.starts_with("error[X007]: "), "{err}");
                told += 1;
            }
        }
        assert_eq!(desk.text(&run), right);
    }
    println!("{served} served, {told} told to wait");
    assert!(served >= 5 && told > 0);
}

/// A part of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Load,
    Run,
}

/// What signals met.
#[derive(Default)]
struct Tally {
    /// Loads by the chunks that the card's label says.
    chunks: Vec<u32>,
    /// Runs by the tokens that were printed.
    tokens: Vec<usize>,
    /// Jobs that were over before.
    late: u32,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.chunks.is_empty() {
            f.write_str(" loads with")?;
            for n in 0..=*self.chunks.iter().max().unwrap() {
                let count = self.chunks.iter().filter(|&&chunks| chunks == n).count();
                write!(f, " {n} chunks: {count},")?;
            }
        }
        if let (Some(least), Some(most)) = (self.tokens.iter().min(), self.tokens.iter().max()) {
            write!(f, " {} runs after {least} to {most} tokens,", self.tokens.len())?;
        }
        write!(f, " late: {}", self.late)
    }
}

const MODEL: &str = "large.sterna";
/// Greedy, or chosen at random.
const JOBS: [&[&str]; 2] = [
    &["run", MODEL, "--tokens", "1,2,3", "-n", "6"],
    &["run", MODEL, "--tokens", "5,6", "-n", "6", "--temp", "1", "--seed", "3"],
];
/// Tokens of a long run that are compared.
const LONG: usize = 250;

/// A card with a model of 55 MB, and its label as everybody can see it.
struct Scene {
    desk: Desk,
    c2h: File,
    h2c: File,
    /// What golden says to each job, and in a long run.
    right: [String; 2],
    long: String,
    /// Chunks of the model, and how long a load of them takes.
    chunks: u32,
    load: Duration,
}

impl Scene {
    fn new(test: &str) -> Option<Scene> {
        let mut desk = fuse_without_card(test)?;
        let shape = ["--hidden", "1024", "--layers", "1", "--vocab", "24000"];
        desk.text(&[&["synth", "-o", "large"], &shape[..]].concat());
        desk.text(&["import", "large", "-o", MODEL]);
        fs::remove_dir_all(desk.path("large")).unwrap();
        let right = JOBS.map(|job| desk.text(job));
        let count = LONG.to_string();
        let long = desk.text(&["run", MODEL, "--tokens", "1,2", "-n", &count, "--ignore-eos"]);
        desk.start_for(MODEL, "128M", &[]);
        let node = |name: &str| desk.path("card").join(name);
        let c2h = File::open(node("xdma0_c2h_0")).unwrap();
        let h2c = OpenOptions::new().write(true).open(node("xdma0_h2c_0")).unwrap();
        let mut scene = Scene { desk, c2h, h2c, right, long, chunks: 0, load: Duration::MAX };
        // The fastest of some, so that what ends loads comes before they are over.
        for _ in 0..5 {
            let mut child = scene.spawn_load();
            let begin = scene.load_begins();
            let mut last = (0, begin);
            while child.try_wait().unwrap().is_none() {
                match scene.label() {
                    Some(chunks) if chunks > last.0 => last = (chunks, Instant::now()),
                    _ => {}
                }
            }
            (scene.chunks, scene.load) = (last.0, scene.load.min(last.1 - begin));
        }
        println!("a load of {} chunks takes {:?}", scene.chunks, scene.load);
        assert!(scene.chunks > 3);
        Some(scene)
    }

    /// Chunks that the label says are there.
    fn label(&self) -> Option<u32> {
        let mut bytes = [0; 64];
        self.c2h.read_exact_at(&mut bytes, 0).unwrap();
        let done = bytes[48..52].try_into().unwrap();
        bytes.starts_with(b"STRNLOAD").then(|| u32::from_le_bytes(done))
    }

    fn spawn(&self, args: &[&str]) -> Child {
        self.desk.command(&self.desk.with_card(args)).stdout(Stdio::piped()).spawn().unwrap()
    }

    /// A job that finds nothing on the card.
    fn spawn_load(&self) -> Child {
        self.h2c.write_all_at(&[0; 64], 0).unwrap();
        self.spawn(JOBS[0])
    }

    fn load_begins(&self) -> Instant {
        let begin = Instant::now();
        while self.label().is_none() {
            assert!(begin.elapsed() < Duration::from_secs(60), "nobody loads");
        }
        Instant::now()
    }

    /// Ends a job in some part of it.
    fn end(&self, part: Part, signal: i32, rng: &mut Rng, tally: &mut Tally) {
        let mut share = |time: Duration| time.mul_f64(rng.below(1000) as f64 / 1000.0);
        let mut first = [0];
        let (mut child, pause) = match part {
            Part::Load => {
                let child = self.spawn_load();
                self.load_begins();
                (child, share(self.load))
            }
            Part::Run => {
                let run = ["run", MODEL, "--tokens", "1,2", "-n", "100000", "--ignore-eos"];
                let mut child = self.spawn(&run);
                child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
                (child, share(Duration::from_millis(150)))
            }
        };
        thread::sleep(pause);
        let (name, id) = (format!("-{signal}"), child.id().to_string());
        assert!(Command::new("kill").args([&name, &id]).status().unwrap().success());
        let begin = Instant::now();
        let mut text = first.map(char::from).iter().collect::<String>();
        child.stdout.as_mut().unwrap().read_to_string(&mut text).unwrap();
        let status = child.wait().unwrap();
        assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
        match status.signal() {
            None => {
                assert!(status.success() && part == Part::Load, "{status}");
                tally.late += 1;
            }
            got => assert_eq!(got, Some(signal)),
        }
        match part {
            Part::Load => tally.chunks.push(self.label().expect("a label")),
            Part::Run => {
                // Whole tokens, as far as it came.
                let least = text.len().min(self.long.trim_end().len());
                assert_eq!(text[..least], self.long[..least]);
                tally.tokens.push(text.matches(',').count());
            }
        }
    }
}

/// Whether this process, and so what it starts, was told to take no notice of SIGINT.
fn ignores_interrupts() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = line.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & 0b10 != 0)
}

/// Ends so many jobs in each part by each signal; after each, the next job is right.
fn end_jobs(test: &str, count: u32) {
    let seed = std::env::var("STERNA_SEED").ok().map(|seed| seed.parse().unwrap());
    let seed = seed.unwrap_or_else(|| u64::from(std::process::id()));
    println!("seed {seed}: replay with STERNA_SEED={seed}");
    thread::scope(|scope| {
        for part in [Part::Load, Part::Run] {
            scope.spawn(move || {
                let Some(scene) = Scene::new(test) else { return };
                let rng = &mut Rng::new(seed ^ part as u64);
                for (name, signal) in [("SIGINT", 2), ("SIGKILL", 9)] {
                    if signal == 2 && ignores_interrupts() {
                        println!("SKIPPED: {test}: SIGINT is ignored here");
                        continue;
                    }
                    let mut tally = Tally::default();
                    for n in 0..count as usize {
                        scene.end(part, signal, rng, &mut tally);
                        let job = n % 2;
                        let text = scene.desk.text(&scene.desk.with_card(JOBS[job]));
                        assert_eq!(text, scene.right[job], "{part:?}, {name}, job {n}");
                    }
                    println!("{count} times {name} during {part:?}:{tally}");
                    let inside = match part {
                        Part::Load => tally.chunks.iter().filter(|&&n| n < scene.chunks).count(),
                        Part::Run => tally.tokens.len(),
                    };
                    assert!(2 * inside > count as usize, "too few were met in the middle");
                }
            });
        }
    });
}

#[test]
fn the_job_after_a_signal_is_right() {
    end_jobs("the_job_after_a_signal_is_right", 12);
}

#[test]
#[ignore = "eight hundred jobs and as many that are ended: some minutes"]
fn the_job_after_each_of_eight_hundred_signals_is_right() {
    end_jobs("the_job_after_each_of_eight_hundred_signals_is_right", 200);
}
