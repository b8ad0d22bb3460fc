"""Refresh token families: ending all tokens of one code."""

import threading

from server.services.tokens import refresh_families
from server.services.tokens.app_issuing import AppTokenIssuer
from tests.support.builders.app_users import give_password, new_app, new_browser
from tests.support.builders.callers import new_person
from tests.support.builders.clock import DAY
from tests.support.builders.installation import BY


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
    issue, form = AppTokenIssuer.issue, {**app.credentials, "token": tokens["refresh_token"]}
    revocation = threading.Thread(target=postgres_local.post_form, args=("/revoke", form))

    def issue_during_revocation(*arguments, **members):
        revocation.start()
        revocation.join(0.2)  # it waits for the refresh
        return issue(*arguments, **members)

    monkeypatch.setattr(AppTokenIssuer, "issue", issue_during_revocation)
    refreshed = app.refresh(tokens["refresh_token"]).json
    revocation.join()
    assert app.refresh(refreshed["refresh_token"]).refusal == (400, "invalid_grant")
    for answer in (tokens, refreshed):
        assert app.userinfo(answer["access_token"]).status == 401


def test_an_unknown_token_has_no_family(local):
    """The lookup of an unknown refresh token returns None."""
    with local.services.store.read() as view:
        assert refresh_families.of_token(view, b"none") is None
