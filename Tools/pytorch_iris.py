#!/usr/bin/env python3
"""An agent of IRIS in plain PyTorch, with random weights under its published names.

    Tools/pytorch_iris.py OUT [--small] [--seed N] [--attention causal|block_causal]

Writes OUT/last.pt, a file of the names and shapes of the published ones, or with --small of fewer channels and layers
in less than 300 kB for the tests; and OUT/expected.safetensors with what PyTorch computes for it: codes and
reconstructions of images, the logits of sequences as long as the window, and a greedy rollout longer than the window,
whose cache is refilled with the last image.
IRISParityTests compares both with the suite; IRIS=OUT in its environment names the folder.

The modules are written from arXiv:2209.00588; names and shapes are those of the published files. Needs PyTorch and
safetensors.
"""
import argparse, pathlib

import torch
import torch.nn as nn
from safetensors.torch import save_file

from pytorch_models import Block, Decoder, Encoder, part
from pytorch_tokenizer_networks import Nearest
from pytorch_tokenizers import centre, pooled, waves

PUBLISHED = {"side": 64, "ch": 64, "levels": 5, "blocks": 2, "z": 512, "d": 512, "codes": 512, "attends": [16, 8],
             "actions": 4, "context": 20, "layers": 10, "heads": 4, "width": 256}
SMALL = {"side": 64, "ch": 32, "levels": 6, "blocks": 1, "z": 8, "d": 8, "codes": 64, "attends": [8],
         "actions": 3, "context": 3, "layers": 2, "heads": 4, "width": 32}


class Tokenizer(nn.Module):
    def __init__(self, c):
        super().__init__()
        shape = {"in_channels": 3, "out_ch": 3, "ch": c["ch"], "ch_mult": [1] * c["levels"], "z_channels": c["z"],
                 "num_res_blocks": c["blocks"], "resolution": c["side"], "attn_resolutions": c["attends"]}
        self.encoder, self.decoder = Encoder(shape), Decoder(shape)
        self.pre_quant_conv, self.post_quant_conv = nn.Conv2d(c["z"], c["d"], 1), nn.Conv2d(c["d"], c["z"], 1)
        self.embedding = nn.Embedding(c["codes"], c["d"])

    def latents(self, x):
        return self.pre_quant_conv(self.encoder(x))

    def forward(self, x):
        """Images in [-1, 1] to reconstructions there, not clamped, and codes `[N, h, w]`."""
        z = self.latents(x)
        n, d, h, w = z.shape
        rows = z.permute(0, 2, 3, 1).reshape(-1, d)
        codes = Nearest.scores(self, rows).argmax(1)
        q = self.embedding(codes).reshape(n, h, w, d).permute(0, 3, 1, 2)
        return self.decoder(self.post_quant_conv(q)), codes.reshape(n, h, w)

    def table(self):
        return self.embedding.weight


class Head(nn.Module):
    """Logits at some places of every step."""

    def __init__(self, width, classes, places, step, context):
        super().__init__()
        self.register_buffer("indices", torch.tensor([step * i + place for i in range(context) for place in places]))
        self.head_module = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, classes))

    def forward(self, x):
        return self.head_module(x[:, self.indices[self.indices < x.shape[1]]])


