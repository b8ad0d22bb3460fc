"""Each verb once, on an installation where something is going on."""

import json
import signal
import subprocess
import sys
import time

import pytest

from server.model.consents import Consent
from server.protocol.approvals.states import State
from server.services.approvals import superseding
from tests.support.builders.clock import DAY
from tests.support.builders.installation import PAYMENT, open_desk

AGENT = ("agents", "add", "invoice-bot", "--owner", "admin")
CEILING = ("--resource", "https://pay.example", "--scope", "payments:read")
EC = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}


@pytest.fixture
def desk(begun, folder):
    """The same installation, for arranging what only agents and devices make."""
    begun(*AGENT, *CEILING)
    desk = open_desk(folder)
    desk.clock.moment = int(time.time() * 1000)
    yield desk
    desk.store.close()


@pytest.fixture
def asked(desk):
    """A pending request to the administrator."""
    return desk.approval(desk.agents.show("invoice-bot")[0].id, desk.users.show("admin")[0].id)


def test_statistics_say_who_is_asked_by_whom(begun, desk, asked):
    """By day, agent and person, with a word about what should be looked at."""
    document = begun("approvals", "statistics", "--days", "3", "--json").document
    assert (document["pending"], document["total"]["waiting"], len(document["days"])) == (1, 1, 3)
    assert document["agents"][0]["name"] == "invoice-bot"
    assert (document["people"][0]["name"], document["people"][0]["busiest"]) == ("admin", 1)
    assert document["ending"][-1]["within_seconds"] is None
    assert sum(one["low"] + one["medium"] for one in document["ending"]) == 1
    own = begun("approvals", "statistics", "--days", "3", "--agent", "invoice-bot", "--json")
    assert (own.document["total"]["waiting"], len(own.document["days"])) == (1, 3)
    lines = begun("approvals", "statistics", "--agent", "invoice-bot").out.splitlines()
    assert (lines[0].split()[0], len(lines)) == ("DAY", 15)
    printed = begun("approvals", "statistics").out
    assert "1 pending now." in printed
    assert "asked" not in printed.splitlines()[-1]
    owner, agent = asked.user_id, asked.agent_id
    now = desk.clock.now()
    for _ in range(31):
        times = {"created_at": now, "seen_at": now, "decided_at": now + 1}
        desk.approval(agent, owner, state=State.REDEEMED, **times)
    printed = begun("approvals", "statistics").out
    assert (
        "Requests of invoice-bot are nearly always approved, faster than anyone reads." in printed
    )
    assert "admin was asked 32 times in one day." in printed


def test_limits_say_who_is_at_one(begun, desk, asked):
    """With the setting that changes each."""
    document = begun("approvals", "limits", "--json").document
    found = {one["name"]: one for one in document["items"]}
    assert found["open_per_agent"]["setting"] == "SAYSO_OPEN_PER_AGENT"
    assert found["unknown_users"]["setting"] is None
    assert found["open_per_agent"]["near"] == []
    for _ in range(9):
        desk.approval(asked.agent_id, asked.user_id)
    (near,) = begun("approvals", "limits", "--json").document["items"][0]["near"]
    assert (near["agent"]["name"], near["user"]["name"], near["count"]) == (
        "invoice-bot",
        "admin",
        10,
    )
    printed = begun("approvals", "limits").out
    assert "SAYSO_OPEN_IN_ALL" in printed
    assert "invoice-bot and admin is at open_per_agent: 10 of 10." in printed


