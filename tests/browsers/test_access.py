"""Accessibility of every page and everything that opens on one.

One walk through the table of states runs every check on each in all its looks; the tests report
what was found, and that the walk has left nothing out.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.exceptions import HTTPException

from server import app
from tests.support.browsers import page_states
from tests.support.browsers.first_view import first_view
from tests.support.browsers.page_checks import PHONE, Findings, Known, axe_finds, check_page
from tests.support.inputs.page_paths import page_templates, pages
from tests.support.pictures.page_pictures import PreparedServer, prepared_server

pytestmark = [
    pytest.mark.clients,  # axe comes with them
    pytest.mark.timeout(900),  # one walk is for many tests, whichever comes first
]
_DOT = """{
  const dot = document.createElement("span");
  dot.className = "dot";
  document.querySelector("main").append(dot);
}"""

_ON_PHONES = """{
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("@media (width > 400px) { button:empty { display: none } }");
  document.adoptedStyleSheets = [sheet];
  document.querySelector("main").append(document.createElement("button"));
}"""


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file in which the server records the templates that it renders."""
    return tmp_path_factory.mktemp("drawn") / "templates"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, drawn: Path) -> Iterator[PreparedServer]:
    """An installation with data, and its administrator's browser."""
    with prepared_server(tmp_path_factory.mktemp("prepared"), ("--drawn", str(drawn))) as ready:
        yield ready


@dataclass(slots=True)
class Walk:
    """The findings of a walk through every state."""

    found: dict[str, Findings] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    """The paths of the visited pages."""
    drawn: set[str] = field(default_factory=set)
    """The templates that the server has rendered during the walk."""

    def about(self, *checks: str) -> dict[str, Findings]:
        """Return the findings of these checks, by state."""
        findings = {
            name: {view: problems for view, problems in found.items() if view.split()[0] in checks}
            for name, found in self.found.items()
        }
        return {name: found for name, found in findings.items() if found}


@pytest.fixture(scope="module")
def walk(made: PreparedServer, drawn: Path) -> Walk:
    """Visit every state once and return the findings."""
    whole, table, known_findings = Walk(), page_states.table(made), Known()
    drawn.write_text("")
    with page_states.guest_of(made) as guest:
        for state in table:
            with state.opened(guest if state.guest else made.tab, made.server.url) as tab:
                whole.seen.add(tab.ask("location.pathname"))
                whole.found[state.name] = check_page(tab, known_findings)
    assert len(whole.found) == len(table)  # no two of one name
    whole.drawn = {line.partition(" ")[0] for line in drawn.read_text().splitlines()}
    return whole


@pytest.fixture(scope="module")
def served(made: PreparedServer) -> Flask:
    """The application, for its URL map."""
    return app.create_app(app.create_site(made.server.services))


def _rules(served: Flask, paths: set[str]) -> set[str]:
    """Return the URL rules of the pages with these paths."""
    addresses, found = served.url_map.bind("localhost"), set()
    for path in paths:
        try:
            rule, _ = addresses.match(path, method="GET", return_rule=True)
        except HTTPException:
            continue  # the target of a form, or no page at all
        found.add(rule.rule)
    return found


def test_every_page_of_the_application_is_visited(walk: Walk, served: Flask) -> None:
    """The result names each page that has no row in the table of states."""
    no_pages = {
        "/continue/waits",
        "/icons/<digest>",
    }  # the first has no text, the second is an image
    assert pages(served) - _rules(served, walk.seen) == no_pages


def test_every_template_is_rendered_during_the_walk(walk: Walk) -> None:
    """Templates that only a form reaches are included; base templates are not pages."""
    assert page_templates() - walk.drawn == set()


def test_axe_finds_nothing_on_any_page_in_any_state(walk: Walk) -> None:
    """The tool axe checks the markup on phone and desktop, and the contrast in every theme."""
    assert walk.about("axe") == {}


def test_no_page_scrolls_sideways_or_has_targets_that_are_too_small(walk: Walk) -> None:
    """The pages fit from 320 pixels up and at 200 % zoom (WCAG 2.2, 1.4.4, 1.4.10 and 2.5.8)."""
    assert walk.about("sideways", "small") == {}


def test_the_focus_is_always_visible_and_never_covered(walk: Walk) -> None:
    """WCAG 2.2, 2.4.7 and 2.4.11, require this, and forced colors are checked too."""
    assert walk.about("focus") == {}


def test_in_forced_colors_controls_and_the_current_place_are_visible(walk: Walk) -> None:
    """Without background colors, borders, lines and words must show them."""
    assert walk.about("borders", "place") == {}


def test_nothing_moves_with_reduced_motion(walk: Walk) -> None:
    """No check has a finding in any state. This includes checks without a test of their own."""
    assert {name: found for name, found in walk.found.items() if found} == {}


def test_a_chosen_theme_is_rendered_by_the_server(made: PreparedServer) -> None:
    """The walk sets themes in the browser, so this test chooses one in the settings."""
    for theme in ("contrast", "system"):
        made.tab.open(f"{made.server.url}/settings")
        made.tab.click(f"input[value={theme}]")
        made.tab.click("#look button")
        made.tab.see(f"document.documentElement.dataset.theme === '{theme}'")


