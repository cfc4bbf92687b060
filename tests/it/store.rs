//! Conversations on disk: they outlive a restart, and nothing outlives its time.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use assistant::app::App;
use assistant::config::Config;
use assistant::web;
use axum::Router;
use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection};

use crate::harness::{assistant, block_on, chat, config, data_with_index, home, outcome, post};

const FORM: &str = "application/x-www-form-urlencoded";

/// An assistant on a data folder, ready to answer.
fn start(config: Config) -> Arc<App> {
    let app = App::open(config).expect("the folder is free and its database sound");
    app.prepare(false).expect("the index is there");
    app
}

async fn ask(router: &Router, message: &str, id: Option<&str>) -> Value {
    let got = chat(router, &json!({"message": message, "conversation_id": id})).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.body);
    got.json()
}

async fn forget(router: &Router, id: &str) {
    let form = format!("conversation={id}");
    let got = post(router, "/oublier", FORM, "text/html", form).await;
    assert_eq!(got.status, StatusCode::SEE_OTHER, "{}", got.body);
}

fn id_of(answer: &Value) -> String {
    let id = answer["conversation_id"].as_str();
    id.expect("an answer names its conversation").to_owned()
}

/// Whether a word stands anywhere in the files of the database.
fn on_disk(data: &Path, word: &str) -> bool {
    ["assistant.db", "assistant.db-wal"].iter().any(|name| {
        let bytes = std::fs::read(data.join(name)).unwrap_or_default();
        bytes.windows(word.len()).any(|w| w == word.as_bytes())
    })
}

/// Waits for something that must become true, for some seconds at most.
fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(10), "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The database as another program sees it, while nobody else has it open.
fn database<T>(data: &Path, look: impl AsyncFnOnce(&mut SqliteConnection) -> T) -> T {
    block_on(async {
        let address = format!("sqlite://{}", data.join("assistant.db").display());
        let mut connection = SqliteConnection::connect(&address)
            .await
            .expect("the database opens");
        let seen = look(&mut connection).await;
        connection.close().await.expect("it closes");
        seen
    })
}

async fn number(connection: &mut SqliteConnection, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql)
        .fetch_one(connection)
        .await
        .expect("a number")
}

#[test]
fn a_conversation_goes_on_after_a_restart() {
    let data = data_with_index();
    let id = block_on(async {
        let router = web::router(start(config(data.path())));
        id_of(&ask(&router, "Quel est le plafond de Booster IA ?", None).await)
    });
    block_on(async {
        let router = web::router(start(config(data.path())));
        let second = ask(&router, "et pour le Datathon ?", Some(&id)).await;
        assert_eq!(second["conversation_id"], id.as_str(), "{second}");
        assert_eq!(
            (&second["turn"], &second["restarted"]),
            (&json!(2), &json!(false))
        );
        let cited = second["citations"][0]["locator"].as_str();
        assert!(cited.is_some_and(|l| l.starts_with("annexe 5")), "{second}");
    });
    // The page continues it as well, with what was said before the two restarts.
    block_on(async {
        let router = web::router(start(config(data.path())));
        let form = format!("message=Bonjour&conversation={id}");
        let page = post(&router, "/", FORM, "text/html", form).await;
        assert_eq!(page.status, StatusCode::OK);
        for said in [
            "Quel est le plafond",
            "12\u{a0}500\u{a0}€",
            "et pour le Datathon",
            "Bonjour",
        ] {
            assert!(page.body.contains(said), "{said} is not in {}", page.body);
        }
    });
}

#[test]
fn only_this_account_may_read_the_files_and_each_turn_has_its_trace() {
    let data = data_with_index();
    block_on(async {
        let router = web::router(start(config(data.path())));
        ask(&router, "Quand a lieu le Datathon ?", None).await;
        eventually("the turn is on disk", || on_disk(data.path(), "Datathon ?"));
        #[cfg(unix)]
        for name in ["assistant.db", "assistant.db-wal", "assistant.db-shm"] {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(data.path().join(name)).expect("it is there");
            assert_eq!(mode.permissions().mode() & 0o777, 0o600, "{name}");
        }
    });
    database(data.path(), async |db| {
        let trace: String = sqlx::query_scalar("SELECT trace FROM turn")
            .fetch_one(db)
            .await
            .expect("a turn");
        let trace: Value = serde_json::from_str(&trace).expect("JSON");
        assert!(trace["timings_ms"]["total"].is_number(), "{trace}");
        assert!(trace["passages"][0]["kept"].is_boolean(), "{trace}");
    });
}

