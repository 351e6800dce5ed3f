//! Errors of data sets and of results.

use std::path::PathBuf;

/// What is wrong with a data set, or with results.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TaskError {
    /// A line that is no question of the task.
    #[error("{path}:{line}: {reason}; take the data set as it is published, and the right --task")]
    Item {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// Nothing to ask.
    #[error("{path}: no questions in it; name a data set in JSON-lines")]
    NoItems {
        /// The file.
        path: PathBuf,
    },
    /// Labels in a file of their own that are not those of the questions.
    #[error("{path}: {reason}; it holds the right answer of each line, 0 or 1, as published")]
    Labels {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A file that holds no results.
    #[error("{path}:{line}: no results: {reason}; name another file with -o, or delete this one")]
    Results {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// Results of something else.
    #[error("{path}: results of another {what}: {found}, not {wanted}; name another file")]
    OtherResults {
        /// The file.
        path: PathBuf,
        /// What differs.
        what: &'static str,
        /// In the file.
        found: String,
        /// What would go with it.
        wanted: String,
    },
    /// Another process writes the same results.
    #[error("{path}: another process writes these results; wait for it, or name another file")]
    LockedResults {
        /// The file.
        path: PathBuf,
    },
}

impl TaskError {
    /// A stable code, unique among all errors of the project.
    pub fn code(&self) -> &'static str {
        use TaskError::*;
        match self {
            Item { .. } => "H080",
            NoItems { .. } => "H081",
            Labels { .. } => "H082",
            Results { .. } => "H083",
            OtherResults { .. } => "H084",
            LockedResults { .. } => "H085",
        }
    }
}
