//! `sterna score`: questions with several answers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sterna_firmware::device::{Device, State};
use sterna_firmware::model::Model;
use sterna_model::Tokenizer;

use crate::cli::usage_error;
use crate::devices::Choice;
use crate::error::{HostError, Result};
use crate::tasks::{
    self, Answer, Data, Encoded, Header, Item, Report, Results, Task, TaskError, likelihoods,
};
use crate::{demo, output};

/// Choices that share a pass over the weights.
const SLOTS: usize = 64;

/// Score multiple-choice questions: ARC, HellaSwag, PIQA, WinoGrande, OpenBookQA
///
/// The choice with the largest log-likelihood after the question is the model's; prompts, tokens and
/// normalisation are those of EleutherAI's lm-evaluation-harness, without examples. With -o a run
/// that was ended goes on where it was. Data sets are JSON-lines as published.
#[derive(clap::Args)]
#[command(
    override_usage = "sterna score [OPTIONS] --task <TASK> [MODEL] <FILE.jsonl>...\n       \
                      sterna score --report <RESULTS.jsonl>...",
    after_help = "Examples:\n  sterna score --task arc-easy ARC-Easy-Test.jsonl -o arc-easy.results.jsonl\n  \
                  sterna score --report *.results.jsonl"
)]
pub struct Args {
    /// MODEL (a .sterna file or a pulled model) and files that end with .jsonl: clap has no
    /// optional first argument, so the usage line above says it and this stays hidden
    #[arg(hide = true, value_name = "MODEL> <FILE.jsonl")]
    words: Vec<String>,
    /// The data set
    #[arg(long, value_name = "TASK", required_unless_present = "report")]
    task: Option<Task>,
    /// Stop after the first N questions
    #[arg(long, value_name = "N",
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1_000_000))]
    limit: Option<usize>,
    /// Keep each answer as it comes, and go on with those that are there
    #[arg(short, long, value_name = "RESULTS.jsonl")]
    output: Option<PathBuf>,
    /// Print the table of results that were kept
    #[arg(long, conflicts_with_all = ["task", "limit", "output"])]
    report: bool,
    #[command(flatten)]
    device: Choice,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let is_data = |word: &String| word.ends_with(".jsonl");
    let (model, files) = match args.words.split_first() {
        Some((model, files)) if !is_data(model) => (Some(Path::new(model)), files),
        _ => (None, &args.words[..]),
    };
    if files.is_empty() || !files.iter().all(is_data) {
        usage_error("score", "name files that end with .jsonl, after MODEL if one is named");
    }
    let Some(task) = args.task else {
        if model.is_some() {
            usage_error("score", "--report takes results, and no model");
        }
        return report(files, args.json);
    };
    let questions = Questions::read(task, files)?;
    let model = demo::open(model)?;
    let results = answer(&args, &model, questions)?;
    print(&Report::new(&[results]), args.json)
}

fn print(report: &Report, json: bool) -> Result<()> {
    if json { output::json(report) } else { output::print(&report.text()) }
}

fn report(files: &[String], json: bool) -> Result<()> {
    let mut all: Vec<Results> = vec![];
    for file in files.iter().map(Path::new) {
        let results = Results::read(file)?;
        results.go_with(&all, file)?;
        if results.answers.is_empty() {
            let (path, reason) = (file.into(), "there is no answer yet".into());
            return Err(TaskError::Results { path, line: 2, reason }.into());
        }
        all.push(results);
    }
    print(&Report::new(&all), json)
}

/// Files of questions.
struct Questions {
    task: Task,
    data: Vec<Data>,
    items: Vec<Item>,
}

impl Questions {
    fn read(task: Task, files: &[String]) -> Result<Questions> {
        let mut questions = Questions { task, data: vec![], items: vec![] };
        for file in files {
            let (data, items) = tasks::read(task, Path::new(file))?;
            questions.data.push(data);
            questions.items.extend(items);
        }
        Ok(questions)
    }

    /// The choices of an item in tokens.
    fn encoded(&self, tokenizer: &Tokenizer, item: usize) -> Result<Vec<Encoded>> {
        let choices = self.items[item].choices.iter().map(|choice| {
            tasks::encode(tokenizer, choice)?.ok_or_else(|| {
                let (path, line) = (self.file(item), self.items[item].line);
                let reason = "the question, or an answer, has no tokens".into();
                TaskError::Item { path, line, reason }.into()
            })
        });
        choices.collect()
    }

    /// The file that an item is in.
    fn file(&self, item: usize) -> PathBuf {
        let mut ends = self.data.iter().scan(0, |end, data| {
            *end += data.items;
            Some((*end, &data.file))
        });
        let found = ends.find(|(end, _)| item < *end);
        found.map(|(_, file)| file.clone()).expect("an item of one of the files")
    }
}

/// The answers, as far as they are wanted.
fn answer(args: &Args, model: &Arc<Model>, questions: Questions) -> Result<Results> {
    let tokenizer =
        model.tokenizer()?.ok_or_else(|| HostError::NoTokenizer(model.path().into()))?;
    let count = args.limit.unwrap_or(usize::MAX).min(questions.items.len());
    let choices = questions.items.iter().take(count).map(|item| item.choices.len()).sum();
    let mut device = args.device.open(model, SLOTS.min(choices))?;
    let header = header(model, device.as_mut(), &questions)?;
    let mut results = match &args.output {
        Some(path) => Results::open(path, header)?,
        None => Results::new(header),
    };
    let bar = output::bar(count as u64, "items");
    while results.answers.len() < count {
        let begin = results.answers.len();
        bar.set_position(begin as u64);
        // As many items as have their choices side by side; one at least.
        let mut group = vec![questions.encoded(&tokenizer, begin)?];
        let mut places = group[0].len();
        for item in begin + 1..count {
            places += questions.items[item].choices.len();
            if places > device.slots() {
                break;
            }
            group.push(questions.encoded(&tokenizer, item)?);
        }
        for (n, sums) in likelihoods(device.as_mut(), &group)?.into_iter().enumerate() {
            let item = &questions.items[begin + n];
            let characters = item.choices.iter().map(|choice| choice.characters).collect();
            results.push(Answer::new(begin + n, &item.id, item.gold, characters, sums))?;
        }
    }
    bar.finish_and_clear();
    results.answers.truncate(count);
    Ok(results)
}

fn header(model: &Model, device: &mut dyn Device, questions: &Questions) -> Result<Header> {
    let shape = model.shape();
    device.clear(0)?;
    let arithmetic = match device.save(0)? {
        State::Fixed(_) => "fixed",
        State::Float(_) => "float",
    };
    Ok(Header {
        sterna_score: 1,
        task: questions.task,
        image_id: model.description().image_id.clone(),
        arithmetic: arithmetic.into(),
        shape: [shape.layers, shape.hidden],
        model: model.path().into(),
        data: questions.data.clone(),
    })
}
