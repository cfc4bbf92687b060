//! The pages and the API, through the real router.

use assistant::app::App;
use assistant::web;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::harness::{app, block_on, config};

/// A response, read to its end.
pub struct Got {
    pub status: StatusCode,
    headers: axum::http::HeaderMap,
    pub body: String,
}

impl Got {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default()
    }
}

async fn send(router: &Router, request: Request<Body>) -> Got {
    let response: Response<Body> = router
        .clone()
        .oneshot(request)
        .await
        .expect("the router answers");
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, 8 << 20).await.expect("the body ends");
    let body = String::from_utf8(bytes.to_vec()).expect("the body is UTF-8");
    Got {
        status: parts.status,
        headers: parts.headers,
        body,
    }
}

/// Opens a page.
pub async fn get(router: &Router, path: &str) -> Got {
    send(
        router,
        Request::get(path).body(Body::empty()).expect("a request"),
    )
    .await
}

async fn post(router: &Router, path: &str, kind: &str, accept: &str, body: impl Into<Body>) -> Got {
    let request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header("content-type", kind)
        .header("accept", accept)
        .body(body.into())
        .expect("a request");
    send(router, request).await
}

/// Asks the API.
pub async fn chat(router: &Router, body: &Value) -> Got {
    post(
        router,
        "/api/v1/chat",
        "application/json",
        "application/json",
        body.to_string(),
    )
    .await
}

#[test]
fn a_question_to_the_api_gets_a_cited_answer_and_its_conversation_goes_on() {
    block_on(async {
        let router = web::router(app());
        let first = chat(
            &router,
            &json!({"message": "Quel est le plafond de Booster IA ?"}),
        )
        .await;
        assert_eq!(first.status, StatusCode::OK, "{}", first.body);
        let first = first.json();
        assert!(
            first["answer"]
                .as_str()
                .is_some_and(|a| a.contains("12\u{a0}500\u{a0}€") && a.contains("[1]")),
            "{first}"
        );
        assert!(
            first["citations"][0]["url"]
                .as_str()
                .is_some_and(|u| u.starts_with("/aides/booster-ia#")),
            "{first}"
        );
        assert_eq!(first["abstained"], false);

        let id = first["conversation_id"].clone();
        let second = chat(
            &router,
            &json!({"message": "et pour le Datathon ?", "conversation_id": id}),
        )
        .await
        .json();
        assert_eq!(second["conversation_id"], id);
        assert!(
            second["citations"][0]["locator"]
                .as_str()
                .is_some_and(|l| l.starts_with("annexe 5")),
            "{second}"
        );

        let lost = chat(
            &router,
            &json!({"message": "Bonjour", "conversation_id": "inconnue"}),
        )
        .await
        .json();
        assert_eq!(lost["restarted"], true, "{lost}");
    });
}

#[test]
fn an_event_stream_tells_at_once_then_sentence_by_sentence_then_all() {
    block_on(async {
        let router = web::router(app());
        let body = json!({"message": "où recharger ma voiture électrique à Rouen ?"}).to_string();
        let got = post(
            &router,
            "/api/v1/chat",
            "application/json",
            "text/event-stream",
            body,
        )
        .await;
        assert_eq!(got.status, StatusCode::OK);
        assert!(
            got.header("content-type").starts_with("text/event-stream"),
            "{}",
            got.header("content-type")
        );
        let events: Vec<&str> = got
            .body
            .lines()
            .filter_map(|l| l.strip_prefix("event: "))
            .collect();
        assert_eq!(events.first(), Some(&"status"), "{events:?}");
        assert_eq!(events.last(), Some(&"done"), "{events:?}");
        for event in ["sources", "delta", "card"] {
            assert!(events.contains(&event), "{event} is not in {events:?}");
        }
        let done = got
            .body
            .lines()
            .rev()
            .find_map(|l| l.strip_prefix("data: "))
            .expect("data");
        let done: Value = serde_json::from_str(done).expect("JSON");
        assert!(
            done["datasets"].as_array().is_some_and(|d| !d.is_empty()),
            "{done}"
        );
    });
}

