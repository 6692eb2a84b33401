#!/usr/bin/env python3
"""Trains a VQGAN in PyTorch for some minutes, as a rival of train-vqgan: see race.py, which runs it.

    Tools/pytorch_vqgan.py CONFIG.json --rival same|published --shards TRAINING.h5 ... --held-out VALIDATION.h5
        --out FOLDER --marks 1,2,... [--seed S] [--perceptual FILE] [--disc-start N]

CONFIG.json is the config.json of a run of train-vqgan. Both rivals have its architecture, batch size, crops and flips:

- `same` has the rest, too: the codebook of moving averages or of gradients, k-means start, restarted codes, losses and
  their weights, learning rate, Adam's betas, and one forward pass for both networks. The learning rate's cosine follows
  the clock instead of the steps, so that it ends with the last mark.
- `published` has what taming-transformers has instead: a codebook trained by its gradient (beta 0.25 in the published
  place) from uniform entries, |x - x̂| + LPIPS + λ · GAN, a discriminator of 64 channels, λ and its own pass in every
  step and of effect from --disc-start on, a second forward pass for it, Adam(0.5, 0.9), and as learning rate 4.5e-6 for
  each image of a batch. Unlike there, dropout in LPIPS's heads is off, and the second pass has neither LPIPS nor
  gradients of the generator, which makes a step cheaper.

The clock counts data, steps and what comes before the first one, but neither Python's imports nor what is done at a
mark. At each mark, in minutes, the reconstructions of the held-out images are written as FOLDER/minute-N/ROW.png, and
at the end FOLDER/marks.json: minute, seconds and steps of each. Needs PyTorch, safetensors, h5py, numpy and Pillow.
"""
import argparse, json, math, os, sys, time, types

import h5py
import numpy
import torch
import torch.nn.functional as F
from PIL import Image

import experiment
import pytorch_models as models
from pytorch_training import VQGANTrainer, discriminator_of

# What the rivals would have to know, and do not: keys of config.json with the values that they take where there is one.
TAKEN = {
    "accumulate": [1], "clip": [], "ema": [], "precision": ["float32"], "late_batch_size": [],
    "model.architecture": ["taming"], "model.mid_attention": [True], "model.pixels": ["signed"], "model.patch": [1],
    "model.input": ["images"], "model.dropout": [0], "model.quantizer.kind": ["gradient", "moving_average"],
    "model.quantizer.cosine": [False], "model.quantizer.depth": [1], "model.quantizer.gradient": ["straight"],
    "objective.worst_weight": [0], "objective.lecam_weight": [0], "objective.change_weight": [0],
    "objective.disc_ramp": [0], "objective.gen_loss": ["hinge"], "objective.disc_loss": ["hinge"],
    "objective.discriminator_pass": ["shared"], "objective.freeze": [[]],
    "objective.discriminator.normalization": ["batch", "activation"],
}


def unknown(config):
    """What of a configuration the rivals cannot do, in words; None if nothing."""
    for key, taken in TAKEN.items():
        value = config
        for name in key.split("."):
            value = None if value is None else value.get(name)
        if value is not None and value not in taken:
            return f"{key} is {json.dumps(value)}, which pytorch_vqgan.py does not do"
    return None


