#!/usr/bin/env python3
"""Masks by pycocotools, to hold those of Sources/CAnnotations against.

    masks.py make            writes masks.bin: area and hash of 10,000 random outlines (COCOMaskTests compares them)
    masks.py check JSON...   compares the mask of every annotation of COCO annotation files, bit by bit
    masks.py store JSON...   writes annotations.json: area and hash of the mask of every annotation of these files
    masks.py stored JSON...  compares every mask with those of annotations.json; needs no pycocotools

Made with pycocotools 2.0.11 and NumPy 2; `check` and `stored` compile the C sources with clang or cc. annotations.json
is of the 100 first images of COCO's train2017 that have the numbers in it; the annotations themselves are not kept
here.
"""
import ctypes
import json
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

import numpy as np

if "stored" not in sys.argv[1:2]:
    from pycocotools import mask as coco

HERE = pathlib.Path(__file__).resolve().parent
SOURCES = HERE.parents[2] / "Sources" / "CAnnotations"
CASES = 10_000
MASK64 = (1 << 64) - 1


class Random:
    """SplitMix64, as in RandomOutline.swift."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK64
        z = self.state
        z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & MASK64
        z = ((z ^ z >> 27) * 0x94D049BB133111EB) & MASK64
        return z ^ z >> 31

    def below(self, count):
        return (self.next() >> 32) * count >> 32


def decimal(value, decimals):
    """`value` / 10^decimals as text."""
    sign, value = "-" if value < 0 else "", abs(value)
    return f"{sign}{value // 10**decimals}.{value % 10**decimals:0{decimals}d}"


def polygon(random, count, low, width, height, decimals):
    """A list of `count` corners from low…size - low."""
    scale = 10**decimals
    numbers = []
    for _ in range(count):
        for side in (width, height):
            numbers.append(decimal(low * scale + random.below((side - 2 * low) * scale + 1), decimals))
    return "[" + ", ".join(numbers) + "]"


def halves(random, count, width, height):
    """Corners on a grid of half pixels, many of them twice or in line."""
    numbers = []
    for _ in range(count):
        if numbers and random.below(3) == 0:
            numbers += numbers[-2:]
        else:
            numbers += [decimal(5 * random.below(2 * side + 1), 1) for side in (width, height)]
    return "[" + ", ".join(numbers) + "]"


def rectangle(random, width, height):
    left, right = sorted(random.below(100 * width + 1) for _ in range(2))
    top, bottom = sorted(random.below(100 * height + 1) for _ in range(2))
    corners = [left, top, right, top, right, bottom, left, bottom]
    return "[" + ", ".join(decimal(v, 2) for v in corners) + "]"


def runs(random, pixels):
    """Counts that sum to `pixels`, some of them 0."""
    longest = 1 + random.below(pixels)
    counts, left = [], pixels
    while left:
        count = min(left, random.below(longest + 1))
        counts.append(count)
        left -= count
    return counts


def compressed(counts):
    text = ""
    for i, count in enumerate(counts):
        value = count - (counts[i - 2] if i > 2 else 0)
        while True:
            bits = value & 31
            value >>= 5
            done = value == (-1 if bits & 16 else 0)
            text += chr(48 + (bits if done else bits | 32))
            if done:
                break
    return text


def outline(case):
    """The height, the width and the JSON of a random segmentation."""
    random = Random(case)
    height, width = 1 + random.below(120), 1 + random.below(120)
    kind = case % 8
    if kind == 0:
        return height, width, "[" + polygon(random, 3 + random.below(30), 0, width, height, 2) + "]"
    if kind == 1:
        return height, width, "[" + polygon(random, 3 + random.below(9), 0, width, height, 15) + "]"
    if kind == 2:
        return height, width, "[" + polygon(random, 3 + random.below(9), -70, width, height, 1) + "]"
    if kind == 3:
        return height, width, "[" + halves(random, 3 + random.below(12), width, height) + "]"
    if kind == 4:
        parts = [polygon(random, 3 + random.below(6), -5, width, height, 2) for _ in range(2 + random.below(3))]
        return height, width, "[" + ", ".join(parts) + "]"
    if kind == 5:
        return height, width, "[" + rectangle(random, width, height) + "]"
    counts = runs(random, height * width)
    written = json.dumps(counts if kind == 6 else compressed(counts))
    return height, width, f'{{"size": [{height}, {width}], "counts": {written}}}'


def reference(segmentation, height, width):
    """The mask [height, width] that pycocotools makes."""
    if isinstance(segmentation, list):
        parts = coco.frPyObjects(segmentation, height, width)
        return coco.decode(coco.merge(parts))
    if isinstance(segmentation["counts"], list):
        return coco.decode(coco.frPyObjects(segmentation, height, width))
    return coco.decode(segmentation)


def run_lengths(mask):
    """Lengths of runs, column by column, the first one of zeros."""
    bits = np.concatenate([[0], mask.flatten(order="F"), [2]])
    changes = np.flatnonzero(np.diff(bits.astype(np.int8)))
    return np.diff(np.concatenate([[0], changes])).tolist()


def digest(mask):
    """The area of a mask, and FNV-1a over its runs."""
    hashed = 2166136261
    for run in run_lengths(mask):
        hashed = ((hashed ^ run) * 16777619) & 0xFFFFFFFF
    return int(mask.sum()), hashed


def make():
    with open(HERE / "masks.bin", "wb") as file:
        for case in range(CASES):
            height, width, text = outline(case)
            mask = reference(json.loads(text), height, width)
            file.write(struct.pack("<II", *digest(mask)))


class Outline(ctypes.Structure):
    _fields_ = [
        ("form", ctypes.c_int), ("numbers", ctypes.POINTER(ctypes.c_double)), ("number_count", ctypes.c_long),
        ("part_ends", ctypes.POINTER(ctypes.c_long)), ("part_count", ctypes.c_long),
        ("counts", ctypes.POINTER(ctypes.c_int64)), ("count_count", ctypes.c_long),
        ("text", ctypes.c_void_p), ("text_count", ctypes.c_long), ("height", ctypes.c_int64),
        ("width", ctypes.c_int64), ("index", ctypes.c_long), ("found", ctypes.c_char * 48),
        ("number_room", ctypes.c_long), ("part_room", ctypes.c_long), ("count_room", ctypes.c_long),
        ("text_room", ctypes.c_long),
    ]


class Size(ctypes.Structure):
    _fields_ = [("height", ctypes.c_long), ("width", ctypes.c_long)]


class Library:
    """The C sources of this checkout."""

    def __init__(self, folder):
        library = f"{folder}/annotations.so"
        compiler = shutil.which("clang") or shutil.which("cc")
        files = [str(f) for f in SOURCES.glob("*.c")]
        subprocess.run(
            [compiler, "-O2", "-shared", "-fPIC", f"-I{SOURCES}/include", *files, "-lm", "-o", library], check=True)
        self.c = ctypes.CDLL(library)
        self.outline = Outline()

    def mask(self, segmentation, height, width):
        text = json.dumps(segmentation).encode()
        outline, at = self.outline, ctypes.c_int64()
        if self.c.ca_outline_read(ctypes.byref(outline), 0, ctypes.create_string_buffer(text),
                                  ctypes.c_size_t(len(text))):
            raise ValueError(outline.found.decode())
        words = height * width // 64 + 1
        mask, turns = (np.zeros(words, dtype="<u8") for _ in range(2))
        pointer = mask.ctypes.data_as(ctypes.c_void_p)
        status, size = 0, Size(height, width)
        if outline.form == 1:
            start, steps = 0, ctypes.c_long()
            base = ctypes.cast(outline.numbers, ctypes.c_void_p).value
            for part in range(outline.part_count):
                end = outline.part_ends[part]
                status = status or self.c.ca_mask_add_polygon(
                    pointer, size, ctypes.c_void_p(base + 8 * start), ctypes.c_long((end - start) // 2),
                    turns.ctypes.data_as(ctypes.c_void_p), ctypes.byref(steps))
                start = end
        elif outline.form == 2:
            status = self.c.ca_mask_set_counts(
                pointer, size, outline.counts, ctypes.c_long(outline.count_count), ctypes.byref(at))
        else:
            status = self.c.ca_mask_set_compressed(
                pointer, size, ctypes.c_void_p(outline.text), ctypes.c_long(outline.text_count), ctypes.byref(at))
        if status:
            raise ValueError(f"mask status {status}")
        bits = np.unpackbits(mask.view("u1"), bitorder="little")[: height * width]
        return bits.reshape(width, height).T


def annotations(paths):
    """The file's name, number, segmentation, height and width of every annotation of some files."""
    for path in paths:
        with open(path) as file:
            data = json.load(file)
        sizes = {image["id"]: (image["height"], image["width"]) for image in data["images"]}
        for annotation in data["annotations"]:
            yield (pathlib.Path(path).name, str(annotation["id"]), annotation["segmentation"],
                   *sizes[annotation["image_id"]])


