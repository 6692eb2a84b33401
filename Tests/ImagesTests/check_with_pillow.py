"""Checks that prep-images reads odd files as Pillow does: the same pixels, turned as its exif_transpose turns them.

Usage: python check_with_pillow.py FOLDER-OF-BUILT-COMMANDS      (needs Pillow, h5py and numpy)
Each file is given as it is, and as a PNG of Pillow's pixels; both must lead to the same row. Then come files that have
lost pixels, which Pillow may read and prep-images must skip. Prints one line; exits with 1 at the first difference.
"""

import io
import json
import struct
import subprocess
import sys
import tempfile
import warnings
import zlib
from pathlib import Path

import h5py
from PIL import Image, ImageOps

FIXTURES = Path(__file__).parent.parent / "Fixtures" / "images"
SIDE = 25  # the shorter one of the fixtures: nothing is scaled


def fixture(name):
    return (FIXTURES / name).read_bytes()


# PNG

def chunks(png):
    found, at = [], 8
    while at < len(png):
        length = struct.unpack(">I", png[at:at + 4])[0]
        found.append((png[at + 4:at + 8], png[at + 8:at + 8 + length]))
        at += 12 + length
    return found


def png(parts, damaged=()):
    file = b"\x89PNG\r\n\x1a\n"
    for kind, data in parts:
        crc = zlib.crc32(kind + data) ^ (kind in damaged)
        file += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)
    return file


def with_pixels(parts, *data):
    """The chunks with these as their chunks of pixels."""
    first = [part[0] for part in parts].index(b"IDAT")
    rest = [part for part in parts[first:] if part[0] != b"IDAT"]
    return parts[:first] + [(b"IDAT", piece) for piece in data] + rest


def odd_pngs():
    for name in ("rgb-8.png", "rgb-8-interlaced.png", "palette-4.png", "grey-1.png"):
        parts = chunks(fixture(name))
        data = b"".join(body for kind, body in parts if kind == b"IDAT")
        raw = zlib.decompress(data)
        row = raw[-len(raw) // SIDE:]
        window = bytes([0x08, 0x1D]) + data[2:]
        yield f"a byte behind, {name}", png(with_pixels(parts, data + b"\0"))
        yield f"a chunk behind, {name}", png(with_pixels(parts, data, b"\1\2"))
        yield f"a byte too many, {name}", png(with_pixels(parts, zlib.compress(raw + b"\0")))
        yield f"a row too many, {name}", png(with_pixels(parts, zlib.compress(raw + row)))
        yield f"many rows too many, {name}", png(with_pixels(parts, zlib.compress(raw + row * 300)))
        yield f"empty chunks, {name}", png(with_pixels(parts, b"", data, b""))
        yield f"a window of 256 bytes, {name}", png(with_pixels(parts, window))
        yield f"no end, {name}", png(parts[:-1])
        yield f"half an end, {name}", png(parts)[:-5]
        yield f"a damaged end, {name}", png(parts, damaged=[b"IEND"])
        yield f"an end with data, {name}", png(parts[:-1] + [(b"IEND", b"x")])
        yield f"a wrong CRC, {name}", png(parts, damaged=[b"IDAT"])
    parts = chunks(fixture("palette-8.png"))
    yield "a short palette", png([(kind, body[:90] if kind == b"PLTE" else body) for kind, body in parts])


def lost_pngs():
    parts = chunks(fixture("rgb-8.png"))
    data = dict(parts)[b"IDAT"]
    raw = zlib.decompress(data)
    yield "a wrong checksum", png(with_pixels(parts, data[:-1] + bytes([data[-1] ^ 1])))
    yield "no checksum", png(with_pixels(parts, data[:-4]))
    yield "a row missing", png(with_pixels(parts, zlib.compress(raw[:-100])))


# JPEG

def scan_of(jpeg):
    """Where the first scan's marker is, and its three bytes behind the components."""
    at = 2
    while jpeg[at + 1] != 0xDA:
        at += 2 + struct.unpack(">H", jpeg[at + 2:at + 4])[0]
    return at, at + 5 + 2 * jpeg[at + 4]


def odd_jpegs():
    for name in ("baseline-420.jpg", "restart.jpg", "grey.jpg", "cmyk.jpg", "progressive.jpg"):
        jpeg = fixture(name)
        scan, behind = scan_of(jpeg)
        second = 4 + struct.unpack(">H", jpeg[4:6])[0]
        if name != "progressive.jpg":
            for values in (b"\0\0\0", b"\1\x3f\0", b"\0\x3f\x11"):
                yield f"progression {values!r}, {name}", jpeg[:behind] + values + jpeg[behind + 3:]
        for at in (second, scan, len(jpeg) - 2):
            yield f"bytes at {at}, {name}", jpeg[:at] + b"\1\2\3" + jpeg[at:]
        yield f"a long profile, {name}", jpeg[:2] + b"\xff\xe2\0\x10ICC_PROFILE\0\7" + jpeg[2:]
        yield f"the end twice, {name}", jpeg + b"\xff\xd9"


def lost_jpegs():
    jpeg = fixture("restart.jpg")
    restart = jpeg.index(b"\xff\xd1", scan_of(jpeg)[0])
    yield "a restart missing", jpeg[:restart] + jpeg[restart + 2:]
    yield "a byte missing", jpeg[:-3] + jpeg[-2:]
    yield "no end, and zeros", jpeg[:-2] + bytes(200)
    yield "half a scan", jpeg[:(restart + len(jpeg)) // 2]


# Orientation

def tiff(kind, value, order="<"):
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, 1)
    entry = struct.pack(order + "HHI", 0x112, kind, 1)
    place = value.ljust(4, b"\0") if len(value) <= 4 else struct.pack(order + "I", 26)
    return head + entry + place + bytes(4) + (value if len(value) > 4 else b"")


def with_segment(body):
    jpeg = fixture("baseline-420.jpg")
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def with_chunk(kind, body, at=1):
    parts = chunks(fixture("rgb-8.png"))
    return png(parts[:at] + [(kind, body)] + parts[at:])


def turned():
    for order in "<>":
        values = [(kind, struct.pack(order + form, *numbers)) for kind, form, *numbers in (
            (1, "B", 6), (2, "BB", 54, 0), (3, "H", 6), (4, "I", 6), (5, "II", 12, 2), (6, "b", 6),
            (7, "B", 6), (8, "h", 6), (9, "i", 6), (10, "ii", 6, 1), (11, "f", 6.0), (12, "d", 6.0),
            (13, "I", 6), (16, "Q", 6))]
        for kind, value in values:
            exif = tiff(kind, value, order)
            yield f"type {kind} {order} in a JPEG", with_segment(b"Exif\0\0" + exif)
            yield f"type {kind} {order} in a PNG", with_chunk(b"eXIf", exif)
            yield f"type {kind} {order} behind the pixels", with_chunk(b"eXIf", exif, at=-1)
    for value in range(10):
        yield f"orientation {value}", with_segment(b"Exif\0\0" + tiff(3, struct.pack("<H", value)))
    exif = b"Exif\0\0" + tiff(3, b"\6\0")
    profile = f"\nexif\n{len(exif):8d}\n{exif.hex()}\n".encode()
    yield "ImageMagick's text", with_chunk(b"tEXt", b"Raw profile type exif\0" + profile)
    yield "compressed", with_chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(profile))
    for xmp in (b'<x tiff:Orientation="6"/>', b"<tiff:Orientation>8</tiff:Orientation>", b"<x/>"):
        name = b"XML:com.adobe.xmp\0"
        yield f"{xmp} in a JPEG", with_segment(b"http://ns.adobe.com/xap/1.0/\0" + xmp)
        yield f"{xmp} in a PNG", with_chunk(b"iTXt", name + bytes(4) + xmp)
        yield f"{xmp} compressed", with_chunk(b"iTXt", name + b"\1\0\0\0" + zlib.compress(xmp))


