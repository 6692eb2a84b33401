#!/usr/bin/env python3
"""Writes quantizers.safetensors: what PyTorch computes for the kinds of codebook that taming-transformers lacks.

The equations are written out here; with vector-quantize-pytorch installed its modules are run beside them and must
agree.
Made with torch 2.13 and vector-quantize-pytorch 1.32.
"""
import math, os

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

try:
    import vector_quantize_pytorch as reference
    from vector_quantize_pytorch.vector_quantize_pytorch import kmeans as reference_kmeans
except ImportError:
    reference = None

torch.manual_seed(5)
tensors = {}


def near(name, a, b):
    same = a.shape == b.shape and torch.allclose(a.float(), b.float(), atol=2e-5, rtol=1e-4)
    assert same, (name, (a.float() - b.float()).abs().max())


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
    tensors.update({f"simvq-{name}.frozen": frozen, f"simvq-{name}.weight": weight.detach()})
    tensors[f"simvq-{name}.dweight"] = weight.grad.clone()
    if reference:
        with torch.random.fork_rng():
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

# MARK: several codebooks, each of what those before it leave
#
# The decoder sees the sum of the entries, and the latents get its gradient once (Lee et al. 2022). vector-quantize-
# pytorch gives it to them once per level: `once=False`, for the comparison alone.

FSQ_LEVELS, DECAY, BETA = torch.tensor([8, 5, 4]), 0.9, 0.25


def unit(x):
    return F.normalize(x, dim=1)


def near_tie(scores):
    """Whether the best two of each row are too near for float32."""
    best = scores.topk(2, dim=1).values
    return (best[:, 0] - best[:, 1] < 1e-4).any()


def level_of_table(rest, table, cosine):
    x, entries = (unit(rest), unit(table)) if cosine else (rest, table)
    assert not near_tie(-torch.cdist(x, entries) ** 2), "another seed"
    q, codes = nearest(x, entries)
    return x, q, codes


def level_of_fsq(rest, level):
    scale, steps = FSQ_LEVELS.float() ** -level, FSQ_LEVELS - 1
    clamped = (rest / scale).clamp(-1, 1)
    position = steps * (clamped + 1) / 2 + 0.5
    assert ((position - position.round()).abs() > 1e-4).all(), "another seed"
    digits = position.floor()
    q = (digits * 2 / steps - 1) * scale
    return clamped * scale, q.detach(), (digits * torch.tensor([1, 8, 40])).sum(1)


def level_of_lfq(rest, level):
    assert (rest.abs() > 1e-4).all(), "another seed"
    return rest, torch.where(rest > 0, 1.0, -1.0) * 0.5**level, ((rest > 0) * torch.tensor([8, 4, 2, 1])).sum(1)


def residual(kind, z, tables, turn=straight, once=True):
    """The sum of the entries, the codes [M, D] and the losses of the levels, what each level saw."""
    x = z
    if kind == "fsq":
        bound = 1 + 1 / (FSQ_LEVELS - 1)
        x = torch.tanh(z / bound) * bound
    if kind == "lfq":
        x = F.group_norm(z.t()[None, :, :, None], 1, eps=1e-6)[0, :, :, 0].t()
    rest, total, separate, codes, losses, seen = x, 0, 0, [], [], []
    for level, entries in enumerate(tables):
        if kind == "fsq":
            e, q, found = level_of_fsq(rest, level)
            loss = torch.tensor(0.0)
        elif kind == "lfq":
            e, q, found = level_of_lfq(rest, level)
            p = (200 * rest @ (table * 0.5**level).t()).softmax(1)
            loss = 0.1 * (entropy(p).mean() - entropy(p.mean(0))) + BETA * F.mse_loss(rest, q)
        else:
            e, q, found = level_of_table(rest, entries, kind.startswith("cosine"))
            loss = BETA * F.mse_loss(e, q.detach())
            if kind in ("gradient", "cosine gradient", "simvq"):
                loss = loss + F.mse_loss(q, e.detach())
        rest, total, separate = rest - q.detach(), total + q.detach(), separate + turn(e, q.detach())
        codes.append(found), losses.append(loss), seen.append(e.detach())
    return turn(x, total) if once else separate, torch.stack(codes, 1), torch.stack(losses), seen


class Averages:
    """A codebook of moving averages: van den Oord et al. 2017, eq. 6-8, with Laplace smoothing of the counts."""

    def __init__(self, table, cosine=False):
        self.table, self.size, self.sum, self.cosine = table.clone(), torch.ones(len(table)), table.clone(), cosine

    def move(self, rows, codes):
        hot = F.one_hot(codes, len(self.table)).float()
        self.size = DECAY * self.size + (1 - DECAY) * hot.sum(0)
        self.sum = DECAY * self.sum + (1 - DECAY) * hot.t() @ rows
        total = self.size.sum()
        smoothed = (self.size + 1e-5) / (total + len(self.table) * 1e-5) * total
        means = self.sum / smoothed[:, None]
        self.table = unit(means) if self.cosine else means


