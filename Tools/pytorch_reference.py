#!/usr/bin/env python3
"""What PyTorch computes for a model, to compare with what this suite computes.

    Tools/pytorch_reference.py vqgan CONFIG.json OUT [--weights FILE] [--images FILE.png ...] [--batch N] [--steps N] ...
    Tools/pytorch_reference.py gpt CONFIG.json OUT [--weights FILE] [--batch N] [--steps N] ...
    Tools/pytorch_reference.py compare --weights FILE --config CONFIG.json --shard IMAGES.h5 --codes CODES.h5 [--reconstructions FOLDER]

CONFIG.json is the model.json of a checkpoint of this suite (convert-checkpoint writes it for a checkpoint of another program).
`vqgan` and `gpt` write OUT.ckpt (the weights before the first step, as Lightning writes them), OUT.json (configuration, options
and the losses of each step by name) and OUT.safetensors (inputs, results, the gradients of the first step, how far each parameter
had moved after the last one); `vqgan` also writes its images as OUT-00.png and so on, for prep-images. Weights are random where none
are given. With --warm-up N, N steps come before all that, and the checkpoint holds the optimizers' states. `compare`
encodes the images of a shard that prep-images or prep-coco made, and compares codes with those of encode-dataset and
images with those of reconstruct.

The models are those of arXiv:2012.09841 in plain PyTorch, with the published names of their weights; a step is that of the
published code: the generator's losses and update, then a second forward for the discriminator's. Needs PyTorch, safetensors,
numpy and Pillow; h5py for `compare`.
"""
import argparse, copy, glob, json, math, sys

import numpy
import torch
import torch.nn as nn
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file, save_file

import decisions


def part(**modules):
    return nn.ModuleDict(modules)


def norm(channels):
    return nn.GroupNorm(32, channels, eps=1e-6)


class Residual(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.norm1, self.conv1 = norm(inputs), nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm2, self.conv2 = norm(outputs), nn.Conv2d(outputs, outputs, 3, padding=1)
        self.nin_shortcut = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)

    def forward(self, x):
        return self.nin_shortcut(x) + self.conv2(F.silu(self.norm2(self.conv1(F.silu(self.norm1(x))))))


