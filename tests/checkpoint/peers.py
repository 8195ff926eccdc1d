"""What other tools make of our files, and we of theirs: peers.py DRIVER [MODEL].

Pruned checkpoints and tickets are read back with safetensors and PyTorch and compared entry by entry; a pruned BERT (MODEL, a
folder, or MiniLM where it was fetched) is loaded with transformers. Exit status 77 where safetensors or PyTorch is missing."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy
    import torch
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file
    from torch.nn.utils import prune
except ImportError as missing:
    print("skipped: checkpoints beside PyTorch, because", missing)
    sys.exit(77)

driver = sys.argv[1]
cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
model = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else cache / "tombola/minilm-l6-h384-uncased"
scratch = tempfile.TemporaryDirectory()
here = pathlib.Path(scratch.name)


def tombola(*arguments):
    run = subprocess.run([driver, *map(str, arguments), "--json"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def ticket(file):
    """Masks by name, as safetensors reads them."""
    with safe_open(file, "np") as f:
        groups = json.loads(f.metadata()["groups"])
        return {
            g["name"]: torch.from_numpy(
                numpy.unpackbits(f.get_tensor(g["name"]), bitorder="little")
                [: int(numpy.prod(g["extents"]))].astype(bool)
            ).reshape(g["extents"])
            for g in groups
        }


def same_ticket(found, wanted):
    assert found.keys() == wanted.keys(), (sorted(found), sorted(wanted))
    for name in wanted:
        assert torch.equal(found[name], wanted[name]), name
    return sum(m.numel() for m in wanted.values())


def check_pruned(before, out, files, share):
    """Entries are as before or zero, zeros are where the ticket says, and as many as asked."""
    kept = ticket(out / "ticket.safetensors")
    after = {}
    for file in files:
        after.update(load_file(out / file))
    assert after.keys() == before.keys()
    for name, t in before.items():
        assert after[name].dtype == t.dtype and after[name].shape == t.shape, name
        if name not in kept:
            assert torch.equal(after[name], t), name
            continue
        wanted = torch.where(kept[name], t, torch.zeros_like(t))
        assert torch.equal(after[name], wanted), name
        assert torch.equal(after[name] != 0, kept[name]), name
    magnitudes = torch.cat([before[n].abs().double().flatten() for n in kept])
    size, left = magnitudes.numel(), sum(int(m.sum()) for m in kept.values())
    assert left == size - round(share * size), (left, size)
    remaining = torch.cat([before[n][kept[n]].abs().double() for n in kept])
    gone = torch.cat([before[n][~kept[n]].abs().double() for n in kept])
    assert gone.numel() == 0 or remaining.min() >= gone.max(), (remaining.min(), gone.max())
    return size


torch.manual_seed(0)

# PyTorch's own pruning, with its masks.
net = torch.nn.Sequential(torch.nn.Linear(64, 48), torch.nn.Tanh(), torch.nn.Linear(48, 8))
prune.l1_unstructured(net[0], "weight", 0.3)
prune.ln_structured(net[2], "weight", 0.5, n=2, dim=0)
(here / "masked").mkdir()
save_file(net.state_dict(), here / "masked" / "model.safetensors")
tombola("mask-of", here / "masked", "--out", here / "masks")
masks = {"0.weight": net[0].weight_mask != 0, "2.weight": net[2].weight_mask != 0}
n = same_ticket(ticket(here / "masks"), masks)
tombola("prune", here / "masked", "--share", 0.8, "--out", here / "masked-out")
state = load_file(here / "masked-out" / "model.safetensors")
left = ticket(here / "masked-out" / "ticket.safetensors")
for name, mask in masks.items():
    layer = net[int(name[0])]
    effective = layer.weight_orig * layer.weight_mask
    assert torch.equal(state[name + "_mask"] != 0, left[name])
    assert torch.equal(state[name + "_orig"], torch.where(left[name], effective, torch.zeros(())))
net.load_state_dict(state)
assert sum(int(m.sum()) for m in left.values()) == n - round(0.8 * n)
print("PyTorch's masks:", n, "entries")

# Two shards of several types, by the safetensors package.
(here / "shards").mkdir()
parts = {
    "model-00001-of-00002.safetensors": {
        "a.weight": torch.randn(300, 257),
        "a.bias": torch.randn(300),
        "b.weight": torch.randn(128, 300).to(torch.bfloat16),
    },
    "model-00002-of-00002.safetensors": {
        "c.weight": torch.randn(4, 3, 5, 5).to(torch.float16),
        "d.weight": torch.randn(33, 1001, dtype=torch.float64),
        "steps": torch.arange(7),
    },
}
index = {}
for file, tensors in parts.items():
    save_file(tensors, here / "shards" / file, metadata={"format": "pt"})
    index.update({name: file for name in tensors})
(here / "shards" / "model.safetensors.index.json").write_text(
    json.dumps({"metadata": {"total_size": 0}, "weight_map": index}))
every = {name: t for tensors in parts.values() for name, t in tensors.items()}
for share in (0.0, 0.37, 0.9):
    out = here / f"shards-{share}"
    tombola("prune", here / "shards", "--share", share, "--out", out)
    n = check_pruned(every, out, parts, share)
    tombola("mask-of", out, "--out", here / "again")
    same_ticket(ticket(here / "again"), ticket(out / "ticket.safetensors"))
print("two shards:", n, "entries")

# 2:4, block by block.
tombola("prune", here / "shards", "--nm", "2:4", "--only", "b.*", "--out", here / "nm")
blocks = load_file(here / "nm" / "model-00001-of-00002.safetensors")["b.weight"].reshape(-1, 4)
before = every["b.weight"].reshape(-1, 4)
assert int((blocks != 0).sum(1).max()) == 2
gone = torch.where(blocks == 0, before.abs(), torch.zeros(())).amax(1)
assert bool((torch.where(blocks != 0, before.abs(), torch.full((), 1e9)).amin(1) >= gone).all())

# A real model.
if not (model / "model.safetensors").exists():
    print("skipped: a pruned BERT, which is not there")
else:
    original = load_file(model / "model.safetensors")
    tombola("mask-of", model, "--out", here / "model-masks")
    found = ticket(here / "model-masks")
    n = same_ticket(found, {name: original[name] != 0 for name in found})
    tombola("prune", model, "--share", 0.6, "--only", "encoder.layer.*.weight", "--out",
            here / "model-out")
    check_pruned(original, here / "model-out", ["model.safetensors"], 0.6)
    try:
        from transformers import AutoModel
    except ImportError:
        print("skipped: loading with transformers, which is not installed")
    else:
        loaded = AutoModel.from_pretrained(here / "model-out")
        for name, mask in ticket(here / "model-out" / "ticket.safetensors").items():
            assert torch.equal(loaded.state_dict()[name] != 0, mask), name
    print("the model:", n, "entries")
