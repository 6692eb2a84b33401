#!/usr/bin/env python3
"""Published tokenizers in plain PyTorch, with random weights under their published names.

    Tools/pytorch_tokenizers.py make NAME OUT [--small] [--seed N]
    Tools/pytorch_tokenizers.py compare NAME WEIGHTS --shard IMAGES.h5 --codes CODES.h5 --reconstructions FOLDER [--count N]

NAME is one of llamagen-vq16, llamagen-vq8, ibq-16384, open-magvit2, diffusers-ldm-f4, diffusers-amused, at the published sizes or,
with --small, in a file of less than 300 kB for the tests. `make` writes OUT.pt, OUT.ckpt with OUT.yaml, or the folder OUT, as each
family does, and OUT.safetensors: images, codes and reconstructions. `compare` encodes the images of a shard that prep-images made
and compares codes with those of encode-dataset and images with those of reconstruct.

A file of --small has the names and kinds of layers of the published ones, not their shapes: 32 channels, two levels, so a factor of 2,
and 64 codes (256 of open-magvit2). Its weights are cut out of two short lists of numbers. `compare` takes the published sizes alone.

The models are those of arXiv:2406.06525 (LlamaGen), 2412.02692 (IBQ), 2409.04410 (Open-MAGVIT2), 2112.10752 and 2401.01808 (the
VQModel of diffusers); names and shapes are those of the published files. Needs PyTorch, safetensors, numpy, Pillow; h5py to compare.
"""
import argparse, collections, glob, json, pathlib, sys

import numpy
import torch
import torch.nn as nn
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file, save_file

import pytorch_reference
from pytorch_reference import Attention, Residual, norm, part

SIZES = {
    "llamagen-vq16": {"ch": 128, "ch_mult": [1, 1, 2, 2, 4], "blocks": 2, "z": 256, "codes": 16384, "d": 8},
    "llamagen-vq8": {"ch": 128, "ch_mult": [1, 2, 2, 4], "blocks": 2, "z": 256, "codes": 16384, "d": 8},
    "ibq-16384": {"ch": 128, "ch_mult": [1, 1, 2, 2, 4], "blocks": 4, "z": 256, "codes": 16384, "d": 256},
    "open-magvit2": {"ch": 128, "ch_mult": [1, 1, 2, 2, 4], "blocks": 4, "z": 18, "codes": 2**18, "d": 18},
    "diffusers-ldm-f4": {"ch": 128, "ch_mult": [1, 2, 4], "blocks": 2, "z": 3, "codes": 8192, "d": 3},
    "diffusers-amused": {"ch": 128, "ch_mult": [1, 2, 2, 4, 6], "blocks": 2, "z": 64, "codes": 8192, "d": 64},
}
SMALL = {"ch": 32, "ch_mult": [1, 2], "blocks": 1, "z": 8, "codes": 64, "d": 8}
SMALL_OF = {"llamagen": {"d": 4}, "ibq": {"blocks": 4}, "open-magvit2": {"blocks": 2, "ch_mult": [2, 1], "codes": 256}, "diffusers-ldm-f4": {"d": 4}}


def size_of(name, small):
    if not small:
        return SIZES[name]
    return SMALL | next((change for prefix, change in SMALL_OF.items() if name.startswith(prefix)), {})


# MARK: LlamaGen: levels of residual and attention blocks, the decoder's deepest level first; attention at the deepest level alone


class LlamaGenLevel(nn.Module):
    def __init__(self, inputs, outputs, blocks, attends):
        super().__init__()
        self.res = nn.ModuleList(Residual(outputs if i else inputs, outputs) for i in range(blocks))
        self.attn = nn.ModuleList(Attention(outputs) for _ in range(blocks if attends else 0))

    def forward(self, x):
        for i, block in enumerate(self.res):
            x = block(x)
            x = self.attn[i](x) if self.attn else x
        return x


def llamagen_middle(width):
    return nn.ModuleList([Residual(width, width), Attention(width), Residual(width, width)])


