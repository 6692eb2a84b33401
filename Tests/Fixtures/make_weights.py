#!/usr/bin/env python3
"""Turns the weights of a reference checkpoint into NAME.weights.safetensors beside this script.

    make_weights.py CHECKPOINT.ckpt...

The checkpoints were written by the reference implementation (CompVis/taming-transformers, commit 3ba01b2, PyTorch 2.15
CPU) before any training step. Needs torch 2.13 or later and safetensors 0.8.
"""
import pathlib
import sys

import safetensors.torch
import torch

for name in sys.argv[1:]:
    path = pathlib.Path(name)
    state = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
    # Masks are constants that the configuration determines.
    state = {key: value.contiguous() for key, value in state.items() if not key.endswith(".attn.mask")}
    safetensors.torch.save_file(state, pathlib.Path(__file__).with_name(path.stem + ".weights.safetensors"))
