"""`sayso agents add` and `update`: every flag that says what an agent is."""

from collections.abc import Callable
from types import MappingProxyType
from typing import BinaryIO, Final, TextIO, TypedDict, TypeVar, Unpack

import click

from server.cli.agent_document import agent_document, agent_lines, called_by_id
from server.cli.opening import BY, Desk, administers
from server.cli.output import answer, if_missing_option, json_option
from server.cli.params import moment_ms
from server.cli.using import usage_lines
from server.protocol import names
from server.protocol.icons import MOST_BYTES
from server.services.agent_forms import DELIVERIES, AgentChanges, NewAgent
from server.services.refusals import Exists

_F = TypeVar("_F", bound=Callable[..., object])

GRANTS: Final = MappingProxyType(
    {
        "ciba": names.GRANT_CIBA,
        "client_credentials": names.GRANT_CLIENT_CREDENTIALS,
        "token_exchange": names.GRANT_TOKEN_EXCHANGE,
    }
)
"""What `--grant` takes, and the names that the wire uses."""


class Flags(TypedDict):
    """What both verbs take."""

    description: str | None
    jwks: TextIO | None
    grants: tuple[str, ...]
    delivery: str | None
    notification_endpoint: str | None
    user_code: bool | None
    high_grants: bool | None
    interactive: bool | None
    resources: tuple[str, ...]
    scopes: tuple[str, ...]
    action_types: tuple[str, ...]
    asks: tuple[str, ...]
    id_token_alg: str | None
    request_alg: str | None
    expires: str | None
    only: tuple[tuple[str, str], ...]
    serves: tuple[str, ...]
    token_seconds: int | None
    dpop: bool | None
    labels: tuple[str, ...]
    external_id: str | None
    review: str | None
    icon: BinaryIO | None


class AddFlags(Flags):
    """What `add` takes beside them."""

    owners: tuple[str, ...]
    auth: str
    if_missing: bool


class UpdateFlags(Flags):
    """What `update` takes beside them."""

    new_name: str | None
    add_owners: tuple[str, ...]
    remove_owners: tuple[str, ...]
    no_resource: bool
    no_scope: bool
    no_only: bool
    no_serves: bool
    no_token_seconds: bool
    no_action: bool
    any_action: bool
    asks_everybody: bool
    never_expires: bool
    no_request_alg: bool
    no_label: bool
    no_external_id: bool
    no_review: bool
    no_icon: bool


def _both(function: _F) -> _F:
    """The flags of `Flags`."""
    for option in reversed(
        (
            click.option("--description", help="What it is for; shown to approvers."),
            click.option(
                "--jwks", type=click.File("r", encoding="utf-8"), help="Its public keys, a JWK set."
            ),
            click.option(
                "--grant",
                "grants",
                multiple=True,
                type=click.Choice(list(GRANTS)),
                help="How it gets tokens; in every way when unsaid.",
            ),
            click.option(
                "--delivery",
                type=click.Choice(DELIVERIES),
                help="How answers reach it; it polls if unsaid.",
            ),
            click.option(
                "--user-code/--no-user-code",
                default=None,
                help="It takes people's user codes and sends them along.",
            ),
            click.option(
                "--high-grants/--no-high-grants",
                default=None,
                help="People may give it standing grants at high risk.",
            ),
            click.option(
                "--interactive/--no-interactive",
                default=None,
                help="It has a screen its user looks at, and shows a number for them to match.",
            ),
            click.option(
                "--notification-endpoint",
                metavar="URL",
                help="Where it is called back, with ping or push; https.",
            ),
            click.option("--resource", "resources", multiple=True, help="A URI it may ask for."),
            click.option("--scope", "scopes", multiple=True, help="A scope it may ask for."),
            click.option(
                "--action",
                "action_types",
                multiple=True,
                metavar="TYPE",
                help="An action type it may ask for; all of them if unsaid.",
            ),
            click.option(
                "--asks",
                multiple=True,
                metavar="USER|GROUP",
                help="Whom it may ask; everybody if unsaid.",
            ),
            click.option(
                "--id-token-alg",
                type=click.Choice(names.SIGNING_ALGS),
                help="How its ID tokens are signed; ES256 if unsaid.",
            ),
            click.option(
                "--request-alg",
                type=click.Choice(names.CLIENT_ALGS),
                help="It must sign its requests so; unsigned ones are taken if unsaid.",
            ),
            click.option(
                "--expires", metavar="WHEN", help="A date, a time, or a span such as 90d."
            ),
            click.option(
                "--dpop/--no-dpop",
                "dpop",
                default=None,
                help="Its tokens must be bound to a key that it proves to hold.",
            ),
            click.option(
                "--only",
                nargs=2,
                multiple=True,
                metavar="URI SCOPE",
                help="At this resource it may have this scope and no other that is not named so.",
            ),
            click.option(
                "--serves",
                multiple=True,
                metavar="URI",
                help="A resource that it serves: it may exchange the tokens that arrive there.",
            ),
            click.option(
                "--label",
                "labels",
                multiple=True,
                metavar="K[=V]",
                help="A word or pair by which policy knows it.",
            ),
            click.option("--external-id", help="What another system calls it."),
            click.option(
                "--review", metavar="WHEN", help="When to look at it again: a date, or 90d."
            ),
            click.option(
                "--icon",
                type=click.File("rb"),
                help="Its picture, beside its name: a square PNG or WebP of at most 32 kB.",
            ),
            click.option(
                "--token-seconds",
                type=int,
                help="How long its tokens live at most; 10 to 3600.",
            ),
        )
    ):
        function = option(function)
    return function


