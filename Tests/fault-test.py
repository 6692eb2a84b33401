#!/usr/bin/env python3
"""Lets every command that writes meet the failure of every system call, and looks at what is left.

For each command of faults/table.py a first run is traced; then call number n of those that concern its results fails,
is interrupted, is cut short, or is the end of the process, for one n after the other. Afterwards everything under a
final name must be whole, nothing older lost, the exit code as documented; and the command, run again, must come to the
same bytes as if nothing had happened. Besides: a disk that is really full, and two runs in one folder at once.

Prints one JSON object; exit code 1 if anything was violated, and where a run of everything has met fewer than 1,000
points. Needs strace and clang, and for the full disk root or user
namespaces.
"""
import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
from faults.place import Place, expect
from faults.table import COMMANDS, EXCLUDED, make_world


LEAST = 1000  # points of a run of everything


def namespace():
    """How a folder can be mounted that nobody else sees; and why not, if it cannot."""
    for words in [["unshare", "-m"], ["unshare", "-r", "-m"]]:
        with tempfile.TemporaryDirectory() as folder:
            words_of_mount = ["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", folder]
            tried = subprocess.run(words + words_of_mount, capture_output=True, text=True)
        if tried.returncode == 0:
            return words, ""
    return [], tried.stderr.strip()


def processor():
    with open("/proc/cpuinfo") as lines:
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{os.cpu_count()} × {names[0] if names else os.uname().machine}"


def label(point):
    how, command, *rest = point
    return f"{command.name}/{'/'.join(map(str, rest if how == 'strike' else [how.replace('_', '-'), *rest]))}"


def prepare(options):
    """Makes what all places share: the inputs, the library."""
    os.makedirs(f"{options.work}/world/in")
    source = f"{os.path.dirname(os.path.abspath(__file__))}/faults/writes.c"
    compiler = "clang" if shutil.which("clang") else "cc"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", f"{options.work}/writes.so", source], check=True)

    def run(command, folder):
        words = command.split()
        ended = subprocess.run([f"{options.bin}/{words[0]}"] + words[1:], cwd=folder, capture_output=True, text=True)
        expect((ended.returncode, ended.stdout, ended.stderr), command)

    make_world(f"{options.work}/world", run)


def strike_all(options, places, points):
    """Goes through the points, a thread for each place; returns those that were met, and the violations."""
    lock, waiting, met, violated = threading.Lock(), list(reversed(points)), [], []

    def work(place):
        while True:
            with lock:
                if not waiting or time.monotonic() > options.deadline:
                    return
                point = waiting.pop()
            fired, found = getattr(place, point[0])(*point[1:])
            with lock:
                if fired:
                    met.append(point)
                for problem in found:
                    violated.append({"point": label(point), "problem": problem, "command": point[1].run,
                                     "replay": f"Tests/fault-test.py {options.bin} --only '{label(point)}'"})
                    print(f"{label(point)}: {problem}", file=sys.stderr)
                if len(met) % 100 == 0 and fired:
                    print(f"{len(met)} points met, {len(waiting)} to go, {len(violated)} violations", file=sys.stderr)

    threads = [threading.Thread(target=work, args=(place,)) for place in places]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return met, violated


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("bin", help="folder of the built commands")
    parser.add_argument("--commands", help="only commands whose names hold one of these, with commas between them")
    parser.add_argument("--only", help="a single point, as a violation names it; its folder is kept")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so many seconds")
    parser.add_argument("--max-points", type=int, help="at most so many points, spread over all commands and kinds")
    parser.add_argument("--tried", type=int, help="numbers n of a fault and a call of a command; 0 for all of them")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="points at once")
    parser.add_argument("--work", help="folder to work in (default: a new one in /dev/shm)")
    options = parser.parse_args()
    began = time.monotonic()
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background jobs ignore the first: so would commands
        signal.signal(number, signal.SIG_DFL)
    options.bin = os.path.abspath(options.bin)
    options.deadline = began + options.seconds
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    options.work = os.path.abspath(options.work) if options.work else tempfile.mkdtemp(prefix="faults-", dir=memory)
    options.namespace, why_not = namespace()
    prepare(options)
    wanted = [command for command in COMMANDS
              if any(part in command.name for part in (options.commands or "").split(","))]
    if options.only:
        wanted = [command for command in COMMANDS if options.only.startswith(f"{command.name}/")]
    places = [Place(options, number) for number in range(1 if options.only else options.jobs)]
    points, calls = [], 0
    for command in wanted:
        some, count = places[0].plan(command)
        points += some
        calls += count
    if options.only:
        points = [point for point in points if label(point) == options.only]
    random.Random(0).shuffle(points)
    print(f"{len(points)} points of {calls} calls and faults", file=sys.stderr)
    met, violated = strike_all(options, places, points[:options.max_points])
    counts = {command.name: {} for command in wanted}
    for how, command, *rest in met:
        kind = rest[0] if how == "strike" else how.replace("_", " ")
        counts[command.name][kind] = counts[command.name].get(kind, 0) + 1
    print(json.dumps({
        "points": len(met), "violations": violated, "seconds": round(time.monotonic() - began, 1), "jobs": len(places),
        "planned": len(points), "possible": calls, "processor": processor(), "commands": counts,
        "left_stopped_by_strace": sum(place.woken for place in places),
        "full_disk": "done" if options.namespace else f"not done, nothing can be mounted here: {why_not}",
        "excluded_from_comparison": EXCLUDED,
    }))
    if options.only:
        print(f"fault-test: what is left is in {options.work}", file=sys.stderr)
    else:
        shutil.rmtree(options.work)
    is_part = options.commands or options.only or options.max_points or options.tried is not None
    if not is_part and options.seconds == float("inf") and len(met) < LEAST:
        print(f"fault-test: {len(met)} points, at least {LEAST} are expected of a run of everything", file=sys.stderr)
        sys.exit(1)
    sys.exit(1 if violated or not met else 0)


if __name__ == "__main__":
    main()
