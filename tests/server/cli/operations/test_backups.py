"""Backups on the command line: what is in one, what is refused, and what a restore asks."""

import io
import json
import tarfile
from pathlib import Path

import pytest

from server.app import build
from server.services.operations.restores import KINDS, ONLY_KNOWN
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
def backup(begun, tmp_path) -> Path:
    """A backup of an installation with an agent, an app and a password."""
    begun("agents", "add", "bot", "--owner", "admin")
    begun("apps", "add", "chat", "--redirect-uri", "https://chat.example/back")
    target = tmp_path / "monday.sayso"
    told = begun("db", "backup", str(target), "--json").document
    assert (told["database"], told["with_keys"]) == ("sqlite", False)
    return target


def _rewritten(backup: Path, **changed: bytes) -> None:
    """The same archive with other bytes in some members."""
    with tarfile.open(backup) as tar:
        members = {name: tar.extractfile(name).read() for name in tar.getnames()}
    members |= changed
    with tarfile.open(backup, "w") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def _lose(folder: Path) -> None:
    for path in folder.glob("sayso.db*"):
        path.unlink()


def test_a_backup_names_its_keys_and_has_them_only_when_told(begun, backup, folder, tmp_path):
    """Together they open everything."""
    with tarfile.open(backup) as tar:
        assert sorted(tar.getnames()) == ["database", "manifest.json", "manifest.mac"]
    told = begun("db", "backup", str(tmp_path / "plain")).out
    assert str(folder / "master.key") in told
    assert str(folder / "pin.key") in told
    whole = tmp_path / "whole.sayso"
    made = begun("db", "backup", str(whole), "--with-keys", "--json").document
    assert (made["with_keys"], made["keys_apart"]) == (True, [])
    with tarfile.open(whole) as tar:
        assert {"keys/master", "keys/pin"} <= set(tar.getnames())


@pytest.mark.usefixtures("backup")
def test_a_backup_with_keys_is_enough_for_a_new_machine(begun, folder, tmp_path):
    """The keys get their places, for their owner only."""
    whole = tmp_path / "whole.sayso"
    begun("db", "backup", str(whole), "--with-keys")
    before = _contents(folder)
    for path in folder.iterdir():
        path.unlink()
    assert begun("db", "restore", str(whole), "--keep-agents").code == 0
    for name in ("master.key", "pin.key"):
        assert (folder / name).read_bytes() == before[name]
        assert (folder / name).stat().st_mode & 0o777 == 0o600
    assert begun("agents", "show", "bot", "--json").document["state"] == "enabled"


def test_without_its_keys_a_backup_is_refused_by_the_name_of_the_file(begun, backup, folder):
    """Nothing is made in its place."""
    _lose(folder)
    (folder / "pin.key").unlink()
    refused = begun("db", "restore", str(backup), "--json")
    assert (refused.code, refused.error["code"]) == (1, "bad_key_file")
    assert str(folder / "pin.key") in refused.error["message"]
    (folder / "master.key").write_bytes(b"x" * 32)
    assert "master key" in begun("db", "restore", str(backup), "--json").error["message"]
    assert sorted(path.name for path in folder.iterdir()) == ["master.key"]


@pytest.mark.parametrize("member", ["database", "manifest.json", "manifest.mac"])
def test_a_backup_that_was_damaged_or_changed_is_refused_and_changes_nothing(
    begun, backup, folder, member
):
    """A hash or the manifest's own code does not fit; exit 20, as for whatever does not verify."""
    with tarfile.open(backup) as tar:
        before = tar.extractfile(member).read()
    changed = {
        "database": before[:-1] + bytes([before[-1] ^ 1]),
        "manifest.json": before.replace(b'"program"', b' "program"'),
        "manifest.mac": b"0" * len(before),
    }[member]
    _rewritten(backup, **{member: changed})
    there = _contents(folder)
    refused = begun("db", "restore", str(backup), "--force", "--json")
    assert (refused.code, refused.error["code"]) == (20, "bad_backup")
    assert _contents(folder) == there


@pytest.mark.parametrize("content", [b"", b"no tar", b"\0" * 2048])
def test_what_is_no_backup_is_refused(begun, tmp_path, content):
    """Whatever it is."""
    (tmp_path / "other").write_bytes(content)
    refused = begun("db", "restore", str(tmp_path / "other"), "--force", "--json")
    assert (refused.code, refused.error["code"]) == (20, "bad_backup")


