//! `sterna pull`: a published model, from the hub to a file.

use std::fs;
use std::path::PathBuf;

use serde_json::json;
use sterna_model::checkpoint::{Checkpoint, Origin};

use super::import::{import, refuse_directory};
use crate::error::{HostError, Result};
use crate::hub::{Repository, Settings, snapshot};
use crate::{models, output};

/// Fetch a published model and import it
///
/// The checkpoint goes into the cache of the Hugging Face tools (HF_HOME, HF_HUB_CACHE), checked by
/// its checksums; what broke off is gone on with. The model goes into the folder of models, where
/// every command finds it by its name. HF_TOKEN, HF_ENDPOINT, HF_HUB_OFFLINE, HTTPS_PROXY and
/// NO_PROXY are heeded.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  sterna pull ridger/MMfreeLM-370M\n  \
                        sterna run ridger/MMfreeLM-370M 'Once upon a time'")]
pub struct Args {
    /// OWNER/NAME on the hub; with @, a branch, a tag or a commit of it
    #[arg(value_name = "REPO[@REVISION]")]
    repository: Repository,
    /// File to write [default: OWNER/NAME.sterna in the folder of models]
    #[arg(short, long, value_name = "FILE.sterna")]
    output: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let repository = &args.repository;
    let file = match &args.output {
        Some(file) => file.clone(),
        None => {
            let file = models::file(repository.name())?;
            let parent = file.parent().expect("a file of a folder");
            fs::create_dir_all(parent).map_err(HostError::io(parent, "create"))?;
            file
        }
    };
    refuse_directory(&file)?;
    let settings = Settings::from_env()?;
    let bar = output::bar(0, "bytes");
    let fetched = snapshot(&settings, repository, &bar)?;
    bar.finish_and_clear();
    let origin = Origin { repository: repository.name().into(), commit: fetched.commit.clone() };
    let checkpoint = Checkpoint::open(&fetched.dir)?.published_at(origin);
    let imported = import(&checkpoint, &file)?;
    if args.json {
        let mut report = imported.json();
        report["repository"] = json!(repository.name());
        report["revision"] = json!(repository.revision());
        report["commit"] = json!(fetched.commit);
        report["fetched_bytes"] = json!(fetched.fetched);
        return output::json(&report);
    }
    imported.print()?;
    output::line(&format!(
        "{repository} at {}, {} fetched",
        &fetched.commit[..12],
        output::mib(fetched.fetched)
    ))
}
