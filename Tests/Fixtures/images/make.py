"""Makes the images and the expected values of ImagesTests in this folder.

Pillow 13.0.0, numpy 2.4.6, scikit-image 0.25.2:

    python make.py

NAME.png and NAME.jpg are inputs, NAME.rgb the expected pixels [H, W, 3], NAME.labels the expected
label map [H, W]; expected.json has the sizes and the quality metrics.
"""

import json
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

FOLDER = Path(__file__).parent
expected = {"images": {}, "labels": {}, "resized": [], "quality": []}


def image(width, height, seed=0):
    """Gradients, a sharp disc and some noise: every frequency, all of the value range."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(float)
    channels = [
        255 * x / max(width - 1, 1),
        255 * y / max(height - 1, 1),
        127 + 127 * np.sin((x + 2 * y) / 3),
    ]
    rgb = np.stack(channels, axis=2)
    rgb[(x - width / 2) ** 2 + (y - height / 2) ** 2 < (height / 4) ** 2] = (255, 20, 0)
    rgb += random.normal(0, 8, rgb.shape)
    return np.clip(rgb, 0, 255).round().astype(np.uint8)


def expect(name, rgb):
    height, width, _ = rgb.shape
    (FOLDER / name).with_suffix(".rgb").write_bytes(np.ascontiguousarray(rgb).tobytes())
    expected["images"][name] = [width, height]


# JPEG

def jpeg(name, image, **options):
    path = FOLDER / name
    image.save(path, "JPEG", **options)
    expect(name, np.asarray(Image.open(path).convert("RGB")))


def make_jpegs():
    rgb = Image.fromarray(image(33, 25))
    for subsampling in ("4:4:4", "4:2:2", "4:2:0"):
        jpeg(f"baseline-{subsampling.replace(':', '')}.jpg", rgb, quality=85, subsampling=subsampling)
    jpeg("progressive.jpg", rgb, quality=80, progressive=True)
    jpeg("restart.jpg", rgb, quality=80, restart_marker_blocks=2)
    jpeg("rgb.jpg", rgb, quality=80, keep_rgb=True)
    jpeg("grey.jpg", rgb.convert("L"), quality=80)
    jpeg("progressive-grey.jpg", rgb.convert("L"), quality=80, progressive=True)
    for width, height in ((1, 1), (7, 5), (65, 47)):
        jpeg(f"odd-{width}x{height}.jpg", Image.fromarray(image(width, height)), quality=90)
    # Pillow writes inverted CMYK with an Adobe marker; the same data marked as YCCK is valid too.
    jpeg("cmyk.jpg", rgb.convert("CMYK"), quality=85)
    data = bytearray((FOLDER / "cmyk.jpg").read_bytes())
    data[data.index(b"Adobe") + 11] = 2
    (FOLDER / "ycck.jpg").write_bytes(data)
    expect("ycck.jpg", np.asarray(Image.open(FOLDER / "ycck.jpg").convert("RGB")))


# PNG, written by hand: Pillow writes neither 16-bit colour nor Adam7

ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def scanlines(samples, depth):
    """Rows without filter of samples [H, W, C] of `depth` bits."""
    height, width, channels = samples.shape
    rows = b""
    for row in samples.reshape(height, width * channels):
        if depth == 16:
            packed = row.astype(">u2").tobytes()
        elif depth == 8:
            packed = row.astype(np.uint8).tobytes()
        else:
            bits = ((row[:, None] >> np.arange(depth - 1, -1, -1)) & 1).astype(np.uint8)
            packed = np.packbits(bits.reshape(-1)).tobytes()
        rows += b"\0" + packed
    return rows


def png(name, samples, color_type, depth, palette=None, alphas=None, interlaced=False, extra=b""):
    height, width, _ = samples.shape
    if interlaced:
        parts = (samples[y0::dy, x0::dx] for x0, y0, dx, dy in ADAM7)
        data = b"".join(scanlines(part, depth) for part in parts if part.size)
    else:
        data = scanlines(samples, depth)
    header = struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, interlaced)
    chunks = chunk(b"IHDR", header) + extra
    if palette is not None:
        chunks += chunk(b"PLTE", palette.astype(np.uint8).tobytes())
    if alphas is not None:
        chunks += chunk(b"tRNS", bytes(alphas))
    chunks += chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b"")
    (FOLDER / name).write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)


def same_as_pillow(name, rgb):
    assert np.array_equal(np.asarray(Image.open(FOLDER / name).convert("RGB")), rgb), name


def make_pngs():
    random = np.random.default_rng(1)
    width, height = 33, 25
    shape = (height, width, 1)

    for depth in (1, 2, 4, 8, 16):
        grey = random.integers(0, 1 << depth, shape)
        name = f"grey-{depth}.png"
        png(name, grey, 0, depth)
        levels = grey >> 8 if depth == 16 else grey * 255 // ((1 << depth) - 1)
        expect(name, np.repeat(levels.astype(np.uint8), 3, axis=2))
        if depth < 16:
            same_as_pillow(name, np.repeat(levels.astype(np.uint8), 3, axis=2))
            (FOLDER / name).with_suffix(".labels").write_bytes(grey.astype(np.uint8).tobytes())
            expected["labels"][name] = [width, height]

    for depth in (1, 2, 4, 8):
        entries = min(1 << depth, 200)
        palette = random.integers(0, 256, (entries, 3)).astype(np.uint8)
        indices = random.integers(0, entries, shape)
        for suffix, alphas in (("", None), ("-transparent", [0, 128][:entries])):
            name = f"palette-{depth}{suffix}.png"
            png(name, indices, 3, depth, palette, alphas)
            rgb = palette[indices[:, :, 0]]
            if alphas is None:  # of these Pillow warns
                same_as_pillow(name, rgb)
            expect(name, rgb)
            (FOLDER / name).with_suffix(".labels").write_bytes(indices.astype(np.uint8).tobytes())
            expected["labels"][name] = [width, height]

    rgb = image(width, height)
    alpha = random.integers(0, 256, shape).astype(np.uint8)
    png("rgb-8.png", rgb, 2, 8)
    png("rgba-8.png", np.concatenate([rgb, alpha], axis=2), 6, 8)
    # A gamma and a profile that must change nothing, and text that unpacks to 16 MB.
    bomb = chunk(b"gAMA", struct.pack(">I", 100000)) + chunk(
        b"zTXt", b"Comment\0\0" + zlib.compress(bytes(16 << 20), 9))
    png("rgb-8-text-bomb.png", rgb, 2, 8, extra=bomb)
    png("rgb-8-interlaced.png", rgb, 2, 8, interlaced=True)
    for name in ("rgb-8.png", "rgba-8.png", "rgb-8-interlaced.png"):
        same_as_pillow(name, rgb)
        expect(name, rgb)
    expect("rgb-8-text-bomb.png", rgb)  # which Pillow refuses
    low = random.integers(0, 256, rgb.shape)
    rgb16 = rgb.astype(np.uint16) * 256 + low
    png("rgb-16.png", rgb16, 2, 16)
    png("rgba-16-interlaced.png", np.concatenate([rgb16, alpha * np.uint16(257)], axis=2), 6, 16, interlaced=True)
    expect("rgb-16.png", rgb)
    expect("rgba-16-interlaced.png", rgb)
    for depth, scale in ((8, 1), (16, 256)):
        samples = np.concatenate([rgb[:, :, :1].astype(np.uint16) * scale, alpha.astype(np.uint16) * scale], axis=2)
        png(f"grey-alpha-{depth}.png", samples, 4, depth)
        expect(f"grey-alpha-{depth}.png", np.repeat(rgb[:, :, :1], 3, axis=2))
    interlaced = random.integers(0, 4, shape)
    png("grey-2-interlaced.png", interlaced, 0, 2, interlaced=True)
    expect("grey-2-interlaced.png", np.repeat((interlaced * 85).astype(np.uint8), 3, axis=2))
    png("tiny-interlaced.png", rgb[:1, :1], 2, 8, interlaced=True)
    expect("tiny-interlaced.png", rgb[:1, :1])


# Resizing

def make_resized():
    filters = {
        "nearest": Image.Resampling.NEAREST,
        "area": Image.Resampling.BOX,
        "bilinear": Image.Resampling.BILINEAR,
        "bicubic": Image.Resampling.BICUBIC,
    }
    for source, sizes in (
        ((65, 47), ((32, 24), (80, 60), (65, 20), (9, 47), (3, 2), (1, 1))),
        ((4, 3), ((37, 29),)),
        ((700, 9), ((16, 4),)),  # more taps than any vector
        # Rows first: more than twice as many rows as columns go; the last two just not.
        ((20, 90), ((12, 40), (20, 40), (30, 40), (12, 73), (12, 74), (12, 90))),
    ):
        image = Image.fromarray(image(*source, seed=3))
        name = f"source-{source[0]}x{source[1]}"
        (FOLDER / f"{name}.rgb").write_bytes(image.tobytes())
        for width, height in sizes:
            for filter_name, resampling in filters.items():
                out = f"resized-{source[0]}x{source[1]}-{width}x{height}-{filter_name}.rgb"
                (FOLDER / out).write_bytes(image.resize((width, height), resampling).tobytes())
                expected["resized"].append(
                    {"source": f"{name}.rgb", "from": source, "to": [width, height],
                     "filter": filter_name, "result": out})


# Quality metrics

def make_quality():
    source = image(65, 47, seed=3)
    for name, other in (
        ("equal", source),
        ("noise", np.clip(source + np.random.default_rng(5).normal(0, 12, source.shape), 0, 255)
         .round().astype(np.uint8)),
        ("darker", (source * 0.8).astype(np.uint8)),
        ("unrelated", image(65, 47, seed=9)[::-1]),
    ):
        (FOLDER / f"quality-{name}.rgb").write_bytes(np.ascontiguousarray(other).tobytes())
        psnr = None if name == "equal" else peak_signal_noise_ratio(source, other, data_range=255)
        expected["quality"].append({
            "name": name,
            "psnr": psnr,
            "ssim": structural_similarity(
                source, other, channel_axis=2, data_range=255, gaussian_weights=True, sigma=1.5,
                use_sample_covariance=False),
            "mae": float(np.abs(source.astype(int) - other).mean()),
        })


make_jpegs()
make_pngs()
make_resized()
make_quality()
(FOLDER / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
