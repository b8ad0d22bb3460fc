"""What waits, in lines and in JSON."""

from approver_tui.cli.exits import Exit
from tests.support.approval_texts import AGENT, wire_approval


def test_an_empty_inbox_is_a_document_too(logged_in):
    """A script finds `items` whether or not there are any."""
    document = logged_in("inbox", "--json").document
    assert (document["schema"], document["items"], document["next"]) == (
        "sayso.inbox/1",
        [],
        None,
    )
    assert logged_in("inbox").out == "Nothing waits for you.\n"


def test_an_item_has_what_an_answer_needs(logged_in, server):
    """Id and fingerprint, risk and ceremony, who asks, and until when."""
    asked = server.add(wire_approval(risk="high", now=server.now()))
    item = logged_in("inbox", "--json").document["items"][0]
    assert item["id"] == asked["id"]
    assert (item["risk"], item["ceremony"], item["state"]) == ("high", "pin", "pending")
    assert item["agent"] == {"id": AGENT, "name": "invoice-bot"}
    assert item["headline"] == "Pay EUR 4,820.00 to Nordwind Logistik GmbH"
    assert item["expires_at"] == asked["expires_at"]
    assert len(item["fingerprint"]) == 9
    assert item["fingerprint"] in logged_in("inbox").out


def test_hostile_text_reaches_no_terminal(logged_in, server):
    """Neither plain lines nor JSON carry a control character that somebody sent."""
    hostile = {"headline": "Pay\x1b[2J\x9b8m", "agent_says": "\u202e\x1b]52;c;eA==\x07"}
    asked = server.add(wire_approval(now=server.now(), display=hostile))
    for command in (["inbox"], ["show", asked["id"]], ["show", asked["id"], "--json"]):
        out = logged_in(*command).out
        assert not set(out) & set("\x1b\x07\x9b\u202e")


def test_a_forged_approval_is_not_listed(logged_in, server):
    """Nobody gets to read, let alone answer, a text without its digest."""
    asked = server.add()
    asked["display"] = asked["display"].replace("4,820", "9,820")
    done = logged_in("inbox", "--json")
    assert done.code == Exit.NOT_VERIFIED
    assert "digest" in done.error["detail"]


def test_history_lists_what_is_over(logged_in, server):
    """Decided elsewhere or here, with who and from where."""
    asked = server.add()
    assert logged_in("history", "--json").document["items"] == []
    server.decide_elsewhere(asked["id"])
    item = logged_in("history", "--json").document["items"][0]
    assert (item["state"], item["decided"]["device"]["name"]) == ("denied", "desktop")
    assert "denied by alice on desktop" in logged_in("history").out
