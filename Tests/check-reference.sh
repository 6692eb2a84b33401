#!/bin/sh
# A full-size f = 16 VQGAN of PyTorch with 8192 codes, its discriminator and VGG16: its codes and reconstructions of
# photos by the suite's commands against those by PyTorch.
#
#     check-reference.sh FOLDER-OF-BUILT-COMMANDS PYTHON [PHOTOS [COUNT]]
#
# PHOTOS is a folder of images; frames of Montezuma's Revenge unless it is given. Python has torch, safetensors, numpy,
# pillow and h5py. Needs 1.5 GB of disk.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
bin=$(cd "$1" && pwd)
python=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
photos=$(cd "${3:-$here/../Datasets/montezuma/screens}" && pwd)
count=${4:-8}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat > config.json <<'JSON'
{"resolution": 256, "in_channels": 3, "out_ch": 3, "ch": 128, "ch_mult": [1, 1, 2, 2, 4], "num_res_blocks": 2,
 "attn_resolutions": [16], "z_channels": 256, "dropout": 0, "embed_dim": 256, "n_embed": 8192,
 "quantizer": {"kind": "gradient", "beta": 0.25, "legacy": true, "decay": 0.99, "revive_after": 0,
               "initialization": "uniform"}}
JSON
find "$photos" -name '*.jpg' -o -name '*.png' | sort | head -n "$count" > photos.txt
"$bin/prep-images" photos.txt --size 256 --out shards --quiet
"$python" "$here/../Tools/pytorch_reference.py" vqgan config.json reference --steps 0 --batch 1
"$bin/convert-checkpoint" reference.ckpt --out vqgan --quiet
"$bin/encode-dataset" shards --vqgan vqgan --out codes --quiet
"$bin/reconstruct" shards --vqgan vqgan --count "$count" --out images --quiet
"$python" "$here/../Tools/pytorch_reference.py" compare --weights reference.ckpt --config vqgan/model.json \
  --shard shards/*.h5 --codes codes/*.h5 --reconstructions images
