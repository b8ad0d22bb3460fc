"""Nothing grows until nobody reads it."""

from tests.support.source import modules

_MOST_LINES = 400


def test_no_module_is_longer_than_a_sitting():
    """Four hundred lines, and there is no list of exceptions."""
    long = {
        module.path: lines
        for module in modules()
        if (lines := len(module.text.splitlines())) > _MOST_LINES
    }
    assert long == {}
