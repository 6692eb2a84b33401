#!/usr/bin/env python3
"""The workloads of `bench` in PyTorch, with the same names, shapes and JSON lines, to compare speeds on one machine.

    Tools/pytorch_baseline.py [--precision float32|bfloat16] [--threads N] [--seconds S] [NAME ...]

The models are those of arXiv:2012.09841 written in plain PyTorch: a step is forward, losses with the adaptive weight,
backward and Adam for the generator, then a second forward and the same for the discriminator, as the published code
does it; sampling runs the whole transformer again for every token, as the published code does it, too. bfloat16 means
autocast. Needs PyTorch alone.
"""
import argparse, json, resource, statistics, sys, time

import torch
import torch.nn as nn
import torch.nn.functional as F


def norm(channels):
    return nn.GroupNorm(32, channels, eps=1e-6)


class ResidualBlock(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.norm1, self.conv1 = norm(inputs), nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm2, self.conv2 = norm(outputs), nn.Conv2d(outputs, outputs, 3, padding=1)
        self.shortcut = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)

    def forward(self, x):
        h = self.conv1(F.silu(self.norm1(x)))
        return self.shortcut(x) + self.conv2(F.silu(self.norm2(h)))


class AttentionBlock(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm, self.qkv, self.out = (
            norm(channels), nn.Conv2d(channels, 3 * channels, 1), nn.Conv2d(channels, channels, 1))

    def forward(self, x):
        n, c, h, w = x.shape
        q, k, v = self.qkv(self.norm(x)).reshape(n, 3, c, h * w).unbind(1)
        weights = torch.softmax(torch.bmm(q.transpose(1, 2), k) * c**-0.5, dim=2)
        return x + self.out(torch.bmm(v, weights.transpose(1, 2)).reshape(n, c, h, w))


class Downsample(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2)

    def forward(self, x):
        return self.conv(F.pad(x, (0, 1, 0, 1)))


class Upsample(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x):
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


class VQGAN(nn.Module):
    def __init__(self, resolution, ch, ch_mult, num_res_blocks, attn_resolutions, z_channels, embed_dim, n_embed):
        super().__init__()
        widths, side = [ch * m for m in ch_mult], resolution
        encoder, width = [nn.Conv2d(3, ch, 3, padding=1)], ch
        for level, outputs in enumerate(widths):
            for _ in range(num_res_blocks):
                encoder.append(ResidualBlock(width, outputs))
                width = outputs
                if side in attn_resolutions:
                    encoder.append(AttentionBlock(width))
            if level < len(widths) - 1:
                encoder.append(Downsample(width))
                side //= 2
        middle = lambda: [ResidualBlock(width, width), AttentionBlock(width), ResidualBlock(width, width)]
        encoder += middle() + [norm(width), nn.SiLU(), nn.Conv2d(width, z_channels, 3, padding=1),
                               nn.Conv2d(z_channels, embed_dim, 1)]
        decoder = [nn.Conv2d(embed_dim, z_channels, 1), nn.Conv2d(z_channels, width, 3, padding=1)] + middle()
        for level in reversed(range(len(widths))):
            for _ in range(num_res_blocks + 1):
                decoder.append(ResidualBlock(width, widths[level]))
                width = widths[level]
                if side in attn_resolutions:
                    decoder.append(AttentionBlock(width))
            if level > 0:
                decoder.append(Upsample(width))
                side *= 2
        self.last = nn.Conv2d(width, 3, 3, padding=1)
        self.encoder, self.decoder = nn.Sequential(*encoder), nn.Sequential(*decoder, norm(width), nn.SiLU(), self.last)
        self.codebook = nn.Embedding(n_embed, embed_dim)
        nn.init.uniform_(self.codebook.weight, -1 / n_embed, 1 / n_embed)

    def indices(self, z):
        rows, table = z.permute(0, 2, 3, 1).reshape(-1, z.shape[1]).float(), self.codebook.weight
        distances = rows.square().sum(1, keepdim=True) + table.square().sum(1) - 2 * rows @ table.t()
        return distances.argmin(1)

    def forward(self, x):
        z = self.encoder(x)
        q = self.codebook(self.indices(z)).reshape(z.shape[0], z.shape[2], z.shape[3], -1).permute(0, 3, 1, 2)
        loss = F.mse_loss(q.detach(), z) + 0.25 * F.mse_loss(q, z.detach())
        return self.decoder(z + (q - z).detach()), loss


def discriminator(ndf=64, n_layers=3):
    layers, width = [nn.Conv2d(3, ndf, 4, 2, 1), nn.LeakyReLU(0.2)], ndf
    for i in range(1, n_layers + 1):
        outputs = ndf * min(2**i, 8)
        layers += [nn.Conv2d(width, outputs, 4, 2 if i < n_layers else 1, 1, bias=False), nn.BatchNorm2d(outputs),
                   nn.LeakyReLU(0.2)]
        width = outputs
    return nn.Sequential(*layers, nn.Conv2d(width, 1, 4, 1, 1))


class LPIPS(nn.Module):
    """VGG16 up to relu5_3 with random weights: the time does not depend on them."""

    def __init__(self):
        super().__init__()
        self.slices, width = nn.ModuleList(), 3
        for index, (channels, count) in enumerate([(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]):
            layers = [] if index == 0 else [nn.MaxPool2d(2)]
            for _ in range(count):
                layers += [nn.Conv2d(width, channels, 3, padding=1), nn.ReLU()]
                width = channels
            self.slices.append(nn.Sequential(*layers))
        self.heads = nn.ModuleList(nn.Conv2d(c, 1, 1, bias=False) for c in (64, 128, 256, 512, 512))
        self.requires_grad_(False)

    def forward(self, x, y):
        total = 0
        for part, head in zip(self.slices, self.heads):
            x, y = part(x), part(y)
            unit = lambda t: t / (t.square().sum(1, keepdim=True).sqrt() + 1e-10)
            total = total + head((unit(x) - unit(y)).square()).mean((2, 3), keepdim=True)
        return total


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.ln1, self.ln2 = heads, nn.LayerNorm(width), nn.LayerNorm(width)
        self.key, self.query, self.value, self.proj = (nn.Linear(width, width) for _ in range(4))
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        b, t, c = x.shape
        h = self.ln1(x)
        q, k, v = (f(h).view(b, t, self.heads, -1).transpose(1, 2) for f in (self.query, self.key, self.value))
        scores = q @ k.transpose(-2, -1) * (c // self.heads) ** -0.5
        scores = scores.masked_fill(~torch.ones(t, t, dtype=torch.bool).tril(), float("-inf"))
        x = x + self.proj((F.softmax(scores, dim=-1) @ v).transpose(1, 2).reshape(b, t, c))
        return x + self.mlp(self.ln2(x))


class GPT(nn.Module):
    def __init__(self, layers, heads, width, length, vocabulary=1024):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Parameter(torch.zeros(1, length, width))
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(layers)))
        self.ln, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)

    def forward(self, tokens):
        return self.head(self.ln(self.blocks(self.tokens(tokens) + self.positions[:, : tokens.shape[1]])))


