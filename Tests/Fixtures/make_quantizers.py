#!/usr/bin/env python3
"""Writes quantizers.safetensors: what PyTorch computes for the kinds of codebook that taming-transformers does not have.

The equations are written out here; with vector-quantize-pytorch installed its modules are run beside them and must agree.
Made with torch 2.9 and vector-quantize-pytorch 1.32.
"""
import math, os

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

try:
    import vector_quantize_pytorch as reference
except ImportError:
    reference = None

torch.manual_seed(5)
tensors = {}


def near(name, a, b):
    assert a.shape == b.shape and torch.allclose(a.float(), b.float(), atol=2e-5, rtol=1e-4), (name, (a.float() - b.float()).abs().max())


def record(name, z, q, indices, loss):
    """Results, and the gradients of loss + <seed, q>."""
    seed = torch.randn(q.shape, generator=torch.Generator().manual_seed(7))
    z.grad = None
    (loss + (q * seed).sum()).backward()
    for key, value in [("z", z), ("q", q), ("indices", indices), ("loss", loss), ("seed", seed), ("dz", z.grad)]:
        tensors[f"{name}.{key}"] = value.detach().clone().float().contiguous()
    return seed


def straight(z, q):
    return z + (q - z).detach()


def rotation(z, q):
    e, u = F.normalize(z, dim=1).detach(), F.normalize(q, dim=1).detach()
    r = F.normalize(e + u, dim=1)
    turned = z - 2 * (z * r).sum(1, keepdim=True) * r + 2 * (z * e).sum(1, keepdim=True) * u
    return turned * (q.norm(dim=1, keepdim=True) / z.norm(dim=1, keepdim=True)).detach()


def nearest(z, table):
    indices = torch.cdist(z, table).argmin(1)
    return table[indices], indices


def leaf(rows, width):
    return torch.randn(rows, width).requires_grad_()


# finite scalar quantization
levels = torch.tensor([8, 5, 4])
z = leaf(40, 3)
half = (levels - 1) * (1 + 1e-3) / 2
offset = torch.where(levels % 2 == 0, 0.5, 0.0)
bounded = torch.tanh(z + torch.atanh(offset / half)) * half - offset
q = (bounded + (bounded.round() - bounded).detach()) / (levels // 2)
indices = ((q * (levels // 2) + levels // 2) * torch.tensor([1, 8, 40])).sum(1).round()
seed = record("fsq", z, q, indices, torch.tensor(0.0))
if reference:
    other = z.detach().clone().requires_grad_()
    found, codes = reference.FSQ([8, 5, 4])(other[None])
    (found[0] * seed).sum().backward()
    near("fsq q", found[0], q), near("fsq indices", codes[0], indices), near("fsq dz", other.grad, z.grad)

# lookup-free quantization, of normalised input
z = leaf(32, 4)
with torch.no_grad():
    z *= 0.01
x = F.group_norm(z.t()[None, :, :, None], 1, eps=1e-6)[0, :, :, 0].t()
table = torch.tensor([[1.0 if k >> (3 - i) & 1 else -1.0 for i in range(4)] for k in range(16)])
q = torch.where(x > 0, 1.0, -1.0)
p = (200 * x @ table.t()).softmax(1)
entropy = lambda p: -(p * p.clamp(min=1e-5).log()).sum(-1)
loss = 0.1 * (entropy(p).mean() - entropy(p.mean(0))) + 0.25 * F.mse_loss(x, q)
seed = record("lfq", z, straight(x, q), ((x > 0) * torch.tensor([8, 4, 2, 1])).sum(1), loss)
if reference:
    lfq = reference.LFQ(dim=4, entropy_loss_weight=0.1, commitment_loss_weight=0.25).train()
    found, codes, other = lfq(x[None].detach())
    near("lfq q", found[0], q), near("lfq indices", codes[0], tensors["lfq.indices"]), near("lfq loss", other, loss)

# one linear map of frozen vectors, with either gradient
for name, pass_through in [("straight", straight), ("rotation", rotation)]:
    z, frozen, weight = leaf(30, 6), torch.randn(9, 6) / math.sqrt(6), (torch.randn(6, 6) / 3).requires_grad_()
    q, indices = nearest(z, frozen @ weight.t())
    loss = 0.25 * F.mse_loss(z, q.detach()) + F.mse_loss(q, z.detach())
    seed = record(f"simvq-{name}", z, pass_through(z, q.detach()), indices, loss)
    tensors.update({f"simvq-{name}.frozen": frozen, f"simvq-{name}.weight": weight.detach(), f"simvq-{name}.dweight": weight.grad.clone()})
    if reference:
        sim = reference.SimVQ(dim=6, codebook_size=9, rotation_trick=name == "rotation")
        sim.frozen_codebook.copy_(frozen)
        sim.code_transform.weight.data.copy_(weight.detach())
        other = z.detach().clone().requires_grad_()
        found, codes, commit = sim(other[None])
        (commit + (found[0] * seed).sum()).backward()
        near("simvq q", found[0], q), near("simvq loss", commit, loss), near("simvq dz", other.grad, z.grad)
        near("simvq dW", sim.code_transform.weight.grad, weight.grad)

# directions
z, weight = leaf(30, 4), torch.randn(9, 4).requires_grad_()
unit = F.normalize(z, dim=1)
q, indices = nearest(unit, F.normalize(weight, dim=1))
loss = 0.25 * F.mse_loss(unit, q.detach()) + F.mse_loss(q, unit.detach())
record("cosine", z, straight(unit, q), indices, loss)
tensors.update({"cosine.weight": weight.detach(), "cosine.dweight": weight.grad.clone()})

# index backpropagation: the largest product, and every entry's part of the gradient
torch.manual_seed(6)
z, weight = leaf(30, 4), torch.randn(9, 4).requires_grad_()
logits = z @ weight.t()
soft, indices = logits.softmax(1), logits.argmax(1)
hard = F.one_hot(indices, 9).float()
q, chosen = (hard - soft.detach() + soft) @ weight, hard @ weight
p = (100 * logits).softmax(1)
loss = F.mse_loss(q, z) + F.mse_loss(chosen.detach(), z) + 0.25 * F.mse_loss(chosen, z.detach())
loss = loss + 0.1 * (entropy(p).mean() - entropy(p.mean(0)))
record("ibq", z, q, indices, loss)
tensors.update({"ibq.weight": weight.detach(), "ibq.dweight": weight.grad.clone()})

# signs in the conventions of Open-MAGVIT2: latents as they are, the first channel's bit the lowest
z = leaf(32, 4)
with torch.no_grad():
    z *= 0.02
q = torch.where(z > 0, 1.0, -1.0)
p = (200 * z @ table.t()).softmax(1)
loss = 0.1 * (entropy(p).mean() - entropy(p.mean(0))) + 0.25 * F.mse_loss(z, q)
record("lfq-open", z, straight(z, q), ((z > 0) * torch.tensor([1, 2, 4, 8])).sum(1), loss)

save_file(tensors, os.path.join(os.path.dirname(os.path.abspath(__file__)), "quantizers.safetensors"))
print(f"{len(tensors)} tensors" + (", equal to vector-quantize-pytorch's" if reference else ""))
