"""What the witness of an audit log takes for a change, against every answer of a server."""

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
    """A server that has a log and answers what a test wants."""

    leaves: list[bytes] = field(default_factory=lambda: _leaves(9))
    seed: bytes = OLD
    origin: str = ORIGIN
    replacements: list[Mapping[str, object]] = field(default_factory=list)
    answer: dict[str, object] = field(default_factory=dict)
    """Members of its proof that are different."""
    error: Exception | None = None
    inclusion_error: Exception | None = None
    report_error: Exception | None = None
    reports: list[Mapping[str, object]] = field(default_factory=list)
    transport: Any = field(default_factory=lambda: SimpleNamespace(issuer="https://a.example"))

    @property
    def checkpoint(self) -> str:
        """Its signed checkpoint."""
        signed = Checkpoint(self.origin, len(self.leaves), Tree.over(self.leaves).root)
        return notes.sign(signed, self.seed, 1_000)

    def get(self, path: str, params: Mapping[str, str] | None = None) -> JsonObject:
        """Answer one request."""
        if path == "/api/audit/keys":
            key = notes.public_key(self.origin, self.seed).text
            return JsonObject({"log_key": key, "replacements": self.replacements})
        if self.error is not None:
            raise self.error
        assert params is not None
        if path != "/api/audit/consistency":
            return self._inclusion(path.split("/")[3], int(params["size"]))
        old, size = int(params["from"]), len(self.leaves)
        nodes = Tree.over(self.leaves).nodes
        hashes = merkle.consistency_proof(nodes, old, size) if old <= size else []
        found: dict[str, object] = {
            "hashes": [base64.b64encode(one).decode() for one in hashes],
            "checkpoint": self.checkpoint,
        }
        return JsonObject({**found, **self.answer})

    def post(self, path: str, body: Mapping[str, object]) -> JsonObject:
        """Take the report of an alarm."""
        assert path == "/api/audit/alarms"
        if self.report_error is not None:
            raise self.report_error
        self.reports.append(body)
        return JsonObject({"incident": f"sayso_ic_{len(self.reports)}"})

    def _inclusion(self, entry: str, size: int) -> JsonObject:
        """The id of an entry is its place."""
        if self.inclusion_error is not None:
            raise self.inclusion_error
        if entry not in map(str, range(size)):
            raise ApiError("not_found", 404, "There is no such entry.", {})
        nodes = Tree.over(self.leaves).nodes
        hashes = merkle.inclusion_proof(nodes, int(entry), size)
        found = {"index": int(entry), "hashes": [base64.b64encode(one).decode() for one in hashes]}
        return JsonObject({**found, **self.answer})

    def promise(self, entry: str, leaf: bytes, at: int, seed: bytes = OLD) -> None:
        """Answer another request with the promise of an entry, and one that means nothing."""
        note = notes.promise(Promise(entry, leaf, at), ORIGIN, seed)
        self.transport.on_promises(f"AAAA, {base64.b64encode(note.encode()).decode()}")


def _leaves(count: int, kind: str = "entry") -> list[bytes]:
    return [leaf_hash(f"{kind} {number}".encode()) for number in range(count)]


def _of(log: Any, home: Home) -> LogWitness:
    """A witness of this log."""
    return LogWitness(log, home)


@pytest.fixture
def log() -> FakeLog:
    """A log of nine entries."""
    return FakeLog()


@pytest.fixture
def witness(log: FakeLog, tmp_path: Path) -> LogWitness:
    """A witness that has seen it."""
    made = _of(log, Home.at(tmp_path))
    assert (made.check(), made.size) == ("", 9)
    return made


def test_a_log_that_grows_is_trusted(log: FakeLog, witness: LogWitness) -> None:
    """Or that stays as it is."""
    for size in (9, 10, 16, 40):
        log.leaves = _leaves(size)
        assert (witness.check(), witness.size) == ("", size)


def _shorter(log: FakeLog) -> None:
    log.leaves = _leaves(8)


def _forked(log: FakeLog) -> None:
    log.leaves = [*_leaves(8), *_leaves(8, "other")]


