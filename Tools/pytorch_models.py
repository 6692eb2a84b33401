"""The models of arXiv:2012.09841 in plain PyTorch, with the published names of their weights.

VQGAN, discriminator, LPIPS and GPT of a configuration with the keys of model.json, and how their weights and
configurations are read. Needs PyTorch alone; safetensors for weights in such a file.
"""
import json, math, sys

import torch
import torch.nn as nn
import torch.nn.functional as F


def part(**modules):
    return nn.ModuleDict(modules)


def norm(channels):
    return nn.GroupNorm(32, channels, eps=1e-6)


class Residual(nn.Module):
    def __init__(self, inputs, outputs, bias=True):
        super().__init__()
        self.norm1, self.conv1 = norm(inputs), nn.Conv2d(inputs, outputs, 3, padding=1, bias=bias)
        self.norm2, self.conv2 = norm(outputs), nn.Conv2d(outputs, outputs, 3, padding=1, bias=bias)
        self.nin_shortcut = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1, bias=bias)

    def forward(self, x):
        return self.nin_shortcut(x) + self.conv2(F.silu(self.norm2(self.conv1(F.silu(self.norm1(x))))))


class Attention(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm = norm(channels)
        self.q, self.k, self.v, self.proj_out = (nn.Conv2d(channels, channels, 1) for _ in range(4))

    def forward(self, x):
        n, c, h, w = x.shape
        normal = self.norm(x)
        q, k, v = (f(normal).reshape(n, c, h * w) for f in (self.q, self.k, self.v))
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
        self.block_1, self.attn_1, self.block_2 = (
            Residual(channels, channels), Attention(channels), Residual(channels, channels))

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
        """Codes of entries where a list of those in use numbers them; random ones have no fixed value and stay -1."""
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
        layers, width, batch = (
            [nn.Conv2d(channels, c["ndf"], 4, 2, 1), nn.LeakyReLU(0.2)], c["ndf"], c["normalization"] == "batch")
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
        fractions = F.softmax(scores.masked_fill(self.attn.mask[..., :t, :t] == 0, -math.inf), dim=3)
        x = x + self.attn["proj"]((fractions @ v).transpose(1, 2).reshape(n, t, c))
        return x + self.mlp(self.ln2(x))


class GPT(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.tok_emb, self.pos_emb = (
            nn.Embedding(c["vocab_size"], c["n_embd"]), nn.Parameter(torch.zeros(1, c["block_size"], c["n_embd"])))
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
        from safetensors.torch import load_file
        return load_file(path)
    return torch.load(path, map_location="cpu", weights_only=True)["state_dict"]


def load(model, weights, prefix=""):
    """Fills a model from the weights below a prefix; all of them must be there."""
    found = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
    known = model.state_dict()
    model.load_state_dict({name: found[name].reshape(known[name].shape) if name in found else known[name]
                           for name in known})
    missing = [name for name in known
               if name not in found and not name.endswith(("num_batches_tracked", "scale", "shift", "mask"))]
    if missing:
        sys.exit(f"no {', '.join(prefix + name for name in missing[:5])} in the weights")


def read_config(path):
    with open(path) as file:
        config = json.load(file)
    return config.get("model", config)