class Quantizer(models.Quantizer):
    """That of pytorch_models.py, with the moving averages, the k-means start and the restarts of train-vqgan."""

    def __init__(self, c):
        super().__init__(c)
        table = self.embedding.weight
        self.moves = self.c["kind"] == "moving_average"
        table.requires_grad_(not self.moves)
        self.size, self.sum = torch.ones(len(table)), table.detach().clone()
        self.idle = torch.zeros(len(table), dtype=torch.long)

    def see(self, distances):
        self.nearest = distances.detach()

    @torch.no_grad()
    def set(self, entries, vectors):
        self.embedding.weight[entries] = vectors
        self.sum[entries], self.size[entries] = vectors, 1

    @torch.no_grad()
    def move(self, z, indices):
        """Moves the entries towards latents `[N, D, h, w]`, and restarts those that were idle for too long."""
        rows, indices = z.permute(0, 2, 3, 1).reshape(-1, z.shape[1]), indices.flatten()
        counts = torch.bincount(indices, minlength=len(self.size))
        if self.moves:
            self.size.lerp_(counts.float(), 1 - self.c["decay"])
            self.sum.lerp_(torch.zeros_like(self.sum).index_add_(0, indices, rows), 1 - self.c["decay"])
            total = self.size.sum()
            sizes = (self.size + 1e-5) / (total + len(self.size) * 1e-5) * total
            self.embedding.weight.copy_(self.sum / sizes[:, None])
        self.idle = torch.where(counts > 0, 0, self.idle + 1)
        dead = (self.idle >= self.c["revive_after"]).nonzero().flatten() if self.c["revive_after"] else []
        if len(dead):
            far = self.nearest.gather(1, indices[:, None]).flatten().clamp_min(1e-12)
            chosen = torch.multinomial(far, min(len(dead), len(far)))
            dead = dead[torch.randperm(len(dead))[: len(chosen)]]
            self.set(dead, rows[chosen])
            self.idle[dead] = 0

    @torch.no_grad()
    def start(self, rows, iterations=10):
        """Sets the entries to the centres of vectors `[M, D]`: k-means++, then Lloyd's iterations."""
        distance = lambda centre: (rows - centre).square().sum(1)
        centres = [rows[torch.randint(len(rows), ())]]
        squares = distance(centres[0])
        for _ in range(1, len(self.size)):
            centres.append(rows[torch.multinomial(squares.clamp_min(1e-12), 1)[0]])
            squares = torch.minimum(squares, distance(centres[-1]))
        centres = torch.stack(centres)
        for _ in range(iterations):
            squares, indices = torch.cdist(rows, centres).min(1)
            counts = torch.bincount(indices, minlength=len(centres))
            sums = torch.zeros_like(centres).index_add_(0, indices, rows)
            empty = (counts == 0).nonzero().flatten()
            centres = torch.where(counts[:, None] > 0, sums / counts.clamp_min(1)[:, None], centres)
            if len(empty):
                centres[empty] = rows[torch.multinomial(squares.square().clamp_min(1e-12), len(empty))]
        self.set(torch.arange(len(centres)), centres)


class Same:
    """What a step of train-vqgan does, in PyTorch."""

    def __init__(self, config, lpips, batches):
        self.config, self.lpips, self.objective = config, lpips, config["objective"]
        self.model = models.VQGAN(config["model"])
        self.model.quantize = Quantizer(config["model"])
        self.critic = models.Discriminator(self.objective["discriminator"])
        betas = self.objective["adam_beta1"], self.objective["adam_beta2"]
        trained = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizers = [torch.optim.Adam(parameters, 0, betas) for parameters in (trained, self.critic.parameters())]
        self.start(batches)

    @torch.no_grad()
    def start(self, batches):
        """Begins at the images' mean colour and, with k_means, at the centres of the latents of enough of them."""
        c = self.config["model"]
        first = [next(batches)]
        positions = first[0].shape[2] * first[0].shape[3] // 4 ** (len(c["ch_mult"]) - 1)
        while len(first) * len(first[0]) < min(8 * c["n_embed"] / positions, 512):
            first.append(next(batches))
        self.model.decoder.conv_out.bias.copy_(torch.cat(first).mean((0, 2, 3)))
        if c["quantizer"]["initialization"] == "k_means":
            latents = torch.cat([self.model.quant_conv(self.model.encoder(x)) for x in first])
            self.model.quantize.start(latents.permute(0, 2, 3, 1).reshape(-1, latents.shape[1]))

    def rate(self, step, progress):
        """The learning rate of a step, at a fraction of the time."""
        rate = self.config["learning_rate"]
        if step < rate["warmup"]:
            return rate["peak"] * (step + 1) / rate["warmup"]
        return rate["peak"] * (1 if rate["schedule"] == "constant"
                               else 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(progress, 1))))

    def step(self, step, x, progress):
        o, last = self.objective, self.model.decoder.conv_out.weight
        for optimizer in self.optimizers:
            optimizer.param_groups[0]["lr"] = self.rate(step, progress)
        z = self.model.quant_conv(self.model.encoder(x))
        q, codebook, indices = self.model.quantize(z)
        reconstruction = self.model.decode(q)
        nll = o["l1_weight"] * F.l1_loss(reconstruction, x) + o["l2_weight"] * F.mse_loss(reconstruction, x)
        if self.lpips:
            nll = nll + o["perceptual_weight"] * self.lpips(x, reconstruction).mean()
        total = nll + o["codebook_weight"] * codebook
        adversarial = step >= o["disc_start"] and o["disc_factor"] > 0
        if adversarial:
            g = -self.critic(reconstruction).mean()
            a, b = (torch.autograd.grad(t, last, retain_graph=True)[0].norm() for t in (nll, g))
            weight = o["disc_weight"] * (a / (b + 1e-4)).clamp(0, 1e4).detach()
            total = total + weight * o["disc_factor"] * g
        self.update(0, total)
        if adversarial:
            real, fake = self.critic(x), self.critic(reconstruction.detach())
            self.update(1, o["disc_factor"] * 0.5 * (F.relu(1 - real).mean() + F.relu(1 + fake).mean()))
        self.model.quantize.move(z.detach(), indices)

    def update(self, which, loss):
        self.optimizers[which].zero_grad()
        loss.backward()
        self.optimizers[which].step()


