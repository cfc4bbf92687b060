//! Static files, embedded: our style and script, and htmx when the build found it.
//!
//! Their names carry a digest of their content, so that a browser may keep them for ever.

use std::sync::LazyLock;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::Site;
use super::error::Problem;
use super::input::Segment;
use crate::corpus::hex;

/// Our style sheet.
pub(super) static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "style",
        "css",
        "text/css; charset=utf-8",
        include_str!("static/style.css"),
    )
});
/// The site's mark.
pub(super) static MARK: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "marque",
        "svg",
        "image/svg+xml",
        include_str!("static/marque.svg"),
    )
});
/// What htmx does not do: the Enter key, emptying the field, saying that the connection is lost.
pub(super) static CHAT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "chat",
        "js",
        "text/javascript; charset=utf-8",
        include_str!("static/chat.js"),
    )
});
/// htmx and its extensions; empty in a build without it.
pub(super) static HTMX: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "htmx",
        "js",
        "text/javascript; charset=utf-8",
        include_str!(concat!(env!("OUT_DIR"), "/htmx.js")),
    )
});

/// The version of htmx in this build; `None` when it was built without, and the pages are plain forms.
#[must_use]
pub fn htmx_version() -> Option<&'static str> {
    Some(env!("ASSISTANT_HTMX_VERSION")).filter(|v| !v.is_empty())
}

/// A static file.
#[derive(Debug)]
pub(super) struct Asset {
    path: String,
    media: &'static str,
    content: &'static str,
}

impl Asset {
    fn new(stem: &str, extension: &str, media: &'static str, content: &'static str) -> Self {
        let digest = hex(&Sha256::digest(content.as_bytes()));
        Self {
            path: format!("/static/{stem}.{}.{extension}", &digest[..12]),
            media,
            content,
        }
    }

    /// Its address.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

/// `GET /static/{name}`.
pub(super) async fn get(
    site: axum::extract::State<Site>,
    name: Segment,
    headers: HeaderMap,
) -> Response {
    let all = [&STYLE, &MARK, &CHAT, &HTMX];
    let Some(asset) = all
        .into_iter()
        .find(|a| a.name() == name.0 && !a.content.is_empty())
    else {
        return site.refuse_page(&Problem::UnknownPage);
    };
    let tag = format!("\"{}\"", asset.name());
    let mut response = if headers
        .get(IF_NONE_MATCH)
        .is_some_and(|v| v.as_bytes() == tag.as_bytes())
    {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        asset.content.into_response()
    };
    let given = response.headers_mut();
    given.insert(CONTENT_TYPE, HeaderValue::from_static(asset.media));
    given.insert(
        CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=31536000, immutable"),
    );
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        given.insert(ETAG, tag);
    }
    response
}
