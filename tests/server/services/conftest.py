"""Fixtures of the administrative services.

Owns: one empty installation per test.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.builders.installation import Desk, open_desk


@pytest.fixture
def admin_services(tmp_path: Path) -> Iterator[Desk]:
    """An empty installation."""
    admin_services = open_desk(tmp_path)
    yield admin_services
    admin_services.store.close()