def test_a_request_is_listed_shown_and_withdrawn(begun, desk, asked):
    """Across people; the headline is the one that its person was shown."""
    (item,) = begun("approvals", "list", "--state", "pending", "--json").document["items"]
    assert (item["id"], item["headline"]) == (asked.id, "Read payments")
    assert (item["agent"]["name"], item["user"]["name"]) == ("invoice-bot", "admin")
    assert item["fingerprint"] == "9f86-d081"
    assert "Read payments" in begun("approvals", "list", "--agent", "invoice-bot").out
    assert "9f86-d081" in begun("approvals", "show", asked.id).out
    cancelled = begun("approvals", "cancel", asked.id, "--reason", "Wrong supplier", "--json")
    assert cancelled.document["state"] == "cancelled"
    told = "administrator: Wrong supplier"
    assert desk.state(asked) == (State.CANCELLED, told)
    document = begun("approvals", "show", asked.id, "--json").document
    assert [entry["cause"] for entry in document["entries"]] == [told]
    assert document["display"] == asked.display
    again = begun("approvals", "cancel", asked.id, "--reason", "again", "--json")
    assert (again.code, again.error["code"]) == (6, "conflict")


def test_a_request_is_put_to_one_more_person(begun, desk, asked):
    """By name; whose it is already cannot be asked again."""
    begun("users", "add", "ben")
    said = begun("approvals", "escalate", asked.id, "--to", "ben")
    assert said.out == f"ben can now decide {asked.id} too.\n"
    document = begun("approvals", "show", asked.id, "--json").document
    assert [entry["type"] for entry in document["entries"]] == ["approval.escalated"]
    for name in ("ben", "admin"):
        again = begun("approvals", "escalate", asked.id, "--to", name, "--json")
        assert (again.code, again.error["code"]) == (6, "conflict")
    assert desk.state(asked) == (State.PENDING, None)


def test_a_request_says_which_earlier_one_it_replaced(begun, desk, asked):
    """By its id; the earlier one says in its entry by which."""
    newer = desk.approval(asked.agent_id, asked.user_id, id="sayso_ap_2", supersedes=asked.id)
    with desk.store.write() as tx:
        superseding.cancel_superseded(tx, asked, newer)
    document = begun("approvals", "show", newer.id, "--json").document
    assert document["supersedes"] == asked.id
    shown = begun("approvals", "show", newer.id).out
    assert ["supersedes", asked.id] in [line.split() for line in shown.splitlines()]
    earlier = begun("approvals", "show", asked.id).out
    assert "superseded" in earlier
    assert f"superseded_by={newer.id}" in earlier


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"consent": "sayso_co_1", "policy": 3}, "consent sayso_co_1, by version 3"),
        (
            {"standing_grant": "sayso_sg_1", "use": 2, "policy": 3},
            "use 2 of sayso_sg_1, by version 3",
        ),
    ],
)
def test_what_decided_instead_of_a_person_is_named(begun, desk, asked, said, words):
    """A consent, or which use of which standing grant."""
    decided = {"id": "sayso_ap_2", "state": State.APPROVED, "decided_by": json.dumps(said)}
    found = desk.approval(asked.agent_id, asked.user_id, **decided)
    assert words in begun("approvals", "show", found.id).out
    assert begun("approvals", "show", found.id, "--json").document["decided_by"] == said


def test_a_consent_is_listed_and_revoked(begun, desk, asked):
    """Across people; giving one takes a device. A second time there is nothing to revoke."""
    until = desk.clock.now() + DAY
    consent = Consent(
        id="sayso_co_1",
        user_id=asked.user_id,
        client_id=asked.agent_id,
        app_id="sayso_app_chat",
        resource="https://pay.example",
        scopes=("payments:read",),
        created_at=desk.clock.now(),
        expires_at=until,
        revoked_at=None,
        approval_id=asked.id,
    )
    with desk.store.write() as tx:
        tx.consents.add(consent)
    (item,) = begun("consents", "list", "--client", "invoice-bot", "--json").document["items"]
    assert (item["id"], item["state"], item["scopes"]) == ("sayso_co_1", "live", ["payments:read"])
    assert (item["client"]["name"], item["user"]["name"]) == ("invoice-bot", "admin")
    assert item["app"]["id"] == "sayso_app_chat"
    assert "payments:read" in begun("consents", "list", "--user", "admin").out
    revoked = begun("consents", "revoke", "sayso_co_1", "--json").document
    assert (revoked["state"], revoked["tokens_revoked"]) == ("revoked", 0)
    again = begun("consents", "revoke", "sayso_co_1", "--json")
    assert (again.code, again.error["code"]) == (6, "conflict")
    assert begun("consents", "revoke", "sayso_co_2").code == 3
    assert begun("consents", "list", "--json").document == {"items": []}
    assert len(begun("consents", "list", "--ended", "--json").document["items"]) == 1


