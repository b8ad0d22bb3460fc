"""The verifier detects every change to a log by someone who does not have the private key."""

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
from server.audit_log.entries import Opening, commit_facts, entry_bytes, leaf_hash
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
    """An entry with this sequence number."""
    body = entry_bytes({"type": "user.add_entry", "actor": "operator", "id": f"e{seq}", **members})
    return LoggedEntry(seq, body, leaf_hash(body))


def checkpoint(entries: list[LoggedEntry], at: int, seed: bytes = SEED) -> SignedCheckpoint:
    """A checkpoint over these entries."""
    root = Tree.from_leaves(entry.leaf for entry in entries).root
    size = len(entries)
    return SignedCheckpoint(size, notes.sign(Checkpoint(ORIGIN, size, root), seed, at))


def log() -> list[Line]:
    """Twelve entries, and checkpoints at four times."""
    entries, lines, start = [entry(seq) for seq in range(12)], [], 0
    for number, size in enumerate(SIZES):
        lines += [*entries[start:size], checkpoint(entries[:size], 1_000 + number)]
        start = size
    return lines


def text(lines: list[Line]) -> list[str]:
    """Join the lines to the text of a bundle."""
    return list(bundles.write(ORIGIN, lines))


def test_an_unchanged_log_is_verified() -> None:
    """The result has the number of entries and checkpoints and the time of the last one."""
    verified = verify(text(log()), [KEY])
    assert (verified.frontier.size, verified.checkpoints, verified.at) == (12, 4, 1_003)


def _entry(line: Line) -> LoggedEntry:
    assert isinstance(line, LoggedEntry)
    return line


def change_body(lines: list[Line]) -> list[Line]:
    """Change the body of an entry, but not its hash."""
    return [
        LoggedEntry(1, b"x", _entry(lines[1]).leaf) if n == 1 else line
        for n, line in enumerate(lines)
    ]


def change_body_and_hash(lines: list[Line]) -> list[Line]:
    """Change an entry and its hash."""
    return [entry(1, id="other") if n == 1 else line for n, line in enumerate(lines)]


def remove_entry(lines: list[Line]) -> list[Line]:
    """Remove an entry."""
    return lines[:1] + lines[2:]


def remove_and_renumber(lines: list[Line]) -> list[Line]:
    """Remove an entry and renumber the entries after it."""
    rest = [line for n, line in enumerate(lines) if n != 1]
    numbers = iter(range(99))
    return [
        LoggedEntry(next(numbers), line.body, line.leaf) if isinstance(line, LoggedEntry) else line
        for line in rest
    ]


def add_entry(lines: list[Line]) -> list[Line]:
    """Add an entry after the last checkpoint."""
    return [*lines, entry(12)]


def swap_entries(lines: list[Line]) -> list[Line]:
    """Swap two entries."""
    (first, second), rest = map(_entry, lines[:2]), lines[2:]
    return [
        LoggedEntry(0, second.body, second.leaf),
        LoggedEntry(1, first.body, first.leaf),
        *rest,
    ]


def remove_checkpoints(lines: list[Line]) -> list[Line]:
    """Remove all checkpoints."""
    return [line for line in lines if isinstance(line, LoggedEntry)]


def sign_with_other_key(lines: list[Line]) -> list[Line]:
    """Sign the last checkpoint with a different key."""
    entries = [line for line in lines if isinstance(line, LoggedEntry)]
    return [*lines[:-1], checkpoint(entries, 1_003, b"t" * 32)]


def turn_time_back(lines: list[Line]) -> list[Line]:
    """Set the time of the last checkpoint back."""
    entries = [line for line in lines if isinstance(line, LoggedEntry)]
    return [*lines[:-1], checkpoint(entries, 999)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (change_body, "Entry 1 was changed"),
        (change_body_and_hash, "An entry from 0 to 2 was changed, added or removed"),
        (remove_entry, "Entry 1 is missing: entry 2 is in its place"),
        (remove_and_renumber, "a checkpoint of 3 entries comes after 2"),
        (add_entry, "No checkpoint covers the entries from 12 on"),
        (swap_entries, "An entry from 0 to 2 was changed"),
        (remove_checkpoints, "has no checkpoint"),
        (sign_with_other_key, "The checkpoint at size 12 is not valid. No key that you trust"),
        (turn_time_back, "The checkpoint at size 12 is older than the one before it"),
    ],
)
def test_each_change_is_detected_and_named(
    change: Callable[[list[Line]], list[Line]], message: str
) -> None:
    """The message names the entry, or the entries between two checkpoints."""
    with pytest.raises(Broken, match=message):
        verify(text(change(log())), [KEY])


