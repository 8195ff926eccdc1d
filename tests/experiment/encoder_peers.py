"""What transformers makes of the encoders that we train and prune, and we of its own: encoder_peers.py DRIVER.

For BERT, RoBERTa and DistilBERT: a small random encoder is saved by transformers, fine-tuned, searched for heads, MLPs and
weights, and pruned by the driver. Whatever the driver saved is loaded again by transformers, tokenizer and all, and must score
what the driver said. Exit status 77 where transformers or PyTorch is missing."""

import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"
try:
    import numpy
    import torch
    import transformers
    from safetensors import safe_open
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
except ImportError as missing:
    print("skipped: encoders beside transformers, because", missing)
    sys.exit(77)

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
driver = sys.argv[1]
scratch = tempfile.TemporaryDirectory()
here = pathlib.Path(scratch.name)
draw = random.Random(3)
torch.manual_seed(3)

words = "the a cat dog house river sees likes sleeps runs near under and very old young red green don't it's café 12 7".split()


def sentence():
    return " ".join(draw.choice(words) for _ in range(draw.randint(2, 9))) + draw.choice([".", "!", "", " ?"])


# A task of pairs with a number: its metric, a correlation, moves with every digit of every prediction.
rows = [(sentence(), sentence()) for _ in range(340)]
scores = [(a + b).count("cat") - (a + b).count("river") + 0.1 * len(a.split()) for a, b in rows]
task = here / "data" / "alike"
task.mkdir(parents=True)
(task / "task.json").write_text(json.dumps({"name": "alike", "first": "a", "second": "b", "label": "score",
                                            "reported": ["pearson"], "selection": "pearson"}))
for name, part in (("train", slice(0, 300)), ("dev", slice(300, 340))):
    (task / f"{name}.tsv").write_text("a\tb\tscore\n" + "".join(f"{a}\t{b}\t{s}\n" for (a, b), s in zip(rows[part], scores[part])))
dev, wanted = rows[300:], numpy.array(scores[300:])


def tombola(*arguments):
    run = subprocess.run([driver, *map(str, arguments)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


def step(*arguments):
    """A step's folder and its result."""
    folder = pathlib.Path(tombola(*arguments, "--quiet", "--out", here / "runs").strip().splitlines()[-1])
    return folder, json.loads((folder / "result.json").read_text())


def ticket(file):
    with safe_open(file, "np") as f:
        groups = json.loads(f.metadata()["groups"])
        return {g["name"]: torch.from_numpy(numpy.unpackbits(f.get_tensor(g["name"]), bitorder="little")[: numpy.prod(g["extents"])]
                                            .astype(bool)).reshape(g["extents"]) for g in groups}


def load(folder):
    model, info = transformers.AutoModelForSequenceClassification.from_pretrained(folder, output_loading_info=True)
    for what in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        assert not info[what], (folder, what, info[what])
    return model.double().eval()


def correlation(model, tokenizer):
    said = []
    with torch.no_grad():
        for a, b in dev:
            said.append(model(**tokenizer(a, b, return_tensors="pt")).logits.item())
    return numpy.corrcoef(said, wanted)[0, 1]


def wordpiece(folder):
    letters = sorted(set("".join(words)) | set(".!?"))
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words[:14], *letters, *("##" + c for c in letters)]
    pieces = list(dict.fromkeys(pieces))
    (folder / "vocab.txt").write_text("".join(p + "\n" for p in pieces))
    return len(pieces)


def byte_bpe(folder):
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trained.train_from_iterator([a for a, _ in rows], trainers.BpeTrainer(
        vocab_size=330, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False))
    model = json.loads(trained.to_str())["model"]
    (folder / "vocab.json").write_text(json.dumps(model["vocab"]))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(" ".join(m) + "\n" for m in model["merges"]), encoding="utf-8")
    return len(model["vocab"])


