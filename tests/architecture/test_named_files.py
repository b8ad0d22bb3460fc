"""Tables of test files name only files that exist."""

from pathlib import Path

import pytest

from tests.support.checks.named_files import named_files


def test_a_table_cannot_name_a_file_that_does_not_exist() -> None:
    """The tests do not start, because the row of a renamed file would have no effect."""
    here = Path(__file__)
    assert named_files(here.parent, ["named_files"]) == {here}
    with pytest.raises(FileNotFoundError, match=r"test_renamed\.py\.$"):
        named_files(here.parent, ["named_files", "renamed"])
