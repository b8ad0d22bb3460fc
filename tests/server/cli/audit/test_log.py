"""`sayso audit`: exporting the audit log and verifying it."""

import io
import json
import shutil
import time
from types import SimpleNamespace

import pytest

from server import app
from server.audit_log import notes
from server.audit_log.notes import LogKey

MONTH = 31 * 24 * 60 * 60 * 10**9


def _key(admin_cli):
    return admin_cli("audit", "key").out.strip()


@pytest.fixture
def bundle(admin_cli, tmp_path):
    """The exported audit log of an installation."""
    file = tmp_path / "log.jsonl"
    result = admin_cli("audit", "export", str(file))
    assert (result.code, result.out) == (0, f"Wrote the whole log to {file}.\n")
    return file


def test_an_exported_log_is_verified(admin_cli, bundle):
    """The public key is enough; the file is private, because it contains names."""
    result = admin_cli("audit", "verify", str(bundle), "--log-key", _key(admin_cli))
    assert result.code == 0
    assert result.out.startswith("Verified: ")
    assert bundle.stat().st_mode & 0o077 == 0


def test_a_changed_bundle_exits_with_20(admin_cli, bundle):
    """The error names the entry that was changed."""
    bundle.write_text(bundle.read_text().replace("operator", "somebody", 1))
    result = admin_cli("audit", "verify", str(bundle), "--log-key", _key(admin_cli), "--json")
    assert result.code == 20
    assert result.error["code"] == "broken_log"
    assert result.error["message"].startswith("Entry 0 was changed")


def test_a_bundle_is_never_overwritten(admin_cli, bundle):
    """The export is refused, because the existing file may be evidence."""
    before = bundle.read_bytes()
    assert admin_cli("audit", "export", str(bundle)).code == 6
    assert bundle.read_bytes() == before


def test_a_stored_checkpoint_is_part_of_a_later_log(admin_cli, bundle, tmp_path):
    """A log that is older than the checkpoint exits with 20."""
    checkpoint, later = tmp_path / "checkpoint", tmp_path / "later.jsonl"
    checkpoint.write_text(admin_cli("audit", "checkpoint").out)
    assert admin_cli("agents", "add", "bot", "--owner", "admin").code == 0
    assert admin_cli("audit", "export", str(later)).code == 0
    flags = ("--log-key", _key(admin_cli), "--since", str(checkpoint))
    assert admin_cli("audit", "verify", str(later), *flags).code == 0
    checkpoint.write_text(admin_cli("audit", "checkpoint").out)
    old = admin_cli("audit", "verify", str(bundle), *flags)
    assert old.code == 20
    assert "The log is older than your checkpoint" in old.err


@pytest.mark.parametrize(
    ("log_key", "message"),
    [("nonsense", "not the public key of a log"), ("", "not the public key of a log")],
)
def test_a_bad_key_is_a_usage_error(admin_cli, bundle, log_key, message):
    """An invalid key must not look like a broken log, which exits with 20."""
    result = admin_cli("audit", "verify", str(bundle), "--log-key", log_key)
    assert result.code == 2
    assert message in result.err


def test_a_file_that_is_not_a_bundle_is_a_usage_error(admin_cli, tmp_path):
    """The error names the command that writes a bundle."""
    (tmp_path / "other").write_text("hello\n")
    result = admin_cli("audit", "verify", str(tmp_path / "other"), "--log-key", _key(admin_cli))
    assert result.code == 2
    assert "sayso audit export" in result.err


def test_one_entry_is_proved(admin_cli, tmp_path):
    """The proof is a file that can be verified with the key alone."""
    entry = json.loads(admin_cli("audit", "search", "--json").out)["items"][0]["id"]
    proof = tmp_path / "proof"
    proof.write_text(admin_cli("audit", "prove", entry).out)
    result = admin_cli("audit", "verify", str(proof), "--log-key", _key(admin_cli))
    assert result.code == 0
    assert f'"id": "{entry}"' in result.out
    assert admin_cli("audit", "prove", "other").code == 3


@pytest.mark.usefixtures("bundle")
def test_a_replaced_key_signs_from_now_on(admin_cli, data_folder, tmp_path):
    """Old checkpoints need the old key, and the log has the new key signed by the old one."""
    old, later = _key(admin_cli), tmp_path / "later.jsonl"
    result = admin_cli("audit", "rotate-key")
    assert result.code == 0
    new = result.out.strip()
    assert new == _key(admin_cli) != old
    assert len(list(data_folder.glob("log.key*"))) == 2
    assert admin_cli("audit", "export", str(later)).code == 0
    key_flags = ("--log-key", old, "--log-key", new)
    assert admin_cli("audit", "verify", str(later), *key_flags).code == 0
    for key in (old, new):
        assert admin_cli("audit", "verify", str(later), "--log-key", key).code == 20
    entry = json.loads(admin_cli("audit", "search", "--type", "log_key.replaced", "--json").out)[
        "items"
    ][0]
    note = entry["facts"]["note"]
    assert notes.read_replacement(note, LogKey.read(old)).text == new


