"""Every setting, read once. Flags override environment variables, which override the TOML file."""

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

from platformdirs import user_data_path

from server.protocol.names import LOOPBACK

PREFIX: Final = "SAYSO_"
_PASSWORD: Final = re.compile(r"(?<=://)([^/@:]*):.*@")
"""A password may contain `/` and `@`."""
_PASSWORD_PARAMETER: Final = re.compile(r"(?i)((?:password|passwd|secret|token)=)[^&]*")
ISSUER_FILE: Final = "issuer"
_expand: Final = os.path.expanduser  # for text; `~` is the home folder
_PORTS = 65_536
_MAX_NUMBER = 1_000_000_000
"""Times that are computed from a setting must fit into a column of the database."""
NOBODY: Final = "mailto:sayso@localhost"
"""The contact for push services if none is set and the issuer has no fully qualified host name."""
_CONTACT: Final = re.compile(r"(mailto:[^@\s]+@|https://)[\w-]+(\.[\w-]+)+", re.ASCII)
_ORIGIN: Final = re.compile(r"(https://[a-z0-9.-]+|http://(localhost|127\.0\.0\.1))(:[0-9]{1,5})?")
_DAYS: Final = re.compile(r"([3-9][0-9]|[1-9][0-9]{2,3})d")
"""A number of days, at least 30 as in `services/audit/retention.py`."""
_HOST: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*")
_ISSUER: Final = re.compile(
    r"(https(?!.*:443$)|http(?!.*:80$))://"
    r"([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:]+\])(:(?P<port>[1-9][0-9]{0,4}))?"
)
"""An origin as browsers write it, because they compare their own with it."""
_DATABASE: Final = re.compile(
    r"sqlite(\+pysqlite)?:///.+|"
    r"postgresql(\+psycopg)?://(.*@)?(\[[^]]*\]|[^][@/?:]*)(:[0-9]+)?([/?].*)?"
)
_PORT: Final = r"(?a:[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])"
_URL: Final = re.compile(
    rf"https?://([^\s/?#@]*@)?(\[[^]\s]+\]|[^]\s/?#@:[]+)(:{_PORT})?([/?]\S*)?"
)


