"""`sayso ask`: replaces this process with the shell command of the SDK (`sayso.ask`).

Defines the flags only. The command talks to the server over HTTP.
"""

import click

from server.cli import sdk_programs


@click.command()
@click.option("--user", metavar="NAME", help="The person: a user name, email address or ID.")
@click.option("--action", metavar="TYPE", help="The action type.")
@click.option(
    "--details",
    metavar="JSON",
    help="The details of the action; @FILE reads a file, @- reads stdin.",
)
@click.option("--scope", help="Scopes, separated by spaces.")
@click.option("--resource", metavar="URI", help="The API, if the agent can use several.")
@click.option("--message", help="Up to 200 characters, shown as the agent's own message.")
@click.option("--risk", metavar="RISK", help="Raise the risk: low, medium, high or critical.")
@click.option("--expires-in", metavar="SECONDS", help="Expire the request after this many seconds.")
@click.option("--idempotency-key", help="Run again with the same key to resume the request.")
@click.option(
    "--accept-narrowed", is_flag=True, help="Also exit with 0 if the approver narrowed the request."
)
@click.option("--json", is_flag=True, help="Print the result as one JSON document.")
def command(**options: str | bool | None) -> None:
    """Ask a person for approval as an agent, and wait. Exit 0 means approved.

    Set the agent in the environment: SAYSO_ISSUER, SAYSO_AGENT_ID, and SAYSO_AGENT_SECRET or
    SAYSO_AGENT_KEY_FILE. See docs/ask-from-a-shell.md.
    """
    sdk_programs.run("sayso.ask", options=options)
