"""The protocol page and the tests agree about every line of a specification."""

from collections import Counter

from tests.support.checks import spec_lines


def _listed_lines() -> list[str]:
    lines = [row.line for row in spec_lines.rows()]
    return lines + spec_lines.missing() + spec_lines.not_applicable()


def test_each_line_is_listed_once():
    """Each line is in a table, or in the list of lines that do not apply."""
    assert [line for line, times in Counter(_listed_lines()).items() if times > 1] == []


def test_the_page_and_spec_ids_list_the_same_lines():
    """Every number of `spec_ids.py` is on the page, and the page has no other numbers."""
    specified = spec_lines.all_lines()
    assert len(set(specified)) == len(specified) > 700
    assert sorted(set(specified) - set(_listed_lines())) == []
    assert sorted(set(_listed_lines()) - set(specified)) == []


def test_each_row_can_be_read():
    """A row without a cell or without backticks would be ignored."""
    assert spec_lines.broken_rows() == []


def test_each_line_outside_the_tables_has_a_reason():
    """The reason is the text before the numbers."""
    bare = [reason for reason in spec_lines.reasons() if len(reason.split()) < 3]
    assert bare == []


def test_each_line_names_a_file_that_exists():
    """The file that a row names as the implementation exists."""
    gone = [row for row in spec_lines.rows() if not spec_lines.exists(row.implemented_in)]
    assert gone == []


def test_each_line_names_a_test_that_names_it():
    """The test exists, and its docstring or its table has the line's number."""
    wrong = []
    for row in spec_lines.rows():
        path, _, name = row.test.partition("::")
        tests = spec_lines.tests_of(path) if spec_lines.exists(path) else {}
        if row.line not in tests.get(name, ()):
            wrong.append(f"{row.line}: {row.test}")
    assert wrong == []


def test_each_line_that_a_test_names_is_listed():
    """No test uses a number that the page does not explain."""
    listed_names = {row.line for row in spec_lines.rows()}
    listed_names |= {*spec_lines.missing(), *spec_lines.not_applicable()}
    unknown = {
        line: test for test, lines in spec_lines.all_tests() for line in lines - listed_names
    }
    assert unknown == {}
