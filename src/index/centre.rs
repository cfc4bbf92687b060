//! Centring: the mean of a collection is taken off its vectors.
//!
//! The encoder's vectors all lie in a narrow cone: two texts picked at random have a cosine near
//! .8, which drowns what tells them apart. Texts of one collection minus their mean, and questions
//! minus the mean of the phrasings, made unit again, spread over the whole sphere (Mu and
//! Viswanath, "All-but-the-Top", 2018, without the top). On held-out phrasings this is worth three
//! points in the first five, and most of the difference between data that we have and have not.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Collection, Meaning, Point};

/// The means of a generation's vectors, kept in its manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Centres {
    /// Of whole questions: the mean of the phrasings.
    question: Vec<f32>,
    /// Of questions without names: the mean of the phrasings without names.
    bare: Vec<f32>,
    /// Of passages.
    passages: Vec<f32>,
    /// Of records.
    records: Vec<f32>,
}

impl Centres {
    /// The means of these points, in the order of [`Collection::ALL`]; of phrasings, the mean of the first
    /// `questions`: needs of the catalogue are not how one asks of a text.
    pub(super) fn of(points: &[Vec<Point>; 3], questions: usize, dimensions: usize) -> Self {
        let mean = |points: &[Point], channel: usize| {
            let mut sum = vec![0.0_f64; dimensions];
            for point in points {
                sum.iter_mut()
                    .zip(point.dense[channel].iter())
                    .for_each(|(s, x)| *s += f64::from(*x));
            }
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_precision_loss,
                reason = "a mean of unit vectors"
            )]
            sum.into_iter()
                .map(|s| (s / points.len().max(1) as f64) as f32)
                .collect()
        };
        let [passages, phrasings, records] = points;
        let phrasings = &phrasings[..questions.min(phrasings.len())];
        Self {
            question: mean(phrasings, 0),
            bare: mean(phrasings, 1),
            passages: mean(passages, 0),
            records: mean(records, 0),
        }
    }

    /// How long the vectors are.
    pub(super) fn dimensions(&self) -> usize {
        self.question.len()
    }

    /// A vector to insert.
    pub(super) fn document(
        &self,
        collection: Collection,
        meaning: Meaning,
        vector: &[f32],
    ) -> Arc<[f32]> {
        match collection {
            Collection::Passages => centred(vector, &self.passages),
            Collection::Records => centred(vector, &self.records),
            Collection::Phrasings => self.question(meaning, vector),
        }
    }

    /// A question to search with.
    pub(super) fn question(&self, meaning: Meaning, vector: &[f32]) -> Arc<[f32]> {
        match meaning {
            Meaning::Whole => centred(vector, &self.question),
            Meaning::Bare => centred(vector, &self.bare),
        }
    }
}

/// `vector − centre`, of length 1; the vector itself where it is its own centre.
fn centred(vector: &[f32], centre: &[f32]) -> Arc<[f32]> {
    let moved: Vec<f32> = vector.iter().zip(centre).map(|(x, c)| x - c).collect();
    let length = moved.iter().map(|x| x * x).sum::<f32>().sqrt();
    if length < 1e-6 {
        return vector.into();
    }
    moved.into_iter().map(|x| x / length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_common_goes_and_length_is_one() {
        let moved = centred(&[0.9, 0.1], &[0.8, 0.0]);
        assert!(
            (moved[0] - moved[1]).abs() < 1e-6 && (moved[0].hypot(moved[1]) - 1.0).abs() < 1e-6
        );
        assert_eq!(&*centred(&[1.0, 0.0], &[1.0, 0.0]), [1.0, 0.0]);
    }
}
