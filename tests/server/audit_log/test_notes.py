"""Checkpoints as signed notes, read by the words of the C2SP specifications alone."""

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from server.audit_log.notes import (
    BadNote,
    Checkpoint,
    LogKey,
    Promise,
    promise,
    promised,
    public_key,
    replaced,
    replacement,
    sign,
    verify,
)

SEED, OTHER = b"s" * 32, b"t" * 32
CHECKPOINT = Checkpoint("approvals.example.com/log", 7, hashlib.sha256(b"root").digest())
AT = 1_796_000_000
NOTE = sign(CHECKPOINT, SEED, AT)
KEY = public_key(CHECKPOINT.origin, SEED)


def test_a_checkpoint_reads_as_the_specification_says() -> None:
    """c2sp.org/tlog-checkpoint: origin, size and root; then an empty line and signatures."""
    lines = NOTE.split("\n")
    assert lines[:2] == ["approvals.example.com/log", "7"]
    assert base64.b64decode(lines[2]) == CHECKPOINT.root
    assert lines[3] == ""
    assert all(line.startswith("— approvals.example.com/log ") for line in lines[4:6])
    assert lines[6:] == [""]


def test_another_reader_verifies_both_signatures() -> None:
    """c2sp.org/signed-note and c2sp.org/tlog-cosignature, from the text of key and note."""
    name, key_id, encoded = KEY.text.split("+", 2)
    public = base64.b64decode(encoded)
    assert public[:1] == b"\x01"
    assert hashlib.sha256(f"{name}\n".encode() + public).hexdigest()[:8] == key_id
    text, _, lines = NOTE.partition("\n\n")
    text += "\n"
    plain, timed = (base64.b64decode(line.split(" ")[2]) for line in lines.splitlines())
    verifier = Ed25519PublicKey.from_public_bytes(public[1:])
    assert plain[:4].hex() == key_id
    verifier.verify(plain[4:], text.encode())
    assert timed[:4] == hashlib.sha256(f"{name}\n".encode() + b"\x04" + public[1:]).digest()[:4]
    assert int.from_bytes(timed[4:12]) == AT
    verifier.verify(timed[12:], f"cosignature/v1\ntime {AT}\n{text}".encode())


def test_a_key_is_read_from_its_text() -> None:
    """White space around it does not count."""
    assert LogKey.read(f" {KEY.text}\n") == KEY
    assert verify(NOTE, [KEY]) == (CHECKPOINT, AT)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not the public key of a log"),
        ("a+b", "not the public key of a log"),
        (KEY.text[:-4], "not the public key of a log"),
        (KEY.text.replace("+", "+0", 1), "does not belong to the key"),
        (f"other{KEY.text}", "does not belong to the key"),
    ],
)
def test_a_text_that_is_no_key_is_refused(text: str, message: str) -> None:
    """The error says where keys come from."""
    with pytest.raises(BadNote, match=message):
        LogKey.read(text)


def test_any_of_several_keys_may_have_signed() -> None:
    """A log whose key was replaced has checkpoints of both."""
    other = public_key(CHECKPOINT.origin, OTHER)
    assert verify(NOTE, [other, KEY])[0] == CHECKPOINT
    with pytest.raises(BadNote, match="No key that you trust signed it"):
        verify(NOTE, [other])


def test_a_checkpoint_of_another_log_is_refused() -> None:
    """The same private key may sign two logs."""
    with pytest.raises(BadNote, match="of another log"):
        verify(NOTE, [public_key("other.example.com/log", SEED)])


def _flipped(note: str, at: int) -> str:
    return note[:at] + ("A" if note[at] != "A" else "B") + note[at + 1 :]


