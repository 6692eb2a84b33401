#!/usr/bin/env python3
"""The same photos through several VQGANs: one table on stdout, one sheet.

    Tools/compare-tokenizers.py FOLDER-OF-COMMANDS PHOTOS [NAME=]VQGAN... --out FOLDER [--size 256] [--count N]
        [--features inception=FILE] [--resize tf] [--lpips FILE] [--json]

A VQGAN is whatever --vqgan of the commands takes: a run, a checkpoint, a file of a published tokenizer. Photos are cut
to squares of --size pixels; --count takes so many of them, chosen at random, always the same. FOLDER keeps the shards,
the codes and the images of each VQGAN, its speeds, table.txt, table.json and sheet.png: the first photos beside what
each VQGAN makes of them. Below the table and in table.json stands what defines its measures: images, features with
their SHA-256, resize, and warnings. A grid is in codes: of a VQGAN with several codes for a position (--depth of
train-vqgan) it is as many times as wide. What is there already is not made again; its speeds are those of the run that
made it. Measures are those of evaluate; distances need --features, LPIPS needs --lpips. Needs h5py, numpy and Pillow.
"""
import argparse, json, math, pathlib, re, subprocess, sys

try:
    import h5py
    import numpy
    from PIL import Image, ImageDraw
except ImportError as error:  # main tells it: the table itself needs none of them
    missing = error
else:
    missing = None

SHOWN = 8
# What evaluate tells that must be equal for its measures to be comparable, and is the same for every VQGAN.
DEFINING = ["tool", "reference_images", "features", "weights_sha256", "resize", "lpips_trunk", "lpips_sha256", "seed"]


def run(*command):
    """What a command prints, and what it says meanwhile."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{done.stderr}{command[0]} ended with {done.returncode}")
    return done.stdout, done.stderr


def rate(notes):
    """Images per second, as encode-dataset and decode-dataset tell them last; None where nothing was new."""
    found = re.findall(r"([\d.,]+) images/s", notes)
    return float(found[-1].replace(",", "")) if found else None


def speeds(folder, notes):
    """Images per second by column; of work that was done before, those of then."""
    path = folder / "speeds.json"
    kept = json.loads(path.read_text()) if path.exists() else {}
    kept |= {column: value for column, told in notes.items() if (value := rate(told)) is not None}
    path.write_text(json.dumps(kept) + "\n")
    return {column: kept.get(column) for column in notes}


def title(path):
    """A short name: the file's or the folder's, of one that all have the same of its parent's."""
    whole = pathlib.Path(path).resolve()
    common = {"last", "vqgan", "vqvae", "model", "diffusion_pytorch_model", "checkpoints", "ckpts", "first-stage"}
    parts = [part for part in (whole.stem if whole.is_file() else whole.name, *(p.name for p in whole.parents)) if part]
    return next((part for part in parts if part not in common and not part.startswith("step-")), parts[0])


def codes_of(shards):
    """Codes used, their perplexity, the codebook's size, height and width of a grid in codes."""
    counts, grid = {}, None
    for path in shards:
        with h5py.File(path) as shard:
            found = tuple(int(shard.attrs[key]) for key in ("n_embed", "grid_height", "grid_width"))
            assert grid in (None, found), "shards of several grids"
            grid = found
            codes, depth = shard["codes"][:].astype(numpy.int64), int(shard.attrs.get("depth", 1))
            codes += numpy.arange(codes.shape[1]) % depth * found[0]  # each level has a codebook of its own
            for code, count in zip(*numpy.unique(codes, return_counts=True)):
                counts[int(code)] = counts.get(int(code), 0) + int(count)
    fractions = numpy.array(list(counts.values())) / sum(counts.values())
    return len(counts), 2 ** float(-(fractions * numpy.log2(fractions)).sum()), *grid


def shards_of(text):
    return [line for line in text.splitlines() if line.endswith(".h5")]


def first_images(shards, count):
    images = []
    for path in shards:
        with h5py.File(path) as shard:
            images += list(shard["images"][: count - len(images)])
    return images