#[test]
fn what_is_forgotten_leaves_no_byte_behind() {
    let data = data_with_index();
    block_on(async {
        let router = web::router(start(config(data.path())));
        let mut said = Vec::new();
        for i in 0..40 {
            let word = format!("xylofragment{i}quark");
            let message = format!("Mon projet {word} peut-il avoir Booster IA ?");
            let id = id_of(&ask(&router, &message, None).await);
            if i % 3 == 0 {
                ask(&router, "et pour le Datathon ?", Some(&id)).await;
            }
            said.push((id, word));
        }
        let last = said[39].1.clone();
        eventually("the last turn is on disk", || on_disk(data.path(), &last));
        assert!(said.iter().all(|(_, word)| on_disk(data.path(), word)));
        // Neither the first nor the last of a page only: every third, then those between.
        for (id, word) in said.iter().step_by(3) {
            forget(&router, id).await;
            assert!(!on_disk(data.path(), word), "{word} is still on disk");
        }
        let again = ask(&router, "et pour le Datathon ?", Some(&said[0].0)).await;
        assert_eq!(again["restarted"], true, "{again}");
        assert_ne!(again["conversation_id"], said[0].0.as_str());
        // What is still to be written is forgotten with the rest.
        let late = id_of(&ask(&router, "Et pour xylotardif ?", None).await);
        forget(&router, &late).await;
        for (id, _) in &said {
            forget(&router, id).await;
        }
        std::thread::sleep(Duration::from_millis(300));
        for word in ["xylofragment", "xylotardif"] {
            assert!(!on_disk(data.path(), word), "{word} is still on disk");
        }
    });
}

#[test]
fn an_expired_conversation_is_erased_without_being_asked() {
    let data = data_with_index();
    let settings = || Config {
        conversation_ttl: Duration::from_secs(1),
        ..config(data.path())
    };
    let id = block_on(async {
        let router = web::router(start(settings()));
        let first = ask(&router, "Mon projet xyloéphémère, quelle aide ?", None).await;
        eventually("it is on disk", || on_disk(data.path(), "xylo"));
        eventually("it is erased", || !on_disk(data.path(), "xylo"));
        let again = ask(
            &router,
            "Et le xylorestant ?",
            first["conversation_id"].as_str(),
        )
        .await;
        assert_eq!(again["restarted"], true, "{again}");
        id_of(&again)
    });
    // It also expires while nobody runs, and is erased at the next start.
    assert!(on_disk(data.path(), "xylorestant"));
    std::thread::sleep(Duration::from_millis(1100));
    block_on(async {
        let router = web::router(start(settings()));
        let lost = ask(&router, "Bonjour", Some(&id)).await;
        assert_eq!(lost["restarted"], true, "{lost}");
        eventually("it is erased", || !on_disk(data.path(), "xylorestant"));
    });
}

#[test]
fn a_clock_set_back_keeps_nothing_for_ever() {
    let data = data_with_index();
    block_on(async {
        let router = web::router(start(config(data.path())));
        ask(&router, "Bonjour", None).await;
    });
    database(data.path(), async |db| {
        sqlx::query("UPDATE conversation SET used_ms = used_ms + 86400000000")
            .execute(db)
            .await
            .expect("it can be changed");
    });
    let app = App::open(config(data.path())).expect("it opens");
    std::thread::sleep(Duration::from_millis(100));
    drop(app);
    database(data.path(), async |db| {
        let ahead =
            "SELECT count(*) FROM conversation WHERE used_ms > unixepoch('now') * 1000 + 1000";
        assert_eq!(number(db, ahead).await, 0);
        assert_eq!(number(db, "SELECT count(*) FROM conversation").await, 1);
    });
}

