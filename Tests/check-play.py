#!/usr/bin/env python3
"""Plays a world model in headless Chromium, as a person would: check-play.py FOLDER-OF-BUILT-COMMANDS
[--world RUN [--codes CODES...]] [--data Datasets/montezuma] [--chromium PATH] [--driver PATH]

Without --world a small one is trained for a moment on 64x64 frames of 8x8 codes: it plays badly and as fast as a good
one. Needs Debian's chromium and chromium-driver, and selenium. Prints frames per second, and the median time from a key
to the image that shows it; ends with 1 where something is not as it should be."""
import argparse, http.client, json, os, pathlib, shutil, signal, socket, statistics, subprocess, sys, tempfile, time
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

parser = argparse.ArgumentParser()
parser.add_argument("bin", type=pathlib.Path)
parser.add_argument("--world")
parser.add_argument("--codes", nargs="*", default=[])
parser.add_argument("--data", default=str(pathlib.Path(__file__).parent.parent / "Datasets/montezuma"))
parser.add_argument("--chromium", default=shutil.which("chromium"))
parser.add_argument("--driver", default=shutil.which("chromedriver"))
parser.add_argument("--fps", type=float, default=15, help="frames per second that are wanted")
parser.add_argument("--latency", type=float, default=150, help="milliseconds from key to image that are allowed")
options = parser.parse_args()
failed = []


def check(name, is_right, found=""):
    print(f"{'ok    ' if is_right else 'WRONG '} {name} {found}", flush=True)
    if not is_right:
        failed.append(name)


def run(command, *arguments):
    result = subprocess.run(
        [options.bin / command, *map(str, arguments), "--quiet"], stdout=subprocess.PIPE, text=True, check=True)
    return result.stdout.split()


def train(folder):
    """A world of 8x8 codes with the sizes that train-world takes by itself."""
    shards = run("prep-atari", options.data, "--size", 64, "--limit", 400, "--out", folder / "shards")
    vqgan = run(
        "train-vqgan", *shards, "--preset", "small", "--steps", 20, "--batch-size", 4, "--out", folder / "vqgan")
    codes = run("encode-dataset", *shards, "--vqgan", vqgan[0], "--out", folder / "codes")
    return run(
        "train-world", *codes, "--steps", 60, "--learning-rate", 1e-3, "--warmup", 5, "--batch-size", 4,
        "--out", folder / "world")[0]  # enough to learn that the game goes on


class Game:
    """`play` with its page's address."""

    def __init__(self, world, folder, *arguments):
        command = [options.bin / "play", "--world", world, "--port", "0", "--json", "--quiet"]
        command += ["--out", folder / "takes"]
        if options.codes:
            command += ["--from-codes", *options.codes]
        self.process = subprocess.Popen([*map(str, command), *arguments], stdout=subprocess.PIPE, text=True)
        self.address = json.loads(self.process.stdout.readline())["address"]
        self.port = int(self.address.split(":")[2].split("/")[0])

    def end(self):
        """Ends it as Ctrl-C does; the paths of what was recorded."""
        self.process.send_signal(signal.SIGINT)
        rest = self.process.stdout.read()
        self.status = self.process.wait(timeout=30)
        return [json.loads(line)["path"] for line in rest.splitlines()]

    def status_of(self, path, host=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", path, headers={} if host is None else {"Host": host})
        return connection.getresponse().status


def browser():
    settings = webdriver.ChromeOptions()
    settings.binary_location = options.chromium
    for argument in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "window-size=900,900"):
        settings.add_argument(f"--{argument}")
    settings.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=settings, service=webdriver.ChromeService(executable_path=options.driver))


class Page:
    """The page as one sees it."""

    def __init__(self, address):
        self.driver = browser()
        self.driver.get(address)
        self.wait("the first image", lambda: self.text("step") != "")

    def text(self, name):
        return self.driver.find_element(By.ID, name).text

    def number(self, name):
        try:
            return float(self.text(name))
        except ValueError:
            return None

    def image(self):
        return self.driver.execute_script("return document.getElementById('image').toDataURL()")

    def size(self):
        return self.driver.execute_script("const c = document.getElementById('image'); return [c.width, c.height]")

    def down(self, key):
        ActionChains(self.driver).key_down(key).perform()

    def up(self, key):
        ActionChains(self.driver).key_up(key).perform()

    def press(self, key):
        ActionChains(self.driver).send_keys(key).perform()

    def click(self, name):
        self.driver.find_element(By.ID, name).click()

    def wait(self, what, is_so, seconds=10):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if is_so():
                return True
            time.sleep(0.01)
        check(f"waited for {what}", False)
        return False

    def pause(self):
        if "paused" not in self.text("mode"):
            self.press("p")
            self.wait("a pause", lambda: "paused" in self.text("mode"))


def play_twelve(page, key):
    """The image of twelve steps from the start with a key held, one by one."""
    page.pause()
    page.press(Keys.ENTER)
    page.wait("the start", lambda: page.text("step") == "0")
    page.down(key)
    for _ in range(12):
        step, ended = page.text("step"), page.text("end")
        page.click("step-button")
        page.wait("a step", lambda: page.text("step") != step or page.text("end") == "end")
    page.up(key)
    return page.image()


