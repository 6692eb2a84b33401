"""Encoders, decoders and quantizers of published tokenizers in plain PyTorch, with the published names of weights.

The networks are those of arXiv:2406.06525 (LlamaGen), 2409.04410 (Open-MAGVIT2), 2112.10752 and 2401.01808 (the VQModel
of diffusers). IBQ (2412.02692) has the encoder and the decoder of pytorch_models.py. `c` is an entry of SIZES in
pytorch_tokenizers.py. Needs PyTorch alone.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

from pytorch_models import Attention, Residual, norm, part


# MARK: LlamaGen: levels of residual and attention blocks, the decoder's deepest first; attention at the deepest alone


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


class ByCodes(nn.Module):
    """Normalised activations, scaled by the codes' deviations and shifted by their means."""

    def __init__(self, latents, channels):
        super().__init__()
        self.gamma, self.beta = nn.Linear(latents, channels), nn.Linear(latents, channels)

    def forward(self, x, z):
        scale = self.gamma((z.flatten(2).var(2, unbiased=True) + 1e-6).sqrt())
        return (F.group_norm(x, 32, eps=1e-6) * scale[:, :, None, None]
                + self.beta(z.flatten(2).mean(2))[:, :, None, None])


class MAGVITLevel(nn.Module):
    def __init__(self, inputs, outputs, blocks):
        super().__init__()
        self.block = nn.ModuleList(Residual(outputs if i else inputs, outputs, bias=False) for i in range(blocks))


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
        self.mid_block = nn.ModuleList(Residual(widths[-1], widths[-1], bias=False) for _ in range(c["blocks"]))
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
        self.mid_block = nn.ModuleList(Residual(widths[-1], widths[-1], bias=False) for _ in range(c["blocks"]))
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
            block.resnets = nn.ModuleList(
                ResnetBlock(width if j else widths[max(i - 1, 0)], width) for j in range(c["blocks"]))
            block.attentions = nn.ModuleList(
                LinearAttention(width) for _ in range(c["blocks"] if i in c.get("attends", []) else 0))
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
            block.resnets = nn.ModuleList(
                ResnetBlock(width if j else widths[max(i - 1, 0)], width) for j in range(blocks))
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
