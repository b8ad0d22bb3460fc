"""Every package and module has a docstring that states its purpose."""

import ast
from pathlib import Path

from tests.support.checks.source import PACKAGES, ROOT, modules


def test_every_module_has_a_docstring():
    """The rule includes the modules of the test support."""
    undocumented = [
        module.path
        for module in modules(*PACKAGES, "tests/support")
        if not ast.get_docstring(module.tree)
    ]
    assert undocumented == []


def test_every_package_docstring_states_its_scope():
    """One line begins with `Owns:`, another one with `Never:`."""
    incomplete = [
        f"{module.path} lacks {word}"
        for module in modules()
        if module.name == "__init__"
        for word in ("Owns:", "Never:")
        if f"\n{word}" not in (ast.get_docstring(module.tree) or "")
    ]
    assert incomplete == []


def test_every_folder_of_modules_is_a_package():
    """Import rules ignore a folder without `__init__.py`. Nothing imports Alembic's scripts."""
    folders = {Path(module.path).parent for module in modules()}
    not_packages = [
        folder.as_posix()
        for folder in sorted(folders)
        if not (ROOT / folder / "__init__.py").exists() and "migrations" not in folder.parts
    ]
    assert not_packages == []
