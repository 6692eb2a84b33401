"""What the fault suite looks at: whether files are whole, and what a folder of results holds."""
import csv
import fnmatch
import hashlib
import io
import json
import os
import re
import struct
import zipfile
import zlib

TEMPORARY = re.compile(r"\.tmp-\d+-[0-9a-f]{8}")
VOLATILE_COLUMNS = {"images_per_second", "tokens_per_second", "peak_memory_mib"}
# Files that grow, or are put in place of older ones, while a command is at work.
MOVING = ["manifest.json", "skipped.jsonl", "left-out.jsonl", "config.json", "metrics.csv", "last", "best"]


def is_moving(path):
    return any(fnmatch.fnmatch(os.path.basename(path), pattern) for pattern in MOVING)


def metrics(data):
    """The lines of metrics.csv without what depends on the machine; half a line at the end does not count."""
    rows = list(csv.reader(io.StringIO(data[: data.rfind(b"\n") + 1].decode())))
    kept = [i for i, name in enumerate(rows[0]) if name not in VOLATILE_COLUMNS] if rows else []
    return [tuple(row[i] for i in kept) for row in rows]


def is_part(row, other):
    """Whether a row is another one, or still lacks cells of it: of a validation that a signal has put off."""
    return len(row) == len(other) and all(cell in ("", theirs) for cell, theirs in zip(row, other))


def snapshot(folder):
    """Maps the paths of all files and links below a folder to what stands there."""
    found = {}
    for place, folders, files in os.walk(folder):
        for name in files + [name for name in folders if os.path.islink(f"{place}/{name}")]:
            path = f"{place}/{name}"
            key = os.path.relpath(path, folder)
            if os.path.islink(path):
                found[key] = "-> " + os.readlink(path)
            elif name == "metrics.csv":
                with open(path, "rb") as file:
                    found[key] = metrics(file.read())
            elif name != ".lock" and not name.startswith("events.out.tfevents."):
                with open(path, "rb") as file:
                    found[key] = hashlib.sha256(file.read()).hexdigest()
        for name in folders:
            if TEMPORARY.search(name):
                found[os.path.relpath(f"{place}/{name}", folder)] = "folder"
    return found


def crc32c_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


TABLE = crc32c_table()


def masked_crc32c(data):
    state = 0xFFFFFFFF
    for byte in data:
        state = TABLE[(state ^ byte) & 255] ^ state >> 8
    state ^= 0xFFFFFFFF
    return ((state >> 15 | state << 17) + 0xA282EAD8) & 0xFFFFFFFF


def check_events(data):
    """TensorBoard's records; the last one may be cut."""
    while len(data) >= 12:
        length, check = struct.unpack_from("<QI", data)
        assert check == masked_crc32c(data[:8]), "the checksum of a record's length"
        if len(data) < length + 16:
            return
        record = data[12:12 + length]
        if length < 4096:  # images are long, and Python is slow
            assert struct.unpack_from("<I", data, 12 + length)[0] == masked_crc32c(record), "the checksum of a record"
        data = data[length + 16:]


def check_png(data):
    assert data[:8] == b"\x89PNG\r\n\x1a\n", "no PNG"
    place, pixels, last = 8, b"", b""
    while place < len(data):
        length, last = struct.unpack_from(">I4s", data, place)
        chunk = data[place + 4:place + 8 + length]
        assert zlib.crc32(chunk) == struct.unpack_from(">I", data, place + 8 + length)[0], "the checksum of a chunk"
        pixels += chunk[4:] if last == b"IDAT" else b""
        place += 12 + length
    assert last == b"IEND", "no end"
    zlib.decompress(pixels)


def check_safetensors(data):
    length = struct.unpack_from("<Q", data)[0]
    header = json.loads(data[8:8 + length])
    ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
    assert max(ends) == len(data) - 8 - length, "another length than its header says"


def check_manifest(path, data):
    for shard in json.loads(data)["shards"]:
        with open(f"{os.path.dirname(path)}/{shard['name']}", "rb") as file:
            assert hashlib.sha256(file.read()).hexdigest() == shard["sha256"], f"another {shard['name']}"


def damage(path):
    """What is wrong with a file or link that stands under its final name; None if it is whole."""
    name = os.path.basename(path)
    try:
        if os.path.islink(path):
            assert os.path.exists(f"{path}/state.json"), f"leads to {os.readlink(path)}, which is no checkpoint"
            return None
        with open(path, "rb") as file:
            data = file.read()
        if name == "manifest.json":
            check_manifest(path, data)
        elif name.endswith(".json"):
            json.loads(data)
        elif name.endswith(".jsonl"):
            [json.loads(line) for line in data.splitlines()]
        elif name.startswith("events.out."):
            check_events(data)
        elif name.endswith(".png"):
            check_png(data)
        elif name.endswith(".safetensors"):
            check_safetensors(data)
        elif name.endswith(".ckpt"):
            assert zipfile.ZipFile(path).testzip() is None, "a damaged entry"
    except Exception as problem:
        return f"{type(problem).__name__}: {problem}"
    return None


def violations(folder, after, known, before, atomic):
    """What is not as it must be in a folder after a fault.

    known: maps each path to all contents that an undisturbed run gives it; before: what stood there at the start.
    """
    found = []
    for path, content in after.items():
        if TEMPORARY.search(path) or content in known.get(path, []) or before.get(path) == content:
            continue
        if os.path.basename(path) == "metrics.csv":
            rows = [row for lines in known.get(path, []) for row in lines]
            if not all(any(is_part(row, other) for other in rows) for row in content):
                found.append(f"{path} has a row that an undisturbed run does not write")
        elif not is_moving(path):
            found.append(f"{path} is not what an undisturbed run makes")
    for path in sorted(after):
        if is_moving(path) and not TEMPORARY.search(path) and (problem := damage(f"{folder}/{path}")):
            found.append(f"{path}: {problem}")
    for place, _, files in os.walk(folder):
        for path in [f"{place}/{name}" for name in files if name.startswith("events.out.tfevents.")]:
            if problem := damage(path):
                found.append(f"{path}: {problem}")
    for path, content in before.items():
        if path not in after and not is_moving(path) and not any(fnmatch.fnmatch(path, f"{glob}/*") for glob in atomic):
            found.append(f"{path} is gone")
    return found + incomplete(after, known, before, atomic)


def incomplete(after, known, before, atomic):
    """Folders that are there in part; and that none is left of those that were there."""

    def contents(paths):
        folders = {}
        for path in paths:
            for glob in atomic:
                depth = glob.count("/") + 1
                folder = "/".join(path.split("/")[:depth])
                if fnmatch.fnmatch(folder, glob) and not TEMPORARY.search(folder):
                    folders.setdefault(folder, set()).add(path)
        return folders

    there, whole = contents(after), contents(list(known) + list(before))
    found = [f"{folder} is not complete" for folder, paths in there.items() if paths != whole.get(folder)]
    if contents(before) and not there:
        found.append("no checkpoint is left")
    return found
