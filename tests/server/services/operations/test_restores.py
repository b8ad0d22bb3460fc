"""Restoring a backup: access that has ended stays ended, and access that is kept continues."""

import json
from dataclasses import replace

import pytest
from sqlalchemy import insert

from approver_tui.client.jose import SigningKey
from server.protocol.names import GRANT_CLIENT_CREDENTIALS
from server.services.approvals.oversight import Oversight
from server.services.clients.agent_forms import AgentChanges
from server.services.clients.app_forms import AppChanges, NewApp
from server.services.clients.apps import Apps
from server.services.operations.restores import KINDS, AccessItem, RestoredItem, disabled_items
from server.services.refusals import NotFound
from server.storage.operations.tables import restore_holds
from tests.support.builders.installation import BY, PAY, add_user, register_agent
from tests.support.builders.passkey import new_browser
from tests.support.builders.site import ISSUER
from tests.support.inputs.handmade_jwts import (
    assertion_claims,
    assertion_form,
    new_key,
    request_claims,
)

INVALID_GRANT = (400, "invalid_grant")
KEY = new_key("ES256", "a")


def _item(name, mark="same"):
    return AccessItem(name, name, mark)


def _items(*agents):
    return {kind: {} for kind in KINDS} | {"agents": {item.id: item for item in agents}}


def test_unchanged_items_continue_and_changed_ones_are_disabled():
    """Items that were deleted after the backup are revoked and cannot be enabled again."""
    backup = _items(_item("same"), _item("changed"), _item("gone"))
    since = _items(_item("same"), _item("changed", "other"), _item("new"))
    disabled = disabled_items(backup, since, keep={"agents"})
    assert disabled["agents"] == [
        RestoredItem(_item("gone"), has_ended=True),
        RestoredItem(_item("changed")),
    ]
    assert all(not disabled[kind] for kind in KINDS if kind != "agents")


def test_without_a_comparison_everything_is_disabled_unless_kept():
    """Users stay enabled, because they can do nothing without a device or a password."""
    backup = _items(_item("bot"))
    assert disabled_items(backup, None, keep=())["agents"] == [RestoredItem(_item("bot"))]
    assert disabled_items(backup, None, keep={"agents"})["agents"] == []
    people = {**_items(), "users": {"ana": _item("ana")}}
    assert disabled_items(people, None, keep=())["users"] == []


def test_a_kept_terminal_signs_in_again_once_with_its_key(restore, person):
    """If it proves its key, it may send one refresh token that the backup does not know."""
    old = person.refresh_token
    again = replace(person, local=restore())
    assert again.call("GET", "/api/me").refusal == (401, "invalid_token")
    assert again.refresh(old).refusal == INVALID_GRANT
    assert again.refresh("sayso_rt_later", key=SigningKey.generate()).refusal == INVALID_GRANT
    assert again.refresh("sayso_rt_later").status == 200
    assert again.call("GET", "/api/me").status == 200
    assert again.refresh("sayso_rt_other").refusal == INVALID_GRANT
    assert again.refresh().status == 200


def test_a_terminal_that_is_not_kept_must_be_enabled_first(restore, person):
    """Once its device is enabled, the terminal can sign in again."""
    again = replace(person, local=restore(keep=()))
    assert again.refresh("sayso_rt_later").refusal == INVALID_GRANT
    oversight = Oversight(again.local.services.store)
    oversight.enable_devices(device=person.device_id, user=None, by=BY)
    assert again.refresh("sayso_rt_later").status == 200
    with pytest.raises(NotFound):
        oversight.enable_devices(device=person.device_id, user=None, by=BY)


def test_enabling_an_item_ends_the_hold_of_the_restore(restore, local, agent):
    """If it is disabled again, `sayso doctor` does not say that the restore disabled it."""
    app = _apps(local).add(NewApp("front", ("https://front.example/back",)), by=BY).app
    site = restore(keep=())
    user = add_user(site.admin, "zoe")
    site.admin.users.disable(user.id, by=BY)
    _hold(site, "users", user.id)
    held = {("agents", agent.id), ("apps", app.id), ("users", user.id)}
    assert held <= _held(site)
    site.admin.users.enable(user.id, by=BY)
    site.admin.agents.enable(agent.id, by=BY)
    _apps(site).update(app.id, AppChanges(enabled=True), by=BY)
    assert not held & _held(site)


def _apps(site):
    return Apps(site.services.store, site.services.secrets)


def _hold(site, kind, held_id):
    """Hold an item as a restore does if the item differs from the replaced database."""
    row = {"kind": kind, "id": held_id, "at": site.clock.now()}
    with site.services.store.write() as tx:
        tx._connection.execute(insert(restore_holds).values(row))


def _held(site):
    with site.services.store.read() as view:
        return set(view.installation.list_held())


def test_a_kept_browser_signs_in_again_with_its_passkey(restore, local):
    """The browser's cookie is no longer valid after the restore."""
    browser = new_browser(local)
    assert browser.send("GET", "/api/me").status == 200
    again = replace(browser, local=restore())
    assert again.send("GET", "/api/me").status == 401
    assert again.sign_in().status == 200


