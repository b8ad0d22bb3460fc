"""`python -m tests.bench.terminal_app`: first frame, keys among 500 requests, memory, the shell.

It runs the real program in a pseudo-terminal with a real server. A frame is timed when its words
are read from the terminal; rendering them is slow in Python and follows the timestamp. Starts are
those of an installed, compiled package: the first round, which compiles, is not counted.
"""

import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import pexpect

from tests.bench.processes import memory_mib
from tests.bench.responses import UnexpectedResponses
from tests.bench.table import at_most, run, say
from tests.support.clients.agent import PAYMENT_DETAILS, new_agent
from tests.support.clients.pty_app import Window, environment, window
from tests.support.clients.terminal import Terminal, new_person
from tests.support.servers.load import WITHOUT_LIMITS, WITHOUT_NOTIFICATION_LIMITS
from tests.support.servers.server import ROOT, LiveServer, live_server

_ROUNDS = 9
_WAITING = 500
_AGENTS = 4
_PRESSES = 60
_REST_SECONDS = 0.1
_MAX_FIRST_FRAME_RATIO = 1.5
_MAX_FIRST_FRAME_MS = 300.0
_MAX_KEY_MS = 50.0
_MAX_PANEL_MS = 150.0
_PANELS = (
    ("a", "approve", "Approve?"),
    ("d", "deny", "Deny?"),
    ("?", "help", "KEYS IN THE INBOX"),
    ("/", "filter", "agent:NAME"),
)
"""Keys that open something over or below the list, its name, and words found only there."""
_OPENINGS = 15
_GUARDED_SECONDS = 1.2
"""Longer than the app holds back keys after a panel has opened or closed."""
_MAX_MEMORY_MIB = 120.0
_MAX_SHELL_MS = 400.0
_TIMEOUT_SECONDS = 30
_AMOUNT = re.compile(r"Amount +EUR [\d,.]+")


def main() -> None:
    """Measure with one server and one user, first without requests, then with 500 pending ones."""
    with (
        tempfile.TemporaryDirectory(prefix="sayso-bench-") as folder,
        live_server(
            Path(folder), options=(), **WITHOUT_LIMITS, **WITHOUT_NOTIFICATION_LIMITS
        ) as server,
    ):
        person = new_person(server)
        _first_frame(person)
        _fill(server, person)
        _shell(person)
        _keys(person)


def _first_frame(person: Terminal) -> None:
    """Time from the start of the interpreter to the first frame, in turn with the bare app."""
    say("## Terminal app: first frame, against a bare Textual app")
    bare, ours = [], []
    for _ in range(_ROUNDS + 1):
        bare.append(_until("tests.bench.bare_textual", "FIRST FRAME", person))
        ours.append(_until("approver_tui", "Sayso", person))
    bare, ours = bare[1:], ours[1:]
    nothing = _median_ms(["-c", "pass"], person)
    first, yardstick = statistics.median(ours), statistics.median(bare)
    say(f"bare {yardstick:.0f} ms, Sayso {first:.0f} ms, the interpreter alone {nothing:.0f} ms")
    at_most("ratio", first / yardstick, _MAX_FIRST_FRAME_RATIO)
    at_most("first frame, interpreter and all", first, _MAX_FIRST_FRAME_MS, " ms")


def _until(module: str, words: str, person: Terminal) -> float:
    """Return the milliseconds from the start until these words are printed."""
    began = time.perf_counter()
    child = pexpect.spawn(
        sys.executable,
        ["-m", module],
        env=_as_installed(person),
        cwd=str(ROOT),
        dimensions=(30, 100),
        timeout=_TIMEOUT_SECONDS,
    )
    child.expect_exact(words)
    took = (time.perf_counter() - began) * 1000
    child.kill(signal.SIGKILL)
    child.wait()
    child.close()
    return took


