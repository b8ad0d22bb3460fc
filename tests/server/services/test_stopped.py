"""Everything that can be stopped, at every place where it would have counted: one cell each.

What was there before the stop is arranged first: requests that wait and that were answered, tokens,
sessions. A cell says how the place refuses, or that it is not concerned.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support.callers import LocalAgent, LocalResource, LocalTerminal, new_resource
from tests.support.chains import BANK, Chains
from tests.support.installation import BY, PAY
from tests.support.site import Answer, LocalSite

OK = "goes on"
INACTIVE = "inactive"


@dataclass
class World:
    """An agent and its person, with everything that stands on them."""

    local: LocalSite
    agent: LocalAgent
    person: LocalTerminal
    made: dict[str, Any] = field(default_factory=dict)

    def prepare(self) -> None:
        """Something of every kind, all of it in force."""
        chains = Chains(self.local, self.person.user.id)
        chains.prepare()
        bot = chains.agent("desk-bot")
        consent = chains.consent(bot, "bank:read")
        waiting, asked = self.agent.asked()
        answered, approved = self.agent.asked()
        self.person.approve(approved.id)
        fetched, redeemed = self.agent.asked()
        self.person.approve(redeemed.id)
        self.made = {
            "chains": chains,
            "bot": bot,
            "consent": consent,
            "subject": chains.user_token(),
            "asked": asked,
            "waiting": waiting,
            "answered": answered,
            "fetched": fetched,
            "first": self.agent.poll(fetched, idempotency_key="one").json["access_token"],
            "paid": self.agent.paid(self.person),
            "resource": new_resource(self.local),
            "bank": new_resource(self.local, BANK),
        }
        self.made["exchanged"] = chains.exchanged(bot, self.made["subject"])

    @property
    def resource(self) -> LocalResource:
        """The payment API."""
        found: LocalResource = self.made["resource"]
        return found

    def stop(self, what: str) -> None:
        """Stop one thing, as an administrator, a person or a client does."""
        _STOPS[what](self)

    def at(self, place: str) -> str:
        """How this place answers now."""
        return _PLACES[place](self)


def _bots(world: World, act: str) -> None:
    for name in ("invoice-bot", "desk-bot"):
        getattr(world.local.desk.agents, act)(name, by=BY)


def _resources(world: World) -> None:
    for uri in (PAY, BANK):
        world.local.desk.resources.delete(uri, by=BY)


def _keys(world: World) -> None:
    for key in world.local.desk.keys.all():
        world.local.desk.keys.revoke(key.kid, by=BY)


def _tokens(world: World) -> None:
    with world.local.services.store.write() as tx:
        for token in ("subject", "paid", "first"):
            tx.delegations.revoke_tree(world.local.claims(world.made[token])["jti"], tx.now)


def _session(world: World) -> None:
    world.person.call("DELETE", "/api/devices/self")


_STOPS: dict[str, Callable[[World], object]] = {
    "agent": lambda world: _bots(world, "disable"),
    "deleted agent": lambda world: _bots(world, "delete"),
    "user": lambda world: world.local.desk.users.disable("ana", by=BY),
    "resource": _resources,
    "key": _keys,
    "token": _tokens,
    "device": _session,
}


def _said(answer: Answer) -> str:
    return OK if answer.status == 200 else f"{answer.refusal[0]} {answer.refusal[1]}"


def _inspected(caller: LocalResource, token: str) -> str:
    answer = caller.introspect(token)
    if answer.status != 200:
        return _said(answer)
    return OK if answer.json["active"] else INACTIVE


def _fetched_again(world: World) -> str:
    answer = world.agent.poll(world.made["fetched"], idempotency_key="one")
    if answer.status != 200:
        return _said(answer)
    return _inspected(world.resource, answer.json["access_token"])


def _exchanges(world: World) -> str:
    return _said(world.made["chains"].exchange(world.made["bot"], world.made["subject"]))


def _decides(world: World) -> str:
    """The person's screen, as it was when they were asked, and their answer to it."""
    approval = world.made["asked"].id
    shown = world.person.call("GET", f"/api/approvals/{approval}")
    return _said(shown) if shown.status != 200 else _said(world.person.approve(approval))


