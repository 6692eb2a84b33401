#!/bin/sh
# Trains for a moment and compares the event file, as TensorBoard reads it, with metrics.csv.
# Usage: Tests/check-events.sh FOLDER-OF-BUILT-COMMANDS PYTHON
set -eu
bin=$1
python=$2
tests=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$bin/prep-atari" "$tests/../Datasets/montezuma" --size 32 --limit 24 --holdout 30,32 --quiet \
  --out "$work/shards" >"$work/shards.txt"
"$bin/train-vqgan" --preset tiny --steps 6 --batch-size 2 --log-every 2 --image-every 3 --quiet \
  --validation "$work"/shards/*-validation-*.h5 --out "$work/vqgan" <"$work/shards.txt"
"$python" "$tests/TrainingTests/check_with_tensorboard.py" "$work/vqgan"