@pytest.mark.usefixtures("bundle")
def test_a_lost_key_can_be_replaced(admin_cli, data_folder):
    """Without the key the audit commands fail, and the error names the remedy."""
    (data_folder / "log.key").unlink()
    refused = admin_cli("audit", "key")
    assert refused.code == 1
    assert "log.key is missing" in refused.err
    assert "sayso audit rotate-key" in refused.err
    assert "log.key is missing" in admin_cli("doctor").out
    assert admin_cli("audit", "rotate-key").code == 0
    assert admin_cli("audit", "key").code == 0
    assert "audit log" not in admin_cli("doctor").out
    entries = admin_cli("audit", "search", "--type", "log_key.replaced", "--json").out
    assert "note" not in json.loads(entries)["items"][0]["facts"]


def test_an_erased_user_is_not_in_the_log(admin_cli, tmp_path):
    """Every command shows the text as erased, and the log still verifies."""
    result = admin_cli("audit", "erase", "admin", "--force", "--json")
    user, texts = result.document["user"], result.document["texts"]
    assert (result.code, texts) == (0, 1)
    added = admin_cli("audit", "search", "--type", "user.added", "--json").document["items"][0]
    assert (added["facts"]["name"], added["erased"], added["subject"]) == ("erased", ["name"], user)
    output = admin_cli("audit", "tail").out
    assert "name=erased" in output
    assert "audit.erased" in output
    assert '"erased"' in admin_cli("audit", "stream", "-", "--once").out
    file = tmp_path / "log.jsonl"
    assert admin_cli("audit", "export", str(file)).code == 0
    verified = admin_cli("audit", "verify", str(file), "--log-key", _key(admin_cli))
    assert (verified.code, ", 1 erased text." in verified.out) == (0, True)
    again = admin_cli("audit", "erase", "admin", "--force")
    assert again.out == "Erased 0 texts of admin from the audit log. IDs are kept.\n"
    assert admin_cli("audit", "erase", "nobody").code == 3


def test_a_user_is_erased_only_after_a_confirmation(admin_cli, monkeypatch):
    """Scripts add --force; at a terminal the question names the user, and no is the default."""
    user = admin_cli("users", "show", "admin", "--json").document["id"]
    refused = admin_cli("audit", "erase", user, "--json")
    assert (refused.code, refused.error["code"]) == (6, "conflict")
    assert refused.error["message"] == (
        "Erasing admin cannot be undone. To skip the question, add --force."
    )
    for reply in ("n\n", "\n"):
        monkeypatch.setattr("sys.stdin", _Terminal(reply))
        aborted = admin_cli("audit", "erase", user)
        assert (aborted.code, aborted.out) == (130, "")
        assert "Permanently erase admin from the audit log? [y/N]" in aborted.err
    assert "audit.erased" not in admin_cli("audit", "tail").out
    monkeypatch.setattr("sys.stdin", _Terminal("y\n"))
    assert admin_cli("audit", "erase", user, "--json").document == {"user": user, "texts": 1}


class _Terminal(io.StringIO):
    """A person at a terminal who types a reply."""

    def isatty(self) -> bool:
        return True


def test_a_text_that_was_changed_in_a_bundle_exits_with_20(admin_cli, bundle):
    """The error names the entry and the member; a removed text is accepted."""
    lines = [json.loads(line) for line in bundle.read_text().splitlines()]
    (entry,) = (line for line in lines if "openings" in line)
    verify = ("audit", "verify", str(bundle), "--log-key", _key(admin_cli))
    entry["openings"]["name"][0] = "mallory"
    bundle.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    result = admin_cli(*verify)
    assert result.code == 20
    assert f"Entry {entry['seq']}: The text of `name` does not match" in result.err
    del entry["openings"]
    bundle.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert admin_cli(*verify).code == 0


def test_a_bundle_is_compared_with_a_later_one_and_with_the_log(admin_cli, bundle, tmp_path):
    """New and erased entries are listed, and neither log lost an entry."""
    same = admin_cli("audit", "diff", str(bundle))
    count = len([line for line in bundle.read_text().splitlines() if '"seq"' in line])
    assert (same.code, same.out) == (0, f"{count} entries in both, 0 in only one of them.\n")
    admin_cli("agents", "add", "bot", "--owner", "admin")
    admin_cli("audit", "erase", "admin", "--force")
    later = tmp_path / "later.jsonl"
    assert admin_cli("audit", "export", str(later)).code == 0
    for arguments in ((str(bundle),), (str(bundle), str(later))):
        result = admin_cli("audit", "diff", *arguments)
        assert result.code == 0
        head, added, erased = result.out.splitlines()
        assert head == f"{count} entries in both, 2 in only one of them. 1 text erased."
        assert added.startswith(f"+ {count}  ")
        assert added.endswith("  agent.added  operator")
        assert "audit.erased" in erased
    difference = admin_cli("audit", "diff", str(later), str(bundle), "--json").document
    assert [entry["type"] for entry in difference["only_first"]] == ["agent.added", "audit.erased"]
    assert (difference["common"], difference["only_second"]) == (count, [])


