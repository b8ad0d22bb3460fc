"""Rows about users' sign-ins: each step happens once, in both databases."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from server.model.clients import App
from server.model.sign_in import (
    AuthorizationCode,
    Family,
    Flow,
    Grant,
    PushedRequest,
    RefreshToken,
    SignIn,
)
from server.model.users import Password, User
from server.storage.store import SqlStore
from tests.support.builders.clock import DAY, HOUR, MINUTE, MovableClock
from tests.support.checks.locks import overlap

USER = User("sayso_us_a", "ana", None, (), "enabled", 1)
GRANT = Grant(
    app_id="sayso_app_a",
    user_id=USER.id,
    sign_in_id="sayso_si_a",
    redirect_uri="https://chat.example/cb",
    openid=("openid",),
    resource="https://pay.example",
    scope=("payments:read",),
    actor="sayso_ag_a",
    nonce="n",
    auth_time=5,
    id_token_claims=("name",),
    userinfo_claims=(),
    jkt=None,
)


@pytest.fixture
def store(url: str, open_database: Callable[[str], SqlStore]) -> SqlStore:
    """A store with one user."""
    return _with_user(open_database(url))


@pytest.fixture
def postgres_store(postgres_url: str, open_database: Callable[[str], SqlStore]) -> SqlStore:
    """A store with one user, on PostgreSQL."""
    return _with_user(open_database(postgres_url))


def _with_user(store: SqlStore) -> SqlStore:
    with store.administer() as tx:
        tx.users.add(USER)
    return store


@pytest.mark.postgresql
def test_the_second_of_two_first_passwords_replaces_the_other(postgres_store: SqlStore) -> None:
    """Neither of two units of work at the same time sees the row of the other."""
    first, second = Password(USER.id, "first", 1, 1), Password(USER.id, "second", 1)
    overlap(postgres_store, lambda tx: tx.passwords.put(first), lambda tx: tx.passwords.put(second))
    with postgres_store.read() as view:
        assert view.passwords.get(USER.id) == second


@pytest.mark.postgresql
def test_the_second_of_two_first_user_codes_replaces_the_other(postgres_store: SqlStore) -> None:
    """Neither of two units of work at the same time sees the row of the other."""
    overlap(
        postgres_store,
        lambda tx: tx.user_codes.put(USER.id, b"first", 1),
        lambda tx: tx.user_codes.put(USER.id, b"second", 1),
    )
    with postgres_store.read() as view:
        assert view.user_codes.get(USER.id) == b"second"


def test_an_app_is_stored_unchanged(store: SqlStore) -> None:
    """All members of the app are the same, including lists."""
    app = App(
        id="sayso_app_a",
        name="chat",
        auth_method="none",
        jwks=({"kid": "a"},),
        redirect_uris=("https://b.example", "https://a.example"),
        post_logout_redirect_uris=(),
        grant_types=("authorization_code",),
        resources=("https://pay.example",),
        scopes=("payments:read",),
        secrets=(),
        id_token_alg="ES256",
        dpop_bound=True,
        state="enabled",
        created_at=7,
    )
    with store.administer() as tx:
        tx.apps.add(app)
        assert tx.apps.get(app.id) == tx.apps.by_name("CHAT") == app
        changed = replace(app, dpop_bound=False, state="disabled")
        tx.apps.replace(changed)
        assert tx.directory.app(app.id) == changed
        tx.apps.delete(app.id)
        assert tx.apps.all() == []


def test_a_password_is_set_changed_and_removed(store: SqlStore) -> None:
    """A user has at most one password."""
    with store.write() as tx:
        tx.passwords.put(Password(USER.id, "a", 1))
        tx.passwords.put(Password(USER.id, "b", 2))
        assert tx.passwords.get(USER.id) == Password(USER.id, "b", 2)
        assert tx.passwords.remove(USER.id)
        assert not tx.passwords.remove(USER.id)
        assert tx.passwords.get(USER.id) is None


def test_password_attempts_are_counted_until_success_or_expiry(
    store: SqlStore, clock: MovableClock
) -> None:
    """A success or the expiry resets the count."""
    with store.write() as tx:
        now = tx.now
        assert [tx.passwords.count_attempt(b"k", now, now + HOUR) for _ in range(3)] == [1, 2, 3]
        assert tx.passwords.paused_until(b"k", now) is None
        tx.passwords.pause(b"k", now + MINUTE)
        assert tx.passwords.paused_until(b"k", now) == now + MINUTE
        assert tx.passwords.paused_until(b"other", now) is None
        tx.passwords.undo_attempt(b"k")
        assert tx.passwords.paused_until(b"k", now) is None
        assert tx.passwords.count_attempt(b"k", now, now + HOUR) == 3
        tx.passwords.clear_attempts(b"k")
        assert tx.passwords.count_attempt(b"k", now, now + HOUR) == 1
        assert tx.passwords.count_attempt(b"k", now + HOUR, now + 2 * HOUR) == 1
        tx.passwords.prune(now + 2 * HOUR)
        assert tx.passwords.count_attempt(b"k", now, now + HOUR) == 1
    assert clock.now()


def test_a_sign_in_ends_once(store: SqlStore) -> None:
    """A sign-in is found by the hash of its cookie until it expires."""
    sign_in = SignIn("sayso_si_a", b"hash", USER.id, 1, DAY)
    with store.write() as tx:
        tx.sign_ins.add(sign_in)
        assert tx.sign_ins.get(sign_in.id) == tx.sign_ins.by_token(b"hash") == sign_in
        assert tx.sign_ins.of_user(USER.id) == [sign_in.id]
        tx.sign_ins.renew(replace(sign_in, token_hash=b"new", auth_time=3, expires_at=2 * DAY))
        assert tx.sign_ins.by_token(b"hash") is None
        tx.sign_ins.renew(sign_in)
        assert tx.sign_ins.end(sign_in.id, 9)
        assert not tx.sign_ins.end(sign_in.id, 10)
        assert tx.sign_ins.of_user(USER.id) == []
        tx.sign_ins.prune(DAY - 1)
        assert tx.sign_ins.get(sign_in.id) == replace(sign_in, ended_at=9)
        tx.sign_ins.prune(DAY)
        assert tx.sign_ins.get(sign_in.id) is None


def test_a_flow_is_allowed_once_and_finished_once(store: SqlStore) -> None:
    """A flow can be allowed only by its own sign-in and before it expires."""
    flow = Flow(b"f", "sayso_app_a", "{}", 1, 100)
    with store.write() as tx:
        tx.flows.add(flow)
        assert tx.flows.get(b"f") == flow
        assert tx.flows.bind(b"f", "one")
        assert not tx.flows.allow(b"f", "two", (), 5)
        assert not tx.flows.allow(b"f", "one", (), 100)
        assert tx.flows.allow(b"f", "one", ("x", "y"), 5)
        assert not tx.flows.allow(b"f", "one", (), 6)
        assert not tx.flows.bind(b"f", "two")
        allowed = tx.flows.get(b"f")
        assert allowed is not None
        assert (allowed.sign_in_id, allowed.allowed_at, allowed.approvals) == ("one", 5, ("x", "y"))
        assert not tx.flows.finish(b"f", 100)
        assert tx.flows.finish(b"f", 7)
        assert not tx.flows.finish(b"f", 8)
        tx.flows.prune(101)
        assert tx.flows.get(b"f") is None


def test_a_pushed_request_is_used_once(store: SqlStore) -> None:
    """A pushed request can be used only by its own app and before it expires."""
    with store.write() as tx:
        tx.flows.push(PushedRequest(b"p", "sayso_app_a", "{}", 100))
        assert tx.flows.take(b"p", "sayso_app_b", 1) is None
        assert tx.flows.take(b"p", "sayso_app_a", 100) is None
        assert tx.flows.take(b"p", "sayso_app_a", 1) == PushedRequest(
            b"p", "sayso_app_a", "{}", 100, 1
        )
        assert tx.flows.take(b"p", "sayso_app_a", 2) is None


def test_a_code_is_used_once_and_kept_for_a_day(store: SqlStore) -> None:
    """The row names the tokens that were issued for the code."""
    code = AuthorizationCode(b"c", GRANT, "challenge", 100)
    with store.write() as tx:
        tx.code_grants.add_code(code)
        assert tx.code_grants.code(b"c") == code
        assert not tx.code_grants.use_code(b"c", 100)
        assert tx.code_grants.use_code(b"c", 5)
        assert not tx.code_grants.use_code(b"c", 6)
        tx.code_grants.set_code_tokens(b"c", "jti", "family")
        assert tx.code_grants.code(b"c") == replace(code, used_at=5, jti="jti", family_id="family")
        tx.code_grants.prune(DAY + 100)
        assert tx.code_grants.code(b"c") is not None
        tx.code_grants.prune(DAY + 101)
        assert tx.code_grants.code(b"c") is None


def test_a_refresh_family_ends_once_with_its_tokens(store: SqlStore) -> None:
    """A family is found by app, user and sign-in, and deleted a day after it expires."""
    family = Family("sayso_rf_a", GRANT, 1, 100)
    with store.write() as tx:
        rows = tx.code_grants
        rows.add_family(family)
        rows.extend_family(family.id, 200)
        assert rows.family(family.id) == replace(family, expires_at=200)
        rows.add_token(RefreshToken(b"t", family.id, 1))
        assert rows.use_token(b"t", 5)
        assert not rows.use_token(b"t", 6)
        assert rows.token(b"t") == RefreshToken(b"t", family.id, 1, 5)
        rows.add_access_token(family.id, "jti", 1)
        assert rows.access_tokens(family.id) == ["jti"]
        for column, value in (
            ("app_id", GRANT.app_id),
            ("user_id", GRANT.user_id),
            ("sign_in_id", GRANT.sign_in_id),
        ):
            assert rows.families_of(column, value) == [family.id]
        assert rows.end_family(family.id, 9)
        assert not rows.end_family(family.id, 10)
        assert rows.families_of("app_id", GRANT.app_id) == []
        rows.prune(DAY + 201)
        assert (rows.family(family.id), rows.token(b"t")) == (None, None)
        assert rows.access_tokens(family.id) == []


def test_used_refresh_tokens_are_deleted_after_a_month(store: SqlStore) -> None:
    """The tokens are deleted even while their family continues."""
    family = Family("sayso_rf_a", GRANT, 1, 400 * DAY)
    with store.write() as tx:
        rows = tx.code_grants
        rows.add_family(family)
        for name, used_at in ((b"old", 1), (b"new", 20 * DAY), (b"live", None)):
            rows.add_token(RefreshToken(name, family.id, 1, used_at))
        rows.add_access_token(family.id, "jti", 1)
        rows.prune(31 * DAY)
        assert [rows.token(name) is None for name in (b"old", b"new", b"live")] == [
            True,
            False,
            False,
        ]
        assert rows.access_tokens(family.id) == []