def ingest(command, folder, name, files, *options):
    """The rows and the names of what was skipped."""
    listed = "".join(f"{path}\n" for path in files)
    out = folder / name
    subprocess.run([command, "-", "--size", str(SIDE), "--quiet", "--out", out, *options],
                   input=listed, text=True, check=True, stdout=subprocess.DEVNULL)
    lines = (out / "skipped.jsonl").read_text().splitlines()
    with h5py.File(out / "images-00000.h5") as shard:
        return shard["images"][:], [json.loads(line)["name"] for line in lines]


def main():
    command = Path(sys.argv[1]) / "prep-images"
    warnings.simplefilter("ignore")
    cases = [*odd_pngs(), *odd_jpegs(), *turned()]
    lost = [*lost_pngs(), *lost_jpegs()]
    with tempfile.TemporaryDirectory() as path:
        folder = Path(path)
        given, expected = [], []
        for number, (_, file) in enumerate(cases):
            given.append(folder / f"{number}.given")
            given[-1].write_bytes(file)
            expected.append(folder / f"{number}.png")
            ImageOps.exif_transpose(Image.open(io.BytesIO(file))).convert("RGB").save(expected[-1])
        bad = []
        for number, (_, file) in enumerate(lost):
            bad.append(folder / f"{number}.lost")
            bad[-1].write_bytes(file)
        ours, skipped = ingest(command, folder, "given", given + bad, "--upright", "--max-errors", str(len(bad)))
        pillows, _ = ingest(command, folder, "expected", expected)
        missing = [name for name, file in zip([name for name, _ in lost], bad) if str(file) not in skipped]
        if missing or len(skipped) != len(bad):
            sys.exit(f"not skipped: {missing}; skipped: {skipped}")
        for (name, _), our, pillow in zip(cases, ours, pillows, strict=True):
            if (our != pillow).any():
                sys.exit(f"{name}: other pixels than Pillow's")
    print(f"{len(cases)} odd images as in Pillow, {len(lost)} skipped that have lost pixels")


if __name__ == "__main__":
    main()
