"""Each flag sets its member of the JSON document.

Flags that need more setup have tests of their own; `tests/architecture/test_flags.py` finds a
flag without a test.
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
SETTING_FLAGS = [
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
"""Flags of both `add` and `update`, the member, and its value."""
CLEARING_FLAGS = [
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
    (("--asks", "admin"), ("--asks-everybody",), "asks", None),
    (PING, ("--delivery", "poll"), "backchannel_client_notification_endpoint", None),
]
"""Flags of `add`, flags of `update`, the member, and its value after the update."""
DEFAULT_FLAGS = ["--no-user-code", "--no-high-grants", "--no-interactive", "--no-dpop"]


@pytest.fixture
def run(admin_cli, tmp_path):
    """A function that runs a command; KEYS and TYPE in its arguments stand for files."""
    files = {"KEYS": tmp_path / "keys.json", "TYPE": tmp_path / "type.json"}
    files["KEYS"].write_text(json.dumps({"keys": [KEY]}))
    files["TYPE"].write_text(json.dumps(PAYMENT))
    assert admin_cli("actions", "add", str(files["TYPE"])).code == 0
    assert admin_cli("users", "add", "eva").code == 0

    def run(*words):
        return admin_cli(*(str(files.get(word, word)) for word in words), "--json").document

    return run


def _id(row):
    return " ".join(word for part in row if isinstance(part, tuple) for word in part)


@pytest.mark.parametrize(("flags", "member", "value"), SETTING_FLAGS, ids=map(_id, SETTING_FLAGS))
def test_a_flag_of_add_or_update_sets_its_member(run, flags, member, value):
    """`add` sets the member of one agent, and `update` sets it on a different agent."""
    assert run(*ADD, *flags)[member] == value
    unflagged = run("agents", "add", "other", "--owner", "admin")
    assert unflagged[member] != value
    assert run("agents", "update", "other", *flags)[member] == value
    assert run("agents", "show", "other")[member] == value


@pytest.mark.parametrize(
    ("before", "flags", "member", "left"), CLEARING_FLAGS, ids=map(_id, CLEARING_FLAGS)
)
def test_a_clearing_flag_removes_what_was_set(run, before, flags, member, left):
    """The member is set by `add` and cleared by `update`."""
    assert run(*ADD, *before)[member] != left
    assert run(*UPDATE, *flags)[member] == left
    assert run("agents", "show", "invoice-bot")[member] == left


@pytest.mark.parametrize("flag", DEFAULT_FLAGS)
def test_a_flag_that_states_the_default_is_accepted_by_add(run, flag):
    """A script may pass the flag to state the default explicitly."""
    result = run(*ADD, flag)
    assert {member: result[member] for member in result if result[member] is True} == {}


def test_agents_are_listed_by_external_id(run):
    """The flag lists only the matching agents."""
    run(*ADD, "--external-id", "erp-7")
    run("agents", "add", "other", "--owner", "admin")
    agents = run("agents", "list", "--external-id", "erp-7")["items"]
    assert [agent["name"] for agent in agents] == ["invoice-bot"]
    assert len(run("agents", "list")["items"]) == 2


def test_an_invitation_is_limited_to_its_action_types(run):
    """An agent registered with the invitation may use no other action types."""
    document = run("agents", "invite", "--owner", "admin", "--action", "payment.transfer")
    assert document["action_types"] == ["payment.transfer"]


def test_flags_set_an_apps_id_token_algorithm_and_dpop_binding(run):
    """`add` sets both members, and `update` changes them."""
    redirect_flags = ("--redirect-uri", "https://chat.example/back")
    bound = ("--id-token-alg", "EdDSA", "--dpop-bound")
    names = ("id_token_signed_response_alg", "dpop_bound_access_tokens")
    app = run("apps", "add", "chat", *redirect_flags, *bound)
    assert [app[name] for name in names] == ["EdDSA", True]
    app = run("apps", "update", "chat", "--id-token-alg", "RS256", "--no-dpop-bound")
    assert [app[name] for name in names] == ["RS256", False]


def test_flags_set_whether_an_app_must_push_its_requests(run):
    """The default is no; `add` and `update` change it."""
    redirect_flags, name = (
        ("--redirect-uri", "https://chat.example/back"),
        "require_pushed_authorization_requests",
    )
    assert run("apps", "add", "talk", *redirect_flags)[name] is False
    assert run("apps", "add", "chat", *redirect_flags, "--require-par")[name] is True
    assert run("apps", "update", "chat", "--no-require-par")[name] is False


def test_a_users_backup_is_set_and_removed(run):
    """`--backup` sets the backup, and `--no-backup` removes it."""
    assert run("users", "update", "eva", "--backup", "admin")["backup"] is not None
    assert run("users", "update", "eva", "--no-backup")["backup"] is None


@pytest.mark.parametrize("insecure", [True, False])
def test_the_insecure_flag_reaches_the_server_options(admin_cli, monkeypatch, insecure):
    """Without the flag a server refuses plain http for other machines."""
    shapes = []
    monkeypatch.setattr(serving, "run", lambda _settings, shape: shapes.append(shape))
    flags = ("--insecure",) if insecure else ()
    assert admin_cli("serve", "--host", "192.0.2.1", *flags).code == 0
    (shape,) = shapes
    assert (shape.host, shape.insecure) == ("192.0.2.1", insecure)


def test_actions_preview_uses_the_details_from_the_command(run, tmp_path):
    """The action type is read from a file or is a built-in one."""
    details_file = tmp_path / "details.json"
    amount = {"minor": 777_00, "currency": "EUR"}
    details_file.write_text(
        json.dumps({"type": "payment.transfer", "amount": amount, "payee": "Kite"})
    )
    preview = run("actions", "preview", "TYPE", "--details", str(details_file))
    assert "EUR 777.00 to Kite" in json.dumps(preview)
    builtin = run("actions", "builtin")["items"]
    assert run("actions", "preview", "--builtin", builtin[0]["type"])


@pytest.mark.parametrize("noun", ["approvals", "delegations"])
def test_lists_accept_a_limit(run, noun):
    """The limit is accepted even if the list is empty."""
    assert run(noun, "list", "--limit", "1") == {"items": []}


def test_grants_are_listed_by_user(run):
    """A user without standing grants has an empty list."""
    assert run("grants", "list", "--user", "eva") == {"items": []}
