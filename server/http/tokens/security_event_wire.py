"""Polls for security events as JSON."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from server.http.oauth_wire import OauthAnswer
from server.http.wire import StrictBody, Text
from server.protocol.tokens.security_events import MAX_EVENTS
from server.services.tokens.security_events import Poll


class TransmitterMetadata(OauthAnswer):
    """The metadata of a transmitter of security events (SSF 7.1)."""

    spec_version: str
    issuer: str
    jwks_uri: str
    delivery_methods_supported: list[str] = Field(min_length=1)
    configuration_endpoint: str


_Jti = Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,128}$")]


class SetError(StrictBody):
    """Why a resource could not use an event (RFC 8936 2.6)."""

    err: Text
    description: Text = ""


class PollRequest(StrictBody):
    """What a resource received, and how many events it wants (RFC 8936 2.2)."""

    model_config = ConfigDict(alias_generator=to_camel)

    max_events: int = Field(default=MAX_EVENTS, ge=0)
    return_immediately: bool = False
    ack: list[_Jti] = Field(default=[], max_length=1_000)
    set_errs: dict[_Jti, SetError] = Field(default={}, max_length=1_000)

    def record(self) -> Poll:
        """Convert to the services' type; a response has a limited number of events."""
        done = frozenset((*self.ack, *self.set_errs))
        return Poll(min(self.max_events, MAX_EVENTS), done)


class PollResponse(BaseModel):
    """The security event tokens by `jti` (RFC 8936 2.3)."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True)

    sets: dict[str, str]
    more_available: bool
