#!/bin/bash
# Runs what README.md shows, the quick start, the pipeline and the lines of Python, with few small frames, small models
# and few steps.
# Usage: Tests/check-readme.sh FOLDER-OF-BUILT-COMMANDS PYTHON
set -euo pipefail
bin=$(cd "$1" && pwd)
python=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
ln -s "$root/Datasets" Datasets
mkdir .build
ln -s "$bin" .build/release

# The fenced block of README.md that holds the given words.
block() {
  awk -v words="$1" '/^```/ { if (inside && index(body, words)) printf "%s", body; inside = !inside; body = ""; next }
    inside { body = body $0 "\n" }' "$root/README.md"
}

shrink() {
  sed -e 's/--size 104/--size 40 --limit 101/' -e 's/--steps [0-9]*/--steps 2/' -e 's/--count [0-9]*/--count 2/' \
    -e 's/train-vqgan/& --preset tiny --batch-size 2/' \
    -e 's/train-gpt/& --layers 1 --heads 2 --width 16 --batch-size 2 --steps 2/'
}

{
  echo 'set -euo pipefail'
  block 'export PATH' | shrink
  block '| encode-dataset' | shrink
} >commands.sh
bash commands.sh >out.txt 2>&1 || { cat out.txt && echo "README.md: a command failed" && exit 1; } >&2
block 'import h5py' >snippet.py
"$python" snippet.py >snippet.txt
grep -q '^(40, 40, 3)' snippet.txt

for file in work/seen/sheet.png work/codebook/codebook.png work/samples/grid.png images/grid.png; do
  [ -s $file ] || { echo "README.md: its commands made no $file" >&2 && exit 1; }
done
echo "README.md: $(grep -c '^[a-z]' commands.sh) lines of commands and its Python run"
