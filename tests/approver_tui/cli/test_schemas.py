"""Every JSON document matches `docs/reference/approver-json.md`."""

import json
import re

import pytest

from approver_tui.client.operations import diagnosis
from tests.approver_tui.cli.conftest import PIN
from tests.approver_tui.cli.notifications.test_watch import enrolled_with
from tests.approver_tui.client.conftest import wire_consent
from tests.support.builders.approval_texts import USER, to_rfc3339, wire_approval
from tests.support.builders.multi_approver import a_vote, of_two
from tests.support.checks.source import ROOT
from tests.support.fakes.feed_server import FeedServer, event, hello
from tests.support.inputs.json_forms import problems, schemas

EXPIRED = {"state": "expired", "reason": "expired_unseen", "retry": "possible"}
_NIGHT = ("quiet", "set", "--from", "22:00", "--to", "07:00", "--zone", "UTC")
_TESTED_ELSEWHERE = {"sayso.event/1", "sayso.error/1", "sayso.proof/1", "sayso.audit-log/1"}
"""Schemas that other tests compare with the reference."""


def test_every_document_is_described():
    """The schemas in the code are exactly those in the reference."""
    sources = (ROOT / "approver_tui" / "cli").rglob("*.py")
    named = {
        name for path in sources for name in re.findall(r'"(sayso\.[\w-]+/\d+)"', path.read_text())
    }
    assert named == schemas()


def test_each_document_has_the_described_members(logged_in, server, monkeypatch):
    """Every command runs once, with waiting, decided, unusual, unverified and narrowed requests."""
    monkeypatch.setattr(diagnosis, "_FEED_SECONDS", 0.1)
    seen = set()
    for arguments, stdin in list(command_lines(server)):
        result = logged_in(*arguments, stdin=stdin)
        for line in result.out.splitlines():
            document = json.loads(line)
            seen.add(document["schema"])
            if arguments[:2] != ("devices", "revoke"):
                assert problems(document) == [], (arguments, line)
    assert seen >= schemas() - _TESTED_ELSEWHERE - {"sayso.login/1"}


def command_lines(server):
    """Yield arguments and stdin of commands, ordered so that each command has data to print."""
    waiting, to_report, to_deny, unusual, unverified = (server.add() for _ in range(5))
    unverified["display"] = "{}"
    extra = wire_approval(number=9, now=server.now())
    server.add(extra)
    server.consents.append(wire_consent(server))
    server.grants.append(grant(server))
    for command in ("inbox", "history"):
        yield (command, "--json"), ""
        yield (command, "--jsonl"), ""
    yield ("show", str(unusual["id"]), "--json"), ""
    yield ("deny", str(to_deny["id"]), "--code", "too_broad", "--note", "less", "--json"), ""
    yield ("deny", str(to_deny["id"]), str(server.add()["id"]), "--code", "too_broad", "--json"), ""
    yield ("report", str(to_report["id"]), "--json"), ""
    yield ("history", "--json"), ""
    yield ("extend", str(waiting["id"]), "--json"), ""
    expired = server.add(wire_approval(number=8, now=server.now(), outer=EXPIRED))
    yield ("retry", str(expired["id"]), "--json"), ""
    voted = server.add(wire_approval(number=7, now=server.now(), outer=of_two(a_vote(USER))))
    yield ("withdraw", str(voted["id"]), "--json"), ""
    yield ("snooze", str(waiting["id"]), "--json"), ""
    yield ("mute", "invoice-bot", "--json"), ""
    yield (*_NIGHT, "--json"), ""
    yield ("quiet", "--json"), ""
    yield ("unmute", "invoice-bot", "--json"), ""
    yield ("devices", "add", "--pin-stdin", "--json"), PIN
    deputy = ("deputies", "add", "bob", "--to", "2026-12-24")
    yield (*deputy, "--pin-stdin", "--json"), PIN
    yield ("deputies", "--json"), ""
    yield ("deputies", "revoke", "sayso_dy_1", "--json"), ""
    yield ("consents", "--json"), ""
    yield ("revoke", str(server.consents[0]["id"]), "--json"), ""
    yield ("grants", "--json"), ""
    proposal = ("--for", "1h", "--uses", "3", "--preview", "--json")
    yield ("grants", "add", str(waiting["id"]), *proposal), ""
    yield ("grants", "show", str(server.grants[0]["id"]), "--json"), ""
    yield ("grants", "revoke", str(server.grants[0]["id"]), "--json"), ""
    for command in (
        "devices",
        "profiles",
        "whoami",
        "status",
        "doctor",
        "config",
        "password",
        "user-code",
    ):
        yield (command, "--json"), ""
    yield ("doctor", "--notify", "--json"), ""
    yield ("devices", "vouch", "sayso_dv_eeeeeeeeeeeeeeee", "--pin-stdin", "--json"), PIN
    yield ("user-code", "set", "--code-stdin", "--pin-stdin", "--json"), f"BCDF\n{PIN}"
    new = "--password-stdin"
    yield ("password", "set", new, "--pin-stdin", "--json"), f"a long password\n{PIN}"
    yield ("logout", "--json"), ""


