"""Random values are unique, and keyed hashes can be recomputed with the same keys."""

import errno
import os
import re

import pytest

from server.crypto.secrets import EntryIdGenerator, KeyedSecrets, read_key, write_key

SECRETS = KeyedSecrets(b"m" * 32, b"p" * 32)
SAME = KeyedSecrets(b"m" * 32, b"p" * 32)
OTHER = KeyedSecrets(b"n" * 32, b"q" * 32)


def test_ids_and_secrets_have_the_expected_format_and_are_unique():
    """IDs have 80 random bits, secrets 256, and salts 128."""
    assert re.fullmatch(r"sayso_us_[a-z2-7]{16}", SECRETS.new_id("sayso_us_"))
    assert re.fullmatch(r"sayso_rt_[A-Za-z0-9_-]{43}", SECRETS.new_secret("sayso_rt_"))
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", SECRETS.salt())
    for make in (
        lambda: SECRETS.new_id(""),
        lambda: SECRETS.new_secret(""),
        SECRETS.salt,
        SECRETS.new_code,
    ):
        assert len({make() for _ in range(50)}) == 50


def test_a_code_has_a_public_id_and_a_secret_in_unambiguous_letters():
    """Crockford's alphabet has no I, L, O or U."""
    code_id, secret = SECRETS.new_code()
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{8}", code_id)
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{24}", secret)


def test_entry_ids_sort_by_time_and_then_by_creation_order():
    """Entry IDs contain the time, and sort correctly even if the clock is set back."""
    entries = EntryIdGenerator()
    ids = [entries.new(now) for now in (5, 5, 6, 4, 4, 7)]
    assert ids == sorted(ids)
    assert [int(entry_id[:12], 16) for entry_id in ids] == [5, 5, 6, 6, 6, 7]


def test_keyed_values_can_be_recomputed_only_with_the_same_keys():
    """Other processes of the installation compute the same values. Other installations do not."""
    for make in (
        lambda s: s.auth_req_id("sayso_ap_a"),
        lambda s: s.code_hash("ID", "SECRET"),
        lambda s: s.nonce("pin", "dv", "1"),
        lambda s: s.pin_answer("dv", 1, bytes(32)),
    ):
        assert make(SECRETS) == make(SAME) != make(OTHER)


def test_different_inputs_give_different_keyed_values():
    """Each part of the input changes the value."""
    assert SECRETS.auth_req_id("a") != SECRETS.auth_req_id("b")
    assert (
        len({SECRETS.code_hash("a", "x"), SECRETS.code_hash("a", "y"), SECRETS.code_hash("b", "x")})
        == 3
    )
    assert (
        len(
            {
                SECRETS.nonce("pin", "a", "1"),
                SECRETS.nonce("pin", "a", "2"),
                SECRETS.nonce("pin", "b"),
            }
        )
        == 3
    )
    answers = {
        SECRETS.pin_answer(device, epoch, x)
        for device, epoch, x in (("a", 1, b"x"), ("b", 1, b"x"), ("a", 2, b"x"), ("a", 1, b"y"))
    }
    assert len(answers) == 4
    assert {len(answer) for answer in answers} == {32}


def test_a_handle_does_not_reveal_its_approval_id():
    """Users and devices see the approval id, and agents see the handle."""
    handle = SECRETS.auth_req_id("sayso_ap_a")
    assert handle.startswith("sayso_ar_")
    assert "sayso_ap_a" not in handle


def test_pin_answers_depend_on_the_pin_key():
    """The master key alone is not enough to compute a PIN answer."""
    same_master = KeyedSecrets(b"m" * 32, b"q" * 32)
    assert same_master.pin_answer("dv", 1, b"x") != SECRETS.pin_answer("dv", 1, b"x")
    assert same_master.auth_req_id("a") == SECRETS.auth_req_id("a")


def test_a_value_sealed_by_one_process_opens_in_another():
    """The two processes have the same master key."""
    assert SAME.open("answer:a", SECRETS.seal("answer:a", b"text")) == b"text"


def test_a_key_that_cannot_be_written_leaves_no_file(tmp_path, monkeypatch):
    """An empty key file would make every later command fail."""

    def fail(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="No space left"):
            write_key(tmp_path / "master.key", b"k" * 32)
    assert list(tmp_path.iterdir()) == []
    write_key(tmp_path / "master.key", b"k" * 32)
    assert read_key(tmp_path / "master.key") == b"k" * 32
    with pytest.raises(FileExistsError):
        write_key(tmp_path / "master.key", b"x" * 32)
