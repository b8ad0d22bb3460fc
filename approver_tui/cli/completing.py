"""Shell completion for arguments: settings and their values, IDs and agents.

Owns: finding them on this machine, in the settings and in the last known list of requests. Never:
asking the server; failing, because the error would appear in the line that the user types.
"""

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from approver_tui import loading
from approver_tui.cli.sign_in.homes import home_of
from approver_tui.client.errors import ClientError
from approver_tui.client.sign_in.profile import load
from approver_tui.settings import OPTIONS

if TYPE_CHECKING:
    from approver_tui.state.approvals.approvals import Approval

_PLAIN_NAME = re.compile(r"[\w.-]+", re.ASCII)
"""A name without characters that are special to a shell; agents choose their own names."""


def approval_ids(
    context: click.Context, _argument: click.Parameter, typed: str
) -> list[CompletionItem]:
    """Offer the IDs of the last known waiting requests."""
    offers = ((approval.id, approval.headline) for approval in _last_known_approvals(context))
    return _matching_items(typed, offers)


approval_argument = click.argument("approval_id", metavar="ID", shell_complete=approval_ids)
optional_approval_argument = click.argument(
    "approval_id", metavar="[ID]", shell_complete=approval_ids, required=False
)


def agents(context: click.Context, _argument: click.Parameter, typed: str) -> list[CompletionItem]:
    """Offer the agents of these requests by name, or by ID if the name is not plain."""
    names = {approval.agent.id: approval.agent.name for approval in _last_known_approvals(context)}
    offers = (
        (name if _PLAIN_NAME.fullmatch(name) else agent_id, name)
        for agent_id, name in names.items()
    )
    return _matching_items(typed, offers)


def setting_names(
    _context: click.Context, _argument: click.Parameter, typed: str
) -> list[CompletionItem]:
    """Offer the names of the settings."""
    return _matching_items(typed, ((name, option.description) for name, option in OPTIONS.items()))


def settings_and_values(
    context: click.Context, argument: click.Parameter, typed: str
) -> list[CompletionItem]:
    """Offer names, and after a name its values."""
    pairs: tuple[str, ...] = context.params.get("pairs") or ()
    if len(pairs) % 2 == 0:
        return setting_names(context, argument, typed)
    option = OPTIONS.get(pairs[len(pairs) - 1])
    return _matching_items(typed, ((value, "") for value in (option.choices if option else ())))


def _matching_items(typed: str, offers: Iterable[tuple[str, str]]) -> list[CompletionItem]:
    return [
        CompletionItem(value, help=description)
        for value, description in offers
        if value.startswith(typed)
    ]


def _last_known_approvals(context: click.Context) -> "Iterator[Approval]":
    try:
        home = home_of(context)
        profile = load(home)
        last_known = loading.module("approver_tui.client.approvals.last_known")
        page = None if profile is None else last_known.load(home, profile)
    except (ClientError, OSError):
        return
    yield from () if page is None else page.items
