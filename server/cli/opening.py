"""Opens the installation for one command, and prints what the command returns.

Owns: which services a command gets, and naming flags instead of members in errors. Never: what is
printed.
"""

import functools
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from functools import cached_property
from typing import Concatenate, Final, ParamSpec, TypeAlias

import click

from server.cli.flags import settings_of, sqlite_file
from server.cli.output import Document, answer, if_missing_option, json_option
from server.cli.references import full_id
from server.lazy_imports import lazily
from server.services.operations.administration import AdminServices
from server.services.refusals import ChangeRefused, Exists, NotFound

with lazily():
    from server.app import Services, build
    from server.services.operations.installation import Installation
    from server.services.users.passwords import Passwords
    from server.settings import Settings

P = ParamSpec("P")
Printed: TypeAlias = tuple[Document, Iterable[str]]
"""The JSON document, and the lines that are printed without `--json`."""
_MEMBER: Final = re.compile(r"`(\w+)`")


class OpenInstallation(AdminServices):
    """The administration services, and those that only commands use."""

    def __init__(self, services: Services) -> None:
        super().__init__(services.store, services)
        self.services = services

    @cached_property
    def passwords(self) -> Passwords:
        """Passwords for signing in to apps."""
        return Passwords(self.services.store, self.services.passwords)

    @cached_property
    def installation(self) -> Installation:
        """The installation itself."""
        services = self.services
        return Installation(services.store, services.secrets, services.signer)

    @property
    def issuer(self) -> str:
        """The public URL, for printed commands."""
        return self.services.server_policy.issuer

    @property
    def now(self) -> int:
        """Milliseconds since the epoch."""
        return self.services.clock.now()


def refuse_missing(settings: Settings) -> None:
    """Raise `NotFound` instead of creating a SQLite database in a wrong folder."""
    if settings.on_sqlite and not sqlite_file(settings).exists():
        raise NotFound("database", f"at {sqlite_file(settings)}")


@contextmanager
def open_installation(settings: Settings) -> Iterator[OpenInstallation]:
    """Open the installation, and close it afterwards. Raises `NotFound`."""
    refuse_missing(settings)
    services = build(settings)
    with closing(services.store):
        yield OpenInstallation(services)


def administers(function: Callable[Concatenate[OpenInstallation, P], None]) -> Callable[P, None]:
    """Pass the open installation to the command as its first argument."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        context = click.get_current_context()
        with _with_flags(context.command), open_installation(settings_of(context)) as services:
            _complete_ids(context, services, kwargs)
            function(services, *args, **kwargs)

    return run


def prints(function: Callable[Concatenate[OpenInstallation, P], Printed]) -> Callable[..., None]:
    """Run a command with the open installation, and print what it returns."""

    @json_option
    @administers
    @functools.wraps(function)
    def run(admin: OpenInstallation, /, *args: P.args, **kwargs: P.kwargs) -> None:
        as_json = bool(kwargs.pop("as_json"))
        document, lines = function(admin, *args, **kwargs)
        answer(document, lines, as_json=as_json)

    return run


def adds(
    existing: Callable[..., Printed | None],
) -> Callable[[Callable[Concatenate[OpenInstallation, P], Printed]], Callable[..., None]]:
    """Run a command that adds a record. With `--if-missing`, print an existing one instead.

    `existing` gets the arguments of the command. It returns None to refuse the command.
    """

    def decorate(
        function: Callable[Concatenate[OpenInstallation, P], Printed],
    ) -> Callable[..., None]:
        @if_missing_option
        @prints
        @functools.wraps(function)
        def run(admin: OpenInstallation, /, *args: P.args, **kwargs: P.kwargs) -> Printed:
            if_missing = bool(kwargs.pop("if_missing"))
            try:
                return function(admin, *args, **kwargs)
            except Exists:
                printed = existing(admin, *args, **kwargs) if if_missing else None
                if printed is None:
                    raise
                return printed

        return run

    return decorate


def _complete_ids(
    context: click.Context, services: OpenInstallation, values: dict[str, object]
) -> None:
    """Replace shortened IDs with the full ones."""
    noun = "" if context.parent is None else str(context.parent.info_name)
    for param in context.command.params:
        typed, name = values.get(param.name or ""), param.name or ""
        if isinstance(typed, str) and param.metavar in {"ID", "[ID]"}:
            is_request = isinstance(param, click.Option) and name == "approval"
            if is_request or isinstance(param, click.Argument):
                values[name] = full_id(services, "approvals" if is_request else noun, typed)


@contextmanager
def _with_flags(command: click.Command) -> Iterator[None]:
    """In errors that are raised inside, name the command's flags instead of members."""
    try:
        yield
    except ChangeRefused as refused:
        flags = {
            option.name: option.opts[0]
            for option in command.params
            if isinstance(option, click.Option)
        }
        text = _MEMBER.sub(lambda match: flags.get(match[1], match[0]), str(refused))
        flag = flags.get(refused.member, "")
        refused.args = (text if flag in text else f"{flag}: {text}",)
        raise
