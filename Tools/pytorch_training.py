"""Steps of the published training of a VQGAN in plain PyTorch.

The generator's losses and update, then a second forward for the discriminator's; a Gumbel VQGAN takes the random
numbers of train-vqgan. Needs PyTorch and numpy.
"""
import math

import numpy
import torch
import torch.nn.functional as F


class GumbelNoise:
    """-log(-log(u)) of the numbers that train-vqgan draws with the same seed: Philox 4x32-10, four to a block, 24 bits
    of each."""

    def __init__(self, seed, purpose):
        hash = 14695981039346656037
        for byte in purpose.encode():
            hash = (hash ^ byte) * 1099511628211 % 2**64
        self.key, self.stream, self.position = (seed % 2**32, seed >> 32), hash, 0

    def __call__(self, rows, columns):
        blocks = numpy.arange(self.position // 4, self.position // 4 + (rows * columns + 3) // 4, dtype=numpy.uint64)
        self.position += len(blocks) * 4
        low = numpy.uint64(2**32 - 1)
        half = numpy.uint64(32)
        c = [blocks & low, blocks >> half,
             numpy.full_like(blocks, self.stream % 2**32), numpy.full_like(blocks, self.stream >> 32)]
        k0, k1 = (numpy.uint64(k) for k in self.key)
        for _ in range(10):
            p, q = c[0] * numpy.uint64(0xD2511F53), c[2] * numpy.uint64(0xCD9E8D57)
            c = [(q >> half) ^ c[1] ^ k0, q & low, (p >> half) ^ c[3] ^ k1, p & low]
            k0, k1 = (k0 + numpy.uint64(0x9E3779B9)) & low, (k1 + numpy.uint64(0xBB67AE85)) & low
        u = (numpy.stack(c, 1).reshape(-1)[: rows * columns] >> numpy.uint64(8)).astype(
            numpy.float64) * 2.0**-24 + 2.0**-25
        return torch.from_numpy(-numpy.log(-numpy.log(u))).float().reshape(rows, columns)


def temperature(c, step):
    schedule = c["quantizer"].get("temperature", {"start": 0.9, "end": 1e-6, "steps": 1_000_001})
    fraction = min(step / schedule["steps"], 1)
    return schedule["end"] + 0.5 * (schedule["start"] - schedule["end"]) * (1 + math.cos(math.pi * fraction))


def gradients(model, prefix):
    return {prefix + name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


class VQGANTrainer:
    """One step of the published training at a time."""

    def __init__(self, options, config, model, lpips, critic, optimizers):
        self.options, self.config, self.discriminator = options, config, discriminator_of(options)
        self.model, self.lpips, self.critic, self.optimizers = model, lpips, critic, optimizers
        self.random = GumbelNoise(options.seed, "training")

    def noise(self, x):
        """Gumbel noise for every position and entry in use."""
        if self.config["quantizer"]["kind"] != "gumbel":
            return None
        remap, factor = self.config["quantizer"].get("remap"), 4 ** (len(self.config["ch_mult"]) - 1)
        entries = remap["used"] if remap else self.config["n_embed"]
        return self.random(x.shape[0] * x.shape[2] * x.shape[3] // factor, entries)

    def step(self, step, x, saved):
        """Both updates; returns the losses by name and adds the gradients to `saved`, unless that is None."""
        model, critic, warmth = self.model.train(), self.critic.train(), temperature(self.config, step)
        factor, last = float(step >= self.options.disc_start), model.decoder.conv_out.weight
        reconstruction, codebook = model(x, self.noise(x), warmth)
        distance = self.lpips(x, reconstruction)
        nll, adversarial = ((x - reconstruction).abs() + distance).mean(), -critic(reconstruction).mean()
        a, b = (torch.autograd.grad(t, last, retain_graph=True)[0].norm() for t in (nll, adversarial))
        weight = 0.8 * (a / (b + 1e-4)).clamp(0, 1e4).detach()
        total = nll + weight * factor * adversarial + codebook
        self.update(0, total)
        if saved is not None:
            saved |= gradients(model, "grad_ae.")
        with torch.no_grad():
            fresh, _ = model(x, self.noise(x), warmth)
        real, fake = critic(x), critic(fresh)
        if self.options.disc_loss == "hinge":
            loss_of_both = 0.5 * (F.relu(1 - real).mean() + F.relu(1 + fake).mean())
        else:
            loss_of_both = 0.5 * (F.softplus(-real).mean() + F.softplus(fake).mean())
        self.update(1, factor * loss_of_both)
        if saved is not None:
            saved |= gradients(critic, "grad_disc.") | {"fresh_reconstruction": fresh}
        return {"total_loss": total.detach(), "quant_loss": codebook.detach(), "nll_loss": nll.detach(),
                "rec_loss": nll.detach(), "p_loss": distance.detach().mean(), "d_weight": weight, "disc_factor": factor,
                "g_loss": adversarial.detach(), "disc_loss": factor * loss_of_both.detach(),
                "logits_real": real.detach().mean(), "logits_fake": fake.detach().mean()}

    def update(self, which, loss):
        self.optimizers[which].zero_grad()
        loss.backward()
        self.optimizers[which].step()


def discriminator_of(options):
    return {"ndf": options.ndf, "n_layers": options.disc_layers,
            "normalization": "activation" if options.actnorm else "batch"}
