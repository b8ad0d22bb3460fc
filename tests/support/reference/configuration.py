"""The reference page of the configuration, generated from both tables of settings."""

from dataclasses import MISSING, fields
from types import MappingProxyType
from typing import Final

from approver_tui import settings as approver
from server import settings as server
from tests.support.reference.markdown import GENERATED, code, member_docs, table

_HEAD = """\
# Configuration

{generated}
For operators, and for approvers who use the terminal app. This page describes every setting and
its default.

```
sayso config show                                       # each setting of the server and its source
sayso-approver config                                   # each setting of the terminal app
sayso-approver config set notify_medium desktop
```

All settings are optional. In folders and files, `~` at the beginning is your home folder.
"""
_SERVER = """\
## The server and `sayso`

A command-line option takes precedence over the environment, which takes precedence over
`sayso.toml` and then the default. In the file, write the names in lower case without `SAYSO_`. An
unknown name is an error. If the server listens on a public host but the issuer is a loopback or
http URL, it refuses to start without `--insecure`.
"""
_APPROVER = """\
## The terminal app `sayso-approver`

The environment takes precedence over the file (`sayso-approver config path`), which takes
precedence over the default. In the file, write the names in lower case without `SAYSO_APPROVER_`.
"""
_TESTS = """\
## The tests
"""
_IN_THE_DATA_FOLDER = "in the data folder"
_MORE_OF_THE_SERVER: Final = (
    ("SAYSO_CONFIG", "`sayso.toml` " + _IN_THE_DATA_FOLDER, "The TOML file with settings."),
)
_MORE_OF_THE_APP: Final = (
    (
        "SAYSO_APPROVER_HOME",
        "",
        "The folder for all files and keys of the app, mode 0600. Disables the keyring.",
    ),
    (
        "SAYSO_DATA_DIR",
        "as above",
        "The data folder of a server on this machine. The app warns if it can open this folder.",
    ),
)
_TEST_VARIABLES: Final = (
    (
        "SAYSO_TEST_WITHOUT_CLIENTS",
        "`scripts/test` runs without Node.js, third-party OAuth clients and the page checks.",
    ),
    ("SAYSO_TEST_WITHOUT_POSTGRESQL", "`scripts/test` runs without PostgreSQL."),
)
_DEFAULTS_IN_WORDS: Final = MappingProxyType({"data_dir": "the user's data folder (XDG)"})


def page() -> str:
    """Return the page with every setting and its default."""
    head = ("variable", "default", "description")
    return "\n".join(
        [
            _HEAD.format(generated=GENERATED),
            _SERVER,
            table(head, [*_server(), *_coded(_MORE_OF_THE_SERVER)]),
            _APPROVER,
            table(head, [*_app(), *_coded(_MORE_OF_THE_APP)]),
            _TESTS,
            table(("variable", "effect"), [(code(name), text) for name, text in _TEST_VARIABLES]),
        ]
    )


def _coded(rows: tuple[tuple[str, str, str], ...]) -> list[tuple[str, str, str]]:
    return [(code(name), default, text) for name, default, text in rows]


def _server() -> list[tuple[str, str, str]]:
    docs = member_docs(server.Settings)
    return [
        (code(server.PREFIX + field.name.upper()), _default(field), docs[field.name])
        for field in fields(server.Settings)
        if field.name in server.NAMES
    ]


def _default(field: object) -> str:
    name, default = getattr(field, "name", ""), getattr(field, "default", MISSING)
    return _DEFAULTS_IN_WORDS.get(name) or ("" if default is MISSING else code(str(default)))


def _app() -> list[tuple[str, str, str]]:
    return [
        (code(approver.PREFIX + name.upper()), code(option.default), _meaning(option))
        for name, option in approver.OPTIONS.items()
    ]


def _meaning(option: approver.Option) -> str:
    choices = ", ".join(map(code, option.choices))
    return option.description + (f": {choices}" if choices else "")
