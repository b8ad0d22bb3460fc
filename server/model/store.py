"""The store as the services see it: units of work and read-only views.

Owns: their names and errors. The row classes are in `server.storage`. Only the type checker imports
them here; services get them from a unit of work.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from server.model.reactions import Ended, Event
    from server.storage.directory import CachedDirectory as Directory
    from server.storage.store import Unit, View
else:
    Directory = Unit = View = object

__all__ = ["Busy", "Directory", "React", "Store", "Taken", "Unit", "View"]

React: TypeAlias = Callable[[Unit, "Event"], "Ended"]
"""Runs the functions that handle an event (`services.reactions.react`)."""


class Taken(Exception):
    """A unique name is already used."""


class Busy(Exception):
    """The store did not answer in time. Nothing was changed."""


class Store(Protocol):
    """The database.

    `write()` MUST return only after the COMMIT, MUST raise `Busy` instead of waiting forever, and
    MUST roll back if the block raises. The block must not send anything, or wait for anything.
    """

    def write(self) -> AbstractContextManager[Unit]: ...
    def administer(self) -> AbstractContextManager[Unit]:
        """Return a unit of work that changes agents, apps, users, resources, action types or keys.

        It MUST increment `admin_version`, and MUST exclude all other units of work.
        """

    def read(self) -> AbstractContextManager[View]: ...
