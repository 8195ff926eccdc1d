"""The two questions about checkpoints as one answers them with safetensors and PyTorch.

rival.py mask|prune FILE: says `ready`, then does the work once for each line it is told, and answers with the number of weights
kept. Ends with exit status 1 where a package is missing."""

import sys

try:
    import numpy
    import torch
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file
except ImportError as missing:
    sys.exit(str(missing))


def mask(file):
    """Packed bits of what is not zero."""
    kept = {}
    with safe_open(file, "pt") as tensors:
        for name in tensors.keys():
            kept[name] = numpy.packbits((tensors.get_tensor(name) != 0).numpy(), bitorder="little")
    return kept


def prune(file, out, share=0.5):
    """Magnitudes side by side, their k-th smallest, and what is not above it set to zero."""
    tensors = load_file(file)
    magnitudes = torch.cat([t.abs().float().flatten() for t in tensors.values()])
    bound = magnitudes.kthvalue(int(share * magnitudes.numel())).values
    del magnitudes
    kept = 0
    for name, t in tensors.items():
        keep = t.abs() > bound
        tensors[name] = t * keep
        kept += int(keep.sum())
    save_file(tensors, out)
    return kept


def main():
    question, file = sys.argv[1:]
    print("ready", flush=True)
    for _ in sys.stdin:
        if question == "mask":
            bits = mask(file)
            print(sum(int(numpy.unpackbits(b[:4096]).sum()) for b in bits.values()), flush=True)
        else:
            print(prune(file, file + ".pruned"), flush=True)


main()
