#!/usr/bin/env python3
"""Record Atari games in the layout of the Atari Grand Challenge data set.

    python3 -m venv .venv && .venv/bin/pip install ale-py pillow
    .venv/bin/python Tools/record-atari.py --out recordings --episodes 4
    prep-atari recordings --game revenge --out shards

Writes `screens/GAME/ID/N.png` and `trajectories/GAME/ID.txt` under --out. Image N is what the player saw when it chose
the action of row N; reward, score and terminal of row N are what that action led to. The ROMs come with ale-py.

Policies:
  random   uniform choice among the 18 actions, each kept for a few steps
  replay   the actions of the --from trajectories, unchanged; --verify compares the images with the recorded ones
  branch   a --from trajectory up to a random row, then random play: reaches rooms that random play alone never sees
  mix      random and branch in turns
"""

import argparse
import pathlib
import random
import sys

try:
    from ale_py import ALEInterface, Action, LoggerMode, roms
    from PIL import Image
except ImportError as missing:
    sys.exit(f"record-atari: {missing}; install with: pip install ale-py pillow")

HEADER = "frame,reward,score,terminal,action"
GAMES = {
    "revenge": "montezuma_revenge",
    "mspacman": "ms_pacman",
    "pinball": "video_pinball",
    "qbert": "qbert",
    "spaceinvaders": "space_invaders",
}


def main():
    options = parse_arguments()
    ALEInterface.setLoggerMode(LoggerMode.Error)
    sources = [read_actions(path) for path in options.sources]
    for episode in range(options.episodes or max(1, len(sources))):
        choice = random.Random(f"{options.seed}/{episode}")
        name = options.first_id + episode
        policy = ["random", "branch"][episode % 2] if options.policy == "mix" else options.policy
        if policy == "random":
            actions = random_actions(choice)
        else:
            source = (episode // 2 if options.policy == "mix" else episode) % len(sources)
            path, known = options.sources[source], sources[source]
            actions = known if policy == "replay" else branch_actions(known, choice)
        rows = record(options, name, actions, seed=options.seed + episode)
        print(f"{options.out}/screens/{options.game}/{name}: {len(rows)} frames, score {rows[-1][2]}")
        if options.verify:
            verify(options, name, path)


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, type=pathlib.Path, help="root folder of the recordings")
    parser.add_argument("--game", default="revenge", choices=sorted(GAMES))
    parser.add_argument("--policy", default="random", choices=["random", "replay", "branch", "mix"])
    parser.add_argument("--from", dest="sources", nargs="+", default=[], type=pathlib.Path,
                        metavar="FILE", help="trajectories to replay or to branch from")
    parser.add_argument("--episodes", type=int, default=0,
                        help="how many to record (default: 1, or one for each --from)")
    parser.add_argument("--first-id", type=int, default=1000, help="number of the first trajectory")
    parser.add_argument("--steps", type=int, default=1500, help="most rows of one trajectory")
    parser.add_argument("--frame-skip", type=int, default=4,
                        help="video frames (60 a second) an action is held, as in the shipped recordings")
    parser.add_argument("--life-ends", action="store_true",
                        help="a row that loses a life is terminal too; the recording goes on")
    parser.add_argument("--sticky", type=float, default=0.0,
                        help="probability that the console repeats the last action (ALE's v5 games: 0.25)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the console and of the policy")
    parser.add_argument("--verify", action="store_true",
                        help="with --policy replay: exit with status 1 when the images differ")
    options = parser.parse_args()
    if options.policy != "random" and not options.sources:
        parser.error(f"--policy {options.policy} needs --from FILE")
    if options.verify and options.policy != "replay":
        parser.error("--verify needs --policy replay")
    if options.episodes < 0 or options.steps < 1 or options.first_id < 0:
        parser.error("--episodes, --steps and --first-id must be positive")
    return options


def read_actions(path):
    """The last column of every row whose first field is a number."""
    rows = [line.split(",") for line in path.read_text().splitlines()]
    actions = [int(row[4]) for row in rows if len(row) >= 5 and row[0].strip().isdigit()]
    if not actions:
        sys.exit(f"record-atari: {path}: no rows `{HEADER}`")
    return actions


def random_actions(choice):
    while True:
        action = choice.randrange(18)
        for _ in range(choice.randint(2, 10)):
            yield action


def branch_actions(known, choice):
    yield from known[: choice.randrange(len(known))]
    yield from random_actions(choice)


def record(options, name, actions, seed):
    """Plays one episode and writes it; the trajectory file comes last, so it exists only for a complete recording."""
    console = ALEInterface()
    console.setInt("random_seed", seed)
    console.setInt("frame_skip", options.frame_skip)
    console.setFloat("repeat_action_probability", options.sticky)
    console.loadROM(roms.get_rom_path(GAMES[options.game]))
    console.reset_game()

    screens = options.out / "screens" / options.game / str(name)
    if screens.exists():
        sys.exit(f"record-atari: {screens} exists; choose another --first-id or --out")
    screens.mkdir(parents=True)
    rows = []
    score = 0
    for frame, action in zip(range(options.steps), actions):
        image(console.getScreenRGB()).save(screens / f"{frame}.png", optimize=True)
        lives = console.lives()
        reward = int(console.act(Action(action)))
        score += reward
        over = console.game_over()
        lost = options.life_ends and console.lives() < lives
        rows.append((frame, reward, score, int(over or lost), action))
        if over:
            break
    text = [f"db traj id : {name}", HEADER] + [",".join(map(str, row)) for row in rows]
    trajectory = options.out / "trajectories" / options.game / f"{name}.txt"
    trajectory.parent.mkdir(parents=True, exist_ok=True)
    trajectory.write_text("\n".join(text) + "\n")
    return rows


def image(screen):
    """The screen as a palette PNG: the console shows at most 128 colours, so nothing is lost."""
    colours = Image.fromarray(screen)
    palette = sorted(colour for _, colour in colours.getcolors(256))
    # One index per colour, found by exact match; Pillow's own quantizer may merge near colours.
    holder = Image.new("P", (1, 1))
    holder.putpalette([value for colour in palette for value in colour])
    indexed = colours.quantize(palette=holder, dither=Image.Dither.NONE)
    if indexed.convert("RGB").tobytes() != colours.tobytes():
        return colours
    return indexed


def verify(options, name, path):
    """Compares the images with those recorded beside the replayed trajectory.

    Image 0 is left out: in the shipped recordings it is the last screen of the game before.
    """
    recorded = path.parent.parent.parent / "screens" / options.game / path.stem
    replayed = options.out / "screens" / options.game / str(name)
    count = len(list(replayed.iterdir()))
    different = [
        frame for frame in range(1, count)
        if Image.open(recorded / f"{frame}.png").convert("RGB").tobytes()
        != Image.open(replayed / f"{frame}.png").convert("RGB").tobytes()
    ]
    print(f"{recorded}: {count - 1 - len(different)} of {count - 1} images equal"
          + (f", first difference at {different[0]}" if different else ""))
    if different:
        sys.exit(1)


if __name__ == "__main__":
    main()
