"""Random values and keyed hashes: what is random and what is recomputed."""

import re

from server.crypto.secrets import EntryIds, KeyedSecrets

ONE = KeyedSecrets(b"m" * 32, b"p" * 32)
SAME = KeyedSecrets(b"m" * 32, b"p" * 32)
OTHER = KeyedSecrets(b"n" * 32, b"q" * 32)


def test_ids_and_secrets_have_their_format_and_are_unique():
    """80 bits for ids, 256 for secrets, 128 for salts."""
    assert re.fullmatch(r"sayso_us_[a-z2-7]{16}", ONE.new_id("sayso_us_"))
    assert re.fullmatch(r"sayso_rt_[A-Za-z0-9_-]{43}", ONE.new_secret("sayso_rt_"))
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", ONE.salt())
    for make in (lambda: ONE.new_id(""), lambda: ONE.new_secret(""), ONE.salt, ONE.new_code):
        assert len({make() for _ in range(50)}) == 50


def test_a_code_has_a_public_id_and_a_secret_in_unambiguous_letters():
    """Crockford's alphabet has no I, L, O and U."""
    code_id, secret = ONE.new_code()
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{8}", code_id)
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{24}", secret)


def test_entry_ids_sort_by_time_and_then_by_order():
    """They do even if the clock is set back; the ID contains the time."""
    entries = EntryIds()
    made = [entries.new(now) for now in (5, 5, 6, 4, 4, 7)]
    assert made == sorted(made)
    assert [int(entry[:12], 16) for entry in made] == [5, 5, 6, 6, 6, 7]


def test_keyed_values_are_recomputed_only_with_the_same_keys():
    """Restarted processes and other workers agree; other installations do not."""
    for make in (
        lambda s: s.auth_req_id("sayso_ap_a"),
        lambda s: s.code_hash("ID", "SECRET"),
        lambda s: s.nonce("pin", "dv", "1"),
        lambda s: s.pin_answer("dv", 1, bytes(32)),
    ):
        assert make(ONE) == make(SAME) != make(OTHER)


def test_different_inputs_give_different_keyed_values():
    """Each part counts."""
    assert ONE.auth_req_id("a") != ONE.auth_req_id("b")
    assert len({ONE.code_hash("a", "x"), ONE.code_hash("a", "y"), ONE.code_hash("b", "x")}) == 3
    assert len({ONE.nonce("pin", "a", "1"), ONE.nonce("pin", "a", "2"), ONE.nonce("pin", "b")}) == 3
    answers = {
        ONE.pin_answer(device, epoch, x)
        for device, epoch, x in (("a", 1, b"x"), ("b", 1, b"x"), ("a", 2, b"x"), ("a", 1, b"y"))
    }
    assert len(answers) == 4
    assert {len(answer) for answer in answers} == {32}


def test_a_handle_does_not_reveal_its_approval_id():
    """Users and devices see the id, agents the handle."""
    handle = ONE.auth_req_id("sayso_ap_a")
    assert handle.startswith("sayso_ar_")
    assert "sayso_ap_a" not in handle


def test_pin_answers_depend_on_the_pin_key():
    """The master key alone does not compute one."""
    same_master = KeyedSecrets(b"m" * 32, b"q" * 32)
    assert same_master.pin_answer("dv", 1, b"x") != ONE.pin_answer("dv", 1, b"x")
    assert same_master.auth_req_id("a") == ONE.auth_req_id("a")


def test_a_value_sealed_by_one_process_opens_in_another():
    """Both have the same master key."""
    assert SAME.open("answer:a", ONE.seal("answer:a", b"text")) == b"text"
