"""Each verb once, on an installation with an agent and a pending request."""

import json
import re
import signal
import subprocess
import sys
import time

import pytest

from server.http.approvals import oversight_wire
from server.model.consents import Consent
from server.protocol.approvals.states import State
from server.services.approvals import withdrawals
from server.services.approvals.oversight import Oversight
from tests.support.builders.clock import DAY
from tests.support.builders.installation import PAYMENT, open_admin

AGENT = ("agents", "add", "invoice-bot", "--owner", "admin")
CEILING = ("--resource", "https://pay.example", "--scope", "payments:read")
EC = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}


@pytest.fixture
def services(admin_cli, data_folder):
    """The services of the same installation, to create what only agents and devices create."""
    admin_cli(*AGENT, *CEILING)
    services = open_admin(data_folder)
    services.clock.moment = int(time.time() * 1000)
    yield services
    services.store.close()


@pytest.fixture
def asked(services):
    """A pending request to the administrator."""
    return services.approval(
        services.agents.show("invoice-bot")[0].id, services.users.show("admin")[0].id
    )


def test_statistics_list_days_agents_and_users_with_warnings(admin_cli, services, asked):
    """The warnings name what should be looked at."""
    document = admin_cli("approvals", "statistics", "--days", "3", "--json").document
    assert (document["pending"], document["total"]["waiting"], len(document["days"])) == (1, 1, 3)
    assert document["agents"][0]["name"] == "invoice-bot"
    assert (document["people"][0]["name"], document["people"][0]["busiest"]) == ("admin", 1)
    assert document["ending"][-1]["within_seconds"] is None
    assert sum(one["low"] + one["medium"] for one in document["ending"]) == 1
    own = admin_cli("approvals", "statistics", "--days", "3", "--agent", "invoice-bot", "--json")
    assert (own.document["total"]["waiting"], len(own.document["days"])) == (1, 3)
    lines = admin_cli("approvals", "statistics", "--agent", "invoice-bot").out.splitlines()
    assert (lines[0].split()[0], len(lines)) == ("DAY", 15)
    printed = admin_cli("approvals", "statistics").out
    assert "1 pending now." in printed
    assert "asked" not in printed.splitlines()[-1]
    owner, agent = asked.user_id, asked.agent_id
    now = services.clock.now()
    for _ in range(31):
        times = {"created_at": now, "seen_at": now, "decided_at": now + 1}
        services.approval(agent, owner, state=State.REDEEMED, **times)
    printed = admin_cli("approvals", "statistics").out
    assert (
        "Requests of invoice-bot are nearly always approved, faster than anyone reads." in printed
    )
    assert "admin was asked 32 times in one day." in printed


def test_limits_list_each_setting_and_who_reached_it(admin_cli, services, asked):
    """Each limit names the setting that changes it."""
    document = admin_cli("approvals", "limits", "--json").document
    found = {one["name"]: one for one in document["items"]}
    assert found["open_per_agent"]["setting"] == "SAYSO_OPEN_PER_AGENT"
    assert found["unknown_users"]["setting"] is None
    assert found["open_per_agent"]["near"] == []
    for _ in range(9):
        services.approval(asked.agent_id, asked.user_id)
    (near,) = admin_cli("approvals", "limits", "--json").document["items"][0]["near"]
    assert (near["agent"]["name"], near["user"]["name"], near["count"]) == (
        "invoice-bot",
        "admin",
        10,
    )
    printed = admin_cli("approvals", "limits").out
    assert "SAYSO_OPEN_IN_ALL" in printed
    assert "invoice-bot and admin is at open_per_agent: 10 of 10." in printed


def test_a_request_is_listed_shown_and_withdrawn(admin_cli, services, asked):
    """Across users; the headline is the one that the approver saw."""
    (item,) = admin_cli("approvals", "list", "--state", "pending", "--json").document["items"]
    assert (item["id"], item["headline"]) == (asked.id, "Read payments")
    assert (item["agent"]["name"], item["user"]["name"]) == ("invoice-bot", "admin")
    assert item["fingerprint"] == "9f86-d081"
    assert "Read payments" in admin_cli("approvals", "list", "--agent", "invoice-bot").out
    assert "9f86-d081" in admin_cli("approvals", "show", asked.id).out
    cancelled = admin_cli("approvals", "cancel", asked.id, "--reason", "Wrong supplier", "--json")
    assert cancelled.document["state"] == "cancelled"
    reason = "administrator: Wrong supplier"
    assert services.state(asked) == (State.CANCELLED, reason)
    document = admin_cli("approvals", "show", asked.id, "--json").document
    assert [one["members"]["facts"] for one in document["entries"]] == [
        {"reason": "Wrong supplier"}
    ]
    assert document["display"] == asked.display
    seen = Oversight(services.store).approval(asked.id)
    assert document == oversight_wire.approval_details(seen).model_dump(by_alias=True)
    again = admin_cli("approvals", "cancel", asked.id, "--reason", "again", "--json")
    assert (again.code, again.error["code"]) == (6, "conflict")


