#!/usr/bin/env python3
"""Time onnxruntime in f32 on our encoder's weights, to compare ours with.

It exports the model of the given folder, dequantised, to a temporary ONNX file
(or to --keep FILE), then times, with two threads unless told otherwise:

    question_ms_p50, question_ms_p99   one question of about 18 tokens, 200 runs
    passages_per_s                     128 passages of about 150 tokens, sorted
                                       by length, in batches of --batch, padded

and prints one line of JSON. The inputs are our tests' sentences, joined.

    pip install -r requirements.txt
    python encoder_onnx.py ../../models/multilingual-e5-small-fr-en
"""

import argparse
import json
import random
import sys
import tempfile
import time
import tomllib
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from tokenizers import Tokenizer

sys.path.insert(0, str(Path(__file__).resolve().parent / "../../tests/fixtures/encoder"))
import make_reference  # noqa: E402  (its loader and its sentences)


class Pooled(torch.nn.Module):
    """The encoder, the mean over the tokens that count, the L2 norm."""

    def __init__(self, bert):
        super().__init__()
        self.bert = bert

    def forward(self, input_ids, attention_mask):
        hidden = self.bert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        weights = attention_mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * weights).sum(1) / weights.sum(1)
        return torch.nn.functional.normalize(mean, dim=1)


def export(folder, manifest, path):
    model = Pooled(make_reference.load_model(folder, manifest)).eval()
    ids = torch.ones((2, 7), dtype=torch.int64)
    axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("tokens", max=manifest["max_tokens"])}
    torch.onnx.export(
        model,
        (ids, torch.ones_like(ids)),
        path,
        input_names=["input_ids", "attention_mask"],
        output_names=["vector"],
        dynamic_shapes={"input_ids": axes, "attention_mask": axes},
        external_data=False,
        dynamo=True,
        verbose=False,
    )


def session(path, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def embed(encoder, rows):
    """One padded batch."""
    ids = np.ones((len(rows), max(map(len, rows))), np.int64)  # 1 is <pad>
    mask = np.zeros_like(ids)
    for i, row in enumerate(rows):
        ids[i, : len(row)], mask[i, : len(row)] = row, 1
    return encoder.run(None, {"input_ids": ids, "attention_mask": mask})[0]


def passages(tokenizer, count=128, mean=150):
    """Passages of natural lengths, about `mean` tokens each, always the same."""
    dice = random.Random(1)
    rows = []
    while len(rows) < count:
        text, length = "passage:", dice.gauss(mean, mean / 4)
        while len(tokenizer.encode(text).ids) < length:
            text += " " + dice.choice(make_reference.SENTENCES)
        rows.append(tokenizer.encode(text).ids[: max(8, round(length))])
    return sorted(rows, key=len)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("model", type=Path)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--batch", type=int, default=8)
    options.add_argument("--runs", type=int, default=200)
    options.add_argument("--keep", type=Path, help="where to leave the ONNX file")
    options = options.parse_args()
    torch.set_num_threads(options.threads)

    manifest = tomllib.loads((options.model / "model.toml").read_text("utf-8"))
    tokenizer = Tokenizer.from_file(str(options.model / manifest["files"]["tokenizer"]["path"]))
    tokenizer.enable_truncation(manifest["max_tokens"])

    with tempfile.TemporaryDirectory() as folder:
        path = str(options.keep or Path(folder) / "encoder.onnx")
        export(options.model, manifest, path)
        encoder = session(path, options.threads)

    # The export has to say what the reference says before it is worth timing.
    reference = json.loads((Path(make_reference.__file__).parent / "reference.json").read_text("utf-8"))
    cosines = [
        float(embed(encoder, [entry["tokens"]])[0] @ np.array(entry["vector"])) for entry in reference["texts"]
    ]

    question = tokenizer.encode("query: Quelles aides pour un projet data dans une PME ?").ids
    times = []
    for run in range(options.runs + 20):
        start = time.perf_counter()
        embed(encoder, [question])
        if run >= 20:  # the first ones warm up
            times.append((time.perf_counter() - start) * 1000)

    rows = passages(tokenizer)
    batches = [rows[i : i + options.batch] for i in range(0, len(rows), options.batch)]
    embed(encoder, batches[-1])
    start = time.perf_counter()
    for batch in batches:
        embed(encoder, batch)
    seconds = time.perf_counter() - start

    print(
        json.dumps(
            {
                "peer": f"onnxruntime {onnxruntime.__version__} f32",
                "model": manifest["name"],
                "threads": options.threads,
                "question_tokens": len(question),
                "question_ms_p50": round(float(np.percentile(times, 50)), 2),
                "question_ms_p99": round(float(np.percentile(times, 99)), 2),
                "batch": options.batch,
                "passages": len(rows),
                "passage_tokens_mean": round(float(np.mean([len(row) for row in rows])), 1),
                "passages_per_s": round(len(rows) / seconds, 2),
                "lowest_cosine_to_reference": round(min(cosines), 7),
            }
        )
    )


if __name__ == "__main__":
    main()
