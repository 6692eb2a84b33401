"""How far the decisions of a VQGAN's training are from their edges, and how to move them away.

A step decides for each activation whether it is above zero (ReLU, leaky ReLU), which of four is the largest (max
pooling), whether a pixel is too bright or too dark (the gradient of |x - x̂|), whether a logit is beyond the hinge,
which entry is nearest. Where such a value lies within rounding of its edge, two processors decide differently, and all
that follows differs by far more than rounding. A fixture that many processors have to reproduce needs margins:
`margins` measures them, `widen` makes them.
"""
import copy, math

import torch
import torch.nn as nn


class Unit:
    """Modules in a row whose output channels decide something: a convolution, and a normalisation if one follows."""

    def __init__(self, title, modules, pools=False, signed=False):
        self.title, self.modules, self.pools, self.signed = title, modules, pools, signed

    def margins(self, modules, x, target):
        """(kind, distances from the edge [N, C, ...]) of each decision of the output."""
        y = x
        for module in modules:
            y = module(y)
        y = y.detach().double()
        yield self.title, target.double() - y if self.signed else y
        if self.pools:
            yield f"{self.title} pool", pool_margins(y)


def units(model, lpips, critic):
    """Those of a step, in the order of its computation."""
    yield Unit("sign", [model.decoder.conv_out], signed=True)
    for i, layers in enumerate(lpips.net.children()):
        for name, layer in layers.named_children():
            yield Unit(f"lpips {name}", [layer], pools=i < 4 and name == list(layers._modules)[-1])
    first = 0
    for i, layer in enumerate(critic.main):
        if isinstance(layer, nn.LeakyReLU):
            yield Unit(f"discriminator {first}", list(critic.main[first:i]))
            first = i + 1


def pool_margins(y):
    """How far the largest of four is above the next where it is above zero: elsewhere ReLU passes no gradient on."""
    n, c, h, w = y.shape
    fours = y[:, :, : h // 2 * 2, : w // 2 * 2].reshape(n, c, h // 2, 2, w // 2, 2).transpose(3, 4).flatten(
        4).clamp_min(0)
    best = fours.topk(2).values
    return torch.where(best[..., 0] > 0, best[..., 0] - best[..., 1], math.inf)


class Run:
    """Steps of a trainer, and what they decided.

    `calls` has (title, distances from the edge) in the order of the computation; `reads` has for a unit's title what it
    read: the input, copies of its modules as they were, and the image that its output is compared with.
    """

    def __init__(self, trainer, batches, steps):
        self.calls, self.reads, self.target = [], {}, None
        model, critic = trainer.model, trainer.critic
        model.register_forward_pre_hook(lambda m, x: setattr(self, "target", x[0]))
        if trainer.options.disc_loss == "hinge":
            critic.register_forward_hook(lambda m, x, y: self.add("hinge", torch.minimum((1 - y).abs(), (1 + y).abs())))
        for unit in units(model, trainer.lpips, critic):
            unit.modules[0].register_forward_pre_hook(lambda m, x, unit=unit: self.read(unit, x[0]))
        model.quantize.see = lambda scores: self.add("code", second_best(scores))
        for step in steps:
            trainer.step(step, batches[step % len(batches)], {})

    def add(self, title, values):
        self.calls.append((title, values.detach().double()))

    def read(self, unit, x):
        # Without a gradient these change nothing by a jump: ReLU and pooling are continuous.
        decides = torch.is_grad_enabled() and (
            x.requires_grad or any(p.requires_grad for p in unit.modules[0].parameters()))
        if decides:
            modules = [copy.deepcopy(m) for m in unit.modules]
            for module in modules:
                module._forward_pre_hooks.clear()
            self.reads.setdefault(unit.title, []).append((x.detach(), modules, self.target))
            with torch.no_grad():
                self.calls += unit.margins([copy.deepcopy(m) for m in modules], x, self.target)


def second_best(scores):
    best = scores.detach().double().topk(2, largest=False).values
    return best[:, 1] - best[:, 0]


def margins(start, steps):
    """By title: the smallest margin in double precision, and the most that single precision moved a value of it.

    Those of the call with the smallest ratio of the two. `start(double)` makes a trainer, before the first of `steps`,
    and its batches.
    """
    found = {}
    for (title, wide), (_, narrow) in zip(Run(*start(True), steps).calls, Run(*start(False), steps).calls):
        margin, both = wide.abs().min().item(), wide.isfinite() & narrow.isfinite()
        moved = (wide - narrow)[both].abs().max().item() if both.any() else 0.0
        if title not in found or margin * found[title]["rounding"] < found[title]["margin"] * moved:
            found[title] = {"margin": margin, "rounding": moved}
    return found


def ratio(entry):
    return entry["margin"] / max(entry["rounding"], 1e-9)


def widen(start, parts, steps, wanted, rounds=20):
    """Changes the weights that training starts from until every margin is `wanted` times what rounding moves.

    `parts` are (model, lpips, critic) with these weights. Layer by layer the channels are changed by small random
    trials, of which each keeps the best for what it read in all steps; what follows a changed layer is measured anew.
    """
    with torch.no_grad():
        # The mean of the logits, which is compared, is then no small difference of large numbers.
        parts[2].main[-1].bias += 0.3
    order = list(units(*parts))
    for turn in range(rounds):
        for unit in order:
            found = margins(start, steps)
            poor = [title for title, entry in found.items() if ratio(entry) < wanted]
            if not poor:
                return
            if unit.title in poor or f"{unit.title} pool" in poor:
                improve(unit, Run(*start(True), steps).reads[unit.title], 0.02 * 0.7**turn)
        if poor == ["code"]:  # every channel takes part in that choice: small changes of all entries, as they come
            entries = next(parts[0].quantize.parameters())
            with torch.no_grad():
                entries += 0.02 * 0.9**turn * entries.abs().mean() * torch.randn_like(entries)
        print(f"round {turn}:", ", ".join(f"{title} {ratio(found[title]):.1f}" for title in poor), flush=True)


@torch.no_grad()
def improve(unit, reads, size, tries=200):
    """Keeps for each channel of a unit the change of its weights with the widest margin in all that it read."""
    held = [p for m in unit.modules for p in m.parameters()]
    first, kept, best = [p.clone() for p in held], [p.clone() for p in held], None
    for attempt in range(tries):
        change = [size * p.abs().mean().clamp_min(0.02) * torch.randn_like(p) * (attempt > 0) for p in first]
        worst = math.inf
        for x, modules, target in reads:
            copies = [copy.deepcopy(m) for m in modules]
            for p, c in zip((p for m in copies for p in m.parameters()), change):
                p += c.to(p)
            for _, values in unit.margins(copies, x, target):
                worst = torch.minimum(torch.as_tensor(worst),
                                      values.abs().amin([d for d in range(values.dim()) if d != 1]))
        better = worst > best if best is not None else torch.ones_like(worst, dtype=torch.bool)
        best = torch.where(better, worst, best) if best is not None else worst
        for keep, p, c in zip(kept, first, change):
            rows = better if keep.shape[0] == len(better) else slice(None)
            if keep.dim() == 4 and keep.shape[0] == 1:  # ActNorm's [1, C, 1, 1]
                keep[:, better] = (p + c)[:, better]
            else:
                keep[rows] = (p + c)[rows]
    for p, keep in zip(held, kept):
        p.copy_(keep)
