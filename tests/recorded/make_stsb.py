"""Fine-tunes a BERT checkpoint on STS-B with PyTorch and records what it scores: a run to compare
`tombola train` with.

    python make_stsb.py MODEL_DIRECTORY STS-B_DIRECTORY OUT.json [SEED...]

Batch 32, 3 epochs, AdamW as in transformers 2.5.1 with rate 1e-4 and no decay, linear warm-up over
the first tenth of the steps and then linear to 0, gradient norm clipped to 1, dropout 0.1, at most
128 tokens, a fresh linear head N(0, 0.02^2) on the pooled vector, mean squared error of the score.
Needs torch and transformers.
"""

import csv
import json
import math
import sys
import time

import torch
import transformers


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [(r["sentence1"], r["sentence2"], float(r["score"])) for r in rows]


class AdamW:
    """The step of transformers 2.5.1: epsilon is added to the root that is not yet corrected."""

    def __init__(self, parameters):
        self.parameters = list(parameters)
        self.m = [torch.zeros_like(p) for p in self.parameters]
        self.v = [torch.zeros_like(p) for p in self.parameters]
        self.t = 0

    @torch.no_grad()
    def step(self, rate):
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.t += 1
        scale = rate * math.sqrt(1 - 0.999**self.t) / (1 - 0.9**self.t)
        for p, m, v in zip(self.parameters, self.m, self.v):
            m.mul_(0.9).add_(p.grad, alpha=0.1)
            v.mul_(0.999).addcmul_(p.grad, p.grad, value=0.001)
            p.addcdiv_(m, v.sqrt().add_(1e-8), value=-scale)
            p.grad = None


def batches_of(rows, order, tokenizer):
    for first in range(0, len(order), 32):
        chosen = [rows[i] for i in order[first : first + 32]]
        x = tokenizer(
            [c[0] for c in chosen], [c[1] for c in chosen],
            truncation="longest_first", max_length=128, padding=True, return_tensors="pt",
        )
        yield x, torch.tensor([c[2] for c in chosen])


def pearson(a, b):
    a, b = a.double() - a.double().mean(), b.double() - b.double().mean()
    return float((a * b).sum() / (a.norm() * b.norm()))


def run(model_directory, data, tokenizer, seed):
    torch.manual_seed(seed)
    model = transformers.BertForSequenceClassification.from_pretrained(model_directory, num_labels=1)
    torch.nn.init.normal_(model.classifier.weight, std=0.02)
    torch.nn.init.zeros_(model.classifier.bias)
    optimizer = AdamW(model.parameters())
    train, dev = read(f"{data}/train.tsv"), read(f"{data}/dev.tsv")
    epochs, step = 3, 0
    steps = epochs * math.ceil(len(train) / 32)
    warm_up = round(steps * 0.1)
    start = time.time()
    model.train()
    for _ in range(epochs):
        losses = 0.0
        for x, y in batches_of(train, torch.randperm(len(train)).tolist(), tokenizer):
            share = step / warm_up if step < warm_up else (steps - step) / (steps - warm_up)
            loss = torch.nn.functional.mse_loss(model(**x).logits.squeeze(-1), y)
            loss.backward()
            optimizer.step(1e-4 * share)
            losses += float(loss.detach()) * len(y)
            step += 1
    seconds = time.time() - start
    model.eval()
    with torch.inference_mode():
        said = [(model(**x).logits.squeeze(-1), y) for x, y in batches_of(dev, range(len(dev)), tokenizer)]
    score = pearson(torch.cat([a for a, _ in said]), torch.cat([b for _, b in said]))
    return {"seed": seed, "pearson": score, "last_epoch_loss": losses / len(train), "seconds": seconds}


def main():
    model_directory, data, out = sys.argv[1:4]
    seeds = [int(s) for s in sys.argv[4:]] or [1, 2, 3]
    tokenizer = transformers.BertTokenizerFast(f"{model_directory}/vocab.txt", do_lower_case=True)
    runs = []
    for seed in seeds:
        runs.append(run(model_directory, data, tokenizer, seed))
        print(json.dumps(runs[-1]), flush=True)
    with open(out, "w", encoding="utf-8") as file:
        json.dump({"torch": torch.__version__, "transformers": transformers.__version__, "runs": runs}, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
