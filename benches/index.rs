//! The index at 1,000, 10,000 and 100,000 records: `cargo bench --bench index`.
//!
//! Synthetic records: unit vectors of 384 numbers in clusters, stems as frequent as words are. Each
//! size is built and searched twice, exactly and through a graph, in a process of its own, so that
//! memory is its own. A query searches both channels of the records and sums their scores, as a
//! question does. A question asks for the first 1,000 of each channel; a graph returns 256 at most.
//! The target is p99 ≤ 15 ms at 100,000.

#![allow(
    missing_docs,
    clippy::print_stdout,
    reason = "a measurement prints its result"
)]

mod shared;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use assistant::index::{
    self, By, Collection, Graphs, Hit, Index, Manifest, Meaning, Opened, Place, Point, Search,
};
use assistant::text::sparse::{Sparse, Terms};
use serde_json::{Value, json};

/// A vector and the stems beside it.
type Query = (Arc<[f32]>, Sparse);

const DIMENSIONS: usize = 384;
/// Vectors around each centre of a cluster.
const CLUSTER: usize = 100;
/// Stems that exist; the nth is about 1/n as frequent as the first.
const VOCABULARY: f64 = 30_000.0;
const STEMS_OF_A_RECORD: usize = 40;
const STEMS_OF_A_QUERY: usize = 6;
const QUERIES: usize = 1_000;

fn main() {
    if shared::only_tested() {
        return;
    }
    let args: Vec<String> = std::env::args().collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [_, "build", dir, count, how] => build(Path::new(dir), number(count), how),
        [_, "search", dir, count, how] => search(Path::new(dir), number(count), how),
        _ => all(),
    }
}

fn number(text: &str) -> usize {
    text.parse().expect("a number of records")
}

/// One process for each step.
fn all() {
    println!("{}", shared::machine());
    for count in ["1000", "10000", "100000"] {
        for how in ["exact", "graph"] {
            let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
            let mut line = json!({ "records": number(count), "how": how });
            for step in ["build", "search"] {
                let output = Command::new(std::env::current_exe().expect("this program"))
                    .arg(step)
                    .arg(dir.path())
                    .args([count, how])
                    .output()
                    .expect("it runs");
                assert!(output.status.success(), "{step} {count} {how}");
                line[step] = serde_json::from_slice(&output.stdout).expect("JSON");
            }
            println!("{line}");
        }
    }
}

fn build(dir: &Path, count: usize, how: &str) {
    let clusters = Clusters::new(count);
    let mut random = Random(1);
    let records: Vec<Point> = (0..count)
        .map(|number| Point {
            number,
            id: format!("r{number}"),
            dense: vec![clusters.vector(&mut random)],
            sparse: vec![stems(&mut random, STEMS_OF_A_RECORD, 0.0)],
        })
        .collect();
    let points = [Vec::new(), Vec::new(), records];
    let mut manifest = Manifest::new(
        "synthetic",
        "synthetic",
        "synthetic",
        DIMENSIONS,
        &points,
        points[1].len(),
    );
    manifest.graphs = graphs(how);
    let started = Instant::now();
    index::publish(
        Place::Folder(dir),
        manifest,
        DIMENSIONS,
        &points,
        &mut |_| {},
    )
    .expect("it is built");
    println!(
        "{}",
        json!({ "s": started.elapsed().as_secs_f64(), "disk_mib": size(dir) >> 20 })
    );
}

fn graphs(how: &str) -> Graphs {
    match how {
        "graph" => Graphs::of([0, 0, usize::MAX]),
        _ => Graphs::NONE,
    }
}

fn search(dir: &Path, count: usize, how: &str) {
    let started = Instant::now();
    let opened = index::open_current(Place::Folder(dir), "synthetic", "synthetic");
    let Ok(Opened::UpToDate(index)) = opened else {
        panic!("the index opens: {opened:?}");
    };
    let open_s = started.elapsed().as_secs_f64();
    let clusters = Clusters::new(count);
    let mut random = Random(2);
    let queries: Vec<Query> = (0..QUERIES)
        .map(|_| {
            let vector = clusters.vector(&mut random);
            // Words of questions are not the commonest: those are left out as stop words.
            (vector, stems(&mut random, STEMS_OF_A_QUERY, 50.0))
        })
        .collect();

    let mut result = json!({ "open_s": open_s });
    for limit in [100, 1_000] {
        let dense = |q: &Query| By::Meaning(Meaning::Whole, q.0.clone());
        let sparse = |q: &Query| By::Terms(Terms::Stems, q.1.clone());
        let time = |work: &dyn Fn(&Query)| {
            queries.iter().take(50).for_each(work);
            let timed = queries.iter().map(|query| {
                let asked = Instant::now();
                work(query);
                asked.elapsed().as_secs_f64() * 1000.0
            });
            shared::spread(&timed.collect::<Vec<f64>>())
        };
        result[format!("first_{limit}_ms")] = json!({
            "hybrid": time(&|q| {
                let [near, shared] = index
                    .search([of(dense(q), limit), of(sparse(q), limit)])
                    .expect("found");
                std::hint::black_box(sum(&near, &shared));
            }),
            "dense": time(&|q| {
                std::hint::black_box(index.search([of(dense(q), limit)]).expect("found"));
            }),
            "stems": time(&|q| {
                std::hint::black_box(index.search([of(sparse(q), limit)]).expect("found"));
            }),
        });
    }
    result["memory_mib"] = shared::memory_mib("self");
    if how == "graph" {
        result["recall"] = recall(&index, &clusters, count, &queries);
    }
    println!("{result}");
}

