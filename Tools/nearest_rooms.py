#!/usr/bin/env python3
"""Whether samples under a label are most like the images of that label.

    Tools/nearest_rooms.py LABEL FRAMES... --samples SAMPLES... --drawn DRAWN [--least 0.9]

FRAMES are code shards of real images with the column LABEL, SAMPLES are code shards of sampled images that were encoded
again, DRAWN is the shard of sample-gpt --codes-out with the label of each. A sample counts as right when the real image
with the most equal codes has its label; images of label 0 (no known room) are left out. Needs h5py.
"""
import argparse
import os

import h5py
import numpy


def read(paths, label):
    codes, labels = [], []
    for path in paths:
        with h5py.File(path) as shard:
            codes.append(shard["codes"][:].astype(numpy.int32))
            labels.append(shard[label][:].astype(numpy.int64))
    return numpy.concatenate(codes), numpy.concatenate(labels)


def labels_by_name(path, label):
    with h5py.File(path) as shard:
        return dict(zip(shard["name"].asstr()[:], shard[label][:].astype(int)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("label")
    parser.add_argument("frames", nargs="+")
    parser.add_argument("--samples", nargs="+", required=True)
    parser.add_argument("--drawn", required=True)
    parser.add_argument("--least", type=float, default=0.9, help="fraction that must be right")
    options = parser.parse_args()
    frames, of_frames = read(options.frames, options.label)
    drawn = labels_by_name(options.drawn, options.label)
    samples, of_samples = [], []
    for path in options.samples:
        with h5py.File(path) as shard:
            for name, codes in zip(shard["name"].asstr()[:], shard["codes"][:]):
                name = os.path.splitext(os.path.basename(name))[0]
                if name in drawn:  # grid.png, the sheet of all, is no sample
                    samples.append(codes.astype(numpy.int32))
                    of_samples.append(drawn[name])
    frames, of_frames = frames[of_frames > 0], of_frames[of_frames > 0]
    right = {}
    for sample, label in zip(samples, of_samples):
        if label == 0:
            continue
        nearest = (frames == sample).sum(axis=1).argmax()
        right.setdefault(int(label), []).append(of_frames[nearest] == label)
    for label, results in sorted(right.items()):
        print(f"{options.label} {label}: {sum(results)} of {len(results)} nearest to their own")
    every = [result for results in right.values() for result in results]
    fraction = sum(every) / max(len(every), 1)
    print(f"all: {sum(every)} of {len(every)}, {fraction:.1%}")
    raise SystemExit(0 if every and fraction >= options.least else 1)


if __name__ == "__main__":
    main()