def test_disabling_an_agent_counts_what_ended(begun, desk, asked):
    """The counts are those of the entry."""
    desk.token(asked.agent_id, asked.user_id)
    preview = begun("agents", "disable", "invoice-bot", "--dry-run", "--json").document
    assert (preview["state"], preview["requests_cancelled"]) == ("enabled", 1)
    told = begun("agents", "disable", "invoice-bot", "--dry-run").out
    assert "Nothing was changed." in told
    assert "Requests cancelled: 1, of which 0 had been approved." in told
    document = begun("agents", "disable", "invoice-bot", "--json").document
    assert document == {**preview, "state": "disabled"}
    assert (document["tokens_revoked"], document["requests_cancelled"]) == (1, 1)
    assert begun("agents", "enable", "invoice-bot", "--json").document["state"] == "enabled"
    assert begun("agents", "delete", "invoice-bot", "--json").document["state"] == "deleted"
    assert begun("agents", "show", "invoice-bot").code == 3


def test_disabling_a_user_counts_what_ended(begun, desk, asked):
    """And the way back is named."""
    desk.token(asked.agent_id, asked.user_id)
    document = begun("users", "disable", "admin", "--json").document
    assert (document["tokens_revoked"], document["requests_cancelled"]) == (1, 1)
    assert "sayso users enable admin" in begun("users", "disable", "admin").out
    assert begun("users", "enable", "admin", "--json").document["state"] == "enabled"


def test_devices_are_listed_unlocked_and_revoked(begun, desk):
    """One whose PIN is worn out needs a new code, and the command says so."""
    admin = desk.users.show("admin")[0]
    locked = desk.device(admin, pin_tries=10)
    worn = desk.device(admin, name="old", pin_tries=10, pin_unconfirmed=50)
    assert "locked" in begun("devices", "list", "--user", "admin").out
    done = begun("users", "unlock", "admin")
    assert "laptop" in done.out
    assert "The PIN of old was tried too often. Run: sayso users enrol admin" in done.out
    shown = {
        d["id"]: d["pin"] for d in begun("users", "show", "admin", "--json").document["devices"]
    }
    assert shown[locked.id] == {"tries": 0, "locked": False, "exhausted": False}
    assert shown[worn.id]["exhausted"] is True
    assert begun("devices", "revoke", locked.id, "--json").document["state"] == "revoked"
    assert "was already revoked" in begun("devices", "revoke", locked.id).out
    states = {d["id"]: d["state"] for d in begun("devices", "list", "--json").document["items"]}
    assert states == {locked.id: "revoked", worn.id: "active"}
    assert "laptop" in begun("users", "show", "admin").out


def test_a_user_is_changed(begun):
    """What is not named stays; setting and taking away at once is refused."""
    begun("users", "add", "ana", "--email", "ana@example.com")
    document = begun("users", "update", "ana", "--role", "auditor", "--json").document
    assert (document["email"], document["roles"]) == ("ana@example.com", ["auditor"])
    document = begun("users", "update", "ana", "--no-email", "--no-role", "--json").document
    assert (document["email"], document["roles"]) == (None, [])
    assert begun("users", "update", "ana", "--email", "a@b", "--no-email").code == 2
    assert "ana" in begun("users", "update", "ana").out