#[test]
fn a_database_that_is_not_to_be_touched_is_refused_in_one_line_and_left_as_it_is() {
    let newer = |data: &Path| {
        drop(App::open(config(data)).expect("a new database"));
        database(data, async |db| {
            sqlx::query(
                "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                 VALUES (9000, 'later', true, x'00', 0)",
            )
            .execute(db)
            .await
            .expect("a later version");
        });
    };
    let text = |data: &Path| {
        std::fs::write(data.join("assistant.db"), "Ce n'est pas une base.\n").expect("written");
    };
    let foreign = |data: &Path| {
        std::fs::File::create(data.join("assistant.db")).expect("an empty file");
        database(data, async |db| {
            sqlx::query("CREATE TABLE recette (nom TEXT)")
                .execute(db)
                .await
                .expect("a table of another program");
        });
    };
    let damaged = |data: &Path| {
        drop(App::open(config(data)).expect("a new database"));
        let path = data.join("assistant.db");
        let mut bytes = std::fs::read(&path).expect("it is there");
        bytes[1024..].fill(0xa5);
        std::fs::write(&path, bytes).expect("damaged");
    };
    let cases: [(Spoil<'_>, &str); 4] = [
        (&newer, "version plus récente"),
        (&text, "n’est pas une base de données"),
        (&foreign, "d’un autre programme"),
        (&damaged, "est abîmé"),
    ];
    for (spoil, why) in cases {
        let data = tempfile::tempdir().expect("a temporary folder");
        spoil(data.path());
        let before = std::fs::read(data.path().join("assistant.db")).expect("it is there");
        let run = |command: &[&str]| {
            let mut assistant = assistant();
            assistant.env("ASSISTANT_ADDR", "127.0.0.1:0");
            assistant.arg("--data-dir").arg(data.path()).args(command);
            outcome(&assistant.output().expect("it runs"))
        };
        let (_, err, code) = run(&["serve"]);
        assert_eq!(code, Some(1), "{why}: {err}");
        assert_eq!(err.trim_end().lines().count(), 1, "{err}");
        assert!(err.contains(why) && err.contains("déplacez-le"), "{err}");
        let (out, _, code) = run(&["doctor"]);
        assert_eq!(code, Some(1), "{out}");
        let line = out.lines().find(|l| l.contains("base de données"));
        assert!(
            line.is_some_and(|l| l.contains("À REVOIR") && l.contains(why)),
            "{out}"
        );
        let after = std::fs::read(data.path().join("assistant.db")).expect("still there");
        assert!(before == after, "{why}: the file was changed");
    }
}

#[test]
fn a_file_that_cannot_be_written_is_said_clearly() {
    let data = tempfile::tempdir().expect("a temporary folder");
    drop(App::open(config(data.path())).expect("a new database"));
    let mut program = assistant();
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let path = data.path().join("assistant.db");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o400)).expect("read-only");
        // Nothing is read-only to root: the program is then run without what lets root pass.
        // Not as somebody else, who may not enter the folder it was built in.
        if std::fs::metadata(&path).expect("it is there").uid() == 0 {
            let mut bound = Command::new("setpriv");
            bound
                .arg("--bounding-set=-dac_override,-dac_read_search")
                .arg(program.get_program())
                .env_clear()
                .current_dir(home())
                .stdin(Stdio::null());
            program = bound;
        }
    }
    let output = program
        .arg("--data-dir")
        .arg(data.path())
        .args(["serve", "--addr", "127.0.0.1:0"])
        .output()
        .expect("it runs");
    let (_, err, code) = outcome(&output);
    assert_eq!(code, Some(1), "{err}");
    assert!(
        err.contains("assistant.db ne peut pas être ouvert en écriture"),
        "{err}"
    );
    assert_eq!(err.trim_end().lines().count(), 1, "{err}");
}

/// What has happened to the database of a data folder.
type Spoil<'a> = &'a dyn Fn(&Path);