fn of(by: By, limit: usize) -> Search {
    Search {
        collection: Collection::Records,
        by,
        limit,
    }
}

/// The sums of the raw scores, best first.
fn sum(near: &[Hit], shared: &[Hit]) -> Vec<(usize, f32)> {
    let mut sums: HashMap<usize, f32> = HashMap::new();
    for (weight, hits) in [(1.0, near), (0.02, shared)] {
        for hit in hits {
            *sums.entry(hit.number).or_default() += weight * hit.score;
        }
    }
    let mut sums: Vec<(usize, f32)> = sums.into_iter().collect();
    sums.sort_by(|a, b| b.1.total_cmp(&a.1));
    sums
}

/// How many of the nearest, found by comparing with every vector here, the graph finds.
fn recall(index: &Index, clusters: &Clusters, count: usize, queries: &[Query]) -> Value {
    let mut random = Random(1);
    let vectors: Vec<Arc<[f32]>> = (0..count)
        .map(|_| {
            let vector = clusters.vector(&mut random);
            stems(&mut random, STEMS_OF_A_RECORD, 0.0);
            vector
        })
        .collect();
    // As the index does: the mean is taken off what is stored.
    let mut centre = [0.0_f64; DIMENSIONS];
    for vector in &vectors {
        for (c, x) in centre.iter_mut().zip(vector.iter()) {
            *c += f64::from(*x) / count as f64;
        }
    }
    let vectors: Vec<Vec<f32>> = vectors
        .iter()
        .map(|v| unit(v.iter().zip(&centre).map(|(x, c)| x - *c as f32).collect()))
        .collect();
    let mut kept = json!({});
    for (first, limit) in [(10, 100), (100, 100)] {
        let (mut found, mut wanted) = (0, 0);
        for (query, _) in queries.iter().take(100) {
            let mut near: Vec<(f32, usize)> = vectors
                .iter()
                .map(|v| v.iter().zip(query.iter()).map(|(a, b)| a * b).sum())
                .zip(0..)
                .collect();
            near.sort_by(|a, b| b.0.total_cmp(&a.0));
            near.truncate(first);
            let by = By::Meaning(Meaning::Whole, query.clone());
            let [hits] = index.search([of(by, limit)]).expect("found");
            wanted += near.len();
            found += near
                .iter()
                .filter(|(_, number)| hits.iter().take(first).any(|h| h.number == *number))
                .count();
        }
        kept[format!("{first}_of_{limit}")] = json!(found as f64 / wanted as f64);
    }
    kept
}

/// Centres, about which vectors are.
struct Clusters(Vec<Vec<f32>>);

impl Clusters {
    fn new(count: usize) -> Self {
        let mut random = Random(3);
        let centres = 0..(count / CLUSTER).max(1);
        Self(centres.map(|_| unit(random.normals())).collect())
    }

    /// Two of one cluster have a cosine near .6, of two clusters near 0.
    fn vector(&self, random: &mut Random) -> Arc<[f32]> {
        let centre = &self.0[random.below(self.0.len() as f64) as usize];
        let noise = unit(random.normals());
        let near = centre.iter().zip(noise).map(|(c, n)| c + 0.8 * n);
        unit(near.collect()).into()
    }
}

fn unit(vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.into_iter().map(|x| x / length).collect()
}

/// So many stems, drawn as Zipf says, the `without` most frequent left out.
fn stems(random: &mut Random, count: usize, without: f64) -> Sparse {
    let mut drawn: BTreeMap<u32, f32> = BTreeMap::new();
    for _ in 0..count {
        let rank = (1.0 + without) * (VOCABULARY / (1.0 + without)).powf(random.unit());
        *drawn.entry(rank as u32).or_default() += 1.0;
    }
    Sparse {
        indices: drawn.keys().copied().collect(),
        values: drawn.values().map(|tf| tf * 2.2 / (tf + 1.2)).collect(),
    }
}

/// Numbers that look random and are the same each time (xorshift64*).
struct Random(u64);

impl Random {
    fn unit(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, most: f64) -> f64 {
        self.unit() * most
    }

    fn normals(&mut self) -> Vec<f32> {
        // Sums of uniform numbers are near enough to a normal law.
        (0..DIMENSIONS)
            .map(|_| ((0..6).map(|_| self.unit()).sum::<f64>() - 3.0) as f32)
            .collect()
    }
}

fn size(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).expect("a folder");
    let sizes = entries.flatten().map(|e| match e.metadata() {
        Ok(m) if m.is_dir() => size(&e.path()),
        Ok(m) => std::os::unix::fs::MetadataExt::blocks(&m) * 512,
        Err(_) => 0,
    });
    sizes.sum()
}