F16 = dict(resolution=256, ch=128, ch_mult=(1, 1, 2, 2, 4), num_res_blocks=2, attn_resolutions=(16,), z_channels=256,
           embed_dim=256, n_embed=1024)
SMALL = dict(resolution=64, ch=32, ch_mult=(1, 2, 4), num_res_blocks=2, attn_resolutions=(16,), z_channels=256,
             embed_dim=256, n_embed=1024)


def vqgan_training(config, batch, perceptual, autocast):
    model, critic, lpips = VQGAN(**config), discriminator(), LPIPS() if perceptual else None
    optimizers = [torch.optim.Adam(m.parameters(), 4.5e-6, (0.5, 0.9)) for m in (model, critic)]
    x = torch.rand(batch, 3, config["resolution"], config["resolution"]) * 2 - 1

    def step():
        with autocast():
            reconstruction, codebook = model(x)
            loss = (x - reconstruction).abs()
            if lpips:
                loss = loss + lpips(x, reconstruction)
            loss, adversarial = loss.mean(), -critic(reconstruction).mean()
            last = model.last.weight
            a, b = (torch.autograd.grad(t, last, retain_graph=True)[0].norm() for t in (loss, adversarial))
            total = loss + 0.8 * (a / (b + 1e-4)).clamp(0, 1e4).detach() * adversarial + codebook
        optimizers[0].zero_grad()
        total.backward()
        optimizers[0].step()
        with autocast():
            with torch.no_grad():
                reconstruction, _ = model(x)
            loss = 0.5 * (F.relu(1 - critic(x)).mean() + F.relu(1 + critic(reconstruction)).mean())
        optimizers[1].zero_grad()
        loss.backward()
        optimizers[1].step()

    return step


