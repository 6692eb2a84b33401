#!/usr/bin/env python3
"""Writes lpips-vgg.pth beside this script: the published vgg.pth of LPIPS 0.1 with random numbers for its weights.

    make_lpips.py vgg.pth

What stays is its form, that of PyTorch 0.4 under Python 2: five pickles, then the storages.
"""
import pathlib
import pickletools
import random
import struct
import sys

with open(sys.argv[1], "rb") as file:
    for _ in range(5):
        for _ in pickletools.genops(file):
            pass
    at = file.tell()
    file.seek(0)
    content = bytearray(file.read())
source = random.Random(1)
while at < len(content):
    (count,) = struct.unpack_from("<q", content, at)
    struct.pack_into(f"<{count}f", content, at + 8, *(source.random() / 8 for _ in range(count)))
    at += 8 + 4 * count
pathlib.Path(__file__).with_name("lpips-vgg.pth").write_bytes(content)
