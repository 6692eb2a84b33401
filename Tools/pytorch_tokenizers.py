#!/usr/bin/env python3
"""Published tokenizers in plain PyTorch, with random weights under their published names.

    Tools/pytorch_tokenizers.py make NAME OUT [--small] [--seed N]
    Tools/pytorch_tokenizers.py compare NAME WEIGHTS --shard IMAGES.h5 --codes CODES.h5 --reconstructions FOLDER
        [--count N]

NAME is one of llamagen-vq16, llamagen-vq8, ibq-16384, open-magvit2, diffusers-ldm-f4, diffusers-amused, at the
published sizes or, with --small, in a file of less than 300 kB for the tests. `make` writes OUT.pt, OUT.ckpt with
OUT.yaml, or the folder OUT, as each family does, and OUT.safetensors: images, codes and reconstructions. `compare`
encodes the images of a shard that prep-images made and compares codes with those of encode-dataset and images with
those of reconstruct.

A file of --small has the names and kinds of layers of the published ones, not their shapes: 32 channels, two levels, so
a factor of 2, and 64 codes (256 of open-magvit2). Its weights are cut out of two short lists of numbers. `compare`
takes the published sizes alone.

The encoders, decoders and quantizers are those of pytorch_tokenizer_networks.py; names and shapes are those of the
published files. Needs PyTorch, safetensors, numpy, Pillow; h5py to compare.
"""
import argparse, collections, json, pathlib, sys

import torch
import torch.nn as nn
from safetensors.torch import load_file, save_file

import pytorch_comparison
from pytorch_models import Decoder, Encoder
from pytorch_tokenizer_networks import (
    Cosine, DiffusersDecoder, DiffusersEncoder, LlamaGenDecoder, LlamaGenEncoder, MAGVITDecoder, MAGVITEncoder, Nearest,
    Product, Signs)

SIZES = {
    "llamagen-vq16": {"ch": 128, "ch_mult": [1, 1, 2, 2, 4], "blocks": 2, "z": 256, "codes": 16384, "d": 8},
    "llamagen-vq8": {"ch": 128, "ch_mult": [1, 2, 2, 4], "blocks": 2, "z": 256, "codes": 16384, "d": 8},
    "ibq-16384": {"ch": 128, "ch_mult": [1, 1, 2, 2, 4], "blocks": 4, "z": 256, "codes": 16384, "d": 256},
    "open-magvit2": {"ch": 128, "ch_mult": [1, 1, 2, 2, 4], "blocks": 4, "z": 18, "codes": 2**18, "d": 18},
    "diffusers-ldm-f4": {"ch": 128, "ch_mult": [1, 2, 4], "blocks": 2, "z": 3, "codes": 8192, "d": 3},
    "diffusers-amused": {"ch": 128, "ch_mult": [1, 2, 2, 4, 6], "blocks": 2, "z": 64, "codes": 8192, "d": 64},
}
SMALL = {"ch": 32, "ch_mult": [1, 2], "blocks": 1, "z": 8, "codes": 64, "d": 8}
SMALL_OF = {"llamagen": {"d": 4}, "ibq": {"blocks": 4}, "open-magvit2": {"blocks": 2, "ch_mult": [2, 1], "codes": 256},
            "diffusers-ldm-f4": {"d": 4}}


def size_of(name, small):
    if not small:
        return SIZES[name]
    return SMALL | next((change for prefix, change in SMALL_OF.items() if name.startswith(prefix)), {})