def sheet(columns, path):
    """Columns of images under their names."""
    side, gap, top = columns[0][1][0].shape[0], 4, 16
    rows = max(len(images) for _, images in columns)
    page = Image.new("RGB", (len(columns) * (side + gap) - gap, top + rows * (side + gap) - gap), "white")
    draw = ImageDraw.Draw(page)
    for column, (name, images) in enumerate(columns):
        draw.text((column * (side + gap) + 2, 2), name[: side // 6], fill="black")
        for row, image in enumerate(images):
            page.paste(Image.fromarray(image), (column * (side + gap), top + row * (side + gap)))
    page.save(path)


def measure(options, name, vqgan, shards, folder):
    """A row of the table, and the images of the sheet."""
    command = lambda tool, *rest: run(options.bin / tool, *rest)
    listed, notes = command("encode-dataset", options.out / "shards", "--vqgan", vqgan, "--out", folder / "codes")
    codes = shards_of(listed)
    used, perplexity, entries, height, width = codes_of(codes)
    decoded, decoding = command("decode-dataset", folder / "codes", "--vqgan", vqgan, "--out", folder / "images")
    extra = [part for file in options.lpips for part in ("--lpips", file)]
    extra += ["--features", options.features, "--resize", options.resize] if options.features else []
    found = json.loads(command("evaluate", options.out / "shards", folder / "images", "--paired", "--json", "--quiet",
                               *extra)[0])
    for warning in found["warnings"]:
        print(f"{name}: {warning}", file=sys.stderr)
    bits = height * width * math.log2(entries)
    row = {"name": name, "codes": entries, "grid": f"{height}x{width}", "bits": round(bits),
           "bpp": bits / options.size**2}
    measures = {"psnr": "PSNR", "ssim": "SSIM", "lpips_vgg": "LPIPS vgg", "lpips_alex": "LPIPS alex",
                "lpips_squeeze": "LPIPS squeeze", "fid": "rFID", "fd_lite0": "rFD lite0", "kid": "rKID",
                "kd_lite0": "rKD lite0"}
    row |= {text: found[key] for key, text in measures.items() if key in found}
    row |= {"used": used, "perplexity": perplexity} | speeds(folder, {"encode/s": notes, "decode/s": decoding})
    row["definition"] = {key: found[key] for key in DEFINING if key in found}
    row["warnings"] = found["warnings"]
    return row, first_images(shards_of(decoded), SHOWN)


def table(rows):
    keys = list(dict.fromkeys(key for row in rows for key in row if key not in ("definition", "warnings")))
    cells = [keys] + [[text(row.get(key, "")) for key in keys] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(keys))]
    return "\n".join("  ".join(cell.ljust(w) if i == 0 else cell.rjust(w)
                               for i, (cell, w) in enumerate(zip(line, widths)))
                     for line in cells) + "\n"


def notes(rows):
    """What stands below the table: the definition of its measures, then the warnings, each with the VQGANs it is of."""
    lines = [", ".join(f"{key.replace('_', ' ')} {value}" for key, value in rows[0]["definition"].items())]
    for warning in dict.fromkeys(warning for row in rows for warning in row["warnings"]):
        named = [row["name"] for row in rows if warning in row["warnings"]]
        lines.append(f"{', '.join(named)}: {warning}")
    return "\n".join(lines) + "\n"


def text(value):
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"
    return "-" if value is None else str(value)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("bin", type=pathlib.Path, help="folder of the built commands")
    parser.add_argument("photos", help="folder of images, or a list of them")
    parser.add_argument("vqgans", nargs="+", metavar="[NAME=]VQGAN")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--size", type=int, default=256, help="pixels")
    parser.add_argument("--count", type=int)
    parser.add_argument("--features", help="inception=FILE, lite0=FILE, as evaluate takes them")
    parser.add_argument("--resize", default="tf")
    parser.add_argument("--lpips", action="append", default=[], help="files of LPIPS; may be repeated")
    parser.add_argument("--json", action="store_true", help="a line of JSON for each VQGAN instead of the table")
    options = parser.parse_args()
    if missing:
        sys.exit(f"{missing}: make .venv/ready installs what this needs")
    if options.features == "latents":
        parser.error("--features latents: each VQGAN has its own, so their distances cannot be compared")
    named = []
    for vqgan in options.vqgans:
        name, equals, path = vqgan.partition("=")
        named.append((name, path) if equals and not pathlib.Path(vqgan).exists() else (title(vqgan), vqgan))
    names = [name for name, _ in named]
    if len(set(names)) < len(names) or any("/" in name or name in ("", "shards") for name in names):
        parser.error(f"names must differ and be names of folders, got {', '.join(names)}: give them as NAME=PATH")
    options.out.mkdir(parents=True, exist_ok=True)
    limit = ["--limit", options.count] if options.count else []
    shards = shards_of(run(options.bin / "prep-images", options.photos, "--size", options.size, *limit,
                           "--name", "photos", "--out", options.out / "shards")[0])
    rows, columns = [], [("photo", first_images(shards, SHOWN))]
    for name, vqgan in named:
        folder = options.out / name
        folder.mkdir(exist_ok=True)
        row, images = measure(options, name, vqgan, shards, folder)
        rows.append(row)
        columns.append((name, images))
    (options.out / "table.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (options.out / "table.txt").write_text(table(rows) + "\n" + notes(rows))
    sheet(columns, options.out / "sheet.png")
    print((options.out / ("table.json" if options.json else "table.txt")).read_text(), end="")
    print(options.out / "sheet.png")


if __name__ == "__main__":
    main()