def test_diff_exits_with_20_if_an_entry_is_missing_or_different(
    admin_cli, bundle, data_folder, tmp_path
):
    """The database was replaced with an older copy. The error names the entry."""
    old = tmp_path / "old"
    shutil.copytree(data_folder, old)
    count = len([line for line in bundle.read_text().splitlines() if '"seq"' in line])
    admin_cli("agents", "add", "bot", "--owner", "admin")
    later = tmp_path / "later.jsonl"
    assert admin_cli("audit", "export", str(later)).code == 0
    shutil.rmtree(data_folder)
    shutil.copytree(old, data_folder)
    diff = admin_cli("audit", "diff", str(later), "--json")
    assert (diff.code, diff.error["code"]) == (20, "broken_log")
    assert diff.error["message"] == f"Entry {count} is missing from the log of this installation."
    admin_cli("agents", "add", "other", "--owner", "admin")
    forked = admin_cli("audit", "diff", str(later))
    assert forked.code == 20
    assert f"Entry {count} is not the same in both logs" in forked.err


def test_recent_entries_keep_their_contents(admin_cli):
    """The error names the flag, and a time in the future is refused too."""
    for when in ("0", "29d", "2999-01-01"):
        refused = admin_cli("audit", "trim", "--before", when)
        assert (refused.code, refused.out) == (2, "")
        assert "--before must be at least 30 days ago." in refused.err


def test_old_entries_lose_their_contents(admin_cli, bundle, tmp_path, monkeypatch):
    """The log still verifies, and it is still the log that was exported before."""
    monkeypatch.setattr(app, "time", SimpleNamespace(time_ns=lambda: time.time_ns() + MONTH))
    count = len([line for line in bundle.read_text().splitlines() if '"seq"' in line])
    result = admin_cli("audit", "trim", "--before", "30d", "--force", "--json").document
    assert result == {"before": count, "entries": count}
    file = tmp_path / "trimmed.jsonl"
    assert admin_cli("audit", "export", str(file)).code == 0
    verified = admin_cli("audit", "verify", str(file), "--log-key", _key(admin_cli))
    assert verified.code == 0
    assert verified.out.startswith(f"Verified: {count + 1} entries ({count} without contents), ")
    assert [line[:3] for line in admin_cli("audit", "diff", str(bundle)).out.splitlines()[1:]] == [
        f"+ {count}"
    ]
    assert len(admin_cli("audit", "stream", "-", "--once").out.splitlines()) == 1
    assert len(admin_cli("audit", "tail").out.splitlines()) == 1
    shorter = tmp_path / "header"
    shorter.write_text(bundle.read_text().splitlines()[0] + "\n")
    assert "+ 0  (no contents)" in admin_cli("audit", "diff", str(shorter), str(file)).out
    again = admin_cli("audit", "trim", "--before", "30d", "--force")
    assert again.out == "Deleted the contents of 0 entries.\n"
    assert len(admin_cli("audit", "tail").out.splitlines()) == 1


def test_entries_are_trimmed_only_after_a_confirmation(admin_cli, bundle, monkeypatch):
    """Scripts add --force; at a terminal the question has the number, and no is the default."""
    monkeypatch.setattr(app, "time", SimpleNamespace(time_ns=lambda: time.time_ns() + MONTH))
    count = len([line for line in bundle.read_text().splitlines() if '"seq"' in line])
    trim = ("audit", "trim", "--before", "30d", "--json")
    refused = admin_cli(*trim)
    assert (refused.code, refused.error["code"]) == (6, "conflict")
    assert refused.error["message"] == (
        f"Deleting the contents of {count} entries cannot be undone. "
        "To delete without a question, add --force."
    )
    for reply in ("n\n", "\n"):
        monkeypatch.setattr("sys.stdin", _Terminal(reply))
        aborted = admin_cli(*trim)
        assert (aborted.code, aborted.out) == (130, "")
        assert f"Permanently delete the contents of {count} entries? [y/N]" in aborted.err
    assert len(admin_cli("audit", "tail").out.splitlines()) == count
    monkeypatch.setattr("sys.stdin", _Terminal("y\n"))
    assert admin_cli(*trim).document == {"before": count, "entries": count}


def test_a_value_is_hashed_and_searched_for(admin_cli, tmp_path):
    """The value is read from a file, because other users can see a command's arguments."""
    file = tmp_path / "value"
    file.write_text("sayso_ar_handle\n")
    first = admin_cli("audit", "hash", str(file)).out.strip()
    assert first == admin_cli("audit", "hash", str(file), "--json").document["hash"]
    file.write_text("other")
    assert admin_cli("audit", "hash", str(file)).out.strip() != first
    assert admin_cli("audit", "search", "--hash", first, "--json").document == {"items": []}
