"""Opens the installation for one command.

Owns: which services a command gets. Never: printing.
"""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Concatenate, ParamSpec

import click

from server.app import Services, build
from server.cli.flags import settings_of
from server.cli.remedies import with_flags
from server.services.audit import audit
from server.services.operations.administration import AdminServices
from server.services.operations.installation import Installation
from server.services.users.passwords import Passwords
from server.settings import Settings

P = ParamSpec("P")

BY = audit.OPERATOR
"""The actor of commands: everyone who can read the data folder."""


class OpenInstallation(AdminServices):
    """The administration services, and those that only commands use."""

    def __init__(self, services: Services) -> None:
        super().__init__(services.store, services)
        self.services = services
        self.passwords = Passwords(services.store, services.passwords)
        self.installation = Installation(services.store, services.secrets, services.signer)

    @property
    def issuer(self) -> str:
        """The public URL, for printed commands."""
        return self.services.rules.issuer

    @property
    def now(self) -> int:
        """Milliseconds since the epoch."""
        return self.services.clock.now()


@contextmanager
def opened(settings: Settings) -> Iterator[OpenInstallation]:
    """Open the installation, and close it afterwards."""
    services = build(settings)
    try:
        yield OpenInstallation(services)
    finally:
        services.store.close()


def administers(function: Callable[Concatenate[OpenInstallation, P], None]) -> Callable[P, None]:
    """Pass the open installation to the command as its first argument."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        context = click.get_current_context()
        with with_flags(context.command), opened(settings_of(context)) as services:
            function(services, *args, **kwargs)

    return run