def personal_entry(seq: int, **texts: str) -> LoggedEntry:
    """An entry with personal texts."""
    openings = {name: Opening(text, bytes([seq]) * 32) for name, text in texts.items()}
    committed_entry = entry(seq, **commit_facts({"device": "d", **texts}, openings))
    return replace(committed_entry, openings=openings)


def personal_log(**openings: Opening) -> list[str]:
    """A log of two entries with two texts each. `openings` replace those of the second entry."""
    first, second = (personal_entry(seq, name=f"ann{seq}", note=f"hello{seq}") for seq in range(2))
    signed = checkpoint([first, second], 1_000)
    return text([first, replace(second, openings={**second.openings, **openings}), signed])


def test_texts_are_checked_against_their_commitments() -> None:
    """A missing text was erased, and is counted."""
    first, second = (
        personal_entry(0, name="ann"),
        replace(personal_entry(1, name="bob"), openings={}),
    )
    lines: list[Line] = [first, second, checkpoint([first, second], 1_000)]
    verified = verify(text(lines), [KEY])
    assert verified.erased == 1
    assert ", 1 erased text. " in summary(verified)
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
    ids=("text", "salt", "other entry", "other member", "clear member", "no member"),
)
def test_a_text_that_was_not_committed_to_is_refused(openings: dict[str, Opening]) -> None:
    """The error names the entry and the member."""
    with pytest.raises(Broken, match=f"Entry 1: The text of `{next(iter(openings))}`"):
        verify(personal_log(**openings), [KEY])


def test_commitments_that_are_not_an_object_are_refused() -> None:
    """The contents of a bundle are not trusted."""
    with pytest.raises(Broken, match="Entry 0: Its commitments cannot be read"):
        verify(text([entry(0, committed=["x"])]), [KEY])


@pytest.mark.parametrize("seq", range(12))
def test_no_byte_of_an_entry_can_be_changed(seq: int) -> None:
    """The message names the changed entry."""
    lines = text(log())
    index = next(n for n, line in enumerate(lines) if line.startswith(f'{{"seq":{seq},'))
    lines[index] = lines[index].replace("operator", "somebody")
    with pytest.raises(Broken, match=f"Entry {seq} was changed"):
        verify(lines, [KEY])


def test_a_log_that_is_older_than_the_auditors_checkpoint_is_refused() -> None:
    """A database that was restored from a backup may lack entries that the auditor has seen."""
    known_checkpoint = Checkpoint(
        ORIGIN, 12, Tree.from_leaves(entry(n).leaf for n in range(12)).root
    )
    with pytest.raises(
        Broken, match="The log is older than your checkpoint: it has 8 entries instead of"
    ):
        verify(text(log()[:10]), [KEY], known_checkpoint)


def test_a_fork_of_the_log_is_refused() -> None:
    """A fork is signed with the right key but has different entries."""
    known_checkpoint = Checkpoint(ORIGIN, 8, b"x" * 32)
    with pytest.raises(Broken, match="An entry from 3 to 7 was changed"):
        verify(text(log()), [KEY], known_checkpoint)


@pytest.mark.parametrize("size", [1, 3, 8, 12])
def test_an_older_checkpoint_of_any_size_is_compared(size: int) -> None:
    """The bundle does not have to contain a checkpoint of this size."""
    root = Tree.from_leaves(entry(n).leaf for n in range(size)).root
    verify(text(log()), [KEY], Checkpoint(ORIGIN, size, root))
    with pytest.raises(Broken):
        verify(text(log()), [KEY], Checkpoint(ORIGIN, size, b"x" * 32))


def test_a_log_whose_key_changed_is_verified_with_all_keys() -> None:
    """Each checkpoint is signed by one of the keys."""
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
def test_the_error_about_an_invalid_bundle_names_the_line(line: str, message: str) -> None:
    """Invalid input is not reported as a broken log."""
    with pytest.raises(BadBundle, match=message):
        verify([text([])[0], line], [KEY])


def test_a_bundle_must_start_with_its_header() -> None:
    """The error names the command that writes bundles."""
    for lines in ([], ["{}"], text(log())[1:]):
        with pytest.raises(BadBundle, match="sayso audit export"):
            verify(lines, [KEY])