class Published:
    """A step of the published training, by pytorch_training.py."""

    def __init__(self, config, lpips, disc_start):
        c = config["model"] | {"quantizer": {"kind": "gradient", "beta": 0.25, "legacy": True}}
        options = types.SimpleNamespace(ndf=64, disc_layers=3, actnorm=False, disc_loss="hinge", disc_start=disc_start,
                                        seed=0)
        self.model, critic = models.VQGAN(c), models.Discriminator(discriminator_of(options))
        rate = 4.5e-6 * config["batch_size"]
        optimizers = [torch.optim.Adam(part.parameters(), rate, (0.5, 0.9)) for part in (self.model, critic)]
        none = lambda x, y: x.new_zeros(len(x), 1, 1, 1)
        self.trainer = VQGANTrainer(options, c, self.model, lpips or none, critic, optimizers)

    def step(self, step, x, progress):
        self.trainer.step(step, x, None)


def batches_of(images, size, crop, flips, random):
    """Batches `[N, 3, side, side]` in [-1, 1] of images `[M, H, W, 3]`, without end, every epoch in another order."""
    order = []
    while True:
        while len(order) < size:
            order += random.permutation(len(images)).tolist()
        batch, order = images[order[:size]], order[size:]
        if crop:
            corners = [[random.integers(side - crop + 1) for side in batch.shape[1:3]] for _ in batch]
            batch = numpy.stack([image[y : y + crop, x : x + crop] for image, (y, x) in zip(batch, corners)])
        if flips:
            batch = numpy.stack([image[:, ::-1] if random.integers(2) else image for image in batch])
        yield torch.from_numpy(batch).permute(0, 3, 1, 2).float().contiguous() / 127.5 - 1


def read_images(paths):
    images = []
    for path in paths:
        with h5py.File(path) as shard:
            images.append(shard["images"][:])
    return numpy.concatenate(images)


def read_lpips(path):
    weights = models.read_weights(path)
    prefix = "loss.perceptual_loss." if any(name.startswith("loss.perceptual_loss.") for name in weights) else ""
    lpips = models.LPIPS([weights[f"{prefix}lin{i}.model.1.weight"].shape[1] for i in range(5)])
    models.load(lpips, weights, prefix)
    return lpips


@torch.no_grad()
def write_reconstructions(model, images, folder):
    """Each image's reconstruction in whole levels, rounded to the nearest one."""
    os.makedirs(folder, exist_ok=True)
    model.eval()
    for row, image in enumerate(images):
        x = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 127.5 - 1
        levels = ((model(x)[0][0].clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
        Image.fromarray(levels.permute(1, 2, 0).numpy()).save(f"{folder}/{row:04}.png")
    model.train()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("config", help="config.json of a run of train-vqgan")
    parser.add_argument("--rival", choices=("same", "published"), required=True)
    parser.add_argument("--shards", nargs="+", required=True, help="to train on")
    parser.add_argument("--held-out", required=True, help="shard of the images to reconstruct")
    parser.add_argument("--out", required=True)
    parser.add_argument("--marks", required=True, help="minutes, with commas; the last one ends the training")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--perceptual", help="LPIPS as train-vqgan takes it; no such loss if left out")
    parser.add_argument("--disc-start", type=int, default=10_000, help="of `published`")
    options = parser.parse_args()
    with open(options.config) as file:
        config = json.load(file)
    if problem := unknown(config):
        sys.exit(f"{options.config}: {problem}")
    marks = [float(mark) for mark in options.marks.split(",")]
    held_out = read_images([options.held_out])

    clock = time.perf_counter()
    torch.manual_seed(options.seed)
    augmentation = config["augmentation"]
    batches = batches_of(read_images(options.shards), config["batch_size"], augmentation["crop"], augmentation["flips"],
                         numpy.random.default_rng(options.seed))
    lpips = read_lpips(options.perceptual) if options.perceptual else None
    rival = Same(config, lpips, batches) if options.rival == "same" else Published(config, lpips, options.disc_start)
    seconds, step, passed = time.perf_counter() - clock, 0, []
    for mark in marks:
        while seconds < 60 * mark:
            clock = time.perf_counter()
            rival.step(step, next(batches), seconds / (60 * marks[-1]))
            seconds, step = seconds + time.perf_counter() - clock, step + 1
        write_reconstructions(rival.model, held_out, f"{options.out}/minute-{mark:g}")
        passed.append({"minute": mark, "seconds": seconds, "steps": step})
        print(f"{options.rival}, seed {options.seed}: minute {mark:g}, {step} steps", file=sys.stderr, flush=True)
    experiment.write(f"{options.out}/marks.json", json.dumps(passed))


if __name__ == "__main__":
    main()
