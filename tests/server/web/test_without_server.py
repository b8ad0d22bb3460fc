"""Every page of a signed-in user detects that its server is unreachable."""

import re
from pathlib import Path

import pytest

import server.web.static

_TEMPLATES = Path(server.web.static.__file__).parent / "templates"
_FRAMES = {"app.html", "console_frame.html"}


def _page(name: str) -> str:
    return (_TEMPLATES / name).read_text("utf-8")


def _parent(name: str) -> str:
    match = re.search(r'{% extends "?([^" ]+)"? %}', _page(name))
    return (
        ""
        if match is None
        else match[1].replace("frame", "frame.html").replace(".html.html", ".html")
    )


def _scripts(name: str) -> list[set[str]]:
    """Return the possible names of each script of a page, or of its frame if it has none."""
    calls = re.findall(r"{{ script\((.+?)\) }}", _page(name))
    names = [set(re.findall(r'"([\w-]+)\.js"', argument)) for argument in calls]
    parent = _parent(name)
    return names or ([] if not parent else _scripts(parent))


def _imported_scripts(script: str) -> set[str]:
    """Return a script and everything that it imports, directly or indirectly."""
    direct = re.findall(r'^import .*"/([\w-]+)\.js";', _script(script), re.MULTILINE)
    return {script}.union(*(_imported_scripts(imported) for imported in direct))


def _script(name: str) -> str:
    (path,) = _TEMPLATES.rglob(f"{name}.js")
    return path.read_text("utf-8")


def _is_of_a_person(name: str) -> bool:
    return name in _FRAMES or (bool(_parent(name)) and _is_of_a_person(_parent(name)))


_PAGES = sorted(
    name
    for path in _TEMPLATES.rglob("*.html")
    if (name := path.relative_to(_TEMPLATES).as_posix()) not in _FRAMES
    if _is_of_a_person(name) and name != "frame.html"
)


@pytest.mark.parametrize("name", _PAGES)
def test_every_page_of_a_signed_in_user_checks_that_its_server_is_reachable(name: str) -> None:
    """Each page has a script that imports the modules that check the server and block sending.

    Without such a script, a page would not show that its data is old.
    """
    assert any(all(map(_checks_the_server, names)) for names in _scripts(name))


def _checks_the_server(script: str) -> bool:
    return {"live", "buttons", "session"} <= _imported_scripts(script)


def test_the_checked_pages_include_user_and_console_pages() -> None:
    """A wrong filter could otherwise leave the test above without pages."""
    assert {"approvals/history.html", "sign.html", "devices/console_devices.html"} <= set(_PAGES)
