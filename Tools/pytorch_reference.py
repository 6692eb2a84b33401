#!/usr/bin/env python3
"""What PyTorch computes for a model, to compare with what this suite computes.

    Tools/pytorch_reference.py vqgan CONFIG.json OUT [--weights FILE] [--images FILE.png ...] [--batch N] [--steps N]
    Tools/pytorch_reference.py gpt CONFIG.json OUT [--weights FILE] [--batch N] [--steps N]
    Tools/pytorch_reference.py compare --weights FILE --config CONFIG.json --shard IMAGES.h5 --codes CODES.h5
        [--reconstructions FOLDER] [--count N]

CONFIG.json is the model.json of a checkpoint of this suite (convert-checkpoint writes it for a checkpoint of another
program). `vqgan` and `gpt` write OUT.ckpt (the weights before the first step, as Lightning writes them), OUT.json
(configuration, options and the losses of each step by name) and OUT.safetensors (inputs, results, the gradients of the
first step, how far each parameter had moved after the last one); `vqgan` also writes its images as OUT-00.png and so
on, for prep-images. Weights are random where none are given. With --warm-up N, N steps come before all that, and the
checkpoint holds the optimizers' states. `compare` encodes the images of a shard that prep-images or prep-coco made, and
compares codes with those of encode-dataset and images with those of reconstruct.

The models are those of pytorch_models.py, the steps of a VQGAN those of pytorch_training.py. Needs PyTorch,
safetensors, numpy and Pillow; h5py for `compare`.
"""
import argparse, copy, json, sys

import numpy
import torch
import torch.nn as nn
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import save_file

import decisions
import pytorch_comparison
from pytorch_models import GPT, LPIPS, VQGAN, Discriminator, load, read_config, read_weights
from pytorch_training import VQGANTrainer, discriminator_of, gradients


def spread(model, x):
    """Codebook entries like the latents of images, so that many of them are used."""
    with torch.no_grad():
        z = model.quant_conv(model.encoder(x))
        mean, deviation = z.mean((0, 2, 3)), z.std((0, 2, 3))
        model.quantize.embedding.weight.copy_(mean + deviation * torch.randn_like(model.quantize.embedding.weight))


def images(options, config):
    """The images of all steps as integers [N, 3, H, W]; each is written beside the results."""
    side = config["resolution"]
    if options.images:
        found = [numpy.asarray(Image.open(path).convert("RGB")) for path in options.images]
        pixels = torch.stack([torch.from_numpy(image.copy()).permute(2, 0, 1) for image in found])
    else:
        # Waves rather than noise: neighbouring positions differ, but not all in the same way.
        y, x = torch.meshgrid(torch.linspace(0, 1, side), torch.linspace(0, 1, side), indexing="ij")
        turns = torch.rand(options.batch * max(1, options.warm_up + options.steps), 3, 4, 1, 1) * 8
        waves = torch.sin(turns[:, :, 0] + turns[:, :, 1] * x + turns[:, :, 2] * y) * torch.cos(turns[:, :, 3] * x * y)
        pixels = ((waves * 0.45 + 0.5) * 255).round().clamp(0, 255).to(torch.uint8)
    for i, image in enumerate(pixels):
        Image.fromarray(image.permute(1, 2, 0).numpy()).save(f"{options.out}-{i:02}.png")
    return pixels


def copy_of(model):
    return {name: p.detach().clone() for name, p in model.named_parameters()}


def moved(model, before, prefix):
    return {prefix + name: p.detach() - before[name] for name, p in model.named_parameters()}


def write_checkpoint(options, state, optimizers):
    saved = {"epoch": 0, "global_step": options.warm_up, "state_dict": state}
    if options.warm_up:
        saved["optimizer_states"] = [optimizer.state_dict() for optimizer in optimizers]
    torch.save(saved, f"{options.out}.ckpt")


def finish(options, tensors, record):
    record["torch"] = torch.__version__
    save_file({name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()},
              f"{options.out}.safetensors")
    with open(f"{options.out}.json", "w") as file:
        json.dump(record, file, indent=1)
        file.write("\n")
    print("\n".join(f"{options.out}.{suffix}" for suffix in ("ckpt", "json", "safetensors")))


