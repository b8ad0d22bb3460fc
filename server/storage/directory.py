"""The directory of agents, apps, users, groups, resources and policy, cached by `admin_version`.

Each administrative change increments the version. Each unit of work and each view reads the
version first, and drops a cache of a different version. Disabling an agent therefore takes effect
at its next request, in every process, without a cache timeout.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from server.lazy_imports import lazily
from server.protocol.names import DOCUMENT_URL, PREFIX_AGENT, PREFIX_RESOURCE, PREFIX_USER, is_app
from server.storage import codec

with lazily():
    from server.model.approvers import Group
    from server.model.clients import Agent, App
    from server.model.policy import ActionRow, PolicyRow
    from server.model.resources import Resource
    from server.model.tokens import SigningKey
    from server.model.users import User
    from server.services.clients.unknown_apps import within_open_resources

if TYPE_CHECKING:
    from server.storage.store import View

T = TypeVar("T")

_MAX_ID, _MAX_URL, _MAX_TYPE = 64, 256, 128
_MAX_CACHED = 10_000
"""Unknown names are cached too. These limits bound the memory that guessed names can use."""


def _max_length(client_id: str) -> int:
    return _MAX_URL if client_id.startswith(DOCUMENT_URL) else _MAX_ID


class Cache:
    """The records that were read at one version of the directory."""

    def __init__(self, version: int) -> None:
        self.version = version
        self.records: dict[tuple[str, str], object] = {}


class CachedDirectory:
    """The directory in one unit of work or view."""

    def __init__(self, rows: "View", cache: Cache) -> None:
        self._rows = rows
        self._records = cache.records

    def agent(self, client_id: str) -> Agent | None:
        """Return the agent with this client_id."""
        if not client_id.startswith(PREFIX_AGENT) or len(client_id) > _MAX_ID:
            return None
        return self._look_up("agent", client_id, self._rows.agents.get)

    def find_agent(self, name_or_id: str) -> Agent | None:
        """Return the agent with this name or client_id."""
        if name_or_id.startswith(PREFIX_AGENT):
            return self.agent(name_or_id)
        return self._look_up("agent called", name_or_id, self._rows.agents.by_name)

    def app(self, client_id: str) -> App | None:
        """Return the app with this client_id; unregistered apps only have what is open to them."""
        if not is_app(client_id) or len(client_id) > _max_length(client_id):
            return None
        return self._look_up("app", client_id, self._app)

    def find_app(self, name_or_id: str) -> App | None:
        """Return the app with this name or client_id."""
        if is_app(name_or_id):
            return self.app(name_or_id)
        app = self._look_up("app called", name_or_id, self._rows.apps.by_name)
        return None if app is None else self.app(app.id)

    def user(self, user_id: str) -> User | None:
        """Return the user with this ID."""
        return self._look_up("user", user_id, self._rows.users.get)

    def find_user(self, name_email_or_id: str) -> User | None:
        """Return the user with this name, email address or ID."""
        if name_email_or_id.startswith(PREFIX_USER):
            return self.user(name_email_or_id)
        return self._look_up("user called", name_email_or_id, self._rows.users.by_name_or_email)

    def administrators(self) -> tuple[str, ...]:
        """Return the user IDs of administrators."""
        return self._look_up("administrators", "", self._administrators)

    def find_group(self, name_or_id: str) -> Group | None:
        """Return the group with this name, ignoring case, or this ID."""
        key = codec.key(name_or_id)
        matches = (g for g in self._groups() if name_or_id == g.id or codec.key(g.name) == key)
        return next(matches, None)

    def members(self) -> Mapping[str, frozenset[str]]:
        """Return the user IDs of each group's members, by group ID."""
        return self._look_up("members", "", self._members)

    def includes(self, named: Sequence[str] | None, user_id: str) -> bool:
        """Return whether these users and groups include the user; None includes every user."""
        if named is None:
            return True
        members = self.members()
        return any(name == user_id or user_id in members.get(name, ()) for name in named)

    def resource(self, uri: str) -> Resource | None:
        """Return the resource with this URI."""
        return self._look_up("resource", uri, self._rows.resources.get)

    def resource_client(self, client_id: str) -> Resource | None:
        """Return the resource with this client_id."""
        if not client_id.startswith(PREFIX_RESOURCE) or len(client_id) > _MAX_ID:
            return None
        return self._look_up("resource client", client_id, self._rows.resources.by_client_id)

    def action(self, action_type: str) -> ActionRow | None:
        """Return the action type with this name."""
        if len(action_type) > _MAX_TYPE:
            return None
        return self._look_up("action", action_type, self._rows.actions.get)

    def policy(self) -> PolicyRow | None:
        """Return the current policy; None for the default."""
        return self._look_up("policy", "", lambda _: self._rows.policies.newest())

    def signing_keys(self) -> tuple[SigningKey, ...]:
        """Return the signing keys, newest first."""
        return self._look_up("keys", "", lambda _: tuple(self._rows.keys.all()))

    def _app(self, client_id: str) -> App | None:
        app = self._rows.apps.get(client_id)
        if app is None or app.verified:
            return app
        return within_open_resources(app, self._rows.resources.all())

    def _administrators(self, _: str) -> tuple[str, ...]:
        return tuple(u.id for u in self._rows.users.all() if "admin" in u.roles)

    def _members(self, _: str) -> Mapping[str, frozenset[str]]:
        return {group.id: frozenset(group.members) for group in self._groups()}

    def _groups(self) -> tuple[Group, ...]:
        return self._look_up("groups", "", lambda _: tuple(self._rows.groups.all()))

    def _look_up(self, kind: str, key: str, read: Callable[[str], T]) -> T:
        cache_key = (kind, key)
        if cache_key not in self._records:
            if len(self._records) >= _MAX_CACHED:
                self._records.clear()
            self._records[cache_key] = read(key)
        return self._records[cache_key]  # type: ignore[return-value]  # the kind decides the type