def vqgan_encoding(config, autocast):
    model, x = VQGAN(**config).eval(), torch.rand(1, 3, config["resolution"], config["resolution"]) * 2 - 1

    def step():
        with torch.no_grad(), autocast():
            model.indices(model.encoder(x))

    return step


def gpt_training(layers, heads, width, length, batch, autocast):
    model = GPT(layers, heads, width, length)
    decayed = [p for p in model.parameters() if p.dim() == 2]
    rest = [p for p in model.parameters() if p.dim() != 2]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.01}, {"params": rest, "weight_decay": 0.0}], 1e-4, (0.9, 0.95))
    tokens = torch.randint(1024, (batch, length + 1))

    def step():
        with autocast():
            loss = F.cross_entropy(model(tokens[:, :-1]).reshape(-1, 1024), tokens[:, 1:].reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def gpt_sampling(layers, heads, width, length, batch, count, autocast, every=1):
    """Draws `count` tokens, each by running the model over all before it, as the reference does. With `every` only each
    so manieth is drawn and timed: nothing is kept from one token to the next, so those between cost what they cost."""
    model = GPT(layers, heads, width, length).eval()

    def step():
        seconds = []
        with torch.no_grad(), autocast():
            for drawn in range(every // 2, count, every):
                tokens = torch.randint(model.tokens.num_embeddings, (batch, drawn + 1))
                start = time.perf_counter()
                logits = model(tokens)[:, -1].float()
                best, _ = logits.topk(100)
                probabilities = F.softmax(logits.masked_fill(logits < best[:, -1:], float("-inf")), dim=-1)
                torch.multinomial(probabilities, 1)
                seconds.append(time.perf_counter() - start)
        return count * statistics.mean(seconds)

    return step


# name: unit, how many of it a repetition does, the repetition
WORKLOADS = {
    "vqgan_f16_256_b1_train": ("s", None, lambda a: vqgan_training(F16, 1, True, a)),
    "vqgan_small_64_b8_train": ("images/s", 8, lambda a: vqgan_training(SMALL, 8, False, a)),
    "vqgan_f16_256_encode": ("images/s", 1, lambda a: vqgan_encoding(F16, a)),
    "gpt_6x256_T256_b8_train": ("tokens/s", 2048, lambda a: gpt_training(6, 8, 256, 256, 8, a)),
    "gpt_6x256_sample_b1": ("tokens/s", 255, lambda a: gpt_sampling(6, 8, 256, 256, 1, 255, a)),
    "gpt_24x1024_T512_b1_train": ("tokens/s", 512, lambda a: gpt_training(24, 16, 1024, 512, 1, a)),
    "gpt_24x1024_sample_b1": ("tokens/s", 511, lambda a: gpt_sampling(24, 16, 1024, 512, 1, 511, a, every=16)),
}


def timed(step):
    """Seconds of a repetition; those that it tells, or those that passed."""
    start = time.perf_counter()
    told = step()
    return time.perf_counter() - start if told is None else told


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help="workloads; all if left out")
    parser.add_argument("--list", action="store_true", help="print the names and run none")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--seconds", type=float, default=10, help="for each workload, warm-up apart; once at least")
    options = parser.parse_intermixed_args()
    if options.list:
        return print("\n".join(WORKLOADS))
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    autocast = lambda: torch.autocast("cpu", torch.bfloat16, enabled=options.precision == "bfloat16")
    for name, (unit, amount, prepare) in WORKLOADS.items():
        if options.names and name not in options.names:
            continue
        print(f"{name} …", file=sys.stderr)
        step, times = prepare(autocast), []
        warm_up = timed(step)
        if warm_up < options.seconds / 4:
            timed(step)
        elif warm_up > 60:  # what takes minutes needs no warm-up
            times.append(warm_up)
        while not times or sum(times) < options.seconds:
            times.append(timed(step))
        value = lambda t: t if amount is None else amount / t
        ranks = statistics.quantiles(map(value, times), n=10) if len(times) > 1 else [value(times[0])] * 9
        print(json.dumps({
            "name": name, "unit": unit, "median": value(statistics.median(times)), "p10": ranks[0], "p90": ranks[8],
            "repetitions": len(times), "threads": options.threads,
            "engine": f"torch {torch.__version__} {options.precision}",
            "process_peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }), flush=True)


if __name__ == "__main__":
    main()
