"""`sayso doctor`: its findings, and exit 1 exactly when something is broken."""

import json
import sqlite3
from contextlib import closing

import pytest


def _findings(run):
    return {item["what"] for item in run("doctor", "--json").document["items"]}


def test_a_new_installation_has_warnings_but_no_errors(admin_cli):
    """A known limitation is that anyone who can read the data folder is an administrator."""
    result = admin_cli("doctor", "--json").document
    findings = {item["what"] for item in result["items"]}
    assert result["broken"] is False
    assert any("data folder" in what for what in findings)
    assert any("PIN" in what for what in findings)
    assert "admin has no device and cannot answer requests." in findings
    assert all(item["fix"] for item in result["items"])


def test_an_agent_that_may_ask_every_user_is_a_warning(admin_cli):
    """The finding disappears once the agent is restricted with `--asks`."""
    admin_cli("agents", "add", "bot", "--owner", "admin")
    assert "The agent bot can ask every user." in _findings(admin_cli)
    admin_cli("agents", "update", "bot", "--asks", "admin")
    assert "The agent bot can ask every user." not in _findings(admin_cli)


def test_doctor_fails_on_a_key_file_that_others_can_read(admin_cli, data_folder):
    """The remedy is a command that can be copied."""
    (data_folder / "master.key").chmod(0o640)
    result = admin_cli("doctor")
    assert result.code == 1
    assert "BROKEN" in result.out
    assert f"chmod 600 {data_folder / 'master.key'}" in result.out


def test_a_folder_in_place_of_a_key_file_is_an_error_without_a_chmod(
    admin_cli, monkeypatch, tmp_path
):
    """The command would lock the other users of this machine out of the folder."""
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o755)
    monkeypatch.setenv("SAYSO_MASTER_KEY_FILE", str(folder))
    result = admin_cli("doctor")
    assert result.code == 1
    assert f"BROKEN  {folder}: Is a directory." in result.out
    assert "chmod" not in result.out + admin_cli("users", "list").err


def test_doctor_fails_on_a_missing_master_key_and_does_not_replace_it(admin_cli, data_folder):
    """A new key could not decrypt what the old one encrypted."""
    (data_folder / "master.key").unlink()
    result = admin_cli("doctor")
    assert result.code == 1
    assert "backup" in result.out
    assert not (data_folder / "master.key").exists()


def test_doctor_fails_on_a_read_only_database(admin_cli, monkeypatch):
    """A server would answer 503, although every list still works."""
    connect = sqlite3.connect

    def connect_read_only(path, **options):
        return connect(f"file:{path}?mode=ro", uri=True, **options)

    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", connect_read_only)
        result = admin_cli("doctor")
    assert result.code == 1
    assert (
        "BROKEN  Nothing can be changed. The database could not store the change.\n" in result.out
    )


def test_a_data_folder_that_others_can_read_is_a_warning(admin_cli, data_folder):
    """A database file that others can read is a finding of its own."""
    data_folder.chmod(0o755)
    (data_folder / "sayso.db").chmod(0o644)
    findings = _findings(admin_cli)
    assert f"Other users can read {data_folder}." in findings
    assert f"Other users can read {data_folder / 'sayso.db'}." in findings


def test_an_http_issuer_for_other_machines_is_a_warning(admin_cli, monkeypatch):
    """Codes and tokens would travel unencrypted."""
    monkeypatch.setenv("SAYSO_ISSUER", "http://sayso.example")
    assert any("not https" in what for what in _findings(admin_cli))


@pytest.mark.parametrize(
    ("issuer", "contact", "warnings"),
    [
        ("https://sayso", "", 1),
        ("https://sayso", "mailto:ops@example.org", 0),
        ("https://sayso.example", "", 0),
        ("http://localhost:8470", "", 0),
    ],
)
def test_a_missing_push_contact_is_a_warning(admin_cli, monkeypatch, issuer, contact, warnings):
    """Push needs an https issuer; a fully qualified host name can serve as the contact."""
    monkeypatch.setenv("SAYSO_ISSUER", issuer)
    monkeypatch.setenv("SAYSO_PUSH_CONTACT", contact)
    findings = _findings(admin_cli)
    assert sum("contact for push services" in what for what in findings) == warnings


def test_audit_log_retention_is_reported_as_a_note(admin_cli, monkeypatch):
    """An administrator sees it without reading the settings."""
    assert "Audit entries are kept forever." in _findings(admin_cli)
    monkeypatch.setenv("SAYSO_AUDIT_RETENTION", "365d")
    assert "Audit entries are kept for 365 days." in _findings(admin_cli)


@pytest.mark.usefixtures("data_folder")
def test_doctor_before_init_names_the_first_command_and_creates_nothing(sayso, data_folder):
    """`sayso doctor` never changes anything."""
    assert "There is no database yet." in _findings(sayso)
    assert not data_folder.exists()


def test_lookalike_names_left_by_an_upgrade_are_reported(admin_cli, data_folder):
    """The newer name is listed with the older one; renaming it resolves the finding."""
    admin_cli("agents", "add", "deploy-bot", "--owner", "admin")
    admin_cli("agents", "add", "other", "--owner", "admin")
    with closing(sqlite3.connect(data_folder / "sayso.db")) as database, database:
        database.execute("DELETE FROM name_looks WHERE look = 'other'")
        database.execute("UPDATE agents SET name = 'depl0y-bot' WHERE name = 'other'")
        (later,) = database.execute("SELECT id FROM agents WHERE name = 'depl0y-bot'").fetchone()
    result = admin_cli("doctor")
    assert (
        f"The agent depl0y-bot ({later}) can be confused with the agent deploy-bot (" in result.out
    )
    assert f"sayso agents update {later} --name NAME" in result.out
    assert admin_cli("agents", "update", later, "--description", "It waits.").code == 0
    assert admin_cli("agents", "update", later, "--name", "releases").code == 0
    assert "looks like" not in admin_cli("doctor").out


def test_every_key_file_is_checked(admin_cli, data_folder):
    """Every bad key file is reported, not just the first."""
    (data_folder / "master.key").write_bytes(b"x" * 32)
    (data_folder / "pin.key").unlink()
    result = admin_cli("doctor", "--json")
    findings = [item["what"] for item in json.loads(result.out)["items"]]
    assert any(f"{data_folder / 'master.key'} is not the master key" in what for what in findings)
    assert any(f"{data_folder / 'pin.key'} is missing" in what for what in findings)


@pytest.mark.parametrize("name", ["master.key", "log.key"])
def test_a_key_that_others_can_read_is_found_once(admin_cli, data_folder, name):
    """The database cannot be opened with it either, which is the same problem."""
    admin_cli("audit", "key")
    (data_folder / name).chmod(0o644)
    output = admin_cli("doctor").out
    assert output.count(f"Other users can read {data_folder / name}.") == 1
    assert f"Run: chmod 600 {data_folder / name}" in output