@click.command("add")
@click.argument("name")
@click.option("--owner", "owners", multiple=True, required=True, help="A user who answers for it.")
@click.option(
    "--auth",
    type=click.Choice(names.AUTH_METHODS),
    default=names.AUTH_METHODS[0],
    show_default=True,
    help="How it proves who it is.",
)
@_both
@if_missing_option
@json_option
@administers
def add(desk: Desk, name: str, *, as_json: bool, **flags: Unpack[AddFlags]) -> None:
    """Register an agent. Its secret is shown once."""
    try:
        given = desk.agents.add(_new(name, flags, desk.now), by=BY)
    except Exists:
        if not flags["if_missing"]:
            raise
        agent, _ = desk.agents.show(name)
        line = f"{agent.name} is registered already, as {agent.id}."
        answer(agent_document(agent, called_by_id(desk)), [line], as_json=as_json)
        return
    document = agent_document(given.agent, called_by_id(desk))
    if given.secret:
        document = {"client_id": given.agent.id, "client_secret": given.secret, **document}
    line = f"{given.agent.name} is registered as {given.agent.id}."
    answer(document, [line, *usage_lines(desk, given)], as_json=as_json)


@click.command("update")
@click.argument("called", metavar="AGENT")
@click.option("--name", "new_name", help="What it is called from now on.")
@click.option("--add-owner", "add_owners", multiple=True, metavar="USER")
@click.option("--remove-owner", "remove_owners", multiple=True, metavar="USER")
@_both
@click.option("--no-resource", is_flag=True, help="Take every resource away.")
@click.option("--no-scope", is_flag=True, help="Take every scope away.")
@click.option("--no-only", is_flag=True, help="Take the limits at single resources away.")
@click.option("--no-serves", is_flag=True, help="It serves no resource any more.")
@click.option("--no-token-seconds", is_flag=True, help="Take the limit of lifetimes away.")
@click.option("--no-action", is_flag=True, help="Take every action type away.")
@click.option("--any-action", is_flag=True, help="It may ask for every action type.")
@click.option("--asks-everybody", is_flag=True, help="It may ask every user.")
@click.option("--never-expires", is_flag=True, help="Take the expiry away.")
@click.option("--no-request-alg", is_flag=True, help="It need not sign its requests.")
@click.option("--no-label", is_flag=True, help="Take every label away.")
@click.option("--no-external-id", is_flag=True, help="No other system calls it anything.")
@click.option("--no-review", is_flag=True, help="Nobody needs to look at it again.")
@click.option("--no-icon", is_flag=True, help="Take its picture away; its letter stands there.")
@json_option
@administers
def update(desk: Desk, called: str, *, as_json: bool, **flags: Unpack[UpdateFlags]) -> None:
    """Change an agent. A list that is given replaces the old one; what is not named stays."""
    _refuse_both(flags)
    agent = desk.agents.update(called, _changes(flags, desk.now), by=BY)
    people = called_by_id(desk)
    answer(agent_document(agent, people), agent_lines(agent, people), as_json=as_json)


