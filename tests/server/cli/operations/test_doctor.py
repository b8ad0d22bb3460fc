"""The doctor: what it finds, and that it ends with 1 exactly when something is broken."""

import json
import sqlite3

import pytest


def _found(done):
    return {item["what"] for item in done["items"]}


def test_a_fresh_installation_has_weak_spots_and_nothing_broken(begun):
    """The honest limits are among them: who reads the data folder is the administrator."""
    done = begun("doctor", "--json").document
    assert done["broken"] is False
    assert any("data folder" in what for what in _found(done))
    assert any("PIN" in what for what in _found(done))
    assert "admin has no device and cannot answer requests." in _found(done)
    assert all(item["fix"] for item in done["items"])


def test_an_agent_that_may_ask_everybody_is_weak(begun):
    """Until it is told whom."""
    begun("agents", "add", "bot", "--owner", "admin")
    assert "The agent bot may ask every user." in _found(begun("doctor", "--json").document)
    begun("agents", "update", "bot", "--asks", "admin")
    assert "The agent bot may ask every user." not in _found(begun("doctor", "--json").document)


def test_a_key_that_others_can_read_is_broken_and_exit_1(begun, folder):
    """Nothing else opens then, and the fix is a command."""
    (folder / "master.key").chmod(0o640)
    done = begun("doctor")
    assert done.code == 1
    assert "BROKEN" in done.out
    assert f"chmod 600 {folder / 'master.key'}" in done.out


def test_a_lost_master_key_is_broken_and_no_new_one_is_made(begun, folder):
    """A new key would never open what the old one sealed."""
    (folder / "master.key").unlink()
    done = begun("doctor")
    assert done.code == 1
    assert "backup" in done.out
    assert not (folder / "master.key").exists()


def test_a_folder_that_others_can_enter_is_weak(begun, folder):
    """So is a database that they can read."""
    folder.chmod(0o755)
    (folder / "sayso.db").chmod(0o644)
    found = _found(begun("doctor", "--json").document)
    assert f"Other users can read {folder}." in found
    assert f"Other users can read {folder / 'sayso.db'}." in found


def test_an_http_issuer_for_other_machines_is_weak(begun, monkeypatch):
    """Codes and tokens would travel in the open."""
    monkeypatch.setenv("SAYSO_ISSUER", "http://sayso.example")
    assert any("not https" in what for what in _found(begun("doctor", "--json").document))


@pytest.mark.parametrize(
    ("issuer", "contact", "weak"),
    [
        ("https://sayso", "", 1),
        ("https://sayso", "mailto:ops@example.org", 0),
        ("https://sayso.example", "", 0),
        ("http://localhost:8470", "", 0),
    ],
)
def test_a_push_contact_that_is_nobody_is_weak(begun, monkeypatch, issuer, contact, weak):
    """Where phones are called at all, which takes https; a full host name speaks for itself."""
    monkeypatch.setenv("SAYSO_ISSUER", issuer)
    monkeypatch.setenv("SAYSO_PUSH_CONTACT", contact)
    found = _found(begun("doctor", "--json").document)
    assert sum("contact for push services" in what for what in found) == weak


@pytest.mark.usefixtures("folder")
def test_before_init_it_says_how_to_begin_and_makes_nothing(sayso, folder):
    """Looking changes nothing."""
    done = sayso("doctor", "--json").document
    assert "There is no database yet." in _found(done)
    assert not folder.exists()


def test_names_that_look_alike_since_an_upgrade_are_weak(begun, folder):
    """Each later one is told, with the older one and the remedy; a new name mends it."""
    begun("agents", "add", "deploy-bot", "--owner", "admin")
    begun("agents", "add", "other", "--owner", "admin")
    with sqlite3.connect(folder / "sayso.db") as database:
        database.execute("DELETE FROM name_looks WHERE look = 'other'")
        database.execute("UPDATE agents SET name = 'depl0y-bot' WHERE name = 'other'")
        (later,) = database.execute("SELECT id FROM agents WHERE name = 'depl0y-bot'").fetchone()
    done = begun("doctor")
    assert f"The agent depl0y-bot ({later}) looks like the agent deploy-bot (" in done.out
    assert f"sayso agents update {later} --name NAME" in done.out
    assert begun("agents", "update", later, "--description", "It waits.").code == 0
    assert begun("agents", "update", later, "--name", "releases").code == 0
    assert "looks like" not in begun("doctor").out


def test_every_key_file_is_checked(begun, folder):
    """Each wrong one is named, not only the first."""
    (folder / "master.key").write_bytes(b"x" * 32)
    (folder / "pin.key").unlink()
    found = [item["what"] for item in json.loads(begun("doctor", "--json").out)["items"]]
    assert any(f"{folder / 'master.key'} is not the master key" in what for what in found)
    assert any(f"{folder / 'pin.key'} is missing" in what for what in found)
