"""What tools that run commands share: folders that say what their results were made with, work that is done once."""
import glob, json, os, subprocess, sys

MADE_WITH = "made-with.json"


def check(folder, wanted):
    """Ends the program where a folder of results was begun with other options or shards."""
    if not os.path.exists(f"{folder}/{MADE_WITH}"):
        if os.path.isdir(folder) and set(os.listdir(folder)) - {MADE_WITH + ".part"}:
            sys.exit(f"{folder}: nothing says what its results were made with; use another --out")
        return
    with open(f"{folder}/{MADE_WITH}") as file:
        found = json.load(file)
    differ = [name for name in wanted if found.get(name) != wanted[name]]
    if "shards" in differ:
        sys.exit(f"{folder}: made from other shards, by their names and sizes; use another --out")
    if differ:
        first, now = (", ".join(f"{name} {values.get(name)}" for name in differ) for values in (found, wanted))
        sys.exit(f"{folder}: made with {first}, asked for {now}; use another --out")


def begin(folder, wanted):
    """Makes a folder of results and its record, unless they are there."""
    if not os.path.exists(f"{folder}/{MADE_WITH}"):
        os.makedirs(folder, exist_ok=True)
        write(f"{folder}/{MADE_WITH}", json.dumps(wanted, indent=2))


def write(path, text):
    """Writes a file that appears under its name when it is complete."""
    with open(path + ".part", "w") as file:
        file.write(text)
    os.rename(path + ".part", path)


def sizes(paths):
    """What tells shards from others in a record."""
    return {os.path.basename(path): os.path.getsize(path) for path in paths}


def shards(folder):
    """The training shards and the validation shards of a folder."""
    found = sorted(glob.glob(f"{glob.escape(folder)}/*.h5"))
    held_out = [path for path in found if "-validation-" in os.path.basename(path)]
    return [path for path in found if path not in held_out], held_out


def run(done, command, *arguments):
    """Runs a command unless `done`, a file or folder, is there; a `.json` that it does not write is what it prints."""
    if os.path.exists(done):
        return
    line = [command, *map(str, arguments)]
    print("+", " ".join(line), file=sys.stderr)
    printed = subprocess.run(line, stdout=subprocess.PIPE, text=True)
    if printed.returncode:
        sys.exit(f"{command}: exit code {printed.returncode}")
    if done.endswith(".json") and not os.path.exists(done):
        write(done, printed.stdout)