class BadSetting(ValueError):
    """A setting is invalid. The text names the setting and the fix."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of this installation. Each field is the variable `SAYSO_<NAME>`."""

    data_dir: Path = field(default_factory=lambda: user_data_path("sayso"))
    """The folder with the database, the keys and the stored issuer. Anyone who can read it has full
    administrator access."""
    database_url: str = ""
    """A SQLAlchemy URL. The default is SQLite in the data folder. For PostgreSQL:
    `postgresql+psycopg://user:password@host/name`."""
    database_password_file: str = ""
    """The file with the database password, if the URL does not contain it. White space around the
    password is ignored."""
    issuer: str = ""
    """The public URL of this installation, which is in every token: scheme, host and port, without
    a path. The default is `http://localhost:<port>`. Set it if the server runs behind a proxy."""
    master_key_file: str = ""
    """The file with the 32 bytes that seal keys and addresses in the database, mode 0600. The
    default is `master.key` in the data folder. Every process refuses to start if the file is
    missing or belongs to a different database."""
    pin_key_file: str = ""
    """The file with the 32 bytes that the server uses to answer PIN calls, mode 0600. The default
    is `pin.key` in the data folder. Servers that share a database need the same file."""
    log_key_file: str = ""
    """The file with the private key of the audit log, mode 0600. The default is `log.key` in the
    data folder. Servers that share a database need the same file."""
    access_token_alg: str = "ES256"
    """The algorithm that signs access tokens: `ES256`, `EdDSA` or `RS256`."""
    access_token_seconds: int = 300
    """The lifetime of an access token. Resources that do not introspect it accept it this long."""
    assertion_audience: str = "issuer"
    """The required `aud` of a client assertion: `issuer`, or `endpoints` to also accept endpoint
    URLs, which older clients send."""
    unknown_user: str = "answer"
    """The response if an agent names an unknown user: `answer` returns `unknown_user_id`. `hide`
    creates a request that nobody sees and that expires."""
    dpop_nonce: str = "off"
    """With `required`, DPoP proofs of agents and apps at `/token` need a nonce from the server. A
    nonce is valid for five to ten minutes. Proofs of terminals do not need a nonce."""
    open_per_agent: int = 10
    """The maximum number of unanswered requests from one agent to one user."""
    open_per_user: int = 50
    """The maximum number of unanswered requests to one user. High-risk and critical requests are
    rejected only if they alone reach this number."""
    open_in_all: int = 500
    """The maximum number of unanswered requests from one agent to all users."""
    denials_before_pause: int = 3
    """After a user denies this many similar requests from an agent within ten minutes, the agent
    cannot send that user such requests for half an hour."""
    notify_per_minute: int = 5
    """The maximum number of notifications to one user in a minute. Further requests are only
    listed, and one digest follows. For high and critical risk, each agent is counted separately."""
    notify_per_hour: int = 20
    """The maximum number of notifications to one user in an hour, at low and medium risk."""
    notify_per_agent: int = 10
    """The maximum number of notifications to one user in an hour about one agent. High and critical
    risk is counted separately."""
    notify_per_type: int = 10
    """The maximum number of notifications to one user in an hour about one action type, at low and
    medium risk."""
    notify_low_per_hour: int = 1
    """The maximum number of notifications to one user in an hour at low risk."""
    owner_grace_days: int = 14
    """The number of days after which an agent without an enabled owner is quarantined."""
    webhook_url: str = ""
    """The URL to which Sayso posts events, without request contents. Leave empty for no webhook."""
    webhook_secret_file: str = ""
    """The file with the key of the webhook's HMAC. The default is `webhook.key` in the data folder,
    which Sayso creates once. `Sayso-Signature` is `sha256=` and the hex HMAC-SHA256 of
    `<Sayso-Event-Id>.<body>`. White space around a text key is ignored. If the webhook key file
    is missing, the server refuses to start."""
    audit_streams_required: str = ""
    """Names of audit streams, separated by commas. While one of them is more than a minute behind,
    every change is rejected with 503."""
    audit_retention: str = ""
    """How long entries of the audit log keep their contents, such as `365d`; at least `30d`. Once a
    day, the server deletes the contents of older entries. By default, it keeps all contents."""
    callback_ports: str = "443"
    """The ports of agents' callback endpoints, separated by commas."""
    callback_networks: str = ""
    """Private networks in which agents can have callback endpoints, such as `10.1.0.0/16`,
    separated by commas. By default, only public addresses are allowed."""
    callback_ca_file: str = ""
    """A PEM file with the certificate authorities for callback endpoints. By default, the public
    authorities are trusted."""
    push_contact: str = ""
    """The contact for push services: `mailto:you@example.org` or `https://example.org` (RFC 8292).
    The default is the issuer, if it is https with a fully qualified host name. Apple rejects an
    address that does not exist."""
    push_origins: str = ""
    """Origins of push services other than those of Google, Mozilla, Apple and Microsoft, separated
    by commas: `https://push.example.org`. Private addresses are allowed for these origins."""
    clients_unknown: str = "never"
    """Whether unregistered apps can sign users in with the metadata document at their client ID:
    `never`, `list` for the hosts in `SAYSO_CLIENTS_ALLOWED`, or `ask` for all hosts that are not
    blocked. Sayso asks the user each time, and says that the app is not verified."""
    clients_registration: str = "off"
    """Whether apps can register themselves (`POST /register` with redirect URIs): `off`,
    `invitation` (with a token of `sayso apps invite`), or `open`. Sayso tells users that such an
    app is not verified."""
    clients_allowed: str = ""
    """Hosts of unregistered apps, separated by commas: `claude.ai,vscode.dev`. Redirect URIs of
    other apps can also be on these hosts."""
    clients_blocked: str = ""
    """Hosts whose apps are rejected, including their subdomains, separated by commas."""
    log_format: str = "auto"
    """`json`, `text`, or `auto` (text in a terminal, JSON otherwise)."""
    log_level: str = "info"
    """`debug`, `info`, `warning` or `error`."""
    max_connections: int = 20_000
    """The maximum number of connections per process, if its limit on open files allows it. Up to
    256 file descriptors are reserved. At most 90% of the connections can be live feeds; further
    feeds get 503 with `Retry-After`. At start, the server logs the number (`serving.capacity`)."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """Setting → where its value came from. Not a setting itself."""

    @property
    def sqlalchemy_url(self) -> str:
        """The database URL with its password, or the default."""
        url = self.database_url or f"sqlite:///{quote(str(self.data_dir / 'sayso.db'))}"
        if not self.database_password_file:
            return url
        password = Path(self.database_password_file).read_text("utf-8-sig").strip()
        user, _, host = url.rpartition("@")
        return f"{user}:{quote(password, safe='')}@{host}"

    @property
    def open_ports(self) -> frozenset[int]:
        """The allowed ports of callback endpoints."""
        return frozenset(int(port) for port in self.callback_ports.split(","))

    @property
    def open_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The private networks where callback endpoints are allowed. Raises ValueError."""
        texts = filter(None, (text.strip() for text in self.callback_networks.split(",")))
        return tuple(ip_network(text) for text in texts)

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """The hosts whose apps do not need registration."""
        return _split(self.clients_allowed)

    @property
    def blocked_hosts(self) -> frozenset[str]:
        """The hosts whose apps are refused."""
        return _split(self.clients_blocked)

    @property
    def required_streams(self) -> frozenset[str]:
        """The audit streams that every change requires."""
        return _split(self.audit_streams_required)

    @property
    def audit_retention_days(self) -> int | None:
        """The number of days for which audit entries keep their bodies; None to keep all."""
        return int(self.audit_retention[:-1]) if self.audit_retention else None

    @property
    def push_services(self) -> frozenset[str]:
        """The origins of additional push services."""
        return _split(self.push_origins)

    @property
    def push_subject(self) -> str:
        """The contact for push services (RFC 8292 `sub`)."""
        host = urlsplit(self.issuer_url).hostname or ""
        has_public_host = self.issuer_url.startswith("https:") and "." in host
        return self.push_contact or (f"https://{host}" if has_public_host else NOBODY)

    @property
    def on_sqlite(self) -> bool:
        """Whether the database is SQLite."""
        return self.sqlalchemy_url.startswith("sqlite")

    @property
    def issuer_url(self) -> str:
        """The issuer: the setting, or else the last served issuer, or else the default."""
        if self.issuer:
            return self.issuer
        recorded = self.data_dir / ISSUER_FILE
        return recorded.read_text().strip() if recorded.exists() else "http://localhost:8470"


