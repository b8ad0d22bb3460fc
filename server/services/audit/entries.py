"""Reading the audit log: the newest entries, a search, one entry, and a timeline.

Owns: which entries belong to one timeline. Never: the log's bytes and their proofs.
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
"""The correlation id of commands and of the server's own work, which is not one API call."""
_MAX_TOKENS: Final = 100
"""How many derived tokens a timeline covers, the oldest first."""
_MAX_PER_CALL: Final = 100
_LONGEST_CALL_MS: Final = 60_000
"""The entries have an index by time, and none by call."""
_ISSUED_WITHIN_MS: Final = 1_000
"""Tokens have their time in seconds, entries in milliseconds."""


@dataclass(frozen=True, slots=True)
class AuditEntries:
    """Reads audit entries, with the current names of users and clients."""

    store: Store

    def newest(self, limit: int, after: str | None = None) -> list[StoredEntry]:
        """The last entries, or those after one, oldest first."""
        with self.store.read() as view:
            return [actors.with_names(view, entry) for entry in view.audit.tail(limit, after)]

    def search(
        self, entry_search: EntrySearch, limit: int, before: str | None = None
    ) -> list[StoredEntry]:
        """The newest matching entries before an id."""
        with self.store.read() as view:
            entries = view.audit.search(actors.resolve_names(view, entry_search), before, limit)
            return [actors.with_names(view, entry) for entry in entries]

    def get(self, entry_id: str) -> StoredEntry:
        """One entry. Raises `NotFound`."""
        with self.store.read() as view:
            entry = view.audit.get(entry_id)
            if entry is None:
                raise NotFound("audit entry", entry_id)
            return actors.with_names(view, entry)

    def timeline(self, any_id: str) -> list[StoredEntry]:
        """All entries of one request or token, oldest first: from the first call to the last use.

        The ID is that of a request, a token (`jti`), an audit entry or an API call (correlation
        ID). Raises `NotFound`.
        """
        with self.store.read() as view:
            found = {entry.id: entry for entry in _timeline(view, any_id)}
            if not found:
                raise NotFound("request, token, audit entry or API call", any_id)
            return [actors.with_names(view, found[entry_id]) for entry_id in sorted(found)]


def _timeline(view: View, any_id: str) -> list[StoredEntry]:
    entry = view.audit.get(any_id)
    direct = [entry] if entry else _of_call(view, any_id)
    request = _request_id(view, any_id, direct)
    tokens = _chain(view, _token(view, any_id, request, direct))
    about = [*direct, *_of_requests(view, request, tokens), *_of_tokens(view, tokens)]
    calls = {entry.correlation_id: entry.at for entry in about}
    others = [entry for call, at in calls.items() for entry in _of_call(view, call, at)]
    return [*about, *(entry for entry in others if entry.approval_id in {None, request})]


def _request_id(view: View, any_id: str, direct: Iterable[StoredEntry]) -> str | None:
    """The request that this ID belongs to, if any."""
    if view.approvals.get(any_id) is not None:
        return any_id
    token = view.delegations.get(any_id)
    if token is not None:
        return token.approval_id
    return next((entry.approval_id for entry in direct if entry.approval_id), None)


def _token(
    view: View, any_id: str, request: str | None, direct: Iterable[StoredEntry]
) -> Delegation | None:
    """The token of the request, with this ID, or named by the entries."""
    if request is not None:
        return view.delegations.of_approval(request)
    named = [any_id, *(str(jti) for entry in direct if (jti := _facts(entry).get("jti")))]
    found = (view.delegations.get(jti) for jti in named)
    return next((token for token in found if token is not None), None)


def _chain(view: View, token: Delegation | None) -> list[Delegation]:
    """The token with those it came from and those derived from it, but not their other children."""
    if token is None:
        return []
    derived = view.delegations.descendants(token.id)[:_MAX_TOKENS]
    return [*view.delegations.ancestors(token.id), token, *derived]


def _of_requests(
    view: View, request: str | None, tokens: Iterable[Delegation]
) -> list[StoredEntry]:
    ids = {
        approval_id
        for approval_id in (request, *(token.approval_id for token in tokens))
        if approval_id
    }
    return [entry for approval_id in ids for entry in view.audit.of_approval(approval_id)]


def _of_tokens(view: View, tokens: Iterable[Delegation]) -> list[StoredEntry]:
    """The entries of their issue and of their end."""
    entries: list[StoredEntry] = []
    for token in tokens:
        entries += _about_token(view, token, audit.Type.TOKEN_ISSUED, token.issued_at)
        if token.revoked_at is not None:
            entries += _about_token(view, token, audit.Type.TOKEN_REVOKED, token.revoked_at)
    return entries


def _about_token(view: View, token: Delegation, kind: audit.Type, at: int) -> list[StoredEntry]:
    entry_search = EntrySearch(
        type=kind, since=at, until=at + _ISSUED_WITHIN_MS, subject=token.user_id
    )
    entries = view.audit.search(entry_search, None, _MAX_PER_CALL)
    return [entry for entry in entries if _facts(entry).get("jti") == token.id]


def _facts(entry: StoredEntry) -> dict[str, object]:
    return entry.members.get("facts") or {}


def _of_call(view: View, call: str, at: int | None = None) -> list[StoredEntry]:
    """The entries of one API call, which took place around this time."""
    if call == _NO_CALL:
        return []
    since, until = (None, None) if at is None else (at - _LONGEST_CALL_MS, at + _LONGEST_CALL_MS)
    entry_search = EntrySearch(correlation_id=call, since=since, until=until)
    return view.audit.search(entry_search, None, _MAX_PER_CALL)
