"""Reads the audit log: the newest entries, a search, one entry, and a timeline.

Owns: the entries that belong to one timeline. Never: the log's bytes and their proofs.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from server.model.audit import EntrySearch, StoredEntry
from server.model.store import Store, View
from server.model.tokens import Delegation
from server.services.audit import actors, audit
from server.services.refusals import NotFound

_NO_CALL: Final = "local"
"""The correlation ID of commands and of the server's own work, which is not one API call."""
_MAX_TOKENS: Final = 100
"""The maximum number of derived tokens in a timeline, oldest first."""
_MAX_PER_CALL: Final = 100
_MAX_CALL_MS: Final = 60_000
"""Entries are indexed by time, not by call, so a search for a call needs a time range."""
_ISSUED_WITHIN_MS: Final = 1_000
"""Tokens store their time in seconds, entries in milliseconds."""


@dataclass(frozen=True, slots=True)
class AuditEntries:
    """Reads audit entries, with the current names of users and clients."""

    store: Store

    def newest(self, limit: int, after: str | None = None) -> list[StoredEntry]:
        """Return the last entries, or those after a given entry, oldest first."""
        with self.store.read() as view:
            return [actors.with_names(view, entry) for entry in view.audit.tail(limit, after)]

    def search(
        self, entry_search: EntrySearch, limit: int, before: str | None = None
    ) -> list[StoredEntry]:
        """Return the newest matching entries before the entry with this ID."""
        with self.store.read() as view:
            entries = view.audit.search(actors.resolve_names(view, entry_search), before, limit)
            return [actors.with_names(view, entry) for entry in entries]

    def get(self, entry_id: str) -> StoredEntry:
        """Return one entry. Raises `NotFound`."""
        with self.store.read() as view:
            entry = view.audit.get(entry_id)
            if entry is None:
                raise NotFound("audit entry", entry_id)
            return actors.with_names(view, entry)

    def timeline(self, any_id: str) -> list[StoredEntry]:
        """Return all entries about a request or token, from the first call to the last use.

        The ID identifies a request, a token (`jti`), an audit entry or an API call (correlation
        ID). Raises `NotFound`.
        """
        with self.store.read() as view:
            entries_by_id = {entry.id: entry for entry in _timeline(view, any_id)}
            if not entries_by_id:
                raise NotFound("request, token, audit entry or API call", any_id)
            return [
                actors.with_names(view, entries_by_id[entry_id])
                for entry_id in sorted(entries_by_id)
            ]


def _timeline(view: View, any_id: str) -> list[StoredEntry]:
    entry = view.audit.get(any_id)
    direct_entries = [entry] if entry else _call_entries(view, any_id)
    request = _request_id(view, any_id, direct_entries)
    tokens = _related_tokens(view, _token(view, any_id, request, direct_entries))
    related = [
        *direct_entries,
        *_request_entries(view, request, tokens),
        *_token_entries(view, tokens),
    ]
    calls = {entry.correlation_id: entry.at for entry in related}
    same_calls = [entry for call, at in calls.items() for entry in _call_entries(view, call, at)]
    return [*related, *(entry for entry in same_calls if entry.approval_id in {None, request})]


def _request_id(view: View, any_id: str, entries: Iterable[StoredEntry]) -> str | None:
    """Return the ID of the request that this ID belongs to, if any."""
    if view.approvals.get(any_id) is not None:
        return any_id
    token = view.delegations.get(any_id)
    if token is not None:
        return token.approval_id
    return next((entry.approval_id for entry in entries if entry.approval_id), None)


def _token(
    view: View, any_id: str, request: str | None, entries: Iterable[StoredEntry]
) -> Delegation | None:
    """Return the request's token, the token with this ID, or a token that the entries name."""
    if request is not None:
        return view.delegations.of_approval(request)
    token_ids = [any_id, *(str(jti) for entry in entries if (jti := _facts(entry).get("jti")))]
    delegations = (view.delegations.get(jti) for jti in token_ids)
    return next((token for token in delegations if token is not None), None)


def _related_tokens(view: View, token: Delegation | None) -> list[Delegation]:
    """Return the token, its ancestors and descendants, without its ancestors' other branches."""
    if token is None:
        return []
    derived = view.delegations.descendants(token.id)[:_MAX_TOKENS]
    return [*view.delegations.ancestors(token.id), token, *derived]


def _request_entries(
    view: View, request: str | None, tokens: Iterable[Delegation]
) -> list[StoredEntry]:
    ids = {
        approval_id
        for approval_id in (request, *(token.approval_id for token in tokens))
        if approval_id
    }
    return [entry for approval_id in ids for entry in view.audit.of_approval(approval_id)]


def _token_entries(view: View, tokens: Iterable[Delegation]) -> list[StoredEntry]:
    """Return the entries about issuing and revoking these tokens."""
    entries: list[StoredEntry] = []
    for token in tokens:
        entries += _entries_of_token(view, token, audit.Type.TOKEN_ISSUED, token.issued_at)
        if token.revoked_at is not None:
            entries += _entries_of_token(view, token, audit.Type.TOKEN_REVOKED, token.revoked_at)
    return entries


def _entries_of_token(
    view: View, token: Delegation, kind: audit.Type, at: int
) -> list[StoredEntry]:
    entry_search = EntrySearch(
        type=kind, since=at, until=at + _ISSUED_WITHIN_MS, subject=token.user_id
    )
    entries = view.audit.search(entry_search, None, _MAX_PER_CALL)
    return [entry for entry in entries if _facts(entry).get("jti") == token.id]


def _facts(entry: StoredEntry) -> dict[str, object]:
    return entry.members.get("facts") or {}


def _call_entries(view: View, call: str, at: int | None = None) -> list[StoredEntry]:
    """Return the entries of one API call, which took place around this time."""
    if call == _NO_CALL:
        return []
    since, until = (None, None) if at is None else (at - _MAX_CALL_MS, at + _MAX_CALL_MS)
    entry_search = EntrySearch(correlation_id=call, since=since, until=until)
    return view.audit.search(entry_search, None, _MAX_PER_CALL)