class Tokenizer(nn.Module):
    def __init__(self, name, c):
        super().__init__()
        self.name, self.c = name, c
        if name.startswith("ibq"):
            shape = {"in_channels": 3, "out_ch": 3, "ch": c["ch"], "ch_mult": c["ch_mult"],
                     "num_res_blocks": c["blocks"], "z_channels": c["z"], "resolution": 256,
                     "attn_resolutions": [256 >> len(c["ch_mult"]) - 1]}
            self.encoder, self.decoder = Encoder(shape), Decoder(shape)
        elif name.startswith("llamagen"):
            self.encoder, self.decoder = LlamaGenEncoder(c), LlamaGenDecoder(c)
        elif name.startswith("diffusers"):
            c = c | {"middle": name != "diffusers-amused", "attends": c.get("attends", [])}
            self.encoder, self.decoder = DiffusersEncoder(c), DiffusersDecoder(c)
        else:
            self.encoder, self.decoder = MAGVITEncoder(c), MAGVITDecoder(c)
        self.quantize = {"l": lambda: Cosine(c["codes"], c["d"]), "i": lambda: Product(c["codes"], c["d"]), "o": Signs,
                         "d": lambda: Nearest(c["codes"], c["d"])}[name[0]]()
        if name != "open-magvit2":
            self.quant_conv, self.post_quant_conv = nn.Conv2d(c["z"], c["d"], 1), nn.Conv2d(c["d"], c["z"], 1)
        # aMUSEd's pixels are 0 to 1.
        self.is_unit = name == "diffusers-amused"

    def latents(self, x):
        h = self.encoder(x / 2 + 0.5 if self.is_unit else x)
        return self.quant_conv(h) if hasattr(self, "quant_conv") else h

    def forward(self, x):
        """Reconstructions in [-1, 1], codes `[N, h, w]` and latents `[N h w, D]`."""
        z = self.latents(x)
        n, d, h, w = z.shape
        rows = z.permute(0, 2, 3, 1).reshape(-1, d)
        q, codes = self.quantize(rows)
        q = q.reshape(n, h, w, -1).permute(0, 3, 1, 2)
        y = self.decoder(self.post_quant_conv(q) if hasattr(self, "post_quant_conv") else q)
        return (2 * y - 1 if self.is_unit else y), codes.reshape(n, h, w), rows


def centre(model, x):
    """Makes the latents of images have mean 0 and variance 1, so that random entries are all in use."""
    last = next((getattr(model, key) for key in ("quant_conv", "pre_quant_conv") if hasattr(model, key)),
                model.encoder.conv_out)
    z = model.latents(x)
    mean, deviation = z.mean((0, 2, 3)), z.std((0, 2, 3))
    last.weight.data = last.weight / deviation[:, None, None, None]
    last.bias.data = (last.bias - mean) / deviation


def pooled(model):
    """Puts all weights into two short lists of numbers, at other places in them: the file of the state is small."""
    pool, scales = torch.randn(40_000) * 0.08, torch.randn(1000) * 0.1 + 1
    for name, parameter in model.named_parameters():
        # A normalised channel that is scaled to almost nothing would be rounding errors after the next normalisation.
        is_scale = (("norm" in name or ".ln" in name) and name.endswith("weight") and parameter.dim() == 1
                    or name.endswith("gamma.bias"))
        source = scales if is_scale else pool
        start = int(torch.randint(len(source) - parameter.numel() + 1, (1,)))
        parameter.data = source[start : start + parameter.numel()].view(parameter.shape)


def waves(count, side):
    """Smooth images of several colours, in [-1, 1]."""
    y, x = torch.meshgrid(torch.arange(side) / side, torch.arange(side) / side, indexing="ij")
    images = []
    for i in range(count):
        a = torch.rand(3, 6)
        images.append(torch.stack([torch.sin(6.3 * (2 + i) * (a[c, 0] * x + a[c, 1] * y) + 6.3 * a[c, 2]) * a[c, 3]
                                   + torch.cos(25 * (a[c, 4] * x - a[c, 5] * y)) * (1 - a[c, 3]) for c in range(3)]))
    return torch.stack(images).clamp(-1, 1)


# MARK: Files


