"""`sayso audit`: what auditors get, and how it is verified."""

import json

import pytest

from server.audit_log import notes
from server.audit_log.notes import LogKey


def _key(admin_cli):
    return admin_cli("audit", "key").out.strip()


@pytest.fixture
def bundle(admin_cli, tmp_path):
    """The exported log of an installation."""
    file = tmp_path / "log.jsonl"
    done = admin_cli("audit", "export", str(file))
    assert (done.code, done.out) == (0, f"{file} has the whole log.\n")
    return file


def test_an_exported_log_is_verified(admin_cli, bundle):
    """With the public key; the file is private, because it has names."""
    done = admin_cli("audit", "verify", str(bundle), "--log-key", _key(admin_cli))
    assert done.code == 0
    assert done.out.startswith("Verified: ")
    assert bundle.stat().st_mode & 0o077 == 0


def test_a_changed_bundle_exits_with_20(admin_cli, bundle):
    """The error names the entry."""
    bundle.write_text(bundle.read_text().replace("operator", "somebody", 1))
    done = admin_cli("audit", "verify", str(bundle), "--log-key", _key(admin_cli), "--json")
    assert done.code == 20
    assert done.error["code"] == "broken_log"
    assert done.error["message"].startswith("Entry 0 was changed")


def test_a_bundle_is_never_overwritten(admin_cli, bundle):
    """The first one may be evidence."""
    before = bundle.read_bytes()
    assert admin_cli("audit", "export", str(bundle)).code == 6
    assert bundle.read_bytes() == before


def test_a_kept_checkpoint_is_in_a_later_log(admin_cli, bundle, tmp_path):
    """And not in a log of another installation."""
    kept, later = tmp_path / "checkpoint", tmp_path / "later.jsonl"
    kept.write_text(admin_cli("audit", "checkpoint").out)
    assert admin_cli("agents", "add", "bot", "--owner", "admin").code == 0
    assert admin_cli("audit", "export", str(later)).code == 0
    wanted = ("--log-key", _key(admin_cli), "--since", str(kept))
    assert admin_cli("audit", "verify", str(later), *wanted).code == 0
    kept.write_text(admin_cli("audit", "checkpoint").out)
    old = admin_cli("audit", "verify", str(bundle), *wanted)
    assert old.code == 20
    assert "The log is older than your checkpoint" in old.err


@pytest.mark.parametrize(
    ("given", "message"),
    [("nonsense", "not the public key of a log"), ("", "not the public key of a log")],
)
def test_a_bad_key_is_a_usage_error(admin_cli, bundle, given, message):
    """It is not the log that is broken."""
    done = admin_cli("audit", "verify", str(bundle), "--log-key", given)
    assert done.code == 2
    assert message in done.err


def test_another_file_is_a_usage_error(admin_cli, tmp_path):
    """The error says what writes a bundle."""
    (tmp_path / "other").write_text("hello\n")
    done = admin_cli("audit", "verify", str(tmp_path / "other"), "--log-key", _key(admin_cli))
    assert done.code == 2
    assert "sayso audit export" in done.err


def test_one_entry_is_proved(admin_cli, tmp_path):
    """The proof is a file that needs nothing else."""
    entry = json.loads(admin_cli("audit", "search", "--json").out)["items"][0]["id"]
    proof = tmp_path / "proof"
    proof.write_text(admin_cli("audit", "prove", entry).out)
    done = admin_cli("audit", "verify", str(proof), "--log-key", _key(admin_cli))
    assert done.code == 0
    assert f'"id": "{entry}"' in done.out
    assert admin_cli("audit", "prove", "other").code == 3


@pytest.mark.usefixtures("bundle")
def test_a_replaced_key_signs_from_now_on(admin_cli, data_folder, tmp_path):
    """Old checkpoints need the old key; the old file stays, and the log says what happened."""
    old, later = _key(admin_cli), tmp_path / "later.jsonl"
    done = admin_cli("audit", "rotate-key")
    assert done.code == 0
    new = done.out.strip()
    assert new == _key(admin_cli) != old
    assert len(list(data_folder.glob("log.key*"))) == 2
    assert admin_cli("audit", "export", str(later)).code == 0
    both = ("--log-key", old, "--log-key", new)
    assert admin_cli("audit", "verify", str(later), *both).code == 0
    for one in (old, new):
        assert admin_cli("audit", "verify", str(later), "--log-key", one).code == 20
    entry = json.loads(admin_cli("audit", "search", "--type", "log_key.replaced", "--json").out)[
        "items"
    ][0]
    note = entry["facts"]["note"]
    assert notes.replaced(note, LogKey.read(old)).text == new


@pytest.mark.usefixtures("bundle")
def test_a_lost_key_can_be_replaced(admin_cli, data_folder):
    """Nothing else works without it, and the error says what to do."""
    (data_folder / "log.key").unlink()
    refused = admin_cli("audit", "key")
    assert refused.code == 1
    assert "log.key is missing" in refused.err
    assert "sayso audit rotate-key" in refused.err
    assert "log.key is missing" in admin_cli("doctor").out
    assert admin_cli("audit", "rotate-key").code == 0
    assert admin_cli("audit", "key").code == 0
    assert "audit log" not in admin_cli("doctor").out
    found = admin_cli("audit", "search", "--type", "log_key.replaced", "--json").out
    assert "note" not in json.loads(found)["items"][0]["facts"]