def store(paths):
    digests = {}
    for name, number, *outline in annotations(paths):
        digests.setdefault(name, {})[number] = digest(reference(*outline))
    lines = ",\n".join(f'"{name}": {json.dumps(of_file, separators=(",", ":"))}' for name, of_file in digests.items())
    (HERE / "annotations.json").write_text("{" + lines + "}\n")


def stored(paths):
    expected = json.loads((HERE / "annotations.json").read_text())
    wanted, different = sum(map(len, expected.values())), 0
    with tempfile.TemporaryDirectory() as folder:
        library = Library(folder)
        for name, number, *outline in annotations(paths):
            target = expected.get(name, {}).pop(number, None)
            if target and list(digest(library.mask(*outline))) != target:
                different += 1
                print(f"{name}: annotation {number}: another mask")
    missing = sum(map(len, expected.values()))
    print(f"{wanted - missing} masks of {wanted} in these files, {different} differ")
    return 1 if different or missing else 0


def check(paths):
    different = total = 0
    with tempfile.TemporaryDirectory() as folder:
        library = Library(folder)
        for path, number, *outline in annotations(paths):
            expected, found = reference(*outline), library.mask(*outline)
            total += 1
            if not np.array_equal(found, expected):
                different += 1
                print(f"{path}: annotation {number}: {int((found != expected).sum())} pixels differ")
    print(f"{total} masks, {different} differ")
    return 1 if different or not total else 0


if __name__ == "__main__":
    if sys.argv[1:] == ["make"]:
        sys.exit(make())
    if len(sys.argv) > 2 and sys.argv[1] == "check":
        sys.exit(check(sys.argv[2:]))
    if len(sys.argv) > 2 and sys.argv[1] in ("store", "stored"):
        sys.exit(globals()[sys.argv[1]](sys.argv[2:]))
    sys.exit(__doc__)
