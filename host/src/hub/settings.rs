//! What the environment says of the hub; the names are those of its own tools.

use std::env;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use hf_hub::Cache;

use super::HubError;
use crate::error::Result;

/// Where the hub is, where its cache is, and who asks.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `HF_ENDPOINT`, or the public hub; without a slash at its end.
    pub endpoint: String,
    /// `HF_HUB_CACHE`, else `hub` in `HF_HOME`.
    pub cache: PathBuf,
    /// `HF_TOKEN`, else the text of the file `HF_TOKEN_PATH`, else of `token` in `HF_HOME`.
    pub token: Option<String>,
    /// `HF_HUB_OFFLINE`: ask nobody.
    pub offline: bool,
    /// `SSL_CERT_FILE`: roots in place of those of Mozilla, in PEM.
    pub roots: Option<PathBuf>,
    /// How long nothing may come before a transfer counts as broken.
    pub patience: Duration,
}

/// The public hub.
const PUBLIC: &str = "https://huggingface.co";
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of a token's file that are read; tokens have some forty.
const TOKEN: u64 = 4096;

impl Settings {
    /// Reads the environment.
    ///
    /// # Errors
    /// [`HubError::NoFolder`] without a home, [`HubError::Endpoint`].
    pub fn from_env() -> Result<Settings> {
        let home = path("HF_HOME")
            .or_else(|| Some(path("XDG_CACHE_HOME")?.join("huggingface")))
            .or_else(|| Some(path("HOME")?.join(".cache/huggingface")));
        let cache = path("HF_HUB_CACHE").or_else(|| Some(home.clone()?.join("hub")));
        let cache = cache.ok_or(HubError::NoFolder { what: "the hub's cache", set: "HF_HOME" })?;
        let endpoint = text("HF_ENDPOINT").unwrap_or_else(|| PUBLIC.into());
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        if !endpoint.starts_with("http://") && !endpoint.starts_with("https://") {
            return Err(HubError::Endpoint { endpoint }.into());
        }
        let token = text("HF_TOKEN")
            .or_else(|| read_token(path("HF_TOKEN_PATH")?))
            .or_else(|| read_token(Cache::new(home?.join("hub")).token_path()));
        let yes = ["1", "ON", "YES", "TRUE"];
        let offline = text("HF_HUB_OFFLINE").map(|word| word.to_uppercase());
        let offline = offline.is_some_and(|word| yes.contains(&word.as_str()));
        let roots = path("SSL_CERT_FILE");
        Ok(Settings { endpoint, cache, token, offline, roots, patience: PATIENCE })
    }
}

/// A variable that is set to something.
fn text(name: &str) -> Option<String> {
    let text = env::var(name).ok()?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// A variable that names a path.
pub fn path(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn read_token(path: PathBuf) -> Option<String> {
    let mut text = String::new();
    File::open(path).ok()?.take(TOKEN).read_to_string(&mut text).ok()?;
    let token = text.trim();
    (!token.is_empty()).then(|| token.to_owned())
}
