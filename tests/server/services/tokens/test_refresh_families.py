"""Refresh token families: ending all tokens of one code."""

from functools import partial

import pytest

from server.protocol.names import GRANT_AUTHORIZATION_CODE
from server.services.approvals.oversight import Oversight
from server.services.consents.revocations import revoke_consent
from server.services.tokens import refresh_families
from server.storage.consents.consents import Consents
from server.storage.devices.devices import Devices
from server.storage.devices.passkeys import Passkeys
from server.storage.sign_in.sign_ins import SignIns
from server.storage.tokens.code_grants import CodeGrants
from tests.support.builders.app_users import give_password, new_app, new_browser
from tests.support.builders.callers import new_person
from tests.support.builders.clock import DAY
from tests.support.builders.installation import BY
from tests.support.builders.passkey import new_browser as new_phone
from tests.support.checks.locks import run_during


def _sign_in(person, local):
    give_password(local, person.user.name)
    app, browser = new_app(local), new_browser(local)
    browser.authorize(app.id)
    browser.sign_in("ana")
    return app, app.redeem(browser.answer("allow").answer["code"]).json


def test_ending_a_family_or_a_sign_in_again_has_no_effect(person, local):
    """The second call returns 0 or False and changes nothing."""
    app, tokens = _sign_in(person, local)
    with local.services.store.write() as tx:
        (sign_in,) = tx.sign_ins.of_user(person.user.id)
        (family,) = tx.code_grants.families_of("app_id", app.id)
        assert refresh_families.end(tx, family) == 1
        assert refresh_families.end(tx, family) == 0
        assert refresh_families.end_sign_in(tx, sign_in)
        assert not refresh_families.end_sign_in(tx, sign_in)
    assert app.userinfo(tokens["access_token"]).status == 401


def test_a_sign_out_ends_the_access_token_of_an_app_without_refresh_tokens(person, local):
    """The app may not use refresh tokens, but its access token still depends on the sign-in."""
    give_password(local, person.user.name)
    app = new_app(local, grant_types=(GRANT_AUTHORIZATION_CODE,))
    browser = new_browser(local)
    browser.authorize(app.id)
    browser.sign_in("ana")
    tokens = app.redeem(browser.answer("allow").answer["code"]).json
    assert "refresh_token" not in tokens
    assert app.userinfo(tokens["access_token"]).status == 200
    with local.services.store.write() as tx:
        (sign_in,) = tx.sign_ins.of_user(person.user.id)
        assert refresh_families.end_sign_in(tx, sign_in)
    assert app.userinfo(tokens["access_token"]).status == 401


def test_disabling_a_user_ends_families_older_than_their_sign_in(person, local):
    """A refresh token can outlive the browser's sign-in, so the user's families end as well."""
    app, tokens = _sign_in(person, local)
    local.clock.forward(DAY)
    local.services.sweeper.tidy()
    second = app.refresh(tokens["refresh_token"]).json["refresh_token"]
    local.admin.users.disable("ana", by=BY)
    local.admin.users.enable("ana", by=BY)
    assert app.refresh(second).refusal == (400, "invalid_grant")


def test_a_new_password_ends_families_older_than_their_sign_in(person, local):
    """Whoever knew the old password may have used it more than half a day ago."""
    app, tokens = _sign_in(person, local)
    local.clock.forward(DAY)
    local.services.sweeper.tidy()
    second = app.refresh(tokens["refresh_token"]).json["refresh_token"]
    give_password(local, "ana")
    assert app.refresh(second).refusal == (400, "invalid_grant")


def test_a_revocation_during_a_refresh_ends_its_tokens(postgres_local, monkeypatch):
    """Otherwise, the new access token would stay valid after the app had revoked its access."""
    app, tokens = _sign_in(new_person(postgres_local, "ana"), postgres_local)
    form = {**app.credentials, "token": tokens["refresh_token"]}
    store, revoke = (
        postgres_local.services.store,
        partial(postgres_local.post_form, "/revoke", form),
    )

    revocation = run_during(monkeypatch, CodeGrants, "extend_family", store, revoke)
    refreshed = app.refresh(tokens["refresh_token"]).json
    revocation.join()
    assert app.refresh(refreshed["refresh_token"]).refusal == (400, "invalid_grant")
    for answer in (tokens, refreshed):
        assert app.userinfo(answer["access_token"]).status == 401


def test_a_refresh_and_the_end_of_its_consent_do_not_deadlock(postgres_local, monkeypatch):
    """Both lock the consent before the family."""
    app, tokens = _sign_in(new_person(postgres_local, "ana"), postgres_local)
    store, statuses = postgres_local.services.store, []
    with store.read() as view:
        (consent,) = view.consents.search(
            user_id=None, client_id=app.id, live_at=None, limit=9, before=None
        )

    def refresh():
        statuses.append(app.refresh(tokens["refresh_token"]).status)

    refreshing = run_during(monkeypatch, Consents, "revoke", store, refresh)
    with store.write() as tx:
        revoke_consent(tx, consent, actor=BY, cause="revoked")
    refreshing.join()
    assert statuses == [400]
    assert app.userinfo(tokens["access_token"]).status == 401


def test_a_sign_out_during_a_redemption_ends_its_tokens(postgres_local, monkeypatch):
    """Otherwise, the access token would stay valid after the person had signed out."""
    person, store = new_person(postgres_local, "ana"), postgres_local.services.store
    give_password(postgres_local, "ana")
    app, browser = new_app(postgres_local), new_browser(postgres_local)
    browser.authorize(app.id)
    browser.sign_in("ana")
    code = browser.answer("allow").answer["code"]

    def sign_out():
        with store.write() as tx:
            (sign_in,) = tx.sign_ins.of_user(person.user.id)
            assert refresh_families.end_sign_in(tx, sign_in)

    signing_out = run_during(monkeypatch, SignIns, "lock", store, sign_out)
    tokens = app.redeem(code).json
    signing_out.join()
    assert app.userinfo(tokens["access_token"]).status == 401
    assert app.refresh(tokens["refresh_token"]).refusal == (400, "invalid_grant")


@pytest.mark.parametrize(("rows", "name"), [(Passkeys, "count"), (Devices, "lock_active")])
def test_revoking_a_device_during_a_sign_in_ends_the_sign_in(
    postgres_local, monkeypatch, rows, name
):
    """The sign-in fails, or the revocation waits for it and then ends it."""
    app, phone = new_app(postgres_local), new_phone(postgres_local)
    browser, store = new_browser(postgres_local), postgres_local.services.store
    browser.authorize(app.id)
    challenge = phone.send("POST", "/api/passkeys/offer").json["text"]
    with store.read() as view:
        (device,) = view.devices.of_user(phone.user.id)

    def revoke():
        assert Oversight(store).revoke_device(device.id, by=BY)[1]

    revocation = run_during(monkeypatch, rows, name, store, revoke)
    browser.submit(assertion=phone.passkey.assertion(challenge.encode()))
    revocation.join()
    with store.read() as view:
        assert view.devices.get(device.id).state == "revoked"
        assert view.sign_ins.of_user(phone.user.id) == []


def test_an_unknown_token_has_no_family(local):
    """The lookup of an unknown refresh token returns None."""
    with local.services.store.read() as view:
        assert refresh_families.of_token(view, b"none") is None