def test_an_agent_is_changed(begun):
    """A list replaces the old one; `--no-scope` empties it."""
    begun(*AGENT, *CEILING)
    update = ("agents", "update", "invoice-bot")
    document = begun(*update, "--expires", "90d", "--grant", "ciba", "--json").document
    assert document["expires_at"] is not None
    assert document["grant_types"] == ["urn:openid:params:grant-type:ciba"]
    document = begun(*update, "--never-expires", "--no-scope", "--json").document
    assert (document["expires_at"], document["scopes"]) == (None, [])
    assert document["resources"] == ["https://pay.example"]
    assert begun(*update, "--scope", "payments:read", "--no-scope").code == 2
    assert "may ask" in begun(*update, "--description", "Pays bills").out


def test_an_agent_with_keys_gets_lines_with_an_assertion(begun, tmp_path):
    """There is no secret to show, and none is."""
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"keys": [EC]}))
    done = begun(*AGENT, *CEILING, "--auth", "private_key_jwt", "--jwks", str(keys))
    assert "SECRET" not in done.out
    assert "client_assertion=$ASSERTION" in done.out
    assert begun("agents", "rotate-secret", "invoice-bot", "--json").error["code"] == "conflict"
    keys.write_text(json.dumps({"keys": [{**EC, "d": "AA"}]}))
    private = begun("agents", "update", "invoice-bot", "--jwks", str(keys), "--json")
    assert (private.code, "is private" in private.error["message"]) == (2, True)
    keys.write_bytes(b"\xff\xfe")
    assert begun("agents", "update", "invoice-bot", "--jwks", str(keys), "--json").code == 2


def test_an_agent_for_itself_gets_one_line_for_its_token(begun):
    """Whoever posts its secret gets lines that post it."""
    flags = ("--grant", "client_credentials", "--auth", "client_secret_post")
    out = begun(*AGENT, *CEILING, *flags).out
    assert out.count("  curl ") == 1
    assert '"client_secret=$SECRET"' in out


def test_a_resource_is_shown_changed_and_deleted(begun):
    """The agents whose ceiling it was in are named."""
    begun(*AGENT, *CEILING)
    uri = "https://pay.example"
    flags = ("--scope", "new", "--remove-scope", "payments:transfer")
    document = begun("resources", "update", uri, *flags, "--json").document
    assert document["scopes"] == {"payments:read": "low", "new": "medium"}
    assert "new=medium" in begun("resources", "show", uri).out
    assert begun("resources", "delete", uri, "--json").document == {
        "uri": uri,
        "deleted": True,
        "tokens_revoked": 0,
        "requests_cancelled": 0,
        "agents_narrowed": ["invoice-bot"],
        "apps_narrowed": [],
    }


def test_a_request_says_what_was_unusual_about_it(begun, desk):
    """In the words that its person was shown; a consent is compared with nothing."""
    said = [{"code": "new_agent", "text": "New."}, {"code": "new_scope", "text": "First time."}]
    agent, user = desk.agents.show("invoice-bot")[0].id, desk.users.show("admin")[0].id
    for unusual, line in ((said, "New. First time. Why."), ([], "Why."), (None, None)):
        display = {"unusual": unusual, "compared": "Why."}
        shown = desk.approval(agent, user, display=json.dumps(display))
        out = begun("approvals", "show", shown.id).out
        assert (
            [row.split(None, 1)[1] for row in out.splitlines() if row.startswith("unusual")]
        ) == ([] if line is None else [line])
        assert begun("approvals", "show", shown.id, "--json").document["unusual"] == unusual


