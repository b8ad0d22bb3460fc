"""Each setting is read in the order of precedence, and the error for a wrong value names it."""

from pathlib import Path

import pytest
from sqlalchemy import make_url

from server import settings
from server.settings import (
    NAMES,
    BadSetting,
    Settings,
    check_issuer,
    describe,
    is_loopback,
    load,
    process_environment,
)


@pytest.fixture(autouse=True)
def bare(monkeypatch, tmp_path):
    """An environment without any Sayso settings, and a default data folder without files."""
    for name in NAMES:
        monkeypatch.delenv(f"SAYSO_{name.upper()}", raising=False)
    monkeypatch.delenv("SAYSO_CONFIG", raising=False)
    monkeypatch.setattr(settings, "user_data_path", lambda _name: tmp_path / "default")


def _file(folder, text):
    path = folder / "sayso.toml"
    path.write_text(text)
    return path


def test_defaults_apply_without_any_setting(tmp_path):
    """The defaults are SQLite in the data folder and an issuer on this machine."""
    loaded = load()
    assert loaded.data_dir == tmp_path / "default"
    assert loaded.sqlalchemy_url == f"sqlite:///{tmp_path / 'default' / 'sayso.db'}"
    assert (loaded.on_sqlite, loaded.issuer_url) == (True, "http://localhost:8470")
    assert loaded.sources == {}


def test_flags_override_the_environment_which_overrides_the_file(tmp_path, monkeypatch):
    """The settings record the source of each value."""
    file = _file(tmp_path, "open_per_agent = 1\nopen_per_user = 2\ndenials_before_pause = 3\n")
    monkeypatch.setenv("SAYSO_OPEN_PER_USER", "20")
    monkeypatch.setenv("SAYSO_DENIALS_BEFORE_PAUSE", "30")
    loaded = load({"data_dir": tmp_path, "denials_before_pause": 300, "issuer": None})
    numbers = (loaded.open_per_agent, loaded.open_per_user, loaded.denials_before_pause)
    assert numbers == (1, 20, 300)
    assert loaded.sources == {
        "open_per_agent": f"file {file}",
        "open_per_user": "environment",
        "denials_before_pause": "flag",
        "data_dir": "flag",
    }


def test_the_settings_file_is_in_the_data_folder_or_at_sayso_config(tmp_path, monkeypatch):
    """The server searches for no other settings file."""
    other = tmp_path / "other"
    other.mkdir()
    _file(other, 'log_level = "debug"')
    assert load({"data_dir": tmp_path}).log_level == "info"
    monkeypatch.setenv("SAYSO_DATA_DIR", str(other))
    assert load().log_level == "debug"
    monkeypatch.setenv("SAYSO_CONFIG", str(_file(tmp_path, 'log_level = "error"')))
    assert load().log_level == "error"


def test_a_settings_file_may_begin_with_a_byte_order_mark(tmp_path):
    """Some editors write one. It is ignored, also in the file of the database password."""
    _file(tmp_path, "\ufefflog_level = 'debug'")
    (tmp_path / "password").write_text("\ufeffsecret\n")
    url = "postgresql+psycopg://sayso@db.example/sayso"
    password_file = {"database_url": url, "database_password_file": tmp_path / "password"}
    loaded = load({"data_dir": tmp_path, **password_file})
    assert (loaded.log_level, make_url(loaded.sqlalchemy_url).password) == ("debug", "secret")


def test_the_settings_file_is_utf_8_whatever_the_locale(tmp_path):
    """The error names the file. An editor with a different encoding is the usual cause."""
    (tmp_path / "sayso.toml").write_bytes(
        'push_contact = "mailto:m\u00fcller@a.example"'.encode("latin-1")
    )
    with pytest.raises(BadSetting, match=r"sayso.toml is not TOML: 'utf-8' codec"):
        load({"data_dir": tmp_path})


def test_an_empty_environment_variable_counts_as_unset(monkeypatch):
    """Shells and containers often pass empty variables."""
    monkeypatch.setenv("SAYSO_LOG_LEVEL", "")
    assert load().log_level == "info"


