"""Checks that files of the Python package safetensors pass through our reader and writer unchanged.

Usage: check_with_safetensors.py FOLDER-OF-BUILT-COMMANDS   (needs numpy and safetensors)
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

TYPES = "bool uint8 int8 int16 uint16 float16 int32 uint32 float32 float64 int64 uint64".split()


def copy(probe, source, target):
    subprocess.run([probe, "--work", "copy", source, target], check=True)


def check(probe, folder, name, tensors, metadata):
    theirs, ours = folder / f"{name}.safetensors", folder / f"{name}-copy.safetensors"
    save_file(tensors, theirs, metadata=metadata)
    copy(probe, theirs, ours)
    assert theirs.read_bytes() == ours.read_bytes(), f"{name}: our file differs from theirs"
    loaded = load_file(ours)
    assert loaded.keys() == tensors.keys(), name
    for key, tensor in tensors.items():
        assert loaded[key].dtype == tensor.dtype and loaded[key].shape == tensor.shape, key
        assert loaded[key].tobytes() == tensor.tobytes(), key
    with safe_open(ours, framework="numpy") as file:
        assert file.metadata() == metadata, name
    print(f"{name}: {len(tensors)} tensors, equal bytes")


def main():
    probe = Path(sys.argv[1]) / "command-probe"
    random = np.random.default_rng(7)
    every = {
        f"{kind}.{shape}": np.frombuffer(
            random.bytes(int(np.prod(shape)) * np.dtype(kind).itemsize), kind
        ).reshape(shape)
        if kind != "bool"
        else random.integers(0, 2, shape).astype(bool)
        for kind in TYPES
        for shape in [(), (1,), (3, 5), (2, 0, 4), (2, 3, 4, 5)]
    }
    names = {n: np.float32(i) * np.ones(2, "f4") for i, n in enumerate(
        ["a", "b.c", "B", "é", "日本", "🎮", 'quo"te', "back\\slash", "tab\tnew\nline", "\x01", " ", ""]
    )}
    with tempfile.TemporaryDirectory() as folder:
        check(probe, Path(folder), "types", every, {"format": "pt"})
        check(probe, Path(folder), "names", names, {"ключ": 'a "text"\n\x1f'})
        check(probe, Path(folder), "empty", {}, None)
        weights = {f"layer.{i}.weight": random.normal(size=(64, 33)).astype("f4") for i in range(200)}
        check(probe, Path(folder), "weights", weights, None)


main()