def test_an_action_type_is_shown_changed_and_deleted(begun, tmp_path):
    """A scope that needs it holds it back."""
    file = tmp_path / "payment.json"
    file.write_text(json.dumps(PAYMENT))
    assert begun("actions", "add", str(file), "--json").document["version"] == 1
    assert '"headline"' in begun("actions", "show", "payment.transfer").out
    file.write_text(json.dumps({**PAYMENT, "risk": "critical"}))
    document = begun("actions", "update", str(file), "--json").document
    assert (document["version"], document["risk"]) == (2, "critical")
    need = ("resources", "update", "https://pay.example", "--requires")
    begun(*need, "payments:transfer=payment.transfer")
    held = begun("actions", "delete", "payment.transfer", "--json")
    assert held.error["code"] == "conflict"
    begun(*need, "payments:transfer=")
    assert begun("actions", "delete", "payment.transfer", "--json").document["deleted"] is True


def test_an_action_type_that_comes_with_sayso_is_printed_and_registered_by_its_name(begun):
    """Nobody has to write a file for a payment."""
    listed = begun("actions", "shipped", "--json").document["items"]
    assert {"type", "risk", "title", "headline"} == set(listed[0])
    assert "sayso actions add --shipped" in begun("actions", "shipped").out
    printed = begun("actions", "shipped", "data.delete")
    assert json.loads(printed.out) == begun("actions", "shipped", "data.delete", "--json").document
    added = begun("actions", "add", "--shipped", "data.delete", "--json").document
    assert (added["type"], added["version"]) == ("data.delete", 1)
    shown = begun("actions", "show", "data.delete", "--json").document
    assert shown["document"] == json.loads(printed.out)
    assert begun("actions", "update", "--shipped", "data.delete", "--json").document["version"] == 1
    again = begun("actions", "add", "--shipped", "data.delete", "--json")
    assert (again.code, again.error["code"]) == (6, "exists")


def test_an_action_type_says_what_is_typed_back_and_what_may_be_made_less(begun, tmp_path):
    """In words, and as members for scripts."""
    begun("actions", "add", "--shipped", "payment.transfer")
    out = begun("actions", "show", "payment.transfer").out
    rule = "typed back: /amount; for a new target the last four characters of /account"
    assert f"{rule}\ncan be narrowed: /amount (lower)\n" in out
    assert "agent, permissions, hour; new by its /account; how much by its /amount\n" in out
    document = begun("actions", "show", "payment.transfer", "--json").document
    assert document["type_back"] == {
        "fact": "/amount",
        "part": "whole",
        "new_target": {"fact": "/account", "part": "last_four"},
        "if_there": None,
    }
    assert (document["narrow"], document["target"]) == ({"/amount": "lower"}, "/account")
    begun("actions", "add", "--shipped", "message.send")
    says = "typed back: /domains/0; if present /external_domains/0\n"
    assert says in begun("actions", "show", "message.send").out
    begun("actions", "add", "--shipped", "secret.rotate")
    assert (
        "typed back: /key\ncan be narrowed: none\n" in begun("actions", "show", "secret.rotate").out
    )
    file = tmp_path / "plain.json"
    file.write_text(json.dumps({**PAYMENT, "type": "plain"}))
    assert begun("actions", "add", str(file), "--json").document["type_back"] is None
    assert "typed back: nothing\n" in begun("actions", "show", "plain").out


def test_an_action_type_is_read_from_a_file_or_from_those_that_are_shipped(begun, tmp_path):
    """Neither, both, and one that is not to be registered are refused with the remedy."""
    file = tmp_path / "payment.json"
    file.write_text(json.dumps(PAYMENT))
    for arguments in ((), (str(file), "--shipped", "payment.transfer")):
        assert "either FILE or --shipped" in begun("actions", "add", *arguments).err
    assert begun("actions", "add", "--shipped", "payment", "--json").error["code"] == "not_found"
    assert "without a headline" in begun("actions", "add", "--shipped", "generic").err
    assert begun("actions", "list", "--json").document["items"] == []


