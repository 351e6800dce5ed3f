//! Who may ask.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::error::ApiError;

/// Who a connection is from.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// With a key whoever has it may ask, without one whoever is on this machine.
pub struct Guard {
    key: Option<[u8; 32]>,
}

impl Guard {
    /// With this key, or without one.
    pub fn new(key: Option<&str>) -> Guard {
        Guard { key: key.map(|key| Sha256::digest(key).into()) }
    }

    /// Whether a header has the key. Digests are compared, so that how long it takes says nothing
    /// of the key.
    fn opens(&self, header: Option<&HeaderValue>) -> bool {
        let Some(key) = self.key else { return true };
        let given = header.and_then(|given| given.as_bytes().strip_prefix(b"Bearer "));
        given.is_some_and(|given| <[u8; 32]>::from(Sha256::digest(given.trim_ascii())) == key)
    }
}

/// Lets those through who have the key.
pub async fn key(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    if guard.opens(request.headers().get(header::AUTHORIZATION)) {
        next.run(request).await
    } else {
        ApiError::key().into_response()
    }
}

/// Without a key, lets those through who asked for this machine by its own name: a page of
/// elsewhere whose name was made to point here asks under that name.
pub async fn host(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    if guard.key.is_some() || host.is_some_and(is_local) {
        next.run(request).await
    } else {
        ApiError::host().into_response()
    }
}

/// Whether a host, with or without a port, is this machine as it calls itself.
fn is_local(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Has browsers take answers for what they say they are, and nobody put the page into another.
pub async fn sober(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
    ] {
        let headers = response.headers_mut();
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_opens_and_nothing_else() {
        let guard = Guard::new(Some("sesame"));
        let opens = |given: &str| guard.opens(Some(&HeaderValue::from_str(given).unwrap()));
        assert!(opens("Bearer sesame") && opens("Bearer  sesame "));
        assert!(!opens("sesame") && !opens("Bearer Sesame") && !opens("Bearer "));
        assert!(!guard.opens(None) && Guard::new(None).opens(None));
    }

    #[test]
    fn only_this_machine_is_local() {
        for host in ["localhost", "LocalHost:80", "127.0.0.1:8080", "[::1]:1", "127.9.9.9"] {
            assert!(is_local(host), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example:80", "10.0.0.1", "[::2]:1", ""] {
            assert!(!is_local(host), "{host}");
        }
    }
}