def _split(text: str) -> frozenset[str]:
    return frozenset(filter(None, (part.strip() for part in text.split(","))))


def _word(text: str) -> frozenset[str]:
    return frozenset(filter(None, (text,)))


NAMES: Final = tuple(f.name for f in fields(Settings) if f.name != "sources")


def load(flags: Mapping[str, object] | None = None) -> Settings:
    """Read the settings of this process. Raises `BadSetting`."""
    environment = {
        name: value for name in NAMES if (value := os.environ.get(PREFIX + name.upper()))
    }
    args = {name: str(value) for name, value in (flags or {}).items() if value is not None}
    data_dir = args.get("data_dir") or environment.get("data_dir") or user_data_path("sayso")
    config = os.environ.get("SAYSO_CONFIG")
    file = Path(_expand(config or f"{data_dir}/sayso.toml"))
    if config and not file.exists():
        raise BadSetting(f"{PREFIX}CONFIG must be the path of a file, and {file} does not exist.")
    layers = [(f"file {file}", _from_file(file)), ("environment", environment), ("flag", args)]
    return _merge(layers)


def _from_file(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    try:
        values = tomllib.loads(path.read_text("utf-8-sig"))
    except ValueError as error:
        raise BadSetting(f"{path} is not TOML: {error}") from error
    if unknown := sorted(set(values) - set(NAMES)):
        raise BadSetting(f"{path} has an unknown setting: {unknown[0]}. Known: {', '.join(NAMES)}")
    if wrong := [name for name, value in values.items() if type(value) not in {str, int}]:
        raise BadSetting(f"{path}: {wrong[0]} must be text in quotes or a whole number.")
    return {name: str(value) for name, value in values.items()}


def _merge(layers: Sequence[tuple[str, Mapping[str, str]]]) -> Settings:
    items = [(name, text, source) for source, layer in layers for name, text in layer.items()]
    values = {name: _convert(name, text, source) for name, text, source in items}
    sources = {name: source for name, _, source in items}
    settings = Settings(**values, sources=sources)  # type: ignore[arg-type]  # converted by name
    _check(settings)
    return settings


def _convert(name: str, text: str, source: str) -> object:
    kind = {f.name: f.type for f in fields(Settings)}[name]
    if kind is Path:
        return Path(_expand(text))
    if kind is not int:
        return _expand(text) if name.endswith("_file") else text
    try:
        return int(text)
    except ValueError as error:
        raise BadSetting(f"{PREFIX}{name.upper()} ({source}) must be a whole number.") from error


_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "access_token_alg": ("ES256", "EdDSA", "RS256"),
    "assertion_audience": ("issuer", "endpoints"),
    "unknown_user": ("answer", "hide"),
    "dpop_nonce": ("off", "required"),
    "clients_unknown": ("never", "list", "ask"),
    "clients_registration": ("off", "invitation", "open"),
    "log_format": ("auto", "json", "text"),
    "log_level": ("debug", "info", "warning", "error"),
}
_FILES: Final = {"database_password_file", "callback_ca_file"}
_ORIGINS: Final = "origins in lower case, such as https://push.example.org,http://127.0.0.1:8990"
_DATABASES: Final = "sqlite:///PATH or postgresql+psycopg://user:password@host/name"
_HOSTS: Final = "host names in lower case, such as claude.ai,vscode.dev"
_PATTERNS: Final = (
    ("database_url", _word, _DATABASE, _DATABASES),
    ("webhook_url", _word, _URL, "an http or https URL with a valid port, or without one"),
    ("audit_retention", _word, _DAYS, "30d to 9999d, such as 365d, or empty to keep all entries"),
    ("push_contact", _word, _CONTACT, "mailto:you@example.org or https://example.org"),
    ("push_origins", _split, _ORIGIN, _ORIGINS),
    ("clients_allowed", _split, _HOST, _HOSTS),
    ("clients_blocked", _split, _HOST, _HOSTS),
)
"""Settings whose values must match a pattern, with the description for the error."""