def test_an_action_type_without_a_headline_says_how_it_is_shown(begun, tmp_path):
    """At high risk, whatever its file says."""
    file = tmp_path / "bare.json"
    bare = {name: PAYMENT[name] for name in ("type", "title", "schema")}
    file.write_text(json.dumps({**bare, "risk": "low"}))
    said = "It has no headline, so `generic` shows it, at high risk."
    assert said in begun("actions", "add", str(file)).out
    assert said in begun("actions", "show", "payment.transfer").out
    file.write_text(json.dumps({**bare, "title": "Move money"}))
    assert said in begun("actions", "update", str(file)).out
    assert begun("actions", "list", "--json").document["items"][0]["risk"] == "high"


def test_a_revoked_key_is_gone_and_another_signs(begun):
    """The answer says which; a resource that checks signatures has to be told."""
    (old,) = [
        key
        for key in begun("keys", "list", "--json").document["items"]
        if (key["alg"], key["state"]) == ("RS256", "active")
    ]
    done = begun("keys", "revoke", old["kid"], "--json").document
    assert (done["kid"], done["alg"], done["revoked"]) == (old["kid"], "RS256", True)
    kids = [key["kid"] for key in begun("keys", "list", "--json").document["items"]]
    assert done["replaced_by"]["kid"] in kids
    assert old["kid"] not in kids
    again = begun("keys", "revoke", done["replaced_by"]["kid"])
    assert "fetch the key set again" in again.out
    missing = begun("keys", "revoke", old["kid"], "--json")
    assert (missing.code, missing.error["code"]) == (3, "not_found")


def test_a_resource_gets_another_secret(begun):
    """Shown once; the one that is there is answered without any."""
    uri = "https://mail.example"
    first = begun("resources", "add", uri, "--json").document
    assert first["client_id"].startswith("sayso_rs_")
    assert first["client_secret"].startswith("sayso_rk_")
    there = begun("resources", "add", uri, "--if-missing", "--json").document
    assert there["client_id"] == first["client_id"]
    assert "client_secret" not in there
    second = begun("resources", "rotate-secret", uri, "--overlap", "1h", "--json").document
    assert second["client_secret"] != first["client_secret"]
    assert [secret["hint"] for secret in second["secrets"]] == [
        first["client_secret"][-4:],
        second["client_secret"][-4:],
    ]
    plain = begun("resources", "rotate-secret", uri, "--overlap", "0").out
    assert "SECRET=sayso_rk_" in plain
    assert "/introspect" in plain
    assert first["client_id"] in begun("resources", "show", uri).out


def test_keys_rotate_and_both_are_published(begun):
    """The old one has an end."""
    begun("keys", "rotate", "--alg", "EdDSA", "--json")
    keys = begun("keys", "list", "--json").document["items"]
    ends = {key["state"]: key["retires_at"] for key in keys if key["alg"] == "EdDSA"}
    assert set(ends) == {"active", "retiring"}
    assert ends["retiring"].endswith("Z")


def test_agents_are_invited_and_uninvited(begun):
    """The token is shown once, with a line that uses it."""
    begun("users", "add", "ana")
    flags = ("--owner", "ana", *CEILING, "--uses", "3", "--expires", "1d", "--grant", "ciba")
    document = begun("agents", "invite", *flags, "--json").document
    assert document["initial_access_token"].startswith("sayso_it_")
    assert (document["owner"], document["uses_left"], document["asks"]) == ("ana", 3, ["ana"])
    told = begun("agents", "invite", "--owner", "ana", "--asks-everybody").out
    assert "TOKEN=sayso_it_" in told
    assert "/register" in told
    items = begun("agents", "invitations", "--json").document["items"]
    assert sorted(item["uses_left"] for item in items) == [1, 3]
    assert "initial_access_token" not in items[0]
    ended = begun("agents", "uninvite", document["id"], "--json").document
    assert ended["revoked_at"].endswith("Z")
    assert "revoked" in begun("agents", "invitations").out
    assert "is revoked" in begun("agents", "uninvite", document["id"]).out
    assert begun("agents", "uninvite", "none", "--json").error["code"] == "not_found"
    both = ("--owner", "ana", "--asks", "ana", "--asks-everybody")
    assert begun("agents", "invite", *both, "--json").code == 2


