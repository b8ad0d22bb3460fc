"""Modules that are imported when they are needed."""

import gc

import pytest

from approver_tui import loading


@pytest.fixture(autouse=True)
def thawed():
    """Unfreeze the objects that the garbage collector ignores, before and after the test."""
    gc.unfreeze()
    yield
    gc.unfreeze()


def test_imported_modules_are_frozen(tmp_path, monkeypatch):
    """Frozen objects save tens of milliseconds in every full garbage collection."""
    (tmp_path / "made_for_this.py").write_text("import gc\nseen = gc.isenabled()\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert not loading.module("made_for_this").seen
    assert gc.get_freeze_count() > 10_000
    assert gc.isenabled()


def test_a_loaded_module_is_returned():
    """Loading a module that is already imported does not freeze any objects."""
    assert loading.module("approver_tui.loading") is loading
    assert gc.get_freeze_count() == 0


def test_a_failed_import_leaves_the_collector_on():
    """The import error is raised, and the garbage collector is enabled again."""
    with pytest.raises(ModuleNotFoundError):
        loading.module("approver_tui.nothing")
    assert gc.isenabled()
