"""Creates an agent from environment variables, for the commands of the SDK.

SAYSO_ISSUER          your Sayso server, such as https://sayso.example
SAYSO_AGENT_ID        the client ID that `sayso agents add` printed
SAYSO_AGENT_SECRET    its secret, or
SAYSO_AGENT_KEY_FILE  the file of its private key: PEM or a JWK
"""

import os
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from sayso.agent import AsyncAgent

_ISSUER: Final = "SAYSO_ISSUER"
_ID: Final = "SAYSO_AGENT_ID"
_SECRET: Final = "SAYSO_AGENT_SECRET"  # noqa: S105  # a name
_KEY_FILE: Final = "SAYSO_AGENT_KEY_FILE"


def agent_from_env() -> AsyncAgent:
    """Create the agent. Raises ValueError if a variable is missing or invalid."""
    issuer = _require_variable(_ISSUER, "your Sayso server, such as https://sayso.example")
    client_id = _require_variable(_ID, "the client ID that `sayso agents add` printed")
    secret, file = os.environ.get(_SECRET) or None, os.environ.get(_KEY_FILE) or None
    if (secret is None) == (file is None):
        raise ValueError(
            f"Set exactly one of {_SECRET} (the secret that `sayso agents add` printed) "
            f"and {_KEY_FILE} (the path of the agent's private key)."
            + misspelled(_SECRET, os.environ)
            + misspelled(_KEY_FILE, os.environ)
        )
    if file is None:
        return AsyncAgent(issuer, client_id, secret=secret)
    try:
        key = Path(file).expanduser().read_text("utf-8-sig")
        return AsyncAgent(issuer, client_id, key=key)
    except OSError as error:
        raise ValueError(f"{_KEY_FILE}: {file}: {error.strerror}.") from error
    except (ValueError, RuntimeError) as error:  # RuntimeError: ~ without a home folder
        raise ValueError(f"{_KEY_FILE}: {file}: {error}") from error


def _require_variable(name: str, meaning: str) -> str:
    if not (value := os.environ.get(name, "")):
        raise ValueError(f"Set {name}: {meaning}.{misspelled(name, os.environ)}")
    return value


def misspelled(name: str, environment: Mapping[str, str]) -> str:
    """Return a hint if a variable with almost the same name is set; else an empty string."""
    close_matches = get_close_matches(name, environment.keys() - {name}, 1, 0.8)
    return f" {close_matches[0]} is set. Is it misspelled?" if close_matches else ""
