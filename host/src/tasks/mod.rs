//! Questions with several answers, of which the model prefers one: the data sets of the paper's
//! table.
//!
//! What stands before an answer, how both become tokens, and what is compared are those of
//! EleutherAI's lm-evaluation-harness without examples, by which such figures are published:
//!
//! | task | context | answers |
//! |---|---|---|
//! | ARC, PIQA | `Question: …`, a new line, `Answer:` | a space and the text |
//! | OpenBookQA | the beginning of the sentence | a space and the text |
//! | HellaSwag | the activity, `: `, what happened; brackets are taken out | a space and the ending |
//! | WinoGrande | the sentence as far as the gap, filled in | a space and the rest: the same for both |
//!
//! An answer's likelihood is the sum of the logarithms of its tokens' probabilities. *acc* is how
//! often the right answer has the largest, *acc_norm* how often it has after division by the
//! answer's characters (not its bytes: so it is there).

mod error;
mod layout;
mod likelihood;
mod report;
mod results;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

pub use error::TaskError;
pub use layout::{Data, read};
pub use likelihood::{Encoded, encode, likelihoods};
pub use report::{Report, Score};
pub use results::{Answer, Header, Results};

/// A data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// Science questions of school exams, the easy ones
    #[serde(rename = "arc-easy")]
    ArcEasy,
    /// Those that word statistics get wrong
    #[serde(rename = "arc-challenge")]
    ArcChallenge,
    /// How a story goes on
    #[value(name = "hellaswag")]
    HellaSwag,
    /// How something is done in the household
    Piqa,
    /// Whom a sentence means
    #[value(name = "winogrande")]
    WinoGrande,
    /// Elementary science
    #[value(name = "openbookqa")]
    OpenBookQa,
}

impl Task {
    /// As on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Task::ArcEasy => "arc-easy",
            Task::ArcChallenge => "arc-challenge",
            Task::HellaSwag => "hellaswag",
            Task::Piqa => "piqa",
            Task::WinoGrande => "winogrande",
            Task::OpenBookQa => "openbookqa",
        }
    }

    /// Whether likelihoods by length are told: where the answers differ.
    pub fn is_normalised(self) -> bool {
        self != Task::WinoGrande
    }

    /// Per cent that the paper's table has for MMfreeLM-370M: Zhu et al. 2024, table 1, as
    /// github.com/fajarkraton/fajarquant quotes it in `python/phase_d/scripts/repro_upstream.py`.
    /// The paper does not say which of the two it counted.
    pub fn published_370m(self) -> f64 {
        match self {
            Task::ArcEasy => 42.6,
            Task::ArcChallenge => 23.8,
            Task::HellaSwag => 32.8,
            Task::Piqa => 63.0,
            Task::WinoGrande => 49.2,
            Task::OpenBookQa => 28.4,
        }
    }
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What the data set calls it, else its line.
    pub id: String,
    /// Where it is in its file, from 1.
    pub line: usize,
    /// Its answers, two or more.
    pub choices: Vec<Choice>,
    /// Which is right.
    pub gold: usize,
}

/// An answer, and what stands before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What the model has read.
    pub context: String,
    /// What it says.
    pub continuation: String,
    /// Characters of the answer as the data set has it.
    pub characters: usize,
}
