"""Every package and module states its purpose in its docstring."""

import ast
from pathlib import Path

from tests.support.checks.source import PACKAGES, ROOT, modules


def test_every_module_has_a_docstring():
    """The modules of the packages and of the test support are checked."""
    silent = [
        module.path
        for module in modules(*PACKAGES, "tests/support")
        if not ast.get_docstring(module.tree)
    ]
    assert silent == []


def test_every_package_states_what_it_owns_and_what_it_never_does():
    """The docstring of a package has a line that begins with `Owns:` and one with `Never:`."""
    vague = [
        f"{module.path} lacks {word}"
        for module in modules()
        if module.name == "__init__"
        for word in ("Owns:", "Never:")
        if f"\n{word}" not in (ast.get_docstring(module.tree) or "")
    ]
    assert vague == []


def test_every_folder_of_modules_is_a_package():
    """Without `__init__.py` there is no docstring, and import rules do not see the folder.

    Alembic's scripts are the exception: nothing imports them, and their folder is not a package.
    """
    folders = {Path(module.path).parent for module in modules()}
    homeless = [
        folder.as_posix()
        for folder in sorted(folders)
        if not (ROOT / folder / "__init__.py").exists() and "migrations" not in folder.parts
    ]
    assert homeless == []
