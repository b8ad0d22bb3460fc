"""The generated pages of `docs/reference` match the code."""

import pytest

from tests.support.reference.pages import FOLDER, PAGES


@pytest.mark.parametrize("name", PAGES)
def test_each_generated_page_matches_the_code(name):
    """If this fails, run `scripts/reference`, read the difference and commit it."""
    assert (FOLDER / name).read_text(encoding="utf-8") == PAGES[name]()
