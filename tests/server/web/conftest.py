"""Fixtures of the tests of pages."""

import pytest

from tests.support.builders.admins import Staff
from tests.support.builders.console import Console, open_console


@pytest.fixture
def console(staff: Staff) -> Console:
    """Every staff member at their browser."""
    return open_console(staff)
