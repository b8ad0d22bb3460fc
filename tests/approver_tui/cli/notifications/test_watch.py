"""`watch` prints events line by line."""

import json
import time

import pytest

from approver_tui import settings
from approver_tui.cli.exits import Exit
from approver_tui.client import api
from approver_tui.client.devices.vault import FileVault
from approver_tui.client.jose import SigningKey, b64
from approver_tui.client.sign_in import profile, tokens
from approver_tui.client.sign_in.profile import Home, Profile
from approver_tui.client.sign_in.tokens import Tokens
from tests.support.builders.approval_texts import wire_approval
from tests.support.fakes.feed_server import FeedServer, event, hello
from tests.support.inputs.json_forms import problems


def enrolled_with(server):
    """Write the files of a machine that is logged in to a feed server."""
    home = Home.in_folder(settings.load().home)
    vault = FileVault(home.secrets_folder)
    vault.put(api.SESSION_KEY, b64(SigningKey.generate().scalar))
    tokens.save(vault, Tokens("access", "refresh", time.time_ns() // 1_000_000 + 600_000))
    values = dict.fromkeys(Profile.__dataclass_fields__, "files") | {"issuer": server.issuer}
    profile.save(home, Profile(**values))


def test_each_event_is_one_json_line(run):
    """Only the events go to stdout; the connection state goes to stderr."""
    with FeedServer([hello(), event(1), event(2)]) as server:
        enrolled_with(server)
        result = run("watch", "--jsonl", "--count", "2")
    lines = [json.loads(line) for line in result.out.splitlines()]
    assert [(line["event"], line["seq"]) for line in lines] == [
        ("approval.requested", 1),
        ("approval.requested", 2),
    ]
    assert lines[0]["approval"]["fingerprint"]
    assert result.err.splitlines() == ["connecting", "live", "offline"]


def test_watch_continues_where_the_last_one_ended(run):
    """The second `watch` sends the cursor of the first one, so no event is repeated or missed."""
    with FeedServer([hello(), event(1)], [hello(1), event(2)]) as server:
        enrolled_with(server)
        run("watch", "--count", "1")
        run("watch", "--count", "1")
        assert server.requests[1].path == "/api/feed?cursor=1"


def test_a_cursor_that_no_server_accepts_is_a_usage_error(run):
    """Otherwise `watch` would reconnect forever without saying why."""
    result = run("watch", "--cursor", str(10**18))
    assert result.code == Exit.USAGE
    assert "--cursor" in result.err


def test_a_withdrawn_request_is_printed_in_words(run):
    """The line explains the event, because its name is not enough for a user."""
    withdrawn = wire_approval(outer={"state": "cancelled", "reason": "withdrawn"})
    with FeedServer([hello(), event(1, event="approval.cancelled", approval=withdrawn)]) as server:
        enrolled_with(server)
        result = run("watch", "--count", "1")
    assert result.out.strip().endswith("(withdrawn: Its agent withdrew it.)")


def test_a_gap_is_reported(run):
    """A `resync` line tells a script to read the inbox again."""
    script = [hello(3), {"type": "resync", "cursor": 8}, event(9)]
    with FeedServer(script) as server:
        enrolled_with(server)
        result = run("watch", "--jsonl", "--cursor", "3", "--count", "1")
    gap = json.loads(result.out.splitlines()[0])
    assert (gap["event"], gap["seq"], gap["approval"]) == ("resync", None, None)


@pytest.mark.parametrize("option", [[], ["--jsonl"]])
def test_a_signed_out_device_ends_the_watch(run, option):
    """`watch` exits with 4, as every command without a session does."""
    with FeedServer([hello(), 4403]) as server:
        enrolled_with(server)
        assert run("watch", *option).code == Exit.LOGIN_FIRST


ALARM = {
    "event": "alarm.incident_opened",
    "approval": None,
    "agent": {"id": "sayso_ag_9999999999999999", "name": "buyer-helper"},
    "incident": "sayso_in_1111111111111111",
}


def test_an_alarm_names_its_agent(run):
    """Plain lines and JSON both name the agent and the incident."""
    with FeedServer([hello(), event(1, **ALARM)], [hello(), event(1, **ALARM)]) as server:
        enrolled_with(server)
        (line,) = run("watch", "--count", "1").out.splitlines()
        result = run("watch", "--jsonl", "--cursor", "0", "--count", "1")
    expected = "sayso_ag_9999999999999999  buyer-helper  incident sayso_in_1111111111111111"
    assert line.endswith(f"  alarm.incident_opened  {expected}")
    document = json.loads(result.out)
    assert document["about"] == {"agent": ALARM["agent"], "incident": ALARM["incident"]}
    assert problems(document) == []


def test_only_an_alarm_has_a_subject(run):
    """In an event that is not an alarm, `about` is null."""
    with FeedServer([hello(), event(1)]) as server:
        enrolled_with(server)
        assert json.loads(run("watch", "--jsonl", "--count", "1").out)["about"] is None