def write(name, model, out, small):
    state = collections.OrderedDict((key, value.data) for key, value in model.state_dict().items())
    c = model.c
    if name.startswith("llamagen"):
        state["quantize.codebook_used"] = torch.zeros(1).expand(65536) if small else torch.zeros(65536)
        torch.save({"model": state}, f"{out}.pt")
    elif name.startswith("diffusers"):
        folder = pathlib.Path(out)
        folder.mkdir()
        widths, attends = [c["ch"] * factor for factor in c["ch_mult"]], c.get("attends", [])
        kinds = ["AttnDownEncoderBlock2D" if i in attends else "DownEncoderBlock2D" for i in range(len(widths))]
        config = {"_class_name": "VQModel", "_diffusers_version": "0.27.0", "act_fn": "silu",
                  "block_out_channels": widths, "down_block_types": kinds, "in_channels": 3, "latent_channels": c["z"],
                  "layers_per_block": c["blocks"], "norm_num_groups": 32, "num_vq_embeddings": c["codes"],
                  "out_channels": 3, "sample_size": 256,
                  "up_block_types": [kind.replace("DownEncoder", "UpDecoder") for kind in reversed(kinds)],
                  "vq_embed_dim": c["d"]}
        if name == "diffusers-amused":
            config |= {"mid_block_add_attention": False, "lookup_from_codebook": True, "vq_embed_dim": None,
                       "force_upcast": True}
        (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
        if small:
            torch.save(state, folder / "diffusion_pytorch_model.bin")
        else:
            save_file({key: value.contiguous() for key, value in state.items()},
                      folder / "diffusion_pytorch_model.safetensors")
    else:
        if name.startswith("ibq"):
            # The average is what counts: the weights beside it are others.
            nothing = torch.zeros(1)
            averages = {"model_ema." + key.replace(".", ""): value for key, value in state.items()}
            averages |= {"model_ema.decay": torch.tensor(0.999),
                         "model_ema.num_updates": torch.tensor(-1, dtype=torch.int)}
            state = collections.OrderedDict((key, nothing.expand(value.shape) if small else value.roll(1, 0))
                                            for key, value in state.items())
            state.update(averages)
        torch.save({"epoch": 1, "global_step": 10, "pytorch-lightning_version": "2.2.0", "state_dict": state},
                   f"{out}.ckpt")
        path, extra = ("src.IBQ.models.ibqgan.IBQ", "      attn_resolutions: [16]\n") if name.startswith("ibq") else (
            "src.Open_MAGVIT2.models.lfqgan.VQModel", "")
        resolution = 16 << len(c["ch_mult"]) - 1
        pathlib.Path(f"{out}.yaml").write_text(
            f"model:\n  class_path: {path}\n  init_args:\n    ddconfig:\n      double_z: False\n"
            f"      z_channels: {c['z']}\n      resolution: {resolution}\n      in_channels: 3\n      out_ch: 3\n"
            f"      ch: {c['ch']}\n      ch_mult: {c['ch_mult']}\n      num_res_blocks: {c['blocks']}\n{extra}"
            f"    n_embed: {c['codes']}\n    embed_dim: {c['d']}\n")


def read(name, path):
    """The model of a file that `write` wrote at the published sizes."""
    model = Tokenizer(name, SIZES[name])
    if name.startswith("diffusers"):
        state = load_file(f"{path}/diffusion_pytorch_model.safetensors")
    else:
        whole = torch.load(path, weights_only=True)
        state = whole.get("model") or whole["state_dict"]
    state = {key: value for key, value in state.items() if key != "quantize.codebook_used"}
    if name.startswith("ibq"):
        state = {key: state["model_ema." + key.replace(".", "")] for key in state if not key.startswith("model_ema.")}
    model.load_state_dict(state, strict=True)
    return model.eval()


def make(options):
    torch.manual_seed(options.seed)
    c = size_of(options.name, options.small)
    if options.small and options.name == "diffusers-ldm-f4":
        c = c | {"attends": [1]}
    model = Tokenizer(options.name, c).eval()
    if options.small:
        pooled(model)
    with torch.no_grad():
        factor = 2 ** (len(c["ch_mult"]) - 1)
        x = waves(2, 12 * factor if options.small else 128)
        centre(model, x)
        y, codes, _ = model(x)
    print(f"{len(codes.unique())} of {c['codes']} codes in {codes.numel()} positions, "
          f"images from {y.min():.2f} to {y.max():.2f}", file=sys.stderr)
    write(options.name, model, options.out, options.small)
    save_file({"x": x, "codes": codes.to(torch.int32), "reconstruction": y.contiguous()}, f"{options.out}.safetensors")


def compare(options):
    model = read(options.name, options.weights)

    def run(x):
        y, codes, rows = model(x)
        return y, codes, lambda position, *codes: nearness(model.quantize, rows[position], *codes)

    pytorch_comparison.compare(options, run, floor=1, most=1e-4, title=f"{options.name}: ")


def nearness(quantize, row, found, wanted):
    """The scores of two codes of one latent."""
    if isinstance(quantize, Signs):
        # The latents of the channels in which they differ.
        return float(row[[found >> i & 1 != wanted >> i & 1 for i in range(len(row))]].abs().max()), 0.0
    scores = quantize.scores(row[None])[0]
    return float(scores[found]), float(scores[wanted])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("make")
    command.set_defaults(action=make)
    command.add_argument("name", choices=SIZES)
    command.add_argument("out")
    command.add_argument("--small", action="store_true")
    command.add_argument("--seed", type=int, default=1)
    command = commands.add_parser("compare")
    command.set_defaults(action=compare)
    command.add_argument("name", choices=SIZES)
    command.add_argument("weights")
    for option in ("shard", "codes", "reconstructions"):
        command.add_argument(f"--{option}", required=True)
    command.add_argument("--count", type=int)
    options = parser.parse_args()
    options.action(options)


if __name__ == "__main__":
    main()
