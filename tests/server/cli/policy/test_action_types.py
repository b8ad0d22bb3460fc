"""`sayso actions`: add, show, update and delete action types."""

import json

from tests.support.builders.installation import PAYMENT


def test_an_action_type_is_shown_changed_and_deleted(admin_cli, tmp_path):
    """An action type that a scope requires cannot be deleted."""
    file = tmp_path / "payment.json"
    file.write_text(json.dumps(PAYMENT))
    assert admin_cli("actions", "add", str(file), "--json").document["version"] == 1
    assert '"headline"' in admin_cli("actions", "show", "payment.transfer").out
    file.write_text(json.dumps({**PAYMENT, "risk": "critical"}))
    document = admin_cli("actions", "update", str(file), "--json").document
    assert (document["version"], document["risk"]) == (2, "critical")
    require = ("resources", "update", "https://pay.example", "--requires")
    admin_cli(*require, "payments:transfer=payment.transfer")
    refused = admin_cli("actions", "delete", "payment.transfer", "--json")
    assert refused.error["code"] == "conflict"
    admin_cli(*require, "payments:transfer=")
    assert admin_cli("actions", "delete", "payment.transfer", "--json").document["deleted"] is True


def test_a_built_in_action_type_is_printed_and_registered_by_name(admin_cli):
    """A built-in type is registered by its name, without a file."""
    items = admin_cli("actions", "builtin", "--json").document["items"]
    assert {"type", "risk", "title", "headline"} == set(items[0])
    assert "sayso actions add --builtin" in admin_cli("actions", "builtin").out
    printed = admin_cli("actions", "builtin", "data.delete")
    assert (
        json.loads(printed.out) == admin_cli("actions", "builtin", "data.delete", "--json").document
    )
    added = admin_cli("actions", "add", "--builtin", "data.delete", "--json").document
    assert (added["type"], added["version"]) == ("data.delete", 1)
    stored = admin_cli("actions", "show", "data.delete", "--json").document
    assert stored["document"] == json.loads(printed.out)
    assert (
        admin_cli("actions", "update", "--builtin", "data.delete", "--json").document["version"]
        == 1
    )
    again = admin_cli("actions", "add", "--builtin", "data.delete", "--json")
    assert (again.code, again.error["code"]) == (6, "exists")


def test_an_action_type_shows_its_type_back_and_narrowing_rules(admin_cli, tmp_path):
    """The output has the rules as sentences, and the JSON has them as members."""
    admin_cli("actions", "add", "--builtin", "payment.transfer")
    out = admin_cli("actions", "show", "payment.transfer").out
    rule = "typed back: /amount; for a new target the last four characters of /account"
    assert f"{rule}\ncan be narrowed: /amount (lower)\n" in out
    assert "agent, permissions, hour; new values of /account; amounts of /amount\n" in out
    document = admin_cli("actions", "show", "payment.transfer", "--json").document
    assert document["type_back"] == {
        "fact": "/amount",
        "part": "whole",
        "new_target": {"fact": "/account", "part": "last_four"},
        "if_there": None,
    }
    assert (document["narrow"], document["target"]) == ({"/amount": "lower"}, "/account")
    admin_cli("actions", "add", "--builtin", "message.send")
    message = "typed back: /domains/0; if present /external_domains/0\n"
    assert message in admin_cli("actions", "show", "message.send").out
    admin_cli("actions", "add", "--builtin", "secret.rotate")
    assert (
        "typed back: /key\ncan be narrowed: none\n"
        in admin_cli("actions", "show", "secret.rotate").out
    )
    file = tmp_path / "plain.json"
    file.write_text(json.dumps({**PAYMENT, "type": "plain"}))
    assert admin_cli("actions", "add", str(file), "--json").document["type_back"] is None
    assert "typed back: nothing\n" in admin_cli("actions", "show", "plain").out


def test_an_action_type_comes_from_a_file_or_the_built_in_types(admin_cli, tmp_path):
    """Both, neither, or a type without a headline is refused with the remedy."""
    file = tmp_path / "payment.json"
    file.write_text(json.dumps(PAYMENT))
    for arguments in ((), (str(file), "--builtin", "payment.transfer")):
        assert "either FILE or --builtin" in admin_cli("actions", "add", *arguments).err
    assert (
        admin_cli("actions", "add", "--builtin", "payment", "--json").error["code"] == "not_found"
    )
    assert "without a headline" in admin_cli("actions", "add", "--builtin", "generic").err
    assert admin_cli("actions", "list", "--json").document["items"] == []


def test_an_action_type_without_a_headline_states_how_it_is_shown(admin_cli, tmp_path):
    """Such a type always has high risk, whatever its file says."""
    file = tmp_path / "bare.json"
    bare = {name: PAYMENT[name] for name in ("type", "title", "schema")}
    file.write_text(json.dumps({**bare, "risk": "low"}))
    expected_text = "It has no headline, so `generic` shows it, at high risk."
    assert expected_text in admin_cli("actions", "add", str(file)).out
    assert expected_text in admin_cli("actions", "show", "payment.transfer").out
    file.write_text(json.dumps({**bare, "title": "Move money"}))
    assert expected_text in admin_cli("actions", "update", str(file)).out
    assert admin_cli("actions", "list", "--json").document["items"][0]["risk"] == "high"


def test_a_preview_names_the_risk(admin_cli, tmp_path):
    """If every part of a request has the same risk, the approver sees no reason for it."""
    file = tmp_path / "payment.json"
    for risk in ("low", "critical"):
        file.write_text(json.dumps({**PAYMENT, "risk": risk}))
        headline = admin_cli("actions", "preview", str(file)).out.splitlines()[0]
        assert headline.endswith(f"({risk} risk)")
