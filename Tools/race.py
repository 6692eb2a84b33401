#!/usr/bin/env python3
"""Trains our VQGAN and PyTorch's for the same minutes on the same images, in turns, and compares them over time.

    Tools/race.py BIN SHARDS --lpips FILE --out FOLDER [--wide FOLDER] [--minutes 15] [--seeds 1,2,3]
        [--rivals published,same] [--options "--preset small --flip"] [--perceptual FILE|none] [--disc-start N]

SHARDS is a folder of image shards, one of them the validation shard, whose images are not trained on; --wide is a
folder of larger images to train on instead, in crops of the size of those. Ours is train-vqgan with --options; the
rivals are those of pytorch_vqgan.py, with the same images, crops, flips and batch size. LPIPS is a loss of all of them
if --lpips is one file, of VGG16 with its heads, or if --perceptual names that; otherwise of none.

The clock counts training alone: what comes before the first step (of ours with the start of the program), then data and
steps; not validating and saving, and not Python's imports. At every full minute each side writes its reconstructions of
the validation images as PNGs, and `evaluate` measures them all, by its PSNR and its LPIPS. A schedule of ours ends with
the steps that `train-vqgan --estimate` expects in the time, or with --steps.

FOLDER gets a folder for each system and seed; what is done is not done again, and a training that was cut short begins
anew; made-with.json says what it was made with; other options or shards need another FOLDER. race.csv has all measures,
race.png their curves: means over seeds, and from the least to the greatest in a band. A table of some minutes is
Markdown, on stdout. Needs h5py; for the rivals what pytorch_vqgan.py needs, for race.png matplotlib.
"""
import argparse, csv, json, os, shlex, shutil, signal, statistics, subprocess, sys, time

import experiment

NAMES = {"ours": "train-vqgan", "published": "PyTorch, published settings", "same": "PyTorch, our settings"}
SHOWN = (1, 2, 5, 10, 15)
RIVAL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pytorch_vqgan.py")
FROM = 5  # the first minute from which ours is to be ahead


def marks_of(minutes):
    """Every full minute, and the end."""
    return [float(mark) for mark in range(1, int(minutes) + 1)] + ([minutes] if minutes % 1 else [])


def steps_within(seconds, estimate):
    """How many steps an estimate of train-vqgan expects in so many seconds."""
    left, steps = seconds - estimate["seconds_to_start"], 0
    for phase in estimate["phases"]:
        more = max(0, min(phase["steps"], int(left * phase["steps_per_second"])))
        left, steps = left - more / phase["steps_per_second"], steps + more
    return max(steps, 1)


def steps_of(process, path, images):
    """Number and seconds of every step, as metrics.csv tells of them, until the process has ended."""
    columns, rest, offset, ended = None, "", 0, False
    while not ended:
        ended = process.poll() is not None
        if os.path.exists(path):
            with open(path) as file:
                file.seek(offset)
                rest += file.read()
                offset = file.tell()
        *lines, rest = rest.split("\n")
        for cells in csv.reader(lines):
            if columns:
                row = dict(zip(columns, cells))
                yield int(row["step"]), images() / float(row["images_per_second"])
            columns = columns or cells
        time.sleep(0.02)


def train_ours(command, run, marks):
    """Trains until the last mark; minute, seconds and steps of the checkpoint of each mark, which SIGUSR1 asks for."""

    def images():
        config = read(f"{run}/config.json")
        return config["batch_size"] * config["accumulate"]

    print("+", shlex.join(command), file=sys.stderr)
    waiting, seconds, passed = list(marks), {}, None
    begun = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        for step, took in steps_of(process, f"{run}/metrics.csv", images):
            passed = took + (time.monotonic() - begun - took if passed is None else passed)
            seconds[step] = passed
            if waiting and passed >= 60 * waiting[0]:
                waiting.pop(0)
                process.send_signal(signal.SIGUSR1 if waiting else signal.SIGTERM)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
    if process.returncode not in (-signal.SIGTERM, 128 + signal.SIGTERM) or waiting:
        sys.exit(f"{command[0]}: exit code {process.returncode}")
    saved = sorted(int(name[5:]) for name in os.listdir(f"{run}/checkpoints") if name.startswith("step-"))
    if len(saved) != len(marks):
        sys.exit(f"{run}: {len(saved)} checkpoints of {len(marks)} marks")
    return [{"minute": mark, "seconds": seconds[step], "steps": step} for mark, step in zip(marks, saved)]


def empty(folder):
    """Removes what a training that was cut short has left."""
    for name in set(os.listdir(folder)) - {experiment.MADE_WITH}:
        path = f"{folder}/{name}"
        shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)