def test_a_request_is_escalated_to_one_more_user(admin_cli, services, asked):
    """The name selects the user; one who can already decide cannot be added."""
    admin_cli("users", "add", "ben")
    escalated = admin_cli("approvals", "escalate", asked.id, "--to", "ben")
    assert escalated.out == f"ben can now decide {asked.id} too.\n"
    document = admin_cli("approvals", "show", asked.id, "--json").document
    assert [entry["type"] for entry in document["entries"]] == ["approval.escalated"]
    for name in ("ben", "admin"):
        again = admin_cli("approvals", "escalate", asked.id, "--to", name, "--json")
        assert (again.code, again.error["code"]) == (6, "conflict")
    assert services.state(asked) == (State.PENDING, None)


def test_a_request_names_the_one_it_superseded(admin_cli, services, asked):
    """The ID names it, and the earlier request names its successor."""
    newer = services.approval(asked.agent_id, asked.user_id, id="sayso_ap_2", supersedes=asked.id)
    with services.store.write() as tx:
        withdrawals.cancel_superseded(tx, asked, newer)
    document = admin_cli("approvals", "show", newer.id, "--json").document
    assert document["supersedes"] == asked.id
    shown = admin_cli("approvals", "show", newer.id).out
    assert ["supersedes", asked.id] in [line.split() for line in shown.splitlines()]
    earlier = admin_cli("approvals", "show", asked.id).out
    assert "superseded" in earlier
    assert f"superseded_by={newer.id}" in earlier


@pytest.mark.parametrize(
    ("decided_by", "words"),
    [
        ({"consent": "sayso_co_1", "policy": 3}, "consent sayso_co_1, by version 3"),
        (
            {"standing_grant": "sayso_sg_1", "use": 2, "policy": 3},
            "use 2 of sayso_sg_1, by version 3",
        ),
    ],
)
def test_a_request_decided_by_a_consent_or_a_standing_grant_names_it(
    admin_cli, services, asked, decided_by, words
):
    """It names the consent, or the use and its standing grant."""
    decided = {"id": "sayso_ap_2", "state": State.APPROVED, "decided_by": json.dumps(decided_by)}
    found = services.approval(asked.agent_id, asked.user_id, **decided)
    assert words in admin_cli("approvals", "show", found.id).out
    assert admin_cli("approvals", "show", found.id, "--json").document["decided_by"] == decided_by


def test_consents_are_listed_and_revoked(admin_cli, services, asked):
    """Across users. Giving one takes a device; a second revocation finds nothing."""
    until = services.clock.now() + DAY
    consent = Consent(
        id="sayso_co_1",
        user_id=asked.user_id,
        client_id=asked.agent_id,
        app_id="sayso_app_chat",
        resource="https://pay.example",
        scopes=("payments:read",),
        created_at=services.clock.now(),
        expires_at=until,
        revoked_at=None,
        approval_id=asked.id,
    )
    with services.store.write() as tx:
        tx.consents.add(consent)
    (item,) = admin_cli("consents", "list", "--client", "invoice-bot", "--json").document["items"]
    assert (item["id"], item["state"], item["scopes"]) == ("sayso_co_1", "live", ["payments:read"])
    assert (item["client"]["name"], item["user"]["name"]) == ("invoice-bot", "admin")
    assert item["app"]["id"] == "sayso_app_chat"
    assert "payments:read" in admin_cli("consents", "list", "--user", "admin").out
    revoked = admin_cli("consents", "revoke", "sayso_co_1", "--json").document
    assert (revoked["state"], revoked["tokens_revoked"]) == ("revoked", 0)
    again = admin_cli("consents", "revoke", "sayso_co_1", "--json")
    assert (again.code, again.error["code"]) == (6, "conflict")
    assert admin_cli("consents", "revoke", "sayso_co_2").code == 3
    assert admin_cli("consents", "list", "--json").document == {"items": []}
    assert len(admin_cli("consents", "list", "--ended", "--json").document["items"]) == 1


