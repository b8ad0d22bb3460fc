"""Fixtures of the tests of pages."""

import pytest

from tests.support.builders.admins import AdminSite
from tests.support.builders.console import Console, open_console


@pytest.fixture
def console(staff: AdminSite) -> Console:
    """A console in which every staff member has a signed-in browser."""
    return open_console(staff)