def summary(rows):
    """Mean, least and greatest over seeds, by measure, system and minute."""
    values = {}
    for row in rows:
        for measure in ("psnr", "lpips"):
            values.setdefault((measure, row["system"], row["minute"]), []).append(row[measure])
    return {key: (statistics.mean(found), min(found), max(found)) for key, found in values.items()}


def behind(rows, rival, since=FROM):
    """Minute and measure of the marks, from a minute on, where the mean of ours is not ahead of a rival's."""
    means = {key: value[0] for key, value in summary(rows).items()}
    sign = {"psnr": 1, "lpips": -1}
    return [(minute, measure) for measure, system, minute in means if system == rival and minute >= since
            and not sign[measure] * means[measure, "ours", minute] > sign[measure] * means[measure, rival, minute]]


def table(rows, lpips):
    """Markdown: the measures of all systems at some minutes."""
    systems = list(dict.fromkeys(row["system"] for row in rows))
    found, minutes = summary(rows), sorted({row["minute"] for row in rows})
    shown = [minute for minute in minutes if minute in SHOWN or minute == minutes[-1]]
    measures = (("psnr", "PSNR, dB", "{:.2f}"), ("lpips", lpips, "{:.4f}"))
    lines = ["| minutes | " + " | ".join(f"{title}: {NAMES[s]}" for _, title, _ in measures for s in systems) + " |",
             "|---" * (1 + len(measures) * len(systems)) + "|"]
    for minute in shown:
        cells = [" {} ({}–{}) ".format(*map(form.format, found[measure, system, minute]))
                 for measure, _, form in measures for system in systems]
        lines.append(f"| {minute:g} |" + "|".join(cells) + "|")
    return "\n".join(lines)


def plot(rows, lpips, path):
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot

    found, minutes = summary(rows), sorted({row["minute"] for row in rows})
    figure, axes = pyplot.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    titles = "PSNR, dB (more is better)", f"{lpips} (less is better)"
    for axis, measure, title in zip(axes, ("psnr", "lpips"), titles):
        for system in dict.fromkeys(row["system"] for row in rows):
            mean, least, greatest = zip(*(found[measure, system, minute] for minute in minutes))
            line, = axis.plot(minutes, mean, marker="o", markersize=3, label=NAMES[system])
            axis.fill_between(minutes, least, greatest, alpha=0.2, color=line.get_color(), linewidth=0)
        axis.set(title=title, xlabel="minutes of training", xlim=(0, None))
        axis.grid(alpha=0.3)
    axes[0].legend()
    figure.savefig(path, dpi=150)


def look_at(options, parser):
    """The training shards, the validation shard, how many images it has, and the side of a crop or None."""
    import h5py

    def names_and_side(paths):
        names, sides = [], set()
        for path in paths:
            with h5py.File(path) as shard:
                names += list(shard["name"][:])
                sides.add(shard["images"].shape[1:3])
        return names, sides

    training, held_out = experiment.shards(options.shards)
    training = experiment.shards(options.wide)[0] if options.wide else training
    if len(held_out) != 1 or not training:
        parser.error(f"{len(training)} training shards and {len(held_out)} validation shards; one of these is needed")
    (names, sides), (held, [(height, width)]) = names_and_side(training), names_and_side(held_out)
    if both := set(names) & set(held):
        parser.error(f"{len(both)} of the validation images are among those to train on, such as {min(both).decode()}")
    if height != width:
        parser.error(f"{held_out[0]}: images of {width}×{height}; squares are needed")
    return training, held_out[0], len(held), None if sides == {(height, width)} else height


def read(path):
    with open(path) as file:
        return json.load(file)


