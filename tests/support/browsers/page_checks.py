"""One page as it stands, judged for people who see, hear or move otherwise.

Owns: at which widths, in which themes, and by which judges. Never: which pages there are.
"""

from functools import cache
from pathlib import Path
from typing import Any, Final

from tests.support.browsers.chromium import Chromium
from tests.support.clients.third_party import AXE, FOLDER

PHONE, DESK = 360, 1440
_JUDGE: Final = Path(__file__).with_name("judge.js").read_text("utf-8")
_THEMES: Final = (("system", True), ("contrast", False), ("contrast", True))
"""What a person may choose, and whether their system is dark. Light by itself is seen anyway."""
_FORCED: Final = {"forced-colors": "active", "prefers-contrast": "more"}

Findings = dict[str, list[Any]]
"""What is wrong, by the judge and how the page was looked at; nothing where nothing is."""


def judged(tab: Chromium) -> Findings:
    """Everything that is wrong with the page in front of this tab."""
    tab.tell("Emulation.setFocusEmulationEnabled", enabled=True)
    tab.ask(_axe())
    tab.ask(_JUDGE)
    theme = tab.ask("document.documentElement.dataset.theme")
    found = {**_read(tab), **_themes(tab, theme), **_sized(tab), **_wished(tab)}
    tab.look(width=DESK)
    return {name: some for name, some in found.items() if some}


def axe_finds(tab: Chromium) -> Any:
    """What axe alone finds, as it looks now."""
    tab.ask(_axe())
    tab.ask(_JUDGE)
    return tab.ask("judge.axe()")


@cache
def _axe() -> str:
    """The judge that others wrote."""
    path = FOLDER / "node_modules" / AXE / "axe.min.js"
    assert path.exists(), "No axe. Install it with: scripts/clients"
    return path.read_text("utf-8")


def _read(tab: Chromium) -> Findings:
    """Check names, roles, headings, landmarks and contrast, on a phone and on a desktop."""
    found = {}
    for width in (PHONE, DESK):
        tab.look(width=width)
        found[f"axe {width}"] = tab.ask("judge.axe()")
    return found


def _themes(tab: Chromium, own: str) -> Findings:
    """Colours do not change with the width."""
    found = {}
    for theme, dark in _THEMES:
        tab.look(width=DESK, dark=dark)
        tab.ask(f"judge.reading('{theme}')")
        found[f"axe {theme}{' dark' * dark}"] = tab.ask("judge.axe('color-contrast')")
    tab.ask(f"judge.reading('{own}')")
    return found


def _sized(tab: Chromium) -> Findings:
    """Check 320 pixels and 200 % (WCAG 2.2, 1.4.4, 1.4.10, 2.4.11, 2.5.8)."""
    tab.look(width=320, height=640)
    found = {"sideways 320": tab.ask("judge.wide()"), "small 320": tab.ask("judge.small()")}
    tab.press("Tab")  # from here on by keyboard
    found["focus 320"] = tab.ask("judge.unseen()")
    tab.look(width=640, height=450, scale=2)  # a desk of 1,280 pixels, twice as large
    return found | {"sideways 640": tab.ask("judge.wide()"), "small 640": tab.ask("judge.small()")}


def _wished(tab: Chromium) -> Findings:
    """A system's own colours, and stillness."""
    tab.look(width=DESK, wishes=_FORCED)
    found = {"borders": tab.ask("judge.unbordered()"), "place": tab.ask("judge.lost()")}
    found["focus forced"] = tab.ask("judge.unseen()")
    tab.look(width=DESK, wishes={"prefers-reduced-motion": "reduce"})
    return found | {"moving": tab.ask("judge.moving()")}
