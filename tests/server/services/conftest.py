"""What the tests of the administrative services share.

Owns: one empty installation per test.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.builders.installation import Desk, open_desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """An empty installation."""
    desk = open_desk(tmp_path)
    yield desk
    desk.store.close()
