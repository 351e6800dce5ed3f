//! The hub's protocol: a repository's checkpoint, into the cache that everybody shares.
//!
//! ```text
//! HEAD OWNER/NAME/resolve/REVISION/config.json   commit, size, checksum: all else is of this commit
//! GET  …                                         → blobs/CHECKSUM, and a link to it:
//!                                                  snapshots/COMMIT/config.json
//! ```
//!
//! The layout of the cache is that of the crate `hf-hub`, and its own code. Its transfers are not
//! used. Those of 0.5 (blocking, over `ureq`) append a whole file to a part if the server ignores
//! the range, compare neither length nor checksum, wait without an end, panic at some redirects,
//! and know no `HF_TOKEN`, `HF_HUB_CACHE` or offline mode. 1.0 does more of it, asynchronously, with
//! 297 crates and a C library of cryptography: 270 s to build on two shared cores, where `ureq` and
//! all else that is used here take 26.
//!
//! What a hub says is not trusted: sizes are bounded by the files' kinds and by `config.json`, no
//! more is read than was announced, names become paths only if they are plain, and a file is there
//! under its name when its checksum holds.

mod blob;
mod client;
mod error;
mod repository;
mod settings;

use std::fs;
use std::path::{Path, PathBuf};

use hf_hub::{Cache, CacheRepo, Repo, RepoType};
use indicatif::ProgressBar;
use sterna_model::Config;
use sterna_model::chat::{MAX_TEMPLATE_BYTES, MAX_TOKENIZER_CONFIG_BYTES};
use sterna_model::checkpoint::{
    MAX_HEADER_BYTES, MAX_INDEX_BYTES, MAX_TOKENIZER_BYTES, shards_of_index,
};
use sterna_model::config::MAX_CONFIG_BYTES;
use sterna_model::layout;

use crate::error::{HostError, Result};
use crate::output;
use blob::Blob;
use client::{Client, Facts};
pub use error::HubError;
pub use repository::{Repository, is_name};
pub use settings::{Settings, path};

/// Files that a checkpoint may have, with the bytes that each has at most.
const OPTIONAL: [(&str, u64); 3] = [
    ("tokenizer.json", MAX_TOKENIZER_BYTES),
    ("tokenizer_config.json", MAX_TOKENIZER_CONFIG_BYTES),
    ("chat_template.jinja", MAX_TEMPLATE_BYTES as u64),
];
const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
/// Files that weights are spread over; published models have some ten.
const SHARDS: usize = 1000;

/// A checkpoint in the cache.
#[derive(Debug)]
pub struct Snapshot {
    /// Its directory.
    pub dir: PathBuf,
    /// The commit that it is of.
    pub commit: String,
    /// Bytes that came over the network.
    pub fetched: u64,
}

/// Fetches what the cache lacks of a checkpoint; offline only looks whether it is there.
///
/// # Errors
/// Those of [`HubError`]; of `config.json` and the index, as an import has them; of writing.
pub fn snapshot(
    settings: &Settings,
    repository: &Repository,
    bar: &ProgressBar,
) -> Result<Snapshot> {
    let cache = Cache::new(settings.cache.clone()).repo(Repo::with_revision(
        repository.name().into(),
        RepoType::Model,
        repository.revision().into(),
    ));
    if settings.offline {
        return cached(&cache, repository);
    }
    let client = Client::new(settings)?;
    let first = client.facts(repository, repository.revision(), CONFIG)?;
    let first = first.ok_or_else(|| HubError::Missing {
        what: repository.to_string(),
        hub: settings.endpoint.clone(),
        reason: "it has no config.json",
    })?;
    let commit = first.commit.clone();
    let dir = cache.pointer_path(&commit);
    let mut fetch = Fetch { settings, repository, client, dir, commit, bar, fetched: 0 };
    fetch.take(CONFIG, &first, MAX_CONFIG_BYTES)?;
    for (name, most) in OPTIONAL {
        if let Some(facts) = fetch.facts(name)? {
            fetch.take(name, &facts, most)?;
        }
    }
    fetch.weights()?;
    let Fetch { dir, commit, fetched, .. } = fetch;
    if repository.revision() != commit {
        let path = &settings.cache;
        cache.create_ref(&commit).map_err(HostError::io(path, "write"))?;
    }
    Ok(Snapshot { dir, commit, fetched })
}

