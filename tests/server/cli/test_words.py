"""What a person reads: the next command, safe text, and nothing that was not asked for."""

import json
import re
import shlex
import stat

import pytest

from server.protocol.names import GRANT_TOKEN_EXCHANGE
from server.protocol.tokens.token_exchange import ACCESS_TOKEN
from tests.support.builders.installation import PAYMENT

AGENT = ("agents", "add", "invoice-bot", "--owner", "admin")
CEILING = ("--resource", "https://pay.example", "--scope", "payments:read")
BOTH = (*CEILING, "--scope", "payments:transfer")


def test_a_new_agent_comes_with_two_curl_lines_and_its_secret_once(begun):
    """They can be pasted: the secret is a variable that the first line sets."""
    out = begun(*AGENT, *CEILING).out
    secret = next(line.split("=", 1)[1] for line in out.splitlines() if "SECRET=" in line)
    assert out.count(secret) == 1
    ask, fetch = (shlex.split(line) for line in out.splitlines() if line.startswith("  curl "))
    assert ask[-1] == "http://localhost:8470/bc-authorize"
    assert "login_hint=admin" in ask
    assert "scope=openid payments:read" in ask
    assert fetch[-1] == "http://localhost:8470/token"
    assert "Prefer: wait=50" in fetch


@pytest.mark.parametrize(
    ("arguments", "following"),
    [
        (("users", "add", "ana"), "sayso-approver login http://localhost:8470 --code "),
        (("users", "enrol", "admin"), "sayso-approver login http://localhost:8470 --code "),
        (("resources", "add", "https://x.example"), "sayso resources update https://x.example"),
        (("resources", "add", "https://x.example", "--scope", "a"), "sayso agents add NAME"),
        (AGENT, "sayso agents update invoice-bot --resource URI --scope NAME"),
        (("keys", "rotate"), "sayso keys list"),
    ],
)
def test_whatever_is_made_names_the_command_that_uses_it(begun, arguments, following):
    """Nobody has to look up what to do next."""
    assert following in begun(*arguments).out


def test_init_names_the_server_and_the_login(sayso):
    """The first two commands of a new installation."""
    out = sayso("init").out
    assert "sayso serve" in out
    assert "sayso-approver login http://localhost:8470 --code " in out


def test_text_of_others_reaches_no_terminal_raw(begun):
    """A reason, a description and an argument are shown, escaped where they must be."""
    for arguments in (("users", "show", "\x1b]52;c;AAAA\x07"), ("agents", "show", "\u202eevil")):
        done = begun(*arguments)
        assert done.code == 3
        assert "\x1b" not in done.err
        assert "\u202e" not in done.err
        assert "\\u{" in done.err


def test_config_shows_each_value_with_its_source_and_hides_passwords(begun, monkeypatch):
    """An operator sees why a value is as it is, and may paste the answer into a chat."""
    monkeypatch.setenv("SAYSO_DATABASE_URL", "postgresql://sayso:hunter2@db/sayso?password=hunter3")
    monkeypatch.setenv("SAYSO_OPEN_PER_AGENT", "3")
    document = begun("config", "show", "--json").document
    items = {item["name"]: item for item in document["items"]}
    assert items["SAYSO_OPEN_PER_AGENT"] == {
        "name": "SAYSO_OPEN_PER_AGENT",
        "value": "3",
        "source": "environment",
    }
    assert items["SAYSO_LOG_LEVEL"]["source"] == "default"
    assert items["SAYSO_DATABASE_URL"]["value"] == "postgresql://sayso:***@db/sayso?password=***"
    assert "hunter" not in begun("config", "show").out


def test_a_flag_wins_over_the_environment(begun, tmp_path):
    """--data-dir names another installation, where there is nobody yet."""
    other = str(tmp_path / "other")
    assert begun("--data-dir", other, "users", "list", "--json").document == {"items": []}


def test_a_backup_is_a_private_copy_and_overwrites_nothing(begun, tmp_path, monkeypatch):
    """It says which files it does not hold; a database that is away is exit 7."""
    target = tmp_path / "copy.sayso"
    done = begun("db", "backup", str(target))
    assert "master.key" in done.out
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert begun("db", "backup", str(target), "--json").error["code"] == "exists"
    monkeypatch.setenv("SAYSO_DATABASE_URL", "postgresql://localhost:1/sayso")
    refused = begun("db", "backup", str(tmp_path / "other.sayso"), "--json")
    assert (refused.code, refused.error["code"]) == (7, "unreachable")
    assert [path.name for path in tmp_path.iterdir() if "other" in path.name] == []


