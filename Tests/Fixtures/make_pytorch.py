#!/usr/bin/env python3
"""Writes pytorch-views.pt, pytorch-views-legacy.pt, pytorch-views.safetensors and pytorch-adamw.pt beside this script.

The first two hold, in the two forms of PyTorch files, tensors of every type, views with strides, offsets and a storage
in common, parameters, and around them what Lightning's checkpoints hold besides tensors. The third holds the same
tensors, contiguous. The last one holds a small transformer and the state of AdamW after one step whose gradients are
the weights before it, the parameters in the order of the reference: 0.1 of them is the first moment then.
Made with torch 2.13, numpy 2.4 and safetensors 0.8; needs no network.
"""
import argparse
import collections
import pathlib

import numpy
import safetensors.torch
import torch

here = pathlib.Path(__file__).parent
generator = torch.Generator().manual_seed(3)
base = torch.randn(4, 6, generator=generator)
kinds = [torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.int32, torch.int16, torch.int8,
         torch.uint8, torch.bool]
state = collections.OrderedDict()
for kind in kinds:
    state[f"types.{str(kind).removeprefix('torch.')}"] = (base * 9).abs().to(kind)
state["views.whole"] = base
state["views.transposed"] = base.T
state["views.rows"] = base[1:3]
state["views.columns"] = base[:, 1::2]
state["views.expanded"] = base[0].expand(3, 6)
state["views.permuted"] = torch.arange(24.0).reshape(2, 3, 4).permute(2, 0, 1)
state["scalar"] = torch.tensor(2.5)
state["empty"] = torch.zeros(0, 3)
state["parameter"] = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
state["number"] = 7  # not a tensor
state._metadata = collections.OrderedDict([("", {"version": 1})])
checkpoint = {
    "epoch": 3,
    "global_step": 70_000,
    "pytorch-lightning_version": "1.0.8",
    "state_dict": state,
    "callbacks": {argparse.Namespace: {"best_model_score": torch.tensor(0.5), "best_model_path": "a.ckpt"}},
    "optimizer_states": [{"state": {0: {"step": 2, "exp_avg": torch.ones(2)}}, "param_groups": [{"lr": 1e-3}]}],
    "hyper_parameters": argparse.Namespace(
        rate=numpy.float64(0.5), path=pathlib.PurePosixPath("/tmp"), names={"a", "b"}, large=1 << 80,
        negative=-(1 << 40)),
}
torch.save(checkpoint, here / "pytorch-views.pt")
torch.save(checkpoint, here / "pytorch-views-legacy.pt", _use_new_zipfile_serialization=False)
tensors = {name: value.detach().clone().contiguous()
           for name, value in state.items() if isinstance(value, torch.Tensor)}
safetensors.torch.save_file(tensors, here / "pytorch-views.safetensors")

width, block, tokens = 4, 3, 5
shapes = {"tok_emb.weight": (tokens, width), "pos_emb": (1, block, width), "ln_f.weight": (width,),
          "ln_f.bias": (width,), "head.weight": (tokens, width)}
for part in ("ln1", "ln2"):
    shapes |= {f"blocks.0.{part}.weight": (width,), f"blocks.0.{part}.bias": (width,)}
for part, outputs, inputs in [(f"attn.{p}", width, width) for p in ("key", "query", "value", "proj")] + [
        ("mlp.0", 4 * width, width), ("mlp.2", width, 4 * width)]:
    shapes |= {f"blocks.0.{part}.weight": (outputs, inputs), f"blocks.0.{part}.bias": (outputs,)}
weights = {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}
parameters = {name: torch.nn.Parameter(value.clone()) for name, value in weights.items()}
decayed = {name for name, shape in shapes.items() if len(shape) == 2 and name != "tok_emb.weight"}
optimizer = torch.optim.AdamW(
    [{"params": [parameters[n] for n in sorted(decayed)], "weight_decay": 0.01},
     {"params": [parameters[n] for n in sorted(shapes.keys() - decayed)], "weight_decay": 0.0}],
    lr=1e-3, betas=(0.9, 0.95))
for name, parameter in parameters.items():
    parameter.grad = weights[name].clone()
optimizer.step()
torch.save({"epoch": 0, "global_step": 1, "optimizer_states": [optimizer.state_dict()],
            "state_dict": collections.OrderedDict((f"transformer.{n}", v) for n, v in weights.items())},
           here / "pytorch-adamw.pt")