def test_disabling_an_agent_prints_what_it_ended(admin_cli, services, asked):
    """The counts are those of the audit log entry."""
    services.token(asked.agent_id, asked.user_id)
    preview = admin_cli("agents", "disable", "invoice-bot", "--dry-run", "--json").document
    assert (preview["state"], preview["requests_cancelled"]) == ("enabled", 1)
    output = admin_cli("agents", "disable", "invoice-bot", "--dry-run").out
    assert "Nothing was changed." in output
    assert "Requests cancelled: 1, of which 0 had been approved." in output
    document = admin_cli("agents", "disable", "invoice-bot", "--json").document
    assert document == {**preview, "state": "disabled"}
    assert (document["tokens_revoked"], document["requests_cancelled"]) == (1, 1)
    assert admin_cli("agents", "enable", "invoice-bot", "--json").document["state"] == "enabled"
    assert admin_cli("agents", "delete", "invoice-bot", "--json").document["state"] == "deleted"
    assert admin_cli("agents", "show", "invoice-bot").code == 3


def test_disabling_a_user_prints_what_it_ended_and_how_to_enable(admin_cli, services, asked):
    """The command that enables the user is named."""
    services.token(asked.agent_id, asked.user_id)
    document = admin_cli("users", "disable", "admin", "--json").document
    assert (document["tokens_revoked"], document["requests_cancelled"]) == (1, 1)
    assert "sayso users enable admin" in admin_cli("users", "disable", "admin").out
    assert admin_cli("users", "enable", "admin", "--json").document["state"] == "enabled"


def test_devices_are_listed_unlocked_and_revoked(admin_cli, services):
    """A device with an exhausted PIN needs a new code, and the output says so."""
    admin = services.users.show("admin")[0]
    locked = services.device(admin, pin_tries=10)
    exhausted_device = services.device(admin, name="old", pin_tries=10, pin_unconfirmed=50)
    assert "locked" in admin_cli("devices", "list", "--user", "admin").out
    done = admin_cli("users", "unlock", "admin")
    assert "laptop" in done.out
    assert "The PIN of old was tried too often. Run: sayso users enrol admin" in done.out
    shown = {
        d["id"]: d["pin"] for d in admin_cli("users", "show", "admin", "--json").document["devices"]
    }
    assert shown[locked.id] == {"tries": 0, "left": 10, "locked": False, "exhausted": False}
    assert shown[exhausted_device.id]["exhausted"] is True
    assert admin_cli("devices", "revoke", locked.id, "--json").document["state"] == "revoked"
    assert "was already revoked" in admin_cli("devices", "revoke", locked.id).out
    states = {d["id"]: d["state"] for d in admin_cli("devices", "list", "--json").document["items"]}
    assert states == {locked.id: "revoked", exhausted_device.id: "active"}
    assert "laptop" in admin_cli("users", "show", "admin").out


def test_update_changes_a_user(admin_cli):
    """What is not named stays; setting and clearing at once is refused."""
    admin_cli("users", "add", "ana", "--email", "ana@example.com")
    document = admin_cli("users", "update", "ana", "--role", "auditor", "--json").document
    assert (document["email"], document["roles"]) == ("ana@example.com", ["auditor"])
    document = admin_cli("users", "update", "ana", "--no-email", "--no-role", "--json").document
    assert (document["email"], document["roles"]) == (None, [])
    assert admin_cli("users", "update", "ana", "--email", "a@b", "--no-email").code == 2
    assert "ana" in admin_cli("users", "update", "ana").out


def test_update_changes_an_agent(admin_cli):
    """A list replaces the old one; `--no-scope` empties it."""
    admin_cli(*AGENT, *CEILING)
    update = ("agents", "update", "invoice-bot")
    document = admin_cli(*update, "--expires", "90d", "--grant", "ciba", "--json").document
    assert document["expires_at"] is not None
    assert document["grant_types"] == ["urn:openid:params:grant-type:ciba"]
    document = admin_cli(*update, "--never-expires", "--no-scope", "--json").document
    assert (document["expires_at"], document["scopes"]) == (None, [])
    assert document["resources"] == ["https://pay.example"]
    assert admin_cli(*update, "--scope", "payments:read", "--no-scope").code == 2
    assert "may ask" in admin_cli(*update, "--description", "Pays bills").out


