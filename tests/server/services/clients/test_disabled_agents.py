"""A table of everything that can be disabled, and every place where that must be refused.

Each test prepares one place while everything is enabled, disables or deletes one thing, and then
tries the place. A cell is the refusal. A place without a cell succeeds, because it does not depend
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

Try = Callable[[], str]


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


def _initiation(world: World) -> Try:
    return lambda: _outcome(world.agent.ask())


def _decision(world: World) -> Try:
    """Shows a request that was created before, and decides it."""
    approval = world.agent.request_approval()[1].id

    def decide() -> str:
        approval_page = world.person.call("GET", f"/api/approvals/{approval}")
        return (
            _outcome(approval_page)
            if approval_page.status != 200
            else _outcome(world.person.approve(approval))
        )

    return decide


def _redemption(world: World) -> Try:
    handle = world.approved()
    return lambda: _outcome(world.agent.poll(handle))


def _repeated_poll(world: World) -> Try:
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


def _client_credentials(world: World) -> Try:
    return lambda: _outcome(world.agent.alone())


def _exchange(world: World) -> Try:
    bot, token = world.bot, world.chains.user_token()
    return lambda: _outcome(world.chains.exchange(bot, token))


def _introspection(world: World) -> Try:
    token, resource = world.agent.paid(world.person), new_resource(world.local)
    return lambda: _introspection_result(resource, token)


def _chain_introspection(world: World) -> Try:
    token = world.chains.exchanged(world.bot, world.chains.user_token())
    bank = new_resource(world.local, BANK)
    return lambda: _introspection_result(bank, token)


def _consumption(world: World) -> Try:
    token, resource = world.agent.paid(world.person), new_resource(world.local)
    return lambda: _outcome(resource.consume(token))


def _api(world: World) -> Try:
    return lambda: _outcome(world.person.call("GET", "/api/me"))


def _refresh(world: World) -> Try:
    return lambda: _outcome(world.person.refresh())


def _device_code(world: World) -> Try:
    device = begin_sign_in(world.local)
    assert device.type_code("ana") == ""
    assert world.person.approve(device.approval(world.person).id).status == 200
    return lambda: _outcome(device.later())


def _code(world: World) -> Try:
    code = world.code()
    return lambda: _outcome(world.app.redeem(code))


def _app_refresh(world: World) -> Try:
    token = world.app.redeem(world.code()).json["refresh_token"]
    return lambda: _outcome(world.app.refresh(token))


def _app_token(world: World) -> Try:
    token = world.app.redeem(world.code()).json["access_token"]
    resource = new_resource(world.local)
    return lambda: _introspection_result(resource, token)


def _userinfo(world: World) -> Try:
    refresh = world.app.redeem(world.code()).json["refresh_token"]
    token = world.app.refresh(refresh, scope="openid").json["access_token"]
    return lambda: _outcome(world.app.userinfo(token))


_PLACES: dict[str, Callable[[World], Try]] = {
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

_GONE = "400 invalid_grant"
_SPENT = "403 token_inactive"
_CLIENT = "400 unauthorized_client"
_UNKNOWN = "401 invalid_client"
_TOKEN = "401 invalid_token"

_TABLE: dict[str, dict[str, str]] = {
    "agent": {
        "initiation": _CLIENT,
        "decision": "409 not_pending",
        "redemption": _CLIENT,
        "repeated poll": _CLIENT,
        "client credentials": _CLIENT,
        "exchange": _CLIENT,
        "introspection": INACTIVE,
        "introspection of a chain": INACTIVE,
        "consumption": _SPENT,
    },
    "deleted agent": {
        "initiation": _UNKNOWN,
        "decision": "409 not_pending",
        "redemption": _UNKNOWN,
        "repeated poll": _UNKNOWN,
        "client credentials": _UNKNOWN,
        "exchange": _UNKNOWN,
        "introspection": INACTIVE,
        "introspection of a chain": INACTIVE,
        "consumption": _SPENT,
    },
    "user": {
        "initiation": "400 unknown_user_id",
        "decision": "403 forbidden",
        "redemption": "400 access_denied",
        "repeated poll": _GONE,
        "exchange": "400 invalid_request",
        "introspection": INACTIVE,
        "introspection of a chain": INACTIVE,
        "consumption": _SPENT,
        "the person's API": "403 forbidden",
        "a terminal's refresh": _GONE,
        "device code": _GONE,
        "authorization code": _GONE,
        "an app's refresh": _GONE,
        "introspection of an app's token": INACTIVE,
        "userinfo": _TOKEN,
    },
    "resource": {
        "initiation": "400 invalid_target",
        "decision": "409 not_pending",
        "redemption": "400 access_denied",
        "repeated poll": _GONE,
        "client credentials": "400 invalid_target",
        "exchange": "400 invalid_request",
        "introspection": _UNKNOWN,
        "introspection of a chain": _UNKNOWN,
        "consumption": _UNKNOWN,
        "authorization code": _GONE,
        "an app's refresh": _GONE,
        "introspection of an app's token": _UNKNOWN,
        "userinfo": _TOKEN,
    },
    "key": {
        "decision": _TOKEN,
        "repeated poll": INACTIVE,
        "exchange": "400 invalid_request",
        "introspection": INACTIVE,
        "introspection of a chain": INACTIVE,
        "consumption": _SPENT,
        "the person's API": _TOKEN,
        "introspection of an app's token": INACTIVE,
        "userinfo": _TOKEN,
    },
    "token": {
        "repeated poll": _GONE,
        "exchange": "400 invalid_request",
        "introspection": INACTIVE,
        "introspection of a chain": INACTIVE,
        "consumption": _SPENT,
        "introspection of an app's token": INACTIVE,
        "userinfo": _TOKEN,
    },
    "device": {
        "decision": _TOKEN,
        "the person's API": _TOKEN,
        "a terminal's refresh": _GONE,
    },
    "app": {
        "exchange": "400 invalid_request",
        "introspection of a chain": INACTIVE,
        "authorization code": _CLIENT,
        "an app's refresh": _CLIENT,
        "introspection of an app's token": INACTIVE,
        "userinfo": _TOKEN,
    },
    "consent": {
        "exchange": "400 interaction_required",
        "introspection of a chain": INACTIVE,
        "authorization code": _GONE,
        "an app's refresh": _GONE,
        "introspection of an app's token": INACTIVE,
        "userinfo": _TOKEN,
    },
}
"""The refusals; every other place succeeds."""


@pytest.fixture
def world(local, agent, person):
    """Everything, enabled."""
    return World(local, agent, person)


@pytest.mark.parametrize("place", _PLACES)
def test_every_place_succeeds_while_everything_is_enabled(world, place):
    """A refusal in the table can then only be caused by what was disabled."""
    assert _PLACES[place](world)() == OK


@pytest.mark.parametrize("place", _PLACES)
@pytest.mark.parametrize("what", _ENDINGS)
def test_disabled_things_are_refused_in_every_place(world, what, place):
    """The next request at each place is refused as the table says.

    I5, NG-002, NG-023, NG-043, NG-084, CB-204, DG-25, IN-13.
    """
    attempt = _PLACES[place](world)
    _ENDINGS[what](world)
    assert attempt() == _TABLE[what].get(place, OK)


def test_the_table_only_names_known_rows_and_places():
    """A cell in an unknown row or column would never be tested."""
    assert set(_TABLE) == set(_ENDINGS)
    assert {place for row in _TABLE.values() for place in row} <= set(_PLACES)
