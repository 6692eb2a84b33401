#!/usr/bin/env python3
"""Copies the built commands with man pages and completions below a prefix, or removes what was copied.

What was installed is listed in PREFIX/share/swift-vqgan/installed, with checksums: a file that is not as it was
installed is neither written over nor removed.
"""
import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import manual

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LIST = "share/swift-vqgan/installed"
COMPLETIONS = {"bash": "share/bash-completion/completions/{}", "zsh": "share/zsh/site-functions/_{}",
               "fish": "share/fish/vendor_completions.d/{}.fish"}
# Of vqgan: the commands, then what each completes by itself.
UMBRELLA = {
    "bash": """_vqgan() {
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "COMMANDS help --version" -- "${COMP_WORDS[1]}"))
  elif [ "${COMP_WORDS[1]}" = help ]; then
    COMPREPLY=($(compgen -W "COMMANDS" -- "${COMP_WORDS[COMP_CWORD]}"))
  elif declare -F _command_offset >/dev/null; then
    _command_offset 1
  fi
}
complete -o default -F _vqgan vqgan
""",
    "zsh": """#compdef vqgan
if (( CURRENT == 2 )); then
  compadd -- COMMANDS help --version
elif [[ $words[2] == help ]]; then
  compadd -- COMMANDS
else
  shift words
  (( CURRENT -= 1 ))
  _normal
fi
""",
    "fish": """complete -c vqgan -f -n __fish_use_subcommand -a "COMMANDS help"
complete -c vqgan -x -n "not __fish_use_subcommand" -a "(__fish_complete_subcommand)"
""",
}


class Failure(Exception):
    """Why nothing can be installed or removed: exit code and sentence."""


def commands():
    """The names of all commands but vqgan: the folders of Sources that are written small."""
    names = os.listdir(f"{ROOT}/Sources")
    return sorted(name for name in names if name[0].islower() and name != "vqgan")


def read(path):
    with open(path, "rb") as file:
        return file.read()


def output(path, *arguments):
    ended = subprocess.run([path, *arguments], capture_output=True)
    if ended.returncode != 0:
        raise Failure(65, f"{path} {' '.join(arguments)}: exit code {ended.returncode}: "
                      f"{ended.stderr.decode().strip()}")
    return ended.stdout


def program(path):
    """A program without its symbols, where they can be taken away."""
    if not sys.platform.startswith("linux") or not shutil.which("strip"):
        return read(path)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["strip", "-o", f"{folder}/program", path], check=True)
        return read(f"{folder}/program")


def contents(bin):
    """What is installed: maps paths below the prefix to bytes and mode."""
    names = commands()
    for name in names + ["vqgan"]:
        if not os.path.isfile(f"{bin}/{name}"):
            raise Failure(66, f"{bin}/{name}: missing; run make build first")
    version = output(f"{bin}/shard-info", "--version").decode().split()[0]
    dumps = [json.loads(output(f"{bin}/{name}", "--experimental-dump-help")) for name in names]
    shared = read(f"{ROOT}/Docs/Commands/README.md").decode()
    everything = names + ["vqgan"]
    files = {f"bin/{name}": (program(f"{bin}/{name}"), 0o755) for name in everything}
    pages = {"vqgan": manual.umbrella(dumps, shared, version, everything)}
    for name, dump in zip(names, dumps):
        pages[name] = manual.page(dump, read(f"{ROOT}/Docs/Commands/{name}.md").decode(), shared, version, everything)
    for name, page in pages.items():
        files[f"share/man/man1/{name}.1"] = (page.encode(), 0o644)
    for shell, place in COMPLETIONS.items():
        for name in names:
            files[place.format(name)] = (output(f"{bin}/{name}", "--generate-completion-script", shell), 0o644)
        files[place.format("vqgan")] = (UMBRELLA[shell].replace("COMMANDS", " ".join(names)).encode(), 0o644)
    return files


def digest(data):
    return hashlib.sha256(data).hexdigest()


def listed(base):
    """What the list says: maps paths to the checksums that they may have; and the folders that were made."""
    files, folders = {}, []
    if os.path.exists(f"{base}/{LIST}"):
        for line in read(f"{base}/{LIST}").decode().splitlines():
            kind, path = line.split("  ", 1)
            if kind == "folder":
                folders.append(path)
            else:
                files.setdefault(path, set()).add(kind)
    return files, folders


def write(path, data, mode):
    """Puts a file in place of another in one step: a program that runs goes on with the old one."""
    temporary = f"{path}.tmp-{os.getpid()}"
    try:
        with open(temporary, "wb") as file:
            file.write(data)
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.remove(temporary)
        raise


def write_list(base, files, folders):
    lines = [f"folder  {path}" for path in folders]
    lines += [f"{checksum}  {path}" for path in sorted(files) for checksum in sorted(files[path])]
    write(f"{base}/{LIST}", ("\n".join(lines) + "\n").encode(), 0o644)


