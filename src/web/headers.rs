//! Around every request: its log line, the headers of its response, and a net under its handler.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use futures::FutureExt;

use super::Site;
use super::error::Problem;

/// The headers of every response, errors included. `default-src 'none'` and no `unsafe-` anything: no
/// inline script or style, nothing from elsewhere, no frame around us; markup reaches the page only
/// through htmx's own Trusted Types policy.
pub(super) const SECURITY: [(&str, &str); 9] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types htmx",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-permitted-cross-domain-policies", "none"),
    ("x-frame-options", "DENY"),
    (
        "permissions-policy",
        "camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=(), hid=(), midi=(), \
         display-capture=(), browsing-topics=()",
    ),
    (
        "strict-transport-security",
        "max-age=31536000; includeSubDomains",
    ),
];

/// Adds the headers of every response.
pub(super) async fn secure(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in SECURITY {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    response
}

/// Logs a request when its response begins. Never its query, its body, or who asks.
pub(super) async fn log(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("(aucune)", |p| p.as_str())
        .to_owned();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    let duration_ms = started.elapsed().as_millis();
    tracing::info!(%method, route, status, duration_ms, "{method} {route} {status} in {duration_ms} ms");
    response
}

/// A handler that panics costs its visitor an answer, and no one else.
pub(super) async fn catch_panics(
    State(site): State<Site>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path().to_owned();
    match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(_) => {
            let route = if is_for_machines(&path) {
                "api"
            } else {
                "page"
            };
            tracing::error!(route, "a handler panicked");
            site.refuse(&path, &Problem::Broken)
        }
    }
}

/// Whether whoever calls this address wants JSON.
pub(super) fn is_for_machines(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/") || path.starts_with("/health/")
}

impl Site {
    /// A problem in the voice that fits the address.
    pub(super) fn refuse(&self, path: &str, problem: &Problem) -> Response {
        if is_for_machines(path) {
            self.refuse_json(problem)
        } else {
            self.refuse_page(problem)
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use tokio_util::sync::CancellationToken;
    use tower::ServiceExt as _;

    use super::*;
    use crate::app::App;
    use crate::config::{Config, Overrides};

    /// No request makes a handler of ours panic, that we know of: hence one that does nothing else.
    async fn panics() {
        panic!("the words of a person")
    }

    #[test]
    fn a_panic_is_a_readable_page_or_a_problem_and_says_nothing_of_its_cause() {
        let data = tempfile::tempdir().expect("a temporary folder");
        let config = Config::load(Overrides {
            home: Some(env!("CARGO_MANIFEST_DIR").into()),
            data_dir: Some(data.path().to_owned()),
            ..Overrides::default()
        });
        let app = App::open(config.expect("sound")).expect("the folder is free");
        let site = Site::new(app, CancellationToken::new());
        let router: Router = Router::new()
            .route("/page", get(panics))
            .route("/api/v1/page", get(panics))
            .layer(from_fn_with_state(site, catch_panics));
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.expect("a runtime starts").block_on(async {
            for (path, kind) in [
                ("/page", "text/html; charset=utf-8"),
                ("/api/v1/page", "application/problem+json"),
            ] {
                let request = Request::get(path).body(Body::empty()).expect("a request");
                let response = router.clone().oneshot(request).await.expect("it answers");
                assert_eq!(response.status(), 500, "{path}");
                assert_eq!(response.headers()["content-type"], kind);
                assert_eq!(response.headers()["cache-control"], "no-store");
                let body = to_bytes(response.into_body(), 1 << 20)
                    .await
                    .expect("it ends");
                let body = String::from_utf8_lossy(&body);
                assert!(body.contains("Une erreur est survenue"), "{body}");
                assert!(!body.contains("the words of a person"), "{body}");
                assert!(
                    path != "/page" || body.contains("href=\"/aides\""),
                    "no way on"
                );
            }
        });
    }
}