def test_an_agent_with_keys_gets_example_calls_with_an_assertion(admin_cli, tmp_path):
    """There is no secret to print."""
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"keys": [EC]}))
    done = admin_cli(*AGENT, *CEILING, "--auth", "private_key_jwt", "--jwks", str(keys))
    assert "SECRET" not in done.out
    assert "client_assertion=$ASSERTION" in done.out
    assert admin_cli("agents", "rotate-secret", "invoice-bot", "--json").error["code"] == "conflict"
    keys.write_text(json.dumps({"keys": [{**EC, "d": "AA"}]}))
    private = admin_cli("agents", "update", "invoice-bot", "--jwks", str(keys), "--json")
    assert (private.code, "is private" in private.error["message"]) == (2, True)
    keys.write_bytes(b"\xff\xfe")
    assert admin_cli("agents", "update", "invoice-bot", "--jwks", str(keys), "--json").code == 2


def test_an_agent_with_client_credentials_gets_one_example_call(admin_cli):
    """The call posts the secret if the agent uses `client_secret_post`."""
    flags = ("--grant", "client_credentials", "--auth", "client_secret_post")
    out = admin_cli(*AGENT, *CEILING, *flags).out
    assert out.count("  curl ") == 1
    assert '"client_secret=$SECRET"' in out


def test_a_resource_is_shown_changed_and_deleted(admin_cli):
    """The agents that lose it are named."""
    admin_cli(*AGENT, *CEILING)
    uri = "https://pay.example"
    flags = ("--scope", "new", "--remove-scope", "payments:transfer")
    document = admin_cli("resources", "update", uri, *flags, "--json").document
    assert document["scopes"] == {"payments:read": "low", "new": "medium"}
    assert "new=medium" in admin_cli("resources", "show", uri).out
    assert admin_cli("resources", "delete", uri, "--json").document == {
        "uri": uri,
        "deleted": True,
        "tokens_revoked": 0,
        "requests_cancelled": 0,
        "agents_narrowed": ["invoice-bot"],
        "apps_narrowed": [],
    }


def test_a_request_shows_what_was_unusual(admin_cli, services):
    """The words are those of the approver; a consent has no such line."""
    reasons = [
        {"code": "new_agent", "text": "New."},
        {"code": "new_scope", "text": "First time."},
    ]
    agent, user = services.agents.show("invoice-bot")[0].id, services.users.show("admin")[0].id
    for unusual, line in ((reasons, "New. First time. Why."), ([], "Why."), (None, None)):
        display = {"unusual": unusual, "compared": "Why."}
        shown = services.approval(agent, user, display=json.dumps(display))
        out = admin_cli("approvals", "show", shown.id).out
        assert (
            [row.split(None, 1)[1] for row in out.splitlines() if row.startswith("unusual")]
        ) == ([] if line is None else [line])
        document = admin_cli("approvals", "show", shown.id, "--json").document
        assert json.loads(document["display"]).get("unusual") == unusual


def test_an_action_type_is_shown_changed_and_deleted(admin_cli, tmp_path):
    """A scope that requires it prevents its deletion."""
    file = tmp_path / "payment.json"
    file.write_text(json.dumps(PAYMENT))
    assert admin_cli("actions", "add", str(file), "--json").document["version"] == 1
    assert '"headline"' in admin_cli("actions", "show", "payment.transfer").out
    file.write_text(json.dumps({**PAYMENT, "risk": "critical"}))
    document = admin_cli("actions", "update", str(file), "--json").document
    assert (document["version"], document["risk"]) == (2, "critical")
    need = ("resources", "update", "https://pay.example", "--requires")
    admin_cli(*need, "payments:transfer=payment.transfer")
    held = admin_cli("actions", "delete", "payment.transfer", "--json")
    assert held.error["code"] == "conflict"
    admin_cli(*need, "payments:transfer=")
    assert admin_cli("actions", "delete", "payment.transfer", "--json").document["deleted"] is True


