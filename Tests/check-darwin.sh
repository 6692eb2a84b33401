#!/bin/bash
# Checks what can be checked of the code for macOS on a machine without it: the branches for Darwin are compiled, not
# linked, against the C library of Linux and stand-ins for the few names that Darwin alone has.
set -eu -o pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# ---- Swift: one file knows the system ----
if grep -rnE '^ *(@_exported )?import (Glibc|Musl|Darwin)|canImport|#if os\(' Sources --include=*.swift \
  | grep -v '^Sources/Platform/'; then
  echo "only Sources/Platform may ask for the system" >&2
  exit 1
fi
mkdir -p "$work/darwin" "$work/suite"
cat > "$work/Darwin.swift" <<'SWIFT'
@_exported import Glibc
public let F_FULLFSYNC: Int32 = 51
public let RUSAGE_SELF: Int32 = 0
public let RLIMIT_NOFILE: Int32 = 8
public func getrusage(_: Int32, _: UnsafeMutablePointer<rusage>) -> Int32 { -1 }
public func getrlimit(_: Int32, _: UnsafeMutablePointer<rlimit>) -> Int32 { -1 }
public typealias pthread_t = UnsafeMutablePointer<CChar>
public func pthread_create(
  _: UnsafeMutablePointer<pthread_t?>, _: UnsafePointer<pthread_attr_t>?,
  _: @convention(c) (UnsafeMutableRawPointer) -> UnsafeMutableRawPointer?, _: UnsafeMutableRawPointer?
) -> Int32 { -1 }
public func pthread_join(_: pthread_t, _: UnsafeMutablePointer<UnsafeMutableRawPointer?>?) -> Int32 { -1 }
extension stat { public var st_mtimespec: timespec { st_mtim } }
public struct Handlers { public var __sa_handler: (@convention(c) (Int32) -> Void)? }
extension sigaction { public var __sigaction_u: Handlers { Handlers(__sa_handler: nil) } }
SWIFT
swiftc -swift-version 6 -parse-as-library -emit-module -module-name Darwin "$work/Darwin.swift" \
  -emit-module-path "$work/darwin/Darwin.swiftmodule"
swiftc -swift-version 6 -package-name suite -parse-as-library -emit-module -module-name Platform -I "$work/darwin" \
  Sources/Platform/*.swift -emit-module-path "$work/suite/Platform.swiftmodule"

# ---- C: what is for Linux is not compiled, what is for Apple's systems is ----
mkdir -p "$work/include/mach-o"
echo '#include <stdint.h>
int _NSGetExecutablePath(char *path, uint32_t *room);' > "$work/include/mach-o/dyld.h"
for file in Sources/C*/*.c; do
  # shellcheck disable=SC2046
  clang -fsyntax-only -Wall -Werror -U__linux__ -U__linux -Ulinux -D__APPLE__ -I "$work/include" \
    -I "$(dirname "$file")/include" $(pkg-config --cflags hdf5 libpng libjpeg) -DHAS_LIBDEFLATE "$file"
done
echo "Darwin: $(ls Sources/C*/*.c | wc -l) C files and Platform compiled against stand-ins"
