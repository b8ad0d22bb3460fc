"""`sayso delegations` and `sayso token`, on an installation with a chain of tokens."""

import io
import time

import pytest

from server.services.users.users import NewUser
from tests.support.builders.installation import BY
from tests.support.builders.site import open_site
from tests.support.builders.token_chains import BANK, DESK, Chains


@pytest.fixture
def chains(admin_cli, data_folder):
    """A user, an app and two APIs on this test's installation."""
    assert admin_cli
    local = open_site(data_folder)
    local.clock.moment = int(time.time() * 1000)
    user, _ = local.admin.users.add(NewUser("ana"), by=BY)
    chains = Chains(local, user.id)
    chains.prepare()
    yield chains
    local.services.store.close()


@pytest.fixture
def bot(chains):
    """An agent that may read at the bank for Ana."""
    bot = chains.agent("desk-bot")
    chains.consent(bot, "bank:read")
    return bot


@pytest.fixture
def piped(monkeypatch):
    """A function that puts text on stdin."""

    def pipe(text):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    return pipe


def test_delegations_are_listed_shown_and_revoked(admin_cli, chains, bot):
    """Revoking a token also revokes the tokens that were derived from it."""
    own = chains.user_token()
    child = chains.row(chains.exchanged(bot, own))
    parent = chains.row(own)
    items = admin_cli("delegations", "list", "--json").document["items"]
    assert {item["id"] for item in items} == {parent.id, child.id}
    (item,) = admin_cli("delegations", "list", "--client", "desk-bot", "--json").document["items"]
    assert (item["client"]["name"], item["user"]["name"]) == ("desk-bot", "ana")
    assert (item["resource"], item["scope"], item["parent"]) == (BANK, ["bank:read"], parent.id)
    line = admin_cli("delegations", "list", "--user", "ana", "--resource", BANK).out
    assert "desk-bot" in line
    assert "live" in line

    details = admin_cli("delegations", "show", parent.id, "--json").document
    assert [after["id"] for after in details["after"]] == [child.id]
    assert details["last_used_at"] is not None
    assert "Tokens derived from it:" in admin_cli("delegations", "show", parent.id).out
    assert "Derived from:" in admin_cli("delegations", "show", child.id).out

    revoked = admin_cli("delegations", "revoke", parent.id, "--json").document
    assert (revoked["state"], revoked["tokens_revoked"]) == ("revoked", 2)
    assert "Tokens revoked: 0." in admin_cli("delegations", "revoke", parent.id).out
    assert admin_cli("delegations", "list", "--json").document == {"items": []}
    assert len(admin_cli("delegations", "list", "--ended", "--json").document["items"]) == 2
    assert admin_cli("delegations", "show", "sayso_at_none").code == 3


def test_a_delegation_chain_is_shown_with_its_actors(admin_cli, chains, bot):
    """The output names the client and the agent on whose behalf it acts."""
    helper = chains.agent("helper")
    chains.consent(bot, "desk:use", resource=DESK)
    first = chains.exchanged(bot, chains.user_token(), resource=DESK, scope="desk:use")
    delegation = chains.row(chains.exchanged(helper, first))
    assert "helper, for desk-bot" in admin_cli("delegations", "list", "--client", "helper").out
    details = admin_cli("delegations", "show", delegation.id, "--json").document
    assert [actor["name"] for actor in details["actors"]] == ["helper", "desk-bot"]
    assert "through    desk-bot" in admin_cli("delegations", "show", delegation.id).out


def test_delegations_of_an_agent_itself_and_of_a_deleted_user(admin_cli, chains, bot):
    """The list says "itself" or "nobody" instead of a user's name."""
    chains.user_token(user_id=None, client_id=bot.id)
    chains.user_token(user_id="sayso_us_gone")
    lines = admin_cli("delegations", "list").out
    assert "itself" in lines
    assert "nobody" in lines


def test_a_token_is_read_from_stdin_or_a_file_and_never_from_an_argument(
    admin_cli, chains, piped, tmp_path
):
    """Other users of the machine can see arguments, so a token there is a usage error."""
    token = chains.user_token()
    piped(token)
    inspection = admin_cli("token", "inspect", "--json").document
    assert (inspection["active"], inspection["problems"], inspection["claims"]["aud"]) == (
        True,
        [],
        DESK,
    )
    assert inspection["delegation"]["client"]["name"] == "chat"
    file = tmp_path / "token"
    file.write_text(token + "\n")
    assert "The token is valid." in admin_cli("token", "inspect", str(file)).out
    assert admin_cli("token", "inspect", token).code == 2

    assert admin_cli("token", "revoke", str(file), "--json").document["tokens_revoked"] == 1
    assert "Tokens revoked: 0." in admin_cli("token", "revoke", str(file)).out
    assert "is not valid: it was revoked" in admin_cli("token", "inspect", str(file)).out
    piped("x.y.z")
    assert admin_cli("token", "inspect", "-").code == 2


def test_an_unknown_token_cannot_be_revoked(admin_cli, chains, piped):
    """The token has a valid signature of the server, but was never issued."""
    row = chains.row(chains.user_token())
    piped(chains.sign(row, {"jti": "sayso_at_unknown"}))
    assert admin_cli("token", "revoke").code == 3
    piped(chains.sign(row, {"jti": "sayso_at_unknown"}))
    inspection = admin_cli("token", "inspect", "--json").document
    assert (inspection["active"], inspection["delegation"]) == (False, None)


def test_explain_describes_a_refused_exchange(admin_cli, chains, bot):
    """The output has the failed step, the remedy, the chain, the limits, and today's outcome."""
    assert admin_cli("token", "explain").code == 3
    token = chains.user_token()
    chains.exchange(bot, token, scope="bank:write")
    text = admin_cli("token", "explain").out
    assert "13 of 14: the person consented" in text
    assert "consent_missing" in text
    assert "would be refused: consent_missing" in text
    assert "Token chain, newest first:" in text
    assert "ALLOWED SCOPES" in text
    entry = chains.local.admin.entries("exchange.refused")[0]
    document = admin_cli("token", "explain", entry["id"], "--json").document
    assert (document["step"], document["reason"]) == (13, "consent_missing")
    assert document["now"] == {"replayed": True, "passes": False, "reason": "consent_missing"}
    chains.consent(bot, "bank:write", "bank:read")
    chains.local.clock.forward(1)
    with chains.local.services.store.write() as tx:
        assert tx.now
    chains.exchange(bot, token, scope=None)
    assert "cannot be replayed" in admin_cli("token", "explain").out
    refused = admin_cli("token", "explain", token)
    assert refused.code == 2
    assert "Never pass a token as an argument" in refused.err
    assert token not in refused.err


def test_explain_states_that_a_refused_exchange_would_pass_now(admin_cli, chains, bot):
    """The output says so, because the remedy was applied after the refusal."""
    admin_cli("agents", "update", "desk-bot", "--no-serves")
    chains.exchange(bot, chains.user_token())
    assert f"--serves {DESK}" in admin_cli("token", "explain").out
    admin_cli("agents", "update", "desk-bot", "--serves", DESK)
    assert "would pass" in admin_cli("token", "explain").out
    assert admin_cli("token", "explain", "--json").document["now"]["passes"] is True
