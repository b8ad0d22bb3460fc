"""IDs as people type them: in full, their beginning, or the fingerprint of a request.

Owns: finding the one that is meant, the error that lists the matches. Never: guessing among
several.
"""

import re
from collections.abc import Callable, Iterable, Iterator

import click

from approver_tui.cli.inputs import this_client
from approver_tui.client.api import Client
from approver_tui.client.approvers.deputies import list_deputies
from approver_tui.client.standing_grants.standing_grants import StandingGrantsClient
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.fingerprint import same_fingerprint

_FULL = re.compile(r"sayso_[a-z]+_[a-z2-7]{16,}")
_SHORTEST = 4
"""Fewer characters of an ID than this could mean the only request by accident."""
_MOST_LISTED = 5
_MAX_PAGES = 5


def is_full(typed: str) -> bool:
    """Whether an ID was typed in full."""
    return _FULL.fullmatch(typed) is not None


def approval_id(client: Client, typed: str) -> str:
    """Return the ID of a request: a waiting one, or else a past one that the history has."""
    if is_full(typed):
        return typed
    waiting = _matches(typed, client.waiting().items)
    return _only(typed, waiting or _matches(typed, _past(client)))


def looked_up(typed: str) -> str:
    """Return the ID of a request, asking the server if it is not typed in full."""
    if is_full(typed):
        return typed
    with this_client() as client:
        return approval_id(client, typed)


def require_id(typed: str, approval_id: str) -> None:
    """Refuse a fingerprint in place of an ID. Raises click.UsageError.

    An agent can make another request with the same fingerprint, but cannot choose its ID.
    """
    if typed != approval_id and not _begins(approval_id, typed):
        raise click.UsageError(
            "Without a prompt, name the request by its ID, as `sayso-approver show` prints it. A "
            "fingerprint only checks it."
        )


def device_id(client: Client, typed: str) -> str:
    """Return the ID of one of the user's devices."""
    return _full_id(typed, lambda: (device.id for device in client.devices()))


def grant_id(client: Client, typed: str) -> str:
    """Return the ID of a standing grant, also of one that ended."""
    grants = StandingGrantsClient(client)
    return _full_id(typed, lambda: (grant.id for grant in grants.grants(ended=True)))


def consent_id(client: Client, typed: str) -> str:
    """Return the ID of a consent."""
    return _full_id(typed, lambda: (consent.id for consent in client.consents()))


def deputy_id(client: Client, typed: str) -> str:
    """Return the ID of a deputy's term."""
    return _full_id(typed, lambda: (deputy.id for deputy in list_deputies(client).mine))


def _full_id(typed: str, ids: Callable[[], Iterable[str]]) -> str:
    if is_full(typed):
        return typed
    return _only(typed, {id_: id_ for id_ in ids() if _begins(id_, typed)})


def _matches(typed: str, approvals: Iterable[Approval]) -> dict[str, str]:
    """The requests that are meant, as the error lists them."""
    return {
        approval.id: f"{approval.id} ({approval.fingerprint})"
        for approval in approvals
        if same_fingerprint(approval.fingerprint, typed) or _begins(approval.id, typed)
    }


def _past(client: Client) -> Iterator[Approval]:
    """The newest past requests, a page at a time."""
    cursor: str | None = None
    for _ in range(_MAX_PAGES):
        page = client.inbox("decided", limit=200, cursor=cursor)
        yield from page.items
        if (cursor := page.next) is None:
            return


def _begins(full: str, typed: str) -> bool:
    """Whether an ID begins so, with or without the part that all IDs of its kind share."""
    own = full[full.rfind("_") + 1 :]
    rest = typed.removeprefix(full.removesuffix(own)).lower()
    return len(rest) >= _SHORTEST and own.startswith(rest)


def _only(typed: str, found: dict[str, str]) -> str:
    """Return the one that was found, or what was typed for the server to refuse."""
    if len(found) > 1:
        listed = ", ".join(list(found.values())[:_MOST_LISTED])
        more = f" and {len(found) - _MOST_LISTED} more" if len(found) > _MOST_LISTED else ""
        raise click.UsageError(f"{typed} is the beginning of {listed}{more}. Type more of it.")
    return next(iter(found), typed)
