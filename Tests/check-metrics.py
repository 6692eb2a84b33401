#!/usr/bin/env python3
"""Compares `evaluate` with pytorch-fid, torch-fidelity, clean-fid, prdc, lpips and scikit-image on the same images and
the same random weights: check-metrics.py EVALUATE IMAGES... [--count 300] [--folder DIR] [--resize tf,torch,clean]
[--trunks alex,squeeze,vgg] [--turns N]

IMAGES are folders of photos or frames. An empty list leaves its part out; --turns compares the speed of Inception with
PyTorch's, N times each in turns. Needs torch, torchvision, pytorch-fid, torch-fidelity, clean-fid, prdc, lpips,
scikit-image.
Ends with 1 if a number differs by more than 1e-3 relative; LPIPS 1e-4, PSNR and SSIM 1e-6."""
import argparse, io, json, pathlib, subprocess, sys, time
import numpy as np, torch
from PIL import Image

parser = argparse.ArgumentParser()
parser.add_argument("evaluate")
parser.add_argument("images", nargs="+")
parser.add_argument("--count", type=int, default=300)
parser.add_argument("--folder", default="/tmp/check-metrics")
parser.add_argument("--resize", default="tf,torch,clean")
parser.add_argument("--trunks", default="alex,squeeze,vgg")
parser.add_argument("--turns", type=int, default=0)
options = parser.parse_args()
folder = pathlib.Path(options.folder)
failed = False


def check(name, ours, theirs, tolerance):
    global failed
    difference = abs(ours - theirs) / max(abs(theirs), 1e-12)
    failed |= not difference <= tolerance
    print(f"{name:28} {ours:.9g} {theirs:.9g}  {difference:.1e} {'' if difference <= tolerance else 'DIFFERS'}",
          flush=True)


