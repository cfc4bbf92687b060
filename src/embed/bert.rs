//! BERT, the encoder: ids in, one vector a sequence out.
//!
//! The sequences of a batch are laid end to end, `[tokens, hidden]`, so that nothing is ever
//! computed on padding; only attention looks at one sequence at a time. Layers are f32; the table
//! of word embeddings stays in 4 bits and gives the rows a text needs. It knows neither words nor
//! prefixes (`mod.rs`), and runs on the caller's thread.

use std::io::Cursor;

use candle_core::quantized::{GgmlDType, gguf_file};
use candle_core::{D, Device, Result, Tensor, bail};
use half::f16;
use rayon::prelude::*;

use super::model::Manifest;
use super::ops::{AddBias, AddBiasGelu, AddNorm, Norm, Softmax};

/// The sizes of a BERT, as in `model.toml`.
#[derive(Debug, Clone)]
pub(super) struct Config {
    hidden_size: usize,
    layers: usize,
    heads: usize,
    intermediate_size: usize,
    max_tokens: usize,
    layer_norm_eps: f64,
    vocab_size: usize,
}

impl From<&Manifest> for Config {
    fn from(manifest: &Manifest) -> Config {
        Config {
            hidden_size: manifest.hidden_size,
            layers: manifest.layers,
            heads: manifest.heads,
            intermediate_size: manifest.intermediate_size,
            max_tokens: manifest.max_tokens,
            layer_norm_eps: manifest.layer_norm_eps,
            vocab_size: manifest.vocab_size,
        }
    }
}

pub(super) struct Bert {
    config: Config,
    words: WordTable,
    /// `[max_tokens, hidden]`, row by row, with the embedding of token type 0 already added: no
    /// text has another.
    positions: Vec<f32>,
    norm: Norm,
    layers: Vec<Layer>,
}

/// Matrices are `[in, out]`: the layout in which gemm reads them without packing.
struct Layer {
    /// Queries, keys and values side by side, `[hidden, 3 · hidden]`; queries are already divided
    /// by √(head size).
    attention_in: Linear,
    attention_out: Linear,
    attention_norm: Norm,
    widen: Linear,
    narrow: Linear,
    norm: Norm,
}

/// The matrix is `[in, out]`, a transposed view of the file's `[out, in]`: on 18 tokens gemm runs
/// this layout half as fast again as the other, and no slower on a thousand.
struct Linear {
    matrix: Tensor,
    bias: Vec<f32>,
}

impl Bert {
    /// Reads the weights: a GGUF file with Hugging Face's names of tensors, word embeddings in
    /// Q4_0.
    pub(super) fn load(config: Config, gguf: &[u8]) -> Result<Bert> {
        let mut weights = Weights::open(gguf)?;
        let hidden = config.hidden_size;
        let token_type = weights
            .tensor("embeddings.token_type_embeddings.weight")?
            .get(0)?;
        let positions = weights.matrix(
            "embeddings.position_embeddings.weight",
            config.max_tokens,
            hidden,
        )?;
        Ok(Bert {
            words: weights.words(
                "embeddings.word_embeddings.weight",
                config.vocab_size,
                hidden,
            )?,
            positions: positions
                .broadcast_add(&token_type)?
                .flatten_all()?
                .to_vec1()?,
            norm: weights.norm("embeddings.LayerNorm", &config)?,
            layers: (0..config.layers)
                .map(|at| weights.layer(at, &config))
                .collect::<Result<_>>()?,
            config,
        })
    }

    /// One vector of length 1 a sequence, the mean of its tokens, in the order given. A sequence
    /// has 1 to `max_tokens` ids, each smaller than the size of the vocabulary.
    pub(super) fn embed(&self, sequences: &[Vec<u32>]) -> Result<Vec<Vec<f32>>> {
        let spans = self.spans(sequences)?;
        let mut x = self.tokens(sequences)?;
        for layer in &self.layers {
            x = self.layer(layer, &x, &spans)?;
        }
        let x = x.flatten_all()?.to_vec1::<f32>()?;
        let hidden = self.config.hidden_size;
        spans
            .iter()
            .map(|span| mean_of_length_one(&x[span.start * hidden..span.end() * hidden], hidden))
            .collect()
    }

    fn spans(&self, sequences: &[Vec<u32>]) -> Result<Vec<Span>> {
        let mut start = 0;
        let mut spans = Vec::with_capacity(sequences.len());
        for sequence in sequences {
            if sequence.is_empty() || sequence.len() > self.config.max_tokens {
                bail!("a sequence of {} tokens cannot be encoded", sequence.len());
            }
            spans.push(Span {
                start,
                length: sequence.len(),
            });
            start += sequence.len();
        }
        Ok(spans)
    }

