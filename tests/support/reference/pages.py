"""The pages of the reference that are generated from the code."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from tests.support.checks.source import ROOT
from tests.support.reference import audit_entries, command_line, configuration, http_api

FOLDER: Final = ROOT / "docs" / "reference"
PAGES: Final[Mapping[str, Callable[[], str]]] = MappingProxyType(
    {
        "audit-entries.md": audit_entries.page,
        "command-line.md": command_line.page,
        "configuration.md": configuration.page,
        "http-api.md": http_api.page,
    }
)
"""File name of each page → the function that returns its text."""
