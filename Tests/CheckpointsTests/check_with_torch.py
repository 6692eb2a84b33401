"""Checks convert-checkpoint against PyTorch: both ways, bit for bit, with strict loading into models of the
reference's shape.

Usage: check_with_torch.py FOLDER-OF-BUILT-COMMANDS [full]      (needs torch and safetensors)

The models here have the names and shapes of taming-transformers' VQModel and Net2NetTransformer, and no forward pass.
With `full` the sizes are the published ones, and time and memory of each conversion are printed; needs 12 GB of disk.
"""

import argparse
import collections
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn


def norm(channels):
    return nn.GroupNorm(32, channels, eps=1e-6)


class Residual(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.norm1, self.conv1 = norm(inputs), nn.Conv2d(inputs, outputs, 3)
        self.norm2, self.conv2 = norm(outputs), nn.Conv2d(outputs, outputs, 3)
        if inputs != outputs:
            self.nin_shortcut = nn.Conv2d(inputs, outputs, 1)


class Attention(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm = norm(channels)
        for name in ("q", "k", "v", "proj_out"):
            setattr(self, name, nn.Conv2d(channels, channels, 1))


def part(**modules):
    holder = nn.Module()
    for name, module in modules.items():
        setattr(holder, name, module)
    return holder


def middle(channels):
    return part(block_1=Residual(channels, channels), attn_1=Attention(channels), block_2=Residual(channels, channels))


def level(inputs, outputs, blocks, attends):
    return part(
        block=nn.ModuleList(Residual(outputs if i else inputs, outputs) for i in range(blocks)),
        attn=nn.ModuleList(Attention(outputs) for _ in range(blocks if attends else 0)))


def encoder(c):
    widths = [c["ch"] * m for m in c["ch_mult"]]
    down = nn.ModuleList()
    for i, width in enumerate(widths):
        down.append(level(widths[i - 1] if i else c["ch"], width, c["blocks"], i in c["attends"]))
        if i < len(widths) - 1:
            down[-1].downsample = part(conv=nn.Conv2d(width, width, 3))
    return part(conv_in=nn.Conv2d(c["channels"], c["ch"], 3), down=down, mid=middle(widths[-1]),
                norm_out=norm(widths[-1]), conv_out=nn.Conv2d(widths[-1], c["z"], 3))


def decoder(c):
    widths = [c["ch"] * m for m in c["ch_mult"]]
    up = nn.ModuleList()
    for i, width in enumerate(widths):
        up.append(level(widths[min(i + 1, len(widths) - 1)], width, c["blocks"] + 1, i in c["attends"]))
        if i:
            up[-1].upsample = part(conv=nn.Conv2d(width, width, 3))
    return part(conv_in=nn.Conv2d(c["z"], widths[-1], 3), mid=middle(widths[-1]), up=up, norm_out=norm(widths[0]),
                conv_out=nn.Conv2d(widths[0], c["channels"], 3))


def discriminator(ndf, layers):
    stack = [nn.Conv2d(3, ndf, 4), nn.LeakyReLU()]
    inputs = ndf
    for n in range(1, layers + 1):
        outputs = ndf * min(2 ** n, 8)
        stack += [nn.Conv2d(inputs, outputs, 4, bias=False), nn.BatchNorm2d(outputs), nn.LeakyReLU()]
        inputs = outputs
    return part(main=nn.Sequential(*stack, nn.Conv2d(inputs, 1, 4)))


def vgg16(channels):
    """torchvision's list of layers, with the slice of LPIPS that each convolution is in."""
    layers, inputs, index = [], 3, 0
    for piece, depth in enumerate([2, 2, 3, 3, 3]):
        for _ in range(depth):
            layers.append((index, piece, nn.Conv2d(inputs, channels[piece], 3)))
            inputs, index = channels[piece], index + 2
        index += 1
    return layers


class LPIPS(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.scaling_layer = nn.Module()
        self.scaling_layer.register_buffer("shift", torch.tensor([-0.030, -0.088, -0.188])[None, :, None, None])
        self.scaling_layer.register_buffer("scale", torch.tensor([0.458, 0.448, 0.450])[None, :, None, None])
        self.net = nn.Module()
        for index, piece, convolution in vgg16(channels):
            name = f"slice{piece + 1}"
            if not hasattr(self.net, name):
                setattr(self.net, name, nn.Module())
            getattr(self.net, name).add_module(str(index), convolution)
        for i, count in enumerate(channels):
            setattr(self, f"lin{i}", part(model=nn.Sequential(nn.Dropout(), nn.Conv2d(count, 1, 1, bias=False))))


class VQModel(nn.Module):
    def __init__(self, c, loss=True):
        super().__init__()
        self.encoder, self.decoder = encoder(c), decoder(c)
        if loss:
            self.loss = part(perceptual_loss=LPIPS(c["lpips"]), discriminator=discriminator(c["ndf"], c["layers"]))
        self.quantize = part(embedding=nn.Embedding(c["codes"], c["length"]))
        self.quant_conv = nn.Conv2d(c["z"], c["length"], 1)
        self.post_quant_conv = nn.Conv2d(c["length"], c["z"], 1)


class Block(nn.Module):
    def __init__(self, g):
        super().__init__()
        width = g["width"]
        self.ln1, self.ln2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = part(**{name: nn.Linear(width, width) for name in ("key", "query", "value", "proj")})
        self.attn.register_buffer("mask", torch.tril(torch.ones(g["block"], g["block"]))[None, None])
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))


class Net2Net(nn.Module):
    def __init__(self, g, first, condition):
        super().__init__()
        self.first_stage_model = first
        if condition is not None:
            self.cond_stage_model = condition
        self.transformer = part(
            tok_emb=nn.Embedding(g["tokens"], g["width"]), blocks=nn.Sequential(*(Block(g) for _ in range(g["depth"]))),
            ln_f=nn.LayerNorm(g["width"]), head=nn.Linear(g["width"], g["tokens"], bias=False))
        self.transformer.register_parameter("pos_emb", nn.Parameter(torch.randn(1, g["block"], g["width"])))


TINY = dict(ch=32, ch_mult=[1, 2], blocks=1, attends={1}, channels=3, z=16, codes=24, length=8, ndf=8, layers=2,
            lpips=[4, 8, 8, 8, 8])
TINY_GPT = dict(tokens=24, width=16, block=32, depth=2, heads=2)
F16 = dict(ch=128, ch_mult=[1, 1, 2, 2, 4], blocks=2, attends={4}, channels=3, z=256, codes=8192, length=256, ndf=64,
           layers=3, lpips=[64, 128, 256, 512, 512])
COCO_GPT = dict(tokens=8192, width=1280, block=512, depth=32, heads=16)


def lightning(model, path, **save):
    """A checkpoint as Lightning 1.0.8 wrote it, optimizer states and a class among the keys included."""
    state = {"step": 1, "exp_avg": torch.zeros(1000), "exp_avg_sq": torch.zeros(1000)}
    torch.save({"epoch": 2, "global_step": 99, "pytorch-lightning_version": "1.0.8", "state_dict": model.state_dict(),
                "callbacks": {argparse.Namespace: {"best_model_score": torch.tensor(0.5)}},
                "optimizer_states": [{"state": {0: state}, "param_groups": []}], "lr_schedulers": []}, path, **save)


# A process between, because the memory of the one that starts a command counts as the command's too.
MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
"""


def run(bin, *arguments, title):
    """Runs convert-checkpoint; prints seconds and the most memory that it took."""
    start = time.monotonic()
    peak = subprocess.run([sys.executable, "-I", "-S", "-c", MEASURE, bin / "convert-checkpoint", *map(str, arguments)],
                          check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    print(f"{title}: {time.monotonic() - start:.2f} s, {peak} MB")


def same(found, expected, title):
    assert found.keys() == expected.keys(), (title, found.keys() ^ expected.keys())
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype and torch.equal(found[name], tensor), (title, name)


def without(state, *parts):
    return {k: v for k, v in state.items() if not any(p in k for p in parts)}


def check_vqgan(bin, work, c):
    model = VQModel(c)
    state = model.state_dict()
    for form in ({}, {"_use_new_zipfile_serialization": False}):
        source, folder, back = work / "vqgan.ckpt", work / "vqgan", work / "back.ckpt"
        lightning(model, source, **form)
        run(bin, source, "--out", folder,
            title=f"VQModel, {source.stat().st_size / 1e6:.0f} MB" + " (stream)" * bool(form))
        same(load_file(folder / "model.safetensors"), state, "import")
        run(bin, folder, "--to", "taming", "--out", back, title="and back")
        loaded = torch.load(back, weights_only=True)
        same(loaded["state_dict"], state, "export")
        VQModel(c).load_state_dict(loaded["state_dict"], strict=True)
        subprocess.run(["rm", "-rf", source, folder, back], check=True)


def check_perceptual(bin, work, c):
    layers = {index: convolution for index, _, convolution in vgg16(c["lpips"])}
    classic = collections.OrderedDict(
        (f"features.{i}.{n}", getattr(l, n).data) for i, l in layers.items() for n in ("weight", "bias"))
    classic["classifier.0.weight"] = torch.randn(8, 8)
    heads = collections.OrderedDict(
        (f"lin{i}.model.1.weight", torch.rand(1, n, 1, 1)) for i, n in enumerate(c["lpips"]))
    torch.save(classic, work / "vgg16.pth", _use_new_zipfile_serialization=False)
    torch.save(heads, work / "lpips.pth", _use_new_zipfile_serialization=False)
    run(bin, work / "lpips.pth", work / "vgg16.pth", "--out", work / "perceptual.safetensors", title="LPIPS on VGG16")
    model = LPIPS(c["lpips"])
    missing, unexpected = model.load_state_dict(load_file(work / "perceptual.safetensors"), strict=False)
    assert set(missing) == {"scaling_layer.shift", "scaling_layer.scale"} and not unexpected, (missing, unexpected)
    for index, piece, _ in vgg16(c["lpips"]):
        found = getattr(model.net, f"slice{piece + 1}").get_submodule(str(index)).weight
        assert torch.equal(found, classic[f"features.{index}.weight"]), index


def check_transformer(bin, work, c, g):
    conditional = dict(c, channels=183, codes=min(c["codes"], 1024))
    model = Net2Net(g, VQModel(c, loss=False), VQModel(conditional, loss=False))
    state = model.state_dict()
    source, folder, back = work / "transformer.ckpt", work / "gpt", work / "back.ckpt"
    lightning(model, source)
    del model
    size = f"{source.stat().st_size / 1e9:.2f} GB"
    run(bin, source, "--heads", g["heads"], "--grid", "4x4", "--out", folder, title=f"Net2NetTransformer, {size}")
    expected = {k.removeprefix("transformer."): v for k, v in state.items() if k.startswith("transformer.")}
    same(load_file(folder / "model.safetensors"), without(expected, ".attn.mask"), "transformer")
    for name, prefix in (("first-stage", "first_stage_model."), ("cond-stage", "cond_stage_model.")):
        expected = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
        same(load_file(folder / name / "model.safetensors"), expected, name)
    run(bin, folder, "--to", "taming", "--out", back, title="and back")
    loaded = torch.load(back, weights_only=True)["state_dict"]
    same(loaded, state, "export")
    for name in ("first-stage", "cond-stage", "transformer"):
        run(bin, source, "--heads", g["heads"], "--grid", "4x4", "--extract", name, "--out", work / name,
            title=f"its {name}")
    Net2Net(g, VQModel(c, loss=False), VQModel(conditional, loss=False)).load_state_dict(loaded, strict=True)


def main():
    bin, full = Path(sys.argv[1]).resolve(), "full" in sys.argv[2:]
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        for check, arguments in ((check_vqgan, [F16 if full else TINY]), (check_perceptual, [F16 if full else TINY]),
                                 (check_transformer, [F16, COCO_GPT] if full else [TINY, TINY_GPT])):
            work = Path(folder) / check.__name__
            work.mkdir()
            check(bin, work, *arguments)
            subprocess.run(["rm", "-rf", work], check=True)


main()