def test_a_built_in_action_type_is_printed_and_registered_by_name(admin_cli):
    """A payment needs no file."""
    listed = admin_cli("actions", "builtin", "--json").document["items"]
    assert {"type", "risk", "title", "headline"} == set(listed[0])
    assert "sayso actions add --builtin" in admin_cli("actions", "builtin").out
    printed = admin_cli("actions", "builtin", "data.delete")
    assert (
        json.loads(printed.out) == admin_cli("actions", "builtin", "data.delete", "--json").document
    )
    added = admin_cli("actions", "add", "--builtin", "data.delete", "--json").document
    assert (added["type"], added["version"]) == ("data.delete", 1)
    shown = admin_cli("actions", "show", "data.delete", "--json").document
    assert shown["document"] == json.loads(printed.out)
    assert (
        admin_cli("actions", "update", "--builtin", "data.delete", "--json").document["version"]
        == 1
    )
    again = admin_cli("actions", "add", "--builtin", "data.delete", "--json")
    assert (again.code, again.error["code"]) == (6, "exists")


def test_an_action_type_shows_its_type_back_and_narrowing_rules(admin_cli, tmp_path):
    """People read sentences, and scripts read members."""
    admin_cli("actions", "add", "--builtin", "payment.transfer")
    out = admin_cli("actions", "show", "payment.transfer").out
    rule = "typed back: /amount; for a new target the last four characters of /account"
    assert f"{rule}\ncan be narrowed: /amount (lower)\n" in out
    assert "agent, permissions, hour; new by its /account; how much by its /amount\n" in out
    document = admin_cli("actions", "show", "payment.transfer", "--json").document
    assert document["type_back"] == {
        "fact": "/amount",
        "part": "whole",
        "new_target": {"fact": "/account", "part": "last_four"},
        "if_there": None,
    }
    assert (document["narrow"], document["target"]) == ({"/amount": "lower"}, "/account")
    admin_cli("actions", "add", "--builtin", "message.send")
    says = "typed back: /domains/0; if present /external_domains/0\n"
    assert says in admin_cli("actions", "show", "message.send").out
    admin_cli("actions", "add", "--builtin", "secret.rotate")
    assert (
        "typed back: /key\ncan be narrowed: none\n"
        in admin_cli("actions", "show", "secret.rotate").out
    )
    file = tmp_path / "plain.json"
    file.write_text(json.dumps({**PAYMENT, "type": "plain"}))
    assert admin_cli("actions", "add", str(file), "--json").document["type_back"] is None
    assert "typed back: nothing\n" in admin_cli("actions", "show", "plain").out


def test_an_action_type_comes_from_a_file_or_the_built_in_types(admin_cli, tmp_path):
    """Giving both or neither, or a type without a headline, is refused with the remedy."""
    file = tmp_path / "payment.json"
    file.write_text(json.dumps(PAYMENT))
    for arguments in ((), (str(file), "--builtin", "payment.transfer")):
        assert "either FILE or --builtin" in admin_cli("actions", "add", *arguments).err
    assert (
        admin_cli("actions", "add", "--builtin", "payment", "--json").error["code"] == "not_found"
    )
    assert "without a headline" in admin_cli("actions", "add", "--builtin", "generic").err
    assert admin_cli("actions", "list", "--json").document["items"] == []


def test_an_action_type_without_a_headline_states_how_it_is_shown(admin_cli, tmp_path):
    """The type has high risk, whatever its file says."""
    file = tmp_path / "bare.json"
    bare = {name: PAYMENT[name] for name in ("type", "title", "schema")}
    file.write_text(json.dumps({**bare, "risk": "low"}))
    expected_text = "It has no headline, so `generic` shows it, at high risk."
    assert expected_text in admin_cli("actions", "add", str(file)).out
    assert expected_text in admin_cli("actions", "show", "payment.transfer").out
    file.write_text(json.dumps({**bare, "title": "Move money"}))
    assert expected_text in admin_cli("actions", "update", str(file)).out
    assert admin_cli("actions", "list", "--json").document["items"][0]["risk"] == "high"


def test_a_revoked_key_is_replaced_by_another(admin_cli):
    """The output names both; resources that verify signatures must fetch the key set again."""
    (old,) = [
        key
        for key in admin_cli("keys", "list", "--json").document["items"]
        if (key["alg"], key["state"]) == ("RS256", "active")
    ]
    done = admin_cli("keys", "revoke", old["kid"], "--json").document
    assert (done["kid"], done["alg"], done["revoked"]) == (old["kid"], "RS256", True)
    kids = [key["kid"] for key in admin_cli("keys", "list", "--json").document["items"]]
    assert done["replaced_by"]["kid"] in kids
    assert old["kid"] not in kids
    again = admin_cli("keys", "revoke", done["replaced_by"]["kid"])
    assert "fetch the key set again" in again.out
    missing = admin_cli("keys", "revoke", old["kid"], "--json")
    assert (missing.code, missing.error["code"]) == (3, "not_found")


