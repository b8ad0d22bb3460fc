"""The pictures in the README and the tour show the app as it draws them now."""

import re

import pytest

from tests.support.checks.source import ROOT
from tests.support.pictures.gallery import FOLDER, SHOTS
from tests.support.pictures.pictures import INBOX, draw_inbox, draw_shot


async def test_the_picture_in_the_readme_is_what_the_app_draws():
    """If this fails, run `scripts/pictures`, look at the result, and commit it."""
    drawing = await draw_inbox()
    assert INBOX.read_text(encoding="utf-8") == drawing


async def test_the_picture_loads_nothing():
    """A picture in a README must not load fonts from another site."""
    assert "url(http" not in INBOX.read_text(encoding="utf-8").replace('url("http', "url(http")


@pytest.mark.parametrize("name", SHOTS)
async def test_each_picture_of_the_gallery_is_what_the_app_draws(name):
    """If this fails, run `scripts/pictures`, look at the result, and commit it."""
    assert (FOLDER / f"{name}.svg").read_text(encoding="utf-8") == await draw_shot(name)


def test_the_tour_shows_the_whole_gallery():
    """The tour shows every picture of the gallery once, in order, and no other picture."""
    tour = (ROOT / "docs" / "tour.md").read_text(encoding="utf-8")
    assert re.findall(r"pictures/(gallery-[\w-]+)\.svg", tour) == list(SHOTS)
