#!/usr/bin/env python3
"""Runs the tests under sanitizers: sanitize.py [kernels] [address] [thread] [--part NAME …], all three without a name.

kernels: the kernels' own check, built by clang alone, under AddressSanitizer with UndefinedBehaviorSanitizer and under
ThreadSanitizer. address: the Swift tests under AddressSanitizer, the C sources under UndefinedBehaviorSanitizer too, in
three parts: modules, trainings, commands. The commands that tests run are those beside them, of the same build.
thread: the tests that compute with several threads, under ThreadSanitizer. Each Swift build has a folder of its own,
.build-address and .build-thread. stdout: a JSON summary; the exit status is 1 with any report or failure, and where a
part has run no test at all.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

root = pathlib.Path(__file__).resolve().parent.parent
# What swift test runs of each, and what it leaves out of that, with the reason.
FILES_ONLY = "look at files and texts, not at our code"
NO_SPACE = "limit the address space, of which AddressSanitizer takes 20 TB, or measure memory"
PARTS = {
    "address": {
        "modules": ([], {
            "TrainingTests\\.|CommandTests\\.": "parts of their own",
        }),
        "trainings": (["TrainingTests\\."], {}),
        "commands": (["CommandTests\\."], {
            "ResourceTests|littleAddressSpace|textsOfAHundredMegabytes|MutationSweepTests": NO_SPACE,
            "LinkingTests|FetchCOCOTests|MakefileTests|ManualTests|CollapseGuardDocsTests|DriverTests": FILES_ONLY,
            "BenchTests": "measures speed",
            "deadlyShards": "AddressSanitizer ends the process that looks first before libhdf5 dies",
        }),
    },
    "thread": {
        "modules": ([], {
            "CommandTests\\.": "run commands one by one; what computes in them is tested by the modules' own tests",
            "SealTests|DamagedShard|BadInputTests": "give damaged files to libhdf5, which is not instrumented",
            "FuzzTests\\.|CheckpointsTests\\.|DurableFilesTests\\.": "parsers and files, without threads of their own",
        }),
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
        done = subprocess.run(command, cwd=root, env=os.environ | (environment or {}), stdout=output,
                              stderr=subprocess.STDOUT)
    return done.returncode


def kernels(kind):
    folder = root / ".build-kernels"
    folder.mkdir(exist_ok=True)
    program, log = folder / f"check-{kind}", folder / f"{kind}.log"
    runtime = pathlib.Path(shutil.which("swiftc")).resolve().parent.parent / "lib/swift/linux"
    # The runtime of ThreadSanitizer is made for programs with libdispatch.
    extra = ([f"-L{runtime}", "-ldispatch", "-lBlocksRuntime", f"-Wl,-rpath,{runtime}", *ONE_CLONE]
             if kind == "thread" else [])
    sanitizers = "thread" if kind == "thread" else "address,undefined"
    sources = sorted(str(path) for path in (root / "Sources/CKernels").glob("*.c"))
    build = ["clang", "-w", "-O1", "-g", f"-fsanitize={sanitizers}", "-ISources/CKernels/include", "-ISources/CKernels",
             *sources, "Tests/kernels-check.c", "-o", str(program), "-lm", "-lpthread", *extra]
    status = run(build, log=log) or run([str(program)], {"ASAN_OPTIONS": "detect_leaks=0"}, log)
    text = log.read_text(errors="replace")
    reports = REPORT.findall(text)
    ran = len(re.findall(r"e-\d\d", text))
    return {"name": f"kernels-check, {sanitizers}", "tests": ran, "failures": int(status != 0 or ran == 0),
            "reports": len(reports), "first": reports[:5]}


# Functions of libc that AddressSanitizer looks into before it lets them work.
INTERCEPTED = re.compile(r"(___?interceptor_|__asan_|__sanitizer_)\w+|(mem|str|wcs)\w+|bcmp|malloc|calloc|realloc|free|"
                         r"v?s?n?printf|p?(read|write)v?(64)?|f(read|write)|qsort|operator (new|delete).*")
PART_OF_FUNCTION = re.compile(r"\.(cold|part|isra|constprop)(\.\d+)?$")
FRAME = re.compile(r"^\s*#\d+ 0x[0-9a-f]+(?: in (.+?))??(?: (\(?(?:/|\.\./|<).*))?$", re.M)


def is_in_library(report):
    """Whether what a report is of was done by libhdf5: the first call of its stack that is not the intercepted one.

    Damaged shards are looked at in a process of its own, because libhdf5 is as it is: its reports there are expected.
    """
    for found in FRAME.finditer(report):
        function, place = found.groups()
        if not INTERCEPTED.fullmatch(PART_OF_FUNCTION.sub("", function or "")):
            return "libhdf5" in (place or "")
    return False


def split(text):
    """The reports in a text, each from its first line to the next one's."""
    starts = [found.start() for found in REPORT.finditer(text)]
    return [text[start:end] for start, end in zip(starts, starts[1:] + [len(text)])]


