//! The path of a question: understand → judge → retrieve → compose → verify.
//!
//! Plain values go in and come out of each stage; leaving early is `?` over [`Stop`]; [`Trace`] is
//! the only thing written along the way. Whoever asks (page, API, console, tests) comes in here.

mod compose;
mod judge;
mod reply;
mod retrieve;
mod route;
mod told;
mod trace;
mod understand;
mod verify;

use std::sync::Arc;

use jiff::civil::Date;

pub use reply::{
    Action, Answer, Block, Citation, DatasetShown, FactShown, Intent, Link, Sentence, Timings,
};
pub use retrieve::{Candidate, Evidence, Found, SearchResult};
pub use told::{Heard, Told};
pub use trace::{Dropped, Stage, Trace};
pub use understand::{Context, Rulings, Understood};

use compose::Draft;
use judge::Ruling;
use retrieve::Vectors;

use crate::corpus::Corpus;
use crate::embed::{EmbedError, Embedder};
use crate::index::{Index, IndexError};
use crate::text::door::Question;

/// What answering needs, opened once.
#[derive(Debug)]
pub struct Knowledge {
    /// The typed corpus.
    pub corpus: Arc<Corpus>,
    /// The vectors of that corpus.
    pub index: Index,
    /// The encoder they were made with.
    pub embedder: Embedder,
}

/// Why a question got no answer at all. Not finding anything is an answer, not a stop.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// Too many questions are waiting.
    #[error("too many questions are waiting")]
    Overloaded,
    /// The encoder failed.
    #[error(transparent)]
    Encoder(EmbedError),
    /// The vector store failed.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The places of the corpus do not read.
    #[error("the places of the corpus do not read")]
    Territory,
    /// A worker thread ended unexpectedly.
    #[error("a worker thread ended unexpectedly")]
    Interrupted,
}

impl From<EmbedError> for Stop {
    fn from(error: EmbedError) -> Self {
        match error {
            EmbedError::Overloaded => Self::Overloaded,
            other => Self::Encoder(other),
        }
    }
}

/// An answer, what the conversation now knows, and how it came about.
#[derive(Debug)]
pub struct Answered {
    /// What the person gets.
    pub answer: Answer,
    /// What the next turn starts from.
    pub context: Context,
    /// For those who look behind.
    pub trace: Trace,
}

/// Answers one question, in the context of its conversation, on a day: aids open and close.
///
/// # Errors
/// [`Stop`], when the service is overloaded or a part of it failed.
pub async fn answer(
    knowledge: &Arc<Knowledge>,
    context: Context,
    question: Question,
    today: Date,
) -> Result<Answered, Stop> {
    let mut trace = Trace::start();

    let corpus = &knowledge.corpus;
    let territory = corpus.territory().map_err(|_| Stop::Territory)?;
    let understood = understand::understand(corpus, territory, &context, &question, today);
    trace.done(Stage::Understand);

    let ruling = judge::judge(corpus, territory, &understood);
    let judged = judge::compose(corpus, &understood, &ruling);
    if let Some(draft) = judged {
        trace.done(Stage::Compose);
        return Ok(finish(
            knowledge,
            context,
            &understood,
            ruling,
            draft,
            trace,
        ));
    }

    let vectors = embed(knowledge, &understood).await?;
    trace.done(Stage::Embed);

    let knowledge = Arc::clone(knowledge);
    let rest = move || {
        let evidence = retrieve::retrieve(&knowledge, &understood, &vectors, &mut trace)?;
        trace.done(Stage::Retrieve);

        let draft = compose::compose(&knowledge.corpus, &understood, &evidence);
        trace.done(Stage::Compose);
        Ok(finish(
            &knowledge,
            context,
            &understood,
            ruling,
            draft,
            trace,
        ))
    };
    // The index computes in the calling thread, which must not be one that serves connections.
    tokio::task::spawn_blocking(rest)
        .await
        .map_err(|_| Stop::Interrupted)?
}

/// Verifies a draft, and adds what the rules say beside it.
fn finish(
    knowledge: &Knowledge,
    context: Context,
    understood: &Understood,
    ruling: Ruling,
    draft: Draft,
    mut trace: Trace,
) -> Answered {
    let asking = draft.asking;
    let mut answer = verify::verify(&knowledge.corpus, understood, draft, &mut trace);
    trace.done(Stage::Verify);

    answer.eligibility = ruling.one.map(|verdict| serde_json::json!(verdict));
    answer.known = told::document(&understood.heard.known);
    answer.facts = ruling.facts;
    answer.timings = trace.timings();
    let context = context.after(&knowledge.corpus, understood, &answer, asking);
    Answered {
        answer,
        context,
        trace,
    }
}

/// The question as vectors: all of it; what it says besides the programme or page it names; and itself
/// after the question it leans on.
async fn embed(knowledge: &Knowledge, understood: &Understood) -> Result<Vectors, EmbedError> {
    let bare = Some(&understood.subject).filter(|s| !understood.named.is_empty() && !s.is_empty());
    let encode = async |text: Option<&String>| match text {
        Some(text) => knowledge.embedder.question(text).await.map(Some),
        None => Ok(None),
    };
    let (whole, bare, with_last) = tokio::try_join!(
        knowledge.embedder.question(&understood.standalone),
        encode(bare),
        encode(understood.with_last.as_ref()),
    )?;
    Ok(Vectors {
        whole,
        bare,
        with_last,
    })
}

/// The best passages and records for a query, best first, as the answer's own retrieval finds them.
///
/// # Errors
/// [`Stop`], as for [`answer`].
pub async fn search(knowledge: &Arc<Knowledge>, question: Question) -> Result<Evidence, Stop> {
    let corpus = &knowledge.corpus;
    let territory = corpus.territory().map_err(|_| Stop::Territory)?;
    let understood =
        understand::understand(corpus, territory, &Context::default(), &question, Date::MIN);
    let vectors = embed(knowledge, &understood).await?;
    let knowledge = Arc::clone(knowledge);
    tokio::task::spawn_blocking(move || {
        retrieve::retrieve(&knowledge, &understood, &vectors, &mut Trace::start())
    })
    .await
    .map_err(|_| Stop::Interrupted)?
}
