"""Checks that shards read in h5py with the names and types that Docs/Formats.md promises.

Usage: python check_with_h5py.py SHARD...      (any mix of image and code shards; needs h5py and numpy)
Prints one line a shard; exits with 1 at the first shard that differs.
"""

import json
import sys

import h5py
import numpy as np


def crc32c_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


TABLE = crc32c_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


def check(condition, message):
    if not condition:
        raise AssertionError(message)


def check_text(attributes, *names):
    for name in names:
        check(isinstance(attributes.get(name), str), f"attribute {name}: {attributes.get(name)!r}, expected str")


def check_column(file, name, rows, *dtypes):
    check(name in file, f"/{name} is missing")
    dataset = file[name]
    check(dataset.shape == (rows,), f"/{name}: shape {dataset.shape}, expected ({rows},)")
    check(dataset.dtype in dtypes, f"/{name}: {dataset.dtype}, expected one of {dtypes}")


def check_rows(dataset, checksums):
    """Compares the checksums of the first, a middle and the last row with an independent CRC-32C."""
    for row in sorted({0, len(dataset) // 2, len(dataset) - 1} if len(dataset) else []):
        data = np.ascontiguousarray(dataset[row]).astype(dataset.dtype.newbyteorder("<")).tobytes()
        check(crc32c(data) == checksums[row], f"row {row}: checksum {crc32c(data)}, expected {checksums[row]}")


def check_images(file):
    check_text(file.attrs, "preprocessing")
    json.loads(file.attrs["preprocessing"])
    images = file["images"]
    check(images.dtype == np.uint8, f"/images: {images.dtype}, expected uint8")
    check(images.ndim == 4 and images.shape[3] == 3, f"/images: shape {images.shape}, expected (N, H, W, 3)")
    check(images.chunks == (1, *images.shape[1:]), f"/images: chunks {images.chunks}, expected one image")
    check(images.compression in (None, "gzip"), f"/images: compression {images.compression}")
    return images


def check_codes(file):
    attributes = file.attrs
    height, width, size = (int(attributes[name]) for name in ("grid_height", "grid_width", "n_embed"))
    check_text(attributes, "vqgan_fingerprint")
    check(all(isinstance(name, str) for name in attributes["source_shards"]), "source_shards holds no text")
    codes = file["codes"]
    dtype = np.uint16 if size <= 1 << 16 else np.uint32
    check(codes.dtype == dtype, f"/codes: {codes.dtype}, expected {np.dtype(dtype)}")
    check(codes.ndim == 2 and codes.shape[1] == height * width, f"/codes: shape {codes.shape}")
    check(codes.size == 0 or codes[:].max() < size, f"/codes: a code past {size}")
    return codes


def check_segmentation(file, images):
    maps = file["segmentation"]
    check(maps.dtype == np.uint8 and maps.shape == images.shape[:3], f"/segmentation: {maps.dtype} {maps.shape}")
    check(maps.chunks == (1, *maps.shape[1:]), f"/segmentation: chunks {maps.chunks}, expected one map")
    check(maps[:].max() <= 182, "/segmentation: a class past 182")
    check_column(file, "segmentation_crc32c", len(maps), np.uint32)
    check_rows(maps, file["segmentation_crc32c"][:])


def check_depth(file, images):
    maps = file["depth"]
    check(maps.dtype == np.dtype("<u2") and maps.shape == images.shape[:3], f"/depth: {maps.dtype} {maps.shape}")
    check(maps.chunks == (1, *maps.shape[1:]), f"/depth: chunks {maps.chunks}, expected one map")
    check_column(file, "depth_crc32c", len(maps), np.uint32)
    check_rows(maps, file["depth_crc32c"][:])


def check_offsets(file, name, parts, total):
    check_column(file, name, parts + 1, np.int64)
    offsets = file[name][:]
    check(offsets[0] == 0 and offsets[-1] == total and (np.diff(offsets) >= 0).all(), f"/{name}: {offsets}")


def check_captions(file, rows):
    text, positions = file["captions/text"], file["captions/text_offsets"]
    check(text.dtype == np.uint8, f"/captions/text: {text.dtype}")
    check_offsets(file, "captions/text_offsets", len(positions) - 1, len(text))
    check_offsets(file, "captions/row_offsets", rows, len(positions) - 1)
    for start, end in zip(positions[:-1], positions[1:]):
        bytes(text[start:end]).decode()


def check_objects(file, rows, side):
    count = len(file["objects/id"])
    for name, dtype in [("id", np.int64), ("category", np.int32), ("visible", np.float32), ("is_crowd", np.bool_)]:
        check_column(file, f"objects/{name}", count, dtype)
    check_offsets(file, "objects/row_offsets", rows, count)
    box, visible = file["objects/box"], file["objects/visible"][:]
    check(box.dtype == np.float32 and box.shape == (count, 4), f"/objects/box: {box.dtype} {box.shape}")
    x, y, width, height = box[:].T
    check((box[:] >= 0).all() and max(x + width) <= side and max(y + height) <= side, "/objects/box: outside")
    check(((visible > 0) & (visible <= 1)).all(), "/objects/visible: not in 0...1")
    known = set(file["categories/id"][:])
    check(set(file["objects/category"][:]) <= known, "/objects/category: unknown")
    check_column(file, "categories/name", len(known), h5py.string_dtype("utf-8"))


# The labels that are known, and the types they may have.
LABELS = {
    "trajectory": [np.int64], "frame": [np.int64], "action": [np.int32, np.uint8], "reward": [np.int64],
    "score": [np.int64], "terminal": [np.bool_], "category": [np.int32], "crop": [np.int32],
    "source_width": [np.int32], "source_height": [np.int32], "scaled_width": [np.int32],
    "scaled_height": [np.int32], "crop_x": [np.int32], "crop_y": [np.int32],
}


def check_shard(path):
    with h5py.File(path, "r") as file:
        attributes = file.attrs
        check_text(attributes, "format", "tool_version", "source", "split")
        check(attributes["format_version"] == 2, f"format_version: {attributes['format_version']}")
        check(attributes["complete"].dtype == np.bool_ and bool(attributes["complete"]), "complete is not True")
        check(attributes["format"] in ("vqgan-images", "vqgan-codes"), f"format: {attributes['format']}")
        rows = check_images(file) if attributes["format"] == "vqgan-images" else check_codes(file)
        count = rows.shape[0]
        check_column(file, "id", count, np.int64)
        check_column(file, "crc32c", count, np.uint32)
        check_column(file, "name", count, h5py.string_dtype("utf-8"))
        check(h5py.check_string_dtype(file["name"].dtype).encoding == "utf-8", "/name is not UTF-8")
        check(all(isinstance(name, str) for name in file["name"].asstr()[:]), "/name does not read as text")
        check_rows(rows, file["crc32c"][:])
        if "segmentation" in file:
            check_segmentation(file, rows)
        if "depth" in file:
            check_depth(file, rows)
        if "captions" in file:
            check_captions(file, count)
        if "objects" in file:
            check_objects(file, count, rows.shape[1])
        labels = [
            name for name in file
            if name not in ("images", "codes", "id", "name", "crc32c") and isinstance(file[name], h5py.Dataset)
        ]
        groups = [f"{name}/" for name in file if isinstance(file[name], h5py.Group)]
        for name in labels:
            check(file[name].shape[:1] == (count,), f"/{name}: shape {file[name].shape}")
            if name in LABELS:
                check_column(file, name, count, *LABELS[name])
        return f"{attributes['format']} {rows.shape} {rows.dtype}, labels: {', '.join(labels + groups) or 'none'}"


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for path in sys.argv[1:]:
        try:
            print(f"{path}: {check_shard(path)}")
        except (AssertionError, KeyError, OSError, ValueError) as error:
            sys.exit(f"{path}: {error}")


if __name__ == "__main__":
    main()