/// The program as it runs in service.
pub struct Service {
    child: Child,
    addr: String,
    log: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Service {
    pub fn start(data: &Path, log: &str, settings: &[(&str, &str)]) -> Self {
        // A file that may not grow is to be an error, as on a full disk, and not the end of the process.
        let mut child = Command::new("sh")
            .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
            .arg(assistant().get_program())
            .arg("--data-dir")
            .arg(data)
            .args(["serve", "--addr", "127.0.0.1:0"])
            .env_clear()
            .env("ASSISTANT_LOG", log)
            .env("NO_COLOR", "1")
            .envs(settings.iter().copied())
            .current_dir(home())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let stderr = child.stderr.take().expect("a pipe");
        let log = Arc::new(Mutex::new(String::new()));
        let (heard, listening) = mpsc::channel();
        let written = Arc::clone(&log);
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if let Some((_, addr)) = line.split_once("listening on ") {
                    let _ = heard.send(addr.split_whitespace().next().map(str::to_owned));
                }
                let mut log = written.lock().expect("no panic");
                log.push_str(&line);
                log.push('\n');
            }
        });
        let addr = listening
            .recv_timeout(Duration::from_secs(20))
            .expect("it listens")
            .expect("an address");
        let reader = Some(reader);
        let service = Self {
            child,
            addr,
            log,
            reader,
        };
        eventually("it is ready", || {
            service.call("GET", "/health/ready", "", "").0 == 200
        });
        service
    }

    /// A status and a body.
    pub fn call(&self, method: &str, path: &str, kind: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.addr).expect("it listens");
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .expect("sent");
        let mut got = String::new();
        stream.read_to_string(&mut got).expect("an answer");
        let status = got.split(' ').nth(1).and_then(|s| s.parse().ok());
        let body = got.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        (status.expect("a status"), body.to_owned())
    }

    fn ask(&self, message: &str) -> Value {
        let body = json!({ "message": message }).to_string();
        let (status, body) = self.call("POST", "/api/v1/chat", "application/json", &body);
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).expect("JSON")
    }

    fn forget(&self, id: &str) {
        let (status, body) = self.call("POST", "/oublier", FORM, &format!("conversation={id}"));
        assert_eq!(status, 303, "{body}");
    }

    fn status(&self) -> Value {
        let (status, body) = self.call("GET", "/health/ready", "", "");
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).expect("JSON")
    }

    /// Ends at once, as in a crash; all that was logged is there then.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }

    pub fn log(&self) -> String {
        self.log.lock().expect("no panic").clone()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.kill();
    }
}

#[test]
fn a_person_s_words_are_nowhere_in_the_most_talkative_log() {
    let data = data_with_index();
    let mut service = Service::start(data.path(), "trace", &[]);
    let first = service.ask("Le xylophone quarkien de ma commune a-t-il droit à Booster IA ?");
    let id = id_of(&first);
    let form = format!("message=et+les+quarkiens+du+Datathon+%3F&conversation={id}");
    assert_eq!(service.call("POST", "/", FORM, &form).0, 200);
    eventually("it is on disk", || on_disk(data.path(), "quarkiens"));
    service.forget(&id);
    service.ask("Encore un quarkien ?");
    service.kill();
    let log = service.log();
    assert!(log.contains("TRACE") || log.contains("DEBUG"), "{log}");
    let leak = log.lines().find(|l| l.contains("quarkien"));
    assert_eq!(leak, None);
}

#[test]
fn a_crash_loses_no_more_than_the_last_moment() {
    let data = data_with_index();
    let mut service = Service::start(data.path(), "info", &[]);
    let mut answered = Vec::new();
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(1500) {
        let id = id_of(&service.ask("Quel est le plafond de Booster IA ?"));
        answered.push((id, Instant::now()));
    }
    let killed = Instant::now();
    service.kill();
    // 200 ms for the writer to gather, 100 for a shared machine to write.
    let owed = answered
        .iter()
        .filter(|(_, at)| killed - *at > Duration::from_millis(300));
    let app = App::open(config(data.path())).expect("it opens again");
    let mut found = 0;
    block_on(async {
        for (id, _) in owed {
            let id = id.parse().expect("an id");
            let conversation = app.conversations.find(id, Instant::now()).await;
            assert!(conversation.is_some_and(|c| c.turns.len() == 1));
            found += 1;
        }
    });
    assert!(found > 3, "{found} of {}", answered.len());
}

