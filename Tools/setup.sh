#!/bin/sh
# Installs the Debian packages that are missing and checks the Swift toolchain. Changes nothing where all is there.
set -eu

needed="libpng-dev libjpeg-dev libhdf5-dev libdeflate-dev pkg-config python3 strace curl unzip"
oldest_swift=6.1

missing=""
if command -v dpkg-query >/dev/null; then
  for package in $needed; do
    case "$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null)" in
      *" installed") ;;
      *) missing="$missing $package" ;;
    esac
  done
  python3 -c 'import venv, ensurepip' 2>/dev/null || missing="$missing python3-venv"
else
  echo "setup: not a Debian system; these packages, or what they are called here, are needed: $needed python3-venv" >&2
fi

if [ -n "$missing" ]; then
  echo "setup: installing$missing" >&2
  as_root=""
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
      echo "setup: no sudo here; as root, run: apt-get install$missing" >&2
      exit 1
    }
    as_root=sudo
  fi
  $as_root apt-get update -qq
  # shellcheck disable=SC2086
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
fi

command -v swift >/dev/null || {
  echo "setup: no swift here; install Swift $oldest_swift or newer from https://www.swift.org/install/linux" >&2
  exit 1
}
version=$(swift --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9]+(\.[0-9]+)*).*/\1/p' | head -n 1)
if [ "$(printf '%s\n' "$oldest_swift" "$version" | sort -V | head -n 1)" != "$oldest_swift" ]; then
  echo "setup: Swift ${version:-of an unknown version} is too old; $oldest_swift or newer is needed," \
    "see https://www.swift.org/install/linux" >&2
  exit 1
fi
echo "setup: complete (Swift $version)" >&2
