"""An old database that was copied back by hand is refused until it is restored properly."""

from pathlib import Path

import pytest

from server.app import build
from server.backups import restoring
from server.rollback_guard import FILE, OldDatabase, RollbackGuard
from server.settings import Settings
from server.storage.open import SchemaMismatch
from tests.support.builders.clock import NOON
from tests.support.builders.installation import BY
from tests.support.builders.site import LocalSite, open_site


def _note_and_close(local: LocalSite) -> None:
    RollbackGuard(local.services.settings, local.services.store).note()
    local.services.store.close()


@pytest.fixture
def copied_back(tmp_path: Path) -> Settings:
    """An installation whose database is older than its last-seen file."""
    first = open_site(tmp_path)
    first.admin.installation.init("admin", by=BY)
    _note_and_close(first)
    old_database = (tmp_path / "sayso.db").read_bytes()
    later = open_site(tmp_path)
    later.clock.forward(1_000)
    later.admin.users.enroll("admin", by=BY)
    _note_and_close(later)
    (tmp_path / "sayso.db").write_bytes(old_database)
    return Settings(data_dir=tmp_path)


def test_every_process_refuses_an_older_database(copied_back: Settings) -> None:
    """The error names the command that restores the database safely."""
    with pytest.raises(OldDatabase, match="sayso db restore --in-place"):
        build(copied_back)
    with restoring.in_place(copied_back, NOON) as prepared:
        restoring.finish(prepared, ())
    build(copied_back).store.close()


def test_another_host_accepts_a_database_restored_since_it_last_served(
    copied_back: Settings,
) -> None:
    """No second restore is needed, although the last-seen file names entries from before it.

    A database that lacks entries made after the restore is still refused.
    """
    file = copied_back.data_dir / FILE
    last_seen = file.read_text()
    with restoring.in_place(copied_back, NOON + 2_000) as prepared:
        restoring.finish(prepared, ())
    file.write_text(last_seen)
    build(copied_back).store.close()
    file.write_text(f"{NOON + 2_001:012x}-0000-000000000000\n")
    with pytest.raises(OldDatabase):
        build(copied_back)


def test_a_database_newer_than_the_last_seen_file_is_accepted(tmp_path: Path) -> None:
    """The file can be older than the database after a server was killed."""
    first = open_site(tmp_path)
    first.admin.installation.init("admin", by=BY)
    _note_and_close(first)
    later = open_site(tmp_path)
    later.clock.forward(1_000)
    later.admin.users.enroll("admin", by=BY)
    later.services.store.close()
    build(Settings(data_dir=tmp_path)).store.close()


def test_a_new_database_with_an_old_last_seen_file_is_accepted(tmp_path: Path) -> None:
    """A new database has no entries that could be repeated. It is accepted the next time too."""
    (tmp_path / FILE).write_text("entry of another database\n")
    build(Settings(data_dir=tmp_path)).store.close()
    build(Settings(data_dir=tmp_path)).store.close()


def test_a_database_without_its_installation_row_is_refused(
    tmp_path: Path, copied_back: Settings
) -> None:
    """The error names the command that restores a backup."""
    with restoring.in_place(copied_back, NOON) as prepared:
        restoring.finish(prepared, ())
    services = build(copied_back)
    with services.store.administer() as tx:
        tx._connection.exec_driver_sql("DELETE FROM installation")
    services.store.close()
    with pytest.raises(SchemaMismatch, match="sayso db restore FILE"):
        build(Settings(data_dir=tmp_path))
