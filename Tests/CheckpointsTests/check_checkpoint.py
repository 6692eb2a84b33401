"""Checks that a training run's checkpoint opens in the Python package safetensors, all values finite.

Usage: python check_checkpoint.py FILE.safetensors...      (needs numpy and safetensors)
"""

import sys

import numpy as np
from safetensors.numpy import load_file


def check(path):
    tensors = load_file(path)
    assert tensors, f"{path}: no tensors"
    for name, tensor in tensors.items():
        assert tensor.dtype == np.float32, f"{path}: {name} is {tensor.dtype}, expected float32"
        assert np.isfinite(tensor).all(), f"{path}: {name} is not finite"
    if path.endswith("model.safetensors"):
        for name in ("encoder.conv_in.weight", "decoder.conv_out.weight", "quantize.embedding.weight",
                     "loss.discriminator.main.0.weight"):
            assert name in tensors, f"{path}: no {name}"
    print(f"{path}: {len(tensors)} tensors, {sum(t.size for t in tensors.values())} values")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for path in sys.argv[1:]:
        check(path)


main()
