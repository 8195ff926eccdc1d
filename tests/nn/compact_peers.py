"""What transformers makes of our full-size and compact models: compact_peers.py DRIVER [MODEL].

Models made by transformers lose heads, MLPs and neurons; the full-size checkpoint with zeros is loaded by transformers and its
logits are compared with ours; the compact one must be refused. MODEL, a folder, or MiniLM where it was fetched, is tried too. Exit
status 77 where transformers is missing."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy
    import torch
    import transformers
    from safetensors.torch import load_file
except ImportError as missing:
    print("skipped: compact models beside transformers, because", missing)
    sys.exit(77)

transformers.logging.set_verbosity_error()
driver = sys.argv[1]
cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
minilm = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else cache / "tombola/minilm-l6-h384-uncased"
scratch = tempfile.TemporaryDirectory()
here = pathlib.Path(scratch.name)


def tombola(*arguments):
    run = subprocess.run([driver, *map(str, arguments), "--json"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def logits_of(model, probes):
    """Sequence after sequence, without padding."""
    out, offsets = [], probes["offsets"].tolist()
    with torch.no_grad():
        for a, b in zip(offsets, offsets[1:]):
            ids, types = (probes[k][a:b].long()[None] for k in ("ids", "segments"))
            answer = model(input_ids=ids, token_type_ids=types).logits[0]
            if "masked_rows" in probes:
                rows = [r - a for r in probes["masked_rows"].tolist() if a <= r < b]
                answer = answer[rows]
            out.append(answer.reshape(-1, probes["logits"].shape[1]))
    return torch.cat(out)


def refused(load, folder):
    try:
        load(folder)
    except Exception as e:
        return f"{type(e).__name__}: {str(e).splitlines()[0][:90]}"
    raise AssertionError(f"{load.__self__.__name__} loaded a compact model")


def check(name, folder, cls, auto, masks):
    """masks: heads [L, H], mlps [L], neurons [L, F], any of them."""
    numpy.savez(here / "masks.npz", **{k: numpy.asarray(v, numpy.float32) for k, v in masks.items()})
    tombola("convert", here / "masks.npz", "--out", here / "ticket.safetensors")
    small, full, again = (here / f"{name}-{kind}" for kind in ("small", "full", "again"))
    line = ["compact", "--run", folder, "--ticket", here / "ticket.safetensors", "--repetitions", 1]
    made = tombola(*line, "--out", small)
    tombola(*line, "--out", full, "--padded", "--probes", here / "probes")
    tombola("compact", "--run", small, "--padded", "--out", again, "--repetitions", 1)
    probes = load_file(here / "probes")
    ours, worst = probes["logits"], 0.0
    before = logits_of(auto.from_pretrained(folder).eval(), probes)
    assert (before - ours).abs().max() > 1e-2 * ours.abs().max(), "the ticket changes nothing"
    for out in (full, again):
        theirs = logits_of(auto.from_pretrained(out).eval(), probes)
        assert theirs.shape == ours.shape, (theirs.shape, ours.shape)
        worst = max(worst, float((theirs - ours).abs().max()))
    largest = float(ours.abs().max())
    assert worst <= 1e-4 * largest, (worst, largest)
    sizes = [c["parameters"] for c in made["costs"]]
    print(f"{name}: {sizes[0]} to {sizes[1]} parameters; transformers' logits and ours differ by at most {worst:.1e}, "
          f"largest {largest:.2f}")
    for load in (auto.from_pretrained, cls.from_pretrained):
        print("  refused,", refused(load, small))


def vocabulary(folder, n):
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    (folder / "vocab.txt").write_text("\n".join(words + [f"w{i}" for i in range(n - len(words))]) + "\n")


torch.manual_seed(1)
L, H, F = 4, 4, 40
config = dict(vocab_size=60, hidden_size=32, num_hidden_layers=L, num_attention_heads=H, intermediate_size=F,
              max_position_embeddings=48)
heads = [[1, 0, 1, 1], [0, 0, 0, 0], [1, 1, 1, 1], [0, 1, 0, 0]]
neurons = (torch.rand(L, F) > 0.4).float()
neurons[3] = 0
cases = {
    "heads": {"heads": heads},
    "mlps": {"mlps": [1, 0, 1, 0]},
    "everything": {"heads": heads, "mlps": [1, 0, 1, 1], "neurons": neurons},
}
for kind, cls, auto in (
    ("classifier", transformers.BertForSequenceClassification, transformers.AutoModelForSequenceClassification),
    ("masked-lm", transformers.BertForMaskedLM, transformers.AutoModelForMaskedLM),
):
    model = cls(transformers.BertConfig(**config, num_labels=3))
    with torch.no_grad():  # fresh biases are 0, and fresh weights small
        for n, p in model.named_parameters():
            p += (0.1 if "bias" in n or "LayerNorm" in n else 0.3) * torch.randn(p.shape)
    folder = here / kind
    model.save_pretrained(folder)
    vocabulary(folder, config["vocab_size"])
    for name, masks in cases.items():
        check(f"{kind}-{name}", folder, cls, auto, masks)

if not (minilm / "model.safetensors").exists():
    print("skipped: a real model, which is not there")
else:
    cls = transformers.BertForSequenceClassification
    model = cls.from_pretrained(minilm)
    with torch.no_grad():
        model.classifier.weight.copy_(torch.randn(model.classifier.weight.shape))
    folder = here / "minilm"
    model.save_pretrained(folder)
    (folder / "vocab.txt").write_bytes((minilm / "vocab.txt").read_bytes())
    c = model.config
    masks = {
        "heads": (torch.rand(c.num_hidden_layers, c.num_attention_heads) > 0.5).float(),
        "mlps": torch.ones(c.num_hidden_layers),
        "neurons": (torch.rand(c.num_hidden_layers, c.intermediate_size) > 0.3).float(),
    }
    masks["heads"][2] = 0
    masks["mlps"][4] = 0
    check("minilm", folder, cls, transformers.AutoModelForSequenceClassification, masks)
