"""Output for users: the next command, escaped text, and no secrets."""

import json
import re
import shlex
import stat

import pytest

from server.protocol.names import GRANT_TOKEN_EXCHANGE
from server.protocol.tokens.token_exchange import ACCESS_TOKEN
from tests.support.builders.installation import PAYMENT
from tests.support.inputs.handmade_jwts import new_key
from tests.support.servers.ports import free_port

AGENT = ("agents", "add", "invoice-bot", "--owner", "admin")
CEILING = ("--resource", "https://pay.example", "--scope", "payments:read")
BOTH = (*CEILING, "--scope", "payments:transfer")


def test_a_new_agent_gets_two_curl_commands_and_its_secret_once(admin_cli):
    """The commands can be pasted, because the first line sets the secret as a variable."""
    out = admin_cli(*AGENT, *CEILING).out
    secret = next(line.split("=", 1)[1] for line in out.splitlines() if "SECRET=" in line)
    assert out.count(secret) == 1
    request_call, token_call = (
        shlex.split(line) for line in out.splitlines() if line.startswith("  curl ")
    )
    assert request_call[-1] == "http://localhost:8470/bc-authorize"
    assert "login_hint=admin" in request_call
    assert "scope=openid payments:read" in request_call
    assert token_call[-1] == "http://localhost:8470/token"
    assert "Prefer: wait=50" in token_call


@pytest.mark.parametrize(
    ("arguments", "following"),
    [
        (("users", "add", "ana"), "sayso-approver login http://localhost:8470 --code "),
        (("users", "enroll", "admin"), "sayso-approver login http://localhost:8470 --code "),
        (("resources", "add", "https://x.example"), "sayso resources update https://x.example"),
        (("resources", "add", "https://x.example", "--scope", "a"), "sayso agents add NAME"),
        (AGENT, "sayso agents update invoice-bot --resource URI --scope NAME"),
        (("keys", "rotate"), "sayso keys list"),
    ],
)
def test_each_creating_command_names_the_next_command(admin_cli, arguments, following):
    """The user does not have to look up the next step."""
    assert following in admin_cli(*arguments).out


def test_init_names_the_serve_and_login_commands(sayso):
    """These are the first two commands of a new installation."""
    out = sayso("init").out
    assert "sayso serve" in out
    assert "sayso-approver login http://localhost:8470 --code " in out


def test_text_from_others_is_escaped_on_the_terminal(admin_cli):
    """Errors repeat arguments, so control characters in them are escaped."""
    for arguments in (("users", "show", "\x1b]52;c;AAAA\x07"), ("agents", "show", "\u202eevil")):
        result = admin_cli(*arguments)
        assert result.code == 3
        assert "\x1b" not in result.err
        assert "\u202e" not in result.err
        assert "\\u{" in result.err


def test_config_shows_each_value_with_its_source_and_hides_passwords(admin_cli, monkeypatch):
    """The output contains no secrets, so it can be pasted into a chat."""
    monkeypatch.setenv("SAYSO_DATABASE_URL", "postgresql://sayso:hunter2@db/sayso?password=hunter3")
    monkeypatch.setenv("SAYSO_OPEN_PER_AGENT", "3")
    document = admin_cli("config", "show", "--json").document
    items = {item["name"]: item for item in document["items"]}
    assert items["SAYSO_OPEN_PER_AGENT"] == {
        "name": "SAYSO_OPEN_PER_AGENT",
        "value": "3",
        "source": "environment",
    }
    assert items["SAYSO_LOG_LEVEL"]["source"] == "default"
    assert items["SAYSO_DATABASE_URL"]["value"] == "postgresql://sayso:***@db/sayso?password=***"
    assert "hunter" not in admin_cli("config", "show").out


def test_a_flag_overrides_the_environment(admin_cli, tmp_path):
    """`--data-dir` selects a different installation."""
    other = str(tmp_path / "other")
    assert admin_cli("--data-dir", other, "init", "--admin", "dora").code == 0
    users = admin_cli("--data-dir", other, "users", "list", "--json").document["items"]
    assert [user["user"] for user in users] == ["dora"]


@pytest.mark.parametrize(
    "command", [("users", "list"), ("users", "add", "dora"), ("db", "upgrade"), ("audit", "tail")]
)
def test_a_wrong_folder_is_an_error_and_stays_missing(sayso, data_folder, command):
    """A new installation there would hide the typing error."""
    refused = sayso(*command, "--json")
    assert (refused.code, refused.error["code"]) == (3, "not_found")
    assert f"There is no database at {data_folder / 'sayso.db'}." in refused.error["message"]
    assert "--data-dir" in refused.error["message"]
    assert not data_folder.exists()


def test_a_backup_is_private_and_overwrites_nothing(admin_cli, tmp_path, monkeypatch):
    """The output lists the files that are missing; an unreachable database exits with 7."""
    target = tmp_path / "copy.sayso"
    result = admin_cli("db", "backup", str(target))
    assert "master.key" in result.out
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert admin_cli("db", "backup", str(target), "--json").error["code"] == "exists"
    monkeypatch.setenv("SAYSO_DATABASE_URL", "postgresql://localhost:1/sayso")
    refused = admin_cli("db", "backup", str(tmp_path / "other.sayso"), "--json")
    assert (refused.code, refused.error["code"]) == (7, "unreachable")
    assert [path.name for path in tmp_path.iterdir() if "other" in path.name] == []