def make_images():
    """A reference of photos and frames, and what JPEG at quality 12 makes of them."""
    paths = []
    for number, source in enumerate(options.images):
        wanted = (options.count - len(paths)) // (len(options.images) - number)
        found = sorted(p for p in pathlib.Path(source).rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
        paths += found[:: max(1, len(found) // wanted)][:wanted]
    for name in ("reference", "candidate"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*/*.png"):
        old.unlink()
    for index, path in enumerate(paths):
        image = Image.open(path).convert("RGB")
        image.thumbnail((256, 256))
        image.save(folder / "reference" / f"{index:04}.png")
        data = io.BytesIO()
        image.save(data, "JPEG", quality=12)
        Image.open(data).save(folder / "candidate" / f"{index:04}.png")
    return len(paths)


def random_inception():
    """pytorch-fid's network with random weights whose activations neither vanish nor explode."""
    import pytorch_fid.inception as module

    torch.manual_seed(7)
    module.load_state_dict_from_url = lambda *a, **k: None
    load = torch.nn.Module.load_state_dict
    torch.nn.Module.load_state_dict = lambda self, state, *a, **k: None if state is None else load(self, state, *a, **k)
    network = module.fid_inception_v3().eval()
    torch.nn.Module.load_state_dict = load
    for part in network.modules():
        if isinstance(part, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(part.weight)
        if isinstance(part, torch.nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.1)
            part.running_var.uniform_(0.5, 1.5)
            part.weight.data.uniform_(0.5, 1.5)
            part.bias.data.normal_(0, 0.1)
    torch.save(network.state_dict(), folder / "inception.pth")
    module.fid_inception_v3 = lambda: network
    return network, module.InceptionV3(resize_input=False, normalize_input=False).eval()


def read(name):
    return [np.asarray(Image.open(p).convert("RGB")) for p in sorted((folder / name).glob("*.png"))]


@torch.no_grad()
def features(model, images, resize):
    from cleanfid.resize import build_resizer
    from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x as tensorflow

    inputs = []
    for image in images:
        x = torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float()
        if resize == "torch":
            x = 2 * torch.nn.functional.interpolate(x / 255, size=(299, 299), mode="bilinear", align_corners=False) - 1
        elif resize == "tf":
            x = (tensorflow(x, size=(299, 299), align_corners=False) - 128) / 128
        else:
            x = (torch.from_numpy(build_resizer("clean")(image)).permute(2, 0, 1)[None] - 128) / 128
        inputs.append(x)
    return torch.cat([model(torch.cat(inputs[start : start + 16]))[0][:, :, 0, 0]
                      for start in range(0, len(inputs), 16)])


def run(*arguments):
    # Its peak memory is what GNU time tells: that of a child of this process begins with this process's own.
    timed = ["/usr/bin/time", "-q", "-f", "%M", "-o", str(folder / "memory")]
    result = subprocess.run(
        [*timed, options.evaluate, *map(str, arguments), "--json", "--quiet"], capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"{result.args}: {result.returncode}\n{result.stderr}")
    return json.loads(result.stdout)


count = make_images()
print(count, "images")
network, model = random_inception()
sides = {name: read(name) for name in ("reference", "candidate")}
paths = [folder / "reference", folder / "candidate"]
for resize in filter(None, options.resize.split(",")):
    from pytorch_fid.fid_score import calculate_frechet_distance
    from torch_fidelity import metric_fid, metric_isc, metric_kid, metric_prc
    from cleanfid.fid import frechet_distance
    from prdc import compute_prdc

    began = time.time()
    a, b = (features(model, sides[name], resize) for name in ("reference", "candidate"))
    middle = time.time()
    ours = run(*paths, "--features", f"inception={folder / 'inception.pth'}", "--resize", resize, "--seed", 2020)
    peak = int((folder / "memory").read_text()) / 2**20
    print(f"{resize}: PyTorch's features {middle - began:.0f} s, evaluate {time.time() - middle:.0f} s, {peak:.2f} GiB")
    stats = [(np.mean(x.double().numpy(), 0), np.cov(x.double().numpy(), rowvar=False)) for x in (a, b)]
    check(f"{resize} fid, pytorch-fid", ours["fid"], calculate_frechet_distance(*stats[0], *stats[1]), 1e-3)
    check(f"{resize} fid, clean-fid", ours["fid"], frechet_distance(*stats[0], *stats[1]), 1e-3)
    theirs = metric_fid.fid_statistics_to_metric(
        *({"mu": m, "sigma": s} for m, s in stats), verbose=False)["frechet_inception_distance"]
    check(f"{resize} fid, torch-fidelity", ours["fid"], theirs, 1e-3)
    size = min(1000, count)
    kid = metric_kid.kid_features_to_metric(
        a.double(), b.double(), kid_subsets=1 if size == count else 100, kid_subset_size=size, rng_seed=2020,
        verbose=False, kid_kernel="poly", kid_kernel_poly_degree=3, kid_kernel_poly_gamma=None, kid_kernel_poly_coef0=1)
    check(f"{resize} kid, torch-fidelity", ours["kid"], kid["kernel_inception_distance_mean"], 1e-3)
    spread = metric_kid.kid_features_to_metric(
        a.double(), b.double(), kid_subsets=ours.get("kid_spread_subsets", ours["kid_subsets"]),
        kid_subset_size=ours.get("kid_spread_subset_size", ours["kid_subset_size"]), rng_seed=2020, verbose=False,
        kid_kernel="poly", kid_kernel_poly_degree=3, kid_kernel_poly_gamma=None, kid_kernel_poly_coef0=1)
    check(f"{resize} kid's ±, torch-fidelity", ours["kid_sd"], spread["kernel_inception_distance_std"], 1e-3)
    prc = metric_prc.prc_features_to_metric(
        b.double(), a.double(), prc_neighborhood=3, prc_batch_size=10000, save_cpu_ram=False, verbose=False)
    for name in ("precision", "recall"):
        check(f"{resize} {name}, torch-fidelity", ours[name], prc[name], 1e-3)
    prdc = compute_prdc(a.double().numpy(), b.double().numpy(), 3)
    for name in ("density", "coverage"):
        check(f"{resize} {name}, prdc", ours[name], prdc[name], 1e-3)
    score = metric_isc.isc_features_to_metric(b @ network.fc.weight.detach().T)
    check(f"{resize} is, torch-fidelity", ours["is"], score["inception_score_mean"], 1e-3)


def features_of_turns():
    """Seconds of the same images: PyTorch's network alone, 8 and 16 at once, and the whole of evaluate."""
    shown = read("reference") * 2
    planes = [torch.nn.functional.interpolate(
        torch.from_numpy(x.copy()).permute(2, 0, 1)[None] / 127.5 - 1, size=(299, 299), mode="bilinear") for x in shown]
    rates = {}
    for turn in range(options.turns):
        for size in (8, 16):
            with torch.no_grad():
                began = time.time()
                for start in range(0, len(planes), size):
                    model(torch.cat(planes[start : start + size]))
                rates.setdefault(f"PyTorch, {size} at once", []).append(len(planes) / (time.time() - began))
        began = time.time()
        run(paths[0], paths[0], "--features", f"inception={folder / 'inception.pth'}", "--metrics", "mind")
        rates.setdefault("evaluate, start and reading included", []).append(len(planes) / (time.time() - began))
    for name, values in rates.items():
        print(f"{name}: images/s {', '.join(f'{value:.1f}' for value in values)}; median {np.median(values):.1f}")


if options.turns:
    features_of_turns()

import lpips, torchvision
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

head_folder = pathlib.Path(lpips.__file__).parent / "weights/v0.1"
makers = {"alex": torchvision.models.alexnet, "squeeze": torchvision.models.squeezenet1_1,
          "vgg": torchvision.models.vgg16}
pairs = [
    [torch.from_numpy(x.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1 for x in pair]
    for pair in zip(sides["reference"], sides["candidate"])
]
for trunk in filter(None, options.trunks.split(",")):
    torch.manual_seed(3)
    base = makers[trunk](weights=None).eval()
    theirs = lpips.LPIPS(net=trunk, pretrained=True, pnet_rand=True, verbose=False).eval()
    for index in range(1, theirs.net.N_slices + 1):
        for name, part in getattr(theirs.net, f"slice{index}").named_children():
            part.load_state_dict(base.features[int(name)].state_dict())
    files = [folder / f"{trunk}.pth", head_folder / f"{trunk}.pth"]
    torch.save({f"features.{name}": value for name, value in base.features.state_dict().items()}, files[0])
    if trunk == "vgg":  # one file, as convert-checkpoint joins them
        files = files[:1]
        state = {name: value for name, value in theirs.state_dict().items() if not name.startswith("lins.")}
        torch.save({name: value for name, value in state.items() if name.startswith(("net.", "lin"))}, files[0])
    ours = run(*paths, "--paired", *(part for file in files for part in ("--lpips", file)))
    with torch.no_grad():
        check(f"lpips {trunk}", ours[f"lpips_{trunk}"], np.mean([theirs(*pair).item() for pair in pairs]), 1e-4)
ours = run(*paths, "--paired")
pairs = list(zip(sides["reference"], sides["candidate"]))
check("psnr", ours["psnr"], np.mean([min(peak_signal_noise_ratio(a, b), 99) for a, b in pairs]), 1e-6)
check("ssim", ours["ssim"], np.mean([structural_similarity(
    a, b, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False) for a, b in pairs]), 1e-6)
check("ssim uniform 7", ours["ssim_uniform7"], np.mean([structural_similarity(
    a, b, channel_axis=2) for a, b in pairs]), 1e-6)
sys.exit(failed)
