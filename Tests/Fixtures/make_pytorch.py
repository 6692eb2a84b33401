#!/usr/bin/env python3
"""Writes pytorch-views.pt, pytorch-views-legacy.pt and pytorch-views.safetensors beside this script.

The first two hold, in the two forms of PyTorch files, tensors of every type, views with strides, offsets and a storage
in common, parameters, and around them what Lightning's checkpoints hold besides tensors. The third holds the same tensors,
contiguous. Made with torch 2.13, numpy 2.4 and safetensors 0.8; needs no network.
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
        rate=numpy.float64(0.5), path=pathlib.PurePosixPath("/tmp"), names={"a", "b"}, large=1 << 80, negative=-(1 << 40)),
}
torch.save(checkpoint, here / "pytorch-views.pt")
torch.save(checkpoint, here / "pytorch-views-legacy.pt", _use_new_zipfile_serialization=False)
tensors = {name: value.detach().clone().contiguous() for name, value in state.items() if isinstance(value, torch.Tensor)}
safetensors.torch.save_file(tensors, here / "pytorch-views.safetensors")