def test_a_folder_may_be_written_with_a_tilde(monkeypatch, tmp_path):
    """The tilde expands to the home folder, as in a shell."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "sayso").mkdir()
    _file(tmp_path / "sayso", 'log_level = "debug"')
    loaded = load({"data_dir": "~/sayso"})
    assert (loaded.data_dir, loaded.log_level) == (tmp_path / "sayso", "debug")
    monkeypatch.setenv("SAYSO_CONFIG", "~/sayso/sayso.toml")
    assert load().log_level == "debug"


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith("_file")])
def test_a_file_may_be_written_with_a_tilde(monkeypatch, tmp_path, name):
    """Every setting that is a path accepts it, also in the settings file."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "file").write_text("secret")
    url = {"database_url": "postgresql+psycopg://sayso@db.example/sayso"}
    _file(tmp_path, f'{name} = "~/file"')
    loaded = load({"data_dir": "~", **url})
    assert getattr(loaded, name) == str(tmp_path / "file")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("open_per_agent = ", "is not TOML"),
        ("open_per_agents = 1", "unknown setting: open_per_agents"),
        ("sources = 1", "unknown setting: sources"),
        ('open_per_agent = "many"', "SAYSO_OPEN_PER_AGENT .* whole number"),
        ("webhook_url = true", "webhook_url must be text in quotes"),
        ('audit_streams_required = ["siem"]', "audit_streams_required must be text in quotes"),
    ],
)
def test_an_unusable_settings_file_is_named_with_its_error(tmp_path, text, message):
    """The error has the path of the file and the problem in it."""
    path = _file(tmp_path, text)
    with pytest.raises(BadSetting, match=message) as refused:
        load({"data_dir": tmp_path})
    assert str(path) in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("access_token_alg", "HS256", "ES256, EdDSA, RS256"),
        ("assertion_audience", "any", "issuer, endpoints"),
        ("unknown_user", "maybe", "answer, hide"),
        ("log_format", "xml", "auto, json, text"),
        ("log_level", "loud", "debug, info, warning, error"),
        ("access_token_seconds", "0", "1 to 1000000000"),
        ("access_token_seconds", "10000000000000000000", "1 to 1000000000"),
        ("open_per_user", "-1", "1 to 1000000000"),
        ("max_connections", "x", "whole number"),
        ("issuer", "auth.example", "ISSUER"),
        *(
            ("database_url", url, "postgresql\\+psycopg://user:password@host/name")
            for url in ("sayso.db", "mysql://db/sayso", "postgresql://db:port/sayso", "sqlite://")
        ),
        ("webhook_url", "hooks.example/sayso", "an http or https URL"),
        *(
            (
                "webhook_url",
                f"https://hooks.example:{port}/",
                "an http or https URL with a valid port",
            )
            for port in ("99999", "0", "https")
        ),
        ("config", "/nowhere/sayso.toml", "/nowhere/sayso.toml does not exist"),
        *(("callback_ports", ports, "such as 443,8443") for ports in ("0", "70000", "a", "4,")),
        *(
            ("audit_retention", value, "30d to 9999d")
            for value in ("29d", "365", "30d,60d", "99999d")
        ),
        ("push_contact", "mailto:a@b.example,mailto:c@d.example", "mailto:you@example.org"),
        ("push_origins", "https://Push.example", "origins in lower case"),
        ("callback_networks", "10.0.0.1/8", "host bits"),
        ("callback_networks", "the office", "does not appear"),
        ("callback_ca_file", "/nowhere/ca.pem", "must be the path of a file"),
        ("clients_unknown", "maybe", "never, list, ask"),
        ("clients_registration", "yes", "off, invitation, open"),
        ("clients_allowed", "https://claude.ai", "host names"),
        ("clients_blocked", "Evil.example", "host names"),
    ],
)
def test_an_invalid_value_is_refused_with_the_allowed_values(monkeypatch, name, value, message):
    """The error begins with the name of the variable, so that it can be loaded."""
    monkeypatch.setenv(f"SAYSO_{name.upper()}", value)
    with pytest.raises(BadSetting, match=message) as refused:
        load()
    assert str(refused.value).startswith(f"SAYSO_{name.upper()}")


@pytest.mark.parametrize(
    "issuer",
    [
        "https://auth.example/",
        "https://auth.example/a",
        "https://auth.example?x=1",
        "https://auth.example#x",
        "https://auth.example?",
        "https://Auth.example",
        "https://m\u00fcller.example",
        "https://user:password@auth.example",
        "https://auth.example:443",
        "http://auth.example:80",
        "https://auth.example:70000",
        "https://auth.example:port",
        "https://[::1",
        " https://auth.example",
        "https://",
        "ftp://auth.example",
        "auth.example",
        "",
    ],
)
def test_an_invalid_issuer_is_refused(issuer):
    """MD-02, RFC 8414 2: an issuer has no path, query or fragment. Browsers compare it exactly."""
    with pytest.raises(BadSetting):
        check_issuer(issuer)


@pytest.mark.parametrize(
    "issuer",
    [
        "https://auth.example",
        "https://auth.example:8443",
        "https://auth.example:80",
        "http://auth_1:8470",
        "http://[::1]:1",
    ],
)
def test_a_valid_issuer_is_accepted(issuer):
    """The check accepts http, because the server decides at its start whether it is allowed."""
    check_issuer(issuer)
    assert load({"issuer": issuer}).issuer_url == issuer


