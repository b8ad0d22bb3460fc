"""The steps a user takes to bring a page into a given state, and the `State` class.

Owns: the steps, and opening a state. Never: the list of states.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.support.browsers.chromium import Chromium
from tests.support.browsers.page_checks import PHONE

Step = Callable[[Chromium], object]
"""An action on a page, or a condition to wait for."""
_SETTLED = "location.href !== 'about:blank' && document.readyState === 'complete'"

READ = """(async () => {
  for (const each of document.querySelectorAll("[data-material]")) {
    each.scrollIntoView({block: "center"});
    for (let frames = 0; frames < 3; frames += 1) await new Promise(requestAnimationFrame);
  }
  return !document.getElementById("to-approve").disabled;
})()"""
"""Scrolls to every material fact; `Chromium.see` repeats it if the browser skipped a frame."""


def click(selector: str) -> Step:
    """Click this element once it can be clicked."""
    return lambda tab: tab.click(selector)


def type_text(selector: str, text: str) -> Step:
    """Type into this field."""
    return lambda tab: tab.type(selector, text)


def wait_until(expression: str) -> Step:
    """Wait until this expression is true."""
    return lambda tab: tab.see(expression)


def wait_for_text(words: str) -> Step:
    """Wait until the page shows these words."""
    return lambda tab: tab.wait_for_text(words)


def send_command(method: str, **parameters: object) -> Step:
    """Send the browser a command of its protocol."""
    return lambda tab: tab.tell(method, **parameters)


@dataclass(frozen=True, slots=True)
class State:
    """A state of a page that a person can see."""

    name: str
    path: str
    steps: tuple[Step, ...] = ()
    guest: bool = False
    """Whether the page opens in the browser that started signed out, not the administrator's."""
    after: tuple[Step, ...] = ()
    """Steps that restore the browser."""

    @contextmanager
    def opened(self, tab: Chromium, origin: str) -> Iterator[Chromium]:
        """Open the state at the size of a phone, where menus fold."""
        tab.look(width=PHONE, height=760)
        tab.tell("Page.navigate", url="about:blank")
        tab.tell("Page.navigate", url=f"{origin}{self.path}")
        tab.see(_SETTLED)
        for step in self.steps:
            step(tab)
        tab.see(_SETTLED)
        yield tab
        for step in self.after:
            step(tab)