class Attention(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm = norm(channels)
        self.q, self.k, self.v, self.proj_out = (nn.Conv2d(channels, channels, 1) for _ in range(4))

    def forward(self, x):
        n, c, h, w = x.shape
        q, k, v = (f(self.norm(x)).reshape(n, c, h * w) for f in (self.q, self.k, self.v))
        fractions = torch.softmax(torch.bmm(q.transpose(1, 2), k) * c**-0.5, dim=2)
        return x + self.proj_out(torch.bmm(v, fractions.transpose(1, 2)).reshape(n, c, h, w))


class Level(nn.Module):
    def __init__(self, inputs, outputs, blocks, attends):
        super().__init__()
        self.block = nn.ModuleList(Residual(outputs if i else inputs, outputs) for i in range(blocks))
        self.attn = nn.ModuleList(Attention(outputs) for _ in range(blocks if attends else 0))

    def forward(self, x):
        for i, block in enumerate(self.block):
            x = block(x)
            x = self.attn[i](x) if self.attn else x
        return x


class Middle(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.block_1, self.attn_1, self.block_2 = Residual(channels, channels), Attention(channels), Residual(channels, channels)

    def forward(self, x):
        return self.block_2(self.attn_1(self.block_1(x)))


class Encoder(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv_in, width = nn.Conv2d(c["in_channels"], c["ch"], 3, padding=1), c["ch"]
        self.down = nn.ModuleList()
        for i, factor in enumerate(c["ch_mult"]):
            level = Level(width, c["ch"] * factor, c["num_res_blocks"], c["resolution"] >> i in c["attn_resolutions"])
            width = c["ch"] * factor
            if i < len(c["ch_mult"]) - 1:
                level.downsample = part(conv=nn.Conv2d(width, width, 3, stride=2))
            self.down.append(level)
        self.mid, self.norm_out = Middle(width), norm(width)
        self.conv_out = nn.Conv2d(width, c["z_channels"], 3, padding=1)

    def forward(self, x):
        x = self.conv_in(x)
        for level in self.down:
            x = level(x)
            if hasattr(level, "downsample"):
                x = level.downsample["conv"](F.pad(x, (0, 1, 0, 1)))
        return self.conv_out(F.silu(self.norm_out(self.mid(x))))


class Decoder(nn.Module):
    def __init__(self, c):
        super().__init__()
        widths = [c["ch"] * factor for factor in c["ch_mult"]]
        self.conv_in, self.mid = nn.Conv2d(c["z_channels"], widths[-1], 3, padding=1), Middle(widths[-1])
        self.up = nn.ModuleList()
        for i, width in enumerate(widths):  # run from the last to the first
            inputs = widths[min(i + 1, len(widths) - 1)]
            level = Level(inputs, width, c["num_res_blocks"] + 1, c["resolution"] >> i in c["attn_resolutions"])
            if i:
                level.upsample = part(conv=nn.Conv2d(width, width, 3, padding=1))
            self.up.append(level)
        self.norm_out, self.conv_out = norm(widths[0]), nn.Conv2d(widths[0], c["out_ch"], 3, padding=1)

    def forward(self, x):
        x = self.mid(self.conv_in(x))
        for level in reversed(self.up):
            x = level(x)
            if hasattr(level, "upsample"):
                x = level.upsample["conv"](F.interpolate(x, scale_factor=2.0, mode="nearest"))
        return self.conv_out(F.silu(self.norm_out(x)))


class Quantizer(nn.Module):
    """Nearest entries, or with `gumbel` entries drawn by noise."""

    def __init__(self, c):
        super().__init__()
        self.c, entries = c["quantizer"], c["n_embed"]
        if self.c["kind"] == "gumbel":
            self.proj, self.embed = nn.Conv2d(c["z_channels"], entries, 1), nn.Embedding(entries, c["embed_dim"])
        else:
            self.embedding = nn.Embedding(entries, c["embed_dim"])
            nn.init.uniform_(self.embedding.weight, -1 / entries, 1 / entries)
        if self.c.get("remap"):
            self.register_buffer("used", torch.randperm(entries)[: self.c["remap"]["used"]])

    def forward(self, z, noise=None, temperature=1.0):
        rows = z.permute(0, 2, 3, 1)
        shape, rows = rows.shape, rows.reshape(-1, rows.shape[3])
        if self.c["kind"] == "gumbel":
            q, loss, indices = self.drawn(rows, noise, temperature)
        else:
            table = self.embedding.weight
            distances = rows.square().sum(1, keepdim=True) + table.square().sum(1) - 2 * rows @ table.t()
            indices = distances.argmin(1)
            self.see(distances)
            q = table[indices]
            near, far = F.mse_loss(q.detach(), rows), F.mse_loss(q, rows.detach())
            loss = near + self.c["beta"] * far if self.c["legacy"] else self.c["beta"] * near + far
            loss = self.c["beta"] * near if self.c["kind"] == "moving_average" else loss
            q = rows + (q - rows).detach()
        return q.reshape(shape[:3] + q.shape[1:]).permute(0, 3, 1, 2), loss, indices.reshape(shape[:3])

    def drawn(self, rows, noise, temperature):
        logits, table = F.linear(rows, self.proj.weight[:, :, 0, 0], self.proj.bias), self.embed.weight
        entries = len(table)
        if self.c.get("remap"):
            logits, table = logits[:, self.used], table[self.used]
        noisy = logits if noise is None else logits + noise
        soft = F.softmax(noisy / temperature, dim=1)
        chosen = noisy.argmax(1)
        self.see(-noisy)
        hard = F.one_hot(chosen, logits.shape[1]).to(soft) + soft - soft.detach()
        fractions = F.softmax(logits, dim=1)
        loss = self.c["kl_weight"] * (fractions * torch.log(fractions * entries + 1e-10)).sum(1).mean()
        return hard @ table, loss, self.used[chosen] if self.c.get("remap") else chosen

    def see(self, scores):
        """Is told what entries are chosen by, the least of each row; for who measures how near the next one was."""

    def codes(self, entries):
        """Codes of entries where a list of those in use numbers them; random ones have no fixed value and are left at -1."""
        remap = self.c.get("remap")
        if not remap:
            return entries
        positions = {int(entry): code for code, entry in reversed(list(enumerate(self.used)))}
        other = {"extra": remap["used"], "random": -1}.get(remap["unknown_index"], remap["unknown_index"])
        return torch.tensor([positions.get(int(e), other) for e in entries.flatten()]).reshape(entries.shape)


class VQGAN(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.encoder, self.decoder, self.quantize = Encoder(c), Decoder(c), Quantizer(c)
        self.quant_conv = nn.Conv2d(c["z_channels"], c["embed_dim"], 1)
        self.post_quant_conv = nn.Conv2d(c["embed_dim"], c["z_channels"], 1)

    def decode(self, q):
        return self.decoder(self.post_quant_conv(q))

    def forward(self, x, noise=None, temperature=1.0):
        q, loss, indices = self.quantize(self.quant_conv(self.encoder(x)), noise, temperature)
        return self.decode(q), loss


class ActNorm(nn.Module):
    """Scale and shift that start from the statistics of the first batch."""

    def __init__(self, channels):
        super().__init__()
        self.loc, self.scale = nn.Parameter(torch.zeros(1, channels, 1, 1)), nn.Parameter(torch.ones(1, channels, 1, 1))
        self.register_buffer("initialized", torch.tensor(0, dtype=torch.uint8))

    def forward(self, x):
        if self.training and not self.initialized:
            with torch.no_grad():
                self.loc.copy_(-x.mean((0, 2, 3), keepdim=True))
                self.scale.copy_(1 / (x.std((0, 2, 3), keepdim=True) + 1e-6))
                self.initialized.fill_(1)
        return self.scale * (x + self.loc)


class Discriminator(nn.Module):
    def __init__(self, c, channels=3):
        super().__init__()
        layers, width, batch = [nn.Conv2d(channels, c["ndf"], 4, 2, 1), nn.LeakyReLU(0.2)], c["ndf"], c["normalization"] == "batch"
        for i in range(1, c["n_layers"] + 1):
            outputs = c["ndf"] * min(2**i, 8)
            layers += [nn.Conv2d(width, outputs, 4, 2 if i < c["n_layers"] else 1, 1, bias=not batch)]
            layers += [nn.BatchNorm2d(outputs) if batch else ActNorm(outputs), nn.LeakyReLU(0.2)]
            width = outputs
        self.main = nn.Sequential(*layers, nn.Conv2d(width, 1, 4, 1, 1))
        for layer in self.main:
            if isinstance(layer, nn.Conv2d):
                nn.init.normal_(layer.weight, 0, 0.02)
            elif isinstance(layer, nn.BatchNorm2d):
                nn.init.normal_(layer.weight, 1, 0.02)

    def forward(self, x):
        return self.main(x)


class LPIPS(nn.Module):
    """VGG16 in torchvision's numbers, and a weight for each channel of its five slices."""

    def __init__(self, channels):
        super().__init__()
        self.scaling_layer = nn.Module()
        self.scaling_layer.register_buffer("shift", torch.tensor([-0.030, -0.088, -0.188])[None, :, None, None])
        self.scaling_layer.register_buffer("scale", torch.tensor([0.458, 0.448, 0.450])[None, :, None, None])
        self.net, width, number = nn.Module(), 3, 0
        for i, (outputs, count) in enumerate(zip(channels, (2, 2, 3, 3, 3))):
            layers = nn.Module()
            for _ in range(count):
                layers.add_module(str(number), nn.Conv2d(width, outputs, 3, padding=1))
                width, number = outputs, number + 2
            self.net.add_module(f"slice{i + 1}", layers)
            number += 1
            head = nn.Conv2d(outputs, 1, 1, bias=False)
            nn.init.uniform_(head.weight, 0, 4 / outputs)
            setattr(self, f"lin{i}", part(model=nn.Sequential(nn.Dropout(), head)))
        self.requires_grad_(False)

    def features(self, x):
        x = (x - self.scaling_layer.shift) / self.scaling_layer.scale
        for i, layers in enumerate(self.net.children()):
            x = F.max_pool2d(x, 2) if i else x
            for convolution in layers.children():
                x = F.relu(convolution(x))
            yield x

    def forward(self, x, y):
        unit = lambda t: t / (t.square().sum(1, keepdim=True).sqrt() + 1e-10)
        heads = [getattr(self, f"lin{i}")["model"][1] for i in range(5)]  # without the dropout in front
        pairs = zip(heads, self.features(x), self.features(y))
        return sum(head((unit(a) - unit(b)).square()).mean((2, 3), keepdim=True) for head, a, b in pairs)


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        width, self.heads = c["n_embd"], c["n_head"]
        self.ln1, self.ln2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = part(**{name: nn.Linear(width, width) for name in ("key", "query", "value", "proj")})
        mask = torch.ones(c["block_size"], c["block_size"]).tril()
        mask[: c["n_unmasked"], : c["n_unmasked"]] = 1
        self.attn.register_buffer("mask", mask[None, None])
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        n, t, c = x.shape
        h = self.ln1(x)
        q, k, v = (self.attn[f](h).reshape(n, t, self.heads, -1).transpose(1, 2) for f in ("query", "key", "value"))
        scores = q @ k.transpose(2, 3) * (c // self.heads) ** -0.5
        fractions = F.softmax(scores.masked_fill(self.attn.mask[:, :, :t, :t] == 0, -math.inf), dim=3)
        x = x + self.attn["proj"]((fractions @ v).transpose(1, 2).reshape(n, t, c))
        return x + self.mlp(self.ln2(x))


class GPT(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.tok_emb, self.pos_emb = nn.Embedding(c["vocab_size"], c["n_embd"]), nn.Parameter(torch.zeros(1, c["block_size"], c["n_embd"]))
        self.blocks = nn.Sequential(*(Block(c) for _ in range(c["n_layer"])))
        self.ln_f, self.head = nn.LayerNorm(c["n_embd"]), nn.Linear(c["n_embd"], c["vocab_size"], bias=False)
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Embedding)):
                nn.init.normal_(module.weight, 0, 0.02)
                if getattr(module, "bias", None) is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, tokens):
        return self.head(self.ln_f(self.blocks(self.tok_emb(tokens) + self.pos_emb[:, : tokens.shape[1]])))


def read_weights(path):
    if path.endswith(".safetensors"):
        return load_file(path)
    return torch.load(path, map_location="cpu", weights_only=True)["state_dict"]


def load(model, weights, prefix=""):
    """Fills a model from the weights below a prefix; all of them must be there."""
    found = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
    known = model.state_dict()
    model.load_state_dict({name: found[name].reshape(known[name].shape) if name in found else known[name] for name in known})
    missing = [name for name in known if name not in found and not name.endswith(("num_batches_tracked", "scale", "shift", "mask"))]
    if missing:
        sys.exit(f"no {', '.join(prefix + name for name in missing[:5])} in the weights")


def read_config(path):
    with open(path) as file:
        config = json.load(file)
    return config.get("model", config)


def temperature(c, step):
    schedule = c["quantizer"].get("temperature", {"start": 0.9, "end": 1e-6, "steps": 1_000_001})
    fraction = min(step / schedule["steps"], 1)
    return schedule["end"] + 0.5 * (schedule["start"] - schedule["end"]) * (1 + math.cos(math.pi * fraction))


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


def gradients(model, prefix):
    return {prefix + name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


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
    save_file({name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}, f"{options.out}.safetensors")
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
    state = {prefix + name: value.clone() for prefix, module in whole.items() for name, value in module.state_dict().items()}
    write_checkpoint(options, state, trainer.optimizers)

    x = batches[options.warm_up % len(batches)]
    model.eval()
    with torch.no_grad():
        h = model.encoder(x)
        z = model.quant_conv(h)
        q, loss, indices = model.quantize(z)
        reconstruction = model.decode(q)
        tensors |= {"encoder_out": h, "quant_conv_out": z, "quant_loss": loss, "entries": indices, "quant": q,
                    "indices": model.quantize.codes(indices), "reconstruction": reconstruction, "lpips": lpips(x, reconstruction).flatten()}
    first, per_step = [copy_of(model), copy_of(critic)], []
    for step in steps:
        saved = {}
        losses = trainer.step(step, batches[step % len(batches)], saved)
        per_step.append({f"train/{name}": float(value) for name, value in losses.items()})
        tensors |= saved if len(per_step) == 1 else {}
    if options.steps:
        tensors |= moved(model, first[0], "moved.") | moved(critic, first[1], "moved.loss.discriminator.")
    record = {"config": config, "discriminator": trainer.discriminator, "disc_loss": options.disc_loss, "disc_start": options.disc_start,
              "lpips_channels": [getattr(lpips, f"lin{i}")["model"][1].weight.shape[1] for i in range(5)],
              "learning_rate": options.learning_rate, "batch": options.batch, "seed": options.seed, "warm_up": options.warm_up, "per_step": per_step,
              "margins": margins, "codes_used": len(indices.unique())}
    print(f"{record['codes_used']} codes in use", file=sys.stderr)
    for title, entry in sorted(margins.items(), key=lambda item: decisions.ratio(item[1]))[:1]:
        print(f"the nearest edge of a decision is {decisions.ratio(entry):.1f} times as far as rounding moves it: {title}", file=sys.stderr)
        if decisions.ratio(entry) < options.widen:
            sys.exit(f"less than {options.widen}: take another seed")
    finish(options, tensors, record)


class GumbelNoise:
    """-log(-log(u)) of the numbers that train-vqgan draws with the same seed: Philox 4x32-10, four to a block, 24 bits of each."""

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
        c = [blocks & low, blocks >> half, numpy.full_like(blocks, self.stream % 2**32), numpy.full_like(blocks, self.stream >> 32)]
        k0, k1 = (numpy.uint64(k) for k in self.key)
        for _ in range(10):
            p, q = c[0] * numpy.uint64(0xD2511F53), c[2] * numpy.uint64(0xCD9E8D57)
            c = [(q >> half) ^ c[1] ^ k0, q & low, (p >> half) ^ c[3] ^ k1, p & low]
            k0, k1 = (k0 + numpy.uint64(0x9E3779B9)) & low, (k1 + numpy.uint64(0xBB67AE85)) & low
        u = (numpy.stack(c, 1).reshape(-1)[: rows * columns] >> numpy.uint64(8)).astype(numpy.float64) * 2.0**-24 + 2.0**-25
        return torch.from_numpy(-numpy.log(-numpy.log(u))).float().reshape(rows, columns)


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
        return {"total_loss": total.detach(), "quant_loss": codebook.detach(), "nll_loss": nll.detach(), "rec_loss": nll.detach(),
                "p_loss": distance.detach().mean(), "d_weight": weight, "disc_factor": factor, "g_loss": adversarial.detach(),
                "disc_loss": factor * loss_of_both.detach(), "logits_real": real.detach().mean(), "logits_fake": fake.detach().mean()}

    def update(self, which, loss):
        self.optimizers[which].zero_grad()
        loss.backward()
        self.optimizers[which].step()


def discriminator_of(options):
    return {"ndf": options.ndf, "n_layers": options.disc_layers, "normalization": "activation" if options.actnorm else "batch"}


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
            write_checkpoint(options, {f"transformer.{name}": value.clone() for name, value in model.state_dict().items()}, [optimizer])
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
    import h5py
    config = read_config(options.config)
    model = VQGAN(config).eval()
    load(model, read_weights(options.weights))
    ties = different = positions = 0
    largest, names = 0.0, []
    with torch.no_grad(), h5py.File(options.shard) as images, h5py.File(options.codes) as codes:
        names = [name.decode() for name in images["name"]]
        assert names == [name.decode() for name in codes["name"]], "the shards are not of the same images"
        for row in range(min(len(names), options.count or len(names))):
            x = torch.from_numpy(images["images"][row]).permute(2, 0, 1)[None].float() / 127.5 - 1
            z = model.quant_conv(model.encoder(x))
            q, _, entries = model.quantize(z)
            wanted = model.quantize.codes(entries).flatten()
            found = torch.from_numpy(codes["codes"][row].astype(numpy.int64))
            rows = z.permute(0, 2, 3, 1).reshape(-1, z.shape[1]).double()
            for position in (found != wanted).nonzero().flatten().tolist():
                near = [nearness(model.quantize, rows[position], int(c[position])) for c in (found, wanted)]
                if abs(near[0] - near[1]) < 1e-5 * abs(near[1]):
                    ties += 1
                else:
                    different += 1
                    print(f"{names[row]}, position {position}: code {found[position]}, PyTorch {wanted[position]}; {near[0]:.7g} and {near[1]:.7g}")
            positions += len(wanted)
            if options.reconstructions:
                path = glob.glob(f"{glob.escape(options.reconstructions)}/{row:04}-*.png")
                assert len(path) == 1, f"no reconstruction of image {row}, {names[row]}, in {options.reconstructions}"
                image = torch.from_numpy(numpy.asarray(Image.open(path[0]).convert("RGB")).astype(numpy.float32))
                level = (model.decode(q)[0].permute(1, 2, 0).clamp(-1, 1) + 1) * 127.5
                # An image holds whole levels: half a level of distance is due to them.
                distance = ((image - level).abs().max().item() - 0.5) / 127.5
                largest = max(largest, distance)
    print(f"{positions} codes of {min(len(names), options.count or len(names))} images: {different} different, {ties} ties closer than 1e-5")
    if options.reconstructions:
        print(f"pixels, in [-1, 1], rounding to whole levels apart: at most {largest:.1e} away")
    sys.exit(different > 0 or largest > 1e-3)


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
                             help="change the first weights until every decision is so many times as far from its edge as rounding moves it")
        command.add_argument("--lpips-divisor", type=int, default=1, help="random weights: VGG16 with this fraction of its channels")
    command = commands.add_parser("compare")
    command.set_defaults(action=compare, seed=0)
    for name, text in (("weights", ".ckpt or .safetensors"), ("config", "model.json"), ("shard", "images, .h5"), ("codes", "codes, .h5")):
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
