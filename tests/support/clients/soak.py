"""Random keys in a real terminal app while requests arrive: they must never decide a request.

`python -m tests.support.clients.soak [--seconds N] [--seed N]` prints the seed, so that a run can
be repeated. Keys come without pauses, like running typing, which the app must hold back. A pause is
followed by escape, or by keys in a panel that press no button, so that panels are tested too. Every
key that is bound anywhere is used, except those that leave the program.
"""

import argparse
import contextlib
import importlib
import pkgutil
import random
import string
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from approver_tui import screens, widgets
from approver_tui.client.approvals.history import search
from approver_tui.screens.keys import key_name
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.approvals.filters import Filter
from approver_tui.state.text import SafeText
from tests.support.clients.agent import Agent, new_agent
from tests.support.clients.pty_app import Window, window
from tests.support.clients.terminal import PIN, Terminal, new_person
from tests.support.servers.load import WITHOUT_LIMITS
from tests.support.servers.server import live_server

_KEY_SEQUENCES = MappingProxyType(
    {
        "up": "\x1b[A",
        "down": "\x1b[B",
        "pageup": "\x1b[5~",
        "pagedown": "\x1b[6~",
        "home": "\x1b[H",
        "end": "\x1b[F",
        "escape": "\x1b",
        "enter": "\r",
        "space": " ",
        "f1": "\x1bOP",
        "ctrl+d": "\x04",
        "ctrl+u": "\x15",
        "ctrl+o": "\x0f",
        "ctrl+p": "\x10",
        **{key_name(SafeText(sign)): sign for sign in string.punctuation},
    }
)
"""Key → what a terminal sends for it, for keys other than letters and digits."""
_LEAVE = {"q", "ctrl+q", "ctrl+z"}
_TYPED = (*(string.ascii_letters + string.digits).replace("q", ""), "@", "\t", "\x7f", "\x1b[Z")
_OTHER_INPUT = (
    *("\x1b[C", "\x1b[D", "\x1b[200~yes\ry\r\x1b[201~", "\x1b[O", "\x1b[I", "yes a y\n 1 2"),
)
_PRESSES_BUTTONS = {"\r", " ", "\n"}
"""In a panel that accepts keys, each of these keys may legitimately send an answer."""
_OPENS_PANELS = "ades!o"
_SIZES = ((30, 100), (24, 80), (20, 60), (24, 40), (12, 40), (20, 45))
_MAX_GAP = 0.25
_REST = 1.1
_ARMED = 2.5
"""Seconds until a panel of a high-risk request accepts keys."""
_MAX_OPEN = 25
_ARRIVE_EVERY = 0.3


def bound_keys() -> tuple[str, ...]:
    """Return what the terminal sends for every key that a screen or a widget binds, once each."""
    names = {
        key
        for package in (screens, widgets)
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        for kind in vars(importlib.import_module(module.name)).values()
        if isinstance(kind, type) and kind.__module__ == module.name
        for binding in vars(kind).get("BINDINGS", ())
        for key in binding.key.split(",")
    }
    return tuple(_KEY_SEQUENCES.get(name, name) for name in sorted(names - _LEAVE))