@pytest.mark.parametrize("at", range(0, len(NOTE), 3))
def test_no_character_can_be_changed(at: int) -> None:
    """Not in the text, not in a signature, not in the time."""
    changed = _flipped(NOTE, at)
    try:
        found = verify(changed, [KEY])
    except BadNote:
        return
    assert found == (CHECKPOINT, AT)  # the last bits of Base64 mean nothing
    assert changed[at - 1 : at + 2] not in NOTE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        NOTE.replace("\n7\n", "\n07\n"),
        NOTE.replace("\n7\n", "\n-7\n"),
        NOTE.replace("\n7\n", "\n\N{ARABIC-INDIC DIGIT SEVEN}\n"),
        NOTE.replace("\n\n", "\nmore\n\n"),
        NOTE.partition("\n\n")[0],
        f"{NOTE.partition(chr(10) * 2)[0]}\n\n",
    ],
)
def test_malformed_checkpoints_are_refused(text: str) -> None:
    """Another spelling of a number would be another text."""
    with pytest.raises(BadNote):
        verify(text, [KEY])


def test_a_checkpoint_without_its_time_is_refused() -> None:
    """Both signatures are needed; a log that withholds the time could be old."""
    lines = NOTE.splitlines(keepends=True)
    with pytest.raises(BadNote):
        verify("".join(lines[:-1]), [KEY])


NEW = public_key(CHECKPOINT.origin, OTHER)


def test_a_key_names_the_one_that_replaces_it() -> None:
    """Its note is no checkpoint, and a checkpoint is no such note."""
    note = replacement(NEW, SEED)
    assert replaced(note, KEY) == NEW
    with pytest.raises(BadNote):
        verify(note, [KEY])
    with pytest.raises(BadNote, match="does not say which key"):
        replaced(NOTE, KEY)


@pytest.mark.parametrize(
    "note",
    [
        replacement(NEW, OTHER),
        replacement(NEW, SEED).replace(NEW.text, public_key(NEW.name, b"x" * 32).text),
        replacement(public_key("other/log", OTHER), SEED),
        replacement(NEW, SEED).replace(NEW.name, "other/log", 1),
        replacement(NEW, SEED).partition("\n\n")[0],
        "",
    ],
    ids=["by itself", "changed", "another log", "renamed", "unsigned", "nothing"],
)
def test_a_key_that_the_old_one_did_not_name_is_refused(note: str) -> None:
    """Whoever has the database cannot sign with the old key."""
    with pytest.raises(BadNote):
        replaced(note, KEY)


GIVEN = Promise("sayso_ae_1", hashlib.sha256(b"entry").digest(), AT)
PROMISE = promise(GIVEN, KEY.name, SEED)


def test_a_promise_is_read_with_the_key_that_signed_it() -> None:
    """It is neither a checkpoint nor the note of a new key, and they are no promises."""
    assert promised(PROMISE, KEY) == GIVEN
    assert GIVEN.due == AT + 60
    for other in (NOTE, replacement(NEW, SEED)):
        with pytest.raises(BadNote, match="not a promise"):
            promised(other, KEY)
    with pytest.raises(BadNote):
        verify(PROMISE, [KEY])
    with pytest.raises(BadNote, match="does not say which key"):
        replaced(PROMISE, KEY)


@pytest.mark.parametrize("at", range(0, len(PROMISE), 3))
def test_no_character_of_a_promise_can_be_changed(at: int) -> None:
    """As in a checkpoint."""
    try:
        found = promised(_flipped(PROMISE, at), KEY)
    except BadNote:
        return
    assert found == GIVEN  # the last bits of Base64 mean nothing


@pytest.mark.parametrize(
    "note",
    [
        promise(GIVEN, "other/log", SEED),
        promise(GIVEN, KEY.name, OTHER),
        promise(Promise("a b", GIVEN.leaf, AT), KEY.name, SEED),
        PROMISE.partition("\n\n")[0],
        "",
    ],
    ids=["another log", "another key", "no id", "unsigned", "nothing"],
)
def test_what_is_no_promise_is_refused(note: str) -> None:
    """Only the log's own key promises, and only an id."""
    with pytest.raises(BadNote):
        promised(note, KEY)
