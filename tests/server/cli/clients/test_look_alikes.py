"""The command line refuses names that look like an existing one."""
# ruff: noqa: RUF001  # the test is about these letters

import pytest

ALIKE = [
    "lnvoice-bot",
    "1nvoice-bot",
    "Invoice-Bot",
    "invoice_bot",
    "invoice bot",
    "invoicebot",
    "invoice.bot",
    "inv0ice-bot",
    "INVOlCE-BOT",
]
MIXED = ["invօice-bot", "іnvoice-bot"]
BACK = ("--redirect-uri", "https://chat.example/cb")


@pytest.fixture
def look_alikes(admin_cli):
    """An agent `invoice-bot`, an agent `other` and an app `chat`."""
    admin_cli("agents", "add", "invoice-bot", "--owner", "admin")
    admin_cli("agents", "add", "other", "--owner", "admin")
    assert admin_cli("apps", "add", "chat", *BACK).code == 0
    return admin_cli


@pytest.mark.parametrize(
    "command",
    [
        ("agents", "add", "{}", "--owner", "admin"),
        ("agents", "update", "other", "--name", "{}"),
        ("apps", "add", "{}", *BACK),
        ("apps", "update", "chat", "--name", "{}"),
        ("users", "add", "{}"),
    ],
    ids=" ".join,
)
def test_no_command_accepts_a_name_that_looks_like_another(look_alikes, command):
    """Exit 6 names the existing one; a name of mixed scripts exits with 2 and the remedy."""
    for name in ALIKE:
        result = look_alikes(*(part.format(name) for part in command), "--json")
        assert (result.code, result.error["code"]) == (6, "exists"), name
        assert "invoice-bot" in result.error["message"]
        assert "cannot be confused with it" in result.error["message"]
    for name in MIXED:
        result = look_alikes(*(part.format(name) for part in command), "--json")
        assert (result.code, result.error["code"]) == (2, "invalid"), name
        assert "use one script" in result.error["message"]


def test_show_states_since_when_an_agent_has_its_name(look_alikes):
    """The line appears only if the agent was renamed."""
    assert "this name since" not in look_alikes("agents", "show", "other").out
    before = look_alikes("agents", "show", "other", "--json").document
    assert before["named_at"] == before["created_at"]
    look_alikes("agents", "update", "other", "--name", "another")
    after = look_alikes("agents", "show", "another", "--json").document
    assert after["named_at"] >= after["created_at"] == before["created_at"]
