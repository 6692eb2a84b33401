#!/bin/sh
# Writes the files of this folder anew: what PyTorch 2.13 computes for three small models. --widen changes their first
# weights until every decision (sign of a difference, ReLU, pooling, hinge, nearest entry) is at least ten times as far
# from its edge as single precision moves it, so that no processor's rounding turns one over; "margins" in the JSON
# files has the distances.
#
#     make.sh [PYTHON]
set -eu
cd "$(dirname "$0")"
script=../../../Tools/pytorch_reference.py
python=${1:-python3}
"$python" $script vqgan vqgan-config.json vqgan --seed 6 --ndf 8 --disc-layers 2 --lpips-divisor 16 --widen 10
"$python" $script vqgan gumbel-config.json gumbel --seed 6 --ndf 8 --disc-layers 2 --lpips-divisor 16 --actnorm \
  --disc-loss vanilla --widen 10
"$python" $script vqgan continued-config.json continued --seed 1 --ndf 4 --disc-layers 1 --lpips-divisor 16 \
  --warm-up 2 --learning-rate 1e-4 --widen 10
"$python" $script gpt gpt-config.json gpt --warm-up 2 --learning-rate 1e-3
rm gumbel-0?.png continued-0[0-3].png continued.safetensors # not read by any test
