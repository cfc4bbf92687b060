//! The door of the web: bodies, forms and addresses become plain values, or one clear [`Problem`].
//!
//! What a form holds is decoded here rather than by axum's extractors, so that bytes that are not
//! text are told apart and what a person typed can be given back to them.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequestParts, Path};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Request};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use super::error::Problem;

/// The largest JSON body, in bytes.
pub(super) const MAX_JSON: usize = 64 * 1024;
/// The largest form, in bytes. Larger than for JSON: a text that is too long is given back in its field.
pub(super) const MAX_FORM: usize = 1024 * 1024;
/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(10);

/// The names and values of a form or of a query.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pairs: Vec<(String, String)>,
    /// A name or a value was not UTF-8; U+FFFD stands in its place.
    damaged: bool,
}

impl Fields {
    /// Reads `a=b&c=d`, percent-encoded.
    pub(super) fn parse(text: &[u8]) -> Self {
        let mut fields = Self::default();
        for pair in text.split(|b| *b == b'&').filter(|p| !p.is_empty()) {
            let at = pair.iter().position(|b| *b == b'=');
            let (name, value) = at.map_or((pair, &[][..]), |at| (&pair[..at], &pair[at + 1..]));
            let name = fields.decode(name);
            let value = fields.decode(value);
            fields.pairs.push((name, value));
        }
        fields
    }

    /// The query of an address.
    ///
    /// # Errors
    /// [`Problem::NotText`].
    pub(super) fn query(query: Option<&str>) -> Result<Self, Problem> {
        Self::parse(query.unwrap_or_default().as_bytes()).sound()
    }

    /// The first value with this name; empty when there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        self.pairs
            .iter()
            .find(|(n, _)| n == name)
            .map_or("", |(_, v)| v.as_str())
    }

    /// Every name and value, in order.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }

    /// The fields, unless some of them were not text.
    ///
    /// # Errors
    /// [`Problem::NotText`].
    pub(super) fn sound(self) -> Result<Self, Problem> {
        if self.damaged {
            Err(Problem::NotText)
        } else {
            Ok(self)
        }
    }

    /// Whether some of it was not text.
    pub(super) fn damaged(&self) -> bool {
        self.damaged
    }

    /// A number between 1 and `most`, or `default` when it is not given.
    ///
    /// # Errors
    /// [`Problem::WrongParameter`].
    pub(super) fn number(
        &self,
        name: &'static str,
        default: usize,
        most: usize,
    ) -> Result<usize, Problem> {
        match self.get(name) {
            "" => Ok(default),
            text => match text.parse() {
                Ok(n) if (1..=most).contains(&n) => Ok(n),
                _ => Err(Problem::WrongParameter {
                    name,
                    expected: format!("un nombre entier de 1 à {most}"),
                }),
            },
        }
    }

    fn decode(&mut self, raw: &[u8]) -> String {
        let mut bytes = Vec::with_capacity(raw.len());
        let mut at = 0;
        while let Some(byte) = raw.get(at) {
            at += 1;
            bytes.push(match byte {
                b'+' => b' ',
                b'%' => match raw.get(at..at + 2).and_then(hexadecimal) {
                    Some(decoded) => {
                        at += 2;
                        decoded
                    }
                    None => b'%',
                },
                other => *other,
            });
        }
        String::from_utf8(bytes).unwrap_or_else(|e| {
            self.damaged = true;
            String::from_utf8_lossy(e.as_bytes()).into_owned()
        })
    }
}

fn hexadecimal(pair: &[u8]) -> Option<u8> {
    let digit = |b: u8| char::from(b).to_digit(16);
    let [high, low] = pair else { return None };
    u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()
}

/// The body of a request, whole.
async fn body(body: Body, most: usize) -> Result<Vec<u8>, Problem> {
    let read = tokio::time::timeout(BODY_TIME, Limited::new(body, most).collect()).await;
    match read.map_err(|_| Problem::TooSlow)? {
        Ok(bytes) => Ok(bytes.to_bytes().to_vec()),
        Err(e) if e.is::<LengthLimitError>() => Err(Problem::TooLarge { limit: most }),
        Err(_) => Err(Problem::Interrupted),
    }
}

/// The fields of a posted form.
///
/// # Errors
/// [`Problem`], when it is not a form, too large or too slow.
pub(super) async fn form(request: Request<Body>) -> Result<Fields, Problem> {
    expect_type(request.headers(), "application/x-www-form-urlencoded")?;
    Ok(Fields::parse(&body(request.into_body(), MAX_FORM).await?))
}

/// A JSON body of the shape that `expected` describes.
///
/// # Errors
/// [`Problem`], when it is not JSON, not of this shape, too large or too slow.
pub(super) async fn json<T: DeserializeOwned>(
    request: Request<Body>,
    expected: &'static str,
) -> Result<T, Problem> {
    let text = json_text(request).await?;
    let value: serde_json::Value = serde_json::from_str(&text).map_err(|e| Problem::NotJson {
        line: e.line(),
        column: e.column(),
    })?;
    serde_json::from_value(value).map_err(|_| Problem::WrongShape { expected })
}

/// A JSON body as text, for a reader of its own.
///
/// # Errors
/// [`Problem`], when it is of another type, not UTF-8, too large or too slow.
pub(super) async fn json_text(request: Request<Body>) -> Result<String, Problem> {
    expect_type(request.headers(), "application/json")?;
    let bytes = body(request.into_body(), MAX_JSON).await?;
    String::from_utf8(bytes).map_err(|_| Problem::NotText)
}

fn expect_type(headers: &HeaderMap, expected: &'static str) -> Result<(), Problem> {
    let given = headers
        .get(CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    let given = given.split(';').next().unwrap_or_default().trim();
    if given.eq_ignore_ascii_case(expected) {
        Ok(())
    } else {
        Err(Problem::UnsupportedMedia { expected })
    }
}

/// Whether the client takes this type, by name.
pub(super) fn accepts(headers: &HeaderMap, media: &str) -> bool {
    headers
        .get_all("accept")
        .iter()
        .filter_map(|v| v.to_str().ok())
        .any(|v| v.contains(media))
}

/// The one variable part of an address; empty when it is not text, so that nothing has that id.
#[derive(Debug)]
pub(super) struct Segment(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        Ok(Self(path.map(|Path(id)| id).unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_decoded_and_what_is_not_text_is_told() {
        let fields = Fields::parse("message=C%27est+combien+%3F&x&conversation=".as_bytes());
        assert_eq!(fields.get("message"), "C'est combien ?");
        assert_eq!(
            (
                fields.get("x"),
                fields.get("conversation"),
                fields.get("absent")
            ),
            ("", "", "")
        );
        assert!(fields.sound().is_ok());

        assert!(Fields::parse(b"message=%FF%00").damaged());
        assert!(Fields::parse(b"message=\xff").damaged());
        assert_eq!(Fields::parse(b"message=100%&b=%zz").get("message"), "100%");
    }

    #[test]
    fn a_number_has_its_bounds() {
        let fields = Fields::parse(b"limit=7&zero=0&many=1000&text=abc&less=-1");
        assert_eq!(fields.number("limit", 10, 100).ok(), Some(7));
        assert_eq!(fields.number("absent", 10, 100).ok(), Some(10));
        for name in ["zero", "many", "text", "less"] {
            assert!(fields.number(name, 10, 100).is_err(), "{name}");
        }
    }
}
