"""Backups on the command line: contents, refusals, and what a restore keeps."""

import errno
import io
import json
import tarfile
from pathlib import Path
from unittest import mock

import pytest

from server.app import build
from server.backups import archives
from server.model.store import Busy
from server.services.operations.restores import KINDS, ONLY_IF_CHANGED
from server.settings import Settings

_KEEP = (
    "--keep-devices",
    "--keep-agents",
    "--keep-apps",
    "--keep-consents",
    "--keep-grants",
    "--keep-passwords",
    "--keep-deputies",
)


@pytest.fixture
def backup(admin_cli, tmp_path) -> Path:
    """A backup of an installation with an agent, an app and a password."""
    admin_cli("agents", "add", "bot", "--owner", "admin")
    admin_cli("apps", "add", "chat", "--redirect-uri", "https://chat.example/back")
    target = tmp_path / "monday.sayso"
    output = admin_cli("db", "backup", str(target), "--json").document
    assert (output["database"], output["with_keys"]) == ("sqlite", False)
    return target


def _rewrite(backup: Path, **changed: bytes) -> None:
    """Write the same archive with some members replaced."""
    with tarfile.open(backup) as tar:
        members = {name: tar.extractfile(name).read() for name in tar.getnames()}
    members |= changed
    with tarfile.open(backup, "w") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


def _contents(data_folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in data_folder.iterdir() if path.is_file()}


def _delete_database(data_folder: Path) -> None:
    for path in data_folder.glob("sayso.db*"):
        path.unlink()


def test_a_backup_contains_its_keys_only_with_the_flag(admin_cli, backup, data_folder, tmp_path):
    """Without `--with-keys` the output says where the keys are."""
    with tarfile.open(backup) as tar:
        assert sorted(tar.getnames()) == ["database", "manifest.json", "manifest.mac"]
    output = admin_cli("db", "backup", str(tmp_path / "plain")).out
    assert str(data_folder / "master.key") in output
    assert str(data_folder / "pin.key") in output
    full_backup = tmp_path / "whole.sayso"
    document = admin_cli("db", "backup", str(full_backup), "--with-keys", "--json").document
    assert (document["with_keys"], document["keys_apart"]) == (True, [])
    with tarfile.open(full_backup) as tar:
        assert {"keys/master", "keys/pin"} <= set(tar.getnames())


@pytest.mark.usefixtures("backup")
def test_a_backup_with_keys_restores_to_a_new_machine(admin_cli, data_folder, tmp_path):
    """The key files are restored, and only their owner can read them."""
    full_backup = tmp_path / "whole.sayso"
    admin_cli("db", "backup", str(full_backup), "--with-keys")
    before = _contents(data_folder)
    for path in data_folder.iterdir():
        path.unlink()
    assert admin_cli("db", "restore", str(full_backup), "--keep-agents").code == 0
    for name in ("master.key", "pin.key"):
        assert (data_folder / name).read_bytes() == before[name]
        assert (data_folder / name).stat().st_mode & 0o777 == 0o600
    assert admin_cli("agents", "show", "bot", "--json").document["state"] == "enabled"


def test_a_restore_without_its_key_file_is_refused_by_name(admin_cli, backup, data_folder):
    """The error names the missing key, and no new key is created in its place."""
    _delete_database(data_folder)
    (data_folder / "pin.key").unlink()
    refused = admin_cli("db", "restore", str(backup), "--json")
    assert (refused.code, refused.error["code"]) == (1, "bad_key_file")
    assert str(data_folder / "pin.key") in refused.error["message"]
    (data_folder / "master.key").write_bytes(b"x" * 32)
    assert "master key" in admin_cli("db", "restore", str(backup), "--json").error["message"]
    assert sorted(path.name for path in data_folder.iterdir()) == ["master.key"]


def test_a_backup_is_restored_without_a_lost_log_key(admin_cli, data_folder, tmp_path):
    """A new log key can be created only in a database, so the restore must not require it."""
    admin_cli("audit", "key")
    admin_cli("db", "backup", str(tmp_path / "backup"))
    _delete_database(data_folder)
    (data_folder / "log.key").unlink()
    assert admin_cli("db", "restore", str(tmp_path / "backup")).code == 0
    assert "sayso audit rotate-key" in admin_cli("doctor").out
    assert admin_cli("audit", "rotate-key").code == 0
    assert admin_cli("doctor").code == 0


