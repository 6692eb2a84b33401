#!/usr/bin/env python3
"""Checks of Tools/race.py without PyTorch: what it reckons, and a whole race of ours alone with commands that pretend.

    Tests/check_race.py

Needs h5py.
"""
import contextlib, csv, io, json, os, sys, tempfile, unittest

import h5py

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Tools"))
sys.dont_write_bytecode = True
import race

# Each step of its training says that it took ten seconds; PSNR is the number of steps of the checkpoint.
PRETENDER = f"""#!{sys.executable}
import json, os, signal, sys, time
name, words = os.path.basename(sys.argv[0]), sys.argv[1:]
after = lambda option: words[words.index(option) + 1]
with open(os.path.join(os.path.dirname(sys.argv[0]), "called.jsonl"), "a") as file:
    print(json.dumps([name, *words]), file=file)
if name == "reconstruct":
    os.mkdir(after("--out"))
    open(os.path.join(after("--out"), "steps"), "w").write(str(int(after("--vqgan")[-6:])))
elif name == "evaluate":
    steps = int(open(os.path.join(words[1], "steps")).read())
    print(json.dumps({{"psnr": steps, "lpips_vgg": 1 / steps, "lpips_trunk": "vgg"}}))
elif "--estimate" in words:
    print(json.dumps({{"seconds_to_start": 10, "phases": [{{"steps": 10**9, "steps_per_second": 0.1}}]}}))
else:
    asked = []
    for number in (signal.SIGUSR1, signal.SIGTERM):
        signal.signal(number, lambda number, _: asked.append(number))
    os.makedirs(after("--out"))
    os.chdir(after("--out"))
    json.dump({{"batch_size": 2, "accumulate": 2}}, open("config.json", "w"))
    with open("metrics.csv", "w") as file:
        print("step,learning_rate,images_per_second", file=file, flush=True)
        for step in range(1, 10_000):
            time.sleep(0.1)
            print(f"{{step}},0.1,0.4", file=file, flush=True)
            if asked:
                os.makedirs(f"checkpoints/step-{{step:06}}")
                if asked.pop() == signal.SIGTERM:
                    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # as train-vqgan ends
                    os.kill(os.getpid(), signal.SIGTERM)
"""


def row(system, minute, psnr, lpips, seed=1):
    return {"system": system, "seed": seed, "minute": minute, "psnr": psnr, "lpips": lpips}


class Reckoning(unittest.TestCase):
    def test_marks_are_full_minutes_and_the_end(self):
        self.assertEqual(race.marks_of(3), [1, 2, 3])
        self.assertEqual(race.marks_of(2.5), [1, 2, 2.5])
        self.assertEqual(race.marks_of(0.25), [0.25])

    def test_steps_of_all_phases_fill_the_time(self):
        estimate = {"seconds_to_start": 5, "phases": [{"steps": 100, "steps_per_second": 4},
                                                      {"steps": 10**9, "steps_per_second": 2}]}
        self.assertEqual(race.steps_within(25, estimate), 80)
        self.assertEqual(race.steps_within(60, estimate), 100 + 60)
        self.assertEqual(race.steps_within(1, estimate), 1)

    def test_behind_is_told_from_a_minute_on(self):
        rows = [row("ours", m, 20 + m, 0.5) for m in (4, 5, 6)]
        rows += [row("same", 4, 30, 0.4), row("same", 5, 25, 0.6), row("same", 6, 25.9, 0.5)]
        self.assertEqual(race.behind(rows, "same"), [(5, "psnr"), (6, "lpips")])  # equal is not ahead
        self.assertEqual(len(race.behind(rows, "same", since=4)), 4)

    def test_means_decide(self):
        rows = [row("ours", 5, p, 0.1, seed) for seed, p in enumerate((20, 24))]
        rows += [row("same", 5, p, 0.2, seed) for seed, p in enumerate((21, 22))]
        self.assertEqual(race.summary(rows)["psnr", "ours", 5], (22, 20, 24))
        self.assertEqual(race.behind(rows, "same"), [])

    def test_table_has_the_marks_and_the_end(self):
        rows = [row(s, m, 20 + m, 0.5) for m in (1, 2, 3, 5, 7) for s in ("ours", "same")]
        lines = race.table(rows, "lpips_vgg").split("\n")
        self.assertEqual([line.split("|")[1].strip() for line in lines[2:]], ["1", "2", "5", "7"])
        self.assertEqual({line.count("|") for line in lines}, {6})
        self.assertIn("| 5 | 25.00 (25.00–25.00) |", lines[4])
        self.assertIn("0.5000 (0.5000–0.5000)", lines[4])