    /// Word + position + type, normalised: `[tokens, hidden]`.
    fn tokens(&self, sequences: &[Vec<u32>]) -> Result<Tensor> {
        let hidden = self.config.hidden_size;
        let tokens: usize = sequences.iter().map(Vec::len).sum();
        let mut x = vec![0.0; tokens * hidden];
        let ids = sequences
            .iter()
            .flat_map(|ids| ids.iter().zip(self.positions.chunks_exact(hidden)));
        for (row, (id, position)) in x.chunks_exact_mut(hidden).zip(ids) {
            self.words.read(*id, row)?;
            for (value, position) in row.iter_mut().zip(position) {
                *value += position;
            }
            self.norm.apply(row);
        }
        Tensor::from_vec(x, (tokens, hidden), &Device::Cpu)
    }

    /// `[tokens, hidden]` to the same.
    fn layer(&self, layer: &Layer, x: &Tensor, spans: &[Span]) -> Result<Tensor> {
        let qkv = x.matmul(&layer.attention_in.matrix)?;
        qkv.inplace_op1(&AddBias {
            bias: &layer.attention_in.bias,
        })?;
        let attended = spans
            .par_iter()
            .map(|span| self.attend(&qkv, *span))
            .collect::<Result<Vec<_>>>()?;
        let attended = Tensor::cat(&attended, 0)?;

        let y = attended.matmul(&layer.attention_out.matrix)?;
        y.inplace_op2(
            x,
            &AddNorm {
                bias: &layer.attention_out.bias,
                norm: &layer.attention_norm,
            },
        )?;

        let wide = y.matmul(&layer.widen.matrix)?;
        wide.inplace_op1(&AddBiasGelu {
            bias: &layer.widen.bias,
        })?;
        let z = wide.matmul(&layer.narrow.matrix)?;
        z.inplace_op2(
            &y,
            &AddNorm {
                bias: &layer.narrow.bias,
                norm: &layer.norm,
            },
        )?;
        Ok(z)
    }

    /// Attention within one sequence of `[tokens, 3 · hidden]`: `[length, hidden]`.
    fn attend(&self, qkv: &Tensor, span: Span) -> Result<Tensor> {
        let (heads, hidden) = (self.config.heads, self.config.hidden_size);
        // [3, heads, length, head size], without a copy: gemm takes any stride.
        let qkv = qkv.narrow(0, span.start, span.length)?;
        let qkv = qkv
            .reshape((span.length, 3, heads, hidden / heads))?
            .permute((1, 2, 0, 3))?;
        let (query, key, value) = (qkv.get(0)?, qkv.get(1)?, qkv.get(2)?);
        let weights = query.matmul(&key.transpose(D::Minus2, D::Minus1)?)?;
        weights.inplace_op1(&Softmax)?;
        weights
            .matmul(&value)?
            .transpose(0, 1)?
            .reshape((span.length, hidden))
    }
}

/// Where a sequence lies among the tokens of its batch.
#[derive(Clone, Copy)]
struct Span {
    start: usize,
    length: usize,
}

impl Span {
    fn end(self) -> usize {
        self.start + self.length
    }
}

fn mean_of_length_one(rows: &[f32], hidden: usize) -> Result<Vec<f32>> {
    let mut mean = vec![0.0; hidden];
    for row in rows.chunks_exact(hidden) {
        for (mean, value) in mean.iter_mut().zip(row) {
            *mean += value;
        }
    }
    let length = mean.iter().map(|value| value * value).sum::<f32>().sqrt();
    if !length.is_finite() || length == 0.0 {
        bail!("the encoder gave a vector of length {length}");
    }
    mean.iter_mut().for_each(|value| *value /= length);
    Ok(mean)
}

/// Word embeddings in ggml's Q4_0: a row is `hidden / 32` blocks of an f16 scale and 32 weights of
/// 4 bits.
struct WordTable {
    blocks: Vec<u8>,
    row: usize,
}

impl WordTable {
    /// Weights of a block.
    const WEIGHTS: usize = 32;
    /// Bytes of a block: the scale, then the low halves (weights 0 to 15) and high halves (16 to
    /// 31) of 16 bytes.
    const BLOCK: usize = 2 + Self::WEIGHTS / 2;

    fn read(&self, id: u32, row: &mut [f32]) -> Result<()> {
        let start = id as usize * self.row;
        let Some(blocks) = self.blocks.get(start..start + self.row) else {
            bail!("token {id} is not in the vocabulary of the weights");
        };
        let (blocks, _) = blocks.as_chunks::<{ Self::BLOCK }>();
        for (block, weights) in blocks.iter().zip(row.chunks_exact_mut(Self::WEIGHTS)) {
            let scale = f16::from_le_bytes([block[0], block[1]]).to_f32();
            let (first, second) = weights.split_at_mut(Self::WEIGHTS / 2);
            for ((byte, first), second) in block[2..].iter().zip(first).zip(second) {
                *first = (f32::from(byte & 15) - 8.0) * scale;
                *second = (f32::from(byte >> 4) - 8.0) * scale;
            }
        }
        Ok(())
    }
}

/// The tensors of a GGUF file, by name.
struct Weights<'a> {
    content: gguf_file::Content,
    file: Cursor<&'a [u8]>,
}

