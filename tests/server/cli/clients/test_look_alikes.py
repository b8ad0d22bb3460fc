"""Names that look like one that is there: the command line takes none of them."""
# ruff: noqa: RUF001  # these letters are what it is about

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
def two(begun):
    """An agent `invoice-bot`, an agent `other` and an app `chat`."""
    begun("agents", "add", "invoice-bot", "--owner", "admin")
    begun("agents", "add", "other", "--owner", "admin")
    assert begun("apps", "add", "chat", *BACK).code == 0
    return begun


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
def test_no_command_gives_a_name_that_looks_like_another(two, command):
    """Exit 6 says which one has it; a mixture of scripts is exit 2 and says what to do."""
    for name in ALIKE:
        done = two(*(part.format(name) for part in command), "--json")
        assert (done.code, done.error["code"]) == (6, "exists"), name
        assert "invoice-bot" in done.error["message"]
        assert "does not look like it" in done.error["message"]
    for name in MIXED:
        done = two(*(part.format(name) for part in command), "--json")
        assert (done.code, done.error["code"]) == (2, "invalid"), name
        assert "write it in one script" in done.error["message"]


def test_show_says_since_when_an_agent_has_its_name(two):
    """Where it is not the one that it was registered with."""
    assert "this name since" not in two("agents", "show", "other").out
    before = two("agents", "show", "other", "--json").document
    assert before["named_at"] == before["created_at"]
    two("agents", "update", "other", "--name", "another")
    after = two("agents", "show", "another", "--json").document
    assert after["named_at"] >= after["created_at"] == before["created_at"]