class Race(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder.name)
        for path in ("bin", "shards", "wide", "empty"):
            os.mkdir(path)
        with open("bin/train-vqgan", "w") as file:
            file.write(PRETENDER)
        os.chmod("bin/train-vqgan", 0o755)
        for name in ("reconstruct", "evaluate"):
            os.symlink("train-vqgan", f"bin/{name}")
        self.shard("shards/a-00000.h5", 8, ["x", "y"])
        self.shard("shards/a-validation-00000.h5", 8, ["z"])
        self.shard("wide/a-00000.h5", 12, ["x", "y"])

    def shard(self, path, side, names):
        with h5py.File(path, "w") as file:
            file.create_dataset("images", (len(names), side, side, 3), "u1")
            file.create_dataset("name", data=names, dtype=h5py.string_dtype())

    def race(self, *words, bin="bin"):
        """What it prints, and why it ends, if it fails."""
        printed, errors = io.StringIO(), io.StringIO()
        sys.argv = ["race.py", bin, "shards", "--lpips", "L", "--out", "out", "--rivals", "", "--minutes", "2", *words]
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(errors):
            try:
                race.main()
            except SystemExit as end:
                return printed.getvalue(), f"{end.code}{errors.getvalue()}"
        return printed.getvalue(), None

    def called(self, name):
        with open("bin/called.jsonl") as file:
            return [line[1:] for line in map(json.loads, file) if line[0] == name]

    def test_a_whole_race(self):
        printed, failure = self.race("--seeds", "1,2", "--wide", "wide")
        self.assertIsNone(failure)
        with open("out/race.csv") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([(r["system"], r["seed"], r["minute"]) for r in rows],
                         [("ours", s, m) for s in "12" for m in ("1.0", "2.0")])
        for found in rows:
            # What came before the first step is less than its ten seconds say, so that all but one step count.
            steps, seconds = int(found["steps"]), float(found["seconds"])
            self.assertLess(abs(seconds - 10 * (steps - 1)), 8)
            self.assertGreaterEqual(seconds, 60 * float(found["minute"]))
            self.assertEqual(float(found["psnr"]), steps)
        estimate, *trainings = self.called("train-vqgan")
        for seed, words in zip("12", trainings):
            for option, value in (("--seed", seed), ("--schedule-steps", "11"), ("--crop", "8"), ("--perceptual", "L")):
                self.assertEqual(words[words.index(option) + 1], value)
            self.assertEqual(words[0], "wide/a-00000.h5")
        self.assertIn("--estimate", estimate)
        self.assertEqual(os.listdir("out/ours-seed-1/vqgan/checkpoints"), [f"step-{int(rows[1]['steps']):06}"])

        again = self.race("--seeds", "1,2", "--wide", "wide", bin="empty")  # nothing is left to do
        self.assertEqual(again, (printed, None))

    def test_a_training_that_was_cut_short_begins_anew(self):
        self.assertIsNone(self.race("--seeds", "1", "--steps", "5")[1])
        os.remove("out/ours-seed-1/marks.json")
        os.mkdir("out/ours-seed-1/minute-9")
        self.assertIsNone(self.race("--seeds", "1", "--steps", "5")[1])
        self.assertEqual(len(self.called("train-vqgan")), 2)
        self.assertFalse(os.path.exists("out/ours-seed-1/minute-9"))
        self.assertIn("made with --steps 5, asked for --steps 6;", self.race("--seeds", "1", "--steps", "6")[1])

    def test_a_training_that_fails_ends_it(self):
        with open("bin/train-vqgan", "w") as file:
            file.write("#!/bin/sh\nexit 65\n")
        self.assertIn("train-vqgan: exit code 65", self.race("--steps", "5")[1])
        self.assertFalse(os.path.exists("out/ours-seed-1/marks.json"))

    def test_held_out_images_are_not_trained_on(self):
        self.shard("wide/a-00000.h5", 12, ["x", "z"])
        self.assertIn("1 of the validation images are among those to train on, such as z",
                      self.race("--wide", "wide")[1])


if __name__ == "__main__":
    unittest.main()