def _shell(person: Terminal) -> None:
    """Time a shell command that lists the first page of pending requests."""
    say(f"## Command line: `sayso-approver inbox --json`, {_WAITING} requests wait")
    command = ["-m", "approver_tui", "inbox", "--json"]
    say(f"{listed(_run(command, person))} requests on the page")
    before = _processor_ms()
    median = _median_ms(command, person)
    say(f"{(_processor_ms() - before) / _ROUNDS:.0f} ms of processor")
    at_most("median", median, _MAX_SHELL_MS, " ms")


def listed(printed: bytes) -> int:
    """Return how many requests `inbox --json` printed. Raises an error if it printed none."""
    count = len(json.loads(printed)["items"])
    if not count:
        raise UnexpectedResponses("inbox --json: expected requests; got an empty list")
    return count


def _processor_ms() -> float:
    """Return the processor time of all finished commands in milliseconds."""
    usage = os.times()
    return (usage.children_user + usage.children_system) * 1000


def _median_ms(arguments: list[str], person: Terminal) -> float:
    return statistics.median(_timed(lambda: _run(arguments, person)) for _ in range(_ROUNDS))


def _run(arguments: list[str], person: Terminal) -> bytes:
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, env=_as_installed(person), cwd=ROOT, check=True, stdout=subprocess.PIPE
    ).stdout


def _as_installed(person: Terminal) -> dict[str, str]:
    """Return an environment in which compiled files are stored."""
    compiled = str(person.home / "compiled")
    return {**environment(person), "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": compiled}


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def _fill(server: LiveServer, person: Terminal) -> None:
    """Send requests of a few agents; no two look alike, so each has its own row."""
    agents = [new_agent(server) for _ in range(_AGENTS)]
    for number in range(_WAITING):
        amount = {"minor": 100_000 + number * 100, "currency": "EUR"}
        details = json.dumps([{**PAYMENT_DETAILS[0], "amount": amount}])
        response = agents[number % _AGENTS].ask(
            person.user, scope="openid payments:transfer", authorization_details=details
        )
        assert response.status_code == HTTPStatus.OK, response.text


def _keys(person: Terminal) -> None:
    """Time the key j, panels and memory with many pending requests."""
    say(f"## Terminal app: {_WAITING} requests wait")
    with window(person, started=True) as app:
        app.child.delaybeforesend = None
        app.wait_for_text(f"Inbox {_WAITING}")
        app.wait_idle(2)
        durations = [_press(app) for _ in range(_PRESSES)]
        opened = {name: _openings(app, key, words) for key, name, words in _PANELS}
        memory = memory_mib(app.child.pid)
    p95 = statistics.quantiles(durations, n=20)[-1]
    say(f"j, {_PRESSES} times: p50 {statistics.median(durations):.1f} ms")
    at_most("p95", p95, _MAX_KEY_MS, " ms")
    for name, each in opened.items():
        at_most(f"{name} opens, median", statistics.median(each), _MAX_PANEL_MS, " ms")
    at_most("memory", memory, _MAX_MEMORY_MIB, " MiB")


def _press(app: Window) -> float:
    """Return the milliseconds from the key until the next request's details are shown."""
    app.wait_idle(_REST_SECONDS)
    before = _shown_amount(app)
    began = time.perf_counter()
    app.child.send("j")
    while _shown_amount(app) == before:
        assert time.perf_counter() - began < _TIMEOUT_SECONDS, app.text
        app.read()
    return (app.read_at - began) * 1000


def _openings(app: Window, key: str, words: str) -> list[float]:
    """Return the milliseconds from a key until its panel is on the screen, for each press."""
    durations = []
    for _ in range(_OPENINGS):
        app.wait_idle(_GUARDED_SECONDS)
        began = time.perf_counter()
        app.child.send(key)
        app.wait_for_text(words)
        durations.append((app.read_at - began) * 1000)
        app.wait_idle(_GUARDED_SECONDS)
        app.child.send("\x1b")
        app.wait_until_gone(words)
    return durations


def _shown_amount(app: Window) -> str:
    """Return the amount of the request that is shown."""
    match = _AMOUNT.search("\n".join(app.screen.display))
    return "" if match is None else match[0]


if __name__ == "__main__":
    run(main)
