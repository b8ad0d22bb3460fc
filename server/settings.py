"""Every setting, read once. Flags win over the environment, the environment over the TOML file."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from platformdirs import user_data_path

PREFIX: Final = "SAYSO_"
_PASSWORD: Final = re.compile(r"(?<=://)([^/@]*?):[^/]*@")
_PASSWORD_PARAMETER: Final = re.compile(r"(?i)((?:password|passwd|secret|token)=)[^&]*")
ISSUER_FILE: Final = "issuer"
_PORTS = 65_536
NOBODY: Final = "mailto:sayso@localhost"
"""Whom push services may ask about us when nobody was named and the issuer has no full name."""
_CONTACT: Final = re.compile(r"(mailto:[^@\s]+@|https://)[\w-]+(\.[\w-]+)+", re.ASCII)
_ORIGIN: Final = re.compile(r"(https://[a-z0-9.-]+|http://(localhost|127\.0\.0\.1))(:[0-9]{1,5})?")
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class BadSetting(ValueError):
    """A setting that cannot be used; the text names it and the remedy."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How this installation is set up. Each field is the environment's `SAYSO_<NAME>`."""

    data_dir: Path = field(default_factory=lambda: user_data_path("sayso"))
    """Where the database, the keys and the log's key lie."""
    database_url: str = ""
    """SQLAlchemy URL; default SQLite in the data folder."""
    issuer: str = ""
    """The public URL; default follows the served port on this machine."""
    master_key_file: str = ""
    """Where the master key lies; default `master.key` in the data folder."""
    pin_key_file: str = ""
    """Where the PIN key is; default `pin.key` in the data folder."""
    access_token_alg: str = "ES256"
    """ES256, EdDSA or RS256."""
    access_token_seconds: int = 300
    """How long a delegated access token lives."""
    assertion_audience: str = "issuer"
    """`issuer`, or `endpoints` to accept endpoint URLs from older clients too."""
    unknown_user: str = "answer"
    """`answer` says unknown_user_id; `hide` makes a request that nobody can approve."""
    dpop_nonce: str = "off"
    """`required` demands a nonce of ours in the DPoP proofs of agents and apps."""
    open_per_agent: int = 10
    """How many unanswered requests one agent may have with one user."""
    open_per_user: int = 50
    """How many unanswered requests one user may have in all."""
    open_in_all: int = 500
    """How many unanswered requests one agent may have with everybody together."""
    denials_before_pause: int = 3
    """After so many denials of one type in ten minutes the agent must wait half an hour."""
    notify_per_minute: int = 5
    """How often one user is called in a minute; what comes beyond it is listed without a sound."""
    notify_per_hour: int = 20
    """Likewise in an hour."""
    notify_per_agent: int = 10
    """Likewise in an hour by one agent."""
    notify_per_type: int = 10
    """Likewise in an hour for one action type."""
    notify_low_per_hour: int = 1
    """How often one user is called in an hour for everything of low risk together."""
    owner_grace_days: int = 14
    """So long an agent goes on after the last owner of it who was enabled has been stopped."""
    webhook_url: str = ""
    """Where events are sent, without contents; nothing is sent when it is empty."""
    webhook_secret_file: str = ""
    """The key of the hook's HMAC; default `webhook.key` in the data folder."""
    callback_ports: str = "443"
    """The ports at which agents may be called back."""
    callback_networks: str = ""
    """Private networks in which agents may be called back, such as 10.1.0.0/16."""
    callback_ca_file: str = ""
    """Authorities that vouch for agents' endpoints; default the public ones."""
    push_contact: str = ""
    """Whom a browser's push service may ask about us; default the issuer, where it is https."""
    push_origins: str = ""
    """More push services in whose browsers people are called, such as https://push.example.org."""
    log_format: str = "json"
    """`json` or `text`."""
    log_level: str = "info"
    """`debug`, `info`, `warning` or `error`."""
    max_connections: int = 20_000
    """How many sockets one process keeps."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """Setting → where its value came from. Not a setting itself."""

    @property
    def sqlalchemy_url(self) -> str:
        """The database's URL, default included."""
        return self.database_url or f"sqlite:///{self.data_dir / 'sayso.db'}"

    @property
    def open_ports(self) -> frozenset[int]:
        """The ports at which agents may be called back."""
        return frozenset(int(port) for port in self.callback_ports.split(","))

    @property
    def open_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The private networks in which agents may be called back. Raises ValueError."""
        named = filter(None, (text.strip() for text in self.callback_networks.split(",")))
        return tuple(ip_network(text) for text in named)

    @property
    def push_services(self) -> frozenset[str]:
        """The origins of push services beside those that everybody knows."""
        return frozenset(filter(None, (text.strip() for text in self.push_origins.split(","))))

    @property
    def push_subject(self) -> str:
        """Whom a push service may ask about us."""
        host = urlsplit(self.issuer_url).hostname or ""
        ours = self.issuer_url.startswith("https:") and "." in host
        return self.push_contact or (f"https://{host}" if ours else NOBODY)

    @property
    def on_sqlite(self) -> bool:
        """Reports whether one file is the database."""
        return self.sqlalchemy_url.startswith("sqlite")

    @property
    def issuer_url(self) -> str:
        """The issuer: as set, else as the server last served it, else the default port."""
        if self.issuer:
            return self.issuer
        recorded = self.data_dir / ISSUER_FILE
        return recorded.read_text().strip() if recorded.exists() else "http://localhost:8470"


NAMES: Final = tuple(f.name for f in fields(Settings) if f.name != "sources")


def load(flags: Mapping[str, object] | None = None) -> Settings:
    """The settings of this process. Raises `BadSetting`."""
    environment = {
        name: value for name in NAMES if (value := os.environ.get(PREFIX + name.upper()))
    }
    given = {name: str(value) for name, value in (flags or {}).items() if value is not None}
    data_dir = given.get("data_dir") or environment.get("data_dir")
    file = Path(os.environ.get("SAYSO_CONFIG") or _folder(data_dir) / "sayso.toml")
    return _merge(
        [
            (f"file {file}", _from_file(file)),
            ("environment", environment),
            ("flag", given),
        ]
    )


def _folder(data_dir: str | None) -> Path:
    return Path(data_dir) if data_dir else user_data_path("sayso")


def _from_file(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    try:
        values = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise BadSetting(f"{path} is not TOML: {error}") from error
    if unknown := sorted(set(values) - set(NAMES)):
        raise BadSetting(f"{path} has an unknown setting: {unknown[0]}. Known: {', '.join(NAMES)}")
    return {name: str(value) for name, value in values.items()}


def _merge(layers: list[tuple[str, Mapping[str, str]]]) -> Settings:
    values: dict[str, object] = {}
    sources: dict[str, str] = {}
    for source, layer in layers:
        for name, text in layer.items():
            values[name] = _converted(name, text, source)
            sources[name] = source
    settings = Settings(**values, sources=sources)  # type: ignore[arg-type]  # converted by name
    _check(settings)
    return settings


def _converted(name: str, text: str, source: str) -> object:
    kind = {f.name: f.type for f in fields(Settings)}[name]
    if kind is Path:
        return Path(text).expanduser()
    if kind is not int:
        return text
    try:
        return int(text)
    except ValueError as error:
        raise BadSetting(f"{PREFIX}{name.upper()} ({source}) must be a whole number.") from error


_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "access_token_alg": ("ES256", "EdDSA", "RS256"),
    "assertion_audience": ("issuer", "endpoints"),
    "unknown_user": ("answer", "hide"),
    "dpop_nonce": ("off", "required"),
    "log_format": ("json", "text"),
    "log_level": ("debug", "info", "warning", "error"),
}


def _check(settings: Settings) -> None:
    for name, choices in _CHOICES.items():
        if getattr(settings, name) not in choices:
            raise BadSetting(f"{PREFIX}{name.upper()} must be one of: {', '.join(choices)}.")
    for name in NAMES:
        value = getattr(settings, name)
        if isinstance(value, int) and value < 1:
            raise BadSetting(f"{PREFIX}{name.upper()} must be 1 or more.")
    _check_callbacks(settings)
    _check_push(settings)
    if settings.issuer:
        check_issuer(settings.issuer)


def _check_callbacks(settings: Settings) -> None:
    ports = [text.strip() for text in settings.callback_ports.split(",")]
    if not all(text.isascii() and text.isdigit() and 0 < int(text) < _PORTS for text in ports):
        raise BadSetting(f"{PREFIX}CALLBACK_PORTS must be ports, such as 443,8443.")
    try:
        _ = settings.open_networks
    except ValueError as error:
        raise BadSetting(f"{PREFIX}CALLBACK_NETWORKS: {error}.") from error
    if settings.callback_ca_file and not Path(settings.callback_ca_file).is_file():
        raise BadSetting(f"{PREFIX}CALLBACK_CA_FILE names no file.")


def _check_push(settings: Settings) -> None:
    if settings.push_contact and not _CONTACT.fullmatch(settings.push_contact):
        raise BadSetting(
            f"{PREFIX}PUSH_CONTACT must be mailto:you@example.org or https://example.org."
        )
    for origin in settings.push_services:
        if not _ORIGIN.fullmatch(origin):
            raise BadSetting(
                f"{PREFIX}PUSH_ORIGINS must be origins in lower case, such as "
                "https://push.example.org or http://127.0.0.1:8990, divided by commas."
            )


def check_issuer(issuer: str) -> None:
    """Raises `BadSetting` unless it is https, or http on this machine (RFC 8414 2)."""
    parts = urlsplit(issuer)
    if parts.path or parts.query or parts.fragment or not parts.hostname:
        raise BadSetting(
            f"{PREFIX}ISSUER must be a URL of a host alone, such as https://auth.example: "
            "without path, query, fragment and final slash."
        )
    if parts.scheme not in {"https", "http"}:
        raise BadSetting(f"{PREFIX}ISSUER must begin with https://.")


def is_loopback(issuer: str) -> bool:
    """Reports whether the issuer is an http or https URL on this machine alone."""
    return urlsplit(issuer).hostname in LOOPBACK


def process_environment(*, without: str) -> dict[str, str]:
    """The environment for a process that is started from here, less our own settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith(without)}


def described(settings: Settings) -> list[tuple[str, str, str]]:
    """Each setting's name, its value without passwords, and where that came from."""
    return [_described(settings, name) for name in NAMES]


def _described(settings: Settings, name: str) -> tuple[str, str, str]:
    value = settings.sqlalchemy_url if name == "database_url" else str(getattr(settings, name))
    source = settings.sources.get(name, "default")
    return f"{PREFIX}{name.upper()}", masked(value), source


def masked(text: str) -> str:
    """The text without a password that a URL carries."""
    return _PASSWORD_PARAMETER.sub(r"\1***", _PASSWORD.sub(r"\1:***@", text))
