"""Comparing two versions of a file line by line."""

from server.web import differences
from server.web.differences import Line


def test_changed_lines_have_their_numbers_and_three_lines_around_them() -> None:
    """A gap replaces the remaining lines; equal texts give no lines."""
    old = "\n".join(f"line {number}" for number in range(1, 21))
    new = old.replace("line 2\n", "line two\n").replace("line 20", "line 20\nline 21")
    lines = differences.lines(old, new)
    assert lines[0] == Line("same", 1, 1, "line 1")
    assert lines[1:3] == [Line("removed", 2, None, "line 2"), Line("added", None, 2, "line two")]
    assert [line.kind for line in lines].index("gap") == 6
    assert lines[-1] == Line("added", None, 21, "line 21")
    assert Line("same", 5, 5, "line 5") in lines
    assert not [line for line in lines if line.text == "line 10"]
    assert differences.lines(old, old) == []