def test_a_resource_secret_is_rotated(admin_cli):
    """Each secret is printed once."""
    uri = "https://mail.example"
    first = admin_cli("resources", "add", uri, "--json").document
    assert first["client_id"].startswith("sayso_rs_")
    assert first["client_secret"].startswith("sayso_rk_")
    there = admin_cli("resources", "add", uri, "--if-missing", "--json").document
    assert there["client_id"] == first["client_id"]
    assert "client_secret" not in there
    second = admin_cli("resources", "rotate-secret", uri, "--overlap", "1h", "--json").document
    assert second["client_secret"] != first["client_secret"]
    assert [secret["hint"] for secret in second["secrets"]] == [
        first["client_secret"][-4:],
        second["client_secret"][-4:],
    ]
    plain = admin_cli("resources", "rotate-secret", uri, "--overlap", "0").out
    assert "SECRET=sayso_rk_" in plain
    assert "/introspect" in plain
    assert first["client_id"] in admin_cli("resources", "show", uri).out


def test_rotated_keys_are_both_published(admin_cli):
    """The old key has an end."""
    admin_cli("keys", "rotate", "--alg", "EdDSA", "--json")
    keys = admin_cli("keys", "list", "--json").document["items"]
    ends = {key["state"]: key["retires_at"] for key in keys if key["alg"] == "EdDSA"}
    assert set(ends) == {"active", "retiring"}
    assert ends["retiring"].endswith("Z")


def test_agent_invitations_are_created_and_revoked(admin_cli):
    """The token is printed once, with a command that uses it."""
    admin_cli("users", "add", "ana")
    flags = ("--owner", "ana", *CEILING, "--uses", "3", "--expires", "1d", "--grant", "ciba")
    document = admin_cli("agents", "invite", *flags, "--json").document
    assert document["initial_access_token"].startswith("sayso_it_")
    assert (document["owner"], document["uses_left"], document["asks"]) == ("ana", 3, ["ana"])
    output = admin_cli("agents", "invite", "--owner", "ana", "--asks-everybody").out
    assert "TOKEN=sayso_it_" in output
    assert "/register" in output
    items = admin_cli("agents", "invitations", "--json").document["items"]
    assert sorted(item["uses_left"] for item in items) == [1, 3]
    assert "initial_access_token" not in items[0]
    ended = admin_cli("agents", "uninvite", document["id"], "--json").document
    assert ended["revoked_at"].endswith("Z")
    assert "revoked" in admin_cli("agents", "invitations").out
    assert "is revoked" in admin_cli("agents", "uninvite", document["id"]).out
    assert admin_cli("agents", "uninvite", "none", "--json").error["code"] == "not_found"
    both = ("--owner", "ana", "--asks", "ana", "--asks-everybody")
    assert admin_cli("agents", "invite", *both, "--json").code == 2


def test_the_audit_log_is_shown_and_searched(admin_cli, asked):
    """The actor, the subject and the age are searched; names and IDs work."""
    admin_cli("agents", "disable", "invoice-bot")
    agent, admin = asked.agent_id, asked.user_id
    found = {
        query: admin_cli("audit", "search", *query, "--json").document["items"]
        for query in (
            ("--agent", "invoice-bot", "--type", "agent.disabled"),
            ("--agent", agent, "-n", "1"),
            ("--user", "admin", "--type", "user.added", "--since", "1h", "--until", "2099-01-01"),
            ("--user", admin, "--type", "user.added", "--actor", "operator"),
            ("--resource", "https://pay.example", "--type", "resource.added"),
            ("--approval", asked.id, "--type", "approval.cancelled"),
            ("--until", "1h"),
            ("--correlation", "none"),
        )
    }
    assert [[entry["type"] for entry in entries] for entries in found.values()] == [
        ["agent.disabled"],
        ["agent.disabled"],
        ["user.added"],
        ["user.added"],
        ["resource.added"],
        ["approval.cancelled"],
        [],
        [],
    ]
    (entry,) = admin_cli("audit", "search", "--type", "agent.disabled", "--json").document["items"]
    assert admin_cli("audit", "show", entry["id"], "--json").document == entry
    assert "agent.disabled" in admin_cli("audit", "show", entry["id"]).out
    assert (
        admin_cli("audit", "search", "--before", entry["id"], "--type", "agent.disabled").code == 0
    )
    timeline = admin_cli("audit", "show", asked.id)
    assert re.fullmatch(
        "    [+]0.0 s  .*Z  approval.cancelled .*cause=agent_disabled.*\n", timeline.out
    )
    items = admin_cli("audit", "show", asked.id, "--json").document["items"]
    assert [one["type"] for one in items] == ["approval.cancelled"]
    same = admin_cli("audit", "show", items[0]["id"], "--timeline", "--json").document["items"]
    assert same == items
    assert admin_cli("audit", "show", "nothing", "--json").error["code"] == "not_found"
    assert admin_cli("audit", "search", "--agent", "nobody", "--json").error["code"] == "not_found"


