"""Makes the depth maps and the expected values of DepthMapTests in this folder.

Pillow 12.0.0, numpy 2.2.6:

    python make.py

NAME.png is a map in one of the forms that are read, NAME.f32 its values in 0 ... 1 as the reference computes them
(little-endian float32 [H, W]); resized-WxH.f32 are those of floats.png after Pillow's bilinear resize of floats.
"""

from pathlib import Path

import numpy as np
from PIL import Image

FOLDER = Path(__file__).parent
WIDTH, HEIGHT = 11, 7


def rgba(depth):
    """The four bytes of every float as red, green, blue and alpha."""
    return Image.fromarray(np.ascontiguousarray(depth.astype("<f4")).view(np.uint8).reshape(*depth.shape, 4), "RGBA")


def expect(name, values):
    (FOLDER / f"{name}.f32").write_bytes(np.ascontiguousarray(values, "<f4").tobytes())


def normalized(depth):
    """BaseWithDepth.preprocess_depth without its last step, which makes -1 ... 1 of this."""
    depth = depth.astype(np.float32)
    return (depth - depth.min()) / max(1e-8, depth.max() - depth.min())


random = np.random.default_rng(7)
y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
floats = (1234.5 * np.sin(x / 3) * np.cos(y / 2) - 300 + random.normal(0, 40, x.shape)).astype(np.float32)
grey = random.integers(700, 60000, x.shape).astype(np.uint16)
grey[0, 0], grey[-1, -1] = 513, 65000

rgba(floats).save(FOLDER / "floats.png")
expect("floats", normalized(floats))
Image.fromarray(grey).save(FOLDER / "grey-16.png")
expect("grey-16", normalized(grey))
Image.fromarray((grey >> 8).astype(np.uint8)).save(FOLDER / "grey-8.png")
expect("grey-8", normalized(grey >> 8))
rgba(np.full((3, 2), 5.25, np.float32)).save(FOLDER / "constant.png")
expect("constant", np.zeros((3, 2)))
wrong = floats.copy()
wrong[2, 4] = np.nan
rgba(wrong).save(FOLDER / "not-a-number.png")
for width, height in [(5, 3), (22, 14), (6, 7)]:
    image = Image.fromarray(normalized(floats), "F").resize((width, height), Image.Resampling.BILINEAR)
    expect(f"resized-{width}x{height}", np.asarray(image))