/// What the cache has of a revision, or of a commit.
fn cached(cache: &CacheRepo, repository: &Repository) -> Result<Snapshot> {
    let revision = repository.revision();
    let config = match repository::is_commit(revision) {
        true => Some(cache.pointer_path(revision).join(CONFIG)),
        false => cache.get(CONFIG),
    };
    let dir = config.filter(|path| path.exists()).and_then(|path| Some(path.parent()?.to_owned()));
    let commit = dir.as_deref().and_then(|dir| dir.file_name()?.to_str().map(str::to_owned));
    match (dir, commit) {
        (Some(dir), Some(commit)) if repository::is_commit(&commit) => {
            Ok(Snapshot { dir, commit, fetched: 0 })
        }
        _ => Err(HubError::Offline { what: repository.to_string() }.into()),
    }
}

/// The fetching of one commit.
struct Fetch<'a> {
    settings: &'a Settings,
    repository: &'a Repository,
    client: Client,
    /// Where the commit's links are.
    dir: PathBuf,
    commit: String,
    bar: &'a ProgressBar,
    fetched: u64,
}

impl Fetch<'_> {
    /// What the hub says of a file of the commit; `None` if there is none.
    fn facts(&self, file: &str) -> Result<Option<Facts>> {
        let facts = self.client.facts(self.repository, &self.commit, file)?;
        match facts {
            Some(facts) if facts.commit != self.commit => {
                let reason = format!("{file} of commit {} is of {}", self.commit, facts.commit);
                Err(self.client.nonsense(reason).into())
            }
            facts => Ok(facts),
        }
    }

    /// Has a file of at most `most` bytes in the cache.
    fn take(&mut self, file: &str, facts: &Facts, most: u64) -> Result<PathBuf> {
        if facts.size > most {
            let (what, bytes) = (format!("{}: {file}", self.repository), facts.size);
            return Err(HubError::TooLarge { what, bytes, most }.into());
        }
        self.bar.inc_length(facts.size);
        self.bar.set_message(file.to_owned());
        let url = self.client.url(self.repository, &self.commit, file);
        let blob = Blob::new(self.repo_folder(), &self.settings.cache, facts);
        self.fetched += blob.have(&self.client, &url, self.bar)?;
        blob.link(&self.dir.join(file))
    }

    /// The folder of the repository in the cache, above `snapshots/COMMIT`.
    fn repo_folder(&self) -> &Path {
        self.dir.ancestors().nth(2).expect("the cache's layout")
    }

    fn weights(&mut self) -> Result<()> {
        let most = self.most()?;
        let mut files = vec![];
        if let Some(facts) = self.facts(WEIGHTS)? {
            files.push((WEIGHTS.to_owned(), facts));
        } else if let Some(facts) = self.facts(INDEX)? {
            let path = self.take(INDEX, &facts, MAX_INDEX_BYTES)?;
            let index = fs::read(&path).map_err(HostError::io(&path, "read"))?;
            let shards = shards_of_index(&path, &index)?;
            if shards.len() > SHARDS {
                let reason = format!("{INDEX} names {} files, not {SHARDS} at most", shards.len());
                return Err(self.client.nonsense(reason).into());
            }
            for shard in shards {
                let facts = self.facts(&shard)?.ok_or_else(|| HubError::Missing {
                    what: format!("{}: {shard:?}", self.repository),
                    hub: self.settings.endpoint.clone(),
                    reason: "the index names it",
                })?;
                files.push((shard, facts));
            }
        }
        // With neither, the import says what is missing.
        let bytes = files.iter().fold(0u64, |sum, (_, facts)| sum.saturating_add(facts.size));
        if bytes > most {
            let what = format!("{}: the weights", self.repository);
            return Err(HubError::TooLarge { what, bytes, most }.into());
        }
        for (file, facts) in files {
            self.take(&file, &facts, most)?;
        }
        Ok(())
    }

    /// Bytes of the weights of such a model in the widest type that is read, with some headers.
    fn most(&self) -> Result<u64> {
        let path = self.dir.join(CONFIG);
        let config = Config::from_json(&path, &output::read_text(&path)?)?;
        let elements = layout::tensors(&config)
            .iter()
            .map(|tensor| tensor.shape.iter().fold(1u64, |n, &side| n.saturating_mul(side as u64)))
            .fold(0u64, u64::saturating_add);
        Ok(elements.saturating_mul(4).saturating_add(MAX_HEADER_BYTES))
    }
}
