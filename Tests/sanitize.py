#!/usr/bin/env python3
"""Runs the tests under sanitizers: sanitize.py [kernels] [address] [thread], all three without an argument.

kernels: the kernels' own check, built by clang alone, under AddressSanitizer with UndefinedBehaviorSanitizer and under
ThreadSanitizer. address: all Swift tests under AddressSanitizer, the C sources under UndefinedBehaviorSanitizer too.
thread: those that compute with several threads, under ThreadSanitizer. Each Swift build has a folder of its own,
.build-address and .build-thread. stdout: a JSON summary; the exit status is 1 with any report or failure.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

root = pathlib.Path(__file__).parent.parent
# What is left out, and why.
LEFT_OUT = {
    "address": {
        "ResourceTests|littleAddressSpace|MutationSweepTests": "limit the address space, of which AddressSanitizer takes 20 TB",
        "SignalTests|PipelineTests|ParityCommandTests|FaultTests|BenchTests": "train, or run hundreds of commands: too slow here",
        "LinkingTests|FetchCOCOTests|MakefileTests|ManualTests|CollapseGuardDocsTests": "look at files and texts, not at our code",
    },
    "thread": {
        "CommandTests\\.": "run commands one by one; what computes in them is tested by the modules' own tests",
        "SealTests|DamagedShard|BadInputTests": "give damaged files to libhdf5, which is not instrumented",
        "FuzzTests\\.|CheckpointsTests\\.|DurableFilesTests\\.": "parsers and files, without threads of their own",
    },
}
# The choice of an instruction set runs before ThreadSanitizer does, and would crash in it.
ONE_CLONE = ["-DCK_ONE_CLONE", "-march=x86-64-v3"]
FLAGS = {
    "address": ["--sanitize=address", "-Xcc", "-fsanitize=undefined"],
    "thread": ["--sanitize=thread", *(word for flag in ONE_CLONE for word in ("-Xcc", flag))],
}
REPORT = re.compile(r"^.*(?:ERROR: AddressSanitizer|WARNING: ThreadSanitizer|: runtime error: ).*$", re.M)


def run(command, environment=None, log=None):
    with open(log or os.devnull, "w") as output:
        done = subprocess.run(command, cwd=root, env=os.environ | (environment or {}), stdout=output, stderr=subprocess.STDOUT)
    return done.returncode


def kernels(kind):
    folder = root / ".build-kernels"
    folder.mkdir(exist_ok=True)
    program, log = folder / f"check-{kind}", folder / f"{kind}.log"
    runtime = pathlib.Path(shutil.which("swiftc")).resolve().parent.parent / "lib/swift/linux"
    # The runtime of ThreadSanitizer is made for programs with libdispatch.
    extra = [f"-L{runtime}", "-ldispatch", "-lBlocksRuntime", f"-Wl,-rpath,{runtime}", *ONE_CLONE] if kind == "thread" else []
    sanitizers = "thread" if kind == "thread" else "address,undefined"
    sources = sorted(str(path) for path in (root / "Sources/CKernels").glob("*.c"))
    build = ["clang", "-w", "-O1", "-g", f"-fsanitize={sanitizers}", "-ISources/CKernels/include", "-ISources/CKernels",
             *sources, "Tests/kernels-check.c", "-o", str(program), "-lm", "-lpthread", *extra]
    status = run(build, log=log) or run([str(program)], {"ASAN_OPTIONS": "detect_leaks=0"}, log)
    text = log.read_text(errors="replace")
    reports = REPORT.findall(text)
    return {"name": f"kernels-check, {sanitizers}", "tests": len(re.findall(r"e-\d\d", text)),
            "failures": int(status != 0), "reports": len(reports), "first": reports[:5]}


def tests(kind):
    scratch = root / f".build-{kind}"
    log, reports = scratch / "tests.log", scratch / "reports"
    common = ["swift", "build", "-c", "release", "--scratch-path", str(scratch), *FLAGS[kind]]
    begun = time.monotonic()
    scratch.mkdir(exist_ok=True)
    if run([*common, "--build-tests"], log=scratch / "build.log"):
        return {"name": kind, "failures": 1, "first": (scratch / "build.log").read_text()[-2000:].splitlines()}
    shutil.rmtree(reports, ignore_errors=True)
    reports.mkdir()
    skips = [word for name in LEFT_OUT[kind] for word in ("--skip", name)]
    options = f"log_path={reports}/report:exitcode=77:detect_leaks=0:print_stacktrace=1:allocator_may_return_null=1"
    suppressions = f":suppressions={root}/Tests/thread-sanitizer.txt"
    status = run(["swift", "test", *common[2:], "--skip-build", "--no-parallel", *skips],
                 {"ASAN_OPTIONS": options, "UBSAN_OPTIONS": options, "TSAN_OPTIONS": options + suppressions,
                  "SWIFT_BACKTRACE": "enable=no"}, log)
    text = log.read_text(errors="replace")
    # Damaged shards are looked at in a process of its own, because libhdf5 is as it is: its reports there are expected.
    kept = [path.read_text(errors="replace") for path in reports.iterdir()]
    in_library = [report for report in kept if re.search(r"#[0-4] .*libhdf5", report) and "H5" in report]
    found = REPORT.findall(text + "".join(report for report in kept if report not in in_library))
    ran = re.findall(r"Test run with (\d+) tests?", text)
    failed = re.findall(r"✘ Test (?!run)\S+.* failed", text)
    return {"name": kind, "flags": FLAGS[kind], "tests": sum(map(int, ran)), "failures": len(failed) or int(status != 0),
            "reports": len(found), "reports_of_libhdf5_in_the_guard": len(in_library), "first": (found + failed)[:5], "seconds": round(time.monotonic() - begun),
            "left_out": LEFT_OUT[kind]}


chosen = sys.argv[1:] or ["kernels", "address", "thread"]
results = []
for name in chosen:
    results += [kernels("address"), kernels("thread")] if name == "kernels" else [tests(name)]
    print(json.dumps(results[-1]), file=sys.stderr, flush=True)
print(json.dumps({"sanitizers": results}, indent=1, ensure_ascii=False))
sys.exit(any(result.get("failures") or result.get("reports") for result in results))
