"""The server policy, from the settings."""

from dataclasses import fields

from server.services.server_policy import ServerPolicy
from server.settings import NAMES, Settings, is_loopback


def server_policy(settings: Settings, restored_at: int | None) -> ServerPolicy:
    """Return the settings that the services use."""
    copied = set(NAMES) - {"issuer"}
    return ServerPolicy(
        **{f.name: getattr(settings, f.name) for f in fields(ServerPolicy) if f.name in copied},
        issuer=settings.issuer_url,
        on_loopback=is_loopback(settings.issuer_url),
        hide_unknown_users=settings.unknown_user == "hide",
        dpop_nonces=settings.dpop_nonce == "required",
        unknown_clients=settings.clients_unknown,  # type: ignore[arg-type]  # checked on load
        app_registration=settings.clients_registration,  # type: ignore[arg-type]  # checked on load
        allowed_hosts=settings.allowed_hosts,
        blocked_hosts=settings.blocked_hosts,
        not_before=restored_at or 0,
    )
