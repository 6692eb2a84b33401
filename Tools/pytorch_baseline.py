#!/usr/bin/env python3
"""The workloads of `bench` in PyTorch, with the same names, shapes and JSON lines, to compare speeds on one machine.

    Tools/pytorch_baseline.py [--precision float32|bfloat16] [--threads N] [--seconds S] [NAME ...]

The models are those of pytorch_models.py. A step is forward, losses with the adaptive weight, backward and Adam for the
generator, then a second forward and the same for the discriminator, as the published code does it; sampling runs the
whole transformer again for every token, as the published code does it, too. The world model is that of pytorch_iris.py;
a dream keeps keys and values, as the published code of IRIS does. bfloat16 means autocast. Needs PyTorch and
safetensors.
"""
import argparse, json, resource, statistics, sys, time

import torch
import torch.nn.functional as F

from pytorch_iris import PUBLISHED, WorldModel
from pytorch_models import GPT, LPIPS, VQGAN, Discriminator

F16 = {"resolution": 256, "in_channels": 3, "out_ch": 3, "ch": 128, "ch_mult": [1, 1, 2, 2, 4], "num_res_blocks": 2,
       "attn_resolutions": [16], "z_channels": 256, "embed_dim": 256, "n_embed": 1024,
       "quantizer": {"kind": "gradient", "beta": 0.25, "legacy": True}}
SMALL = F16 | {"resolution": 64, "ch": 32, "ch_mult": [1, 2, 4]}


def vqgan_training(config, batch, perceptual, autocast):
    model, critic = VQGAN(config), Discriminator({"ndf": 64, "n_layers": 3, "normalization": "batch"})
    lpips = LPIPS([64, 128, 256, 512, 512]) if perceptual else None  # the time does not depend on its weights
    optimizers = [torch.optim.Adam(m.parameters(), 4.5e-6, (0.5, 0.9)) for m in (model, critic)]
    x = torch.rand(batch, 3, config["resolution"], config["resolution"]) * 2 - 1

    def step():
        with autocast():
            reconstruction, codebook = model(x)
            loss = (x - reconstruction).abs()
            if lpips:
                loss = loss + lpips(x, reconstruction)
            loss, adversarial = loss.mean(), -critic(reconstruction).mean()
            last = model.decoder.conv_out.weight
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
    model, x = VQGAN(config).eval(), torch.rand(1, 3, config["resolution"], config["resolution"]) * 2 - 1

    def step():
        with torch.no_grad(), autocast():
            model.quantize(model.quant_conv(model.encoder(x)))

    return step


def gpt(layers, heads, width, length):
    return GPT({"vocab_size": 1024, "block_size": length, "n_unmasked": 0, "n_layer": layers, "n_head": heads,
                "n_embd": width})


def gpt_training(layers, heads, width, length, batch, autocast):
    model = gpt(layers, heads, width, length)
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
    model = gpt(layers, heads, width, length).eval()

    def step():
        seconds = []
        with torch.no_grad(), autocast():
            for drawn in range(every // 2, count, every):
                tokens = torch.randint(model.tok_emb.num_embeddings, (batch, drawn + 1))
                start = time.perf_counter()
                logits = model(tokens)[:, -1].float()
                best, _ = logits.topk(100)
                probabilities = F.softmax(logits.masked_fill(logits < best[:, -1:], float("-inf")), dim=-1)
                torch.multinomial(probabilities, 1)
                seconds.append(time.perf_counter() - start)
        return count * statistics.mean(seconds)

    return step


def world_training(batch, autocast):
    model = WorldModel(PUBLISHED, "causal")
    optimizer = torch.optim.AdamW(model.parameters(), 1e-4, weight_decay=0.01)
    steps, size, codes = model.context, PUBLISHED["codes"], model.codes
    images = torch.randint(size, (batch, steps, codes))
    actions = torch.randint(PUBLISHED["actions"], (batch, steps, 1))
    rewards, ends = torch.randint(3, (batch * steps,)), torch.randint(2, (batch * steps,))
    tokens = torch.cat([images, actions], 2).flatten(1)

    def step():
        with autocast():
            seen, reward, end = model(tokens)  # of all codes but the last of each image, and of actions: the next code
            loss = (F.cross_entropy(seen[:, codes - 1 : -1].reshape(-1, size), images[:, 1:].reshape(-1))
                    + F.cross_entropy(reward.reshape(-1, 3), rewards) + F.cross_entropy(end.reshape(-1, 2), ends))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def dreaming(count, autocast):
    """Images one code after the other, with a cache of keys and values."""
    model = WorldModel(PUBLISHED, "causal").eval()
    actions_table, codes_table = model.embedder["embedding_tables"]
    blocks = model.transformer["blocks"]

    def read(x, start, caches):
        x = x + model.pos_emb.weight[start : start + x.shape[1]]
        n, t, c = x.shape
        for block, cache in zip(blocks, caches):
            h = block.ln1(x)
            q, k, v = (block.attn[f](h).reshape(n, t, block.heads, -1).transpose(1, 2)
                       for f in ("query", "key", "value"))
            if cache:
                k, v = torch.cat([cache[0], k], 2), torch.cat([cache[1], v], 2)
            cache[:] = k, v
            h = F.scaled_dot_product_attention(q, k, v, is_causal=t > 1)
            x = x + block.attn["proj"](h.transpose(1, 2).reshape(n, t, c))
            x = x + block.mlp(block.ln2(x))
        return model.transformer["ln_f"](x[:, -1])

    def step():
        with torch.no_grad(), autocast():
            caches, start = [[] for _ in blocks], model.codes
            read(codes_table(torch.arange(model.codes)[None] * 7), 0, caches)
            for number in range(count):
                state = read(actions_table(torch.tensor([[number % 4]])), start, caches)
                start += 1
                for head in (model.head_rewards, model.head_ends):
                    torch.multinomial(F.softmax(head.head_module(state).float(), dim=1), 1)
                for place in range(model.codes):
                    logits = model.head_observations.head_module(state).float()
                    code = torch.multinomial(F.softmax(logits, dim=1), 1)
                    state = read(codes_table(code), start, caches)
                    start += 1

    return step


# name: unit, how many of it a repetition does, the repetition
WORKLOADS = {
    "vqgan_f16_256_b1_train": ("s", None, lambda a: vqgan_training(F16, 1, True, a)),
    "vqgan_small_64_b8_train": ("images/s", 8, lambda a: vqgan_training(SMALL, 8, False, a)),
    "vqgan_f16_256_encode": ("images/s", 1, lambda a: vqgan_encoding(F16, a)),
    "gpt_6x256_T256_b8_train": ("tokens/s", 2048, lambda a: gpt_training(6, 8, 256, 256, 8, a)),
    "gpt_6x256_sample_b1": ("tokens/s", 255, lambda a: gpt_sampling(6, 8, 256, 256, 1, 255, a)),
    "world_iris_b4_train": ("tokens/s", 1360, lambda a: world_training(4, a)),
    "world_iris_dream": ("images/s", 19, lambda a: dreaming(19, a)),
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
