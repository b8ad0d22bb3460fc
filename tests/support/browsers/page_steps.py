"""What a person does to get to a state of a page, and what a state is.

Owns: the steps and how a state is opened. Never: which states there are.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.support.browsers.chromium import Chromium
from tests.support.browsers.page_checks import PHONE

Step = Callable[[Chromium], object]
"""What a person does at a page, or waits for."""
_SETTLED = "location.href !== 'about:blank' && document.readyState === 'complete'"

READ = """(async () => {
  for (const each of document.querySelectorAll("[data-material]")) {
    each.scrollIntoView({block: "center"});
    for (let frames = 0; frames < 3; frames += 1) await new Promise(requestAnimationFrame);
  }
  return !document.getElementById("to-approve").disabled;
})()"""
"""Every fact that counts was on the screen; again, if a frame was left out."""


def click(selector: str) -> Step:
    """Press this, once it can be pressed."""
    return lambda tab: tab.click(selector)


def typed(selector: str, text: str) -> Step:
    """Type into this field."""
    return lambda tab: tab.type(selector, text)


def sees(expression: str) -> Step:
    """Wait until this is so."""
    return lambda tab: tab.see(expression)


def says(words: str) -> Step:
    """Wait until the page says this."""
    return lambda tab: tab.says(words)


def told(method: str, **parameters: object) -> Step:
    """Have the browser do something that no page can."""
    return lambda tab: tab.tell(method, **parameters)


@dataclass(frozen=True, slots=True)
class State:
    """One thing that a person can have in front of them."""

    name: str
    path: str
    steps: tuple[Step, ...] = ()
    guest: bool = False
    """In a browser that knew nobody when the table began, instead of the administrator's."""
    after: tuple[Step, ...] = ()
    """What leaves the browser as it was."""

    @contextmanager
    def opened(self, tab: Chromium, origin: str) -> Iterator[Chromium]:
        """Go there, on a phone, where menus fold."""
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
