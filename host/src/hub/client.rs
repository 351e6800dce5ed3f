//! Requests to a hub: who may see the token, which way they are sent on, what answers mean.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use ureq::http::{HeaderMap, Response, StatusCode, Uri};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body};

use super::repository::{Repository, is_commit};
use super::{HubError, Settings};

type Result<T> = std::result::Result<T, HubError>;

/// Times a request is sent on; the public hub does it twice.
const REDIRECTS: usize = 5;
/// Bytes a second that a transfer has on average at least, or it counts as broken: whoever sends
/// a byte a minute comes to an end.
const SLOWEST: u64 = 10_000;

/// One hub.
pub struct Client {
    agent: Agent,
    endpoint: String,
    token: Option<String>,
    patience: Duration,
}

/// What a hub says of a file.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The commit that the revision is.
    pub commit: String,
    /// Its name in the cache: the SHA-256 of a large file, else what git calls it.
    pub etag: String,
    /// Bytes.
    pub size: u64,
}

/// A file from some byte on.
pub struct Part {
    /// Which byte is first: the one that was asked for, or 0.
    pub start: u64,
    /// What comes; its errors are those of the network.
    pub reader: Box<dyn Read>,
}

/// What is asked for.
#[derive(Clone, Copy, PartialEq)]
enum Ask {
    Facts,
    Bytes { from: u64, size: u64 },
}

