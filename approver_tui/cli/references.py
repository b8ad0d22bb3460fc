"""IDs as users type them: the whole ID, its first characters, or a request's fingerprint.

Owns: finding the object that the user means, and the error that lists several matches. Never:
guessing which match is meant.
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

_FULL_ID = re.compile(r"sayso_[a-z]+_[a-z2-7]{16,}")
_MIN_PREFIX = 4
"""The minimum length of a prefix; a shorter one could match the only request by accident."""
_MAX_LISTED = 5
_MAX_PAGES = 5


def is_full(typed: str) -> bool:
    """Whether an ID was typed in full."""
    return _FULL_ID.fullmatch(typed) is not None


def approval_id(client: Client, typed: str) -> str:
    """Return the ID of the matching waiting request or, if none matches, of a past one."""
    if is_full(typed):
        return typed
    waiting = _matches(typed, client.waiting().items)
    return _only_match(typed, waiting or _matches(typed, _past_approvals(client)))


def find_approval_id(typed: str) -> str:
    """Return the ID of a request; ask the server unless the ID is typed in full."""
    if is_full(typed):
        return typed
    with this_client() as client:
        return approval_id(client, typed)


def require_id(typed: str, approval_id: str) -> None:
    """Raise click.UsageError for a fingerprint in place of an ID.

    An agent can make another request with the same fingerprint, but cannot choose its ID.
    """
    if typed != approval_id and not _has_prefix(approval_id, typed):
        raise click.UsageError(
            "Without a prompt, use the ID of the request, which `sayso-approver show` prints. A "
            "fingerprint does not identify a request."
        )


def device_id(client: Client, typed: str) -> str:
    """Return the ID of one of the user's devices."""
    return _full_id(typed, lambda: (device.id for device in client.devices()))


def grant_id(client: Client, typed: str) -> str:
    """Return the ID of a standing grant, active or ended."""
    grants = StandingGrantsClient(client)
    return _full_id(typed, lambda: (grant.id for grant in grants.grants(ended=True)))


def consent_id(client: Client, typed: str) -> str:
    """Return the ID of a consent."""
    return _full_id(typed, lambda: (consent.id for consent in client.consents()))


def deputy_id(client: Client, typed: str) -> str:
    """Return the ID of a deputy."""
    return _full_id(typed, lambda: (deputy.id for part in list_deputies(client) for deputy in part))


def _full_id(typed: str, ids: Callable[[], Iterable[str]]) -> str:
    if is_full(typed):
        return typed
    return _only_match(typed, {id_: id_ for id_ in ids() if _has_prefix(id_, typed)})


def _matches(typed: str, approvals: Iterable[Approval]) -> dict[str, str]:
    """Return the matching requests by ID, each as the error lists it."""
    return {
        approval.id: f"{approval.id} ({approval.fingerprint})"
        for approval in approvals
        if same_fingerprint(approval.fingerprint, typed) or _has_prefix(approval.id, typed)
    }


def _past_approvals(client: Client) -> Iterator[Approval]:
    """Yield the newest past requests, fetched page by page."""
    cursor: str | None = None
    for _ in range(_MAX_PAGES):
        page = client.inbox("decided", limit=200, cursor=cursor)
        yield from page.items
        if (cursor := page.next) is None:
            return


def _has_prefix(full: str, typed: str) -> bool:
    """Whether an ID begins with `typed`, which may omit the prefix of its kind."""
    random_part = full[full.rfind("_") + 1 :]
    prefix = typed.removeprefix(full.removesuffix(random_part)).lower()
    return len(prefix) >= _MIN_PREFIX and random_part.startswith(prefix)


def _only_match(typed: str, matches: dict[str, str]) -> str:
    """Return the only match. Without a match, return `typed`, which the server rejects."""
    if len(matches) > 1:
        listed = ", ".join(list(matches.values())[:_MAX_LISTED])
        more = f" and {len(matches) - _MAX_LISTED} more" if len(matches) > _MAX_LISTED else ""
        raise click.UsageError(f"{typed} matches {listed}{more}. Type more characters.")
    return next(iter(matches), typed)