class Race:
    """The trainings of one call, each in a folder of its own."""

    def __init__(self, options, parser):
        self.options = options
        self.training, self.held_out, self.count, crop = look_at(options, parser)
        self.marks = marks_of(options.minutes)
        perceptual = options.perceptual or (options.lpips[0] if len(options.lpips) == 1 else "none")
        self.perceptual = [] if perceptual == "none" else ["--perceptual", perceptual]
        crop = ["--crop", crop] if crop else []
        self.ours = [*self.training, *shlex.split(options.options), *crop, *self.perceptual]
        entrants = [(system, int(seed)) for seed in options.seeds.split(",") for system in ("ours", *options.rivals)]
        self.folders = {(system, seed): f"{options.out}/{system}-seed-{seed}" for system, seed in entrants}
        made_with = {name: getattr(options, name[2:].replace("-", "_")) for name in
                     ("--lpips", "--perceptual", "--minutes", "--options", "--steps", "--disc-start")}
        made_with |= {"shards": experiment.sizes([*self.training, self.held_out])}
        for act in (experiment.check, experiment.begin):
            for folder in self.folders.values():
                act(folder, made_with)

    def command(self, name, *arguments):
        return [os.path.join(self.options.bin, name), *map(str, arguments)]

    def schedule_steps(self):
        estimate = f"{self.options.out}/estimate.json"
        if not self.options.steps:
            experiment.run(estimate, *self.command(
                "train-vqgan", *self.ours, "--steps", 10**9, "--estimate", "--json", "--out",
                f"{self.options.out}/estimated"))
        return self.options.steps or steps_within(60 * self.options.minutes, read(estimate))

    def train(self, folder, seed):
        """Trains ours, reconstructs from the checkpoint of each mark, and keeps the last one."""
        run = f"{folder}/vqgan"
        passed = train_ours(self.command(
            "train-vqgan", *self.ours, "--seed", seed, "--steps", 10**9, "--schedule-steps", self.schedule_steps(),
            "--log-every", 1, "--checkpoint-every", 10**9, "--image-every", 10**9, "--keep-checkpoints", 10**6,
            "--quiet", "--out", run), run, self.marks)
        for mark in passed:
            checkpoint, images = f"{run}/checkpoints/step-{mark['steps']:06}", f"{folder}/minute-{mark['minute']:g}"
            experiment.run(images, *self.command("reconstruct", self.held_out, "--vqgan", checkpoint, "--count",
                                                 self.count, "--json", "--quiet", "--out", images))
            if mark is not passed[-1]:
                shutil.rmtree(checkpoint)
        experiment.write(f"{folder}/marks.json", json.dumps(passed))

    def train_rival(self, folder, system, seed):
        experiment.run(
            f"{folder}/marks.json", sys.executable, RIVAL, f"{self.options.out}/ours-seed-{seed}/vqgan/config.json",
            "--rival", system, "--shards", *self.training, "--held-out", self.held_out, "--seed", seed,
            "--marks", ",".join(f"{mark:g}" for mark in self.marks), *self.perceptual,
            "--disc-start", self.options.disc_start, "--out", folder)

    def rows(self):
        """A row for every system, seed and mark, and the name of the LPIPS; what is missing is made."""
        rows, lpips = [], None
        files = [part for path in self.options.lpips for part in ("--lpips", path)]
        for (system, seed), folder in self.folders.items():
            if not os.path.exists(f"{folder}/marks.json"):
                empty(folder)
                self.train(folder, seed) if system == "ours" else self.train_rival(folder, system, seed)
            for mark in read(f"{folder}/marks.json"):
                images = f"{folder}/minute-{mark['minute']:g}"
                experiment.run(f"{images}.json", *self.command(
                    "evaluate", self.held_out, images, "--paired", "--metrics", "psnr,lpips", *files, "--json",
                    "--quiet"))
                measures = read(f"{images}.json")
                lpips = next(name for name in ("lpips_vgg", "lpips_alex", "lpips_squeeze") if name in measures)
                rows.append({"system": system, "seed": seed, **mark,
                             "psnr": measures["psnr"], "lpips": measures[lpips]})
        return rows, lpips


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("bin", help="folder of the commands")
    parser.add_argument("shards", help="folder of image shards, the validation shard among them")
    parser.add_argument("--wide", help="folder of larger images to train on, in crops")
    parser.add_argument("--lpips", action="append", required=True, help="as of evaluate; once or twice")
    parser.add_argument("--perceptual", help="as of train-vqgan; the one file of --lpips if left out")
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--rivals", default="published,same", help="published, same, both or neither")
    parser.add_argument("--options", default="--preset small --flip", help="of train-vqgan")
    parser.add_argument("--steps", type=int, help="with which a schedule of ours ends; estimated if left out")
    parser.add_argument("--disc-start", type=int, default=10_000, help="of the published settings")
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    options.rivals = [name for name in options.rivals.split(",") if name]
    if unknown := [name for name in options.rivals if name not in ("published", "same")]:
        parser.error(f"no rival {unknown[0]!r}; there are published and same")

    rows, lpips = Race(options, parser).rows()
    with open(f"{options.out}/race.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(table(rows, lpips))
    for rival in options.rivals if options.minutes >= FROM else []:
        where = ", ".join(f"{measure} at {minute:g}" for minute, measure in sorted(behind(rows, rival)))
        print(f"\nAhead of {NAMES[rival]} at every mark from minute {FROM} on: {'no, ' + where if where else 'yes'}.")
    try:
        plot(rows, lpips, f"{options.out}/race.png")
    except ImportError as error:
        print(f"no {options.out}/race.png: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
