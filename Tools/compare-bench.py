#!/usr/bin/env python3
"""Runs workloads of `bench` and of pytorch_baseline.py in turns and prints how many times faster the first is.

    Tools/compare-bench.py BENCH [--precision float32|bfloat16] [--seconds S] [--rounds N] [--json] [NAME ...]

Both sides are measured in every round, so that a machine that changes its speed changes both; the ratio is the median
of the rounds. Tools/pytorch_baseline.py is run with the Python that runs this script, which needs PyTorch.
"""
import argparse, json, os, statistics, subprocess, sys


def measure(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("bench", help="the command bench")
    parser.add_argument("names", nargs="*", help="workloads; all that both sides know if left out")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32",
                        help="of PyTorch under autocast, and of the matrix products of the bench's GPTs")
    parser.add_argument("--seconds", type=float, default=10, help="of each workload and side in a round")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="one JSON object per line instead of a table")
    options = parser.parse_intermixed_args()
    baseline = [sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "pytorch_baseline.py")]
    names = options.names or subprocess.run(baseline + ["--list"], stdout=subprocess.PIPE, text=True,
                                            check=True).stdout.split()
    if not options.json:
        print(f"{'workload':30} {'unit':>9} {'bench':>10} {'PyTorch':>10} {'ratio':>7}   memory, MiB")
    for name in names:
        ours_too = ["--precision", "bf16"] if options.precision == "bfloat16" else []
        limits = [name, "--seconds", str(options.seconds)]
        rounds = []
        for _ in range(options.rounds):
            ours = measure([options.bench, "--quiet"] + ours_too + limits)[0]
            theirs = measure(baseline + ["--precision", options.precision] + limits)[0]
            ratio = (theirs["median"] / ours["median"] if ours["unit"] in ("s", "ms")
                     else ours["median"] / theirs["median"])
            rounds.append((ratio, ours, theirs))
        ratio = statistics.median(r for r, _, _ in rounds)
        ours, theirs = (statistics.median(r[i]["median"] for r in rounds) for i in (1, 2))
        memory = [max(r[i].get("process_peak_mib") or 0 for r in rounds) for i in (1, 2)]
        if options.json:
            print(json.dumps({
                "name": name, "unit": rounds[0][1]["unit"], "bench": ours, "pytorch": theirs, "ratio": ratio,
                "pytorch_engine": rounds[0][2]["engine"], "bench_peak_mib": memory[0], "pytorch_peak_mib": memory[1],
            }), flush=True)
        else:
            print(f"{name:30} {rounds[0][1]['unit']:>9} {ours:10.4g} {theirs:10.4g} {ratio:6.2f}×   "
                  f"{memory[0]:.0f} / {memory[1]:.0f}", flush=True)


if __name__ == "__main__":
    main()