def test_a_followed_audit_log_prints_entries_of_other_processes(admin_cli):
    """Each entry once, as one document per line, until interrupted."""
    program = [sys.executable, "-c", "from server.cli.main import main; main()"]
    follow = ["audit", "tail", "-n", "1", "--follow", "--jsonl"]
    with subprocess.Popen([*program, *follow], stdout=subprocess.PIPE, text=True) as process:
        assert json.loads(process.stdout.readline())["type"] == "resource.added"
        admin_cli("users", "add", "ana")
        event_types = [json.loads(process.stdout.readline())["type"] for _ in range(2)]
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 130
        assert process.stdout.read() == ""
    assert event_types == ["user.added", "code.issued"]


def test_token_lifetimes_and_served_resources_are_set_and_cleared(admin_cli):
    """Each is set by one flag and cleared by another; both at once is a usage error."""
    support_desk = "https://desk.example"
    made = admin_cli("resources", "add", support_desk, "--token-seconds", "60", "--json").document
    assert made["token_seconds"] == 60
    assert "60 seconds" in admin_cli("resources", "show", support_desk).out
    both = ("--token-seconds", "60", "--no-token-seconds")
    assert admin_cli("resources", "update", support_desk, *both).code == 2
    changed = admin_cli(
        "resources", "update", support_desk, "--no-token-seconds", "--json"
    ).document
    assert changed["token_seconds"] is None

    pay = ("https://pay.example", "payments:read")
    admin_cli(*AGENT, *CEILING, "--serves", support_desk, "--token-seconds", "30", "--only", *pay)
    shown = admin_cli("agents", "show", "invoice-bot", "--json").document
    assert (shown["serves"], shown["token_seconds"]) == ([support_desk], 30)
    assert shown["only"] == {"https://pay.example": ["payments:read"]}
    assert "at https://pay.example: payments:read" in admin_cli("agents", "show", "invoice-bot").out
    assert admin_cli("agents", "update", "invoice-bot", "--only", *pay, "--no-only").code == 2
    assert "30 seconds" in admin_cli("agents", "show", "invoice-bot").out
    assert (
        admin_cli("agents", "update", "invoice-bot", "--serves", support_desk, "--no-serves").code
        == 2
    )
    assert admin_cli("agents", "update", "invoice-bot", *both).code == 2
    freed = admin_cli(
        "agents",
        "update",
        "invoice-bot",
        "--no-serves",
        "--no-token-seconds",
        "--no-only",
        "--json",
    )
    assert (freed.document["serves"], freed.document["token_seconds"]) == ([], None)
    assert freed.document["only"] == {}


def test_agent_labels_are_set_and_cleared(admin_cli):
    """Each is set by one flag and cleared by another; both at once is a usage error."""
    labelled = admin_cli(*AGENT, "--label", "team=finance", "--label", "pilot", "--json").document
    assert labelled["labels"] == ["pilot", "team=finance"]
    assert "pilot, team=finance" in admin_cli("agents", "show", "invoice-bot").out
    assert admin_cli("agents", "update", "invoice-bot", "--label", "NO").code == 2
    assert admin_cli("agents", "update", "invoice-bot", "--label", "x", "--no-label").code == 2
    freed = admin_cli("agents", "update", "invoice-bot", "--no-label", "--json").document
    assert freed["labels"] == []
