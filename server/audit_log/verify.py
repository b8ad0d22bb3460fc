"""Verifies a bundle, a proof or a receipt with only the public key of the log.

`python -m server.audit_log.verify FILE --log-key KEY [--since CHECKPOINT]` needs only this folder
and `cryptography`. The exit status is 0 if the log is verified, and 20 if it is not.
Owns: the checks and their order. Never: the database, the network or the rest of the product.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final

from server.audit_log import bundles, notes, proofs, receipts
from server.audit_log.bundles import BadBundle, LoggedEntry, SignedCheckpoint
from server.audit_log.entries import Opening
from server.audit_log.meaning import Contradiction, Meaning
from server.audit_log.merkle import BadProof, Frontier
from server.audit_log.notes import BadNote, Checkpoint, LogKey
from server.audit_log.proofs import Proof
from server.audit_log.receipts import BadReceipt

BROKEN: Final = 20
"""The exit status if the log cannot be verified."""
_USAGE = 2
_PROGRESS_INTERVAL = 10_000


class Broken(Exception):
    """The log differs from what was signed, or contradicts itself. The message names the entry."""


@dataclass(slots=True)
class Verified:
    """The state of the verification."""

    keys: Sequence[LogKey]
    since: Checkpoint | None = None
    """An older checkpoint that must be in this log."""
    frontier: Frontier = field(default_factory=Frontier)
    meaning: Meaning = field(default_factory=Meaning)
    signed: int = 0
    """The size at the last checkpoint."""
    checkpoints: int = 0
    erased: int = 0
    """The number of personal texts that are not in the bundle."""
    last_trimmed: int = -1
    """The position of the last entry whose body was deleted."""
    at: int = 0
    """The time of the last checkpoint (s)."""

    def take(self, line: bundles.Line) -> None:
        """Verify the next line. Raises `Broken`."""
        if isinstance(line, LoggedEntry):
            self._take_entry(line)
        else:
            self._take_checkpoint(line)
        if self.since is not None and self.since.size == self.frontier.size:
            self._compare(self.since)

    def finish(self) -> "Verified":
        """Check that checkpoints cover all entries, and that the older checkpoint was reached."""
        if self.checkpoints == 0:
            raise Broken("The bundle has no checkpoint, so it is not signed.")
        if self.signed != self.frontier.size:
            raise Broken(f"No checkpoint covers the entries from {self.signed} on.")
        if self.last_trimmed >= self.meaning.trimmed_before:
            raise Broken(f"Entry {self.last_trimmed} has no contents, and no entry says why.")
        if self.since is not None and self.since.size > self.frontier.size:
            raise Broken(
                "The log is older than your checkpoint: "
                f"it has {self.frontier.size} entries instead of {self.since.size}. "
                f"Entries from {self.frontier.size} on are missing."
            )
        return self

    def _take_entry(self, entry: LoggedEntry) -> None:
        check_entry(entry, self.frontier.size)
        self.frontier.add(entry.leaf)
        if not entry.body:
            self.meaning.trimmed += 1
            self.last_trimmed = entry.seq
            return
        try:
            members = json.loads(entry.body.decode())
            self.meaning.check(members)
            self.erased += _count_erased(members.get("committed", {}), entry.openings)
        except (Contradiction, ValueError) as error:
            raise Broken(f"Entry {entry.seq}: {error}") from error

    def _take_checkpoint(self, line: SignedCheckpoint) -> None:
        try:
            checkpoint, at = notes.verify(line.note, self.keys)
        except BadNote as error:
            raise Broken(f"The checkpoint at size {line.size} is not valid. {error}") from error
        if checkpoint.size != self.frontier.size:
            entries = _format_count(checkpoint.size, "entry", "entries")
            raise Broken(
                f"Entries are missing: a checkpoint of {entries} comes after {self.frontier.size}."
            )
        self._compare(checkpoint)
        if at < self.at:
            raise Broken(f"The checkpoint at size {line.size} is older than the one before it.")
        self.signed, self.at = checkpoint.size, at
        self.checkpoints += 1

    def _compare(self, checkpoint: Checkpoint) -> None:
        if checkpoint.root == self.frontier.root:
            return
        first = min(self.signed, checkpoint.size - 1)
        raise Broken(
            f"An entry from {first} to {checkpoint.size - 1} was changed, added or removed: "
            f"the log had a different root at size {checkpoint.size}."
        )


def check_entry(entry: LoggedEntry, position: int) -> None:
    """Check the position and the hash of an entry. Raises `Broken`."""
    if entry.seq != position:
        raise Broken(f"Entry {position} is missing: entry {entry.seq} is in its place.")
    if entry.hash != entry.leaf:
        raise Broken(f"Entry {position} was changed: its bytes do not match its hash.")


def _count_erased(commitments: object, openings: Mapping[str, Opening]) -> int:
    """Check the texts of an entry; return how many are missing. Raises `Contradiction`."""
    if not isinstance(commitments, dict):
        raise Contradiction("Its commitments cannot be read.")
    for name, opening in openings.items():
        if commitments.get(name) != opening.commitment:
            raise Contradiction(f"The text of `{name}` does not match its commitment.")
    return len(commitments.keys() - openings.keys())


def verify(
    lines: Iterable[str],
    keys: Sequence[LogKey],
    since: Checkpoint | None = None,
    progress: Callable[[int], None] = lambda _size: None,
) -> Verified:
    """Verify a bundle. Calls `progress` with the number of entries from time to time.

    Raises `Broken`, or `BadBundle` if the file is not a bundle.
    """
    verified = Verified(keys, since)
    for line in bundles.read(lines):
        verified.take(line)
        if verified.frontier.size % _PROGRESS_INTERVAL == 0:
            progress(verified.frontier.size)
    return verified.finish()


def summary(verified: Verified) -> str:
    """The verdict on a verified log."""
    unchecked = f", {verified.meaning.unchecked} not checked" if verified.meaning.unchecked else ""
    erased = f", {_format_count(verified.erased, 'erased text')}" if verified.erased else ""
    trimmed = f" ({verified.meaning.trimmed} without contents)" if verified.meaning.trimmed else ""
    return (
        f"Verified: {_format_count(verified.frontier.size, 'entry', 'entries')}{trimmed}, "
        f"{_format_count(verified.checkpoints, 'checkpoint')}, "
        f"{_format_count(verified.meaning.signatures, 'user signature')}{unchecked}{erased}. "
        f"Last checkpoint: {_format_time(verified.at)}."
    )


def _format_count(number: int, noun: str, plural: str = "") -> str:
    """A copy of `server.protocol.text.counted`, because auditors have only this folder."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def verify_file(file: Path, log_keys: Sequence[str], since: Path | None, out: IO[str]) -> str:
    """Verify a bundle, a proof or a receipt in a file; return the verdict.

    Raises `Broken`, `BadBundle`, `BadNote` for a bad key or checkpoint, or OSError.
    """
    keys = [LogKey.read(text) for text in log_keys]
    older = None if since is None else notes.verify(_read_text(since), keys)[0]
    with file.open(encoding="utf-8", errors="replace") as lines:  # replaced bytes change the hash
        if lines.readline().rstrip() == proofs.FORMAT:
            lines.seek(0)
            return _verify_proof(lines.read(), keys)
        lines.seek(0)
        if (receipt := _read_receipt(lines)) is not None:
            return _verify_receipt(receipt, keys)
        lines.seek(0)
        return summary(verify(lines, keys, older, _progress_printer(out)))


