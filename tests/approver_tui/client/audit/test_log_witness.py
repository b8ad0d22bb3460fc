"""The audit log witness raises an alarm for every change to the log, and only for a change."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from approver_tui.client.audit.log_witness import LogWitness
from approver_tui.client.errors import ApiError, Unreachable, WireError
from approver_tui.client.reading import JsonObject
from approver_tui.client.sign_in.profile import Home
from server.audit_log import merkle, notes
from server.audit_log.entries import leaf_hash
from server.audit_log.notes import Checkpoint, Promise
from tests.support.builders.trees import Tree

ORIGIN = "approvals.example.com/log"
OLD, NEW, OTHER = b"o" * 32, b"n" * 32, b"x" * 32


@dataclass
class FakeLog:
    """A server with an audit log, whose answers a test can change."""

    leaves: list[bytes] = field(default_factory=lambda: _leaves(9))
    seed: bytes = OLD
    origin: str = ORIGIN
    replacements: list[Mapping[str, object]] = field(default_factory=list)
    answer: dict[str, object] = field(default_factory=dict)
    """Members that replace those of the proof."""
    error: Exception | None = None
    inclusion_error: Exception | None = None
    report_error: Exception | None = None
    reports: list[Mapping[str, object]] = field(default_factory=list)
    transport: Any = field(default_factory=lambda: SimpleNamespace(issuer="https://a.example"))

    @property
    def checkpoint(self) -> str:
        """The signed checkpoint of the log."""
        signed = Checkpoint(self.origin, len(self.leaves), Tree.from_leaves(self.leaves).root)
        return notes.sign(signed, self.seed, 1_000)

    def get(self, path: str, params: Mapping[str, str] | None = None) -> JsonObject:
        """Answer a request for the keys, for a consistency proof or for an inclusion proof."""
        if path == "/api/audit/keys":
            key = notes.public_key(self.origin, self.seed).text
            return JsonObject({"log_key": key, "replacements": self.replacements})
        if self.error is not None:
            raise self.error
        assert params is not None
        if path != "/api/audit/consistency":
            return self._inclusion(path.split("/")[3], int(params["size"]))
        old, size = int(params["from"]), len(self.leaves)
        nodes = Tree.from_leaves(self.leaves).nodes
        hashes = merkle.consistency_proof(nodes, old, size) if old <= size else []
        proof: dict[str, object] = {
            "hashes": [base64.b64encode(node_hash).decode() for node_hash in hashes],
            "checkpoint": self.checkpoint,
        }
        return JsonObject({**proof, **self.answer})

    def post(self, path: str, body: Mapping[str, object]) -> JsonObject:
        """Record the report of an alarm."""
        assert path == "/api/audit/alarms"
        if self.report_error is not None:
            raise self.report_error
        self.reports.append(body)
        return JsonObject({"incident": f"sayso_ic_{len(self.reports)}"})

    def _inclusion(self, entry: str, size: int) -> JsonObject:
        """Answer with the inclusion proof of an entry, whose ID is its index."""
        if self.inclusion_error is not None:
            raise self.inclusion_error
        if entry not in map(str, range(size)):
            raise ApiError("not_found", 404, "There is no such entry.", {})
        nodes = Tree.from_leaves(self.leaves).nodes
        hashes = merkle.inclusion_proof(nodes, int(entry), size)
        proof = {
            "index": int(entry),
            "hashes": [base64.b64encode(node_hash).decode() for node_hash in hashes],
        }
        return JsonObject({**proof, **self.answer})

    def promise(self, entry: str, leaf: bytes, at: int, seed: bytes = OLD) -> None:
        """Answer a request with the promise of an entry, next to a value that cannot be read."""
        note = notes.promise(Promise(entry, leaf, at), ORIGIN, seed)
        self.transport.on_promises(f"AAAA, {base64.b64encode(note.encode()).decode()}")


def _leaves(count: int, kind: str = "entry") -> list[bytes]:
    return [leaf_hash(f"{kind} {number}".encode()) for number in range(count)]


@pytest.fixture
def log() -> FakeLog:
    """A log of nine entries."""
    return FakeLog()


@pytest.fixture
def witness(log: FakeLog, tmp_path: Path) -> LogWitness:
    """A witness that has checked the log once."""
    log_witness = LogWitness(log, Home.in_folder(tmp_path))
    assert (log_witness.check(), log_witness.size) == ("", 9)
    return log_witness


def test_a_log_that_grows_is_trusted(log: FakeLog, witness: LogWitness) -> None:
    """A log that grows or stays the same causes no alarm."""
    for size in (9, 10, 16, 40):
        log.leaves = _leaves(size)
        assert (witness.check(), witness.size) == ("", size)


def _shorten(log: FakeLog) -> None:
    log.leaves = _leaves(8)


def _fork(log: FakeLog) -> None:
    log.leaves = [*_leaves(8), *_leaves(8, "other")]


def _replace_all_entries(log: FakeLog) -> None:
    log.leaves = _leaves(9, "other")


def _change_key(log: FakeLog) -> None:
    log.seed = OTHER


def _change_origin(log: FakeLog) -> None:
    log.origin = "other.example.com/log"


def _remove_signature(log: FakeLog) -> None:
    log.answer["checkpoint"] = log.checkpoint.partition("\n\n")[0]


def _remove_proof(log: FakeLog) -> None:
    log.leaves, log.answer["hashes"] = _leaves(12), []


def _corrupt_hashes(log: FakeLog) -> None:
    log.leaves, log.answer["hashes"] = _leaves(12), ["no", "Base64!"]


def _announce_key_with_itself(log: FakeLog) -> None:
    log.seed, key = OTHER, notes.public_key(ORIGIN, OTHER)
    log.replacements.append({"log_key": key.text, "note": notes.replacement(key, OTHER)})


def _announce_key_without_a_note(log: FakeLog) -> None:
    log.seed, key = OTHER, notes.public_key(ORIGIN, OTHER)
    log.replacements.append({"log_key": key.text, "note": None})


SHORTER = "The audit log has 8 entries, but it had 9 before."
CHANGED = "The first 9 entries of the audit log have changed."
KEY = "The audit log is signed with a new key that the previous key does not name."


@pytest.mark.parametrize(
    ("change", "alarm"),
    [
        (_shorten, SHORTER),
        (_fork, CHANGED),
        (_replace_all_entries, CHANGED),
        (_remove_proof, CHANGED),
        (_corrupt_hashes, CHANGED),
        (_change_key, KEY),
        (_change_origin, KEY),
        (_remove_signature, KEY),
        (_announce_key_with_itself, KEY),
        (_announce_key_without_a_note, KEY),
    ],
)
def test_every_change_is_an_alarm_that_stays(
    log: FakeLog, witness: LogWitness, change: Any, alarm: str
) -> None:
    """The alarm and the stored checkpoint remain, whatever the server returns later."""
    checkpoint = log.checkpoint
    change(log)
    log.report_error = Unreachable("The server does not respond.")
    assert witness.check() == alarm
    log.leaves, log.seed, log.origin, log.answer = _leaves(20), OLD, ORIGIN, {}
    log.report_error = None
    assert (witness.check(), witness.alarm, witness.size) == (alarm, alarm, 9)
    assert witness.check() == alarm
    assert [report["kept"] for report in log.reports] == [checkpoint]


def test_a_key_that_its_predecessor_announced_is_trusted(log: FakeLog, witness: LogWitness) -> None:
    """Two replacements in a row are accepted. Afterwards the first key is no longer trusted."""
    for before, after in ((OLD, NEW), (NEW, OTHER)):
        key = notes.public_key(ORIGIN, after)
        log.replacements.append({"log_key": key.text, "note": notes.replacement(key, before)})
    log.seed = OTHER
    assert witness.check() == ""
    assert witness.log_key == notes.public_key(ORIGIN, OTHER).text
    log.seed = OLD
    assert witness.check() == KEY


@pytest.mark.parametrize(
    "error", [Unreachable("It does not respond."), ApiError("busy", 503, "Busy.", {})]
)
def test_an_error_of_the_server_raises_no_alarm(
    log: FakeLog, witness: LogWitness, error: Exception
) -> None:
    """The check raises the error, and the next check compares with the same checkpoint."""
    log.error = error
    with pytest.raises(type(error)):
        witness.check()
    assert (witness.alarm, witness.size) == ("", 9)


def test_a_server_without_a_checkpoint_is_watched_from_its_first_one(
    log: FakeLog, tmp_path: Path
) -> None:
    """The witness stores the first checkpoint that is signed, and never an unsigned one."""
    witness = LogWitness(log, Home.in_folder(tmp_path))
    log.error = ApiError("conflict", 409, "The log has no checkpoint yet.", {})
    assert (witness.check(), witness.size) == ("", None)
    log.error, log.answer = None, {"checkpoint": "nothing"}
    with pytest.raises(WireError):
        witness.check()
    log.answer = {}
    assert (witness.check(), witness.size) == ("", 9)


def test_newer_data_of_another_process_is_not_overwritten(
    log: FakeLog, witness: LogWitness, tmp_path: Path
) -> None:
    """A slow response never replaces a newer checkpoint or an alarm from another process."""
    older = witness._read()
    assert older is not None
    other = LogWitness(log, Home.in_folder(tmp_path))
    log.leaves = _leaves(12)
    assert other.check() == ""
    witness._write(older)
    assert witness.size == 12
    _change_key(log)
    assert other.check() == KEY
    witness._write(older)
    assert witness.alarm == KEY


def test_each_server_has_its_own_checkpoint(witness: LogWitness) -> None:
    """The checkpoints of two servers are separate, and their files are private."""
    assert witness.file.stat().st_mode & 0o077 == 0
    other = FakeLog(_leaves(3), OTHER, transport=SimpleNamespace(issuer="https://b.example"))
    home = Home.in_folder(witness.file.parents[1])
    assert LogWitness(other, home).check() == ""
    assert witness.check() == ""


def test_an_accepted_log_starts_again_and_the_old_file_stays(
    log: FakeLog, witness: LogWitness
) -> None:
    """The old file is kept as evidence under a different name."""
    _fork(log)
    before = witness.check() and witness.file.read_bytes()
    witness.forget(7)
    witness.forget(8)
    assert (witness.check(), witness.size) == ("", 16)
    assert witness.file.with_suffix(".7.json").read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"log_key": "x", "checkpoint": "y"}'])
def test_a_damaged_file_is_ignored(log: FakeLog, witness: LogWitness, content: bytes) -> None:
    """A damaged file counts as missing, so the next check stores the current checkpoint."""
    witness.file.write_bytes(content)
    assert (witness.alarm, witness.size) == ("", None)
    assert (witness.check(), witness.size) == ("", 9)
    assert log.error is None


NOW = 1_000
"""The time of every checkpoint in this file, in seconds."""


def _promise_count(witness: LogWitness) -> int:
    return len(witness._promises._lines())


def test_a_promise_is_kept_until_its_entry_is_in_the_log(log: FakeLog, witness: LogWitness) -> None:
    """A promise stays until a checkpoint covers it. A promise of an unknown key is ignored."""
    log.promise("9", leaf_hash(b"entry 9"), NOW - 59)
    log.promise("10", leaf_hash(b"entry 10"), NOW)
    log.promise("11", leaf_hash(b"never"), NOW - 1_000, OTHER)
    assert (witness.check(), _promise_count(witness)) == ("", 2)
    log.leaves = _leaves(12)
    assert (witness.check(), _promise_count(witness)) == ("", 1)


@pytest.mark.parametrize("entry", ["99", "8"], ids=["unknown", "another entry"])
def test_a_broken_promise_raises_an_alarm_that_stays(
    log: FakeLog, witness: LogWitness, entry: str
) -> None:
    """A promised entry must be in every checkpoint that is a minute newer than the promise."""
    log.promise(entry, leaf_hash(b"entry 9"), NOW - 59)
    assert (witness.check(), _promise_count(witness)) == ("", 1)
    log.promise(entry, leaf_hash(b"entry 9"), NOW - 60)
    alarm = f"Entry {entry} of the audit log is missing, although the server promised it."
    assert witness.check() == alarm
    log.leaves = _leaves(12)
    assert witness.check() == alarm
    witness.forget(7)
    assert (witness.check(), _promise_count(witness)) == ("", 0)
    assert "evidence" in witness.file.with_suffix(".7.json").read_text()


def test_an_error_of_the_server_does_not_break_a_promise(log: FakeLog, witness: LogWitness) -> None:
    """If the server fails, the promise stays and the next check asks again."""
    log.promise("99", leaf_hash(b"entry 9"), NOW - 60)
    log.inclusion_error = ApiError("unavailable", 503, "Busy.", {})
    with pytest.raises(ApiError):
        witness.check()
    assert (witness.alarm, _promise_count(witness)) == ("", 1)


def test_a_full_disk_does_not_lose_an_answer(log: FakeLog, witness: LogWitness) -> None:
    """A promise that cannot be stored is dropped without an error: the answer is recorded."""
    witness._promises.file.mkdir()
    log.promise("9", leaf_hash(b"entry 9"), NOW)
