//! The command line: a thin way in to [`App`]. Results on stdout, logs and progress on stderr.
//!
//! Exit status: 0 done, 1 the work failed, 2 bad usage or bad input. Every error is one line, in
//! French, that says what to do.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is the one module that talks to a terminal"
)]

mod args;
mod coverage_report;
mod doctor;
mod eligibility;
mod progress;

use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;
use uuid::Uuid;

use crate::answer::Answer;
use crate::app::{App, Refusal};
use crate::config::{Config, Overrides};
use crate::corpus::{Corpus, Faults, coverage};
use crate::text::door::{MAX_CHARS, Unusable};
use crate::{embed, evaluate, telemetry, web};

use args::{Args, Command, CorpusCommand, EvalCommand, ModelsCommand};

/// Why a command did not succeed.
enum Failure {
    /// Bad usage or bad input: exit 2.
    Input(String),
    /// The work failed: exit 1.
    Work(anyhow::Error),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Work(error)
    }
}

/// Runs the program on this process' arguments.
#[must_use]
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(e) => return args::explain(&e),
    };
    telemetry::start(args.verbose);
    match run(args) {
        Ok(code) => code,
        Err(Failure::Input(why)) => {
            eprintln!("erreur : {why}");
            ExitCode::from(2)
        }
        Err(Failure::Work(error)) => {
            eprintln!("erreur : {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> Result<ExitCode, Failure> {
    let addr = match &args.command {
        Command::Serve { addr } => *addr,
        _ => None,
    };
    let overrides = Overrides {
        home: args.home,
        data_dir: args.data_dir,
        file: args.config,
        addr,
    };
    let config = Config::load(overrides).map_err(|e| Failure::Input(format!("{e:#}")))?;
    match args.command {
        Command::Serve { .. } => on_runtime(serve(config)),
        Command::Ingest { rebuild } => ingest(config, rebuild),
        Command::Ask { json, questions } => on_runtime(ask(config, json, questions)),
        Command::Search { json, limit, query } => {
            on_runtime(search(config, json, limit, query.join(" ")))
        }
        Command::Eligibility {
            programme,
            facts,
            json,
            english,
        } => eligibility::run(&config, &programme, &facts, json, english),
        Command::Eval {
            what: EvalCommand::Answers { json, suites },
        } => on_runtime(eval_answers(config, json, suites)),
        Command::Eval {
            what:
                EvalCommand::Retrieval {
                    json,
                    misses,
                    held_out,
                },
        } => on_runtime(eval_retrieval(config, json, misses, held_out)),
        Command::Corpus {
            what:
                CorpusCommand::Check {
                    source,
                    coverage,
                    json,
                },
        } => corpus_check(
            &config,
            &Checking {
                source,
                coverage,
                json,
                sentences: args.verbose > 0,
            },
        ),
        Command::Models {
            what: ModelsCommand::List { json },
        } => models_list(&config, json),
        Command::Doctor => Ok(doctor::run(&config)),
    }
}

/// Worker threads serve connections only; the encoder has its own, the index runs on blocking threads.
fn on_runtime<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(16)
        .build()
        .context("l’environnement d’exécution n’a pas pu démarrer")?;
    let result = runtime.block_on(work);
    // An ingest that a stop interrupts leaves the generation in service; nobody waits for it.
    runtime.shutdown_background();
    result
}

async fn serve(config: Config) -> Result<ExitCode, Failure> {
    let listener = web::bind(config.addr).await?;
    let app = App::open(config)?;
    let preparing = tokio::spawn(Arc::clone(&app).stay_ready());
    let htmx = web::htmx_version().map_or_else(
        || "sans htmx (pages en formulaires simples)".to_owned(),
        |v| format!("htmx {v}"),
    );
    eprintln!(
        "L’assistant écoute sur http://{} — {htmx}. Ctrl-C pour l’arrêter.",
        app.config.addr
    );
    let bar = progress::show(app.watch());
    let served = web::serve_on(listener, Arc::clone(&app), shutdown()).await;
    preparing.abort();
    bar.abort();
    // The preparation may still hold the assistant: its end must not be waited for.
    app.conversations.close();
    served?;
    Ok(ExitCode::SUCCESS)
}

/// Resolves when the process is asked to stop.
async fn shutdown() {
    let interrupt = async {
        if let Err(e) = tokio::signal::ctrl_c().await {
            tracing::error!(error = %e, "cannot listen to Ctrl-C: {e}");
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending::<()>().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}

fn ingest(config: Config, rebuild: bool) -> Result<ExitCode, Failure> {
    let app = App::open(config)?;
    let preparing = Arc::clone(&app);
    on_runtime(async move {
        let bar = progress::show(app.watch());
        let done = tokio::task::spawn_blocking(move || preparing.prepare(rebuild)).await;
        bar.abort();
        done.context("l’ingestion a été interrompue")??;
        println!(
            "Index à jour : {} passages, {} formulations, {} fiches.",
            app.corpus.passages.len(),
            app.corpus.phrasings.len(),
            app.corpus.records.len()
        );
        Ok(ExitCode::SUCCESS)
    })
}

/// The assistant, ready to answer.
async fn ready(config: Config) -> Result<Arc<App>, Failure> {
    let app = App::open(config)?;
    let bar = progress::show(app.watch());
    let preparing = Arc::clone(&app);
    let done = tokio::task::spawn_blocking(move || preparing.prepare(false)).await;
    bar.abort();
    done.context("la préparation a été interrompue")??;
    Ok(app)
}

async fn ask(config: Config, json: bool, questions: Vec<String>) -> Result<ExitCode, Failure> {
    let app = ready(config).await?;
    let mut dialogue = Dialogue {
        app,
        json,
        conversation: None,
        turn: 0,
        worst: ExitCode::SUCCESS,
    };
    if questions.is_empty() {
        for (i, line) in std::io::stdin().lock().split(b'\n').enumerate() {
            let line = line.context("l’entrée standard ne peut pas être lue")?;
            let Ok(text) = String::from_utf8(line) else {
                dialogue.complain(&format!("la ligne {} n’est pas en UTF-8", i + 1));
                continue;
            };
            dialogue.say(text.trim_end_matches('\r')).await?;
        }
    } else {
        for question in &questions {
            dialogue.say(question).await?;
        }
    }
    dialogue.end().await;
    Ok(dialogue.worst)
}

/// One conversation on a terminal.
struct Dialogue {
    app: Arc<App>,
    json: bool,
    conversation: Option<Uuid>,
    turn: usize,
    worst: ExitCode,
}

impl Dialogue {
    async fn say(&mut self, question: &str) -> Result<(), Failure> {
        self.turn += 1;
        match self.app.converse(self.conversation, question).await {
            Ok(reply) => {
                self.conversation = Some(reply.conversation);
                print_answer(self.turn, &reply.answered.answer, self.json)
            }
            Err(Refusal::Unusable(why)) => {
                self.complain(&unusable(why));
                Ok(())
            }
            Err(refusal) => Err(refused(&refusal)),
        }
    }

    /// Nobody can go on with it: it is not left on disk.
    async fn end(&self) {
        if let Some(conversation) = self.conversation {
            self.app.conversations.forget(conversation).await;
        }
    }

    fn complain(&mut self, why: &str) {
        eprintln!("erreur : {why}");
        self.worst = ExitCode::from(2);
    }
}

fn unusable(why: Unusable) -> String {
    match why {
        Unusable::Empty => "la question est vide ; écrivez-la après la commande, ou une par ligne sur l’entrée standard".to_owned(),
        Unusable::TooLong { chars } => {
            format!("la question a {chars} caractères ; {MAX_CHARS} au plus sont acceptés")
        }
    }
}

fn refused(refusal: &Refusal) -> Failure {
    match refusal {
        Refusal::Unusable(why) => Failure::Input(unusable(*why)),
        Refusal::Away(why) => Failure::Work(anyhow::anyhow!("{why}")),
        other => Failure::Work(anyhow::anyhow!(
            "la question n’a pas eu de réponse ({other}) ; relancez avec -v pour en voir la cause"
        )),
    }
}

fn print_answer(turn: usize, answer: &Answer, json: bool) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let written = if json {
        let mut object = answer.document();
        object["turn"] = turn.into();
        writeln!(out, "{object}")
    } else {
        let sources = answer
            .citations
            .iter()
            .map(|c| format!("\n[{}] {} — {}", c.marker, c.title, c.locator));
        writeln!(
            out,
            "{}\n{}\n",
            answer.markdown(),
            sources.collect::<String>()
        )
    };
    written
        .and_then(|()| out.flush())
        .context("la sortie standard est fermée")?;
    Ok(())
}

async fn search(
    config: Config,
    json: bool,
    limit: usize,
    query: String,
) -> Result<ExitCode, Failure> {
    let app = ready(config).await?;
    let evidence = app.search(&query).await.map_err(|r| refused(&r))?;
    let results = evidence.results(&app.corpus, limit);
    if json {
        println!(
            "{}",
            serde_json::json!({ "query": query, "results": results })
        );
    } else {
        for r in results {
            println!(
                "{:>2}. {:+.3}  {}\n    {} · {}\n    {}\n",
                r.rank, r.score, r.title, r.id, r.locator, r.text
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn eval_answers(
    config: Config,
    json: bool,
    suites: Vec<PathBuf>,
) -> Result<ExitCode, Failure> {
    let suites = suites
        .iter()
        .map(|path| evaluate::read(path))
        .collect::<Result<Vec<evaluate::answers::Suite>, _>>()
        .map_err(|e| Failure::Input(format!("{e:#}")))?;
    let app = ready(config).await?;
    let (mut turns, mut missed) = (0, 0);
    for suite in &suites {
        for row in evaluate::answers::run(&app, suite).await? {
            turns += 1;
            missed += usize::from(!row.misses.is_empty());
            if json {
                println!(
                    "{}",
                    serde_json::json!({ "id": row.id, "ok": row.misses.is_empty(), "misses": row.misses, "answer": row.answer })
                );
            } else if row.misses.is_empty() {
                println!("ok     {}", row.id);
            } else {
                println!("MANQUE {} : {}", row.id, row.misses.join(" ; "));
            }
        }
    }
    if !json {
        println!(
            "{} tours, {} comme attendu, {missed} manqués.",
            turns,
            turns - missed
        );
    }
    Ok(if missed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn eval_retrieval(
    config: Config,
    json: bool,
    misses: bool,
    held_out: PathBuf,
) -> Result<ExitCode, Failure> {
    let suites = evaluate::retrieval::suites(&config.home.join(held_out))
        .map_err(|e| Failure::Input(format!("{e:#}")))?;
    let app = ready(config).await?;
    let mut rows = Vec::new();
    for suite in &suites {
        rows.extend(evaluate::retrieval::run(&app, suite).await?);
    }
    for row in rows.iter().filter(|r| misses && r.rank != Some(1)) {
        println!("{}", serde_json::json!(row));
    }
    let scores = evaluate::retrieval::scores(&rows);
    if json {
        println!("{}", serde_json::json!(scores));
    } else {
        println!("formulations   1re   3 prem.  5 prem.   MRR");
        for (suite, s) in scores {
            println!(
                "{:>12}  {:.3}    {:.3}    {:.3}  {:.3}  {suite}",
                s.asked, s.recall_1, s.recall_3, s.recall_5, s.mrr_10
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What `corpus check` was asked to do.
struct Checking {
    source: Option<PathBuf>,
    coverage: bool,
    json: bool,
    /// Show each sentence that nothing covers.
    sentences: bool,
}

fn corpus_check(config: &Config, asked: &Checking) -> Result<ExitCode, Failure> {
    let read = |path: &PathBuf| {
        std::fs::read(path).map_err(|e| {
            Failure::Input(format!(
                "le texte de l’acte {} ne peut pas être lu ({e})",
                path.display()
            ))
        })
    };
    let text = asked.source.as_ref().map(read).transpose()?;
    let (corpus, act) = Corpus::read_beside(&config.home, text.as_deref())
        .map_err(|faults| show_faults(&faults, asked.json))?;
    corpus
        .check_places()
        .map_err(|faults| show_faults(&faults, asked.json))?;
    let covered = if asked.coverage {
        coverage(&corpus, act.as_ref())
    } else {
        None
    };
    if asked.json {
        println!(
            "{}",
            serde_json::json!({
                "ok": covered.as_ref().is_none_or(crate::corpus::Coverage::is_whole),
                "programmes": corpus.programmes.len(), "pages": corpus.pages.len(),
                "passages": corpus.passages.len(), "phrasings": corpus.phrasings.len(),
                "records": corpus.records.len(), "quotations_compared": act.as_ref().map(|_| corpus.quotations_of_the_act()),
                "sentences_compared": act.as_ref().map(|_| corpus.sentences_of_the_act()),
                "faults": [], "coverage": covered,
            })
        );
    } else {
        let compared = act.map_or_else(String::new, |_| {
            format!(
                " {} citations et {} phrases de conditions comparées à l’acte, lettre pour lettre.",
                corpus.quotations_of_the_act(),
                corpus.sentences_of_the_act()
            )
        });
        if let Some(covered) = &covered {
            coverage_report::print(covered, asked.sentences);
        }
        println!(
            "Corpus sans faute : {} dispositifs, {} pages, {} passages, {} formulations, {} fiches.{compared}",
            corpus.programmes.len(),
            corpus.pages.len(),
            corpus.passages.len(),
            corpus.phrasings.len(),
            corpus.records.len()
        );
    }
    match covered {
        Some(covered) if !covered.is_whole() => Err(Failure::Work(anyhow::anyhow!(
            "l’acte n’est pas couvert en entier ; écrivez les passages qui manquent, ou dites dans le plan de l’acte (left_out) pourquoi non{}",
            if asked.sentences {
                ""
            } else {
                " ; -v montre les phrases"
            }
        ))),
        _ => Ok(ExitCode::SUCCESS),
    }
}

fn show_faults(faults: &Faults, json: bool) -> Failure {
    if json {
        let list: Vec<_> = faults.iter().collect();
        println!("{}", serde_json::json!({ "ok": false, "faults": list }));
    } else {
        for fault in faults.iter() {
            println!("{fault}");
        }
    }
    let count = faults.iter().count();
    Failure::Work(anyhow::anyhow!(
        "{count} faute{} dans le corpus",
        if count > 1 { "s" } else { "" }
    ))
}

fn models_list(config: &Config, json: bool) -> Result<ExitCode, Failure> {
    let models = embed::list(&config.home.join("models"));
    if models.is_empty() {
        return Err(Failure::Work(anyhow::anyhow!(
            "aucun modèle dans {}",
            config.home.join("models").display()
        )));
    }
    let mut sound = true;
    for model in models {
        match model {
            Ok(card) if json => println!(
                "{}",
                serde_json::json!({ "name": card.name, "dimensions": card.dimensions, "digest": card.digest, "ok": true })
            ),
            Ok(card) => println!(
                "{}  {} dimensions  {}  vérifié",
                card.name,
                card.dimensions,
                &card.digest[..16]
            ),
            Err(e) => {
                sound = false;
                if json {
                    println!(
                        "{}",
                        serde_json::json!({ "ok": false, "error": e.to_string() })
                    );
                } else {
                    println!("{e}");
                }
            }
        }
    }
    if sound {
        Ok(ExitCode::SUCCESS)
    } else {
        Err(Failure::Work(anyhow::anyhow!(
            "un modèle est abîmé ; restaurez ses fichiers"
        )))
    }
}