def library(kind, tables, rotates):
    """The module of vector-quantize-pytorch with the same entries."""
    depth = len(tables)
    if kind == "fsq":
        return reference.ResidualFSQ(levels=FSQ_LEVELS.tolist(), num_quantizers=depth)
    if kind == "lfq":
        return reference.ResidualLFQ(
            dim=4, codebook_size=16, num_quantizers=depth, entropy_loss_weight=0.1, commitment_loss_weight=BETA).train()
    learns = kind == "gradient"
    module = reference.ResidualVQ(
        dim=tables[0].shape[1], codebook_size=len(tables[0]), num_quantizers=depth, rotation_trick=rotates, decay=DECAY,
        use_cosine_sim=kind == "cosine", learnable_codebook=learns, ema_update=not learns,
        commitment_weight=1.0 if learns else BETA).train()
    for layer, entries in zip(module.layers, tables):
        layer._codebook.embed.data.copy_(entries[None]), layer._codebook.embed_avg.data.copy_(entries[None])
    return module


def compare(name, kind, z, tables, turn):
    """Runs the library's module, and this file's with the gradient that the library gives."""
    own, other = z.detach().clone().requires_grad_(), z.detach().clone().requires_grad_()
    entries = [t.detach().clone().requires_grad_() for t in tables]
    q, codes, losses, _ = residual(kind, own, entries, turn, once=False)
    seed = torch.randn(q.shape)
    module = library(kind, tables, turn is rotation)
    # The library normalises nothing before LFQ.
    x = F.group_norm(other.t()[None, :, :, None], 1, eps=1e-6)[0, :, :, 0].t() if kind == "lfq" else other
    found = module(x[None])
    near(name, found[0][0], q), near(name, found[1][0], codes)
    if kind == "gradient":
        # Its loss of a learnt codebook is one term with the gradients of both of ours.
        losses = torch.stack([F.mse_loss(a, b) for a, b in pairs(own, entries)])
    found_losses = torch.zeros(len(tables)) if kind == "fsq" else found[2].flatten()
    near(name + " loss", found_losses, losses)
    (losses.sum() + (q * seed).sum()).backward()
    (found_losses.sum() + (found[0][0] * seed).sum()).backward()
    near(name + " dz", other.grad, own.grad)
    if kind == "gradient":
        for layer, t in zip(module.layers, entries):
            near(name + " dweight", layer._codebook.embed.grad[0], t.grad)
    if kind in ("moving_average", "cosine"):
        averages = [Averages(t.detach(), kind == "cosine") for t in tables]
        _, codes, _, seen = residual(kind, z.detach(), tables)
        for level, (layer, average) in enumerate(zip(module.layers, averages)):
            average.move(seen[level], codes[:, level])
            near(name + " table", layer._codebook.embed[0], average.table)
            near(name + " size", layer._codebook.cluster_size[0], average.size)
            near(name + " sum", layer._codebook.embed_avg[0], average.sum)


def pairs(z, tables):
    """The vectors that each level sees, and their entries."""
    rest = z
    for entries in tables:
        _, q, _ = level_of_table(rest, entries, False)
        yield rest, q
        rest = rest - q.detach()


torch.manual_seed(10)
cases = [
    ("gradient", "gradient", straight), ("moving", "moving_average", straight),
    ("rotation", "moving_average", rotation), ("simvq", "simvq", straight), ("cosine", "cosine", straight),
    ("cosine-gradient", "cosine gradient", straight), ("fsq", "fsq", straight), ("lfq", "lfq", straight),
]
for name, kind, turn in cases:
    name = "residual-" + name
    z = leaf(24, 3 if kind == "fsq" else 4)
    starts = [torch.randn(7, 4) * (1 if kind.startswith("cosine") else 0.5**level) for level in range(3)]
    starts = [unit(t) if kind == "cosine" else t for t in starts]
    weights = [t.clone().requires_grad_() for t in starts]
    tables = weights
    if kind == "simvq":
        weights = [(torch.eye(4) + torch.randn(4, 4) / 5).requires_grad_() for _ in starts]
        tables = [frozen @ w.t() for frozen, w in zip(starts, weights)]
        tensors[f"{name}.frozen"] = torch.cat(starts)
    q, codes, losses, seen = residual(kind, z, tables, turn)
    record(name, z, q, codes.flatten(), losses.mean())
    if kind not in ("fsq", "lfq"):
        tensors[f"{name}.weight"] = torch.cat(weights).detach()
    if weights[0].grad is not None:
        tensors[f"{name}.dweight"] = torch.cat([w.grad for w in weights])
    if reference and kind in ("gradient", "moving_average", "cosine", "fsq", "lfq"):
        with torch.random.fork_rng():
            compare(name, kind, z, starts, turn)
    if reference and kind == "simvq":
        with torch.random.fork_rng():
            sim = reference.ResidualSimVQ(dim=4, codebook_size=7, num_quantizers=3, rotation_trick=False)
        for layer, frozen, w in zip(sim.layers, starts, weights):
            layer.frozen_codebook.copy_(frozen), layer.code_transform.weight.data.copy_(w.detach())
        found = sim(z.detach()[None])
        near(name, found[0][0], q), near(name, found[1][0], codes), near(name, found[2].flatten(), losses)

