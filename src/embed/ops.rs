//! The element-wise steps of an encoder, in place and fused, on rows of f32.
//!
//! candle's own ones allocate a tensor for each step, and compute `erf` and `exp` one value at a
//! time; matrix products stay candle's. Written so that the compiler turns each loop into vector
//! instructions: fixed lanes, no branches, no calls. Accuracy is that of f32 (a few units in the
//! last place), see the tests.

use candle_core::{CpuStorage, InplaceOp1, InplaceOp2, Layout, Result, bail};
use rayon::prelude::*;

/// Independent sums a row is reduced in; one vector register or two.
const LANES: usize = 16;

/// `x + bias`, row by row.
pub(super) struct AddBias<'a> {
    pub(super) bias: &'a [f32],
}

/// `gelu(x + bias)`, row by row; the exact one, `x · ½(1 + erf(x/√2))`.
pub(super) struct AddBiasGelu<'a> {
    pub(super) bias: &'a [f32],
}

/// Softmax of each row of the last dimension.
pub(super) struct Softmax;

/// `layer_norm(x + bias + residual) · gain + shift`, row by row.
pub(super) struct AddNorm<'a> {
    pub(super) bias: &'a [f32],
    pub(super) norm: &'a Norm,
}

/// The parameters of a layer normalisation, one value a column.
pub(super) struct Norm {
    pub(super) gain: Vec<f32>,
    pub(super) shift: Vec<f32>,
    pub(super) epsilon: f32,
}

impl Norm {
    /// Normalises one row in place.
    pub(super) fn apply(&self, row: &mut [f32]) {
        let columns = row.len() as f32;
        let mean = sum(row, |value| value) / columns;
        let variance = sum(row, |value| (value - mean) * (value - mean)) / columns;
        let scale = 1.0 / (variance + self.epsilon).sqrt();
        for ((value, gain), shift) in row.iter_mut().zip(&self.gain).zip(&self.shift) {
            *value = (*value - mean) * scale * gain + shift;
        }
    }
}

impl InplaceOp1 for AddBias<'_> {
    fn name(&self) -> &'static str {
        "add-bias"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        rows(values(storage, layout)?, self.bias.len()).for_each(|row| {
            for (value, bias) in row.iter_mut().zip(self.bias) {
                *value += bias;
            }
        });
        Ok(())
    }
}

impl InplaceOp1 for AddBiasGelu<'_> {
    fn name(&self) -> &'static str {
        "add-bias-gelu"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        rows(values(storage, layout)?, self.bias.len()).for_each(|row| {
            for (value, bias) in row.iter_mut().zip(self.bias) {
                *value = gelu(*value + bias);
            }
        });
        Ok(())
    }
}

impl InplaceOp1 for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let columns = layout.dims().last().copied().unwrap_or(1);
        rows(values(storage, layout)?, columns).for_each(|row| {
            let largest = max(row);
            for value in row.iter_mut() {
                *value = exp_of_negative(*value - largest);
            }
            let scale = 1.0 / sum(row, |value| value);
            for value in row {
                *value *= scale;
            }
        });
        Ok(())
    }
}

impl InplaceOp2 for AddNorm<'_> {
    fn name(&self) -> &'static str {
        "add-norm"
    }

    fn cpu_fwd(
        &self,
        out: &mut CpuStorage,
        layout: &Layout,
        residual: &CpuStorage,
        of: &Layout,
    ) -> Result<()> {
        let CpuStorage::F32(residual) = residual else {
            bail!("add-norm takes f32")
        };
        let Some((start, end)) = of.contiguous_offsets() else {
            bail!("add-norm takes contiguous tensors")
        };
        let columns = self.bias.len();
        let residual = residual[start..end].par_chunks_exact(columns);
        rows(values(out, layout)?, columns)
            .zip(residual)
            .for_each(|(row, residual)| {
                for ((value, bias), residual) in row.iter_mut().zip(self.bias).zip(residual) {
                    *value += bias + residual;
                }
                self.norm.apply(row);
            });
        Ok(())
    }
}

/// The rows, spread over the cores where there is enough to do.
fn rows(values: &mut [f32], columns: usize) -> impl IndexedParallelIterator<Item = &mut [f32]> {
    let worth_a_thread = (16_384 / columns).max(1);
    values
        .par_chunks_exact_mut(columns)
        .with_min_len(worth_a_thread)
}

fn values<'a>(storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((start, end))) => Ok(&mut values[start..end]),
        _ => bail!("the encoder's operations take contiguous f32 tensors"),
    }
}

#[inline(always)]
fn sum(row: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let (blocks, rest) = row.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for block in blocks {
        for (lane, value) in lanes.iter_mut().zip(block) {
            *lane += of(*value);
        }
    }
    lanes.into_iter().sum::<f32>() + rest.iter().map(|value| of(*value)).sum::<f32>()
}

fn max(row: &[f32]) -> f32 {
    // Not `f32::max`: its rule about NaN keeps the compiler from using vector instructions.
    let larger = |a: f32, b: f32| if a > b { a } else { b };
    let (blocks, rest) = row.as_chunks::<LANES>();
    let mut lanes = [f32::NEG_INFINITY; LANES];
    for block in blocks {
        for (lane, value) in lanes.iter_mut().zip(block) {
            *lane = larger(*lane, *value);
        }
    }
    lanes
        .iter()
        .chain(rest)
        .copied()
        .fold(f32::NEG_INFINITY, larger)
}