def test_a_passkey_that_is_not_kept_cannot_sign_in(restore, local):
    """An administrator must first enable the device of the passkey."""
    browser = new_browser(local)
    again = replace(browser, local=restore(keep=()))
    assert again.sign_in().status == 403


def test_open_requests_are_cancelled_by_a_restore(restore, agent, person):
    """Approved requests are canceled too; the same idempotency key makes a new request."""
    key = {"idempotency-key": "k" * 20}
    pending = agent.ask(headers=key).json["auth_req_id"]
    handle, approval = agent.request_payment()
    assert person.approve(approval.id).status == 200
    again = restore()
    later = replace(agent, local=again)
    assert later.poll(pending).refusal == INVALID_GRANT
    assert later.poll(handle).refusal == INVALID_GRANT
    with again.services.store.read() as view:
        stored = view.approvals.get(approval.id)
    assert (stored.state, stored.reason) == ("cancelled", "restored")
    assert later.ask(headers=key).json["auth_req_id"] != pending


def test_a_restore_invalidates_enrollment_codes(restore, local):
    """An enrollment code in the backup may have been used after the backup was made."""
    _, issued = local.admin.users.enroll("ana", by=BY)
    with local.services.store.read() as view:
        stored_code = view.codes.get(issued.code.replace("-", "")[:8])
    assert stored_code.expires_at > local.clock.now()
    again = restore()
    with again.services.store.read() as view:
        assert view.codes.get(stored_code.id).expires_at <= view.now


def test_assertions_signed_before_the_restore_are_refused(restore, local):
    """The IDs that were used after the backup are unknown, so the iat claim decides."""
    jwks = json.dumps({"keys": [KEY.jwk]})
    signer = register_agent(local.admin, "signer", auth_method="private_key_jwt", jwks=jwks).agent
    local.admin.agents.update(signer.id, AgentChanges(request_alg="ES256"), by=BY)
    now = local.clock.now()
    claims = assertion_claims(signer.id, ISSUER, now)
    undated = {name: value for name, value in claims.items() if name != "iat"} | {"jti": "u"}
    parameters = {"scope": "openid payments:read", "resource": PAY, "login_hint": "ana"}
    request = KEY.sign(request_claims(signer.id, ISSUER, now - 1_000, **parameters))
    again = restore()
    form = {"grant_type": GRANT_CLIENT_CREDENTIALS, "scope": "payments:read"}

    def ask(claims):
        return again.post_form("/token", {**form, **assertion_form(KEY.sign(claims))})

    assert ask({**claims, "iat": claims["iat"] - 1}).refusal == (401, "invalid_client")
    assert ask(undated).refusal == (401, "invalid_client")
    new_claims = assertion_claims(signer.id, ISSUER, again.clock.now())
    refused = again.post_form(
        "/bc-authorize", {"request": request, **assertion_form(KEY.sign(new_claims))}
    )
    assert refused.refusal == (400, "invalid_request")
    assert "before the last restore" in refused.json["error_description"]
    assert ask(assertion_claims(signer.id, ISSUER, again.clock.now())).status == 200


def test_a_dpop_proof_made_before_the_restore_is_refused(restore, person):
    """The server compares the iat claim with the time of the restore."""
    old = person.token_proof()
    person.local.clock.forward(1_000)
    again = restore()
    form = {"grant_type": "refresh_token", "refresh_token": "sayso_rt_later"}
    answer = again.post_form("/token", {**form, "client_id": "sayso-approver"}, proofs=[old])
    assert answer.refusal == (400, "invalid_dpop_proof")
    assert "before the last restore" in answer.json["error_description"]


def test_derived_secrets_change_with_the_epoch_and_stored_hashes_stay(restore, local):
    """Handles and nonces change; PINs and user codes still match their stored hashes."""
    before = local.services.secrets
    after = restore().services.secrets
    assert before.auth_req_id("sayso_ap_1") != after.auth_req_id("sayso_ap_1")
    assert before.nonce("statement", "d") != after.nonce("statement", "d")
    assert before.code_hash("c", "s") != after.code_hash("c", "s")
    assert before.pin_answer("d", 1, b"x") == after.pin_answer("d", 1, b"x")
    assert before.user_code_hash("u", "c") == after.user_code_hash("u", "c")
    assert before.keyed_hash("history", "h") == after.keyed_hash("history", "h")


def test_every_earlier_feed_cursor_is_invalid_after_a_restore(restore, local):
    """New event numbers start far above every cursor that was issued since the backup."""
    add_user(local.admin, "zoe")
    with local.services.store.read() as view:
        head = view.feed.head()
    with restore().services.store.read() as view:
        assert view.feed.floor() - 1 > head + 100_000


def test_unsent_messages_are_deleted_by_a_restore(restore, local, agent):
    """The messages may have been delivered to the webhook after the backup was made."""
    agent.ask()
    assert local.messages() != []
    assert restore().messages() == []


def test_a_restore_writes_an_audit_entry(restore, local, agent):
    """The entry has the administrator, the time of the backup and the counts."""
    agent.ask()
    (entry,) = restore().admin.entries("installation.restored")
    facts = entry["facts"]
    assert (facts["requests"], facts["compared"], facts["kept"]) == (1, False, sorted(KINDS))
    assert facts["by"]
    assert facts["backup_made_at"] <= local.clock.now()
