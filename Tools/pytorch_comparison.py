"""Codes and reconstructions of the commands of this suite beside those that PyTorch computes."""
import glob, sys

import numpy
import torch
from PIL import Image


def compare(options, run, floor, most, title=""):
    """Prints how many codes differ and by how much pixels do, then ends the program, with 1 if any does.

    options: the paths of the images (`shard`), of their codes by encode-dataset (`codes`) and of the folder of
    reconstruct (`reconstructions`, or None), and how many images to compare (`count`, or None).
    run: takes an image `[1, 3, H, W]` in [-1, 1]; returns its reconstruction (unused without such a folder), its codes
    and `scores(position, found, wanted)`, the two numbers by which one of two codes is chosen.
    floor: two scores closer than 1e-5 of the larger one, or of this, are a tie, which is no difference.
    most: the largest distance of a pixel, in [-1, 1], in images without another code.
    """
    import h5py
    ties = different = positions = 0
    largest = 0.0
    with torch.no_grad(), h5py.File(options.shard) as images, h5py.File(options.codes) as codes:
        names = [name.decode() for name in images["name"]]
        assert names == [name.decode() for name in codes["name"]], "the shards are not of the same images"
        count = min(len(names), options.count or len(names))
        for row in range(count):
            x = torch.from_numpy(images["images"][row]).permute(2, 0, 1)[None].float() / 127.5 - 1
            y, wanted, scores = run(x)
            wanted, found = wanted.flatten(), torch.from_numpy(codes["codes"][row].astype(numpy.int64))
            for position in (found != wanted).nonzero().flatten().tolist():
                a, b = scores(position, int(found[position]), int(wanted[position]))
                if abs(a - b) < 1e-5 * max(abs(a), abs(b), floor):
                    ties += 1
                else:
                    different += 1
                    print(f"{names[row]}, position {position}: code {found[position]}, PyTorch {wanted[position]}; "
                          f"{a:.7g} and {b:.7g}")
            positions += len(wanted)
            if not options.reconstructions or bool((found != wanted).any()):
                continue  # another code is another image
            path = glob.glob(f"{glob.escape(options.reconstructions)}/{row:04}-*.png")
            assert len(path) == 1, f"no reconstruction of image {row}, {names[row]}, in {options.reconstructions}"
            image = torch.from_numpy(numpy.asarray(Image.open(path[0]).convert("RGB")).astype(numpy.float32))
            level = (y[0].permute(1, 2, 0).clamp(-1, 1) + 1) * 127.5
            # An image holds whole levels: half a level of distance is due to them.
            largest = max(largest, ((image - level).abs().max().item() - 0.5) / 127.5)
    print(f"{title}{positions} codes of {count} images: {different} different, {ties} ties closer than 1e-5")
    if options.reconstructions:
        print(f"{title}pixels, in [-1, 1], rounding to whole levels apart: at most {largest:.1e} away")
    sys.exit(different > 0 or largest > most)
