#!/usr/bin/env python3
"""Writes adversarial.safetensors: what PyTorch computes for the terms of the objective that taming-transformers lacks.

The equations are written out here. Made with torch 2.13.
"""
import os

import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import save_file

torch.manual_seed(11)
tensors = {}


def record(name, inputs, loss):
    """Inputs, the loss and the inputs' gradients."""
    for leaf in inputs.values():
        leaf.grad = None
    loss.backward()
    tensors[f"{name}.loss"] = loss.detach().clone()
    for key, leaf in inputs.items():
        tensors[f"{name}.{key}"] = leaf.detach().clone().contiguous()
        tensors[f"{name}.d_{key}"] = leaf.grad.clone().contiguous()


# LeCAM after three batches, the averages of which are freed from their start at 0
decay, average_real, average_fake = 0.999, 0.0, 0.0
for step in range(1, 4):
    real = (torch.randn(2, 1, 3, 4) + 0.4).requires_grad_()
    fake = (torch.randn(2, 1, 3, 4) - 0.3).requires_grad_()
    average_real = decay * average_real + (1 - decay) * real.mean().item()
    average_fake = decay * average_fake + (1 - decay) * fake.mean().item()
    weight = 1 - decay**step
    record(f"lecam{step}", {"real": real, "fake": fake},
           F.relu(real - average_fake / weight).pow(2).mean() + F.relu(average_real / weight - fake).pow(2).mean())

# the non-saturating loss of the generator
fake = (3 * torch.randn(2, 1, 3, 4)).requires_grad_()
record("non_saturating", {"fake": fake}, F.binary_cross_entropy_with_logits(fake, torch.ones_like(fake)))

# the worst values of each image: one, or a fraction
for name, count in [("worst", 1), ("worst_tenth", 6)]:
    x, y = torch.rand(2, 3, 5, 4) * 2 - 1, (torch.rand(2, 3, 5, 4) * 2 - 1).requires_grad_()
    tensors[f"{name}.x"] = x
    record(name, {"y": y}, (x - y).pow(2).flatten(1).topk(count, dim=1).values.mean())

# a discriminator with group norms: n_layers 1, ndf 20, so 20 groups of 40 channels
network = nn.Module()
network.main = nn.Sequential(
    nn.Conv2d(3, 20, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(20, 40, 4, 1, 1), nn.GroupNorm(20, 40), nn.LeakyReLU(0.2),
    nn.Conv2d(40, 1, 4, 1, 1))
with torch.no_grad():
    for parameter in network.parameters():
        parameter.add_(0.1 * torch.randn(parameter.shape))
x = (torch.rand(2, 3, 16, 12) * 2 - 1).requires_grad_()
logits = network.main(x)
seed = torch.randn(logits.shape)
tensors["group.logits"], tensors["group.seed"] = logits.detach().clone(), seed
record("group", {"x": x}, (logits * seed).sum())
for name, parameter in network.named_parameters():
    tensors[f"group.{name}"] = parameter.detach().clone()
    if parameter.dim() == 1:
        tensors[f"group.d_{name}"] = parameter.grad.clone()
    else:
        tensors[f"group.norm_{name}"] = parameter.grad.norm()

save_file({k: v.float().contiguous() for k, v in tensors.items()},
          os.path.join(os.path.dirname(__file__), "adversarial.safetensors"))