def check_requests(game):
    token = game.address.split("=")[1]
    check("the page is served", game.status_of(f"/?token={token}") == 200)
    check("a wrong token is refused", game.status_of("/?token=" + "0" * len(token)) == 403)
    check("no token is refused", game.status_of("/") == 403)
    check("a wrong host is refused", game.status_of(f"/?token={token}", f"evil.example:{game.port}") == 403)
    other = subprocess.run(
        [options.bin / "play", "--world", world, "--port", str(game.port), "--quiet"], capture_output=True, text=True)
    check("a port in use is an error", other.returncode == 75 and "in use" in other.stderr, other.stderr.strip())
    with socket.socket() as outside:
        addresses = [a[4][0] for a in socket.getaddrinfo(socket.gethostname(), game.port, socket.AF_INET)]
        reached = [a for a in addresses if not a.startswith("127.") and outside.connect_ex((a, game.port)) == 0]
        check("other interfaces are not served", not reached, reached)


def check_keys(page):
    for key, action in ((Keys.ARROW_RIGHT, "RIGHT"), (Keys.ARROW_UP, "UP"), ("a", "LEFT"), (Keys.SPACE, "FIRE")):
        page.press(Keys.ENTER)
        page.down(key)
        check(f"a key is {action}", page.wait(action, lambda: page.text("action") == action))
        page.up(key)
        page.wait("NOOP", lambda: page.text("action") == "NOOP")
    page.press(Keys.ENTER)
    page.down(Keys.ARROW_DOWN), page.down(Keys.ARROW_LEFT), page.down(Keys.SPACE)
    check("three keys are one action", page.wait("DOWNLEFTFIRE", lambda: page.text("action") == "DOWNLEFTFIRE"))
    page.up(Keys.ARROW_DOWN), page.up(Keys.ARROW_LEFT), page.up(Keys.SPACE)
    right, left = play_twelve(page, Keys.ARROW_RIGHT), play_twelve(page, Keys.ARROW_LEFT)
    check("other keys make other images", right != left)
    check("the same keys make the same images", play_twelve(page, Keys.ARROW_RIGHT) == right)


def check_buttons(page):
    page.pause()
    page.press(Keys.ENTER)
    page.wait("the start", lambda: page.text("step") == "0")
    start = page.image()
    for _ in range(3):
        page.press(".")
    check("steps one by one", page.wait("step 3", lambda: page.text("step") == "3"), page.text("step"))
    for _ in range(3):
        page.press(Keys.BACKSPACE)
    page.wait("step 0", lambda: page.text("step") == "0")
    check("a rewind shows the same image", page.image() == start)
    page.click("mode-button")
    check("the recording is shown", page.wait("the recording", lambda: page.text("mode").startswith("recording")))
    page.press(".")
    check("surprise is told", page.wait("bits", lambda: (page.number("bits") or -1) >= 0), page.text("bits"))
    page.press("m")
    page.wait("the dream", lambda: page.text("mode").startswith("dream"))
    page.press("r")
    page.press("p")
    time.sleep(1)
    page.press("r")
    check("a recording is saved", page.wait("take", lambda: "take-0000.png" in page.text("message")))


def check_speed(page):
    times = []
    for number in range(20):
        page.press(Keys.ENTER)
        key = (Keys.ARROW_RIGHT, Keys.ARROW_LEFT)[number % 2]
        page.down(key)
        time.sleep(0.3)
        times.append(page.number("latency"))
        page.up(key)
        time.sleep(0.2)
    times = [t for t in times if t is not None]
    median = statistics.median(times) if times else None
    check(f"key to image below {options.latency:.0f} ms", median is not None and median < options.latency, median)


def check_clients(game, page):
    other = Page(game.address)
    other.press(Keys.ENTER)
    other.down(Keys.ARROW_UP)
    check("two pages play one game", page.wait("UP", lambda: page.text("action") == "UP"))
    other.driver.close()
    check("a closed tab lets go of its keys", page.wait("NOOP", lambda: page.text("action") == "NOOP"))
    other.driver.quit()


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    world = options.world or train(folder)
    game = Game(world, folder)
    check_requests(game)
    page = Page(game.address)
    check("the canvas has the image's size", page.size()[0] > 1, page.size())
    check_keys(page)
    page.press("p")
    check_speed(page)
    check_clients(game, page)
    check_buttons(page)
    # Chromium asks for an icon by itself; whatever else fails is the page's fault.
    faults = [entry for entry in page.driver.get_log("browser") if "favicon" not in entry["message"]]
    check("the console is quiet", not faults, faults)
    paths = game.end()
    check("Ctrl-C ends the game", game.status == -signal.SIGINT, game.status)
    check("what was recorded is there", len(paths) > 0 and all(os.path.getsize(path) > 0 for path in paths), paths)
    page.wait("the end", lambda: "has ended" in page.text("message"))
    page.driver.quit()

    fast = Game(world, folder / "fast", "--fps", "1000")
    page = Page(fast.address)
    rates = []
    for _ in range(10):
        page.press(Keys.ENTER)
        time.sleep(1)
        rates += [page.number("fps")]
    rates = [rate for rate in rates if rate is not None]
    median = statistics.median(rates) if rates else 0
    check(f"at least {options.fps:.0f} frames per second", median >= options.fps, median)
    page.driver.quit()
    fast.end()

print(f"{len(failed)} wrong" if failed else "all is well")
sys.exit(1 if failed else 0)
