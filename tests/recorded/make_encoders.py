"""Records tiny encoders: make_encoders.py writes roberta/, roberta-mlm/, distilbert/ and distilbert-mlm/ beside itself.

Each has config.json and model.safetensors as transformers saves them, with random weights, and expected.safetensors: inputs,
and what transformers computes from them in float64 without dropout: hidden states, logits, the mean loss and its gradients.
Sequences are computed one by one, so that no padding comes in.

Made with Python 3.11, transformers 5.24, torch 2.15."""

import pathlib

import torch
from safetensors.torch import save_file
from transformers import (DistilBertConfig, DistilBertForMaskedLM, DistilBertForSequenceClassification, RobertaConfig,
                          RobertaForMaskedLM, RobertaForSequenceClassification)

here = pathlib.Path(__file__).resolve().parent
vocabulary, labels = 40, 3
roberta = dict(vocab_size=vocabulary, hidden_size=12, num_hidden_layers=2, num_attention_heads=3, intermediate_size=20,
               max_position_embeddings=13, type_vocab_size=1, layer_norm_eps=1e-5, num_labels=labels)
distilbert = dict(vocab_size=vocabulary, dim=12, n_layers=2, n_heads=3, hidden_dim=20, max_position_embeddings=11, num_labels=labels)
kinds = {
    "roberta": (RobertaForSequenceClassification, RobertaConfig(**roberta)),
    "roberta-mlm": (RobertaForMaskedLM, RobertaConfig(**roberta)),
    "distilbert": (DistilBertForSequenceClassification, DistilBertConfig(**distilbert)),
    "distilbert-mlm": (DistilBertForMaskedLM, DistilBertConfig(**distilbert)),
}
# No id 0 or 1: these are the paddings, whose embeddings get no gradient in transformers. The second is as long as positions go.
sequences = [[2, 17, 5, 5, 39, 3], [4, 8, 9, 21, 22, 23, 30, 31, 12, 13, 3], [2], [7, 6, 2, 2, 19]]
answers = [2, 0, 1, 0]
hidden_tokens, hidden_answers = [1, 4, 8, 16, 21], [9, 17, 2, 33, 9]  # packed places, and what stood there

for name, (kind, config) in kinds.items():
    torch.manual_seed(sum(map(ord, name)))
    model = kind(config)
    with torch.no_grad():
        for key, p in model.named_parameters():
            norm = "norm" in key.lower() and key.endswith("weight")
            p.copy_(torch.randn_like(p) * (0.2 if norm else 0.35) + (1.0 if norm else 0.0))
    folder = here / name
    model.save_pretrained(folder)
    model = model.double().eval()
    out = [model(input_ids=torch.tensor([s]), output_hidden_states=True) for s in sequences]
    hidden = [torch.cat([o.hidden_states[k][0] for o in out]) for k in range(3)]
    if name.endswith("mlm"):
        logits = torch.cat([o.logits[0] for o in out])[hidden_tokens]
        wanted = torch.tensor(hidden_answers)
    else:
        logits = torch.cat([o.logits for o in out])
        wanted = torch.tensor(answers)
    loss = torch.nn.functional.cross_entropy(logits, wanted)
    loss.backward()
    recorded = {f"hidden.{k}": h.detach() for k, h in enumerate(hidden)}
    recorded |= {"logits": logits.detach(), "loss": loss.detach().reshape(1),
                 "ids": torch.tensor(sum(sequences, []), dtype=torch.int32),
                 "offsets": torch.tensor([0] + [len(s) for s in sequences], dtype=torch.int32).cumsum(0, dtype=torch.int32),
                 "wanted": wanted.int(), "masked_rows": torch.tensor(hidden_tokens, dtype=torch.int32)}
    recorded |= {"gradient." + key: p.grad.clone() for key, p in model.named_parameters()}
    save_file({key: value.contiguous() for key, value in recorded.items()}, folder / "expected.safetensors")
    print(name, sum(p.numel() for p in model.parameters()), "parameters, loss", loss.item())