def _read_text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")


def _verify_proof(text: str, keys: Sequence[LogKey]) -> str:
    try:
        proof = Proof.read(text)
        at = proof.check(keys)
    except (BadProof, BadNote) as error:
        raise Broken(str(error)) from error
    entry = f"Entry {proof.seq} is in the log, as of {_format_time(at)}."
    return f"{entry} It reads: {_format_entry(proof)}"


def _read_receipt(lines: IO[str]) -> Mapping[str, Any] | None:
    """Read the receipt in a file; None if the file is not a receipt."""
    if bundles.is_header(lines.readline()):
        return None
    lines.seek(0)
    return receipts.read(lines.read())


def _verify_receipt(receipt: Mapping[str, Any], keys: Sequence[LogKey]) -> str:
    try:
        result = receipts.check(receipt, keys)
    except BadReceipt as error:
        raise Broken(str(error)) from error
    answers = _format_count(result.answers, "answer")
    outcome = f"{json.dumps(result.approval)} is {result.outcome}, with {answers}"
    return f"Verified: {outcome}. Everything in it is in the log, as of {_format_time(result.at)}."


def _format_entry(proof: Proof) -> str:
    """The entry with all non-ASCII characters escaped, because its contents are not trusted."""
    return json.dumps(json.loads(proof.body))


def _format_time(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _progress_printer(out: IO[str]) -> Callable[[int], None]:
    def show(size: int) -> None:
        if out.isatty():
            print(f"\r{size:,} entries", end="", file=out, flush=True)

    return show


def main() -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m server.audit_log.verify", description=__doc__)
    parser.add_argument("file", type=Path, help="a bundle, a proof or a receipt")
    parser.add_argument(
        "--log-key", required=True, action="append", help="the key that `sayso audit key` prints"
    )
    parser.add_argument("--since", type=Path, help="an older checkpoint that must be in the log")
    args = parser.parse_args()
    try:
        print(verify_file(args.file, args.log_key, args.since, sys.stderr))
    except Broken as error:
        print(f"Not verified: {error}")
        return BROKEN
    except (BadBundle, BadNote, OSError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return _USAGE
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
