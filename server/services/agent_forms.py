"""What an agent may be: the rules of its members, at registration and when one is changed.

Owns: reading what an administrator wrote into a record, every refusal with its remedy.
Never: writes; the uses of a checked record are in `agents.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from server.protocol import errors, json_text, jwks, names
from server.protocol.jwks import PublicKey
from server.protocol.text import check_prose
from server.services import actions, ceilings, icons, labels, members, resources, reviews, users
from server.services.ports import Unit
from server.services.records import Agent
from server.services.refusals import Conflict, Invalid, NotFound, about

MOST_DESCRIPTION: Final = 280
LONGEST_LIFE_MS: Final = 100 * 365 * 24 * 60 * 60 * 1000
DELIVERIES: Final = names.DELIVERIES

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class NewAgent:
    """An agent as an administrator asks for it. People are named; `jwks` is a file's text."""

    name: str
    owners: tuple[str, ...]
    description: str = ""
    auth_method: str = "client_secret_basic"
    jwks: str = ""
    grant_types: tuple[str, ...] = names.AGENT_GRANTS
    delivery: str = "poll"
    resources: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Resource → the only scopes of `scopes` that it may have there."""
    serves: tuple[str, ...] = ()
    """Resources whose tokens arrive at it."""
    token_seconds: int | None = None
    action_types: tuple[str, ...] | None = None
    """Which actions it may ask for; None means every registered type."""
    asks: tuple[str, ...] | None = None
    """Whom it may ask; None means everybody."""
    id_token_alg: str = "ES256"  # noqa: S105  # an algorithm; RS256 costs six times as much
    expires_at: int | None = None
    dpop_bound: bool = False
    request_alg: str = ""
    """With what it signs its requests; "" when it need not."""
    notification_endpoint: str = ""
    """Where it is called back; "" for one that polls."""
    takes_user_code: bool = False
    high_grants: bool = False
    interactive: bool = False
    """It has a screen that its user looks at."""
    labels: tuple[str, ...] = ()
    external_id: str = ""
    """What another system calls it; "" when none does."""
    review_at: int | None = None
    icon: bytes = b""
    """The file of its picture; empty for none."""


@dataclass(frozen=True, slots=True)
class AgentChanges:
    """What becomes different; None leaves a member as it is."""

    name: str | None = None
    description: str | None = None
    add_owners: tuple[str, ...] = ()
    remove_owners: tuple[str, ...] = ()
    jwks: str | None = None
    grant_types: tuple[str, ...] | None = None
    resources: tuple[str, ...] | None = None
    scopes: tuple[str, ...] | None = None
    only: Mapping[str, tuple[str, ...]] | None = None
    """Replaces the old one; empty takes it away."""
    serves: tuple[str, ...] | None = None
    token_seconds: int | None = None
    usual_token_seconds: bool = False
    """Take the limit away."""
    action_types: tuple[str, ...] | None = None
    any_action: bool = False
    asks: tuple[str, ...] | None = None
    asks_everybody: bool = False
    id_token_alg: str | None = None
    expires_at: int | None = None
    never_expires: bool = False
    dpop_bound: bool | None = None
    request_alg: str | None = None
    """"" takes the duty to sign away."""
    delivery: str | None = None
    """"poll" takes the endpoint away."""
    notification_endpoint: str | None = None
    takes_user_code: bool | None = None
    high_grants: bool | None = None
    interactive: bool | None = None
    labels: tuple[str, ...] | None = None
    external_id: str | None = None
    """"" takes it away."""
    review_at: int | None = None
    icon: bytes | None = None
    """Empty takes it away."""
    never_reviewed: bool = False


def read(tx: Unit, new: NewAgent, agent_id: str) -> Agent:
    """The record of a new agent, without secrets. Raises `Invalid` or `NotFound`."""
    if new.auth_method not in names.AUTH_METHODS:
        raise Invalid(
            f"--auth must be one of {', '.join(names.AUTH_METHODS)}.", member="auth_method"
        )
    if new.auth_method == "private_key_jwt" and not new.jwks:
        raise Invalid("--auth private_key_jwt needs the public keys: --jwks FILE.", member="jwks")
    agent = Agent(
        id=agent_id,
        name=users.check_called(new.name),
        description=_description(new.description),
        auth_method=new.auth_method,
        jwks=read_keys(new.jwks) if new.jwks else (),
        grant_types=_grants(new.grant_types),
        delivery=new.delivery,
        resources=_unique(new.resources),
        scopes=_unique(new.scopes),
        only=_only(new.only),
        serves=_serves(tx, new.serves),
        token_seconds=resources.check_lifetime(new.token_seconds),
        action_types=None if new.action_types is None else known_types(tx, new.action_types),
        asks=None if new.asks is None else _asks(tx, new.asks),
        owners=_owners(tx, new.owners),
        secrets=(),
        id_token_alg=_alg(new.id_token_alg),
        state="enabled",
        expires_at=_expiry(tx, new.expires_at),
        created_at=tx.now,
        named_at=tx.now,
        dpop_bound=new.dpop_bound,
        request_alg=new.request_alg or None,
        notification_endpoint=new.notification_endpoint or None,
        takes_user_code=new.takes_user_code,
        high_grants=new.high_grants,
        interactive=new.interactive,
        labels=labels.read(new.labels),
        external_id=reviews.check_external_id(new.external_id),
        review_at=reviews.check_review(tx.now, new.review_at),
        icon=icons.digest(new.icon),
    )
    ceilings.check(tx, agent.resources, agent.scopes)
    _check_only(tx, agent)
    _check_request_alg(agent)
    _check_delivery(agent)
    _check_owners(tx, agent)
    return agent


def changed(tx: Unit, before: Agent, changes: AgentChanges) -> Agent:
    """The record as it becomes. Raises `Invalid`, `NotFound` or `Conflict`."""
    agent = replace(
        before,
        name=_or(before.name, changes.name, users.check_called),
        description=_or(before.description, changes.description, _description),
        jwks=_or(before.jwks, None if changes.jwks is None else read_keys(changes.jwks), tuple),
        grant_types=_or(before.grant_types, changes.grant_types, _grants),
        resources=_or(before.resources, changes.resources, _unique),
        scopes=_or(before.scopes, changes.scopes, _unique),
        only=before.only if changes.only is None else _only(changes.only),
        serves=before.serves if changes.serves is None else _serves(tx, changes.serves),
        token_seconds=_changed_lifetime(before, changes),
        action_types=_changed_types(tx, before, changes),
        asks=_changed_asks(tx, before, changes),
        owners=_changed_owners(tx, before, changes),
        id_token_alg=_or(before.id_token_alg, changes.id_token_alg, _alg),
        expires_at=_changed_expiry(tx, before, changes),
        dpop_bound=before.dpop_bound if changes.dpop_bound is None else changes.dpop_bound,
        request_alg=_or(before.request_alg or "", changes.request_alg, str) or None,
        delivery=_or(before.delivery, changes.delivery, str),
        notification_endpoint=_changed_endpoint(before, changes),
        takes_user_code=_or(before.takes_user_code, changes.takes_user_code, bool),
        high_grants=_or(before.high_grants, changes.high_grants, bool),
        interactive=_or(before.interactive, changes.interactive, bool),
        labels=_or(before.labels, changes.labels, labels.read),
        external_id=reviews.check_external_id(
            _or(before.external_id or "", changes.external_id, str)
        ),
        review_at=_changed_review(tx, before, changes),
        icon=before.icon if changes.icon is None else icons.digest(changes.icon),
    )
    _check_delivery(agent)
    _check_request_alg(agent)
    if (agent.resources, agent.scopes) != (before.resources, before.scopes):
        ceilings.check(tx, agent.resources, agent.scopes)
    if changes.only is None:
        return replace(agent, only=_left(agent))
    _check_only(tx, agent)
    return agent


def _or(before: _T, change: _T | None, read: Callable[[_T], _T]) -> _T:
    return before if change is None else read(change)


@about("description")
def _description(raw: str) -> str:
    if not raw:
        return ""
    try:
        return check_prose(raw, what="The description", max_chars=MOST_DESCRIPTION)
    except ValueError as error:
        raise Invalid(f"{error}.") from None


@about("jwks")
def read_keys(text: str) -> tuple[PublicKey, ...]:
    """The public keys of a client, from the text of a JWK set. Raises `Invalid`."""
    try:
        return jwks.read_keys(json_text.parse(text, what="The key file"))
    except errors.InvalidRequest as error:
        raise Invalid(f"{error.description}.") from None
    except ValueError as error:
        raise Invalid(f"The key file {error}.") from None


def _changed_endpoint(before: Agent, changes: AgentChanges) -> str | None:
    if changes.notification_endpoint is None and changes.delivery == "poll":
        return None
    return _or(before.notification_endpoint, changes.notification_endpoint or None, str)


@about("backchannel_client_notification_endpoint")
def _check_delivery(agent: Agent) -> None:
    """Who is called back says where (CIBA 4); that the place may be called is checked before."""
    if agent.delivery not in DELIVERIES:
        raise Invalid(f"--delivery is one of {', '.join(DELIVERIES)}.", member="delivery")
    if (agent.delivery == "poll") != (agent.notification_endpoint is None):
        raise Invalid("--delivery ping or push and --notification-endpoint URL belong together.")


@about("backchannel_authentication_request_signing_alg")
def _check_request_alg(agent: Agent) -> None:
    """Who must sign has a key to sign with."""
    if agent.request_alg is None:
        return
    if agent.request_alg not in names.CLIENT_ALGS:
        raise Invalid(f"Requests are signed with one of {', '.join(names.CLIENT_ALGS)}.")
    if all(key["alg"] != agent.request_alg for key in agent.jwks):
        raise Invalid(f"{agent.name} has no {agent.request_alg} key. Name its keys: --jwks FILE")


@about("grant_types")
def _grants(raw: tuple[str, ...]) -> tuple[str, ...]:
    unknown = [grant for grant in raw if grant not in names.AGENT_GRANTS]
    if unknown or not raw:
        raise Invalid(f"Grant types are {', '.join(names.AGENT_GRANTS)}; name at least one.")
    return _unique(raw)


@about("id_token_signed_response_alg")
def _alg(raw: str) -> str:
    if raw not in names.SIGNING_ALGS:
        raise Invalid(f"ID tokens are signed with one of {', '.join(names.SIGNING_ALGS)}.")
    return raw


@about("expires_at")
def _expiry(tx: Unit, at: int | None) -> int | None:
    if at is not None and not tx.now < at <= tx.now + LONGEST_LIFE_MS:
        raise Invalid("The expiry is in the past, or more than a hundred years away.")
    return at


def _changed_expiry(tx: Unit, before: Agent, changes: AgentChanges) -> int | None:
    if changes.never_expires:
        return None
    return before.expires_at if changes.expires_at is None else _expiry(tx, changes.expires_at)


def _changed_review(tx: Unit, before: Agent, changes: AgentChanges) -> int | None:
    if changes.never_reviewed:
        return None
    return reviews.check_review(tx.now, changes.review_at) or before.review_at


def _user_ids(tx: Unit, called: Sequence[str]) -> tuple[str, ...]:
    return _unique(tuple(users.find(tx, one).id for one in called))


@about("owners")
def _owners(tx: Unit, called: Sequence[str]) -> tuple[str, ...]:
    return _user_ids(tx, called)


@about("owners")
def _check_owners(tx: Unit, agent: Agent) -> None:
    owners = [tx.directory.user(owner) for owner in agent.owners]
    if not any(owner is not None and owner.enabled for owner in owners):
        raise Invalid("An agent needs an owner who is enabled. Name one with: --owner USER")


@about("remove_owners")
def _changed_owners(tx: Unit, before: Agent, changes: AgentChanges) -> tuple[str, ...]:
    removed = _user_ids(tx, changes.remove_owners)
    for user_id in removed:
        if user_id not in before.owners:
            raise Invalid(f"One whom you would remove does not own {before.name}.")
    with about("add_owners"):
        added = _user_ids(tx, changes.add_owners)
    left = tuple(owner for owner in before.owners if owner not in removed)
    owners = _unique((*left, *added))
    if not owners:
        raise Conflict(
            f"{before.name} would have no owner. Name another in the same command: --add-owner USER"
        )
    if owners != before.owners and before.state == "enabled":
        _check_owners(tx, replace(before, owners=owners))
    return owners


@about("asks")
def _asks(tx: Unit, called: Sequence[str]) -> tuple[str, ...]:
    try:
        return tuple(sorted({members.party(tx, one) for one in called}))
    except NotFound as error:
        raise NotFound(f"--asks takes users and groups. {error}") from None


def _changed_asks(tx: Unit, before: Agent, changes: AgentChanges) -> tuple[str, ...] | None:
    if changes.asks_everybody:
        return None
    return before.asks if changes.asks is None else _asks(tx, changes.asks)


def _only(raw: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    return {uri: _unique(tuple(may)) for uri, may in raw.items()}


def _left(agent: Agent) -> dict[str, tuple[str, ...]]:
    """What of the limits is still within a ceiling that may have become smaller."""
    return {
        uri: tuple(name for name in may if name in agent.scopes)
        for uri, may in agent.only.items()
        if uri in agent.resources
    }


@about("only")
def _check_only(tx: Unit, agent: Agent) -> None:
    """A limit names what the agent may have, or it would limit nothing that anybody meant."""
    for uri, may in agent.only.items():
        if uri not in agent.resources:
            raise Invalid(f"{uri} is not within its ceiling. Add: --resource {uri}")
        known = resources.find(tx.directory, uri).scopes
        for name in may:
            if name not in agent.scopes or name not in known:
                raise Invalid(f"It may not have {name} at {uri}. Add: --scope {name}")


@about("serves")
def _serves(tx: Unit, named: tuple[str, ...]) -> tuple[str, ...]:
    for uri in named:
        resources.find(tx.directory, uri)
    return _unique(named)


def _changed_lifetime(before: Agent, changes: AgentChanges) -> int | None:
    if changes.usual_token_seconds:
        return None
    return resources.check_lifetime(changes.token_seconds) or before.token_seconds


@about("action_types")
def known_types(tx: Unit, named: tuple[str, ...]) -> tuple[str, ...]:
    """Each of these action types once. Raises `NotFound` for one that is not registered."""
    for name in named:
        actions.find(tx.directory, name)
    return _unique(named)


def _changed_types(tx: Unit, before: Agent, changes: AgentChanges) -> tuple[str, ...] | None:
    if changes.any_action:
        return None
    return (
        before.action_types
        if changes.action_types is None
        else known_types(tx, changes.action_types)
    )


def _unique(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