def grant(server):
    """Return a standing grant with its uses, as the API represents it."""
    use = {"number": 1, "approval": "sayso_ap_b", "minor": 500, "state": "spent"}
    return {
        "id": "sayso_sg_aaaaaaaaaaaaaaaa",
        "state": "live",
        "agent": {"id": "sayso_ag_aaaaaaaaaaaaaaaa", "name": "invoice-bot"},
        "resource": "https://pay.example",
        "scopes": ["payments:read"],
        "type": "payment.transfer",
        "pattern": [{"label": "Amount", "value": "up to EUR 20.00"}],
        "risk": "low",
        "uses": 3,
        "used": 1,
        "sum": {"minor": 3_000, "currency": "EUR", "text": "EUR 30.00"},
        "spent": {"minor": 500, "currency": "EUR", "text": "EUR 5.00"},
        "notify": True,
        "approval": "sayso_ap_aaaaaaaaaaaaaaaa",
        "created_at": to_rfc3339(server.now()),
        "expires_at": to_rfc3339(server.now() + 600_000),
        "ended_at": None,
        "ended_because": None,
        "taken": [{**use, "at": to_rfc3339(server.now())}],
    }


def test_the_documents_of_approve_and_login_are_described(logged_in, run, server):
    """These two run separately, because they need a fingerprint and a machine without a login."""
    approval = server.add()
    fingerprint = logged_in("show", approval["id"], "--json").document["fingerprint"]
    answer = ("approve", approval["id"], "--fingerprint", fingerprint, "--pin-stdin", "--json")
    assert problems(logged_in(*answer, stdin=PIN).document) == []
    run("logout")
    server.code_used, server.revoked = False, []
    code = "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF-GGGG-HHHH"
    login = ("login", server.url, "--code", code, "--pin-stdin", "--json")
    assert problems(run(*login, stdin=PIN).document) == []


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        (("show", "sayso_ap_x"), ""),
        (("inbox", "--nonsense"), ""),
        (("approve", "over", "--fingerprint", "0000-0000"), ""),
        (("user-code", "clear", "--pin-stdin"), "wrong one"),
    ],
)
def test_every_error_is_described(logged_in, arguments, stdin):
    """An error is one JSON object on stderr, with the described members."""
    assert problems(logged_in(*arguments, "--json", stdin=stdin).error) == []


def test_the_error_for_an_ended_request_is_described(logged_in, server):
    """The error has the request and its state."""
    approval = server.add()
    server.decide_elsewhere(approval["id"])
    error = logged_in("deny", approval["id"], "--code", "too_broad", "--json").error
    assert error["approval"]
    assert problems(error) == []


def test_every_line_of_watch_is_described(run):
    """A line of `watch` is an event or a gap, and both are described."""
    script = [hello(3), {"type": "resync", "cursor": 8}, event(9)]
    with FeedServer(script) as server:
        enrolled_with(server)
        result = run("watch", "--jsonl", "--cursor", "3", "--count", "1")
    lines = [json.loads(line) for line in result.out.splitlines()]
    assert [problems(line) for line in lines] == [[], []]
