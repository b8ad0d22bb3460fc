"""The audit log as a Merkle tree: its checkpoints, proofs, and export.

Owns: when a checkpoint is due, and reading the entries for it.
Never: computing hashes and signatures (`server.audit_log`).
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from server.audit_log import merkle, notes
from server.audit_log.bundles import Line, LoggedEntry, SignedCheckpoint
from server.audit_log.merkle import Frontier
from server.audit_log.notes import BadNote, Checkpoint, LogKey, Promise
from server.audit_log.proofs import Proof
from server.model.audit import CheckpointRow, Entry, EntrySearch, StoredLeaf
from server.model.store import Store, Unit, View
from server.services.audit import audit
from server.services.refusals import Conflict, NotFound, Remedy

IDLE_MS: Final = 60_000
"""How often a checkpoint confirms that nothing was added."""
MAX_CHECKED: Final = 1_000_000
"""The number of entries that a server checks when it starts, which takes a few seconds."""
_BATCH_SIZE: Final = 5_000
_MAX_REPLACEMENTS: Final = 1_000
_NO_CHECKPOINT: Final = CheckpointRow(0, 0, b"", "")


class BrokenLog(Exception):
    """The entries in the database are not the ones that were signed."""

    remedy: Remedy = ("broken log",)


@dataclass(frozen=True, slots=True)
class Consistency:
    """A proof that a checkpoint's log begins with an older log."""

    old_size: int
    size: int
    hashes: tuple[bytes, ...]
    checkpoint: str


@dataclass(frozen=True, slots=True)
class Replacement:
    """A log key that replaced an earlier key."""

    log_key: str
    note: str | None
    """The statement that the old key signed about it; None if that key was lost."""