def test_a_backup_of_a_missing_installation_is_not_found(sayso, tmp_path):
    """A wrong data folder must not result in an empty backup."""
    assert sayso("db", "backup", str(tmp_path / "copy.db")).code == 3
    assert not (tmp_path / "copy.db").exists()


def test_upgrade_prints_the_schema_before_and_after(admin_cli):
    """An upgrade of a current database changes nothing."""
    again = admin_cli("db", "upgrade", "--json").document
    assert (again["was"], again["changed"]) == (again["schema"], False)


def test_the_audit_log_is_printed_oldest_first_as_lines_or_json(admin_cli):
    """`--json` prints a single document, and `--jsonl` prints one per line."""
    lines = admin_cli("audit", "tail", "-n", "2").out.splitlines()
    assert [line.split()[1] for line in lines] == ["code.issued", "resource.added"]
    document = admin_cli("audit", "tail", "-n", "1", "--json").document
    assert document["items"][0]["type"] == "resource.added"
    assert document["items"][0]["at"].endswith("Z")
    assert len(admin_cli("audit", "tail", "--jsonl").out.splitlines()) > 2


def test_the_systemd_unit_runs_as_its_own_user_in_its_own_folder(sayso):
    """An agent that runs as a different user cannot become the administrator."""
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


def test_the_systemd_unit_installs_from_source_and_not_by_a_package_name(sayso):
    """Otherwise anyone could register that package name, and root would install it."""
    unit = sayso("serve", "--systemd-unit").out
    assert re.findall(r"\binstall (.+)", unit) == ["."]


@pytest.mark.parametrize(
    "flags",
    [("--workers", "2"), ("--host", "0.0.0.0")],  # noqa: S104  # the test is about this address
)
def test_unsupported_serve_options_are_refused_with_the_remedy(sayso, flags):
    """SQLite allows one worker, and a localhost issuer allows no other machines."""
    result = sayso("serve", "--port", str(free_port()), *flags)
    assert result.code == 2
    assert "SAYSO_" in result.err


def test_a_serving_agent_gets_a_token_exchange_example(admin_cli):
    """The example names the token that it needs and the resource where it arrives."""
    serving = ("--serves", "https://pay.example")
    lines = admin_cli(*AGENT, *CEILING, *serving).out
    assert "Exchange a person's token that arrives at https://pay.example:" in lines
    assert "Ask a person" in lines
    (line,) = [line for line in lines.splitlines() if "subject_token=" in line]
    words = shlex.split(line)
    assert "subject_token=$TOKEN" in words
    assert f"grant_type={GRANT_TOKEN_EXCHANGE}" in words
    assert {"resource=https://pay.example", f"subject_token_type={ACCESS_TOKEN}"} <= set(words)


def test_the_curl_commands_of_an_agent_with_keys_have_placeholders(admin_cli, tmp_path):
    """Without a proof or a signed request, the server would refuse the calls."""
    bound = admin_cli(*AGENT, *CEILING, "--dpop").out
    (line,) = [line for line in bound.splitlines() if "AUTH_REQ_ID http" in line]
    assert "DPoP: $PROOF" in shlex.split(line)
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [new_key("ES256").jwk]}))
    signing = ("--request-alg", "ES256", "--jwks", str(tmp_path / "keys.json"))
    signed = admin_cli("agents", "add", "signer", "--owner", "admin", *CEILING, *signing).out
    (line,) = [line for line in signed.splitlines() if "bc-authorize" in line]
    assert [word for word in shlex.split(line) if "=" in word] == ["request=SIGNED_REQUEST"]


def test_an_example_call_for_a_scope_with_required_details_includes_them(admin_cli, tmp_path):
    """A call without details would be refused; the example details are valid."""
    (tmp_path / "action.json").write_text(json.dumps(PAYMENT))
    admin_cli("actions", "add", str(tmp_path / "action.json"))
    require = ("resources", "update", "https://pay.example", "--requires")
    admin_cli(*require, "payments:transfer=payment.transfer")
    assert "authorization_details" not in admin_cli(*AGENT, *BOTH).out
    admin_cli(*require, "payments:read=payment.transfer")
    out = admin_cli("agents", "rotate-secret", "invoice-bot").out
    (line,) = [line for line in out.splitlines() if "bc-authorize" in line]
    (sent,) = [word for word in shlex.split(line) if word.startswith("authorization_details=")]
    (details,) = json.loads(sent.partition("=")[2])
    assert details["type"] == "payment.transfer"
    assert set(PAYMENT["schema"]["required"]) <= set(details)


def test_an_agent_that_only_exchanges_tokens_gets_only_that_example(admin_cli):
    """No other example is printed, because calls of other grant types would be refused."""
    lines = admin_cli(*AGENT, *CEILING, "--grant", "token_exchange").out
    assert "a person's token that names it in may_act:" in lines
    assert "client_credentials" not in lines
    assert "bc-authorize" not in lines
