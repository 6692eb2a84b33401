"""Commands that are played with the keyboard, each in a terminal of its own."""
import os
import pty
import subprocess
import termios
import threading

ENTERED, IMAGE_END, LEFT = b"\x1b[?1049h", b"\x1b[J", b"\x1b[?1049l"


def play(words, keys, output, **settings):
    """Starts a command whose player types one key at each image that is drawn; returns its process.

    The file gets what the command prints when it has left the screen of the game.
    """
    ours, inside = pty.openpty()
    termios.tcsetwinsize(inside, (24, 80))
    process = subprocess.Popen(words, stdin=inside, stdout=inside, **settings)
    os.close(inside)
    process.player = threading.Thread(target=type_keys, args=(ours, keys.encode(), os.dup(output.fileno())))
    process.player.start()
    return process


def wait(process):
    """Until what an ended process has printed is in its file."""
    if player := getattr(process, "player", None):
        player.join()


def type_keys(terminal, keys, output):
    shown, typed = b"", 0
    while chunk := read(terminal):
        shown += chunk
        for key in keys[typed:shown.count(IMAGE_END)]:
            os.write(terminal, bytes([key]))
            typed += 1
    if ENTERED not in shown or LEFT in shown:
        os.write(output, shown.rpartition(LEFT)[2].replace(b"\r\n", b"\n"))
    os.close(output)
    os.close(terminal)


def read(terminal):
    """What was drawn next; nothing when no process draws there any more."""
    try:
        return os.read(terminal, 1 << 16)
    except OSError:
        return b""