def is_ours(base, path, files):
    return os.path.isfile(f"{base}/{path}") and digest(read(f"{base}/{path}")) in files.get(path, ())


def install(bin, base):
    """Installs below base; files of an earlier version that are no more go."""
    new = contents(bin)
    old, folders = listed(base)
    if not os.path.isdir(base):
        folders.append(".")
    for path in new:
        if os.path.lexists(f"{base}/{path}") and not is_ours(base, path, old):
            raise Failure(73, f"{base}/{path}: exists, and is not as it was installed; "
                          "remove it or choose another PREFIX")
    for path in [*new, LIST]:
        missing, folder = [], os.path.dirname(path)
        while folder and not os.path.isdir(f"{base}/{folder}"):
            missing.insert(0, folder)
            folder = os.path.dirname(folder)
        for folder in missing:
            os.makedirs(f"{base}/{folder}")
            folders.append(folder)
    ours = {path: {digest(data)} for path, (data, _) in new.items()}
    # What is cut short can be removed.
    write_list(base, {path: ours.get(path, set()) | old.get(path, set()) for path in {*ours, *old}}, folders)
    for path, (data, mode) in new.items():
        write(f"{base}/{path}", data, mode)
    for path in old:
        if path not in new and is_ours(base, path, old):
            os.remove(f"{base}/{path}")
    write_list(base, ours, folders)
    return new


def uninstall(base):
    """Removes what the list names, and the folders that were made for it if nothing else is in them."""
    files, folders = listed(base)
    if not files:
        raise Failure(66, f"{base}/{LIST}: missing; nothing is installed there")
    removed = 0
    for path in files:
        if is_ours(base, path, files):
            os.remove(f"{base}/{path}")
            removed += 1
        elif os.path.lexists(f"{base}/{path}"):
            print(f"install: {base}/{path}: not as it was installed; left there", file=sys.stderr)
    os.remove(f"{base}/{LIST}")
    for folder in sorted(folders, key=len, reverse=True):
        path = os.path.normpath(f"{base}/{folder}")
        if os.path.isdir(path) and not os.listdir(path):
            os.rmdir(path)
    return removed


def needs(programs):
    """What programs load at run time, in one sentence; none where nothing can tell."""
    if not shutil.which("ldd") or not shutil.which("readelf"):
        return ""
    direct, found, swift = set(), {}, set()
    for path in programs:
        for line in output("readelf", "-d", path).decode().splitlines():
            if "(NEEDED)" in line:
                direct.add(line.split("[")[1].split("]")[0])
        for line in output("ldd", path).decode().splitlines():
            name, arrow, place = line.strip().partition(" => ")
            if arrow:
                found[name] = place.split(" (")[0]
    for name in list(direct):
        if "/swift/" in found.get(name, ""):
            swift.add(os.path.dirname(found[name]))
            direct.discard(name)
    system = {"libc.so.6", "libm.so.6", "libgcc_s.so.1", "libpthread.so.0", "libdl.so.2"}
    libraries = sorted(name for name in direct - system if not name.startswith("ld-"))
    text = "At run time they need " + ", ".join(libraries)
    text += f", and the Swift runtime in {', '.join(sorted(swift))}" if swift else ", and no Swift runtime"
    lacking = sorted(name for name, place in found.items() if place == "not found")
    return text + (f"; NOT FOUND here: {', '.join(lacking)}" if lacking else "") + "."


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("bin", nargs="?", help="folder of the built commands")
    parser.add_argument("--prefix", required=True)
    parser.add_argument("--destdir", default="", help="folder that stands for / (for packages)")
    parser.add_argument("--remove", action="store_true", help="remove what was installed")
    options = parser.parse_args()
    prefix = os.path.abspath(os.path.expanduser(options.prefix))
    base = f"{os.path.abspath(options.destdir)}{prefix}" if options.destdir else prefix
    if options.remove:
        print(f"Removed {uninstall(base)} files from {base}.")
        return
    if not options.bin:
        parser.error("the folder of the built commands is missing")
    new = install(options.bin, base)
    programs = [path for path in new if path.startswith("bin/")]
    print(f"Installed {len(programs)} commands with man pages and completions in {base}.")
    print(needs([f"{base}/{path}" for path in programs]))
    if not options.destdir and f"{prefix}/bin" not in os.environ.get("PATH", "").split(":"):
        print(f'{prefix}/bin is not on PATH: export PATH="{prefix}/bin:$PATH"')


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        print(f"install: {failure.args[1]}", file=sys.stderr)
        sys.exit(failure.args[0])
    except OSError as error:
        print(f"install: {error.filename or 'standard output'}: {error.strerror}", file=sys.stderr)
        sys.exit(73 if error.filename else 74)