def _another_of_the_same_size(log: FakeLog) -> None:
    log.leaves = _leaves(9, "other")


def _another_key(log: FakeLog) -> None:
    log.seed = OTHER


def _another_name(log: FakeLog) -> None:
    log.origin = "other.example.com/log"


def _no_signature(log: FakeLog) -> None:
    log.answer["checkpoint"] = log.checkpoint.partition("\n\n")[0]


def _no_proof(log: FakeLog) -> None:
    log.leaves, log.answer["hashes"] = _leaves(12), []


def _no_hashes(log: FakeLog) -> None:
    log.leaves, log.answer["hashes"] = _leaves(12), ["no", "Base64!"]


def _key_that_names_itself(log: FakeLog) -> None:
    log.seed, key = OTHER, notes.public_key(ORIGIN, OTHER)
    log.replacements.append({"log_key": key.text, "note": notes.replacement(key, OTHER)})


def _key_that_a_lost_one_did_not_name(log: FakeLog) -> None:
    log.seed, key = OTHER, notes.public_key(ORIGIN, OTHER)
    log.replacements.append({"log_key": key.text, "note": None})


SHORTER = "The audit log has 8 entries, and it had 9."
CHANGED = "The first 9 entries of the audit log are not the ones that were there."
KEY = "Another key signs the audit log, and the key before it does not name that one."


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_shorter, SHORTER),
        (_forked, CHANGED),
        (_another_of_the_same_size, CHANGED),
        (_no_proof, CHANGED),
        (_no_hashes, CHANGED),
        (_another_key, KEY),
        (_another_name, KEY),
        (_no_signature, KEY),
        (_key_that_names_itself, KEY),
        (_key_that_a_lost_one_did_not_name, KEY),
    ],
)
def test_every_change_is_an_alarm_that_stays(
    log: FakeLog, witness: LogWitness, change: Any, why: str
) -> None:
    """The kept checkpoint stays too, whatever the server shows later. It is reported once."""
    kept = log.checkpoint
    change(log)
    log.report_error = Unreachable("The server does not answer.")
    assert witness.check() == why
    log.leaves, log.seed, log.origin, log.answer = _leaves(20), OLD, ORIGIN, {}
    log.report_error = None
    assert (witness.check(), witness.alarm, witness.size) == (why, why, 9)
    assert witness.check() == why
    assert [report["kept"] for report in log.reports] == [kept]


def test_a_key_that_each_one_before_it_names_is_trusted(log: FakeLog, witness: LogWitness) -> None:
    """Two replacements while this machine was off. Later ones continue from the last."""
    for before, after in ((OLD, NEW), (NEW, OTHER)):
        key = notes.public_key(ORIGIN, after)
        log.replacements.append({"log_key": key.text, "note": notes.replacement(key, before)})
    log.seed = OTHER
    assert witness.check() == ""
    assert witness.log_key == notes.public_key(ORIGIN, OTHER).text
    log.seed = OLD
    assert witness.check() == KEY


@pytest.mark.parametrize(
    "error", [Unreachable("It does not answer."), ApiError("busy", 503, "Busy.", {})]
)
def test_a_server_that_does_not_answer_is_no_alarm(
    log: FakeLog, witness: LogWitness, error: Exception
) -> None:
    """The caller learns of it, and the next check compares with the same checkpoint."""
    log.error = error
    with pytest.raises(type(error)):
        witness.check()
    assert (witness.alarm, witness.size) == ("", 9)


def test_a_server_without_a_checkpoint_is_watched_from_its_first_one(
    log: FakeLog, tmp_path: Path
) -> None:
    """A new server has one within two seconds. One that nobody signed is not kept."""
    witness = _of(log, Home.at(tmp_path))
    log.error = ApiError("conflict", 409, "The log has no checkpoint yet.", {})
    assert (witness.check(), witness.size) == ("", None)
    log.error, log.answer = None, {"checkpoint": "nothing"}
    with pytest.raises(WireError):
        witness.check()
    log.answer = {}
    assert (witness.check(), witness.size) == ("", 9)