def proof(index: int) -> Proof:
    """A proof that one of the twelve entries is in the log."""
    entries = [entry(n) for n in range(12)]
    hashes = inclusion_proof(
        Tree.from_leaves(entry.leaf for entry in entries).nodes, index, len(entries)
    )
    return Proof(index, entries[index].body, tuple(hashes), checkpoint(entries, 1_000).note)


def run(file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the verifier as an auditor would, without the rest of the product."""
    command = [sys.executable, "-m", "server.audit_log.verify", str(file), "--log-key", KEY.text]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)


def test_an_auditor_can_run_the_module(tmp_path: Path) -> None:
    """The exit status is 0 for a valid log, 20 for a broken one, and 2 for other files."""
    file = tmp_path / "bundle"
    file.write_text("\n".join(text(log())))
    valid = run(file)
    assert (valid.returncode, valid.stderr) == (0, "")
    assert valid.stdout.startswith("Verified: 12 entries, 4 checkpoints, 0 user signatures.")
    file.write_text("\n".join(text(change_body(log()))))
    broken = run(file)
    assert (broken.returncode, broken.stdout) == (
        BROKEN,
        "Not verified: Entry 1 was changed: its bytes do not match its hash.\n",
    )
    file.write_bytes(b"\xff")
    assert run(file).returncode == 2
    assert run(tmp_path / "missing").returncode == 2


def test_the_verifier_imports_no_other_part_of_the_product() -> None:
    """An auditor can read all of the verifier's code."""
    code = (
        "import sys, server.audit_log.verify;"
        "print([name for name in sys.modules if name.startswith('server.')])"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = json.loads(process.stdout.replace("'", '"'))
    assert loaded
    assert all(name.startswith("server.audit_log") for name in loaded)


@pytest.mark.parametrize("index", [0, 5, 11])
def test_a_proof_is_verified_and_shows_its_entry(tmp_path: Path, index: int) -> None:
    """Only the key is needed to verify a proof."""
    file = tmp_path / "proof"
    file.write_text(proof(index).text)
    verdict = verify_file(file, [KEY.text], None, io.StringIO())
    assert verdict.startswith(f"Entry {index} is in the log, as of 1970-01-01 00:16:40 UTC.")
    assert f'"id": "e{index}"' in verdict
    assert Proof.read(proof(index).text) == proof(index)


def test_a_proof_shows_hostile_text_escaped(tmp_path: Path) -> None:
    """An entry may contain text that an agent supplied."""
    entries = [entry(0, cause="\N{RIGHT-TO-LEFT OVERRIDE}\x1b[2J")]
    hostile = Proof(0, entries[0].body, (), checkpoint(entries, 1).note)
    file = tmp_path / "proof"
    file.write_text(hostile.text)
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
def test_a_changed_proof_is_refused(tmp_path: Path, old: str, new: str) -> None:
    """The entry, the index, the checkpoint or the format of the proof is changed."""
    file = tmp_path / "proof"
    assert old in proof(5).text
    file.write_text(proof(5).text.replace(old, new))
    with pytest.raises(Broken):
        verify_file(file, [KEY.text], None, io.StringIO())


def test_two_copies_of_a_log_are_compared() -> None:
    """Either copy may be longer. Erased texts are counted but are not a difference."""
    entries: list[Line] = [personal_entry(seq, name="ann") for seq in range(3)]
    later = [replace(_entry(entries[0]), openings={}), *entries[1:]]
    difference = compare(entries[:2], later)
    assert (difference.common, difference.erased, difference.only_first) == (2, 1, [])
    assert difference.only_second == later[2:]
    difference = compare(later, entries[:2])
    assert (difference.common, difference.erased, difference.only_second) == (2, 0, [])
    assert difference.only_first == later[2:]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (change_body, "Entry 1 was changed"),
        (change_body_and_hash, "Entry 1 is not the same in both logs"),
        (remove_entry, "Entry 1 is missing: entry 2 is in its place"),
        (remove_and_renumber, "Entry 1 is not the same in both logs"),
        (swap_entries, "Entry 0 is not the same in both logs"),
    ],
)
def test_the_first_entry_that_differs_between_two_logs_is_named(
    change: Callable[[list[Line]], list[Line]], message: str
) -> None:
    """The change may be in either log."""
    for first, second in ((log(), change(log())), (change(log()), log())):
        with pytest.raises(Broken, match=message):
            compare(first, second)
