"""`sayso ask`: starts the command by which a shell asks a person, a program of the kit.

Owns: its flags. Never: what they mean; the kit and the server meet only on the wire.
"""

import click

from server.cli import kit_programs


@click.command()
@click.option("--user", metavar="NAME", help="The person: a user name, email address or ID.")
@click.option("--action", metavar="TYPE", help="The action type.")
@click.option("--details", metavar="JSON", help="Its facts; @FILE reads a file, @- stdin.")
@click.option("--scope", help="Scopes, separated by spaces.")
@click.option("--resource", metavar="URI", help="The API, if the agent may use several.")
@click.option("--message", help="Up to 200 characters, shown as the agent's own words.")
@click.option("--risk", metavar="RISK", help="Raise the risk: low, medium, high or critical.")
@click.option("--expires-in", metavar="SECONDS", help="Wait so long at most.")
@click.option("--idempotency-key", help="The same key and request again continue the request.")
@click.option("--accept-narrowed", is_flag=True, help="Exit 0 also if less was granted.")
@click.option("--json", is_flag=True, help="Print the result as one JSON document.")
def command(**given: str | bool | None) -> None:
    """Ask a person as an agent, and wait for the answer. Exit 0 means approved.

    The environment says who the agent is: SAYSO_ISSUER, SAYSO_AGENT_ID, and SAYSO_AGENT_SECRET or
    SAYSO_AGENT_KEY_FILE. See docs/ask-from-a-shell.md.
    """
    kit_programs.run("sayso.ask", given=given)