def test_the_output_of_a_restore_counts_what_ended(admin_cli, backup, data_folder):
    """The lines read correctly for one item too."""
    _delete_database(data_folder)
    lines = admin_cli("db", "restore", str(backup)).out.splitlines()
    assert "  agents are disabled until you enable them: 1" in lines
    assert "  signing keys ended: 3" in lines


@pytest.mark.parametrize("command", [("audit", "key"), ("audit", "rotate-key")])
def test_a_log_key_that_is_newer_than_the_backup_does_not_prevent_a_comparison(
    admin_cli, backup, command
):
    """The replaced database is the same installation, so unchanged agents stay enabled."""
    assert admin_cli(*command).code == 0
    assert admin_cli("db", "restore", str(backup), "--force", "--json").document["compared"]
    assert admin_cli("agents", "show", "bot", "--json").document["state"] == "enabled"


def test_a_restore_names_a_log_key_that_does_not_belong_to_the_backup(
    admin_cli, data_folder, tmp_path
):
    """The server would refuse to sign the log, so the operator learns it now."""
    admin_cli("audit", "key")
    admin_cli("db", "backup", str(tmp_path / "backup"))
    document = admin_cli("db", "restore", str(tmp_path / "backup"), "--force", "--json").document
    assert document["key_problems"] == []
    admin_cli("audit", "rotate-key")
    restored = admin_cli("db", "restore", str(tmp_path / "backup"), "--force")
    assert f"{data_folder / 'log.key'} is not the audit log key" in restored.out
    (data_folder / "log.key").unlink()
    restored = admin_cli("db", "restore", "--in-place", "--json")
    (problem,) = restored.document["key_problems"]
    assert problem.startswith(f"{data_folder / 'log.key'} is missing.")


def test_a_backup_that_cannot_be_written_names_the_given_path(admin_cli, tmp_path):
    """The error does not name the temporary folder."""
    target = tmp_path / "missing" / "x"
    refused = admin_cli("db", "backup", str(target), "--json")
    assert (refused.code, refused.error["message"]) == (1, f"{target}: No such file or directory.")


@pytest.mark.parametrize(
    ("function", "error"),
    [
        ("server.backups.archives.write", OSError(errno.ENOSPC, "No space left on device")),
        (
            "server.storage.dumps.backup_sqlite",
            Busy("The database could not be copied: full."),
        ),
    ],
    ids=["archive", "copy"],
)
def test_a_full_disk_is_reported_with_the_path(admin_cli, tmp_path, monkeypatch, function, error):
    """The errors of the system and of SQLite name no path themselves."""
    monkeypatch.setattr(function, mock.Mock(side_effect=error))
    refused = admin_cli("db", "backup", str(tmp_path / "x"), "--json")
    assert refused.error["message"].startswith(str(tmp_path / "x"))
    assert str(error.args[-1]) in refused.error["message"]
    assert list(tmp_path.glob(".sayso*")) == []


@pytest.mark.parametrize("member", ["database", "manifest.json", "manifest.mac"])
def test_a_damaged_or_changed_backup_is_refused_and_changes_nothing(
    admin_cli, backup, data_folder, member
):
    """A wrong hash or a wrong MAC of the manifest exits with 20."""
    with tarfile.open(backup) as tar:
        before = tar.extractfile(member).read()
    changed = {
        "database": before[:-1] + bytes([before[-1] ^ 1]),
        "manifest.json": before.replace(b'"program"', b' "program"'),
        "manifest.mac": b"0" * len(before),
    }[member]
    _rewrite(backup, **{member: changed})
    files_before = _contents(data_folder)
    refused = admin_cli("db", "restore", str(backup), "--force", "--json")
    assert (refused.code, refused.error["code"]) == (20, "bad_backup")
    assert _contents(data_folder) == files_before


