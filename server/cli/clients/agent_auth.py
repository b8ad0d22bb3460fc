"""`sayso agents change-auth`: another way for an agent to prove itself."""

from typing import TextIO

import click

from server.cli.clients.agent_document import agent_document
from server.cli.clients.using import usage_lines
from server.cli.opening import BY, OpenInstallation, administers
from server.cli.output import answer, json_option, moment
from server.cli.params import Span
from server.protocol import names
from server.services.clients.agent_auth import AuthChange


@click.command("change-auth")
@click.argument("called", metavar="AGENT")
@click.argument("method", type=click.Choice(names.AUTH_METHODS))
@click.option(
    "--jwks",
    type=click.File("r", encoding="utf-8"),
    help="Its public keys, a JWK set, for private_key_jwt; those it has if unsaid.",
)
@click.option(
    "--overlap",
    type=Span(),
    default="24h",
    show_default=True,
    help="How long the old way counts beside the new one; 0 to 30d.",
)
@json_option
@administers
def change_auth(
    admin: OpenInstallation,
    called: str,
    method: str,
    jwks: TextIO | None,
    overlap: int,
    *,
    as_json: bool,
) -> None:
    """Let an agent prove itself in another way. A secret that it needs is shown once."""
    wanted = AuthChange(method, jwks.read() if jwks else "", overlap)
    given = admin.agent_auth.change(called, wanted, by=BY)
    agent = given.agent
    old = (
        "the old way counts no more"
        if agent.auth_before_until is None
        else f"{agent.auth_before} counts to {moment(agent.auth_before_until)}"
    )
    document = agent_document(agent, {})
    shown = ("auth_method", "auth_before", "auth_before_until", "secrets", "keys")
    answer(
        {
            "client_id": agent.id,
            **({"client_secret": given.secret} if given.secret else {}),
            **{name: document[name] for name in shown},
        },
        [f"{agent.name} proves itself by {agent.auth_method}; {old}.", *usage_lines(admin, given)],
        as_json=as_json,
    )
