#!/bin/sh
# Makes small files of every kind with the built commands and opens them in h5py, in the safetensors package and, those
# of PyTorch, with zipfile and pickle; compares odd images with Pillow. Then it checks Tools/race.py and runs what
# README.md shows.
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
# Three images in COCO's layout with every kind of annotation.
mkdir -p "$work/coco/train2017" "$work/coco/annotations"
for id in 1 2 3; do
  cp "$tests/../Datasets/montezuma/screens/revenge/32/$id.png" "$work/coco/train2017/$id.jpg"
done
images='"images": [
  {"id": 1, "file_name": "1.jpg", "width": 160, "height": 210},
  {"id": 2, "file_name": "2.jpg", "width": 160, "height": 210},
  {"id": 3, "file_name": "3.jpg", "width": 160, "height": 210}]'
cat >"$work/coco/annotations/captions_train2017.json" <<JSON
{$images, "annotations": [
  {"id": 1, "image_id": 3, "caption": "Ein Seil über Lava."}, {"id": 2, "image_id": 3, "caption": ""}]}
JSON
cat >"$work/coco/annotations/instances_train2017.json" <<JSON
{$images, "annotations": [
  {"id": 7, "image_id": 1, "category_id": 1, "iscrowd": 0, "area": 400, "bbox": [-10, 60, 20.5, 20],
   "segmentation": [[0, 60, 20, 60, 20, 80, 0, 80]]}],
 "categories": [{"id": 1, "name": "person", "supercategory": "person"}]}
JSON
for compression in none 4; do
  "$bin/prep-coco" "$work/coco" --size 32 --captions --objects --segmentation annotations --quiet \
    --compression $compression --out "$work/shards-coco-$compression" >/dev/null
done
"$bin/prep-images" "$work/coco/train2017" --size 16 --crops 3 --quiet --out "$work/shards-crops" >/dev/null
# Depth maps of themselves; one that is not a number is skipped.
for compression in none 4; do
  "$bin/prep-images" "$tests/Fixtures/depth" --depth "$tests/Fixtures/depth" --size 7 --quiet \
    --compression $compression --out "$work/shards-depth-$compression" >/dev/null
done

"$bin/train-vqgan" --preset tiny --steps 2 --batch-size 2 --quiet --out "$work/vqgan" \
  <"$work/shards.txt" >"$work/vqgan.txt"
"$bin/encode-dataset" --vqgan "$work/vqgan" --quiet --out "$work/codes" \
  <"$work/shards.txt" >"$work/codes.txt"
"$bin/encode-dataset" "$work/shards-coco-none" --vqgan "$work/vqgan" --quiet --out "$work/codes-coco" >/dev/null

"$python" "$tests/ShardsTests/check_with_h5py.py" "$work"/shards-*/*.h5 "$work"/codes*/*.h5
# The example of Docs/Formats.md makes a shard that every command takes.
sed -n '/^## Shards from Python/,/^## /p' "$tests/../Docs/Formats.md" \
  | sed -n '/^```python/,/^```/p' | grep -v '^```' >"$work/made.py"
(python=$(cd "$(dirname "$python")" && pwd)/$(basename "$python") && cd "$work" && "$python" made.py)
"$bin/shard-info" "$work/made-00000.h5" --verify --quiet >/dev/null
"$bin/encode-dataset" "$work/made-00000.h5" --vqgan "$work/vqgan" --quiet --out "$work/codes-made" >/dev/null
"$python" "$tests/ImagesTests/check_with_pillow.py" "$bin"
"$python" "$tests/CheckpointsTests/check_with_safetensors.py" "$bin"
"$python" "$tests/CheckpointsTests/check_pytorch_files.py" "$bin" "$tests/Fixtures"
"$python" "$tests/CheckpointsTests/check_unsafe_pickles.py" "$bin" "$tests/Fixtures"
"$python" "$tests/CheckpointsTests/check_checkpoint.py" "$work"/vqgan/checkpoints/last/*.safetensors
"$python" "$tests/check_race.py"
"$tests/check-readme.sh" "$bin" "$python"
