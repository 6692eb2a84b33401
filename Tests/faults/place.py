"""A folder in which commands meet faults, one after the other, and what is seen then."""
import os
import re
import shutil
import subprocess
import sys
import time

from faults import processes, terminal
from faults.checks import TEMPORARY, damage, snapshot, violations
from faults.table import KINDS, REMOVALS, WRITES

ERRORS = ["No space left on device", "Interrupted system call", "Input/output error"]
REMOVING = ["rename"] + REMOVALS  # first out of its name
SPEED = re.compile(r"[0-9.]+ images/s")
PATH_CALLS = ["openat", "mkdir", "rename", "symlink", "unlink", "rmdir"]
CALLS = sorted({call for kind in KINDS.values() for call in kind.calls} - {"a write", "all writes"})


class Place:
    """A folder in which one command after the other is run; each has its own, at a path of the same length."""

    def __init__(self, options, number):
        self.options = options
        self.path = f"{options.work}/place{number}"
        self.out = f"{self.path}/out"
        self.references = {}
        self.woken = 0  # processes that the injector had left stopped
        os.mkdir(self.path)
        shutil.copytree(f"{options.work}/world/in", f"{self.path}/in", copy_function=os.link)

    def run(self, words, environment={}, under=[], wait=True, keys=""):
        """Runs a command, in a terminal where keys are to be typed; returns its exit code, stdout and stderr."""
        words = under + [f"{self.options.bin}/{words[0]}"] + words[1:]
        settings = {"cwd": self.path, "env": {**os.environ, "SWIFT_BACKTRACE": "enable=no", **environment}}
        with open(f"{self.path}/stdout", "wb") as output, open(f"{self.path}/stderr", "wb") as errors:
            if keys:
                process = terminal.play(words, keys, output, stderr=errors, **settings)
            else:
                process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, **settings)
        if not wait:
            return process
        code, hung = self.end(process)
        return code, self.read("stdout"), self.read("stderr") + hung

    def end(self, process):
        """Waits for a process; returns its exit code, and what hung if it never came."""
        code, hung, woken = processes.wait(process)
        terminal.wait(process)
        self.woken += woken
        return code, hung

    def read(self, name):
        with open(f"{self.path}/{name}", "rb") as file:
            return SPEED.sub("", file.read().decode(errors="replace"))

    def reset(self, command):
        """Brings out/ to the state before the command."""
        shutil.rmtree(self.out, ignore_errors=True)
        for model in "VG":
            if os.path.exists(pin := f"{self.path}/in/{model}/pinned"):
                os.remove(pin)
        if command.before and command.name in self.references:
            shutil.copytree(f"{self.path}/before {command.name}", self.out, symlinks=True)
        else:
            os.mkdir(self.out)

    def reference(self, command):
        """What the command makes undisturbed in this place: run once."""
        if command.name in self.references:
            return self.references[command.name]
        states, known, before = [], {}, {}
        for extra in [command.steps] * bool(command.steps) + [""]:
            self.reset(command)
            if command.before:
                expect(self.run(command.before.split()), command.before)
                shutil.rmtree(kept := f"{self.path}/before {command.name}", ignore_errors=True)
                shutil.copytree(self.out, kept, symlinks=True)
                before = snapshot(self.out)
            output = expect(self.run(f"{command.run} {extra}".split(), keys=command.keys), command.run)
            for path, content in snapshot(self.out).items():
                known.setdefault(path, []).append(content)
        tree = snapshot(self.out)
        for path in tree:
            if problem := damage(f"{self.out}/{path}"):
                sys.exit(f"fault-test: {command.run}: {path}: {problem}")
        shards = [f"out/{path}" for path in tree if path.endswith(".h5")]
        if shards:
            expect(self.run(["shard-info", "--verify", "--quiet"] + shards), "shard-info")
        self.references[command.name] = (tree, known, before, output)
        return self.references[command.name]

    def again(self, command):
        """Completes what a disturbed run has left."""
        words = command.run.split()
        if command.again == "fresh":
            shutil.rmtree(self.out)
            os.mkdir(self.out)
        elif command.again == "resume" and not command.before:
            if os.path.exists(f"{self.path}/{command.lock}/config.json"):
                words = [words[0], "--resume", "--out", command.lock]
        return self.run(words, keys=command.keys)

    def check(self, command, kind_name, call, code, output, errors):
        """What is wrong after a run with a fault, and after the run that completes it."""
        kind = KINDS.get(kind_name)
        tree, known, before, reference_output = self.reference(command)
        after = snapshot(self.out)
        found = []
        if code not in (kind.codes if kind else (0, 73, 74)):
            found.append(f"exit code {code}: {errors.strip()[-300:] if code not in ('hangs', 'held') else errors}")
        if code == 0:
            there = {path: content for path, content in after.items() if not TEMPORARY.search(path)}
            if kind and call in REMOVING:  # what could not be removed stays, whole
                there = {path: there[path] for path in there if path in tree or there[path] not in known.get(path, [])}
            if there != tree:
                found.append("exit code 0, but other results than undisturbed: " + difference(tree, after))
            if output != reference_output:
                found.append(f"exit code 0, but prints {output!r}")
        if code in (73, 74):
            lines = [line for line in errors.splitlines() if line.startswith(f"{command.run.split()[0]}: ")]
            reasons = [""] if call in ("read", "pread64") else ERRORS + ["only"] * (code == 73)
            named = lines and ": " in lines[0].split(": ", 1)[1] and any(reason in lines[0] for reason in reasons)
            if not (len(lines) == 1 and named) and not (kind and kind.mute):
                found.append(f"no line with file and reason: {errors.strip()[-300:]}")
        for line in output.splitlines():
            if line.startswith("out/") and not os.path.exists(f"{self.path}/{line}"):
                found.append(f"prints {line}, which is not there")
        # What cannot be removed stays, until the next run.
        may_stay = call in REMOVALS or call in ("getdents64", "openat") and code == 0
        if not (kind and kind.leaves) and not may_stay:
            found += [f"leaves {path}" for path in after if TEMPORARY.search(path)]
        found += violations(self.out, after, known, before, command.atomic)
        code, output, errors = self.again(command)
        if code != 0:
            return found + [f"run again: exit code {code}: {errors.strip()[-300:] if code != 'hangs' else errors}"]
        after = snapshot(self.out)
        if after != tree:
            found.append("run again: other results than undisturbed: " + difference(tree, after))
        if output != reference_output:
            found.append(f"run again: prints {output!r}")
        return found

    # MARK: Points. Each returns whether the fault befell the run, and what was violated.

    def strike(self, command, kind_name, call, number, tries=3):
        """Call number `number` of the command meets the fault; again where strace itself got stuck."""
        self.reference(command)
        self.reset(command)
        trace, inject = f"{self.path}/trace", KINDS[kind_name].inject.format(n=number)
        if " write" in call:
            if os.path.exists(trace):
                os.remove(trace)
            outcome = self.run(command.run.split(), {
                "LD_PRELOAD": f"{self.options.work}/writes.so", "FAULT_AT": str(number), "FAULT_ROOT": f"{self.path}/",
                "FAULT_MARK": trace, **dict(setting.split("=") for setting in inject.split())},
                keys=command.keys)
            fired = os.path.exists(trace) or outcome[0] == "hangs"
        else:
            under = strace(trace, call, not inject.startswith("signal")) + ["-e", f"inject={call}:{inject}"]
            outcome = self.run(command.run.split(), under=under, keys=command.keys)
            if outcome[0] == "held" and tries > 1:
                self.woken += 1
                return self.strike(command, kind_name, call, number, tries - 1)
            # Calls are counted in each thread: one that reads an input may be met as well, and its sample is skipped.
            injected = [self.concerns(line) for line in self.read("trace").splitlines() if "INJECTED" in line]
            fired = outcome[0] in (-9, "hangs", "held") or injected and all(found and found[2] for found in injected)
        return fired, self.check(command, kind_name, call, *outcome) if fired else []

    def full_disk(self, command, kilobytes):
        """The disk that holds out/ has so much room."""
        self.reference(command)
        self.reset(command)
        shutil.rmtree(full := f"{self.path}/full", ignore_errors=True)
        os.mkdir(full)
        shutil.copytree(self.out, was := f"{full}/was", symlinks=True)
        script = (f'mount -t tmpfs -o size={kilobytes}k tmpfs out && cp -a full/was/. out/ || exit 99; "$@"; code=$?; '
                  f'mkdir full/is && cp -a out/. full/is/ || exit 98; exit $code')
        under = self.options.namespace + ["sh", "-c", script, "sh"]
        outcome = self.run(command.run.split(), under=under, keys=command.keys)
        if outcome[0] in (98, 99):
            return False, [f"{kilobytes} kB: {outcome[2]}"]
        shutil.rmtree(self.out)
        os.rename(f"{full}/is", self.out)
        return True, self.check(command, "", "", *outcome)

    def two_at_once(self, command, number):
        """A second run while the first is in its folder: kept there at its call number `number` of rename."""
        self.reference(command)
        self.reset(command)
        first = self.run(command.run.split(), under=strace(f"{self.path}/trace", "rename") + [
            "-e", f"inject=rename:delay_enter=700000:when={number}"], wait=False, keys=command.keys)
        began, looked = time.monotonic(), 1
        while first.poll() is None and not is_locked(f"{self.path}/{command.lock}/.lock"):
            time.sleep(0.002)
            if time.monotonic() - began > looked * processes.PATIENCE:
                looked += 1
                self.woken += processes.wake(first.pid)
        os.rename(f"{self.path}/stdout", f"{self.path}/stdout of the first")  # it goes on writing there
        os.rename(f"{self.path}/stderr", f"{self.path}/stderr of the first")
        code, output, errors = self.run(command.run.split(), keys=command.keys)
        ended = first.poll() is not None
        exit_code, hung = self.end(first)
        outcome = (exit_code, self.read("stdout of the first"), self.read("stderr of the first") + hung)
        if ended:
            return False, []
        found = []
        if code != 75 or output or "in use by another process" not in errors:
            found.append(f"the second run: exit code {code}, expected 75: {errors.strip()[-300:]}")
        if outcome[0] != 0:
            found.append(f"the first run: exit code {outcome[0]}: {outcome[2].strip()[-300:]}")
        return True, found + self.check(command, "", "", *outcome)

    def concerns(self, line):
        """Of a line of a trace: thread, call, whether it concerns what a command writes, whether it makes a file."""
        if not (found := re.match(r"(\d+) +(\w+)\((.*)", line)):
            return None
        thread, call, arguments = found.groups()
        if call in PATH_CALLS:
            names = re.findall(r'"([^"]*)"', arguments)
            path = os.path.join(self.path, names[-1] if names else "")
        else:
            found = re.match(r"\d+<([^>]*)>", arguments)
            path = found[1] if found else ""
        ours = path == f"{self.path}/stdout" or f"{path}/".startswith(f"{self.out}/") or path.endswith("/pinned")
        return thread, call, ours, call != "openat" or "O_CREAT" in arguments

    def plan(self, command):
        """All points of a command: the calls of a traced run that concern what it writes."""
        self.reference(command)
        self.reset(command)
        under = strace(f"{self.path}/trace", ",".join(CALLS))
        expect(self.run(command.run.split(), under=under, keys=command.keys), command.run)
        numbers = {}  # of the calls that count
        counts = {}  # of all calls, by thread
        writes = 0
        for line in self.read("trace").splitlines():
            if not (found := self.concerns(line)):
                continue
            thread, call, ours, makes = found
            counts[thread, call] = number = counts.get((thread, call), 0) + 1
            if ours:
                numbers.setdefault(call, set()).add((number, makes))
                writes += call in WRITES
        points, calls = [], 0
        for name, kind in KINDS.items():
            for call in kind.calls:
                found = sorted({number for number, makes in numbers.get(call, ()) if makes or name in ("EIO", "EINTR")})
                if call == "a write":
                    found = range(1, writes + 1)
                elif call == "all writes":
                    found = [0]
                calls += len(found)
                tried = min(kind.tried, command.tried) if self.options.tried is None else self.options.tried or len(found)
                points += [("strike", command, name, call, number) for number in spread(found, tried)]
        if self.options.namespace:
            made = kilobytes_used(self.out)
            self.reset(command)
            least = max(8, kilobytes_used(self.out))
            points += [("full_disk", command, size) for size in sorted({least + made * i // 12 for i in range(18)})]
        if command.lock:
            renames = sorted(number for number, _ in numbers.get("rename", ()))
            points += [("two_at_once", command, number) for number in spread(renames, 4)]
        return points, calls


def strace(trace, calls, fast=True):
    """strace 6.1 injects no signals in its fast way."""
    return ["strace", "-f", "-qq", "-y", "-o", trace, "-e", f"trace={calls}"] + ["--seccomp-bpf"] * fast


def expect(outcome, command):
    code, output, errors = outcome
    if code != 0:
        sys.exit(f"fault-test: {command}: exit code {code} without a fault: {errors}")
    return output


def spread(numbers, count):
    numbers = list(numbers)
    if len(numbers) <= count:
        return numbers
    return sorted({numbers[i * (len(numbers) - 1) // max(count - 1, 1)] for i in range(count)})


def difference(expected, found):
    paths = sorted(path for path in {*expected, *found} if expected.get(path) != found.get(path))
    how = {path: "missing" if path not in found else "more" if path not in expected else "differs" for path in paths}
    return ", ".join(f"{path} ({how[path]})" for path in paths[:5])


def kilobytes_used(folder):
    """What a folder takes of a tmpfs."""
    pages = 0
    for place, folders, files in os.walk(folder):
        pages += len(folders) + sum(-(-os.lstat(f"{place}/{name}").st_size // 4096) for name in files)
    return 4 * pages


def is_locked(path):
    try:
        inode = os.stat(path).st_ino
    except FileNotFoundError:
        return False
    with open("/proc/locks") as locks:
        return any(f":{inode} " in line for line in locks)
