"""The README shows the app as it is."""

from tests.support.pictures import INBOX, draw_inbox


async def test_the_picture_in_the_readme_is_what_the_app_draws():
    """When this fails: `python -m tests.support.pictures`, look at it, commit it."""
    drawn = await draw_inbox()
    assert INBOX.read_text(encoding="utf-8") == drawn


async def test_the_picture_fetches_nothing():
    """A picture in a README must not call out for fonts."""
    assert "url(http" not in INBOX.read_text(encoding="utf-8").replace('url("http', "url(http")
