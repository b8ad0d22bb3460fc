"""`inbox` as text and as JSON."""

import pytest

from approver_tui.cli.exits import Exit
from tests.approver_tui.cli.conftest import PIN
from tests.support.builders.approval_texts import AGENT, to_rfc3339, wire_approval


def test_an_empty_inbox_is_a_document(logged_in):
    """Even an empty inbox has `items`, so that a script always finds the member."""
    document = logged_in("inbox", "--json").document
    assert (document["schema"], document["items"], document["next"]) == (
        "sayso.inbox/1",
        [],
        None,
    )
    assert logged_in("inbox").out == "No requests are waiting for you.\n"


def test_only_one_output_format_can_be_chosen(logged_in):
    """--json and --jsonl together are a usage error."""
    result = logged_in("inbox", "--json", "--jsonl")
    assert result.code == Exit.USAGE
    assert "Choose one of --json and --jsonl." in result.err


def test_an_item_has_what_an_answer_needs(logged_in, server):
    """An item has its ID, fingerprint, risk, ceremony, agent and expiry."""
    approval = server.add(wire_approval(risk="high", now=server.now()))
    item = logged_in("inbox", "--json").document["items"][0]
    assert item["id"] == approval["id"]
    assert (item["risk"], item["ceremony"], item["state"]) == ("high", "pin", "pending")
    assert item["agent"] == {"id": AGENT, "name": "invoice-bot"}
    assert item["headline"] == "Pay EUR 4,820.00 to Nordwind Logistik GmbH"
    assert item["expires_at"] == approval["expires_at"]
    assert len(item["fingerprint"]) == 9
    assert item["fingerprint"] in logged_in("inbox").out


def test_hostile_text_reaches_no_terminal(logged_in, server):
    """Neither plain lines nor JSON contain a control character from the agent's text."""
    hostile = {"headline": "Pay\x1b[2J\x9b8m", "agent_says": "\u202e\x1b]52;c;eA==\x07"}
    approval = server.add(wire_approval(now=server.now(), display=hostile))
    for command in (["inbox"], ["show", approval["id"]], ["show", approval["id"], "--json"]):
        out = logged_in(*command).out
        assert not set(out) & set("\x1b\x07\x9b\u202e")


@pytest.fixture
def forged_request(server):
    """A request whose display text was changed in transit, between two valid requests."""
    server.add()
    approval = server.add()
    approval["display"] = approval["display"].replace("4,820", "9,820")
    server.add()
    return approval


def test_a_forged_request_does_not_hide_the_others(logged_in, server, forged_request):
    """The forged request is listed only with its problem, and all others are listed in full."""
    document = logged_in("inbox", "--json").document
    assert document["unverified"] == [
        {"id": forged_request["id"], "problem": "display: does not match its digest"}
    ]
    assert [item["id"] for item in document["items"]] == [
        approval for approval in server.approvals if approval != forged_request["id"]
    ]
    out = logged_in("inbox").out
    assert "NOT VERIFIED: this request cannot be read or answered here." in out
    assert f"  {forged_request['id']}\n  display: does not match its digest\n" in out
    assert "9,820" not in out
    assert "4,820.00 to Nordwind Logistik GmbH  x 2" in out


def test_an_inbox_with_only_a_forged_request_is_not_empty(logged_in, server):
    """The output does not say that no requests are waiting."""
    server.add()["id"] = "sayso_ap_\x1b[2J"
    out = logged_in("inbox").out
    assert "No requests are waiting" not in out
    assert r"sayso_ap_\u{1b}[2J" in out
    assert logged_in("status", "--json").document["unverified"] == 1
    assert "waiting:       0, and 1 that cannot be verified\n" in logged_in("status").out


@pytest.mark.parametrize(
    "verb",
    [
        ["show"],
        ["approve", "--fingerprint", "0000-0000", "--pin-stdin"],
        ["deny", "--code", "suspicious"],
    ],
)
def test_a_forged_request_is_neither_shown_nor_decided(logged_in, server, forged_request, verb):
    """Every command exits with 20, counts no PIN attempt and changes nothing."""
    calls_before = list(server.pin_calls)
    result = logged_in(verb[0], forged_request["id"], *verb[1:], "--json", stdin=PIN)
    assert result.code == Exit.NOT_VERIFIED
    assert "does not match its digest" in result.error["detail"]
    assert (server.pin_calls, forged_request["state"]) == (calls_before, "pending")


def test_history_lists_ended_requests(logged_in, server):
    """`history` shows who answered a request and on which device."""
    approval = server.add()
    assert logged_in("history", "--json").document["items"] == []
    server.decide_elsewhere(approval["id"])
    item = logged_in("history", "--json").document["items"][0]
    assert (item["state"], item["decided"]["device"]["name"]) == ("denied", "desktop")
    assert "denied by alice on desktop" in logged_in("history").out


def test_held_back_requests_are_listed_below_the_rest(logged_in, server):
    """Their heading has the number of held-back requests from each agent."""
    for number, held in enumerate((True, False, True), 1):
        outer = {"held_back": held}
        server.add(wire_approval(number=number, now=server.now(), outer=outer))
    lines = logged_in("inbox").out.splitlines()
    assert lines[3] == "HELD BACK, too many at once: 2 from invoice-bot"
    assert lines[4].endswith("x 2, look alike; answer each separately")
    assert len(lines) == 9
    items = logged_in("inbox", "--json").document["items"]
    assert [item["held_back"] for item in items] == [True, False, True]


def test_look_alikes_share_a_heading(logged_in, server):
    """Each look-alike keeps its ID and fingerprint.

    JSON output is not grouped. Requests with a different risk are listed separately.
    """
    for number in (1, 11, 101):
        server.add(wire_approval(number=number, now=server.now()))
    server.add(wire_approval(number=111, risk="high", now=server.now()))
    out = logged_in("inbox").out
    items = logged_in("inbox", "--json").document["items"]
    heading = "Pay EUR 4,820.00 to Nordwind Logistik GmbH"
    assert f"{heading}  x 3, look alike; answer each separately\n" in out
    assert out.count(heading) == 2
    assert len(items) == 4
    assert all(f"{item['id']}  {item['fingerprint']}" in out for item in items)


def test_ended_requests_are_never_merged(logged_in, server):
    """`history` lists look-alikes separately, because each has its own outcome."""
    for number in (1, 11):
        approval = server.add(wire_approval(number=number, now=server.now()))
        server.decide_elsewhere(approval["id"])
    out = logged_in("history").out
    assert "look alike" not in out
    assert out.count("denied by alice") == 2


def test_the_last_minute_is_marked_in_words(logged_in, server):
    """The last minute and the last twenty seconds are marked; a longer time is not."""
    for number, left in ((1, 600_000), (11, 50_000), (101, 15_000)):
        expiry = to_rfc3339(server.now() + left)
        server.add(
            wire_approval(
                number=number,
                now=server.now(),
                display={"expires_at": expiry, "headline": f"Deploy {number}"},
            )
        )
    out = logged_in("inbox").out
    assert out.count("LAST MINUTE: expires in 4") == 1
    assert out.count("LAST 20 SECONDS: expires in 1") == 1
    assert out.count("expires in") == 3
