"""Accessibility checks of one page, as it is now in a tab.

Owns: the widths and themes in which a page is checked, and the checks. Never: the list of pages.
"""

from functools import cache
from pathlib import Path
from typing import Any, Final

from tests.support.browsers.chromium import Chromium
from tests.support.clients.third_party import AXE, FOLDER

PHONE, DESKTOP = 320, 1440
_CHECKS: Final = Path(__file__).with_name("page_checks.js").read_text("utf-8")
_THEMES: Final = (("system", True), ("contrast", False), ("contrast", True))
"""Themes that a person can choose, and whether the system is dark. Light is checked anyway."""
_CONTRAST: Final = "color-contrast"
_FORCED: Final = {"forced-colors": "active", "prefers-contrast": "more"}

Findings = dict[str, list[Any]]
"""Problems by check and view, such as `axe 360`; empty if there are none."""


def check_page(tab: Chromium, legible: set[str]) -> Findings:
    """Return every problem of the page in this tab.

    `legible` are the inks whose contrast has been checked on other pages; those of this page join.
    """
    tab.tell("Emulation.setFocusEmulationEnabled", enabled=True)
    tab.ask(_axe())
    tab.ask(_CHECKS)
    theme = tab.ask("document.documentElement.dataset.theme")
    found = {
        **_desktop(tab, theme, legible),
        **_phone(tab, legible),
        **_zoomed(tab),
        **_forced(tab),
    }
    tab.look(width=DESKTOP)
    return {name: some for name, some in found.items() if some}


def axe_finds(tab: Chromium) -> Any:
    """Return what axe finds in the current view."""
    tab.ask(_axe())
    tab.ask(_CHECKS)
    return [*tab.ask("checks.axe()"), *_contrast(tab, set())]


@cache
def _axe() -> str:
    """The source of axe."""
    path = FOLDER / "node_modules" / AXE / "axe.min.js"
    assert path.exists(), "No axe. Install it with: scripts/clients"
    return path.read_text("utf-8")


def _contrast(tab: Chromium, legible: set[str]) -> list[Any]:
    """What axe finds of contrast, which is known if all inks of the page are."""
    inks = set(tab.ask("checks.inks()"))
    if inks <= legible:
        return []
    legible |= inks
    found: list[Any] = tab.ask(f"checks.axe('{_CONTRAST}')")
    return found


def _desktop(tab: Chromium, own: str, legible: set[str]) -> Findings:
    """Check names, roles, headings, landmarks, reduced motion, and contrast in every theme."""
    tab.look(width=DESKTOP)
    found = {f"axe {DESKTOP}": [*tab.ask("checks.axe()"), *_contrast(tab, legible)]}
    for theme, dark in _THEMES:
        tab.look(width=DESKTOP, dark=dark)
        tab.ask(f"checks.setTheme('{theme}')")
        found[f"axe {theme}{' dark' * dark}"] = _contrast(tab, legible)
    tab.ask(f"checks.setTheme('{own}')")
    tab.look(width=DESKTOP, wishes={"prefers-reduced-motion": "reduce"})
    return found | {"moving": tab.ask("checks.animations()")}


def _phone(tab: Chromium, legible: set[str]) -> Findings:
    """Check 320 pixels (WCAG 2.2, 1.4.10, 2.4.11, 2.5.8)."""
    tab.look(width=PHONE, height=640)
    found = {
        f"axe {PHONE}": [*tab.ask("checks.axe()"), *_contrast(tab, legible)],
        f"sideways {PHONE}": tab.ask("checks.overflow()"),
        f"small {PHONE}": tab.ask("checks.smallTargets()"),
    }
    tab.press("Tab")  # from here on by keyboard
    return found | {f"focus {PHONE}": tab.ask("checks.hiddenFocus()")}


def _zoomed(tab: Chromium) -> Findings:
    """Check a window of 1,280 pixels at 200 % (WCAG 2.2, 1.4.4)."""
    tab.look(width=640, height=450, scale=2)
    return {
        "sideways 640": tab.ask("checks.overflow()"),
        "small 640": tab.ask("checks.smallTargets()"),
    }


def _forced(tab: Chromium) -> Findings:
    """Check forced colors."""
    tab.look(width=DESKTOP, wishes=_FORCED)
    return {
        "borders": tab.ask("checks.missingBorders()"),
        "place": tab.ask("checks.unmarkedCurrent()"),
        "focus forced": tab.ask("checks.hiddenFocus()"),
    }
