#!/usr/bin/env python3
"""Trains one VQGAN and one GPT for each of several kinds of codebook on the same shards, and prints a table.

    Tools/compare-codebooks.py BIN SHARDS --out FOLDER [--steps N] [--gpt-steps N] [--seed S] [KIND ...]

SHARDS is a folder of image shards, its validation shards among them. Every kind has the same steps, seed and preset;
what is done already is not done again. The folder of a kind says in made-with.json what its results were made with;
other options or shards need another FOLDER. The table is Markdown, on stdout. PSNR is the mean over COUNT held-out
images, codes used and perplexity are counted on all training images, bits per image are those of the GPT on the
validation codes.
"""
import argparse, csv, glob, json, math, os

import experiment

KINDS = {
    "moving average 1,024": "--quantizer moving_average --codes 1024",
    "gradient 1,024": "--quantizer gradient --codes 1024",
    "cosine 1,024, 8 channels": "--quantizer moving_average --cosine --codes 1024",
    "FSQ 1,024": "--quantizer fsq --codes 1024",
    "FSQ 4,096": "--quantizer fsq --codes 4096",
    "FSQ 1,024, entropy": "--quantizer fsq --codes 1024 --set model.quantizer.entropy_weight=0.03",
    "FSQ 4,096, entropy": "--quantizer fsq --codes 4096 --set model.quantizer.entropy_weight=0.03",
    "residual 2×512": "--quantizer moving_average --codes 512 --depth 2",
    "LFQ 1,024": "--quantizer lfq --codes 1024",
    "SimVQ 1,024": "--quantizer simvq --codes 1024",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("bin", help="folder of the commands")
    parser.add_argument("shards", help="folder of image shards")
    parser.add_argument("kinds", nargs="*", help=f"of {', '.join(KINDS)}; all if left out")
    parser.add_argument("--out", required=True, help="folder of the runs")
    parser.add_argument("--preset", default="small")
    parser.add_argument("--steps", type=int, default=2500, help="of each VQGAN")
    parser.add_argument("--gpt-steps", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=200, help="held-out images of the PSNR")
    options = parser.parse_intermixed_args()
    unknown = [kind for kind in options.kinds if kind not in KINDS]
    if unknown:
        parser.error(f"no kind {unknown[0]!r}; there are {', '.join(KINDS)}")
    training, held_out = experiment.shards(options.shards)
    if not held_out or not training:
        parser.error(f"{options.shards}: {len(training)} training shards and {len(held_out)} validation shards; "
                     "both are needed")

    wanted = {"--preset": options.preset, "--steps": options.steps, "--gpt-steps": options.gpt_steps,
              "--seed": options.seed, "--count": options.count, "shards": experiment.sizes(training + held_out)}
    folders = {kind: os.path.join(options.out,
                                  KINDS[kind].replace("--", "").replace(" ", "-").replace("quantizer-", ""))
               for kind in options.kinds or KINDS}
    for kind, folder in folders.items():
        experiment.check(folder, {"kind": KINDS[kind], **wanted})

    def run(done, command, *arguments):
        experiment.run(done, os.path.join(options.bin, command), *arguments)

    def train(folder, command, *arguments, steps):
        checkpoint = f"{folder}/checkpoints/step-{steps:06}"
        if os.path.exists(f"{folder}/config.json"):
            arguments = ("--resume",)
        run(checkpoint, command, "--out", folder, "--steps", steps, *arguments)

    print("| codebook | codes | PSNR, dB | SSIM | codes used | perplexity | GPT, bits per image |")
    print("|---|---|---|---|---|---|---|")
    for kind, folder in folders.items():
        experiment.begin(folder, {"kind": KINDS[kind], **wanted})
        vqgan, codes, gpt = (os.path.join(folder, name) for name in ("vqgan", "codes", "gpt"))
        train(vqgan, "train-vqgan", *training, "--preset", options.preset, *KINDS[kind].split(), "--seed", options.seed,
              steps=options.steps)
        run(f"{folder}/quality.json", "reconstruct", *held_out, "--vqgan", vqgan, "--count", options.count, "--json",
            "--out", f"{folder}/reconstructions")
        run(f"{codes}/manifest.json", "encode-dataset", *training, "--vqgan", vqgan, "--out", codes)
        run(f"{codes}-validation/manifest.json", "encode-dataset", *held_out, "--vqgan", vqgan,
            "--out", f"{codes}-validation")
        run(f"{folder}/codebook/codebook.json", "codebook-report", *sorted(glob.glob(f"{codes}/*.h5")),
            "--vqgan", vqgan, "--out", f"{folder}/codebook")
        train(gpt, "train-gpt", *sorted(glob.glob(f"{codes}/*.h5")), "--validation",
              *sorted(glob.glob(f"{codes}-validation/*.h5")), "--seed", options.seed, steps=options.gpt_steps)
        with open(f"{folder}/quality.json") as file:
            quality = json.load(file)
        with open(f"{folder}/codebook/codebook.json") as file:
            book = json.load(file)
        with open(f"{gpt}/metrics.csv") as file:
            bits = [float(row["val/bits_per_token"]) for row in csv.DictReader(file) if row["val/bits_per_token"]][-1]
        size, length = book["n_embed"], book["grid_height"] * book["grid_width"]
        print(f"| {kind} | {length} × {math.log2(size):.1f} bits | {quality['psnr']:.2f} | {quality['ssim']:.4f} | "
              f"{book['codes_used']} ({100 * book['codes_used'] / len(book['counts']):.0f} %) | "
              f"{book['perplexity']:.0f} | {bits * length:.0f} |", flush=True)


if __name__ == "__main__":
    main()