impl<'a> Weights<'a> {
    fn open(gguf: &'a [u8]) -> Result<Weights<'a>> {
        let mut file = Cursor::new(gguf);
        Ok(Weights {
            content: gguf_file::Content::read(&mut file)?,
            file,
        })
    }

    fn tensor(&mut self, name: &str) -> Result<Tensor> {
        self.content
            .tensor(&mut self.file, name, &Device::Cpu)?
            .dequantize(&Device::Cpu)
    }

    fn matrix(&mut self, name: &str, rows: usize, columns: usize) -> Result<Tensor> {
        let tensor = self.tensor(name)?;
        if tensor.dims() != [rows, columns] {
            bail!("{name} is {:?}, not [{rows}, {columns}]", tensor.dims());
        }
        Ok(tensor)
    }

    fn vector(&mut self, name: &str, length: usize) -> Result<Vec<f32>> {
        let tensor = self.tensor(name)?;
        if tensor.dims() != [length] {
            bail!("{name} is {:?}, not [{length}]", tensor.dims());
        }
        tensor.to_vec1()
    }

    fn words(&mut self, name: &str, vocabulary: usize, hidden: usize) -> Result<WordTable> {
        let table = self.content.tensor(&mut self.file, name, &Device::Cpu)?;
        if table.shape().dims() != [vocabulary, hidden]
            || table.dtype() != GgmlDType::Q4_0
            || !hidden.is_multiple_of(WordTable::WEIGHTS)
        {
            bail!(
                "{name} is {:?} of {:?}, not [{vocabulary}, {hidden}] of Q4_0",
                table.shape(),
                table.dtype()
            );
        }
        let row = hidden / WordTable::WEIGHTS * WordTable::BLOCK;
        Ok(WordTable {
            blocks: table.data()?.into_owned(),
            row,
        })
    }

    fn norm(&mut self, name: &str, config: &Config) -> Result<Norm> {
        Ok(Norm {
            gain: self.vector(&format!("{name}.weight"), config.hidden_size)?,
            shift: self.vector(&format!("{name}.bias"), config.hidden_size)?,
            epsilon: config.layer_norm_eps as f32,
        })
    }

    /// A linear step from `input` to `output` columns.
    fn linear(&mut self, name: &str, input: usize, output: usize) -> Result<Linear> {
        Ok(Linear {
            matrix: self.matrix(&format!("{name}.weight"), output, input)?.t()?,
            bias: self.vector(&format!("{name}.bias"), output)?,
        })
    }

    fn attention_in(&mut self, name: &str, config: &Config) -> Result<Linear> {
        let hidden = config.hidden_size;
        let scale = 1.0 / ((hidden / config.heads) as f64).sqrt();
        let (mut rows, mut bias) = (Vec::new(), Vec::new());
        for (part, scale) in [("query", scale), ("key", 1.0), ("value", 1.0)] {
            rows.push((self.matrix(&format!("{name}.{part}.weight"), hidden, hidden)? * scale)?);
            let part = self.vector(&format!("{name}.{part}.bias"), hidden)?;
            bias.extend(part.iter().map(|bias| bias * scale as f32));
        }
        Ok(Linear {
            matrix: Tensor::cat(&rows, 0)?.t()?,
            bias,
        })
    }

    fn layer(&mut self, at: usize, config: &Config) -> Result<Layer> {
        let (hidden, intermediate) = (config.hidden_size, config.intermediate_size);
        let name = format!("encoder.layer.{at}");
        Ok(Layer {
            attention_in: self.attention_in(&format!("{name}.attention.self"), config)?,
            attention_out: self.linear(
                &format!("{name}.attention.output.dense"),
                hidden,
                hidden,
            )?,
            attention_norm: self.norm(&format!("{name}.attention.output.LayerNorm"), config)?,
            widen: self.linear(&format!("{name}.intermediate.dense"), hidden, intermediate)?,
            narrow: self.linear(&format!("{name}.output.dense"), intermediate, hidden)?,
            norm: self.norm(&format!("{name}.output.LayerNorm"), config)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::quantized::QTensor;

    #[test]
    fn a_row_of_words_is_what_candle_dequantises() {
        let values: Vec<f32> = (0..4 * 64)
            .map(|at| ((at * 37) % 101) as f32 / 50.0 - 1.0)
            .collect();
        let table = Tensor::from_vec(values, (4, 64), &Device::Cpu)
            .expect("the shape is that of the values");
        let table = QTensor::quantize(&table, GgmlDType::Q4_0).expect("rows are whole blocks");
        let expected: Vec<Vec<f32>> = table
            .dequantize(&Device::Cpu)
            .and_then(|rows| rows.to_vec2())
            .expect("candle dequantises");
        let blocks = table.data().expect("data of the CPU").into_owned();
        let words = WordTable {
            blocks,
            row: 2 * WordTable::BLOCK,
        };
        let mut row = [0.0; 64];
        for (id, expected) in expected.iter().enumerate() {
            words
                .read(id as u32, &mut row)
                .expect("the id is in the table");
            assert_eq!(row.as_slice(), expected);
        }
        assert!(words.read(4, &mut row).is_err());
    }
}
