#!/bin/sh
# Makes small files of every kind with the built commands and opens them in h5py, in the safetensors package and, those of PyTorch,
# with zipfile and pickle.
# Usage: Tests/check-files.sh FOLDER-OF-BUILT-COMMANDS PYTHON
set -eu
bin=$1
python=$2
tests=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for compression in none 4; do
  "$bin/prep-atari" "$tests/../Datasets/montezuma" --size 32 --limit 24 --holdout 30,32 --quiet \
    --compression $compression --out "$work/shards-$compression" >"$work/shards.txt"
done
"$bin/train-vqgan" --preset tiny --steps 2 --batch-size 2 --quiet --out "$work/vqgan" \
  <"$work/shards.txt" >"$work/vqgan.txt"
"$bin/encode-dataset" --vqgan "$work/vqgan" --quiet --out "$work/codes" \
  <"$work/shards.txt" >"$work/codes.txt"

"$python" "$tests/ShardsTests/check_with_h5py.py" "$work"/shards-*/*.h5 "$work"/codes/*.h5
"$python" "$tests/CheckpointsTests/check_with_safetensors.py" "$bin"
"$python" "$tests/CheckpointsTests/check_pytorch_files.py" "$bin" "$tests/Fixtures"
"$python" "$tests/CheckpointsTests/check_checkpoint.py" "$work"/vqgan/checkpoints/last/*.safetensors