@pytest.mark.parametrize("content", [b"", b"no tar", b"\0" * 2048])
def test_a_file_that_is_not_a_backup_is_refused(admin_cli, tmp_path, content):
    """An empty file, a text and zero bytes all get the same error."""
    (tmp_path / "other").write_bytes(content)
    refused = admin_cli("db", "restore", str(tmp_path / "other"), "--force", "--json")
    assert (refused.code, refused.error["code"]) == (20, "bad_backup")


def test_an_installation_is_replaced_only_with_force_and_kept_aside(admin_cli, backup):
    """The previous database file is kept with all its data."""
    admin_cli("agents", "add", "later", "--owner", "admin")
    refused = admin_cli("db", "restore", str(backup), "--json")
    assert (refused.code, refused.error["code"]) == (6, "conflict")
    output = admin_cli("db", "restore", str(backup), "--force", "--json").document
    assert Path(output["replaced"]).name == "sayso.db.replaced-1"
    names = [item["name"] for item in admin_cli("agents", "list", "--json").document["items"]]
    assert names == ["bot"]
    assert b"later" in Path(output["replaced"]).read_bytes()


def test_restore_is_refused_while_the_database_is_in_use(admin_cli, backup, data_folder):
    """A server or a different command may be using the database."""
    files_before = _contents(data_folder)
    services = build(Settings(data_dir=data_folder))
    refused = admin_cli("db", "restore", str(backup), "--force", "--json")
    services.store.close()
    assert (refused.code, refused.error["code"]) == (6, "in_use")
    assert _contents(data_folder)["sayso.db"] == files_before["sayso.db"]
    assert admin_cli("db", "restore", str(backup), "--force", "--json").code == 0


def test_a_database_unpacked_by_hand_is_refused_until_it_is_restored(
    admin_cli, backup, data_folder
):
    """The error names the command that restores a backup."""
    _delete_database(data_folder)
    with tarfile.open(backup) as tar:
        (data_folder / "sayso.db").write_bytes(tar.extractfile("database").read())
    refused = admin_cli("agents", "list", "--json")
    assert (refused.code, refused.error["code"]) == (1, "schema_mismatch")
    assert "sayso db restore FILE" in refused.error["message"]


def test_every_kind_has_its_keep_flag():
    """Users have no flag, because without a device or a password they can do nothing."""
    assert {flag.removeprefix("--keep-") for flag in _KEEP} == set(KINDS) - ONLY_IF_CHANGED


@pytest.mark.parametrize("flag", _KEEP)
def test_a_keep_flag_keeps_its_kind_only(admin_cli, backup, data_folder, flag):
    """Objects of every other kind are disabled."""
    kind = flag.removeprefix("--keep-")
    _delete_database(data_folder)
    output = admin_cli("db", "restore", str(backup), flag, "--json").document
    counts = {"agents": 1, "apps": 1}
    assert output["compared"] is False
    assert output["held"] == {name: 0 if name == kind else counts.get(name, 0) for name in KINDS}
    (entry,) = admin_cli("audit", "search", "--type", "installation.restored", "--json").document[
        "items"
    ]
    assert entry["facts"]["kept"] == [kind]


def test_restore_since_a_file_that_cannot_be_compared_is_refused(
    admin_cli, backup, data_folder, tmp_path
):
    """Otherwise a wrong path would disable every agent and device."""
    files_before = _contents(data_folder)
    (tmp_path / "notes").write_text("not a database")
    refused = admin_cli(
        "db", "restore", str(backup), "--since", str(tmp_path / "notes"), "--force", "--json"
    )
    assert (refused.code, refused.error["code"]) == (20, "bad_backup")
    assert "notes is not a later database of this installation" in refused.error["message"]
    assert _contents(data_folder) == files_before


def test_restore_since_keeps_unchanged_objects(admin_cli, backup, data_folder, tmp_path):
    """With `db restore --since`, an object that changed in the later database is disabled."""
    admin_cli("agents", "add", "other", "--owner", "admin")
    admin_cli("apps", "update", "chat", "--disable")
    later = tmp_path / "later.db"
    later.write_bytes((data_folder / "sayso.db").read_bytes())
    later.chmod(0o400)
    _delete_database(data_folder)
    output = admin_cli("db", "restore", str(backup), "--since", str(later), "--json").document
    assert (output["compared"], output["held"]["agents"], output["held"]["apps"]) == (True, 0, 1)


