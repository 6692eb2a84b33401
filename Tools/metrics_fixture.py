#!/usr/bin/env python3
"""Writes Tests/Fixtures/metrics/networks.safetensors: what the networks of `evaluate` make of generated images with
generated weights, by their published implementations.

Needs what `make .venv/metrics` installs, and efficientnet-lite-pytorch 0.1.0. Weights and images are hashes of a name
and a count (Tests/TestSupport/CountedNumbers.swift makes the same ones), so that no weights are stored.
"""
import pathlib

import lpips
import numpy as np
import pytorch_fid.inception as fid_module
import torch
import torchvision
from cleanfid.resize import build_resizer
from efficientnet_lite_pytorch import EfficientNet
from prdc import compute_prdc
from pytorch_fid.fid_score import calculate_frechet_distance
from safetensors.numpy import save_file
from torch_fidelity import metric_kid, metric_prc
from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x as tensorflow

torch.set_grad_enabled(False)


def bits(name, count):
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x100000001B3) % 2**64
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def unit(name, count):
    return (bits(name, count) >> np.uint64(40)).astype(np.float64) * 2.0**-24


def pixels(name, width, height):
    index = np.arange(width * height * 3)
    x, y, channel = index // 3 % width, index // 3 // width, index % 3
    noise = (bits(name, index.size) >> np.uint64(56)).astype(np.int64)
    return ((((x * 3 + y * 5 + channel * 40) & 255) + noise) >> 1).astype(np.uint8).reshape(height, width, 3)


def weights(name, shape):
    u = unit(name, int(np.prod(shape)))
    if name.startswith("lin"):
        values = u / 8
    elif len(shape) == 1:
        values = 0.5 + u if name.endswith(("weight", "running_var")) else (u - 0.5) / 5
    else:
        values = (2 * u - 1) * np.sqrt(6 / float(np.prod(shape[1:])))
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def fill(module, rename=lambda name: name):
    for name, tensor in module.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            tensor.copy_(weights(rename(name), tuple(tensor.shape)))
    return module.eval()


def batch(image):
    return torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float()


def resized(image, side, how):
    if how == "tf":
        return tensorflow(batch(image), size=(side, side), align_corners=False)
    if how == "torch":
        return torch.nn.functional.interpolate(batch(image), size=(side, side), mode="bilinear", align_corners=False)
    resize = build_resizer("clean") if side == 299 else clean_resizer(side)
    return batch(resize(image))


def clean_resizer(side):
    from cleanfid.resize import make_resizer

    return make_resizer("PIL", False, "bicubic", (side, side))


result = {}
images = [pixels("image 0", 64, 48), pixels("image 1", 320, 200)]

fid_module.load_state_dict_from_url = lambda *a, **k: None
load = torch.nn.Module.load_state_dict
torch.nn.Module.load_state_dict = lambda self, state, *a, **k: None if state is None else load(self, state, *a, **k)
inception = fill(fid_module.fid_inception_v3())
fid_module.fid_inception_v3 = lambda: inception
torch.nn.Module.load_state_dict = load
features = fid_module.InceptionV3(resize_input=False, normalize_input=False).eval()
lite0 = fill(EfficientNet.from_name("efficientnet-lite0"))
for how in ("tf", "torch", "clean"):
    planes = [resized(image, 299, how) for image in images]
    inputs = [2 * (x / 255) - 1 if how == "torch" else (x - 128) / 128 for x in planes]
    result[f"inception.{how}"] = torch.cat([features(x)[0].flatten(1) for x in inputs])
    planes = [(resized(image, 224, how) - 127) / 128 for image in images]
    result[f"lite0.{how}"] = torch.cat([lite0.extract_features(x).mean((2, 3)) for x in planes])
result["inception.logits"] = result["inception.tf"] @ inception.fc.weight.T

pairs = [
    [pixels(f"{side} of {width}", width, height) for side in ("reference", "candidate")]
    for width, height in ((64, 64), (65, 47), (96, 33))
]
for trunk, make in (("alex", torchvision.models.alexnet), ("squeeze", torchvision.models.squeezenet1_1), ("vgg", None)):
    network = lpips.LPIPS(net=trunk, pretrained=True, pnet_rand=True, verbose=False).eval()
    for name, tensor in network.state_dict().items():
        if name.startswith("lin") and not name.startswith("lins"):
            tensor.copy_(weights(name, tuple(tensor.shape)))
        if name.startswith("net.") and make is None:
            tensor.copy_(weights(name, tuple(tensor.shape)))
    if make is not None:
        base = fill(make(weights=None).features, lambda name: "features." + name)
        for index in range(1, network.net.N_slices + 1):
            for name, part in getattr(network.net, f"slice{index}").named_children():
                part.load_state_dict(base[int(name)].state_dict())
    distances = [network(*(batch(image) / 127.5 - 1 for image in pair)).item() for pair in pairs]
    result[f"lpips.{trunk}"] = torch.tensor(distances)

# 60 and 50 rows of 32 features.
a = unit("reference features", 60 * 32).reshape(60, 32).astype(np.float32).astype(np.float64)
b = (unit("candidate features", 50 * 32) * 1.25).reshape(50, 32).astype(np.float32).astype(np.float64)
moments = [(x.mean(0), np.cov(x, rowvar=False)) for x in (a, b)]
kid = metric_kid.kid_features_to_metric(
    torch.from_numpy(a), torch.from_numpy(b), kid_subsets=100, kid_subset_size=40, rng_seed=2020, verbose=False,
    kid_kernel="poly", kid_kernel_poly_degree=3, kid_kernel_poly_gamma=None, kid_kernel_poly_coef0=1)
prc = metric_prc.prc_features_to_metric(
    torch.from_numpy(b), torch.from_numpy(a), prc_neighborhood=3, prc_batch_size=10000, save_cpu_ram=False,
    verbose=False)
prdc = compute_prdc(a, b, 3)
result["measures"] = torch.tensor([
    calculate_frechet_distance(*moments[0], *moments[1]), kid["kernel_inception_distance_mean"],
    kid["kernel_inception_distance_std"], prc["precision"], prc["recall"], prdc["density"], prdc["coverage"],
])
save_file(
    {name: tensor.numpy().astype(np.float32) for name, tensor in sorted(result.items())},
    pathlib.Path(__file__).parent.parent / "Tests/Fixtures/metrics/networks.safetensors")
for name, tensor in sorted(result.items()):
    print(name, tuple(tensor.shape), tensor.flatten()[:4].tolist(), float(tensor.std()))
