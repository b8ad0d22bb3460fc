"""A table of everything that can be disabled, and every step that must then be refused.

Each test prepares one step while everything is enabled, disables or deletes one thing, and then
attempts the step. A cell is the refusal. A step without a cell succeeds, because it does not depend
on what was disabled.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import pytest

from server.services.clients.app_forms import AppChanges
from tests.support.browsers.browser import Browser
from tests.support.builders.app_users import LocalApp, give_password, new_app, new_browser
from tests.support.builders.callers import LocalAgent, LocalResource, LocalTerminal, new_resource
from tests.support.builders.installation import BY, PAY
from tests.support.builders.new_device import begin_sign_in
from tests.support.builders.site import Answer, LocalSite
from tests.support.builders.token_chains import BANK, Chains

OK = "succeeds"
INACTIVE = "inactive"

Attempt = Callable[[], str]


@dataclass
class World:
    """An agent, an app and the person who uses them."""

    local: LocalSite
    agent: LocalAgent
    person: LocalTerminal

    @cached_property
    def chains(self) -> Chains:
        """Another app, whose tokens agents exchange."""
        chains = Chains(self.local, self.person.user.id)
        chains.prepare()
        return chains

    @cached_property
    def bot(self) -> LocalAgent:
        """An agent that may read at the bank for the person."""
        bot = self.chains.agent("desk-bot")
        self.chains.consent(bot, "bank:read")
        return bot

    @cached_property
    def app(self) -> LocalApp:
        """An app that the person signs in to."""
        return new_app(self.local, "phone")

    @cached_property
    def browser(self) -> Browser:
        """A browser in which the person is signed in."""
        give_password(self.local, "ana")
        browser = new_browser(self.local)
        browser.authorize(self.app.id)
        browser.sign_in("ana")
        return browser

    def code(self) -> str:
        """An authorization code: the person lets the app read payments."""
        page = self.browser.authorize(self.app.id, scope="openid payments:read", resource=PAY)
        if page.forms:
            page = self.browser.answer("allow")
            for item in self.person.call("GET", "/api/approvals").json["items"]:
                self.person.approve(item["id"])
            page = self.browser.again() if page.forms else page
        return page.answer["code"]

    def approved(self) -> str:
        """The auth_req_id of an approved request."""
        handle, approval = self.agent.request_approval()
        assert self.person.approve(approval.id).status == 200
        return handle


def _outcome(answer: Answer) -> str:
    return OK if answer.status == 200 else f"{answer.refusal[0]} {answer.refusal[1]}"


def _introspection_result(caller: LocalResource, token: str) -> str:
    answer = caller.introspect(token)
    if answer.status != 200:
        return _outcome(answer)
    return OK if answer.json["active"] else INACTIVE


def _initiation(world: World) -> Attempt:
    return lambda: _outcome(world.agent.ask())


def _decision(world: World) -> Attempt:
    """Show and decide a request that was created before."""
    approval = world.agent.request_approval()[1].id

    def decide() -> str:
        approval_page = world.person.call("GET", f"/api/approvals/{approval}")
        return (
            _outcome(approval_page)
            if approval_page.status != 200
            else _outcome(world.person.approve(approval))
        )

    return decide


def _redemption(world: World) -> Attempt:
    handle = world.approved()
    return lambda: _outcome(world.agent.poll(handle))


def _repeated_poll(world: World) -> Attempt:
    handle, resource = world.approved(), new_resource(world.local)
    world.agent.poll(handle, idempotency_key="one")

    def fetch() -> str:
        answer = world.agent.poll(handle, idempotency_key="one")
        outcome = _outcome(answer)
        return (
            _introspection_result(resource, answer.json["access_token"])
            if outcome == OK
            else outcome
        )

    return fetch


def _client_credentials(world: World) -> Attempt:
    return lambda: _outcome(world.agent.alone())


def _exchange(world: World) -> Attempt:
    bot, token = world.bot, world.chains.user_token()
    return lambda: _outcome(world.chains.exchange(bot, token))


def _introspection(world: World) -> Attempt:
    token, resource = world.agent.paid(world.person), new_resource(world.local)
    return lambda: _introspection_result(resource, token)


def _chain_introspection(world: World) -> Attempt:
    token = world.chains.exchanged(world.bot, world.chains.user_token())
    bank = new_resource(world.local, BANK)
    return lambda: _introspection_result(bank, token)


def _consumption(world: World) -> Attempt:
    token, resource = world.agent.paid(world.person), new_resource(world.local)
    return lambda: _outcome(resource.consume(token))


def _api(world: World) -> Attempt:
    return lambda: _outcome(world.person.call("GET", "/api/me"))


def _refresh(world: World) -> Attempt:
    return lambda: _outcome(world.person.refresh())


def _device_code(world: World) -> Attempt:
    device = begin_sign_in(world.local)
    assert device.type_code("ana") == ""
    assert world.person.approve(device.approval(world.person).id).status == 200
    return lambda: _outcome(device.poll_after_interval())


def _code(world: World) -> Attempt:
    code = world.code()
    return lambda: _outcome(world.app.redeem(code))


def _app_refresh(world: World) -> Attempt:
    token = world.app.redeem(world.code()).json["refresh_token"]
    return lambda: _outcome(world.app.refresh(token))


def _app_token(world: World) -> Attempt:
    token = world.app.redeem(world.code()).json["access_token"]
    resource = new_resource(world.local)
    return lambda: _introspection_result(resource, token)


def _userinfo(world: World) -> Attempt:
    refresh = world.app.redeem(world.code()).json["refresh_token"]
    token = world.app.refresh(refresh, scope="openid").json["access_token"]
    return lambda: _outcome(world.app.userinfo(token))


_STEPS: dict[str, Callable[[World], Attempt]] = {
    "initiation": _initiation,
    "decision": _decision,
    "redemption": _redemption,
    "repeated poll": _repeated_poll,
    "client credentials": _client_credentials,
    "exchange": _exchange,
    "introspection": _introspection,
    "introspection of a chain": _chain_introspection,
    "consumption": _consumption,
    "the person's API": _api,
    "a terminal's refresh": _refresh,
    "device code": _device_code,
    "authorization code": _code,
    "an app's refresh": _app_refresh,
    "introspection of an app's token": _app_token,
    "userinfo": _userinfo,
}


def _agents(world: World, act: str) -> None:
    agents = world.local.admin.agents
    for agent in agents.all():
        getattr(agents, act)(agent.name, by=BY)


def _resources(world: World) -> None:
    for resource in world.local.admin.resources.all():
        world.local.admin.resources.delete(resource.uri, by=BY)


def _keys(world: World) -> None:
    for key in world.local.admin.keys.all():
        world.local.admin.keys.revoke(key.kid, by=BY)


def _tokens(world: World) -> None:
    with world.local.services.store.write() as tx:
        tx.delegations.revoke_user(world.person.user.id, tx.now)


def _apps(world: World) -> None:
    for app in world.local.admin.apps.all():
        world.local.admin.apps.update(app.name, AppChanges(enabled=False), by=BY)


def _consents(world: World) -> None:
    consents = world.local.site.consents
    for named_consent in consents.search(user=None, client=None, ended=False):
        consents.revoke(named_consent.consent.id, by=BY)


_ENDINGS: dict[str, Callable[[World], object]] = {
    "agent": lambda world: _agents(world, "disable"),
    "deleted agent": lambda world: _agents(world, "delete"),
    "user": lambda world: world.local.admin.users.disable("ana", by=BY),
    "resource": _resources,
    "key": _keys,
    "token": _tokens,
    "device": lambda world: world.person.call("DELETE", "/api/devices/self"),
    "app": _apps,
    "consent": _consents,
}

_INVALID_GRANT = "400 invalid_grant"
_TOKEN_INACTIVE = "403 token_inactive"
_UNAUTHORIZED_CLIENT = "400 unauthorized_client"
_INVALID_CLIENT = "401 invalid_client"
_INVALID_TOKEN = "401 invalid_token"

_TABLE: dict[str, dict[str, str]] = {
    "agent": {
        "initiation": _UNAUTHORIZED_CLIENT,
        "decision": "409 not_pending",
        "redemption": _UNAUTHORIZED_CLIENT,
        "repeated poll": _UNAUTHORIZED_CLIENT,
        "client credentials": _UNAUTHORIZED_CLIENT,
        "exchange": _UNAUTHORIZED_CLIENT,
        "introspection": INACTIVE,
        "introspection of a chain": INACTIVE,
        "consumption": _TOKEN_INACTIVE,
    },
    "deleted agent": {
        "initiation": _INVALID_CLIENT,
        "decision": "409 not_pending",
        "redemption": _INVALID_CLIENT,
        "repeated poll": _INVALID_CLIENT,
        "client credentials": _INVALID_CLIENT,
        "exchange": _INVALID_CLIENT,
        "introspection": INACTIVE,
        "introspection of a chain": INACTIVE,
        "consumption": _TOKEN_INACTIVE,
    },
    "user": {
        "initiation": "400 unknown_user_id",
        "decision": "403 forbidden",
        "redemption": "400 access_denied",
        "repeated poll": _INVALID_GRANT,
        "exchange": "400 invalid_request",
        "introspection": INACTIVE,
        "introspection of a chain": INACTIVE,
        "consumption": _TOKEN_INACTIVE,
        "the person's API": "403 forbidden",
        "a terminal's refresh": _INVALID_GRANT,
        "device code": _INVALID_GRANT,
        "authorization code": _INVALID_GRANT,
        "an app's refresh": _INVALID_GRANT,
        "introspection of an app's token": INACTIVE,
        "userinfo": _INVALID_TOKEN,
    },
    "resource": {
        "initiation": "400 invalid_target",
        "decision": "409 not_pending",
        "redemption": "400 access_denied",
        "repeated poll": _INVALID_GRANT,
        "client credentials": "400 invalid_target",
        "exchange": "400 invalid_request",
        "introspection": _INVALID_CLIENT,
        "introspection of a chain": _INVALID_CLIENT,
        "consumption": _INVALID_CLIENT,
        "authorization code": _INVALID_GRANT,
        "an app's refresh": _INVALID_GRANT,
        "introspection of an app's token": _INVALID_CLIENT,
        "userinfo": _INVALID_TOKEN,
    },
    "key": {
        "decision": _INVALID_TOKEN,
        "repeated poll": INACTIVE,
        "exchange": "400 invalid_request",
        "introspection": INACTIVE,
        "introspection of a chain": INACTIVE,
        "consumption": _TOKEN_INACTIVE,
        "the person's API": _INVALID_TOKEN,
        "introspection of an app's token": INACTIVE,
        "userinfo": _INVALID_TOKEN,
    },
    "token": {
        "repeated poll": _INVALID_GRANT,
        "exchange": "400 invalid_request",
        "introspection": INACTIVE,
        "introspection of a chain": INACTIVE,
        "consumption": _TOKEN_INACTIVE,
        "introspection of an app's token": INACTIVE,
        "userinfo": _INVALID_TOKEN,
    },
    "device": {
        "decision": _INVALID_TOKEN,
        "the person's API": _INVALID_TOKEN,
        "a terminal's refresh": _INVALID_GRANT,
    },
    "app": {
        "exchange": "400 invalid_request",
        "introspection of a chain": INACTIVE,
        "authorization code": _UNAUTHORIZED_CLIENT,
        "an app's refresh": _UNAUTHORIZED_CLIENT,
        "introspection of an app's token": INACTIVE,
        "userinfo": _INVALID_TOKEN,
    },
    "consent": {
        "exchange": "400 interaction_required",
        "introspection of a chain": INACTIVE,
        "authorization code": _INVALID_GRANT,
        "an app's refresh": _INVALID_GRANT,
        "introspection of an app's token": INACTIVE,
        "userinfo": _INVALID_TOKEN,
    },
}
"""The refusals; every other step succeeds."""


@pytest.fixture
def world(local, agent, person):
    """An installation in which everything is enabled."""
    return World(local, agent, person)


@pytest.mark.parametrize("step", _STEPS)
def test_every_step_succeeds_while_everything_is_enabled(world, step):
    """Only what was disabled can cause a refusal in the table."""
    assert _STEPS[step](world)() == OK


@pytest.mark.parametrize("step", _STEPS)
@pytest.mark.parametrize("ending", _ENDINGS)
def test_every_step_is_refused_as_the_table_says(world, ending, step):
    """After each ending, every step has the outcome in the table.

    I5, NG-002, NG-023, NG-043, NG-084, CB-204, DG-25, IN-13.
    """
    attempt = _STEPS[step](world)
    _ENDINGS[ending](world)
    assert attempt() == _TABLE[ending].get(step, OK)


def test_the_table_has_only_known_rows_and_steps():
    """A cell in an unknown row or for an unknown step would never be tested."""
    assert set(_TABLE) == set(_ENDINGS)
    assert {step for row in _TABLE.values() for step in row} <= set(_STEPS)
