"""Accessibility checks of one page, as it is now in a tab.

Owns: the widths and themes in which a page is checked, and the checks. Never: the list of pages.
"""

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from tests.support.browsers.chromium import Chromium
from tests.support.clients.third_party import AXE, FOLDER

PHONE, DESKTOP = 320, 1440
_CHECKS: Final = Path(__file__).with_name("page_checks.js").read_text("utf-8")
_THEMES: Final = (("system", True), ("contrast", False), ("contrast", True))
"""Themes that a person can choose, and whether the system is dark. Light is checked anyway."""
_FORCED: Final = {"forced-colors": "active", "prefers-contrast": "more"}

Findings = dict[str, list[Any]]
"""Problems by check and view, such as `axe 360`; empty if there are none."""


@dataclass(frozen=True, slots=True)
class Known:
    """What has been checked on earlier pages; each page adds to it."""

    inks: set[str] = field(default_factory=set)
    """Text colors whose contrast has been checked."""
    folded: set[str] = field(default_factory=set)
    """Tags of elements that only a phone shows or hides and that axe has checked there."""


def check_page(tab: Chromium, known: Known) -> Findings:
    """Return every problem of the page in this tab; skip what was checked on earlier pages."""
    tab.tell("Emulation.setFocusEmulationEnabled", enabled=True)
    tab.ask(_axe())
    tab.ask(_CHECKS)
    theme = tab.ask("document.documentElement.dataset.theme")
    findings = {
        **_desktop(tab, theme, known.inks),
        **_phone(tab, known),
        **_zoomed(tab),
        **_forced(tab),
    }
    return {name: problems for name, problems in findings.items() if problems}


def axe_finds(tab: Chromium) -> Any:
    """Return what axe finds in the current view."""
    tab.ask(_axe())
    tab.ask(_CHECKS)
    return [*tab.ask("checks.axe()"), *_contrast(tab, set())]


@cache
def _axe() -> str:
    """Return the source of axe."""
    path = FOLDER / "node_modules" / AXE / "axe.min.js"
    assert path.exists(), "No axe. Install it with: scripts/clients"
    return path.read_text("utf-8")


def _contrast(tab: Chromium, legible: set[str]) -> list[Any]:
    """Return what axe finds about the contrast of text colors that are not checked yet."""
    new = set(tab.ask("checks.inks()")) - legible
    if not new:
        return []
    legible |= new
    findings: list[Any] = tab.ask(f"checks.contrast({json.dumps(sorted(new))})")
    return findings


def _folded(tab: Chromium, folded: set[str]) -> list[Any]:
    """Return what axe finds on a phone, in full only if the page shows or hides new elements."""
    new = set(tab.ask("checks.changed()")) - folded
    folded |= new
    findings: list[Any] = tab.ask("checks.axe()" if new else "checks.scrolled()")
    return findings


def _desktop(tab: Chromium, own: str, legible: set[str]) -> Findings:
    """Check names, roles, headings, landmarks, reduced motion, and contrast in every theme."""
    tab.look(width=DESKTOP)
    findings = {f"axe {DESKTOP}": [*tab.ask("checks.axe()"), *_contrast(tab, legible)]}
    for theme, dark in _THEMES:
        tab.look(width=DESKTOP, dark=dark)
        tab.ask(f"checks.setTheme('{theme}')")
        findings[f"axe {theme}{' dark' * dark}"] = _contrast(tab, legible)
    tab.ask(f"checks.setTheme('{own}')")
    tab.look(width=DESKTOP, wishes={"prefers-reduced-motion": "reduce"})
    tab.ask("checks.remember()")
    return findings | {"moving": tab.ask("checks.animations()")}


def _phone(tab: Chromium, known: Known) -> Findings:
    """Check 320 pixels (WCAG 2.2, 1.4.10, 2.4.11, 2.5.8)."""
    tab.look(width=PHONE, height=640)
    findings = {
        f"axe {PHONE}": [*_folded(tab, known.folded), *_contrast(tab, known.inks)],
        f"sideways {PHONE}": tab.ask("checks.overflow()"),
        f"small {PHONE}": tab.ask("checks.smallTargets()"),
    }
    tab.press("Tab")  # from here on by keyboard
    return findings | {f"focus {PHONE}": tab.ask("checks.hiddenFocus()")}


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
