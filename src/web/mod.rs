//! The web: pages for people, JSON for machines, and the service that listens.
//!
//! Every address stands in [`router`], grouped by who calls it. Handlers turn a request into plain
//! values, call [`App`], and show what it returns; what is true, found or said is not decided here.
//! axum, hyper and askama do not leave this module.

mod api;
mod assets;
mod chat;
mod datasets;
mod error;
mod filter;
mod headers;
mod health;
mod input;
mod landmarks;
mod line;
mod notices;
mod page;
mod programmes;
mod prose;
mod serve;
mod shelves;
mod statement;
mod stream;
mod turn;
mod typed;
mod verdict;
mod wizard;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::Uri;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use tokio_util::sync::CancellationToken;
use tower_http::compression::CompressionLayer;

use crate::app::App;
use crate::corpus::Territory;
use crate::text::language::Language;

pub use assets::htmx_version;
pub use serve::{bind, serve, serve_on};

use error::Problem;
use prose::Links;
use shelves::Shelves;

/// What handlers share.
#[derive(Debug, Clone)]
struct Site {
    /// The assistant.
    app: Arc<App>,
    /// The addresses that texts may link.
    links: Arc<Links>,
    /// The catalogue, sorted for its filters.
    shelves: Arc<Shelves>,
    /// Cancelled when open streams must end.
    closing: CancellationToken,
}

/// The whole site, for a server or for tests.
pub fn router(app: Arc<App>) -> Router {
    routes(app, CancellationToken::new())
}

impl Site {
    fn new(app: Arc<App>, closing: CancellationToken) -> Self {
        let not_indicated = app.corpus.messages.say("not_indicated", Language::Fr, &[]);
        Self {
            links: Arc::new(Links::of(&app.corpus)),
            shelves: Arc::new(Shelves::of(&app.corpus, &not_indicated)),
            app,
            closing,
        }
    }

    /// Where places are looked up.
    fn territory(&self) -> Result<&Territory, Problem> {
        self.app.corpus.territory().map_err(|faults| {
            tracing::error!(error = %faults, "the territory cannot be read: {faults}");
            Problem::Broken
        })
    }
}

fn routes(app: Arc<App>, closing: CancellationToken) -> Router {
    let site = Site::new(app, closing);

    let people = Router::new()
        .route("/", get(chat::show).post(chat::ask))
        .route("/oublier", post(chat::forget))
        .route("/aides", get(programmes::list))
        .route("/aides/{id}", get(programmes::show))
        .route("/aides/{id}/eligibilite", get(wizard::show))
        .route("/aides/{id}/aides-de-minimis", get(wizard::de_minimis))
        .route("/aides/{id}/auto-evaluation", get(wizard::grid))
        .route("/jeux-de-donnees", get(datasets::list))
        .route("/jeux-de-donnees/{id}", get(datasets::show))
        .route("/reperes", get(landmarks::landmarks))
        .route("/reperes/{id}", get(landmarks::landmark))
        .route("/guides", get(landmarks::guides))
        .route("/guides/{id}", get(landmarks::guide))
        .route("/comment-ca-marche", get(landmarks::how_it_works))
        .route("/accessibilite", get(notices::accessibility))
        .route("/donnees-personnelles", get(notices::privacy))
        .route("/mentions-legales", get(notices::legal))
        .route("/static/{name}", get(assets::get));

    let machines = Router::new()
        .route("/api/v1/chat", post(api::chat))
        .route("/api/v1/search", get(api::search))
        .route("/api/v1/datasets", get(api::datasets))
        .route("/api/v1/datasets/{id}", get(api::dataset))
        .route("/api/v1/programmes", get(api::programmes))
        .route("/api/v1/programmes/{id}", get(api::programme))
        .route(
            "/api/v1/programmes/{id}/eligibility",
            post(api::eligibility),
        );

    let operators = Router::new()
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready));

    people
        .merge(machines)
        .merge(operators)
        .fallback(no_such_address)
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn_with_state(site.clone(), headers::catch_panics))
        .layer(CompressionLayer::new())
        .layer(from_fn(headers::secure))
        .layer(from_fn(headers::log))
        .with_state(site)
}

async fn no_such_address(site: State<Site>, uri: Uri) -> Response {
    site.refuse(uri.path(), &Problem::UnknownPage)
}

async fn no_such_method(site: State<Site>, uri: Uri) -> Response {
    site.refuse(uri.path(), &Problem::WrongMethod)
}
