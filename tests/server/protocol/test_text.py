"""Escaping text for display, and checking names and prose."""

import json
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.audit_log import verify
from server.protocol import errors, text

VECTORS = json.loads(
    Path(__file__).parents[2].joinpath("vectors/display_safe.json").read_text(encoding="utf-8")
)
SUFFIX = re.compile(r" … \+[0-9]+ chars\Z")

# All code points, including lone surrogates; dangerous ones are drawn more often.
hostile = st.text(
    st.one_of(
        st.characters(),
        st.characters(categories=["Cs", "Cc", "Cf", "Mn", "Me", "Zs", "Co"]),
        st.sampled_from("\x1b\x9b\n\r\u202e\u200b\ufe0f\u0301\u0316e\\u{}… +1 chars"),
    ),
    max_size=80,
)


@pytest.mark.parametrize("vector", VECTORS, ids=map(str, range(len(VECTORS))))
def test_display_safe_matches_the_shared_vectors(vector):
    """The server, the terminal and the pages must escape text identically."""
    safe = text.display_safe(
        vector["raw"], max_chars=vector["max_chars"], max_lines=vector["max_lines"]
    )
    assert safe == vector["safe"]
    assert isinstance(safe, text.SafeText)


@given(hostile, st.integers(0, 60), st.integers(1, 4))
def test_display_safe_output_has_only_harmless_characters(raw, max_chars, max_lines):
    """The output has no control, format or invisible characters, and no stacks of marks."""
    safe = text.display_safe(raw, max_chars=max_chars, max_lines=max_lines)
    assert safe.count("\n") < max_lines
    for character in safe.replace("\n", ""):
        category = unicodedata.category(character)
        assert character == " " or category[0] in "LNPS" or category in {"Mn", "Mc"}
        assert not 0xFE00 <= ord(character) <= 0xFE0F
    assert "MMMM" not in "".join(unicodedata.category(character)[0] for character in safe)


@given(hostile, st.integers(0, 60), st.integers(1, 4))
def test_display_safe_is_idempotent(raw, max_chars, max_lines):
    """Both the server and the client apply the function to the same text."""
    escaped = text.display_safe(raw, max_chars=max_chars, max_lines=max_lines)
    assert text.display_safe(escaped, max_chars=max_chars, max_lines=max_lines) == escaped


@given(hostile, st.integers(0, 60))
def test_display_safe_is_never_longer_than_its_limit_and_the_suffix(raw, max_chars):
    """Text beyond the limit is not shown; the suffix has the number of its characters."""
    safe = text.display_safe(raw, max_chars=max_chars)
    if len(safe) > max_chars:
        assert len(SUFFIX.sub("", safe)) <= max_chars
        assert SUFFIX.search(safe)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40))
def test_display_safe_keeps_plain_ascii(raw):
    """Markup, quotes and backslashes are not escaped."""
    assert text.display_safe(raw) == raw


def test_display_safe_reads_a_limited_part_of_endless_combining_marks():
    """Only a limited part of megabytes of marks is processed, because NFC is slow for them."""
    raw = "a" + "\u0301\u0323" * 1_000_000
    assert text.display_safe(raw, max_chars=10).endswith(" chars")


@pytest.mark.parametrize(
    "raw", ["x", "Überweisung №42: 5 €!", "x" * 200, "e\u0301" * 200, "שלום", "x" + "\u0316" * 3]
)
def test_a_binding_message_of_visible_characters_is_kept_in_nfc(raw):
    """The length of a message is counted after NFC."""
    assert text.check_binding_message(raw) == unicodedata.normalize("NFC", raw)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "x" * 201,
        "\u0958" * 101,  # NFC turns each into two characters
        "a\u0301\u0323" * 100_000,
        "tricky\nline",
        "tricky\ttab",
        "tricky\x1b[2J",
        "tricky\u009b",
        "tricky\u202e",
        "tricky\u200b",
        "tricky\u00a0",
        "tricky\ud800",
        "tricky\ue000",
        "tricky" + "\u0316" * 4,
    ],
)
def test_an_undisplayable_binding_message_is_refused_without_repeating_it(raw):
    """CIBA 13: the error says how to fix the message and does not quote it."""
    with pytest.raises(errors.InvalidBindingMessage) as refusal:
        text.check_binding_message(raw)
    assert refusal.value.description.startswith("binding_message ")
    assert "tricky" not in refusal.value.description


