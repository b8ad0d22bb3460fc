"""An agent's icon and its authentication method on the command line."""

import json

import pytest

from tests.support.inputs.agent_icons import png
from tests.support.inputs.handmade_jwts import new_key

ADD = ("agents", "add", "bot", "--owner", "admin")


def test_adding_an_agent_without_scopes_prints_what_it_may_do(admin_cli):
    """Without scopes it can ask who a user is; a gateway needs only its resource."""
    first = admin_cli(*ADD).out
    assert "--data-urlencode scope=openid --data-urlencode login_hint=admin" in first
    assert "It has no permissions yet." in first
    assert "sayso resources add URI --scope NAME" in first
    assert "sayso agents update bot --resource URI --scope NAME" in first
    serves = ("--resource", "https://pay.example", "--serves", "https://pay.example")
    gateway_output = admin_cli("agents", "add", "gateway", "--owner", "admin", *serves).out
    assert "It can request actions, but has no scopes yet." in gateway_output
    assert (
        "sayso agents update gateway --resource https://pay.example --scope NAME" in gateway_output
    )


def test_new_scopes_are_followed_by_the_commands_that_use_them(admin_cli):
    """The secret is not shown again, and an unrelated change prints no commands."""
    admin_cli(*ADD)
    admin_cli("resources", "add", "https://new.example", "--scope", "pay=low")
    permissions = ("--resource", "https://new.example", "--scope", "pay")
    out = admin_cli("agents", "update", "bot", *permissions).out
    assert "--data-urlencode 'scope=openid pay'" in out
    assert "SECRET=" not in out
    assert "curl" not in admin_cli("agents", "update", "bot", "--description", "Pays.").out


@pytest.fixture
def picture(tmp_path):
    """The path of a file with an icon."""
    path = tmp_path / "icon.png"
    path.write_bytes(png())
    return str(path)


def test_an_agents_icon_is_set_kept_and_removed(admin_cli, picture):
    """The output has the icon's path, and an unrelated change keeps the icon."""
    added = admin_cli(*ADD, "--icon", picture, "--json").document
    assert added["icon"].startswith("/icons/")
    unrelated_update = admin_cli(
        "agents", "update", "bot", "--description", "Pays.", "--json"
    ).document
    assert unrelated_update["icon"] == added["icon"]
    assert admin_cli("agents", "update", "bot", "--no-icon", "--json").document["icon"] is None
    assert admin_cli("agents", "update", "bot", "--no-icon", "--icon", picture).code == 2


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"<svg/>", "is neither PNG nor WebP"),
        (png(20, 30), "is 20 by 30 pixels"),
        (png() + bytes(64 * 1024), "is larger than 32 kB"),
    ],
    ids=["svg", "not square", "too large"],
)
def test_an_invalid_icon_file_is_refused_with_the_remedy(admin_cli, tmp_path, raw, message):
    """The agent is not registered."""
    path = tmp_path / "icon"
    path.write_bytes(raw)
    refused = admin_cli(*ADD, "--icon", str(path), "--json")
    assert (refused.code, message in refused.error["message"]) == (2, True)
    assert refused.error["message"].startswith("--icon: The icon is ")
    assert "Use a still, square PNG or WebP" in refused.error["message"]
    assert admin_cli("agents", "show", "bot").code == 3


def test_changing_an_agents_authentication_method(admin_cli, tmp_path):
    """Missing keys are named, the overlap is shown, and a new secret is printed once."""
    admin_cli(*ADD)
    lacking = admin_cli("agents", "change-auth", "bot", "private_key_jwt", "--json")
    assert (lacking.code, "Add its public keys in --jwks." in lacking.error["message"]) == (2, True)
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"keys": [new_key("ES256", "a").jwk]}))
    changed = admin_cli(
        "agents", "change-auth", "bot", "private_key_jwt", "--jwks", str(keys), "--json"
    )
    assert changed.document["auth_method"] == "private_key_jwt"
    assert changed.document["auth_before"] == "client_secret_basic"
    assert "client_secret" not in changed.document
    output = admin_cli("agents", "show", "bot").out
    assert "client_secret_basic, until" in output
    assert "key a  ES256, last used never" in output
    back = admin_cli(
        "agents", "change-auth", "bot", "client_secret_post", "--overlap", "0", "--json"
    )
    assert back.document["client_secret"]
    assert back.document["auth_before"] is None
    assert admin_cli("agents", "change-auth", "bot", "client_secret_post").code == 6
