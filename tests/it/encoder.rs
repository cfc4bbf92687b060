//! The encoder we ship gives the vectors of its reference, alone or among others, and says what is
//! wrong when it cannot.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use assistant::embed::{Cache, EmbedError, Embedder, MAX_WAITING_QUESTIONS, Role, Text, list};
use futures::future::join_all;
use serde::Deserialize;

/// Vectors that `transformers` computed with the same weights: `tests/fixtures/encoder/`.
#[derive(Deserialize)]
struct Reference {
    texts: Vec<ReferenceText>,
}

#[derive(Deserialize)]
struct ReferenceText {
    /// With its prefix.
    text: String,
    tokens: Vec<u32>,
    vector: Vec<f32>,
}

impl ReferenceText {
    fn text(&self) -> Text<'_> {
        match self.text.split_at_checked("passage: ".len()) {
            Some(("passage: ", text)) => Text {
                role: Role::Passage,
                text,
            },
            _ => Text {
                role: Role::Query,
                text: self
                    .text
                    .strip_prefix("query: ")
                    .expect("a prefix of the model"),
            },
        }
    }
}

static REFERENCE: LazyLock<Vec<ReferenceText>> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/encoder/reference.json");
    let json = fs::read(path).expect("the reference vectors are in the repository");
    serde_json::from_slice::<Reference>(&json)
        .expect("the reference vectors are as described")
        .texts
});

static EMBEDDER: LazyLock<Embedder> =
    LazyLock::new(|| Embedder::open(&model_dir()).expect("the shipped model opens"));

fn model_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models/multilingual-e5-small-fr-en")
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| {
        a.iter()
            .zip(b)
            .map(|(a, b)| f64::from(*a) * f64::from(*b))
            .sum::<f64>()
    };
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

fn assert_same_direction(found: &[f32], expected: &[f32], text: &str) {
    let cosine = cosine(found, expected);
    assert!(cosine >= 0.9999, "cosine {cosine} on « {text} »");
}

#[test]
fn texts_are_split_into_the_tokens_of_the_reference() {
    for reference in REFERENCE.iter() {
        let tokens = EMBEDDER
            .tokens(&reference.text())
            .expect("the tokenizer reads any text");
        assert_eq!(tokens, reference.tokens, "« {} »", reference.text);
    }
}

#[tokio::test]
async fn each_text_alone_or_among_others_has_its_reference_vector() {
    let dir = tempfile::tempdir().expect("a temporary folder can be made");
    let mut cache = Cache::open(dir.path(), EMBEDDER.model()).expect("the cache opens");

    // Twice, and out of order: each must come back in its place.
    let twice: Vec<&ReferenceText> = REFERENCE.iter().rev().chain(REFERENCE.iter()).collect();
    let texts: Vec<Text<'_>> = twice.iter().map(|reference| reference.text()).collect();
    let mut steps = Vec::new();
    let vectors = EMBEDDER
        .embed_all(&texts, &mut cache, &mut |done, total| {
            steps.push((done, total));
        })
        .expect("the texts are encoded");
    for (reference, vector) in twice.iter().zip(&vectors) {
        assert_same_direction(vector, &reference.vector, &reference.text);
        let length = vector.iter().map(|value| value * value).sum::<f32>();
        assert!((length - 1.0).abs() < 1e-5, "length² {length}");
    }
    assert_eq!(steps.first(), Some(&(0, texts.len())));
    assert_eq!(steps.last(), Some(&(texts.len(), texts.len())));
    assert!(steps.is_sorted());
    assert_eq!(cache.len(), REFERENCE.len());

    for (reference, in_batch) in REFERENCE.iter().zip(&vectors[REFERENCE.len()..]) {
        let text = reference.text();
        if text.role == Role::Query {
            let alone = EMBEDDER
                .question(text.text)
                .await
                .expect("the question is encoded");
            let difference = alone
                .iter()
                .zip(in_batch.iter())
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, f32::max);
            assert!(
                difference < 1e-5,
                "{difference} between alone and in a batch on « {} »",
                reference.text
            );
            assert_same_direction(&alone, &reference.vector, &reference.text);
        }
    }
}