@pytest.mark.parametrize(
    "raw",
    ["Alice\u2019s iPhone", "Alice's iPad (kitchen)", "📱 Zoë", "iPhone von Иван", "手机 \u2013 2"],
)
def test_a_device_may_have_any_name_that_can_be_read(raw):
    """Phones choose their own names, and only their user compares them."""
    assert text.check_device_name(raw, what="name") == raw


@pytest.mark.parametrize("raw", ["", "…", "a\u202eb", "a\tb", "a\nb", " a", "a  b", "x" * 65])
def test_a_device_name_that_cannot_be_read_is_refused(raw):
    """Hidden characters, line breaks and names without letters or digits are refused."""
    with pytest.raises(ValueError, match=r"^name "):
        text.check_device_name(raw, what="name")


@pytest.mark.parametrize(
    "raw", ["invoice-bot", "alice@acme.example", "Zoë 2", "日本", "Иван", "a", "7up", "a.b_c+d"]
)
def test_a_name_of_plain_letters_is_kept(raw):
    """Names in one script with common punctuation are accepted."""
    assert text.check_name(raw, what="agent name") == raw


@pytest.mark.parametrize(
    ("raw", "remedy"),
    [
        ("", "1 to 64 characters"),
        ("x" * 65, "1 to 64 characters"),
        (" bot", "start with"),
        ("-bot", "start with"),
        ("\u0301bot", "start with"),
        ("bot ", "single spaces"),
        ("my  bot", "single spaces"),
        ("bot\n", "only letters"),
        ("bot\u202e", "only letters"),
        ("bot\u3164", "only letters"),
        ("bot/x", "only letters"),
        ("[red]", "start with"),
        ("a[red]", "only letters"),
        ("p\u0430ypal", "one script"),  # a Cyrillic a among Latin letters
        ("\u03b1lpha", "one script"),
        ("\U0001d41bot", "plain form"),
        ("bo\uff54", "plain form"),
        ("bot\ud800", "only letters"),
    ],
)
def test_a_deceptive_name_is_refused_with_the_remedy(raw, remedy):
    """These characters could produce two names that look alike."""
    with pytest.raises(ValueError, match=remedy) as refusal:
        text.check_name(raw, what="agent name")
    assert str(refusal.value).startswith("agent name ")


def test_prose_may_have_the_allowed_number_of_lines():
    """The caller sets the maximum number of lines."""
    assert text.check_prose("a\nb", what="note", max_chars=10, lines=2) == "a\nb"
    with pytest.raises(ValueError, match=r"note can have at most 2 lines"):
        text.check_prose("a\nb\nc", what="note", max_chars=10, lines=2)


@pytest.mark.parametrize("raw", ["", "x" * 11, "a\r\nb", "a\u2028b", "\u202e"])
def test_undisplayable_prose_is_refused(raw):
    """Prose may have the same characters as a binding message."""
    with pytest.raises(ValueError, match=r"^note "):
        text.check_prose(raw, what="note", max_chars=10, lines=2)


COUNTS = [
    (0, ("entry", "entries"), "0 entries"),
    (1, ("entry", "entries"), "1 entry"),
    (1, ("text",), "1 text"),
    (2, ("text",), "2 texts"),
    (1_204, ("other request",), "1,204 other requests"),
]


@pytest.mark.parametrize(("number", "noun", "shown"), COUNTS)
@pytest.mark.parametrize("counted", [text.pluralize, verify._format_count])
def test_the_singular_is_used_only_for_one(counted, number, noun, shown):
    """The copy of the function in `audit_log`, which auditors run alone, must do the same."""
    assert counted(number, *noun) == shown
