#!/bin/bash
# Ends and starves prep-coco at every single system call that changes a file: SIGKILL, a full disk and a failing one, by strace, and a
# disk that is really full, on a tmpfs. Afterwards every file under its final name is what an undisturbed run made, and the same
# command completes the rest. Minutes, not seconds: `make test` does a part of it in CommandTests/FaultTests.swift.
# Usage: Tests/check-faults.sh FOLDER-OF-BUILT-COMMANDS; as root where there are no user namespaces.
set -eu
bin=$(realpath "$1")
tests=$(realpath "$(dirname "$0")")
command -v strace >/dev/null || { echo "check-faults: strace is needed: apt-get install strace" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir -p coco/train2017 coco/annotations
images=
captions=
for id in $(seq 8); do
  cp "$tests/../Datasets/montezuma/screens/revenge/32/$id.png" coco/train2017/$id.jpg
  images="$images,{\"id\":$id,\"file_name\":\"$id.jpg\",\"width\":160,\"height\":210}"
  captions="$captions,{\"id\":$id,\"image_id\":$id,\"caption\":\"Room $id.\"}"
done
: >coco/train2017/5.jpg # is skipped
echo "{\"images\":[${images#,}],\"annotations\":[${captions#,}]}" >coco/annotations/captions_train2017.json

prep=("$bin/prep-coco" coco --size 64 --captions --shard-size 3 --compression 4 --jobs 1 --quiet --out)
"${prep[@]}" whole >/dev/null 2>&1

failed() { echo "check-faults: $*" >&2; cat errors >&2; exit 1; }

# What a disturbed run has left in S is sound, and is mended by the same command.
check() {
  for shard in S/*.h5; do
    [ ! -e "$shard" ] || cmp "$shard" "whole/${shard##*/}" || failed "$1: $shard is not whole"
  done
  "${prep[@]}" S >lines 2>errors || failed "$1: does not continue"
  diff -r -x .lock whole S || failed "$1: other files than undisturbed"
  [ "$(wc -l <lines)" = 3 ] || failed "$1: other lines than undisturbed"
  rm -r S
}

# Lets call number 1, 2, … of $1 meet $2 until a run meets none; $3 is the expected exit status.
sweep() {
  local number=1 status=0
  while :; do
    rm -rf S
    status=0
    {
      strace -f -qq -o trace -e trace="$1" -e inject="$1:$2:when=$number" "${prep[@]}" S >lines 2>errors || status=$?
    } 2>/dev/null # the shell tells of every kill
    [ $status != 0 ] || break
    [ $status = "$3" ] || failed "$1 number $number, $2: exit status $status, expected $3"
    if [ "$3" = 74 ]; then
      [ ! -s lines ] || failed "$1 number $number, $2: prints results"
      [ "$(grep -c '^prep-coco: ' errors)" = 1 ] || failed "$1 number $number, $2: not one message"
      [ "$1" = unlink ] || [ -z "$(find S -name '*.tmp-*')" ] || failed "$1 number $number, $2: leaves unfinished files"
    fi
    mkdir -p S
    check "$1 number $number, $2"
    number=$((number + 1))
  done
  [ $number -gt 1 ] || failed "$1 is never called"
  echo "$1, $2: $((number - 1)) positions" >&2
}

for call in write pwrite64 fsync rename ftruncate; do sweep $call signal=KILL 137; done
for call in pwrite64 fsync; do
  sweep $call error=ENOSPC 74
  sweep $call error=EIO 74
done
sweep rename error=EIO 74

# A disk of so many kilobytes.
export -f check failed
declare -p prep >prep
rm -rf S
for size in 8 16 24 32 40 48 64 80 96 120 160; do
  unshare -r -m bash -eu -c '
    . ./prep
    mkdir S && mount -t tmpfs -o size='$size'k tmpfs S
    status=0
    "${prep[@]}" S >lines 2>errors || status=$?
    [ $status = 74 ] || [ $status = 0 ] || failed "a disk of '$size' kB: exit status $status"
    [ $status = 0 ] || grep -q "No space left on device" errors || failed "a disk of '$size' kB: another message"
    cp -a S T && umount S && rmdir S && mv T S
    [ -z "$(find S -name "*.tmp-*")" ] || failed "a disk of '$size' kB: leaves unfinished files"
    check "a disk of '$size' kB"
    echo "a disk of '$size' kB: exit status $status" >&2'
done
echo "all of it is mended" >&2