def test_axe_detects_a_planted_fault(made: PreparedServer) -> None:
    """The check must be able to find a fault, or its empty result would mean nothing."""
    made.tab.open(f"{made.server.url}/admin")
    made.tab.ask("document.documentElement.removeAttribute('lang')")
    assert [find[0] for find in axe_finds(made.tab)] == ["html-has-lang"]


def test_a_text_of_low_contrast_is_found_although_other_texts_are_known(
    made: PreparedServer,
) -> None:
    """A known page is checked again if it has a new combination of color, size and background."""
    tab, known_findings = made.tab, Known()
    tab.open(f"{made.server.url}/history")
    assert check_page(tab, known_findings) == {}
    inks = len(known_findings.inks)
    assert check_page(tab, known_findings) == {}
    assert len(known_findings.inks) == inks
    tab.ask("document.querySelector('main h1').style.opacity = '0.3'")
    assert set(check_page(tab, known_findings)) >= {"axe 1440", "axe 320", "axe contrast"}


def test_what_only_a_phone_shows_is_checked_although_other_pages_are_known(
    made: PreparedServer,
) -> None:
    """A page is skipped only if it shows the same on a phone as a page that was checked."""
    tab, known_findings = made.tab, Known()
    tab.open(f"{made.server.url}/history")
    assert check_page(tab, known_findings) == {}
    tab.ask(_ON_PHONES)
    assert "axe 320" in check_page(tab, known_findings)


@pytest.mark.parametrize(
    ("check", "fault"),
    [
        (
            "smallTargets",
            "for (const each of [one, two]) each.style.cssText = tiny; one.after(two)",
        ),
        ("hiddenFocus", "one.style.outline = 'none'"),
        (
            "hiddenFocus",
            "cover.style.cssText = 'position: fixed; inset: 0'; document.body.append(cover)",
        ),
        ("missingBorders", "one.style.border = '0'"),
        ("unmarkedCurrent", "document.querySelector('nav [aria-current]').style.cssText = plain"),
        (
            "overflow",
            "cover.style.cssText = 'width: 4000px; height: 1px'; document.body.append(cover)",
        ),
        ("animations", "one.animate([{opacity: 0}, {opacity: 1}], 60000)"),
    ],
)
def test_each_check_detects_its_planted_fault(made: PreparedServer, check: str, fault: str) -> None:
    """The check finds the fault, and nothing on the same page before the fault is planted."""
    tab = made.tab
    tab.look(width=1440)
    tab.open(f"{made.server.url}/history")
    axe_finds(tab)
    tab.press("Tab")
    assert tab.ask(f"checks.{check}()") == []
    tab.ask(
        "{ const one = document.querySelector('main button'), two = one.cloneNode(true);"
        " const cover = document.createElement('div');"
        " const tiny = 'flex: none; width: 14px; height: 14px; min-height: 0;"
        " padding: 0; margin: -6px';"
        " const plain = 'font-weight: inherit; border-bottom-color: transparent';"
        f" {fault}; }}"
    )
    assert tab.ask(f"checks.{check}()") != []


def test_overflow_is_detected_on_a_phone_too(made: PreparedServer) -> None:
    """A phone widens its viewport to fit the content, so the check must not rely on the width."""
    tab = made.tab
    tab.look(width=PHONE)
    tab.open(f"{made.server.url}/history")
    axe_finds(tab)
    assert tab.ask("checks.overflow()") == []
    tab.ask("document.body.append(document.createElement('pre'))")
    tab.ask("document.body.lastChild.style.cssText = 'width: 420px; height: 1px'")
    assert tab.ask("checks.overflow()") != []


def test_reduced_motion_stops_the_only_animation(made: PreparedServer) -> None:
    """The only animation is the dot on a waiting page."""
    made.tab.open(f"{made.server.url}/")
    made.tab.ask(_DOT)
    moving = "document.getAnimations().length"
    made.tab.look(width=1440)
    assert made.tab.ask(moving) == 1
    made.tab.look(width=1440, wishes={"prefers-reduced-motion": "reduce"})
    assert made.tab.ask(moving) == 0


def test_the_console_is_usable_by_keyboard(made: PreparedServer) -> None:
    """The first Tab stop skips the menu, and the focus is visible."""
    tab = made.tab
    tab.look(width=1440)
    tab.open(f"{made.server.url}/admin")
    tab.press("Tab")
    assert tab.ask("document.activeElement.className") == "skip"
    tab.press("Enter")
    tab.see("location.hash === '#main'")
    tab.press("Tab")
    assert tab.ask("document.activeElement.closest('main') !== null") is True
    assert tab.ask("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_a_console_page_contacts_no_other_host(made: PreparedServer) -> None:
    """The page loads less than 100 kB, all of it from this server."""
    visit = first_view(made.tab, f"{made.server.url}/admin", worker=False)
    assert visit.asked == {f"localhost:{made.server.port}"}
    assert visit.bytes < 100_000
