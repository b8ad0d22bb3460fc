"""The stored screenshots of the pages, compared with the application's list of pages."""

import re

from server.web.table import PAGES
from tests.support.checks.source import ROOT
from tests.support.inputs.page_paths import page_templates, pages
from tests.support.pictures.drawn_pages import FOLDER, files, index
from tests.support.pictures.page_gallery import GALLERY, gallery
from tests.support.pictures.page_table import GROUPS


def test_every_page_of_the_application_has_a_picture(local):
    """`scripts/pictures` records the route of every picture."""
    pictured = {entry.rule for entry in index().values()} - {None}
    assert {page.path for page in PAGES} - pictured == set()
    no_pages = {
        "/continue/waits",
        "/icons/<digest>",
    }  # a script requests the first; the second is an image
    assert pages(local.app) - pictured == no_pages


def test_every_page_template_has_a_picture():
    """Templates that only a form reaches have a picture too; the index names the template."""
    pictured = {entry.template for entry in index().values()}
    assert page_templates() - pictured == set()


def test_no_picture_shows_a_removed_page(local):
    """Only the picture of the 404 page has no route."""
    entries = index()
    assert [name for name, entry in entries.items() if entry.rule is None] == ["nowhere"]
    routes = {rule.rule for rule in local.app.url_map.iter_rules()}
    assert {entry.rule for entry in entries.values()} - routes == {None}


def test_each_picture_exists_for_phone_and_desktop_light_and_dark():
    """Each page has four pictures, and there are no other picture files."""
    expected = {file for name in index() for file, _ in files(name)}
    assert {path.name for path in FOLDER.glob("page-*.webp")} == expected
    themes = {file.removeprefix("page-x-") for file, _ in files("x")}
    assert themes == {"360.webp", "360-dark.webp", "1440.webp", "1440-dark.webp"}


def test_the_pictures_stay_small():
    """The pictures are part of every clone of the repository."""
    sizes = {path.name: path.stat().st_size for path in FOLDER.glob("page-*.webp")}
    assert max(sizes.values()) < 60_000
    assert sum(sizes.values()) < 6_000_000


def test_every_picture_is_once_in_the_gallery():
    """A new picture fails this test until it has a group."""
    names = [name for group in GROUPS.values() for name in group]
    assert sorted(names) == sorted(index())


def test_the_gallery_page_matches_the_stored_pictures():
    """`python -m tests.support.pictures.page_gallery` writes the gallery page."""
    page = GALLERY.read_text(encoding="utf-8")
    assert page == gallery()
    linked = set(re.findall(r"pictures/(page-[\w-]+\.webp)", page))
    assert linked == {path.name for path in FOLDER.glob("page-*.webp")}


def test_the_readme_links_to_both_galleries():
    """The README shows the pages as well as the terminal screens."""
    readme = (ROOT / "README.md").read_text("utf-8")
    assert "](docs/gallery.md)" in readme
    assert "](docs/gallery-pages.md)" in readme