class LlamaGenEncoder(nn.Module):
    def __init__(self, c):
        super().__init__()
        widths = [c["ch"] * factor for factor in c["ch_mult"]]
        self.conv_in, self.conv_blocks = nn.Conv2d(3, c["ch"], 3, padding=1), nn.ModuleList()
        for i, width in enumerate(widths):
            deepest = i == len(widths) - 1
            level = LlamaGenLevel(widths[i - 1] if i else c["ch"], width, c["blocks"], deepest)
            if not deepest:
                level.downsample = part(conv=nn.Conv2d(width, width, 3, stride=2))
            self.conv_blocks.append(level)
        self.mid, self.norm_out = llamagen_middle(widths[-1]), norm(widths[-1])
        self.conv_out = nn.Conv2d(widths[-1], c["z"], 3, padding=1)

    def forward(self, x):
        x = self.conv_in(x)
        for level in self.conv_blocks:
            x = level(x)
            if hasattr(level, "downsample"):
                x = level.downsample["conv"](F.pad(x, (0, 1, 0, 1)))
        for layer in self.mid:
            x = layer(x)
        return self.conv_out(F.silu(self.norm_out(x)))


class LlamaGenDecoder(nn.Module):
    def __init__(self, c):
        super().__init__()
        widths = [c["ch"] * factor for factor in reversed(c["ch_mult"])]
        self.conv_in, self.mid = nn.Conv2d(c["z"], widths[0], 3, padding=1), llamagen_middle(widths[0])
        self.conv_blocks = nn.ModuleList()
        for i, width in enumerate(widths):
            level = LlamaGenLevel(widths[max(i - 1, 0)], width, c["blocks"] + 1, i == 0)
            if i < len(widths) - 1:
                level.upsample = part(conv=nn.Conv2d(width, width, 3, padding=1))
            self.conv_blocks.append(level)
        self.norm_out, self.conv_out = norm(widths[-1]), nn.Conv2d(widths[-1], 3, 3, padding=1)

    def forward(self, x):
        x = self.conv_in(x)
        for layer in self.mid:
            x = layer(x)
        for level in self.conv_blocks:
            x = level(x)
            if hasattr(level, "upsample"):
                x = level.upsample["conv"](F.interpolate(x, scale_factor=2.0, mode="nearest"))
        return self.conv_out(F.silu(self.norm_out(x)))


# MARK: Open-MAGVIT2: blocks without biases, a decoder normalised by the codes


class BareBlock(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.norm1, self.conv1 = norm(inputs), nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.norm2, self.conv2 = norm(outputs), nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.nin_shortcut = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1, bias=False)

    def forward(self, x):
        return self.nin_shortcut(x) + self.conv2(F.silu(self.norm2(self.conv1(F.silu(self.norm1(x))))))


class ByCodes(nn.Module):
    """Normalised activations, scaled by the codes' deviations and shifted by their means."""

    def __init__(self, latents, channels):
        super().__init__()
        self.gamma, self.beta = nn.Linear(latents, channels), nn.Linear(latents, channels)

    def forward(self, x, z):
        scale = self.gamma((z.flatten(2).var(2, unbiased=True) + 1e-6).sqrt())
        return F.group_norm(x, 32, eps=1e-6) * scale[:, :, None, None] + self.beta(z.flatten(2).mean(2))[:, :, None, None]


class MAGVITLevel(nn.Module):
    def __init__(self, inputs, outputs, blocks):
        super().__init__()
        self.block = nn.ModuleList(BareBlock(outputs if i else inputs, outputs) for i in range(blocks))


class MAGVITEncoder(nn.Module):
    def __init__(self, c):
        super().__init__()
        widths = [c["ch"] * factor for factor in c["ch_mult"]]
        self.conv_in, self.down = nn.Conv2d(3, c["ch"], 3, padding=1, bias=False), nn.ModuleList()
        for i, width in enumerate(widths):
            level = MAGVITLevel(widths[i - 1] if i else c["ch"], width, c["blocks"])
            if i < len(widths) - 1:
                level.downsample = nn.Conv2d(width, width, 3, stride=2, padding=1)
            self.down.append(level)
        self.mid_block = nn.ModuleList(BareBlock(widths[-1], widths[-1]) for _ in range(c["blocks"]))
        self.norm_out, self.conv_out = norm(widths[-1]), nn.Conv2d(widths[-1], c["z"], 1)

    def forward(self, x):
        x = self.conv_in(x)
        for level in self.down:
            for block in level.block:
                x = block(x)
            x = level.downsample(x) if hasattr(level, "downsample") else x
        for block in self.mid_block:
            x = block(x)
        return self.conv_out(F.silu(self.norm_out(x)))


