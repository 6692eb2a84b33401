#!/usr/bin/env python3
"""Runs every parser under libFuzzer and AddressSanitizer: fuzz.py PROGRAM SECONDS [TARGET …]

Two targets at a time, SECONDS each, from the inputs of Fuzz/Corpus. A crash, an input that takes 10 seconds and one
that takes 2 GiB are findings; the input is left in the folder "found" beside PROGRAM. stdout: a JSON summary; the exit
status is 1 with any finding, and where a run of all targets of a minute or more has made fewer than a million
executions: then something kept it from working. Add --grow to put what reached new code, up to 2 KB each and 16 KB a
target, into the corpus.
"""
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

here = pathlib.Path(__file__).parent / "Fuzz"
LEAST = 1_000_000  # executions of a whole run
arguments = [argument for argument in sys.argv[1:] if argument != "--grow"]
grows = len(arguments) + 1 < len(sys.argv)
program, seconds = pathlib.Path(arguments[0]).resolve(), int(arguments[1])
found = program.parent / "found"
environment = os.environ | {"SWIFT_BACKTRACE": "enable=no",
                            "ASAN_OPTIONS": "quarantine_size_mb=16:malloc_context_size=8"}
limits = ["-timeout=10", "-rss_limit_mb=2048", "-malloc_limit_mb=1024", "-max_len=8192", "-use_value_profile=1",
          "-reload=0"]


def number(pattern, text):
    values = re.findall(pattern, text)
    return int(values[-1]) if values else 0


def fuzz(target):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="fuzz-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None))
    try:
        (folder / "corpus").mkdir()
        (folder / "tmp").mkdir()
        own = environment | {"FUZZ_TARGET": target, "TMPDIR": f"{folder}/tmp/"}
        command = [program, folder / "corpus", here / "Corpus" / target, f"-dict={here}/words.dict", *limits,
                   f"-max_total_time={seconds}", "-print_final_stats=1", f"-artifact_prefix={found}/{target}-"]
        run = subprocess.run(command, env=own, capture_output=True, text=True, errors="replace")
        log = run.stdout + run.stderr
        result = {
            "target": target, "executions": number(r"number_of_executed_units:\s*(\d+)", log),
            "seconds": seconds, "edges": number(r"cov: (\d+)", log), "features": number(r"ft: (\d+)", log),
            "inputs": number(r"corp: (\d+)/", log), "peak_rss_mb": number(r"peak_rss_mb:\s*(\d+)", log), "findings": [],
        }
        if run.returncode != 0:
            summary = re.findall(r"^SUMMARY: .*|^Fatal error.*|.*Fatal error: .*", log, re.M)
            unit = re.findall(r"Test unit written to (\S+)", log)
            result["findings"] = [{"summary": summary or log[-2000:].splitlines(), "input": unit[-1] if unit else ""}]
            (found / f"{target}.log").write_text(log)
        elif grows:
            grow(target, folder, own)
        print(f"{target}: {result['executions']} executions, {result['edges']} edges"
              + "".join(f", FOUND {finding['summary']}" for finding in result["findings"]), file=sys.stderr, flush=True)
        return result
    finally:
        shutil.rmtree(folder)


def grow(target, folder, own):
    corpus = here / "Corpus" / target
    (folder / "merged").mkdir()
    small = folder / "small"
    small.mkdir()
    for unit in (folder / "corpus").iterdir():
        if unit.stat().st_size <= 2048:
            shutil.move(unit, small / unit.name)
    subprocess.run([program, "-merge=1", *limits[:4], folder / "merged", corpus, small], env=own, capture_output=True)
    room = 16384
    for unit in sorted((folder / "merged").iterdir(), key=lambda unit: unit.stat().st_size):
        known = any(unit.read_bytes() == other.read_bytes() for other in corpus.iterdir())
        if known or unit.stat().st_size > room:
            continue
        room -= unit.stat().st_size
        shutil.copy(unit, corpus / f"grown-{unit.name[:12]}")


found.mkdir(exist_ok=True)
targets = arguments[2:] or subprocess.run([program], env=environment, capture_output=True, text=True,
                                          check=True).stdout.split()
with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("FUZZ_JOBS", 2))) as pool:
    results = list(pool.map(fuzz, targets))
executions = sum(result["executions"] for result in results)
too_few = not arguments[2:] and seconds >= 60 and executions < LEAST
print(json.dumps({
    "targets": results, "executions": executions, "seconds_per_target": seconds,
    "findings": sum(len(result["findings"]) for result in results), "too_few_executions": too_few,
}, indent=1))
if too_few:
    print(f"fuzz: {executions} executions in all, at least {LEAST} are expected", file=sys.stderr)
sys.exit(too_few or any(result["findings"] for result in results))
