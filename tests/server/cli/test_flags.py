"""What a flag says is what is registered: each one, by the member of the document that it is about.

The flags that take longer to tell about have tests of their own; `tests/architecture/test_flags.py`
knows whether one is left out.
"""

import json
from datetime import UTC, datetime, timedelta

import pytest

from server.serving import main as serving
from tests.support.builders.installation import PAYMENT

ADD = ("agents", "add", "invoice-bot", "--owner", "admin")
UPDATE = ("agents", "update", "invoice-bot")
CEILING = ("--resource", "https://pay.example", "--scope", "payments:read")
PING = ("--delivery", "ping", "--notification-endpoint", "https://agent.example/called")
PUSH = ("--delivery", "push", "--notification-endpoint", "https://agent.example/brought")
REVIEW = (datetime.now(UTC) + timedelta(days=365)).strftime("%Y-%m-%dT00:00:00")
KEY = {
    "kty": "EC",
    "crv": "P-256",
    "kid": "k",
    "alg": "ES256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
"""The public key of RFC 7515, appendix A.3."""
SAID = [
    (("--description", "Pays."), "description", "Pays."),
    (PING, "delivery", "ping"),
    (PUSH, "backchannel_client_notification_endpoint", "https://agent.example/brought"),
    (("--user-code",), "backchannel_user_code_parameter", True),
    (("--high-grants",), "high_grants", True),
    (("--interactive",), "interactive", True),
    (("--dpop",), "dpop_bound_access_tokens", True),
    (("--id-token-alg", "RS256"), "id_token_signed_response_alg", "RS256"),
    (
        ("--jwks", "KEYS", "--request-alg", "ES256"),
        "backchannel_authentication_request_signing_alg",
        "ES256",
    ),
    (("--external-id", "erp-7"), "external_id", "erp-7"),
    (("--review", f"{REVIEW}Z"), "review_at", f"{REVIEW}.000Z"),
    (("--action", "payment.transfer"), "action_types", ["payment.transfer"]),
    (("--grant", "ciba"), "grant_types", ["urn:openid:params:grant-type:ciba"]),
    (("--label", "team=finance"), "labels", ["team=finance"]),
    (("--token-seconds", "60"), "token_seconds", 60),
]
"""Of `add` and of `update`."""
TAKEN = [
    (("--user-code",), ("--no-user-code",), "backchannel_user_code_parameter", False),
    (("--high-grants",), ("--no-high-grants",), "high_grants", False),
    (("--interactive",), ("--no-interactive",), "interactive", False),
    (("--dpop",), ("--no-dpop",), "dpop_bound_access_tokens", False),
    (
        ("--jwks", "KEYS", "--request-alg", "ES256"),
        ("--no-request-alg",),
        "backchannel_authentication_request_signing_alg",
        None,
    ),
    (("--external-id", "erp-7"), ("--no-external-id",), "external_id", None),
    (("--review", f"{REVIEW}Z"), ("--no-review",), "review_at", None),
    (("--action", "payment.transfer"), ("--no-action",), "action_types", []),
    (("--action", "payment.transfer"), ("--any-action",), "action_types", None),
    (CEILING, ("--no-resource", "--no-scope"), "resources", []),
    (("--owner", "eva"), ("--remove-owner", "eva"), "owners", ["admin"]),
    (PING, ("--delivery", "poll"), "backchannel_client_notification_endpoint", None),
]
"""What was said when it was added, what `update` says, and what is left."""
PLAIN = ["--no-user-code", "--no-high-grants", "--no-interactive", "--no-dpop"]


@pytest.fixture
def run(begun, tmp_path):
    """A command of an installation with a type and a second person; KEYS and TYPE are files."""
    files = {"KEYS": tmp_path / "keys.json", "TYPE": tmp_path / "type.json"}
    files["KEYS"].write_text(json.dumps({"keys": [KEY]}))
    files["TYPE"].write_text(json.dumps(PAYMENT))
    assert begun("actions", "add", str(files["TYPE"])).code == 0
    assert begun("users", "add", "eva").code == 0

    def run(*words):
        return begun(*(str(files.get(word, word)) for word in words), "--json").document

    return run


def _id(row):
    return " ".join(word for part in row if isinstance(part, tuple) for word in part)


@pytest.mark.parametrize(("flags", "member", "value"), SAID, ids=map(_id, SAID))
def test_what_is_said_when_an_agent_is_added_or_changed_is_what_it_is(run, flags, member, value):
    """By `add` for one, by `update` for another that was not so before."""
    assert run(*ADD, *flags)[member] == value
    plain = run("agents", "add", "other", "--owner", "admin")
    assert plain[member] != value
    assert run("agents", "update", "other", *flags)[member] == value
    assert run("agents", "show", "other")[member] == value


@pytest.mark.parametrize(("before", "flags", "member", "left"), TAKEN, ids=map(_id, TAKEN))
def test_what_is_taken_away_from_an_agent_is_gone(run, before, flags, member, left):
    """And was there before."""
    assert run(*ADD, *before)[member] != left
    assert run(*UPDATE, *flags)[member] == left
    assert run("agents", "show", "invoice-bot")[member] == left


@pytest.mark.parametrize("flag", PLAIN)
def test_an_agent_may_be_added_as_it_is_anyway(run, flag):
    """A script that says it is not told that it may not."""
    said = run(*ADD, flag)
    assert {member: said[member] for member in said if said[member] is True} == {}


def test_agents_are_listed_by_what_another_system_calls_them(run):
    """Those alone; all of them where nothing is said."""
    run(*ADD, "--external-id", "erp-7")
    run("agents", "add", "other", "--owner", "admin")
    found = run("agents", "list", "--external-id", "erp-7")["items"]
    assert [agent["name"] for agent in found] == ["invoice-bot"]
    assert len(run("agents", "list")["items"]) == 2


def test_an_invitation_is_for_the_actions_that_it_names(run):
    """Whoever registers with it may ask for no other."""
    document = run("agents", "invite", "--owner", "admin", "--action", "payment.transfer")
    assert document["action_types"] == ["payment.transfer"]


def test_an_apps_tokens_are_signed_and_bound_as_it_was_said(run):
    """Said when it is added, and changed after it."""
    where = ("--redirect-uri", "https://chat.example/back")
    bound = ("--id-token-alg", "EdDSA", "--dpop-bound")
    names = ("id_token_signed_response_alg", "dpop_bound_access_tokens")
    app = run("apps", "add", "chat", *where, *bound)
    assert [app[name] for name in names] == ["EdDSA", True]
    app = run("apps", "update", "chat", "--id-token-alg", "RS256", "--no-dpop-bound")
    assert [app[name] for name in names] == ["RS256", False]


def test_nobody_is_asked_in_somebodys_place_any_more(run):
    """A backup is named and taken back."""
    assert run("users", "update", "eva", "--backup", "admin")["backup"] is not None
    assert run("users", "update", "eva", "--no-backup")["backup"] is None


@pytest.mark.parametrize("insecure", [True, False])
def test_whoever_serves_others_in_the_clear_has_said_so(begun, monkeypatch, insecure):
    """Without the flag the server refuses such a shape; it gets it as it was said."""
    shapes = []
    monkeypatch.setattr(serving, "run", lambda _settings, shape: shapes.append(shape))
    flags = ("--insecure",) if insecure else ()
    assert begun("serve", "--host", "192.0.2.1", *flags).code == 0
    (shape,) = shapes
    assert (shape.host, shape.insecure) == ("192.0.2.1", insecure)


def test_a_type_is_previewed_with_the_details_that_are_given(run, tmp_path):
    """From a file or one that comes with Sayso; what is shown is what was filled in."""
    said = tmp_path / "details.json"
    amount = {"minor": 777_00, "currency": "EUR"}
    said.write_text(json.dumps({"type": "payment.transfer", "amount": amount, "payee": "Kite"}))
    shown = run("actions", "preview", "TYPE", "--details", str(said))
    assert "EUR 777.00 to Kite" in json.dumps(shown)
    shipped = run("actions", "shipped")["items"]
    assert run("actions", "preview", "--shipped", shipped[0]["type"])


@pytest.mark.parametrize("noun", ["approvals", "delegations"])
def test_a_list_is_no_longer_than_it_is_wanted(run, noun):
    """And a limit that is none is a mistake."""
    assert run(noun, "list", "--limit", "1") == {"items": []}


def test_what_one_person_gave_ahead_is_listed_alone(run):
    """Somebody who gave nothing has nothing there."""
    assert run("grants", "list", "--user", "eva") == {"items": []}
