#!/usr/bin/env python3
"""Makes a tarball and a Debian package of built commands: programs, man pages, completions, licence.

    Tools/package.py FOLDER-OF-BUILT-COMMANDS [--out dist] [--no-deb]

The same programs give the same bytes; files have the time of the last commit, or of SOURCE_DATE_EPOCH.
"""
import argparse
import gzip
import hashlib
import lzma
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

sys.dont_write_bytecode = True
from install import LIST, ROOT, Failure, install, output, read

# Quick, and with a large window: the programs have the runtime in common.
WINDOW = {"id": lzma.FILTER_LZMA2, "preset": 1, "dict_size": 128 << 20}
CONTROL = """Package: swift-vqgan
Version: {version}
Architecture: {architecture}
Maintainer: {maintainer}
Installed-Size: {kilobytes}
Depends: {depends}
Section: science
Priority: optional
Description: VQGANs and transformers on images, on plain CPUs
 Commands that make data sets of images, train a VQGAN and a GPT on them, and sample new images: the method of Taming
 Transformers for High-Resolution Image Synthesis.
"""


def source_time():
    """Seconds since 1970 that all files are given."""
    if "SOURCE_DATE_EPOCH" in os.environ:
        return int(os.environ["SOURCE_DATE_EPOCH"])
    ended = subprocess.run(["git", "-C", ROOT, "log", "-1", "--format=%ct"], capture_output=True, text=True)
    return int(ended.stdout) if ended.returncode == 0 and ended.stdout.strip() else 0


def files(folder):
    """All files below a folder, sorted, relative to it."""
    found = [os.path.relpath(f"{place}/{name}", folder) for place, _, names in os.walk(folder) for name in names]
    return sorted(found)


def copy(source, target):
    os.makedirs(os.path.dirname(target), exist_ok=True)
    shutil.copyfile(source, target)


def tarball(bin, name, out, time):
    """`NAME.tar.xz`: a folder that works wherever it is unpacked."""
    with tempfile.TemporaryDirectory() as work:
        base = f"{work}/{name}"
        install(bin, base)
        os.remove(f"{base}/{LIST}")
        for source in ["LICENSE", "README.md", "Docs/Install.md"]:
            copy(f"{ROOT}/{source}", f"{base}/share/doc/swift-vqgan/{os.path.basename(source)}")
        path = f"{out}/{name}.tar.xz"

        def entry(info):
            info.uid = info.gid = 0
            info.uname = info.gname = "root"
            info.mtime = time
            return info

        with lzma.open(f"{path}.tmp", "wb", filters=[WINDOW]) as packed, tarfile.open(fileobj=packed, mode="w|") as tar:
            for file in files(base):
                tar.add(f"{base}/{file}", f"{name}/{file}", filter=entry)
        os.replace(f"{path}.tmp", path)
        return path


def depends(tree, bin_folder):
    """The packages of the libraries that the programs load, by dpkg-shlibdeps."""
    with tempfile.TemporaryDirectory() as work:
        os.mkdir(f"{work}/debian")
        with open(f"{work}/debian/control", "w") as control:
            control.write("Source: swift-vqgan\n\nPackage: swift-vqgan\nArchitecture: any\n"
                          "Depends: ${shlibs:Depends}\n")
        programs = [f"{bin_folder}/{name}" for name in sorted(os.listdir(bin_folder))]
        ended = subprocess.run(["dpkg-shlibdeps", "-O", "--warnings=0", f"-S{tree}", *programs], cwd=work,
                               capture_output=True, text=True)
    if ended.returncode != 0:
        raise Failure(65, f"dpkg-shlibdeps: {ended.stderr.strip()}")
    return re.sub(r"^shlibs:Depends=", "", ended.stdout.strip())


def debian_package(bin, version, out, time):
    """`swift-vqgan_VERSION_ARCHITECTURE.deb`, for /usr."""
    architecture = output(shutil.which("dpkg"), "--print-architecture").decode().strip()
    with tempfile.TemporaryDirectory() as work:
        tree = f"{work}/tree"
        install(bin, f"{tree}/usr")
        os.remove(f"{tree}/usr/{LIST}")
        os.rmdir(os.path.dirname(f"{tree}/usr/{LIST}"))
        needed = depends(tree, f"{tree}/usr/bin")
        pages = f"{tree}/usr/share/man/man1"
        for page in os.listdir(pages):
            data = gzip.compress(read(f"{pages}/{page}"), mtime=0)
            os.remove(f"{pages}/{page}")
            with open(f"{pages}/{page}.gz", "wb") as file:
                file.write(data)
        # Where Debian's zsh looks.
        os.renames(f"{tree}/usr/share/zsh/site-functions", f"{tree}/usr/share/zsh/vendor-completions")
        copy(f"{ROOT}/LICENSE", f"{tree}/usr/share/doc/swift-vqgan/copyright")
        below = files(tree)
        kilobytes = sum(-(-os.path.getsize(f"{tree}/{file}") // 1024) for file in below)
        os.mkdir(f"{tree}/DEBIAN")
        with open(f"{tree}/DEBIAN/md5sums", "w") as sums:
            for file in below:
                sums.write(f"{hashlib.md5(read(f'{tree}/{file}')).hexdigest()}  {file}\n")
        with open(f"{tree}/DEBIAN/control", "w") as control:
            control.write(CONTROL.format(version=version, architecture=architecture, kilobytes=kilobytes,
                                         depends=needed,
                                         maintainer=os.environ.get("DEBEMAIL", "swift-vqgan <nobody@localhost>")))
        for place, folders, names in os.walk(tree):
            os.chmod(place, 0o755)
            for name in names:
                os.chmod(f"{place}/{name}", 0o755 if place.endswith("/usr/bin") else 0o644)
        path = f"{out}/swift-vqgan_{version}_{architecture}.deb"
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Zxz", "--build", tree, f"{path}.tmp"], check=True,
                       stdout=subprocess.DEVNULL, env={**os.environ, "SOURCE_DATE_EPOCH": str(time)})
        os.replace(f"{path}.tmp", path)
        return path


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("bin", help="folder of the built commands")
    parser.add_argument("--out", default="dist", help="folder of the packages")
    parser.add_argument("--no-deb", action="store_true", help="the tarball alone")
    options = parser.parse_args()
    os.makedirs(options.out, exist_ok=True)
    version = output(f"{options.bin}/shard-info", "--version").decode().split()[0]
    time = source_time()
    name = f"swift-vqgan-{version}-{sys.platform}-{platform.machine()}"
    print(tarball(options.bin, name, options.out, time))
    if options.no_deb:
        return
    for tool in ["dpkg", "dpkg-deb", "dpkg-shlibdeps"]:
        if not shutil.which(tool):
            raise Failure(66, f"no {tool} here: apt-get install dpkg-dev, or --no-deb")
    print(debian_package(options.bin, version, options.out, time))


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        print(f"package: {failure.args[1]}", file=sys.stderr)
        sys.exit(failure.args[0])
