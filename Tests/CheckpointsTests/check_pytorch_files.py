"""Checks PyTorch files of convert-checkpoint without PyTorch: what it writes, and what it reads.

Usage: check_pytorch_files.py FOLDER-OF-BUILT-COMMANDS FIXTURES      (needs numpy and safetensors)

The pickles are read by Python's own unpickler with stand-ins for PyTorch's classes, and the archives by its zipfile.
"""

import collections
import io
import pickle
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

TYPES = {"FloatStorage": "<f4", "HalfStorage": "<f2", "DoubleStorage": "<f8", "LongStorage": "<i8", "IntStorage": "<i4",
         "ShortStorage": "<i2", "CharStorage": "i1", "ByteStorage": "u1", "BoolStorage": "?"}


def rebuild(storage, offset, shape, strides, requires_grad, hooks):
    steps = [s * storage.itemsize for s in strides]
    return np.lib.stride_tricks.as_strided(storage[offset:], shape, steps)


class Reader(pickle.Unpickler):
    def __init__(self, archive, stem):
        super().__init__(io.BytesIO(archive.read(f"{stem}/data.pkl")))
        self.archive, self.stem = archive, stem

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return rebuild
        assert module == "torch" and name in TYPES, (module, name)
        return name

    def persistent_load(self, id):
        kind, storage, key, location, count = id
        assert kind == "storage" and location == "cpu", id
        entry = self.archive.getinfo(f"{self.stem}/data/{key}")
        assert entry.compress_type == zipfile.ZIP_STORED
        values = np.frombuffer(self.archive.read(entry), TYPES[storage])  # read() compares the CRC
        assert len(values) == count, id
        return values


def load(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None, path
        assert archive.read("archive/byteorder") == b"little" and archive.read("archive/version") == b"3\n"
        with open(path, "rb") as file:
            for entry in archive.infolist():
                file.seek(entry.header_offset + 26)
                name, extra = np.frombuffer(file.read(4), "<u2")
                start = entry.header_offset + 30 + int(name) + int(extra)
                assert start % 64 == 0, f"{entry.filename} begins at {start}"
        return Reader(archive, "archive").load()


def convert(bin, *arguments):
    subprocess.run([Path(bin) / "convert-checkpoint", *map(str, arguments), "--quiet"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def same(found, expected, title):
    assert found.keys() == expected.keys(), (title, found.keys() ^ expected.keys())
    for name, tensor in expected.items():
        assert found[name].shape == tensor.shape and found[name].dtype == tensor.dtype, (title, name)
        assert found[name].tobytes() == tensor.tobytes(), (title, name)


def main():
    bin, fixtures = sys.argv[1], Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for name in ("vqgan-tiny", "vqgan-tiny-actnorm"):
            source = fixtures / f"{name}.ckpt"
            weights = fixtures / f"{name}.weights.safetensors"
            convert(bin, source if source.exists() else weights, "--out", work / name)
            expected = load_file(weights)
            same(load_file(work / name / "model.safetensors"), expected, name)
            convert(bin, work / name, "--to", "taming", "--out", work / f"{name}.ckpt")
            checkpoint = load(work / f"{name}.ckpt")
            assert checkpoint["global_step"] == 0 and checkpoint["optimizer_states"] == []
            same(checkpoint["state_dict"], expected, name)
            print(f"{name}: {len(expected)} tensors both ways")
        for name in ("gpt-tiny", "gpt-tiny-unmasked"):
            convert(bin, fixtures / f"{name}.ckpt", "--heads", 4, "--vqgan", work / "vqgan-tiny", "--out", work / name)
            expected = load_file(fixtures / f"{name}.weights.safetensors")
            ours = {f"transformer.{k}": v for k, v in load_file(work / name / "model.safetensors").items()}
            same(ours, expected, name)
            convert(bin, work / name, "--to", "taming", "--out", work / f"{name}.ckpt")
            state = load(work / f"{name}.ckpt")["state_dict"]
            masks = [v for k, v in state.items() if k.endswith(".attn.mask")]
            prefix = 8 if "unmasked" in name else 0
            mask = np.tril(np.ones((32, 32), "f4"))
            mask[:prefix, :prefix] = 1
            assert len(masks) == 2 and all(np.array_equal(m[0, 0], mask) for m in masks), name
            first = load_file(work / "vqgan-tiny" / "model.safetensors")
            expected |= {f"first_stage_model.{k}": v for k, v in first.items() if not k.startswith("loss.")}
            same({k: v for k, v in state.items() if not k.endswith(".attn.mask")}, expected, name)
            print(f"{name}: {len(state)} tensors both ways")


main()
