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


# The labels that are known, and the types they may have.
LABELS = {
    "trajectory": [np.int64], "frame": [np.int64], "action": [np.int32, np.uint8], "reward": [np.int64],
    "score": [np.int64], "terminal": [np.bool_],
}


def check_shard(path):
    with h5py.File(path, "r") as file:
        attributes = file.attrs
        check_text(attributes, "format", "tool_version", "source", "split")
        check(attributes["format_version"] == 1, f"format_version: {attributes['format_version']}")
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
        labels = [name for name in file if name not in ("images", "codes", "id", "name", "crc32c")]
        for name in labels:
            check(file[name].shape[:1] == (count,), f"/{name}: shape {file[name].shape}")
            if name in LABELS:
                check_column(file, name, count, *LABELS[name])
        return f"{attributes['format']} {rows.shape} {rows.dtype}, labels: {', '.join(labels) or 'none'}"


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
