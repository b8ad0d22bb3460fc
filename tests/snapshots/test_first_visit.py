"""The pictures in `docs/approving.md` show each step as the app draws it now."""

import re

import pytest

from tests.support.checks.source import ROOT
from tests.support.pictures.first_visit import FOLDER, STEPS
from tests.support.pictures.pictures import draw_step


@pytest.mark.parametrize("name", STEPS)
async def test_each_picture_is_what_the_app_draws(name):
    """If this fails, run `scripts/pictures`, look at the result, and commit it."""
    assert (FOLDER / f"{name}.svg").read_text(encoding="utf-8") == await draw_step(name)


def test_each_picture_is_on_the_page_and_in_order():
    """The page shows every step once, in order, and no other picture."""
    page = (ROOT / "docs" / "approving.md").read_text(encoding="utf-8")
    assert re.findall(r"pictures/([\w-]+)\.svg", page) == list(STEPS)
