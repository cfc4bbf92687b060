//! The index on a Qdrant server: the same answers, and what happens when the server is not as it should be.
//!
//! Stories with a real server run where `QDRANT_URL` names one (and `QDRANT_API_KEY` its key); each
//! takes names of its own there and removes them. Elsewhere they say that they are skipped.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ::qdrant_client::Qdrant;
use ::qdrant_client::qdrant::{
    CreateAliasBuilder, CreateCollectionBuilder, Distance, VectorParamsBuilder,
};
use assistant::answer::Found;
use assistant::app::{App, Readiness};
use assistant::config::{Config, QdrantServer};
use assistant::evaluate::{self, answers};
use assistant::web;
use axum::http::StatusCode;
use serde_json::json;

use crate::golden::suites;
use crate::harness::{app, assistant, block_on, config, data_with_embeddings, home, outcome};
use crate::harness::{chat, get};

/// Long enough for an index to be built, on a slow machine.
const PATIENCE: Duration = Duration::from_secs(120);

fn with_server(data: &Path, server: QdrantServer) -> Config {
    Config {
        qdrant: Some(server),
        ..config(data)
    }
}

/// Waits, as the service does, until readiness is as wanted.
async fn until(app: &App, wanted: impl FnMut(&Readiness) -> bool) -> Readiness {
    let mut readiness = app.watch();
    let reached = tokio::time::timeout(PATIENCE, readiness.wait_for(wanted)).await;
    reached.expect("in time").expect("the app is there").clone()
}

fn is_away(readiness: &Readiness) -> bool {
    matches!(readiness, Readiness::Away(_))
}

// Without a server.

/// Takes connections; answers each with these bytes, or never when there are none.
fn stranger(says: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            if says.is_empty() {
                kept.push(stream);
            } else {
                let _ = stream.write_all(says);
                let _ = stream.read(&mut [0; 1024]);
            }
        }
    });
    addr
}

fn nobody() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address")
}

#[test]
fn what_is_no_server_is_said_in_one_line_and_pages_are_served_meanwhile() {
    let http = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    let noise = &[0x5a; 4096];
    let cases = [
        (nobody(), "est injoignable"),
        (stranger(b""), "n\u{2019}a pas répondu en 2 s"),
        (stranger(http), "n\u{2019}est pas un serveur Qdrant"),
        (stranger(noise), "n\u{2019}est pas un serveur Qdrant"),
    ];
    for (addr, expected) in cases {
        let url = format!("http://{addr}");
        let data = data_with_embeddings();
        for command in [&["ask", "Bonjour"][..], &["ingest"], &["doctor"]] {
            let started = Instant::now();
            let output = assistant()
                .arg("--data-dir")
                .arg(data.path())
                .args(command)
                .env("QDRANT_URL", &url)
                .env("QDRANT_API_KEY", "s3cret")
                .env("ASSISTANT_ADDR", "127.0.0.1:0")
                .output()
                .expect("it runs");
            let (out, err, code) = outcome(&output);
            let said = format!("{out}{err}");
            assert_eq!(code, Some(1), "{command:?} {said}");
            assert!(said.contains(expected), "{command:?} {said}");
            assert!(
                said.contains(&url) && !said.contains("s3cret"),
                "{command:?} {said}"
            );
            assert!(err.trim_end().lines().count() <= 1, "{command:?} {err}");
            assert!(started.elapsed() < Duration::from_secs(15), "{command:?}");
        }
        let server = QdrantServer {
            url,
            api_key: None,
            prefix: "assistant".to_owned(),
        };
        block_on(async {
            let app = App::open(with_server(data.path(), server)).expect("the folder is free");
            let ready = tokio::spawn(Arc::clone(&app).stay_ready());
            let Readiness::Away(why) = until(&app, is_away).await else {
                unreachable!("it waited for that");
            };
            assert!(why.contains(expected), "{why}");
            says_it_is_away(app).await;
            ready.abort();
        });
    }
}

