"""Opens PyTorch files that want to run code, with every command that takes such files, under strace.

Usage: check_unsafe_pickles.py FOLDER-OF-BUILT-COMMANDS FIXTURES      (needs strace)

No command may start a program or touch the network, no canary file may appear, and each must name what it did not run.
Python's own unpickler is run on the same pickles first: it does start programs, so that the trap is known to work.
"""

import pathlib
import pickle
import pickletools
import re
import subprocess
import sys
import tempfile
import zipfile

TRACE = ["strace", "-f", "-qq", "-e", "trace=execve,%network", "-o"]

# Module, name and arguments of a call; what Python does when it loads them.
CALLS = [
    ("posix", "system", ("touch {canary}",)), ("os", "system", ("touch {canary}",)),
    ("subprocess", "call", (["touch", "{canary}"],)), ("builtins", "exec", ("open(r'{canary}', 'w')",)),
    ("builtins", "eval", ("open(r'{canary}', 'w')",)), ("runpy", "_run_code", ("open(r'{canary}', 'w')", {})),
    ("io", "open", ("{canary}", "w")), ("socket", "socket", ()), ("webbrowser", "open", ("http://127.0.0.1:9",)),
    ("torch.hub", "load", ("evil/repository", "model")), ("numpy", "load", ("{canary}",)),
]


def filled(value, canary):
    if isinstance(value, str):
        return value.replace("{canary}", str(canary))
    return type(value)(filled(part, canary) for part in value) if isinstance(value, (list, tuple)) else value


def call(module, name, arguments):
    """Opcodes that call a function and drop what it gives (POP is none that torch.save writes, so a key holds it)."""
    packed = pickle.dumps(arguments, 2)
    assert packed[:2] == b"\x80\x02" and packed[-1:] == b"."
    return b"c" + f"{module}\n{name}\n".encode() + packed[2:-1] + b"R"


def archive(path, source, opcodes):
    """A copy of a checkpoint whose pickle also makes a call, under a key of its own in the outer dictionary."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            if entry.filename.endswith("/data.pkl"):
                assert data[:2] == b"\x80\x02" and data[2:3] == b"}", "a dictionary"
                at = 3
                if data[at:at + 1] == b"q":
                    at += 2
                data = data[:at] + b"X\x04\x00\x00\x00evil" + opcodes + b"s" + data[at:]
            new.writestr(zipfile.ZipInfo(entry.filename), data)


def stream(path, opcodes):
    """The old form, its call in the pickle of the system, which comes before the object."""
    magic = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2)
    with open(path, "wb") as file:
        file.write(magic + b"\x80\x02}X\x04\x00\x00\x00evil" + opcodes + b"s." + pickle.dumps({}, 2)
                   + pickle.dumps([], 2))


def run(command, folder):
    """The outcome and what strace saw besides the start of the command itself."""
    log = folder / "trace"
    outcome = subprocess.run([*TRACE, str(log), *map(str, command)], cwd=folder, capture_output=True, text=True,
                             stdin=subprocess.DEVNULL)
    # "29682 execve(…"; others tell of exits and of threads that end with their process.
    lines = [line for line in log.read_text().splitlines() if re.match(r"\d+ +\w+\(", line)]
    assert lines and "execve(" in lines[0], "strace saw nothing"
    return outcome, lines[1:]


def main():
    bin, fixtures = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    png, vqgan, gpt = fixtures / "images" / "grey-1.png", fixtures / "vqgan-tiny.ckpt", fixtures / "gpt-tiny.ckpt"
    checked = traps = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "list.txt").write_text(f"{png}\n")
        # 4×4 codes are what the transformer has positions for, 32×32 pixels what the discriminator needs.
        for command in [["prep-images", "list.txt", "--size", "32", "--out", "shards"],
                        ["prep-images", "list.txt", "--size", "8", "--out", "small"],
                        ["encode-dataset", "small", "--vqgan", vqgan, "--out", "codes"]]:
            subprocess.run([bin / command[0], *command[1:], "--quiet"], cwd=folder, check=True,
                           stdout=subprocess.DEVNULL)
        canary = folder / "canary"
        for module, function, arguments in CALLS:
            opcodes = call(module, function, filled(arguments, canary))
            pickletools.dis(b"\x80\x02" + opcodes + b".", out=open("/dev/null", "w"))
            (folder / "evil.pkl").write_bytes(b"\x80\x02" + opcodes + b".")
            script = "import pickle; pickle.load(open('evil.pkl', 'rb'))"
            _, seen = run([sys.executable, "-c", script], folder)
            traps += canary.exists() or bool(seen)
            canary.unlink(missing_ok=True)
            archive(folder / "evil.ckpt", vqgan, opcodes)
            archive(folder / "evil-gpt.ckpt", gpt, opcodes)
            stream(folder / "evil.pth", opcodes)
            steps = ["--steps", "1", "--batch-size", "1", "--quiet", "--out"]
            for command, status in [
                ([bin / "convert-checkpoint", "evil.ckpt", "--out", "vqgan"], 0),
                ([bin / "convert-checkpoint", "evil.pth", "--out", "x"], 65),
                ([bin / "reconstruct", png, "--size", "32", "--vqgan", "evil.ckpt", "--out", "seen"], 0),
                ([bin / "encode-dataset", "none.h5", "--vqgan", "evil.pth", "--out", "x"], 65),
                ([bin / "sample-gpt", "--gpt", "evil.pth", "--out", "x"], 65),
                ([bin / "convert-checkpoint", gpt, "--heads", "4", "--vqgan", "evil.ckpt", "--out", "gpt"], 0),
                ([bin / "train-vqgan", "shards", "--init-from", "evil.ckpt", *steps, "trained"], 0),
                ([bin / "train-vqgan", "shards", "--init-from", vqgan, "--perceptual", "evil.ckpt",
                  *steps, "seeing"], 0),
                ([bin / "train-vqgan", "shards", "--init-from", "evil.pth", *steps, "x"], 65),
                ([bin / "train-gpt", "codes", "--init-from", "evil-gpt.ckpt", "--heads", "4", *steps, "learned"], 0),
                ([bin / "train-gpt", "codes", "--init-from", "evil.pth", *steps, "x"], 65),
                ([bin / "convert-checkpoint", "vqgan", "--to", "taming", "--perceptual", "evil.ckpt",
                  "--out", "a.ckpt"], 0),
            ]:
                outcome, seen = run(command, folder)
                title = f"{module}.{function}: {' '.join(str(part) for part in command)}"
                assert outcome.returncode == status, f"{title}: {outcome.returncode}\n{outcome.stderr}"
                assert not canary.exists(), f"{title}: ran"
                assert not seen, f"{title}: {seen}"
                assert outcome.stderr.count(f"names {module}.{function}, which could run code") == 1, (
                    f"{title}: {outcome.stderr}")
                checked += 1
            subprocess.run(["rm", "-rf", "vqgan", "gpt", "seen", "a.ckpt", "trained", "seeing", "learned", "x"],
                           cwd=folder, check=True)
    assert traps >= 8, f"only {traps} of the pickles do anything in Python"
    print(f"{checked} unsafe files opened, nothing run; Python ran {traps} of {len(CALLS)}")


main()
