"""The places of audit entries in the log, the hashes of its tree, and its checkpoints.

On SQLite the only writer gives an entry its place when it adds it. On PostgreSQL transactions
commit out of order, so an elected sequencer gives entries their places as it sees them.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Row,
    and_,
    bindparam,
    false,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)

from server.audit_log.bundles import LoggedEntry
from server.audit_log.merkle import MissingNode, Place
from server.model.audit import CheckpointRow
from server.storage.audit.entries import Openings
from server.storage.audit.tables import audit_checkpoints as c
from server.storage.audit.tables import audit_entries as e
from server.storage.audit.tables import audit_nodes as n
from server.storage.prepared import DatabaseRows, arrays

_SIZE = select(func.coalesce(func.max(e.c.seq), -1) + 1)
_PLACE_OF = select(e.c.seq).where(e.c.id == bindparam("entry"))
_TIME_OF = select(e.c.at).where(e.c.seq == bindparam("place"))
_PLACE_AT = select(e.c.seq).where(e.c.at >= bindparam("moment")).order_by(e.c.at, e.c.id).limit(1)
_WITHOUT_PLACE = select(func.count(), func.min(e.c.at)).where(e.c.seq.is_(None))
_THERE = (e.c.seq >= bindparam("first"), e.c.seq < bindparam("end"))
_LEAVES = select(e.c.leaf).where(*_THERE).order_by(e.c.seq)
_ENTRIES = select(e.c.seq, e.c.body, e.c.leaf).where(*_THERE).order_by(e.c.seq)
_BODIES = select(e.c.body).where(e.c.type == bindparam("kind"), *_THERE)
_UNPLACED = select(e.c.id).where(e.c.seq.is_(None)).order_by(e.c.id).limit(bindparam("limit"))
_PLACED = arrays("placed", e.c.id, e.c.seq)
_PLACE = update(e).where(e.c.id == _PLACED.c.id).values(seq=_PLACED.c.seq)
_ADD_NODES = insert(n).from_select([*n.c.keys()], select(arrays("added", *n.c)))
_AT = select(n).where(tuple_(n.c.level, n.c.number).in_(bindparam("places", expanding=True)))
_LEAVES_AT = select(e.c.seq, e.c.leaf).where(e.c.seq.in_(bindparam("places", expanding=True)))
_PAIRS = select(func.coalesce(func.max(n.c.number), -1) + 1).where(n.c.level == 1)
_NEWEST = select(c).order_by(c.c.size.desc(), c.c.at.desc()).limit(1)


class AuditLog(DatabaseRows):
    """The order of the audit log in the database."""

    def place(self, limit: int) -> int:
        """Give entries their places. The caller holds the sequencer's lock. Returns how many."""
        ids = self._db.execute(_UNPLACED, {"limit": limit}).scalars().all()
        if ids:
            first = self.size()
            places = [*range(first, first + len(ids))]
            self._db.execute(_PLACE, {"id_array": ids, "seq_array": places})
        return len(ids)

    def size(self) -> int:
        """The number of entries that have a place."""
        return int(self._db.execute(_SIZE).scalar_one())

    def place_of(self, entry_id: str) -> int | None:
        """The place of an entry; None if it has none yet."""
        return self._db.execute(_PLACE_OF, {"entry": entry_id}).scalar()

    def time_of(self, place: int) -> int | None:
        """The time of the entry at a place; None if there is none."""
        return self._db.execute(_TIME_OF, {"place": place}).scalar()

    def place_at(self, moment: int) -> int:
        """The place of the first entry from this time on; the size if there is none."""
        place = self._db.execute(_PLACE_AT, {"moment": moment}).scalar()
        return self.size() if place is None else place

    def unplaced(self) -> tuple[int, int | None]:
        """The number of entries that have no place yet, and the time of the oldest."""
        count, oldest = self._db.execute(_WITHOUT_PLACE).one()
        return count, oldest

    def leaves(self, first: int, end: int) -> list[bytes]:
        """The leaf hashes at the places from `first` to before `end`."""
        rows = self._db.execute(_LEAVES, {"first": first, "end": end})
        return [bytes(leaf) for leaf in rows.scalars()]

    def add_nodes(self, nodes: Mapping[Place, bytes]) -> None:
        """Store the hashes of complete subtrees of two leaves or more."""
        rows = [{"level": at[0], "number": at[1], "hash": digest} for at, digest in nodes.items()]
        if rows and self._db.dialect.name == "sqlite":
            self._db.execute(insert(n), rows)
        elif rows:
            names = n.c.keys()
            values = {f"{name}_array": [row[name] for row in rows] for name in names}
            self._db.execute(_ADD_NODES, values)

    def nodes(self, places: Sequence[Place]) -> dict[Place, bytes]:
        """The hashes at these places, leaves included. Raises `MissingNode`."""
        run, found = self._db.execute, dict[Place, bytes]()
        if leaves := [number for level, number in places if level == 0]:
            rows = run(_LEAVES_AT, {"places": leaves})
            found |= {(0, seq): _bytes(leaf) for seq, leaf in rows}
        if inner := [place for place in places if place[0]]:
            found |= _hashes(run(_AT, {"places": inner}))
        for place in places:
            if place not in found:
                raise MissingNode(f"Hash {place[1]} of level {place[0]} is missing.")
        return found

    def nodes_over(self, first: int, end: int) -> dict[Place, bytes]:
        """The stored hashes whose last leaf is from `first` to before `end`."""
        there = [
            and_(n.c.level == level, n.c.number >= first >> level, n.c.number < end >> level)
            for level in range(1, end.bit_length())
        ]
        return _hashes(self._db.execute(select(n).where(or_(false(), *there))))

    def size_of_nodes(self) -> int:
        """The number of entries whose complete subtrees are stored; it is even."""
        return 2 * int(self._db.execute(_PAIRS).scalar_one())

    def entries(self, first: int, end: int) -> list[LoggedEntry]:
        """The entries at the places from `first` to before `end`."""
        rows = self._db.execute(_ENTRIES, {"first": first, "end": end}).all()
        openings = Openings(self._db).between(first, end)
        return [
            LoggedEntry(seq, _bytes(body), _bytes(leaf), openings.get(seq, {}))
            for seq, body, leaf in rows
        ]

    def bodies(self, kind: str, first: int, end: int) -> list[bytes]:
        """The bodies of entries of a type at the places from `first` to before `end`."""
        rows = self._db.execute(_BODIES, {"kind": kind, "first": first, "end": end})
        return [_bytes(body) for body in rows.scalars()]

    def newest(self, at_most: int | None = None) -> CheckpointRow | None:
        """The newest checkpoint, or the newest one of at most this size."""
        statement = _NEWEST if at_most is None else _NEWEST.where(c.c.size <= at_most)
        row = self._db.execute(statement).first()
        return None if row is None else _checkpoint(row)

    def checkpoints(self, after: tuple[int, int], limit: int) -> list[CheckpointRow]:
        """The checkpoints after a size and time, oldest first."""
        later = select(c).where(tuple_(c.c.size, c.c.at) > after)
        rows = self._db.execute(later.order_by(c.c.size, c.c.at).limit(limit))
        return [_checkpoint(row) for row in rows]

    def add(self, checkpoint: CheckpointRow) -> None:
        """Store a checkpoint."""
        values = {column.key: getattr(checkpoint, column.key) for column in c.c}
        self._db.execute(insert(c), values)


def _bytes(value: bytes | str) -> bytes:
    """The bytes of a value; someone who changes a row by hand may leave text there."""
    return value.encode() if isinstance(value, str) else bytes(value)


def _hashes(rows: Iterable[Row[Any]]) -> dict[Place, bytes]:
    return {(row.level, row.number): _bytes(row.hash) for row in rows}


def _checkpoint(row: Row[Any]) -> CheckpointRow:
    return CheckpointRow(row.size, row.at, bytes(row.frontier), row.note)