#[test]
fn an_ingest_that_was_interrupted_goes_on_where_it_stopped() {
    let dir = tempfile::tempdir().expect("a temporary folder can be made");
    let texts: Vec<Text<'_>> = REFERENCE
        .iter()
        .filter(|reference| reference.tokens.len() < 40)
        .map(ReferenceText::text)
        .collect();
    let (first, second) = texts.split_at(texts.len() / 2);
    let open = || Cache::open(dir.path(), EMBEDDER.model()).expect("the cache opens");
    let before = EMBEDDER
        .embed_all(first, &mut open(), &mut |_, _| {})
        .expect("the texts are encoded");

    let mut steps = Vec::new();
    let all = EMBEDDER
        .embed_all(&texts, &mut open(), &mut |done, total| {
            steps.push((done, total));
        })
        .expect("the texts are encoded");
    assert_eq!(steps.first(), Some(&(first.len(), texts.len())));
    assert_eq!(all.len(), first.len() + second.len());
    assert_eq!(
        before,
        all[..first.len()],
        "known vectors are the very same"
    );
}

#[tokio::test]
async fn too_many_questions_at_once_are_refused_and_the_others_answered() {
    // Its own, so that no other test is refused.
    let embedder = Embedder::open(&model_dir()).expect("the shipped model opens");
    // The encoder takes what it can while we ask, so ask for more than could ever wait.
    let questions: Vec<String> = (0..3 * MAX_WAITING_QUESTIONS)
        .map(|at| format!("la question numéro {at} ?"))
        .collect();
    let results = join_all(questions.iter().map(|question| embedder.question(question))).await;
    let refused = results
        .iter()
        .filter(|result| matches!(result, Err(EmbedError::Overloaded)))
        .count();
    let answered = results.iter().filter(|result| result.is_ok()).count();
    assert!(
        refused > 0 && answered >= MAX_WAITING_QUESTIONS,
        "{refused} refused, {answered} answered"
    );
    assert_eq!(refused + answered, questions.len());

    let known = results
        .iter()
        .position(Result::is_ok)
        .expect("some were answered");
    let again = embedder
        .question(&questions[known])
        .await
        .expect("a known question needs no encoder");
    assert_eq!(Some(&again), results[known].as_ref().ok());
}

#[tokio::test]
async fn any_text_has_a_vector() {
    let long = "données ouvertes ".repeat(20_000);
    for text in ["", " ", "数据", "🦀🦀", "\u{0}\u{feff}", long.as_str()] {
        let vector = EMBEDDER.question(text).await.expect("any text is encoded");
        assert!(vector.iter().all(|value| value.is_finite()));
        let tokens = EMBEDDER
            .tokens(&Text {
                role: Role::Query,
                text,
            })
            .expect("the tokenizer reads any text");
        assert!(tokens.len() <= EMBEDDER.model().max_tokens);
    }
}

#[test]
fn the_shipped_model_is_listed_and_a_truncated_one_is_refused_in_one_clear_line() {
    let models = tempfile::tempdir().expect("a temporary folder can be made");
    let dir = models.path().join("cut");
    fs::create_dir(&dir).expect("a temporary folder can be made");
    for name in ["model.toml", "tokenizer.json", "weights.gguf"] {
        fs::copy(model_dir().join(name), dir.join(name))
            .expect("a file of the model can be copied");
    }
    let card = list(models.path()).remove(0).expect("the copy is whole");
    assert_eq!(&card, EMBEDDER.model());
    assert_eq!(card.dimensions, 384);

    let weights = fs::OpenOptions::new()
        .write(true)
        .open(dir.join("weights.gguf"))
        .expect("the copy can be opened");
    weights.set_len(1_234).expect("the copy can be cut");
    let error = format!(
        "{:#}",
        Embedder::open(&dir).expect_err("the weights are cut")
    );
    assert!(
        error.contains("weights.gguf tronqué : 1\u{a0}234 octets au lieu de "),
        "{error}"
    );
    assert!(
        error.contains("git checkout") && !error.contains('\n'),
        "{error}"
    );
    assert!(list(models.path())[0].is_err());
}
