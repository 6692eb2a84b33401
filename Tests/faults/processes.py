"""Waiting for a command under strace: one that hangs is described, and one that was left stopped goes on."""
import os
import signal
import subprocess
import time

KEPT = ("Name", "State", "Tgid", "Pid", "PPid", "TracerPid", "SigQ", "SigPnd", "ShdPnd", "SigBlk")
TIME = 120  # seconds that a command may take
PATIENCE = 5  # seconds between two looks for stopped processes


def threads(process):
    """The threads of a process and of those below it, each with the lines of its status."""
    found, waiting = [], [process]
    while waiting:
        process = waiting.pop()
        try:
            for thread in sorted(os.listdir(f"/proc/{process}/task"), key=int):
                place = f"/proc/{process}/task/{thread}"
                with open(f"{place}/status") as status:
                    lines = dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)
                found.append((process, lines))
                with open(f"{place}/children") as children:
                    waiting += map(int, children.read().split())
        except OSError:
            pass  # it has ended
    return found


def description(process):
    """What /proc says of all threads, and where in the system they are."""
    found = []
    for owner, status in threads(process):
        try:
            with open(f"/proc/{owner}/task/{status['Pid']}/wchan") as place:
                status["wchan"] = place.read()
        except OSError:
            pass
        found.append(", ".join(f"{name} {status[name]}" for name in (*KEPT, "wchan") if name in status))
    return "; ".join(found)


def wake(process):
    """Lets processes go on that are stopped, as by SIGSTOP; returns how many there were.

    No command stops itself, but strace has its child stop before it attaches, and wakes it then with a SIGCONT. What a
    tracer holds is in another state, "t (tracing stop)".
    """
    stopped = {owner for owner, status in threads(process) if status["State"].startswith("T")}
    for owner in stopped:
        try:
            os.kill(owner, signal.SIGCONT)
        except ProcessLookupError:
            pass
    return len(stopped)


def is_held(process):
    """Whether strace holds every thread of its command and waits itself: it has missed that they stopped."""
    states = [status["State"][:1] for owner, status in threads(process) if owner != process]
    return bool(states) and set(states) == {"t"}


def wait(process, seconds=TIME):
    """Waits for a process; returns its exit code or "hangs", what hung, and how many processes had to be woken.

    The exit code is "held" where strace held its command for a quarter of the time: the command's own is
    unknown.
    """
    end, woken, held = time.monotonic() + seconds, 0, 0
    while True:
        left = end - time.monotonic()
        try:
            return process.wait(max(0, min(PATIENCE, left))), "", woken
        except subprocess.TimeoutExpired:
            held = held + 1 if is_held(process.pid) else 0
            if left > 0 and held * PATIENCE < seconds / 4:
                woken += wake(process.pid)
                continue
        hung = description(process.pid)
        below = {owner for owner, _ in threads(process.pid)}
        process.kill()
        for owner in below - {process.pid}:  # whom strace leaves behind
            try:
                os.kill(owner, signal.SIGKILL)
            except ProcessLookupError:
                pass
        process.wait()
        return "held" if held * PATIENCE >= seconds / 4 else "hangs", hung, woken
