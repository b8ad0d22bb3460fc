"""Reading the gateway's file, with errors that name the table, the member and the remedy."""

from pathlib import Path

import pytest

from sayso.gateway import config
from sayso.gateway.__main__ import main
from sayso.gateway.config import BadFile, Exchange, Header
from sayso.gateway.tools import Risk

GOOD = """
issuer = "https://sayso.example"
resource = "https://gate.example/mcp"
credentials_env = "GATEWAY"
agent_env = "AGENT"
instructions = "abc"

[upstream]
header = "Authorization"
value_env = "UPSTREAM"

[methods]
"resources/" = "notes:read"

[tools."notes/read"]
scope = "notes:read"
risk = "low"
digest = "d1"

[tools.pay]
scope = "notes:pay"
risk = "high"
digest = "d2"
action = "payment.transfer"
members = { to = "payee" }
"""
ENVIRONMENT = {"GATEWAY": "rs:secret:with", "AGENT": "ag:other", "UPSTREAM": "Bearer abc"}
EXCHANGE = 'exchange = "https://up.example"'


def test_a_file_is_read_with_the_secrets_that_it_names() -> None:
    """Secrets come from environment variables, and a secret may contain a colon."""
    loaded = config.read(GOOD, ENVIRONMENT)
    assert (loaded.credentials, loaded.agent) == (("rs", "secret:with"), ("ag", "other"))
    assert loaded.upstream == Header("Authorization", "Bearer abc")
    assert (loaded.timeout, loaded.wait, loaded.max_bytes) == (60, 50, 4 * 1024 * 1024)
    assert loaded.tools.methods == {"resources/": "notes:read"}
    assert loaded.tools.tools["notes/read"].risk is Risk.LOW
    pay = loaded.tools.tools["pay"]
    assert (pay.scope, pay.action, pay.members) == (
        "notes:pay",
        "payment.transfer",
        {"to": "payee"},
    )


def test_an_agent_that_serves_the_resource_needs_no_other_credential() -> None:
    """The agent's credential is used to request approvals and to consume them."""
    text = GOOD.replace('agent_env = "AGENT"', "")
    loaded = config.read(text, {**ENVIRONMENT, "GATEWAY": "sayso_ag_1:secret"})
    assert loaded.credentials == loaded.agent == ("sayso_ag_1", "secret")


def test_a_token_can_be_exchanged_for_the_upstream_server() -> None:
    """With `exchange`, no header is needed."""
    header = 'header = "Authorization"\nvalue_env = "UPSTREAM"'
    text = GOOD.replace(header, f'{EXCHANGE}\nscope = "up:read"')
    assert config.read(text, ENVIRONMENT).upstream == Exchange("https://up.example", "up:read")


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ('issuer = "https://sayso.example"', "", r"^issuer: is missing.*sayso serve"),
        ('"https://gate.example/mcp"', "7", r"^resource: .*sayso resources add"),
        ("sayso.example", "sayso.example:99999", r"^issuer: .*Port out of range.*sayso serve"),
        ("gate.example", "[::1", r"^resource: .*IPv6.*sayso resources add"),
        ('"https://gate.example/mcp"', '"gate"', r"^resource: 'gate' is not a URL.*sayso res"),
        ('risk = "low"', "", r"^\[tools.notes/read\] risk: is missing.*low, medium or high"),
        ('risk = "low"', 'risk = "none"', r"^\[tools.notes/read\] risk: 'none' is unknown"),
        ('digest = "d2"', "", r"^\[tools.pay\] digest: .*sayso gateway init"),
        ('action = "payment.transfer"', 'action = ""', r"^\[tools.pay\] action: .*action type"),
        ('"payee"', '"type"', r"^\[tools.pay.members\].*none to type"),
        ('to = "payee"', 'to = "a", by = "a"', r"^\[tools.pay.members\].*a different member"),
        ('"payee"', "1", r"^\[tools.pay.members\] to: .*member of the action type"),
        ('scope = "notes:pay"', 'scop = ""', r"^\[tools.pay\] scop: is unknown\. Remove it"),
        ("[methods]", "[method]", r"^method: is unknown"),
        ('"notes:read"\n\n', "1\n\n", r"^\[methods\] resources/: "),
        ("[upstream]", "timeout = 0\n[upstream]", r"^timeout: must be a number above 0"),
        ("[upstream]", "wait = true\n[upstream]", r"^wait: must be a number"),
        ('"Authorization"', '"A:\\n"', r"^\[upstream\] header: .*not a valid header name"),
        ("value_env", EXCHANGE + "\nvalue_env", r"^\[upstream\] header: is unknown"),
        ('value_env = "UPSTREAM"', 'value_env = "X"', r"\[upstream\] value_env: .*X is not set"),
        (
            'value_env = "UPSTREAM"',
            'value_env = "UPSTREAMS"',
            r"UPSTREAM is set. Is it misspelled\?",
        ),
        (
            'agent_env = "AGENT"',
            "",
            r"^credentials_env: is not the cred.*pay is high.*--serves https:",
        ),
        ('"GATEWAY"', '"UPSTREAM"', r"^credentials_env: the variable must be ID:SECRET"),
        ("[tools.pay]", "[tools", r"^TOML: .*Correct that line"),
        ('[tools."notes/read"]', "[[tools]]", r"^TOML|^tools: must be a table"),
    ],
)
def test_an_error_names_table_member_and_remedy(old: str, new: str, error: str) -> None:
    """The file is rejected with the position of the error and what to do."""
    assert old in GOOD
    with pytest.raises(BadFile, match=error):
        config.read(GOOD.replace(old, new, 1), ENVIRONMENT)


def test_a_header_value_with_a_line_break_is_refused() -> None:
    """The second line would be sent as a second header."""
    with pytest.raises(BadFile, match=r"value_env: .*one line"):
        config.read(GOOD, {**ENVIRONMENT, "UPSTREAM": "a\r\nb"})


def test_a_missing_file_is_named_with_its_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The gateway exits with 2 and says which command writes the file."""
    missing = tmp_path / "gateway.toml"
    with pytest.raises(SystemExit) as exit_info:
        main(["--upstream", "http://localhost:1/mcp", "--config", str(missing)])
    assert exit_info.value.code == 2
    error = capsys.readouterr().err
    assert error == f"Error: {missing}: no such file. Write it with `sayso gateway init`.\n"
