"""Fields of console forms: how typed values become API members."""

import functools
import re

import pytest

from server.protocol.forms import Form
from server.web import choices, fields
from server.web.console import client_fields
from server.web.fields import Field
from server.web.table import form_at


def _form(**typed):
    return Form({name: (value,) for name, value in typed.items()})


def _read(field, **typed):
    return fields.body([field], _form(**typed))[field.name]


def test_a_list_has_one_value_per_line():
    """A URI may contain commas. Empty lines are ignored, and a missing field is an empty list."""
    typed = "https://a.example/cb?x=1,2\r\n\r\n https://b.example/cb "
    uris = ["https://a.example/cb?x=1,2", "https://b.example/cb"]
    assert _read(Field("owners", "", "lines"), owners=typed) == uris
    assert _read(Field("owners", "", "lines")) == []


def test_a_ticked_box_means_all():
    """The text in the field next to the box is ignored."""
    field = Field("asks", "", "lines", all_label="Everyone")
    assert _read(field, **{"every-asks": "1", "asks": "eva"}) is None
    assert _read(field, asks="eva") == ["eva"]


def test_known_values_are_ticked_and_others_are_typed():
    """A selected and typed value is sent once, and a value named "every" is not the "all" box."""
    field = Field("asks", "", "known", all_label="Everyone", suggestions="people")
    assert _read(field, **{"asks-ana": "1", "asks-ben": "1", "asks": "eva, ana"}) == [
        "ana",
        "ben",
        "eva",
    ]
    assert _read(field, **{"asks-every": "1"}) == ["every"]
    assert _read(field, **{field.box: "1", "asks-ana": "1"}) is None


@pytest.mark.parametrize("comma", [", ", ",", " ,\t"])
def test_a_typed_uri_may_contain_commas(comma):
    """Only a comma before the next URI, or before white space, separates URIs."""
    uris = ["https://a.example/map;at=1,2", "https://b.example"]
    resources = Field("resources", "", "known", suggestions="resources")
    assert _read(resources, resources=f"{comma.join(uris)},") == uris
    limits = Field("only", "", "known", suggestions="limits", shape="lists")
    typed = comma.join([f"{uris[0]} read", f"{uris[1]} write"])
    assert _read(limits, only=typed) == {uris[0]: ["read"], uris[1]: ["write"]}


def _people(*names, left="", **more):
    return {"users": {"items": [{"name": name} for name in names], "next": left or None}, **more}


def _offered(facts, stored=None, typed=None):
    field = Field("owners", "Owners", "known", suggestions="users")
    (rendered,) = fields.render_fields(
        [field], stored, typed, offered=functools.partial(choices.choices, facts, lambda _: True)
    )
    return rendered


def test_a_short_list_has_a_box_for_each_value_and_a_long_one_suggestions():
    """Stored values are ticked in both; a refused form keeps what was typed."""
    stored = {"owners": [{"name": "ben"}]}
    short = _offered(_people("ana", "ben"), stored)
    assert ([value for value, _ in short.choices], short.ticked) == (["ana", "ben"], {"ben"})
    many_names = [f"u{number}" for number in range(choices.MAX_TICKED + 1)]
    for facts in (_people(*many_names), _people("ana", left="more"), _people(users=None)):
        long = _offered(facts, stored)
        assert ([value for value, _ in long.choices], long.offered.whole) == (["ben"], False)
    sent = fields.SubmittedForm(_form(**{"owners-ben": "1", "owners": "eve"}), "owners", "Who?")
    again = _offered(_people(*many_names), stored, sent)
    assert [value for value, _ in again.choices] == ["ben", "eve"]
    assert again.ticked == {"ben", "eve"}


def test_scopes_are_offered_once_with_their_risk_at_each_resource():
    """Two resources may have a scope with the same name."""
    items = [{"uri": "a", "scopes": {"read": "low"}}, {"uri": "b", "scopes": {"read": "high"}}]
    facts = {"resources": {"items": items, "next": None}}
    scopes = choices.choices(facts, lambda _: True, "scopes")
    assert scopes == choices.Choices((("read", "read: low at a, high at b"),), whole=True)


def test_a_new_agent_needs_four_fields_and_the_others_are_advanced():
    """A form with few members, such as that of a group, has no advanced fields."""
    new = form_at("/admin/new/agent/add").fields
    assert [field.name for field in new if not field.advanced] == [
        "name",
        "owners",
        "resources",
        "scopes",
    ]
    assert len(new) > 20
    assert not any(field.advanced for field in form_at("/admin/new/group/add").fields)


