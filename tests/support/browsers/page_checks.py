"""Accessibility checks of one page, as it is now in a tab.

Owns: the widths and themes in which a page is checked, and the checks. Never: the list of pages.
"""

from functools import cache
from pathlib import Path
from typing import Any, Final

from tests.support.browsers.chromium import Chromium
from tests.support.clients.third_party import AXE, FOLDER

PHONE, DESKTOP = 360, 1440
_CHECKS: Final = Path(__file__).with_name("page_checks.js").read_text("utf-8")
_THEMES: Final = (("system", True), ("contrast", False), ("contrast", True))
"""Themes that a person can choose, and whether the system is dark. Light is checked anyway."""
_FORCED: Final = {"forced-colors": "active", "prefers-contrast": "more"}

Findings = dict[str, list[Any]]
"""Problems by check and view, such as `axe 360`; empty if there are none."""


def check_page(tab: Chromium) -> Findings:
    """Return every problem of the page in this tab."""
    tab.tell("Emulation.setFocusEmulationEnabled", enabled=True)
    tab.ask(_axe())
    tab.ask(_CHECKS)
    theme = tab.ask("document.documentElement.dataset.theme")
    found = {
        **_semantics(tab),
        **_themes(tab, theme),
        **_small_and_zoomed(tab),
        **_preferences(tab),
    }
    tab.look(width=DESKTOP)
    return {name: some for name, some in found.items() if some}


def axe_finds(tab: Chromium) -> Any:
    """Return what axe finds in the current view."""
    tab.ask(_axe())
    tab.ask(_CHECKS)
    return tab.ask("checks.axe()")


@cache
def _axe() -> str:
    """The source of axe."""
    path = FOLDER / "node_modules" / AXE / "axe.min.js"
    assert path.exists(), "No axe. Install it with: scripts/clients"
    return path.read_text("utf-8")


def _semantics(tab: Chromium) -> Findings:
    """Check names, roles, headings, landmarks and contrast, on a phone and on a desktop."""
    found = {}
    for width in (PHONE, DESKTOP):
        tab.look(width=width)
        found[f"axe {width}"] = tab.ask("checks.axe()")
    return found


def _themes(tab: Chromium, own: str) -> Findings:
    """Check contrast in every theme; colors do not depend on the width."""
    found = {}
    for theme, dark in _THEMES:
        tab.look(width=DESKTOP, dark=dark)
        tab.ask(f"checks.setTheme('{theme}')")
        found[f"axe {theme}{' dark' * dark}"] = tab.ask("checks.axe('color-contrast')")
    tab.ask(f"checks.setTheme('{own}')")
    return found


def _small_and_zoomed(tab: Chromium) -> Findings:
    """Check 320 pixels and 200 % (WCAG 2.2, 1.4.4, 1.4.10, 2.4.11, 2.5.8)."""
    tab.look(width=320, height=640)
    found = {
        "sideways 320": tab.ask("checks.overflow()"),
        "small 320": tab.ask("checks.smallTargets()"),
    }
    tab.press("Tab")  # from here on by keyboard
    found["focus 320"] = tab.ask("checks.hiddenFocus()")
    tab.look(width=640, height=450, scale=2)  # a 1,280-pixel window at 200 %
    return found | {
        "sideways 640": tab.ask("checks.overflow()"),
        "small 640": tab.ask("checks.smallTargets()"),
    }


def _preferences(tab: Chromium) -> Findings:
    """Check forced colors and reduced motion."""
    tab.look(width=DESKTOP, wishes=_FORCED)
    found = {
        "borders": tab.ask("checks.missingBorders()"),
        "place": tab.ask("checks.unmarkedCurrent()"),
    }
    found["focus forced"] = tab.ask("checks.hiddenFocus()")
    tab.look(width=DESKTOP, wishes={"prefers-reduced-motion": "reduce"})
    return found | {"moving": tab.ask("checks.animations()")}
