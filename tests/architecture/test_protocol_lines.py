"""The protocol page and the tests agree on every line of a specification."""

from collections import Counter

from tests.support.checks import spec_lines


def _listed() -> list[str]:
    kept = [row.line for row in spec_lines.rows()]
    return kept + spec_lines.missing() + spec_lines.foreign()


def test_each_line_is_listed_once():
    """In a table, among those not implemented yet, or among those that do not apply."""
    assert [line for line, times in Counter(_listed()).items() if times > 1] == []


def test_no_line_is_missing_and_none_is_invented():
    """Every line of the specifications is in one of the three places; nothing else is."""
    walked = spec_lines.walked()
    assert len(set(walked)) == len(walked) > 700
    assert sorted(set(walked) - set(_listed())) == []
    assert sorted(set(_listed()) - set(walked)) == []


def test_each_row_can_be_parsed():
    """A malformed row would be ignored."""
    assert spec_lines.broken_rows() == []


def test_each_line_outside_the_tables_has_a_reason():
    """In words, before the numbers."""
    bare = [reason for reason in spec_lines.reasons() if len(reason.split()) < 3]
    assert bare == []


def test_each_line_is_implemented_in_an_existing_file():
    """No row of the page names a missing file."""
    missing = [row for row in spec_lines.rows() if not spec_lines.exists(row.kept_in)]
    assert missing == []


def test_each_line_has_a_test_that_names_it():
    """The test exists, and its docstring or table has the line's number."""
    wrong = []
    for row in spec_lines.rows():
        path, _, name = row.test.partition("::")
        tests = spec_lines.tests_of(path) if spec_lines.exists(path) else {}
        if row.line not in tests.get(name, ()):
            wrong.append(f"{row.line}: {row.test}")
    assert wrong == []


def test_each_line_named_by_a_test_is_listed():
    """No test uses a number that the page does not explain."""
    listed = {row.line for row in spec_lines.rows()}
    listed |= {*spec_lines.missing(), *spec_lines.foreign()}
    unknown = {line: test for test, lines in spec_lines.all_tests() for line in lines - listed}
    assert unknown == {}
