"""Fixtures of the administrative services.

Owns: one empty installation per test.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.builders.installation import LocalAdmin, open_admin


@pytest.fixture
def admin_services(tmp_path: Path) -> Iterator[LocalAdmin]:
    """An empty installation."""
    admin_services = open_admin(tmp_path)
    yield admin_services
    admin_services.store.close()
