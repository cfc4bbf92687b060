//! Exact or through a graph: how the vectors of a collection are searched.
//!
//! Exactly, each vector is compared with the question: nothing is missed, and the time grows with their
//! number. A graph (HNSW) looks at a few thousand whatever their number, may miss some of the nearest,
//! and takes minutes to build. So small collections, all that the corpus makes today, are searched
//! exactly, and large ones through a graph. `docs/benchmarks.md` has the figures.

use serde::{Deserialize, Serialize};

use super::{By, Collection, Search};

/// The number of points from which a graph is worth what it misses. Chosen between two sizes that were
/// measured: at 10,000 an exact search is the faster, at 100,000 the graph, by far.
const FROM: usize = 20_000;

/// How many candidates a search through a graph keeps in hand. It returns no more: asked for a thousand
/// of 100,000, it took several times what a query may, and missed a fifth of them.
pub(super) const BEAM: usize = 256;

/// Which collections have a graph, in the order of [`Collection::ALL`]. Kept in the manifest: a
/// generation is searched as it was built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Graphs([bool; 3]);

impl Graphs {
    /// None: every search is exact.
    pub const NONE: Self = Self([false; 3]);

    /// Those of collections with so many points.
    #[must_use]
    pub fn of(points: [usize; 3]) -> Self {
        Self(points.map(|n| n >= FROM))
    }

    /// Whether a collection has one.
    pub(super) fn has(self, collection: Collection) -> bool {
        let [passages, phrasings, records] = self.0;
        match collection {
            Collection::Passages => passages,
            Collection::Phrasings => phrasings,
            Collection::Records => records,
        }
    }

    /// How many points a search returns at most.
    pub(super) fn limit(self, search: &Search) -> usize {
        match search.by {
            By::Meaning(..) if self.has(search.collection) => search.limit.min(BEAM),
            _ => search.limit,
        }
    }

    /// Whether a search must ask for exactness. Terms never do: they always are exact, and would then
    /// be read point by point.
    pub(super) fn must_be_exact(self, search: &Search) -> bool {
        matches!(search.by, By::Meaning(..)) && !self.has(search.collection)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_large_collection_has_a_graph() {
        let graphs = Graphs::of([600, FROM - 1, FROM]);
        let has = Collection::ALL.map(|c| graphs.has(c));
        assert_eq!(has, [false, false, true]);
    }
}
