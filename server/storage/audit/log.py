"""The order of entries in the audit log, the hashes of its tree, and its checkpoints.

On SQLite, the only writer numbers entries as it adds them. On PostgreSQL, transactions commit out
of order, so an elected sequencer numbers the entries in the order in which it sees them.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, and_, bindparam, false, func, insert, or_, select, tuple_, update

from server.audit_log.bundles import LoggedEntry
from server.audit_log.merkle import MissingNode, NodeIndex
from server.model.audit import CheckpointRow
from server.storage.audit.entries import Openings
from server.storage.audit.tables import audit_checkpoints as c
from server.storage.audit.tables import audit_entries as e
from server.storage.audit.tables import audit_nodes as n
from server.storage.prepared import DatabaseRows, RecordTable, arrays

_SIZE = select(func.coalesce(func.max(e.c.seq), -1) + 1)
_POSITION_OF = select(e.c.seq).where(e.c.id == bindparam("entry"))
_TIME_AT = select(e.c.at).where(e.c.seq == bindparam("position"))
_POSITION_AT = (
    select(e.c.seq).where(e.c.at >= bindparam("moment")).order_by(e.c.at, e.c.id).limit(1)
)
_COUNT_UNNUMBERED = select(func.count(), func.min(e.c.at)).where(e.c.seq.is_(None))
_IN_RANGE = (e.c.seq >= bindparam("first"), e.c.seq < bindparam("end"))
_LEAVES = select(e.c.leaf).where(*_IN_RANGE).order_by(e.c.seq)
_ENTRIES = select(e.c.seq, e.c.body, e.c.leaf).where(*_IN_RANGE).order_by(e.c.seq)
_BODIES = select(e.c.body).where(e.c.type == bindparam("kind"), *_IN_RANGE)
_UNNUMBERED = select(e.c.id).where(e.c.seq.is_(None)).order_by(e.c.id).limit(bindparam("limit"))
_NUMBERED = arrays("numbered", e.c.id, e.c.seq)
_NUMBER = update(e).where(e.c.id == _NUMBERED.c.id).values(seq=_NUMBERED.c.seq)
_ADD_NODES = insert(n).from_select([*n.c.keys()], select(arrays("added", *n.c)))
_NODES_AT = select(n).where(tuple_(n.c.level, n.c.number).in_(bindparam("indexes", expanding=True)))
_LEAVES_AT = select(e.c.seq, e.c.leaf).where(e.c.seq.in_(bindparam("indexes", expanding=True)))
_PAIRS = select(func.coalesce(func.max(n.c.number), -1) + 1).where(n.c.level == 1)
_NEWEST = select(c).order_by(c.c.size.desc(), c.c.at.desc()).limit(1)
_CHECKPOINTS = RecordTable(CheckpointRow, c)


class AuditLog(DatabaseRows):
    """The order of the audit log in the database."""

    def number(self, limit: int) -> int:
        """Number new entries; return their count. The caller holds the sequencer's lock."""
        ids = self._column(_UNNUMBERED, limit=limit)
        if ids:
            first = self.size()
            positions = [*range(first, first + len(ids))]
            self._db.execute(_NUMBER, {"id_array": ids, "seq_array": positions})
        return len(ids)

    def size(self) -> int:
        """Return the number of entries that have a position."""
        return self._number(_SIZE)

    def position_of(self, entry_id: str) -> int | None:
        """Return the position of an entry; None if it is not numbered yet."""
        return self._db.execute(_POSITION_OF, {"entry": entry_id}).scalar()

    def time_of(self, position: int) -> int | None:
        """Return the time of the entry at a position; None if there is no such entry."""
        return self._db.execute(_TIME_AT, {"position": position}).scalar()

    def position_at(self, moment: int) -> int:
        """The position of the first entry at or after this time; the size if there is none."""
        position = self._db.execute(_POSITION_AT, {"moment": moment}).scalar()
        return self.size() if position is None else position

    def unplaced(self) -> tuple[int, int | None]:
        """Return the number of entries that are not numbered yet, and the time of the oldest."""
        count, oldest = self._db.execute(_COUNT_UNNUMBERED).one()
        return count, oldest

    def leaves(self, first: int, end: int) -> list[bytes]:
        """Return the leaf hashes at positions from `first` to before `end`."""
        return [bytes(leaf) for leaf in self._column(_LEAVES, first=first, end=end)]

    def add_nodes(self, nodes: Mapping[NodeIndex, bytes]) -> None:
        """Store the hashes of complete subtrees of two leaves or more."""
        rows = [{"level": at[0], "number": at[1], "hash": digest} for at, digest in nodes.items()]
        if rows and self._db.dialect.name == "sqlite":
            self._db.execute(insert(n), rows)
        elif rows:
            names = n.c.keys()
            values = {f"{name}_array": [row[name] for row in rows] for name in names}
            self._db.execute(_ADD_NODES, values)

    def nodes(self, indexes: Sequence[NodeIndex]) -> dict[NodeIndex, bytes]:
        """Return the hashes of these nodes, including leaves. Raises `MissingNode`."""
        run, hashes = self._db.execute, dict[NodeIndex, bytes]()
        if leaves := [number for level, number in indexes if level == 0]:
            rows = run(_LEAVES_AT, {"indexes": leaves})
            hashes |= {(0, seq): _bytes(leaf) for seq, leaf in rows}
        if inner := [index for index in indexes if index[0]]:
            hashes |= _hashes(run(_NODES_AT, {"indexes": inner}))
        for index in indexes:
            if index not in hashes:
                raise MissingNode(f"Hash {index[1]} of level {index[0]} is missing.")
        return hashes

    def nodes_over(self, first: int, end: int) -> dict[NodeIndex, bytes]:
        """Return the stored hashes whose last leaf is from `first` to before `end`."""
        ranges = [
            and_(n.c.level == level, n.c.number >= first >> level, n.c.number < end >> level)
            for level in range(1, end.bit_length())
        ]
        return _hashes(self._db.execute(select(n).where(or_(false(), *ranges))))

    def size_of_nodes(self) -> int:
        """Return the number of entries whose complete subtrees are stored; always even."""
        return 2 * self._number(_PAIRS)

    def entries(self, first: int, end: int) -> list[LoggedEntry]:
        """Return the entries at positions from `first` to before `end`."""
        rows = self._db.execute(_ENTRIES, {"first": first, "end": end}).all()
        openings = Openings(self._db).between(first, end)
        return [
            LoggedEntry(seq, _bytes(body), _bytes(leaf), openings.get(seq, {}))
            for seq, body, leaf in rows
        ]

    def bodies(self, kind: str, first: int, end: int) -> list[bytes]:
        """Return the bodies of entries of a type at positions from `first` to before `end`."""
        return list(map(_bytes, self._column(_BODIES, kind=kind, first=first, end=end)))

    def newest(self, at_most: int | None = None) -> CheckpointRow | None:
        """Return the newest checkpoint, of at most this size if one is given."""
        statement = _NEWEST if at_most is None else _NEWEST.where(c.c.size <= at_most)
        return self._one(_CHECKPOINTS.read, statement)

    def checkpoints(self, after: tuple[int, int], limit: int) -> list[CheckpointRow]:
        """Return the checkpoints after a size and time, oldest first."""
        later = select(c).where(tuple_(c.c.size, c.c.at) > after)
        return self._many(_CHECKPOINTS.read, later.order_by(c.c.size, c.c.at).limit(limit))

    def add(self, checkpoint: CheckpointRow) -> None:
        """Store a checkpoint."""
        _CHECKPOINTS.add(self._db, checkpoint)


def _bytes(value: bytes | str) -> bytes:
    """Return the bytes of a value, which may be text if someone edited the row by hand."""
    return value.encode() if isinstance(value, str) else bytes(value)


def _hashes(rows: Iterable[Row[Any]]) -> dict[NodeIndex, bytes]:
    return {(row.level, row.number): _bytes(row.hash) for row in rows}
