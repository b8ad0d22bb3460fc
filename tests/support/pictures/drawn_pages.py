"""`python -m tests.support.pictures.drawn_pages` draws every page and writes an index of them.

Owns: the sizes and themes in which pages are drawn, and the index, which has the route and the
template of the page in each picture. Never: how to open a state.
"""

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter

from server.app import create_app, create_site
from tests.support.browsers import page_states
from tests.support.browsers.chromium import Chromium
from tests.support.browsers.page_steps import State
from tests.support.pictures.page_pictures import (
    FOLDER,
    SHADES,
    SIZES,
    PreparedServer,
    prepared_server,
    shades,
)
from tests.support.pictures.page_table import GROUPS

INDEX: Final = FOLDER / "pages.json"


def files(name: str) -> Iterator[tuple[str, str]]:
    """Yield each file of a picture, with the suffix of its theme."""
    for width, _, _ in SIZES:
        for shade in shades(name):
            yield f"page-{name}-{width}{shade}.webp", shade


@dataclass(frozen=True, slots=True)
class Taken:
    """The page that a picture shows."""

    rule: str | None
    """The route of the page; None for a path without a page."""
    template: str
    """The template of the page."""


def index() -> Mapping[str, Taken]:
    """Return the page of each stored picture, by the picture's name."""
    pictures = json.loads(INDEX.read_text("utf-8"))
    return {name: Taken(**entry) for name, entry in pictures.items()}


def _draw(made: PreparedServer, drawn: Path, folder: Path, wanted: set[str]) -> dict[str, Taken]:
    """Draw these states, or all of them; return the page that each picture shows."""
    addresses = create_app(create_site(made.server.services)).url_map.bind("localhost")
    names, pages_taken = {name for group in GROUPS.values() for name in group}, {}
    table = page_states.table(made)
    assert names <= {state.name for state in table}
    with page_states.guest_of(made) as guest:
        for state in table:
            if state.name not in names:
                _pass(state, guest if state.guest else made.tab, made)
            elif not wanted or state.name in wanted:
                with state.opened(guest if state.guest else made.tab, made.server.url) as tab:
                    path = tab.ask("location.pathname")
                    pages_taken[state.name] = Taken(_rule(addresses, path), _template(drawn, path))
                    _picture(tab, folder, state.name)
    return pages_taken


def _pass(state: State, tab: Chromium, made: PreparedServer) -> None:
    """Open a state that is not drawn but that later ones need, because it signs the guest in."""
    if state.name == "empty-inbox":
        with state.opened(tab, made.server.url):
            pass


def _picture(tab: Chromium, folder: Path, name: str) -> None:
    tab.ask("scrollTo(0, 0)")
    for width, height, scale in SIZES:
        for shade in shades(name):
            tab.tell(
                "Emulation.setEmulatedMedia", features=[]
            )  # otherwise the forced background stays
            tab.look(width=width, height=height, wishes=SHADES[shade])
            tab.small_picture(folder / f"page-{name}-{width}{shade}.webp", scale=scale)


def _template(drawn: Path, path: str) -> str:
    """Return the template of the current page."""
    lines = [line.partition(" ") for line in drawn.read_text().splitlines()]
    return next(name for name, _, where in reversed(lines) if where == path)


def _rule(addresses: MapAdapter, path: str) -> str | None:
    """Return the route of a page, or of a form that answers with a page."""
    for method in ("GET", "POST"):
        with suppress(HTTPException):
            return addresses.match(path, method=method, return_rule=True)[0].rule
    return None


def main(wanted: set[str]) -> None:
    """Draw all or the named pages again, and delete pictures of states that no longer exist."""
    with tempfile.TemporaryDirectory() as folder:
        drawn = Path(folder) / "drawn"
        with prepared_server(Path(folder), ("--drawn", str(drawn))) as made:
            pages_taken = _draw(made, drawn, FOLDER, wanted)
    assert wanted <= pages_taken.keys(), f"unknown pages: {wanted - pages_taken.keys()}"
    pictures = {**(index() if wanted else {}), **pages_taken}
    rows = {name: asdict(picture) for name, picture in sorted(pictures.items())}
    INDEX.write_text(json.dumps(rows, indent=0) + "\n", "utf-8")
    wanted_files = {file for name in pictures for file, _ in files(name)}
    for path in FOLDER.glob("page-*"):
        if path.name not in wanted_files:
            path.unlink()


if __name__ == "__main__":
    main(set(sys.argv[1:]))
