"""What the fault suite injects, and into which commands: a new command is one entry of COMMANDS."""
import os
import shutil
from dataclasses import dataclass, field

WRITES = ["write", "pwrite64", "writev"]
NAMES = ["mkdir", "rename", "symlink"]
SYNCS = ["fsync", "fdatasync", "ftruncate"]
REMOVALS = ["unlink", "rmdir"]


@dataclass(frozen=True)
class Kind:
    """A way to fail: what becomes of a call, which calls it befalls, how a command may end.

    inject: for strace, {n} the number of the call; or the environment of writes.so, for its two calls.
    codes: 0 where the call did not matter or was made again; then everything must be there. Negative: that signal.
    leaves: whether unfinished files may stay, until the command runs again.
    mute: whether stderr fails as well.
    tried: numbers of one call of one command; evenly spread if there are more, the first and the last among them.
    """

    inject: str
    calls: list
    codes: tuple
    leaves: bool = False
    mute: bool = False
    tried: int = 12


KINDS = {
    "ENOSPC": Kind("error=ENOSPC:when={n}", ["openat", "close"] + NAMES + WRITES + SYNCS, (0, 74)),
    "ENOSPC from n on": Kind("error=ENOSPC:when={n}+", WRITES, (0, 74), mute=True),
    "EIO": Kind("error=EIO:when={n}", ["openat", "close", "flock", "read", "pread64", "getdents64"] + NAMES + WRITES
                + SYNCS + REMOVALS, (0, 74)),
    "EINTR": Kind("error=EINTR:when={n}", ["openat", "flock", "read", "pread64", "fsync", "fdatasync"] + WRITES, (0,)),
    "EINTR every second": Kind("error=EINTR:when={n}+2", WRITES + ["fsync"], (0,), tried=1),
    # libhdf5 does not make these again, but tells.
    "EINTR of libhdf5": Kind("error=EINTR:when={n}", ["ftruncate", "close"], (0, 74)),
    "SIGKILL": Kind("signal=SIGKILL:when={n}", ["openat", "close", "flock"] + NAMES + WRITES + SYNCS + REMOVALS, (-9,),
                    leaves=True),
    # By a library: strace only pretends that bytes were written, and sends signals to the thread that writes alone.
    "short write": Kind("", ["a write"], (0,)),
    "every write short": Kind("", ["all writes"], (0,)),
    "SIGTERM": Kind("FAULT_SIGNAL=15", ["a write"], (-15,)),
    "SIGINT": Kind("FAULT_SIGNAL=2", ["a write"], (-2,)),
}


@dataclass(frozen=True)
class Command:
    """A command that writes below out/ and reads below in/.

    again: what completes a disturbed run: same, resume (a training), or fresh (the command in an empty out/).
    before: what has been run in out/ before. steps: options with which every checkpoint on the way stays, to know it.
    lock: the folder that only one process works in. atomic: folders below out/ that are there whole or not at all.
    keys: of a terminal, one for each image that the command draws there; without, it has none.
    tried: numbers of one call, as those of a kind, of a command that takes its time.
    """

    name: str
    run: str
    again: str = "same"
    before: str = ""
    steps: str = ""
    lock: str = ""
    atomic: list = field(default_factory=list)
    keys: str = ""
    tried: int = 12


VQGAN = ("train-vqgan in/S --preset tiny --steps 1 --batch-size 2 --threads 1 --log-every 1 --image-every 1 "
         "--out out/V")
GPT = ("train-gpt in/C --validation in/H --layers 1 --heads 2 --width 16 --batch-size 2 --steps 2 --log-every 1 "
       "--checkpoint-every 1 --validate-every 1 --keep-best --keep-checkpoints 1 --threads 1 --out out/G")
WORLD = ("train-world in/C --validation in/H --layers 1 --heads 2 --width 16 --context 2 --batch-size 2 "
         "--steps 2 --log-every 1 --checkpoint-every 1 --validate-every 1 --keep-best --keep-checkpoints 1 --threads 1 "
         "--out out/W")
RESUME = "--resume --keep-checkpoints 1 --threads 1"
KEEP = "--keep-checkpoints 9"
CHECKPOINTS = ["*/checkpoints/step-*"]

