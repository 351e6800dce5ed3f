//! Errors of the hub, and of models by name.

use std::path::PathBuf;

/// What goes wrong between a name and a model's file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// The hub does not have it, or does not show it.
    #[error("{what}: not on {hub}: {reason}; check the name, and for a private model set HF_TOKEN")]
    Missing {
        /// The repository, or a file of it.
        what: String,
        /// The hub.
        hub: String,
        /// How one can tell.
        reason: &'static str,
    },
    /// The hub wants a token, or another one.
    #[error(
        "{what}: {hub} refuses it (status {status}); accept the model's terms on its page if it \
         has any, and set HF_TOKEN to a token that may read it"
    )]
    Denied {
        /// The repository.
        what: String,
        /// The hub.
        hub: String,
        /// 401 or 403.
        status: u16,
    },
    /// The hub is overworked, or broken.
    #[error("{hub} cannot answer now (status {status}); try again in some minutes")]
    Busy {
        /// The hub.
        hub: String,
        /// 429, or 500 and above.
        status: u16,
    },
    /// Nobody answers.
    #[error(
        "{hub} cannot be reached: {reason}; check the network, HTTPS_PROXY, SSL_CERT_FILE and \
         HF_ENDPOINT; HF_HUB_OFFLINE=1 takes what was fetched before"
    )]
    Unreachable {
        /// Who does not.
        hub: String,
        /// Why.
        reason: String,
    },
    /// An answer that no hub gives.
    #[error("{hub} answers what no hub does: {reason}; check HF_ENDPOINT and the proxy")]
    Nonsense {
        /// Who does.
        hub: String,
        /// What is wrong.
        reason: String,
    },
    /// A transfer that broke off again and again.
    #[error(
        "{url}: broke off at byte {at} of {size}: {reason}; what came is kept, the same command \
         goes on there"
    )]
    Broken {
        /// What was fetched.
        url: String,
        /// Bytes that came.
        at: u64,
        /// Bytes of the file.
        size: u64,
        /// Why.
        reason: String,
    },
    /// Other bytes than the hub announced.
    #[error(
        "{url}: damaged: its checksum is {computed}, the hub says {stated}; it was deleted, \
         fetch it again"
    )]
    Damaged {
        /// What was fetched.
        url: String,
        /// What the hub says.
        stated: String,
        /// Of what came.
        computed: String,
    },
    /// A file larger than such a file can be.
    #[error(
        "{what}: {bytes} bytes, where {most} are the most that makes sense; name another model"
    )]
    TooLarge {
        /// The file.
        what: String,
        /// Its size.
        bytes: u64,
        /// What it could have.
        most: u64,
    },
    /// Offline, and not in the cache.
    #[error("{what}: not in the cache, and HF_HUB_OFFLINE is set; unset it to fetch the model")]
    Offline {
        /// The repository.
        what: String,
    },
    /// Another process does the same.
    #[error("{path}: another process fetches this file; wait for it, then try again")]
    Locked {
        /// The lock.
        path: PathBuf,
    },
    /// No place to put things.
    #[error("there is no folder for {what}; set {set} to one")]
    NoFolder {
        /// What would be in it.
        what: &'static str,
        /// The variable.
        set: &'static str,
    },
    /// An address that is none.
    #[error("HF_ENDPOINT is {endpoint}; it must begin with https:// or http://")]
    Endpoint {
        /// What it is.
        endpoint: String,
    },
    /// Roots of certificates that cannot be read.
    #[error("SSL_CERT_FILE is {path}: {reason}; it must name certificates in PEM, or nothing")]
    Roots {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A word that is neither a file nor the name of a model.
    #[error(
        "{word}: no such file, and no pulled model of that name; `sterna models` lists those, \
         `sterna pull OWNER/NAME` fetches one, `sterna import` makes one of a checkpoint"
    )]
    NoModel {
        /// The word.
        word: PathBuf,
    },
    /// Files in the folder of models that cannot be used.
    #[error(
        "{damaged} of {models} models cannot be used; `sterna pull` those again, or remove them"
    )]
    DamagedModels {
        /// How many.
        damaged: usize,
        /// Of how many.
        models: usize,
    },
}

impl HubError {
    /// A stable code, unique among all errors of the project.
    pub fn code(&self) -> &'static str {
        use HubError::*;
        match self {
            Missing { .. } => "H050",
            Denied { .. } => "H051",
            Busy { .. } => "H052",
            Unreachable { .. } => "H053",
            Nonsense { .. } => "H054",
            Broken { .. } => "H055",
            Damaged { .. } => "H056",
            TooLarge { .. } => "H057",
            Offline { .. } => "H058",
            Locked { .. } => "H059",
            NoFolder { .. } => "H070",
            Endpoint { .. } => "H071",
            NoModel { .. } => "H072",
            DamagedModels { .. } => "H073",
            Roots { .. } => "H074",
        }
    }
}
