"""Checkpoints are signed notes as the C2SP specifications define them."""

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
    public_key,
    read_promise,
    read_replacement,
    replacement,
    sign,
    verify,
)

SEED, OTHER = b"s" * 32, b"t" * 32
CHECKPOINT = Checkpoint("approvals.example.com/log", 7, hashlib.sha256(b"root").digest())
AT = 1_796_000_000
NOTE = sign(CHECKPOINT, SEED, AT)
KEY = public_key(CHECKPOINT.origin, SEED)


def test_a_checkpoint_has_the_specified_format() -> None:
    """c2sp.org/tlog-checkpoint: origin, size and root precede an empty line and signatures."""
    lines = NOTE.split("\n")
    assert lines[:2] == ["approvals.example.com/log", "7"]
    assert base64.b64decode(lines[2]) == CHECKPOINT.root
    assert lines[3] == ""
    assert all(line.startswith("— approvals.example.com/log ") for line in lines[4:6])
    assert lines[6:] == [""]


def test_both_signatures_can_be_verified_from_the_specification_alone() -> None:
    """c2sp.org/signed-note, c2sp.org/tlog-cosignature: the text of key and note is enough."""
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


def test_a_key_is_read_from_its_text_form() -> None:
    """Surrounding whitespace is ignored."""
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
def test_a_string_that_is_not_a_key_is_refused(text: str, message: str) -> None:
    """The error says what is wrong with the key."""
    with pytest.raises(BadNote, match=message):
        LogKey.read(text)


def test_any_of_several_keys_may_have_signed() -> None:
    """A log whose key was replaced has checkpoints by both keys."""
    other = public_key(CHECKPOINT.origin, OTHER)
    assert verify(NOTE, [other, KEY])[0] == CHECKPOINT
    with pytest.raises(BadNote, match="No key that you trust signed it"):
        verify(NOTE, [other])


def test_a_checkpoint_of_a_different_log_is_refused() -> None:
    """The origin is compared, because one private key may sign two logs."""
    with pytest.raises(BadNote, match="a different log"):
        verify(NOTE, [public_key("other.example.com/log", SEED)])


def _change_character(note: str, at: int) -> str:
    return note[:at] + ("A" if note[at] != "A" else "B") + note[at + 1 :]


@pytest.mark.parametrize("at", range(0, len(NOTE), 3))
def test_no_character_of_a_checkpoint_can_be_changed(at: int) -> None:
    """A change in the text, in a signature or in the time is detected."""
    changed = _change_character(NOTE, at)
    try:
        result = verify(changed, [KEY])
    except BadNote:
        return
    assert result == (CHECKPOINT, AT)  # the last bits of Base64 are not significant
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
    """A number must have only one spelling, because the text is signed."""
    with pytest.raises(BadNote):
        verify(text, [KEY])


def test_a_checkpoint_without_its_time_is_refused() -> None:
    """Both signatures are needed, because a log without the time could be old."""
    lines = NOTE.splitlines(keepends=True)
    with pytest.raises(BadNote):
        verify("".join(lines[:-1]), [KEY])


NEW = public_key(CHECKPOINT.origin, OTHER)


def test_a_key_signs_the_key_that_replaces_it() -> None:
    """The note of a new key is not a checkpoint, and a checkpoint is not such a note."""
    note = replacement(NEW, SEED)
    assert read_replacement(note, KEY) == NEW
    with pytest.raises(BadNote):
        verify(note, [KEY])
    with pytest.raises(BadNote, match="does not name the key"):
        read_replacement(NOTE, KEY)


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
    ids=["by itself", "changed", "other log", "renamed", "unsigned", "empty"],
)
def test_a_key_that_the_old_one_did_not_name_is_refused(note: str) -> None:
    """A person who has only the database cannot sign with the old key."""
    with pytest.raises(BadNote):
        read_replacement(note, KEY)


DETAILS = Promise("sayso_ae_1", hashlib.sha256(b"entry").digest(), AT)
PROMISE = promise(DETAILS, KEY.name, SEED)


def test_a_promise_is_read_with_the_key_that_signed_it() -> None:
    """A promise is not a checkpoint or the note of a new key, and those are not promises."""
    assert read_promise(PROMISE, KEY) == DETAILS
    assert DETAILS.due == AT + 60
    for other in (NOTE, replacement(NEW, SEED)):
        with pytest.raises(BadNote, match="not a promise"):
            read_promise(other, KEY)
    with pytest.raises(BadNote):
        verify(PROMISE, [KEY])
    with pytest.raises(BadNote, match="does not name the key"):
        read_replacement(PROMISE, KEY)


@pytest.mark.parametrize("at", range(0, len(PROMISE), 3))
def test_no_character_of_a_promise_can_be_changed(at: int) -> None:
    """A change in any part of a promise is detected."""
    try:
        result = read_promise(_change_character(PROMISE, at), KEY)
    except BadNote:
        return
    assert result == DETAILS  # the last bits of Base64 are not significant


@pytest.mark.parametrize(
    "note",
    [
        promise(DETAILS, "other/log", SEED),
        promise(DETAILS, KEY.name, OTHER),
        promise(Promise("a b", DETAILS.leaf, AT), KEY.name, SEED),
        PROMISE.partition("\n\n")[0],
        "",
    ],
    ids=["other log", "other key", "no id", "unsigned", "empty"],
)
def test_a_note_that_is_not_a_promise_is_refused(note: str) -> None:
    """A promise must be signed by the log's own key and must name an ID."""
    with pytest.raises(BadNote):
        read_promise(note, KEY)