def _new(name: str, flags: AddFlags, now: int) -> NewAgent:
    return NewAgent(
        name=name,
        owners=flags["owners"],
        description=flags["description"] or "",
        auth_method=flags["auth"],
        jwks=flags["jwks"].read() if flags["jwks"] else "",
        grant_types=_grants(flags) or names.AGENT_GRANTS,
        resources=flags["resources"],
        scopes=flags["scopes"],
        only=_only(flags),
        serves=flags["serves"],
        token_seconds=flags["token_seconds"],
        action_types=flags["action_types"] or None,
        asks=flags["asks"] or None,
        id_token_alg=flags["id_token_alg"] or "ES256",
        expires_at=_moment(flags["expires"], now),
        dpop_bound=bool(flags["dpop"]),
        request_alg=flags["request_alg"] or "",
        delivery=flags["delivery"] or "poll",
        notification_endpoint=flags["notification_endpoint"] or "",
        takes_user_code=bool(flags["user_code"]),
        high_grants=bool(flags["high_grants"]),
        interactive=bool(flags["interactive"]),
        labels=flags["labels"],
        external_id=flags["external_id"] or "",
        review_at=_moment(flags["review"], now),
        icon=_picture(flags) or b"",
    )


def _changes(flags: UpdateFlags, now: int) -> AgentChanges:
    return AgentChanges(
        name=flags["new_name"],
        description=flags["description"],
        add_owners=flags["add_owners"],
        remove_owners=flags["remove_owners"],
        jwks=flags["jwks"].read() if flags["jwks"] else None,
        grant_types=_grants(flags),
        resources=() if flags["no_resource"] else flags["resources"] or None,
        scopes=() if flags["no_scope"] else flags["scopes"] or None,
        only={} if flags["no_only"] else _only(flags) or None,
        serves=() if flags["no_serves"] else flags["serves"] or None,
        token_seconds=flags["token_seconds"],
        usual_token_seconds=flags["no_token_seconds"],
        action_types=() if flags["no_action"] else flags["action_types"] or None,
        any_action=flags["any_action"],
        asks=flags["asks"] or None,
        asks_everybody=flags["asks_everybody"],
        id_token_alg=flags["id_token_alg"],
        expires_at=_moment(flags["expires"], now),
        never_expires=flags["never_expires"],
        dpop_bound=flags["dpop"],
        request_alg="" if flags["no_request_alg"] else flags["request_alg"],
        delivery=flags["delivery"],
        notification_endpoint=flags["notification_endpoint"],
        takes_user_code=flags["user_code"],
        high_grants=flags["high_grants"],
        interactive=flags["interactive"],
        labels=() if flags["no_label"] else flags["labels"] or None,
        external_id="" if flags["no_external_id"] else flags["external_id"],
        review_at=_moment(flags["review"], now),
        never_reviewed=flags["no_review"],
        icon=b"" if flags["no_icon"] else _picture(flags),
    )


def _refuse_both(flags: UpdateFlags) -> None:
    pairs = (
        (flags["resources"], flags["no_resource"]),
        (flags["scopes"], flags["no_scope"]),
        (flags["only"], flags["no_only"]),
        (flags["serves"], flags["no_serves"]),
        (flags["token_seconds"] is not None, flags["no_token_seconds"]),
        (flags["action_types"] or flags["no_action"], flags["any_action"]),
        (flags["action_types"], flags["no_action"]),
        (flags["asks"], flags["asks_everybody"]),
        (flags["expires"], flags["never_expires"]),
        (flags["request_alg"], flags["no_request_alg"]),
        (flags["labels"], flags["no_label"]),
        (flags["external_id"], flags["no_external_id"]),
        (flags["review"], flags["no_review"]),
        (flags["icon"], flags["no_icon"]),
    )
    if any(given and taken for given, taken in pairs):
        raise click.UsageError("Set it or take it away, not both.")


def _grants(flags: Flags) -> tuple[str, ...] | None:
    return tuple(GRANTS[grant] for grant in flags["grants"]) or None


def _only(flags: Flags) -> dict[str, tuple[str, ...]]:
    uris = dict.fromkeys(uri for uri, _ in flags["only"])
    return {uri: tuple(name for at, name in flags["only"] if at == uri) for uri in uris}


def _picture(flags: Flags) -> bytes | None:
    """One byte more than is taken, so that a larger file is told from one that fits."""
    if flags["icon"] is None:
        return None
    raw = flags["icon"].read(MOST_BYTES + 1)
    if not raw:
        raise click.UsageError("The file of the icon is empty. To take one away: --no-icon")
    return raw


def _moment(text: str | None, now: int) -> int | None:
    return None if text is None else moment_ms(text, now)
