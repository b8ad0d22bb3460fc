"""An agent's picture and its way to prove itself, from the command line."""

import json

import pytest

from tests.support.inputs.agent_icons import png
from tests.support.inputs.handmade_jwts import new_key

ADD = ("agents", "add", "bot", "--owner", "admin")


@pytest.fixture
def picture(tmp_path):
    """A file with an icon."""
    path = tmp_path / "icon.png"
    path.write_bytes(png())
    return str(path)


def test_an_agent_gets_a_picture_and_loses_it(begun, picture):
    """Where it lies is said; another change leaves it."""
    added = begun(*ADD, "--icon", picture, "--json").document
    assert added["icon"].startswith("/icons/")
    kept = begun("agents", "update", "bot", "--description", "Pays.", "--json").document
    assert kept["icon"] == added["icon"]
    assert begun("agents", "update", "bot", "--no-icon", "--json").document["icon"] is None
    assert begun("agents", "update", "bot", "--no-icon", "--icon", picture).code == 2


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"<svg/>", "is neither PNG nor WebP"),
        (png(20, 30), "is 20 by 30 pixels"),
        (png() + bytes(64 * 1024), "is larger than 32 kB"),
    ],
    ids=["a program", "a strip", "a giant"],
)
def test_a_file_that_is_no_icon_is_refused_with_the_remedy(begun, tmp_path, raw, says):
    """And nobody is registered."""
    path = tmp_path / "icon"
    path.write_bytes(raw)
    refused = begun(*ADD, "--icon", str(path), "--json")
    assert (refused.code, says in refused.error["message"]) == (2, True)
    assert "--icon FILE" in refused.error["message"]
    assert begun("agents", "show", "bot").code == 3


def test_an_agent_proves_itself_in_another_way(begun, tmp_path):
    """What it needs is named, what counts meanwhile is said, and a secret is told once."""
    begun(*ADD)
    lacking = begun("agents", "change-auth", "bot", "private_key_jwt", "--json")
    assert (lacking.code, "--jwks FILE" in lacking.error["message"]) == (2, True)
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"keys": [new_key("ES256", "a").jwk]}))
    changed = begun(
        "agents", "change-auth", "bot", "private_key_jwt", "--jwks", str(keys), "--json"
    )
    assert changed.document["auth_method"] == "private_key_jwt"
    assert changed.document["auth_before"] == "client_secret_basic"
    assert "client_secret" not in changed.document
    shown = begun("agents", "show", "bot").out
    assert "client_secret_basic, until" in shown
    assert "key a  ES256, last used never" in shown
    back = begun("agents", "change-auth", "bot", "client_secret_post", "--overlap", "0", "--json")
    assert back.document["client_secret"]
    assert back.document["auth_before"] is None
    assert begun("agents", "change-auth", "bot", "client_secret_post").code == 6