def test_each_kind_of_field_becomes_its_api_value():
    """A day becomes its start in UTC, and pairs are typed as a name and a value."""
    assert _read(Field("at", "", "day"), at="2027-01-31") == "2027-01-31T00:00:00Z"
    assert _read(Field("at", "", "day")) is None
    assert _read(Field("n", "", "number"), n="60") == 60
    assert _read(Field("n", "", "number", empty=1)) == 1
    assert (_read(Field("b", "", "box"), b="1"), _read(Field("b", "", "box"))) == (True, False)
    assert _read(Field("p", "", "picks"), **{"p-a": "1", "p-b": "1", "q-c": "1"}) == ["a", "b"]
    assert _read(Field("s", "", "pairs"), s="a low\r\nb high") == {"a": "low", "b": "high"}
    only = Field("o", "", "known", shape="lists")
    assert _read(only, **{"o": "u a b, v", "o-u c": "1", "o- ": "1"}) == {
        "u": ["c", "a", "b"],
        "v": [],
    }
    needs = Field("r", "", "known", shape="pairs")
    assert _read(needs, **{"r": "a t", "r-b u": "1"}) == {"b": "u", "a": "t"}
    assert _read(Field("j", "", "json"), j='{"a": 1}') == {"a": 1}
    assert _read(Field("f", "", "file"), f="a\r\nb") == "a\nb"


@pytest.mark.parametrize(
    ("kind", "typed", "says"),
    [
        ("number", "-1", "Enter a whole number."),
        ("number", "²", "Enter a whole number."),
        ("number", "9" * 13, "Enter a whole number."),
        ("day", "soon", "Enter a date such as 2027-01-31."),
        ("json", "{", "not JSON at line 1"),
        ("json", '{\n  "a": }', "not JSON at line 2, column 8"),
        ("json", '"\\ud800"', "lone surrogates"),
        ("json", "NaN", "NaN is not JSON"),
        ("json", "9" * 5_000, "the integer is beyond 9007199254740991"),
        ("json", "[" * 20_000, "nested"),
        ("pairs", "a", "Enter a and exactly one word after it."),
        ("pairs", "a low\na high", "a is listed twice."),
        ("known", "a low, a high", "Enter a and exactly one word after it."),
        ("text", None, "This field is required."),
        ("lines", None, "This field is required."),
    ],
)
def test_a_mistyped_value_is_explained_at_its_field(kind, typed, says):
    """The value is refused before anything is sent to the API."""
    field = Field("it", "", kind, required=True, shape="pairs" if kind == "known" else "")
    with pytest.raises(fields.InvalidField, match=re.escape(says)) as wrong:
        fields.body([field], _form(**({} if typed is None else {"it": typed})))
    assert wrong.value.member == "it"


STORED = {
    "name": "bot",
    "owners": [{"id": "1", "name": "ana"}, {"id": "2", "name": "ben"}],
    "keys": [{"kid": "k1", "kty": "EC"}],
    "asks": None,
    "end": "2027-01-31T00:00:00Z",
    "on": True,
    "scopes": {"a": "low"},
    "only": {"u": ["a", "b"], "v": []},
    "how": "ping",
}
EVERY = (
    Field("name", "Name"),
    Field("owners", "Owners", "lines"),
    Field("keep", "Keys", "picks", stored_name="keys"),
    Field("asks", "Asks", "lines", all_label="Everybody"),
    Field("end", "End", "day"),
    Field("on", "On", "box"),
    Field("scopes", "Scopes", "pairs"),
    Field("only", "Only", "known", shape="lists"),
    Field("how", "How", "choice", choices=(("poll", "asks"), ("ping", "is called"))),
    Field("jwks", "Keys to add", "json"),
)
UNCHANGED = {
    "name": "bot",
    "owners": "ana\r\nben",
    "keep-k1": "1",
    "every-asks": "1",
    "end": "2027-01-31",
    "on": "1",
    "scopes": "a low",
    "only-u a": "1",
    "only-u b": "1",
    "only-v": "1",
    "how": "ping",
}


def test_an_unchanged_form_changes_nothing():
    """Rendering a document and reading it again gives the same values."""
    values = {field.field.name: field.value for field in fields.render_fields(EVERY, STORED, None)}
    assert values == {
        "name": "bot",
        "owners": "ana\nben",
        "keep": "",
        "asks": "",
        "end": "2027-01-31",
        "on": "1",
        "scopes": "a low",
        "only": "",
        "how": "ping",
        "jwks": "",
    }
    assert fields.changed_values(EVERY, STORED, _form(**UNCHANGED)) == []
    assert fields.body(EVERY, _form(**UNCHANGED), STORED) == {}


def test_changes_are_listed_in_words():
    """Each change has the label of its field, the current value, and the new value."""
    typed = {**UNCHANGED, "name": "bot2", "asks": "eva", "how": "poll", "jwks": "{}"}
    for name in ("every-asks", "on", "keep-k1"):
        del typed[name]
    changes = fields.changed_values(EVERY, STORED, _form(**typed))
    assert [(change.label, change.old_value, change.new_value) for change in changes] == [
        ("Name", "bot", "bot2"),
        ("Keys", "k1", "none"),
        ("Asks", "Everybody", "eva"),
        ("On", "yes", "no"),
        ("How", "is called", "asks"),
        ("Keys to add", "none", "{}"),
    ]
    assert fields.body(EVERY, _form(**typed), STORED).keys() == (
        {"name", "keep", "asks", "on", "how", "jwks"}
    )


