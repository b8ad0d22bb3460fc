"""The verifier, against everybody who would change a log without the private key."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from server.audit_log import bundles, notes
from server.audit_log.bundles import BadBundle, Line, LoggedEntry, SignedCheckpoint
from server.audit_log.differences import compare
from server.audit_log.entries import Opening, committed, entry_bytes, leaf_hash
from server.audit_log.merkle import inclusion_proof
from server.audit_log.notes import Checkpoint
from server.audit_log.proofs import Proof
from server.audit_log.verify import BROKEN, Broken, summary, verify, verify_file
from tests.support.builders.trees import Tree

SEED, ORIGIN = b"s" * 32, "localhost:8470/log"
KEY = notes.public_key(ORIGIN, SEED)
OTHER = notes.public_key(ORIGIN, b"t" * 32)
SIZES = (3, 8, 8, 12)


def entry(seq: int, **members: object) -> LoggedEntry:
    """An entry with a place."""
    body = entry_bytes({"type": "user.added", "actor": "operator", "id": f"e{seq}", **members})
    return LoggedEntry(seq, body, leaf_hash(body))


def checkpoint(entries: list[LoggedEntry], at: int, seed: bytes = SEED) -> SignedCheckpoint:
    """A checkpoint over these entries."""
    root = Tree.over(one.leaf for one in entries).root
    size = len(entries)
    return SignedCheckpoint(size, notes.sign(Checkpoint(ORIGIN, size, root), seed, at))


def log() -> list[Line]:
    """Twelve entries, and checkpoints at four times."""
    entries, lines, at = [entry(seq) for seq in range(12)], [], 0
    for number, size in enumerate(SIZES):
        lines += [*entries[at:size], checkpoint(entries[:size], 1_000 + number)]
        at = size
    return lines


def text(lines: list[Line]) -> list[str]:
    """The lines of a bundle."""
    return list(bundles.write(ORIGIN, lines))


def test_a_whole_log_is_verified() -> None:
    """Entries, checkpoints and the time of the last one are counted."""
    found = verify(text(log()), [KEY])
    assert (found.frontier.size, found.checkpoints, found.at) == (12, 4, 1_003)


def _entry(line: Line) -> LoggedEntry:
    assert isinstance(line, LoggedEntry)
    return line


def changed(lines: list[Line]) -> list[Line]:
    """One byte of an entry."""
    return [
        LoggedEntry(1, b"x", _entry(lines[1]).leaf) if n == 1 else one
        for n, one in enumerate(lines)
    ]


def rehashed(lines: list[Line]) -> list[Line]:
    """An entry, with its hash."""
    return [entry(1, id="other") if n == 1 else one for n, one in enumerate(lines)]


def removed(lines: list[Line]) -> list[Line]:
    """An entry."""
    return lines[:1] + lines[2:]


def renumbered(lines: list[Line]) -> list[Line]:
    """An entry, with the numbers of the ones behind it."""
    rest = [one for n, one in enumerate(lines) if n != 1]
    numbers = iter(range(99))
    return [
        LoggedEntry(next(numbers), one.body, one.leaf) if isinstance(one, LoggedEntry) else one
        for one in rest
    ]


def added(lines: list[Line]) -> list[Line]:
    """An entry after the last checkpoint."""
    return [*lines, entry(12)]


def reordered(lines: list[Line]) -> list[Line]:
    """Two entries."""
    (first, second), rest = map(_entry, lines[:2]), lines[2:]
    return [
        LoggedEntry(0, second.body, second.leaf),
        LoggedEntry(1, first.body, first.leaf),
        *rest,
    ]


def unsigned(lines: list[Line]) -> list[Line]:
    """All checkpoints."""
    return [one for one in lines if isinstance(one, LoggedEntry)]


def signed_by_another(lines: list[Line]) -> list[Line]:
    """The last checkpoint."""
    entries = [one for one in lines if isinstance(one, LoggedEntry)]
    return [*lines[:-1], checkpoint(entries, 1_003, b"t" * 32)]


def turned_back(lines: list[Line]) -> list[Line]:
    """The time of the last checkpoint."""
    entries = [one for one in lines if isinstance(one, LoggedEntry)]
    return [*lines[:-1], checkpoint(entries, 999)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (changed, "Entry 1 was changed"),
        (rehashed, "An entry from 0 to 2 was changed, added or removed"),
        (removed, "Entry 1 is missing: entry 2 is in its place"),
        (renumbered, "a checkpoint of 3 entries stands after 2"),
        (added, "No checkpoint covers the entries from 12 on"),
        (reordered, "An entry from 0 to 2 was changed"),
        (unsigned, "has no checkpoint"),
        (signed_by_another, "The checkpoint at size 12 is not valid. No key that you trust"),
        (turned_back, "The checkpoint at size 12 is older than the one before it"),
    ],
)
def test_each_change_is_detected_and_named(
    change: Callable[[list[Line]], list[Line]], message: str
) -> None:
    """The message names the entry, or the entries between two checkpoints."""
    with pytest.raises(Broken, match=message):
        verify(text(change(log())), [KEY])


def committing(seq: int, **texts: str) -> LoggedEntry:
    """An entry with personal texts."""
    openings = {name: Opening(text, bytes([seq]) * 32) for name, text in texts.items()}
    one = entry(seq, **committed({"device": "d", **texts}, openings))
    return replace(one, openings=openings)


def personal_log(**openings: Opening) -> list[str]:
    """Two entries with two texts each; `openings` replace those of the second."""
    first, second = (committing(seq, name=f"ann{seq}", note=f"hello{seq}") for seq in range(2))
    signed = checkpoint([first, second], 1_000)
    return text([first, replace(second, openings={**second.openings, **openings}), signed])


def test_texts_are_checked_against_their_commitments() -> None:
    """A text that is not there was erased, and is counted."""
    first, second = committing(0, name="ann"), replace(committing(1, name="bob"), openings={})
    lines: list[Line] = [first, second, checkpoint([first, second], 1_000)]
    found = verify(text(lines), [KEY])
    assert found.erased == 1
    assert ", 1 erased text. " in summary(found)
    assert verify(personal_log(), [KEY]).erased == 0


@pytest.mark.parametrize(
    "openings",
    [
        {"name": Opening("mallory", b"\x01" * 32)},
        {"name": Opening("ann1", b"\x02" * 32)},
        {"name": Opening("ann0", b"\x00" * 32)},
        {"name": Opening("hello1", b"\x01" * 32)},
        {"device": Opening("d", b"\x01" * 32)},
        {"other": Opening("more", b"\x01" * 32)},
    ],
    ids=("text", "salt", "another entry", "another member", "clear member", "no member"),
)
def test_a_text_that_was_not_committed_to_is_refused(openings: dict[str, Opening]) -> None:
    """Whatever is taken for it, the entry and the member are named."""
    with pytest.raises(Broken, match=f"Entry 1: The text of `{next(iter(openings))}`"):
        verify(personal_log(**openings), [KEY])


def test_commitments_that_are_no_object_are_refused() -> None:
    """A bundle comes from others."""
    with pytest.raises(Broken, match="Entry 0: Its commitments cannot be read"):
        verify(text([entry(0, committed=["x"])]), [KEY])


@pytest.mark.parametrize("at", range(12))
def test_no_byte_of_an_entry_can_be_changed(at: int) -> None:
    """Whichever entry it is, its number is in the message."""
    lines = text(log())
    place = next(n for n, line in enumerate(lines) if line.startswith(f'{{"seq":{at},'))
    lines[place] = lines[place].replace("operator", "somebody")
    with pytest.raises(Broken, match=f"Entry {at} was changed"):
        verify(lines, [KEY])


def test_an_older_log_does_not_have_the_auditors_checkpoint() -> None:
    """A database from a backup ends before what the auditor has seen."""
    since = Checkpoint(ORIGIN, 12, Tree.over(entry(n).leaf for n in range(12)).root)
    with pytest.raises(Broken, match="The log is older than your checkpoint: 8 entries, which had"):
        verify(text(log()[:10]), [KEY], since)


def test_another_log_of_the_same_server_does_not_have_it_either() -> None:
    """Signed by the right key, with other entries: a fork."""
    since = Checkpoint(ORIGIN, 8, b"x" * 32)
    with pytest.raises(Broken, match="An entry from 3 to 7 was changed"):
        verify(text(log()), [KEY], since)


@pytest.mark.parametrize("size", [1, 3, 8, 12])
def test_an_older_checkpoint_of_any_size_is_compared(size: int) -> None:
    """Also one that the bundle does not have."""
    root = Tree.over(entry(n).leaf for n in range(size)).root
    verify(text(log()), [KEY], Checkpoint(ORIGIN, size, root))
    with pytest.raises(Broken):
        verify(text(log()), [KEY], Checkpoint(ORIGIN, size, b"x" * 32))


def test_the_keys_of_a_log_may_have_changed() -> None:
    """Each checkpoint is signed by one of them."""
    entries = [entry(n) for n in range(4)]
    lines = [*entries[:2], checkpoint(entries[:2], 1), *entries[2:]]
    lines.append(checkpoint(entries, 2, b"t" * 32))
    assert verify(text(lines), [KEY, OTHER]).checkpoints == 2
    with pytest.raises(Broken):
        verify(text(lines), [OTHER])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "Line 2 is not JSON"),
        ("[]", "Line 2 is not a JSON object"),
        ("{}", "Line 2 must have seq, entry and leaf"),
        ('{"seq":0,"entry":"","leaf":"x"}', "Line 2 must have"),
        ('{"size":"a","checkpoint":""}', "Line 2 must have"),
    ],
)
def test_what_is_not_a_bundle_is_refused_with_the_line(line: str, message: str) -> None:
    """Bad input is not a broken log."""
    with pytest.raises(BadBundle, match=message):
        verify([text([])[0], line], [KEY])


def test_the_first_line_says_that_it_is_a_bundle() -> None:
    """The error says what writes one."""
    for lines in ([], ["{}"], text(log())[1:]):
        with pytest.raises(BadBundle, match="sayso audit export"):
            verify(lines, [KEY])


def proof(index: int) -> Proof:
    """A proof that one of the twelve entries is in the log."""
    entries = [entry(n) for n in range(12)]
    hashes = inclusion_proof(Tree.over(one.leaf for one in entries).nodes, index, len(entries))
    return Proof(index, entries[index].body, tuple(hashes), checkpoint(entries, 1_000).note)


def run(file: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """The verifier as an auditor runs it, without the rest of the product."""
    command = [sys.executable, "-m", "server.audit_log.verify", str(file), "--log-key", KEY.text]
    return subprocess.run([*command, *more], capture_output=True, text=True, check=False)


def test_an_auditor_runs_the_module(tmp_path: Path) -> None:
    """Exit 0 for a whole log, 20 for a broken one, 2 for another file; one line each."""
    file = tmp_path / "bundle"
    file.write_text("\n".join(text(log())))
    whole = run(file)
    assert (whole.returncode, whole.stderr) == (0, "")
    assert whole.stdout.startswith("Verified: 12 entries, 4 checkpoints, 0 user signatures.")
    file.write_text("\n".join(text(changed(log()))))
    broken = run(file)
    assert (broken.returncode, broken.stdout) == (
        BROKEN,
        "Not verified: Entry 1 was changed: its bytes do not match its hash.\n",
    )
    file.write_bytes(b"\xff")
    assert run(file).returncode == 2
    assert run(tmp_path / "missing").returncode == 2


def test_the_verifier_loads_nothing_of_the_product() -> None:
    """An auditor can read all of it."""
    code = (
        "import sys, server.audit_log.verify;"
        "print([name for name in sys.modules if name.startswith('server.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout.replace("'", '"'))
    assert loaded
    assert all(name.startswith("server.audit_log") for name in loaded)


@pytest.mark.parametrize("index", [0, 5, 11])
def test_a_proof_is_verified_and_shows_its_entry(tmp_path: Path, index: int) -> None:
    """Nothing but the key is needed."""
    file = tmp_path / "proof"
    file.write_text(proof(index).text)
    verdict = verify_file(file, [KEY.text], None, io.StringIO())
    assert verdict.startswith(f"Entry {index} is in the log, as of 1970-01-01 00:16:40 UTC.")
    assert f'"id": "e{index}"' in verdict
    assert Proof.read(proof(index).text) == proof(index)


def test_a_proof_shows_hostile_text_escaped(tmp_path: Path) -> None:
    """An agent's text may be in an entry."""
    entries = [entry(0, cause="\N{RIGHT-TO-LEFT OVERRIDE}\x1b[2J")]
    found = Proof(0, entries[0].body, (), checkpoint(entries, 1).note)
    file = tmp_path / "proof"
    file.write_text(found.text)
    verdict = verify_file(file, [KEY.text], None, io.StringIO())
    assert verdict.isascii()
    assert verdict.isprintable()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("index 5", "index 4"),
        ("index 5", "index five"),
        ("extra ", "extra e30="),
        ("\n12\n", "\n11\n"),
        ("\n\n", "\n"),
        ("extra", "more"),
        ("\nindex", ""),
    ],
)
def test_a_changed_proof_is_broken(tmp_path: Path, old: str, new: str) -> None:
    """Its entry, its place, its size, or its parts."""
    file = tmp_path / "proof"
    assert old in proof(5).text
    file.write_text(proof(5).text.replace(old, new))
    with pytest.raises(Broken):
        verify_file(file, [KEY.text], None, io.StringIO())


def test_two_copies_of_a_log_are_compared() -> None:
    """Whichever is longer; an erased text is no difference, and is counted."""
    entries: list[Line] = [committing(seq, name="ann") for seq in range(3)]
    later = [replace(_entry(entries[0]), openings={}), *entries[1:]]
    found = compare(entries[:2], later)
    assert (found.common, found.erased, found.only_first) == (2, 1, [])
    assert found.only_second == later[2:]
    found = compare(later, entries[:2])
    assert (found.common, found.erased, found.only_second) == (2, 0, [])
    assert found.only_first == later[2:]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (changed, "Entry 1 was changed"),
        (rehashed, "Entry 1 is not the same in both logs"),
        (removed, "Entry 1 is missing: entry 2 is in its place"),
        (renumbered, "Entry 1 is not the same in both logs"),
        (reordered, "Entry 0 is not the same in both logs"),
    ],
)
def test_the_first_entry_that_two_logs_do_not_share_is_named(
    change: Callable[[list[Line]], list[Line]], message: str
) -> None:
    """In either of them."""
    for first, second in ((log(), change(log())), (change(log()), log())):
        with pytest.raises(Broken, match=message):
            compare(first, second)