@dataclass(slots=True)
class Soak:
    """One run."""

    agent: Agent
    person: Terminal
    dice: random.Random
    keys: int = 0
    _bound: Sequence[str] = field(default_factory=bound_keys)
    _of_the_keyboard: Sequence[str] = (*_TYPED, *_OTHER_INPUT)
    _waiting: list[str] = field(default_factory=list)

    def run(self, app: Window, seconds: float) -> None:
        """Press keys for this time. AssertionError if the program ends or decides a request."""
        decided = self._decided()
        ends = time.monotonic() + seconds
        with self._arrivals():
            while time.monotonic() < ends:
                self._step(app)
                assert app.child.isalive(), f"it ended after {self.keys} keys:\n{app.text}"
        app.child.setwinsize(*_SIZES[0])
        app.press("\x1b", "\x1b", "\x1b")
        app.wait_for_text("LIVE")
        assert self._decided() == decided, f"decided after {self.keys} keys"

    def _step(self, app: Window) -> None:
        """Press a key, click, resize, pause and press escape, or attack a panel."""
        chance = self.dice.random()
        if chance < 0.03:
            app.child.setwinsize(*self.dice.choice(_SIZES))
        elif chance < 0.06:
            app.wait_idle(_REST)
            app.child.send("\x1b")
        elif chance < 0.08:
            self._attack(app)
        elif chance < 0.15:
            column, line = self.dice.randint(1, 100), self.dice.randint(1, 30)
            app.child.send(f"\x1b[<0;{column};{line}M\x1b[<0;{column};{line}m")
        else:
            keys = self._of_the_keyboard if chance < 0.4 else self._bound
            app.child.send(self.dice.choice(keys))
        self.keys += 1
        app.wait_idle(self.dice.uniform(0, _MAX_GAP))

    def _attack(self, app: Window) -> None:
        """Open a panel for the riskiest request, wait until it accepts keys, and press some."""
        keys = [key for key in (*self._bound, *_TYPED) if key not in {*_PRESSES_BUTTONS, "\x1b"}]
        app.wait_idle(_REST)
        self._escape(app)
        app.child.send("g" + self.dice.choice(_OPENS_PANELS))
        app.wait_idle(_ARMED)
        for _ in range(self.dice.randint(5, 15)):
            app.child.send(self.dice.choice(keys))
            self.keys += 1
            app.wait_idle(self.dice.uniform(0, _MAX_GAP))
        self._escape(app)

    def _escape(self, app: Window) -> None:
        """Press escape often enough to leave a help over a panel over a page."""
        for _ in range(4):
            app.child.send("\x1b")
            app.wait_idle(_MAX_GAP)

    @contextlib.contextmanager
    def _arrivals(self) -> Iterator[None]:
        stop = threading.Event()
        thread = threading.Thread(target=self._ask_until, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _ask_until(self, stop: threading.Event) -> None:
        ask = (self.agent.ask, self.agent.ask_payment)
        while not stop.wait(_ARRIVE_EVERY):
            answer = ask[len(self._waiting) % 2](self.person.user)
            assert answer.status_code == 200, answer.text
            self._waiting.append(answer.json()["auth_req_id"])
            if len(self._waiting) > _MAX_OPEN:
                self._take_back(self._waiting.pop(0))

    def _take_back(self, handle: str) -> None:
        self.agent.http.post("/revoke", data={"token": handle}, auth=self.agent.key.basic)

    def _decided(self) -> list[str]:
        """Return the IDs of all requests that this person has answered."""
        pages = [
            search(self.person.client, Filter(decision=answer), limit=200) for answer in Answer
        ]
        return [item.id for page in pages for item in page.items]


def soak(folder: Path, seed: int, seconds: float) -> int:
    """Run on a new server, in an unlocked app; return how many keys were pressed."""
    with live_server(folder, forked=False, options=(), **WITHOUT_LIMITS) as server:
        agent, person = new_agent(server), new_person(server)
        agent.ask(person.user)
        with window(person, started=True) as app:
            _unlock(app)
            run = Soak(agent, person, random.Random(seed))  # noqa: S311  # keys, not secrets
            run.run(app, seconds)
        return run.keys


def _unlock(app: Window) -> None:
    """Approve once with the PIN, so that low and medium risk need no PIN afterwards."""
    app.wait_for_text("payments:read")
    app.press("a")
    app.wait_for_text("Approve?")
    app.press("\t", PIN, "\t", "\r")
    app.wait_for_text("Approved by", "unlocked")


def main() -> None:
    """Run the soak test from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    options = parser.parse_args()
    sys.stdout.write(f"seed {options.seed}, {options.seconds:.0f} s\n")
    sys.stdout.flush()
    with tempfile.TemporaryDirectory(prefix="sayso-soak-") as folder:
        keys = soak(Path(folder), options.seed, options.seconds)
    sys.stdout.write(f"{keys} keys: no decision, no crash\n")


if __name__ == "__main__":
    main()
