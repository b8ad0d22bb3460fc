"""Every page, and whatever opens on one, for people who see, hear or move otherwise.

One walk through the table of states judges each of them once, in all its looks; the tests say what
was found, and that the walk has left nothing out.
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
from tests.support.browsers.page_checks import PHONE, Findings, axe_finds, judged
from tests.support.inputs.page_paths import page_templates, pages
from tests.support.pictures.page_pictures import Furnished, furnished

pytestmark = [
    pytest.mark.clients,  # axe comes with them
    pytest.mark.timeout(900),  # one walk is for many tests, whichever comes first
]
_DOT = """{
  const dot = document.createElement("span");
  dot.className = "dot";
  document.querySelector("main").append(dot);
}"""


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server writes which templates it draws."""
    return tmp_path_factory.mktemp("drawn") / "templates"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, drawn: Path) -> Iterator[Furnished]:
    """An installation that has been used for a while, and its administrator's browser."""
    with furnished(tmp_path_factory.mktemp("furnished"), ("--drawn", str(drawn))) as ready:
        yield ready


@dataclass(slots=True)
class Walk:
    """What came of looking at every state."""

    found: dict[str, Findings] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    """Paths of the pages that were looked at."""
    drawn: set[str] = field(default_factory=set)
    """Templates that the server has drawn on the way."""

    def about(self, *judges: str) -> dict[str, Findings]:
        """What these judges found, by state."""
        mine = {
            name: {one: some for one, some in found.items() if one.split()[0] in judges}
            for name, found in self.found.items()
        }
        return {name: found for name, found in mine.items() if found}


@pytest.fixture(scope="module")
def walk(made: Furnished, drawn: Path) -> Walk:
    """The walk."""
    whole, table = Walk(), page_states.table(made)
    drawn.write_text("")
    with page_states.guest_of(made) as guest:
        for state in table:
            with state.opened(guest if state.guest else made.tab, made.server.url) as tab:
                whole.seen.add(tab.ask("location.pathname"))
                whole.found[state.name] = judged(tab)
    assert len(whole.found) == len(table)  # no two of one name
    whole.drawn = {line.partition(" ")[0] for line in drawn.read_text().splitlines()}
    return whole


@pytest.fixture(scope="module")
def served(made: Furnished) -> Flask:
    """The application, for its map of addresses."""
    return app.create_app(app.create_site(made.server.services))


def _rules(served: Flask, paths: set[str]) -> set[str]:
    """The rules that these paths are pages of."""
    addresses, found = served.url_map.bind("localhost"), set()
    for path in paths:
        try:
            rule, _ = addresses.match(path, method="GET", return_rule=True)
        except HTTPException:
            continue  # where a form leads, or nowhere
        found.add(rule.rule)
    return found


def test_every_page_of_the_application_is_looked_at(walk: Walk, served: Flask) -> None:
    """A page that has no row in the table of states is named here."""
    no_pages = {"/continue/waits", "/icons/<digest>"}  # one says no word, the other is a picture
    assert pages(served) - _rules(served, walk.seen) == no_pages


def test_every_template_is_drawn_on_the_way(walk: Walk) -> None:
    """Those too that only a form leads to; what others extend or import is no page of its own."""
    assert page_templates() - walk.drawn == set()


def test_axe_finds_nothing_on_any_page_in_any_state(walk: Walk) -> None:
    """Names, roles, headings, landmarks on a phone and on a desk; contrast in every theme."""
    assert walk.about("axe") == {}


def test_no_page_scrolls_sideways_and_nothing_is_too_small_to_hit(walk: Walk) -> None:
    """From 320 pixels up, and at 200 % (WCAG 2.2, 1.4.4, 1.4.10 and 2.5.8)."""
    assert walk.about("sideways", "small") == {}


def test_the_focus_is_seen_wherever_it_stands_and_under_nothing(walk: Walk) -> None:
    """WCAG 2.2, 2.4.7 and 2.4.11; in a system's own colours too."""
    assert walk.about("focus") == {}


