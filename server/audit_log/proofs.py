"""Proofs that an entry is in the log, in the C2SP tlog-proof format.

Owns: the text of a proof, and checking it. The extra data of a proof is the entry's bytes.
Never: files or the database.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from server.audit_log import merkle, notes
from server.audit_log.entries import leaf_hash
from server.audit_log.merkle import BadProof
from server.audit_log.notes import LogKey, to_base64

FORMAT: Final = "c2sp.org/tlog-proof@v1"
_NO_PROOF: Final = "This is not a proof written by `sayso audit prove`."
_ENTRY_LINES = 2
"""The number of lines about the entry: its body and its position."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that an entry is in the log."""

    seq: int
    body: bytes
    hashes: tuple[bytes, ...]
    checkpoint: str
    """The signed checkpoint that the hashes lead to."""

    @property
    def text(self) -> str:
        """The proof as text."""
        hashes = "".join(f"{to_base64(node)}\n" for node in self.hashes)
        entry = f"extra {to_base64(self.body)}\nindex {self.seq}\n"
        return f"{FORMAT}\n{entry}{hashes}\n{self.checkpoint}"

    @classmethod
    def read(cls, text: str) -> "Proof":
        """Read a proof. Raises `BadProof`."""
        head, _, checkpoint = text.partition("\n\n")
        try:
            form, *lines = head.split("\n")
            extra, index = (line.split(" ", 1) for line in lines[:_ENTRY_LINES])
            names = [form, extra[0], index[0]]
            hashes = tuple(base64.b64decode(line, validate=True) for line in lines[_ENTRY_LINES:])
            proof = cls(int(index[1]), base64.b64decode(extra[1]), hashes, checkpoint)
        except (ValueError, IndexError) as error:
            raise BadProof(_NO_PROOF) from error
        if names != [FORMAT, "extra", "index"]:
            raise BadProof(_NO_PROOF)
        return proof

    def check(self, keys: Sequence[LogKey]) -> int:
        """Check the proof; return the time (s) of its checkpoint. Raises `BadProof`, `BadNote`."""
        checkpoint, at = notes.verify(self.checkpoint, keys)
        leaf = leaf_hash(self.body)
        merkle.check_inclusion(leaf, self.seq, checkpoint.size, self.hashes, checkpoint.root)
        return at