def test_another_program_that_saw_more_is_not_overwritten(
    log: FakeLog, witness: LogWitness, tmp_path: Path
) -> None:
    """An answer that was on its way is older than what is stored now."""
    older = witness._read()
    assert older is not None
    other = _of(log, Home.at(tmp_path))
    log.leaves = _leaves(12)
    assert other.check() == ""
    witness._write(older)
    assert witness.size == 12
    _another_key(log)
    assert other.check() == KEY
    witness._write(older)
    assert witness.alarm == KEY


def test_each_server_has_its_own_checkpoint(witness: LogWitness) -> None:
    """The files are private."""
    assert witness.file.stat().st_mode & 0o077 == 0
    other = FakeLog(_leaves(3), OTHER, transport=SimpleNamespace(issuer="https://b.example"))
    home = Home.at(witness.file.parents[1])
    assert _of(other, home).check() == ""
    assert witness.check() == ""


def test_an_accepted_log_starts_again_and_the_old_file_stays(
    log: FakeLog, witness: LogWitness
) -> None:
    """It is the evidence."""
    _forked(log)
    before = witness.check() and witness.file.read_bytes()
    witness.forget(7)
    witness.forget(8)
    assert (witness.check(), witness.size) == ("", 16)
    assert witness.file.with_suffix(".7.json").read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"log_key": "x", "checkpoint": "y"}'])
def test_a_damaged_file_counts_as_none(log: FakeLog, witness: LogWitness, content: bytes) -> None:
    """The next check keeps what the server has."""
    witness.file.write_bytes(content)
    assert (witness.alarm, witness.size) == ("", None)
    assert (witness.check(), witness.size) == ("", 9)
    assert log.error is None


NOW = 1_000
"""The time of every checkpoint here (s)."""


def _kept(witness: LogWitness) -> int:
    return len(witness._promises._lines())


def test_a_promise_is_kept_until_its_entry_is_in_the_log(log: FakeLog, witness: LogWitness) -> None:
    """A promise that is newer than the checkpoint waits; one of another key is worth nothing."""
    log.promise("9", leaf_hash(b"entry 9"), NOW - 59)
    log.promise("10", leaf_hash(b"entry 10"), NOW)
    log.promise("11", leaf_hash(b"never"), NOW - 1_000, OTHER)
    assert (witness.check(), _kept(witness)) == ("", 2)
    log.leaves = _leaves(12)
    assert (witness.check(), _kept(witness)) == ("", 1)


@pytest.mark.parametrize("entry", ["99", "8"], ids=["unknown", "another entry"])
def test_a_broken_promise_is_an_alarm_that_stays(
    log: FakeLog, witness: LogWitness, entry: str
) -> None:
    """A checkpoint is a minute later than the promise, and the entry is not in it."""
    log.promise(entry, leaf_hash(b"entry 9"), NOW - 59)
    assert (witness.check(), _kept(witness)) == ("", 1)
    log.promise(entry, leaf_hash(b"entry 9"), NOW - 60)
    why = f"Entry {entry} of the audit log is missing. The server promised it."
    assert witness.check() == why
    log.leaves = _leaves(12)
    assert witness.check() == why
    witness.forget(7)
    assert (witness.check(), _kept(witness)) == ("", 0)
    assert "evidence" in witness.file.with_suffix(".7.json").read_text()


def test_an_error_of_the_server_breaks_no_promise(log: FakeLog, witness: LogWitness) -> None:
    """The next check asks again."""
    log.promise("99", leaf_hash(b"entry 9"), NOW - 60)
    log.inclusion_error = ApiError("unavailable", 503, "Busy.", {})
    with pytest.raises(ApiError):
        witness.check()
    assert (witness.alarm, _kept(witness)) == ("", 1)


def test_a_full_disk_does_not_lose_an_answer(log: FakeLog, witness: LogWitness) -> None:
    """The answer was stored at the server; only the promise is lost."""
    witness._promises.file.mkdir()
    log.promise("9", leaf_hash(b"entry 9"), NOW)