@dataclass(frozen=True, slots=True)
class AuditLog:
    """The log of one installation."""

    store: Store
    issuer: str
    private_key: Callable[[], bytes]
    """Reads the private key of the log."""

    @property
    def origin(self) -> str:
        """The log's name: the host of the server when the first checkpoint was signed."""
        return self._newest_or_empty().origin or f"{urlsplit(self.issuer).netloc}/log"

    @property
    def key(self) -> LogKey:
        """The public key."""
        return notes.public_key(self.origin, self.private_key())

    def round(self) -> int:
        """Do the same as `sign`, but take the write lock only if a checkpoint is due."""
        with self.store.read() as view:
            newest = view.audit_log.newest() or _NO_CHECKPOINT
            if view.audit_log.size() == newest.size and not _is_idle(view, newest):
                return 0
        return self.sign()

    def sign(self) -> int:
        """Sign a checkpoint if one is due; return the number of entries that it adds."""
        origin, private_key = self.origin, self.private_key()
        with self.store.write() as tx:
            tx.lock("audit log")
            newest = tx.audit_log.newest() or _NO_CHECKPOINT
            _store_missing_nodes(tx, newest.size)
            frontier = Frontier.decode(newest.size, newest.frontier)
            size = tx.audit_log.size()
            _extend_tree(tx, frontier, size)
            if size == newest.size and not _is_idle(tx, newest):
                return 0  # another process was first
            _add_checkpoint(tx, origin, frontier, newest.at, private_key)
            return size - newest.size

    def check(self) -> None:
        """Compare the last entries with the newest checkpoint. Raises `BrokenLog`.

        The comparison starts at a checkpoint that at least `MAX_CHECKED` entries follow.
        """
        with self.store.read() as view:
            newest = view.audit_log.newest()
            if newest is None:
                return
            start = view.audit_log.newest(newest.size - MAX_CHECKED) or _NO_CHECKPOINT
            frontier = Frontier.decode(start.size, start.frontier)
            for entries in _entries(view, start.size, newest.size):
                _check_nodes(view, frontier, entries)
        try:
            signed, _at = notes.verify(newest.note, [self.key])
        except BadNote as error:
            raise BrokenLog(
                f"The newest checkpoint of the audit log is not signed with this log key. {error}"
            ) from error
        if (frontier.size, frontier.root) != (signed.size, signed.root):
            raise BrokenLog(
                f"The audit log was changed outside of Sayso: its first {signed.size} entries are "
                "not the ones that were signed."
            )

    def lines(self) -> Generator[Line, None, None]:
        """Yield the whole log up to its newest checkpoint, in order."""
        size, after = 0, (0, -1)
        while checkpoint_rows := self._checkpoints(after):
            for row in checkpoint_rows:
                with self.store.read() as view:
                    for entries in _entries(view, size, row.size):
                        yield from entries
                size = row.size
                yield SignedCheckpoint(row.size, row.note)
            after = (checkpoint_rows[-1].size, checkpoint_rows[-1].at)

    def record_key(self, tx: Unit, new: bytes, old: bytes | None, *, by: str) -> None:
        """Write the entry about a new private log key, signed with the old one.

        The new key signs the newest checkpoint again, because servers check it with this key.
        """
        key = notes.public_key(self.origin, new)
        signed = {} if old is None else {"note": notes.replacement(key, old)}
        facts = {"log_key": key.text, **signed}
        tx.audit.add(Entry(audit.Type.LOG_KEY_REPLACED, by, facts=facts))
        tx.lock("audit log")
        if newest := tx.audit_log.newest():
            frontier = Frontier.decode(newest.size, newest.frontier)
            _add_checkpoint(tx, newest.origin, frontier, newest.at, new)

    def replacements(self) -> list[Replacement]:
        """Return the keys that replaced earlier ones, oldest first."""
        entry_search = EntrySearch(type=audit.Type.LOG_KEY_REPLACED)
        with self.store.read() as view:
            entries = view.audit.search(entry_search, None, _MAX_REPLACEMENTS)
        facts = [entry.members["facts"] for entry in reversed(entries)]
        return [Replacement(fact["log_key"], fact.get("note")) for fact in facts]

    def newest(self) -> str:
        """Return the newest signed checkpoint. Raises `Conflict` if there is none yet."""
        return self._newest().note

    def consistency(self, old_size: int) -> Consistency:
        """Prove that the newest checkpoint's log begins with the log of this older size.

        The proof is empty if the log is smaller than that. Raises `Conflict`.
        """
        newest = self._newest()
        if old_size > newest.size:
            return Consistency(old_size, newest.size, (), newest.note)
        with self.store.read() as view:
            hashes = merkle.consistency_proof(view.audit_log.nodes, old_size, newest.size)
        return Consistency(old_size, newest.size, tuple(hashes), newest.note)

    def promises(self, leaves: Iterable[StoredLeaf]) -> list[str]:
        """Sign promises that stored entries are in the log.

        They are never dated before the newest checkpoint, because the clock may have been set back.
        """
        name, private_key, not_before = self.origin, self.private_key(), self._newest_or_empty().at
        promises_to_sign = (
            Promise(leaf.id, leaf.leaf, max(leaf.at, not_before) // 1000) for leaf in leaves
        )
        return [notes.promise(promise, name, private_key) for promise in promises_to_sign]

    def prove(self, entry_id: str, size: int | None = None) -> Proof:
        """Prove that an entry is in the newest checkpoint's log, or in the log of this size.

        Raises `NotFound` or `Conflict`.
        """
        newest = self._newest(size)
        with self.store.read() as view:
            position = view.audit_log.position_of(entry_id)
            if view.audit.get(entry_id) is None:
                raise NotFound("audit entry", entry_id)
            if position is None or position >= newest.size:
                raise Conflict("This entry is not in a checkpoint yet. Try again in two seconds.")
            hashes = merkle.inclusion_proof(view.audit_log.nodes, position, newest.size)
            (entry,) = view.audit_log.entries(position, position + 1)
        return Proof(position, entry.body, tuple(hashes), newest.note)

    def _newest_or_empty(self) -> CheckpointRow:
        with self.store.read() as view:
            return view.audit_log.newest() or _NO_CHECKPOINT

    def _newest(self, at_most: int | None = None) -> CheckpointRow:
        with self.store.read() as view:
            newest = view.audit_log.newest(at_most)
        if newest is None:
            raise Conflict("The log has no checkpoint yet.", remedy=("checkpoint",))
        return newest

    def _checkpoints(self, after: tuple[int, int]) -> list[CheckpointRow]:
        with self.store.read() as view:
            return view.audit_log.checkpoints(after, _BATCH_SIZE)


def _is_idle(view: View, newest: CheckpointRow) -> bool:
    return view.now - newest.at >= IDLE_MS


def _add_checkpoint(
    tx: Unit, origin: str, frontier: Frontier, after: int, private_key: bytes
) -> None:
    """Sign a checkpoint of these entries, later than the time `after`, and store it."""
    at = max(tx.now, after + 1)
    note = notes.sign(Checkpoint(origin, frontier.size, frontier.root), private_key, at // 1000)
    tx.audit_log.add(CheckpointRow(frontier.size, at, frontier.encode(), note))


def _store_missing_nodes(tx: Unit, size: int) -> None:
    """Store the hashes over the first `size` entries that earlier versions did not store."""
    stored = tx.audit_log.size_of_nodes()
    if stored < size - 1:
        _extend_tree(tx, merkle.frontier(tx.audit_log.nodes, stored), size)


def _extend_tree(tx: Unit, frontier: Frontier, size: int) -> None:
    """Extend the tree to `size` entries, and store its new nodes."""
    for start in range(frontier.size, size, _BATCH_SIZE):
        leaves = tx.audit_log.leaves(start, min(start + _BATCH_SIZE, size))
        tx.audit_log.add_nodes(frontier.extend(leaves))


def _check_nodes(view: View, frontier: Frontier, entries: list[LoggedEntry]) -> None:
    """Extend the tree with entries, and compare its new nodes with the stored ones.

    Raises `BrokenLog`. The last nodes may be missing after an upgrade.
    """
    first, stored = frontier.size, view.audit_log.size_of_nodes()
    found = view.audit_log.nodes_over(first, first + len(entries))
    complete = frontier.extend(entry.hash for entry in entries)
    expected = {(at, n): digest for (at, n), digest in complete.items() if (n + 1) << at <= stored}
    if found != expected:
        raise BrokenLog(
            "The audit log was changed outside of Sayso: from entry "
            f"{first} to {frontier.size - 1}, the stored hashes are not those of the entries."
        )


def _entries(view: View, first: int, end: int) -> Iterator[list[LoggedEntry]]:
    for start in range(first, end, _BATCH_SIZE):
        yield view.audit_log.entries(start, min(start + _BATCH_SIZE, end))
