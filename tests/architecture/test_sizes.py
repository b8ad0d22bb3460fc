"""Nothing grows until nobody reads it."""

from tests.support.source import modules

_MOST_LINES = 400
_MIGRATIONS = "server/storage/migrations/versions/"
"""Tables as a program lists them; what they mean is read in `tables.py`."""


def test_no_module_is_longer_than_a_sitting():
    """Four hundred lines, and there is no exception but migrations."""
    long = {
        module.path: lines
        for module in modules()
        if not module.path.startswith(_MIGRATIONS)
        and (lines := len(module.text.splitlines())) > _MOST_LINES
    }
    assert long == {}