/// The chat, the API and the probe refuse politely; pages that need no index are served.
async fn says_it_is_away(app: Arc<App>) {
    let router = web::router(app);
    let refused = chat(&router, &json!({"message": "Bonjour"})).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(!refused.header("retry-after").is_empty());
    let problem = refused.json();
    assert!(
        problem["type"]
            .as_str()
            .is_some_and(|t| t.ends_with(":away")),
        "{problem}"
    );
    let probe = get(&router, "/health/ready").await;
    assert_eq!(probe.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(probe.body.contains(":away"), "{}", probe.body);
    let page = get(&router, "/").await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(!page.header("retry-after").is_empty());
    assert!(page.body.contains("pour le moment"), "{}", page.body);
    for path in ["/aides", "/aides/booster-ia", "/health/live"] {
        assert_eq!(get(&router, path).await.status, StatusCode::OK, "{path}");
    }
    let found = get(&router, "/jeux-de-donnees?q=v%C3%A9lo").await;
    assert_eq!(found.status, StatusCode::OK);
    assert!(found.body.contains("vélo"), "{}", found.body);
}

// With a server.

/// Names of its own on the real server, removed at the end.
struct Names {
    server: QdrantServer,
}

impl Names {
    /// None, and a line that says so, where no server is named.
    fn take(story: &str) -> Option<Self> {
        static TAKEN: AtomicUsize = AtomicUsize::new(0);
        let Ok(url) = std::env::var("QDRANT_URL") else {
            // Not through a macro: what those print is shown of failed tests only.
            let _ = writeln!(
                std::io::stderr(),
                "skipped, as QDRANT_URL names no server: {story}"
            );
            return None;
        };
        let prefix = format!(
            "test-{}-{}",
            std::process::id(),
            TAKEN.fetch_add(1, Ordering::Relaxed)
        );
        let api_key = std::env::var("QDRANT_API_KEY").ok().map(Into::into);
        Some(Self {
            server: QdrantServer {
                url,
                api_key,
                prefix,
            },
        })
    }

    fn client(&self) -> Qdrant {
        Qdrant::from_url(&self.server.url)
            .api_key(self.server.api_key.as_ref().map(|k| k.reveal().to_owned()))
            .skip_compatibility_check()
            .build()
            .expect("a client")
    }

    /// Our collections.
    async fn collections(&self) -> BTreeSet<String> {
        let all = self.client().list_collections().await.expect("a list");
        let names = all.collections.into_iter().map(|c| c.name);
        names
            .filter(|n| n.starts_with(&self.server.prefix))
            .collect()
    }

    /// The collection that our alias names.
    async fn current(&self) -> Option<String> {
        let all = self.client().list_aliases().await.expect("a list");
        all.aliases
            .into_iter()
            .find(|a| a.alias_name == self.server.prefix)
            .map(|a| a.collection_name)
    }

    async fn create(&self, name: &str) {
        let vectors = VectorParamsBuilder::new(8, Distance::Dot);
        let request = CreateCollectionBuilder::new(name).vectors_config(vectors);
        self.client()
            .create_collection(request)
            .await
            .expect("created");
    }

    async fn point(&self, alias: &str, collection: &str) {
        let request = CreateAliasBuilder::new(collection, alias);
        self.client().create_alias(request).await.expect("pointed");
    }

    fn open(&self, data: &Path) -> Arc<App> {
        App::open(with_server(data, self.server.clone())).expect("the folder is free")
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        block_on(async {
            for name in self.collections().await {
                let _ = self.client().delete_collection(name).await;
            }
        });
    }
}

/// The same points in the same order with the same scores; nearly equal ones may be in any order.
fn same(ours: &[Found], theirs: &[Found]) -> Result<(), String> {
    const NEAR: f32 = 1e-3;
    if ours.len() != theirs.len() {
        return Err(format!("{} and {} found", ours.len(), theirs.len()));
    }
    let places: std::collections::HashMap<usize, f32> =
        theirs.iter().map(|f| (f.at, f.score)).collect();
    for (place, (a, b)) in ours.iter().zip(theirs).enumerate() {
        let there = places
            .get(&a.at)
            .ok_or_else(|| format!("{} is missing", a.at))?;
        if (a.score - there).abs() > NEAR || (a.score - b.score).abs() > NEAR {
            return Err(format!("at {place}: {a:?} and {b:?}, which has {there}"));
        }
        // In another order, but by more than rounding.
        if a.at != b.at && (a.score - b.score).abs() > 1e-5 {
            return Err(format!("at {place}: {a:?} and {b:?}"));
        }
    }
    Ok(())
}

#[test]
fn a_server_and_the_embedded_index_find_the_same_for_all_golden_questions() {
    let Some(names) = Names::take("both back ends compared") else {
        return;
    };
    let data = data_with_embeddings();
    let (embedded, served) = (app(), names.open(data.path()));
    let started = Instant::now();
    served.prepare(false).expect("it gets ready");
    let built_s = started.elapsed().as_secs_f64();
    let mut asked = 0;
    let mut swapped = 0;
    let (mut slow, mut quick) = (Vec::new(), Vec::new());
    block_on(async {
        for path in suites(&home().join("tests/conversations")) {
            let suite: answers::Suite = evaluate::read(&path).expect("a suite can be read");
            for turn in suite.conversation.iter().flat_map(|c| &c.turn) {
                let Ok(a) = embedded.search(&turn.ask).await else {
                    continue;
                };
                let started = Instant::now();
                let b = served.search(&turn.ask).await.expect("found");
                slow.push(started.elapsed());
                let started = Instant::now();
                embedded.search(&turn.ask).await.expect("found");
                quick.push(started.elapsed());
                for (ours, theirs) in [(&a.passages, &b.passages), (&a.records, &b.records)] {
                    if let Err(why) = same(ours, theirs) {
                        panic!("{}: {why}", turn.ask);
                    }
                    let in_order = ours.iter().zip(theirs).all(|(a, b)| a.at == b.at);
                    swapped += usize::from(!in_order);
                }
                asked += 1;
            }
            // And whole conversations, answered alike.
            let (a, b) = (
                answers::run(&embedded, &suite).await.expect("answered"),
                answers::run(&served, &suite).await.expect("answered"),
            );
            for (a, b) in a.iter().zip(&b) {
                assert_eq!(a.answer, b.answer, "{}", a.id);
            }
        }
    });
    let median = |times: &mut Vec<Duration>| {
        times.sort();
        times[times.len() / 2].as_secs_f64() * 1e3
    };
    assert!(asked > 100);
    #[expect(clippy::print_stdout, reason = "a measurement, shown with --nocapture")]
    {
        println!(
            "{asked} questions, {swapped} lists with nearly equal scores in another order; built in {built_s:.1} s; \
         search with its encoding, median: server {:.1} ms, embedded, encoding remembered, {:.1} ms",
            median(&mut slow),
            median(&mut quick)
        );
    }
}

#[test]
fn a_generation_is_kept_over_restarts_and_the_one_before_over_a_switch() {
    let Some(names) = Names::take("generations on a server") else {
        return;
    };
    let data = data_with_embeddings();
    let restarted = |rebuild: bool| {
        let app = names.open(data.path());
        app.prepare(rebuild).expect("it gets ready");
        let reply =
            block_on(app.converse(None, "Quel est le plafond de Booster IA ?")).expect("an answer");
        assert!(reply.answered.answer.markdown().contains("12\u{a0}500"));
        drop(app);
        let collections = block_on(names.collections());
        (
            block_on(names.current()).expect("one is in service"),
            collections,
        )
    };
    let (first, collections) = restarted(false);
    assert_eq!(collections.len(), 3);
    assert_eq!(restarted(false), (first.clone(), collections));

    // A process that goes on with the generation before is not disturbed.
    let other = tempfile::tempdir().expect("a temporary folder");
    let going_on = names.open(other.path());
    going_on.prepare(false).expect("it gets ready");

    let (second, collections) = restarted(true);
    assert_ne!(second, first);
    assert_eq!(collections.len(), 6);
    block_on(going_on.converse(None, "Qui peut demander Booster IA ?")).expect("an answer");

    let (third, collections) = restarted(true);
    assert_eq!(collections.len(), 6);
    assert!(collections.contains(&second) && collections.contains(&third));

    // A collection that was removed by hand: the next start builds anew.
    let records = third.replace("passages", "records");
    block_on(names.client().delete_collection(&records)).expect("removed");
    let (fourth, collections) = restarted(false);
    assert_ne!(fourth, third);
    assert!(collections.contains(&fourth) && !collections.contains(&second));
}

#[test]
fn what_is_not_ours_on_the_server_is_refused_and_left_as_it_is() {
    for kind in 0..4 {
        let Some(names) = Names::take("foreign collections") else {
            return;
        };
        let data = data_with_embeddings();
        let prefix = names.server.prefix.clone();
        match kind {
            // A collection has the name of our alias.
            0 => block_on(names.create(&prefix)),
            // Our alias names a collection of someone.
            1 => block_on(async {
                names.create(&format!("{prefix}-quelqu-un")).await;
                names.point(&prefix, &format!("{prefix}-quelqu-un")).await;
            }),
            // One of someone who names theirs as we do.
            2 => block_on(async {
                names.create(&format!("{prefix}-0001-abc-passages")).await;
                names
                    .point(&prefix, &format!("{prefix}-0001-abc-passages"))
                    .await;
            }),
            // A part of ours, replaced by vectors of another size.
            _ => {
                names
                    .open(data.path())
                    .prepare(false)
                    .expect("it gets ready");
                block_on(async {
                    let current = names.current().await.expect("one is in service");
                    let records = current.replace("passages", "records");
                    names
                        .client()
                        .delete_collection(&records)
                        .await
                        .expect("removed");
                    names.create(&records).await;
                });
            }
        }
        let before = block_on(async { (names.collections().await, names.current().await) });
        for rebuild in [false, kind < 3] {
            let app = names.open(data.path());
            let error = app.prepare(rebuild).expect_err("refused");
            let error = format!("{error:#}");
            assert!(
                error.contains("n\u{2019}est pas de cet assistant")
                    && error.contains("QDRANT_PREFIX"),
                "{kind}: {error}"
            );
            assert!(is_away(&app.readiness()));
        }
        let after = block_on(async { (names.collections().await, names.current().await) });
        assert_eq!(after, before, "{kind}");
    }
}

#[test]
fn a_key_that_is_missing_or_wrong_is_said() {
    let Some(names) = Names::take("keys") else {
        return;
    };
    if names.server.api_key.is_none() {
        let _ = writeln!(std::io::stderr(), "skipped, as QDRANT_API_KEY is not set");
        return;
    }
    let data = data_with_embeddings();
    for (key, expected) in [
        (None, "demande une clé"),
        (Some("s3cret".to_owned()), "refuse la clé"),
    ] {
        let server = QdrantServer {
            api_key: key.map(Into::into),
            ..names.server.clone()
        };
        let app = App::open(with_server(data.path(), server)).expect("the folder is free");
        let error = format!("{:#}", app.prepare(false).expect_err("refused"));
        assert!(
            error.contains(expected) && !error.contains("s3cret"),
            "{error}"
        );
    }
}

/// A way to the server that can be cut, and mended at the same address.
struct Cable {
    addr: SocketAddr,
    /// Nothing passes any more, connections stay.
    mute: Arc<AtomicBool>,
    open: Arc<AtomicBool>,
    streams: Arc<Mutex<Vec<TcpStream>>>,
}

impl Cable {
    fn to(server: &QdrantServer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let target = server
            .url
            .trim_start_matches("http://")
            .trim_end_matches('/')
            .to_owned();
        let cable = Self {
            addr: listener.local_addr().expect("an address"),
            mute: Arc::default(),
            open: Arc::new(AtomicBool::new(true)),
            streams: Arc::default(),
        };
        let (mute, open) = (Arc::clone(&cable.mute), Arc::clone(&cable.open));
        let streams = Arc::clone(&cable.streams);
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                if !open.load(Ordering::SeqCst) {
                    continue;
                }
                let far = TcpStream::connect(&target).expect("the server is there");
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let copy = |s: &TcpStream| s.try_clone().expect("a clone");
                    let (from, to) = (copy(from), copy(to));
                    let mute = Arc::clone(&mute);
                    std::thread::spawn(move || pass(from, to, &mute));
                }
                let mut kept = streams.lock().expect("nobody panicked");
                kept.extend([near, far]);
            }
        });
        cable
    }

    fn cut(&self) {
        self.open.store(false, Ordering::SeqCst);
        for stream in self.streams.lock().expect("nobody panicked").drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn mend(&self) {
        self.open.store(true, Ordering::SeqCst);
        self.mute.store(false, Ordering::SeqCst);
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, mute: &AtomicBool) {
    let mut buffer = [0; 16_384];
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        // What is not passed on is lost, as on a network that is down.
        if !mute.load(Ordering::SeqCst) && to.write_all(&buffer[..n]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

#[test]
fn a_server_that_goes_is_said_and_found_again_when_it_is_back() {
    let Some(names) = Names::take("a server lost and found") else {
        return;
    };
    let data = data_with_embeddings();
    let cable = Cable::to(&names.server);
    let server = QdrantServer {
        url: format!("http://{}", cable.addr),
        ..names.server.clone()
    };
    block_on(async {
        // Away at the start.
        cable.cut();
        let app = App::open(with_server(data.path(), server)).expect("the folder is free");
        let ready = tokio::spawn(Arc::clone(&app).stay_ready());
        until(&app, is_away).await;
        says_it_is_away(Arc::clone(&app)).await;
        cable.mend();
        until(&app, |r| *r == Readiness::Ready).await;

        let router = web::router(Arc::clone(&app));
        let question = json!({"message": "Quel est le plafond de Booster IA ?"});
        assert_eq!(chat(&router, &question).await.status, StatusCode::OK);

        // Gone between two questions, then silent in the middle of one.
        for break_it in [Cable::cut, |c: &Cable| c.mute.store(true, Ordering::SeqCst)] {
            break_it(&cable);
            let started = Instant::now();
            let refused = chat(&router, &question).await;
            assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
            assert!(started.elapsed() < Duration::from_secs(4));
            until(&app, is_away).await;
            let started = Instant::now();
            says_it_is_away(Arc::clone(&app)).await;
            assert!(
                started.elapsed() < Duration::from_secs(1),
                "nobody waits for it meanwhile"
            );
            cable.mend();
            until(&app, |r| *r == Readiness::Ready).await;
            assert_eq!(chat(&router, &question).await.status, StatusCode::OK);
        }

        // Gone while nobody asks.
        cable.cut();
        until(&app, is_away).await;
        cable.mend();
        until(&app, |r| *r == Readiness::Ready).await;

        // Emptied: a question finds out, and the index is built again.
        for name in names.collections().await {
            names
                .client()
                .delete_collection(name)
                .await
                .expect("removed");
        }
        let refused = chat(&router, &question).await;
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
        until(&app, |r| *r == Readiness::Ready).await;
        assert_eq!(chat(&router, &question).await.status, StatusCode::OK);
        assert_eq!(names.collections().await.len(), 3);
        ready.abort();
    });
}