class WorldModel(nn.Module):
    def __init__(self, c, attention):
        super().__init__()
        width, self.codes = c["width"], (c["side"] >> c["levels"] - 1) ** 2
        self.step, self.context = self.codes + 1, c["context"]
        window = self.step * self.context
        mask = torch.tril(torch.ones(window, window))
        if attention == "block_causal":
            mask = torch.maximum(mask, torch.block_diag(*[torch.ones(self.step, self.step)] * self.context))
        shape = {"n_embd": width, "n_head": c["heads"], "block_size": window, "n_unmasked": 0}
        blocks = nn.ModuleList(Block(shape) for _ in range(c["layers"]))
        for block in blocks:
            block.attn.mask = mask
        self.transformer = part(blocks=blocks, ln_f=nn.LayerNorm(width))
        self.pos_emb = nn.Embedding(window, width)
        tables = [nn.Embedding(count, width) for count in (c["actions"], c["codes"])]
        self.embedder = part(embedding_tables=nn.ModuleList(tables))
        places = [i for i in range(self.step) if i != self.step - 2]
        self.head_observations = Head(width, c["codes"], places, self.step, self.context)
        self.head_rewards = Head(width, 3, [self.step - 1], self.step, self.context)
        self.head_ends = Head(width, 2, [self.step - 1], self.step, self.context)

    def forward(self, tokens):
        """Codes and actions `[N, T]`, the last step perhaps in part, to the logits of codes, rewards and ends."""
        place = torch.arange(tokens.shape[1])
        is_action = place % self.step == self.step - 1
        actions, codes = self.embedder["embedding_tables"]
        x = torch.where(is_action[None, :, None], actions(tokens * is_action), codes(tokens * ~is_action))
        x = x + self.pos_emb(place)
        for block in self.transformer["blocks"]:
            x = block(x)
        x = self.transformer["ln_f"](x)
        return self.head_observations(x), self.head_rewards(x), self.head_ends(x)

    def rollout(self, image, actions):
        """From one image on: the greedy images `[S, K]` behind each action, the logits of rewards and ends there."""
        images, rewards, ends, window = [], [], [], image.tolist()
        for action in actions.tolist():
            if len(window) + self.step > self.step * self.context:
                window = window[-self.codes :]  # the last image alone is remembered
            window.append(action)
            for place in range(self.codes):
                code, reward, end = self(torch.tensor([window]))
                if place == 0:
                    rewards.append(reward[0, -1])
                    ends.append(end[0, -1])
                window.append(int(code[0, -1].argmax()))
            images.append(window[-self.codes :])
        return torch.tensor(images), torch.stack(rewards), torch.stack(ends)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--attention", choices=["causal", "block_causal"], default="causal")
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    c = SMALL if options.small else PUBLISHED
    agent = part(tokenizer=Tokenizer(c), world_model=WorldModel(c, options.attention)).eval()
    if options.small:
        pooled(agent)
        for layer in [agent["world_model"].pos_emb, *agent["world_model"].embedder["embedding_tables"]]:
            layer.weight.data = layer.weight * 10
    else:
        # Wide enough for logits that differ by more than rounding errors.
        for name, parameter in agent["world_model"].named_parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, std=0.08)
    tokenizer, world = agent["tokenizer"], agent["world_model"]
    with torch.no_grad():
        x = waves(1 if options.small else 2, c["side"])
        centre(tokenizer, x)
        y, codes = tokenizer(x)
        steps = torch.randint(c["codes"], (2, world.context, world.codes))
        actions = torch.randint(c["actions"], (2, world.context, 1))
        of_codes, rewards, ends = world(torch.cat([steps, actions], 2).flatten(1))
        played = torch.randint(c["actions"], (world.context + 4,))
        images, dreamt_rewards, dreamt_ends = world.rollout(codes[0].flatten(), played)
    print(f"{len(codes.unique())} of {c['codes']} codes in {codes.numel()} positions; {len(images.unique())} in "
          f"{images.numel()} dreamt ones; logits of codes of deviation {of_codes.std():.2f}")
    options.out.mkdir(exist_ok=True)
    nothing = {"actor_critic.conv1.weight": torch.zeros(1).expand(32, 3, 3, 3),
               "tokenizer.lpips.lin0.model.1.weight": torch.zeros(1, 4, 1, 1)}
    torch.save({key: value.data for key, value in agent.state_dict().items()} | nothing, options.out / "last.pt")
    whole = lambda values: values.to(torch.int32).contiguous()
    save_file({"x": x, "codes": whole(codes), "reconstruction": y.contiguous(), "steps": whole(steps),
               "actions": whole(actions[:, :, 0]), "logits.codes": of_codes.contiguous(), "logits.rewards": rewards,
               "logits.ends": ends, "played": whole(played), "rollout.images": whole(images),
               "rollout.rewards": dreamt_rewards, "rollout.ends": dreamt_ends},
              options.out / "expected.safetensors")


if __name__ == "__main__":
    main()