COMMANDS = [
    Command("prep-coco", "prep-coco in/coco --size 32 --captions --objects --segmentation annotations --holdout 20 "
            "--shard-size 3 --threads 1 --out out/S", lock="out/S"),
    Command("prep-atari", "prep-atari in/atari --size 32 --shard-size 3 --threads 1 --out out/S", lock="out/S"),
    Command("prep-images", "prep-images in/photos --size 32 --shard-size 4 --compression 4 --threads 1 --out out/S",
            lock="out/S"),
    Command("encode-dataset", "encode-dataset in/S --vqgan in/V --threads 1 --out out/C", lock="out/C"),
    Command("decode-dataset", "decode-dataset in/C --vqgan in/V --threads 1 --out out/S", lock="out/S"),
    Command("decode-dataset --images", "decode-dataset in/C --vqgan in/V --images --threads 1 --out out/I",
            lock="out/I"),
    Command("shard-export", "shard-export in/S --threads 1 --out out/E", lock="out/E"),
    Command("train-vqgan", VQGAN, "resume", lock="out/V", atomic=CHECKPOINTS),
    Command("train-vqgan --resume", f"train-vqgan {RESUME} --steps 2 --out out/V", "resume", before=VQGAN, steps=KEEP,
            lock="out/V", atomic=CHECKPOINTS),
    Command("train-gpt", GPT, "resume", steps=KEEP, lock="out/G", atomic=CHECKPOINTS),
    Command("train-gpt --resume", f"train-gpt {RESUME} --steps 4 --out out/G", "resume", before=GPT, steps=KEEP,
            lock="out/G", atomic=CHECKPOINTS),
    Command("train-world", WORLD, "resume", steps=KEEP, lock="out/W", atomic=CHECKPOINTS),
    Command("train-world --resume", f"train-world {RESUME} --steps 4 --out out/W", "resume", before=WORLD, steps=KEEP,
            lock="out/W", atomic=CHECKPOINTS),
    Command("dream", "dream --world in/W --vqgan in/V --from-codes in/C --steps 2 --count 1 --threads 1 --out out/D "
            "--y4m out/dreams.y4m", "fresh", lock="out/D"),
    Command("dream --evaluate", "dream --world in/W --vqgan in/V --from-codes in/C --evaluate --steps 2 --starts 2 "
            "--threads 1 --out out/D", "fresh", lock="out/D", tried=2),
    # Paused, recorded, two steps, the end: a slow terminal changes nothing, with one image a second.
    Command("play", "play --world in/W --vqgan in/V --from-codes in/C --fps 1 --terminal --threads 1 --out out/T",
            "fresh", lock="out/T", keys="pr..rq"),
    Command("sample-gpt --shards-out", "sample-gpt --gpt in/G --vqgan in/V --count 6 --shard-size 3 --batch-size 3 "
            "--threads 1 --shards-out out/D", lock="out/D"),
    Command("sample-gpt --out", "sample-gpt --gpt in/G --vqgan in/V --count 3 --threads 1 --out out/I "
            "--codes-out out/codes.h5 --animate out/moving.png", "fresh", lock="out/I"),
    Command("reconstruct", "reconstruct in/S --vqgan in/V --count 3 --threads 1 --out out/R", "fresh", lock="out/R"),
    Command("evaluate", "evaluate in/S in/S --vqgan in/V --features latents --metrics fid --threads 1 "
            "--save-statistics out/S.npz", "fresh", atomic=["S.npz"]),
    Command("evaluate --sheet", "evaluate in/S in/H --vqgan in/V --copies in/C --metrics codes --threads 1 "
            "--sheet out/closest.png", "fresh", atomic=["closest.png"]),
    Command("codebook-report", "codebook-report in/C --vqgan in/V --threads 1 --out out/B", "fresh", lock="out/B"),
    Command("score", "score in/H --gpt in/G --vqgan in/V --threads 1 --out out/P", "fresh", lock="out/P"),
    Command("convert-checkpoint VQGAN", "convert-checkpoint in/vqgan.ckpt --out out/V", "fresh", atomic=["V"]),
    Command("convert-checkpoint GPT", "convert-checkpoint in/gpt.ckpt --heads 2 --grid 8x8 --out out/G", "fresh",
            atomic=["G"]),
    Command("convert-checkpoint --to taming", "convert-checkpoint in/G --vqgan in/V --to taming --out out/gpt.ckpt",
            "fresh"),
    Command("shard-info --preview", "shard-info in/C --preview out/sheet.png", "fresh"),
]

