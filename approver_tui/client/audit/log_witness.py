"""Watches the audit log of the server: stores its last checkpoint, and checks that it only grows.

Owns: the stored checkpoint and key of each server; what raises an alarm, and how long it stays.
Never: dropping a checkpoint because the server shows a different log.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from approver_tui.client import files
from approver_tui.client.audit.promises import PromiseFile
from approver_tui.client.errors import ApiError, ClientError, WireError
from approver_tui.client.reading import JsonObject
from approver_tui.client.sign_in.profile import Home
from approver_tui.client.sign_in.session import Session
from approver_tui.state.text import SafeText, display_safe
from server.audit_log import merkle, notes
from server.audit_log.merkle import BadProof
from server.audit_log.notes import BadNote, Checkpoint, LogKey, Promise

WARNING: Final = SafeText(
    "The audit log of this server was changed or replaced. Do not approve. Tell your administrator."
)
NOTHING: Final = SafeText("")
_PATH: Final = "/api/audit"
_CONFLICT: Final = 409
_NOT_LOGGED: Final = frozenset({404, _CONFLICT})
_MAX_LENGTH: Final = 200


class _LogChangedError(Exception):
    """The server's log is not the one that this machine saw before; the message says why."""


@dataclass(frozen=True, slots=True)
class _StoredLog:
    """The log of one server, as this machine last saw it."""

    log_key: str
    checkpoint: str
    alarm: str = ""
    """Why it is not trusted any more."""
    evidence: str = ""
    """The checkpoint or promise that contradicts the stored checkpoint."""
    incident: str = ""
    """The incident that the server opened for the alarm."""

    @property
    def key(self) -> LogKey:
        """The pinned key."""
        return LogKey.read(self.log_key)

    @property
    def verified_checkpoint(self) -> Checkpoint:
        """The stored checkpoint, verified again."""
        return notes.verify(self.checkpoint, [self.key])[0]