def verdict(log, kept, status):
    """What came of a run: of what it printed, the files of reports, and its exit status."""
    reports = [report for text in kept for report in split(text)]
    in_library = [report for report in reports if is_in_library(report)]
    found = [report.splitlines()[0] for report in split(log) + reports if not is_in_library(report)]
    ran = sum(map(int, re.findall(r"Test run with (\d+) tests?", log)))
    failed = re.findall(r"✘ Test (?!run)\S+.* failed", log)
    if ran == 0:
        failed.append("no test has run")
    return {"tests": ran, "failures": len(failed) or int(status != 0), "reports": len(found),
            "reports_of_libhdf5": len(in_library), "first": (found + failed)[:5]}


def tests(kind, part):
    chosen, left_out = PARTS[kind][part]
    scratch = root / f".build-{kind}"
    log, reports = scratch / f"{part}.log", scratch / f"reports-{part}"
    common = ["swift", "build", "-c", "release", "--scratch-path", str(scratch), *FLAGS[kind]]
    name = f"{kind}, {part}"
    begun = time.monotonic()
    scratch.mkdir(exist_ok=True)
    if run([*common, "--build-tests"], log=scratch / "build.log"):
        return {"name": name, "failures": 1, "first": (scratch / "build.log").read_text()[-2000:].splitlines()}
    shutil.rmtree(reports, ignore_errors=True)
    reports.mkdir()
    choice = [word for name in chosen for word in ("--filter", name)] + [
        word for name in left_out for word in ("--skip", name)]
    options = f"log_path={reports}/report:exitcode=77:detect_leaks=0:print_stacktrace=1:allocator_may_return_null=1"
    suppressions = f":suppressions={root}/Tests/thread-sanitizer.txt"
    # Scripts of tests get several times the time that they have otherwise.
    status = run(["swift", "test", *common[2:], "--skip-build", "--no-parallel", *choice],
                 {"ASAN_OPTIONS": options, "UBSAN_OPTIONS": options, "TSAN_OPTIONS": options + suppressions,
                  "SWIFT_BACKTRACE": "enable=no", "TEST_PATIENCE": "8"}, log)
    kept = [path.read_text(errors="replace") for path in sorted(reports.iterdir())]
    return {"name": name, "flags": FLAGS[kind], **verdict(log.read_text(errors="replace"), kept, status),
            "seconds": round(time.monotonic() - begun), "left_out": left_out}


def main():
    parts = sorted({part for kind in PARTS.values() for part in kind})
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="kernels, address or thread; all three if left out")
    parser.add_argument("--part", action="append", choices=parts, help="a part of address or thread; all if left out")
    options = parser.parse_args()
    names = options.names or ["kernels", "address", "thread"]
    for name in names:
        if name not in ["kernels", *PARTS]:
            parser.error(f"no {name}; there are kernels, {', '.join(PARTS)}")
        if options.part and not set(options.part) & set(PARTS.get(name, {})) and options.names:
            parser.error(f"{name} has no part {', '.join(options.part)}")
    results = []
    for name in names:
        if name == "kernels":
            made = [] if options.part else [lambda: kernels("address"), lambda: kernels("thread")]
        else:
            made = [lambda name=name, part=part: tests(name, part)
                    for part in PARTS[name] if not options.part or part in options.part]
        for make in made:
            results.append(make())
            print(json.dumps(results[-1]), file=sys.stderr, flush=True)
    print(json.dumps({"sanitizers": results}, indent=1, ensure_ascii=False))
    sys.exit(not results or any(result.get("failures") or result.get("reports") for result in results))


if __name__ == "__main__":
    main()