def test_a_refused_form_shows_what_was_typed():
    """The error is at its field, with the stored value if it differs."""
    typed = fields.SubmittedForm(_form(name="bot 2", how="poll", asks="x"), "name", "Not that.")
    rendered = {field.field.name: field for field in fields.render_fields(EVERY, STORED, typed)}
    assert (rendered["name"].value, rendered["name"].problem, rendered["name"].now) == (
        "bot 2",
        "Not that.",
        "bot",
    )
    assert (rendered["how"].value, rendered["how"].problem, rendered["how"].now) == (
        "poll",
        "",
        "is called",
    )
    assert rendered["asks"].now == "Everybody"


def test_a_new_objects_form_has_its_defaults():
    """The defaults include the user who fills in the form."""
    new = (Field("owners", "", "lines", defaults_to_user=True), Field("n", "", "number", default=3))
    assert [field.value for field in fields.render_fields(new, None, None, "ana")] == ["ana", "3"]


def test_a_refusal_has_the_labels_of_the_fields():
    """A name that is not a field of the form is not replaced."""
    both = (Field("auth", "Auth"), Field("author", "Author"))
    text = "`author` and `auth`, but no auth or `other`"
    assert fields.with_labels(text, both) == "“Author” and “Auth”, but no auth or `other`"


def test_removed_scopes_and_requirements_are_sent_explicitly():
    """The API removes only what a request names."""
    stored = {"scopes": {"a": "low", "b": "low", "c": "low"}, "requires": {"a": "t", "b": "t"}}
    assert client_fields.with_removals({}, stored) == {
        "remove_scopes": [],
        "requires": stored["requires"],
    }
    body = {"scopes": {"a": "high", "c": "low"}, "requires": {"c": "u"}}
    assert client_fields.with_removals(body, stored) == {
        "scopes": {"a": "high", "c": "low"},
        "remove_scopes": ["b"],
        "requires": {"a": "", "c": "u"},
    }


@pytest.mark.parametrize(
    ("added", "kids"),
    [
        (None, ["k1"]),
        ({"kid": "n"}, ["k1", "n"]),
        ({"keys": [{"kid": "n"}, {"kid": "m"}]}, ["k1", "n", "m"]),
    ],
)
def test_new_keys_are_added_to_kept_keys(added, kids):
    """New keys can be a single key or a key set."""
    stored = {"keys": [{"kid": "k1"}, {"kid": "k2"}]}
    merged = client_fields.merged_keys({"keep": ["k1"], "jwks": added}, stored)
    assert [key["kid"] for key in merged["jwks"]["keys"]] == kids


def test_an_invalid_key_set_is_left_to_the_api():
    """The invalid value is sent unchanged, and the API explains the error."""
    merged = client_fields.merged_keys({"keep": [], "jwks": {"keys": "x"}}, {"keys": []})
    assert merged == {"jwks": {"keys": "x"}}


def test_without_key_fields_the_keys_do_not_change():
    """Removing the last key is sent to the API, which refuses it."""
    assert client_fields.merged_keys({}, {"keys": [{"kid": "a"}]}) == {}
    last = client_fields.merged_keys({"keep": []}, {"keys": [{"kid": "a"}]})
    assert last == {"jwks": {"keys": []}}


@pytest.mark.parametrize(
    ("path", "typed", "says"),
    [
        ("/admin/agents/<id>/secret", {"overlap": "-1"}, "Enter a whole number"),
        ("/admin/explain", {"authorization_details": "{"}, "not JSON at line 1"),
        ("/admin/explain", {"authorization_details": "[" * 20_000}, "nested"),
    ],
)
def test_an_invalid_number_or_json_is_named(path, typed, says):
    """The value is refused before anything is sent to the API."""
    with pytest.raises(ValueError, match=says):
        _body(path, _form(**typed))


def test_a_typed_file_has_unix_line_endings():
    """Browsers send CRLF, which is converted."""
    typed = _form(document="a = 1\r\nb = 2", table="c = 3\r\n", days="30")
    assert _body("/admin/policy/set", typed) == {"document": "a = 1\nb = 2"}
    assert _body("/admin/policy/test", typed) == {"table": "c = 3\n", "policy": "a = 1\nb = 2"}
    assert _body("/admin/policy/dry-run", typed) == {"last": 30 * 86_400, "policy": "a = 1\nb = 2"}


def test_a_policy_case_has_exactly_the_filled_in_members():
    """Empty fields are omitted."""
    assert _body("/admin/explain", _form(agent="a")) == {
        "agent": "a",
        "flow": "request",
        "scope": [],
    }
    filled_form = _form(agent="a", user="eva", at="x", scope="a b", authorization_details="[]")
    assert _body("/admin/explain", filled_form) == {
        "agent": "a",
        "flow": "request",
        "scope": ["a", "b"],
        "user": "eva",
        "resource": "x",
        "authorization_details": [],
    }


def _body(path, form):
    """Return the body that the form at this path sends."""
    return form_at(path).request_body(form, None)