def test_a_backup_of_nothing_is_not_found(sayso, tmp_path):
    """A wrong data folder does not give an empty copy that looks like one."""
    assert sayso("db", "backup", str(tmp_path / "copy.db")).code == 3
    assert not (tmp_path / "copy.db").exists()


def test_upgrade_says_from_where_to_where(sayso):
    """Nothing was there; then it is up to date."""
    assert sayso("db", "upgrade", "--json").document["was"] is None
    again = sayso("db", "upgrade", "--json").document
    assert (again["was"], again["changed"]) == (again["schema"], False)


def test_the_log_is_told_oldest_first_and_as_a_stream_of_documents(begun):
    """One line per entry; --json is one document, --jsonl is one per line."""
    lines = begun("audit", "tail", "-n", "2").out.splitlines()
    assert [line.split()[1] for line in lines] == ["code.issued", "resource.added"]
    document = begun("audit", "tail", "-n", "1", "--json").document
    assert document["items"][0]["type"] == "resource.added"
    assert document["items"][0]["at"].endswith("Z")
    assert len(begun("audit", "tail", "--jsonl").out.splitlines()) > 2


def test_the_unit_runs_the_server_as_its_own_user_in_its_own_folder(sayso):
    """An agent that runs as somebody else cannot become the administrator."""
    unit = sayso("serve", "--systemd-unit").out
    for line in (
        "User=sayso",
        "StateDirectory=sayso",
        "StateDirectoryMode=0700",
        "Environment=SAYSO_DATA_DIR=/var/lib/sayso",
        "ProtectSystem=strict",
        "NoNewPrivileges=yes",
    ):
        assert line in unit.splitlines()


def test_the_unit_is_installed_from_the_source_and_from_no_name_that_others_may_take(sayso):
    """Whoever registers a name that root installs is root; nothing of ours is published."""
    unit = sayso("serve", "--systemd-unit").out
    assert re.findall(r"\binstall (.+)", unit) == ["."]


@pytest.mark.parametrize(
    "flags",
    [("--workers", "2"), ("--host", "0.0.0.0")],  # noqa: S104  # that is what is refused
)
def test_a_shape_that_cannot_be_served_is_refused_with_the_remedy(sayso, flags):
    """Two workers on SQLite; other machines with an issuer that is this one."""
    done = sayso("serve", *flags)
    assert done.code == 2
    assert "SAYSO_" in done.err


def test_an_agent_that_serves_is_shown_how_it_exchanges(begun):
    """The line names the token that it needs, and what it may have."""
    serving = ("--serves", "https://pay.example")
    lines = begun(*AGENT, *CEILING, *serving).out
    assert "Exchange a person's token that arrives at https://pay.example:" in lines
    assert "Ask a person" in lines
    (line,) = [line for line in lines.splitlines() if "subject_token=" in line]
    words = shlex.split(line)
    assert "subject_token=$TOKEN" in words
    assert f"grant_type={GRANT_TOKEN_EXCHANGE}" in words
    assert {"resource=https://pay.example", f"subject_token_type={ACCESS_TOKEN}"} <= set(words)


def test_a_scope_that_needs_details_is_asked_for_with_them(begun, tmp_path):
    """As printed, the request would be refused; it names the type and where its members are."""
    (tmp_path / "action.json").write_text(json.dumps(PAYMENT))
    begun("actions", "add", str(tmp_path / "action.json"))
    needing = ("resources", "update", "https://pay.example", "--requires")
    begun(*needing, "payments:transfer=payment.transfer")
    assert "authorization_details" not in begun(*AGENT, *BOTH).out
    begun(*needing, "payments:read=payment.transfer")
    out = begun("agents", "rotate-secret", "invoice-bot").out
    (line,) = [line for line in out.splitlines() if "bc-authorize" in line]
    assert 'authorization_details=[{"type":"payment.transfer", …}]' in shlex.split(line)
    assert "sayso actions show payment.transfer" in out


def test_an_agent_that_only_exchanges_is_shown_no_other_way(begun):
    """What it is told works: no request for itself, which it may not make."""
    lines = begun(*AGENT, *CEILING, "--grant", "token_exchange").out
    assert "a person's token that names it in may_act:" in lines
    assert "client_credentials" not in lines
    assert "bc-authorize" not in lines