#[test]
fn search_datasets_and_programmes_have_the_agreed_shapes() {
    block_on(async {
        let router = web::router(app());
        let found = get(&router, "/api/v1/search?q=prix%20du%20datathon&limit=3")
            .await
            .json();
        assert_eq!(found["results"].as_array().map(Vec::len), Some(3));
        for key in ["rank", "id", "score", "title", "locator", "text"] {
            assert!(!found["results"][0][key].is_null(), "{key}: {found}");
        }
        let datasets = get(&router, "/api/v1/datasets?q=v%C3%A9lo&limit=2")
            .await
            .json();
        let id = datasets["results"][0]["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        let one = get(&router, &format!("/api/v1/datasets/{id}")).await.json();
        assert_eq!(one["id"], id.as_str());
        let programmes = get(&router, "/api/v1/programmes").await;
        for id in ["diagnostic-data-ia", "booster-ia", "datathon-normandie"] {
            assert!(programmes.body.contains(id), "{}", programmes.body);
            assert_eq!(
                get(&router, &format!("/api/v1/programmes/{id}"))
                    .await
                    .json()["id"],
                id
            );
        }
        assert_eq!(get(&router, "/health/live").await.status, StatusCode::OK);
        assert_eq!(get(&router, "/health/ready").await.status, StatusCode::OK);
    });
}

#[test]
fn bad_input_to_the_api_is_a_problem_in_french() {
    block_on(async {
        let router = web::router(app());
        let long = json!({"message": "é".repeat(30_000)}).to_string();
        let cases: [(Vec<u8>, u16); 8] = [
            (json!({"message": ""}).to_string().into_bytes(), 422),
            (
                json!({"message": " \u{200b}\u{0}\t "})
                    .to_string()
                    .into_bytes(),
                422,
            ),
            (long.into_bytes(), 422),
            (
                json!({"message": "x".repeat(100_000)})
                    .to_string()
                    .into_bytes(),
                413,
            ),
            (b"{\"message\": \"\xff\xfe\"}".to_vec(), 400),
            (b"ceci n'est pas du JSON".to_vec(), 400),
            (b"{}".to_vec(), 422),
            (b"[]".to_vec(), 422),
        ];
        for (body, status) in cases {
            let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
            let got = post(
                &router,
                "/api/v1/chat",
                "application/json",
                "application/json",
                body,
            )
            .await;
            assert_eq!(got.status.as_u16(), status, "{shown}: {}", got.body);
            assert_eq!(
                got.header("content-type"),
                "application/problem+json",
                "{shown}"
            );
            let problem = got.json();
            for key in ["type", "title", "status", "detail"] {
                assert!(!problem[key].is_null(), "{key}: {problem}");
            }
        }
        assert_eq!(
            get(&router, "/api/v1/datasets/nulle-part").await.status,
            StatusCode::NOT_FOUND
        );
        assert_eq!(
            get(&router, "/api/v1/search?q=x&limit=0").await.status,
            StatusCode::UNPROCESSABLE_ENTITY
        );
    });
}

#[test]
fn without_javascript_a_form_gets_a_whole_page_with_its_sources() {
    block_on(async {
        let router = web::router(app());
        let empty = get(&router, "/").await;
        assert_eq!(empty.status, StatusCode::OK);
        for words in ["Une machine vous répond", "seule la Région décide", "<form"] {
            assert!(empty.body.contains(words), "{words}");
        }
        let form = "message=Quel+est+le+plafond+de+Booster+IA+%3F";
        let page = post(
            &router,
            "/",
            "application/x-www-form-urlencoded",
            "text/html",
            form,
        )
        .await;
        assert_eq!(page.status, StatusCode::OK);
        for words in [
            "12\u{a0}500\u{a0}€",
            "annexe 4",
            "/aides/booster-ia#plafond",
            "plafonnée à 12 500 € HT",
        ] {
            assert!(page.body.contains(words), "{words} is not in {}", page.body);
        }
        let hostile = "message=%3Cscript%3Ealert(1)%3C%2Fscript%3E";
        let page = post(
            &router,
            "/",
            "application/x-www-form-urlencoded",
            "text/html",
            hostile,
        )
        .await;
        assert!(!page.body.contains("<script>alert"), "{}", page.body);
    });
}

#[test]
fn every_citation_leads_to_a_page_that_shows_it() {
    block_on(async {
        let app = app();
        let router = web::router(app.clone());
        for passage in app.corpus.passages.iter().step_by(7) {
            let address = app.corpus.page_of(passage);
            let Some((path, anchor)) = address.split_once('#') else {
                continue;
            };
            let page = get(&router, path).await;
            assert_eq!(page.status, StatusCode::OK, "{address}");
            assert!(
                page.body.contains(&format!("id=\"{anchor}\"")),
                "{address} has no anchor"
            );
        }
        for record in app.corpus.records.iter().step_by(13) {
            let page = get(&router, &format!("/jeux-de-donnees/{}", record.id)).await;
            assert_eq!(page.status, StatusCode::OK, "{}", record.id);
        }
    });
}

#[test]
fn the_security_headers_stand_on_every_response() {
    block_on(async {
        let router = web::router(app());
        for path in [
            "/",
            "/aides",
            "/aides/booster-ia",
            "/jeux-de-donnees",
            "/reperes",
            "/comment-ca-marche",
            "/nulle-part",
            "/api/v1/nulle-part",
            "/health/live",
        ] {
            let got = get(&router, path).await;
            let policy = got.header("content-security-policy").to_owned();
            assert!(
                policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
                "{path}: {policy}"
            );
            assert!(!policy.contains("unsafe"), "{path}: {policy}");
            assert_eq!(got.header("x-content-type-options"), "nosniff", "{path}");
            assert!(!got.header("referrer-policy").is_empty(), "{path}");
            assert!(got.headers.get("set-cookie").is_none(), "{path}");
            if got.header("content-type").starts_with("text/html") {
                assert!(
                    !got.body.contains("style=\"") && !got.body.contains("onclick"),
                    "{path} has inline style or script"
                );
            }
        }
    });
}

#[test]
fn while_the_index_is_built_the_chat_says_so_and_the_rest_works() {
    block_on(async {
        let data = tempfile::tempdir().expect("a temporary folder");
        let app = App::open(config(data.path())).expect("the folder is free");
        let router = web::router(app);
        let page = get(&router, "/").await;
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(page.body.contains("prépar"), "{}", page.body);
        assert!(!page.header("retry-after").is_empty());
        assert_eq!(
            get(&router, "/health/ready").await.status,
            StatusCode::SERVICE_UNAVAILABLE
        );
        assert_eq!(get(&router, "/health/live").await.status, StatusCode::OK);
        assert_eq!(
            get(&router, "/aides/booster-ia").await.status,
            StatusCode::OK
        );
        let refused = chat(&router, &json!({"message": "Bonjour"})).await;
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.header("content-type"), "application/problem+json");
    });
}

#[test]
fn more_questions_than_seats_are_refused_at_once() {
    block_on(async {
        let data = crate::harness::data_with_embeddings();
        let mut settings = config(data.path());
        settings.questions_at_once = 1;
        let app = App::open(settings).expect("the folder is free");
        let preparing = app.clone();
        tokio::task::spawn_blocking(move || preparing.prepare(false))
            .await
            .expect("it ends")
            .expect("it gets ready");
        let router = web::router(app);
        let ask = |i: usize| {
            let router = router.clone();
            async move {
                chat(
                    &router,
                    &json!({"message": format!("question {i} sur les vélos à Rouen")}),
                )
                .await
                .status
            }
        };
        let asked = futures::future::join_all((0..20).map(|i| tokio::spawn(ask(i)))).await;
        let statuses: Vec<u16> = asked
            .into_iter()
            .map(|s| s.expect("no panic").as_u16())
            .collect();
        assert!(
            statuses.contains(&200) && statuses.contains(&503),
            "{statuses:?}"
        );
        assert!(
            statuses.iter().all(|s| matches!(s, 200 | 503)),
            "{statuses:?}"
        );
    });
}
