"""The filter options of `inbox` and `history`.

Owns: their spelling. Never: the matching, which Filter does.
"""

import click

from approver_tui.cli.inputs import parse_option
from approver_tui.state.approvals.filters import read_span
from approver_tui.state.risks import Risk

risk = click.option(
    "--risk",
    type=click.Choice([level.value for level in Risk]),
    help="Only requests of this risk or higher.",
)
agent = click.option(
    "--agent", metavar="NAME", help="Only requests from this agent, by name or id."
)
as_json_lines = click.option("--jsonl", is_flag=True, help="Print one JSON document per request.")


def read_risk(name: str | None) -> Risk | None:
    """Return the risk of that name."""
    return None if name is None else Risk(name)


def read_since(text: str | None, now: int) -> int | None:
    """Return the moment of a time span ago. Raises UsageError."""
    return None if text is None else now - parse_option(f"--since {text}", read_span, text)