@pytest.mark.parametrize(
    ("issuer", "expected"),
    [
        ("http://localhost:8470", True),
        ("https://127.0.0.1", True),
        ("http://[::1]:1", True),
        ("https://localhost.example", False),
        ("https://auth.example", False),
    ],
)
def test_only_three_hosts_count_as_this_machine(issuer, expected):
    """The three hosts are localhost, 127.0.0.1 and [::1]."""
    assert is_loopback(issuer) is expected


def test_the_command_line_uses_the_issuer_that_was_served_last(tmp_path):
    """Links and tokens then have the same issuer; a configured issuer takes precedence."""
    (tmp_path / "issuer").write_text("http://localhost:9000\n")
    assert Settings(data_dir=tmp_path).issuer_url == "http://localhost:9000"
    assert Settings(data_dir=tmp_path, issuer="https://a.example").issuer_url == "https://a.example"


def test_a_configured_database_url_is_used_unchanged(tmp_path):
    """A PostgreSQL database is not a file in the data folder."""
    loaded = Settings(data_dir=tmp_path, database_url="postgresql://db/sayso")
    assert (loaded.sqlalchemy_url, loaded.on_sqlite) == ("postgresql://db/sayso", False)


def test_the_database_password_may_be_in_a_file(tmp_path, monkeypatch):
    """The password may contain any characters, and it is not shown."""
    (tmp_path / "password").write_text("p@ss/w:rd %\n")
    monkeypatch.setenv("SAYSO_DATABASE_URL", "postgresql+psycopg://sayso@db.example/sayso")
    monkeypatch.setenv("SAYSO_DATABASE_PASSWORD_FILE", str(tmp_path / "password"))
    loaded = load()
    assert make_url(loaded.sqlalchemy_url).password == "p@ss/w:rd %"
    assert make_url(loaded.sqlalchemy_url).host == "db.example"
    lines = {name: value for name, value, _ in describe(loaded)}
    assert lines["SAYSO_DATABASE_URL"] == "postgresql+psycopg://sayso:***@db.example/sayso"


@pytest.mark.parametrize("password", ["secret", "sec/ret", "sec@ret", "sec:ret", "sec?ret"])
def test_the_password_of_the_database_is_not_shown(password):
    """SQLAlchemy also accepts passwords whose special characters are not escaped."""
    loaded = load({"database_url": f"postgresql+psycopg://sayso:{password}@db.example/sayso"})
    lines = {name: value for name, value, _ in describe(loaded)}
    assert lines["SAYSO_DATABASE_URL"] == "postgresql+psycopg://sayso:***@db.example/sayso"


@pytest.mark.parametrize(
    ("url", "named", "problem"),
    [
        ("postgresql://sayso@db/sayso", "missing", "must be the path of a file"),
        ("postgresql://sayso:secret@db/sayso", "password", "without a password"),
        ("postgresql://db/sayso", "password", "with a user"),
        ("", "password", "with a user"),
    ],
)
def test_a_password_file_that_cannot_be_used_is_refused(tmp_path, url, named, problem):
    """The file is missing, or the URL has no user or already has a password."""
    (tmp_path / "password").write_text("secret")
    with pytest.raises(BadSetting, match=problem):
        load({"database_url": url, "database_password_file": tmp_path / named})


def test_a_child_process_does_not_inherit_sayso_settings(monkeypatch):
    """A child process gets every setting that it needs explicitly."""
    monkeypatch.setenv("SAYSO_ISSUER", "https://a.example")
    monkeypatch.setenv("PLAIN", "kept")
    environment = process_environment(without="SAYSO_")
    assert "SAYSO_ISSUER" not in environment
    assert environment["PLAIN"] == "kept"


def test_every_setting_has_a_default_of_its_own_type():
    """A setting that is a number in the class is also a number in the file."""
    assert isinstance(Settings().data_dir, Path)
    assert all(isinstance(getattr(Settings(), name), int | str | Path) for name in NAMES)


def test_audit_entries_are_kept_unless_days_are_set():
    """By default entries are kept forever; a period is parsed to days."""
    assert load().audit_retention_days is None
    assert load({"audit_retention": "365d"}).audit_retention_days == 365


def test_callback_ports_and_networks_are_parsed_from_settings(monkeypatch):
    """By default only public addresses at port 443 are allowed."""
    assert (load().open_ports, load().open_networks) == (frozenset({443}), ())
    monkeypatch.setenv("SAYSO_CALLBACK_PORTS", "443, 8443")
    monkeypatch.setenv("SAYSO_CALLBACK_NETWORKS", "10.1.0.0/16, fd00::/8")
    assert load().open_ports == {443, 8443}
    assert [str(network) for network in load().open_networks] == ["10.1.0.0/16", "fd00::/8"]
