#!/bin/sh
# Published tokenizers at their sizes with random weights of PyTorch: codes and reconstructions of photos by the suite's
# commands against those by PyTorch, one tokenizer after the other.
#
#     check-tokenizers.sh FOLDER-OF-BUILT-COMMANDS PYTHON [PHOTOS [COUNT [NAMES]]]
#
# PHOTOS is a folder of images; frames of Montezuma's Revenge unless it is given. Python has torch, safetensors, numpy,
# pillow and h5py. Needs 1.5 GB of disk.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
bin=$(cd "$1" && pwd)
python=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
photos=$(cd "${3:-$here/../Datasets/montezuma/screens}" && pwd)
count=${4:-2}
names=${5:-llamagen-vq16 llamagen-vq8 ibq-16384 open-magvit2 diffusers-ldm-f4 diffusers-amused}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

find "$photos" -name '*.jpg' -o -name '*.png' | sort | head -n "$count" > photos.txt
"$bin/prep-images" photos.txt --size 256 --out shards --quiet > shards.txt
for name in $names; do
  "$python" "$here/../Tools/pytorch_tokenizers.py" make "$name" "$name"
  options=
  case $name in
  llamagen-*) file=$name.pt ;;
  ibq-*) file=$name.ckpt options="--project $name.yaml" ;;
  open-*) file=$name.ckpt options="--project $name.yaml" ;;
  *) file=$name ;;
  esac
  # The file itself where it needs nothing beside it, else what it is converted to.
  "$bin/convert-checkpoint" "$file" $options --out vqgan --quiet > /dev/null
  vqgan=${options:+vqgan}
  "$bin/encode-dataset" shards --vqgan "${vqgan:-$file}" --out codes --quiet > /dev/null
  "$bin/reconstruct" shards --vqgan vqgan --count "$count" --out images --quiet > /dev/null
  "$python" "$here/../Tools/pytorch_tokenizers.py" compare "$name" "$file" --shard shards/*.h5 --codes codes/*.h5 \
    --reconstructions images
  rm -rf "$name" "$name".* vqgan codes images
done