def test_an_installation_is_replaced_only_by_force_and_kept_beside(begun, backup):
    """The one before is there, with everything that it had."""
    begun("agents", "add", "later", "--owner", "admin")
    refused = begun("db", "restore", str(backup), "--json")
    assert (refused.code, refused.error["code"]) == (6, "conflict")
    told = begun("db", "restore", str(backup), "--force", "--json").document
    assert Path(told["replaced"]).name == "sayso.db.replaced-1"
    names = [one["name"] for one in begun("agents", "list", "--json").document["items"]]
    assert names == ["bot"]
    assert b"later" in Path(told["replaced"]).read_bytes()


def test_nothing_is_restored_while_the_database_is_in_use(begun, backup, folder):
    """A server holds it, and so does every other command."""
    there = _contents(folder)
    services = build(Settings(data_dir=folder))
    refused = begun("db", "restore", str(backup), "--force", "--json")
    services.store.close()
    assert (refused.code, refused.error["code"]) == (6, "in_use")
    assert _contents(folder)["sayso.db"] == there["sayso.db"]
    assert begun("db", "restore", str(backup), "--force", "--json").code == 0


def test_a_file_out_of_a_backup_cannot_be_used_before_it_is_restored(begun, backup, folder):
    """Whoever unpacks it by hand is told the command."""
    _lose(folder)
    with tarfile.open(backup) as tar:
        (folder / "sayso.db").write_bytes(tar.extractfile("database").read())
    refused = begun("agents", "list", "--json")
    assert (refused.code, refused.error["code"]) == (1, "schema_mismatch")
    assert "sayso db restore FILE" in refused.error["message"]


def test_every_kind_has_its_flag():
    """But people: without a device or a password they can do nothing."""
    assert {flag.removeprefix("--keep-") for flag in _KEEP} == set(KINDS) - ONLY_KNOWN


@pytest.mark.parametrize("flag", _KEEP)
def test_a_kind_is_kept_by_its_flag(begun, backup, folder, flag):
    """It keeps one kind and no other."""
    kind = flag.removeprefix("--keep-")
    _lose(folder)
    told = begun("db", "restore", str(backup), flag, "--json").document
    there = {"agents": 1, "apps": 1}
    assert told["compared"] is False
    assert told["held"] == {one: 0 if one == kind else there.get(one, 0) for one in KINDS}
    (entry,) = begun("audit", "search", "--type", "installation.restored", "--json").document[
        "items"
    ]
    assert entry["facts"]["kept"] == [kind]


def test_a_later_database_says_what_changed(begun, backup, folder, tmp_path):
    """`db restore --since`: what is as it was goes on, what changed does not."""
    begun("agents", "add", "other", "--owner", "admin")
    begun("apps", "update", "chat", "--disable")
    later = tmp_path / "later.db"
    later.write_bytes((folder / "sayso.db").read_bytes())
    _lose(folder)
    told = begun("db", "restore", str(backup), "--since", str(later), "--json").document
    assert (told["compared"], told["held"]["agents"], told["held"]["apps"]) == (True, 0, 1)


@pytest.mark.usefixtures("backup")
def test_a_database_that_was_put_back_is_made_safe_in_place(begun):
    """`db restore --in-place`; the doctor says what waits."""
    told = begun("db", "restore", "--in-place", "--json").document
    assert (told["held"]["agents"], told["replaced"]) == (1, None)
    assert "Run: sayso agents enable bot" in begun("doctor").out
    begun("agents", "enable", "bot")
    assert "Run: sayso agents enable bot" not in begun("doctor").out


def test_a_restore_takes_a_backup_or_happens_in_place(begun, backup):
    """Not both, and not neither."""
    assert begun("db", "restore").code == 2
    assert begun("db", "restore", str(backup), "--in-place").code == 2


def test_somebody_at_a_terminal_is_asked_with_the_list(begun, backup, folder, monkeypatch):
    """Yes keeps that kind; the rest is turned off."""
    _lose(folder)
    typed = io.StringIO("y\nn\n")
    typed.isatty = lambda: True
    monkeypatch.setattr("sys.stdin", typed)
    told = begun("db", "restore", str(backup)).out
    assert "1 agents as of " in told
    assert "  bot\n" in told
    assert begun("agents", "show", "bot", "--json").document["state"] == "enabled"
    assert begun("apps", "show", "chat", "--json").document["state"] == "disabled"


def test_only_what_a_restore_turned_off_is_enabled(begun):
    """`devices enable --user`: a device that was revoked stays revoked."""
    assert begun("devices", "enable", "sayso_dv_nobody", "--json").error["code"] == "not_found"
    assert begun("devices", "enable", "--user", "admin", "--json").error["code"] == "not_found"
    assert begun("devices", "enable").code == 2
    assert json.loads(begun("devices", "list", "--json").out)["items"] == []
