"""`sayso agents change-auth`: change how an agent authenticates."""

from typing import TextIO

import click

from server.cli.clients.agent_document import agent_document
from server.cli.clients.usage import usage_lines
from server.cli.opening import BY, OpenInstallation
from server.cli.output import moment
from server.cli.params import Span
from server.cli.printed import Printed, prints
from server.protocol import names
from server.services.clients.agent_auth import AuthChange


@click.command("change-auth")
@click.argument("name_or_id", metavar="AGENT")
@click.argument("method", type=click.Choice(names.AUTH_METHODS))
@click.option(
    "--jwks",
    type=click.File("r", encoding="utf-8"),
    help="Its public keys (JWK set) for private_key_jwt; default: its current keys.",
)
@click.option(
    "--overlap",
    type=Span(),
    default="24h",
    show_default=True,
    help="How long the old method still works; 0 to 30d.",
)
@prints
def change_auth(
    admin: OpenInstallation, name_or_id: str, method: str, jwks: TextIO | None, overlap: int
) -> Printed:
    """Change how an agent authenticates. A new secret is shown once."""
    auth_change = AuthChange(method, jwks.read() if jwks else "", overlap)
    secret = admin.agent_auth.change(name_or_id, auth_change, by=BY)
    agent = secret.agent
    old = (
        "the old method no longer works"
        if agent.auth_before_until is None
        else f"{agent.auth_before} works until {moment(agent.auth_before_until)}"
    )
    document = agent_document(agent, {})
    member_names = ("auth_method", "auth_before", "auth_before_until", "secrets", "keys")
    return (
        {
            "client_id": agent.id,
            **({"client_secret": secret.secret} if secret.secret else {}),
            **{name: document[name] for name in member_names},
        },
        [f"{agent.name} now uses {agent.auth_method}; {old}.", *usage_lines(admin, secret)],
    )