def lpips_channels(options, weights):
    """The channels of VGG16's five slices: those of the weights, or the published ones divided."""
    heads = [weights.get(f"loss.perceptual_loss.lin{i}.model.1.weight") for i in range(5)]
    if all(head is not None for head in heads):
        return [head.shape[1] for head in heads]
    return [max(4, c // options.lpips_divisor) for c in (64, 128, 256, 512, 512)]


def write_vqgan(options):
    config = read_config(options.config)
    if config["quantizer"]["kind"] == "moving_average" and options.steps + options.warm_up:
        sys.exit("a moving-average codebook, which the published code does not train; take --steps 0")
    weights = read_weights(options.weights) if options.weights else {}
    lpips = LPIPS(lpips_channels(options, weights))
    model, critic = VQGAN(config), Discriminator(discriminator_of(options), config["out_ch"])
    pixels = images(options, config)
    batches = list((pixels.float() / 127.5 - 1).split(options.batch))
    if weights:
        for module, prefix in ((model, ""), (lpips, "loss.perceptual_loss."), (critic, "loss.discriminator.")):
            load(module, weights, prefix)
    elif config["quantizer"]["kind"] != "gumbel":
        spread(model, batches[0])

    def start(double=False):
        """A trainer of copies of the weights, warmed up in single precision, and its batches."""
        m, l, d = copy.deepcopy(model), copy.deepcopy(lpips), copy.deepcopy(critic)
        optimizers = [torch.optim.Adam(part.parameters(), options.learning_rate, (0.5, 0.9)) for part in (m, d)]
        trainer = VQGANTrainer(options, config, m, l, d, optimizers)
        for step in range(options.warm_up):
            trainer.step(step, batches[step % len(batches)], {})
        if double:
            for part in (m, l, d):
                part.double()
            for moments in (state for optimizer in optimizers for state in optimizer.state.values()):
                moments |= {name: value.double() for name, value in moments.items() if name != "step"}
        return trainer, [batch.double() if double else batch for batch in batches]

    steps = range(options.warm_up, options.warm_up + options.steps)
    if options.widen:
        decisions.widen(start, (model, lpips, critic), steps, options.widen)
    margins = decisions.margins(start, steps)
    trainer, _ = start()
    model, critic, tensors = trainer.model, trainer.critic, {"x": pixels}
    whole = {"": model, "loss.perceptual_loss.": lpips, "loss.discriminator.": critic}
    state = {prefix + name: value.clone()
             for prefix, module in whole.items() for name, value in module.state_dict().items()}
    write_checkpoint(options, state, trainer.optimizers)

    x = batches[options.warm_up % len(batches)]
    model.eval()
    with torch.no_grad():
        h = model.encoder(x)
        z = model.quant_conv(h)
        q, loss, indices = model.quantize(z)
        reconstruction = model.decode(q)
        tensors |= {"encoder_out": h, "quant_conv_out": z, "quant_loss": loss, "entries": indices, "quant": q,
                    "indices": model.quantize.codes(indices), "reconstruction": reconstruction,
                    "lpips": lpips(x, reconstruction).flatten()}
    first, per_step = [copy_of(model), copy_of(critic)], []
    for step in steps:
        saved = {}
        losses = trainer.step(step, batches[step % len(batches)], saved)
        per_step.append({f"train/{name}": float(value) for name, value in losses.items()})
        tensors |= saved if len(per_step) == 1 else {}
    if options.steps:
        tensors |= moved(model, first[0], "moved.") | moved(critic, first[1], "moved.loss.discriminator.")
    record = {"config": config, "discriminator": trainer.discriminator, "disc_loss": options.disc_loss,
              "disc_start": options.disc_start,
              "lpips_channels": [getattr(lpips, f"lin{i}")["model"][1].weight.shape[1] for i in range(5)],
              "learning_rate": options.learning_rate, "batch": options.batch, "seed": options.seed,
              "warm_up": options.warm_up, "per_step": per_step, "margins": margins, "codes_used": len(indices.unique())}
    print(f"{record['codes_used']} codes in use", file=sys.stderr)
    for title, entry in sorted(margins.items(), key=lambda item: decisions.ratio(item[1]))[:1]:
        print(f"the nearest edge of a decision is {decisions.ratio(entry):.1f} times as far as rounding moves it: "
              f"{title}", file=sys.stderr)
        if decisions.ratio(entry) < options.widen:
            sys.exit(f"less than {options.widen}: take another seed")
    finish(options, tensors, record)


def write_gpt(options):
    config = read_config(options.config)
    model = GPT(config)
    if options.weights:
        load(model, read_weights(options.weights), "transformer.")
    grid = int(config["block_size"] ** 0.5)
    rows = torch.randint(config["vocab_size"], (options.batch * (options.warm_up + options.steps), grid * grid))
    decays = {f"{n}.weight" for n, module in model.named_modules() if isinstance(module, nn.Linear)}
    named = dict(model.named_parameters())
    groups = [{"params": [named[n] for n in sorted(decays)], "weight_decay": 0.01},
              {"params": [named[n] for n in sorted(named.keys() - decays)], "weight_decay": 0.0}]
    optimizer, per_step, tensors = torch.optim.AdamW(groups, options.learning_rate, (0.9, 0.95)), [], {"codes": rows}
    for step, codes in enumerate(rows.split(options.batch)):
        if step == options.warm_up:
            write_checkpoint(options, {f"transformer.{name}": value.clone()
                                       for name, value in model.state_dict().items()}, [optimizer])
            before = copy_of(model)
        # A start token, which is also code 0, then all codes but the last.
        logits = model(torch.cat([torch.zeros(len(codes), 1, dtype=torch.long), codes[:, :-1]], 1))
        loss = F.cross_entropy(logits.reshape(-1, config["vocab_size"]), codes.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        if step == options.warm_up:
            tensors |= gradients(model, "grad.") | {"logits": logits}
        optimizer.step()
        per_step.append(loss.item())
    tensors |= moved(model, before, "moved.")
    record = {"config": config, "grid": grid, "learning_rate": options.learning_rate, "batch": options.batch,
              "warm_up": options.warm_up, "per_step_loss": per_step[options.warm_up :]}
    finish(options, tensors, record)


def compare(options):
    model = VQGAN(read_config(options.config)).eval()
    load(model, read_weights(options.weights))

    def run(x):
        z = model.quant_conv(model.encoder(x))
        q, _, entries = model.quantize(z)
        rows = z.permute(0, 2, 3, 1).reshape(-1, z.shape[1]).double()
        scores = lambda position, *codes: [nearness(model.quantize, rows[position], code) for code in codes]
        return model.decode(q) if options.reconstructions else None, model.quantize.codes(entries), scores

    pytorch_comparison.compare(options, run, floor=0, most=1e-3)


def nearness(quantize, row, code):
    """The squared distance of a latent from an entry, or its logit, in double precision."""
    entry = int(quantize.used[min(code, len(quantize.used) - 1)]) if quantize.c.get("remap") else code
    if quantize.c["kind"] == "gumbel":
        return float(row @ quantize.proj.weight[entry, :, 0, 0].double() + quantize.proj.bias[entry].double())
    return float((row - quantize.embedding.weight[entry].double()).square().sum())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(required=True)
    for name, action in (("vqgan", write_vqgan), ("gpt", write_gpt)):
        command = commands.add_parser(name)
        command.set_defaults(action=action)
        command.add_argument("config", help="model.json")
        command.add_argument("out", help="path and beginning of the names of what is written")
        command.add_argument("--weights", help=".ckpt or .safetensors; random if left out")
        command.add_argument("--batch", type=int, default=2)
        command.add_argument("--steps", type=int, default=3)
        command.add_argument("--warm-up", type=int, default=0, help="steps before what is written")
        command.add_argument("--seed", type=int, default=1)
        command.add_argument("--learning-rate", type=float, default=1e-4)
        if name == "gpt":
            continue
        command.add_argument("--images", nargs="*", help="images of the model's size, used in turn; waves if left out")
        command.add_argument("--ndf", type=int, default=64, help="channels of the discriminator")
        command.add_argument("--disc-layers", type=int, default=3)
        command.add_argument("--disc-loss", choices=("hinge", "vanilla"), default="hinge")
        command.add_argument("--disc-start", type=int, default=0)
        command.add_argument("--actnorm", action="store_true", help="ActNorm in the discriminator instead of BatchNorm")
        command.add_argument("--widen", type=float, default=0, metavar="RATIO",
                             help="change the first weights until every decision is so many times as far from its edge "
                             "as rounding moves it")
        command.add_argument("--lpips-divisor", type=int, default=1,
                             help="random weights: VGG16 with this fraction of its channels")
    command = commands.add_parser("compare")
    command.set_defaults(action=compare, seed=0)
    for name, text in (("weights", ".ckpt or .safetensors"), ("config", "model.json"), ("shard", "images, .h5"),
                       ("codes", "codes, .h5")):
        command.add_argument(f"--{name}", required=True, help=text)
    command.add_argument("--reconstructions", help="folder that reconstruct wrote")
    command.add_argument("--count", type=int, help="images to compare; all if left out")
    options = parser.parse_args()
    if options.config == f"{getattr(options, 'out', '')}.json":
        parser.error(f"{options.config} would be overwritten")
    torch.manual_seed(options.seed)
    options.action(options)


if __name__ == "__main__":
    main()
