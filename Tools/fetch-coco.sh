#!/bin/sh
# Downloads COCO 2017, checks it and unpacks it to where prep-coco looks. What is there already stays; a download that
# was cut short continues.
set -eu

usage="usage: Tools/fetch-coco.sh FOLDER [train|val|annotations|stuff|maps]...
  train        train2017/, 118,287 images, 18 GB
  val          val2017/, 5,000 images, 0.8 GB
  annotations  annotations/{instances,captions}_{train,val}2017.json, 0.25 GB
  stuff        annotations/stuff_{train,val}2017.json, 0.55 GB
  maps         stuffthingmaps/{train,val}2017/, label maps, 0.7 GB
Without names: all but stuff, which is needed only for --segmentation annotations.
Archives are kept in FOLDER/archives until you remove them.
COCO_MIRROR and COCOSTUFF_MIRROR name other servers to get them from."

case "${1:-}" in
  "" | -h | --help)
    echo "$usage"
    [ -n "${1:-}" ] || exit 64
    exit 0
    ;;
esac
root=$1
shift
[ $# -gt 0 ] || set -- val annotations maps train

for tool in curl unzip md5sum; do
  command -v $tool >/dev/null || {
    echo "fetch-coco: no $tool here; install it first" >&2
    exit 69
  }
done

# The bucket behind images.cocodataset.org, by a name that has a certificate.
coco=${COCO_MIRROR:-https://s3.amazonaws.com/images.cocodataset.org}
cocostuff=${COCOSTUFF_MIRROR:-http://calvin.inf.ed.ac.uk/wp-content/uploads/data/cocostuffdataset}

# get URL [MD5]: leaves the archive in FOLDER/archives, whole. A transfer that breaks off goes on from there, 20 times.
get() {
  archive=$root/archives/$(basename "$1")
  if [ ! -e "$archive" ]; then
    echo "fetch-coco: $1" >&2
    breaks=0
    until code=$(curl --fail --location --retry 5 --continue-at - --output "$archive.part" \
      --write-out '%{http_code}' "$1"); do
      case $code in
        416) break ;; # nothing is left to get
        200 | 206) breaks=$((breaks + 1)) ;;
        *) breaks=20 ;;
      esac
      [ $breaks -lt 20 ] || {
        echo "fetch-coco: $1: cannot be had now; the same command continues" >&2
        exit 69
      }
    done
    if [ -n "${2:-}" ]; then
      echo "$2  $archive.part" | md5sum --check --quiet - || {
        echo "fetch-coco: $archive.part: not the published file; remove it and try again" >&2
        exit 65
      }
    else
      unzip -tqq "$archive.part" || {
        echo "fetch-coco: $archive.part: a damaged archive; remove it and try again" >&2
        exit 65
      }
    fi
    mv "$archive.part" "$archive"
  fi
}

# unpack FOLDER-OR-FILE INTO [MEMBERS...]: unpacks the archive of the last get beside the position, then moves it there.
unpack() {
  position=$1
  into=$2
  shift 2
  [ ! -e "$root/$position" ] || return 0
  scratch=$root/archives/unpacking
  rm -rf "$scratch"
  mkdir -p "$scratch" "$root/$into"
  unzip -q "$archive" "$@" -d "$scratch"
  mv "$scratch/$position" "$root/$position"
  rm -rf "$scratch"
}

# count FOLDER ENDING EXPECTED
count() {
  found=$(find "$root/$1" -name "*.$2" | wc -l)
  [ "$found" -eq "$3" ] || {
    echo "fetch-coco: $root/$1: $found images, expected $3; remove the folder and try again" >&2
    exit 65
  }
}

exec 3>&1 >&2 # only the folder is a result
mkdir -p "$root/archives"
for part in "$@"; do
  case "$part" in
    train | val)
      case "$part" in
        train) get "$coco/zips/train2017.zip" cced6f7f71b7629ddf16f17bbcfab6b2 ;;
        val) get "$coco/zips/val2017.zip" 442b8da7639aecaf257c1dceb8ba8c80 ;;
      esac
      unpack "${part}2017" .
      case "$part" in
        train) count train2017 jpg 118287 ;;
        val) count val2017 jpg 5000 ;;
      esac
      ;;
    annotations)
      get "$coco/annotations/annotations_trainval2017.zip" f4bbac642086de4f52a3fdda2de5fa2c
      for name in instances_train captions_train instances_val captions_val; do
        unpack "annotations/${name}2017.json" annotations "annotations/${name}2017.json"
      done
      ;;
    stuff)
      get "$coco/annotations/stuff_annotations_trainval2017.zip"
      for name in stuff_train stuff_val; do
        unpack "annotations/${name}2017.json" annotations "annotations/${name}2017.json"
      done
      ;;
    maps)
      get "$cocostuff/stuffthingmaps_trainval2017.zip"
      mkdir -p "$root/stuffthingmaps"
      for split in train2017 val2017; do
        [ ! -e "$root/stuffthingmaps/$split" ] || continue
        rm -rf "$root/archives/unpacking"
        mkdir -p "$root/archives/unpacking"
        unzip -q "$archive" "$split/*" -d "$root/archives/unpacking"
        mv "$root/archives/unpacking/$split" "$root/stuffthingmaps/$split"
        rm -rf "$root/archives/unpacking"
      done
      count stuffthingmaps/train2017 png 118287
      count stuffthingmaps/val2017 png 5000
      ;;
    *)
      echo "$usage" >&2
      exit 64
      ;;
  esac
  echo "fetch-coco: $part is complete" >&2
done
echo "$root" >&3
