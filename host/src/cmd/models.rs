//! `sterna models`: what was fetched.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Subcommand;
use serde_json::{Value, json};
use sterna_firmware::model::Description;

use crate::error::{HostError, Result};
use crate::hub::HubError;
use crate::models::{self, Pulled};
use crate::{demo, output};

/// List the models that were pulled, and the built-in one
///
/// They are in STERNA_MODELS, else in sterna/models in XDG_DATA_HOME or ~/.local/share. Of each
/// file the header is looked at, and whether it has its length.
#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  sterna models\n  sterna models --check\n  \
                  sterna models remove ridger/MMfreeLM-370M"
)]
pub struct Args {
    #[command(subcommand)]
    what: Option<What>,
    /// Verify every checksum of every file
    #[arg(long)]
    check: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
enum What {
    /// Delete a model that was pulled; what it was made of stays in the hub's cache
    #[command(after_help = "Example:\n  sterna models remove ridger/MMfreeLM-370M")]
    Remove {
        /// OWNER/NAME
        name: String,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    if let Some(What::Remove { name, json }) = &args.what {
        return remove(name, *json);
    }
    let models = models::list(args.check)?;
    let demo = demo::open(None)?;
    if args.json {
        let list: Vec<Value> = models.iter().map(entry).collect();
        let demo = facts(demo.description());
        let folder = models::folder()?;
        output::json(&json!({ "folder": folder, "built_in": demo, "models": list }))?;
    } else {
        let length = demo.container().length();
        output::line(&text(demo::NAME, length, "", Ok(demo.description())))?;
        for Pulled { name, bytes, written, description, .. } in &models {
            let moment = output::date(seconds(*written) as f64);
            let day = moment.split(' ').next().unwrap_or_default();
            output::line(&text(name, *bytes, day, description.as_ref()))?;
        }
    }
    let damaged = models.iter().filter(|model| model.description.is_err()).count();
    if damaged > 0 {
        return Err(HubError::DamagedModels { damaged, models: models.len() }.into());
    }
    Ok(())
}

fn remove(name: &str, json: bool) -> Result<()> {
    let path = models::find(name).ok_or_else(|| HubError::NoModel { word: name.into() })?;
    fs::remove_file(&path).map_err(HostError::io(&path, "delete"))?;
    // The owner's folder, if it was the last.
    if let Some(owner) = path.parent().filter(|_| name.contains('/')) {
        let _ = fs::remove_dir(owner);
    }
    if json {
        return output::json(&json!({ "deleted": path }));
    }
    output::line(&format!("{}: deleted", path.display()))
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

fn facts(description: &Description) -> Value {
    let Description { shape, image_id, origin, .. } = description;
    json!({
        "shape": shape,
        "image_id": image_id,
        "commit": origin.as_ref().map(|origin| &origin.commit),
    })
}

fn entry(model: &Pulled) -> Value {
    let mut entry = match &model.description {
        Ok(description) => facts(description),
        Err(error) => json!({ "problem": output::error(error) }),
    };
    entry["name"] = json!(model.name);
    entry["file"] = json!(model.path);
    entry["bytes"] = json!(model.bytes);
    entry["pulled"] = json!(seconds(model.written));
    entry["whole"] = json!(model.description.is_ok());
    entry
}

fn text(
    name: &str,
    bytes: u64,
    pulled: &str,
    description: std::result::Result<&Description, &HostError>,
) -> String {
    let size = output::mib(bytes);
    let start = format!("{name:<28} {size:>11}");
    match description {
        Ok(Description { shape, image_id, origin, .. }) => {
            let commit = origin.as_ref().and_then(|origin| origin.commit.get(..12)).unwrap_or("-");
            let (layers, hidden) = (shape.layers, shape.hidden);
            format!("{start}  {layers:>3} x {hidden:<5} image {image_id}  {commit:<12}  {pulled}")
                .trim_end()
                .into()
        }
        Err(error) => format!("{start}  [{}] {error}", error.code()),
    }
}
