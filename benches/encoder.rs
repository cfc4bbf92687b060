//! What the encoder costs: one question that nobody asked before, and passages at an ingest.

use std::path::Path;
use std::time::{Duration, Instant};

use assistant::embed::{Cache, Embedder, Role, Text};
use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};

const WORDS: &[&str] = &[
    "la",
    "Région",
    "Normandie",
    "accompagne",
    "les",
    "communes",
    "et",
    "les",
    "entreprises",
    "dans",
    "leurs",
    "projets",
    "de",
    "données",
    "ouvertes",
    "territoire",
    "aide",
    "diagnostic",
    "convention",
    "mobilité",
    "énergie",
    "le",
    "calendrier",
    "publication",
    "qualité",
    "catalogue",
    "partenaires",
    "des",
    "pour",
    "formation",
];

/// Prose of about this many tokens, different for each `seed`.
fn prose(seed: usize, tokens: usize) -> String {
    let mut state = seed as u32 + 1;
    let mut word = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        WORDS[(state >> 16) as usize % WORDS.len()]
    };
    (0..tokens * 4 / 5)
        .map(|_| word())
        .collect::<Vec<_>>()
        .join(" ")
}

fn encoder(criterion: &mut Criterion) {
    let embedder = Embedder::open(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("models/multilingual-e5-small-fr-en"),
    )
    .expect("the shipped model opens");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime starts");

    let mut seed = 0;
    criterion.bench_function("one question of about 18 tokens", |bencher| {
        bencher.iter(|| {
            seed += 1;
            let question =
                format!("Quelle aide pour le projet de données numéro {seed} en Normandie ?");
            runtime
                .block_on(embedder.question(&question))
                .expect("the question is encoded")
        });
    });

    // Lengths as they come: all different, most between 40 and 250 tokens.
    let passages: Vec<String> = (0..128).map(|at| prose(at, 50 + (at * 67) % 251)).collect();
    let texts: Vec<Text<'_>> = passages
        .iter()
        .map(|text| Text {
            role: Role::Passage,
            text,
        })
        .collect();
    let mut group = criterion.benchmark_group("passages");
    group
        .throughput(Throughput::Elements(texts.len() as u64))
        .sampling_mode(SamplingMode::Flat)
        .sample_size(10);
    group.bench_function("128 of about 150 tokens", |bencher| {
        bencher.iter_custom(|runs| {
            let mut spent = Duration::ZERO;
            for _ in 0..runs {
                let dir = tempfile::tempdir().expect("a temporary folder can be made");
                let mut cache = Cache::open(dir.path(), embedder.model()).expect("the cache opens");
                let started = Instant::now();
                embedder
                    .embed_all(&texts, &mut cache, &mut |_, _| {})
                    .expect("the passages are encoded");
                spent += started.elapsed();
            }
            spent
        });
    });
}

criterion_group!(benches, encoder);
criterion_main!(benches);