# MARK: moving averages, step by step

cases = [("averages", 1, False, 4), ("averages-cosine", 1, True, 4), ("averages-residual", 3, False, 2)]
for name, depth, cosine, steps in cases:
    kind = "cosine" if cosine else "moving_average"
    batches, starts = torch.randn(steps, 24, 4), [torch.randn(7, 4) * 0.6**level for level in range(depth)]
    averages = [Averages(unit(t) if cosine else t, cosine) for t in starts]
    tensors[f"{name}.start"] = torch.cat([a.table for a in averages])
    if reference:
        with torch.random.fork_rng():
            module = library(kind, [a.table for a in averages], False)
    moved, found = [], []
    for batch in batches:
        _, codes, _, seen = residual(kind, batch, [a.table for a in averages])
        for level, average in enumerate(averages):
            average.move(seen[level], codes[:, level])
        moved.append(torch.cat([a.table for a in averages])), found.append(codes)
        if reference:
            near(name, module(batch[None])[1][0], codes)
            near(name, torch.cat([layer._codebook.embed[0] for layer in module.layers]), moved[-1])
    tensors.update({f"{name}.z": batches, f"{name}.codes": torch.stack(found).float()})
    tensors[f"{name}.tables"] = torch.stack(moved)
    tensors[f"{name}.size"] = torch.cat([a.size for a in averages])
    tensors[f"{name}.sum"] = torch.cat([a.sum for a in averages])

# MARK: dead codes: steps without use, and what the entries become with the rows that were sampled

idle, fractions, steps = torch.zeros(7), torch.zeros(7), []
batches = torch.tensor([[0, 1, 1, 4, 6, 6], [1, 4, 4, 0, 0, 0], [1, 1, 1, 1, 4, 2], [4, 4, 1, 0, 1, 1]])
for number, codes in enumerate(batches):
    counts = torch.bincount(codes, minlength=7).float()
    idle = torch.where(counts > 0, 0, idle + 1)
    decay = 0.98 if number else 0.0
    fractions = decay * fractions + (1 - decay) * counts / counts.sum()
    steps.append((idle, fractions))
averages = Averages(torch.randn(7, 4))
rows = torch.randn(6, 4)
tensors.update({"restart.start": averages.table.clone(), "restart.rows": rows, "restart.codes": batches.float()})
tensors["restart.idle"], tensors["restart.fractions"] = (torch.stack(values) for values in zip(*steps))
averages.move(rows, batches[-1])
dead = (idle >= 3).nonzero().flatten()
assert dead.tolist() == [3, 5, 6]
sampled = torch.randn(len(dead), 4)
if reference:
    with torch.random.fork_rng():
        module = library("moving_average", [averages.table], False).layers[0]._codebook
    module.embed_avg.copy_(averages.sum[None]), module.cluster_size.copy_(averages.size[None])
    module.reset_cluster_size, module.replace_sample_fn = 1, lambda samples, count: samples[:, :count]
    module.replace(sampled[None], (idle >= 3)[None])
averages.table[dead], averages.sum[dead], averages.size[dead] = sampled, sampled, 1.0
if reference:
    near("restart", module.embed[0], averages.table), near("restart", module.embed_avg[0], averages.sum)
    near("restart", module.cluster_size[0], averages.size)
tensors.update({"restart.sampled": sampled, "restart.table": averages.table.clone()})
averages.move(rows, torch.tensor([3, 5, 6, 3, 0, 1]))
tensors.update({"restart.later": averages.table, "restart.size": averages.size, "restart.sum": averages.sum})

# MARK: k-means from given rows

for name, sphere in [("kmeans", False), ("kmeans-sphere", True)]:
    rows = unit(torch.randn(60, 3)) if sphere else torch.randn(60, 3)
    centres = rows[:5].clone()
    for _ in range(10):
        distances = torch.cdist(rows, centres)
        assert not near_tie(-(distances**2)), "another seed"
        hot = F.one_hot(distances.argmin(1), 5).float()
        assert hot.sum(0).min() > 0
        centres = hot.t() @ rows / hot.sum(0)[:, None]
        centres = unit(centres) if sphere else centres
    if reference:
        first = lambda samples, count: samples[:, :count]
        found = reference_kmeans(rows[None], 5, 10, use_cosine_sim=sphere, sample_fn=first)
        near(name, found[0][0], centres)
    tensors.update({f"{name}.rows": rows, f"{name}.centres": centres})

save_file(tensors, os.path.join(os.path.dirname(os.path.abspath(__file__)), "quantizers.safetensors"))
print(f"{len(tensors)} tensors" + (", equal to vector-quantize-pytorch's" if reference else ""))