impl Client {
    /// Asks nobody yet. The proxy is that of `ALL_PROXY`, `HTTPS_PROXY` or `HTTP_PROXY`, but for
    /// hosts of `NO_PROXY`: `ureq` reads them.
    ///
    /// # Errors
    /// [`HubError::Roots`].
    pub fn new(settings: &Settings) -> Result<Client> {
        let patience = settings.patience;
        let roots = settings.roots.as_deref().map_or(Ok(RootCerts::WebPki), roots)?;
        let agent = Agent::config_builder()
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .http_status_as_error(false)
            // They are followed here, where the token is kept to the hub itself.
            .max_redirects(0)
            .timeout_connect(Some(patience))
            .timeout_recv_response(Some(patience))
            .timeout_per_read(Some(patience))
            .user_agent(concat!("sterna/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        let (endpoint, token) = (settings.endpoint.clone(), settings.token.clone());
        Ok(Client { agent, endpoint, token, patience })
    }

    /// The address of a file.
    pub fn url(&self, repository: &Repository, revision: &str, file: &str) -> String {
        let (name, revision) = (repository.name(), revision.replace('/', "%2F"));
        format!("{}/{name}/resolve/{revision}/{}", self.endpoint, escaped(file))
    }

    /// What the hub says of a file; `None` if the repository does not have it.
    pub fn facts(
        &self,
        repository: &Repository,
        revision: &str,
        file: &str,
    ) -> Result<Option<Facts>> {
        let response = self.send(&self.url(repository, revision, file), Ask::Facts)?;
        let (status, headers) = (response.status(), response.headers());
        if !status.is_success() && !status.is_redirection() {
            let code = header(headers, "x-error-code");
            let missing = |reason| HubError::Missing {
                what: repository.to_string(),
                hub: self.endpoint.clone(),
                reason,
            };
            return match (status, code) {
                (StatusCode::NOT_FOUND, Some("EntryNotFound")) => Ok(None),
                (_, Some("RevisionNotFound")) => Err(missing("there is no such revision")),
                (_, Some("RepoNotFound")) | (StatusCode::NOT_FOUND, _) => {
                    Err(missing("there is no such model, or not for everybody"))
                }
                _ => Err(self.refusal(repository.to_string(), status)),
            };
        }
        let etag = header(headers, "x-linked-etag").or_else(|| header(headers, "etag"));
        let etag = etag.map(|etag| etag.trim_start_matches("W/").trim_matches('"'));
        let etag = etag.filter(|etag| super::blob::Checksum::of(etag, 0).is_some());
        // That of a redirection would be the length of its own text.
        let size = header(headers, "x-linked-size")
            .or_else(|| header(headers, "content-length").filter(|_| status.is_success()));
        let size = size.and_then(|size| size.parse().ok());
        let commit = header(headers, "x-repo-commit").filter(|commit| is_commit(commit));
        match (commit, etag, size) {
            (Some(commit), Some(etag), Some(size)) => {
                Ok(Some(Facts { commit: commit.into(), etag: etag.into(), size }))
            }
            (commit, etag, _) => {
                let lacks = match (commit, etag) {
                    (None, _) => "commit",
                    (_, None) => "checksum",
                    _ => "size",
                };
                Err(self.nonsense(format!("{file} has no {lacks}")))
            }
        }
    }

    /// A file of `size` bytes from a byte on.
    pub fn get(&self, url: &str, from: u64, size: u64) -> Result<Part> {
        let response = self.send(url, Ask::Bytes { from, size })?;
        let (status, headers) = (response.status(), response.headers());
        let start = match status {
            StatusCode::OK => 0,
            StatusCode::PARTIAL_CONTENT => from,
            StatusCode::RANGE_NOT_SATISFIABLE => {
                return Err(self.nonsense(format!("there is no byte {from} of {size} in {url}")));
            }
            _ => return Err(self.refusal(url.into(), status)),
        };
        let range = header(headers, "content-range");
        let wanted = format!("bytes {start}-{}/{size}", size.saturating_sub(1));
        if status == StatusCode::PARTIAL_CONTENT && range != Some(&wanted) {
            let range = range.unwrap_or("no range");
            return Err(self.nonsense(format!("{range} of {url}, where {wanted} was wanted")));
        }
        let length = header(headers, "content-length");
        let wanted = (size - start).to_string();
        if let Some(length) = length.filter(|&length| length != wanted) {
            return Err(self.nonsense(format!("{length} bytes of {url}, where {wanted} are left")));
        }
        Ok(Part { start, reader: Box::new(response.into_body().into_reader()) })
    }

    /// That an answer makes no sense.
    pub fn nonsense(&self, reason: String) -> HubError {
        HubError::Nonsense { hub: self.endpoint.clone(), reason }
    }

    /// Sends a request, and on. One for facts goes no further than the hub, which tells them with
    /// the redirection to where the bytes are.
    fn send(&self, url: &str, ask: Ask) -> Result<Response<Body>> {
        let mut url = url.to_owned();
        for _ in 0..=REDIRECTS {
            let response = self.once(&url, ask)?;
            if !response.status().is_redirection() {
                return Ok(response);
            }
            let location = header(response.headers(), "location").unwrap_or("");
            let next = joined(&url, location)
                .ok_or_else(|| self.nonsense(format!("{url} is sent on to {location:?}")))?;
            if ask == Ask::Facts && origin(&next) != origin(&url) {
                return Ok(response);
            }
            url = next;
        }
        Err(self.nonsense(format!("{url}: sent on more than {REDIRECTS} times")))
    }

    fn once(&self, url: &str, ask: Ask) -> Result<Response<Body>> {
        let mut request = match ask {
            Ask::Facts => self.agent.head(url),
            Ask::Bytes { .. } => self.agent.get(url),
        };
        // Else sizes and checksums would be of a compressed file.
        request = request.header("accept-encoding", "identity");
        if let Some(token) = &self.token
            && origin(url) == origin(&self.endpoint)
        {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Ask::Bytes { from, size } = ask {
            if from > 0 {
                request = request.header("range", format!("bytes={from}-"));
            }
            let budget = self.patience + Duration::from_secs((size - from) / SLOWEST);
            request = request.config().timeout_recv_body(Some(budget)).build();
        }
        request.call().map_err(|error| HubError::Unreachable {
            hub: origin(url).unwrap_or_else(|| url.into()),
            reason: error.to_string(),
        })
    }

    /// What a status that is no success means.
    fn refusal(&self, what: String, status: StatusCode) -> HubError {
        let (hub, status) = (self.endpoint.clone(), status.as_u16());
        match status {
            401 | 403 => HubError::Denied { what, hub, status },
            429 | 500.. => HubError::Busy { hub, status },
            _ => self.nonsense(format!("status {status} for {what}")),
        }
    }
}

/// The certificates of a file.
fn roots(path: &Path) -> Result<RootCerts> {
    let wrong = |reason| HubError::Roots { path: path.into(), reason };
    let bytes = fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let certificates: Vec<_> = parse_pem(&bytes)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    match certificates.is_empty() {
        true => Err(wrong("no certificate in it".into())),
        false => Ok(RootCerts::new_with_certs(&certificates)),
    }
}

/// A header's text.
fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Scheme and host of an address.
fn origin(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    Some(format!("{}://{}", uri.scheme()?, uri.authority()?).to_lowercase())
}

/// Where a redirection leads, of the two kinds that there are; never from https to http.
fn joined(url: &str, location: &str) -> Option<String> {
    let next = match location {
        path if path.starts_with('/') && !path.starts_with("//") => origin(url)? + path,
        url if url.starts_with("http://") || url.starts_with("https://") => url.into(),
        _ => return None,
    };
    origin(&next).filter(|to| to.starts_with("https:") || url.starts_with("http:"))?;
    Some(next)
}

/// A file's name in an address.
fn escaped(file: &str) -> String {
    let keep = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    let one = |b: u8| if keep(b) { char::from(b).to_string() } else { format!("%{b:02X}") };
    file.bytes().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_redirections_lead() {
        let from = "https://hub.example/a/resolve/main/b";
        let to = |location| joined(from, location);
        assert_eq!(to("/c?d").as_deref(), Some("https://hub.example/c?d"));
        assert_eq!(to("https://cdn.example/e").as_deref(), Some("https://cdn.example/e"));
        for location in
            ["", "c", "../c", "//cdn.example/e", "http://hub.example/c", "ftp://x/", "https://"]
        {
            assert_eq!(to(location), None, "{location}");
        }
        let plain = joined("http://127.0.0.1:1/a", "http://127.0.0.1:2/b");
        assert_eq!(plain.as_deref(), Some("http://127.0.0.1:2/b"));
        assert_ne!(origin("http://127.0.0.1:1/a"), origin("http://127.0.0.1:2/a"));
        assert_eq!(origin("https://HUB.example/a"), origin("https://hub.example/b"));
    }

    #[test]
    fn names_in_addresses() {
        assert_eq!(escaped("model-00001-of-2.safetensors"), "model-00001-of-2.safetensors");
        assert_eq!(escaped("a b?é/%"), "a%20b%3F%C3%A9%2F%25");
    }
}
