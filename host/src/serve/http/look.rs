//! What is there, how it is, and what it does.

use std::sync::Arc;

use axum::Json;
use axum::extract::{MatchedPath, Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use serde_json::{Value, json};

use super::App;
use super::error::ApiError;
use crate::serve::engine::Health;

fn described(app: &App) -> Value {
    json!({
        "id": app.model,
        "object": "model",
        "created": app.created,
        "owned_by": "sterna",
        "sterna": { "image_id": app.image_id, "device": app.engine.device() },
    })
}

/// `/v1/models`.
pub async fn models(State(app): State<Arc<App>>) -> Json<Value> {
    Json(json!({ "object": "list", "data": [described(&app)] }))
}

/// `/v1/models/{id}`.
pub async fn model(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    if id == app.model { Ok(Json(described(&app))) } else { Err(ApiError::model(&id, &app.model)) }
}

/// `/health`.
pub async fn health(State(app): State<Arc<App>>) -> Response {
    match app.engine.health() {
        Health::Up => Json(json!({ "status": "ok" })).into_response(),
        Health::Down(why) => unwell(json!({ "status": "down", "reason": why })),
        Health::Ended => unwell(json!({ "status": "ended" })),
    }
}

fn unwell(of: Value) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, Json(of)).into_response()
}

/// `/metrics`.
pub async fn metrics(State(app): State<Arc<App>>) -> Response {
    const KIND: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, KIND)], app.metrics.text()).into_response()
}

/// `/live`: what the page shows.
pub async fn live(State(app): State<Arc<App>>) -> Json<Value> {
    let view = serde_json::to_value(app.power.view()).expect("a view is plain data");
    Json(json!({
        "model": app.model,
        "device": app.engine.device(),
        "slots": app.engine.slots(),
        "running": app.metrics.running.get(),
        "waiting": app.metrics.waiting.get(),
        "now": view,
    }))
}

/// `/`: the page, which needs nothing from elsewhere and may fetch nothing from there.
pub async fn page() -> Response {
    const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; \
                          script-src 'unsafe-inline'; connect-src 'self'; img-src data:";
    let mut response = Html(include_str!("../page.html")).into_response();
    let policy = HeaderValue::from_static(POLICY);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

/// Counts every answer.
pub async fn count(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    const PATHS: [&str; 8] = [
        "/",
        "/health",
        "/live",
        "/metrics",
        "/v1/chat/completions",
        "/v1/completions",
        "/v1/models",
        "/v1/models/{id}",
    ];
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let endpoint = PATHS.into_iter().find(|known| path == Some(*known)).unwrap_or("other");
    let response = next.run(request).await;
    app.metrics.answered(endpoint, response.status().as_u16());
    response
}
