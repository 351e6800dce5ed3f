//! The body of a request: bounded in length and time, and JSON by its own word.

use std::time::Duration;

use axum::body::{HttpBody, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::error::ApiError;

/// Most bytes of a body.
const MOST: usize = 1 << 20;
/// Until a body has to be there.
const PATIENCE: Duration = Duration::from_secs(15);

/// A body that was read.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ApiError> {
        // A page of another origin can send anything else without being asked.
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/json") {
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(ApiError::body(status, "the body has to be application/json"));
        }
        let long = || {
            let message = format!("the body broke off, or has more than {MOST} bytes");
            ApiError::body(StatusCode::PAYLOAD_TOO_LARGE, message)
        };
        // One that says so is not waited for.
        if request.body().size_hint().lower() > MOST as u64 {
            return Err(long());
        }
        let read = timeout(PATIENCE, to_bytes(request.into_body(), MOST)).await;
        let Ok(read) = read else {
            let message = format!("the body was not there after {} s", PATIENCE.as_secs());
            return Err(ApiError::body(StatusCode::REQUEST_TIMEOUT, message));
        };
        let bytes = read.map_err(|_| long())?;
        let value = serde_json::from_slice(&bytes);
        value.map(Body).map_err(|error| ApiError::body(StatusCode::BAD_REQUEST, error.to_string()))
    }
}
