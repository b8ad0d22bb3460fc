"""Test files that a table names.

Owns: the check that each of them exists, so a renamed file does not lose its row unnoticed.
"""

from collections.abc import Iterable
from pathlib import Path


def named_files(folder: Path, names: Iterable[str]) -> frozenset[Path]:
    """Return `test_NAME.py` for each name. Raises FileNotFoundError if a file is missing."""
    files = frozenset(folder / f"test_{name}.py" for name in names)
    if missing := sorted(str(file) for file in files if not file.is_file()):
        raise FileNotFoundError(f"A table of test files names {', '.join(missing)}.")
    return files
