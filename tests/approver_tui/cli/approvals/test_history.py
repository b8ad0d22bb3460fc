"""`history` and its filters."""

import csv
import io
import json

import pytest

from approver_tui.cli.approvals import history as csv_rows
from approver_tui.cli.exits import Exit
from approver_tui.client.approvals import history
from tests.support.builders.approval_texts import wire_approval
from tests.support.builders.multi_approver import a_part
from tests.support.fakes.fake_approvals import an_approval


@pytest.fixture
def ten_requests(server):
    """Add ten denied requests, alternately of high and low risk."""
    approvals = [
        server.add(wire_approval(number=n, risk=("high", "low")[n % 2], now=server.now()))
        for n in range(2, 12)
    ]
    for approval in approvals:
        server.decide_elsewhere(approval["id"])


@pytest.mark.usefixtures("ten_requests")
def test_a_page_has_the_cursor_of_the_next_page(logged_in):
    """Following the cursor lists every request once, with and without a filter."""
    for options, total in (([], 10), (["--risk", "high"], 5)):
        seen, cursor = [], []
        while True:
            document = logged_in("history", "--limit", "2", *options, *cursor, "--json").document
            assert document["schema"] == "sayso.history/1"
            seen += [item["id"] for item in document["items"]]
            if document["next"] is None:
                break
            cursor = ["--cursor", document["next"]]
        assert len(seen) == len(set(seen)) == total


@pytest.mark.usefixtures("ten_requests")
def test_filters_are_combined(logged_in, server):
    """A request is listed only if its agent, risk, decision and time all match."""

    def count(*options):
        return len(logged_in("history", "--json", *options).document["items"])

    assert count("--decision", "deny") == 10
    assert count("--decision", "approve") == count("--decision", "none") == 0
    assert count("--agent", "INVOICE-BOT", "--risk", "high", "--since", "1h") == 5
    assert count("--agent", "nobody") == 0
    server.clock_ahead = 7_200_000
    assert count("--since", "1h") == 0
    assert logged_in("history", "--since", "1h").out == "No past request matches.\n"


@pytest.mark.usefixtures("ten_requests")
def test_a_search_stops_after_a_limit_and_prints_the_next_cursor(logged_in, monkeypatch):
    """A search never reads the whole history; the output says how to continue."""
    monkeypatch.setattr(history, "_PAGE", 3)
    monkeypatch.setattr(history, "_MAX_SCANNED", 6)
    document = logged_in("history", "--agent", "nobody", "--json").document
    assert (document["items"], document["next"]) == ([], "6")
    assert "For older requests, add --cursor 6" in logged_in("history", "--agent", "nobody").out


@pytest.mark.usefixtures("ten_requests")
def test_each_jsonl_line_is_a_document(logged_in):
    """Each line of --jsonl is a document with one request."""
    result = logged_in("history", "--jsonl", "--limit", "3")
    lines = [json.loads(line) for line in result.out.splitlines()]
    assert [line["schema"] for line in lines] == ["sayso.item/1"] * 3


def test_an_invalid_span_is_a_usage_error(logged_in):
    """The error for an invalid --since gives an example of a valid value."""
    result = logged_in("history", "--since", "tomorrow", "--json")
    assert result.code == Exit.USAGE
    assert "7d" in result.error["detail"]


def test_the_inbox_filter_hides_no_unverified_request(logged_in, server):
    """An unverified request is always listed, because its risk is unknown."""
    server.add()["display"] = "{}"
    server.add(wire_approval(number=2, risk="low", now=server.now()))
    high = server.add(wire_approval(number=3, risk="high", now=server.now()))
    document = logged_in("inbox", "--risk", "high", "--json").document
    assert [item["id"] for item in document["items"]] == [high["id"]]
    assert len(document["unverified"]) == 1
    lines = [json.loads(line) for line in logged_in("inbox", "--jsonl").out.splitlines()]
    assert [line["schema"] for line in lines] == ["sayso.item/1"] * 2 + ["sayso.unverified/1"]
    assert "NOT VERIFIED" in logged_in("inbox", "--agent", "nobody").out


@pytest.mark.usefixtures("ten_requests")
def test_csv_has_a_header_and_a_line_per_request(logged_in):
    """The CSV output can be read by any spreadsheet, and filters apply to it."""
    result = logged_in("history", "--csv", "--risk", "high")
    header, *rows = csv.reader(io.StringIO(result.out, newline=""))
    assert header == list(csv_rows.COLUMNS)
    assert len(rows) == 5
    first = dict(zip(header, rows[0], strict=True))
    assert (first["decision"], first["state"], first["risk"]) == ("deny", "denied", "high")
    assert (first["by"], first["headline"]) == (
        "alice",
        "Pay EUR 4,820.00 to Nordwind Logistik GmbH",
    )
    assert result.out.count("\r\n") == 6


def test_csv_without_requests_is_only_the_header(logged_in):
    """An empty result still has the header line, so that a program finds the columns."""
    assert logged_in("history", "--csv").out == ",".join(csv_rows.COLUMNS) + "\r\n"


def test_an_undecided_request_has_empty_csv_cells():
    """A request without a decision is listed, with empty decision cells."""
    (row,) = csv.DictReader(io.StringIO(csv_rows.to_csv([an_approval("late")]), newline=""))
    assert (row["decision"], row["by"], row["decided"]) == ("", "", "")


def test_csv_has_a_column_with_what_was_granted():
    """The last column says what was granted; it is empty if everything was granted."""
    approved, narrowed = an_approval("whole"), a_part("part")
    rows = list(csv.DictReader(io.StringIO(csv_rows.to_csv([approved, narrowed]), newline="")))
    asked = "Pay EUR 4,820.00 to Nordwind Logistik GmbH"
    cells = [(row["headline"], row["granted"]) for row in rows]
    assert cells == [(asked, ""), (asked, "Pay EUR 500.00 to Nordwind Logistik GmbH")]
    assert list(csv_rows.COLUMNS)[-1] == "granted"


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_no_csv_cell_is_a_formula(name):
    """A spreadsheet must not evaluate text that an agent supplied."""
    approval = an_approval("odd", agent=name)
    (row,) = csv.DictReader(io.StringIO(csv_rows.to_csv([approval]), newline=""))
    assert row["agent"] == f"'{name}"


def test_only_one_output_format_can_be_chosen(logged_in):
    """Two formats are a usage error, because their combination is not a valid document."""
    assert logged_in("history", "--csv", "--jsonl").code == Exit.USAGE