_PLACES: dict[str, Callable[[World], str]] = {
    "initiation": lambda world: _said(world.agent.ask()),
    "decision": _decides,
    "redemption": lambda world: _said(world.agent.poll(world.made["answered"])),
    "fetching again": _fetched_again,
    "client credentials": lambda world: _said(world.agent.alone()),
    "exchange": _exchanges,
    "introspection": lambda world: _inspected(world.resource, world.made["paid"]),
    "introspection of a chain": lambda w: _inspected(w.made["bank"], w.made["exchanged"]),
    "consumption": lambda world: _said(world.resource.consume(world.made["paid"])),
    "the person's API": lambda world: _said(world.person.call("GET", "/api/me")),
    "refresh": lambda world: _said(world.person.refresh()),
}

_GONE = "400 invalid_grant"
_SPENT = "403 token_inactive"
_CLIENT = "400 unauthorized_client"
_UNKNOWN = "401 invalid_client"

_TABLE: dict[str, dict[str, str]] = {
    "agent": {
        "initiation": _CLIENT,
        "decision": "409 not_pending",
        "redemption": _CLIENT,
        "fetching again": _CLIENT,
        "client credentials": _CLIENT,
        "exchange": _CLIENT,
        "introspection": INACTIVE,
        "introspection of a chain": INACTIVE,
        "consumption": _SPENT,
        "the person's API": OK,
        "refresh": OK,
    },
    "deleted agent": {
        "initiation": _UNKNOWN,
        "decision": "409 not_pending",
        "redemption": _UNKNOWN,
        "fetching again": _UNKNOWN,
        "client credentials": _UNKNOWN,
        "exchange": _UNKNOWN,
        "introspection": INACTIVE,
        "introspection of a chain": INACTIVE,
        "consumption": _SPENT,
        "the person's API": OK,
        "refresh": OK,
    },
    "user": {
        "initiation": "400 unknown_user_id",
        "decision": "403 forbidden",
        "redemption": "400 access_denied",
        "fetching again": _GONE,
        "client credentials": OK,
        "exchange": "400 invalid_request",
        "introspection": INACTIVE,
        "introspection of a chain": INACTIVE,
        "consumption": _SPENT,
        "the person's API": "403 forbidden",
        "refresh": _GONE,
    },
    "resource": {
        "initiation": "400 invalid_target",
        "decision": "409 not_pending",
        "redemption": "400 access_denied",
        "fetching again": _GONE,
        "client credentials": "400 invalid_target",
        "exchange": "400 invalid_target",
        "introspection": _UNKNOWN,
        "introspection of a chain": _UNKNOWN,
        "consumption": _UNKNOWN,
        "the person's API": OK,
        "refresh": OK,
    },
    "key": {
        "initiation": OK,
        "decision": "401 invalid_token",
        "redemption": OK,
        "fetching again": INACTIVE,
        "client credentials": OK,
        "exchange": "400 invalid_request",
        "introspection": INACTIVE,
        "introspection of a chain": INACTIVE,
        "consumption": _SPENT,
        "the person's API": "401 invalid_token",
        "refresh": OK,
    },
    "token": {
        "initiation": OK,
        "decision": OK,
        "redemption": OK,
        "fetching again": _GONE,
        "client credentials": OK,
        "exchange": "400 invalid_request",
        "introspection": INACTIVE,
        "introspection of a chain": INACTIVE,
        "consumption": _SPENT,
        "the person's API": OK,
        "refresh": OK,
    },
    "device": {
        "initiation": OK,
        "decision": "401 invalid_token",
        "redemption": OK,
        "fetching again": OK,
        "client credentials": OK,
        "exchange": OK,
        "introspection": OK,
        "introspection of a chain": OK,
        "consumption": OK,
        "the person's API": "401 invalid_token",
        "refresh": _GONE,
    },
}

_CELLS = [(what, place) for what in _STOPS for place in _PLACES]


@pytest.fixture
def world(local, agent, person):
    """Everything, in force."""
    world = World(local, agent, person)
    world.prepare()
    return world


@pytest.mark.parametrize("place", _PLACES)
def test_before_anything_is_stopped_every_place_goes_on(world, place):
    """What a cell refuses is refused for the stop, and for nothing else."""
    assert world.at(place) == OK


@pytest.mark.parametrize(("what", "place"), _CELLS)
def test_what_was_stopped_gets_nothing_anywhere(world, what, place):
    """From the next request on; what does not stand on it goes on."""
    world.stop(what)
    assert world.at(place) == _TABLE[what][place]


def test_the_table_has_every_cell():
    """No thing and no place is left out."""
    assert {(what, place) for what, row in _TABLE.items() for place in row} == set(_CELLS)