class MAGVITDecoder(nn.Module):
    def __init__(self, c):
        super().__init__()
        widths = [c["ch"] * factor for factor in c["ch_mult"]]
        self.conv_in = nn.Conv2d(c["z"], widths[-1], 3, padding=1)
        self.mid_block = nn.ModuleList(BareBlock(widths[-1], widths[-1]) for _ in range(c["blocks"]))
        self.up, self.adaptive = nn.ModuleList(), nn.ModuleList()
        for i, width in enumerate(widths):  # run from the last to the first
            inputs = widths[min(i + 1, len(widths) - 1)]
            level = MAGVITLevel(inputs, width, c["blocks"])
            if i:
                level.upsample = part(conv1=nn.Conv2d(width, 4 * width, 3, padding=1))
            self.up.append(level)
            self.adaptive.append(ByCodes(c["z"], inputs))
        self.norm_out, self.conv_out = norm(widths[0]), nn.Conv2d(widths[0], 3, 3, padding=1)

    def forward(self, z):
        x = self.conv_in(z)
        for block in self.mid_block:
            x = block(x)
        for i in reversed(range(len(self.up))):
            x = self.adaptive[i](x, z)
            for block in self.up[i].block:
                x = block(x)
            if i:
                x = self.up[i].upsample["conv1"](x)
                n, c, h, w = x.shape
                # The four parts of the channels are the four pixels of a square.
                x = x.reshape(n, 2, 2, c // 4, h, w).permute(0, 3, 4, 1, 5, 2).reshape(n, c // 4, 2 * h, 2 * w)
        return self.conv_out(F.silu(self.norm_out(x)))


# MARK: diffusers: the same layers in blocks of its own, attention of linear layers


class ResnetBlock(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.norm1, self.conv1 = norm(inputs), nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm2, self.conv2 = norm(outputs), nn.Conv2d(outputs, outputs, 3, padding=1)
        self.conv_shortcut = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)

    def forward(self, x):
        return self.conv_shortcut(x) + self.conv2(F.silu(self.norm2(self.conv1(F.silu(self.norm1(x))))))


class LinearAttention(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.group_norm = norm(channels)
        self.to_q, self.to_k, self.to_v = (nn.Linear(channels, channels) for _ in range(3))
        self.to_out = nn.ModuleList([nn.Linear(channels, channels), nn.Dropout(0)])

    def forward(self, x):
        n, c, h, w = x.shape
        rows = self.group_norm(x).flatten(2).transpose(1, 2)
        fractions = torch.softmax(self.to_q(rows) @ self.to_k(rows).transpose(1, 2) * c**-0.5, dim=2)
        return x + self.to_out[0](fractions @ self.to_v(rows)).transpose(1, 2).reshape(n, c, h, w)


def middle_block(width, attends):
    block = nn.Module()
    block.resnets = nn.ModuleList([ResnetBlock(width, width), ResnetBlock(width, width)])
    block.attentions = nn.ModuleList([LinearAttention(width)] if attends else [])
    return block


def through(block, x):
    """The blocks of a level or of the middle: attention follows each but, in the middle, the last."""
    for i, resnet in enumerate(block.resnets):
        x = resnet(x)
        x = block.attentions[i](x) if i < len(block.attentions) else x
    return x


class DiffusersEncoder(nn.Module):
    def __init__(self, c):
        super().__init__()
        widths = [c["ch"] * factor for factor in c["ch_mult"]]
        self.conv_in, self.down_blocks = nn.Conv2d(3, widths[0], 3, padding=1), nn.ModuleList()
        for i, width in enumerate(widths):
            block = nn.Module()
            block.resnets = nn.ModuleList(ResnetBlock(width if j else widths[max(i - 1, 0)], width) for j in range(c["blocks"]))
            block.attentions = nn.ModuleList(LinearAttention(width) for _ in range(c["blocks"] if i in c.get("attends", []) else 0))
            if i < len(widths) - 1:
                block.downsamplers = nn.ModuleList([part(conv=nn.Conv2d(width, width, 3, stride=2))])
            self.down_blocks.append(block)
        self.mid_block = middle_block(widths[-1], c["middle"])
        self.conv_norm_out, self.conv_out = norm(widths[-1]), nn.Conv2d(widths[-1], c["z"], 3, padding=1)

    def forward(self, x):
        x = self.conv_in(x)
        for block in self.down_blocks:
            x = through(block, x)
            if hasattr(block, "downsamplers"):
                x = block.downsamplers[0]["conv"](F.pad(x, (0, 1, 0, 1)))
        return self.conv_out(F.silu(self.conv_norm_out(through(self.mid_block, x))))


class DiffusersDecoder(nn.Module):
    def __init__(self, c):
        super().__init__()
        widths = [c["ch"] * factor for factor in reversed(c["ch_mult"])]
        self.conv_in, self.mid_block = nn.Conv2d(c["z"], widths[0], 3, padding=1), middle_block(widths[0], c["middle"])
        self.up_blocks = nn.ModuleList()
        for i, width in enumerate(widths):
            block, blocks, attends = nn.Module(), c["blocks"] + 1, len(widths) - 1 - i in c.get("attends", [])
            block.resnets = nn.ModuleList(ResnetBlock(width if j else widths[max(i - 1, 0)], width) for j in range(blocks))
            block.attentions = nn.ModuleList(LinearAttention(width) for _ in range(blocks if attends else 0))
            if i < len(widths) - 1:
                block.upsamplers = nn.ModuleList([part(conv=nn.Conv2d(width, width, 3, padding=1))])
            self.up_blocks.append(block)
        self.conv_norm_out, self.conv_out = norm(widths[-1]), nn.Conv2d(widths[-1], 3, 3, padding=1)

    def forward(self, x):
        x = through(self.mid_block, self.conv_in(x))
        for block in self.up_blocks:
            x = through(block, x)
            if hasattr(block, "upsamplers"):
                x = block.upsamplers[0]["conv"](F.interpolate(x, scale_factor=2.0, mode="nearest"))
        return self.conv_out(F.silu(self.conv_norm_out(x)))


# MARK: Rules of the codes


class Entries(nn.Module):
    """A table of entries, and which of them a latent becomes: the one of the largest score."""

    def __init__(self, entries, length):
        super().__init__()
        self.embedding = nn.Embedding(entries, length)

    def table(self):
        return self.embedding.weight

    def forward(self, rows):
        codes = torch.cat([self.scores(part).argmax(1) for part in rows.split(256)])
        return self.table()[codes], codes


class Nearest(Entries):
    def scores(self, rows):
        return -torch.cdist(rows.double(), self.table().double()).square()


class Cosine(Entries):
    def table(self):
        return F.normalize(self.embedding.weight, dim=-1)

    def scores(self, rows):
        return F.normalize(rows, dim=-1).double() @ self.table().double().t()


class Product(Entries):
    def scores(self, rows):
        return rows.double() @ self.table().double().t()


class Signs(nn.Module):
    def forward(self, rows):
        q = torch.where(rows > 0, 1.0, -1.0).to(rows)
        return q, ((q > 0) * 2 ** torch.arange(rows.shape[1])).sum(1)


class Tokenizer(nn.Module):
    def __init__(self, name, c):
        super().__init__()
        self.name, self.c = name, c
        if name.startswith("ibq"):
            shape = {"in_channels": 3, "out_ch": 3, "ch": c["ch"], "ch_mult": c["ch_mult"], "num_res_blocks": c["blocks"],
                     "z_channels": c["z"], "resolution": 256, "attn_resolutions": [256 >> len(c["ch_mult"]) - 1]}
            self.encoder, self.decoder = pytorch_reference.Encoder(shape), pytorch_reference.Decoder(shape)
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
    last = next((getattr(model, key) for key in ("quant_conv", "pre_quant_conv") if hasattr(model, key)), model.encoder.conv_out)
    z = model.latents(x)
    mean, deviation = z.mean((0, 2, 3)), z.std((0, 2, 3))
    last.weight.data = last.weight / deviation[:, None, None, None]
    last.bias.data = (last.bias - mean) / deviation


def pooled(model):
    """Puts all weights into two short lists of numbers, at other places in them: the file of the state is small."""
    pool, scales = torch.randn(40_000) * 0.08, torch.randn(1000) * 0.1 + 1
    for name, parameter in model.named_parameters():
        # A normalised channel that is scaled to almost nothing would be rounding errors after the next normalisation.
        is_scale = ("norm" in name or ".ln" in name) and name.endswith("weight") and parameter.dim() == 1 or name.endswith("gamma.bias")
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
        config = {"_class_name": "VQModel", "_diffusers_version": "0.27.0", "act_fn": "silu", "block_out_channels": widths,
                  "down_block_types": kinds, "in_channels": 3, "latent_channels": c["z"], "layers_per_block": c["blocks"],
                  "norm_num_groups": 32, "num_vq_embeddings": c["codes"], "out_channels": 3, "sample_size": 256,
                  "up_block_types": [kind.replace("DownEncoder", "UpDecoder") for kind in reversed(kinds)], "vq_embed_dim": c["d"]}
        if name == "diffusers-amused":
            config |= {"mid_block_add_attention": False, "lookup_from_codebook": True, "vq_embed_dim": None, "force_upcast": True}
        (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
        if small:
            torch.save(state, folder / "diffusion_pytorch_model.bin")
        else:
            save_file({key: value.contiguous() for key, value in state.items()}, folder / "diffusion_pytorch_model.safetensors")
    else:
        if name.startswith("ibq"):
            # The average is what counts: the weights beside it are others.
            nothing = torch.zeros(1)
            averages = {"model_ema." + key.replace(".", ""): value for key, value in state.items()}
            averages |= {"model_ema.decay": torch.tensor(0.999), "model_ema.num_updates": torch.tensor(-1, dtype=torch.int)}
            state = collections.OrderedDict((key, nothing.expand(value.shape) if small else value.roll(1, 0))
                                            for key, value in state.items())
            state.update(averages)
        torch.save({"epoch": 1, "global_step": 10, "pytorch-lightning_version": "2.2.0", "state_dict": state}, f"{out}.ckpt")
        path, extra = ("src.IBQ.models.ibqgan.IBQ", "      attn_resolutions: [16]\n") if name.startswith("ibq") else (
            "src.Open_MAGVIT2.models.lfqgan.VQModel", "")
        resolution = 16 << len(c["ch_mult"]) - 1
        pathlib.Path(f"{out}.yaml").write_text(
            f"model:\n  class_path: {path}\n  init_args:\n    ddconfig:\n      double_z: False\n      z_channels: {c['z']}\n"
            f"      resolution: {resolution}\n      in_channels: 3\n      out_ch: 3\n      ch: {c['ch']}\n"
            f"      ch_mult: {c['ch_mult']}\n      num_res_blocks: {c['blocks']}\n{extra}    n_embed: {c['codes']}\n    embed_dim: {c['d']}\n")


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
    print(f"{len(codes.unique())} of {c['codes']} codes in {codes.numel()} positions, images from {y.min():.2f} to {y.max():.2f}",
          file=sys.stderr)
    write(options.name, model, options.out, options.small)
    save_file({"x": x, "codes": codes.to(torch.int32), "reconstruction": y.contiguous()}, f"{options.out}.safetensors")


def compare(options):
    import h5py
    model = read(options.name, options.weights)
    ties = different = positions = 0
    largest = 0.0
    with torch.no_grad(), h5py.File(options.shard) as images, h5py.File(options.codes) as codes:
        names = [name.decode() for name in images["name"]]
        assert names == [name.decode() for name in codes["name"]], "the shards are not of the same images"
        count = min(len(names), options.count or len(names))
        for row in range(count):
            x = torch.from_numpy(images["images"][row]).permute(2, 0, 1)[None].float() / 127.5 - 1
            y, wanted, rows = model(x)
            wanted, found = wanted.flatten(), torch.from_numpy(codes["codes"][row].astype(numpy.int64))
            for position in (found != wanted).nonzero().flatten().tolist():
                a, b = nearness(model.quantize, rows[position], int(found[position]), int(wanted[position]))
                if abs(a - b) < 1e-5 * max(abs(a), abs(b), 1):
                    ties += 1
                else:
                    different += 1
                    print(f"{names[row]}, position {position}: code {found[position]}, PyTorch {wanted[position]}; {a:.7g} and {b:.7g}")
            positions += len(wanted)
            if bool((found != wanted).any()):
                continue  # another code is another image
            path = glob.glob(f"{glob.escape(options.reconstructions)}/{row:04}-*.png")
            assert len(path) == 1, f"no reconstruction of image {row}, {names[row]}"
            image = torch.from_numpy(numpy.asarray(Image.open(path[0]).convert("RGB")).astype(numpy.float32))
            level = (y[0].permute(1, 2, 0).clamp(-1, 1) + 1) * 127.5
            # An image holds whole levels: half a level of distance is due to them.
            largest = max(largest, ((image - level).abs().max().item() - 0.5) / 127.5)
    print(f"{options.name}: {positions} codes of {count} images: {different} different, {ties} ties closer than 1e-5; "
          f"pixels, in [-1, 1], rounding to whole levels apart: at most {largest:.1e} away")
    sys.exit(different > 0 or largest > 1e-4)


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