def _check(settings: Settings) -> None:
    for name, choices in _CHOICES.items():
        if getattr(settings, name) not in choices:
            raise BadSetting(f"{PREFIX}{name.upper()} must be one of: {', '.join(choices)}.")
    for name in NAMES:
        _check_value(name, getattr(settings, name))
    _check_database_password(settings)
    _check_callbacks(settings)
    for name, split, pattern, description in _PATTERNS:
        if not all(map(pattern.fullmatch, split(getattr(settings, name)))):
            raise BadSetting(f"{PREFIX}{name.upper()} must be {description}.")
    if settings.issuer:
        check_issuer(settings.issuer)


def _check_value(name: str, value: object) -> None:
    if isinstance(value, int) and not 1 <= value <= _MAX_NUMBER:
        raise BadSetting(f"{PREFIX}{name.upper()} must be 1 to {_MAX_NUMBER}.")
    if name in _FILES and value and not Path(str(value)).is_file():
        raise BadSetting(f"{PREFIX}{name.upper()} must be the path of a file.")


def _check_database_password(settings: Settings) -> None:
    if not settings.database_password_file:
        return
    parts = urlsplit(settings.database_url)
    if not parts.username or parts.password is not None:
        raise BadSetting(
            f"{PREFIX}DATABASE_PASSWORD_FILE needs a {PREFIX}DATABASE_URL with a user and without "
            "a password, such as postgresql+psycopg://sayso@db.example/sayso."
        )


def _check_callbacks(settings: Settings) -> None:
    ports = [text.strip() for text in settings.callback_ports.split(",")]
    if not all(text.isascii() and text.isdigit() and 0 < int(text) < _PORTS for text in ports):
        raise BadSetting(f"{PREFIX}CALLBACK_PORTS must be ports, such as 443,8443.")
    try:
        _ = settings.open_networks
    except ValueError as error:
        raise BadSetting(f"{PREFIX}CALLBACK_NETWORKS: {error}.") from error


def check_issuer(issuer: str) -> None:
    """Raise `BadSetting` unless the issuer is an origin as browsers write it (RFC 8414 2)."""
    match = _ISSUER.fullmatch(issuer)
    if match is None or int(match["port"] or 1) >= _PORTS:
        raise BadSetting(
            f"{PREFIX}ISSUER must be a URL in lower case without user, default port, path, query, "
            "fragment or trailing slash, such as https://auth.example."
        )


def is_loopback(issuer: str) -> bool:
    """Return whether the issuer's host is a loopback address."""
    return urlsplit(issuer).hostname in LOOPBACK


def share_metrics(folder: Path) -> None:
    """Let the metrics library keep the metrics of all workers in files, before it is imported."""
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


def process_environment(*, without: str) -> dict[str, str]:
    """Return the environment for a child process, without variables that start with `without`."""
    return {name: value for name, value in os.environ.items() if not name.startswith(without)}


def describe(settings: Settings) -> list[tuple[str, str, str]]:
    """Return each setting's name, its value without passwords, and its source."""
    return [_describe(settings, name) for name in NAMES]


def _describe(settings: Settings, name: str) -> tuple[str, str, str]:
    value = settings.sqlalchemy_url if name == "database_url" else str(getattr(settings, name))
    source = settings.sources.get(name, "default")
    masked = _PASSWORD_PARAMETER.sub(r"\1***", _PASSWORD.sub(r"\1:***@", value))
    return f"{PREFIX}{name.upper()}", masked, source