#[inline(always)]
fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// The error function as a quotient of polynomials on [-4, 4], beyond which it is ±1 in f32; these
/// are the coefficients of Eigen and XLA.
#[inline(always)]
#[expect(clippy::excessive_precision, reason = "the coefficients as published")]
fn erf(x: f32) -> f32 {
    let x = if x > 4.0 { 4.0 } else { x };
    let x = if x < -4.0 { -4.0 } else { x };
    let s = x * x;
    let above = (-2.72614225801306e-10 * s + 2.77068142495902e-08) * s - 2.10102402082508e-06;
    let above = (above * s - 5.69250639462346e-05) * s - 7.34990630326855e-04;
    let above = (above * s - 2.95459980854025e-03) * s - 1.60960333262415e-02;
    let below = (-1.45660718464996e-05 * s - 2.13374055278905e-04) * s - 1.68282697438203e-03;
    let below = (below * s - 7.37332916720468e-03) * s - 1.42647390514189e-02;
    x * above / below
}

/// `exp(x)` for x ≤ 0: 2^n · 2^f with n whole and |f| ≤ ½; what is below the smallest normal f32
/// becomes about 1e-38.
#[inline(always)]
fn exp_of_negative(x: f32) -> f32 {
    /// 1.5 · 2²³: adding it rounds to a whole number, left in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let scaled = x * std::f32::consts::LOG2_E;
    let scaled = if scaled < -126.0 { -126.0 } else { scaled };
    let rounded = scaled + ROUND;
    let power = rounded
        .to_bits()
        .wrapping_sub(ROUND.to_bits())
        .wrapping_add(127)
        << 23;
    // ln2 · f, so that the series of exp can be used as it is: six terms reach 1e-7 on ±0.35.
    let r = (scaled - (rounded - ROUND)) * std::f32::consts::LN_2;
    let series = ((1.0 / 720.0 * r + 1.0 / 120.0) * r + 1.0 / 24.0) * r + 1.0 / 6.0;
    let series = ((series * r + 0.5) * r + 1.0) * r + 1.0;
    series * f32::from_bits(power)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Tensor};

    /// Values over the range that matters, of both signs, in rows of `columns`.
    fn sample(columns: usize) -> Tensor {
        let values: Vec<f32> = (0..7 * columns)
            .map(|at| ((at * 7919) % 2003) as f32 / 100.0 - 10.0)
            .collect();
        Tensor::from_vec(values, (7, columns), &Device::Cpu)
            .expect("the shape is that of the values")
    }

    fn flat(tensor: &Tensor) -> Vec<f32> {
        tensor
            .flatten_all()
            .and_then(|flat| flat.to_vec1())
            .expect("a tensor of f32")
    }

    fn assert_near(found: &Tensor, expected: &Tensor, tolerance: f32) {
        for (found, expected) in flat(found).into_iter().zip(flat(expected)) {
            assert!(
                (found - expected).abs() <= tolerance * expected.abs().max(1.0),
                "{found} is not {expected}"
            );
        }
    }

    #[test]
    fn gelu_agrees_with_candle() {
        let (x, bias) = (sample(37), vec![0.25; 37]);
        let expected = (&x + 0.25)
            .and_then(|x| x.gelu_erf())
            .expect("candle computes gelu");
        x.inplace_op1(&AddBiasGelu { bias: &bias })
            .expect("a contiguous tensor");
        assert_near(&x, &expected, 1e-6);
    }

    #[test]
    fn softmax_agrees_with_candle_on_any_length() {
        for columns in [1, 5, 16, 37, 300] {
            let x = sample(columns);
            let expected = candle_nn::ops::softmax_last_dim(&x).expect("candle computes softmax");
            x.inplace_op1(&Softmax).expect("a contiguous tensor");
            assert_near(&x, &expected, 3e-7);
        }
    }

    #[test]
    fn exp_underflows_to_nothing_worth_counting() {
        for x in [-1e9_f32, -200.0, f32::NEG_INFINITY] {
            let found = exp_of_negative(x);
            assert!((0.0..1e-37).contains(&found), "exp({x}) = {found}");
        }
        assert_eq!(exp_of_negative(0.0), 1.0);
    }

    #[test]
    fn normalisation_agrees_with_candle() {
        let (columns, x, residual) = (48, sample(48), sample(48));
        let ramp: Vec<f32> = (0..columns).map(|at| at as f32 / 10.0).collect();
        let norm = Norm {
            gain: ramp.clone(),
            shift: vec![0.5; columns],
            epsilon: 1e-12,
        };
        let tensor = |values: &[f32]| Tensor::new(values, &Device::Cpu).expect("values of one row");
        let expected = (&x + &residual)
            .and_then(|sum| sum.broadcast_add(&tensor(&ramp)))
            .and_then(|sum| {
                candle_nn::ops::layer_norm(&sum, &tensor(&norm.gain), &tensor(&norm.shift), 1e-12)
            })
            .expect("candle normalises");
        x.inplace_op2(
            &residual,
            &AddNorm {
                bias: &ramp,
                norm: &norm,
            },
        )
        .expect("contiguous tensors");
        assert_near(&x, &expected, 1e-5);
    }
}