def test_a_backup_with_an_unreadable_signature_is_damaged(admin_cli, backup, tmp_path):
    """A character that is not ASCII is an error like every other wrong character."""
    content, damaged = backup.read_bytes(), tmp_path / "damaged"
    start = content.index(b"manifest.mac") + 512
    damaged.write_bytes(content[:start] + "é".encode() + content[start + 2 :])
    refused = admin_cli("db", "restore", str(damaged), "--force", "--json")
    assert (refused.code, refused.error["code"]) == (20, "bad_backup")


@pytest.mark.usefixtures("backup")
def test_doctor_lists_the_objects_that_restore_in_place_turned_off(admin_cli):
    """After `db restore --in-place`, `doctor` names the command that enables each object."""
    output = admin_cli("db", "restore", "--in-place", "--json").document
    assert (output["held"]["agents"], output["replaced"]) == (1, None)
    assert "Run: sayso agents enable bot" in admin_cli("doctor").out
    admin_cli("agents", "enable", "bot")
    assert "Run: sayso agents enable bot" not in admin_cli("doctor").out


def test_restore_takes_either_a_backup_or_in_place(admin_cli, backup):
    """Passing both or neither is a usage error."""
    assert admin_cli("db", "restore").code == 2
    assert admin_cli("db", "restore", str(backup), "--in-place").code == 2


@pytest.mark.parametrize(("flags", "answers"), [((), "y\nn\n"), (("--keep-agents",), "n\n")])
def test_a_terminal_user_is_asked_for_each_kind_without_a_flag(
    admin_cli, backup, data_folder, monkeypatch, flags, answers
):
    """The answer yes keeps the objects of that kind; all other objects are disabled."""
    _delete_database(data_folder)
    typed = io.StringIO(answers)
    typed.isatty = lambda: True
    monkeypatch.setattr("sys.stdin", typed)
    output = admin_cli("db", "restore", str(backup), *flags).out
    assert ("Agents as of " in output) == ("  bot\n" in output) == (not flags)
    assert "Apps as of " in output
    assert admin_cli("agents", "show", "bot", "--json").document["state"] == "enabled"
    assert admin_cli("apps", "show", "chat", "--json").document["state"] == "disabled"


def test_devices_enable_finds_only_devices_that_a_restore_turned_off(admin_cli):
    """A device that was revoked, or does not exist, cannot be enabled."""
    assert admin_cli("devices", "enable", "sayso_dv_nobody", "--json").error["code"] == "not_found"
    assert admin_cli("devices", "enable", "--user", "admin", "--json").error["code"] == "not_found"
    assert admin_cli("devices", "enable").code == 2
    assert json.loads(admin_cli("devices", "list", "--json").out)["items"] == []


def test_a_backup_has_its_name_only_when_it_is_complete(admin_cli, tmp_path, monkeypatch):
    """A process that is killed leaves no file that looks like a backup."""
    target, seen = tmp_path / "monday.sayso", []

    add = archives._add

    def write_member(*arguments) -> None:
        add(*arguments)
        seen.append(target.exists())

    monkeypatch.setattr(archives, "_add", write_member)
    admin_cli("db", "backup", str(target), "--json")
    assert len(seen) >= 3
    assert not any(seen)
    assert target.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.glob("*sayso*")] == [target.name]


def test_a_path_can_have_any_character(sayso, monkeypatch, tmp_path):
    """The path is part of a URL, in which `?` and `%` have a meaning."""
    odd = tmp_path / "50%41 of? #a@b:c"
    monkeypatch.setenv("SAYSO_DATA_DIR", str(odd / "data"))
    assert sayso("init").code == 0
    assert sayso("db", "backup", str(odd / "backup")).code == 0
    (odd / "data" / "sayso.db").rename(odd / "later.db")
    since = ("--since", str(odd / "later.db"))
    assert sayso("db", "restore", str(odd / "backup"), *since, "--json").document["compared"]
    assert sayso("users", "list", "--json").document["items"][0]["user"] == "admin"
    assert [path.name for path in tmp_path.iterdir()] == [odd.name]
