"""Each state of each screen has a picture in both sizes, or a reason why it cannot have one."""

import importlib
import pkgutil
from pathlib import Path

import pytest

from approver_tui import screens
from approver_tui.screens.ready_screen import ReadyScreen
from tests.support.pictures.matrix import GALLERY, MATRIX, STATES, Impossible, gallery

PICTURES = Path(__file__).parent / "__snapshots__"
TESTS = Path(__file__).parents[1] / "approver_tui"
BASES = {
    "BatchPanel",
    "ButtonPanel",
    "ChangePanel",
    "CopyingScreen",
    "DenyingPanel",
    "InboxBase",
    "KeyedScreen",
    "Overlay",
    "Page",
    "Panel",
    "ReadyScreen",
    "SafeFocusScreen",
}


def _with_subclasses(base):
    return {base, *(cls for child in base.__subclasses__() for cls in _with_subclasses(child))}


def test_every_screen_is_in_the_matrix():
    """A new screen fails here until the matrix lists all of its states."""
    for module in pkgutil.walk_packages(screens.__path__, "approver_tui.screens."):
        importlib.import_module(module.name)
    own = {
        cls for cls in _with_subclasses(ReadyScreen) if cls.__module__.startswith("approver_tui.")
    }
    assert {cls.__name__ for cls in own} - BASES == set(MATRIX)


@pytest.mark.parametrize("screen", MATRIX)
def test_every_state_has_a_picture_or_a_reason(screen):
    """The matrix lists every state, and each listed picture exists in both sizes."""
    row = MATRIX[screen]
    assert set(row) == set(STATES)
    pictured = {state: cell for state, cell in row.items() if not isinstance(cell, Impossible)}
    missing = [
        (state, name)
        for state, cell in pictured.items()
        for name in (cell.format("100x30"), cell.format("40x24"))
        if not (PICTURES / f"{name}.svg").is_file()
    ]
    assert not missing


def test_no_picture_is_used_for_two_states():
    """A picture of one state does not show that another state looks right."""
    names = [cell for row in MATRIX.values() for cell in row.values() if isinstance(cell, str)]
    assert len(set(names)) == len(names)


def test_the_proofs_of_impossible_states_exist():
    """A state without a picture names a test, which must exist in the named file."""
    cells = [
        cell for row in MATRIX.values() for cell in row.values() if isinstance(cell, Impossible)
    ]
    proofs = {tuple(cell.proved.split("::")) for cell in cells if cell.proved}
    assert proofs
    for path, name in proofs:
        source = (TESTS / path).read_text(encoding="utf-8")
        assert f"def {name}(" in source, name


def test_the_gallery_page_matches_the_matrix():
    """If this fails, run `python -m tests.support.pictures.matrix`."""
    assert GALLERY.read_text(encoding="utf-8") == gallery()