def test_the_log_is_shown_and_searched(begun, asked):
    """By whom and what it concerns, by names and ids, and by how long ago it was."""
    begun("agents", "disable", "invoice-bot")
    agent, admin = asked.agent_id, asked.user_id
    found = {
        query: begun("audit", "search", *query, "--json").document["items"]
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
    (entry,) = begun("audit", "search", "--type", "agent.disabled", "--json").document["items"]
    assert begun("audit", "show", entry["id"], "--json").document == entry
    assert "agent.disabled" in begun("audit", "show", entry["id"]).out
    assert begun("audit", "search", "--before", entry["id"], "--type", "agent.disabled").code == 0
    assert begun("audit", "show", "nothing", "--json").error["code"] == "not_found"
    assert begun("audit", "search", "--agent", "nobody", "--json").error["code"] == "not_found"


def test_a_followed_log_tells_what_another_process_does(begun):
    """Each entry once, as a document on its line, until it is interrupted."""
    program = [sys.executable, "-c", "from server.cli.main import main; main()"]
    follow = ["audit", "tail", "-n", "1", "--follow", "--jsonl"]
    with subprocess.Popen([*program, *follow], stdout=subprocess.PIPE, text=True) as process:
        assert json.loads(process.stdout.readline())["type"] == "resource.added"
        begun("users", "add", "ana")
        told = [json.loads(process.stdout.readline())["type"] for _ in range(2)]
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 130
        assert process.stdout.read() == ""
    assert told == ["user.added", "code.issued"]


def test_an_agent_and_a_resource_are_given_shorter_lives_and_what_they_serve(begun):
    """Each flag sets, and another takes away; both at once is a mistake."""
    desk = "https://desk.example"
    made = begun("resources", "add", desk, "--token-seconds", "60", "--json").document
    assert made["token_seconds"] == 60
    assert "60 seconds" in begun("resources", "show", desk).out
    both = ("--token-seconds", "60", "--no-token-seconds")
    assert begun("resources", "update", desk, *both).code == 2
    changed = begun("resources", "update", desk, "--no-token-seconds", "--json").document
    assert changed["token_seconds"] is None

    pay = ("https://pay.example", "payments:read")
    begun(*AGENT, *CEILING, "--serves", desk, "--token-seconds", "30", "--only", *pay)
    shown = begun("agents", "show", "invoice-bot", "--json").document
    assert (shown["serves"], shown["token_seconds"]) == ([desk], 30)
    assert shown["only"] == {"https://pay.example": ["payments:read"]}
    assert "at https://pay.example: payments:read" in begun("agents", "show", "invoice-bot").out
    assert begun("agents", "update", "invoice-bot", "--only", *pay, "--no-only").code == 2
    assert "30 seconds" in begun("agents", "show", "invoice-bot").out
    assert begun("agents", "update", "invoice-bot", "--serves", desk, "--no-serves").code == 2
    assert begun("agents", "update", "invoice-bot", *both).code == 2
    freed = begun(
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


def test_an_agent_is_labelled_on_the_command_line(begun):
    """Each flag sets, and another takes away; both at once is a mistake."""
    labelled = begun(*AGENT, "--label", "team=finance", "--label", "pilot", "--json").document
    assert labelled["labels"] == ["pilot", "team=finance"]
    assert "pilot, team=finance" in begun("agents", "show", "invoice-bot").out
    assert begun("agents", "update", "invoice-bot", "--label", "NO").code == 2
    assert begun("agents", "update", "invoice-bot", "--label", "x", "--no-label").code == 2
    freed = begun("agents", "update", "invoice-bot", "--no-label", "--json").document
    assert freed["labels"] == []
