"""The protocol page and the tests agree about every line of a specification."""

from collections import Counter

from tests.support.checks import spec_lines


def _listed() -> list[str]:
    kept = [row.line for row in spec_lines.rows()]
    return kept + spec_lines.missing() + spec_lines.foreign()


def test_each_line_stands_there_once():
    """In a table, among those that are not kept yet, or among those that are not ours."""
    assert [line for line, times in Counter(_listed()).items() if times > 1] == []


def test_no_line_is_forgotten_and_none_is_made_up():
    """Every number that was walked is in one of the three places; nothing else is."""
    walked = spec_lines.walked()
    assert len(set(walked)) == len(walked) > 700
    assert sorted(set(walked) - set(_listed())) == []
    assert sorted(set(_listed()) - set(walked)) == []


def test_each_row_can_be_read():
    """A row with a cell too few or a path without backticks would count for nothing."""
    assert spec_lines.broken_rows() == []


def test_whatever_is_in_no_table_has_a_reason():
    """In words, before the numbers."""
    bare = [reason for reason in spec_lines.reasons() if len(reason.split()) < 3]
    assert bare == []


def test_each_line_is_kept_in_a_file_that_exists():
    """Whoever walks the page never stands before a missing file."""
    gone = [row for row in spec_lines.rows() if not spec_lines.exists(row.kept_in)]
    assert gone == []


def test_each_line_is_proved_by_a_test_that_names_it():
    """The test exists, and its words or its table say the line's number."""
    wrong = []
    for row in spec_lines.rows():
        path, _, name = row.test.partition("::")
        tests = spec_lines.tests_of(path) if spec_lines.exists(path) else {}
        if row.line not in tests.get(name, ()):
            wrong.append(f"{row.line}: {row.test}")
    assert wrong == []


def test_each_line_that_a_test_names_is_listed():
    """Nothing is tested under a number that the page does not explain."""
    listed = {row.line for row in spec_lines.rows()}
    listed |= {*spec_lines.missing(), *spec_lines.foreign()}
    unknown = {line: test for test, lines in spec_lines.all_tests() for line in lines - listed}
    assert unknown == {}