class LogWitness:
    """The witness of one server's log. Several threads and programs may use it."""

    def __init__(self, session: Session, home: Home) -> None:
        self._session = session
        self.file = home.log_file(session.transport.issuer)
        self._promises = PromiseFile(self.file.with_suffix(".promises"), self._lock_file)
        session.transport.on_promises = self._promises.keep

    @property
    def alarm(self) -> SafeText:
        """Why the log is not trusted, as far as this machine knows; empty if it is."""
        log = self._read()
        return NOTHING if log is None else display_safe(log.alarm, max_len=_MAX_LENGTH)

    @property
    def size(self) -> int | None:
        """The number of entries at the stored checkpoint, if there is one."""
        log = self._read()
        return None if log is None else log.verified_checkpoint.size

    @property
    def log_key(self) -> str | None:
        """The pinned key, if there is one."""
        log = self._read()
        return None if log is None else log.log_key

    def forget(self, now: int) -> None:
        """Start again with the next check. The old checkpoint remains in a file next to it."""
        with files.file_lock(self._lock_file):
            self._promises.file.unlink(missing_ok=True)
            if self.file.exists():
                self.file.replace(self.file.with_suffix(f".{now}.json"))

    def check(self) -> SafeText:
        """Compare the server's log with the stored checkpoint; return why it is not trusted, or "".

        The first checkpoint is stored with its key. An alarm is kept. Raises ClientError if the
        server does not answer.
        """
        log = self._read()
        if log is None:
            return self._begin()
        if not log.alarm:
            promises = self._promises.read(log.key)
            new = self._compare(log)
            self._write(new if new.alarm else self._check_promises(new, promises))
        self._report()
        return self.alarm

    def _report(self) -> None:
        """Report an alarm once; if that fails, the next check tries again."""
        log = self._read()
        if log is None or not log.alarm or log.incident:
            return
        body = {"kept": log.checkpoint, "shown": log.evidence}
        with suppress(ClientError):
            reported = replace(
                log, incident=self._session.post(f"{_PATH}/alarms", body).text("incident")
            )
            with files.file_lock(self._lock_file):
                if self._read() == log:
                    self._store(reported)

    def _begin(self) -> SafeText:
        """Store the first checkpoint and its key, if there is a checkpoint yet."""
        log_key = self._session.get(f"{_PATH}/keys").text("log_key")
        try:
            answer = self._session.get(f"{_PATH}/consistency", {"from": "0"})
        except ApiError as error:
            if error.status == _CONFLICT:
                return NOTHING
            raise
        log = _StoredLog(log_key, answer.text("checkpoint"))
        try:
            log.verified_checkpoint  # noqa: B018  # verifies it
        except BadNote as error:
            raise WireError("checkpoint", str(error)) from error
        self._write(log)
        return self.alarm

    def _compare(self, log: _StoredLog) -> _StoredLog:
        """Return what to store after the server's answer: its newer checkpoint, or an alarm."""
        old = log.verified_checkpoint
        answer = self._session.get(f"{_PATH}/consistency", {"from": str(old.size)})
        note = answer.text("checkpoint")
        hashes = [_decode_hash(text) for text in answer.texts("hashes")]
        try:
            key, new = self._verify_note(note, log.key)
            _check_growth(old, new, hashes)
        except _LogChangedError as error:
            return replace(log, alarm=str(error), evidence=note)
        return replace(log, log_key=key.text, checkpoint=note)

    def _check_promises(self, log: _StoredLog, promises: Mapping[str, Promise]) -> _StoredLog:
        """Check that promised entries are in the log; return what to store, maybe with an alarm."""
        checkpoint, logged_at = notes.verify(log.checkpoint, [log.key])
        missing = {
            line: promise
            for line, promise in promises.items()
            if logged_at <= promise.at or not self._is_logged(promise, checkpoint)
        }
        self._promises.drop(promises.keys() - missing.keys())
        overdue = next(
            ((line, promise) for line, promise in missing.items() if promise.due <= logged_at), None
        )
        if overdue is None:
            return log
        line, promise = overdue
        problem = f"Entry {promise.entry_id} of the audit log is missing"
        message = f"{problem}, although the server promised it."
        return replace(log, alarm=message, evidence=line)

    def _is_logged(self, promise: Promise, checkpoint: Checkpoint) -> bool:
        path, size = f"{_PATH}/{promise.entry_id}/inclusion", checkpoint.size
        try:
            answer = self._session.get(path, {"size": str(size)})
            hashes = [_decode_hash(text) for text in answer.texts("hashes")]
            index = answer.integer("index")
            merkle.check_inclusion(promise.leaf, index, size, hashes, checkpoint.root)
        except ApiError as error:
            if error.status not in _NOT_LOGGED:
                raise
            return False
        except BadProof:
            return False
        return True

    def _verify_note(self, note: str, pinned: LogKey) -> tuple[LogKey, Checkpoint]:
        """Return the key that signed a checkpoint: the pinned one, or one that it vouches for.

        Raises _LogChangedError.
        """
        try:
            return pinned, notes.verify(note, [pinned])[0]
        except BadNote:
            key = self._replacement(pinned)
        try:
            return key, notes.verify(note, [key])[0]
        except BadNote as error:
            message = "The audit log is signed with a new key that the previous key does not name."
            raise _LogChangedError(message) from error

    def _replacement(self, pinned: LogKey) -> LogKey:
        """Follow the notes in which each key names its successor; return the last key."""
        key = pinned
        for replacement in self._session.get(f"{_PATH}/keys").children("replacements"):
            note = replacement.optional("note", JsonObject.text)
            with suppress(BadNote):
                key = notes.read_replacement(note or "", key)
        return key

    @property
    def _lock_file(self) -> Path:
        return self.file.with_suffix(".lock")

    def _read(self) -> _StoredLog | None:
        return _read(self.file)

    def _write(self, new: _StoredLog) -> None:
        """Store the log, unless another program has since stored an alarm or a longer log."""
        with files.file_lock(self._lock_file):
            log = self._read()
            is_newer = (
                log is None
                or new.alarm
                or new.verified_checkpoint.size >= log.verified_checkpoint.size
            )
            if is_newer and not (log and log.alarm):
                self._store(new)

    def _store(self, new: _StoredLog) -> None:
        files.write_private(self.file, json.dumps(asdict(new)).encode())


def pinned_key(home: Home, issuer: str) -> str | None:
    """Return the key of a server's log that this machine trusts, if there is one."""
    log = _read(home.log_file(issuer))
    return None if log is None else log.log_key


def _read(file: Path) -> _StoredLog | None:
    content = files.read_private(file)
    try:
        members: Mapping[str, object] = json.loads(content or b"{}")
        log = _StoredLog(**{name: str(value) for name, value in members.items()})
        log.verified_checkpoint  # noqa: B018  # verifies it
    except (ValueError, TypeError, AttributeError, BadNote):
        return None
    return log


def _check_growth(old: Checkpoint, new: Checkpoint, hashes: Sequence[bytes]) -> None:
    """Check that the old log is the beginning of the new one. Raises _LogChangedError."""
    if new.size < old.size:
        raise _LogChangedError(
            f"The audit log has {new.size} entries, but it had {old.size} before."
        )
    try:
        merkle.check_consistency(old.size, old.root, new.size, new.root, hashes)
    except BadProof as error:
        message = f"The first {old.size} entries of the audit log have changed."
        raise _LogChangedError(message) from error


def _decode_hash(text: str) -> bytes:
    """Return the decoded Base64, or b"" if the string is not valid Base64."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""