#[test]
fn a_stop_writes_what_waits() {
    let data = data_with_index();
    let mut service = Service::start(data.path(), "info", &[]);
    let ids: Vec<String> = (0..3).map(|_| id_of(&service.ask("Bonjour"))).collect();
    let pid = service.child.id().to_string();
    let sent = Command::new("kill").arg(&pid).status();
    assert!(sent.expect("kill runs").success());
    assert!(service.child.wait().expect("it ends").success());
    assert!(!data.path().join("assistant.db-wal").exists());
    database(data.path(), async |db| {
        assert_eq!(
            number(db, "SELECT count(*) FROM turn").await,
            ids.len() as i64
        );
    });
}

#[test]
fn answers_go_on_while_the_database_is_full_and_it_recovers_by_itself() {
    let data = data_with_index();
    let service = Service::start(
        data.path(),
        "warn,assistant=info",
        &[("ASSISTANT_DATABASE_MIB", "1")],
    );
    assert_eq!(service.status()["status"], "ready");
    let mut ids = Vec::new();
    eventually("the database is full", || {
        for _ in 0..10 {
            ids.push(id_of(
                &service.ask("Où trouver des données sur les vélos à Rouen ?"),
            ));
        }
        service.status()["status"] == "degraded"
    });
    for _ in 0..5 {
        ids.push(id_of(&service.ask("Quel est le plafond de Booster IA ?")));
    }
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(service.status()["conversations"], "memory_only");
    let said = |words: &str| service.log().matches(words).count();
    assert_eq!(said("cannot be written to disk"), 1, "{}", service.log());
    // People close their conversations: there is room again, and what waited is written.
    for id in &ids[..ids.len() / 2] {
        service.forget(id);
    }
    eventually("it recovers", || service.status()["status"] == "ready");
    assert_eq!(said("are written to disk again"), 1, "{}", service.log());
    let last = ids.last().expect("many").clone();
    drop(service);
    block_on(async {
        let app = App::open(config(data.path())).expect("it opens");
        let id = last.parse().expect("an id");
        assert!(app.conversations.find(id, Instant::now()).await.is_some());
    });
}

#[test]
#[cfg(target_os = "linux")]
fn answers_go_on_while_the_disk_refuses_and_what_was_refused_is_written_later() {
    let data = data_with_index();
    let service = Service::start(data.path(), "warn,assistant=info", &[]);
    let first = id_of(&service.ask("Le xylophone a-t-il droit à Booster IA ?"));
    eventually("it is on disk", || on_disk(data.path(), "xylophone"));
    let limit_files = |bytes: &str| {
        let done = Command::new("prlimit")
            .args(["--pid", &service.child.id().to_string()])
            .arg(format!("--fsize={bytes}:"))
            .status();
        assert!(done.expect("prlimit runs").success());
    };
    limit_files("8192");
    for _ in 0..5 {
        service.ask("Quel est le plafond de Booster IA ?");
    }
    eventually("it is noticed", || service.status()["status"] == "degraded");
    // The person is told what could not be done, and what was done.
    let form = format!("conversation={first}");
    let (status, page) = service.call("POST", "/oublier", FORM, &form);
    assert!(
        status == 503 && page.contains("dès qu’il le permettra"),
        "{page}"
    );
    assert!(on_disk(data.path(), "xylophone"));
    std::thread::sleep(Duration::from_millis(1500));
    limit_files("unlimited");
    eventually("it recovers", || service.status()["status"] == "ready");
    assert!(!on_disk(data.path(), "xylophone"));
    let said = |words: &str| service.log().matches(words).count();
    assert_eq!(said("cannot be written to disk"), 1, "{}", service.log());
    assert_eq!(said("are written to disk again"), 1, "{}", service.log());
    drop(service);
    drop(App::open(config(data.path())).expect("it opens"));
    database(data.path(), async |db| {
        assert_eq!(number(db, "SELECT count(*) FROM turn").await, 5);
    });
}

#[test]
fn a_conversation_nobody_can_go_on_with_is_not_left_on_disk() {
    let data = data_with_index();
    let (_, err, code) = outcome(
        &assistant()
            .arg("--data-dir")
            .arg(data.path())
            .args(["ask", "Le xylophone a-t-il droit à Booster IA ?"])
            .output()
            .expect("it runs"),
    );
    assert_eq!(code, Some(0), "{err}");
    assert!(!on_disk(data.path(), "xylophone"));
}
