//! Refusals and failures, in the form that OpenAI's clients understand.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::serve::engine::Refused;

/// An answer that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    status: StatusCode,
    kind: &'static str,
    code: &'static str,
    param: Option<&'static str>,
    message: String,
    retry: Option<Duration>,
}

impl ApiError {
    fn new(status: StatusCode, kind: &'static str, code: &'static str, message: String) -> Self {
        ApiError { status, kind, code, param: None, message, retry: None }
    }

    /// A parameter that cannot be what it is: its name, what is wrong.
    pub fn invalid(param: &'static str, message: impl Into<String>) -> ApiError {
        let (kind, code) = ("invalid_request_error", "invalid_value");
        let error = ApiError::new(StatusCode::BAD_REQUEST, kind, code, message.into());
        ApiError { param: Some(param), ..error }
    }

    /// A body that cannot be read.
    pub fn body(status: StatusCode, message: impl Into<String>) -> ApiError {
        ApiError::new(status, "invalid_request_error", "invalid_body", message.into())
    }

    /// Something that is not here.
    pub fn not_found(message: impl Into<String>) -> ApiError {
        let (kind, code) = ("invalid_request_error", "not_found");
        ApiError::new(StatusCode::NOT_FOUND, kind, code, message.into())
    }

    /// Another model.
    pub fn model(asked: &str, there: &str) -> ApiError {
        let message = format!("the model `{asked}` is not here; this server has `{there}`");
        let code = "model_not_found";
        let error = ApiError::new(StatusCode::NOT_FOUND, "invalid_request_error", code, message);
        ApiError { param: Some("model"), ..error }
    }

    /// A path that is there, for another method.
    pub fn method() -> ApiError {
        let message = "this path has another method; see docs/serve.md".to_string();
        let (kind, code) = ("invalid_request_error", "method_not_allowed");
        ApiError::new(StatusCode::METHOD_NOT_ALLOWED, kind, code, message)
    }

    /// No key, or a wrong one.
    pub fn key() -> ApiError {
        let message = "this server wants its key: Authorization: Bearer KEY".to_string();
        let (kind, code) = ("authentication_error", "invalid_api_key");
        ApiError::new(StatusCode::UNAUTHORIZED, kind, code, message)
    }

    /// Asked under a name that is not this machine's.
    pub fn host() -> ApiError {
        let message = "without a key this server answers to localhost only".to_string();
        let (kind, code) = ("invalid_request_error", "wrong_host");
        ApiError::new(StatusCode::MISDIRECTED_REQUEST, kind, code, message)
    }

    /// The device failed.
    pub fn failed(message: &str) -> ApiError {
        let (kind, code) = ("server_error", "device_failed");
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, kind, code, message.into())
    }

    /// As JSON.
    pub fn json(&self) -> Value {
        json!({ "error": {
            "message": self.message,
            "type": self.kind,
            "param": self.param,
            "code": self.code,
        }})
    }
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> ApiError {
        let down = StatusCode::SERVICE_UNAVAILABLE;
        match refused {
            Refused::Busy(after) => {
                let message = format!("too many wait; try again in {} s", after.as_secs());
                let (kind, code) = ("rate_limit_error", "rate_limit_exceeded");
                let error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, kind, code, message);
                ApiError { retry: Some(after), ..error }
            }
            Refused::Ending => {
                ApiError::new(down, "server_error", "ending", "this server is ending".into())
            }
            Refused::Down(why) => ApiError::new(down, "server_error", "device_down", why),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.json())).into_response();
        if let Some(after) = self.retry {
            response.headers_mut().insert(header::RETRY_AFTER, after.as_secs().into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let how = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, how);
        }
        response
    }
}
