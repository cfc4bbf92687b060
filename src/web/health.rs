//! For those who keep the service running: is it alive, and can it answer?

use axum::Json;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::Site;
use super::error::Problem;
use crate::app::Readiness;

/// `GET /health/live`: the process answers; nothing else is touched.
pub(super) async fn live() -> Response {
    fresh(json!({ "status": "live" }))
}

/// `GET /health/ready`: 200 only when questions can be answered, else 503 with the reason. While the
/// disk takes no conversation they are in memory only: answers go on, and the status says `degraded`.
/// While the index of a changed corpus is being built, answers come from the one before: `corpus` says
/// `earlier`.
pub(super) async fn ready(site: State<Site>) -> Response {
    let on_disk = site.app.conversations.outlive_a_restart();
    match site.app.readiness() {
        Readiness::Ready => fresh(json!({
            "status": if on_disk { "ready" } else { "degraded" },
            "conversations": if on_disk { "on_disk" } else { "memory_only" },
            "corpus": if site.app.answers_from_an_earlier_corpus() { "earlier" } else { "current" },
            "passages": site.app.corpus.passages.len(),
            "datasets": site.app.corpus.records.len(),
        })),
        Readiness::Preparing(progress) => site.refuse_json(&Problem::Preparing(progress)),
        Readiness::Away(_) => site.refuse_json(&Problem::Away),
        Readiness::Failed(_) => site.refuse_json(&Problem::Unavailable),
    }
}

fn fresh(body: serde_json::Value) -> Response {
    let mut response = Json(body).into_response();
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