def test_in_forced_colours_what_can_be_pressed_and_where_one_is_are_seen(walk: Walk) -> None:
    """Borders, lines and words say it; colours of ours are gone."""
    assert walk.about("borders", "place") == {}


def test_nothing_moves_on_any_page_for_whoever_wants_it_still(walk: Walk) -> None:
    """And no judge was left out."""
    assert {name: found for name, found in walk.found.items() if found} == {}


def test_a_theme_that_a_person_chose_is_there_from_the_first_line(made: Furnished) -> None:
    """The walk puts themes on pages; this one is put on by the server."""
    for theme in ("contrast", "system"):
        made.tab.open(f"{made.server.url}/settings")
        made.tab.click(f"input[value={theme}]")
        made.tab.click("#look button")
        made.tab.see(f"document.documentElement.dataset.theme === '{theme}'")


def test_axe_would_find_something(made: Furnished) -> None:
    """A judge that finds nothing anywhere proves nothing."""
    made.tab.open(f"{made.server.url}/admin")
    made.tab.ask("document.documentElement.removeAttribute('lang')")
    assert [one[0] for one in axe_finds(made.tab)] == ["html-has-lang"]


@pytest.mark.parametrize(
    ("judge", "fault"),
    [
        ("small", "for (const each of [one, two]) each.style.cssText = tiny; one.after(two)"),
        ("unseen", "one.style.outline = 'none'"),
        (
            "unseen",
            "cover.style.cssText = 'position: fixed; inset: 0'; document.body.append(cover)",
        ),
        ("unbordered", "one.style.border = '0'"),
        ("lost", "document.querySelector('nav [aria-current]').style.cssText = plain"),
        ("wide", "cover.style.cssText = 'width: 4000px; height: 1px'; document.body.append(cover)"),
        ("moving", "one.animate([{opacity: 0}, {opacity: 1}], 60000)"),
    ],
)
def test_each_judge_finds_the_fault_that_it_is_there_for(
    made: Furnished, judge: str, fault: str
) -> None:
    """On a page in which it finds nothing before."""
    tab = made.tab
    tab.look(width=1440)
    tab.open(f"{made.server.url}/history")
    axe_finds(tab)
    tab.press("Tab")
    assert tab.ask(f"judge.{judge}()") == []
    tab.ask(
        "{ const one = document.querySelector('main button'), two = one.cloneNode(true);"
        " const cover = document.createElement('div');"
        " const tiny = 'flex: none; width: 14px; height: 14px; min-height: 0;"
        " padding: 0; margin: -6px';"
        " const plain = 'font-weight: inherit; border-bottom-color: transparent';"
        f" {fault}; }}"
    )
    assert tab.ask(f"judge.{judge}()") != []


def test_what_is_too_wide_is_found_on_a_phone_too(made: Furnished) -> None:
    """A phone lets its window grow with it, and shows the rest of the page small."""
    tab = made.tab
    tab.look(width=PHONE)
    tab.open(f"{made.server.url}/history")
    axe_finds(tab)
    assert tab.ask("judge.wide()") == []
    tab.ask("document.body.append(document.createElement('pre'))")
    tab.ask("document.body.lastChild.style.cssText = 'width: 420px; height: 1px'")
    assert tab.ask("judge.wide()") != []


def test_nothing_moves_for_whoever_wants_it_still(made: Furnished) -> None:
    """The one thing that does, the dot of a page that waits, would."""
    made.tab.open(f"{made.server.url}/")
    made.tab.ask(_DOT)
    moving = "document.getAnimations().length"
    made.tab.look(width=1440)
    assert made.tab.ask(moving) == 1
    made.tab.look(width=1440, wishes={"prefers-reduced-motion": "reduce"})
    assert made.tab.ask(moving) == 0


def test_the_console_is_gone_through_by_keyboard(made: Furnished) -> None:
    """The first stop skips the menu, and the focus is seen."""
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


def test_a_page_of_the_console_asks_no_other_host(made: Furnished) -> None:
    """And is small."""
    seen = first_view(made.tab, f"{made.server.url}/admin", worker=False)
    assert seen.asked == {f"localhost:{made.server.port}"}
    assert seen.bytes < 100_000