# What the byte comparisons leave out, and why.
EXCLUDED = {
    ".lock": "empty",
    "events.out.tfevents.*": "name and events hold the time; every record's checksums are compared instead",
    "metrics.csv": "the columns images_per_second, tokens_per_second and peak_memory_mib",
    "stdout": "images per second",
}


def make_world(root, run):
    """Makes in/ in root: photos, recordings, shards, weights, by the commands themselves."""
    repository = os.path.abspath(f"{os.path.dirname(__file__)}/../..")
    frames = f"{repository}/Datasets/montezuma/screens/revenge/32"
    here = f"{root}/in"
    for folder in ["photos", "coco/train2017", "coco/annotations", "atari/screens/revenge/32",
                   "atari/trajectories/revenge"]:
        os.makedirs(f"{here}/{folder}")
    images, captions, objects = [], [], []
    for number in range(8):
        for folder, name in [("photos", f"{number}.png"), ("coco/train2017", f"{number + 1}.jpg"),
                             ("atari/screens/revenge/32", f"{number}.png")]:
            shutil.copyfile(f"{frames}/{number}.png", f"{here}/{folder}/{name}")
        images.append(f'{{"id":{number + 1},"file_name":"{number + 1}.jpg","width":160,"height":210}}')
        captions.append(f'{{"id":{number},"image_id":{number + 1},"caption":"Room {number}."}}')
        objects.append(f'{{"id":{number + 1},"image_id":{number + 1},"category_id":1,"bbox":[9,{9 + number},40,50],'
                       f'"area":2000,"iscrowd":0,"segmentation":[[9,9,49,9,49,59,9,59]]}}')
    with open(f"{here}/coco/train2017/5.jpg", "w") as broken:
        broken.write("no image")  # is skipped, so that the reports have something to lose
    for name, annotations in [("captions", captions), ("instances", objects)]:
        with open(f"{here}/coco/annotations/{name}_train2017.json", "w") as file:
            file.write(f'{{"images":[{",".join(images)}],"annotations":[{",".join(annotations)}],'
                       f'"categories":[{{"id":1,"name":"person"}}]}}')
    with open(f"{frames}/../../../trajectories/revenge/32.txt") as all_rows:
        with open(f"{here}/atari/trajectories/revenge/32.txt", "w") as rows:
            rows.writelines(line for line, _ in zip(all_rows, range(10)))
    for command in [
        "prep-atari in/atari --size 32 --shard-size 4 --threads 1 --out in/S",
        "train-vqgan in/S --preset tiny --steps 1 --batch-size 2 --threads 1 --out in/runV",
        "encode-dataset in/S --vqgan in/runV --threads 1 --out in/C",
        "train-gpt in/C --layers 1 --heads 2 --width 16 --batch-size 2 --steps 1 --threads 1 --out in/runG",
        "train-world in/C --layers 1 --heads 2 --width 16 --context 2 --batch-size 2 --steps 1 --threads 1 "
        "--out in/runW",
        "convert-checkpoint in/runV --to taming --out in/vqgan.ckpt",
        "convert-checkpoint in/runG --vqgan in/runV --to taming --out in/gpt.ckpt",
    ]:
        run(command, root)
    for model in "VGW":
        os.rename(f"{here}/run{model}/checkpoints/step-000001", f"{here}/{model}")
        os.remove(f"{here}/{model}/optimizer.safetensors")
        shutil.rmtree(f"{here}/run{model}")
    os.makedirs(f"{here}/H")
    for name in ["C/pinned", "V/pinned"]:
        if os.path.exists(f"{here}/{name}"):
            os.remove(f"{here}/{name}")
    shutil.copyfile(f"{here}/C/revenge-00001.h5", f"{here}/H/held-out.h5")