def layers(model):
    """Of each layer: what follows the heads, and what ends the MLP."""
    base = model.base_model
    if hasattr(base, "transformer"):
        return [(layer.attention.out_lin, layer.ffn.lin2) for layer in base.transformer.layer]
    return [(layer.attention.output.dense, layer.output.dense) for layer in base.encoder.layer]


plain = dict(hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=40, initializer_range=0.2)
kinds = {
    "bert": (transformers.BertModel, lambda n: transformers.BertConfig(vocab_size=n, max_position_embeddings=64, **plain),
             wordpiece, transformers.BertTokenizer),
    "roberta": (transformers.RobertaModel, lambda n: transformers.RobertaConfig(
        vocab_size=n, max_position_embeddings=66, type_vocab_size=1, layer_norm_eps=1e-5, **plain), byte_bpe, transformers.RobertaTokenizer),
    "distilbert": (transformers.DistilBertModel, lambda n: transformers.DistilBertConfig(
        vocab_size=n, max_position_embeddings=64, dim=24, n_layers=2, n_heads=3, hidden_dim=40, initializer_range=0.2),
                   wordpiece, transformers.DistilBertTokenizer),
}
for name, (encoder, config, vocabulary, tokenizer_of) in kinds.items():
    start = here / name
    start.mkdir()
    encoder(config(vocabulary(start))).save_pretrained(start)

    common = ("--data", here / "data", "--task", "alike", "--max-length", 64, "--epochs", 20, "--rate", 3e-3, "--batch", 16)
    folder, trained = step("train", "--model", start, *common)
    tokenizer = tokenizer_of.from_pretrained(folder / "model")
    ours, theirs = trained["metrics"]["pearson"], correlation(load(folder / "model"), tokenizer)
    assert ours > 0.3 and abs(ours - theirs) < 1e-5, (name, ours, theirs)

    # Heads and MLPs that the search removed, removed here by hand.
    found, _ = step("find-masks", "--run", folder, "--prune", "both", "--step", 0.15, "--guard-drop", 0.1)
    kept = ticket(found / "ticket.safetensors")
    _, under = step("evaluate", "--run", folder, "--ticket", found / "ticket.safetensors")
    model = load(folder / "model")
    with torch.no_grad():
        for (out, down), heads, mlp in zip(layers(model), kept["heads"], kept["mlps"]):
            out.weight *= heads.repeat_interleave(24 // 3)
            down.weight *= mlp
            down.bias *= mlp
    cut = sum(int((~m).sum()) for m in kept.values())
    theirs = correlation(model, tokenizer)
    assert cut > 0 and abs(under["metrics"]["pearson"] - theirs) < 1e-5, (name, cut, under["metrics"], theirs)

    # Weights: the ticket's groups are parameters of the checkpoint, and a model trained inside has its zeros.
    found, _ = step("find-masks", "--run", folder, "--prune", "weights", "--weight-step", 0.3, "--weight-steps", 2, "--guard-drop", 1)
    weights = ticket(found / "ticket.safetensors")
    again, inside = step("train", "--model", start, *common, "--ticket", found / "ticket.safetensors")
    model = load(again / "model")
    state = model.state_dict()
    prefix = model.base_model_prefix + "."
    for group, mask in weights.items():
        assert not state[prefix + group][~mask].any() and state[prefix + group][mask].all(), (name, group)
    assert len(weights) == 12 and not all(m.all() for m in weights.values())
    theirs = correlation(model, tokenizer)
    assert abs(inside["metrics"]["pearson"] - theirs) < 1e-5, (name, inside["metrics"], theirs)

    # Any checkpoint's pruning takes these as it takes others.
    tombola("prune", folder / "model", "--share", 0.5, "--out", here / f"{name}-half")
    assert sum(int((p == 0).sum()) for p in load(here / f"{name}-half").parameters()) > 2000
    print(f"{name}: Pearson {ours:.6f} trained, {under['metrics']['pearson']:.6f} without {cut} heads and MLPs, "
          f"{theirs:.6f} with {sum(int(m.sum()) for m in weights.values())} weights of {sum(m.numel() for m in weights.values())}")
